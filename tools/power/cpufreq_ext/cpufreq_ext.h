/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the tool cpufreq_ext share */
#ifndef __CPUFREQ_EXT_TOOL_H
#define __CPUFREQ_EXT_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct bpf_link;
struct bpf_map;
struct bpf_object;
struct btf;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define ATTRIBUTE(a)	__attribute__((a))
#define __printf(a, b)	ATTRIBUTE(format(printf, a, b))

/* The fuzzer has folders of its own. */
#ifndef CPUFREQ
#define CPUFREQ		"/sys/devices/system/cpu/cpufreq"
#define PIN_DIR		"/sys/fs/bpf/cpufreq_ext"
#define STATE_DIR	"/run/cpufreq_ext"
#endif
#define PIN_GOVERNOR	PIN_DIR "/governor"

#define NAME_LEN	128
#define PATH_LEN	4096

/* main.c */

extern bool main_verbose;

/* What a command returns to show the help instead */
#define MAIN_HELP	1000

/* Exit status if the kernel ejected the governor */
#define MAIN_EJECTED	2

/* One line on stderr; returns -1, for "return main_err(...)". */
int main_err(const char *fmt, ...) __printf(1, 2);
/* The same in full sentences, but the command goes on. */
void main_note(const char *fmt, ...) __printf(1, 2);
void *main_alloc(void *old, size_t size);
char *main_format(const char *fmt, ...) __printf(1, 2);
void main_json_string(FILE *f, const char *text);
/*
 * Options of a command, as getopt_long() has them; -h, -v and what is wrong are
 * dealt with here: MAIN_HELP or '?' then.
 */
struct option;
int main_option(int argc, char **argv, const char *letters, const struct option *options);

/* sysfs.c: cpufreq's files.  Paths are relative to CPUFREQ. */

/* Text without the newline at its end, to be freed; NULL if it cannot be read */
char *sysfs_read(const char *fmt, ...) __printf(1, 2);
unsigned long sysfs_read_number(const char *fmt, ...)
	__printf(1, 2);
/* 0 or a negative errno */
int sysfs_write(const char *path, const char *text);
bool sysfs_exists(const char *fmt, ...) __printf(1, 2);
/* Numbers of all policies with a governor, ascending, to be freed */
int sysfs_policies(unsigned int **policies);
/* Numbers in a list of CPUs such as "0-3,8" or "0 1 2"; -1 if it is none */
int sysfs_parse_cpus(const char *text, bool **set);
/* Whether ext is the governor of a policy: the number of such policies */
int sysfs_ext_policies(void);
/* Refuse if ext cannot be used on this machine; load its module if need be. */
int sysfs_check_ext(bool load_module);
/* The lines of ext/stat, to be freed; NULL if no policy uses ext */
char *sysfs_stat(void);
/* "NAME was ejected: REASON", to be freed; NULL if ext/stat knows of no fault */
char *sysfs_fault(void);
/* What ext counted for a policy; 0 if it is not governed by ext */
unsigned long sysfs_counter(unsigned int policy, const char *name);
/* The same for all policies since the kernel started */
unsigned long sysfs_counter_sum(const char *name);
/* kHz from a frequency as cpupower takes it: kHz, or with the unit after it */
int sysfs_parse_khz(const char *text, uint64_t *khz);

/* select.c: let policies use ext, and give them back */

struct select {
	char *saved;	/* lines "path value" */
	int pipe;	/* keeps the guard waiting */
	pid_t guard;
	bool to_file;	/* saved for unload, there is no guard */
	bool always;	/* give back whatever a policy has then */
};

/* @cpus: a list, NULL for all */
int select_check_cpus(const char *cpus);
int select_begin(struct select *s, const char *cpus, bool to_file);
int select_end(struct select *s);
/*
 * Give @policies, which use ext, back to it in select_end(), or when all processes
 * ended that this one started from now on, and itself: whatever they have then.
 */
int select_keep(struct select *s, const unsigned int *policies, int nr);
/* Give back what a load with --pin took; 0 if there is nothing to give back */
int select_end_saved(void);
bool select_is_saved(void);
/* Only one command changes things at a time. */
int select_lock(void);
void select_unlock(int lock);

/* tunables.c: variables in the section .data.tunables */

#define TUNABLES_SECTION	".data.tunables"
#define TUNABLE_LIST_LEN	63

enum tunable_kind { TUNABLE_NUMBER, TUNABLE_BOOL, TUNABLE_LIST };

struct tunable {
	enum tunable_kind kind;
	const char *name;
	const char *text;
	char unit[16];
	uint32_t offset;
	uint32_t size;
	uint64_t min;
	uint64_t max;
};

struct tunables {
	int nr;
	struct tunable *tunable;
};

struct tunable_value {
	const struct tunable *tunable;
	uint64_t number;
	int len;
	uint32_t list[TUNABLE_LIST_LEN];
};

/* @t points to strings in @btf afterwards */
int tunables_find(struct tunables *t, const struct btf *btf, const char *governor);
/* Whether all are within a section of that size; without, they must not be used. */
bool tunables_fit(const struct tunables *t, size_t size);
void tunables_free(struct tunables *t);
/* Read "name=value" each; all are right, or nothing is returned. */
int tunables_parse(const struct tunables *t, const char *governor, int nr,
		   char **args, struct tunable_value *values);
void tunables_write(void *section, const struct tunable_value *values, int nr);
void tunables_print_value(FILE *f, const struct tunable *t, const void *section);
const char *tunables_type(const struct tunable *t);
void tunables_print_names(FILE *f, const struct tunables *t);

/* check.c: refuse objects that libbpf does not survive */

int check_object(const char *path);

/* object.c: a BPF object with a governor */

struct object {
	struct bpf_object *obj;
	struct bpf_map *ops;
	struct bpf_map *section;	/* NULL if there are no tunables */
	struct tunables tunables;
	struct bpf_link **links;
	int nr_links;
	struct bpf_link *governor;
	int log;			/* of the kernel, from the attachment on; 0: none */
	char path[PATH_LEN];
	char name[NAME_LEN];
	const char *text;		/* what it is for, NULL if it does not say */
};

/* Keep libbpf quiet; what it says is shown if something fails. */
void object_init(void);
/* @name: of a bundled governor, or a file */
int object_open(struct object *o, const char *name, int nr_tunables, char **tunables);
/* Whether its governor is in .struct_ops.link, rather than .struct_ops */
bool object_has_link(const struct object *o);
int object_load(struct object *o);
/* First all that is no governor, as the governor may decide on what it gathers */
int object_attach_others(struct object *o);
int object_attach(struct object *o);
/* Before the governor is registered: look at what the kernel says from now on. */
void object_watch(struct object *o);
/* Why the governor was ejected, to be freed; NULL if it was not */
char *object_fault(const struct object *o);
/* The message for -ENODEV of the kernel */
int object_no_policy(void);
int object_pin_others(struct object *o);
int object_pin(struct object *o);
void object_close(struct object *o);
int object_check_pin(void);
/* The tool's pins; @governor: that of the governor, too */
void object_unpin(bool governor);
/* Files of the bundled governors, ordered by name; to be freed */
int object_bundled(char ***paths);
/* Name in the path of a bundled governor */
const char *object_short_name(const char *path, size_t *len);

/* governor.c: the one that is registered */

struct governor {
	char name[NAME_LEN];
	uint32_t map_id;
	uint32_t link_id;		/* 0: registered without a link */
	uint32_t ops_btf_id;		/* BTF of the kernel or of the module, */
	uint32_t ops_type_id;		/* and in it the struct of its operations */
	int map_fd;
	int link_fd;
	struct btf *btf;
	struct tunables tunables;
	int section_fd;			/* -1 if there are no tunables */
	uint32_t section_size;
	void *section;
};

/* 1 if there is one, 0 if not, -1 after a message */
int governor_find(struct governor *g);
/* As governor_find(), but with a message if there is none */
int governor_need(struct governor *g);
/* Find its tunables.  They are read and written through @g->section. */
int governor_map_tunables(struct governor *g);
/* ID of the map that a link keeps registered, 0 if it is detached */
uint32_t governor_link_map(int link_fd);
int governor_unregister(struct governor *g);
void governor_close(struct governor *g);

/* load.c, run.c, show.c, monitor.c, plot.c, bench.c: the commands */

int load_main(int argc, char **argv);
int load_replace_main(int argc, char **argv);
int load_unload_main(int argc, char **argv);
/* Register @o's governor, after ext was selected for @cpus if @select */
int load_register(struct object *o, struct select *s, bool select,
		  const char *cpus, bool pin);
int run_main(int argc, char **argv);
int show_list_main(int argc, char **argv);
int show_info_main(int argc, char **argv);
int show_get_main(int argc, char **argv);
int show_set_main(int argc, char **argv);
int show_status_main(int argc, char **argv);
int monitor_main(int argc, char **argv);
int plot_main(int argc, char **argv);
int bench_main(int argc, char **argv);

/* The header line of monitor --csv, which plot reads */
#define MONITOR_CSV_HEADER						\
	"time_s,policy,cpus,freq_khz,min_khz,max_khz,hw_min_khz,"	\
	"hw_max_khz,load_percent,transitions_per_s,"			\
	"time_in_state_khz_ms,governor"

#endif /* __CPUFREQ_EXT_TOOL_H */
