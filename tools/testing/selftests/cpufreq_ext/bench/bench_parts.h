/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the benchmark share */
#ifndef __CPUFREQ_EXT_BENCH_PARTS_H
#define __CPUFREQ_EXT_BENCH_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

struct bench;
struct bpf_link;
struct bpf_map;
struct bpf_object;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define ATTRIBUTE(a)	__attribute__(a)
#define __printf(a, b)	ATTRIBUTE((format(printf, a, b)))

#define PARTS_MAX_LINKS	16

/* A governor of the kernel, or ext with a BPF governor */
struct side {
	const char *name;
	const char *governor;	/* for scaling_governor */
	const char *update;	/* the kernel's function that decides */
	const char *object;	/* of a BPF governor; NULL for none */
};

/* A BPF governor that is loaded */
struct loaded {
	struct bpf_object *obj;
	struct bpf_map *ops;
	struct bpf_link *links[PARTS_MAX_LINKS];
	int nr_links;
	struct bpf_link *governor;
};

/* side.c */

noreturn void side_die(const char *fmt, ...) __printf(1, 2);
const struct side *side_find(const char *name);
/* The governor of the first @nr policies, all if 0; performance for the others */
void side_select(const char *governor, int nr);
/* Take samples as often as possible, and the first at the next tick. */
void side_sample_now(const struct side *side);
void side_sample_every(const struct side *side, const char *period_us);
void side_load(struct loaded *l, const char *object);
void side_attach(struct loaded *l);
void side_unload(struct loaded *l);
/* Select the side for @nr policies, and load what it consists of. */
void side_begin(const struct side *side, struct loaded *l, int nr);
void side_end(struct loaded *l);

/* cost.c: how long a function takes */

struct cost {
	struct bench *skel;
	struct bpf_link *begin, *end;
};

void cost_begin(struct cost *c, const char *function, bool has_policy);
unsigned int cost_count(const struct cost *c);
void cost_forget(struct cost *c);
void cost_end(struct cost *c);
/* Instructions of a record, without what the clocks themselves take */
struct bench_record;
double cost_of(const struct bench_record *r);

/* work.c */

/* Keep the processor busy for that time. */
void work(uint64_t ns);
/* What a virtual machine that counts instructions takes that time for */
double work_instructions(double ns);
uint64_t work_now_ns(void);

/* Sorts @values. */
void work_figure(const char *name, const char *unit, double *values, int nr);
void work_figure_least(const char *name, const char *unit, double *values, int nr);
void work_figure_one(const char *name, const char *unit, double value);

/* the groups */
void groups_decisions(int argc, char **argv);
void groups_vip(void);
void groups_registration(void);
void groups_memory(void);
void groups_idle(void);
void groups_whole(void);
void groups_changes(int argc, char **argv);
noreturn void groups_run(const char *name);

#endif /* __CPUFREQ_EXT_BENCH_PARTS_H */
