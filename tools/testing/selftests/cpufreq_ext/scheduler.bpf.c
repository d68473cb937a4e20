// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sched_ext scheduler that kicks ext, with the lock of a run queue held, and
 * tries to give up in the place of a BPF governor; and one that asks for the load of no
 * policy
 */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

/* vmlinux.h of kernels without sched_ext does not have it. */
struct sched_ext_ops___local {
	void (*running)(struct task_struct *p);
	void (*stopping)(struct task_struct *p, bool runnable);
	char name[128];
};

#define EPERM	1

__u32 nr_kicks, nr_failed;
__u32 nr_errors, nr_refused;

static void give_up(void)
{
	char text[] = "not a governor";

	if (bpf_cpufreq_error(text, sizeof(text)) == -EPERM)
		__sync_fetch_and_add(&nr_refused, 1);
	__sync_fetch_and_add(&nr_errors, 1);
}

static void kick(void)
{
	if (bpf_cpufreq_kick_cpu(bpf_get_smp_processor_id()))
		__sync_fetch_and_add(&nr_failed, 1);
	__sync_fetch_and_add(&nr_kicks, 1);
}

SEC("struct_ops/scheduler_running")
void BPF_PROG(scheduler_running, struct task_struct *p)
{
	kick();
	give_up();
}

SEC("struct_ops/scheduler_stopping")
void BPF_PROG(scheduler_stopping, struct task_struct *p, bool runnable)
{
	kick();
}

SEC(".struct_ops.link")
struct sched_ext_ops___local scheduler = {
	.running	= (void *)scheduler_running,
	.stopping	= (void *)scheduler_stopping,
	.name		= "kicker",
};

/* One that the verifier must refuse */
SEC("struct_ops/null_running")
void BPF_PROG(null_running, struct task_struct *p)
{
	__sync_fetch_and_add(&nr_kicks, bpf_cpufreq_policy_load(NULL));
}

SEC(".struct_ops.link")
struct sched_ext_ops___local null_scheduler = {
	.running	= (void *)null_running,
	.name		= "null",
};
