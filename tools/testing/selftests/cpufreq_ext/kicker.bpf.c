// SPDX-License-Identifier: GPL-2.0-only
/* Kicks the policy of a CPU at each switch of tasks, on whichever CPU that is */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

__u32 kicked_cpu;
__u32 nr_kicks, nr_offline;

#define EAGAIN	11

SEC("tp_btf/sched_switch")
int BPF_PROG(kick_at_a_switch, bool preempt)
{
	if (bpf_cpufreq_kick_cpu(kicked_cpu) == -EAGAIN)
		__sync_fetch_and_add(&nr_offline, 1);
	__sync_fetch_and_add(&nr_kicks, 1);
	return 0;
}
