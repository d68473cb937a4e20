// SPDX-License-Identifier: GPL-2.0-only
/* Governors that return what no governor should, sleep, and fail half-way */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

#define ENOSPC		28

void cpufreq_ext_caller_sleep(u32 ms) __ksym __weak;

__u64 extreme;				/* what every operation returns */
__u32 in_next, in_rate, in_init, in_start, in_setspeed;	/* where it does so */
__u32 nr_next, nr_stop, nr_setspeed, nr_limits;
__u32 sleep_ms;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, u32);
	__type(value, u64[64]);
} filled SEC(".maps");

/*********************** returns every extreme ******************************/

SEC("struct_ops/extreme_next_freq")
unsigned long BPF_PROG(extreme_next_freq, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&nr_next, 1);
	return in_next ? extreme : policy->min;
}

SEC("struct_ops/extreme_rate")
unsigned int BPF_PROG(extreme_rate, struct cpufreq_policy *policy)
{
	return in_rate ? extreme : 0;
}

/* Not a number that the verifier knows: it allows what it cannot see. */
SEC("struct_ops/extreme_init")
int BPF_PROG(extreme_init)
{
	return in_init ? extreme : 0;
}

SEC("struct_ops/extreme_start")
int BPF_PROG(extreme_start, struct cpufreq_policy *policy)
{
	return in_start ? extreme : 0;
}

SEC("struct_ops/extreme_stop")
void BPF_PROG(extreme_stop, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&nr_stop, 1);
}

SEC("struct_ops/extreme_limits")
void BPF_PROG(extreme_limits, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&nr_limits, 1);
}

SEC("struct_ops/extreme_setspeed")
int BPF_PROG(extreme_setspeed, struct cpufreq_policy *policy, unsigned int freq)
{
	__sync_fetch_and_add(&nr_setspeed, 1);
	return in_setspeed ? extreme : 0;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local extremes = {
	.get_next_freq		= (void *)extreme_next_freq,
	.get_sampling_rate	= (void *)extreme_rate,
	.init			= (void *)extreme_init,
	.start			= (void *)extreme_start,
	.stop			= (void *)extreme_stop,
	.limits			= (void *)extreme_limits,
	.store_setspeed		= (void *)extreme_setspeed,
	.name			= "extremes",
};

/*********************** sleeps *********************************************/

static void nap(void)
{
	if (cpufreq_ext_caller_sleep)
		cpufreq_ext_caller_sleep(sleep_ms);
}

SEC("struct_ops.s/sleepy_next_freq")
unsigned long BPF_PROG(sleepy_next_freq, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&nr_next, 1);
	nap();
	return policy->min;
}

SEC("struct_ops.s/sleepy_rate")
unsigned int BPF_PROG(sleepy_rate, struct cpufreq_policy *policy)
{
	nap();
	return 0;
}

SEC("struct_ops.s/sleepy_init")
int BPF_PROG(sleepy_init)
{
	nap();
	return 0;
}

SEC("struct_ops.s/sleepy_exit")
void BPF_PROG(sleepy_exit)
{
	nap();
}

SEC("struct_ops.s/sleepy_start")
int BPF_PROG(sleepy_start, struct cpufreq_policy *policy)
{
	nap();
	return 0;
}

SEC("struct_ops.s/sleepy_stop")
void BPF_PROG(sleepy_stop, struct cpufreq_policy *policy)
{
	nap();
	__sync_fetch_and_add(&nr_stop, 1);
}

SEC("struct_ops.s/sleepy_limits")
void BPF_PROG(sleepy_limits, struct cpufreq_policy *policy)
{
	nap();
	__sync_fetch_and_add(&nr_limits, 1);
}

SEC("struct_ops.s/sleepy_setspeed")
int BPF_PROG(sleepy_setspeed, struct cpufreq_policy *policy, unsigned int freq)
{
	nap();
	__sync_fetch_and_add(&nr_setspeed, 1);
	return 0;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local sleepy = {
	.get_next_freq		= (void *)sleepy_next_freq,
	.get_sampling_rate	= (void *)sleepy_rate,
	.init			= (void *)sleepy_init,
	.exit			= (void *)sleepy_exit,
	.start			= (void *)sleepy_start,
	.stop			= (void *)sleepy_stop,
	.limits			= (void *)sleepy_limits,
	.store_setspeed		= (void *)sleepy_setspeed,
	.name			= "sleepy",
};

/*********************** fails after its maps are filled ********************/

SEC("struct_ops/full_next_freq")
unsigned long BPF_PROG(full_next_freq, struct cpufreq_policy *policy)
{
	return policy->min;
}

SEC("struct_ops/full_init")
int BPF_PROG(full_init)
{
	static const u64 value[64] = { 1 };
	u32 i, key;

	bpf_for(i, 0, 512) {
		key = i;
		if (bpf_map_update_elem(&filled, &key, value, BPF_ANY))
			break;
	}
	return -ENOSPC;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local full = {
	.get_next_freq		= (void *)full_next_freq,
	.init			= (void *)full_init,
	.name			= "full",
};

/*********************** no link ********************************************/

SEC("struct_ops/linkless_next_freq")
unsigned long BPF_PROG(linkless_next_freq, struct cpufreq_policy *policy)
{
	return policy->min;
}

SEC(".struct_ops")
struct cpufreq_governor_ext_ops___local linkless = {
	.get_next_freq		= (void *)linkless_next_freq,
	.name			= "linkless",
};
