// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes each decision of the kernel's governor schedutil once more, while it is
 * made, with the functions of the BPF governor schedutil and the same inputs: run
 * queues, waits for I/O, idle calls, frequencies and limits.  Linked with that
 * governor.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "schedutil_check.h"

#define CHECK_MAX_CPUS		256
#define CHECK_MAX_FREQS		64
#define CHECK_TABLE_END		1
#define CHECK_IOWAIT		1	/* flag of an update */
#define CHECK_FULL_SCALE	1024
#define CHECK_DL_BW_SHIFT	20

char _license[] SEC("license") = "GPL";

u64 tick_ns;			/* of the kernel; set by the test */
u32 nr_decisions, nr_raced;
u32 nr_kinds[NR_KINDS];		/* of the decisions, which may be of several */
u32 nr_wrong[NR_WRONG];
u64 last_wrong[NR_WRONG][2];	/* the kernel's number and ours */
u32 seen_utils[32];		/* a 32nd of the full scale each */

/*
 * The decision that a CPU makes now.  One for a single CPU may be made on another,
 * which then holds the lock of the run queue.
 */
struct decision {
	bool single;		/* of a policy with one CPU */
	bool raced;		/* inputs changed meanwhile */
	bool resolved;		/* the kernel looked into its table */
	bool limits;		/* they, or the needs of deadline tasks, changed */
	u32 nr_utils;		/* 0: none was made yet */
	u32 kinds;
	u64 most;		/* utilization */
	u32 freq;		/* that the table has for it */
	u32 cur, min, max;
	u32 last_freq, last_raw;
};

static struct decision decisions[CHECK_MAX_CPUS];

static struct decision *current_decision(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return cpu < CHECK_MAX_CPUS ? &decisions[cpu] : NULL;
}

static void compare(u32 what, u64 kernels, u64 ours)
{
	if (kernels == ours || what >= NR_WRONG)
		return;
	__sync_fetch_and_add(&nr_wrong[what], 1);
	last_wrong[what][0] = kernels;
	last_wrong[what][1] = ours;
}

static u64 deadline_util(u32 cpu)
{
	const struct rq *rq = bpf_per_cpu_ptr(&runqueues, cpu);

	return rq ? rq->dl.running_bw * CHECK_FULL_SCALE >> CHECK_DL_BW_SHIFT : 0;
}

static struct cpufreq_policy *policy_of(struct sugov_cpu *sg)
{
	return BPF_CORE_READ(sg, sg_policy, policy);
}

static bool limits_are_due(struct sugov_cpu *sg)
{
	return BPF_CORE_READ(sg, sg_policy, limits_changed) ||
	       BPF_CORE_READ(sg, sg_policy, need_freq_update);
}

/*
 * What the governor hears of waits for I/O, and when it has to forget them: the
 * kernel goes by the time of its updates, which ext does not see.
 */
static void feed_boost(struct sugov_cpu *sg, u64 time, u32 flags)
{
	u32 cpu = BPF_CORE_READ(sg, cpu);
	s64 delta = time - BPF_CORE_READ(sg, last_update);

	if (cpu >= CHECK_MAX_CPUS)
		return;
	if (delta > (s64)tick_ns) {
		schedutil_cpus[cpu].boost = 0;
		schedutil_cpus[cpu].iowait = false;
	}
	if (flags & CHECK_IOWAIT)
		schedutil_cpus[cpu].iowait = true;
}

static void begin(struct update_util_data *hook, u64 time, u32 flags, bool single)
{
	struct sugov_cpu *sg = (void *)hook;	/* its first member */
	u32 cpu = BPF_CORE_READ(sg, cpu);
	struct decision *d = current_decision();
	struct cpufreq_policy *policy = policy_of(sg);

	if (!d || cpu >= CHECK_MAX_CPUS)
		return;
	__builtin_memset(d, 0, sizeof(*d));
	d->single = single;
	d->limits = limits_are_due(sg) ||
		    deadline_util(cpu) > BPF_CORE_READ(sg, bw_min);
	d->last_freq = BPF_CORE_READ(sg, sg_policy, next_freq);
	d->last_raw = BPF_CORE_READ(sg, sg_policy, cached_raw_freq);
	d->cur = BPF_CORE_READ(policy, cur);
	d->min = BPF_CORE_READ(policy, min);
	d->max = BPF_CORE_READ(policy, max);
	if (single) {
		schedutil_cpus[cpu].idle_calls = BPF_CORE_READ(sg, saved_idle_calls);
		feed_boost(sg, time, flags);
	}
}

SEC("fentry/sugov_update_single_freq")
int BPF_PROG(check_begin_single, struct update_util_data *hook, u64 time,
	     unsigned int flags)
{
	begin(hook, time, flags, true);
	return 0;
}

SEC("fentry/sugov_update_shared")
int BPF_PROG(check_begin_shared, struct update_util_data *hook, u64 time,
	     unsigned int flags)
{
	begin(hook, time, flags, false);
	return 0;
}

/* What the kernel makes of the numbers that it found */
static u64 kernels_util(u64 util, u64 boost, u64 min, u64 max)
{
	if (util < boost)
		util = boost;
	util += util / 4;
	if (util > max)
		util = max;

	return util < min ? min : util;
}

static u32 kinds_of(u32 cpu, u64 util, u64 boost, u64 min, u64 max)
{
	const struct rq *rq = bpf_per_cpu_ptr(&runqueues, cpu);
	u32 kinds = 0;

	if (!rq)
		return 0;
	if (boost)
		kinds |= 1 << KIND_BOOST;
	if (util + util / 4 < min)
		kinds |= 1 << KIND_MIN;
	if (util + util / 4 > max && max < CHECK_FULL_SCALE)
		kinds |= 1 << KIND_MAX;
	if (rq->rt.rt_nr_running)
		kinds |= 1 << KIND_RT;
	if (deadline_util(cpu))
		kinds |= 1 << KIND_DL;

	return kinds;
}

SEC("fexit/effective_cpu_util")
int BPF_PROG(check_util, int cpu, unsigned long util_fair, unsigned long *min,
	     unsigned long *max, unsigned long util)
{
	struct decision *d = current_decision();
	unsigned long low = 0, high = 0;
	const struct sugov_cpu *sg;
	u64 boost, kernels, ours;

	/* Callers that choose no frequency want no bounds. */
	if (!d || !min || !max || cpu < 0 || cpu >= CHECK_MAX_CPUS)
		return 0;
	bpf_probe_read_kernel(&low, sizeof(low), min);
	bpf_probe_read_kernel(&high, sizeof(high), max);
	sg = bpf_per_cpu_ptr(&sugov_cpu, cpu);
	if (!sg)
		return 0;

	boost = sg->iowait_boost * schedutil_capacity(cpu) / CHECK_FULL_SCALE;
	if (d->single)
		compare(WRONG_BOOST, boost, schedutil_boost(cpu, false));
	kernels = kernels_util(util, boost, low, high);
	ours = schedutil_util(cpu, boost);
	if (ours > d->most)
		d->most = ours;
	d->nr_utils++;
	d->kinds |= kinds_of(cpu, util, boost, low, high);
	if (ours != kernels && !d->single && (u32)cpu != bpf_get_smp_processor_id()) {
		/* That CPU may have been at work in between. */
		d->raced = true;
		return 0;
	}

	seen_utils[kernels / 32 & 31]++;
	compare(WRONG_UTIL, kernels, ours);

	return 0;
}

static bool policy_changed(struct cpufreq_policy *policy, const struct decision *d)
{
	return BPF_CORE_READ(policy, cur) != d->cur ||
	       BPF_CORE_READ(policy, min) != d->min ||
	       BPF_CORE_READ(policy, max) != d->max;
}

/* The lowest frequency of the table at or above one, within the limits */
static u32 table_freq(struct cpufreq_policy *policy, const struct decision *d, u64 freq)
{
	struct cpufreq_frequency_table *table = BPF_CORE_READ(policy, freq_table);
	u32 found = 0;
	int i;

	if (freq > d->max)
		freq = d->max;
	if (freq < d->min)
		freq = d->min;
	for (i = 0; i < CHECK_MAX_FREQS; i++) {
		u32 entry = BPF_CORE_READ(&table[i], frequency);

		if (entry == ~(u32)CHECK_TABLE_END)
			break;
		if (entry >= freq && entry <= d->max && (!found || entry < found))
			found = entry;
	}

	return found;
}

static u64 raw_freq(struct cpufreq_policy *policy, const struct decision *d)
{
	u32 cpu = BPF_CORE_READ(policy, cpu);

	return schedutil_reference(cpu, d->cur, BPF_CORE_READ(policy, cpuinfo.max_freq)) *
	       d->most / (schedutil_capacity(cpu) ?: 1);
}

SEC("fexit/cpufreq_driver_resolve_freq")
int BPF_PROG(check_freq, struct cpufreq_policy *policy, unsigned int freq,
	     unsigned int found)
{
	struct decision *d = current_decision();

	if (!d || !d->nr_utils || d->raced)
		return 0;
	if (policy_changed(policy, d)) {
		d->raced = true;
		return 0;
	}
	d->resolved = true;
	d->freq = table_freq(policy, d, raw_freq(policy, d));
	compare(WRONG_RAW, freq, raw_freq(policy, d));
	compare(WRONG_FREQ, found, d->freq);

	return 0;
}

static void end(struct update_util_data *hook)
{
	struct sugov_cpu *sg = (void *)hook;
	u32 i, raw, cpu = BPF_CORE_READ(sg, cpu);
	struct decision *d = current_decision();
	struct cpufreq_policy *policy = policy_of(sg);

	if (!d || !d->nr_utils)
		return;

	raw = BPF_CORE_READ(sg, sg_policy, cached_raw_freq);
	if (!d->resolved) {
		/* It found that nothing was new, unless another CPU has decided since. */
		if (raw != d->last_raw)
			d->raced = true;
		d->freq = d->last_freq;
		d->kinds |= 1 << KIND_SAME;
	}
	if (d->raced || policy_changed(policy, d) || (!d->limits && limits_are_due(sg))) {
		__sync_fetch_and_add(&nr_raced, 1);
		d->nr_utils = 0;
		return;
	}
	if (!d->resolved)
		compare(WRONG_RAW, raw, raw_freq(policy, d));
	if (d->limits)
		d->kinds |= 1 << KIND_LIMITS;
	if (d->single) {
		u32 held = schedutil_hold(cpu, d->freq, d->last_freq, d->limits);

		if (held != d->freq)
			d->kinds |= 1 << KIND_HELD;
		compare(WRONG_FREQ, BPF_CORE_READ(sg, sg_policy, next_freq), held);
		compare(WRONG_UTIL, BPF_CORE_READ(sg, util), d->most);
	}
	if (d->freq != d->last_freq)
		d->kinds |= 1 << KIND_CHANGED;

	__sync_fetch_and_add(&nr_decisions, 1);
	for (i = 0; i < NR_KINDS; i++) {
		if (d->kinds & 1 << i)
			__sync_fetch_and_add(&nr_kinds[i], 1);
	}
	d->nr_utils = 0;
}

SEC("fexit/sugov_update_single_freq")
int BPF_PROG(check_end_single, struct update_util_data *hook)
{
	end(hook);
	return 0;
}

SEC("fexit/sugov_update_shared")
int BPF_PROG(check_end_shared, struct update_util_data *hook)
{
	end(hook);
	return 0;
}
