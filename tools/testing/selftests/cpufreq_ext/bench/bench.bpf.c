// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clocks around a function, and counters of events.
 *
 * The clock is read last before the function and first after it: what is
 * measured is the function and a constant, which a function that does nothing
 * tells.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bench.h"

char _license[] SEC("license") = "GPL";

unsigned int nr_records;
struct bench_record records[BENCH_MAX_RECORDS];

/* The call that is under way on each CPU */
static struct {
	u64 start_ns;
	u32 khz;
} calls[BENCH_MAX_CPUS];

static __always_inline int begin(u32 khz)
{
	u32 cpu = bpf_get_smp_processor_id() & (BENCH_MAX_CPUS - 1);

	calls[cpu].khz = khz;
	barrier();
	calls[cpu].start_ns = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int end(u64 now, u32 khz)
{
	u32 cpu = bpf_get_smp_processor_id() & (BENCH_MAX_CPUS - 1);
	u32 n = nr_records;

	if (n >= BENCH_MAX_RECORDS || !calls[cpu].start_ns)
		return 0;
	records[n].start_ns = calls[cpu].start_ns;
	records[n].cost_ns = now - calls[cpu].start_ns;
	records[n].old_khz = calls[cpu].khz;
	records[n].new_khz = khz;
	records[n].cpu = cpu;
	calls[cpu].start_ns = 0;
	nr_records = n + 1;
	return 0;
}

/* Of a function whose first argument is a policy; the target is set by the user */
SEC("fentry/dbs_update")
int BPF_PROG(policy_begin, struct cpufreq_policy *policy)
{
	return begin(policy->cur);
}

SEC("fexit/dbs_update")
int BPF_PROG(policy_end, struct cpufreq_policy *policy)
{
	u64 now = bpf_ktime_get_ns();

	barrier();
	return end(now, policy->cur);
}

/* Of any other function */
SEC("fentry/bpf_fentry_test1")
int any_begin(void *ctx)
{
	return begin(0);
}

SEC("fexit/bpf_fentry_test1")
int any_end(void *ctx)
{
	u64 now = bpf_ktime_get_ns();

	barrier();
	return end(now, 0);
}

/* ---- events of an idle system ---- */

struct bench_events events[BENCH_MAX_CPUS];

static struct bench_events *events_here(void)
{
	return &events[bpf_get_smp_processor_id() & (BENCH_MAX_CPUS - 1)];
}

SEC("tp_btf/cpu_idle")
int BPF_PROG(idle_ends, unsigned int state)
{
	if (state == (u32)-1)
		events_here()->idle_ends++;
	return 0;
}

SEC("tp_btf/local_timer_entry")
int BPF_PROG(timers, int vector)
{
	events_here()->timers++;
	return 0;
}

SEC("tp_btf/irq_work_entry")
int BPF_PROG(irq_works, int vector)
{
	events_here()->irq_works++;
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(wakeups, struct task_struct *p)
{
	events_here()->wakeups++;
	return 0;
}

/* What ext has others do later, by itself: deferrable timers wake nobody up. */

#define TIMER_DEFERRABLE	0x00080000

__u64 ext_text, ext_text_end;

static int count_caused(__u64 function)
{
	if (function >= ext_text && function < ext_text_end)
		events_here()->caused++;
	return 0;
}

SEC("tp_btf/timer_start")
int BPF_PROG(own_timers, struct timer_list *timer)
{
	return timer->flags & TIMER_DEFERRABLE ? 0 : count_caused((__u64)timer->function);
}

SEC("tp_btf/workqueue_queue_work")
int BPF_PROG(own_works, int req_cpu, struct pool_workqueue *pwq, struct work_struct *work)
{
	return count_caused((__u64)work->func);
}

/* ---- memory that a task allocates and does not free ---- */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, u32);
} allocated SEC(".maps");

unsigned int memory_pid;
long long memory_bytes;

static int add(const void *ptr, u32 size)
{
	u64 key = (u64)ptr;

	if (!ptr || memory_pid != (u32)bpf_get_current_pid_tgid())
		return 0;
	if (!bpf_map_update_elem(&allocated, &key, &size, BPF_ANY))
		memory_bytes += size;
	return 0;
}

static int take(const void *ptr)
{
	u64 key = (u64)ptr;
	u32 *size;

	if (!ptr || memory_pid != (u32)bpf_get_current_pid_tgid())
		return 0;
	size = bpf_map_lookup_elem(&allocated, &key);
	if (size) {
		memory_bytes -= *size;
		bpf_map_delete_elem(&allocated, &key);
	}
	return 0;
}

/* Raw, as arguments that point to nothing in particular cannot be read otherwise. */
SEC("raw_tp/kmalloc")
int memory_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	return add((void *)ctx->args[1], ctx->args[3]);
}

SEC("raw_tp/kmem_cache_alloc")
int memory_cache_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	struct kmem_cache *cache = (void *)ctx->args[2];

	return add((void *)ctx->args[1], BPF_CORE_READ(cache, size));
}

SEC("raw_tp/kfree")
int memory_kfree(struct bpf_raw_tracepoint_args *ctx)
{
	return take((void *)ctx->args[1]);
}

SEC("raw_tp/kmem_cache_free")
int memory_cache_free(struct bpf_raw_tracepoint_args *ctx)
{
	return take((void *)ctx->args[1]);
}

/* ---- what the clocks of bpf_enable_stats() themselves cost ---- */

SEC("tp_btf/sched_switch")
int BPF_PROG(nothing, bool preempt)
{
	return 0;
}
