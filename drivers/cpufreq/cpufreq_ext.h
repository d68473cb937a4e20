/* SPDX-License-Identifier: GPL-2.0-only */
/* The interface between the cpufreq governor ext and BPF governors */
#ifndef _CPUFREQ_EXT_H
#define _CPUFREQ_EXT_H

#include <linux/types.h>

struct cpufreq_policy;

#define CPUFREQ_EXT_NAME_LEN		128
#define CPUFREQ_EXT_REASON_LEN		128

/**
 * struct cpufreq_governor_ext_ops - a governor written in BPF
 *
 * To be defined by a BPF object in a section ".struct_ops.link" (or
 * ".struct_ops") and registered with libbpf or bpftool.  @get_next_freq and
 * @name are mandatory.  All operations run in process context and may be
 * sleepable programs; memory of user space that is not present is an error to
 * them (-EFAULT).  Those that get a policy are serialized for that policy;
 * different policies run in parallel.  The policy can be read, not written.
 *
 * A governor that fails is ejected: it loses all policies, which run at their
 * maximum then, and its link; ext/stat and the kernel's log tell the reason.  It
 * fails if
 *
 * - it says so, by bpf_cpufreq_error(),
 * - @get_next_freq returns an error,
 * - an operation takes more than 2 seconds,
 * - it neglects a policy, by what @get_sampling_rate returns or
 *   bpf_cpufreq_policy_set_sampling_rate() sets.
 */
struct cpufreq_governor_ext_ops {
	/**
	 * @get_next_freq: Choose the frequency of @policy.  Called once a
	 * sampling period while a CPU of the policy is active, and besides
	 * when the governor is attached, after a change of the limits (and
	 * after @limits), after a successful @store_setspeed and after
	 * bpf_cpufreq_kick_cpu().
	 *
	 * Return: a frequency in kHz, or 0 to keep the current one.  It is
	 * clamped to the limits of the policy; between two frequencies of the
	 * driver's table the higher one is set (CPUFREQ_RELATION_L).  An error,
	 * -4095 to -2 as an unsigned long, ejects the governor.
	 */
	unsigned long (*get_next_freq)(struct cpufreq_policy *policy);

	/**
	 * @get_sampling_rate: Choose the time until the next sample.  Called
	 * after each @get_next_freq.
	 *
	 * Return: microseconds, or 0 for the value of the tunable
	 * sampling_rate.  Clamped to at least two ticks and the transition
	 * delay of the driver, and to at most 4 seconds.  A policy that had
	 * work for half of a period of more than 2 seconds that was chosen
	 * here, three times in a row, was neglected: the governor is ejected.
	 */
	unsigned int (*get_sampling_rate)(struct cpufreq_policy *policy);

	/**
	 * @init: Prepare the governor; called once before it is registered or
	 * replaces another one.
	 *
	 * Return: 0, or a negative errno that refuses the registration or the
	 * replacement.
	 */
	int (*init)(void);

	/**
	 * @exit: The governor is no longer used; called once if @init
	 * succeeded or is not defined, after @stop for every policy.
	 */
	void (*exit)(void);

	/**
	 * @start: @policy is about to be governed: ext was selected for it,
	 * the governor was registered or replaces another one, CPUs of the
	 * policy went on or off, or the system resumed.
	 *
	 * Return: 0, or a negative errno.  During a registration or a
	 * replacement that refuses it; later the policy runs at its maximum
	 * until the next @start.
	 */
	int (*start)(struct cpufreq_policy *policy);

	/** @stop: Undo a successful @start. */
	void (*stop)(struct cpufreq_policy *policy);

	/**
	 * @limits: The limits of @policy may have changed; its frequency is
	 * within them already.
	 */
	void (*limits)(struct cpufreq_policy *policy);

	/**
	 * @store_setspeed: A user wrote @freq (kHz) to scaling_setspeed.
	 *
	 * Return: 0 if accepted, @get_next_freq is called then; a negative
	 * errno if not, of which the core tells the user nothing.
	 */
	int (*store_setspeed)(struct cpufreq_policy *policy, unsigned int freq);

	/** @name: Shown to users: printable ASCII, 1 to 127 characters. */
	char name[CPUFREQ_EXT_NAME_LEN];
};

/* kfuncs; BPF programs find their types in BTF. */
int bpf_cpufreq_policy_load(struct cpufreq_policy *policy);
int bpf_cpufreq_policy_sample_load(struct cpufreq_policy *policy);
int bpf_cpufreq_policy_idle_periods(struct cpufreq_policy *policy);
int bpf_cpufreq_policy_sampling_rate(struct cpufreq_policy *policy);
int bpf_cpufreq_policy_set_sampling_rate(struct cpufreq_policy *policy, u32 rate_us);
int bpf_cpufreq_policy_next_cpu(struct cpufreq_policy *policy, s32 cpu);
s64 bpf_cpufreq_policy_cpu_idle_time(struct cpufreq_policy *policy, u32 cpu,
				     bool io_is_busy, u64 *wall_us);
int bpf_cpufreq_policy_has_cpu(struct cpufreq_policy *policy, u32 cpu);
int bpf_cpufreq_policy_table_freq(struct cpufreq_policy *policy, u32 target_khz,
				  u32 relation);
int bpf_cpufreq_kick_cpu(u32 cpu);
int bpf_cpufreq_error(const void *msg, u32 msg__sz);

#endif /* _CPUFREQ_EXT_H */
