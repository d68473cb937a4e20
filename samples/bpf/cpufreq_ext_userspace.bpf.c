// SPDX-License-Identifier: GPL-2.0-only
/*
 * userspace: each policy runs at the frequency that a user wrote to its
 * scaling_setspeed, and until then at the one that it had.  It has no tunables:
 *
 *   echo 1800000 >/sys/devices/system/cpu/cpufreq/policy0/scaling_setspeed
 *
 * The wish is kept as it was written.  ext brings it within the limits, and as
 * it asks again when they change, the wish comes true when they allow it.
 */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

/* Wanted frequency in kHz, by policy->cpu */
u32 userspace_setspeed[CPUFREQ_EXT_MAX_CPUS];

SEC("struct_ops/userspace_get_next_freq")
unsigned long BPF_PROG(userspace_get_next_freq, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu;

	if (cpu >= CPUFREQ_EXT_MAX_CPUS)
		return 0;

	/* Nothing has to be sampled. */
	bpf_cpufreq_policy_set_sampling_rate(policy, CPUFREQ_EXT_MAX_RATE_US);

	/* 0 is a wish for the minimum here, and none at all for ext. */
	return userspace_setspeed[cpu] ?: 1;
}

SEC("struct_ops/userspace_start")
int BPF_PROG(userspace_start, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu;

	if (cpu >= CPUFREQ_EXT_MAX_CPUS)
		return -E2BIG;

	userspace_setspeed[cpu] = policy->cur;

	return 0;
}

SEC("struct_ops/userspace_store_setspeed")
int BPF_PROG(userspace_store_setspeed, struct cpufreq_policy *policy,
	     unsigned int freq)
{
	u32 cpu = policy->cpu;

	if (cpu >= CPUFREQ_EXT_MAX_CPUS)
		return -E2BIG;

	userspace_setspeed[cpu] = freq;

	return 0;
}

CPUFREQ_EXT_GOVERNOR("the frequency written to scaling_setspeed")
SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local userspace = {
	.get_next_freq	= (void *)userspace_get_next_freq,
	.start		= (void *)userspace_start,
	.store_setspeed	= (void *)userspace_store_setspeed,
	.name		= "userspace",
};
