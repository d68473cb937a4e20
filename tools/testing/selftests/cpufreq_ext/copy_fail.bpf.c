// SPDX-License-Identifier: GPL-2.0-only
/* Would wait for memory of a process: the verifier must refuse it. */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("struct_ops.s/copy_next_freq")
unsigned long BPF_PROG(copy_next_freq, struct cpufreq_policy *policy)
{
	unsigned long freq = 0;

	bpf_copy_from_user(&freq, sizeof(freq), NULL);
	return freq;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local copy = {
	.get_next_freq		= (void *)copy_next_freq,
	.name			= "copy",
};
