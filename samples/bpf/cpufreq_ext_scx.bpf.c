// SPDX-License-Identifier: GPL-2.0-only
/*
 * scx: a sched_ext scheduler and a BPF governor that work together.  The
 * scheduler knows which CPUs run tasks of cgroups that want performance, the
 * governor gives their policies what is wanted, and the others sink.
 *
 * The cgroups are in the map pair_groups, which may change at any time.  A key is
 * a cgroup ID, which is the inode number of its folder; the value is the wanted
 * frequency in percent of the highest.  Groups below a cgroup belong to it, unless
 * they are in the map themselves.
 *
 *   bpftool map update name pair_groups key hex 2a 01 0 0 0 0 0 0 value 100 0 0 0
 *
 * Scheduler: first come, first served, in one queue for tasks of the groups and
 * one for the others.  CPUs take tasks of groups first, but after group_turns
 * slices of these one of another task, so that nobody starves.  A task of a group
 * returns to the CPU that it was on, so that few CPUs need their frequency.
 *
 * Governor: wants of a CPU last for hold_us after the task has left it, so that a
 * short sleep does not cost the frequency.  While the scheduler is not there, as
 * after its ejection, frequencies are in proportion to the load.
 *
 * Needs a kernel with CONFIG_SCHED_CLASS_EXT.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include "cpufreq_ext.bpf.h"

#define PAIR_MAX_GROUPS	1024
#define PAIR_MAX_DEPTH	32	/* of nested cgroups */
#define PAIR_MAX_CPUS	CPUFREQ_EXT_MAX_CPUS
#define PAIR_FULL_PERF	1024	/* for scx_bpf_cpuperf_set() */

/* vmlinux.h has no macros. */
#define PF_KTHREAD	0x00200000
#define EINVAL		22

char _license[] SEC("license") = "GPL";

CPUFREQ_EXT_TUNABLE("20000..1000000", "us", "time that a frequency outlasts a group's task")
u32 hold_us = 50000;
CPUFREQ_EXT_TUNABLE("0..100", "%", "frequency of policies that no group's task runs on")
u32 others_freq = 0;
CPUFREQ_EXT_TUNABLE("1..100", "", "slices of groups' tasks before another task gets one")
u32 group_turns = 4;
CPUFREQ_EXT_TUNABLE("1000..100000", "us", "time slice")
u32 slice_us = 20000;

/* ---- what sched_ext offers: kernels without it have no types for it ---- */

struct scx_exit_info;

struct sched_ext_ops___local {
	s32 (*select_cpu)(struct task_struct *p, s32 prev_cpu, u64 wake_flags);
	void (*enqueue)(struct task_struct *p, u64 enq_flags);
	void (*dispatch)(s32 cpu, struct task_struct *prev);
	void (*tick)(struct task_struct *p);
	void (*running)(struct task_struct *p);
	void (*stopping)(struct task_struct *p, bool runnable);
	s32 (*init)(void);
	void (*exit)(struct scx_exit_info *info);
	char name[128];
};

/* libbpf puts the kernel's values in place of these. */
enum scx_dsq_id_flags___local {
	SCX_DSQ_LOCAL___local = 1,
};

enum scx_enq_flags___local {
	SCX_ENQ_WAKEUP___local = 1,
	SCX_ENQ_PREEMPT___local = 2,
};

enum scx_kick_flags___local {
	SCX_KICK_PREEMPT___local = 1,
};

#define pair_const(type, name)	\
	bpf_core_enum_value(enum type##___local, name##___local)

s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym __weak;
s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
			   bool *is_idle) __ksym __weak;
void scx_bpf_kick_cpu(s32 cpu, u64 flags) __ksym __weak;
s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym __weak;
void scx_bpf_cpuperf_set(s32 cpu, u32 perf) __ksym __weak;
/* Since 6.13, and what they were called before */
void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq_id, u64 slice,
			u64 enq_flags) __ksym __weak;
bool scx_bpf_dsq_move_to_local(u64 dsq_id) __ksym __weak;
void scx_bpf_dispatch(struct task_struct *p, u64 dsq_id, u64 slice,
		      u64 enq_flags) __ksym __weak;
bool scx_bpf_consume(u64 dsq_id) __ksym __weak;

static void pair_insert_for(struct task_struct *p, u64 queue, u64 slice_ns, u64 flags)
{
	if (bpf_ksym_exists(scx_bpf_dsq_insert))
		scx_bpf_dsq_insert(p, queue, slice_ns, flags);
	else
		scx_bpf_dispatch(p, queue, slice_ns, flags);
}

static void pair_insert(struct task_struct *p, u64 queue, u64 flags)
{
	pair_insert_for(p, queue, 1000ULL * slice_us, flags);
}

/* Take the first task of a queue for this CPU. */
static bool pair_take(u64 queue)
{
	if (bpf_ksym_exists(scx_bpf_dsq_move_to_local))
		return scx_bpf_dsq_move_to_local(queue);

	return scx_bpf_consume(queue);
}

/* ---- what scheduler and governor share ---- */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PAIR_MAX_GROUPS);
	__type(key, u64);
	__type(value, u32);
} pair_groups SEC(".maps");

/* Each written by one of them, frequencies in percent of the highest */
static struct pair_cpu {
	u32 wanted;		/* by the task that runs; scheduler */
	u32 wanted_last;	/* by the last task that wanted something; scheduler */
	u64 left_ns;		/* when that task left; scheduler */
	u64 others_ns;		/* when tasks of no group were last let on; scheduler */
	bool keeps;		/* a task waits to go on here; scheduler */
	bool kthread;		/* a thread of the kernel runs; scheduler */
	u32 given;		/* governor */
} pair_cpus[PAIR_MAX_CPUS];

static bool pair_scheduled;		/* the scheduler is there */

static u32 pair_group_wants(u64 id)
{
	u32 *wanted = bpf_map_lookup_elem(&pair_groups, &id);

	return wanted ? *wanted : 0;
}

/* The nearest group that the task is in counts. */
static u32 pair_task_wants(struct task_struct *p)
{
	struct cgroup *cgrp = BPF_CORE_READ(p, cgroups, dfl_cgrp);
	int i, level = BPF_CORE_READ(cgrp, level);
	struct cgroup *ancestor;
	u32 wanted;
	u64 list;

	list = (u64)cgrp + bpf_core_field_offset(struct cgroup, ancestors);
	bpf_for(i, 0, PAIR_MAX_DEPTH) {
		if (i > level ||
		    bpf_probe_read_kernel(&ancestor, sizeof(ancestor),
					  (void *)(list + (level - i) * sizeof(ancestor))))
			break;
		wanted = pair_group_wants(BPF_CORE_READ(ancestor, kn, id));
		if (wanted)
			return wanted < 100 ? wanted : 100;
	}

	return 0;
}

/* ---- scheduler ---- */

enum {
	PAIR_GROUPS,		/* queue of tasks of groups */
	PAIR_OTHERS,		/* queue of the others */
};

/* Let a task run on its CPU, at once or after what is there. */
static void pair_run_next(struct task_struct *p, bool polite, u64 flags)
{
	if (!polite)
		flags |= pair_const(scx_enq_flags, SCX_ENQ_PREEMPT);
	pair_insert(p, pair_const(scx_dsq_id_flags, SCX_DSQ_LOCAL), flags);
}

/* Does the CPU still have the frequency that a task wants, and is it to be had? */
static bool pair_awaits(const struct pair_cpu *c, struct task_struct *p)
{
	return c->given && !c->wanted && !c->keeps && pair_task_wants(p);
}

/*
 * Is it still the turn of tasks of groups, or of one of the others?  That goes by
 * the time: whoever is preempted loses the rest of the slice, and gets a new one.
 */
static bool pair_has_turn(const struct pair_cpu *c, bool group)
{
	u64 slice_ns = 1000ULL * slice_us;

	return bpf_ktime_get_ns() - c->others_ns <
	       (group ? (group_turns + 1) * slice_ns : slice_ns);
}

SEC("struct_ops/pair_select_cpu")
s32 BPF_PROG(pair_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu;

	if (prev_cpu >= 0 && prev_cpu < PAIR_MAX_CPUS &&
	    pair_awaits(&pair_cpus[prev_cpu], p)) {
		pair_run_next(p, pair_cpus[prev_cpu].kthread, 0);
		return prev_cpu;
	}
	cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);
	if (idle)
		pair_insert(p, pair_const(scx_dsq_id_flags, SCX_DSQ_LOCAL), 0);

	return cpu;
}

SEC("struct_ops/pair_enqueue")
void BPF_PROG(pair_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 cpu = scx_bpf_task_cpu(p);
	bool wakes = enq_flags & pair_const(scx_enq_flags, SCX_ENQ_WAKEUP);
	struct pair_cpu *c;
	bool group, turn;

	if (cpu >= PAIR_MAX_CPUS)
		return;
	c = &pair_cpus[cpu];

	/* The kernel's own threads mostly have little to do, but do it for all. */
	if (p->flags & PF_KTHREAD) {
		pair_run_next(p, c->kthread || !wakes, enq_flags);
		return;
	}
	group = pair_task_wants(p);
	turn = pair_has_turn(c, group);
	/*
	 * It goes on where it was, but one is enough.  A task of a group does so
	 * when its turn is over, too, but to the next tick only: then another one
	 * is let on before it.  In the queue, another CPU would take it.
	 */
	if (!wakes && !c->keeps && (turn || group)) {
		c->keeps = true;
		pair_insert_for(p, pair_const(scx_dsq_id_flags, SCX_DSQ_LOCAL),
				turn ? 1000ULL * slice_us : 1, enq_flags);
		return;
	}
	pair_insert(p, group ? PAIR_GROUPS : PAIR_OTHERS, enq_flags);
	if (group && wakes && !c->wanted && !c->kthread)
		scx_bpf_kick_cpu(cpu, pair_const(scx_kick_flags, SCX_KICK_PREEMPT));
}

SEC("struct_ops/pair_dispatch")
void BPF_PROG(pair_dispatch, s32 cpu, struct task_struct *prev)
{
	struct pair_cpu *c;

	if (cpu < 0 || cpu >= PAIR_MAX_CPUS)
		return;
	c = &pair_cpus[cpu];

	/* Called when the CPU has no more tasks of its own. */
	c->keeps = false;
	/* If no other waits, a task of a group has one slice more. */
	if (pair_has_turn(c, true) &&
	    (pair_take(PAIR_GROUPS) ||
	     (prev && prev->on_rq && pair_task_wants(prev))))
		return;
	c->others_ns = bpf_ktime_get_ns();
	if (!pair_take(PAIR_OTHERS))
		pair_take(PAIR_GROUPS);
}

/*
 * Besides what it says, this has the governor take samples: with all tasks in
 * sched_ext, hardly anything else does.
 */
static void pair_set_perf(u32 cpu, u32 wanted)
{
	scx_bpf_cpuperf_set(cpu, (wanted ?: others_freq) * PAIR_FULL_PERF / 100);
}

SEC("struct_ops/pair_running")
void BPF_PROG(pair_running, struct task_struct *p)
{
	u32 cpu = scx_bpf_task_cpu(p), wanted = pair_task_wants(p);

	if (cpu >= PAIR_MAX_CPUS)
		return;
	pair_cpus[cpu].kthread = p->flags & PF_KTHREAD;
	pair_cpus[cpu].wanted = wanted;
	if (!pair_cpus[cpu].kthread)
		pair_cpus[cpu].keeps = false;
	if (wanted)
		pair_cpus[cpu].wanted_last = wanted;

	pair_set_perf(cpu, wanted);
	if (wanted > pair_cpus[cpu].given)
		bpf_cpufreq_kick_cpu(cpu);
}

SEC("struct_ops/pair_stopping")
void BPF_PROG(pair_stopping, struct task_struct *p, bool runnable)
{
	u32 cpu = scx_bpf_task_cpu(p);

	if (cpu >= PAIR_MAX_CPUS)
		return;
	pair_cpus[cpu].kthread = false;
	if (!pair_cpus[cpu].wanted)
		return;
	pair_cpus[cpu].left_ns = bpf_ktime_get_ns();
	pair_cpus[cpu].wanted = 0;
	/* If the CPU is idle now, it takes no samples. */
	if (!runnable)
		bpf_cpufreq_kick_cpu(cpu);
}

/* A task may join a group, or leave it, while it runs. */
SEC("struct_ops/pair_tick")
void BPF_PROG(pair_tick, struct task_struct *p)
{
	u32 cpu = scx_bpf_task_cpu(p), wanted = pair_task_wants(p);

	if (cpu >= PAIR_MAX_CPUS)
		return;
	pair_cpus[cpu].wanted = wanted;
	if (wanted)
		pair_cpus[cpu].wanted_last = wanted;
	pair_set_perf(cpu, wanted);
}

SEC("struct_ops.s/pair_init")
s32 BPF_PROG(pair_init)
{
	s32 err;

	err = scx_bpf_create_dsq(PAIR_GROUPS, -1);
	if (!err)
		err = scx_bpf_create_dsq(PAIR_OTHERS, -1);
	pair_scheduled = !err;

	return err;
}

SEC("struct_ops/pair_exit")
void BPF_PROG(pair_exit, struct scx_exit_info *info)
{
	u32 cpu;

	pair_scheduled = false;
	bpf_for(cpu, 0, PAIR_MAX_CPUS) {
		pair_cpus[cpu].wanted = 0;
		if (bpf_cpufreq_kick_cpu(cpu) == -EINVAL)
			break;
	}
}

SEC(".struct_ops.link")
struct sched_ext_ops___local scheduler = {
	.select_cpu	= (void *)pair_select_cpu,
	.enqueue	= (void *)pair_enqueue,
	.dispatch	= (void *)pair_dispatch,
	.tick		= (void *)pair_tick,
	.running	= (void *)pair_running,
	.stopping	= (void *)pair_stopping,
	.init		= (void *)pair_init,
	.exit		= (void *)pair_exit,
	.name		= "cpufreq_ext",
};

/* ---- governor ---- */

/* What is to be given to a CPU */
static u32 pair_cpu_wants(const struct pair_cpu *c, u64 now)
{
	if (c->wanted)
		return c->wanted;

	return now - c->left_ns < 1000ULL * hold_us ? c->wanted_last : 0;
}

static u32 pair_policy_wants(struct cpufreq_policy *policy)
{
	u64 cpu = cpufreq_ext_first_cpu(policy);
	u64 now = bpf_ktime_get_ns();
	bool held = false;
	u32 most = 0;

	bpf_repeat(PAIR_MAX_CPUS) {
		u32 wanted;

		if (cpu >= PAIR_MAX_CPUS)
			break;
		wanted = pair_cpu_wants(&pair_cpus[cpu], now);
		held |= wanted && !pair_cpus[cpu].wanted;
		pair_cpus[cpu].given = wanted;
		if (wanted > most)
			most = wanted;
		cpu = cpufreq_ext_cpus[cpu].next;
	}
	/* See when that is over: idle CPUs take no samples. */
	if (held)
		bpf_cpufreq_kick_cpu(policy->cpu);

	return most;
}

SEC("struct_ops/pair_get_next_freq")
unsigned long BPF_PROG(pair_get_next_freq, struct cpufreq_policy *policy)
{
	u64 max = policy->cpuinfo.max_freq;
	int percent;

	if (pair_scheduled)
		percent = pair_policy_wants(policy) ?: others_freq;
	else
		percent = bpf_cpufreq_policy_load(policy);

	/* A frequency of 0 would keep the current one. */
	return percent > 0 ? max * percent / 100 : 1;
}

SEC("struct_ops/pair_start")
int BPF_PROG(pair_start, struct cpufreq_policy *policy)
{
	cpufreq_ext_list_cpus(policy);
	return 0;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local scx = {
	.get_next_freq	= (void *)pair_get_next_freq,
	.start		= (void *)pair_start,
	.name		= "scx",
};
