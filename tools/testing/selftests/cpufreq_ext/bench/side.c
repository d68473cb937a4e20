// SPDX-License-Identifier: GPL-2.0-only
/* The governors that are compared */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../util.h"
#include "bench_parts.h"

static const struct side sides[] = {
	{ "kernel-ondemand", "ondemand", "od_dbs_update", NULL },
	{ "kernel-conservative", "conservative", "cs_dbs_update", NULL },
	{ "kernel-schedutil", "schedutil", "sugov_update_single_freq", NULL },
	{ "kernel-schedutil-shared", "schedutil", "sugov_update_shared", NULL },
	{ "kernel-performance", "performance", NULL, NULL },
	{ "kernel-userspace", "userspace", NULL, NULL },
	{ "ext-nothing", "ext", "cpufreq_ext_dbs_update", NULL },
	{ "ext-empty", "ext", "cpufreq_ext_dbs_update", "keep.bpf.o" },
	{ "ext-performance", "ext", "cpufreq_ext_dbs_update", "cpufreq_ext_performance.bpf.o" },
	{ "ext-powersave", "ext", "cpufreq_ext_dbs_update", "cpufreq_ext_powersave.bpf.o" },
	{ "ext-userspace", "ext", "cpufreq_ext_dbs_update", "cpufreq_ext_userspace.bpf.o" },
	{ "ext-ondemand", "ext", "cpufreq_ext_dbs_update", "cpufreq_ext_ondemand.bpf.o" },
	{ "ext-conservative", "ext", "cpufreq_ext_dbs_update", "cpufreq_ext_conservative.bpf.o" },
	{ "ext-schedutil", "ext", "cpufreq_ext_dbs_update", "cpufreq_ext_schedutil.bpf.o" },
	{ "ext-interactive", "ext", "cpufreq_ext_dbs_update", "cpufreq_ext_interactive.bpf.o" },
	{ "ext-vip", "ext", "cpufreq_ext_dbs_update", "cpufreq_ext_vip.bpf.o" },
};

void side_die(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	va_start(args, fmt);
	fputs("bench: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

const struct side *side_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		if (!strcmp(sides[i].name, name))
			return &sides[i];
	}
	side_die("there is no side '%s'", name);
}

void side_select(const char *governor, int nr)
{
	int i, err;

	if (!nr_policies)
		find_policies();
	for (i = 0; i < nr_policies; i++) {
		err = set_governor(policies[i], !nr || i < nr ? governor : "performance");
		if (err)
			side_die("policy%d does not take %s: %s", policies[i], governor,
				 strerror(-err));
	}
}

static void write_tunable(const char *governor, const char *name, const char *value)
{
	char path[128];
	int err;

	snprintf(path, sizeof(path), CPUFREQ "/%s/%s", governor, name);
	err = write_file(path, value);
	if (err && err != -ENOENT)
		side_die("%s: %s", path, strerror(-err));
}

#define MIN_RATE_US	"8000"	/* two ticks */

/* A write ends the period that is under way, as the next one could be shorter. */
void side_sample_now(const struct side *side)
{
	write_tunable(side->governor, "sampling_rate", MIN_RATE_US);
}

void side_sample_every(const struct side *side, const char *period_us)
{
	write_tunable(side->governor, "sampling_rate", period_us);
}

void side_load(struct loaded *l, const char *object)
{
	struct bpf_map *map;

	memset(l, 0, sizeof(*l));
	l->obj = bpf_object__open_file(object, NULL);
	if (!l->obj || bpf_object__load(l->obj))
		side_die("%s does not load: %s", object, strerror(errno));
	bpf_object__for_each_map(map, l->obj) {
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			l->ops = map;
	}
}

void side_attach(struct loaded *l)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, l->obj) {
		if (bpf_program__type(prog) == BPF_PROG_TYPE_STRUCT_OPS ||
		    bpf_program__type(prog) == BPF_PROG_TYPE_SYSCALL)
			continue;
		l->links[l->nr_links] = bpf_program__attach(prog);
		if (!l->links[l->nr_links++])
			side_die("%s cannot be attached: %s", bpf_program__name(prog),
				 strerror(errno));
	}
	l->governor = bpf_map__attach_struct_ops(l->ops);
	if (!l->governor)
		side_die("%s cannot be attached: %s", bpf_map__name(l->ops), strerror(errno));
}

void side_unload(struct loaded *l)
{
	bpf_link__destroy(l->governor);
	while (l->nr_links)
		bpf_link__destroy(l->links[--l->nr_links]);
	bpf_object__close(l->obj);
	memset(l, 0, sizeof(*l));
}

void side_begin(const struct side *side, struct loaded *l, int nr)
{
	memset(l, 0, sizeof(*l));
	side_select(side->governor, nr);
	side_sample_now(side);
	/* All sides measure the load alike: ondemand has this default on Intel's CPUs. */
	write_tunable(side->governor, "io_is_busy", "1");
	if (side->object) {
		side_load(l, side->object);
		side_attach(l);
	}
}

void side_end(struct loaded *l)
{
	if (l->obj)
		side_unload(l);
	side_select("performance", 0);
}
