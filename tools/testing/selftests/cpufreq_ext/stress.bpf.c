// SPDX-License-Identifier: GPL-2.0-only
/*
 * Governors for the stress: two that want the minimum, so that the maximum can
 * only come from the fallback, and one that wants anything.
 */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

#define EINVAL		22

__u64 seed;				/* of what wild does */
__u32 fail_start;			/* wild: the percentage of starts that fail */
__u32 fail_next;			/* wild: decisions in 1000 that are errors */

__u32 low_decisions, lower_decisions, wild_decisions;
__u32 nr_start, nr_stop;		/* of low */

static u32 draw(u32 below)
{
	u64 next = seed * 6364136223846793005ULL + 1442695040888963407ULL;

	seed = next;
	return (u32)(next >> 33) % below;
}

SEC("struct_ops/low_next_freq")
unsigned long BPF_PROG(low_next_freq, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&low_decisions, 1);
	return policy->min;
}

SEC("struct_ops/low_start")
int BPF_PROG(low_start, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&nr_start, 1);
	return 0;
}

SEC("struct_ops/low_stop")
void BPF_PROG(low_stop, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&nr_stop, 1);
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local low = {
	.get_next_freq		= (void *)low_next_freq,
	.start			= (void *)low_start,
	.stop			= (void *)low_stop,
	.name			= "low",
};

SEC("struct_ops/lower_next_freq")
unsigned long BPF_PROG(lower_next_freq, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&lower_decisions, 1);
	return policy->min;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local lower = {
	.get_next_freq		= (void *)lower_next_freq,
	.name			= "lower",
};

SEC("struct_ops.s/wild_next_freq")
unsigned long BPF_PROG(wild_next_freq, struct cpufreq_policy *policy)
{
	u64 wall;

	__sync_fetch_and_add(&wild_decisions, 1);
	if (draw(1000) < fail_next)
		return -EINVAL;
	switch (draw(12)) {
	case 0: return 0;
	case 1: return 1;
	case 2: return policy->min - 1;
	case 3: return policy->max + 1;
	case 4: return ~0U;
	case 5: return 1UL << 32;
	case 6: return bpf_cpufreq_policy_load(policy);
	case 7: return bpf_cpufreq_policy_table_freq(policy, draw(4000000), draw(3));
	case 8: return policy->max - bpf_cpufreq_policy_has_cpu(policy, policy->cpu);
	case 9: return bpf_cpufreq_policy_cpu_idle_time(policy, draw(64), false, &wall) & ~0U;
	case 10:
		bpf_cpufreq_kick_cpu(draw(64));
		return policy->min;
	default: return draw(4000000);
	}
}

SEC("struct_ops/wild_sampling_rate")
unsigned int BPF_PROG(wild_sampling_rate, struct cpufreq_policy *policy)
{
	switch (draw(4)) {
	case 0: return 0;
	case 1: return 1;
	default: return draw(50000);
	}
}

SEC("struct_ops/wild_start")
int BPF_PROG(wild_start, struct cpufreq_policy *policy)
{
	return draw(100) < fail_start ? -EINVAL : 0;
}

SEC("struct_ops.s/wild_setspeed")
int BPF_PROG(wild_setspeed, struct cpufreq_policy *policy, unsigned int freq)
{
	return draw(2) ? -EINVAL : 0;
}

SEC("struct_ops/wild_limits")
void BPF_PROG(wild_limits, struct cpufreq_policy *policy)
{
	bpf_cpufreq_kick_cpu(policy->cpu);
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local wild = {
	.get_next_freq		= (void *)wild_next_freq,
	.get_sampling_rate	= (void *)wild_sampling_rate,
	.start			= (void *)wild_start,
	.limits			= (void *)wild_limits,
	.store_setspeed		= (void *)wild_setspeed,
	.name			= "wild",
};

__u32 kick_cpu;

SEC("syscall")
int stress_kick(void *ctx)
{
	return bpf_cpufreq_kick_cpu(kick_cpu);
}
