// SPDX-License-Identifier: GPL-2.0-only
/* Kicks a policy whenever a task is switched, and counts what kicks start. */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

__u32 kicks_cpu;
__u32 nr_works;

SEC("tp_btf/sched_switch")
int BPF_PROG(kicks_switch)
{
	bpf_cpufreq_kick_cpu(kicks_cpu);
	return 0;
}

SEC("fentry/cpufreq_ext_kick_work")
int BPF_PROG(kicks_count)
{
	__sync_fetch_and_add(&nr_works, 1);
	return 0;
}
