/* SPDX-License-Identifier: GPL-2.0-only */
/* Governors of samples/bpf that get their inputs from a test (inputs.bpf.c) */
#ifndef __CPUFREQ_EXT_INPUTS_UTIL_H
#define __CPUFREQ_EXT_INPUTS_UTIL_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "inputs.h"
#include "util.h"

#define INPUTS_MAX_LINKS	8

static struct bpf_link *inputs_links[INPUTS_MAX_LINKS];
static int nr_inputs_links;

/* Attach what tells inputs.bpf.c who calls; the governor is left to the caller. */
static inline int inputs_attach(struct bpf_object *obj)
{
	struct bpf_program *prog;
	struct bpf_link *link;

	bpf_object__for_each_program(prog, obj) {
		if (bpf_program__type(prog) != BPF_PROG_TYPE_TRACING)
			continue;
		link = bpf_program__attach(prog);
		if (!link || nr_inputs_links == INPUTS_MAX_LINKS)
			return -errno ?: -E2BIG;
		inputs_links[nr_inputs_links++] = link;
	}
	return 0;
}

static inline void inputs_detach(void)
{
	while (nr_inputs_links)
		bpf_link__destroy(inputs_links[--nr_inputs_links]);
}

static inline int inputs_run_kick(struct bpf_program *prog, __u32 cpu)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &cpu, .ctx_size_in = sizeof(cpu));

	return bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) ?: (int)opts.retval;
}

static inline unsigned int inputs_read(const __u32 *counter)
{
	return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

/* Wait for a counter to pass @before; true unless that took too long. */
static inline bool inputs_wait(const __u32 *counter, __u32 before)
{
	const struct timespec ts = { .tv_nsec = 500000 };
	int n;

	for (n = 0; n < 20000; n++) {
		if (inputs_read(counter) != before)
			return true;
		nanosleep(&ts, NULL);
	}
	return false;
}

/* A governor's code as it is shipped and as it is tested */
static inline bool same_code(struct bpf_object *shipped,
			     struct bpf_object *tested)
{
	struct bpf_program *a, *b;
	bool same = false;

	bpf_object__for_each_program(a, shipped) {
		b = bpf_object__find_program_by_name(tested, bpf_program__name(a));
		if (!b || bpf_program__insn_cnt(a) != bpf_program__insn_cnt(b) ||
		    memcmp(bpf_program__insns(a), bpf_program__insns(b),
			   bpf_program__insn_cnt(a) * sizeof(struct bpf_insn)))
			return false;
		same = true;
	}
	return same;
}

#endif /* __CPUFREQ_EXT_INPUTS_UTIL_H */
