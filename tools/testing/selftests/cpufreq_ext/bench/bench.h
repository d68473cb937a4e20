/* SPDX-License-Identifier: GPL-2.0-only */
/* What the BPF programs of the benchmark tell user space */
#ifndef __CPUFREQ_EXT_BENCH_H
#define __CPUFREQ_EXT_BENCH_H

#define BENCH_MAX_RECORDS	8192
#define BENCH_MAX_CPUS		1024	/* a power of two */

/* One call of the function that is measured */
struct bench_record {
	unsigned long long start_ns;
	unsigned int cost_ns;
	unsigned int old_khz;	/* 0 if the function has no policy */
	unsigned int new_khz;
	unsigned int cpu;
};

/* Events of a CPU */
struct bench_events {
	unsigned long long idle_ends;
	unsigned long long timers;
	unsigned long long irq_works;
	unsigned long long wakeups;
	unsigned long long caused;	/* timers and works that are ext's own */
};

#endif /* __CPUFREQ_EXT_BENCH_H */
