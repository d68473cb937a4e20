// SPDX-License-Identifier: GPL-2.0-only
/* Calls the kfuncs of ext with the policies that cpufreq_ext_caller passes. */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

#define EPERM	1
#define ENODEV	19

struct cpufreq_ext_caller_ops___local {
	int (*call)(struct cpufreq_policy *policy);
};

__u32 nr_calls, nr_refused;

SEC("struct_ops/foreign_call")
int BPF_PROG(foreign_call, struct cpufreq_policy *policy)
{
	char text[] = "not ours";
	u64 wall;

	nr_calls++;
	nr_refused += bpf_cpufreq_policy_load(policy) == -ENODEV &&
		      bpf_cpufreq_policy_sample_load(policy) == -ENODEV &&
		      bpf_cpufreq_policy_idle_periods(policy) == -ENODEV &&
		      bpf_cpufreq_policy_sampling_rate(policy) == -ENODEV &&
		      bpf_cpufreq_policy_set_sampling_rate(policy, 100000) == -ENODEV &&
		      bpf_cpufreq_policy_next_cpu(policy, -1) == -ENODEV &&
		      bpf_cpufreq_policy_cpu_idle_time(policy, 0, false, &wall) == -ENODEV &&
		      bpf_cpufreq_policy_has_cpu(policy, 0) == -ENODEV &&
		      bpf_cpufreq_policy_table_freq(policy, 1, 0) == -ENODEV &&
		      bpf_cpufreq_error(text, sizeof(text)) == -EPERM;
	return 0;
}

SEC(".struct_ops.link")
struct cpufreq_ext_caller_ops___local foreign = {
	.call = (void *)foreign_call,
};
