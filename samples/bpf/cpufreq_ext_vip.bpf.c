// SPDX-License-Identifier: GPL-2.0-only
/*
 * vip: a policy runs at its maximum while a task of a list runs or waits for
 * one of its CPUs, and at its minimum otherwise.
 *
 * The list is the map vip_tasks; it may change at any time.  A key is a thread
 * ID, the value does not matter:
 *
 *   bpftool map update name vip_tasks key hex 2a 01 00 00 value 1   # 0x12a
 *   bpftool map delete name vip_tasks key hex 2a 01 00 00
 *
 * The scheduler's tracepoints keep the number of runnable listed tasks of each
 * CPU, so that a decision costs the same however long the list is.
 */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

#define VIP_MAX_TASKS	16384
#define VIP_MAX_CPUS	CPUFREQ_EXT_MAX_CPUS
#define VIP_NO_CPU	VIP_MAX_CPUS

char _license[] SEC("license") = "GPL";

/* Thread IDs that get the maximum; written by the user, and when they end. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VIP_MAX_TASKS);
	__type(key, u32);
	__type(value, u8);
} vip_tasks SEC(".maps");

/*
 * Runnable tasks that are counted, and the CPU that they are counted for.  The
 * tracepoints of one task come one after the other, so no lock is needed; where
 * a thread ID changes hands (see vip_exec), one delete succeeds.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VIP_MAX_TASKS);
	__type(key, u32);
	__type(value, u32);
} vip_counted SEC(".maps");

/* Listed runnable tasks of each CPU */
int vip_cpus[VIP_MAX_CPUS];

static void vip_add(u32 cpu, int n)
{
	if (cpu >= VIP_MAX_CPUS)
		return;

	__sync_fetch_and_add(&vip_cpus[cpu], n);
	/*
	 * An idle CPU takes no samples, and a listed task should not wait.  If
	 * two tasks come at the same time, both may see the sum: the scheduler
	 * has the next sample taken then, as the CPU is busy.
	 */
	if (vip_cpus[cpu] <= 1)
		bpf_cpufreq_kick_cpu(cpu);
}

/* A task is now runnable on @cpu, or not runnable if VIP_NO_CPU. */
static void vip_account(u32 pid, u32 cpu)
{
	u32 *counted = bpf_map_lookup_elem(&vip_counted, &pid);

	if (!bpf_map_lookup_elem(&vip_tasks, &pid))
		cpu = VIP_NO_CPU;
	if (counted ? *counted == cpu : cpu == VIP_NO_CPU)
		return;

	if (counted) {
		u32 old = *counted;

		if (bpf_map_delete_elem(&vip_counted, &pid))
			return;
		vip_add(old, -1);
	}
	if (cpu != VIP_NO_CPU &&
	    !bpf_map_update_elem(&vip_counted, &pid, &cpu, BPF_NOEXIST))
		vip_add(cpu, 1);
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(vip_wakeup, struct task_struct *p)
{
	vip_account(p->pid, p->thread_info.cpu);
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(vip_wakeup_new, struct task_struct *p)
{
	vip_account(p->pid, p->thread_info.cpu);
	return 0;
}

SEC("tp_btf/sched_migrate_task")
int BPF_PROG(vip_migrate, struct task_struct *p, int dest_cpu)
{
	u32 pid = p->pid;

	/* A task that is on its way to a CPU is counted when it wakes up there. */
	if (bpf_map_lookup_elem(&vip_counted, &pid))
		vip_account(pid, dest_cpu);
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(vip_switch, bool preempt, struct task_struct *prev,
	     struct task_struct *next, unsigned int prev_state)
{
	u32 cpu = bpf_get_smp_processor_id();
	u32 pid = prev->pid;

	if (pid)
		vip_account(pid, preempt || !prev_state ? cpu : VIP_NO_CPU);
	if (next->pid)
		vip_account(next->pid, cpu);
	return 0;
}

/*
 * Not at its last switch: when another thread of the process has executed a
 * program by then, a dying first thread has the ID of that one.
 */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(vip_exit, struct task_struct *p)
{
	u32 pid = p->pid;

	bpf_map_delete_elem(&vip_tasks, &pid);
	return 0;
}

/* A thread that executes a program gets the ID of its process. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(vip_exec, struct task_struct *p, pid_t old_pid)
{
	u32 old = old_pid, pid = p->pid;
	u8 one = 1;

	if (old == pid)
		return 0;

	if (!bpf_map_delete_elem(&vip_tasks, &old))
		bpf_map_update_elem(&vip_tasks, &pid, &one, BPF_ANY);
	vip_account(old, VIP_NO_CPU);
	return 0;
}

/*
 * Listed runnable tasks of a CPU.  The task that runs there may have been put
 * on the list, or taken off it, since the scheduler last did something with it.
 */
static int vip_runnable(u32 cpu)
{
	int runnable = vip_cpus[cpu];
	const struct rq *rq = bpf_per_cpu_ptr(&runqueues, cpu);
	bool listed, counted;
	u32 pid;

	if (!rq)
		return runnable;

	pid = rq->curr->pid;
	if (!pid)
		return runnable;
	listed = bpf_map_lookup_elem(&vip_tasks, &pid);
	counted = bpf_map_lookup_elem(&vip_counted, &pid);

	return runnable + listed - counted;
}

SEC("struct_ops/vip_get_next_freq")
unsigned long BPF_PROG(vip_get_next_freq, struct cpufreq_policy *policy)
{
	u32 cpu = cpufreq_ext_first_cpu(policy);
	int i;

	bpf_for(i, 0, VIP_MAX_CPUS) {
		if (cpu >= VIP_MAX_CPUS)
			break;
		if (vip_runnable(cpu) > 0)
			return policy->max;
		cpu = cpufreq_ext_cpus[cpu].next;
	}

	return policy->min;
}

SEC("struct_ops/vip_start")
int BPF_PROG(vip_start, struct cpufreq_policy *policy)
{
	cpufreq_ext_list_cpus(policy);
	return 0;
}

CPUFREQ_EXT_GOVERNOR("the maximum where a task of a list wants to run, the minimum elsewhere")
SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local vip = {
	.get_next_freq	= (void *)vip_get_next_freq,
	.start		= (void *)vip_start,
	.name		= "vip",
};
