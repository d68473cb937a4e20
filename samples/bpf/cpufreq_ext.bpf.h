/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a BPF governor for the cpufreq governor ext needs.  Include vmlinux.h
 * first.
 */
#ifndef __CPUFREQ_EXT_BPF_H
#define __CPUFREQ_EXT_BPF_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define CPUFREQ_EXT_NAME_LEN	128

/* For bpf_cpufreq_policy_table_freq() */
#define CPUFREQ_RELATION_L	0	/* lowest at or above the target */
#define CPUFREQ_RELATION_H	1	/* highest at or below it */
#define CPUFREQ_RELATION_C	2	/* closest */

/*
 * struct cpufreq_governor_ext_ops of the kernel.  libbpf drops the suffix and
 * matches the members by name, so that an object fits a kernel in which ext is
 * a module and one that has members which are not here.  A governor is
 *
 *   SEC(".struct_ops.link")
 *   struct cpufreq_governor_ext_ops___local my_governor = { ... };
 */
struct cpufreq_governor_ext_ops___local {
	unsigned long (*get_next_freq)(struct cpufreq_policy *policy);
	unsigned int (*get_sampling_rate)(struct cpufreq_policy *policy);
	int (*init)(void);
	void (*exit)(void);
	int (*start)(struct cpufreq_policy *policy);
	void (*stop)(struct cpufreq_policy *policy);
	void (*limits)(struct cpufreq_policy *policy);
	int (*store_setspeed)(struct cpufreq_policy *policy, unsigned int freq);
	char name[CPUFREQ_EXT_NAME_LEN];
};

int bpf_cpufreq_policy_load(struct cpufreq_policy *policy) __ksym;
int bpf_cpufreq_policy_has_cpu(struct cpufreq_policy *policy, u32 cpu) __ksym;
int bpf_cpufreq_policy_table_freq(struct cpufreq_policy *policy, u32 target_khz,
				  u32 relation) __ksym;
int bpf_cpufreq_kick_cpu(u32 cpu) __ksym;

/* Run queues of all CPUs, for bpf_per_cpu_ptr() */
extern const struct rq runqueues __ksym;

#endif /* __CPUFREQ_EXT_BPF_H */
