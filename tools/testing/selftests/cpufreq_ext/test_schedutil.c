// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BPF governor schedutil decides as the kernel's governor of that name does:
 * while the kernel's decides, the functions of the BPF governor get the same run
 * queues, waits for I/O, idle calls, frequencies and limits, and have to get to
 * the same utilization and frequency, decision by decision.
 *
 * When a decision is made differs, and that is given: the time of the kernel's
 * updates, by which its boost for waits ends, is an input here.  What ext does
 * instead is pinned by the last test.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <linux/bpf.h>
#include <linux/sched.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "kselftest_harness.h"
#include "util.h"

typedef __u64 u64;
typedef __u32 u32;
#include "schedutil_check.h"
#include "perf_target.skel.h"
#include "schedutil.check.skel.h"

#define SCX		"/sys/kernel/sched_ext"
#define IOWAIT_MODULE	"cpufreq_ext_iowait"
#define IOWAIT		"/sys/module/" IOWAIT_MODULE "/parameters/wait_us"

#define NR_DECISIONS	10000
#define LIMIT_S		240

#ifndef SCHED_EXT
#define SCHED_EXT	7
#endif
#ifndef SCX_OPS_SWITCH_PARTIAL
#define SCX_OPS_SWITCH_PARTIAL	8
#endif

static const char * const kind_names[NR_KINDS] = {
	"with a new frequency", "with an old need", "after new limits", "held",
	"with a boost", "with a lower bound", "with an upper bound",
	"with real-time tasks", "with deadline tasks",
};

/* As the kernel has it; the C library's may lack the bounds. */
struct attr {
	__u32 size, policy;
	__u64 flags;
	__s32 nice;
	__u32 priority;
	__u64 runtime, deadline, period;
	__u32 util_min, util_max;
};

/*************************** load *******************************************/

static bool *done;			/* shared with the tasks */
static pid_t load[MAX_POLICIES + 2];
static int nr_load;

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void be_busy(unsigned int us)
{
	long end = now_us() + us;

	while (now_us() < end)
		;
}

static int set_attr(unsigned int policy, unsigned int priority, int util_min, int util_max)
{
	struct attr attr = { .size = sizeof(attr), .policy = policy, .priority = priority };

	if (util_max >= 0) {
		attr.flags = SCHED_FLAG_UTIL_CLAMP;
		attr.util_min = util_min;
		attr.util_max = util_max;
	}
	return syscall(SYS_sched_setattr, 0, &attr, 0);
}

/* Become another kind of task now and then. */
static void change_kind(unsigned int *seed)
{
	unsigned int a = rand_r(seed) % 1025, b = rand_r(seed) % 1025;

	switch (rand_r(seed) % 8) {
	case 0:
		set_attr(SCHED_FIFO, 10, 0, -1);
		break;
	case 1 ... 3:
		set_attr(SCHED_NORMAL, 0, a < b ? a : b, a < b ? b : a);
		break;
	case 4:
		set_attr(SCHED_EXT, 0, 0, -1);
		break;
	default:
		set_attr(SCHED_NORMAL, 0, 0, 1024);
		set_attr(SCHED_NORMAL, 0, 0, -1);
	}
}

/* Busy and idle periods of random length on a CPU */
static void run_load(int cpu)
{
	unsigned int seed = cpu + 1, most_us = 20000;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	while (!__atomic_load_n(done, __ATOMIC_RELAXED)) {
		be_busy(rand_r(&seed) % (rand_r(&seed) % 16 ? most_us : 5 * most_us));
		usleep(rand_r(&seed) % (rand_r(&seed) % 16 ? 20000 : 100000));
		if (rand_r(&seed) % 4)
			continue;
		/* Light load, which bounds raise, or heavy one, which they limit */
		most_us = rand_r(&seed) % 2 ? 2000 : 20000;
		change_kind(&seed);
	}
}

/* A tenth of a CPU is reserved, and more than is used. */
static void run_deadline(int unused)
{
	struct attr attr = {
		.size = sizeof(attr), .policy = SCHED_DEADLINE,
		.runtime = 10000000, .deadline = 100000000, .period = 100000000,
	};

	while (!__atomic_load_n(done, __ATOMIC_RELAXED)) {
		syscall(SYS_sched_setattr, 0, &attr, 0);
		be_busy(2000);
		usleep(20000);
		set_attr(SCHED_NORMAL, 0, 0, -1);
		usleep(100000);
	}
}

/* As if it read from a disk, a tenth of a tick at a time and more */
static void run_iowait(int unused)
{
	unsigned int seed = 1;
	char text[16];

	while (!__atomic_load_n(done, __ATOMIC_RELAXED)) {
		snprintf(text, sizeof(text), "%u", rand_r(&seed) % 8 ? 1000 : 20000);
		if (write_file(IOWAIT, text))
			return;
		be_busy(rand_r(&seed) % 300);
	}
}

static void start_load_task(void (*run)(int), int arg)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run(arg);
		_exit(0);
	}
	load[nr_load++] = pid;
}

static void start_load(void)
{
	int cpus[MAX_POLICIES], i, c, n;

	*done = false;
	for (i = 0; i < nr_policies; i++) {
		n = policy_cpus(policies[i], cpus, MAX_POLICIES);
		for (c = 0; c < n && nr_load < MAX_POLICIES; c++)
			start_load_task(run_load, cpus[c]);
	}
	start_load_task(run_deadline, 0);
	start_load_task(run_iowait, 0);
}

static void stop_load(void)
{
	*done = true;
	while (nr_load) {
		/* It may be of a class that hardly runs. */
		kill(load[--nr_load], SIGKILL);
		waitpid(load[nr_load], NULL, 0);
	}
}

/*************************** fixture ****************************************/

static struct bpf_link *links[16];
static int nr_links;

FIXTURE(schedutil)
{
	struct schedutil *skel;
	struct perf_target *perf_target;
	struct bpf_link *scheduler;	/* or governor */
};

static void write_rate_limit(unsigned int us)
{
	char path[96], text[16];
	int i;

	snprintf(text, sizeof(text), "%u", us);
	if (!write_file(CPUFREQ "/schedutil/rate_limit_us", text))
		return;
	for (i = 0; i < nr_policies; i++) {
		snprintf(path, sizeof(path), CPUFREQ "/policy%d/schedutil/rate_limit_us",
			 policies[i]);
		write_file(path, text);
	}
}

/* Two ticks are the least that a dbs governor takes. */
static u64 find_tick_ns(void)
{
	static const unsigned int rates_us[] = { 2000, 6667, 8000, 20000 };
	char text[16];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rates_us); i++) {
		snprintf(text, sizeof(text), "%u", rates_us[i]);
		if (!write_file(CPUFREQ "/ext/sampling_rate", text))
			return rates_us[i] == 6667 ? 3333333 : rates_us[i] * 500ULL;
	}
	return 0;
}

static int attach_checks(struct bpf_object *obj)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj) {
		if (bpf_program__type(prog) != BPF_PROG_TYPE_TRACING ||
		    strncmp(bpf_program__name(prog), "check_", 6))
			continue;
		links[nr_links] = bpf_program__attach(prog);
		if (!links[nr_links])
			return -errno;
		nr_links++;
	}
	return 0;
}

static void detach_checks(void)
{
	while (nr_links)
		bpf_link__destroy(links[--nr_links]);
}

FIXTURE_SETUP(schedutil)
{
	u64 tick_ns;

	find_policies();
	if (!nr_policies)
		SKIP(return, "no cpufreq driver");
	if (set_all_governors("schedutil"))
		SKIP(return, "the kernel has no governor schedutil");
	done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
	ASSERT_NE(MAP_FAILED, done);
	ASSERT_EQ(0, set_all_governors("ext"));
	tick_ns = find_tick_ns();
	ASSERT_NE(0, tick_ns);
	self->skel = schedutil__open();
	ASSERT_NE(NULL, self->skel);
	self->skel->bss->tick_ns = tick_ns;
	/* Nothing of the governor is attached, so it wants no policy. */
	ASSERT_EQ(0, schedutil__load(self->skel));
	ASSERT_EQ(0, set_all_governors("schedutil"));
	if (!access(IOWAIT_MODULE ".ko", R_OK))
		ASSERT_EQ(0, system("insmod ./" IOWAIT_MODULE ".ko"));
	srandom(1);
}

FIXTURE_TEARDOWN(schedutil)
{
	int i;

	stop_load();
	busy_stop();
	sched_ext_changes(true);
	bpf_link__destroy(self->scheduler);
	sched_ext_changes(false);
	perf_target__destroy(self->perf_target);
	detach_checks();
	schedutil__destroy(self->skel);
	for (i = 0; i < nr_policies; i++)
		set_limits(policies[i], freqs[0], freqs[nr_freqs - 1]);
	set_all_governors("performance");
	if (!access(IOWAIT, F_OK) && system("rmmod " IOWAIT_MODULE))
		TH_LOG(IOWAIT_MODULE " stays");
}

/*************************** tests ******************************************/

static void change_limit(void)
{
	int policy = policies[random() % nr_policies];
	unsigned int freq = freqs[random() % nr_freqs];

	if (random() % 2 && freq <= read_policy_num(policy, "scaling_max_freq"))
		write_policy_num(policy, "scaling_min_freq", freq);
	else if (freq >= read_policy_num(policy, "scaling_min_freq"))
		write_policy_num(policy, "scaling_max_freq", freq);
}

/* Let the kernel decide under load, with limits and tunables that change. */
static void check_decisions(struct __test_metadata *_metadata,
			    struct _test_data_schedutil *self, u32 nr)
{
	struct schedutil__bss *bss = self->skel->bss;
	static const unsigned int rates_us[] = { 500, 1000, 2000, 5000, 20000 };
	static const char * const wrong[NR_WRONG] = {
		"boost", "utilization", "needed frequency", "frequency",
	};
	long end = now_us() + LIMIT_S * 1000000L;
	int i, seen = 0;

	ASSERT_EQ(0, attach_checks(self->skel->obj));
	start_load();
	while (now_us() < end && bss->nr_decisions < nr) {
		change_limit();
		if (random() % 4 == 0)
			write_rate_limit(rates_us[random() % ARRAY_SIZE(rates_us)]);
		sleep_ms(50);
	}
	stop_load();
	detach_checks();

	for (i = 0; i < (int)ARRAY_SIZE(bss->seen_utils); i++)
		seen += !!bss->seen_utils[i];
	TH_LOG("%u decisions on utilizations from %d of 32 ranges; %u with inputs that changed",
	       bss->nr_decisions, seen, bss->nr_raced);
	for (i = 0; i < NR_KINDS; i++)
		TH_LOG("  %u %s", bss->nr_kinds[i], kind_names[i]);
	EXPECT_LE(nr, bss->nr_decisions);
	EXPECT_LE(16, seen);
	EXPECT_GT(bss->nr_decisions, 4 * bss->nr_raced);
	for (i = 0; i < NR_WRONG; i++) {
		EXPECT_EQ(0, bss->nr_wrong[i])
			TH_LOG("%s: the kernel %llu, not %llu", wrong[i],
			       bss->last_wrong[i][0], bss->last_wrong[i][1]);
	}
}

static bool has_bounds(void)
{
	return !set_attr(SCHED_NORMAL, 0, 0, 1024);
}

TEST_F_TIMEOUT(schedutil, decisions, 2 * LIMIT_S)
{
	struct schedutil__bss *bss = self->skel->bss;
	int cpus[MAX_POLICIES];

	check_decisions(_metadata, self, NR_DECISIONS);
	EXPECT_LT(100, bss->nr_kinds[KIND_CHANGED]);
	EXPECT_LT(100, bss->nr_kinds[KIND_SAME]);
	EXPECT_LT(100, bss->nr_kinds[KIND_LIMITS]);
	EXPECT_LT(100, bss->nr_kinds[KIND_RT]);
	EXPECT_LT(100, bss->nr_kinds[KIND_DL]);
	EXPECT_LE(has_bounds() ? 100 : 0, bss->nr_kinds[KIND_MIN]);
	EXPECT_LE(has_bounds() ? 100 : 0, bss->nr_kinds[KIND_MAX]);
	EXPECT_LE(access(IOWAIT, F_OK) ? 0 : 20, bss->nr_kinds[KIND_BOOST]);
	/* Only a CPU that is alone in its policy keeps its frequency. */
	EXPECT_LE(policy_cpus(policies[0], cpus, MAX_POLICIES) == 1 ? 20 : 0,
		  bss->nr_kinds[KIND_HELD]);
}

static void check_with_scheduler(struct __test_metadata *_metadata,
				 struct _test_data_schedutil *self, u64 flags)
{
	if (access(SCX, F_OK))
		SKIP(return, "the kernel has no sched_ext");
	self->perf_target = perf_target__open();
	ASSERT_NE(NULL, self->perf_target);
	self->perf_target->struct_ops.perf_target->flags = flags;
	ASSERT_EQ(0, perf_target__load(self->perf_target));
	sched_ext_changes(true);
	self->scheduler = bpf_map__attach_struct_ops(self->perf_target->maps.perf_target);
	sched_ext_changes(false);
	ASSERT_NE(NULL, self->scheduler);
	check_decisions(_metadata, self, NR_DECISIONS / 4);
}

/* The performance target of a sched_ext scheduler takes the place of fair tasks. */
TEST_F_TIMEOUT(schedutil, sched_ext, 2 * LIMIT_S)
{
	check_with_scheduler(_metadata, self, 0);
}

/* It adds to them. */
TEST_F_TIMEOUT(schedutil, sched_ext_with_others, 2 * LIMIT_S)
{
	check_with_scheduler(_metadata, self, SCX_OPS_SWITCH_PARTIAL);
}

/* Runs of a program, while somebody has the kernel count them */
static u64 run_count(struct bpf_program *prog)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (bpf_prog_get_info_by_fd(bpf_program__fd(prog), &info, &len))
		return 0;
	return info.run_cnt;
}

#define SECONDS		2

/*
 * By design: the kernel's governor decides whenever the scheduler has news, ext
 * takes samples, two ticks apart or more, and none of idle CPUs.
 */
TEST_F_TIMEOUT(schedutil, times_of_decisions, 120)
{
	struct bpf_program *decide = self->skel->progs.schedutil_get_next_freq;
	u64 most, kernels, busy, idle;
	int cpu, stats;

	write_rate_limit(500);
	for (cpu = 0; cpu < nr_policies; cpu++)
		busy_start(policies[cpu]);
	sleep_ms(200);
	ASSERT_EQ(0, attach_checks(self->skel->obj));
	kernels = self->skel->bss->nr_decisions;
	sleep_ms(SECONDS * 1000);
	kernels = self->skel->bss->nr_decisions - kernels;
	detach_checks();

	ASSERT_EQ(0, set_all_governors("ext"));
	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	ASSERT_LE(0, stats);
	self->scheduler = bpf_map__attach_struct_ops(self->skel->maps.schedutil);
	ASSERT_NE(NULL, self->scheduler);
	sleep_ms(200);
	busy = run_count(decide);
	sleep_ms(SECONDS * 1000);
	busy = run_count(decide) - busy;
	busy_stop();
	sleep_ms(200);
	idle = run_count(decide);
	sleep_ms(SECONDS * 1000);
	idle = run_count(decide) - idle;
	close(stats);

	most = nr_policies * SECONDS * 1000000000ULL / (2 * self->skel->bss->tick_ns);
	TH_LOG("in %d seconds: the kernel's %llu, the BPF governor %llu of %llu at most, idle %llu",
	       SECONDS, kernels, busy, most, idle);
	EXPECT_GE(most + most / 20, busy);
	EXPECT_LE(most / 2, busy);
	EXPECT_LT(busy, kernels);
	EXPECT_LT(idle, busy / 2);
}

TEST_HARNESS_MAIN
