// SPDX-License-Identifier: GPL-2.0-only
/*
 * Governors for the stress: two that want the minimum, so that the maximum can
 * only come from the fallback, and one that wants anything.
 */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

#define EINVAL		22

void cpufreq_ext_caller_sleep(u32 ms) __ksym __weak;

__u64 seed;				/* of what wild does */
__u32 fail_init, fail_start;		/* wild: the percentage of those that fail */
__u32 fail_next;			/* wild: decisions in 1000 that are errors */
__u32 give_up, nap;			/* wild: operations in 10000 in which it does */

__u32 low_decisions, lower_decisions, wild_decisions;
__u32 nr_start, nr_stop;		/* of low */
__u32 nr_given_up, nr_naps;		/* of wild */

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

/* In any operation: some naps are longer than is allowed. */
static void misbehave(void)
{
	char reason[] = "wild enough";

	if (draw(10000) < nap && bpf_ksym_exists(cpufreq_ext_caller_sleep)) {
		__sync_fetch_and_add(&nr_naps, 1);
		cpufreq_ext_caller_sleep(draw(8) ? draw(200) : draw(2800));
	}
	if (draw(10000) < give_up && !bpf_cpufreq_error(reason, sizeof(reason)))
		__sync_fetch_and_add(&nr_given_up, 1);
}

SEC("struct_ops.s/wild_next_freq")
unsigned long BPF_PROG(wild_next_freq, struct cpufreq_policy *policy)
{
	u64 wall;

	__sync_fetch_and_add(&wild_decisions, 1);
	misbehave();
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

SEC("struct_ops.s/wild_sampling_rate")
unsigned int BPF_PROG(wild_sampling_rate, struct cpufreq_policy *policy)
{
	misbehave();
	switch (draw(16)) {
	case 0: return ~0U;
	case 1 ... 4: return 0;
	case 5 ... 8: return 1;
	default: return draw(50000);
	}
}

SEC("struct_ops.s/wild_init")
int BPF_PROG(wild_init)
{
	misbehave();
	return draw(100) < fail_init ? -EINVAL : 0;
}

SEC("struct_ops.s/wild_exit")
void BPF_PROG(wild_exit)
{
	misbehave();
}

SEC("struct_ops.s/wild_start")
int BPF_PROG(wild_start, struct cpufreq_policy *policy)
{
	misbehave();
	return draw(100) < fail_start ? -EINVAL : 0;
}

SEC("struct_ops.s/wild_stop")
void BPF_PROG(wild_stop, struct cpufreq_policy *policy)
{
	misbehave();
}

SEC("struct_ops.s/wild_setspeed")
int BPF_PROG(wild_setspeed, struct cpufreq_policy *policy, unsigned int freq)
{
	misbehave();
	return draw(2) ? -EINVAL : 0;
}

SEC("struct_ops.s/wild_limits")
void BPF_PROG(wild_limits, struct cpufreq_policy *policy)
{
	misbehave();
	bpf_cpufreq_kick_cpu(policy->cpu);
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local wild = {
	.get_next_freq		= (void *)wild_next_freq,
	.get_sampling_rate	= (void *)wild_sampling_rate,
	.init			= (void *)wild_init,
	.exit			= (void *)wild_exit,
	.start			= (void *)wild_start,
	.stop			= (void *)wild_stop,
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
