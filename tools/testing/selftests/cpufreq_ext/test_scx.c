// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pair of a sched_ext scheduler and a BPF governor: what tasks of a group and
 * others get, compared with ondemand, and what is left when one of the two ends.
 */
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "kselftest_harness.h"
#include "util.h"

typedef __u32 u32;
#include "scx.skel.h"

#define SCX		"/sys/kernel/sched_ext"
#define CGROUPS		"/tmp/cpufreq_ext_cgroups"
#define GROUP		CGROUPS "/group"
#define NESTED		GROUP "/nested"
#define LOADER		"./cpufreq_ext"
#define OBJECT		"cpufreq_ext_scx.bpf.o"

#define MAX_TASKS	64
#define MEASURE_MS	3000

static unsigned int min_freq(void)
{
	return freqs[0];
}

static unsigned int max_freq(void)
{
	return freqs[nr_freqs - 1];
}

/*************************** tasks ******************************************/

/* What a task has seen of itself; shared with it */
struct task {
	pid_t pid;
	unsigned long samples;		/* looks at the frequency of its CPU, */
	unsigned long at_max;		/* and how many of them saw the highest */
};

static struct task *tasks;
static int nr_tasks;
static int policy_of[CPU_SETSIZE];	/* CPU -> policy */

static void task_look(struct task *t)
{
	int policy = policy_of[sched_getcpu()];
	unsigned int freq = cur_freq(policy);

	/* It may have moved while it read. */
	if (policy_of[sched_getcpu()] != policy)
		return;
	t->samples++;
	t->at_max += freq == max_freq();
}

static void task_run(struct task *t)
{
	struct timespec then, now;

	clock_gettime(CLOCK_MONOTONIC, &then);
	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec * 1000 + now.tv_nsec / 1000000 <
		    then.tv_sec * 1000 + then.tv_nsec / 1000000 + 20)
			continue;
		then = now;
		task_look(t);
	}
}

/* A busy task in a cgroup, on one CPU or, if -1, on any; returns its number */
static int start_task(const char *cgroup, int cpu)
{
	struct task *t = &tasks[nr_tasks];
	char path[128];
	cpu_set_t set;
	int ready[2];
	pid_t pid;
	char c;

	if (nr_tasks == MAX_TASKS || pipe(ready))
		return -1;
	memset(t, 0, sizeof(*t));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (write_file(path, "0") ||
		    (cpu >= 0 && sched_setaffinity(0, sizeof(set), &set)) ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		close(ready[0]);
		close(ready[1]);
		task_run(t);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		pid = -1;
	close(ready[0]);
	t->pid = pid;

	return pid < 0 ? -1 : nr_tasks++;
}

/* Time that a task has run */
static double cpu_ms(const struct task *t)
{
	struct timespec time = {};
	clockid_t clock;

	if (!clock_getcpuclockid(t->pid, &clock))
		clock_gettime(clock, &time);
	return time.tv_sec * 1000.0 + time.tv_nsec / 1000000.0;
}

static void stop_tasks(void)
{
	while (nr_tasks) {
		kill(tasks[--nr_tasks].pid, SIGKILL);
		waitpid(tasks[nr_tasks].pid, NULL, 0);
	}
}

/*************************** measurement ************************************/

/* Time of a policy at a frequency, in ticks of the clock that statistics have */
static unsigned long ticks_at(int policy, unsigned int wanted)
{
	char path[128], text[4096], *line, *rest;
	unsigned long ticks = 0, at, freq;

	snprintf(path, sizeof(path), CPUFREQ "/policy%d/stats/time_in_state", policy);
	if (read_file(path, text, sizeof(text)))
		return 0;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (sscanf(line, "%lu %lu", &freq, &at) == 2 && freq == wanted)
			ticks = at;
	}
	return ticks;
}

/* What a while with busy CPUs cost, and what tasks made of it */
struct measured {
	double at[MAX_FREQS];	/* share of all policies' time at a frequency */
	double power;		/* with the cube of the frequency, 1: always the highest */
	double mhz;		/* mean */
	double group, others;	/* share of time that their CPUs were at the highest */
	double share;		/* of a CPU that the first task had */
};

static double seen_at_max(int first, int end, const struct task *before)
{
	unsigned long at_max = 0, samples = 0;

	for (; first < end; first++) {
		at_max += tasks[first].at_max - before[first].at_max;
		samples += tasks[first].samples - before[first].samples;
	}
	return samples ? (double)at_max / samples : 0;
}

/* The first @nr_group tasks are those of the group. */
static void measure(struct measured *m, int nr_group)
{
	unsigned long before[MAX_FREQS], all = 0, now[MAX_FREQS];
	struct task tasks_before[MAX_TASKS];
	double first_ms;
	int i, p;

	memset(m, 0, sizeof(*m));
	memset(before, 0, sizeof(before));
	memset(now, 0, sizeof(now));
	for (p = 0; p < nr_policies; p++)
		for (i = 0; i < nr_freqs; i++)
			before[i] += ticks_at(policies[p], freqs[i]);
	memcpy(tasks_before, tasks, sizeof(tasks_before));
	first_ms = cpu_ms(&tasks[0]);
	sleep_ms(MEASURE_MS);
	m->group = seen_at_max(0, nr_group, tasks_before);
	m->others = seen_at_max(nr_group, nr_tasks, tasks_before);
	m->share = (cpu_ms(&tasks[0]) - first_ms) / MEASURE_MS;
	for (p = 0; p < nr_policies; p++)
		for (i = 0; i < nr_freqs; i++)
			now[i] += ticks_at(policies[p], freqs[i]);
	for (i = 0; i < nr_freqs; i++)
		all += now[i] - before[i];
	for (i = 0; i < nr_freqs && all; i++) {
		double part = (double)freqs[i] / max_freq();

		m->at[i] = (double)(now[i] - before[i]) / all;
		m->power += m->at[i] * part * part * part;
		m->mhz += m->at[i] * freqs[i] / 1000;
	}
}

static void print_measured(struct __test_metadata *_metadata, const char *what,
			   const struct measured *m)
{
	TH_LOG("%s:", what);
	TH_LOG("  %3.0f%% of time at the highest frequency, %3.0f%% at the lowest",
	       100 * m->at[nr_freqs - 1], 100 * m->at[0]);
	TH_LOG("  mean %4.0f MHz, mean cube %3.0f%%", m->mhz, 100 * m->power);
	TH_LOG("  at the highest as seen by the group %3.0f%%, by others %3.0f%%",
	       100 * m->group, 100 * m->others);
	TH_LOG("  the group's task had %.0f%% of a CPU", 100 * m->share);
}

/*************************** fixture ****************************************/

FIXTURE(pair)
{
	struct scx *skel;
	struct bpf_link *scheduler, *governor;
	pid_t loader;
	int nr_cpus;
};

/* There is a while of "enabling" and "disabling" between these two. */
static bool sched_ext_is(const char *state)
{
	char text[64] = "";

	read_file(SCX "/state", text, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	return !strcmp(text, state);
}

static bool scheduled(void)
{
	return sched_ext_is("enabled");
}

static bool unscheduled(void)
{
	return sched_ext_is("disabled");
}

static bool all_at(unsigned int freq)
{
	int i;

	for (i = 0; i < nr_policies; i++)
		if (cur_freq(policies[i]) != freq)
			return false;
	return true;
}

static int add_group(struct scx *skel, const char *path, __u32 percent)
{
	struct stat st;
	__u64 id;

	if (stat(path, &st))
		return -errno;
	id = st.st_ino;
	return bpf_map__update_elem(skel->maps.pair_groups, &id, sizeof(id), &percent,
				    sizeof(percent), BPF_ANY);
}

static int attach_scheduler(struct _test_data_pair *self)
{
	int err;

	sched_ext_changes(true);
	self->scheduler = bpf_map__attach_struct_ops(self->skel->maps.scheduler);
	err = self->scheduler ? 0 : -errno;
	sched_ext_changes(false);

	return err;
}

static void detach_scheduler(struct _test_data_pair *self)
{
	sched_ext_changes(true);
	bpf_link__destroy(self->scheduler);
	self->scheduler = NULL;
	sched_ext_changes(false);
}

FIXTURE_SETUP(pair)
{
	int cpus[MAX_POLICIES], i, c, n;

	find_policies();
	if (access(SCX, F_OK))
		SKIP(return, "the kernel has no sched_ext");
	if (nr_policies < 2 || nr_freqs < 3)
		SKIP(return, "needs two policies and a table of three frequencies");
	self->nr_cpus = 0;
	for (i = 0; i < nr_policies; i++) {
		n = policy_cpus(policies[i], cpus, MAX_POLICIES);
		for (c = 0; c < n; c++)
			policy_of[cpus[c]] = policies[i];
		self->nr_cpus += n;
	}
	tasks = mmap(NULL, MAX_TASKS * sizeof(*tasks), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, tasks);
	mkdir(CGROUPS, 0755);
	ASSERT_TRUE(!mount("cgroup2", CGROUPS, "cgroup2", 0, NULL) || errno == EBUSY);
	ASSERT_TRUE(!mkdir(GROUP, 0755) || errno == EEXIST);
	ASSERT_TRUE(!mkdir(NESTED, 0755) || errno == EEXIST);
	ASSERT_EQ(0, set_all_governors("ext"));
	/* Now, as the verifier takes long where CPUs are busy. */
	self->skel = scx__open_and_load();
	ASSERT_NE(NULL, self->skel);
}

FIXTURE_TEARDOWN(pair)
{
	stop_tasks();
	sched_ext_changes(true);
	if (self->loader > 0) {
		kill(self->loader, SIGKILL);
		waitpid(self->loader, NULL, 0);
	}
	bpf_link__destroy(self->governor);
	bpf_link__destroy(self->scheduler);
	scx__destroy(self->skel);
	wait_for(unscheduled());
	sched_ext_changes(false);
	rmdir(NESTED);
	rmdir(GROUP);
	umount(CGROUPS);
	set_all_governors("performance");
}

#define START_PAIR() do {						\
	ASSERT_EQ(0, add_group(self->skel, GROUP, 100));		\
	ASSERT_EQ(0, attach_scheduler(self));				\
	self->governor = bpf_map__attach_struct_ops(self->skel->maps.scx); \
	ASSERT_NE(NULL, self->governor);				\
} while (0)

/*************************** tests ******************************************/

/*
 * A CPU for each task, one of which is in the group: ondemand gives all of them
 * the highest frequency, the pair the one of the group only.
 */
TEST_F_TIMEOUT(pair, saves_what_only_the_group_needs, 300)
{
	double one = 1.0 / nr_policies;
	struct measured with, without;
	int i;

	ASSERT_EQ(0, set_all_governors("ondemand"));
	ASSERT_EQ(0, start_task(GROUP, -1));
	for (i = 1; i < self->nr_cpus; i++)
		ASSERT_EQ(i, start_task(CGROUPS, -1));
	sleep_ms(1000);
	measure(&without, 1);
	print_measured(_metadata, "ondemand", &without);

	ASSERT_EQ(0, set_all_governors("ext"));
	START_PAIR();
	sleep_ms(1000);
	measure(&with, 1);
	print_measured(_metadata, "scheduler and governor", &with);

	EXPECT_LT(0.9, without.at[nr_freqs - 1]);
	/* The group's task may move from one policy to another, seldom. */
	EXPECT_LT(0.95, with.group);
	EXPECT_LT(0.9 * one, with.at[nr_freqs - 1]);
	EXPECT_GT(1.5 * one, with.at[nr_freqs - 1]);
	EXPECT_LT(0.9 * (1 - 1.5 * one), with.at[0]);
	EXPECT_TRUE(scheduled());
}

/* Twice as many tasks as CPUs: the group has its CPUs to itself, nearly. */
TEST_F_TIMEOUT(pair, keeps_others_off_the_groups_cpus, 300)
{
	struct measured with, without;
	int i;

	ASSERT_EQ(0, set_all_governors("ondemand"));
	ASSERT_EQ(0, start_task(GROUP, -1));
	for (i = 1; i < 2 * self->nr_cpus; i++)
		ASSERT_EQ(i, start_task(CGROUPS, -1));
	sleep_ms(1000);
	measure(&without, 1);
	print_measured(_metadata, "ondemand", &without);

	ASSERT_EQ(0, set_all_governors("ext"));
	START_PAIR();
	sleep_ms(1000);
	measure(&with, 1);
	print_measured(_metadata, "scheduler and governor", &with);

	EXPECT_LT(0.9, with.group);
	EXPECT_LT(1.2 * without.share, with.share);
	EXPECT_GT(0.75, with.at[nr_freqs - 1]);
}

/* Tasks that may run nowhere else get their turn. */
TEST_F_TIMEOUT(pair, starves_nobody, 120)
{
	double group, other;

	START_PAIR();
	ASSERT_EQ(0, start_task(GROUP, 0));
	ASSERT_EQ(1, start_task(CGROUPS, 0));
	sleep_ms(500);
	group = cpu_ms(&tasks[0]);
	other = cpu_ms(&tasks[1]);
	sleep_ms(MEASURE_MS);
	group = cpu_ms(&tasks[0]) - group;
	other = cpu_ms(&tasks[1]) - other;
	TH_LOG("%.0f%% for the other task", 100 * other / (group + other));
	/* One slice of five */
	EXPECT_LT(0.1, other / (group + other));
	EXPECT_GT(0.3, other / (group + other));
	/* Its turns do not cost the frequency. */
	EXPECT_LT(0.9 * tasks[0].samples, tasks[0].at_max);
}

/* Groups in a group, and how much they want */
TEST_F_TIMEOUT(pair, groups_are_nested, 120)
{
	int cpus[MAX_POLICIES];
	__u64 id;
	struct stat st;

	START_PAIR();
	policy_cpus(policies[0], cpus, MAX_POLICIES);
	ASSERT_EQ(0, start_task(NESTED, cpus[0]));
	EXPECT_TRUE(wait_for(cur_freq(policies[0]) == max_freq()));

	/* A hundredth more than some frequency's share is rounded up. */
	EXPECT_EQ(0, add_group(self->skel, NESTED, 100 * freqs[1] / max_freq()));
	EXPECT_TRUE(wait_for(cur_freq(policies[0]) == freqs[1]));

	ASSERT_EQ(0, stat(GROUP, &st));
	id = st.st_ino;
	ASSERT_EQ(0, bpf_map__delete_elem(self->skel->maps.pair_groups, &id, sizeof(id), 0));
	EXPECT_TRUE(wait_for(cur_freq(policies[0]) == freqs[1]));
	ASSERT_EQ(0, stat(NESTED, &st));
	id = st.st_ino;
	ASSERT_EQ(0, bpf_map__delete_elem(self->skel->maps.pair_groups, &id, sizeof(id), 0));
	EXPECT_TRUE(wait_for(all_at(min_freq())));
}

/* A CPU that has become idle keeps its frequency for a while, and no longer. */
TEST_F_TIMEOUT(pair, holds_for_a_while, 120)
{
	int cpus[MAX_POLICIES];

	self->skel->data_tunables->hold_us = 1000000;
	START_PAIR();
	policy_cpus(policies[0], cpus, MAX_POLICIES);
	ASSERT_EQ(0, start_task(GROUP, cpus[0]));
	ASSERT_TRUE(wait_for(cur_freq(policies[0]) == max_freq()));
	stop_tasks();
	sleep_ms(400);
	EXPECT_EQ(max_freq(), cur_freq(policies[0]));
	sleep_ms(1000);
	EXPECT_EQ(min_freq(), cur_freq(policies[0]));
}

/* Ejected, as by an administrator who lost patience */
TEST_F_TIMEOUT(pair, governor_goes_on_by_load, 120)
{
	int cpus[MAX_POLICIES];

	START_PAIR();
	policy_cpus(policies[0], cpus, MAX_POLICIES);
	ASSERT_EQ(0, start_task(CGROUPS, cpus[0]));
	EXPECT_TRUE(wait_for(all_at(min_freq())));
	ASSERT_EQ(0, start_task(GROUP, cpus[0]) - 1);
	EXPECT_TRUE(wait_for(cur_freq(policies[0]) == max_freq()));

	sched_ext_changes(true);
	ASSERT_EQ(0, write_file("/proc/sysrq-trigger", "S"));
	EXPECT_TRUE(wait_for(unscheduled()));
	sched_ext_changes(false);
	EXPECT_STREQ(STAT_LOADED("scx"), read_stat());
	/* A busy policy is at the maximum, an idle one is not. */
	EXPECT_TRUE(wait_for(cur_freq(policies[0]) == max_freq()));
	EXPECT_TRUE(wait_for(cur_freq(policies[nr_policies - 1]) < max_freq()));
	stop_tasks();
	EXPECT_TRUE(wait_for(cur_freq(policies[0]) < max_freq()));
}

TEST_F_TIMEOUT(pair, ends_in_either_order, 240)
{
	int i;

	/* Before, as it would hold the links as well. */
	ASSERT_EQ(0, start_task(GROUP, -1));
	START_PAIR();
	for (i = 0; i < 3; i++) {
		sleep_ms(200);
		bpf_link__destroy(self->governor);
		self->governor = NULL;
		EXPECT_STREQ(STAT_INIT, read_stat());
		EXPECT_TRUE(all_at(max_freq()));
		EXPECT_TRUE(scheduled());
		self->governor = bpf_map__attach_struct_ops(self->skel->maps.scx);
		ASSERT_NE(NULL, self->governor);
		EXPECT_TRUE(wait_for(!all_at(max_freq())));

		detach_scheduler(self);
		EXPECT_TRUE(unscheduled());
		EXPECT_STREQ(STAT_LOADED("scx"), read_stat());
		ASSERT_EQ(0, attach_scheduler(self));
	}
}

/* The loader of samples/bpf, by -g */
TEST_F_TIMEOUT(pair, loader, 120)
{
	int cpus[MAX_POLICIES];

	if (access(LOADER, X_OK) || access(OBJECT, R_OK))
		SKIP(return, "no " LOADER " and " OBJECT " in this folder");
	policy_cpus(policies[0], cpus, MAX_POLICIES);
	sched_ext_changes(true);
	self->loader = fork();
	if (!self->loader) {
		int fd = open("/dev/null", O_WRONLY);

		dup2(fd, 1);
		execl(LOADER, LOADER, "-g", GROUP, OBJECT, NULL);
		_exit(127);
	}
	ASSERT_TRUE(wait_for_start(!strcmp(read_stat(), STAT_LOADED("scx"))));
	EXPECT_TRUE(scheduled());
	sched_ext_changes(false);
	EXPECT_TRUE(wait_for(all_at(min_freq())));
	ASSERT_EQ(0, start_task(GROUP, cpus[0]));
	EXPECT_TRUE(wait_for(cur_freq(policies[0]) == max_freq()));
	sched_ext_changes(true);
	kill(self->loader, SIGTERM);
	waitpid(self->loader, NULL, 0);
	sched_ext_changes(false);
	self->loader = 0;
	EXPECT_STREQ(STAT_INIT, read_stat());
	EXPECT_TRUE(unscheduled());
}

TEST_HARNESS_MAIN
