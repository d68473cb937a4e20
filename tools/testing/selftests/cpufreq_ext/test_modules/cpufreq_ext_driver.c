// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cpufreq driver without hardware, for tests of governors.
 *
 * What the hardware is like is said by parameters when the module is loaded;
 * how it behaves, by parameters that can be written at any time.  What governors
 * make of it is found in debugfs:
 *
 *   cpufreq_ext_driver/policyN/	one number a file, for the policy N of cpufreq;
 *					they count from the loading of the module
 *     transitions	calls that ask for a frequency, counted when they begin
 *     failed		those of them that failed
 *     fast_switches	calls of fast_switch(), which are not among the transitions and
 *			not judged: ext makes none
 *     verified		limits that were checked before they came into force
 *     cur_khz		frequency of the hardware
 *     violations	transitions to outside of the limits in force
 *     raced		transitions to outside of limits that were just changing
 *   cpufreq_ext_driver/log		the last transitions, oldest first, a line each:
 *					start_ns end_ns policy from_khz to_khz
 *					min_khz max_khz relation errno judgement
 *
 * Times are those of CLOCK_MONOTONIC.  A transition that goes on after its call
 * (async_notification) ends with its call in the log.
 *
 * Which limits are in force?  The core writes policy->min and policy->max under
 * the rwsem of the policy, then tells the governor and lets it make a decision,
 * and only then releases the rwsem.  Governors make most decisions without it: a
 * decision can clamp to the old limits and reach the driver after the new ones
 * were written, which is no mistake, since the governor is yet to be told.  So a
 * transition to outside of policy->min and policy->max is
 *
 *   a violation	if nobody holds the rwsem for writing, or if the task that
 *			is changing the limits makes the transition itself
 *   raced		if another task holds it, or waits for it.
 *
 * That a governor is left outside of the limits shows in cur_khz, after the limits
 * were written and when no transition goes on.  A write of the parameter
 * hw_max_khz returns when the limits that follow from it are in force.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpufreq.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

/* Kernels that do not have this make the file of the table's frequencies themselves. */
#ifdef CPUFREQ_ETERNAL
#define EXT_TEST_TABLE_ATTR	cpufreq_generic_attr
#else
#define EXT_TEST_TABLE_ATTR	NULL
#endif

#define EXT_TEST_MAX_FREQS	32
#define EXT_TEST_MAX_POLICIES	64
#define EXT_TEST_LOG_LENGTH	1024

/***************************** what it is like *****************************/

static unsigned int policy_cpus[EXT_TEST_MAX_POLICIES] = { 1 };
static unsigned int nr_policy_cpus = 1;
module_param_array(policy_cpus, uint, &nr_policy_cpus, 0444);
MODULE_PARM_DESC(policy_cpus, "CPUs of each policy; the last number holds for all further ones (default 1)");

static unsigned int max_policies = UINT_MAX;
module_param(max_policies, uint, 0444);
MODULE_PARM_DESC(max_policies, "number of policies, the CPUs beyond them get none (default: as many as there are CPUs for)");

static unsigned int freqs_khz[EXT_TEST_MAX_FREQS] = { 800000, 1200000, 1600000, 2000000, 2400000 };
static unsigned int nr_freqs = 5;
module_param_array(freqs_khz, uint, &nr_freqs, 0444);
MODULE_PARM_DESC(freqs_khz, "frequencies in kHz, in any order (default 800000,1200000,1600000,2000000,2400000)");

static bool table = true;
module_param(table, bool, 0444);
MODULE_PARM_DESC(table, "have a frequency table; otherwise all frequencies from the lowest to the highest of freqs_khz (default Y)");

static bool target;
module_param(target, bool, 0444);
MODULE_PARM_DESC(target, "have target() instead of target_index(), as always without a table (default N)");

static bool governor_per_policy;
module_param(governor_per_policy, bool, 0444);
MODULE_PARM_DESC(governor_per_policy, "tunables of governors for each policy, CPUFREQ_HAVE_GOVERNOR_PER_POLICY (default N)");

static bool fast_switch;
module_param(fast_switch, bool, 0444);
MODULE_PARM_DESC(fast_switch, "have fast_switch(), and say that it is possible (default N)");

static bool any_cpu = true;
module_param(any_cpu, bool, 0444);
MODULE_PARM_DESC(any_cpu, "every CPU can switch every policy, dvfs_possible_from_any_cpu (default Y)");

static bool need_update_limits;
module_param(need_update_limits, bool, 0444);
MODULE_PARM_DESC(need_update_limits, "be called for the current frequency too, CPUFREQ_NEED_UPDATE_LIMITS; for target() (default N)");

static bool async_notification;
module_param(async_notification, bool, 0444);
MODULE_PARM_DESC(async_notification, "transitions go on after the call, CPUFREQ_ASYNC_NOTIFICATION (default N)");

static unsigned int transition_latency_ns = 10000;
module_param(transition_latency_ns, uint, 0444);
MODULE_PARM_DESC(transition_latency_ns, "as told to the core, in ns; 4294967295: unknown, CPUFREQ_ETERNAL of older kernels (default 10000)");

static unsigned int transition_delay_us;
module_param(transition_delay_us, uint, 0444);
MODULE_PARM_DESC(transition_delay_us, "time between transitions as told to the core, in us; 0: from the latency (default 0)");

/***************************** how it behaves *****************************/

/* A write by sysfs is a plain store: it wins over a decrement in progress. */
static atomic_t fail_next = ATOMIC_INIT(0);
module_param_named(fail_next, fail_next.counter, int, 0644);
MODULE_PARM_DESC(fail_next, "number of transitions that fail from now on, -1: all (default 0)");

static int fail_errno = EIO;
module_param(fail_errno, int, 0644);
MODULE_PARM_DESC(fail_errno, "error of these, a positive errno (default 5)");

static unsigned int slow_us;
module_param(slow_us, uint, 0644);
MODULE_PARM_DESC(slow_us, "sleep of each transition in us; fast switches do not sleep (default 0)");

static unsigned int hw_max_khz;
static int ext_test_set_hw_max(const char *val, const struct kernel_param *kp);
static const struct kernel_param_ops ext_test_hw_max_ops = {
	.set = ext_test_set_hw_max,
	.get = param_get_uint,
};
module_param_cb(hw_max_khz, &ext_test_hw_max_ops, &hw_max_khz, 0644);
MODULE_PARM_DESC(hw_max_khz, "highest frequency for now in kHz, in force for all policies when the write returns; 0: no limit (default 0)");

/*************************** records of policies ***************************/

/* The hardware of a policy, and what was asked of it */
struct ext_test_policy {
	struct cpumask cpus;
	struct cpufreq_policy *policy;		/* while it is active */
	struct task_struct *limits_task;	/* that checked limits last */
	struct work_struct async_work;		/* the end of a transition, */
	struct cpufreq_freqs async_freqs;	/* what it is about */
	int async_err;				/* and how it ends */
	/* Guarded by ext_test_lock: see the head of this file. */
	u64 transitions;
	u64 failed;
	u64 fast_switches;
	u64 verified;
	u64 violations;
	u64 raced;
	u32 cur_khz;
};

struct ext_test_transition {
	u64 start_ns;
	u64 end_ns;
	unsigned int policy;
	unsigned int from_khz;
	unsigned int to_khz;
	unsigned int min_khz;
	unsigned int max_khz;
	int relation;
	int err;
	const char *judgement;
};

/* Taken by fast_switch() too, which the scheduler calls. */
static DEFINE_RAW_SPINLOCK(ext_test_lock);

static struct ext_test_transition ext_test_log[EXT_TEST_LOG_LENGTH];
static u64 ext_test_logged;

static struct ext_test_policy *ext_test_policies;
static unsigned int nr_ext_test_policies;

static struct cpufreq_frequency_table ext_test_table[EXT_TEST_MAX_FREQS + 1];
static unsigned int lowest_khz, highest_khz;
static struct dentry *ext_test_dir;

static struct ext_test_policy *ext_test_policy_of(unsigned int cpu)
{
	unsigned int i;

	for (i = 0; i < nr_ext_test_policies; i++)
		if (cpumask_test_cpu(cpu, &ext_test_policies[i].cpus))
			return &ext_test_policies[i];

	return NULL;
}

static bool ext_test_is_outside(const struct ext_test_transition *t)
{
	return t->to_khz > t->max_khz ||
	       t->to_khz < min(t->min_khz, t->max_khz);
}

/* See the head of this file. */
static void ext_test_judge(struct cpufreq_policy *policy,
			   struct ext_test_transition *t)
{
	struct ext_test_policy *dp = policy->driver_data;

	t->judgement = "";
	t->min_khz = READ_ONCE(policy->min);
	t->max_khz = READ_ONCE(policy->max);
	if (likely(!ext_test_is_outside(t)))
		return;

	if (down_read_trylock(&policy->rwsem)) {
		t->min_khz = policy->min;
		t->max_khz = policy->max;
		up_read(&policy->rwsem);
		t->judgement = ext_test_is_outside(t) ? "violation" : "raced";
	} else {
		t->judgement = READ_ONCE(dp->limits_task) == current ?
			       "violation" : "raced";
	}
}

static int ext_test_failure(void)
{
	if (atomic_read(&fail_next) != -1 &&
	    atomic_dec_if_positive(&fail_next) < 0)
		return 0;

	return -READ_ONCE(fail_errno);
}

static void ext_test_record(struct ext_test_policy *dp,
			    const struct ext_test_transition *t)
{
	guard(raw_spinlock_irqsave)(&ext_test_lock);

	if (t->err)
		dp->failed++;
	if (*t->judgement == 'v')
		dp->violations++;
	else if (*t->judgement == 'r')
		dp->raced++;
	ext_test_log[ext_test_logged++ % EXT_TEST_LOG_LENGTH] = *t;
}

/******************************* the driver *******************************/

static void ext_test_async_work(struct work_struct *work)
{
	struct ext_test_policy *dp = container_of(work, struct ext_test_policy,
						async_work);

	fsleep(READ_ONCE(slow_us));
	if (!dp->async_err)
		WRITE_ONCE(dp->cur_khz, dp->async_freqs.new);
	cpufreq_freq_transition_end(dp->policy, &dp->async_freqs, dp->async_err);
}

/* The core tells the world of what target_index() does, unless it is asynchronous. */
static int ext_test_transition(struct cpufreq_policy *policy, unsigned int khz,
			       int relation, bool notify)
{
	struct ext_test_policy *dp = policy->driver_data;
	struct cpufreq_freqs freqs = { .old = policy->cur, .new = khz };
	struct ext_test_transition t = {
		.start_ns = ktime_get_ns(),
		.policy = cpumask_first(&dp->cpus),
		.from_khz = policy->cur,
		.to_khz = khz,
		.relation = relation,
	};

	scoped_guard(raw_spinlock_irqsave, &ext_test_lock)
		dp->transitions++;
	ext_test_judge(policy, &t);
	t.err = ext_test_failure();

	if (notify)
		cpufreq_freq_transition_begin(policy, &freqs);
	if (notify && async_notification) {
		dp->async_freqs = freqs;
		dp->async_err = t.err;
		schedule_work(&dp->async_work);
	} else {
		fsleep(READ_ONCE(slow_us));
		if (!t.err)
			WRITE_ONCE(dp->cur_khz, khz);
		if (notify)
			cpufreq_freq_transition_end(policy, &freqs, t.err);
	}

	t.end_ns = ktime_get_ns();
	ext_test_record(dp, &t);

	return async_notification ? 0 : t.err;
}

static int ext_test_target(struct cpufreq_policy *policy, unsigned int khz,
			   unsigned int relation)
{
	return ext_test_transition(policy, khz, relation, true);
}

static int ext_test_target_index(struct cpufreq_policy *policy, unsigned int index)
{
	return ext_test_transition(policy, policy->freq_table[index].frequency,
				   -1, async_notification);
}

static unsigned int ext_test_fast_switch(struct cpufreq_policy *policy,
					 unsigned int khz)
{
	struct ext_test_policy *dp = policy->driver_data;

	guard(raw_spinlock_irqsave)(&ext_test_lock);

	dp->fast_switches++;
	if (ext_test_failure()) {
		dp->failed++;
		return 0;
	}
	dp->cur_khz = khz;

	return khz;
}

static int ext_test_verify(struct cpufreq_policy_data *data)
{
	struct ext_test_policy *dp = ext_test_policy_of(data->cpu);
	unsigned int max_khz = READ_ONCE(hw_max_khz);

	WRITE_ONCE(dp->limits_task, current);
	scoped_guard(raw_spinlock_irqsave, &ext_test_lock)
		dp->verified++;

	if (max_khz)
		cpufreq_verify_within_limits(data, lowest_khz, max_khz);
	if (data->freq_table)
		return cpufreq_generic_frequency_table_verify(data);
	cpufreq_verify_within_cpu_limits(data);

	return 0;
}

static int ext_test_init(struct cpufreq_policy *policy)
{
	struct ext_test_policy *dp = ext_test_policy_of(policy->cpu);

	if (!dp)
		return -ENODEV;

	cpumask_copy(policy->cpus, &dp->cpus);
	policy->driver_data = dp;
	policy->cpuinfo.min_freq = lowest_khz;
	policy->cpuinfo.max_freq = highest_khz;
	policy->cpuinfo.transition_latency = transition_latency_ns;
	policy->transition_delay_us = transition_delay_us;
	policy->fast_switch_possible = fast_switch;
	policy->dvfs_possible_from_any_cpu = any_cpu;
	if (table)
		policy->freq_table = ext_test_table;

	policy->cur = dp->cur_khz;
	dp->policy = policy;

	return 0;
}

static void ext_test_exit(struct cpufreq_policy *policy)
{
	struct ext_test_policy *dp = policy->driver_data;

	flush_work(&dp->async_work);
	policy->fast_switch_possible = false;
	policy->driver_data = NULL;
	dp->policy = NULL;
}

static struct cpufreq_driver ext_test_driver = {
	.name	= "ext_test",
	.verify	= ext_test_verify,
	.init	= ext_test_init,
	.exit	= ext_test_exit,
};

static bool ext_test_registered;

/* As a thermal limit comes into force, but before the write returns. */
static void ext_test_refresh_limits(void)
{
	struct cpufreq_policy *policy;
	unsigned int i, cpu;

	cpus_read_lock();
	for (i = 0; i < nr_ext_test_policies; i++) {
		cpu = cpumask_first_and(&ext_test_policies[i].cpus, cpu_online_mask);
		policy = cpu < nr_cpu_ids ? cpufreq_cpu_get(cpu) : NULL;
		if (!policy)
			continue;
		down_write(&policy->rwsem);
		refresh_frequency_limits(policy);
		up_write(&policy->rwsem);
		cpufreq_cpu_put(policy);
	}
	cpus_read_unlock();
}

static int ext_test_set_hw_max(const char *val, const struct kernel_param *kp)
{
	unsigned int khz;
	int ret;

	ret = kstrtouint(val, 0, &khz);
	if (ret)
		return ret;
	if (khz && khz < lowest_khz)
		return -EINVAL;

	WRITE_ONCE(hw_max_khz, khz);
	if (READ_ONCE(ext_test_registered))
		ext_test_refresh_limits();

	return 0;
}

/********************************* debugfs *********************************/

static int ext_test_log_show(struct seq_file *m, void *unused)
{
	struct ext_test_transition t;
	u64 i, end;

	end = READ_ONCE(ext_test_logged);
	for (i = end > EXT_TEST_LOG_LENGTH ? end - EXT_TEST_LOG_LENGTH : 0; i < end; i++) {
		scoped_guard(raw_spinlock_irqsave, &ext_test_lock)
			t = ext_test_log[i % EXT_TEST_LOG_LENGTH];
		seq_printf(m, "%llu %llu %u %u %u %u %u %d %d %s\n",
			   t.start_ns, t.end_ns, t.policy, t.from_khz, t.to_khz,
			   t.min_khz, t.max_khz, t.relation, -t.err,
			   *t.judgement ? t.judgement : "fine");
	}

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ext_test_log);

static void ext_test_create_files(void)
{
	struct ext_test_policy *dp;
	struct dentry *dir;
	char name[16];

	ext_test_dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("log", 0444, ext_test_dir, NULL, &ext_test_log_fops);
	for (dp = ext_test_policies; dp < ext_test_policies + nr_ext_test_policies; dp++) {
		snprintf(name, sizeof(name), "policy%u", cpumask_first(&dp->cpus));
		dir = debugfs_create_dir(name, ext_test_dir);
		debugfs_create_u64("transitions", 0444, dir, &dp->transitions);
		debugfs_create_u64("failed", 0444, dir, &dp->failed);
		debugfs_create_u64("fast_switches", 0444, dir, &dp->fast_switches);
		debugfs_create_u64("verified", 0444, dir, &dp->verified);
		debugfs_create_u64("violations", 0444, dir, &dp->violations);
		debugfs_create_u64("raced", 0444, dir, &dp->raced);
		debugfs_create_u32("cur_khz", 0444, dir, &dp->cur_khz);
	}
}

/******************************** the module ********************************/

static int ext_test_init_table(void)
{
	unsigned int i;

	if (!nr_freqs)
		return -EINVAL;

	lowest_khz = UINT_MAX;
	for (i = 0; i < nr_freqs; i++) {
		ext_test_table[i].frequency = freqs_khz[i];
		lowest_khz = min(lowest_khz, freqs_khz[i]);
		highest_khz = max(highest_khz, freqs_khz[i]);
	}
	ext_test_table[i].frequency = CPUFREQ_TABLE_END;

	return 0;
}

static int ext_test_init_policies(void)
{
	struct ext_test_policy *dp = NULL;
	unsigned int cpu, left = 0, n = 0;

	ext_test_policies = kcalloc(nr_cpu_ids, sizeof(*ext_test_policies), GFP_KERNEL);
	if (!ext_test_policies)
		return -ENOMEM;

	for_each_possible_cpu(cpu) {
		if (!left) {
			if (n == max_policies)
				break;
			left = policy_cpus[min(n, nr_policy_cpus - 1)];
			if (!left)
				return -EINVAL;
			dp = &ext_test_policies[n++];
			dp->cur_khz = lowest_khz;
			INIT_WORK(&dp->async_work, ext_test_async_work);
		}
		cpumask_set_cpu(cpu, &dp->cpus);
		left--;
	}
	nr_ext_test_policies = n;

	return n ? 0 : -EINVAL;
}

static void ext_test_init_callbacks(void)
{
	if (target || !table)
		ext_test_driver.target = ext_test_target;
	else
		ext_test_driver.target_index = ext_test_target_index;
	if (table)
		ext_test_driver.attr = EXT_TEST_TABLE_ATTR;
	if (fast_switch)
		ext_test_driver.fast_switch = ext_test_fast_switch;
	if (governor_per_policy)
		ext_test_driver.flags |= CPUFREQ_HAVE_GOVERNOR_PER_POLICY;
	if (need_update_limits)
		ext_test_driver.flags |= CPUFREQ_NEED_UPDATE_LIMITS;
	if (async_notification)
		ext_test_driver.flags |= CPUFREQ_ASYNC_NOTIFICATION;
}

static int __init ext_test_module_init(void)
{
	int ret;

	ret = ext_test_init_table() ?: ext_test_init_policies();
	if (ret) {
		pr_err("wrong parameters: give freqs_khz, policy_cpus and max_policies of 1 or more\n");
		goto free;
	}
	ext_test_init_callbacks();

	ret = cpufreq_register_driver(&ext_test_driver);
	if (ret) {
		pr_err("not registered (%d): %s\n", ret, ret == -EEXIST ?
		       "unload the other cpufreq driver" :
		       "give freqs_khz above 0, each once");
		goto free;
	}
	ext_test_create_files();
	WRITE_ONCE(ext_test_registered, true);

	return 0;

free:
	kfree(ext_test_policies);
	return ret;
}
module_init(ext_test_module_init);

static void __exit ext_test_module_exit(void)
{
	WRITE_ONCE(ext_test_registered, false);
	debugfs_remove(ext_test_dir);
	cpufreq_unregister_driver(&ext_test_driver);
	kfree(ext_test_policies);
}
module_exit(ext_test_module_exit);

MODULE_AUTHOR("The cpufreq_ext developers");
MODULE_DESCRIPTION("cpufreq driver without hardware, for the tests of the governor ext");
MODULE_LICENSE("GPL");
