// SPDX-License-Identifier: GPL-2.0-only
/* Kicks the policy of a CPU from others that are about to be off, interrupts included */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

#define EAGAIN	11

__u32 kicked_cpu;
__u32 nr_kicks, nr_refused;

/* Tracepoints tell nothing of a CPU that is not online. */
SEC("fentry/sched_cpu_dying")
int BPF_PROG(kick_by_the_dying, unsigned int cpu)
{
	if (bpf_cpufreq_kick_cpu(kicked_cpu) == -EAGAIN)
		__sync_fetch_and_add(&nr_refused, 1);
	__sync_fetch_and_add(&nr_kicks, 1);
	return 0;
}
