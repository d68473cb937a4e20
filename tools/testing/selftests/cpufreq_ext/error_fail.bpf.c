// SPDX-License-Identifier: GPL-2.0-only
/* Gives up where there is nothing to give up: the verifier must refuse it. */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

static int give_up(void)
{
	char text[] = "not ours";

	return bpf_cpufreq_error(text, sizeof(text));
}

SEC("syscall")
int from_syscall(void *ctx)
{
	return give_up();
}

SEC("fentry/cpufreq_dbs_governor_limits")
int BPF_PROG(from_tracing, struct cpufreq_policy *policy)
{
	return give_up();
}

SEC("raw_tp/sched_switch")
int from_tracepoint(void *ctx)
{
	return give_up();
}

SEC("tc")
int from_tc(struct __sk_buff *skb)
{
	return give_up();
}
