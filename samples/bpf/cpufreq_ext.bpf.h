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
 * The longest sampling period with which a busy policy does not count as left
 * alone, which is a fault: for governors that have nothing to sample
 */
#define CPUFREQ_EXT_MAX_RATE_US	2000000

/*
 * struct cpufreq_governor_ext_ops of the kernel.  libbpf drops the suffix and
 * matches the members by name, so that an object fits a kernel in which ext is
 * a module and one that has members which are not here.  A governor is
 *
 *   CPUFREQ_EXT_GOVERNOR("what it does, in a line")
 *   SEC(".struct_ops.link")
 *   struct cpufreq_governor_ext_ops___local my_governor = { ... };
 *
 * The first line is for "cpufreq_ext list", and may be left out.
 */
#define CPUFREQ_EXT_GOVERNOR(text)					\
	__attribute__((btf_decl_tag("governor:" text)))

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
int bpf_cpufreq_policy_set_sampling_rate(struct cpufreq_policy *policy,
					 u32 rate_us) __ksym;
int bpf_cpufreq_policy_next_cpu(struct cpufreq_policy *policy, s32 cpu) __ksym;
s64 bpf_cpufreq_policy_cpu_idle_time(struct cpufreq_policy *policy, u32 cpu,
				     bool io_is_busy, u64 *wall_us) __ksym;
int bpf_cpufreq_policy_has_cpu(struct cpufreq_policy *policy, u32 cpu) __ksym;
int bpf_cpufreq_policy_table_freq(struct cpufreq_policy *policy, u32 target_khz,
				  u32 relation) __ksym;
int bpf_cpufreq_kick_cpu(u32 cpu) __ksym;
/* Weak: kernels whose ext ejects nobody do not have it. */
int bpf_cpufreq_error(const void *msg, u32 msg__sz) __ksym __weak;

/* Longer messages are cut off. */
#define CPUFREQ_EXT_REASON_LEN	128

/*
 * Give up, with a message as BPF_SNPRINTF() makes it:
 *
 *   cpufreq_ext_error("CPU %d: %s", policy->cpu, text);
 *
 * The kernel ejects this governor.  Returns what bpf_cpufreq_error() does, -1 if
 * the kernel has no such thing.
 */
#define cpufreq_ext_error(fmt, args...)					\
({									\
	char __reason[CPUFREQ_EXT_REASON_LEN] = {};			\
									\
	BPF_SNPRINTF(__reason, sizeof(__reason), fmt, ##args);		\
	bpf_ksym_exists(bpf_cpufreq_error) ?				\
		bpf_cpufreq_error(__reason, sizeof(__reason)) : -1;	\
})

/* Run queues of all CPUs, for bpf_per_cpu_ptr() */
extern const struct rq runqueues __ksym;

/*
 * A tunable: a global variable that users set by name, when the governor is
 * loaded and while it runs.  Range, unit and meaning are kept in the object:
 *
 *   CPUFREQ_EXT_TUNABLE("1..100", "%", "load above which the frequency rises")
 *   u32 up_threshold = 80;
 */
#define CPUFREQ_EXT_TUNABLE(range, unit, text)				\
	__attribute__((section(".data.tunables"), used,			\
		       btf_decl_tag("tunable:" range ":" unit ":" text)))

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

/* A list of one value, for the definition of such a tunable */
#define CPUFREQ_EXT_LIST(value)						\
	{ .buffers = { { .nr = 1, .values = { value } } } }

#ifndef E2BIG
#define E2BIG			7	/* vmlinux.h has no errors */
#endif

/* Governors keep what they know of a policy in arrays, by policy->cpu. */
#define CPUFREQ_EXT_MAX_CPUS	8192

/*
 * The CPUs of each policy as a linked list, for governors that look at each of
 * them.  Call cpufreq_ext_list_cpus() in start(), and then, with 64 bits so that
 * the verifier sees the bounds whatever instruction set clang is told to use:
 *
 *   u64 cpu = cpufreq_ext_first_cpu(policy);
 *
 *   bpf_repeat(CPUFREQ_EXT_MAX_CPUS) {
 *	if (cpu >= CPUFREQ_EXT_MAX_CPUS)
 *		break;
 *	...
 *	cpu = cpufreq_ext_cpus[cpu].next;
 *   }
 */
static struct {
	u32 first;	/* of the policy that this CPU manages */
	u32 next;	/* of the policy that this CPU belongs to */
} cpufreq_ext_cpus[CPUFREQ_EXT_MAX_CPUS];

static inline u64 cpufreq_ext_first_cpu(struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu;

	return cpu < CPUFREQ_EXT_MAX_CPUS ? cpufreq_ext_cpus[cpu].first : cpu;
}

static inline void cpufreq_ext_list_cpus(struct cpufreq_policy *policy)
{
	u32 first = CPUFREQ_EXT_MAX_CPUS;
	int last = -1;
	u32 cpu;

	bpf_repeat(CPUFREQ_EXT_MAX_CPUS) {
		/* An error is a large number as well. */
		u64 next = last = bpf_cpufreq_policy_next_cpu(policy, last);

		if (next >= CPUFREQ_EXT_MAX_CPUS)
			break;
		cpufreq_ext_cpus[next].next = first;
		first = next;
	}

	cpu = policy->cpu;
	if (cpu < CPUFREQ_EXT_MAX_CPUS)
		cpufreq_ext_cpus[cpu].first = first;
}

/*
 * What a scheduler-driven governor may want to know of the kernel; NULL where a
 * kernel has no such thing.  The first five are static keys, for
 * cpufreq_ext_key_is_on(), the others are of each CPU, for bpf_per_cpu_ptr().
 */
extern const void sched_uclamp_used __ksym __weak;
extern const void __scx_ops_enabled __ksym __weak;	/* until 6.14 */
extern const void __scx_enabled __ksym __weak;
extern const void __scx_switched_all __ksym __weak;
extern const void arch_scale_freq_key __ksym __weak;	/* x86 */
extern const unsigned long capacity_freq_ref __ksym __weak; /* not x86 */
extern const unsigned long cpu_scale __ksym __weak;	/* not x86 */
extern const struct tick_sched tick_cpu_sched __ksym __weak;

static inline bool cpufreq_ext_key_is_on(const void *key)
{
	int enabled = 0;

	/* Each kind of static key begins with this number; -1: it is being enabled. */
	return key && !bpf_probe_read_kernel(&enabled, sizeof(enabled), key) && enabled;
}

#endif /* __CPUFREQ_EXT_BPF_H */
