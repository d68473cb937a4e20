// SPDX-License-Identifier: GPL-2.0-only
/* Gives up in its first decision, or if it is told so, when it is stopped. */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

CPUFREQ_EXT_TUNABLE("0..1", "", "give up at the end instead of the beginning")
u32 at_the_end;

SEC("struct_ops/gives_up_next_freq")
unsigned long BPF_PROG(gives_up_next_freq, struct cpufreq_policy *policy)
{
	if (!at_the_end)
		cpufreq_ext_error("nothing to decide on");
	return policy->min;
}

SEC("struct_ops/gives_up_stop")
void BPF_PROG(gives_up_stop, struct cpufreq_policy *policy)
{
	cpufreq_ext_error("nothing to decide on any more");
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local gives_up = {
	.get_next_freq	= (void *)gives_up_next_freq,
	.stop		= (void *)gives_up_stop,
	.name		= "gives_up",
};
