/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that do things to cpufreq at the same time, for the stress of ext.
 *
 * What a worker does follows from its seed alone, never from what comes of it,
 * so that a run can be repeated as far as scheduling allows.
 */
#ifndef __CPUFREQ_EXT_WORKERS_H
#define __CPUFREQ_EXT_WORKERS_H

#include <spawn.h>
#include <stdint.h>
#include <sys/types.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "util.h"
#include "record.skel.h"
#include "stress.skel.h"

#define WORKERS_MAX	32
#define WORKER_HANG_MS	60000		/* no operation takes that long */
#define WORKERS_REPORT_MS 120000
#define WORKER_ROUNDS	512		/* of a busy loop until it relaxes */
#define WORKER_LOAD_MS	20000		/* that a loader may take */
#define WORKER_LOADER	"./cpufreq_ext"
#define WORKER_OBJECT	"cpufreq_ext_powersave.bpf.o"

struct worker {
	const char *name;
	void (*step)(struct worker *worker);
	unsigned long limit;		/* of successes that end the run, 0: none */
	bool alone;			/* nobody else loads governors or suspends */
	bool loads;			/* has governors, as load, swap and kick do */

	unsigned short random[3];
	unsigned long steps, done;
	unsigned long loaded;		/* kills when it had loaded */
	u_int64_t since_ms;		/* begin of the step, or of a part; 0 between steps */
	const char *part;		/* of the step */
	struct stress *stress;
	struct bpf_link *link;
	bool lower;
	pthread_t thread;
};

#define WORKER(action, ...)						\
	{ .name = #action, .step = worker_##action, ##__VA_ARGS__ }

static char worker_governors[16][32];
static int nr_worker_governors;
static bool workers_end;
static bool workers_keep_first;		/* the first policy stays with ext */
static bool workers_wilder;		/* governors sleep and give up, too */
static void (*workers_at_end)(struct worker *worker);
static bool (*workers_switch_to)(const char *governor);
static unsigned int nr_broken;
static struct record *record;
/* Held for writing while there is no driver */
static pthread_rwlock_t workers_driver = PTHREAD_RWLOCK_INITIALIZER;

#define worker_broken(fmt, ...) do {					\
	__atomic_add_fetch(&nr_broken, 1, __ATOMIC_RELAXED);		\
	printf("# broken: " fmt "\n", ##__VA_ARGS__);			\
	fflush(stdout);							\
} while (0)

static inline u_int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

static inline unsigned int worker_draw(struct worker *worker, unsigned int below)
{
	return nrand48(worker->random) % below;
}

static inline int worker_policy(struct worker *worker)
{
	return policies[worker_draw(worker, nr_policies)];
}

/* A step may have many parts, each of which ends soon. */
static inline void worker_begins(struct worker *worker, const char *part)
{
	worker->part = part;
	__atomic_store_n(&worker->since_ms, now_ms(), __ATOMIC_RELAXED);
}

/* An end of the run is not waited for. */
static inline void worker_pause(struct worker *worker, unsigned int below_ms)
{
	unsigned int ms = worker_draw(worker, below_ms), part;

	for (; ms && !__atomic_load_n(&workers_end, __ATOMIC_RELAXED); ms -= part) {
		part = ms < 100 ? ms : 100;
		sleep_ms(part);
	}
}

/* A link, or NULL if there is a reason not to get one */
static inline struct bpf_link *worker_attach(struct worker *worker,
					     struct bpf_map *map)
{
	struct bpf_link *link = bpf_map__attach_struct_ops(map);
	int err = errno;

	if (link)
		return link;
	/* Others have loaded one, or taken the last policy away, or it gave up. */
	if (worker->alone || (err != EBUSY && err != ENODEV && err != EINVAL &&
			      err != ECANCELED))
		worker_broken("%s: attach: %s", worker->name, strerror(err));
	return NULL;
}

static inline struct bpf_map *worker_map(struct worker *worker)
{
	switch (worker_draw(worker, 3)) {
	case 0: return worker->stress->maps.low;
	case 1: return worker->stress->maps.lower;
	default: return worker->stress->maps.wild;
	}
}

/* Load and unload a governor. */
static inline void worker_load(struct worker *worker)
{
	struct bpf_map *map = worker->alone ? worker->stress->maps.low : worker_map(worker);
	struct bpf_link *link = worker_attach(worker, map);

	if (worker->alone && !strstr(read_stat(), "governor: low\n"))
		worker_broken("%s: stat after the load: %s", worker->name, read_stat());
	worker_pause(worker, 20);
	if (!link)
		return;
	if (bpf_link__destroy(link))
		worker_broken("%s: detach: %s", worker->name, strerror(errno));
	if (worker->alone && strcmp(read_stat(), STAT_INIT))
		worker_broken("%s: stat after the unload: %s", worker->name, read_stat());
	worker->done++;
}

/* Replace the governor that it has loaded; now and then load it anew. */
static inline void worker_swap(struct worker *worker)
{
	struct stress *stress = worker->stress;
	bool anew = worker_draw(worker, 16) == 0;
	struct bpf_map *map = worker_map(worker);
	int err;

	if (worker->alone)
		map = (worker->lower = !worker->lower) ? stress->maps.lower : stress->maps.low;
	if (!worker->link || (anew && !worker->alone)) {
		bpf_link__destroy(worker->link);
		worker->link = worker_attach(worker, map);
		worker_pause(worker, 10);
		return;
	}
	err = bpf_link__update_map(worker->link, map);
	if (err == -ENOLINK && !worker->alone) {
		/* It was ejected. */
		bpf_link__destroy(worker->link);
		worker->link = NULL;
	} else if (err && ((err != -EINVAL && err != -ECANCELED) || map != stress->maps.wild)) {
		worker_broken("%s: %s", worker->name, strerror(-err));
	}
	worker_pause(worker, 10);
	worker->done += !err;
}

static inline bool worker_has_exited(pid_t pid)
{
	siginfo_t info = {};

	return !waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid == pid;
}

/* Not by fork(): memory that is locked would have to be copied when it is written. */
static inline pid_t worker_spawn_loader(void)
{
	char * const argv[] = { WORKER_LOADER, WORKER_OBJECT, NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int err;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	err = posix_spawn(&pid, WORKER_LOADER, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return err ? -err : pid;
}

/*
 * Kill a loader at any moment, half of the time after it has loaded, or was refused
 * as another governor was there.
 */
static inline void worker_kill(struct worker *worker)
{
	unsigned int ms = worker_draw(worker, 400);
	bool loaded = worker_draw(worker, 2);
	pid_t pid = worker_spawn_loader();
	u_int64_t until;

	if (pid < 0) {
		worker_broken("%s: no loader: %s", worker->name, strerror(-pid));
		worker_pause(worker, 400);
		return;
	}
	if (loaded) {
		worker_begins(worker, "waits for the loader");
		until = now_ms() + WORKER_LOAD_MS;
		while (!(loaded = strstr(read_stat(), "governor: powersave\n")) &&
		       !worker_has_exited(pid) && now_ms() < until)
			sleep_ms(10);
	}
	sleep_ms(ms);
	kill(pid, SIGKILL);
	worker->loaded += loaded;
	worker_begins(worker, "waits for the end of the loader");
	waitpid(pid, NULL, 0);
	worker_begins(worker, "waits for the end of its governor");
	if (worker->alone && !wait_for(!strcmp(read_stat(), STAT_INIT)))
		worker_broken("%s: stat after the kill: %s", worker->name, read_stat());
	worker->done++;
}

static inline void worker_set_online(struct worker *worker, int cpu, bool online)
{
	int err;

	worker_begins(worker, online ? "on" : "off");
	err = set_online(cpu, online);
	/* It cannot be while the system suspends. */
	if (err && (err != -EBUSY || worker->alone))
		worker_broken("%s: CPU %d %s: %s", worker->name, cpu, online ? "on" : "off",
			      strerror(-err));
}

/* A CPU off and on; once in a while all but the first that way */
static inline void worker_hotplug(struct worker *worker)
{
	int nr_cpus = sysconf(_SC_NPROCESSORS_CONF), cpu;
	bool all = worker_draw(worker, 4) == 0;
	int one = 1 + worker_draw(worker, nr_cpus > 1 ? nr_cpus - 1 : 1);

	for (cpu = 1; cpu < nr_cpus; cpu++)
		if (all || cpu == one)
			worker_set_online(worker, cpu, false);
	worker_pause(worker, 20);
	for (cpu = 1; cpu < nr_cpus; cpu++)
		if (all || cpu == one)
			worker_set_online(worker, cpu, true);
	worker_pause(worker, 20);
	worker->done++;
}

/* All CPUs but one off and on */
static inline void worker_hotplug_all(struct worker *worker)
{
	int nr_cpus = sysconf(_SC_NPROCESSORS_CONF), cpu;

	for (cpu = 1; cpu < nr_cpus; cpu++)
		worker_set_online(worker, cpu, false);
	for (cpu = 1; cpu < nr_cpus; cpu++)
		worker_set_online(worker, cpu, true);
	worker->done++;
}

/* Half of the time ext, or there would be little to test. */
static inline void worker_governor(struct worker *worker)
{
	int policy = worker_policy(worker);
	const char *governor = "ext";

	if (worker_draw(worker, 2))
		governor = worker_governors[worker_draw(worker, nr_worker_governors)];
	if (workers_keep_first && policy == policies[0])
		governor = "ext";
	/* A policy whose CPUs are off takes none. */
	if (!set_governor(policy, governor))
		worker->done++;
	worker_pause(worker, 10);
}

static inline unsigned int worker_khz(struct worker *worker)
{
	switch (worker_draw(worker, 8)) {
	case 0: return 0;
	case 1: return INT32_MAX;
	case 2: return worker_draw(worker, 4000000);
	default: return freqs[worker_draw(worker, nr_freqs)];
	}
}

static inline void worker_limits(struct worker *worker)
{
	int policy = worker_policy(worker);

	if (!write_policy_num(policy, worker_draw(worker, 2) ? "scaling_min_freq" :
			      "scaling_max_freq", worker_khz(worker)))
		worker->done++;
	worker_pause(worker, 5);
}

static inline void worker_setspeed(struct worker *worker)
{
	int policy = worker_policy(worker);

	if (!write_policy_num(policy, "scaling_setspeed", worker_khz(worker)))
		worker->done++;
	worker_pause(worker, 5);
}

/*
 * Where this runs, the first policy stays with ext: when the last one leaves a dbs
 * governor, gov_attr_set_put() destroys a mutex that a store may wait for, of which
 * DEBUG_MUTEXES warns, with each of these governors.
 */
static inline void worker_tunables(struct worker *worker)
{
	static const char * const names[] = {
		"sampling_rate", "ignore_nice_load", "io_is_busy",
	};
	static const char * const values[] = {
		"0", "1", "8000", "20000", "100000", "4000000", "4000001",
		"-1", "", "nonsense", "99999999999999999999",
	};
	const char *value = values[worker_draw(worker, 11)];
	char path[128];

	snprintf(path, sizeof(path), CPUFREQ "/ext/%s", names[worker_draw(worker, 3)]);
	/* A driver that goes takes the last policy with it. */
	if (!pthread_rwlock_tryrdlock(&workers_driver)) {
		if (!write_file(path, value))
			worker->done++;
		pthread_rwlock_unlock(&workers_driver);
	}
	worker_pause(worker, 5);
}

static inline bool worker_stat_ok(const char *stat)
{
	static const char loaded[] = "Stat: CPUFREQ_EXT_LOADED\nBPF governor: ";
	static const char fault[] = "Stat: CPUFREQ_EXT_FAULT\nBPF governor: ";
	const char *end;

	if (!*stat || !strcmp(stat, STAT_INIT))
		return true;
	if (!strncmp(stat, loaded, strlen(loaded))) {
		stat += strlen(loaded);
		return !strcmp(stat, "low\n") || !strcmp(stat, "lower\n") ||
		       !strcmp(stat, "wild\n") || !strcmp(stat, "powersave\n");
	}
	if (strncmp(stat, fault, strlen(fault)))
		return false;
	end = strstr(stat, "\nReason: ");
	return end && end[strlen("\nReason: ")] > ' ';
}

/* What users look at makes sense at any time. */
static inline void worker_read(struct worker *worker)
{
	static const char * const names[] = {
		"scaling_governor", "scaling_cur_freq", "scaling_setspeed",
		"affected_cpus", "stats/time_in_state", "stats/trans_table",
	};
	const char *name = names[worker_draw(worker, 6)];
	int policy = worker_policy(worker);
	char stat[4096] = "", governor[64] = "";

	read_file(CPUFREQ "/ext/stat", stat, sizeof(stat));
	if (!worker_stat_ok(stat))
		worker_broken("%s: stat: %s", worker->name, stat);
	/*
	 * The first CPU is never taken off.  A driver that goes deadlocks with who reads
	 * stats/: cpufreq_policy_free() removes them with the rwsem held.
	 */
	if (!pthread_rwlock_tryrdlock(&workers_driver)) {
		if (read_file(CPUFREQ "/policy0/scaling_governor", governor, sizeof(governor)) ||
		    !*governor)
			worker_broken("%s: policy0 has no governor", worker->name);
		read_policy(policy, name);
		pthread_rwlock_unlock(&workers_driver);
	}
	worker_pause(worker, 10);
	worker->done++;
}

static inline void worker_kick(struct worker *worker)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	worker->stress->bss->kick_cpu = worker_draw(worker, 2 * sysconf(_SC_NPROCESSORS_CONF));
	if (!bpf_prog_test_run_opts(bpf_program__fd(worker->stress->progs.stress_kick), &opts) &&
	    !opts.retval)
		worker->done++;
	worker_pause(worker, 3);
}

/* Where the kernel can test suspend without hardware that wakes it up */
static inline void worker_suspend(struct worker *worker)
{
	static const char * const levels[] = {
		"freezer", "devices", "platform", "processors", "core",
	};
	unsigned int level = worker_draw(worker, 5);
	/* Suspend to idle has no more than the first three. */
	const char *state = worker_draw(worker, 2) || level > 2 ? "mem" : "freeze";

	/* Where it does not count them, others should have most of the time. */
	worker_pause(worker, worker->limit ? 500 : 30000);
	worker_begins(worker, "suspends");
	if (write_file("/sys/power/pm_test", levels[level]))
		return;
	if (!write_file("/sys/power/state", state))
		worker->done++;
	write_file("/sys/power/pm_test", "none");
}

static inline bool workers_can_suspend(void)
{
	return !access("/sys/power/pm_test", W_OK) &&
	       !write_file("/sys/module/suspend/parameters/pm_test_delay", "0");
}

/* To an emulator that runs the CPUs in turn, that this one can wait for the others */
static inline void worker_relax(void)
{
#if __has_builtin(__builtin_ia32_pause)
	__builtin_ia32_pause();
#endif
}

/*
 * One for each CPU: busy, but workers get the time that they want.  Not bound to
 * a CPU, as the kernel complains when such a CPU is taken off.
 */
static inline void *worker_busy_loop(void *end)
{
	struct sched_param param = {};
	unsigned int round = 0;

	sched_setscheduler(0, SCHED_IDLE, &param);
	while (!__atomic_load_n((bool *)end, __ATOMIC_RELAXED))
		if (++round % WORKER_ROUNDS == 0)
			worker_relax();
	return NULL;
}

static inline void workers_busy_start(void)
{
	int nr_cpus = sysconf(_SC_NPROCESSORS_CONF), cpu;

	busy_done = false;
	for (cpu = 0; cpu < nr_cpus; cpu++)
		if (!pthread_create(&busy_threads[nr_busy], NULL, worker_busy_loop, &busy_done))
			nr_busy++;
}

/* The governors that policies can be given, "ext" among them */
static inline void workers_find_governors(void)
{
	char text[512], *word, *rest;

	nr_worker_governors = 0;
	snprintf(text, sizeof(text), "%s",
		 read_policy(policies[0], "scaling_available_governors"));
	for (word = strtok_r(text, " ", &rest); word && nr_worker_governors < 16;
	     word = strtok_r(NULL, " ", &rest))
		if (!workers_switch_to || workers_switch_to(word))
			snprintf(worker_governors[nr_worker_governors++], 32, "%s", word);
}

static inline void *worker_thread(void *arg)
{
	struct worker *worker = arg;

	while (!__atomic_load_n(&workers_end, __ATOMIC_RELAXED)) {
		worker_begins(worker, "begins");
		worker->step(worker);
		worker->steps++;
		__atomic_store_n(&worker->since_ms, 0, __ATOMIC_RELAXED);
		if (worker->limit && worker->done >= worker->limit)
			break;
	}
	return NULL;
}

/* Does not return if a thread hangs: nothing could be cleaned up. */
static inline void workers_watch(struct worker *workers, int n)
{
	u_int64_t since;
	int i;

	for (i = 0; i < n; i++) {
		since = __atomic_load_n(&workers[i].since_ms, __ATOMIC_RELAXED);
		if (!since || now_ms() < since + WORKER_HANG_MS)
			continue;
		printf("# broken: %s (%s)\nBail out! %s hangs\n", workers[i].name,
		       workers[i].part, workers[i].name);
		fflush(stdout);
		/* To the console: nobody can read the log any more. */
		write_file("/proc/sys/kernel/printk", "8");
		write_file("/proc/sysrq-trigger", "w");
		write_file("/proc/sysrq-trigger", "d");
		_exit(1);
	}
}

static inline bool workers_reached(struct worker *workers, int n)
{
	bool any = false;
	int i;

	for (i = 0; i < n; i++) {
		if (!workers[i].limit)
			continue;
		any = true;
		if (__atomic_load_n(&workers[i].done, __ATOMIC_RELAXED) < workers[i].limit)
			return false;
	}
	return any;
}

static inline int workers_setup(struct worker *worker, unsigned int seed, int index)
{
	worker->random[0] = seed;
	worker->random[1] = seed >> 16;
	worker->random[2] = index;
	/* The first one has governors for the check at the end. */
	if (index && !worker->loads && worker->step != worker_load && worker->step != worker_swap &&
	    worker->step != worker_kick)
		return 0;
	worker->stress = stress__open_and_load();
	if (!worker->stress)
		return -1;
	worker->stress->bss->seed = seed + index;
	worker->stress->bss->fail_start = 3;
	worker->stress->bss->fail_next = 2;
	if (workers_wilder) {
		worker->stress->bss->fail_init = 3;
		worker->stress->bss->give_up = 10;
		worker->stress->bss->nap = 50;
	}
	return 0;
}

/* Everything as it was, and a governor can be loaded. */
static inline void workers_check_after(struct worker *worker)
{
	int nr_cpus = sysconf(_SC_NPROCESSORS_CONF), i;
	struct bpf_link *link;

	for (i = 1; i < nr_cpus; i++)
		set_online(i, true);
	if (workers_at_end)
		workers_at_end(worker);
	for (i = 0; i < nr_policies; i++) {
		if (!*read_policy(policies[i], "scaling_governor"))
			worker_broken("policy%d has no governor", policies[i]);
		if (!set_limits(policies[i], freqs[0], freqs[nr_freqs - 1]))
			worker_broken("the limits of policy%d cannot be opened", policies[i]);
		if (set_governor(policies[i], "ext"))
			worker_broken("policy%d does not take ext", policies[i]);
	}
	write_file(CPUFREQ "/ext/sampling_rate", "10000");
	if (strstr(read_stat(), "LOADED"))
		worker_broken("stat at the end: %s", read_stat());
	for (i = 0; i < nr_policies; i++)
		if (!wait_for(cur_freq(policies[i]) == freqs[nr_freqs - 1]))
			worker_broken("policy%d is at %u kHz with no governor loaded",
				      policies[i], cur_freq(policies[i]));
	link = bpf_map__attach_struct_ops(worker->stress->maps.low);
	if (!link)
		worker_broken("no governor can be loaded at the end: %s", strerror(errno));
	for (i = 0; i < nr_policies; i++)
		if (!wait_for(cur_freq(policies[i]) == freqs[0]))
			worker_broken("policy%d does not follow a governor at the end",
				      policies[i]);
	bpf_link__destroy(link);
	if (strcmp(read_stat(), STAT_INIT))
		worker_broken("stat after the end: %s", read_stat());
}

/* Links, programs and maps that there are in the system */
static inline int workers_count_bpf(void)
{
	__u32 id;
	int n = 0;

	for (id = 0; !bpf_link_get_next_id(id, &id); n++)
		;
	for (id = 0; !bpf_prog_get_next_id(id, &id); n++)
		;
	for (id = 0; !bpf_map_get_next_id(id, &id); n++)
		;
	return n;
}

/*
 * Programs and maps of before go when RCU and its tasks let them, which takes longer
 * than some looks that see no change.
 */
static inline int workers_settled_bpf(void)
{
	int n = workers_count_bpf(), least = n, i;

	for (i = 0; i < 6; i++) {
		sleep_ms(500);
		n = workers_count_bpf();
		if (n < least)
			i = 0;
		least = n < least ? n : least;
	}
	return least;
}

/* How many there are more than @before when all had the time to go */
static inline int workers_left_bpf(int before)
{
	wait_for_ms(workers_count_bpf() <= before, 20000);
	return workers_count_bpf() - before;
}

static inline int workers_record(void)
{
	int err;

	record = record__open_and_load();
	if (!record)
		return -1;
	err = record__attach(record);
	if (err)
		record__destroy(record);
	return err;
}

/* Long runs tell how far they are. */
static inline void workers_report(struct worker *workers, int n, u_int64_t ms)
{
	int i;

	printf("# %llu s:", (unsigned long long)ms / 1000);
	for (i = 0; i < n; i++)
		printf(" %s %lu", workers[i].name,
		       __atomic_load_n(&workers[i].done, __ATOMIC_RELAXED));
	putchar('\n');
	fflush(stdout);
}

/*
 * Run @n workers on busy CPUs until those with a limit have reached it, or for
 * @seconds.  Returns how many promises were broken.
 */
static inline unsigned int workers_run(struct worker *workers, int n,
				       unsigned int seed, unsigned int seconds)
{
	int nr_bpf = workers_settled_bpf(), i;
	unsigned int naps = 0, given_up = 0;
	u_int64_t begin, report;

	nr_broken = 0;
	workers_end = false;
	workers_keep_first = false;
	for (i = 0; i < n; i++)
		workers_keep_first |= workers[i].step == worker_tunables;
	workers_find_governors();
	if (workers_record()) {
		worker_broken("the frequencies cannot be watched");
		return nr_broken;
	}
	for (i = 0; i < n; i++) {
		if (workers_setup(&workers[i], seed, i)) {
			worker_broken("the governors do not load");
			return nr_broken;
		}
	}
	workers_busy_start();
	begin = now_ms();
	report = begin + WORKERS_REPORT_MS;
	for (i = 0; i < n; i++)
		pthread_create(&workers[i].thread, NULL, worker_thread, &workers[i]);

	while (now_ms() < begin + seconds * 1000ULL && !workers_reached(workers, n)) {
		sleep_ms(100);
		workers_watch(workers, n);
		if (now_ms() < report)
			continue;
		workers_report(workers, n, report - begin);
		report += WORKERS_REPORT_MS;
	}
	if (!workers_reached(workers, n))
		for (i = 0; i < n; i++)
			if (workers[i].limit)
				worker_broken("%s: %lu of %lu in %u s", workers[i].name,
					      workers[i].done, workers[i].limit, seconds);
	__atomic_store_n(&workers_end, true, __ATOMIC_RELAXED);
	for (i = 0; i < n; i++) {
		while (pthread_tryjoin_np(workers[i].thread, NULL)) {
			sleep_ms(10);
			workers_watch(workers, n);
		}
	}
	busy_stop();

	if (!record->bss->nr_set)
		worker_broken("no frequency was seen");
	if (record->bss->nr_outside)
		worker_broken("%u times outside of the limits, once %u, not in %u..%u kHz",
			      record->bss->nr_outside, record->bss->outside_khz,
			      record->bss->outside_min, record->bss->outside_max);
	for (i = 0; i < n; i++) {
		printf("# %s: %lu operations, %lu succeeded\n", workers[i].name,
		       workers[i].steps, workers[i].done);
		if (workers[i].stress) {
			naps += workers[i].stress->bss->nr_naps;
			given_up += workers[i].stress->bss->nr_given_up;
		}
		bpf_link__destroy(workers[i].link);
		workers[i].link = NULL;
	}
	printf("# %u frequencies set, %u transitions, %u changes of limits, %llu.%llu s\n",
	       record->bss->nr_set, record->bss->nr_transitions, record->bss->nr_limits,
	       (now_ms() - begin) / 1000ULL, (now_ms() - begin) / 100ULL % 10);
	if (workers_wilder)
		printf("# %u naps in operations, %u of them gave up\n", naps, given_up);
	workers_check_after(&workers[0]);
	record__destroy(record);
	for (i = 0; i < n; i++)
		stress__destroy(workers[i].stress);
	i = workers_left_bpf(nr_bpf);
	if (i > 0)
		worker_broken("%d BPF objects are left", i);
	return nr_broken;
}

#endif /* __CPUFREQ_EXT_WORKERS_H */
