// SPDX-License-Identifier: GPL-2.0-only
/*
 * conservative: step by step up while the load is high, and down while it is
 * low.  Decides as the kernel's governor of that name does.
 *
 * Tunables:
 *
 *   up_threshold		load above which a step up is taken
 *   down_threshold		load below which a step down is taken
 *   freq_step			size of a step in percent of the maximum; 0: none
 *   sampling_down_factor	samples before a step down
 *
 * sampling_rate and ignore_nice_load are those of ext itself, in the folder ext/
 * in sysfs, as ext measures the load.
 */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

#define DEFAULT_STEP_KHZ	5

char _license[] SEC("license") = "GPL";

CPUFREQ_EXT_TUNABLE("1..100", "%", "load above which the frequency rises")
u32 up_threshold = 80;
CPUFREQ_EXT_TUNABLE("1..99", "%", "load below which the frequency falls")
u32 down_threshold = 20;
CPUFREQ_EXT_TUNABLE("0..100", "%", "part of the maximum by which the frequency rises or falls")
u32 freq_step = 5;
CPUFREQ_EXT_TUNABLE("1..10", "", "samples before the frequency falls by one step")
u32 sampling_down_factor = 1;

/* By policy->cpu */
static struct conservative_policy {
	u32 wanted;	/* kHz; steps may be smaller than those of the table */
	u32 skipped;	/* samples that could have led to a step down */
	bool no_sample;	/* the next decision is not due to a sample */
} conservative_policies[CPUFREQ_EXT_MAX_CPUS];

/* @freq less @by, but not below the minimum */
static u32 step_down(struct cpufreq_policy *policy, u32 freq, u32 by)
{
	return freq > policy->min + by ? freq - by : policy->min;
}

SEC("struct_ops/conservative_get_next_freq")
unsigned long BPF_PROG(conservative_get_next_freq, struct cpufreq_policy *policy)
{
	int load, sample_load, idle_periods;
	struct conservative_policy *p;
	u32 cpu = policy->cpu;
	u32 wanted, step;

	if (cpu >= CPUFREQ_EXT_MAX_CPUS)
		return 0;
	p = &conservative_policies[cpu];

	if (p->no_sample) {
		p->no_sample = false;
		return 0;
	}

	load = bpf_cpufreq_policy_load(policy);
	sample_load = bpf_cpufreq_policy_sample_load(policy);
	idle_periods = bpf_cpufreq_policy_idle_periods(policy);
	if (load < 0 || sample_load < 0 || idle_periods < 0 || !freq_step)
		return 0;

	if (p->wanted > policy->max || p->wanted < policy->min)
		p->wanted = policy->cur;
	wanted = p->wanted;
	step = freq_step * policy->max / 100 ?: DEFAULT_STEP_KHZ;

	/* An idle policy takes no samples: make up for the steps it has missed. */
	if (sample_load < down_threshold)
		wanted = step_down(policy, wanted, idle_periods * step);

	if (load > up_threshold) {
		p->skipped = 0;
		wanted += step;
		if (wanted > policy->max)
			wanted = policy->max;
		p->wanted = wanted;
		return bpf_cpufreq_policy_table_freq(policy, wanted, CPUFREQ_RELATION_H);
	}

	if (++p->skipped < sampling_down_factor)
		return 0;
	p->skipped = 0;

	if (load >= down_threshold)
		return 0;
	p->wanted = step_down(policy, wanted, step);

	return p->wanted;
}

/* ext has brought the frequency within the limits: go on from there. */
SEC("struct_ops/conservative_limits")
void BPF_PROG(conservative_limits, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu;

	if (cpu >= CPUFREQ_EXT_MAX_CPUS)
		return;

	conservative_policies[cpu].wanted = policy->cur;
	conservative_policies[cpu].no_sample = true;
}

SEC("struct_ops/conservative_start")
int BPF_PROG(conservative_start, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu;

	if (cpu >= CPUFREQ_EXT_MAX_CPUS)
		return -E2BIG;

	conservative_policies[cpu].wanted = policy->cur;
	conservative_policies[cpu].skipped = 0;
	conservative_policies[cpu].no_sample = true;

	return 0;
}

CPUFREQ_EXT_GOVERNOR("a step up while the load is high, and down while it is low")
SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local conservative = {
	.get_next_freq	= (void *)conservative_get_next_freq,
	.start		= (void *)conservative_start,
	.limits		= (void *)conservative_limits,
	.name		= "conservative",
};
