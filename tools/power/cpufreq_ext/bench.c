// SPDX-License-Identifier: GPL-2.0-only
/*
 * Command bench: what decisions cost on this machine, and what comes of them
 *
 * The governor that is loaded and governors of the kernel get the same load, one
 * after the other.  A process of its own does so; a guard gives the policies back to
 * ext, with its tunables, when that one and its parent have ended.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cpufreq_ext.h"
#include "bench.skel.h"

#define BENCH_SECONDS		6
#define BENCH_MIN_S		1
#define BENCH_MAX_S		600
#define BENCH_MAX_STATES	256
#define BENCH_JSON		"cpufreq_ext-bench.json"
#define BENCH_PERIOD_NS		20000000ULL
#define BENCH_CLOCK_CALLS	1000
#define NSEC_PER_SEC		1000000000ULL

/* Busy share of each part of the load in percent */
static const unsigned int bench_shares[] = { 100, 10, 50, 5, 80, 25 };

#define BENCH_FUNCTIONS		4

/*
 * The functions of a governor that decide, of which the kernel uses one.  If it mostly
 * finds nothing to decide, there are others that it calls for a decision.
 */
static const struct bench_known {
	const char *governor;
	const char *functions[BENCH_FUNCTIONS];
	const char *deciding[BENCH_FUNCTIONS];
} bench_known[] = {
	{ "ext", { "cpufreq_ext_dbs_update" } },
	{ "ondemand", { "od_dbs_update" } },
	{ "conservative", { "cs_dbs_update" } },
	{ "schedutil", { "sugov_update_single_freq", "sugov_update_shared",
			 "sugov_update_single_perf" },
		       { "get_next_freq", "cpufreq_driver_adjust_perf" } },
};

struct bench_state {
	unsigned long khz;
	unsigned long ticks;
};

/* What happened so far; of all policies */
struct bench_count {
	bool stats;		/* cpufreq keeps them: the next three are known */
	unsigned long transitions;
	struct bench_state states[BENCH_MAX_STATES];
	int nr_states;
	uint64_t bpf_calls;	/* of the operation that is called most often */
	uint64_t bpf_ns;	/* in all operations */
};

struct bench_result {
	const char *governor;
	const char *bpf;	/* name of the BPF governor, NULL for none */
	double seconds;
	double decisions;	/* below 0: not known */
	double ns;
	struct bench_count count;
};

struct bench {
	unsigned int *policies;
	int nr;
	bool *cpus;
	int nr_cpus;
	unsigned int seconds;
	struct governor governor;
};

static uint64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* ---- the load ---- */

struct bench_thread {
	pthread_t thread;
	uint64_t start_ns;
	uint64_t end_ns;
};

static void bench_sleep_until(uint64_t ns)
{
	struct timespec until = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static void *bench_load(void *arg)
{
	const struct bench_thread *t = arg;
	uint64_t now, part = (t->end_ns - t->start_ns) / ARRAY_SIZE(bench_shares);
	uint64_t next = t->start_ns, busy;

	for (now = t->start_ns; now < t->end_ns; now = bench_now_ns()) {
		size_t i = (now - t->start_ns) / part;

		busy = next + BENCH_PERIOD_NS * bench_shares[i < ARRAY_SIZE(bench_shares) ?
							      i : 0] / 100;
		next += BENCH_PERIOD_NS;
		while (bench_now_ns() < busy)
			;
		bench_sleep_until(next);
	}
	return NULL;
}

/* A thread on each CPU of the policies */
static int bench_run_load(const struct bench *b)
{
	uint64_t start_ns = bench_now_ns() + BENCH_PERIOD_NS;
	struct bench_thread *threads;
	int cpu, failed = 0, nr = 0, err = 0;
	size_t size = CPU_ALLOC_SIZE(b->nr_cpus);
	cpu_set_t *set = main_alloc(NULL, size);
	pthread_attr_t attr;

	threads = main_alloc(NULL, b->nr_cpus * sizeof(*threads));
	for (cpu = 0; cpu < b->nr_cpus && !err; cpu++) {
		if (!b->cpus[cpu])
			continue;
		threads[nr].start_ns = start_ns;
		threads[nr].end_ns = start_ns + b->seconds * NSEC_PER_SEC;
		CPU_ZERO_S(size, set);
		CPU_SET_S(cpu, size, set);
		pthread_attr_init(&attr);
		pthread_attr_setaffinity_np(&attr, size, set);
		failed = cpu;
		err = pthread_create(&threads[nr].thread, &attr, bench_load, &threads[nr]);
		pthread_attr_destroy(&attr);
		nr += !err;
	}
	while (nr)
		pthread_join(threads[--nr].thread, NULL);
	free(threads);
	free(set);
	if (err)
		return main_err("CPU %d takes no load (%s): see that this cpuset has it",
				failed, strerror(err));
	return 0;
}

/* ---- counting ---- */

static void bench_add_state(struct bench_count *c, unsigned long khz, unsigned long ticks)
{
	int i;

	for (i = 0; i < c->nr_states && c->states[i].khz != khz; i++)
		;
	if (i == BENCH_MAX_STATES)
		return;
	if (i == c->nr_states) {
		c->states[i].khz = khz;
		c->states[i].ticks = 0;
		c->nr_states++;
	}
	c->states[i].ticks += ticks;
}

static void bench_count_policy(struct bench_count *c, unsigned int policy)
{
	char *text = sysfs_read("policy%u/stats/time_in_state", policy);
	unsigned long khz, ticks;
	char *line, *save = NULL;

	c->stats &= !!text;
	c->transitions += sysfs_read_number("policy%u/stats/total_trans", policy);
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "%lu %lu", &khz, &ticks) == 2)
			bench_add_state(c, khz, ticks);
	}
	free(text);
}

/* An operation of @g, and of no other struct that is in the same object */
static bool bench_is_operation(const struct bpf_prog_info *info, uint32_t btf_id,
			       const struct governor *g)
{
	return info->type == BPF_PROG_TYPE_STRUCT_OPS && info->btf_id == btf_id &&
	       info->attach_btf_obj_id == g->ops_btf_id &&
	       info->attach_btf_id == g->ops_type_id;
}

/*
 * Programs of the governor, by the BTF that they share with its map.  Each sample
 * calls get_next_freq, and no other operation more often than that one.
 */
static void bench_count_programs(struct bench_count *c, const struct governor *g)
{
	struct bpf_map_info map = {};
	uint32_t len = sizeof(map), id = 0;
	int fd;

	if (bpf_map_get_info_by_fd(g->map_fd, &map, &len))
		return;
	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = {};

		fd = bpf_prog_get_fd_by_id(id);
		if (fd < 0)
			continue;
		len = sizeof(info);
		if (!bpf_prog_get_info_by_fd(fd, &info, &len) &&
		    bench_is_operation(&info, map.btf_id, g)) {
			c->bpf_ns += info.run_time_ns;
			if (info.run_cnt > c->bpf_calls)
				c->bpf_calls = info.run_cnt;
		}
		close(fd);
	}
}

static void bench_count(const struct bench *b, struct bench_count *c)
{
	int i;

	memset(c, 0, sizeof(*c));
	c->stats = true;
	for (i = 0; i < b->nr; i++)
		bench_count_policy(c, b->policies[i]);
	bench_count_programs(c, &b->governor);
}

/* @c becomes what it has more than @before. */
static void bench_subtract(struct bench_count *c, const struct bench_count *before)
{
	int i;

	c->stats &= before->stats;
	c->transitions -= before->transitions;
	c->bpf_calls -= before->bpf_calls;
	c->bpf_ns -= before->bpf_ns;
	for (i = 0; i < c->nr_states && i < before->nr_states; i++)
		c->states[i].ticks -= before->states[i].ticks;
}

/* ---- the clocks ---- */

/* Around a function, or if it is only to be counted, at its begin */
static struct bench_bpf *bench_try(const char *function, bool count)
{
	struct bench_bpf *skel = bench_bpf__open();

	if (!skel)
		return NULL;
	bpf_program__set_autoload(skel->progs.bench_begin, !count);
	bpf_program__set_autoload(skel->progs.bench_end, !count);
	bpf_program__set_autoload(skel->progs.bench_count, count);
	if (!bpf_program__set_attach_target(skel->progs.bench_begin, 0, function) &&
	    !bpf_program__set_attach_target(skel->progs.bench_end, 0, function) &&
	    !bpf_program__set_attach_target(skel->progs.bench_count, 0, function) &&
	    !bench_bpf__load(skel) && !bench_bpf__attach(skel))
		return skel;
	bench_bpf__destroy(skel);
	return NULL;
}

/* As far as this kernel has these functions */
static int bench_attach(const char * const *functions, bool count, struct bench_bpf **skels)
{
	int k, nr = 0;

	for (k = 0; k < BENCH_FUNCTIONS && functions[k]; k++) {
		skels[nr] = bench_try(functions[k], count);
		nr += !!skels[nr];
	}
	return nr;
}

/* Adds up what they saw, and is rid of them. */
static void bench_detach(struct bench_bpf **skels, int nr, uint64_t *calls, uint64_t *ns)
{
	while (nr) {
		nr--;
		*calls += skels[nr]->bss->bench_calls;
		*ns += skels[nr]->bss->bench_ns;
		bench_bpf__destroy(skels[nr]);
	}
}

/*
 * Time between the two clocks with next to nothing between them, 0: not known.  At
 * the frequency that the governor sets for a busy CPU.
 */
static double bench_clock_ns(void)
{
	struct bench_bpf *clocks = bench_try("bpf_fentry_test1", false);
	struct bpf_test_run_opts opts = { .sz = sizeof(opts) };
	uint64_t end_ns = bench_now_ns() + 5 * BENCH_PERIOD_NS;
	uint64_t calls, ns, least = 0;
	int i;

	if (!clocks)
		return 0;
	while (bench_now_ns() < end_ns)
		;
	/* The kernel runs functions for tests, of which this is one. */
	for (i = 0; i < BENCH_CLOCK_CALLS; i++) {
		calls = clocks->bss->bench_calls;
		ns = clocks->bss->bench_ns;
		bpf_prog_test_run_opts(bpf_program__fd(clocks->progs.bench_begin), &opts);
		ns = clocks->bss->bench_ns - ns;
		if (clocks->bss->bench_calls == calls + 1 && (!least || ns < least))
			least = ns;
	}
	bench_bpf__destroy(clocks);
	return least;
}

/* ---- one governor ---- */

static int bench_select(const struct bench *b, const char *governor)
{
	char path[64];
	int i, err;

	for (i = 0; i < b->nr; i++) {
		snprintf(path, sizeof(path), "policy%u/scaling_governor", b->policies[i]);
		err = sysfs_write(path, governor);
		if (err)
			return main_err("policy%u does not take %s (%s): see the end of dmesg",
					b->policies[i], governor, strerror(-err));
	}
	return 0;
}

/* Whoever else may load and unload governors */
static int bench_check_loaded(const struct bench *b)
{
	struct governor now;
	int found = governor_find(&now);
	bool same = found > 0 && now.map_id == b->governor.map_id;

	if (found > 0)
		governor_close(&now);
	if (found < 0 || same)
		return found < 0 ? -1 : 0;
	return main_err("%s is not loaded any more: see cpufreq_ext status", b->governor.name);
}

/*
 * The time in BPF programs, while nothing else is measured: the kernel looks at the
 * clock twice for each call.
 */
static int bench_programs(const struct bench *b, struct bench_result *r)
{
	struct bench_count before, after;
	int stats, err;

	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (stats < 0)
		return main_err("BPF statistics cannot be switched on (%s): run as root",
				strerror(-stats));
	bench_count(b, &before);
	err = bench_run_load(b);
	bench_count(b, &after);
	close(stats);
	r->count.bpf_calls = after.bpf_calls - before.bpf_calls;
	r->count.bpf_ns = after.bpf_ns - before.bpf_ns;
	return err;
}

/* @ns in @calls of functions that decide, with @decisions in them; -1: unknown */
static double bench_decision_ns(uint64_t ns, uint64_t calls, double clock_ns, double decisions)
{
	double net = ns - calls * clock_ns;

	if (!calls || decisions <= 0)
		return -1;
	return net > 0 ? net / decisions : 0;
}

/* In another load, as to count takes time as well; -1: unknown */
static int bench_decisions(const struct bench *b, const struct bench_known *known,
			   double *decisions)
{
	struct bench_bpf *counters[BENCH_FUNCTIONS];
	uint64_t calls = 0, ns = 0;
	int nr, err;

	nr = bench_attach(known->deciding, true, counters);
	err = nr ? bench_run_load(b) : 0;
	bench_detach(counters, nr, &calls, &ns);
	/* This kernel may have inlined the one that this driver would call. */
	*decisions = calls ?: -1.0;
	return err;
}

static int bench_governor(const struct bench *b, const struct bench_known *known,
			  struct bench_result *r)
{
	struct bench_bpf *clocks[BENCH_FUNCTIONS];
	uint64_t begin_ns, calls = 0, ns = 0;
	struct bench_count before;
	double clock_ns;
	int nr, err;

	memset(r, 0, sizeof(*r));
	r->governor = known->governor;
	r->bpf = strcmp(known->governor, "ext") ? NULL : b->governor.name;
	if (bench_select(b, known->governor))
		return -1;
	clock_ns = bench_clock_ns();
	nr = bench_attach(known->functions, false, clocks);

	bench_count(b, &before);
	begin_ns = bench_now_ns();
	err = bench_run_load(b);
	bench_count(b, &r->count);
	r->seconds = (bench_now_ns() - begin_ns) / 1e9;
	bench_subtract(&r->count, &before);
	bench_detach(clocks, nr, &calls, &ns);
	r->decisions = nr ? calls : -1;
	if (!err && known->deciding[0])
		err = bench_decisions(b, known, &r->decisions);
	r->ns = bench_decision_ns(ns, calls, clock_ns, r->decisions);
	if (!err && r->bpf)
		err = bench_programs(b, r);
	if (!err && r->bpf)
		err = bench_check_loaded(b);
	return err;
}

/* ---- showing ---- */

static double bench_all_ticks(const struct bench_result *r)
{
	double sum = 0;
	int i;

	for (i = 0; i < r->count.nr_states; i++)
		sum += r->count.states[i].ticks;
	return sum ?: 1;
}

static double bench_bpf_ns(const struct bench_result *r)
{
	return r->count.bpf_calls ? (double)r->count.bpf_ns / r->count.bpf_calls : -1;
}

static void bench_show_number(int width, double value, int digits)
{
	if (value < 0)
		printf(" %*s", width, "-");
	else
		printf(" %*.*f", width, digits, value);
}

static void bench_show(const struct bench_result *r, int nr)
{
	int i, k;

	printf("%-20s %11s %11s %9s %9s  %s\n", "GOVERNOR", "DECISIONS/s", "ns/DECISION",
	       "ns IN BPF", "CHANGES", "TIME AT MHz");
	for (i = 0; i < nr; i++, r++) {
		printf("%s%-*.*s", r->bpf ? "ext: " : "", r->bpf ? 15 : 20, 20,
		       r->bpf ?: r->governor);
		bench_show_number(11, r->decisions < 0 ? -1 : r->decisions / r->seconds, 1);
		bench_show_number(11, r->ns, 0);
		bench_show_number(9, r->bpf ? bench_bpf_ns(r) : -1, 0);
		bench_show_number(9, r->count.stats ? (double)r->count.transitions : -1, 0);
		fputs(r->count.stats ? " " : "  -", stdout);
		for (k = 0; r->count.stats && k < r->count.nr_states; k++)
			printf(" %lu:%.0f%%", r->count.states[k].khz / 1000,
			       100 * r->count.states[k].ticks / bench_all_ticks(r));
		putchar('\n');
	}
}

static void bench_json_number(FILE *f, const char *name, double value)
{
	if (value < 0)
		fprintf(f, ", \"%s\": null", name);
	else
		fprintf(f, ", \"%s\": %.3f", name, value);
}

static void bench_json_governor(FILE *f, const struct bench_result *r)
{
	int i;

	fprintf(f, "    {\"governor\": \"%s\", \"bpf_governor\": ", r->governor);
	if (r->bpf)
		main_json_string(f, r->bpf);
	else
		fputs("null", f);
	fprintf(f, ", \"seconds\": %.3f", r->seconds);
	bench_json_number(f, "decisions_per_s",
			  r->decisions < 0 ? -1 : r->decisions / r->seconds);
	bench_json_number(f, "decision_ns", r->ns);
	bench_json_number(f, "bpf_ns", r->bpf ? bench_bpf_ns(r) : -1);
	if (!r->count.stats) {
		fputs(", \"transitions\": null, \"time_in_state_khz_percent\": null}", f);
		return;
	}
	fprintf(f, ", \"transitions\": %lu, \"time_in_state_khz_percent\": {",
		r->count.transitions);
	for (i = 0; i < r->count.nr_states; i++)
		fprintf(f, "%s\"%lu\": %.2f", i ? ", " : "", r->count.states[i].khz,
			100 * r->count.states[i].ticks / bench_all_ticks(r));
	fputs("}}", f);
}

static void bench_write_json(FILE *f, const struct bench *b, const struct bench_result *r,
			     int nr)
{
	char *driver = sysfs_read("policy%u/scaling_driver", b->policies[0]);
	struct utsname system;
	int i;

	uname(&system);
	fputs("{\n  \"kernel\": ", f);
	main_json_string(f, system.release);
	fputs(",\n  \"driver\": ", f);
	main_json_string(f, driver ?: "");
	free(driver);
	fprintf(f, ",\n  \"load_s\": %u,\n  \"policies\": [", b->seconds);
	for (i = 0; i < b->nr; i++)
		fprintf(f, "%s%u", i ? ", " : "", b->policies[i]);
	fputs("],\n  \"governors\": [\n", f);
	for (i = 0; i < nr; i++) {
		bench_json_governor(f, &r[i]);
		fputs(i < nr - 1 ? ",\n" : "\n", f);
	}
	fputs("  ]\n}\n", f);
}

/* ---- the command ---- */

/* The policies that use ext, and their CPUs */
static int bench_find_policies(struct bench *b)
{
	bool *set;
	char *text;
	int i, k, n, nr;

	n = sysfs_policies(&b->policies);
	for (i = 0; i < n; i++) {
		text = sysfs_read("policy%u/scaling_governor", b->policies[i]);
		if (text && !strcmp(text, "ext"))
			b->policies[b->nr++] = b->policies[i];
		free(text);
	}
	if (!b->nr)
		return main_err("no policy uses ext: write ext to %s",
				CPUFREQ "/policy*/scaling_governor");
	for (i = 0; i < b->nr; i++) {
		text = sysfs_read("policy%u/affected_cpus", b->policies[i]);
		nr = text ? sysfs_parse_cpus(text, &set) : -1;
		free(text);
		if (nr < 0)
			continue;
		if (!b->cpus) {
			b->cpus = set;
			b->nr_cpus = nr;
			continue;
		}
		for (k = 0; k < nr; k++)
			b->cpus[k] |= set[k];
		free(set);
	}
	return 0;
}

/* Whether this kernel has it; to ask loads its module, if it is one.  ext is there. */
static bool bench_has(const struct bench *b, const char *governor)
{
	char path[64];

	if (!strcmp(governor, "ext"))
		return true;
	snprintf(path, sizeof(path), "policy%u/scaling_governor", b->policies[0]);
	return !sysfs_write(path, governor);
}

static int bench_measure(const struct bench *b, struct bench_result *results)
{
	int nr = 0, err = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bench_known) && !err; i++) {
		if (bench_has(b, bench_known[i].governor))
			err = bench_governor(b, &bench_known[i], &results[nr++]);
	}
	return err ? -1 : nr;
}

static int bench_all(const struct bench *b, const char *json)
{
	struct bench_result results[ARRAY_SIZE(bench_known)];
	bool to_stdout = !strcmp(json, "-");
	int nr, err;
	FILE *f;

	/* Before all the time that it takes to measure; what was saved before stays till then. */
	f = to_stdout ? stdout : fopen(json, "ae");
	if (!f)
		return main_err("%s: %s: choose another file with --json", json,
				strerror(errno));
	nr = bench_measure(b, results);
	if (nr >= 0 && !to_stdout)
		bench_show(results, nr);
	if (nr < 0)
		return -1;
	/* No regular file, nothing to be rid of */
	err = !to_stdout && ftruncate(fileno(f), 0) && errno != EINVAL;
	bench_write_json(f, b, results, nr);
	err |= fflush(f) || ferror(f);
	if (!to_stdout)
		err |= !!fclose(f);
	if (!to_stdout && !err)
		printf("saved to %s\n", json);
	return err ? main_err("%s cannot be written: choose another file with --json", json) : 0;
}

static bool bench_is_new(const char *json)
{
	return strcmp(json, "-") && access(json, F_OK);
}

/* What was made for writing, and then not written */
static void bench_remove_empty(const char *json)
{
	struct stat st;

	if (!stat(json, &st) && S_ISREG(st.st_mode) && !st.st_size)
		unlink(json);
}

/* What the user has to say ends the child, and then this one. */
static int bench_wait(pid_t pid, const sigset_t *signals)
{
	struct timespec tenth = { .tv_nsec = 100000000 };
	int status = 0;

	while (!waitpid(pid, &status, WNOHANG)) {
		if (sigtimedwait(signals, NULL, &tenth) > 0)
			kill(pid, SIGKILL);
	}
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -1;
}

static int bench_in_child(const struct bench *b, const char *json)
{
	pid_t parent = getpid(), pid;
	struct select keep;
	sigset_t signals;
	int err = 0;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGQUIT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (select_keep(&keep, b->policies, b->nr)) {
		select_end(&keep);
		return -1;
	}
	fflush(NULL);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		err = bench_all(b, json);
		if (fflush(stdout) || ferror(stdout))
			err = -1;
		_exit(err ? 1 : 0);
	}
	err = pid < 0 ? main_err("cannot make a process (%s): try again", strerror(errno)) :
	      bench_wait(pid, &signals);
	return select_end(&keep) ? -1 : err;
}

static int bench_parse_seconds(struct bench *b, const char *text)
{
	unsigned long seconds;
	char *end;

	seconds = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || seconds < BENCH_MIN_S ||
	    seconds > BENCH_MAX_S)
		return main_err("-s cannot be '%s': give a number from %d to %d", text,
				BENCH_MIN_S, BENCH_MAX_S);
	b->seconds = seconds;
	return 0;
}

int bench_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "json", required_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "verbose", no_argument, NULL, 'v' },
		{}
	};
	struct bench b = { .seconds = BENCH_SECONDS };
	const char *json = BENCH_JSON;
	int opt, lock, err;
	bool is_new;

	while ((opt = main_option(argc, argv, ":s:j:hv", options)) != -1) {
		switch (opt) {
		case 's':
			if (bench_parse_seconds(&b, optarg))
				return 1;
			break;
		case 'j':
			json = optarg;
			break;
		default:
			return opt == MAIN_HELP ? opt : 1;
		}
	}
	if (optind < argc)
		return main_err("bench takes no arguments: leave out '%s'", argv[optind]);

	if (governor_need(&b.governor))
		return -1;
	is_new = bench_is_new(json);
	lock = select_lock();
	err = bench_find_policies(&b);
	if (!err)
		err = bench_in_child(&b, json);
	if (err && is_new)
		bench_remove_empty(json);
	select_unlock(lock);
	free(b.policies);
	free(b.cpus);
	governor_close(&b.governor);
	return err;
}
