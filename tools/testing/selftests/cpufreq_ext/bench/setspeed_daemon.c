// SPDX-License-Identifier: GPL-2.0-only
/*
 * A governor in user space: reads the load from /proc/stat and writes
 * scaling_setspeed, period by period.
 *
 * Usage: setspeed_daemon PERIOD_US
 *
 * For the only policy of a machine. At SIGTERM it prints the number of periods.
 */
#include <fcntl.h>
#include <signal.h>
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

static unsigned long read_khz(const char *path)
{
	unsigned long khz = 0;
	FILE *f = fopen(path, "r");

	if (!f || fscanf(f, "%lu", &khz) != 1)
		exit(1);
	fclose(f);
	return khz;
}

/* user nice system idle iowait irq softirq steal */
static int read_times(int fd, unsigned long long *all, unsigned long long *idle)
{
	char text[512], *at = text;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	unsigned long long time;
	int i;

	if (n < 8)
		return -1;
	text[n] = '\0';
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

int main(int argc, char **argv)
{
	unsigned long long all, idle, old_all, old_idle;
	unsigned long min, max, load, khz;
	struct timespec next;
	long periods = 0;
	int stat, speed, n;
	char text[24];
	long period_us;

	if (argc != 2)
		return fputs("Usage: setspeed_daemon PERIOD_US\n", stderr), 1;
	period_us = atol(argv[1]);
	signal(SIGTERM, on_signal);
	min = read_khz(POLICY "cpuinfo_min_freq");
	max = read_khz(POLICY "cpuinfo_max_freq");
	stat = open("/proc/stat", O_RDONLY);
	speed = open(POLICY "scaling_setspeed", O_WRONLY);
	if (stat < 0 || speed < 0 || read_times(stat, &old_all, &old_idle))
		return perror("setspeed_daemon: /proc/stat or scaling_setspeed"), 1;

	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		next.tv_nsec += period_us * 1000;
		while (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		if (read_times(stat, &all, &idle))
			return 1;
		load = 0;
		if (all != old_all)
			load = 100 - 100 * (idle - old_idle) / (all - old_all);
		old_all = all;
		old_idle = idle;
		khz = load > UP ? max : min + load * (max - min) / 100;
		n = snprintf(text, sizeof(text), "%lu", khz);
		if (pwrite(speed, text, n, 0) != n)
			return 1;
		periods++;
	}
	printf("%ld\n", periods);
	return 0;
}
