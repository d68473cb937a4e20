// SPDX-License-Identifier: GPL-2.0-only
/*
 * schedutil: a frequency in proportion to how much of a CPU the scheduler says
 * that its tasks use, and a quarter more.  Real-time tasks and interrupts count
 * as well, and so do the bounds of utilization clamping and the performance
 * target that a sched_ext scheduler sets.
 *
 * Tunable:
 *
 *   rate_limit_us	time between two decisions, 0 for the shortest possible
 *
 * From the same numbers it gets to the same frequency as the kernel's governor
 * of that name.  What differs is when it looks at them:
 *
 * - The kernel's governor decides whenever the scheduler has news, and then no
 *   more for rate_limit_us.  ext takes samples, two ticks apart or more, and none
 *   of an idle CPU.  Deadline tasks that need more wait for the next sample.
 * - A task that wakes up after it waited for I/O is seen by a tracepoint and
 *   boosts at the next sample; the boost ends when no decision was made for the
 *   time of two, where the kernel's does after a tick without news.
 * - Tasks of a sched_ext scheduler are no news to ext, unless the scheduler sets
 *   a performance target.
 * - The capacities of x86 CPUs that differ from each other (hybrid ones) are not
 *   in sight of BPF: each CPU is taken for one of full capacity.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include "cpufreq_ext.bpf.h"

#define FULL_SCALE	1024	/* utilization of a CPU that has no idle time */
#define MIN_BOOST	(FULL_SCALE / 8)
#define DL_BW_SHIFT	20
#define RT_PRIOS	100	/* priorities below it are real-time */
#define SLOW_TICKS_US	20000	/* two ticks where they are the slowest */

char _license[] SEC("license") = "GPL";

CPUFREQ_EXT_TUNABLE("0..2000000", "us", "time between two decisions, 0 for the shortest possible")
u32 rate_limit_us = 0;

/* Parts of the scheduler's structures that not each kernel has */
struct rq___irq {
	struct sched_avg avg_irq;
} __attribute__((preserve_access_index));

struct uclamp_rq___local {
	unsigned int value;
} __attribute__((preserve_access_index));

struct rq___uclamp {
	struct uclamp_rq___local uclamp[2];	/* lower and upper bound */
} __attribute__((preserve_access_index));

struct scx_rq___local {
	u32 cpuperf_target;
} __attribute__((preserve_access_index));

struct rq___scx {
	struct scx_rq___local scx;
} __attribute__((preserve_access_index));

/* By policy->cpu */
static struct schedutil_policy {
	u64 time_ns;		/* of the last decision */
	u32 freq;		/* that it came to */
	bool limits;		/* they may have changed since */
} schedutil_policies[CPUFREQ_EXT_MAX_CPUS];

struct schedutil_cpu {
	bool iowait;		/* a task woke up that had waited for I/O */
	u32 boost;		/* utilization that is granted for it */
	u64 idle_calls;		/* how often the CPU had become idle */
} schedutil_cpus[CPUFREQ_EXT_MAX_CPUS];

static bool scx_has_all_tasks(void)
{
	return cpufreq_ext_key_is_on(&__scx_switched_all);
}

/* What a sched_ext scheduler wants */
static u64 scx_target(const struct rq *rq)
{
	const struct rq___scx *r = (const void *)rq;

	if (!bpf_core_field_exists(r->scx))
		return 0;
	if (!cpufreq_ext_key_is_on(&__scx_ops_enabled) &&
	    !cpufreq_ext_key_is_on(&__scx_enabled))
		return 0;

	return BPF_CORE_READ(r, scx.cpuperf_target);
}

/* Bounds of the tasks on a run queue, none where the kernel knows no clamping */
static u64 lower_bound(const struct rq *rq)
{
	const struct rq___uclamp *r = (const void *)rq;

	return bpf_core_field_exists(r->uclamp) ? BPF_CORE_READ(r, uclamp[0].value) : 0;
}

static u64 upper_bound(const struct rq *rq)
{
	const struct rq___uclamp *r = (const void *)rq;

	return bpf_core_field_exists(r->uclamp) ? BPF_CORE_READ(r, uclamp[1].value) :
						  FULL_SCALE;
}

static u64 interrupts(const struct rq *rq)
{
	const struct rq___irq *r = (const void *)rq;

	return bpf_core_field_exists(r->avg_irq) ? BPF_CORE_READ(r, avg_irq.util_avg) : 0;
}

u64 schedutil_capacity(u32 cpu)
{
	const unsigned long *scale;

	if (!&cpu_scale)
		return FULL_SCALE;
	scale = bpf_per_cpu_ptr(&cpu_scale, cpu);

	return scale && *scale ? *scale : FULL_SCALE;
}

/* Of the fair tasks; those that wait for the CPU count when that is @busy. */
static u64 fair_util(const struct rq *rq, u64 capacity, bool busy)
{
	u64 util = rq->cfs.avg.util_avg;

	if (busy && util < rq->cfs.avg.runnable_avg)
		util = rq->cfs.avg.runnable_avg;
	if (util < rq->cfs.avg.util_est)
		util = rq->cfs.avg.util_est;

	return util < capacity ? util : capacity;
}

/* Utilization that a CPU is to get a frequency for, with the quarter more */
u64 schedutil_util(u32 cpu, u64 boost)
{
	const struct rq *rq = bpf_per_cpu_ptr(&runqueues, cpu);
	u64 capacity = schedutil_capacity(cpu);
	u64 util, irq, min, max;

	if (!rq)
		return capacity;

	irq = interrupts(rq);
	if (irq >= capacity)
		return capacity;

	util = scx_target(rq);
	if (!scx_has_all_tasks())
		util += fair_util(rq, capacity, true);
	util += rq->avg_rt.util_avg + rq->avg_dl.util_avg;
	if (util < capacity)
		util = util * (capacity - irq) / capacity + irq;
	if (util > capacity)
		util = capacity;
	if (util < boost)
		util = boost;

	/* What deadline tasks have reserved, and the bounds */
	min = irq + (rq->dl.running_bw * FULL_SCALE >> DL_BW_SHIFT);
	if (min < lower_bound(rq))
		min = lower_bound(rq);
	if (!cpufreq_ext_key_is_on(&sched_uclamp_used) && rq->rt.rt_queued &&
	    rq->rt.rt_nr_running && min < capacity)
		min = capacity;
	max = upper_bound(rq) < capacity ? upper_bound(rq) : capacity;

	util += util / 4;
	if (util > max)
		util = max;

	return util > min ? util : min;
}

/*
 * The frequency that utilization is measured at.  Where it is not known what
 * frequency tasks ran at, their utilization is one of the current frequency.
 */
u64 schedutil_reference(u32 cpu, u32 cur, u32 max)
{
	const unsigned long *ref;

	if (&capacity_freq_ref) {
		ref = bpf_per_cpu_ptr(&capacity_freq_ref, cpu);
		if (ref && *ref)
			return *ref;
	}
	if (cpufreq_ext_key_is_on(&arch_scale_freq_key))
		return max;

	return cur + cur / 4;
}

/* Double the boost if it was asked for since the last decision, or halve it. */
u64 schedutil_boost(u32 cpu, bool forget)
{
	u32 boost;

	if (cpu >= CPUFREQ_EXT_MAX_CPUS)
		return 0;
	boost = forget ? 0 : schedutil_cpus[cpu].boost;

	if (schedutil_cpus[cpu].iowait)
		boost = boost ? 2 * boost : MIN_BOOST;
	else
		boost /= 2;
	schedutil_cpus[cpu].iowait = false;
	if (boost > FULL_SCALE)
		boost = FULL_SCALE;
	if (boost < MIN_BOOST)
		boost = 0;
	schedutil_cpus[cpu].boost = boost;

	return boost * schedutil_capacity(cpu) / FULL_SCALE;
}

/*
 * A CPU that was never idle since the last decision may be as busy as before,
 * however little that shows yet.
 */
static bool was_never_idle(u32 cpu)
{
	const struct tick_sched *tick;
	const struct rq *rq;
	u64 calls, bound;

	if (cpu >= CPUFREQ_EXT_MAX_CPUS || scx_has_all_tasks())
		return false;
	rq = bpf_per_cpu_ptr(&runqueues, cpu);
	if (!rq || !&tick_cpu_sched ||
	    !bpf_core_field_exists(struct tick_sched, idle_calls))
		return false;
	bound = upper_bound(rq);
	if (bound != FULL_SCALE && cpufreq_ext_key_is_on(&sched_uclamp_used) &&
	    fair_util(rq, FULL_SCALE, false) + rq->avg_rt.util_avg >= bound)
		return false;
	tick = bpf_per_cpu_ptr(&tick_cpu_sched, cpu);
	if (!tick)
		return false;

	calls = tick->idle_calls;
	if (calls == schedutil_cpus[cpu].idle_calls)
		return true;
	schedutil_cpus[cpu].idle_calls = calls;

	return false;
}

/* The frequency of a CPU that is alone in its policy, which had @last before */
u32 schedutil_hold(u32 cpu, u32 freq, u32 last, bool limits)
{
	return was_never_idle(cpu) && freq < last && !limits ? last : freq;
}

static bool has_one_cpu(struct cpufreq_policy *policy)
{
	u64 cpu = cpufreq_ext_first_cpu(policy);

	return cpu < CPUFREQ_EXT_MAX_CPUS &&
	       cpufreq_ext_cpus[cpu].next >= CPUFREQ_EXT_MAX_CPUS;
}

/* Utilization of the busiest CPU of a policy */
static u64 policy_util(struct cpufreq_policy *policy, bool forget_boost)
{
	u64 cpu = cpufreq_ext_first_cpu(policy);
	u64 most = 0;

	bpf_repeat(CPUFREQ_EXT_MAX_CPUS) {
		u64 util;

		if (cpu >= CPUFREQ_EXT_MAX_CPUS)
			break;
		util = schedutil_util(cpu, schedutil_boost(cpu, forget_boost));
		if (util > most)
			most = util;
		cpu = cpufreq_ext_cpus[cpu].next;
	}

	return most;
}

SEC("struct_ops/schedutil_get_next_freq")
unsigned long BPF_PROG(schedutil_get_next_freq, struct cpufreq_policy *policy)
{
	u64 boost_ns = 2000ULL * (rate_limit_us ?: SLOW_TICKS_US);
	u64 util, now = bpf_ktime_get_ns();
	struct schedutil_policy *p;
	u32 freq, cpu = policy->cpu;

	if (cpu >= CPUFREQ_EXT_MAX_CPUS)
		return 0;
	p = &schedutil_policies[cpu];

	util = policy_util(policy, now - p->time_ns > boost_ns);
	freq = schedutil_reference(cpu, policy->cur, policy->cpuinfo.max_freq) * util /
	       schedutil_capacity(cpu);
	freq = bpf_cpufreq_policy_table_freq(policy, freq, CPUFREQ_RELATION_L);
	if (has_one_cpu(policy))
		freq = schedutil_hold(cpu, freq, p->freq, p->limits);

	p->freq = freq;
	p->limits = false;
	p->time_ns = now;

	return freq;
}

SEC("struct_ops/schedutil_get_sampling_rate")
unsigned int BPF_PROG(schedutil_get_sampling_rate, struct cpufreq_policy *policy)
{
	return rate_limit_us ?: 1;
}

SEC("struct_ops/schedutil_limits")
void BPF_PROG(schedutil_limits, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu;

	if (cpu < CPUFREQ_EXT_MAX_CPUS)
		schedutil_policies[cpu].limits = true;
}

SEC("struct_ops/schedutil_start")
int BPF_PROG(schedutil_start, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu;

	if (cpu >= CPUFREQ_EXT_MAX_CPUS)
		return -E2BIG;

	cpufreq_ext_list_cpus(policy);
	schedutil_policies[cpu].freq = 0;

	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(schedutil_wakeup, struct task_struct *task)
{
	u32 cpu = task->thread_info.cpu;

	if (BPF_CORE_READ_BITFIELD(task, in_iowait) && task->prio >= RT_PRIOS &&
	    cpu < CPUFREQ_EXT_MAX_CPUS)
		schedutil_cpus[cpu].iowait = true;
	return 0;
}

CPUFREQ_EXT_GOVERNOR("in proportion to what the scheduler knows of the use of the CPUs")
SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local schedutil = {
	.get_next_freq		= (void *)schedutil_get_next_freq,
	.get_sampling_rate	= (void *)schedutil_get_sampling_rate,
	.start			= (void *)schedutil_start,
	.limits			= (void *)schedutil_limits,
	.name			= "schedutil",
};
