// SPDX-License-Identifier: GPL-2.0-only
/*
 * performance: every policy runs at its maximum, and follows it when the limits
 * change.  It has no tunables.
 *
 * ext asks for a decision after each change of the limits, so nothing has to be
 * sampled: the longest sampling period that does not neglect a busy policy will do.
 */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("struct_ops/performance_get_next_freq")
unsigned long BPF_PROG(performance_get_next_freq, struct cpufreq_policy *policy)
{
	bpf_cpufreq_policy_set_sampling_rate(policy, CPUFREQ_EXT_MAX_RATE_US);

	return policy->max;
}

CPUFREQ_EXT_GOVERNOR("the maximum, always")
SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local performance = {
	.get_next_freq	= (void *)performance_get_next_freq,
	.name		= "performance",
};
