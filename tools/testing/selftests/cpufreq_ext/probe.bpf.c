// SPDX-License-Identifier: GPL-2.0-only
/*
 * A governor that does what the test says and counts what the kernel does.
 *
 * The variables of the first group are written by the test at any time, those
 * of the second by the governor.
 */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

#define PROBE_MAX_CPUS	256

char _license[] SEC("license") = "GPL";

unsigned long want_freq;		/* returned by get_next_freq */
unsigned int want_rate_us;		/* returned by get_sampling_rate */
int want_init;				/* returned by init */
int want_start;				/* returned by the start below */
int want_start_nth = 1;			/* which start fails, counted from 1 */
int want_setspeed;			/* returned by store_setspeed */
int want_loads;				/* calls of the load kfunc a decision */
__u32 want_table_khz, want_table_relation;
__u32 want_has_cpu;
int want_next_cpu;
int only_cpu = -1;			/* the kfuncs only for this policy */
__u64 want_spin_ns;			/* how long each decision takes */

__u32 nr_next, nr_rate, nr_init, nr_exit, nr_start, nr_stop, nr_limits;
__u32 nr_setspeed, last_setspeed;
__u32 nr_next_cpu[PROBE_MAX_CPUS];	/* decisions by policy->cpu */
int active[PROBE_MAX_CPUS];		/* starts less stops by policy->cpu */
__u64 last_ns[PROBE_MAX_CPUS];		/* time of the last decision */
__u64 gap_ns[PROBE_MAX_CPUS];		/* and the time to the one before it */
int idle_foreign;			/* idle time of CPU want_has_cpu */
int load, load_again, load_in_start, load_in_stop, kick_in_setspeed;
int has_cpu, has_cpu_beyond, table_freq;
int next_cpu;				/* after want_next_cpu */
int cpus[PROBE_MAX_CPUS], nr_cpus;	/* of the policy, as next_cpu has them */
int sample_load, idle_periods, sampling_rate;
int most_idle_periods, most_idle_load;	/* of the decision after most idleness */
__u64 wall_us;
__s64 idle_us, idle_other;
__u32 nr_dbs_update;			/* load computations of the dbs core */
__u32 stops_at_exit;			/* nr_stop when exit was called */
__u32 next_at_limits[PROBE_MAX_CPUS];	/* decisions when limits was called */
__u32 nr_limits_undecided;		/* limits without a decision after it */
__u32 nr_limits_decided;		/* and with one */

/* Of a second governor in the same object */
unsigned long other_freq;
int other_start;
__u32 other_next, other_init, other_exit, other_nstart, other_nstop;

static void walk(struct cpufreq_policy *policy)
{
	int cpu = -1, n;

	bpf_for(n, 0, PROBE_MAX_CPUS) {
		cpu = bpf_cpufreq_policy_next_cpu(policy, cpu);
		if (cpu < 0)
			break;
		cpus[n & (PROBE_MAX_CPUS - 1)] = cpu;
	}
	nr_cpus = n;
}

SEC("struct_ops/probe_next_freq")
unsigned long BPF_PROG(probe_next_freq, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu & (PROBE_MAX_CPUS - 1);
	u64 now = bpf_ktime_get_ns();
	u64 wall = 0;

	__sync_fetch_and_add(&nr_next, 1);
	__sync_fetch_and_add(&nr_next_cpu[cpu], 1);
	gap_ns[cpu] = now - last_ns[cpu];
	last_ns[cpu] = now;

	if (want_spin_ns) {
		int i;

		bpf_for(i, 0, 1 << 23)
			if (bpf_ktime_get_ns() - now >= want_spin_ns)
				break;
	}
	if (only_cpu >= 0 && only_cpu != cpu)
		return want_freq;
	if (want_loads > 0)
		load = bpf_cpufreq_policy_load(policy);
	if (want_loads > 1) {
		load_again = bpf_cpufreq_policy_load(policy);
		sample_load = bpf_cpufreq_policy_sample_load(policy);
		idle_periods = bpf_cpufreq_policy_idle_periods(policy);
		if (idle_periods > most_idle_periods) {
			most_idle_periods = idle_periods;
			most_idle_load = sample_load;
		}
	}
	sampling_rate = bpf_cpufreq_policy_sampling_rate(policy);
	idle_other = bpf_cpufreq_policy_cpu_idle_time(policy, 1 << 30, false, &wall);
	idle_us = bpf_cpufreq_policy_cpu_idle_time(policy, cpu, false, &wall);
	wall_us = wall;
	idle_foreign = bpf_cpufreq_policy_cpu_idle_time(policy, want_has_cpu,
							false, &wall);
	has_cpu = bpf_cpufreq_policy_has_cpu(policy, want_has_cpu);
	next_cpu = bpf_cpufreq_policy_next_cpu(policy, want_next_cpu);
	walk(policy);
	has_cpu_beyond = bpf_cpufreq_policy_has_cpu(policy, 1 << 30);
	table_freq = bpf_cpufreq_policy_table_freq(policy, want_table_khz,
						   want_table_relation);
	return want_freq;
}

SEC("struct_ops/probe_sampling_rate")
unsigned int BPF_PROG(probe_sampling_rate, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&nr_rate, 1);
	return want_rate_us;
}

SEC("struct_ops/probe_init")
int BPF_PROG(probe_init)
{
	nr_init++;
	return want_init;
}

SEC("struct_ops/probe_exit")
void BPF_PROG(probe_exit)
{
	stops_at_exit = nr_stop;
	nr_exit++;
}

SEC("struct_ops/probe_start")
int BPF_PROG(probe_start, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu & (PROBE_MAX_CPUS - 1);

	load_in_start = bpf_cpufreq_policy_load(policy);
	if (__sync_fetch_and_add(&nr_start, 1) + 1 == want_start_nth && want_start)
		return want_start;
	__sync_fetch_and_add(&active[cpu], 1);
	return 0;
}

SEC("struct_ops/probe_stop")
void BPF_PROG(probe_stop, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu & (PROBE_MAX_CPUS - 1);

	load_in_stop = bpf_cpufreq_policy_load(policy);
	__sync_fetch_and_add(&nr_stop, 1);
	__sync_fetch_and_add(&active[cpu], -1);
}

SEC("struct_ops/probe_limits")
void BPF_PROG(probe_limits, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu & (PROBE_MAX_CPUS - 1);

	next_at_limits[cpu] = nr_next_cpu[cpu];
	__sync_fetch_and_add(&nr_limits, 1);
}

SEC("struct_ops/probe_setspeed")
int BPF_PROG(probe_setspeed, struct cpufreq_policy *policy, unsigned int freq)
{
	nr_setspeed++;
	last_setspeed = freq;
	if (!want_setspeed) {
		want_freq = freq;
		kick_in_setspeed = bpf_cpufreq_kick_cpu(policy->cpu);
	}
	return want_setspeed;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local probe = {
	.get_next_freq		= (void *)probe_next_freq,
	.get_sampling_rate	= (void *)probe_sampling_rate,
	.init			= (void *)probe_init,
	.exit			= (void *)probe_exit,
	.start			= (void *)probe_start,
	.stop			= (void *)probe_stop,
	.limits			= (void *)probe_limits,
	.store_setspeed		= (void *)probe_setspeed,
	.name			= "probe",
};

SEC("struct_ops/bare_next_freq")
unsigned long BPF_PROG(bare_next_freq, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&nr_next, 1);
	return want_freq;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local bare = {
	.get_next_freq		= (void *)bare_next_freq,
	.name			= "bare",
};

/* A governor whose period is set, once in a while, instead of asked for */
__u32 set_rate_us;
__u32 set_rate_left;			/* calls that are still to be made */
int set_rate, set_rate_in_start, set_rate_in_stop;	/* what they returned */

SEC("struct_ops/paced_next_freq")
unsigned long BPF_PROG(paced_next_freq, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu & (PROBE_MAX_CPUS - 1);
	u64 now = bpf_ktime_get_ns();

	if (only_cpu >= 0 && only_cpu != cpu)
		return want_freq;
	if (set_rate_left) {
		set_rate = bpf_cpufreq_policy_set_sampling_rate(policy, set_rate_us);
		set_rate_left--;
	}
	gap_ns[cpu] = now - last_ns[cpu];
	last_ns[cpu] = now;
	__sync_fetch_and_add(&nr_next_cpu[cpu], 1);
	return want_freq;
}

SEC("struct_ops/paced_start")
int BPF_PROG(paced_start, struct cpufreq_policy *policy)
{
	set_rate_in_start = bpf_cpufreq_policy_set_sampling_rate(policy, 1000000);
	return 0;
}

SEC("struct_ops/paced_stop")
void BPF_PROG(paced_stop, struct cpufreq_policy *policy)
{
	set_rate_in_stop = bpf_cpufreq_policy_set_sampling_rate(policy, 1000000);
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local paced = {
	.get_next_freq		= (void *)paced_next_freq,
	.start			= (void *)paced_start,
	.stop			= (void *)paced_stop,
	.name			= "paced",
};

SEC("struct_ops/other_next_freq")
unsigned long BPF_PROG(other_next_freq, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&other_next, 1);
	return other_freq;
}

SEC("struct_ops/other_do_init")
int BPF_PROG(other_do_init)
{
	other_init++;
	return 0;
}

SEC("struct_ops/other_do_exit")
void BPF_PROG(other_do_exit)
{
	other_exit++;
}

SEC("struct_ops/other_do_start")
int BPF_PROG(other_do_start, struct cpufreq_policy *policy)
{
	if (__sync_fetch_and_add(&other_nstart, 1) + 1 == want_start_nth)
		return other_start;
	return 0;
}

SEC("struct_ops/other_do_stop")
void BPF_PROG(other_do_stop, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&other_nstop, 1);
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local other = {
	.get_next_freq		= (void *)other_next_freq,
	.init			= (void *)other_do_init,
	.exit			= (void *)other_do_exit,
	.start			= (void *)other_do_start,
	.stop			= (void *)other_do_stop,
	.name			= "other",
};

SEC("fentry/dbs_update")
int BPF_PROG(count_dbs_update, struct cpufreq_policy *policy)
{
	if (only_cpu == policy->cpu)
		__sync_fetch_and_add(&nr_dbs_update, 1);
	return 0;
}

/* The locks of the policy are held from limits to here: no sample between. */
SEC("fexit/cpufreq_ext_gov_limits")
int BPF_PROG(after_limits, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu & (PROBE_MAX_CPUS - 1);

	if (only_cpu != cpu)
		return 0;
	if (next_at_limits[cpu] == nr_next_cpu[cpu])
		__sync_fetch_and_add(&nr_limits_undecided, 1);
	else
		__sync_fetch_and_add(&nr_limits_decided, 1);
	return 0;
}

__u32 kick_cpu;

SEC("syscall")
int kick(void *ctx)
{
	return bpf_cpufreq_kick_cpu(kick_cpu);
}
