// SPDX-License-Identifier: GPL-2.0-only
/*
 * interactive: made for devices that somebody touches.  When the load rises, a
 * policy goes to a high frequency at once, and it stays there for a while.
 *
 * At each sample the load of the busiest CPU tells the lowest frequency at which
 * it would be no more than its target load.  Two rules bend that choice: from a
 * load of go_hispeed_load on it is at least hispeed_freq, beyond which it only
 * rises after above_hispeed_delay; and it falls no earlier than min_sample_time
 * after the frequency was last needed.
 *
 * Tunables:
 *
 *   hispeed_freq		first step under load, 0 for the maximum
 *   go_hispeed_load		load that takes it
 *   above_hispeed_delay	least time before each step beyond it, a list
 *   target_loads		loads to aim for, a list by frequency
 *   min_sample_time		least time before a lower frequency
 *   timer_rate			time between samples
 *   boost			at least hispeed_freq while it is 1
 *   boostpulse			write 1: the same for boostpulse_duration
 *   io_is_busy			count the time spent waiting for I/O as load
 */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

#define MAX_STEPS	64

char _license[] SEC("license") = "GPL";

CPUFREQ_EXT_TUNABLE("0..", "kHz", "first step under load, 0 for the maximum")
u32 hispeed_freq = 0;
CPUFREQ_EXT_TUNABLE("0..", "%", "load from which the frequency is hispeed_freq or more")
u32 go_hispeed_load = 99;
CPUFREQ_EXT_TUNABLE("0..", "us",
		    "least time at a frequency from hispeed_freq on before a higher one")
struct cpufreq_ext_list above_hispeed_delay = CPUFREQ_EXT_LIST(20000);
CPUFREQ_EXT_TUNABLE("1..", "%", "load to aim for, by frequency")
struct cpufreq_ext_list target_loads = CPUFREQ_EXT_LIST(90);
CPUFREQ_EXT_TUNABLE("0..", "us", "least time at a frequency before a lower one")
u32 min_sample_time = 80000;
CPUFREQ_EXT_TUNABLE("1..2000000", "us", "time between samples")
u32 timer_rate = 20000;
CPUFREQ_EXT_TUNABLE("0..1", "", "keep the frequency at hispeed_freq or more")
u32 boost = 0;
CPUFREQ_EXT_TUNABLE("0..1", "", "write 1 to boost once, for boostpulse_duration")
u32 boostpulse = 0;
CPUFREQ_EXT_TUNABLE("0..", "us", "time that a boostpulse lasts")
u32 boostpulse_duration = 80000;
CPUFREQ_EXT_TUNABLE("0..1", "", "count the time in which tasks wait for I/O as load")
u32 io_is_busy = 0;

/* By policy->cpu; times are in microseconds, frequencies in kHz. */
static struct interactive_policy {
	u32 target;		/* chosen by the last sample */
	u32 freq;		/* in force since the last decision */
	u32 floor;		/* not to fall below it too early */
	bool io_is_busy;	/* how the current window counts */
	bool no_sample;		/* the next decision is not due to a sample */
	u64 floor_time;		/* when the floor was last needed */
	u64 hispeed_time;	/* when the last step was allowed */
} interactive_policies[CPUFREQ_EXT_MAX_CPUS];

static struct {
	u64 wall;		/* time up to which this CPU was measured */
	s64 idle;		/* its idle time by then */
	u64 window_start;	/* time of the last sample */
	u64 work;		/* since then, in us of busy time times kHz */
} interactive_cpus[CPUFREQ_EXT_MAX_CPUS];

static u64 interactive_boost_end;

/* Value of a list for @freq; an invalid list is nothing but @fallback. */
static u32 list_value(struct cpufreq_ext_list *list, u32 freq, u32 fallback)
{
	u32 buffer = list->active & 1;
	u32 nr = list->buffers[buffer].nr;
	u32 value = list->buffers[buffer].values[0];
	u64 at = 1;

	if (nr % 2 == 0 || nr > CPUFREQ_EXT_LIST_LEN)
		return fallback;

	bpf_repeat(CPUFREQ_EXT_LIST_LEN / 2) {
		if (at >= nr || at >= CPUFREQ_EXT_LIST_LEN - 1 ||
		    list->buffers[buffer].values[at] > freq)
			break;
		value = list->buffers[buffer].values[at + 1];
		at += 2;
	}

	return value;
}

/* Add what each CPU did since the last decision; return the time, or 0. */
static u64 account(struct cpufreq_policy *policy, struct interactive_policy *p)
{
	u64 cpu = cpufreq_ext_first_cpu(policy);
	u64 now = 0;

	bpf_repeat(CPUFREQ_EXT_MAX_CPUS) {
		u64 spent;
		s64 idle;

		if (cpu >= CPUFREQ_EXT_MAX_CPUS)
			break;
		idle = bpf_cpufreq_policy_cpu_idle_time(policy, cpu, p->io_is_busy, &now);
		if (idle < 0)
			return 0;

		spent = now - interactive_cpus[cpu].wall;
		if (idle > interactive_cpus[cpu].idle)
			spent -= idle - interactive_cpus[cpu].idle;
		/* The clocks of idle and wall time may differ a little. */
		if ((s64)spent > 0)
			interactive_cpus[cpu].work += spent * p->freq;
		interactive_cpus[cpu].wall = now;
		interactive_cpus[cpu].idle = idle;
		cpu = cpufreq_ext_cpus[cpu].next;
	}

	return now;
}

/*
 * Begin a window on each CPU.  Return the greatest work of the one that ends, as
 * the load in percent that it would be at 1 kHz.
 */
static u64 new_window(struct cpufreq_policy *policy)
{
	u64 cpu = cpufreq_ext_first_cpu(policy);
	u64 max_load = 0;

	bpf_repeat(CPUFREQ_EXT_MAX_CPUS) {
		u64 length, load;

		if (cpu >= CPUFREQ_EXT_MAX_CPUS)
			break;
		length = interactive_cpus[cpu].wall - interactive_cpus[cpu].window_start;
		load = length ? interactive_cpus[cpu].work * 100 / length : 0;
		if (load > max_load)
			max_load = load;
		interactive_cpus[cpu].window_start = interactive_cpus[cpu].wall;
		interactive_cpus[cpu].work = 0;
		cpu = cpufreq_ext_cpus[cpu].next;
	}

	return max_load;
}

/*
 * The lowest frequency at which the load is not above its target.  As the target
 * depends on the frequency, try until the result repeats.  What was tried bounds
 * the search, because it could go to and fro without end.
 */
static u32 choose_freq(struct cpufreq_policy *policy, u64 load)
{
	u32 freq = policy->cur, too_low = 0, enough = ~0U;

	bpf_repeat(MAX_STEPS) {
		u64 wanted = load / (list_value(&target_loads, freq, 90) ?: 90);
		u32 prev = freq;

		freq = bpf_cpufreq_policy_table_freq(policy, wanted < enough ? wanted : enough,
						     CPUFREQ_RELATION_L);
		if (freq == prev)
			break;

		if (freq > prev) {
			too_low = prev;
			if (freq < enough)
				continue;
			freq = bpf_cpufreq_policy_table_freq(policy, enough - 1,
							     CPUFREQ_RELATION_H);
			if (freq == too_low)
				return enough;
		} else {
			enough = prev;
			if (freq > too_low)
				continue;
			freq = bpf_cpufreq_policy_table_freq(policy, too_low + 1,
							     CPUFREQ_RELATION_L);
			if (freq == enough)
				return enough;
		}
	}

	return freq;
}

static bool boosted(u64 now)
{
	if (boostpulse) {
		boostpulse = 0;
		interactive_boost_end = now + boostpulse_duration;
	}

	return boost || now < interactive_boost_end;
}

/* Choose the next target of a policy from the @load at 1 kHz. */
static void sample(struct cpufreq_policy *policy, struct interactive_policy *p,
		   u64 load, u64 now)
{
	u32 hispeed = hispeed_freq ?: policy->max;
	bool boost_now = boosted(now);
	u32 freq;

	if (boost_now || load / (p->target ?: 1) >= go_hispeed_load) {
		freq = hispeed;
		if (p->target >= hispeed) {
			freq = choose_freq(policy, load);
			if (freq < hispeed)
				freq = hispeed;
		}
	} else {
		freq = choose_freq(policy, load);
	}

	if (p->target >= hispeed && freq > p->target &&
	    now - p->hispeed_time < list_value(&above_hispeed_delay, p->target, 20000))
		return;
	p->hispeed_time = now;

	freq = bpf_cpufreq_policy_table_freq(policy, freq, CPUFREQ_RELATION_L);
	if (freq < p->floor && now - p->floor_time < min_sample_time)
		return;

	/* After a boost to hispeed_freq the frequency may fall at once. */
	if (!boost_now || freq > hispeed) {
		p->floor = freq;
		p->floor_time = now;
	}
	p->target = freq;
}

SEC("struct_ops/interactive_get_next_freq")
unsigned long BPF_PROG(interactive_get_next_freq, struct cpufreq_policy *policy)
{
	struct interactive_policy *p;
	u32 cpu = policy->cpu;
	u64 now;

	if (cpu >= CPUFREQ_EXT_MAX_CPUS)
		return 0;
	p = &interactive_policies[cpu];

	now = account(policy, p);
	if (!now)
		return 0;

	if (p->io_is_busy != !!io_is_busy) {
		/* The idle times of both kinds cannot be compared. */
		p->io_is_busy = io_is_busy;
		account(policy, p);
		new_window(policy);
	} else if (!p->no_sample) {
		sample(policy, p, new_window(policy), now);
	}
	p->no_sample = false;

	return bpf_cpufreq_policy_table_freq(policy, p->target, CPUFREQ_RELATION_H);
}

/* Called after each decision, when its frequency has been set. */
SEC("struct_ops/interactive_get_sampling_rate")
unsigned int BPF_PROG(interactive_get_sampling_rate, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu;

	if (cpu < CPUFREQ_EXT_MAX_CPUS)
		interactive_policies[cpu].freq = policy->cur;

	return timer_rate;
}

/* The limits split the window, as the frequency may have changed with them. */
SEC("struct_ops/interactive_limits")
void BPF_PROG(interactive_limits, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu;

	if (cpu < CPUFREQ_EXT_MAX_CPUS)
		interactive_policies[cpu].no_sample = true;
}

SEC("struct_ops/interactive_start")
int BPF_PROG(interactive_start, struct cpufreq_policy *policy)
{
	struct interactive_policy *p;
	u32 cpu = policy->cpu;

	if (cpu >= CPUFREQ_EXT_MAX_CPUS)
		return -E2BIG;
	p = &interactive_policies[cpu];

	cpufreq_ext_list_cpus(policy);
	p->target = policy->cur;
	p->freq = policy->cur;
	p->floor = policy->cur;
	p->io_is_busy = io_is_busy;
	p->no_sample = true;
	p->floor_time = account(policy, p);
	p->hispeed_time = p->floor_time;
	new_window(policy);

	return 0;
}

CPUFREQ_EXT_GOVERNOR("for devices with a screen: a high frequency at once, and for a while")
SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local interactive = {
	.get_next_freq		= (void *)interactive_get_next_freq,
	.get_sampling_rate	= (void *)interactive_get_sampling_rate,
	.start			= (void *)interactive_start,
	.limits			= (void *)interactive_limits,
	.name			= "interactive",
};
