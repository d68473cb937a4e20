// SPDX-License-Identifier: GPL-2.0-only
/*
 * Passes a policy to a kfunc that was not handed to this operation: the
 * verifier must refuse it, as the policy may be gone.
 */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"
#include <bpf/bpf_core_read.h>

char _license[] SEC("license") = "GPL";

void *bpf_rdonly_cast(const void *obj, u32 btf_id) __ksym;

SEC("struct_ops/stash_next_freq")
unsigned long BPF_PROG(stash_next_freq, struct cpufreq_policy *policy)
{
	struct cpufreq_policy *other;

	other = bpf_rdonly_cast(policy, bpf_core_type_id_kernel(struct cpufreq_policy));
	return bpf_cpufreq_policy_load(other);
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local stash = {
	.get_next_freq		= (void *)stash_next_freq,
	.name			= "stash",
};
