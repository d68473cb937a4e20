// SPDX-License-Identifier: GPL-2.0-only
/* Count the calls of a governor's function, and take their time. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define BENCH_MAX_CPUS	8192

char _license[] SEC("license") = "GPL";

unsigned long long bench_calls;
unsigned long long bench_ns;

static u64 bench_start_ns[BENCH_MAX_CPUS];

/* What they are attached to is set when they are loaded. */
SEC("fentry/dbs_update")
int bench_begin(void *ctx)
{
	u32 cpu = bpf_get_smp_processor_id();

	if (cpu < BENCH_MAX_CPUS)
		bench_start_ns[cpu] = bpf_ktime_get_ns();
	return 0;
}

SEC("fexit/dbs_update")
int bench_end(void *ctx)
{
	u64 now = bpf_ktime_get_ns();
	u32 cpu = bpf_get_smp_processor_id();

	if (cpu >= BENCH_MAX_CPUS || !bench_start_ns[cpu])
		return 0;
	__sync_fetch_and_add(&bench_ns, now - bench_start_ns[cpu]);
	__sync_fetch_and_add(&bench_calls, 1);
	bench_start_ns[cpu] = 0;
	return 0;
}

SEC("fentry/dbs_update")
int bench_count(void *ctx)
{
	__sync_fetch_and_add(&bench_calls, 1);
	return 0;
}
