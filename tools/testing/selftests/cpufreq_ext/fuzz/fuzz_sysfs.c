// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: contents of sysfs, name and tunables of the running governor, and
 * what was saved for unload
 *
 * The tool is built to find them in folders of the working directory.
 */
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <json-c/json.h>

#include "cpufreq_ext.h"
#include "fuzz.h"
#include "fuzz_tree.h"

/* Name and tunables of the governor that is registered, in BPF maps otherwise */
#define SYSFS_GOVERNOR		CPUFREQ "/governor"
#define SYSFS_SECTION		CPUFREQ "/section"
#define SYSFS_SECTION_SIZE	4096

static const char * const sysfs_files[] = {
	CPUFREQ "/policy0/scaling_governor",
	CPUFREQ "/policy0/scaling_driver",
	CPUFREQ "/policy0/scaling_available_governors",
	CPUFREQ "/policy0/affected_cpus",
	CPUFREQ "/policy0/related_cpus",
	CPUFREQ "/policy0/scaling_setspeed",
	CPUFREQ "/policy0/scaling_cur_freq",
	CPUFREQ "/policy0/scaling_min_freq",
	CPUFREQ "/policy0/scaling_max_freq",
	CPUFREQ "/policy0/cpuinfo_max_freq",
	CPUFREQ "/policy0/stats/time_in_state",
	CPUFREQ "/policy0/stats/total_trans",
	CPUFREQ "/policy0/ondemand/up_threshold",
	CPUFREQ "/policy0/ext/stat",
	CPUFREQ "/policy3/scaling_governor",
	CPUFREQ "/policy3/related_cpus",
	CPUFREQ "/policy3/stats/time_in_state",
	CPUFREQ "/ondemand/io_is_busy",
	CPUFREQ "/ext/stat",
	STATE_DIR "/saved",
	SYSFS_GOVERNOR,
	SYSFS_SECTION,
	NULL
};

int fuzz_init(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_tree_make(sysfs_files);
	return 0;
}

/* ---- the kernel ---- */

static struct tunable sysfs_tunables[] = {
	{ TUNABLE_NUMBER, "up_threshold", "", "%", 0, 4, 1, 100 },
	{ TUNABLE_BOOL, "io_is_busy", "", "", 4, 1, 0, 1 },
	{ TUNABLE_LIST, "target_loads", "", "%", 8, 516, 1, 100 },
};

int __wrap_governor_find(struct governor *g)
{
	char *name;

	memset(g, 0, sizeof(*g));
	g->map_fd = -1;
	g->link_fd = -1;
	g->section_fd = -1;
	name = sysfs_read("governor");
	if (!name)
		return 0;
	snprintf(g->name, sizeof(g->name), "%s", name);
	free(name);
	return 1;
}

int __wrap_governor_map_tunables(struct governor *g)
{
	char *section;

	g->section_size = SYSFS_SECTION_SIZE;
	g->section = mmap(NULL, g->section_size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g->section == MAP_FAILED)
		abort();
	section = sysfs_read("section");
	if (section)
		memcpy(g->section, section, strnlen(section, g->section_size));
	free(section);
	g->tunables.nr = ARRAY_SIZE(sysfs_tunables);
	g->tunables.tunable = main_alloc(NULL, sizeof(sysfs_tunables));
	memcpy(g->tunables.tunable, sysfs_tunables, sizeof(sysfs_tunables));
	return 0;
}

/* Whatever was saved, nothing but cpufreq's files may be written. */
int __wrap_sysfs_write(const char *path, const char *text)
{
	fuzz_check(!strstr(path, ".."));
	return __real_sysfs_write(path, text);
}

/* Time passes, but nobody has to wait for it. */
static int sysfs_seconds;

int __wrap_ppoll(struct pollfd *fds, unsigned long nr, const struct timespec *timeout,
		 const void *mask)
{
	(void)fds;
	(void)nr;
	(void)timeout;
	(void)mask;
	sysfs_seconds++;
	return 0;
}

int __wrap_clock_gettime(int clock, struct timespec *now)
{
	(void)clock;
	now->tv_sec = sysfs_seconds;
	now->tv_nsec = 0;
	return 0;
}

/* ---- the target ---- */

static int sysfs_run(int (*command)(int argc, char **argv), int argc, char * const *argv,
		     const char **out)
{
	const char *err;
	int failed;

	optind = 0;
	fuzz_begin();
	failed = command(argc, (char **)argv);
	fuzz_end(out, &err);
	if (failed)
		fuzz_check_refusal(err);
	return failed;
}

static void sysfs_check_json(const char *out)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *json;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	json = json_tokener_parse_ex(tokener, out, -1);
	if (!json)
		fprintf(stderr, "%s: %s\n", out,
			json_tokener_error_desc(json_tokener_get_error(tokener)));
	fuzz_check(json);
	json_object_put(json);
	json_tokener_free(tokener);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	char * const status[] = { (char *)"status", (char *)"--json", NULL };
	char * const monitor[] = {
		(char *)"monitor", (char *)"-n", (char *)"2", (char *)"--csv", (char *)"-", NULL,
	};
	struct select s;
	const char *out, *err;

	fuzz_tree_fill(data, size);
	if (!sysfs_run(show_status_main, 2, status, &out))
		sysfs_check_json(out);
	sysfs_run(show_status_main, 1, status, &out);
	sysfs_run(monitor_main, 3, monitor, &out);
	sysfs_run(monitor_main, 5, monitor, &out);

	fuzz_begin();
	select_end_saved();
	sysfs_check_ext(false);
	select_check_cpus("0-3");
	/* To a file: no process of its own is needed then. */
	if (!select_begin(&s, NULL, true))
		select_end(&s);
	if (!select_begin(&s, "3,7", true))
		select_end(&s);
	fuzz_end(&out, &err);
	return 0;
}
