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
 *
 * The dbs core takes update_mutex below its gov_dbs_data_mutex, so the
 * callbacks that it makes under update_mutex must not take cpufreq_ext_mutex.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/cleanup.h>
#include <linux/cpufreq.h>
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "cpufreq_ext.h"
#include "cpufreq_governor.h"

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

/**
 * struct cpufreq_ext_policy - what ext knows of a policy
 * @dbs: base; its update_mutex guards the members from @ops to @last_decision
 * @node: entry of cpufreq_ext_policies
 * @running: between start and stop; written under cpufreq_ext_mutex
 * @may_kick: cleared before the stop, so that no work is queued after it
 * @ops: the BPF governor that was started for this policy, NULL: fallback
 * @load: load of the current decision, or CPUFREQ_EXT_LOAD_*
 * @last_load: time in jiffies when it was computed last
 * @min_delay_us: shortest sampling period that the driver allows
 * @caller: task that runs a callback for this policy now
 * @last_decision: its time in jiffies
 * @kick_irq: leaves the context of bpf_cpufreq_kick_cpu()
 * @kick_work: makes the decision that bpf_cpufreq_kick_cpu() asked for
 * @rcu: defers the freeing for readers of cpufreq_ext_cpu_policy
 */
struct cpufreq_ext_policy {
	struct policy_dbs_info dbs;
	struct list_head node;
	bool running;
	bool may_kick;
	struct cpufreq_governor_ext_ops *ops;
	int load;
	unsigned long last_load;
	unsigned int min_delay_us;
	struct task_struct *caller;
	unsigned long last_decision;
	struct irq_work kick_irq;
	struct delayed_work kick_work;
	struct rcu_head rcu;
};

static DEFINE_MUTEX(cpufreq_ext_mutex);

/* All policies whose governor is ext; guarded by cpufreq_ext_mutex. */
static LIST_HEAD(cpufreq_ext_policies);

/*
 * The registered governor and the link that it was registered with (NULL if by
 * a map update); guarded by cpufreq_ext_mutex.  The BPF core keeps the ops from
 * the call of cpufreq_ext_reg() to the return of cpufreq_ext_unreg().
 */
static struct cpufreq_governor_ext_ops *cpufreq_ext_ops;
static struct bpf_link *cpufreq_ext_link;

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

/************************ Calling the BPF governor ************************/

/* An error of a BPF program goes to user space: let no other value through. */
static int cpufreq_ext_errno(int ret)
{
	return ret > 0 || ret <= -ERESTARTSYS ? -EINVAL : ret;
}

/*
 * A sleepable program must not wait for the memory of a process, which can take
 * for ever, with our locks held: page faults fail while it runs.
 */
static void cpufreq_ext_enter(struct cpufreq_ext_policy *ep, int load)
{
	lockdep_assert_held(&ep->dbs.update_mutex);

	ep->load = load;
	WRITE_ONCE(ep->caller, current);
	pagefault_disable();
}

static void cpufreq_ext_leave(struct cpufreq_ext_policy *ep)
{
	pagefault_enable();
	WRITE_ONCE(ep->caller, NULL);
}

static int cpufreq_ext_init_ops(struct cpufreq_governor_ext_ops *ops)
{
	int ret;

	if (!ops->init)
		return 0;

	pagefault_disable();
	ret = cpufreq_ext_errno(ops->init());
	pagefault_enable();

	return ret;
}

static void cpufreq_ext_exit_ops(struct cpufreq_governor_ext_ops *ops)
{
	if (!ops->exit)
		return;

	pagefault_disable();
	ops->exit();
	pagefault_enable();
}

static int cpufreq_ext_start_ops(struct cpufreq_ext_policy *ep,
				 struct cpufreq_governor_ext_ops *ops)
{
	int ret;

	if (!ops->start)
		return 0;

	cpufreq_ext_enter(ep, CPUFREQ_EXT_LOAD_NONE);
	ret = cpufreq_ext_errno(ops->start(ep->dbs.policy));
	cpufreq_ext_leave(ep);

	return ret;
}

static void cpufreq_ext_stop_ops(struct cpufreq_ext_policy *ep,
				 struct cpufreq_governor_ext_ops *ops)
{
	if (!ops->stop)
		return;

	cpufreq_ext_enter(ep, CPUFREQ_EXT_LOAD_NONE);
	ops->stop(ep->dbs.policy);
	cpufreq_ext_leave(ep);
}

static int cpufreq_ext_load(struct cpufreq_ext_policy *ep)
{
	ep->last_load = jiffies;

	return min(dbs_update(ep->dbs.policy), 100U);
}

/* Nobody asks for the load: keep the time that it covers short. */
static void cpufreq_ext_refresh_load(struct cpufreq_ext_policy *ep)
{
	if (unlikely(time_after(jiffies, ep->last_load + CPUFREQ_EXT_LOAD_WINDOW)))
		cpufreq_ext_load(ep);
}

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

/*
 * One decision: set the frequency that the BPF governor wants and return the
 * time to the next sample.  Call between cpufreq_ext_enter() and _leave().
 */
static unsigned int cpufreq_ext_decide(struct cpufreq_ext_policy *ep)
{
	struct cpufreq_governor_ext_ops *ops = ep->ops;
	struct cpufreq_policy *policy = ep->dbs.policy;
	unsigned int rate_us = ep->dbs.dbs_data->sampling_rate;
	unsigned int min, max, delay_us = 0;
	unsigned long freq;

	WRITE_ONCE(ep->last_decision, jiffies);
	freq = ops->get_next_freq(policy);
	if (freq) {
		/* In unsigned long, or a large value would wrap to a small one. */
		cpufreq_ext_limits(policy, &min, &max);
		freq = clamp_t(unsigned long, freq, min, max);
		__cpufreq_driver_target(policy, freq, CPUFREQ_RELATION_L);
	}

	if (ops->get_sampling_rate)
		delay_us = ops->get_sampling_rate(policy);
	delay_us = clamp(delay_us ?: rate_us, ep->min_delay_us,
			 CPUFREQ_EXT_MAX_DELAY_US);

	/* For the next load: what dbs_update() takes for a long idle time */
	ep->dbs.rate_mult = delay_us > rate_us ? delay_us / rate_us : 1;

	if (ep->load == CPUFREQ_EXT_LOAD_UNKNOWN)
		cpufreq_ext_refresh_load(ep);

	return delay_us;
}

/* The decision that is made when no BPF governor runs: the maximum. */
static void cpufreq_ext_fallback(struct cpufreq_ext_policy *ep)
{
	struct cpufreq_policy *policy = ep->dbs.policy;

	__cpufreq_driver_target(policy, policy->max, CPUFREQ_RELATION_H);
}

/* Make a decision now, outside of the sampling period. */
static void cpufreq_ext_decide_now(struct cpufreq_ext_policy *ep)
{
	unsigned int delay_us = CPUFREQ_EXT_MAX_DELAY_US;

	if (ep->ops) {
		cpufreq_ext_enter(ep, CPUFREQ_EXT_LOAD_UNKNOWN);
		delay_us = cpufreq_ext_decide(ep);
		cpufreq_ext_leave(ep);
	} else {
		cpufreq_ext_fallback(ep);
	}
	gov_update_sample_delay(&ep->dbs, delay_us);
}

/* Let @ep run @ops, which were started, or the fallback if NULL. */
static void cpufreq_ext_switch_ops(struct cpufreq_ext_policy *ep,
				   struct cpufreq_governor_ext_ops *ops)
{
	struct cpufreq_governor_ext_ops *old = ep->ops;

	lockdep_assert_held(&cpufreq_ext_mutex);

	if (!ep->running)
		return;

	guard(mutex)(&ep->dbs.update_mutex);
	ep->ops = ops;
	if (old)
		cpufreq_ext_stop_ops(ep, old);
	cpufreq_ext_decide_now(ep);
}

/***************************** dbs governor *******************************/

static unsigned int cpufreq_ext_dbs_update(struct cpufreq_policy *policy)
{
	struct cpufreq_ext_policy *ep = to_ext_policy(policy->governor_data);
	unsigned int delay_us;

	if (!ep->ops) {
		/* A transition to the maximum may have failed before. */
		if (unlikely(policy->cur != policy->max))
			cpufreq_ext_fallback(ep);
		cpufreq_ext_refresh_load(ep);
		return CPUFREQ_EXT_MAX_DELAY_US;
	}

	cpufreq_ext_enter(ep, CPUFREQ_EXT_LOAD_UNKNOWN);
	delay_us = cpufreq_ext_decide(ep);
	cpufreq_ext_leave(ep);

	return delay_us;
}

static void cpufreq_ext_dbs_limits(struct cpufreq_policy *policy)
{
	struct cpufreq_ext_policy *ep = to_ext_policy(policy->governor_data);
	struct cpufreq_governor_ext_ops *ops = ep->ops;
	unsigned int delay_us;

	if (!ops) {
		cpufreq_ext_decide_now(ep);
		return;
	}

	cpufreq_ext_enter(ep, CPUFREQ_EXT_LOAD_UNKNOWN);
	if (ops->limits)
		ops->limits(policy);
	delay_us = cpufreq_ext_decide(ep);
	cpufreq_ext_leave(ep);

	gov_update_sample_delay(&ep->dbs, delay_us);
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

	guard(mutex)(&cpufreq_ext_mutex);
	guard(mutex)(&ep->dbs.update_mutex);

	ep->min_delay_us = cpufreq_ext_min_delay_us(policy);
	ep->last_load = jiffies;
	ep->running = true;
	WRITE_ONCE(ep->may_kick, true);
	cpufreq_ext_set_cpus(ep, ep);

	ops = cpufreq_ext_ops;
	if (!ops)
		return;

	ret = cpufreq_ext_start_ops(ep, ops);
	if (ret) {
		pr_warn_ratelimited("policy%u: start of BPF governor %s failed (%d), policy runs at its maximum\n",
				    policy->cpu, ops->name, ret);
		return;
	}
	ep->ops = ops;
}

static void cpufreq_ext_stop(struct cpufreq_policy *policy)
{
	struct cpufreq_ext_policy *ep = to_ext_policy(policy->governor_data);
	struct cpufreq_governor_ext_ops *ops;

	WRITE_ONCE(ep->may_kick, false);

	/*
	 * This waits for a grace period and for the work, so update_mutex must
	 * not be held.  Kicks that saw may_kick set have queued their irq_work
	 * when it returns.
	 */
	cpufreq_dbs_governor_stop(policy);
	irq_work_sync(&ep->kick_irq);
	cancel_delayed_work_sync(&ep->kick_work);

	guard(mutex)(&cpufreq_ext_mutex);
	guard(mutex)(&ep->dbs.update_mutex);

	ops = ep->ops;
	ep->ops = NULL;
	if (ops)
		cpufreq_ext_stop_ops(ep, ops);
	ep->running = false;
	cpufreq_ext_set_cpus(ep, NULL);
}

static int cpufreq_ext_init(struct cpufreq_policy *policy)
{
	struct cpufreq_ext_policy *ep;
	int ret;

	ret = cpufreq_dbs_governor_init(policy);
	if (ret)
		return ret;

	ep = to_ext_policy(policy->governor_data);
	guard(mutex)(&cpufreq_ext_mutex);
	list_add_tail(&ep->node, &cpufreq_ext_policies);

	return 0;
}

static void cpufreq_ext_exit(struct cpufreq_policy *policy)
{
	struct cpufreq_ext_policy *ep = to_ext_policy(policy->governor_data);

	/* Not across the next call, which waits for readers of ext/stat. */
	scoped_guard(mutex, &cpufreq_ext_mutex)
		list_del(&ep->node);

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
	if (!ops || !ops->store_setspeed)
		return -EINVAL;

	cpufreq_ext_enter(ep, CPUFREQ_EXT_LOAD_UNKNOWN);
	ret = cpufreq_ext_errno(ops->store_setspeed(policy, freq));
	if (!ret)
		gov_update_sample_delay(&ep->dbs, cpufreq_ext_decide(ep));
	cpufreq_ext_leave(ep);

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

	if (ep->ops)
		cpufreq_ext_decide_now(ep);
}

static void cpufreq_ext_kick_irq(struct irq_work *irq_work)
{
	struct cpufreq_ext_policy *ep = container_of(irq_work,
						     struct cpufreq_ext_policy,
						     kick_irq);

	unsigned long earliest, now = jiffies;

	/* A governor that kicks without end gets the shortest sampling period. */
	earliest = READ_ONCE(ep->last_decision) + usecs_to_jiffies(ep->min_delay_us);
	/* Any CPU will do: this one may run a real-time task for long. */
	queue_delayed_work(system_dfl_wq, &ep->kick_work,
			   time_after(earliest, now) ? earliest - now : 0);
}

static struct policy_dbs_info *cpufreq_ext_alloc(void)
{
	struct cpufreq_ext_policy *ep;

	ep = kzalloc(sizeof(*ep), GFP_KERNEL);
	if (!ep)
		return NULL;

	init_irq_work(&ep->kick_irq, cpufreq_ext_kick_irq);
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

/********************************* sysfs **********************************/

static ssize_t stat_show(struct gov_attr_set *attr_set, char *buf)
{
	guard(mutex)(&cpufreq_ext_mutex);

	if (!cpufreq_ext_ops)
		return sysfs_emit(buf, "Stat: CPUFREQ_EXT_INIT\nBPF governor: performance\n");

	return sysfs_emit(buf, "Stat: CPUFREQ_EXT_LOADED\nBPF governor: %s\n",
			  cpufreq_ext_ops->name);
}

static ssize_t cpufreq_ext_sampling_rate_store(struct gov_attr_set *attr_set,
					       const char *buf, size_t count)
{
	unsigned int rate_us;

	if (kstrtouint(buf, 10, &rate_us) || rate_us > CPUFREQ_EXT_MAX_DELAY_US)
		return -EINVAL;

	return sampling_rate_store(attr_set, buf, count);
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
	NULL
};
ATTRIBUTE_GROUPS(cpufreq_ext);

static struct dbs_governor cpufreq_ext_gov = {
	.gov = {
		.name		= "ext",
		.flags		= CPUFREQ_GOV_DYNAMIC_SWITCHING,
		.owner		= THIS_MODULE,
		.init		= cpufreq_ext_init,
		.exit		= cpufreq_ext_exit,
		.start		= cpufreq_dbs_governor_start,
		.stop		= cpufreq_ext_stop,
		.limits		= cpufreq_dbs_governor_limits,
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
	.limits		= cpufreq_ext_dbs_limits,
};

#ifdef CONFIG_CPU_FREQ_DEFAULT_GOV_EXT
struct cpufreq_governor *cpufreq_default_governor(void)
{
	return &cpufreq_ext_gov.gov;
}
#endif

/********************************* kfuncs *********************************/

/*
 * The policy that @policy belongs to, if this task runs a callback for it; then
 * it holds update_mutex, and the policy stays until the callback returns.
 */
static struct cpufreq_ext_policy *
cpufreq_ext_calling_policy(struct cpufreq_policy *policy)
{
	unsigned int cpu = READ_ONCE(policy->cpu);
	struct cpufreq_ext_policy *ep;

	if (cpu >= nr_cpu_ids || !cpu_possible(cpu))
		return NULL;

	guard(rcu)();
	ep = rcu_dereference(per_cpu(cpufreq_ext_cpu_policy, cpu));
	if (!ep || ep->dbs.policy != policy || READ_ONCE(ep->caller) != current)
		return NULL;

	return ep;
}

__bpf_kfunc_start_defs();

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
	struct cpufreq_ext_policy *ep = cpufreq_ext_calling_policy(policy);

	if (!ep)
		return -ENODEV;

	if (ep->load == CPUFREQ_EXT_LOAD_UNKNOWN)
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
	struct cpufreq_ext_policy *ep = cpufreq_ext_calling_policy(policy);

	if (!ep)
		return -ENODEV;

	return min_t(unsigned int, ep->dbs.dbs_data->sampling_rate, INT_MAX);
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
	if (!cpufreq_ext_calling_policy(policy))
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
	if (!cpufreq_ext_calling_policy(policy))
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
	unsigned int min, max;
	int index;

	if (!cpufreq_ext_calling_policy(policy))
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
 */
__bpf_kfunc int bpf_cpufreq_kick_cpu(u32 cpu)
{
	struct cpufreq_ext_policy *ep;

	if (cpu >= nr_cpu_ids || !cpu_possible(cpu))
		return -EINVAL;

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
BTF_ID_FLAGS(func, bpf_cpufreq_policy_cpu_idle_time, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_cpufreq_policy_has_cpu, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_cpufreq_policy_table_freq, KF_TRUSTED_ARGS)
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
	/* Memory of a process may be a long time coming: see cpufreq_ext_enter(). */
	if (func_id == BPF_FUNC_copy_from_user ||
	    func_id == BPF_FUNC_copy_from_user_task)
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

/* Init @ops and start them for all running policies, or leave no trace. */
static int cpufreq_ext_start_all(struct cpufreq_governor_ext_ops *ops)
{
	struct cpufreq_ext_policy *ep;
	int ret;

	lockdep_assert_held(&cpufreq_ext_mutex);

	ret = cpufreq_ext_init_ops(ops);
	if (ret)
		return ret;

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
	cpufreq_ext_exit_ops(ops);

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
	list_for_each_entry(ep, &cpufreq_ext_policies, node)
		cpufreq_ext_switch_ops(ep, ops);
	if (old)
		cpufreq_ext_exit_ops(old);
}

static int cpufreq_ext_reg(void *kdata, struct bpf_link *link)
{
	int ret;

	guard(mutex)(&cpufreq_ext_mutex);

	if (cpufreq_ext_ops)
		return -EBUSY;
	if (list_empty(&cpufreq_ext_policies))
		return -ENODEV;

	ret = cpufreq_ext_start_all(kdata);
	if (ret)
		return ret;

	cpufreq_ext_switch_all(kdata, link);

	return 0;
}

static void cpufreq_ext_unreg(void *kdata, struct bpf_link *link)
{
	guard(mutex)(&cpufreq_ext_mutex);

	if (kdata == cpufreq_ext_ops && link == cpufreq_ext_link)
		cpufreq_ext_switch_all(NULL, NULL);
}

static int cpufreq_ext_update(void *kdata, void *old_kdata, struct bpf_link *link)
{
	int ret;

	guard(mutex)(&cpufreq_ext_mutex);

	if (old_kdata != cpufreq_ext_ops || link != cpufreq_ext_link)
		return -ENOLINK;
	if (kdata == old_kdata)
		return 0;

	ret = cpufreq_ext_start_all(kdata);
	if (ret)
		return ret;

	cpufreq_ext_switch_all(kdata, link);

	return 0;
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
	int ret;

	ret = register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS,
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
