/* SPDX-License-Identifier: GPL-2.0-only */
/* cpufreq's sysfs files, busy CPUs and waiting, for the tests of ext */
#ifndef __CPUFREQ_EXT_UTIL_H
#define __CPUFREQ_EXT_UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/wait.h>

#define CPUFREQ		"/sys/devices/system/cpu/cpufreq"
#define MAX_POLICIES	256
#define MAX_FREQS	64

#define STAT_INIT	"Stat: CPUFREQ_EXT_INIT\nBPF governor: performance\n"
#define STAT_LOADED(name) "Stat: CPUFREQ_EXT_LOADED\nBPF governor: " name "\n"

/* What is written after one another is settled within this time. */
#define SETTLE_MS	3000
#define START_MS	20000

static int nr_policies;
static int policies[MAX_POLICIES];		/* number in the folder's name */
static unsigned int freqs[MAX_FREQS];		/* kHz, ascending */
static int nr_freqs;

static inline int read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, buf, size - 1);
	close(fd);
	if (len < 0)
		return -errno;
	buf[len] = '\0';
	return 0;
}

static inline int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static inline int write_policy(int policy, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), CPUFREQ "/policy%d/%s", policy, file);
	return write_file(path, text);
}

static inline int write_policy_num(int policy, const char *file, unsigned long num)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", num);
	return write_policy(policy, file, text);
}

/* Without the newline at the end; "" if it cannot be read */
static inline const char *read_policy(int policy, const char *file)
{
	static char text[8][4096];
	static int slot;
	char path[128];

	slot = (slot + 1) % 8;
	snprintf(path, sizeof(path), CPUFREQ "/policy%d/%s", policy, file);
	if (read_file(path, text[slot], sizeof(text[slot])))
		return "";
	text[slot][strcspn(text[slot], "\n")] = '\0';
	return text[slot];
}

static inline unsigned int read_policy_num(int policy, const char *file)
{
	return strtoul(read_policy(policy, file), NULL, 10);
}

static inline unsigned int cur_freq(int policy)
{
	return read_policy_num(policy, "scaling_cur_freq");
}

/* ext/stat as a whole, wherever it is; "" if no policy uses ext */
static inline const char *read_stat(void)
{
	static char text[4096];
	char path[128];
	int i;

	if (!read_file(CPUFREQ "/ext/stat", text, sizeof(text)))
		return text;
	for (i = 0; i < nr_policies; i++) {
		snprintf(path, sizeof(path), CPUFREQ "/policy%d/ext/stat", policies[i]);
		if (!read_file(path, text, sizeof(text)))
			return text;
	}
	return "";
}

static inline int set_governor(int policy, const char *governor)
{
	return write_policy(policy, "scaling_governor", governor);
}

static inline int set_all_governors(const char *governor)
{
	int i, err;

	for (i = 0; i < nr_policies; i++) {
		err = set_governor(policies[i], governor);
		if (err)
			return err;
	}
	return 0;
}

static inline int cmp_int(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Find policies and the frequency table of the first one. */
static inline void find_policies(void)
{
	char text[4096], *word, *rest;
	glob_t found;
	size_t i;

	nr_policies = 0;
	nr_freqs = 0;
	if (glob(CPUFREQ "/policy*", 0, NULL, &found))
		return;
	for (i = 0; i < found.gl_pathc && nr_policies < MAX_POLICIES; i++)
		policies[nr_policies++] = atoi(strstr(found.gl_pathv[i], "/policy") + 7);
	globfree(&found);
	qsort(policies, nr_policies, sizeof(int), cmp_int);

	snprintf(text, sizeof(text), "%s",
		 read_policy(policies[0], "scaling_available_frequencies"));
	for (word = strtok_r(text, " ", &rest); word && nr_freqs < MAX_FREQS;
	     word = strtok_r(NULL, " ", &rest))
		freqs[nr_freqs++] = strtoul(word, NULL, 10);
	qsort(freqs, nr_freqs, sizeof(int), cmp_int);
}

/* CPUs of a policy that are online; returns their number */
static inline int policy_cpus(int policy, int *cpus, int max)
{
	char text[4096], *word, *rest;
	int n = 0;

	snprintf(text, sizeof(text), "%s", read_policy(policy, "affected_cpus"));
	for (word = strtok_r(text, " ", &rest); word && n < max;
	     word = strtok_r(NULL, " ", &rest))
		cpus[n++] = atoi(word);
	return n;
}

static inline int set_online(int cpu, bool online)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	return write_file(path, online ? "1" : "0");
}

static inline void sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

#define wait_for_ms(cond, most_ms) ({					\
	bool __met;							\
	int __ms;							\
									\
	for (__ms = 0; !(__met = (cond)) && __ms < (most_ms); __ms += 10) \
		sleep_ms(10);						\
	__met;								\
})

#define wait_for(cond)		wait_for_ms(cond, SETTLE_MS)
/* What a program does after its start, with the verifier of a debug kernel */
#define wait_for_start(cond)	wait_for_ms(cond, START_MS)

/* The core applies limits some time after they were written. */
static inline bool set_limits(int policy, unsigned int min, unsigned int max)
{
	write_policy_num(policy, "scaling_min_freq", 0);
	write_policy_num(policy, "scaling_max_freq", max);
	write_policy_num(policy, "scaling_min_freq", min);
	return wait_for(read_policy_num(policy, "scaling_min_freq") == min &&
			read_policy_num(policy, "scaling_max_freq") == max);
}

/* Threads that keep CPUs busy until busy_stop() */
static pthread_t busy_threads[MAX_POLICIES];
static int nr_busy;
static bool busy_done;

static inline void *busy_loop(void *cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((long)cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	while (!__atomic_load_n(&busy_done, __ATOMIC_RELAXED))
		;
	return NULL;
}

static inline void busy_start(long cpu)
{
	busy_done = false;
	if (!pthread_create(&busy_threads[nr_busy], NULL, busy_loop, (void *)cpu))
		nr_busy++;
}

/* One that has little to do wakes the CPU up, so that there are samples. */
static unsigned int wake_ms = 1;

static inline void *wake_loop(void *cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((long)cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	while (!__atomic_load_n(&busy_done, __ATOMIC_RELAXED))
		sleep_ms(wake_ms);
	return NULL;
}

/* Until busy_stop(), too */
static inline void wake_start(long cpu)
{
	busy_done = false;
	if (!pthread_create(&busy_threads[nr_busy], NULL, wake_loop, (void *)cpu))
		nr_busy++;
}

static inline void busy_stop(void)
{
	__atomic_store_n(&busy_done, true, __ATOMIC_RELAXED);
	while (nr_busy)
		pthread_join(busy_threads[--nr_busy], NULL);
}

/* Kernel messages from now on */
static inline int kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

static inline bool kmsg_has(int fd, const char *text)
{
	char record[8192];
	bool found = false;
	ssize_t len;

	for (;;) {
		len = read(fd, record, sizeof(record) - 1);
		if (len < 0 && errno == EPIPE)
			continue;
		if (len <= 0)
			break;
		record[len] = '\0';
		if (strstr(record, text))
			found = true;
	}
	return found;
}

/*
 * Say that a sched_ext scheduler is about to come or go, or that it has.
 *
 * Meanwhile tasks are of two classes, and nothing asks the scheduler.  6.12 may then
 * pick for a CPU without balance(), which its pick_task_scx() knows and answers with
 * a kick, but a kick does nothing yet: the CPU is idle though ksoftirqd is to run, and
 * the kernel says "NOHZ tick-stop error".  Any scheduler has that, without ext, too.
 */
static inline void sched_ext_changes(bool changes)
{
	write_file("/dev/kmsg", changes ? "<6>cpufreq_ext_test: sched_ext changes" :
					  "<6>cpufreq_ext_test: sched_ext has changed");
}

#endif /* __CPUFREQ_EXT_UTIL_H */
