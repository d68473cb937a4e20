// SPDX-License-Identifier: GPL-2.0-only
/* A governor that takes all that the verifier allows */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

/* The verifier follows each of these; 100000 are almost too much for it. */
__u32 turns SEC(".rodata.turns") = 10000;

__u32 rounds;				/* of the loop in a decision */
__u32 nr_next;

/* Eight frames, which share 512 bytes of stack */
static __always_inline u64 use_stack(u64 n)
{
	u64 stack[6], *p = stack;

	barrier_var(p);
	p[0] = n;
	p[5] = n;
	return p[0];
}

static __noinline u64 frame8(u64 n)
{
	return use_stack(n);
}

static __noinline u64 frame7(u64 n)
{
	return use_stack(n) + frame8(n);
}

static __noinline u64 frame6(u64 n)
{
	return use_stack(n) + frame7(n);
}

static __noinline u64 frame5(u64 n)
{
	return use_stack(n) + frame6(n);
}

static __noinline u64 frame4(u64 n)
{
	return use_stack(n) + frame5(n);
}

static __noinline u64 frame3(u64 n)
{
	return use_stack(n) + frame4(n);
}

static __noinline u64 frame2(u64 n)
{
	return use_stack(n) + frame3(n);
}

static int heavy_round(u32 i, void *sum)
{
	*(u64 *)sum += i;
	return 0;
}

SEC("struct_ops/heavy_next_freq")
unsigned long BPF_PROG(heavy_next_freq, struct cpufreq_policy *policy)
{
	u64 sum = 0;

	bpf_loop(rounds, heavy_round, &sum, 0);
	sum += frame2(nr_next);
	__sync_fetch_and_add(&nr_next, 1);
	return policy->min + (sum & 1);
}

/* One frame of 512 bytes, and a loop that the verifier follows to its end */
SEC("struct_ops/heavy_start")
int BPF_PROG(heavy_start, struct cpufreq_policy *policy)
{
	u64 stack[62], *p = stack;
	u64 sum = 0;
	u32 i;

	barrier_var(p);
	for (i = 0; i < 62; i++)
		p[i] = i;
	for (i = 0; i < turns; i++)
		sum += i ^ p[61];
	return sum == 1;
}

SEC(".struct_ops.link")
struct cpufreq_governor_ext_ops___local heavy = {
	.get_next_freq		= (void *)heavy_next_freq,
	.start			= (void *)heavy_start,
	.name			= "heavy",
};
