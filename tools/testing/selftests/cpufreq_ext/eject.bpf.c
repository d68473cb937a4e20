// SPDX-License-Identifier: GPL-2.0-only
/*
 * A governor that fails as the test says, two that do not, and programs that see
 * what the kernel tells of it.
 *
 * The variables of the first group are written by the test at any time, those
 * of the second by the programs.
 */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"
#include "eject.h"

char _license[] SEC("license") = "GPL";

void cpufreq_ext_caller_sleep(u32 ms) __ksym __weak;

/* What the operation EJECT_... does; -1 for the policy: any */
int error_in = -1, error_cpu = -1;
int delay_in = -1, delay_cpu = -1;
__u32 delay_ms;				/* sleeps if it can, spins otherwise */
bool delay_spins;
bool kicks;				/* each decision asks for the next one */
char message[EJECT_MESSAGE_LEN];
__u32 message_size;
unsigned long want_freq;
__u32 want_rate_us, want_rate_cpu_us;	/* the latter for policy rate_cpu */
int rate_cpu = -1;
bool alternate;				/* every other rate is the default one */

__u32 calls[EJECT_NR];			/* of each operation */
__u32 next_cpu[EJECT_MAX_CPUS];		/* decisions by policy->cpu */
int active[EJECT_MAX_CPUS];		/* starts less stops by policy->cpu */
__u32 in_delay;				/* operations that are in it now */
__u32 stops_at_exit;
int error_result = 1;			/* of the last bpf_cpufreq_error() */
int timer_result = 1;

__u32 trace_faults, trace_attach, trace_detach, trace_decisions;
char trace_name[CPUFREQ_EXT_NAME_LEN], trace_reason[CPUFREQ_EXT_NAME_LEN];
int trace_fault_cpu = -2;
char trace_attach_name[CPUFREQ_EXT_NAME_LEN], trace_detach_name[CPUFREQ_EXT_NAME_LEN];
int trace_cpu = -1;			/* whose decision is kept: */
__u64 trace_wanted;
__u32 trace_target, trace_delay_us;

static void spin(u32 ms)
{
	u64 end = bpf_ktime_get_ns() + (u64)ms * 1000000;
	int i, k;

	/* Each of the loops is limited to 2^23. */
	bpf_for(i, 0, 1 << 20) {
		if (bpf_ktime_get_ns() >= end)
			break;
		bpf_for(k, 0, 100)
			;
	}
}

/* Whether it gave up */
static bool misbehave(int operation, int cpu)
{
	u32 size = message_size;

	__sync_fetch_and_add(&calls[operation], 1);
	if (delay_in == operation && (cpu < 0 || delay_cpu < 0 || cpu == delay_cpu)) {
		__sync_fetch_and_add(&in_delay, 1);
		if (delay_spins || !bpf_ksym_exists(cpufreq_ext_caller_sleep))
			spin(delay_ms);
		else
			cpufreq_ext_caller_sleep(delay_ms);
		__sync_fetch_and_add(&in_delay, -1);
	}
	if (error_in != operation || (cpu >= 0 && error_cpu >= 0 && cpu != error_cpu) ||
	    size > sizeof(message))
		return false;
	error_result = bpf_cpufreq_error(message, size);
	return true;
}

static u32 slot(struct cpufreq_policy *policy)
{
	return policy->cpu & (EJECT_MAX_CPUS - 1);
}

SEC("struct_ops.s/eject_next_freq")
unsigned long BPF_PROG(eject_next_freq, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&next_cpu[slot(policy)], 1);
	if (kicks)
		bpf_cpufreq_kick_cpu(policy->cpu);
	misbehave(EJECT_NEXT_FREQ, policy->cpu);
	return want_freq;
}

SEC("struct_ops.s/eject_sampling_rate")
unsigned int BPF_PROG(eject_sampling_rate, struct cpufreq_policy *policy)
{
	misbehave(EJECT_SAMPLING_RATE, policy->cpu);
	if (alternate && next_cpu[slot(policy)] % 2)
		return 0;
	return policy->cpu == rate_cpu ? want_rate_cpu_us : want_rate_us;
}

SEC("struct_ops.s/eject_init")
int BPF_PROG(eject_init)
{
	misbehave(EJECT_INIT, -1);
	return 0;
}

SEC("struct_ops.s/eject_exit")
void BPF_PROG(eject_exit)
{
	stops_at_exit = calls[EJECT_STOP];
	misbehave(EJECT_EXIT, -1);
}

SEC("struct_ops.s/eject_start")
int BPF_PROG(eject_start, struct cpufreq_policy *policy)
{
	/* Then it is no start, and no stop follows. */
	if (!misbehave(EJECT_START, policy->cpu))
		__sync_fetch_and_add(&active[slot(policy)], 1);
	return 0;
}

SEC("struct_ops.s/eject_stop")
void BPF_PROG(eject_stop, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&active[slot(policy)], -1);
	misbehave(EJECT_STOP, policy->cpu);
}

SEC("struct_ops.s/eject_limits")
void BPF_PROG(eject_limits, struct cpufreq_policy *policy)
{
	misbehave(EJECT_LIMITS, policy->cpu);
}

SEC("struct_ops.s/eject_setspeed")
int BPF_PROG(eject_setspeed, struct cpufreq_policy *policy, unsigned int freq)
{
	misbehave(EJECT_SETSPEED, policy->cpu);
	return 0;
}

#define EJECT_OPS						\
	.get_next_freq		= (void *)eject_next_freq,	\
	.get_sampling_rate	= (void *)eject_sampling_rate,	\
	.init			= (void *)eject_init,		\
	.exit			= (void *)eject_exit,		\
	.start			= (void *)eject_start,		\
	.stop			= (void *)eject_stop,		\
	.limits			= (void *)eject_limits,		\
	.store_setspeed		= (void *)eject_setspeed

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local eject = {
	EJECT_OPS,
	.name	= "eject",
};

/* Registered without a link */
SEC(".struct_ops")
struct cpufreq_governor_ext_ops___local linkless = {
	EJECT_OPS,
	.name	= "linkless",
};

/* The one that comes after; not sleepable */
int other_error = -1;			/* what its calls of the kfunc return */
bool other_fails;
int other_start_error;			/* returned by its start */
unsigned long other_freq;
__u32 other_next, other_start, other_stop, other_init, other_exit;
__u32 other_limits[EJECT_MAX_CPUS];	/* by policy->cpu */

SEC("struct_ops/other_next_freq")
unsigned long BPF_PROG(other_next_freq, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&other_next, 1);
	if (other_fails && (error_cpu < 0 || policy->cpu == error_cpu))
		other_error = cpufreq_ext_error("policy %d wants %d", policy->cpu, 42);
	return other_freq;
}

static void other_delay(void)
{
	if (!bpf_ksym_exists(cpufreq_ext_caller_sleep))
		return;
	__sync_fetch_and_add(&in_delay, 1);
	cpufreq_ext_caller_sleep(delay_ms);
	__sync_fetch_and_add(&in_delay, -1);
}

SEC("struct_ops.s/other_do_init")
int BPF_PROG(other_do_init)
{
	if (delay_in == EJECT_OTHER_INIT)
		other_delay();
	__sync_fetch_and_add(&other_init, 1);
	return 0;
}

SEC("struct_ops.s/other_do_start")
int BPF_PROG(other_do_start, struct cpufreq_policy *policy)
{
	if (delay_in == EJECT_OTHER_START && policy->cpu == delay_cpu)
		other_delay();
	__sync_fetch_and_add(&other_start, 1);
	return other_start_error;
}

SEC("struct_ops/other_do_stop")
void BPF_PROG(other_do_stop, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&other_stop, 1);
}

SEC("struct_ops/other_do_limits")
void BPF_PROG(other_do_limits, struct cpufreq_policy *policy)
{
	__sync_fetch_and_add(&other_limits[slot(policy)], 1);
}

SEC("struct_ops/other_do_exit")
void BPF_PROG(other_do_exit)
{
	__sync_fetch_and_add(&other_exit, 1);
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local other = {
	.get_next_freq		= (void *)other_next_freq,
	.init			= (void *)other_do_init,
	.start			= (void *)other_do_start,
	.stop			= (void *)other_do_stop,
	.limits			= (void *)other_do_limits,
	.exit			= (void *)other_do_exit,
	.name			= "other",
};

/* A timer that is set by an operation runs outside of any. */
struct timer_value {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct timer_value);
} timers SEC(".maps");

static int on_timer(void *map, u32 *key, struct timer_value *value)
{
	char text[] = "not ours";

	timer_result = bpf_cpufreq_error(text, sizeof(text));
	return 0;
}

SEC("struct_ops/timer_next_freq")
unsigned long BPF_PROG(timer_next_freq, struct cpufreq_policy *policy)
{
	u32 zero = 0;
	struct timer_value *value = bpf_map_lookup_elem(&timers, &zero);

	if (value && !bpf_timer_init(&value->timer, &timers, 1)) {
		bpf_timer_set_callback(&value->timer, on_timer);
		bpf_timer_start(&value->timer, 1000000, 0);
	}
	return 0;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local timer = {
	.get_next_freq		= (void *)timer_next_freq,
	.name			= "timer",
};

SEC("raw_tp/cpufreq_ext_fault")
int on_fault(struct bpf_raw_tracepoint_args *ctx)
{
	bpf_probe_read_kernel_str(trace_name, sizeof(trace_name), (void *)ctx->args[0]);
	bpf_probe_read_kernel_str(trace_reason, sizeof(trace_reason), (void *)ctx->args[1]);
	trace_fault_cpu = ctx->args[2];
	__sync_fetch_and_add(&trace_faults, 1);
	return 0;
}

SEC("raw_tp/cpufreq_ext_attach")
int on_attach(struct bpf_raw_tracepoint_args *ctx)
{
	bpf_probe_read_kernel_str(trace_attach_name, sizeof(trace_attach_name),
				  (void *)ctx->args[1]);
	__sync_fetch_and_add(&trace_attach, 1);
	return 0;
}

SEC("raw_tp/cpufreq_ext_detach")
int on_detach(struct bpf_raw_tracepoint_args *ctx)
{
	bpf_probe_read_kernel_str(trace_detach_name, sizeof(trace_detach_name),
				  (void *)ctx->args[1]);
	__sync_fetch_and_add(&trace_detach, 1);
	return 0;
}

SEC("raw_tp/cpufreq_ext_decision")
int on_decision(struct bpf_raw_tracepoint_args *ctx)
{
	__sync_fetch_and_add(&trace_decisions, 1);
	if ((int)ctx->args[0] == trace_cpu) {
		trace_wanted = ctx->args[1];
		trace_target = ctx->args[2];
		trace_delay_us = ctx->args[3];
	}
	return 0;
}
