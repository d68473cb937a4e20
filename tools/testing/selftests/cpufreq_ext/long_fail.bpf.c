// SPDX-License-Identifier: GPL-2.0-only
/* A governor with a name for which the kernel has no room */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

struct cpufreq_governor_ext_ops___long {
	unsigned long (*get_next_freq)(struct cpufreq_policy *policy);
	char name[301];
};

SEC("struct_ops/long_next_freq")
unsigned long BPF_PROG(long_next_freq, struct cpufreq_policy *policy)
{
	return policy->min;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___long long_name = {
	.get_next_freq	= (void *)long_next_freq,
	.name		= "n",	/* the test adds what is left of 300 */
};
