// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that the verifier must refuse: of other types, or with a policy that
 * may be NULL.  The test loads one at a time.
 */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("fentry/__cpufreq_driver_target")
int BPF_PROG(load_from_tracing, struct cpufreq_policy *policy)
{
	return bpf_cpufreq_policy_load(policy);
}

SEC("tp_btf/cpu_frequency_limits")
int BPF_PROG(load_from_tracepoint, struct cpufreq_policy *policy)
{
	return bpf_cpufreq_policy_load(policy);
}

SEC("syscall")
int null_from_syscall(void *ctx)
{
	return bpf_cpufreq_policy_has_cpu(NULL, 0);
}

SEC("xdp")
int kick_from_xdp(struct xdp_md *ctx)
{
	return bpf_cpufreq_kick_cpu(0);
}

SEC("struct_ops/null_next_freq")
unsigned long BPF_PROG(null_next_freq, struct cpufreq_policy *policy)
{
	return bpf_cpufreq_policy_load(NULL);
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local null = {
	.get_next_freq	= (void *)null_next_freq,
	.name		= "null",
};
