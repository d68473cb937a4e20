// SPDX-License-Identifier: GPL-2.0-only
/* Commands list, info, get, set and status */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>

#include "cpufreq_ext.h"

static int show_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "verbose", no_argument, NULL, 'v' },
		{}
	};
	int opt = main_option(argc, argv, ":hv", options);

	return opt == -1 || opt == MAIN_HELP ? opt : 1;
}

/* ---- list, info ---- */

static void show_list_one(const char *path)
{
	struct object o;
	const char *name;
	size_t len;

	name = object_short_name(path, &len);
	if (object_open(&o, path, 0, NULL))
		return;
	printf("%-14.*s ", (int)len, name);
	if (o.text)
		printf("%s", o.text);
	else if (o.tunables.nr)
		tunables_print_names(stdout, &o.tunables);
	else
		printf("(no tunables)");
	putchar('\n');
	object_close(&o);
}

int show_list_main(int argc, char **argv)
{
	int opt = show_options(argc, argv);
	char **paths;
	int i, nr;

	if (opt != -1)
		return opt;
	if (optind < argc)
		return main_err("list takes no arguments: cpufreq_ext info %s", argv[optind]);
	nr = object_bundled(&paths);
	if (!nr)
		return main_err("no governors were found: set CPUFREQ_EXT_PATH to their folder");
	for (i = 0; i < nr; i++) {
		show_list_one(paths[i]);
		free(paths[i]);
	}
	free(paths);
	return 0;
}

static void show_info_tunable(const struct tunable *t, const void *section)
{
	char *text = NULL, *range;
	size_t size;
	FILE *f;

	f = open_memstream(&text, &size);
	if (!f)
		return;
	tunables_print_value(f, t, section);
	fclose(f);
	range = main_format("%llu..%llu", (unsigned long long)t->min,
			    (unsigned long long)t->max);
	printf("  %-22s %-4s  %-22s %-12s %-5s %s\n", t->name, tunables_type(t), range,
	       text, *t->unit ? t->unit : "-", t->text);
	free(range);
	free(text);
}

int show_info_main(int argc, char **argv)
{
	int opt = show_options(argc, argv);
	struct object o;
	size_t size;
	void *data;
	int i;

	if (opt != -1)
		return opt;
	if (argc - optind != 1)
		return main_err("info of what? Name one governor: cpufreq_ext list");
	if (object_open(&o, argv[optind], 0, NULL))
		return -1;
	printf("%s%s%s\n%s\n", o.name, o.text ? ": " : "", o.text ?: "", o.path);
	if (o.tunables.nr) {
		printf("\n  %-22s %-4s  %-22s %-12s %-5s %s\n", "TUNABLE", "TYPE", "RANGE",
		       "DEFAULT", "UNIT", "MEANING");
		data = bpf_map__initial_value(o.section, &size);
		for (i = 0; i < o.tunables.nr; i++)
			show_info_tunable(&o.tunables.tunable[i], data);
	} else {
		printf("\n  (no tunables)\n");
	}
	object_close(&o);
	return 0;
}

/* ---- get, set ---- */

static const struct tunable *show_find(const struct governor *g, const char *name)
{
	char *names = NULL;
	size_t size;
	FILE *f;
	int i;

	for (i = 0; i < g->tunables.nr; i++) {
		if (!strcmp(g->tunables.tunable[i].name, name))
			return &g->tunables.tunable[i];
	}
	f = open_memstream(&names, &size);
	if (f) {
		tunables_print_names(f, &g->tunables);
		fclose(f);
	}
	main_err("%s has no tunable '%s': use one of %s", g->name, name,
		 names && *names ? names : "none");
	free(names);
	return NULL;
}

static void show_tunable(const struct governor *g, const struct tunable *t)
{
	printf("%s=", t->name);
	tunables_print_value(stdout, t, g->section);
	putchar('\n');
}

int show_get_main(int argc, char **argv)
{
	int opt = show_options(argc, argv);
	const struct tunable *t;
	struct governor g;
	int i, err;

	if (opt != -1)
		return opt;
	err = governor_need(&g) ?: governor_map_tunables(&g);
	for (i = optind; i < argc && !err; i++)
		err = show_find(&g, argv[i]) ? 0 : -1;
	for (i = optind; i < argc && !err; i++) {
		t = show_find(&g, argv[i]);
		show_tunable(&g, t);
	}
	for (i = 0; i < g.tunables.nr && !err && optind == argc; i++)
		show_tunable(&g, &g.tunables.tunable[i]);
	governor_close(&g);
	return err;
}

int show_set_main(int argc, char **argv)
{
	int opt = show_options(argc, argv);
	struct tunable_value *values;
	struct governor g;
	int nr, lock, err;

	if (opt != -1)
		return opt;
	nr = argc - optind;
	if (!nr) {
		main_err("set what? cpufreq_ext set TUNABLE=VALUE, cpufreq_ext get shows them");
		return -1;
	}
	values = calloc(nr, sizeof(*values));
	if (!values)
		return main_err("out of memory");
	lock = select_lock();
	err = governor_need(&g) ?: governor_map_tunables(&g) ?:
	      tunables_parse(&g.tunables, g.name, nr, argv + optind, values);
	if (!err)
		tunables_write(g.section, values, nr);
	governor_close(&g);
	select_unlock(lock);
	free(values);
	return err;
}

/* ---- status ---- */

static const struct { const char *file, *text; } show_counters[] = {
	{ "decisions", "decisions" },
	{ "clamped", "clamped" },
	{ "refused_rates", "refused rates" },
	{ "faults", "faults" },
};

struct show_policy {
	unsigned int number;
	char *cpus;
	char *governor;
	char *driver;
	unsigned long cur;
	unsigned long min;
	unsigned long max;
};

static int show_policies(struct show_policy **policies)
{
	struct show_policy *p = NULL;
	unsigned int *numbers;
	int i, nr;

	nr = sysfs_policies(&numbers);
	if (nr)
		p = main_alloc(NULL, nr * sizeof(*p));
	for (i = 0; i < nr; i++) {
		p[i].number = numbers[i];
		p[i].cpus = sysfs_read("policy%u/affected_cpus", numbers[i]);
		p[i].governor = sysfs_read("policy%u/scaling_governor", numbers[i]);
		p[i].driver = sysfs_read("policy%u/scaling_driver", numbers[i]);
		p[i].cur = sysfs_read_number("policy%u/scaling_cur_freq", numbers[i]);
		p[i].min = sysfs_read_number("policy%u/scaling_min_freq", numbers[i]);
		p[i].max = sysfs_read_number("policy%u/scaling_max_freq", numbers[i]);
	}
	free(numbers);
	*policies = p;
	return nr;
}

static void show_free_policies(struct show_policy *p, int nr)
{
	int i;

	for (i = 0; i < nr; i++) {
		free(p[i].cpus);
		free(p[i].governor);
		free(p[i].driver);
	}
	free(p);
}

static void show_json_tunables(const struct governor *g)
{
	const struct tunable *t;
	int i;

	printf("  \"tunables\": {");
	for (i = 0; i < g->tunables.nr; i++) {
		t = &g->tunables.tunable[i];
		printf("%s\n    ", i ? "," : "");
		main_json_string(stdout, t->name);
		printf(": ");
		if (t->kind == TUNABLE_LIST)
			putchar('"');
		tunables_print_value(stdout, t, g->section);
		if (t->kind == TUNABLE_LIST)
			putchar('"');
	}
	printf("%s},\n", g->tunables.nr ? "\n  " : "");
}

/* @policy < 0: of all */
static void show_json_counters(int policy)
{
	size_t i;

	printf("\"counters\": {");
	for (i = 0; i < ARRAY_SIZE(show_counters); i++)
		printf("%s\"%s\": %lu", i ? ", " : "", show_counters[i].file,
		       policy < 0 ? sysfs_counter_sum(show_counters[i].file) :
				    sysfs_counter(policy, show_counters[i].file));
	putchar('}');
}

static void show_json(const struct governor *g, const struct show_policy *p, int nr,
		      bool pinned)
{
	char *fault = sysfs_fault();
	int i;

	printf("{\n  \"governor\": ");
	if (g)
		main_json_string(stdout, g->name);
	else
		printf("null");
	printf(",\n  \"pinned\": %s,\n", pinned ? "true" : "false");
	if (g)
		show_json_tunables(g);
	else
		printf("  \"tunables\": {},\n");
	printf("  \"fault\": ");
	if (fault)
		main_json_string(stdout, fault);
	else
		printf("null");
	free(fault);
	printf(",\n  ");
	show_json_counters(-1);
	printf(",\n  \"policies\": [");
	for (i = 0; i < nr; i++) {
		printf("%s\n    {\"policy\": %u, \"cpus\": ", i ? "," : "", p[i].number);
		main_json_string(stdout, p[i].cpus);
		printf(", \"driver\": ");
		main_json_string(stdout, p[i].driver);
		printf(", \"governor\": ");
		main_json_string(stdout, p[i].governor);
		printf(", \"cur_khz\": %lu, \"min_khz\": %lu, \"max_khz\": %lu, ",
		       p[i].cur, p[i].min, p[i].max);
		show_json_counters(p[i].number);
		putchar('}');
	}
	printf("%s]\n}\n", nr ? "\n  " : "");
}

static void show_text(const struct governor *g, const struct show_policy *p, int nr,
		      bool pinned)
{
	char *stat = sysfs_stat(), *fault = sysfs_fault();
	size_t k;
	int i;

	printf("Governor:  %s%s\n", g ? g->name : "none is loaded",
	       pinned ? " (pinned: " PIN_GOVERNOR ")" : "");
	if (stat)
		printf("ext/stat:  %.*s\n", (int)strcspn(stat, "\n"), stat);
	else
		printf("ext/stat:  no policy uses ext\n");
	if (fault)
		printf("Fault:     %s\n", fault);
	for (k = 0; stat && k < ARRAY_SIZE(show_counters); k++)
		printf("%s%lu %s%s", k ? ", " : "Counters:  ",
		       sysfs_counter_sum(show_counters[k].file), show_counters[k].text,
		       k == ARRAY_SIZE(show_counters) - 1 ? "\n" : "");
	free(fault);
	free(stat);
	for (i = 0; g && i < g->tunables.nr; i++) {
		printf("Tunable:   %s=", g->tunables.tunable[i].name);
		tunables_print_value(stdout, &g->tunables.tunable[i], g->section);
		printf("%s%s\n", *g->tunables.tunable[i].unit ? " " : "",
		       g->tunables.tunable[i].unit);
	}
	printf("\n%-8s %-12s %-14s %-14s %10s  %s\n", "POLICY", "CPUS", "DRIVER",
	       "GOVERNOR", "FREQ/kHz", "LIMITS/kHz");
	for (i = 0; i < nr; i++)
		printf("%-8u %-12s %-14s %-14s %10lu  %lu-%lu\n", p[i].number,
		       p[i].cpus ?: "?", p[i].driver ?: "?", p[i].governor ?: "?",
		       p[i].cur, p[i].min, p[i].max);
	if (!nr)
		printf("(no cpufreq driver is active)\n");
}

int show_status_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "verbose", no_argument, NULL, 'v' },
		{}
	};
	struct show_policy *policies;
	bool json = false, pinned;
	struct governor g;
	int opt, nr, found;

	while ((opt = main_option(argc, argv, ":jhv", options)) != -1) {
		if (opt != 'j')
			return opt == MAIN_HELP ? opt : 1;
		json = true;
	}
	if (optind < argc)
		return main_err("status takes no arguments: leave out '%s'", argv[optind]);

	found = governor_find(&g);
	if (found < 0 || (found && governor_map_tunables(&g))) {
		governor_close(&g);
		return -1;
	}
	pinned = found && !access(PIN_GOVERNOR, F_OK);
	nr = show_policies(&policies);
	(json ? show_json : show_text)(found ? &g : NULL, policies, nr, pinned);
	show_free_policies(policies, nr);
	governor_close(&g);
	return 0;
}
