// SPDX-License-Identifier: GPL-2.0-only
/* What is measured */
#include <pthread.h>
#include <semaphore.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "../util.h"
#include "bench.h"
#include "bench.skel.h"
#include "bench_parts.h"

#define NSEC_PER_MSEC	1000000ULL
#define NSEC_PER_SEC	1000000000ULL

#define TICK_NS		(4 * NSEC_PER_MSEC)
#define DECISIONS	400
#define MIN_DECISIONS	250
#define MAX_DECISIONS	1000

static double values[BENCH_MAX_RECORDS];

static const char *name_of(const char *fmt, ...)
{
	static char name[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	return name;
}

/* ---- one decision ---- */

/* Costs of the decisions so far that left the frequency as it was */
static int unchanged(const struct cost *c)
{
	const struct bench_record *r = c->skel->bss->records;
	unsigned int i, n = cost_count(c);
	int nr = 0;

	for (i = 0; i < n; i++) {
		if (r[i].old_khz == r[i].new_khz)
			values[nr++] = cost_of(&r[i]);
	}
	return nr;
}

static bool has_policy(const struct side *side)
{
	return !strstr(side->update, "sugov");
}

/* Keep a CPU busy, and have decisions made. */
static void decide(const struct side *side, struct cost *c, unsigned int nr)
{
	int i;

	/* The first find the load of the time before. */
	work(8 * TICK_NS);
	cost_forget(c);
	for (i = 0; cost_count(c) < nr && i < MAX_DECISIONS; i++) {
		side_sample_now(side);
		work(5 * TICK_NS / 2);
	}
}

static void decision(const struct side *side, int nr, const char *name)
{
	struct loaded l;
	struct cost c;
	int n;

	side_begin(side, &l, nr);
	cost_begin(&c, side->update, has_policy(side));
	decide(side, &c, DECISIONS);
	n = unchanged(&c);
	if (n < MIN_DECISIONS)
		side_die("%s: %d decisions instead of %d", name, n, MIN_DECISIONS);
	/* With many policies, CPUs that share a thread of QEMU come between. */
	if (nr)
		work_figure_least(name, "instructions", values, n);
	else
		work_figure(name, "instructions", values, n);
	cost_end(&c);
	side_end(&l);
}

/* NAME or NAME:POLICIES */
void groups_decisions(int argc, char **argv)
{
	int i, nr;

	for (i = 0; i < argc; i++) {
		char *colon = strchr(argv[i], ':');

		nr = colon ? atoi(colon + 1) : 0;
		if (colon)
			*colon = '\0';
		if (nr)
			decision(side_find(argv[i]), nr,
				 name_of("decision/%s/policies=%d", argv[i], nr));
		else
			decision(side_find(argv[i]), 0, name_of("decision/%s", argv[i]));
	}
}

/* ---- decisions that change the frequency, and the first after idle time ---- */

void groups_changes(int argc, char **argv)
{
	const struct side *side;
	struct bench_record *r;
	struct loaded l;
	struct cost c;
	unsigned int i, n;
	int arg, round, nr;

	for (arg = 0; arg < argc; arg++) {
		side = side_find(argv[arg]);
		side_begin(side, &l, 0);
		cost_begin(&c, side->update, true);
		cost_forget(&c);
		for (round = 0; round < 220; round++) {
			work(8 * TICK_NS);
			/* A little work, for samples of a low load */
			for (i = 0; i < 8; i++) {
				sleep_ms(9);
				work(100000);
			}
			sleep_ms(300);
		}
		n = cost_count(&c);
		r = c.skel->bss->records;
		for (i = 0, nr = 0; i < n; i++) {
			if (r[i].old_khz < r[i].new_khz)
				values[nr++] = cost_of(&r[i]);
		}
		work_figure(name_of("change/%s", side->name), "instructions", values, nr);
		for (i = 1, nr = 0; i < n; i++) {
			if (r[i].start_ns - r[i - 1].start_ns > 200 * NSEC_PER_MSEC &&
			    r[i].old_khz == r[i].new_khz)
				values[nr++] = cost_of(&r[i]);
		}
		work_figure(name_of("after-idle/%s", side->name), "instructions", values, nr);
		cost_end(&c);
		side_end(&l);
	}
}

/* ---- the list of vip ---- */

/* Where a task is found in a hash table is chance: what counts is the mean of many. */

#define FIRST_PID	5000000	/* above all that there are */
#define VIP_LISTS	24
#define VIP_DECISIONS	10

static int list_of(struct loaded *l)
{
	return bpf_object__find_map_fd_by_name(l->obj, "vip_tasks");
}

static void list_task(struct loaded *l, u_int32_t pid)
{
	u_int8_t one = 1;

	if (bpf_map_update_elem(list_of(l), &pid, &one, BPF_ANY))
		side_die("vip does not take that many tasks");
}

static void list_tasks(struct loaded *l, u_int32_t first, int nr)
{
	while (nr-- > 0)
		list_task(l, first + nr);
}

static void unlist_tasks(struct loaded *l, u_int32_t first, int nr)
{
	u_int32_t pid;

	while (nr-- > 0) {
		pid = first + nr;
		bpf_map_delete_elem(list_of(l), &pid);
	}
}

/* The thread that runs is listed; all others are listed anew each time. */
static double vip_decision(const struct side *side, struct loaded *l, int nr)
{
	u_int32_t first = FIRST_PID;
	double sum = 0;
	struct cost c;
	int i, k, n, samples = 0;

	cost_begin(&c, side->update, true);
	list_task(l, getpid());
	for (i = 0; i < VIP_LISTS; i++, first += nr) {
		list_tasks(l, first, nr - 1);
		decide(side, &c, VIP_DECISIONS);
		n = unchanged(&c);
		for (k = 0; k < n; k++)
			sum += values[k];
		samples += n;
		unlist_tasks(l, first, nr - 1);
	}
	unlist_tasks(l, getpid(), 1);
	cost_end(&c);
	if (samples < VIP_LISTS * VIP_DECISIONS / 2)
		side_die("vip: %d decisions instead of %d", samples,
			 VIP_LISTS * VIP_DECISIONS / 2);
	return sum / samples;
}

/* Threads that wake one another up in turn */
#define RING_THREADS	256
#define RING_TURNS	4

static sem_t ring[RING_THREADS];
static struct loaded *ring_loaded;

/* The first one is listed. */
static void *ring_thread(void *arg)
{
	long n = (long)arg;
	int turn;

	if (!n)
		list_task(ring_loaded, gettid());
	for (turn = 0; turn < RING_TURNS; turn++) {
		sem_wait(&ring[n]);
		sleep_ms(1);
		work(10000);
		sem_post(&ring[(n + 1) % RING_THREADS]);
	}
	return NULL;
}

static void ring_run(void)
{
	pthread_t threads[RING_THREADS];
	long i;

	for (i = 0; i < RING_THREADS; i++) {
		sem_init(&ring[i], 0, 0);
		if (pthread_create(&threads[i], NULL, ring_thread, (void *)i))
			side_die("no thread: %s", strerror(errno));
	}
	sem_post(&ring[0]);
	for (i = 0; i < RING_THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* Mean time that a program ran, while others come and go */
static double run_time(struct bpf_program *prog)
{
	struct bpf_prog_info before = {}, after = {};
	u_int32_t size = sizeof(before);
	int fd = bpf_program__fd(prog);

	bpf_prog_get_info_by_fd(fd, &before, &size);
	ring_run();
	bpf_prog_get_info_by_fd(fd, &after, &size);
	if (after.run_cnt == before.run_cnt)
		return -1;
	return work_instructions((double)(after.run_time_ns - before.run_time_ns) /
				 (after.run_cnt - before.run_cnt));
}

static void vip_hooks(struct loaded *l, int nr)
{
	static const char * const hooks[] = { "vip_switch", "vip_wakeup" };
	struct bench *skel = bench__open();
	struct bpf_program *prog;
	struct bpf_link *link;
	double none;
	size_t i;
	int fd;

	ring_loaded = l;
	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, prog == skel->progs.nothing);
	if (bench__load(skel))
		side_die("the empty program does not load");
	link = bpf_program__attach(skel->progs.nothing);
	fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	none = run_time(skel->progs.nothing);
	for (i = 0; i < 2; i++) {
		prog = bpf_object__find_program_by_name(l->obj, hooks[i]);
		work_figure_one(name_of("hook/%s/tasks=%d", hooks[i], nr), "instructions",
				run_time(prog) - none);
	}
	close(fd);
	bpf_link__destroy(link);
	bench__destroy(skel);
}

void groups_vip(void)
{
	static const int lengths[] = { 1, 100, 10000 };
	const struct side *side = side_find("ext-vip");
	struct loaded l;
	size_t i;

	for (i = 0; i < 3; i++) {
		side_begin(side, &l, 0);
		work_figure_one(name_of("decision/ext-vip/tasks=%d", lengths[i]), "instructions",
				vip_decision(side, &l, lengths[i]));
		list_tasks(&l, FIRST_PID, lengths[i] - 1);
		vip_hooks(&l, lengths[i]);
		side_end(&l);
	}
}

/* ---- registering ---- */

#define ROUNDS	61

static void costs_of(struct cost *c, const char *name)
{
	int i, n = cost_count(c);

	for (i = 0; i < n; i++)
		values[i] = cost_of(&c->skel->bss->records[i]);
	work_figure_least(name, "instructions", values, n);
	cost_end(c);
}

static void register_side(const struct side *side, int nr)
{
	struct loaded a, b;
	struct cost reg, unreg, update;
	int i;

	side_select("ext", nr);
	side_load(&a, side->object);
	side_load(&b, side->object);
	cost_begin(&reg, "cpufreq_ext_reg", false);
	cost_begin(&unreg, "cpufreq_ext_unreg", false);
	cost_begin(&update, "cpufreq_ext_update", false);
	for (i = 0; i < ROUNDS; i++) {
		a.governor = bpf_map__attach_struct_ops(a.ops);
		if (!a.governor)
			side_die("%s does not register: %s", side->name, strerror(errno));
		if (bpf_link__update_map(a.governor, b.ops) ||
		    bpf_link__update_map(a.governor, a.ops))
			side_die("%s cannot be replaced: %s", side->name, strerror(errno));
		bpf_link__detach(a.governor);
		bpf_link__destroy(a.governor);
		a.governor = NULL;
	}
	costs_of(&reg, name_of("register/%s/policies=%d", side->name, nr));
	costs_of(&unreg, name_of("unregister/%s/policies=%d", side->name, nr));
	costs_of(&update, name_of("swap/%s/policies=%d", side->name, nr));
	side_unload(&b);
	side_unload(&a);
	side_select("performance", 0);
}

void groups_registration(void)
{
	static const int numbers[] = { 1, 8, 64, 128 };
	size_t i;

	find_policies();
	for (i = 0; i < 4; i++) {
		if (numbers[i] > nr_policies)
			break;
		register_side(side_find("ext-ondemand"), numbers[i]);
		register_side(side_find("ext-vip"), numbers[i]);
	}
}

/* ---- memory ---- */

static double size_of(const char *module, const char *type)
{
	struct btf *vmlinux = btf__load_vmlinux_btf();
	struct btf *btf = vmlinux;
	const struct btf_type *t;
	int id;

	if (module)
		btf = btf__load_module_btf(module, vmlinux);
	id = btf ? btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT) : -1;
	if (id < 0)
		return -1;
	t = btf__type_by_id(btf, id);
	return t->size;
}

/* What is left of all that writing a governor's name allocates */
static double bytes_for(struct bench *skel, int policy, const char *governor)
{
	skel->bss->memory_bytes = 0;
	if (set_governor(policy, governor))
		side_die("policy%d does not take %s", policy, governor);
	return skel->bss->memory_bytes;
}

static void allocations(struct bench *skel, const char *governor)
{
	double first, second;

	/* Loads a module, should it be one. */
	side_select(governor, 0);
	side_select("performance", 0);
	first = bytes_for(skel, policies[0], governor);
	second = bytes_for(skel, policies[1], governor);
	work_figure_one(name_of("allocated/%s", governor), "bytes", second);
	work_figure_one(name_of("allocated-once/%s", governor), "bytes", first - second);
	side_select("performance", 0);
}

void groups_memory(void)
{
	struct bench *skel = bench__open();
	struct bpf_program *prog;
	double ext, dbs;

	find_policies();
	if (nr_policies < 2)
		side_die("memory wants two policies");
	/* Also loads the module */
	side_select("ext", 1);
	ext = size_of("cpufreq_ext", "cpufreq_ext_policy");
	dbs = size_of(NULL, "policy_dbs_info");
	if (ext < 0 || dbs < 0)
		dbs = size_of("cpufreq_ext", "policy_dbs_info");
	if (ext < 0)
		ext = size_of(NULL, "cpufreq_ext_policy");
	work_figure_one("memory/ext", "bytes", ext);
	work_figure_one("memory/dbs", "bytes", dbs);

	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, !strncmp(bpf_program__name(prog), "memory_", 7));
	if (bench__load(skel) || bench__attach(skel))
		side_die("the counters of memory do not load");
	skel->bss->memory_pid = getpid();
	allocations(skel, "ondemand");
	allocations(skel, "ext");
	bench__destroy(skel);
}

/* ---- an idle system ---- */

#define IDLE_S		60
/* Which timers meet is chance: what follows from one side may look like its fault. */
#define IDLE_ROUNDS	3

/* Where the functions of ext are */
static void find_ext_text(struct bench *skel)
{
	unsigned long long address, first = ~0ULL, last = 0;
	FILE *f = fopen("/proc/kallsyms", "r");
	char line[512], type, module[64];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %c %*s [%63[^]]", &address, &type, module) != 3 ||
		    strcmp(module, "cpufreq_ext") || (type != 't' && type != 'T'))
			continue;
		first = address < first ? address : first;
		last = address > last ? address : last;
	}
	if (f)
		fclose(f);
	if (!last)
		side_die("/proc/kallsyms has no functions of cpufreq_ext");
	skel->bss->ext_text = first;
	skel->bss->ext_text_end = last + 1;
}

static void idle_add(struct bench *skel, const struct side *side, struct bench_events *sum)
{
	struct bench_events *e;
	struct loaded l;

	/* Works and timers that meet by now go on for minutes, whoever takes samples next. */
	side_select("performance", 0);
	sleep_ms(IDLE_S * 1000);
	side_begin(side, &l, 0);
	/* What was to be done is done. */
	sleep_ms(10000);
	memset(skel->bss->events, 0, sizeof(skel->bss->events));
	sleep_ms(IDLE_S * 1000);
	for (e = skel->bss->events; e < skel->bss->events + BENCH_MAX_CPUS; e++) {
		sum->idle_ends += e->idle_ends;
		sum->timers += e->timers;
		sum->irq_works += e->irq_works;
		sum->wakeups += e->wakeups;
		sum->caused += e->caused;
	}
	side_end(&l);
}

static void idle_figure(const char *kind, const char *name, unsigned long long events)
{
	char figure[96];

	snprintf(figure, sizeof(figure), "idle-%s/%s", kind, name);
	work_figure_one(figure, "1/s", (double)events / (IDLE_S * IDLE_ROUNDS));
}

static void idle_load(struct bench *skel)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, prog == skel->progs.idle_ends ||
					  prog == skel->progs.timers ||
					  prog == skel->progs.irq_works ||
					  prog == skel->progs.wakeups ||
					  prog == skel->progs.own_timers ||
					  prog == skel->progs.own_works);
	/* This loads the module. */
	side_select("ext", 0);
	find_ext_text(skel);
	if (bench__load(skel) || bench__attach(skel))
		side_die("the counters of events do not load");
}

void groups_idle(void)
{
	static const char * const names[] = {
		"kernel-performance", "kernel-ondemand", "ext-nothing", "ext-empty",
		"ext-ondemand", "ext-vip", "ext-schedutil",
	};
	struct bench_events sums[ARRAY_SIZE(names)] = {};
	struct bench *skel = bench__open();
	size_t i;
	int n;

	idle_load(skel);
	for (n = 0; n < IDLE_ROUNDS; n++)
		for (i = 0; i < ARRAY_SIZE(names); i++)
			idle_add(skel, side_find(names[i]), &sums[i]);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		idle_figure("ends", names[i], sums[i].idle_ends);
		idle_figure("timers", names[i], sums[i].timers);
		idle_figure("irq-works", names[i], sums[i].irq_works);
		idle_figure("wakeups", names[i], sums[i].wakeups);
		idle_figure("caused", names[i], sums[i].caused);
	}
	bench__destroy(skel);
}

/* ---- all that a decision costs, wherever ---- */

#define WORK_NS		(20 * NSEC_PER_SEC)
/* What else the system has to do at times can only add. */
#define WHOLE_ROUNDS	6
/*
 * Ticks are where samples are taken: with a period between two multiples of theirs,
 * no tick is now just early enough and now a little too early.
 */
#define GOVERNOR_US	"10000"
#define DAEMON_US	"12000"	/* three ticks, as well */

static double work_time(void)
{
	uint64_t begin;

	work(20 * TICK_NS);
	begin = work_now_ns();
	work(WORK_NS);
	return work_now_ns() - begin;
}

/* The same without a governor that decides */
static double base_time(void)
{
	side_select("performance", 0);
	return work_time();
}

static double governor_time(const struct side *side, double *decisions)
{
	struct loaded l;
	struct cost c;
	double time;

	side_begin(side, &l, 0);
	side_sample_every(side, GOVERNOR_US);
	cost_begin(&c, side->update, true);
	work(20 * TICK_NS);
	cost_forget(&c);
	work(WORK_NS);
	*decisions = cost_count(&c);
	cost_end(&c);
	time = work_time();
	side_end(&l);
	return time;
}

static double daemon_time(bool keeps_files, double *decisions)
{
	char line[64];
	double time;
	int out[2];
	ssize_t n;
	pid_t pid;

	side_select("userspace", 0);
	if (pipe(out))
		side_die("no pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		dup2(out[1], STDOUT_FILENO);
		execl("./setspeed_daemon", "setspeed_daemon", keeps_files ? "-k" : DAEMON_US,
		      keeps_files ? DAEMON_US : NULL, NULL);
		_exit(1);
	}
	close(out[1]);
	work(100 * TICK_NS);
	time = work_time();
	/* It tells how many periods it made of how much time. */
	kill(pid, SIGTERM);
	n = read(out[0], line, sizeof(line) - 1);
	line[n > 0 ? n : 0] = '\0';
	close(out[0]);
	waitpid(pid, NULL, 0);
	*decisions = WORK_NS / 1000.0 / atof(DAEMON_US);
	if (atof(line) < *decisions)
		side_die("the daemon made %s decisions, not %g", line, *decisions);
	return time;
}

static double side_time(const char *name, double *decisions)
{
	if (!strncmp(name, "daemon", 6))
		return daemon_time(!strcmp(name, "daemon-least"), decisions);

	return governor_time(side_find(name), decisions);
}

void groups_whole(void)
{
	static const char * const names[] = {
		"kernel-ondemand", "ext-empty", "ext-ondemand", "daemon", "daemon-least",
	};
	double base, time, least[ARRAY_SIZE(names)], decisions[ARRAY_SIZE(names)];
	size_t i;
	int n;

	/* What the kernel puts off at boot is done by then. */
	base_time();
	base = base_time();
	for (n = 0; n < WHOLE_ROUNDS; n++) {
		for (i = 0; i < ARRAY_SIZE(names); i++) {
			time = side_time(names[i], &decisions[i]);
			least[i] = n && least[i] < time ? least[i] : time;
			if (!decisions[i])
				side_die("%s made no decisions", names[i]);
		}
		time = base_time();
		base = time < base ? time : base;
	}
	for (i = 0; i < ARRAY_SIZE(names); i++)
		work_figure_one(name_of("whole/%s", names[i]), "instructions",
				(least[i] - base) / decisions[i]);
}

/* ---- for other tools ---- */

void groups_run(const char *name)
{
	struct loaded l;

	side_begin(side_find(name), &l, 0);
	puts("runs");
	fflush(stdout);
	for (;;)
		work(WORK_NS);
}
