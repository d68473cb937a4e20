// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each program passes a policy to a kfunc that was not handed to this operation:
 * the verifier must refuse it, as the policy may be gone.
 */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"
#include <bpf/bpf_core_read.h>

char _license[] SEC("license") = "GPL";

void *bpf_rdonly_cast(const void *obj, u32 btf_id) __ksym;

#define STASH(what, call)						\
SEC("struct_ops/stash_" #what)						\
unsigned long BPF_PROG(stash_##what##_next_freq, struct cpufreq_policy *policy) \
{									\
	struct cpufreq_policy *other;					\
	u64 wall = 0;							\
									\
	other = bpf_rdonly_cast(policy,					\
			bpf_core_type_id_kernel(struct cpufreq_policy)); \
	return (call) + wall;						\
}									\
									\
SEC(".struct_ops.link")							\
struct cpufreq_governor_ext_ops___local stash_##what = {		\
	.get_next_freq	= (void *)stash_##what##_next_freq,		\
	.name		= "stash",					\
}

STASH(load, bpf_cpufreq_policy_load(other));
STASH(sample_load, bpf_cpufreq_policy_sample_load(other));
STASH(idle_periods, bpf_cpufreq_policy_idle_periods(other));
STASH(sampling_rate, bpf_cpufreq_policy_sampling_rate(other));
STASH(set_sampling_rate, bpf_cpufreq_policy_set_sampling_rate(other, 100000));
STASH(next_cpu, bpf_cpufreq_policy_next_cpu(other, -1));
STASH(idle_time, bpf_cpufreq_policy_cpu_idle_time(other, 0, false, &wall));
STASH(has_cpu, bpf_cpufreq_policy_has_cpu(other, 0));
STASH(table_freq, bpf_cpufreq_policy_table_freq(other, 1, 0));
