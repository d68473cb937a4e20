// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inputs of a governor under test, in place of the kfuncs that measure.
 *
 * Only what the test asked for sees them: the registration, changes of limits
 * and kicks.  A sample that the load of the machine led to gets an error, as it
 * would from a kfunc, so that the governor keeps frequency and state.
 */
#include "cpufreq_ext.bpf.h"
#include <bpf/bpf_core_read.h>

#define INPUTS_MAX_CPUS	256

char _license[] SEC("license") = "GPL";

/* By CPU; written by the test */
struct inputs_cpu inputs_cpus[INPUTS_MAX_CPUS];

/* Kicks that were served and changes of limits, by policy->cpu */
u32 inputs_kicks[INPUTS_MAX_CPUS];
u32 inputs_limits[INPUTS_MAX_CPUS];

/* What the last kick led to: frequency in kHz and time to the next sample */
u32 inputs_freq[INPUTS_MAX_CPUS];
u64 inputs_delay_us[INPUTS_MAX_CPUS];

struct inputs_task {
	u64 policy;
	u32 cpu;
};

/* Tasks that are in one of the functions below, and the policy that they ask */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, u32);
	__type(value, struct inputs_task);
} inputs_tasks SEC(".maps");

static void inputs_enter(void)
{
	struct inputs_task task = { .cpu = INPUTS_MAX_CPUS };
	u32 pid = bpf_get_current_pid_tgid();

	bpf_map_update_elem(&inputs_tasks, &pid, &task, BPF_ANY);
}

static void inputs_leave(void)
{
	u32 pid = bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&inputs_tasks, &pid);
}

static void inputs_count_kick(void)
{
	u32 pid = bpf_get_current_pid_tgid();
	struct inputs_task *task = bpf_map_lookup_elem(&inputs_tasks, &pid);
	struct cpufreq_policy *policy;
	struct policy_dbs_info *dbs;
	u32 cpu;

	if (!task)
		return;
	cpu = task->cpu;
	if (cpu >= INPUTS_MAX_CPUS)
		return;

	policy = (void *)task->policy;
	dbs = BPF_CORE_READ(policy, governor_data);
	inputs_freq[cpu] = BPF_CORE_READ(policy, cur);
	inputs_delay_us[cpu] = (u64)BPF_CORE_READ(dbs, sample_delay_ns) / 1000;
	__sync_fetch_and_add(&inputs_kicks[cpu], 1);
}

SEC("fentry/cpufreq_ext_reg")
int BPF_PROG(inputs_enter_reg)
{
	inputs_enter();
	return 0;
}

SEC("fexit/cpufreq_ext_reg")
int BPF_PROG(inputs_leave_reg)
{
	inputs_leave();
	return 0;
}

SEC("fentry/cpufreq_ext_gov_limits")
int BPF_PROG(inputs_enter_limits, struct cpufreq_policy *policy)
{
	inputs_enter();
	return 0;
}

SEC("fexit/cpufreq_ext_gov_limits")
int BPF_PROG(inputs_leave_limits, struct cpufreq_policy *policy)
{
	u32 cpu = policy->cpu;

	inputs_leave();
	if (cpu < INPUTS_MAX_CPUS)
		__sync_fetch_and_add(&inputs_limits[cpu], 1);
	return 0;
}

SEC("fentry/cpufreq_ext_kick_work")
int BPF_PROG(inputs_enter_kick)
{
	inputs_enter();
	return 0;
}

SEC("fexit/cpufreq_ext_kick_work")
int BPF_PROG(inputs_leave_kick)
{
	inputs_count_kick();
	inputs_leave();
	return 0;
}

/* Inputs of a CPU, or NULL for a caller that is to get none */
static struct inputs_cpu *inputs_get(struct cpufreq_policy *policy, u32 cpu)
{
	u32 pid = bpf_get_current_pid_tgid();
	struct inputs_task *task = bpf_map_lookup_elem(&inputs_tasks, &pid);

	if (!task || cpu >= INPUTS_MAX_CPUS)
		return NULL;
	task->policy = (u64)policy;
	task->cpu = policy->cpu;

	return &inputs_cpus[cpu];
}

#define ENODEV	19

int bpf_cpufreq_policy_load(struct cpufreq_policy *policy __arg_trusted)
{
	struct inputs_cpu *in = inputs_get(policy, policy->cpu);

	return in ? in->load : -ENODEV;
}

int bpf_cpufreq_policy_sample_load(struct cpufreq_policy *policy __arg_trusted)
{
	struct inputs_cpu *in = inputs_get(policy, policy->cpu);

	return in ? in->sample_load : -ENODEV;
}

int bpf_cpufreq_policy_idle_periods(struct cpufreq_policy *policy __arg_trusted)
{
	struct inputs_cpu *in = inputs_get(policy, policy->cpu);

	return in ? in->idle_periods : -ENODEV;
}

int bpf_cpufreq_policy_sampling_rate(struct cpufreq_policy *policy __arg_trusted)
{
	struct inputs_cpu *in = inputs_get(policy, policy->cpu);

	return in ? in->sampling_rate : -ENODEV;
}

s64 bpf_cpufreq_policy_cpu_idle_time(struct cpufreq_policy *policy __arg_trusted,
				     u32 cpu, bool io_is_busy,
				     u64 *wall_us __arg_nonnull)
{
	struct inputs_cpu *in = inputs_get(policy, cpu);

	if (!in)
		return -ENODEV;
	*wall_us = in->wall;

	return io_is_busy ? in->idle - in->io_wait : in->idle;
}

/* Run with the number of a CPU */
SEC("syscall")
int inputs_kick(u32 *cpu)
{
	return bpf_cpufreq_kick_cpu(*cpu);
}
