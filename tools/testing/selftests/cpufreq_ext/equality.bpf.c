// SPDX-License-Identifier: GPL-2.0-only
/* Records the decisions of the kernel's governors ondemand and conservative. */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "equality.h"

#define EQUALITY_MAX_CPUS	256

char _license[] SEC("license") = "GPL";

u32 nr_records;
u32 writing;		/* set by the test around writes of tunables */
struct equality_record records[EQUALITY_MAX_RECORDS];

/* The decision that is being made for a policy; its mutex is held. */
static struct equality_record current_records[EQUALITY_MAX_CPUS];
static bool conservative_limits_set[EQUALITY_MAX_CPUS];

static int begin(struct cpufreq_policy *policy, bool anew)
{
	struct policy_dbs_info *dbs = policy->governor_data;
	struct equality_record *r;
	u32 cpu = policy->cpu;
	void *tuners;

	if (cpu >= EQUALITY_MAX_CPUS)
		return 0;
	r = &current_records[cpu];

	r->cpu = cpu;
	r->min = policy->min;
	r->max = policy->max;
	r->cur = policy->cur;
	r->anew = anew;
	r->writing = writing;
	r->load = -1;
	r->sampling_rate = BPF_CORE_READ(dbs, dbs_data, sampling_rate);
	r->up_threshold = BPF_CORE_READ(dbs, dbs_data, up_threshold);
	r->sampling_down_factor = BPF_CORE_READ(dbs, dbs_data, sampling_down_factor);
	tuners = BPF_CORE_READ(dbs, dbs_data, tuners);
	/* ondemand has one u32 in its tuners, conservative has two. */
	bpf_probe_read_kernel(r->others, sizeof(r->others), tuners);

	return 0;
}

static int end(struct cpufreq_policy *policy, unsigned int delay_us)
{
	u32 cpu = policy->cpu, n;

	if (cpu >= EQUALITY_MAX_CPUS || !current_records[cpu].max)
		return 0;

	current_records[cpu].new_cur = policy->cur;
	current_records[cpu].delay_us = delay_us;
	current_records[cpu].writing |= writing;
	n = __sync_fetch_and_add(&nr_records, 1);
	if (n < EQUALITY_MAX_RECORDS)
		records[n] = current_records[cpu];

	return 0;
}

SEC("fentry/od_dbs_update")
int BPF_PROG(ondemand_begin, struct cpufreq_policy *policy)
{
	struct policy_dbs_info *dbs = policy->governor_data;

	return begin(policy, !BPF_CORE_READ(dbs, sample_delay_ns));
}

SEC("fexit/od_dbs_update")
int BPF_PROG(ondemand_end, struct cpufreq_policy *policy, unsigned int delay_us)
{
	return end(policy, delay_us);
}

SEC("fentry/cs_dbs_update")
int BPF_PROG(conservative_begin, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu;
	bool anew = false;

	if (cpu < EQUALITY_MAX_CPUS) {
		anew = conservative_limits_set[cpu];
		conservative_limits_set[cpu] = false;
	}

	return begin(policy, anew);
}

SEC("fentry/cs_limits")
int BPF_PROG(conservative_limits, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu;

	if (cpu < EQUALITY_MAX_CPUS)
		conservative_limits_set[cpu] = true;

	return 0;
}

SEC("fexit/cs_dbs_update")
int BPF_PROG(conservative_end, struct cpufreq_policy *policy, unsigned int delay_us)
{
	return end(policy, delay_us);
}

SEC("fexit/dbs_update")
int BPF_PROG(load_end, struct cpufreq_policy *policy, unsigned int load)
{
	struct policy_dbs_info *dbs = policy->governor_data;
	u32 cpu = policy->cpu;

	if (cpu >= EQUALITY_MAX_CPUS)
		return 0;

	current_records[cpu].load = load;
	current_records[cpu].sample_load = BPF_CORE_READ(dbs, max_sample_load);
	current_records[cpu].idle_periods = BPF_CORE_READ(dbs, idle_periods);

	return 0;
}
