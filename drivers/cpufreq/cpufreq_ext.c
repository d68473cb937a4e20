// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUFreq governor "ext": frequencies chosen by a BPF program
 *
 * The governor stands on the dbs sampling core.  A BPF governor, that is a
 * struct cpufreq_governor_ext_ops registered through bpf_struct_ops, is asked
 * for the frequency of each policy; while none is registered, ext behaves as
 * the performance governor.
 *
 * Locks, outermost first:
 *
 *   policy->rwsem, or the mutex of the BPF core
 *     cpufreq_ext_mutex			the registered ops, the list of policies
 *       policy_dbs_info.update_mutex	what one policy runs; every BPF callback
 *					that gets a policy runs under it
 *         cpufreq_ext_state.lock	what users are told; taken in any context
 *
 * An operation may run for long, with update_mutex held.  So nobody waits for that
 * with a lock of more than one policy: the dbs core's gov_dbs_data_mutex, and the
 * update_lock of tunables.
 *
 * A BPF governor that breaks a rule is ejected.  From the moment in which that
 * is found, in whatever context, no decision of it counts; a work then takes it
 * from all policies and detaches its link.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/cleanup.h>
#include <linux/cpufreq.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "cpufreq_ext.h"
#include "cpufreq_governor.h"

#define CREATE_TRACE_POINTS
#include "cpufreq_ext_trace.h"

/* Pointer arguments of kfuncs are trusted by default since the flag is gone. */
#ifndef KF_TRUSTED_ARGS
#define KF_TRUSTED_ARGS	0
#endif

/* The dbs core takes no sample for two ticks after the previous one. */
#define CPUFREQ_EXT_MIN_DELAY_US	((unsigned int)(2 * TICK_NSEC / NSEC_PER_USEC))
/* gov_update_sample_delay() multiplies in 32 bits on 32-bit architectures. */
#define CPUFREQ_EXT_MAX_DELAY_US	(4U * USEC_PER_SEC)

/* dbs_update() computes in 32 bits: it must run before 42 busy seconds passed. */
#define CPUFREQ_EXT_LOAD_WINDOW		(20 * HZ)

/* Values of cpufreq_ext_policy.load that are not a load */
#define CPUFREQ_EXT_LOAD_UNKNOWN	(-EAGAIN)
#define CPUFREQ_EXT_LOAD_NONE		(-ENODATA)

/* An operation that takes longer is a fault. */
#define CPUFREQ_EXT_CALL_LIMIT		(2 * HZ)
/* How often one is looked for that has not returned */
#define CPUFREQ_EXT_WATCH_PERIOD	HZ
/* So is a busy policy that is left alone for longer, this many times in a row. */
#define CPUFREQ_EXT_ATTEND_US		(2U * USEC_PER_SEC)
#define CPUFREQ_EXT_ATTEND_STRIKES	3

/* How soon the ejection is tried again while an operation does not return */
#define CPUFREQ_EXT_EJECT_DELAY		msecs_to_jiffies(10)
/* How often a new governor tries to take its place */
#define CPUFREQ_EXT_EJECT_TRIES		10

/* How often a first decision is tried, a jiffy apart, before it is left to a work */
#define CPUFREQ_EXT_FIRST_TRIES		10

/**
 * struct cpufreq_ext_call - the operation of a BPF governor that runs
 * @caller: the task that runs it, NULL: none; published last
 * @policy: what it is called for, NULL: init() or exit()
 * @ops: whose operation; between operations the one of the next decision
 * @since: when it began, in jiffies; kept after it returned, until there was a kick
 * @failed: the BPF governor gave up in it
 */
struct cpufreq_ext_call {
	struct task_struct *caller;
	struct cpufreq_ext_policy *policy;
	struct cpufreq_governor_ext_ops *ops;
	unsigned long since;
	bool failed;
};

/**
 * struct cpufreq_ext_counters - what happened
 * @decisions: calls of get_next_freq()
 * @clamped: frequencies that it returned outside of the limits
 * @refused_rates: sampling rates that were out of range
 * @faults: BPF governors that were ejected, here because of this policy
 */
struct cpufreq_ext_counters {
	unsigned long decisions;
	unsigned long clamped;
	unsigned long refused_rates;
	unsigned long faults;
};

/**
 * struct cpufreq_ext_policy - what ext knows of a policy
 * @dbs: base; its update_mutex guards the members from @ops to @busy_idle_us, of
 *	which the watchdog writes @last_load and @even_from_us without it
 * @node: entry of cpufreq_ext_policies
 * @fresh: entry of cpufreq_ext_fresh
 * @running: between start and stop; written under cpufreq_ext_mutex
 * @may_kick: cleared before the stop, so that no work is queued after it, and once
 *	update_mutex was free no operation begins; written under cpufreq_ext_mutex
 * @limits_changed: the driver may have to be told, though the frequency is the same
 * @limits_missed: the BPF governor was not told, as it was paused or not yet attached
 * @limits_since: they changed since a start(), whose BPF governor may follow on @ops
 * @asked_long: the BPF governor asked for a long sampling period
 * @kobj_gone: nobody uses @kobj
 * @strikes: how often in a row it was busy and left alone
 * @load: load of the current decision, or CPUFREQ_EXT_LOAD_*
 * @users: who may come without the policy's rwsem; 0: none any more, or not yet
 * @ops: the BPF governor that was started for this policy, NULL: fallback
 * @last_load: time in jiffies when it was computed, or seen to be, last
 * @min_delay_us: shortest sampling period that the driver allows
 * @target_khz: what @wanted_khz came to, unless it was 0
 * @get_next_freq: the operation of @ops, NULL: none, or it is paused or ejected; to
 *	pause and to resume, it is written under cpufreq_ext_mutex alone, and a fault
 *	clears it under cpufreq_ext_state.lock
 * @rate_us: sampling period that the BPF governor has set, 0: none
 * @even_from_us: such a tunable sampling_rate is the sampling period, as it is
 * @wanted_khz: what get_next_freq() returned
 * @decisions_before: decisions of other BPF governors than @ops
 * @call: the operation that runs for this policy
 * @counters: since ext was selected; faults under cpufreq_ext_state.lock
 * @busy_wall_us: the time when it was left alone, as get_cpu_idle_time() has it
 * @busy_idle_us: sum of the idle times of its CPUs then
 * @kobj: folder for @counters
 * @rcu: defers the freeing for readers of cpufreq_ext_cpu_policy; @kobj is gone then
 * @kick_irq: leaves the context of bpf_cpufreq_kick_cpu()
 * @kick_work: makes the decision that bpf_cpufreq_kick_cpu() asked for
 */
struct cpufreq_ext_policy {
	struct policy_dbs_info dbs;
	struct list_head node;
	struct list_head fresh;
	bool running;
	bool may_kick;
	bool limits_changed;
	bool limits_missed;
	bool limits_since;
	bool asked_long;
	bool kobj_gone;
	u8 strikes;
	int load;
	refcount_t users;
	struct cpufreq_governor_ext_ops *ops;
	unsigned long last_load;
	unsigned int min_delay_us;
	unsigned int target_khz;
	unsigned long (*get_next_freq)(struct cpufreq_policy *policy);
	unsigned int rate_us;
	unsigned int even_from_us;
	unsigned long wanted_khz;
	unsigned long decisions_before;
	struct cpufreq_ext_call *call;
	struct cpufreq_ext_counters counters;
	u64 busy_wall_us;
	u64 busy_idle_us;
	union {
		struct kobject kobj;
		struct rcu_head rcu;
	};
	struct irq_work kick_irq;
	struct delayed_work kick_work;
};

static DEFINE_MUTEX(cpufreq_ext_mutex);

/*
 * All policies whose governor is ext; guarded by cpufreq_ext_mutex, and changed
 * under cpufreq_ext_state.lock as well.
 */
static LIST_HEAD(cpufreq_ext_policies);

/*
 * The registered governor and the link that it was registered with (NULL if by
 * a map update); guarded by cpufreq_ext_mutex.  The BPF core keeps the ops from
 * the call of cpufreq_ext_reg() to the return of cpufreq_ext_unreg().
 */
static struct cpufreq_governor_ext_ops *cpufreq_ext_ops;
static struct bpf_link *cpufreq_ext_link;

/* The link of an ejected governor until it is detached; under cpufreq_ext_mutex. */
static struct bpf_link *cpufreq_ext_ejected_link;

/* init() and exit(), which have no policy; under cpufreq_ext_mutex. */
static struct cpufreq_ext_call cpufreq_ext_call;

/*
 * The operations that have one, by policy->cpu; under update_mutex.  They are
 * not in the policy, so that a kfunc can look before it knows whose it is.
 */
static DEFINE_PER_CPU(struct cpufreq_ext_call, cpufreq_ext_calls);

/**
 * struct cpufreq_ext_state - what users are told, and faults
 * @lock: guards the other members; taken with interrupts off
 * @ops: as cpufreq_ext_ops
 * @faulted: @ops after a fault, until no policy runs it
 * @stat: CPUFREQ_EXT_...
 * @name: of the BPF governor that @stat is about
 * @reason: of the fault
 * @gone: counters of policies that ext no longer governs; faults without a policy
 */
struct cpufreq_ext_state {
	/* All of it; in any context */
	raw_spinlock_t lock;
	struct cpufreq_governor_ext_ops *ops;
	struct cpufreq_governor_ext_ops *faulted;
	const char *stat;
	char name[CPUFREQ_EXT_NAME_LEN];
	char reason[CPUFREQ_EXT_REASON_LEN];
	struct cpufreq_ext_counters gone;
};

static struct cpufreq_ext_state cpufreq_ext_state = {
	.lock = __RAW_SPIN_LOCK_UNLOCKED(cpufreq_ext_state.lock),
	.stat = "INIT",
	.name = "performance",
};

/* Policies whose governor has yet to make its first decision; under cpufreq_ext_mutex */
static LIST_HEAD(cpufreq_ext_fresh);

static void cpufreq_ext_eject_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(cpufreq_ext_ejection, cpufreq_ext_eject_work);

/*
 * The watchdog: a deferrable timer of each CPU with a policy that runs.  It wakes up
 * no CPU that is idle: another one that is not may miss its frequency.
 */
static DEFINE_PER_CPU(struct timer_list, cpufreq_ext_watchdogs);

/* Running policy of a CPU, for kfuncs; written under cpufreq_ext_mutex. */
static DEFINE_PER_CPU(struct cpufreq_ext_policy __rcu *, cpufreq_ext_cpu_policy);

static struct cpufreq_ext_policy *to_ext_policy(struct policy_dbs_info *policy_dbs)
{
	return container_of(policy_dbs, struct cpufreq_ext_policy, dbs);
}

static struct policy_dbs_info *to_dbs(struct cpufreq_policy *policy)
{
	return policy->governor_data;
}

/******************************** Faults **********************************/

static void cpufreq_ext_add_counters(struct cpufreq_ext_counters *sum,
				     const struct cpufreq_ext_counters *counters)
{
	sum->decisions += READ_ONCE(counters->decisions);
	sum->clamped += READ_ONCE(counters->clamped);
	sum->refused_rates += READ_ONCE(counters->refused_rates);
	sum->faults += READ_ONCE(counters->faults);
}

/* @ops is registered, but is not to govern any more. */
static bool cpufreq_ext_is_faulted(struct cpufreq_governor_ext_ops *ops)
{
	return unlikely(READ_ONCE(cpufreq_ext_state.faulted) == ops);
}

/*
 * Let samples ask @ops, or nobody if NULL.  Either a fault that is found meanwhile is
 * seen here, or cpufreq_ext_ask_no_more() sees what is written here.
 */
static void cpufreq_ext_ask(struct cpufreq_ext_policy *ep,
			    struct cpufreq_governor_ext_ops *ops)
{
	WRITE_ONCE(ep->get_next_freq, ops ? ops->get_next_freq : NULL);
	/* The other one is in cpufreq_ext_ask_no_more(). */
	smp_mb();
	if (ops && cpufreq_ext_is_faulted(ops))
		WRITE_ONCE(ep->get_next_freq, NULL);
}

/* Who waits for cpufreq_ext_mutex to eject @ops may wait for long. */
static void cpufreq_ext_ask_no_more(struct cpufreq_governor_ext_ops *ops)
{
	struct cpufreq_ext_policy *ep;

	lockdep_assert_held(&cpufreq_ext_state.lock);

	/* The other one is in cpufreq_ext_ask(). */
	smp_mb();
	list_for_each_entry(ep, &cpufreq_ext_policies, node)
		cmpxchg(&ep->get_next_freq, ops->get_next_freq, NULL);
}

/*
 * Eject @ops: the first of its faults counts.  @ep is the policy in which it
 * happened, if it was in one.  May be called in any context.  False if @ops is
 * not registered.
 */
static __printf(3, 4)
bool cpufreq_ext_fault(struct cpufreq_governor_ext_ops *ops,
		       struct cpufreq_ext_policy *ep, const char *fmt, ...)
{
	struct cpufreq_ext_state *state = &cpufreq_ext_state;
	va_list args;

	scoped_guard(raw_spinlock_irqsave, &state->lock) {
		if (state->ops != ops)
			return false;
		if (state->faulted)
			return true;

		WRITE_ONCE(state->faulted, ops);
		cpufreq_ext_ask_no_more(ops);
		state->stat = "FAULT";
		va_start(args, fmt);
		vscnprintf(state->reason, sizeof(state->reason), fmt, args);
		va_end(args);
		(ep ? &ep->counters : &state->gone)->faults++;

		pr_err("BPF governor %s ejected: %s\n", state->name, state->reason);
		trace_cpufreq_ext_fault(state->name, state->reason,
					ep ? (int)ep->dbs.policy->cpu : -1);
	}
	mod_delayed_work(system_dfl_wq, &cpufreq_ext_ejection, 0);

	return true;
}

/* What users are told when @ops is registered, or nothing is any more */
static void cpufreq_ext_set_state(struct cpufreq_governor_ext_ops *ops)
{
	struct cpufreq_ext_state *state = &cpufreq_ext_state;

	scoped_guard(raw_spinlock_irqsave, &state->lock) {
		state->ops = ops;
		if (ops) {
			state->stat = "LOADED";
			strscpy(state->name, ops->name);
		} else if (!state->faulted) {
			state->stat = "INIT";
			strscpy(state->name, "performance");
		}
		WRITE_ONCE(state->faulted, NULL);
	}
}

/************************ Calling the BPF governor ************************/

/*
 * A sleepable program must not wait for the memory of a process, which can take
 * for ever, with our locks held: page faults fail while it runs.
 */
static inline void cpufreq_ext_begin(struct cpufreq_ext_call *call)
{
	WRITE_ONCE(call->since, jiffies);
	/* The watchdog reads it first. */
	smp_store_release(&call->caller, current);
	pagefault_disable();
}

static bool cpufreq_ext_is_late(struct cpufreq_ext_call *call)
{
	return time_after(jiffies, READ_ONCE(call->since) + CPUFREQ_EXT_CALL_LIMIT);
}

/* Without a lock: it may return, and the next one begin, at any time. */
static bool cpufreq_ext_runs_for(struct cpufreq_ext_call *call, unsigned long least)
{
	return READ_ONCE(call->caller) &&
	       time_after_eq(jiffies, READ_ONCE(call->since) + least);
}

static noinline void cpufreq_ext_check_late(struct cpufreq_ext_call *call)
{
	unsigned int ms = jiffies_to_msecs(jiffies - call->since);

	if (!cpufreq_ext_is_late(call))
		return;

	call->failed = true;
	if (!cpufreq_ext_fault(call->ops, call->policy, "an operation took %u ms", ms))
		pr_err_ratelimited("BPF governor %s: an operation took %u ms\n",
				   call->ops->name, ms);
}

static inline void cpufreq_ext_end(struct cpufreq_ext_call *call)
{
	unsigned long now = jiffies;

	pagefault_enable();
	WRITE_ONCE(call->caller, NULL);
	if (unlikely(now != call->since))
		cpufreq_ext_check_late(call);
}

/* For a decision, and what belongs to it */
static inline void cpufreq_ext_enter(struct cpufreq_ext_policy *ep, int load)
{
	lockdep_assert_held(&ep->dbs.update_mutex);

	ep->load = load;
	cpufreq_ext_begin(ep->call);
}

static inline void cpufreq_ext_leave(struct cpufreq_ext_policy *ep)
{
	cpufreq_ext_end(ep->call);
}

/* For start() and stop(), of a governor that may be another than that of @ep */
static void cpufreq_ext_enter_other(struct cpufreq_ext_policy *ep,
				    struct cpufreq_governor_ext_ops *ops)
{
	lockdep_assert_held(&ep->dbs.update_mutex);

	ep->load = CPUFREQ_EXT_LOAD_NONE;
	/* After the end of the operation before: see cpufreq_ext_watch_caller(). */
	smp_store_release(&ep->call->ops, ops);
	ep->call->failed = false;
	cpufreq_ext_begin(ep->call);
}

static void cpufreq_ext_leave_other(struct cpufreq_ext_policy *ep)
{
	cpufreq_ext_end(ep->call);
	/* After @caller: see cpufreq_ext_watch_caller(). */
	smp_store_release(&ep->call->ops, ep->ops);
}

/*
 * What init(), start() or store_setspeed() returned.  An error goes to user
 * space: let no other value through.  A governor that gave up cannot succeed.
 */
static int cpufreq_ext_errno(struct cpufreq_ext_call *call, int ret)
{
	if (!ret)
		return call->failed ? -ECANCELED : 0;

	return ret > 0 || ret <= -ERESTARTSYS ? -EINVAL : ret;
}

static int cpufreq_ext_init_ops(struct cpufreq_governor_ext_ops *ops)
{
	int ret;

	if (!ops->init)
		return 0;

	WRITE_ONCE(cpufreq_ext_call.ops, ops);
	cpufreq_ext_call.failed = false;
	cpufreq_ext_begin(&cpufreq_ext_call);
	ret = ops->init();
	cpufreq_ext_end(&cpufreq_ext_call);

	return cpufreq_ext_errno(&cpufreq_ext_call, ret);
}

static void cpufreq_ext_exit_ops(struct cpufreq_governor_ext_ops *ops)
{
	if (!ops->exit)
		return;

	WRITE_ONCE(cpufreq_ext_call.ops, ops);
	cpufreq_ext_call.failed = false;
	cpufreq_ext_begin(&cpufreq_ext_call);
	ops->exit();
	cpufreq_ext_end(&cpufreq_ext_call);
}

static int cpufreq_ext_start_ops(struct cpufreq_ext_policy *ep,
				 struct cpufreq_governor_ext_ops *ops)
{
	int ret;

	lockdep_assert_held(&ep->dbs.update_mutex);

	ep->limits_since = false;
	if (!ops->start)
		return 0;

	cpufreq_ext_enter_other(ep, ops);
	ret = ops->start(ep->dbs.policy);
	cpufreq_ext_leave_other(ep);

	return cpufreq_ext_errno(ep->call, ret);
}

static void cpufreq_ext_stop_ops(struct cpufreq_ext_policy *ep,
				 struct cpufreq_governor_ext_ops *ops)
{
	if (!ops->stop)
		return;

	cpufreq_ext_enter_other(ep, ops);
	ops->stop(ep->dbs.policy);
	cpufreq_ext_leave_other(ep);
}

/* Let @ep run @ops, which were started, or the fallback if NULL. */
static void cpufreq_ext_attach(struct cpufreq_ext_policy *ep,
			       struct cpufreq_governor_ext_ops *ops)
{
	struct cpufreq_governor_ext_ops *old = ep->ops;

	/* Nobody is to blame for the sampling period of the one before. */
	gov_update_sample_delay(&ep->dbs, 0);
	ep->asked_long = false;
	ep->limits_missed = ops && ep->limits_since;
	ep->strikes = 0;
	ep->rate_us = 0;
	WRITE_ONCE(ep->even_from_us, UINT_MAX);
	/* Of the one before: or the watchdog takes it for one of today. */
	ep->load = CPUFREQ_EXT_LOAD_UNKNOWN;
	cpufreq_ext_ask(ep, ops);
	WRITE_ONCE(ep->ops, ops);
	/* After the end of the operation before: see cpufreq_ext_watch_caller(). */
	smp_store_release(&ep->call->ops, ops);
	if (old) {
		cpufreq_ext_stop_ops(ep, old);
		trace_cpufreq_ext_detach(ep->dbs.policy->cpu, old->name);
	}
	if (ops)
		trace_cpufreq_ext_attach(ep->dbs.policy->cpu, ops->name);
}

static int cpufreq_ext_load(struct cpufreq_ext_policy *ep)
{
	/* At most 100 */
	return dbs_update(ep->dbs.policy);
}

static bool cpufreq_ext_load_is_old(struct cpufreq_ext_policy *ep)
{
	return time_after(jiffies, READ_ONCE(ep->last_load) + CPUFREQ_EXT_LOAD_WINDOW);
}

/* Nobody asks for the load: keep the time that it covers short. */
static void cpufreq_ext_refresh_load(struct cpufreq_ext_policy *ep)
{
	if (unlikely(cpufreq_ext_load_is_old(ep))) {
		WRITE_ONCE(ep->last_load, jiffies);
		cpufreq_ext_load(ep);
	}
}

/* If the last decision did not ask for the load, have a later one refresh it. */
static void cpufreq_ext_watch_load(struct cpufreq_ext_policy *ep)
{
	if (READ_ONCE(ep->load) >= 0)
		WRITE_ONCE(ep->last_load, jiffies);
	else if (cpufreq_ext_load_is_old(ep))
		WRITE_ONCE(ep->even_from_us, UINT_MAX);
}

/* @since outlives the operation, @ops does not: both are of one that still runs. */
static void cpufreq_ext_watch_caller(struct cpufreq_ext_call *call)
{
	struct cpufreq_governor_ext_ops *ops = READ_ONCE(call->ops);
	struct cpufreq_ext_policy *ep = READ_ONCE(call->policy);
	unsigned long since = READ_ONCE(call->since);

	if (!time_after(jiffies, since + CPUFREQ_EXT_CALL_LIMIT))
		return;
	/* What was read belongs to an operation that runs after it was read. */
	smp_rmb();
	/* And @since after @caller, of which that one is the older store. */
	if (smp_load_acquire(&call->caller) && READ_ONCE(call->since) == since &&
	    !cpufreq_ext_fault(ops, ep, "an operation has not returned for %u ms",
			       jiffies_to_msecs(jiffies - since)))
		pr_err_ratelimited("BPF governor does not return from init, exit, start or stop for %u ms\n",
				   jiffies_to_msecs(jiffies - since));
}

static void cpufreq_ext_watch_call(struct cpufreq_ext_call *call)
{
	/* See cpufreq_ext_begin(). */
	if (smp_load_acquire(&call->caller))
		cpufreq_ext_watch_caller(call);
}

/*
 * An operation that does not return has nobody who could say so.  Its CPU may be
 * idle, or not be one of the policy: whoever is awake looks at all of them.
 */
static void cpufreq_ext_watch(struct timer_list *timer)
{
	struct cpufreq_ext_policy *ep;
	unsigned int cpu;

	/* The policy of an operation that runs is freed a grace period later. */
	scoped_guard(rcu) {
		ep = rcu_dereference(*this_cpu_ptr(&cpufreq_ext_cpu_policy));
		if (ep)
			cpufreq_ext_watch_load(ep);

		cpufreq_ext_watch_call(&cpufreq_ext_call);
		for_each_possible_cpu(cpu)
			cpufreq_ext_watch_call(per_cpu_ptr(&cpufreq_ext_calls, cpu));
	}
	mod_timer(timer, jiffies + CPUFREQ_EXT_WATCH_PERIOD);
}

/* For the CPUs of a policy that starts */
static void cpufreq_ext_start_watch(const struct cpumask *cpus)
{
	struct timer_list *timer;
	unsigned int cpu;

	for_each_cpu(cpu, cpus) {
		timer = per_cpu_ptr(&cpufreq_ext_watchdogs, cpu);
		timer->expires = jiffies + CPUFREQ_EXT_WATCH_PERIOD;
		add_timer_on(timer, cpu);
	}
}

static void cpufreq_ext_stop_watch(const struct cpumask *cpus)
{
	unsigned int cpu;

	for_each_cpu(cpu, cpus)
		timer_delete_sync(per_cpu_ptr(&cpufreq_ext_watchdogs, cpu));
}

/****************************** Decisions *********************************/

/*
 * The limits of a policy change under its rwsem only, so that they may be the
 * wrong way round for a moment: the maximum counts then.
 */
static void cpufreq_ext_limits(struct cpufreq_policy *policy, unsigned int *min,
			       unsigned int *max)
{
	*max = READ_ONCE(policy->max);
	*min = min(READ_ONCE(policy->min), *max);
}

/* The frequency that is to be set when the BPF governor wants @freq; 0: none */
static unsigned int cpufreq_ext_target(struct cpufreq_ext_policy *ep,
				       unsigned long freq)
{
	unsigned int min, max;

	cpufreq_ext_limits(ep->dbs.policy, &min, &max);
	/* In unsigned long, or a large value would wrap to a small one. */
	if (likely(freq >= min && freq <= max))
		return freq;

	/* -1 is ULONG_MAX as well, as much as there is. */
	if (IS_ERR_VALUE(freq) && freq != ULONG_MAX) {
		cpufreq_ext_fault(ep->ops, ep, "get_next_freq returned error %ld",
				  (long)freq);
		return 0;
	}
	/* It may be the frequency that there was before the limits. */
	if (ep->wanted_khz)
		ep->counters.clamped++;

	return freq < min ? min : max;
}

/*
 * The BPF governor asked for a long sampling period the last time, or did so now:
 * see whether the CPUs of the policy had work for at least half of the time of
 * one of them.  It is not to blame for what a user or a driver wants.
 */
static noinline void cpufreq_ext_attend(struct cpufreq_ext_policy *ep, bool asks_long)
{
	bool was_long = ep->asked_long;
	struct cpufreq_policy *policy = ep->dbs.policy;
	u64 wall_us = 0, idle_us = 0, period_us, busy_us;
	unsigned int cpu, cpus = 0;

	for_each_cpu(cpu, policy->cpus) {
		idle_us += get_cpu_idle_time(cpu, &wall_us, 0);
		cpus++;
	}
	period_us = wall_us - ep->busy_wall_us;
	busy_us = cpus * period_us - (idle_us - ep->busy_idle_us);
	ep->asked_long = asks_long;
	ep->busy_wall_us = wall_us;
	ep->busy_idle_us = idle_us;

	if (!was_long || (s64)busy_us < (s64)period_us / 2 ||
	    period_us < CPUFREQ_EXT_ATTEND_US) {
		ep->strikes = 0;
		return;
	}
	if (++ep->strikes == CPUFREQ_EXT_ATTEND_STRIKES)
		cpufreq_ext_fault(ep->ops, ep,
				  "%s was busy and left alone for %llu ms, %d times in a row",
				  kobject_name(&policy->kobj), div_u64(period_us, USEC_PER_MSEC),
				  CPUFREQ_EXT_ATTEND_STRIKES);
}

/* The sampling period that the BPF governor wants, within what is allowed */
static unsigned int cpufreq_ext_wanted_delay_us(struct cpufreq_ext_policy *ep,
						unsigned int wanted_us)
{
	unsigned int delay_us = clamp(wanted_us, ep->min_delay_us,
				      CPUFREQ_EXT_MAX_DELAY_US);

	if (wanted_us != delay_us)
		ep->counters.refused_rates++;

	return delay_us;
}

/* Time to the next sample, if it may be another than the tunable */
static noinline unsigned int cpufreq_ext_uneven_delay_us(struct cpufreq_ext_policy *ep)
{
	struct cpufreq_governor_ext_ops *ops = ep->ops;
	unsigned int rate_us = ep->dbs.dbs_data->sampling_rate;
	unsigned int delay_us = ep->rate_us;

	if (ops->get_sampling_rate) {
		cpufreq_ext_enter(ep, ep->load);
		delay_us = ops->get_sampling_rate(ep->dbs.policy);
		cpufreq_ext_leave(ep);
		if (delay_us)
			delay_us = cpufreq_ext_wanted_delay_us(ep, delay_us);
	}
	if (ep->asked_long || delay_us > CPUFREQ_EXT_ATTEND_US)
		/* What the driver wants is none of the BPF governor's faults. */
		cpufreq_ext_attend(ep, delay_us > max(CPUFREQ_EXT_ATTEND_US,
						      ep->min_delay_us));
	if (!delay_us)
		delay_us = max(rate_us, ep->min_delay_us);

	if (ep->load == CPUFREQ_EXT_LOAD_UNKNOWN)
		cpufreq_ext_refresh_load(ep);

	/* For the next load: what dbs_update() takes for a long idle time */
	ep->dbs.rate_mult = delay_us > rate_us ? delay_us / rate_us : 1;

	ep->even_from_us = ops->get_sampling_rate || ep->rate_us || ep->asked_long ||
			   ep->dbs.rate_mult > 1 ? UINT_MAX : ep->min_delay_us;

	return delay_us;
}

/* The decision that is made when no BPF governor runs: the maximum. */
static void cpufreq_ext_fallback(struct cpufreq_ext_policy *ep)
{
	struct cpufreq_policy *policy = ep->dbs.policy;

	__cpufreq_driver_target(policy, policy->max, CPUFREQ_RELATION_H);
}

/* Set the frequency that the BPF governor wants. */
static noinline void cpufreq_ext_set(struct cpufreq_ext_policy *ep)
{
	struct cpufreq_policy *policy = ep->dbs.policy;

	ep->target_khz = cpufreq_ext_target(ep, ep->wanted_khz ?: policy->cur);
	if (!ep->target_khz || cpufreq_ext_is_faulted(ep->ops))
		return;

	/*
	 * Nothing else is new to drivers with CPUFREQ_NEED_UPDATE_LIMITS.  What fails
	 * is tried again, even if the governor keeps the frequency.
	 */
	if (ep->target_khz != policy->cur || ep->limits_changed)
		ep->limits_changed = __cpufreq_driver_target(policy, ep->target_khz,
							     CPUFREQ_RELATION_L);
}

/* @ep runs a governor that is ejected: ask it no more, or it may hang again. */
static noinline unsigned int cpufreq_ext_give_up(struct cpufreq_ext_policy *ep)
{
	ep->get_next_freq = NULL;
	cpufreq_ext_fallback(ep);

	return CPUFREQ_EXT_MAX_DELAY_US;
}

static noinline unsigned int cpufreq_ext_trace_decision(struct cpufreq_ext_policy *ep,
							unsigned int delay_us)
{
	trace_cpufreq_ext_decision(ep->dbs.policy->cpu, ep->wanted_khz,
				   ep->wanted_khz ? ep->target_khz : 0, delay_us);

	return delay_us;
}

/*
 * One decision: set the frequency that the BPF governor wants and return the
 * time to the next sample.  While update_mutex is held, the operation may be paused
 * and resumed, but it is no other one.  @load is what is known of the
 * load, as the time since then may be too short to compute it again.  What seldom
 * happens is kept out of line.
 */
static __always_inline unsigned int
cpufreq_ext_decide(struct cpufreq_ext_policy *ep,
		   unsigned long (*get_next_freq)(struct cpufreq_policy *policy), int load)
{
	unsigned int delay_us;

	ep->counters.decisions++;
	cpufreq_ext_enter(ep, load);
	ep->wanted_khz = get_next_freq(ep->dbs.policy);
	cpufreq_ext_leave(ep);

	/* Who keeps the frequency keeps no limits: some drivers have to be told those. */
	if (ep->wanted_khz || ep->limits_changed)
		cpufreq_ext_set(ep);
	/* Somebody may find a fault right now: then the next decision sees it. */
	if (unlikely(data_race(cpufreq_ext_state.faulted)) &&
	    cpufreq_ext_is_faulted(ep->ops))
		return cpufreq_ext_give_up(ep);

	delay_us = ep->dbs.dbs_data->sampling_rate;
	if (unlikely(delay_us < READ_ONCE(ep->even_from_us)))
		delay_us = cpufreq_ext_uneven_delay_us(ep);

	return trace_cpufreq_ext_decision_enabled() ?
	       cpufreq_ext_trace_decision(ep, delay_us) : delay_us;
}

/*
 * No operation of @ep begins, and none runs once its update_mutex was free: somebody
 * is about to replace or to remove the BPF governor.  The frequency stays as it is.
 */
static bool cpufreq_ext_is_paused(struct cpufreq_ext_policy *ep)
{
	struct cpufreq_governor_ext_ops *ops = READ_ONCE(ep->ops);

	if (!ops || READ_ONCE(ep->get_next_freq))
		return false;
	/* With cpufreq_ext_ask_no_more(): who sees its NULL sees the fault. */
	smp_rmb();

	return !cpufreq_ext_is_faulted(ops);
}

/* Make a decision now, outside of the sampling period. */
static void cpufreq_ext_decide_now(struct cpufreq_ext_policy *ep, int load)
{
	unsigned long (*get_next_freq)(struct cpufreq_policy *policy);
	unsigned int delay_us = CPUFREQ_EXT_MAX_DELAY_US;

	/*
	 * Looked at once: it may be cleared, or be there again, at any time.  Who is
	 * paused gets another delay at the end of that.
	 */
	get_next_freq = READ_ONCE(ep->get_next_freq);
	/* See cpufreq_ext_is_paused(). */
	smp_rmb();
	if (!ep->ops || cpufreq_ext_is_faulted(ep->ops))
		cpufreq_ext_fallback(ep);
	else if (get_next_freq)
		delay_us = cpufreq_ext_decide(ep, get_next_freq, load);
	gov_update_sample_delay(&ep->dbs, delay_us);
}

/* The limits may have changed. */
static void cpufreq_ext_tell_limits(struct cpufreq_ext_policy *ep)
{
	struct cpufreq_governor_ext_ops *ops = ep->ops;
	int load = CPUFREQ_EXT_LOAD_UNKNOWN;

	ep->limits_changed = true;
	ep->limits_since = true;
	/* Its CPUs may be suspended; the core tells the limits again after the start. */
	if (!READ_ONCE(ep->may_kick))
		return;

	ep->limits_missed = cpufreq_ext_is_paused(ep);
	if (ops && ops->limits && !ep->limits_missed && !cpufreq_ext_is_faulted(ops)) {
		cpufreq_ext_enter(ep, load);
		ops->limits(ep->dbs.policy);
		cpufreq_ext_leave(ep);
		load = ep->load;
	}
	cpufreq_ext_decide_now(ep, load);
}

/* What has to be done now for @ep, which runs a BPF governor */
static void cpufreq_ext_catch_up(struct cpufreq_ext_policy *ep)
{
	if (ep->limits_missed)
		cpufreq_ext_tell_limits(ep);
	else
		cpufreq_ext_decide_now(ep, CPUFREQ_EXT_LOAD_UNKNOWN);
}

/*
 * Attach, with the first decision of the fallback.  That of a BPF governor may not
 * return, so cpufreq_ext_decide_first() makes it without cpufreq_ext_mutex, unless a
 * sample comes before.
 */
static void cpufreq_ext_switch_ops(struct cpufreq_ext_policy *ep,
				   struct cpufreq_governor_ext_ops *ops)
{
	lockdep_assert_held(&cpufreq_ext_mutex);
	lockdep_assert_held(&ep->dbs.update_mutex);

	cpufreq_ext_attach(ep, ops);
	list_del_init(&ep->fresh);
	if (!ops) {
		cpufreq_ext_decide_now(ep, CPUFREQ_EXT_LOAD_UNKNOWN);
		return;
	}
	gov_update_sample_delay(&ep->dbs, max(ep->dbs.dbs_data->sampling_rate,
					      ep->min_delay_us));
	ep->decisions_before = ep->counters.decisions;
	list_add_tail(&ep->fresh, &cpufreq_ext_fresh);
	/* Samples do not tell limits, and others may stop for long before that decision. */
	if (ep->limits_missed && ep->may_kick)
		mod_delayed_work(system_dfl_wq, &ep->kick_work, 0);
}

/* Before the first decision; a sample that came before did not tell the limits. */
static bool cpufreq_ext_has_to_catch_up(struct cpufreq_ext_policy *ep)
{
	return READ_ONCE(ep->counters.decisions) == ep->decisions_before ||
	       READ_ONCE(ep->limits_missed);
}

/*
 * A policy that is fresh, with its update_mutex, until which it does not stop.  Nobody
 * shall wait for that with cpufreq_ext_mutex: who cannot have it is left for later,
 * and if this is the @last look, for a work.
 */
static struct cpufreq_ext_policy *cpufreq_ext_lock_fresh(bool last)
{
	struct cpufreq_ext_policy *ep, *next;

	guard(mutex)(&cpufreq_ext_mutex);

	list_for_each_entry_safe(ep, next, &cpufreq_ext_fresh, fresh) {
		if (!ep->may_kick) {
			list_del_init(&ep->fresh);
		} else if (mutex_trylock(&ep->dbs.update_mutex)) {
			list_del_init(&ep->fresh);
			if (cpufreq_ext_has_to_catch_up(ep))
				return ep;
			mutex_unlock(&ep->dbs.update_mutex);
		} else if (last) {
			list_del_init(&ep->fresh);
			if (cpufreq_ext_has_to_catch_up(ep))
				mod_delayed_work(system_dfl_wq, &ep->kick_work, 0);
		}
	}

	return NULL;
}

/* Whoever loads a governor may look at what it decided next. */
static void cpufreq_ext_decide_first(void)
{
	int tries = CPUFREQ_EXT_FIRST_TRIES;
	struct cpufreq_ext_policy *ep;

	for (;;) {
		while ((ep = cpufreq_ext_lock_fresh(tries == 1))) {
			cpufreq_ext_catch_up(ep);
			/*
			 * This may touch the mutex after the stop of the policy had it,
			 * which then waits for a grace period.
			 */
			scoped_guard(rcu)
				mutex_unlock(&ep->dbs.update_mutex);
		}
		if (list_empty(&cpufreq_ext_fresh) || !--tries)
			break;
		schedule_timeout_uninterruptible(1);
	}
}

/********************************* sysfs **********************************/

/* No mutex here: who looks for the reason of a hang must not hang. */
static ssize_t stat_show(struct gov_attr_set *attr_set, char *buf)
{
	struct cpufreq_ext_state *state = &cpufreq_ext_state;
	int len;

	scoped_guard(raw_spinlock_irqsave, &state->lock) {
		len = sysfs_emit(buf, "Stat: CPUFREQ_EXT_%s\nBPF governor: %s\n",
				 state->stat, state->name);
		if (!strcmp(state->stat, "FAULT"))
			len += sysfs_emit_at(buf, len, "Reason: %s\n", state->reason);
	}

	return len;
}

/* What all policies of ext counted, those that have another governor now too */
static struct cpufreq_ext_counters cpufreq_ext_sum(void)
{
	struct cpufreq_ext_counters sum;
	struct cpufreq_ext_policy *ep;

	scoped_guard(raw_spinlock_irqsave, &cpufreq_ext_state.lock) {
		sum = cpufreq_ext_state.gone;
		list_for_each_entry(ep, &cpufreq_ext_policies, node)
			cpufreq_ext_add_counters(&sum, &ep->counters);
	}

	return sum;
}

/*
 * Who waits here for an operation that hangs keeps all others from ext, as the core
 * holds the lock of its tunables.  If there is one, the next decision of that policy
 * is made with the new rate.
 */
static ssize_t cpufreq_ext_sampling_rate_store(struct gov_attr_set *attr_set,
					       const char *buf, size_t count)
{
	struct policy_dbs_info *policy_dbs;
	struct cpufreq_ext_policy *ep;
	unsigned int rate_us;

	if (kstrtouint(buf, 10, &rate_us) || rate_us < CPUFREQ_EXT_MIN_DELAY_US ||
	    rate_us > CPUFREQ_EXT_MAX_DELAY_US)
		return -EINVAL;

	WRITE_ONCE(to_dbs_data(attr_set)->sampling_rate, rate_us);
	list_for_each_entry(policy_dbs, &attr_set->policy_list, list) {
		ep = to_ext_policy(policy_dbs);
		if (!ep->call)
			continue;
		/* The period that is under way may be longer, if it is no decision. */
		if (!mutex_trylock(&policy_dbs->update_mutex))
			continue;
		gov_update_sample_delay(policy_dbs, 0);
		mutex_unlock(&policy_dbs->update_mutex);
	}

	return count;
}

/* Does an operation of a policy with these tunables hang? */
static bool cpufreq_ext_hangs(struct gov_attr_set *attr_set)
{
	struct policy_dbs_info *policy_dbs;
	struct cpufreq_ext_policy *ep;

	list_for_each_entry(policy_dbs, &attr_set->policy_list, list) {
		ep = to_ext_policy(policy_dbs);
		if (ep->call && cpufreq_ext_runs_for(ep->call, CPUFREQ_EXT_EJECT_DELAY))
			return true;
	}

	return false;
}

/* Store a boolean that changes how load is counted, and start to count anew. */
static ssize_t cpufreq_ext_store_bool(struct gov_attr_set *attr_set,
				      unsigned int *value, const char *buf,
				      size_t count)
{
	bool input;
	int ret;

	ret = kstrtobool(buf, &input);
	if (ret)
		return ret;

	/* To count anew is to wait for decisions: see cpufreq_ext_sampling_rate_store(). */
	if (input != *value && cpufreq_ext_hangs(attr_set))
		return -EBUSY;
	if (input != *value) {
		*value = input;
		gov_update_cpu_data(to_dbs_data(attr_set));
	}

	return count;
}

static ssize_t ignore_nice_load_store(struct gov_attr_set *attr_set,
				      const char *buf, size_t count)
{
	return cpufreq_ext_store_bool(attr_set,
				      &to_dbs_data(attr_set)->ignore_nice_load,
				      buf, count);
}

static ssize_t io_is_busy_store(struct gov_attr_set *attr_set,
				const char *buf, size_t count)
{
	return cpufreq_ext_store_bool(attr_set,
				      &to_dbs_data(attr_set)->io_is_busy,
				      buf, count);
}

gov_show_one_common(sampling_rate);
gov_show_one_common(ignore_nice_load);
gov_show_one_common(io_is_busy);

static ssize_t decisions_show(struct gov_attr_set *attr_set, char *buf)
{
	return sysfs_emit(buf, "%lu\n", cpufreq_ext_sum().decisions);
}

gov_attr_ro(decisions);

static ssize_t clamped_show(struct gov_attr_set *attr_set, char *buf)
{
	return sysfs_emit(buf, "%lu\n", cpufreq_ext_sum().clamped);
}

gov_attr_ro(clamped);

static ssize_t refused_rates_show(struct gov_attr_set *attr_set, char *buf)
{
	return sysfs_emit(buf, "%lu\n", cpufreq_ext_sum().refused_rates);
}

gov_attr_ro(refused_rates);

static ssize_t faults_show(struct gov_attr_set *attr_set, char *buf)
{
	return sysfs_emit(buf, "%lu\n", cpufreq_ext_sum().faults);
}

gov_attr_ro(faults);

/* A counter of a policy: @offset in struct cpufreq_ext_counters */
struct cpufreq_ext_counter_attr {
	struct kobj_attribute attr;
	size_t offset;
};

static ssize_t cpufreq_ext_counter_show(struct kobject *kobj,
					struct kobj_attribute *attr, char *buf)
{
	struct cpufreq_ext_counter_attr *counter =
		container_of(attr, struct cpufreq_ext_counter_attr, attr);
	struct cpufreq_ext_policy *ep =
		container_of(kobj, struct cpufreq_ext_policy, kobj);
	unsigned long *value = (void *)&ep->counters + counter->offset;

	return sysfs_emit(buf, "%lu\n", READ_ONCE(*value));
}

static struct cpufreq_ext_counter_attr cpufreq_ext_policy_decisions = {
	.attr	= __ATTR(decisions, 0444, cpufreq_ext_counter_show, NULL),
	.offset	= offsetof(struct cpufreq_ext_counters, decisions),
};

static struct cpufreq_ext_counter_attr cpufreq_ext_policy_clamped = {
	.attr	= __ATTR(clamped, 0444, cpufreq_ext_counter_show, NULL),
	.offset	= offsetof(struct cpufreq_ext_counters, clamped),
};

static struct cpufreq_ext_counter_attr cpufreq_ext_policy_refused_rates = {
	.attr	= __ATTR(refused_rates, 0444, cpufreq_ext_counter_show, NULL),
	.offset	= offsetof(struct cpufreq_ext_counters, refused_rates),
};

static struct cpufreq_ext_counter_attr cpufreq_ext_policy_faults = {
	.attr	= __ATTR(faults, 0444, cpufreq_ext_counter_show, NULL),
	.offset	= offsetof(struct cpufreq_ext_counters, faults),
};

gov_attr_ro(stat);
gov_attr_rw(ignore_nice_load);
gov_attr_rw(io_is_busy);
static struct governor_attr cpufreq_ext_sampling_rate =
	__ATTR(sampling_rate, 0644, sampling_rate_show,
	       cpufreq_ext_sampling_rate_store);

static struct attribute *cpufreq_ext_attrs[] = {
	&stat.attr,
	&cpufreq_ext_sampling_rate.attr,
	&ignore_nice_load.attr,
	&io_is_busy.attr,
	&decisions.attr,
	&clamped.attr,
	&refused_rates.attr,
	&faults.attr,
	NULL
};
ATTRIBUTE_GROUPS(cpufreq_ext);

static struct attribute *cpufreq_ext_policy_attrs[] = {
	&cpufreq_ext_policy_decisions.attr.attr,
	&cpufreq_ext_policy_clamped.attr.attr,
	&cpufreq_ext_policy_refused_rates.attr.attr,
	&cpufreq_ext_policy_faults.attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(cpufreq_ext_policy);

static void cpufreq_ext_release_kobj(struct kobject *kobj)
{
	bool *gone = &container_of(kobj, struct cpufreq_ext_policy, kobj)->kobj_gone;

	/* Who waits in cpufreq_ext_del_kobj() may free all of it then. */
	smp_store_release(gone, true);
	/* Before it looks for who waits; from now on @gone is but a number. */
	smp_mb();
	wake_up_var(gone);
}

static const struct kobj_type cpufreq_ext_policy_ktype = {
	.sysfs_ops	= &kobj_sysfs_ops,
	.default_groups	= cpufreq_ext_policy_groups,
	.release	= cpufreq_ext_release_kobj,
};

static void cpufreq_ext_del_kobj(struct cpufreq_ext_policy *ep)
{
	kobject_put(&ep->kobj);
	/* After what cpufreq_ext_release_kobj() was called for */
	wait_var_event(&ep->kobj_gone, smp_load_acquire(&ep->kobj_gone));
}

/* The folder ext/policyN, after the folder ext/ */
static int cpufreq_ext_add_kobj(struct cpufreq_ext_policy *ep)
{
	int ret;

	ret = kobject_init_and_add(&ep->kobj, &cpufreq_ext_policy_ktype,
				   &ep->dbs.dbs_data->attr_set.kobj, "%s",
				   kobject_name(&ep->dbs.policy->kobj));
	if (ret)
		cpufreq_ext_del_kobj(ep);

	return ret;
}

/***************************** dbs governor *******************************/

/* A sample of a policy that no BPF governor runs */
static noinline unsigned int cpufreq_ext_update_fallback(struct cpufreq_policy *policy)
{
	struct cpufreq_ext_policy *ep = to_ext_policy(policy->governor_data);

	/* See cpufreq_ext_is_paused(). */
	smp_rmb();
	/*
	 * A transition to the maximum may have failed before.  Otherwise the governor is
	 * paused, or was when the caller looked.
	 */
	if (unlikely(policy->cur != policy->max) &&
	    (!ep->ops || cpufreq_ext_is_faulted(ep->ops)))
		cpufreq_ext_fallback(ep);
	cpufreq_ext_refresh_load(ep);

	return CPUFREQ_EXT_MAX_DELAY_US;
}

static unsigned int cpufreq_ext_dbs_update(struct cpufreq_policy *policy)
{
	struct cpufreq_ext_policy *ep = to_ext_policy(policy->governor_data);
	unsigned long (*get_next_freq)(struct cpufreq_policy *policy);

	get_next_freq = READ_ONCE(ep->get_next_freq);
	if (unlikely(!get_next_freq))
		return cpufreq_ext_update_fallback(policy);

	return cpufreq_ext_decide(ep, get_next_freq, CPUFREQ_EXT_LOAD_UNKNOWN);
}

static void cpufreq_ext_set_cpus(struct cpufreq_ext_policy *ep,
				 struct cpufreq_ext_policy *value)
{
	unsigned int cpu;

	for_each_cpu(cpu, ep->dbs.policy->cpus)
		rcu_assign_pointer(per_cpu(cpufreq_ext_cpu_policy, cpu), value);
}

static unsigned int cpufreq_ext_min_delay_us(struct cpufreq_policy *policy)
{
	/* Drivers of older kernels say so (CPUFREQ_ETERNAL) if they do not know. */
	if (!policy->transition_delay_us &&
	    policy->cpuinfo.transition_latency == U32_MAX)
		return CPUFREQ_EXT_MIN_DELAY_US;

	return clamp(cpufreq_policy_transition_delay_us(policy),
		     CPUFREQ_EXT_MIN_DELAY_US, CPUFREQ_EXT_MAX_DELAY_US);
}

static void cpufreq_ext_dbs_start(struct cpufreq_policy *policy)
{
	struct cpufreq_ext_policy *ep = to_ext_policy(policy->governor_data);
	struct cpufreq_governor_ext_ops *ops;
	int ret;

	cpufreq_ext_start_watch(policy->cpus);

	guard(mutex)(&cpufreq_ext_mutex);
	guard(mutex)(&ep->dbs.update_mutex);

	ep->min_delay_us = cpufreq_ext_min_delay_us(policy);
	ep->call = per_cpu_ptr(&cpufreq_ext_calls, policy->cpu);
	WRITE_ONCE(ep->call->policy, ep);
	ep->last_load = jiffies;
	ep->running = true;
	WRITE_ONCE(ep->may_kick, true);
	cpufreq_ext_set_cpus(ep, ep);

	ops = cpufreq_ext_ops;
	if (!ops || cpufreq_ext_is_faulted(ops))
		return;

	ret = cpufreq_ext_start_ops(ep, ops);
	if (ret) {
		/* Of a fault users were told. */
		if (!cpufreq_ext_is_faulted(ops))
			pr_warn_ratelimited("%s: start of BPF governor %s failed (%d), policy runs at its maximum\n",
					    kobject_name(&policy->kobj), ops->name, ret);
		return;
	}
	cpufreq_ext_attach(ep, ops);
}

static void cpufreq_ext_stop(struct cpufreq_policy *policy)
{
	struct cpufreq_ext_policy *ep = to_ext_policy(policy->governor_data);

	scoped_guard(mutex, &cpufreq_ext_mutex)
		WRITE_ONCE(ep->may_kick, false);
	/* Wait for a decision of cpufreq_ext_decide_first(), without that mutex. */
	mutex_lock(&ep->dbs.update_mutex);
	mutex_unlock(&ep->dbs.update_mutex);

	/*
	 * This waits for a grace period and for the work, so update_mutex must
	 * not be held.  Kicks that saw may_kick set have queued their irq_work
	 * when it returns.
	 */
	cpufreq_dbs_governor_stop(policy);
	irq_work_sync(&ep->kick_irq);
	cancel_delayed_work_sync(&ep->kick_work);

	scoped_guard(mutex, &cpufreq_ext_mutex) {
		guard(mutex)(&ep->dbs.update_mutex);

		cpufreq_ext_attach(ep, NULL);
		list_del_init(&ep->fresh);
		ep->running = false;
		cpufreq_ext_set_cpus(ep, NULL);
	}
	cpufreq_ext_stop_watch(policy->cpus);
}

/* What ext knows of @policy, which stays until it is put; NULL: it is gone */
static struct cpufreq_ext_policy *cpufreq_ext_get(struct cpufreq_policy *policy)
{
	struct policy_dbs_info *policy_dbs;

	guard(rcu)();

	policy_dbs = READ_ONCE(policy->governor_data);
	if (!policy_dbs || !refcount_inc_not_zero(&to_ext_policy(policy_dbs)->users))
		return NULL;

	return to_ext_policy(policy_dbs);
}

static void cpufreq_ext_put(struct cpufreq_ext_policy *ep)
{
	if (!refcount_dec_and_test(&ep->users))
		return;
	/* Before it looks for who waits; from now on @ep is but an address. */
	smp_mb();
	wake_up_var(&ep->users);
}

/*
 * Not the dbs core's own: that holds the mutex of all its governors meanwhile, so an
 * operation that hangs would keep the limits of other policies from coming into force.
 * The policy's rwsem does not do: amd-pstate comes here without it for its boost.
 */
static void cpufreq_ext_gov_limits(struct cpufreq_policy *policy)
{
	struct cpufreq_ext_policy *ep = cpufreq_ext_get(policy);

	if (!ep)
		return;

	scoped_guard(mutex, &ep->dbs.update_mutex) {
		/* See cpufreq_ext_tell_limits(). */
		if (READ_ONCE(ep->may_kick))
			cpufreq_policy_apply_limits(policy);
		/* With the time of the next sample */
		cpufreq_ext_tell_limits(ep);
	}
	cpufreq_ext_put(ep);
}

static int cpufreq_ext_init(struct cpufreq_policy *policy)
{
	struct cpufreq_ext_policy *ep;
	int ret;

	ret = cpufreq_dbs_governor_init(policy);
	if (ret)
		return ret;

	ep = to_ext_policy(policy->governor_data);
	/* What the core begins with is the delay of the driver, however long. */
	ep->dbs.dbs_data->sampling_rate = min(ep->dbs.dbs_data->sampling_rate,
					      CPUFREQ_EXT_MAX_DELAY_US);

	ret = cpufreq_ext_add_kobj(ep);
	if (ret) {
		cpufreq_dbs_governor_exit(policy);
		return ret;
	}

	guard(mutex)(&cpufreq_ext_mutex);
	scoped_guard(raw_spinlock_irqsave, &cpufreq_ext_state.lock)
		list_add_tail(&ep->node, &cpufreq_ext_policies);
	refcount_set(&ep->users, 1);

	return 0;
}

static void cpufreq_ext_exit(struct cpufreq_policy *policy)
{
	struct cpufreq_ext_policy *ep = to_ext_policy(policy->governor_data);

	cpufreq_ext_put(ep);
	wait_var_event(&ep->users, !refcount_read(&ep->users));
	cpufreq_ext_del_kobj(ep);

	/* Not across the last call, which waits for readers of ext/. */
	mutex_lock(&cpufreq_ext_mutex);
	scoped_guard(raw_spinlock_irqsave, &cpufreq_ext_state.lock) {
		list_del(&ep->node);
		cpufreq_ext_add_counters(&cpufreq_ext_state.gone, &ep->counters);
	}
	mutex_unlock(&cpufreq_ext_mutex);

	cpufreq_dbs_governor_exit(policy);
}

static int cpufreq_ext_store_setspeed(struct cpufreq_policy *policy,
				      unsigned int freq)
{
	struct cpufreq_ext_policy *ep = to_ext_policy(policy->governor_data);
	struct cpufreq_governor_ext_ops *ops;
	int ret;

	guard(mutex)(&ep->dbs.update_mutex);

	ops = ep->ops;
	/* One that is paused may be found to be faulted between the two. */
	if (cpufreq_ext_is_paused(ep))
		return -EBUSY;
	if (!ops || !ops->store_setspeed || cpufreq_ext_is_faulted(ops))
		return -EINVAL;

	ep->call->failed = false;
	cpufreq_ext_enter(ep, CPUFREQ_EXT_LOAD_UNKNOWN);
	ret = ops->store_setspeed(policy, freq);
	cpufreq_ext_leave(ep);
	ret = cpufreq_ext_errno(ep->call, ret);
	if (!ret)
		cpufreq_ext_decide_now(ep, ep->load);

	return ret;
}

static ssize_t cpufreq_ext_show_setspeed(struct cpufreq_policy *policy, char *buf)
{
	struct cpufreq_ext_policy *ep = to_ext_policy(policy->governor_data);

	guard(mutex)(&ep->dbs.update_mutex);

	if (!ep->ops || !ep->ops->store_setspeed)
		return sysfs_emit(buf, "<unsupported>\n");

	return sysfs_emit(buf, "%u\n", policy->cur);
}

static void cpufreq_ext_kick_work(struct work_struct *work)
{
	struct cpufreq_ext_policy *ep = container_of(to_delayed_work(work),
						     struct cpufreq_ext_policy,
						     kick_work);

	guard(mutex)(&ep->dbs.update_mutex);

	/* Kicks are limited even if no operation follows. */
	WRITE_ONCE(ep->call->since, jiffies);
	if (ep->ops)
		cpufreq_ext_catch_up(ep);
}

static void cpufreq_ext_kick_irq(struct irq_work *irq_work)
{
	struct cpufreq_ext_policy *ep = container_of(irq_work,
						     struct cpufreq_ext_policy,
						     kick_irq);
	unsigned long gap = usecs_to_jiffies(ep->min_delay_us);
	unsigned long past = jiffies - READ_ONCE(ep->call->since);

	/*
	 * A governor that kicks without end gets the shortest sampling period.
	 * Any CPU will do: this one may run a real-time task for long.
	 */
	queue_delayed_work(system_dfl_wq, &ep->kick_work, past < gap ? gap - past : 0);
}

static struct policy_dbs_info *cpufreq_ext_alloc(void)
{
	struct cpufreq_ext_policy *ep;

	ep = kzalloc(sizeof(*ep), GFP_KERNEL);
	if (!ep)
		return NULL;

	INIT_LIST_HEAD(&ep->fresh);
	/* With PREEMPT_RT, others wait for a thread, which a CPU that goes offline parks. */
	ep->kick_irq = IRQ_WORK_INIT_HARD(cpufreq_ext_kick_irq);
	INIT_DELAYED_WORK(&ep->kick_work, cpufreq_ext_kick_work);

	return &ep->dbs;
}

static void cpufreq_ext_free(struct policy_dbs_info *policy_dbs)
{
	kfree_rcu(to_ext_policy(policy_dbs), rcu);
}

/* What the dbs core keeps in dbs_data is all that ext has for its tunables. */
static int cpufreq_ext_dbs_init(struct dbs_data *dbs_data)
{
	return 0;
}

static void cpufreq_ext_dbs_exit(struct dbs_data *dbs_data)
{
}

static struct dbs_governor cpufreq_ext_gov = {
	.gov = {
		.name		= "ext",
		.flags		= CPUFREQ_GOV_DYNAMIC_SWITCHING,
		.owner		= THIS_MODULE,
		.init		= cpufreq_ext_init,
		.exit		= cpufreq_ext_exit,
		.start		= cpufreq_dbs_governor_start,
		.stop		= cpufreq_ext_stop,
		.limits		= cpufreq_ext_gov_limits,
		.store_setspeed	= cpufreq_ext_store_setspeed,
		.show_setspeed	= cpufreq_ext_show_setspeed,
	},
	.kobj_type = { .default_groups = cpufreq_ext_groups },
	.gov_dbs_update	= cpufreq_ext_dbs_update,
	.alloc		= cpufreq_ext_alloc,
	.free		= cpufreq_ext_free,
	.init		= cpufreq_ext_dbs_init,
	.exit		= cpufreq_ext_dbs_exit,
	.start		= cpufreq_ext_dbs_start,
};

#ifdef CONFIG_CPU_FREQ_DEFAULT_GOV_EXT
struct cpufreq_governor *cpufreq_default_governor(void)
{
	return &cpufreq_ext_gov.gov;
}
#endif

/********************************* kfuncs *********************************/

/*
 * Does this task run an operation for @policy?  Then it holds update_mutex, and
 * *@ep, which is what ext knows of it, stays until the operation returns.
 */
static bool cpufreq_ext_is_calling(struct cpufreq_policy *policy,
				   struct cpufreq_ext_policy **ep)
{
	/* A CPU has one policy, so it is the one that the operation is for. */
	struct cpufreq_ext_call *call = per_cpu_ptr(&cpufreq_ext_calls,
						    READ_ONCE(policy->cpu));

	*ep = call->policy;

	return likely(READ_ONCE(call->caller) == current);
}

/*
 * The operation of a BPF governor that this task runs.  A program that
 * interrupted it is none of its.
 */
static struct cpufreq_ext_call *cpufreq_ext_current_call(void)
{
	struct cpufreq_ext_call *call = &cpufreq_ext_call;
	unsigned int cpu;

	if (!in_task() || irqs_disabled())
		return NULL;
	if (READ_ONCE(call->caller) == current)
		return call;

	for_each_possible_cpu(cpu) {
		call = per_cpu_ptr(&cpufreq_ext_calls, cpu);
		if (READ_ONCE(call->caller) == current)
			return call;
	}

	return NULL;
}

__bpf_kfunc_start_defs();

/**
 * bpf_cpufreq_error - Give up: let the kernel eject this BPF governor
 * @msg: the reason, for users; a string
 * @msg__sz: its size; what is behind a NUL or 127 characters is ignored
 *
 * May be called in every operation of a BPF governor.  No further decision of it
 * counts: all policies run at their maximum, ext/stat and the kernel's log tell
 * the reason, and the link is detached.  Called in init() or start() during
 * registration, the latter fails, with %-ECANCELED if they return 0, and only the
 * log has the reason.
 *
 * Return:
 * * 0      - done; the operation should return soon
 * * %-EPERM - not called in an operation of a BPF governor of ext
 */
__bpf_kfunc int bpf_cpufreq_error(const void *msg, u32 msg__sz)
{
	char reason[CPUFREQ_EXT_REASON_LEN];
	struct cpufreq_ext_call *call;
	size_t i, len;

	call = cpufreq_ext_current_call();
	if (!call)
		return -EPERM;

	len = strnlen(msg, min_t(size_t, msg__sz, sizeof(reason) - 1));
	memcpy(reason, msg, len);
	reason[len] = '\0';
	for (i = 0; i < len; i++) {
		if (!isascii(reason[i]) || !isprint(reason[i]))
			reason[i] = '?';
	}

	call->failed = true;
	if (!cpufreq_ext_fault(call->ops, call->policy, "%s", reason))
		pr_err_ratelimited("BPF governor %s gives up: %s\n",
				   call->ops->name, reason);

	return 0;
}

/**
 * bpf_cpufreq_policy_load - Load of a policy
 * @policy: the policy that the calling operation was given
 *
 * The load of the busiest CPU of @policy, as the ondemand governor sees it,
 * with the tunables ignore_nice_load and io_is_busy applied.  It is computed by
 * the first call in a decision; further calls return the same value.  It covers
 * the time since the last decision that asked for it, but not much more than 20
 * seconds.
 *
 * Return:
 * * 0 to 100  - load in percent
 * * %-ENODATA - called from start() or stop(), where there is no decision
 * * %-ENODEV  - @policy is not the one that the calling operation was given
 */
__bpf_kfunc int bpf_cpufreq_policy_load(struct cpufreq_policy *policy)
{
	struct cpufreq_ext_policy *ep;

	if (!cpufreq_ext_is_calling(policy, &ep))
		return -ENODEV;

	if (unlikely(ep->load != CPUFREQ_EXT_LOAD_UNKNOWN))
		return ep->load;

	ep->load = cpufreq_ext_load(ep);

	return ep->load;
}

/**
 * bpf_cpufreq_policy_sample_load - Load of a policy in the last period alone
 * @policy: the policy that the calling operation was given
 *
 * The same as bpf_cpufreq_policy_load(), but that the load from before a long
 * idle period is not carried over to the first period after it.
 *
 * Return: as bpf_cpufreq_policy_load()
 */
__bpf_kfunc int bpf_cpufreq_policy_sample_load(struct cpufreq_policy *policy)
{
	int load = bpf_cpufreq_policy_load(policy);

	return load < 0 ? load : min(to_dbs(policy)->max_sample_load, 100U);
}

/**
 * bpf_cpufreq_policy_idle_periods - How long CPUs of a policy were idle
 * @policy: the policy that the calling operation was given
 *
 * Of the CPUs of @policy that were idle for more than two sampling periods since
 * the load was computed last, the one that was so for the shortest time counts,
 * as in the conservative governor.
 *
 * Return: its number of idle sampling periods, 0 if there is no such CPU, or an
 * error as bpf_cpufreq_policy_load()
 */
__bpf_kfunc int bpf_cpufreq_policy_idle_periods(struct cpufreq_policy *policy)
{
	int load = bpf_cpufreq_policy_load(policy);
	unsigned int periods;

	if (load < 0)
		return load;

	periods = to_dbs(policy)->idle_periods;

	return periods == UINT_MAX ? 0 : min_t(unsigned int, periods, INT_MAX);
}

/**
 * bpf_cpufreq_policy_sampling_rate - The tunable sampling_rate of a policy
 * @policy: the policy that the calling operation was given
 *
 * Return: microseconds, or
 *
 * * %-ENODEV - @policy is not the one that the calling operation was given
 */
__bpf_kfunc int bpf_cpufreq_policy_sampling_rate(struct cpufreq_policy *policy)
{
	struct cpufreq_ext_policy *ep;

	if (!cpufreq_ext_is_calling(policy, &ep))
		return -ENODEV;

	return min_t(unsigned int, ep->dbs.dbs_data->sampling_rate, INT_MAX);
}

/**
 * bpf_cpufreq_policy_set_sampling_rate - Set the sampling period of a policy
 * @policy: the policy that the calling operation was given
 * @rate_us: microseconds, or 0 for the value of the tunable sampling_rate
 *
 * In force until it is set again or the policy is stopped, from the decision on
 * that the calling operation makes or precedes.  For governors without
 * get_sampling_rate(), and cheaper than that if the period seldom changes.
 * Clamped, and watched, as what get_sampling_rate() returns.
 *
 * Return:
 * * 0         - done
 * * %-ENODATA - called from start() or stop(), where there is no decision
 * * %-ENODEV  - @policy is not the one that the calling operation was given
 */
__bpf_kfunc int bpf_cpufreq_policy_set_sampling_rate(struct cpufreq_policy *policy,
						     u32 rate_us)
{
	struct cpufreq_ext_policy *ep;

	if (!cpufreq_ext_is_calling(policy, &ep))
		return -ENODEV;
	if (ep->load == CPUFREQ_EXT_LOAD_NONE)
		return -ENODATA;

	ep->rate_us = rate_us ? cpufreq_ext_wanted_delay_us(ep, rate_us) : 0;
	WRITE_ONCE(ep->even_from_us, UINT_MAX);

	return 0;
}

/**
 * bpf_cpufreq_policy_next_cpu - Walk through the CPUs of a policy
 * @policy: the policy that the calling operation was given
 * @cpu: the CPU before, -1 for the first
 *
 * Return: the number of the next CPU that is online and whose frequency @policy
 * sets, or
 *
 * * %-ENOENT - there is none
 * * %-ENODEV - @policy is not the one that the calling operation was given
 */
__bpf_kfunc int bpf_cpufreq_policy_next_cpu(struct cpufreq_policy *policy, s32 cpu)
{
	struct cpufreq_ext_policy *ep;
	unsigned int next;

	if (!cpufreq_ext_is_calling(policy, &ep))
		return -ENODEV;

	if (cpu < -1 || cpu >= (s32)nr_cpu_ids)
		return -ENOENT;

	next = cpumask_next(cpu, policy->cpus);

	return next < nr_cpu_ids ? next : -ENOENT;
}

/**
 * bpf_cpufreq_policy_cpu_idle_time - Time that a CPU of a policy was idle
 * @policy: the policy that the calling operation was given
 * @cpu: number of the CPU
 * @io_is_busy: count the time in which tasks of this CPU wait for I/O as busy
 * @wall_us: gets the time of the measurement in microseconds
 *
 * For governors that keep loads of their own: the busy time of a CPU is what
 * @wall_us grew between two calls, less what the returned value grew.
 *
 * Return: microseconds since some time in the past, or
 *
 * * %-EINVAL - @policy does not set the frequency of @cpu
 * * %-ENODEV - @policy is not the one that the calling operation was given
 */
__bpf_kfunc s64 bpf_cpufreq_policy_cpu_idle_time(struct cpufreq_policy *policy,
						 u32 cpu, bool io_is_busy,
						 u64 *wall_us)
{
	struct cpufreq_ext_policy *ep;

	if (!cpufreq_ext_is_calling(policy, &ep))
		return -ENODEV;

	if (cpu >= nr_cpu_ids || !cpumask_test_cpu(cpu, policy->cpus))
		return -EINVAL;

	return get_cpu_idle_time(cpu, wall_us, io_is_busy);
}

/**
 * bpf_cpufreq_policy_has_cpu - Test whether a CPU belongs to a policy
 * @policy: the policy that the calling operation was given
 * @cpu: number of the CPU
 *
 * Return:
 * * 1        - @cpu is online and @policy sets its frequency
 * * 0        - it is not so
 * * %-EINVAL - @cpu is beyond the last possible CPU
 * * %-ENODEV - @policy is not the one that the calling operation was given
 */
__bpf_kfunc int bpf_cpufreq_policy_has_cpu(struct cpufreq_policy *policy, u32 cpu)
{
	struct cpufreq_ext_policy *ep;

	if (!cpufreq_ext_is_calling(policy, &ep))
		return -ENODEV;

	if (cpu >= nr_cpu_ids)
		return -EINVAL;

	return cpumask_test_cpu(cpu, policy->cpus);
}

/**
 * bpf_cpufreq_policy_table_freq - Frequency that a driver offers for a target
 * @policy: the policy that the calling operation was given
 * @target_khz: wanted frequency; clamped to the limits of @policy
 * @relation: CPUFREQ_RELATION_L (0) for the lowest frequency at or above the
 *	target, CPUFREQ_RELATION_H (1) for the highest at or below it,
 *	CPUFREQ_RELATION_C (2) for the closest one
 *
 * Within the limits of @policy only.  A driver without a frequency table offers
 * every frequency.
 *
 * Return: a frequency in kHz, or
 *
 * * %-EINVAL - @relation is none of these
 * * %-ENODEV - @policy is not the one that the calling operation was given
 */
__bpf_kfunc int bpf_cpufreq_policy_table_freq(struct cpufreq_policy *policy,
					      u32 target_khz, u32 relation)
{
	struct cpufreq_ext_policy *ep;
	unsigned int min, max;
	int index;

	if (!cpufreq_ext_is_calling(policy, &ep))
		return -ENODEV;

	if (relation > CPUFREQ_RELATION_C)
		return -EINVAL;

	cpufreq_ext_limits(policy, &min, &max);
	target_khz = clamp(target_khz, min, max);
	if (!policy->freq_table)
		return target_khz;

	index = cpufreq_frequency_table_target(policy, target_khz, min, max,
					       relation);

	return policy->freq_table[index].frequency;
}

/**
 * bpf_cpufreq_kick_cpu - Ask for a decision without waiting for the next sample
 * @cpu: a CPU of the policy
 *
 * For governors that learn of a change between two samples, for example when
 * the last task that they care for leaves a CPU: an idle CPU takes no samples.
 * The decision is made within the shortest sampling period of the policy;
 * kicks until then count as one.  May be called in any context.
 *
 * Return:
 * * 0        - a decision follows, if a BPF governor is registered
 * * %-EINVAL - there is no such CPU
 * * %-ENODEV - the governor of that CPU is not ext, or the CPU is offline
 * * %-EAGAIN - this is called on a CPU that is going offline
 */
__bpf_kfunc int bpf_cpufreq_kick_cpu(u32 cpu)
{
	struct cpufreq_ext_policy *ep;

	if (cpu >= nr_cpu_ids || !cpu_possible(cpu))
		return -EINVAL;

	/*
	 * What a CPU queues after it has run its irq_works for the last time waits
	 * until it comes back; it does not get that far with preemption disabled.
	 */
	guard(preempt)();
	if (!cpu_online(smp_processor_id()))
		return -EAGAIN;

	guard(rcu)();
	ep = rcu_dereference(per_cpu(cpufreq_ext_cpu_policy, cpu));
	if (!ep || !READ_ONCE(ep->may_kick))
		return -ENODEV;

	/*
	 * A pending decision is yet to look at what the caller has changed; the
	 * barrier is the counterpart of the one by which the workqueue clears
	 * the pending bit before the work runs.
	 */
	smp_mb();
	if (!delayed_work_pending(&ep->kick_work))
		irq_work_queue(&ep->kick_irq);

	return 0;
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(cpufreq_ext_struct_ops_kfuncs)
BTF_ID_FLAGS(func, bpf_cpufreq_policy_load, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_cpufreq_policy_sample_load, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_cpufreq_policy_idle_periods, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_cpufreq_policy_sampling_rate, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_cpufreq_policy_set_sampling_rate, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_cpufreq_policy_next_cpu, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_cpufreq_policy_cpu_idle_time, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_cpufreq_policy_has_cpu, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_cpufreq_policy_table_freq, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_cpufreq_error, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_cpufreq_kick_cpu)
BTF_KFUNCS_END(cpufreq_ext_struct_ops_kfuncs)

BTF_KFUNCS_START(cpufreq_ext_any_kfuncs)
BTF_ID_FLAGS(func, bpf_cpufreq_kick_cpu)
BTF_KFUNCS_END(cpufreq_ext_any_kfuncs)

static const struct btf_kfunc_id_set cpufreq_ext_struct_ops_kfunc_set = {
	.owner	= THIS_MODULE,
	.set	= &cpufreq_ext_struct_ops_kfuncs,
};

static const struct btf_kfunc_id_set cpufreq_ext_any_kfunc_set = {
	.owner	= THIS_MODULE,
	.set	= &cpufreq_ext_any_kfuncs,
};

/******************************* struct_ops *******************************/

static bool cpufreq_ext_is_valid_access(int off, int size,
					enum bpf_access_type type,
					const struct bpf_prog *prog,
					struct bpf_insn_access_aux *info)
{
	return bpf_tracing_btf_ctx_access(off, size, type, prog, info);
}

static const struct bpf_func_proto *
cpufreq_ext_get_func_proto(enum bpf_func_id func_id, const struct bpf_prog *prog)
{
	/* With interrupts disabled a loop would keep the watchdog off its CPU. */
	if (func_id == BPF_FUNC_spin_lock || func_id == BPF_FUNC_spin_unlock)
		return NULL;
	/* Memory of a process may be a long time coming: see cpufreq_ext_begin(). */
	if (func_id == BPF_FUNC_copy_from_user ||
	    func_id == BPF_FUNC_copy_from_user_task ||
	    (func_id == BPF_FUNC_get_task_stack && prog->sleepable))
		return NULL;

	return bpf_base_func_proto(func_id, prog);
}

/* Without .btf_struct_access the verifier lets programs read, never write. */
static const struct bpf_verifier_ops cpufreq_ext_verifier_ops = {
	.get_func_proto		= cpufreq_ext_get_func_proto,
	.is_valid_access	= cpufreq_ext_is_valid_access,
};

/* Set when the BPF core took cpufreq_ext_struct_ops; it reports no failure. */
static bool cpufreq_ext_struct_ops_known;

static int cpufreq_ext_bpf_init(struct btf *btf)
{
	cpufreq_ext_struct_ops_known = true;
	return 0;
}

static int cpufreq_ext_init_name(char *dst, const char *src)
{
	size_t len = strnlen(src, CPUFREQ_EXT_NAME_LEN);
	size_t i;

	if (!len) {
		pr_err("BPF governor refused: its name is empty\n");
		return -EINVAL;
	}
	if (len == CPUFREQ_EXT_NAME_LEN) {
		pr_err("BPF governor refused: its name is longer than %d characters\n",
		       CPUFREQ_EXT_NAME_LEN - 1);
		return -EINVAL;
	}
	for (i = 0; i < len; i++) {
		if (!isascii(src[i]) || !isprint(src[i])) {
			pr_err("BPF governor refused: character %zu of its name is not printable ASCII\n",
			       i + 1);
			return -EINVAL;
		}
	}

	memcpy(dst, src, len);
	return 0;
}

/*
 * Kfuncs that every type of program may call, with which the watchdog could not
 * look, as it is a timer on that CPU
 */
BTF_SET_START(cpufreq_ext_refused_kfuncs)
BTF_ID(func, bpf_preempt_disable)
#if !KF_TRUSTED_ARGS	/* not in 6.12 */
BTF_ID(func, bpf_local_irq_save)
BTF_ID(func, bpf_res_spin_lock)
BTF_ID(func, bpf_res_spin_lock_irqsave)
#endif
BTF_SET_END(cpufreq_ext_refused_kfuncs)

/*
 * Those that read pages of processes or files whoever the task is, where
 * pagefault_disable() does not stop them, or wait for a process that makes a key
 * or loads a module
 */
BTF_SET_START(cpufreq_ext_refused_sleepable_kfuncs)
#if !KF_TRUSTED_ARGS	/* not in 6.12 */
BTF_ID(func, bpf_copy_from_user_task_str)
BTF_ID(func, bpf_copy_from_user_task_dynptr)
BTF_ID(func, bpf_copy_from_user_task_str_dynptr)
BTF_ID(func, bpf_dynptr_from_file)
#ifdef CONFIG_KEYS
BTF_ID(func, bpf_lookup_user_key)
#ifdef CONFIG_SYSTEM_DATA_VERIFICATION
BTF_ID(func, bpf_verify_pkcs7_signature)
#endif
#endif
#endif
BTF_SET_END(cpufreq_ext_refused_sleepable_kfuncs)

static bool cpufreq_ext_is_refused(const struct bpf_prog *prog, u32 kfunc)
{
	return btf_id_set_contains(&cpufreq_ext_refused_kfuncs, kfunc) ||
	       (prog->sleepable &&
		btf_id_set_contains(&cpufreq_ext_refused_sleepable_kfuncs, kfunc));
}

static int cpufreq_ext_check_member(const struct btf_type *t,
				    const struct btf_member *member,
				    const struct bpf_prog *prog)
{
	const struct bpf_insn *insn = prog->insnsi, *end = insn + prog->len;

	for (; insn < end; insn++) {
		if (insn->code == (BPF_JMP | BPF_CALL) &&
		    insn->src_reg == BPF_PSEUDO_KFUNC_CALL && !insn->off &&
		    cpufreq_ext_is_refused(prog, insn->imm))
			return -EACCES;
	}

	return 0;
}

static int cpufreq_ext_init_member(const struct btf_type *t,
				   const struct btf_member *member,
				   void *kdata, const void *udata)
{
	const struct cpufreq_governor_ext_ops *uops = udata;
	struct cpufreq_governor_ext_ops *ops = kdata;
	int ret;

	if (__btf_member_bit_offset(t, member) / BITS_PER_BYTE !=
	    offsetof(struct cpufreq_governor_ext_ops, name))
		return 0;

	ret = cpufreq_ext_init_name(ops->name, uops->name);

	return ret ?: 1;
}

static int cpufreq_ext_validate(void *kdata)
{
	const struct cpufreq_governor_ext_ops *ops = kdata;

	if (!ops->get_next_freq) {
		pr_err("BPF governor %s refused: it has no get_next_freq\n", ops->name);
		return -EINVAL;
	}

	return 0;
}

/* Start @ops, which were initialized, for all running policies, or for none. */
static int cpufreq_ext_start_all(struct cpufreq_governor_ext_ops *ops)
{
	struct cpufreq_ext_policy *ep;
	int ret = 0;

	lockdep_assert_held(&cpufreq_ext_mutex);

	list_for_each_entry(ep, &cpufreq_ext_policies, node) {
		if (!ep->running)
			continue;
		scoped_guard(mutex, &ep->dbs.update_mutex)
			ret = cpufreq_ext_start_ops(ep, ops);
		if (ret)
			goto undo;
	}
	return 0;

undo:
	list_for_each_entry_continue_reverse(ep, &cpufreq_ext_policies, node) {
		if (!ep->running)
			continue;
		scoped_guard(mutex, &ep->dbs.update_mutex)
			cpufreq_ext_stop_ops(ep, ops);
	}

	return ret;
}

/* Taking each update_mutex once also waits for the callbacks of the old ops. */
static void cpufreq_ext_switch_all(struct cpufreq_governor_ext_ops *ops,
				   struct bpf_link *link)
{
	struct cpufreq_governor_ext_ops *old = cpufreq_ext_ops;
	struct cpufreq_ext_policy *ep;

	lockdep_assert_held(&cpufreq_ext_mutex);

	cpufreq_ext_ops = ops;
	cpufreq_ext_link = link;
	/* Before the first decision, which may be a fault already */
	cpufreq_ext_set_state(ops);
	list_for_each_entry(ep, &cpufreq_ext_policies, node) {
		if (!ep->running)
			continue;
		guard(mutex)(&ep->dbs.update_mutex);
		cpufreq_ext_switch_ops(ep, ops);
	}
	if (old)
		cpufreq_ext_exit_ops(old);
}

/*
 * Take the registered governor from all policies.  False if an operation of it
 * has yet to return: nobody shall wait for that with cpufreq_ext_mutex held.
 */
static bool cpufreq_ext_remove(void)
{
	struct cpufreq_governor_ext_ops *old = cpufreq_ext_ops;
	struct cpufreq_ext_policy *ep;
	bool done = true;

	lockdep_assert_held(&cpufreq_ext_mutex);

	list_for_each_entry(ep, &cpufreq_ext_policies, node) {
		/* Set under both mutexes: who has none runs no operation either. */
		if (!ep->running || !READ_ONCE(ep->ops))
			continue;
		if (!mutex_trylock(&ep->dbs.update_mutex)) {
			/* Should that be an operation, let it be the last one. */
			WRITE_ONCE(ep->get_next_freq, NULL);
			done = false;
			continue;
		}
		cpufreq_ext_switch_ops(ep, NULL);
		mutex_unlock(&ep->dbs.update_mutex);
	}
	if (!done)
		return false;

	cpufreq_ext_ops = NULL;
	cpufreq_ext_link = NULL;
	cpufreq_ext_exit_ops(old);
	cpufreq_ext_set_state(NULL);

	return true;
}

/*
 * Remove the registered governor if it is faulted.  False if that has to wait,
 * for an operation or because the link of the one before is still to be detached.
 */
static bool cpufreq_ext_eject(void)
{
	struct bpf_link *link = cpufreq_ext_link;

	if (!cpufreq_ext_ops || !cpufreq_ext_is_faulted(cpufreq_ext_ops))
		return true;
	if (cpufreq_ext_ejected_link || !cpufreq_ext_remove())
		return false;

	/* It may be about to go; it stays until cpufreq_ext_unreg() returns. */
	link = link ? bpf_link_inc_not_zero(link) : NULL;
	cpufreq_ext_ejected_link = IS_ERR(link) ? NULL : link;

	return true;
}

/* This takes the mutex of the BPF core, and wakes who polls the link. */
static void cpufreq_ext_detach_link(struct bpf_link *link)
{
	link->ops->detach(link);
	bpf_link_put(link);
}

/* Not in the work below: that must run while somebody has the mutex of the BPF core. */
static void cpufreq_ext_detach_work(struct work_struct *work)
{
	struct bpf_link *link = NULL;

	scoped_guard(mutex, &cpufreq_ext_mutex)
		swap(link, cpufreq_ext_ejected_link);
	if (link)
		cpufreq_ext_detach_link(link);
}

static DECLARE_WORK(cpufreq_ext_detachment, cpufreq_ext_detach_work);

static void cpufreq_ext_eject_work(struct work_struct *work)
{
	guard(mutex)(&cpufreq_ext_mutex);

	if (!cpufreq_ext_eject())
		queue_delayed_work(system_dfl_wq, &cpufreq_ext_ejection,
				   CPUFREQ_EXT_EJECT_DELAY);
	if (cpufreq_ext_ejected_link)
		queue_work(system_dfl_wq, &cpufreq_ext_detachment);
}

/* The first BPF governor: init(), start() and switch to it, or leave no trace. */
static int cpufreq_ext_begin_first(struct cpufreq_governor_ext_ops *ops,
				   struct bpf_link *link)
{
	int ret;

	ret = cpufreq_ext_init_ops(ops);
	if (ret)
		return ret;

	ret = cpufreq_ext_start_all(ops);
	if (ret) {
		cpufreq_ext_exit_ops(ops);
		return ret;
	}
	cpufreq_ext_switch_all(ops, link);

	return 0;
}

/* False if that has to wait for the end of the governor before */
static bool cpufreq_ext_try_reg(void *kdata, struct bpf_link *link, int *ret)
{
	guard(mutex)(&cpufreq_ext_mutex);

	if (!cpufreq_ext_eject()) {
		*ret = -EBUSY;
		return false;
	}

	if (cpufreq_ext_ops)
		*ret = -EBUSY;
	else if (list_empty(&cpufreq_ext_policies))
		*ret = -ENODEV;
	else
		*ret = cpufreq_ext_begin_first(kdata, link);

	return true;
}

/* Of an ejected governor an operation may still run, but not for long. */
static int cpufreq_ext_reg(void *kdata, struct bpf_link *link)
{
	int tries = CPUFREQ_EXT_EJECT_TRIES;
	int ret;

	while (!cpufreq_ext_try_reg(kdata, link, &ret) && --tries)
		schedule_timeout_uninterruptible(CPUFREQ_EXT_EJECT_DELAY);
	if (!ret)
		cpufreq_ext_decide_first();

	return ret;
}

static bool cpufreq_ext_try_unreg(void *kdata, struct bpf_link *link)
{
	guard(mutex)(&cpufreq_ext_mutex);

	return kdata != cpufreq_ext_ops || link != cpufreq_ext_link ||
	       cpufreq_ext_remove();
}

static void cpufreq_ext_unreg(void *kdata, struct bpf_link *link)
{
	while (!cpufreq_ext_try_unreg(kdata, link))
		schedule_timeout_uninterruptible(1);
}

/* False if an operation has yet to return: no other one begins meanwhile. */
static bool cpufreq_ext_pause(void)
{
	struct cpufreq_ext_policy *ep;
	bool done = true;

	lockdep_assert_held(&cpufreq_ext_mutex);

	list_for_each_entry(ep, &cpufreq_ext_policies, node) {
		if (!ep->running || !READ_ONCE(ep->ops))
			continue;
		WRITE_ONCE(ep->get_next_freq, NULL);
		if (mutex_trylock(&ep->dbs.update_mutex))
			mutex_unlock(&ep->dbs.update_mutex);
		else
			done = false;
	}

	return done;
}

static void cpufreq_ext_resume(void)
{
	struct cpufreq_ext_policy *ep;

	lockdep_assert_held(&cpufreq_ext_mutex);

	list_for_each_entry(ep, &cpufreq_ext_policies, node) {
		/* Set under this mutex as well */
		if (!ep->may_kick || !cpufreq_ext_is_paused(ep))
			continue;
		cpufreq_ext_ask(ep, READ_ONCE(ep->ops));
		mod_delayed_work(system_dfl_wq, &ep->kick_work, 0);
	}
}

static bool cpufreq_ext_can_update(void *old_kdata, struct bpf_link *link)
{
	return old_kdata == cpufreq_ext_ops && link == cpufreq_ext_link &&
	       !cpufreq_ext_is_faulted(old_kdata);
}

/* False if that has to wait for an operation, which is not done with the mutex. */
static bool cpufreq_ext_try_update(void *kdata, void *old_kdata,
				   struct bpf_link *link, int *ret)
{
	guard(mutex)(&cpufreq_ext_mutex);

	*ret = -EBUSY;
	if (cpufreq_ext_can_update(old_kdata, link) && !cpufreq_ext_pause() &&
	    !cpufreq_ext_is_faulted(old_kdata))
		return false;
	/* The last operation may have been a fault. */
	*ret = -ENOLINK;
	if (!cpufreq_ext_can_update(old_kdata, link))
		return true;

	*ret = cpufreq_ext_start_all(kdata);
	if (!*ret)
		cpufreq_ext_switch_all(kdata, link);

	return true;
}

/* Let the old governor go on. */
static void cpufreq_ext_undo_update(struct cpufreq_governor_ext_ops *ops)
{
	guard(mutex)(&cpufreq_ext_mutex);

	cpufreq_ext_resume();
	cpufreq_ext_exit_ops(ops);
}

static int cpufreq_ext_update(void *kdata, void *old_kdata, struct bpf_link *link)
{
	unsigned long end;
	int ret;

	/* This may take long: the old governor goes on meanwhile. */
	scoped_guard(mutex, &cpufreq_ext_mutex) {
		if (!cpufreq_ext_can_update(old_kdata, link))
			return -ENOLINK;
		if (kdata == old_kdata)
			return 0;
		ret = cpufreq_ext_init_ops(kdata);
		if (ret)
			return ret;
	}

	/* By then the watchdog has found what does not return, unless all is idle. */
	end = jiffies + 2 * CPUFREQ_EXT_CALL_LIMIT;
	while (!cpufreq_ext_try_update(kdata, old_kdata, link, &ret) &&
	       time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	if (ret)
		cpufreq_ext_undo_update(kdata);
	else
		cpufreq_ext_decide_first();

	return ret;
}

/* The stubs give the BPF core the types of the operations; never called. */

static unsigned long cpufreq_ext_get_next_freq_stub(struct cpufreq_policy *policy)
{
	return 0;
}

static unsigned int cpufreq_ext_get_sampling_rate_stub(struct cpufreq_policy *policy)
{
	return 0;
}

static int cpufreq_ext_init_stub(void)
{
	return 0;
}

static void cpufreq_ext_exit_stub(void)
{
}

static int cpufreq_ext_start_stub(struct cpufreq_policy *policy)
{
	return 0;
}

static void cpufreq_ext_stop_stub(struct cpufreq_policy *policy)
{
}

static void cpufreq_ext_limits_stub(struct cpufreq_policy *policy)
{
}

static int cpufreq_ext_store_setspeed_stub(struct cpufreq_policy *policy,
					   unsigned int freq)
{
	return 0;
}

static struct cpufreq_governor_ext_ops cpufreq_ext_stubs = {
	.get_next_freq		= cpufreq_ext_get_next_freq_stub,
	.get_sampling_rate	= cpufreq_ext_get_sampling_rate_stub,
	.init			= cpufreq_ext_init_stub,
	.exit			= cpufreq_ext_exit_stub,
	.start			= cpufreq_ext_start_stub,
	.stop			= cpufreq_ext_stop_stub,
	.limits			= cpufreq_ext_limits_stub,
	.store_setspeed		= cpufreq_ext_store_setspeed_stub,
};

static struct bpf_struct_ops cpufreq_ext_struct_ops = {
	.verifier_ops	= &cpufreq_ext_verifier_ops,
	.init		= cpufreq_ext_bpf_init,
	.check_member	= cpufreq_ext_check_member,
	.init_member	= cpufreq_ext_init_member,
	.validate	= cpufreq_ext_validate,
	.reg		= cpufreq_ext_reg,
	.unreg		= cpufreq_ext_unreg,
	.update		= cpufreq_ext_update,
	.cfi_stubs	= &cpufreq_ext_stubs,
	.owner		= THIS_MODULE,
	.name		= "cpufreq_governor_ext_ops",
};

static int __init cpufreq_ext_register_bpf(void)
{
	int ret = 0;

	/*
	 * Without their BTF IDs, no function would be refused: a module that is built
	 * out of tree can have a base BTF of its own, in which no function is.
	 */
	if (btf_id_set_contains(&cpufreq_ext_refused_kfuncs, 0))
		ret = -EOPNOTSUPP;
	ret = ret ?: register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS,
					       &cpufreq_ext_struct_ops_kfunc_set);
	ret = ret ?: register_btf_kfunc_id_set(BPF_PROG_TYPE_TRACING,
					       &cpufreq_ext_any_kfunc_set);
	ret = ret ?: register_btf_kfunc_id_set(BPF_PROG_TYPE_SYSCALL,
					       &cpufreq_ext_any_kfunc_set);
	ret = ret ?: register_bpf_struct_ops(&cpufreq_ext_struct_ops,
					     cpufreq_governor_ext_ops);
	if (!ret && !cpufreq_ext_struct_ops_known)
		ret = -EOPNOTSUPP;
	if (ret)
		pr_err("no BPF governor can be registered (%d): build kernel and module with DEBUG_INFO_BTF\n",
		       ret);

	return ret;
}

static int __init cpufreq_ext_register_governor(void)
{
	unsigned int cpu;

	/* In a module, no pointer can be in the initializer of a per-CPU variable. */
	for_each_possible_cpu(cpu)
		timer_setup(per_cpu_ptr(&cpufreq_ext_watchdogs, cpu), cpufreq_ext_watch,
			    TIMER_DEFERRABLE | TIMER_PINNED);

	return cpufreq_register_governor(&cpufreq_ext_gov.gov);
}

#ifdef MODULE
static int __init cpufreq_ext_module_init(void)
{
	return cpufreq_ext_register_bpf() ?: cpufreq_ext_register_governor();
}
module_init(cpufreq_ext_module_init);

static void __exit cpufreq_ext_module_exit(void)
{
	cpufreq_unregister_governor(&cpufreq_ext_gov.gov);
	/* Not cancelled: they may have a link to put. */
	flush_delayed_work(&cpufreq_ext_ejection);
	flush_work(&cpufreq_ext_detachment);
}
module_exit(cpufreq_ext_module_exit);
#else
/* Drivers look for their default governor before BTF can be used. */
core_initcall(cpufreq_ext_register_governor);
device_initcall(cpufreq_ext_register_bpf);
#endif

MODULE_AUTHOR("The cpufreq_ext developers");
MODULE_DESCRIPTION("'ext' cpufreq governor: decisions by a BPF program");
MODULE_LICENSE("GPL");
