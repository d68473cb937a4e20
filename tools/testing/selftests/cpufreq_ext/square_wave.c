// SPDX-License-Identifier: GPL-2.0-only
/* Keep a CPU busy for a time, then leave it idle for a time, again and again */
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

static struct timespec wave_time;	/* of the next edge */

static void wave_advance(long ms)
{
	wave_time.tv_sec += ms / 1000;
	wave_time.tv_nsec += ms % 1000 * 1000000;
	if (wave_time.tv_nsec >= 1000000000) {
		wave_time.tv_sec++;
		wave_time.tv_nsec -= 1000000000;
	}
}

static void wave_idle(void)
{
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wave_time, NULL) == EINTR)
		;
}

static void wave_busy(void)
{
	struct timespec now;

	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < wave_time.tv_sec ||
		 (now.tv_sec == wave_time.tv_sec && now.tv_nsec < wave_time.tv_nsec));
}

static long wave_number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < 0 || value > 1000000)
		errx(1, "'%s' is no number from 0 to 1000000", text);
	return value;
}

int main(int argc, char **argv)
{
	long start_ms, busy_ms, idle_ms, count;
	cpu_set_t cpus;

	if (argc != 6)
		errx(1, "usage: square_wave CPU START_MS BUSY_MS IDLE_MS COUNT");
	start_ms = wave_number(argv[2]);
	busy_ms = wave_number(argv[3]);
	idle_ms = wave_number(argv[4]);
	count = wave_number(argv[5]);

	CPU_ZERO(&cpus);
	CPU_SET(wave_number(argv[1]), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		err(1, "cannot run on CPU %s alone", argv[1]);

	clock_gettime(CLOCK_MONOTONIC, &wave_time);
	wave_advance(start_ms);
	for (; count; count--) {
		wave_idle();
		wave_advance(busy_ms);
		wave_busy();
		wave_advance(idle_ms);
	}

	return 0;
}
