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
int bpf_cpufreq_policy_sample_load(struct cpufreq_policy *policy) __ksym;
int bpf_cpufreq_policy_idle_periods(struct cpufreq_policy *policy) __ksym;
int bpf_cpufreq_policy_sampling_rate(struct cpufreq_policy *policy) __ksym;
s64 bpf_cpufreq_policy_cpu_idle_time(struct cpufreq_policy *policy, u32 cpu,
				     bool io_is_busy, u64 *wall_us) __ksym;
int bpf_cpufreq_policy_has_cpu(struct cpufreq_policy *policy, u32 cpu) __ksym;
int bpf_cpufreq_policy_table_freq(struct cpufreq_policy *policy, u32 target_khz,
				  u32 relation) __ksym;
int bpf_cpufreq_kick_cpu(u32 cpu) __ksym;

/* Run queues of all CPUs, for bpf_per_cpu_ptr() */
extern const struct rq runqueues __ksym;

/*
 * A tunable: a global variable that users set by name, when the governor is
 * loaded and while it runs.  Range, unit and meaning are kept in the object:
 *
 *   CPUFREQ_EXT_TUNABLE(u32, up_threshold, 80, "1..100", "%",
 *			 "load above which the frequency rises");
 */
#define CPUFREQ_EXT_TUNABLE(type, var, value, range, unit, text)	\
	__attribute__((btf_decl_tag("tunable:" range ":" unit ":" text))) \
	type var SEC(".data.tunables") = value

/*
 * A tunable that depends on a frequency, "V0 f1:V1 f2:V2 ...": V0 below f1 kHz,
 * V1 from f1 up to f2, and so on.  values[] has them in this order, nr is odd.
 * Writers fill the buffer that is not active, and then make it so.
 */
#define CPUFREQ_EXT_LIST_LEN	63

struct cpufreq_ext_list {
	u32 active;
	struct {
		u32 nr;
		u32 values[CPUFREQ_EXT_LIST_LEN];
	} buffers[2];
};

#endif /* __CPUFREQ_EXT_BPF_H */
