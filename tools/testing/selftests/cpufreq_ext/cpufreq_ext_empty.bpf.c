// SPDX-License-Identifier: GPL-2.0-only
/* An object without a governor, for the tests of the loader */
#include "vmlinux.h"
#include "cpufreq_ext.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("syscall")
int empty(void *ctx)
{
	return 0;
}
