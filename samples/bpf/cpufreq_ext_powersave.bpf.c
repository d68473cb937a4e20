// SPDX-License-Identifier: GPL-2.0-only
/*
 * powersave: every policy runs at its minimum, and follows it when the limits
 * change.  It has no tunables.
 *
 * ext asks for a decision after each change of the limits, so nothing has to be
 * sampled: the longest sampling period will do.
 */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("struct_ops/powersave_get_next_freq")
unsigned long BPF_PROG(powersave_get_next_freq, struct cpufreq_policy *policy)
{
	return policy->min;
}

SEC("struct_ops/powersave_get_sampling_rate")
unsigned int BPF_PROG(powersave_get_sampling_rate, struct cpufreq_policy *policy)
{
	return ~0U;
}

CPUFREQ_EXT_GOVERNOR("the minimum, always")
SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local powersave = {
	.get_next_freq		= (void *)powersave_get_next_freq,
	.get_sampling_rate	= (void *)powersave_get_sampling_rate,
	.name			= "powersave",
};
