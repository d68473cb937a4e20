// SPDX-License-Identifier: GPL-2.0-only
/* Keeps the watchdog off its CPU: must be refused. */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

void bpf_preempt_disable(void)
	__ksym;
void bpf_preempt_enable(void)
	__ksym;

SEC("struct_ops/preempt_next_freq")
unsigned long BPF_PROG(preempt_next_freq, struct cpufreq_policy *policy)
{
	unsigned int min;

	bpf_preempt_disable();
	min = policy->min;
	bpf_preempt_enable();
	return min;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local preempt = {
	.get_next_freq		= (void *)preempt_next_freq,
	.name			= "preempt",
};
