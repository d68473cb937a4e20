// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sleepable operations that read memory of the process, each a page of its own
 * that is not there yet: the kernel must not wait for it.
 */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

int bpf_copy_from_user_str(void *dst, u32 dst__sz, const void *unsafe_ptr__ign,
			   u64 flags) __ksym;

unsigned long pages;			/* address of five pages */
int results[5] = { 1, 1, 1, 1, 1 };

static int fault(int nth)
{
	char text[8];

	return bpf_copy_from_user_str(text, sizeof(text),
				      (void *)(pages + 4096 * nth), 0);
}

SEC("struct_ops.s/fault_init")
int BPF_PROG(fault_init)
{
	results[0] = fault(0);
	return 0;
}

SEC("struct_ops.s/fault_start")
int BPF_PROG(fault_start, struct cpufreq_policy *policy)
{
	results[1] = fault(1);
	return 0;
}

SEC("struct_ops.s/fault_next_freq")
unsigned long BPF_PROG(fault_next_freq, struct cpufreq_policy *policy)
{
	results[2] = fault(2);
	return policy->min;
}

SEC("struct_ops.s/fault_stop")
void BPF_PROG(fault_stop, struct cpufreq_policy *policy)
{
	results[3] = fault(3);
}

SEC("struct_ops.s/fault_exit")
void BPF_PROG(fault_exit)
{
	results[4] = fault(4);
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local fault_ops = {
	.get_next_freq		= (void *)fault_next_freq,
	.init			= (void *)fault_init,
	.start			= (void *)fault_start,
	.stop			= (void *)fault_stop,
	.exit			= (void *)fault_exit,
	.name			= "fault",
};
