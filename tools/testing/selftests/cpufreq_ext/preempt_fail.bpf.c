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

struct counter {
	struct bpf_spin_lock lock;
	__u64 n;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counter);
} counters SEC(".maps");

/* Interrupts are disabled with the lock. */
SEC("struct_ops/locked_next_freq")
unsigned long BPF_PROG(locked_next_freq, struct cpufreq_policy *policy)
{
	__u32 zero = 0;
	struct counter *counter = bpf_map_lookup_elem(&counters, &zero);

	if (!counter)
		return 0;
	bpf_spin_lock(&counter->lock);
	counter->n++;
	bpf_spin_unlock(&counter->lock);
	return policy->min;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local locked = {
	.get_next_freq		= (void *)locked_next_freq,
	.name			= "locked",
};

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local preempt = {
	.get_next_freq		= (void *)preempt_next_freq,
	.name			= "preempt",
};
