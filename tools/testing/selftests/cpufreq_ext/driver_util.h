/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cpufreq driver for tests: its parameters, and its record of what governors
 * asked for.  See test_modules/cpufreq_ext_driver.c.
 */
#ifndef __CPUFREQ_EXT_DRIVER_UTIL_H
#define __CPUFREQ_EXT_DRIVER_UTIL_H

#include <sys/syscall.h>
#include "util.h"

#define DRIVER_FILE	"cpufreq_ext_driver.ko"
#define DRIVER_PARAMS	"/sys/module/cpufreq_ext_driver/parameters"
#define DRIVER_DEBUGFS	"/sys/kernel/debug/cpufreq_ext_driver"

/* A line of the driver's log */
struct transition {
	unsigned long long start_ns, end_ns;
	int policy;
	unsigned int from_khz, to_khz, min_khz, max_khz;
	int relation, err;
	char judgement[16];
};

static inline int module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

static inline int driver_unload(void)
{
	int err = module_unload("cpufreq_ext_driver");

	find_policies();
	return err;
}

/* Load the driver with parameters as for insmod. */
static inline int driver_insert(const char *params)
{
	int fd = open(DRIVER_FILE, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, params, 0))
		err = -errno;
	close(fd);
	return err;
}

/* Also find its policies. */
static inline int driver_load(const char *params)
{
	int err = driver_insert(params);

	find_policies();
	return err;
}

/* Why the driver cannot be used here; NULL if it can */
static inline const char *driver_missing(void)
{
	if (access(DRIVER_FILE, R_OK))
		return "no " DRIVER_FILE " here: build it with KDIR set";
	if (access(DRIVER_PARAMS, F_OK)) {
		find_policies();
		if (nr_policies)
			return "another cpufreq driver is loaded: boot without it";
	}
	return NULL;
}

static inline int driver_set(const char *param, long value)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), DRIVER_PARAMS "/%s", param);
	snprintf(text, sizeof(text), "%ld", value);
	return write_file(path, text);
}

/* A number of the record of a policy; ~0 if it cannot be read */
static inline unsigned long long driver_num(int policy, const char *file)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), DRIVER_DEBUGFS "/policy%d/%s", policy, file);
	if (read_file(path, text, sizeof(text)))
		return ~0ULL;
	return strtoull(text, NULL, 10);
}

/* The last @max transitions of a policy, oldest first; returns their number */
static inline int driver_log(int policy, struct transition *log, int max)
{
	struct transition t;
	FILE *file = fopen(DRIVER_DEBUGFS "/log", "re");
	int n = 0;

	if (!file)
		return 0;
	while (fscanf(file, "%llu %llu %d %u %u %u %u %d %d %15s\n",
		      &t.start_ns, &t.end_ns, &t.policy, &t.from_khz, &t.to_khz,
		      &t.min_khz, &t.max_khz, &t.relation, &t.err,
		      t.judgement) == 10) {
		if (t.policy != policy)
			continue;
		if (n == max)
			memmove(log, log + 1, --n * sizeof(t));
		log[n++] = t;
	}
	fclose(file);
	return n;
}

#endif /* __CPUFREQ_EXT_DRIVER_UTIL_H */
