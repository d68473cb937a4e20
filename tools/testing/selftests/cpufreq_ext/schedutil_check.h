/* SPDX-License-Identifier: GPL-2.0-only */
/* What schedutil_check.bpf.c counts for the test */
#ifndef __CPUFREQ_EXT_SCHEDUTIL_CHECK_H
#define __CPUFREQ_EXT_SCHEDUTIL_CHECK_H

/* As in cpufreq_ext_schedutil.bpf.c */
struct schedutil_cpu {
	bool iowait;
	u32 boost;
	u64 idle_calls;
};

/* Kinds of decisions */
enum {
	KIND_CHANGED,	/* it led to another frequency */
	KIND_SAME,	/* the same need as before: the table was not looked up */
	KIND_LIMITS,	/* limits had changed */
	KIND_HELD,	/* a CPU that was never idle kept its frequency */
	KIND_BOOST,	/* waits for I/O had a utilization granted */
	KIND_MIN,	/* the lower bound did */
	KIND_MAX,	/* the upper bound was in force */
	KIND_RT,	/* real-time tasks were runnable */
	KIND_DL,	/* deadline tasks had a share reserved */
	NR_KINDS,
};

/* What may be wrong */
enum {
	WRONG_BOOST,	/* utilization that is granted for waits for I/O */
	WRONG_UTIL,	/* utilization of a CPU */
	WRONG_RAW,	/* frequency that it needs */
	WRONG_FREQ,	/* frequency that is set */
	NR_WRONG,
};

#ifdef __bpf__
extern const struct rq runqueues __ksym;
extern const struct sugov_cpu sugov_cpu __ksym;

/* What that governor consists of */
extern struct schedutil_cpu schedutil_cpus[8192];
u64 schedutil_boost(u32 cpu, bool forget);
u64 schedutil_util(u32 cpu, u64 boost);
u64 schedutil_capacity(u32 cpu);
u64 schedutil_reference(u32 cpu, u32 cur, u32 max);
u32 schedutil_hold(u32 cpu, u32 freq, u32 last, bool limits);
#endif

#endif /* __CPUFREQ_EXT_SCHEDUTIL_CHECK_H */
