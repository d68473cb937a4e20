// SPDX-License-Identifier: GPL-2.0-only
/* A governor without a link: it stays until its map is told to unregister it */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("struct_ops/linkless_get_next_freq")
unsigned long BPF_PROG(linkless_get_next_freq, struct cpufreq_policy *policy)
{
	return policy->min;
}

SEC(".struct_ops")
struct cpufreq_governor_ext_ops___local linkless = {
	.get_next_freq	= (void *)linkless_get_next_freq,
	.name		= "linkless",
};
