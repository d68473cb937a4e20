// SPDX-License-Identifier: GPL-2.0-only
/* Writes into the kernel's policy: the verifier must refuse it. */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("struct_ops/writer_next_freq")
unsigned long BPF_PROG(writer_next_freq, struct cpufreq_policy *policy)
{
	policy->max = 0;
	return policy->min;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local writer = {
	.get_next_freq		= (void *)writer_next_freq,
	.name			= "writer",
};
