// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watches every frequency that is set, by whichever governor: is it within the
 * limits, and was it a decision of ext's fallback?
 *
 * The limits of a policy change without the lock that a decision holds, and wait
 * for it then: during a decision they change once at most.  So what was set has
 * to be within the limits at its begin or those at its end, or between both.
 */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

struct limits {
	u32 min, max;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct limits);
} begun SEC(".maps");			/* by thread */

__u32 nr_set;				/* frequencies set or kept */
__u32 nr_fallback;			/* those of the fallback (and performance) */
__u32 nr_failed;			/* the driver refused */
__u32 nr_transitions;
__u32 nr_limits;			/* changes of limits */
__u32 nr_outside;
__u32 outside_khz, outside_min, outside_max;	/* the last of these */

static void check(struct cpufreq_policy *policy, u32 min, u32 max)
{
	u32 cur = policy->cur;

	/* While they change they may be the wrong way round: the maximum counts. */
	if (cur <= max && (cur >= min || min > max))
		return;
	__sync_fetch_and_add(&nr_outside, 1);
	outside_khz = cur;
	outside_min = min;
	outside_max = max;
}

SEC("fentry/__cpufreq_driver_target")
int BPF_PROG(set_begins, struct cpufreq_policy *policy, unsigned int khz,
	     unsigned int relation)
{
	u32 thread = bpf_get_current_pid_tgid();
	struct limits limits = { policy->min, policy->max };

	bpf_map_update_elem(&begun, &thread, &limits, BPF_ANY);
	return 0;
}

SEC("fexit/__cpufreq_driver_target")
int BPF_PROG(set_ends, struct cpufreq_policy *policy, unsigned int khz,
	     unsigned int relation, int ret)
{
	u32 thread = bpf_get_current_pid_tgid();
	struct limits *limits;
	u32 min, max;

	limits = bpf_map_lookup_elem(&begun, &thread);
	if (!limits)
		return 0;

	__sync_fetch_and_add(&nr_set, 1);
	if (relation == CPUFREQ_RELATION_H)
		__sync_fetch_and_add(&nr_fallback, 1);
	if (ret) {
		__sync_fetch_and_add(&nr_failed, 1);
	} else {
		min = policy->min;
		max = policy->max;
		check(policy, limits->min < min ? limits->min : min,
		      limits->max > max ? limits->max : max);
	}
	bpf_map_delete_elem(&begun, &thread);
	return 0;
}

/* The limits cannot change here, and each decision has seen them. */
static int count_limits(struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&nr_limits, 1);
	check(policy, policy->min, policy->max);
	return 0;
}

SEC("fexit/cpufreq_dbs_governor_limits")
int BPF_PROG(limits_applied, struct cpufreq_policy *policy)
{
	return count_limits(policy);
}

SEC("fexit/cpufreq_ext_gov_limits")
int BPF_PROG(ext_limits_applied, struct cpufreq_policy *policy)
{
	return count_limits(policy);
}

SEC("tp_btf/cpu_frequency")
int BPF_PROG(transition, unsigned int khz, unsigned int cpu)
{
	__sync_fetch_and_add(&nr_transitions, 1);
	return 0;
}
