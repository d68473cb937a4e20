// SPDX-License-Identifier: GPL-2.0-only
/* The smallest governor: it keeps the frequency. */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("struct_ops/keep_get_next_freq")
unsigned long BPF_PROG(keep_get_next_freq, struct cpufreq_policy *policy)
{
	return 0;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local keep = {
	.get_next_freq	= (void *)keep_get_next_freq,
	.name		= "keep",
};
