// SPDX-License-Identifier: GPL-2.0-only
/* Gives up when it is told a speed. */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

__u32 nr_switches;

SEC("struct_ops/fails_next_freq")
unsigned long BPF_PROG(fails_next_freq, struct cpufreq_policy *policy)
{
	return policy->min;
}

SEC("struct_ops/fails_setspeed")
int BPF_PROG(fails_setspeed, struct cpufreq_policy *policy, unsigned int freq)
{
	/* The log has another form of the backslash. */
	cpufreq_ext_error("policy%d\\%d is no speed", policy->cpu, freq);
	return 0;
}

/* A program beside it, which the loader attaches as well */
SEC("raw_tp/sched_switch")
int fails_switch(void *ctx)
{
	__sync_fetch_and_add(&nr_switches, 1);
	return 0;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local fails = {
	.get_next_freq	= (void *)fails_next_freq,
	.store_setspeed	= (void *)fails_setspeed,
	.name		= "fails",
};
