// SPDX-License-Identifier: GPL-2.0-only
/*
 * ondemand: to the maximum when a CPU is busy, in proportion to the load
 * otherwise.  Decides as the kernel's governor of that name does.
 *
 * Tunables:
 *
 *   up_threshold		load above which the maximum is set
 *   sampling_down_factor	samples are that many times rarer at the maximum, but
 *				come every 2 seconds at least
 *   powersave_bias		thousandths to take off each frequency: it becomes
 *				the average of two that take turns
 *
 * sampling_rate, ignore_nice_load and io_is_busy are those of ext itself, in the
 * folder ext/ in sysfs, as ext measures the load.  The kernel's ondemand sets
 * io_is_busy by default on Intel's CPUs, ext does not.
 *
 * A write of a tunable shows at the next sample, by its new value: to write the
 * value that it has already is nothing here, where the kernel's ondemand starts
 * anew.  What it does when sums exceed 32 bits is the same on purpose.
 */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

CPUFREQ_EXT_TUNABLE("1..100", "%", "load above which the frequency is the maximum")
u32 up_threshold = 95;
CPUFREQ_EXT_TUNABLE("1..100000", "", "sampling periods between two samples at the maximum")
u32 sampling_down_factor = 1;
CPUFREQ_EXT_TUNABLE("0..1000", "1/1000", "part of each frequency to do without")
u32 powersave_bias = 0;

/* What is needed besides the load; by policy->cpu, frequencies in kHz */
static struct ondemand_policy {
	u32 delay_us;		/* time to the next sample */
	u32 rate_mult;		/* sampling_down_factor at the maximum, or 1 */
	u32 freq_lo;		/* the second of two frequencies, 0 for none */
	u32 delay_lo_us;	/* how long it lasts */
	bool second;		/* it is its turn */
	bool no_sample;		/* the next decision is not due to a sample */
	u32 rate_us;		/* tunables at the last sample */
	u32 down_factor;
	u32 bias;
} ondemand_policies[CPUFREQ_EXT_MAX_CPUS];

/* By policy->cpu, too: it has a sampling period of its own, or no sample yet. */
static bool ondemand_special[CPUFREQ_EXT_MAX_CPUS];

/* ext ejects who leaves a busy policy alone for longer. */
static void set_delay(struct cpufreq_policy *policy, u32 delay_us)
{
	bpf_cpufreq_policy_set_sampling_rate(policy, delay_us < CPUFREQ_EXT_MAX_RATE_US ?
					     delay_us : CPUFREQ_EXT_MAX_RATE_US);
}

/* Have two frequencies take turns in a period, so that their mean is biased. */
static u32 bias_freq(struct cpufreq_policy *policy, struct ondemand_policy *p,
		     u32 freq, u32 relation)
{
	u32 low, high, mean;

	if (!policy->freq_table)
		return freq;

	freq = bpf_cpufreq_policy_table_freq(policy, freq, relation);
	mean = freq - freq * p->bias / 1000;
	low = bpf_cpufreq_policy_table_freq(policy, mean, CPUFREQ_RELATION_H);
	high = bpf_cpufreq_policy_table_freq(policy, mean, CPUFREQ_RELATION_L);
	if (low == high)
		return low;

	p->delay_us = ((mean - low) * p->rate_us + (high - low) / 2) / (high - low);
	p->delay_lo_us = p->rate_us - p->delay_us;
	p->freq_lo = low;
	p->second = p->delay_us;

	return high;
}

static u32 max_freq(struct cpufreq_policy *policy)
{
	/* To keep a frequency is cheaper than to set it. */
	return policy->cur == policy->max ? 0 : policy->max;
}

static u32 load_freq(struct cpufreq_policy *policy, u32 load)
{
	u32 min_freq = policy->cpuinfo.min_freq;

	return min_freq + load * (policy->cpuinfo.max_freq - min_freq) / 100;
}

static u32 sample(struct cpufreq_policy *policy, struct ondemand_policy *p,
		  u32 load)
{
	u32 freq;

	if (load > up_threshold) {
		if (policy->cur < policy->max)
			p->rate_mult = p->down_factor;
		p->delay_us = p->rate_us * p->rate_mult;
		if (p->bias)
			return bias_freq(policy, p, policy->max, CPUFREQ_RELATION_H);
		return max_freq(policy);
	}

	p->rate_mult = 1;
	p->delay_us = p->rate_us;
	freq = load_freq(policy, load);
	if (p->bias)
		freq = bias_freq(policy, p, freq, CPUFREQ_RELATION_L);

	return bpf_cpufreq_policy_table_freq(policy, freq, CPUFREQ_RELATION_C);
}

static bool tunables_are_special(void)
{
	return sampling_down_factor != 1 || powersave_bias;
}

/* All that can make a policy special in one sum, as a branch for each costs more */
static bool is_special(u32 cpu)
{
	return sampling_down_factor + powersave_bias +
	       ondemand_special[cpu % CPUFREQ_EXT_MAX_CPUS] != 1;
}

/* Look for tunables that were written since the last sample. */
static void update_tunables(struct ondemand_policy *p, u32 rate_us)
{
	/* The sample after a change of the rate is always a whole one. */
	if (p->rate_us != rate_us)
		p->second = false;
	if (p->down_factor != sampling_down_factor)
		p->rate_mult = 1;
	/* What is left of the period is spent at the minimum. */
	if (p->bias != powersave_bias)
		p->freq_lo = 0;
	p->rate_us = rate_us;
	p->down_factor = sampling_down_factor;
	p->bias = powersave_bias;
}

static __noinline u32 decide_special(struct cpufreq_policy *policy)
{
	struct ondemand_policy *p;
	u32 freq, cpu = policy->cpu;
	int rate_us, load;

	if (cpu >= CPUFREQ_EXT_MAX_CPUS)
		return 0;
	p = &ondemand_policies[cpu];
	ondemand_special[cpu] = true;

	rate_us = bpf_cpufreq_policy_sampling_rate(policy);
	if (rate_us < 0)
		return 0;
	if (p->no_sample) {
		p->no_sample = false;
		set_delay(policy, p->delay_us);
		return 0;
	}

	update_tunables(p, rate_us);
	if (p->second) {
		p->second = false;
		set_delay(policy, p->delay_lo_us);
		return p->freq_lo ?: policy->min;
	}

	load = bpf_cpufreq_policy_load(policy);
	if (load < 0)
		return 0;

	freq = sample(policy, p, load);
	ondemand_special[cpu] = tunables_are_special();
	set_delay(policy, ondemand_special[cpu] ? p->delay_us : 0);

	return freq;
}

/* Most decisions leave the sampling period to ext, and need no more than this. */
SEC("struct_ops/ondemand_get_next_freq")
unsigned long BPF_PROG(ondemand_get_next_freq, struct cpufreq_policy *policy)
{
	u32 load;

	if (is_special(policy->cpu))
		return decide_special(policy);

	/* No error: this is a decision for this policy. */
	load = bpf_cpufreq_policy_load(policy);
	if (load > up_threshold)
		return max_freq(policy);

	return bpf_cpufreq_policy_table_freq(policy, load_freq(policy, load),
					     CPUFREQ_RELATION_C);
}

/* ext has brought the frequency within the limits; a sample follows soon. */
SEC("struct_ops/ondemand_limits")
void BPF_PROG(ondemand_limits, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu;

	if (cpu >= CPUFREQ_EXT_MAX_CPUS)
		return;

	ondemand_policies[cpu].delay_us = 1;
	ondemand_policies[cpu].second = false;
	ondemand_policies[cpu].no_sample = true;
	ondemand_special[cpu] = true;
}

SEC("struct_ops/ondemand_start")
int BPF_PROG(ondemand_start, struct cpufreq_policy *policy)
{
	struct ondemand_policy *p;
	u32 cpu = policy->cpu;

	if (cpu >= CPUFREQ_EXT_MAX_CPUS)
		return -E2BIG;
	p = &ondemand_policies[cpu];

	p->rate_mult = 1;
	p->rate_us = 0;
	p->delay_us = 0;
	p->second = false;
	p->no_sample = true;
	ondemand_special[cpu] = true;
	p->down_factor = sampling_down_factor;
	p->bias = powersave_bias;

	return 0;
}

CPUFREQ_EXT_GOVERNOR("the maximum when a CPU is busy, in proportion to the load otherwise")
SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local ondemand = {
	.get_next_freq	= (void *)ondemand_get_next_freq,
	.start		= (void *)ondemand_start,
	.limits		= (void *)ondemand_limits,
	.name		= "ondemand",
};
