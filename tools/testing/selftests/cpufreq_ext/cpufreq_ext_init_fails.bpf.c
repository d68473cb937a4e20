// SPDX-License-Identifier: GPL-2.0-only
/* A governor that cannot be attached, for the tests of the loader */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("struct_ops/next_freq")
unsigned long BPF_PROG(next_freq, struct cpufreq_policy *policy)
{
	return policy->min;
}

SEC("struct_ops/do_init")
int BPF_PROG(do_init)
{
	return -28;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local wrong = {
	.get_next_freq		= (void *)next_freq,
	.init			= (void *)do_init,
	.name			= "init_fails",
};
