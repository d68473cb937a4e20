// SPDX-License-Identifier: GPL-2.0-only
/*
 * A governor as it was compiled for the first proposal of ext: sleepable
 * programs, a struct with the first members and the name only.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

struct cpufreq_governor_ext_ops___first {
	unsigned long (*get_next_freq)(struct cpufreq_policy *policy);
	unsigned int (*get_sampling_rate)(struct cpufreq_policy *policy);
	int (*init)(void);
	void (*exit)(void);
	int (*start)(struct cpufreq_policy *policy);
	char name[128];
};

__u32 nr_next, nr_rate, nr_init, nr_exit, nr_start;

SEC("struct_ops.s/compat_get_next_freq")
unsigned long BPF_PROG(compat_get_next_freq, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&nr_next, 1);
	return policy->min;
}

SEC("struct_ops.s/compat_get_sampling_rate")
unsigned int BPF_PROG(compat_get_sampling_rate, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&nr_rate, 1);
	return 20000;
}

SEC("struct_ops.s/compat_init")
int BPF_PROG(compat_init)
{
	nr_init++;
	return 0;
}

SEC("struct_ops.s/compat_exit")
void BPF_PROG(compat_exit)
{
	nr_exit++;
}

SEC("struct_ops.s/compat_start")
int BPF_PROG(compat_start, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&nr_start, 1);
	return 0;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___first compat = {
	.get_next_freq		= (void *)compat_get_next_freq,
	.get_sampling_rate	= (void *)compat_get_sampling_rate,
	.init			= (void *)compat_init,
	.exit			= (void *)compat_exit,
	.start			= (void *)compat_start,
	.name			= "VIP",
};
