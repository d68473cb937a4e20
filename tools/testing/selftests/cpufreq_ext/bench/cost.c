// SPDX-License-Identifier: GPL-2.0-only
/* How long a function of the kernel takes */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.h"
#include "bench.skel.h"
#include "bench_parts.h"

#define CALIBRATIONS	200

void cost_begin(struct cost *c, const char *function, bool has_policy)
{
	struct bpf_program *prog, *begin, *end;

	c->skel = bench__open();
	if (!c->skel)
		side_die("the BPF programs of the benchmark cannot be opened");
	begin = has_policy ? c->skel->progs.policy_begin : c->skel->progs.any_begin;
	end = has_policy ? c->skel->progs.policy_end : c->skel->progs.any_end;
	bpf_object__for_each_program(prog, c->skel->obj)
		bpf_program__set_autoload(prog, prog == begin || prog == end);
	if (bpf_program__set_attach_target(begin, 0, function) ||
	    bpf_program__set_attach_target(end, 0, function) ||
	    bench__load(c->skel))
		side_die("%s: the clocks do not load: is its module there?", function);
	/* In this order, or the first end may have no begin. */
	c->begin = bpf_program__attach(begin);
	c->end = bpf_program__attach(end);
	if (!c->begin || !c->end)
		side_die("%s: the clocks cannot be attached: %s", function, strerror(errno));
}

unsigned int cost_count(const struct cost *c)
{
	return __atomic_load_n(&c->skel->bss->nr_records, __ATOMIC_RELAXED);
}

void cost_forget(struct cost *c)
{
	__atomic_store_n(&c->skel->bss->nr_records, 0, __ATOMIC_RELAXED);
}

void cost_end(struct cost *c)
{
	bpf_link__destroy(c->end);
	bpf_link__destroy(c->begin);
	bench__destroy(c->skel);
}

/* What the clocks add to each record */
static double clocks(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	static double median = -1;
	double values[CALIBRATIONS];
	struct cost c;
	int i;

	if (median >= 0)
		return median;
	cost_begin(&c, "bpf_fentry_test1", false);
	for (i = 0; i < CALIBRATIONS; i++)
		bpf_prog_test_run_opts(bpf_program__fd(c.skel->progs.any_begin), &run);
	for (i = 0; i < CALIBRATIONS; i++)
		values[i] = work_instructions(c.skel->bss->records[i].cost_ns);
	if (cost_count(&c) != CALIBRATIONS)
		side_die("bpf_fentry_test1 was called %u times, not %d", cost_count(&c),
			 CALIBRATIONS);
	cost_end(&c);
	work_figure("clocks", "instructions", values, CALIBRATIONS);
	median = values[CALIBRATIONS / 2];
	return median;
}

double cost_of(const struct bench_record *r)
{
	return work_instructions(r->cost_ns) - clocks();
}
