/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before a governor of samples/bpf that a test gives its inputs: the
 * kfuncs that are not named here become functions of the object that it is
 * linked with, which is inputs.bpf.c.  The code of the governor stays the same.
 * Tests include it for the types.
 */
#ifndef __CPUFREQ_EXT_INPUTS_H
#define __CPUFREQ_EXT_INPUTS_H

#ifdef __bpf__

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

int bpf_cpufreq_policy_set_sampling_rate(struct cpufreq_policy *policy,
					 u32 rate_us) __ksym;
int bpf_cpufreq_policy_next_cpu(struct cpufreq_policy *policy, s32 cpu) __ksym;
int bpf_cpufreq_policy_has_cpu(struct cpufreq_policy *policy, u32 cpu) __ksym;
int bpf_cpufreq_policy_table_freq(struct cpufreq_policy *policy, u32 target_khz,
				  u32 relation) __ksym;
int bpf_cpufreq_kick_cpu(u32 cpu) __ksym;

#undef __ksym
#define __ksym

#else

#include <linux/types.h>

typedef __s64 s64;
typedef __u64 u64;
typedef __u32 u32;

struct cpufreq_ext_list {
	u32 active;
	struct {
		u32 nr;
		u32 values[63];
	} buffers[2];
};

#endif /* __bpf__ */

/* What the kfuncs tell of a CPU, in microseconds and percent */
struct inputs_cpu {
	s64 idle;
	s64 io_wait;		/* part of the idle time */
	u64 wall;
	int load;
	int sample_load;
	int idle_periods;
	int sampling_rate;
};

#endif /* __CPUFREQ_EXT_INPUTS_H */
