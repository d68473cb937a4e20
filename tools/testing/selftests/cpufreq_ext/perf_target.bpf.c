// SPDX-License-Identifier: GPL-2.0-only
/* A sched_ext scheduler that wants another performance at each tick */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define FULL_SCALE	1024

char _license[] SEC("license") = "GPL";

struct sched_ext_ops___local {
	void (*tick)(struct task_struct *p);
	void (*running)(struct task_struct *p);
	u64 flags;
	char name[128];
};

void scx_bpf_cpuperf_set(s32 cpu, u32 perf) __ksym __weak;
s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym __weak;

static void set_target(struct task_struct *p)
{
	scx_bpf_cpuperf_set(scx_bpf_task_cpu(p),
			    bpf_get_prandom_u32() % (FULL_SCALE + 1));
}

SEC("struct_ops/perf_target_tick")
void BPF_PROG(perf_target_tick, struct task_struct *p)
{
	set_target(p);
}

SEC("struct_ops/perf_target_running")
void BPF_PROG(perf_target_running, struct task_struct *p)
{
	set_target(p);
}

SEC(".struct_ops.link")
struct sched_ext_ops___local perf_target = {
	.tick		= (void *)perf_target_tick,
	.running	= (void *)perf_target_running,
	.name		= "perf_target",
};
