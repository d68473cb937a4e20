// SPDX-License-Identifier: GPL-2.0-only
/* Refused by the verifier, for the tests of the loader */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("struct_ops/refused_next_freq")
unsigned long BPF_PROG(refused_next_freq, struct cpufreq_policy *policy)
{
	policy->max = 0;
	return policy->min;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local refused = {
	.get_next_freq		= (void *)refused_next_freq,
	.name			= "refused",
};
