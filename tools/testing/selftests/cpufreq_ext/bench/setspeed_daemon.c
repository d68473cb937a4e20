// SPDX-License-Identifier: GPL-2.0-only
/*
 * A governor in user space: reads the load from /proc/stat and sets a frequency,
 * period by period.
 *
 * Usage: setspeed_daemon [-k] PERIOD_US
 *
 * It opens /proc/stat each time, and has libcpupower set the frequency.  With -k it
 * keeps that file and scaling_setspeed open, which is the least that can be done.
 *
 * For the only policy of a machine.  At SIGTERM it prints the number of periods.
 */
#include <cpufreq.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POLICY	"/sys/devices/system/cpu/cpufreq/policy0/"
#define UP	80	/* percent */

static int stop;

static void on_signal(int sig)
{
	(void)sig;
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
}

static int stat_fd, speed_fd;
static bool keeps;

static int open_files(void)
{
	if (!keeps)
		return 0;
	stat_fd = open("/proc/stat", O_RDONLY);
	speed_fd = open(POLICY "scaling_setspeed", O_WRONLY);
	return stat_fd < 0 || speed_fd < 0 ? -1 : 0;
}

/* The first line: user nice system idle iowait irq softirq steal */
static int read_line(char *text, int size)
{
	FILE *file;
	ssize_t n;

	if (keeps) {
		n = pread(stat_fd, text, size - 1, 0);
		if (n < 0)
			return -1;
		text[n] = '\0';
		return 0;
	}
	file = fopen("/proc/stat", "r");
	if (!file)
		return -1;
	n = fgets(text, size, file) ? 0 : -1;
	fclose(file);
	return n;
}

static int read_times(unsigned long long *all, unsigned long long *idle)
{
	char text[512], *at = text;
	unsigned long long time;
	int i;

	if (read_line(text, sizeof(text)))
		return -1;
	at += strcspn(at, " ");
	*all = *idle = 0;
	for (i = 0; i < 8; i++) {
		time = strtoull(at, &at, 10);
		*all += time;
		if (i == 3 || i == 4)
			*idle += time;
	}
	return 0;
}

static int set_khz(unsigned long khz)
{
	char text[24];
	int n;

	if (!keeps)
		return cpufreq_set_frequency(0, khz);
	n = snprintf(text, sizeof(text), "%lu", khz);
	return pwrite(speed_fd, text, n, 0) == n ? 0 : -1;
}

static void wait_until(struct timespec *next, long period_us)
{
	next->tv_nsec += period_us * 1000;
	while (next->tv_nsec >= 1000000000) {
		next->tv_nsec -= 1000000000;
		next->tv_sec++;
	}
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

int main(int argc, char **argv)
{
	unsigned long long all, idle, old_all, old_idle;
	unsigned long min, max, load;
	struct timespec next;
	long periods = 0;

	keeps = argc == 3 && !strcmp(argv[1], "-k");
	if (argc != 2 + keeps)
		return fputs("Usage: setspeed_daemon [-k] PERIOD_US\n", stderr), 1;
	signal(SIGTERM, on_signal);
	if (cpufreq_get_hardware_limits(0, &min, &max) || open_files() ||
	    read_times(&old_all, &old_idle))
		return perror("setspeed_daemon: /proc/stat or cpufreq"), 1;

	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		wait_until(&next, atol(argv[1 + keeps]));
		if (read_times(&all, &idle))
			return 1;
		load = 0;
		if (all != old_all)
			load = 100 - 100 * (idle - old_idle) / (all - old_all);
		old_all = all;
		old_idle = idle;
		if (set_khz(load > UP ? max : min + load * (max - min) / 100))
			return 1;
		periods++;
	}
	printf("%ld\n", periods);
	return 0;
}
