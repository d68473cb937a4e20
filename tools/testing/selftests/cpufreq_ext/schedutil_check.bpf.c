// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares the kernel's governor schedutil, while it decides, with what the BPF
 * governor schedutil makes of the same run queues.  Linked with that governor.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "equality.h"

#define CHECK_MAX_CPUS	256

char _license[] SEC("license") = "GPL";

u32 nr_utils, nr_freqs, nr_raced;
u32 wrong_utils, wrong_freqs;
u64 last_wrong[2];		/* the kernel's number and ours */
u32 seen_utils[32];		/* a 32nd of the full scale each */

/* The decision that a CPU makes now */
static struct {
	u64 most;
	bool valid;
} decisions[CHECK_MAX_CPUS];

static int begin(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	if (cpu >= CHECK_MAX_CPUS)
		return 0;
	decisions[cpu].most = 0;
	decisions[cpu].valid = true;

	return 0;
}

SEC("fentry/sugov_update_single_freq")
int BPF_PROG(check_begin_single)
{
	return begin();
}

SEC("fentry/sugov_update_shared")
int BPF_PROG(check_begin_shared)
{
	return begin();
}

SEC("fexit/effective_cpu_util")
int BPF_PROG(check_util, int cpu, unsigned long util_fair, unsigned long *min,
	     unsigned long *max, unsigned long util)
{
	u32 this_cpu = bpf_get_smp_processor_id();
	unsigned long low = 0, high = 0;
	u64 ours;

	/* Callers that choose no frequency want no bounds. */
	if (this_cpu >= CHECK_MAX_CPUS || !min || !max)
		return 0;
	bpf_probe_read_kernel(&low, sizeof(low), min);
	bpf_probe_read_kernel(&high, sizeof(high), max);
	util += util / 4;
	if (util > high)
		util = high;
	if (util < low)
		util = low;

	ours = schedutil_util(cpu, 0);
	if (ours > decisions[this_cpu].most)
		decisions[this_cpu].most = ours;
	if (cpu != this_cpu && ours != util) {
		/* That CPU may have been at work in between. */
		__sync_fetch_and_add(&nr_raced, 1);
		decisions[this_cpu].valid = false;
		return 0;
	}

	__sync_fetch_and_add(&nr_utils, 1);
	seen_utils[util / 32 & 31]++;
	if (ours != util) {
		__sync_fetch_and_add(&wrong_utils, 1);
		last_wrong[0] = util;
		last_wrong[1] = ours;
	}

	return 0;
}

SEC("fentry/cpufreq_driver_resolve_freq")
int BPF_PROG(check_freq, struct cpufreq_policy *policy, unsigned int freq)
{
	u32 this_cpu = bpf_get_smp_processor_id();
	u64 ours;

	if (this_cpu >= CHECK_MAX_CPUS || !decisions[this_cpu].valid)
		return 0;
	decisions[this_cpu].valid = false;

	ours = schedutil_reference(policy->cpu, policy->cur, policy->cpuinfo.max_freq) *
	       decisions[this_cpu].most / (schedutil_capacity(policy->cpu) ?: 1);
	__sync_fetch_and_add(&nr_freqs, 1);
	if (ours != freq) {
		__sync_fetch_and_add(&wrong_freqs, 1);
		last_wrong[0] = freq;
		last_wrong[1] = ours;
	}

	return 0;
}
