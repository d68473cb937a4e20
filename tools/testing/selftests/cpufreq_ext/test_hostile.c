// SPDX-License-Identifier: GPL-2.0-only
/* Governors that mean ill, or that are written badly, and callers of that kind */
#include <limits.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "kselftest_harness.h"
#include "util.h"
#include "record.skel.h"
#include "hostile.skel.h"
#include "heavy.skel.h"
#include "long_fail.skel.h"
#include "caller_fail.skel.h"
#include "scheduler.skel.h"

static char libbpf_log[65536];

static int on_libbpf_message(enum libbpf_print_level level, const char *fmt,
			     va_list args)
{
	size_t len = strlen(libbpf_log);

	if (level != LIBBPF_DEBUG)
		vsnprintf(libbpf_log + len, sizeof(libbpf_log) - len, fmt, args);
	return 0;
}

static unsigned int min_freq(void)
{
	return freqs[0];
}

static unsigned int max_freq(void)
{
	return freqs[nr_freqs - 1];
}

static bool all_at(unsigned int freq)
{
	int i;

	for (i = 0; i < nr_policies; i++)
		if (cur_freq(policies[i]) != freq)
			return false;
	return true;
}

static bool stat_is(const char *text)
{
	return !strcmp(read_stat(), text);
}

static bool is_loaded(void)
{
	return strstr(read_stat(), "LOADED");
}

/* Is there a fault model, by which the governor is ejected? */
static bool can_eject(void)
{
	return !access(CPUFREQ "/ext/faults", F_OK);
}

static bool is_ejected(void)
{
	return !strncmp(read_stat(), "Stat: CPUFREQ_EXT_FAULT\n", 24);
}

FIXTURE(hostile)
{
	struct hostile *skel;
	struct bpf_link *link;
	int policy, cpu;
};

FIXTURE_SETUP(hostile)
{
	libbpf_set_print(on_libbpf_message);
	find_policies();
	if (!nr_policies)
		SKIP(return, "no cpufreq driver");
	if (nr_freqs < 3)
		SKIP(return, "the driver has no frequency table of 3 or more");
	self->policy = policies[0];
	ASSERT_LT(0, policy_cpus(self->policy, &self->cpu, 1));
	ASSERT_EQ(0, set_all_governors("ext"));
	/* Where it is there, for programs that sleep */
	if (!access("cpufreq_ext_caller.ko", R_OK))
		system("insmod ./cpufreq_ext_caller.ko 2>/dev/null");
	self->skel = hostile__open_and_load();
	ASSERT_NE(NULL, self->skel) TH_LOG("%s", libbpf_log);
}

FIXTURE_TEARDOWN(hostile)
{
	int i;

	busy_stop();
	bpf_link__destroy(self->link);
	hostile__destroy(self->skel);
	EXPECT_TRUE(wait_for(access("/sys/module/cpufreq_ext_caller", F_OK) ||
			     !system("rmmod cpufreq_ext_caller 2>/dev/null")));
	for (i = 0; i < nr_policies; i++)
		EXPECT_TRUE(set_limits(policies[i], min_freq(), max_freq()));
	EXPECT_TRUE(wait_for(all_at(max_freq())));
	set_all_governors("performance");
}

static struct bpf_link *attach(struct bpf_map *map)
{
	return bpf_map__attach_struct_ops(map);
}

static const u_int64_t extremes[] = {
	0, 1, 2, INT_MAX, 1U + INT_MAX, UINT_MAX, UINT_MAX - 1, 1ULL << 32,
	(1ULL << 32) + 1, INT64_MAX, 1ULL << 63, -1ULL, -2ULL, -12ULL, -511ULL,
	-512ULL, -4094ULL, -4095ULL, -4096ULL, -4097ULL,
};

static bool in_limits(int policy)
{
	unsigned int cur = cur_freq(policy);

	return cur >= freqs[1] && cur <= freqs[nr_freqs - 2];
}

static bool wait_for_decisions(struct hostile *skel, unsigned int n)
{
	unsigned int before = skel->bss->nr_next;

	return wait_for(skel->bss->nr_next >= before + n);
}

/* A decision, without waiting for the end of a sampling period */
static unsigned int decide(struct hostile *skel, int policy)
{
	unsigned int before = skel->bss->nr_next;

	write_policy_num(policy, "scaling_setspeed", max_freq());
	return skel->bss->nr_next - before;
}

TEST_F_TIMEOUT(hostile, extremes_while_it_runs, 300)
{
	struct hostile *skel = self->skel;
	bool error_pointer;
	size_t i;

	ASSERT_TRUE(set_limits(self->policy, freqs[1], freqs[nr_freqs - 2]));
	busy_start(self->cpu);
	for (i = 0; i < ARRAY_SIZE(extremes); i++) {
		skel->bss->extreme = extremes[i];
		self->link = attach(skel->maps.extremes);
		ASSERT_NE(NULL, self->link) TH_LOG("%zu: %s", i, strerror(errno));

		skel->bss->in_rate = 1;
		EXPECT_LE(1, decide(skel, self->policy));
		skel->bss->in_rate = 0;
		/* An error of its own, and no decision then */
		skel->bss->in_setspeed = 1;
		decide(skel, self->policy);
		skel->bss->in_setspeed = 0;
		EXPECT_FALSE(is_ejected()) TH_LOG("%llx: %s", (long long)extremes[i], read_stat());
		EXPECT_TRUE(in_limits(self->policy));

		skel->bss->in_next = 1;
		EXPECT_LE(1, decide(skel, self->policy)) TH_LOG("%llx", (long long)extremes[i]);
		skel->bss->in_next = 0;
		EXPECT_TRUE(in_limits(self->policy)) TH_LOG("%llx: %u kHz", (long long)extremes[i],
							    cur_freq(self->policy));
		error_pointer = extremes[i] >= -4095ULL && extremes[i] != -1ULL;
		if (can_eject())
			EXPECT_EQ(error_pointer, is_ejected())
				TH_LOG("%llx: %s", (long long)extremes[i], read_stat());
		bpf_link__destroy(self->link);
		self->link = NULL;
	}
}

TEST_F(hostile, extremes_at_the_start)
{
	struct hostile *skel = self->skel;
	struct bpf_link *link;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(extremes) * 2; i++) {
		bool refused = (int)extremes[i / 2] != 0;

		skel->bss->extreme = extremes[i / 2];
		skel->bss->in_init = i % 2;
		skel->bss->in_start = !(i % 2);
		skel->bss->nr_stop = 0;
		link = attach(skel->maps.extremes);
		EXPECT_EQ(refused, !link) TH_LOG("%llx", (long long)extremes[i / 2]);
		EXPECT_EQ(0, skel->bss->nr_stop);
		bpf_link__destroy(link);
		EXPECT_FALSE(is_loaded());
	}
	EXPECT_TRUE(wait_for(all_at(max_freq())));
}

TEST_F_TIMEOUT(hostile, all_that_the_verifier_allows, 600)
{
	const char *is_long = getenv("CPUFREQ_EXT_LONG");
	struct heavy *skel = heavy__open();
	u_int32_t before;

	ASSERT_NE(NULL, skel);
	if (is_long && *is_long == '1')
		skel->rodata_turns->turns = 100000;
	ASSERT_EQ(0, heavy__load(skel)) TH_LOG("%s", libbpf_log);
	busy_start(self->cpu);
	skel->bss->rounds = 1 << 10;
	self->link = attach(skel->maps.heavy);
	ASSERT_NE(NULL, self->link);
	EXPECT_TRUE(wait_for(skel->bss->nr_next > 3U + nr_policies));

	/* Longer than the time between two decisions, but not for ever */
	skel->bss->rounds = 1 << 20;
	before = skel->bss->nr_next;
	EXPECT_TRUE(wait_for(skel->bss->nr_next > before + 3));
	skel->bss->rounds = 0;
	EXPECT_TRUE(stat_is(STAT_LOADED("heavy")));
	EXPECT_EQ(0, bpf_link__destroy(self->link));
	self->link = NULL;
	heavy__destroy(skel);
	EXPECT_TRUE(wait_for(all_at(max_freq())));
}

/* Whatever waits for the governor gets through. */
TEST_F_TIMEOUT(hostile, sleeps, 300)
{
	struct hostile *skel = self->skel;
	u_int32_t stops;

	if (access("/sys/module/cpufreq_ext_caller", F_OK))
		SKIP(return, "no cpufreq_ext_caller.ko here: build it with KDIR set");
	skel->bss->sleep_ms = 30;
	busy_start(self->cpu);
	self->link = attach(skel->maps.sleepy);
	ASSERT_NE(NULL, self->link);
	EXPECT_TRUE(stat_is(STAT_LOADED("sleepy")));
	EXPECT_TRUE(wait_for_decisions(skel, 3));
	write_policy_num(self->policy, "scaling_setspeed", min_freq());
	EXPECT_EQ(1, skel->bss->nr_setspeed);
	EXPECT_TRUE(set_limits(self->policy, freqs[1], max_freq()));
	EXPECT_LT(0, skel->bss->nr_limits);
	stops = skel->bss->nr_stop;
	EXPECT_EQ(0, set_governor(self->policy, "performance"));
	EXPECT_EQ(stops + 1, skel->bss->nr_stop);
	EXPECT_EQ(0, set_governor(self->policy, "ext"));
	if (nr_policies > 1 && !set_online(policies[1], false))
		EXPECT_EQ(0, set_online(policies[1], true));
	EXPECT_TRUE(wait_for_decisions(skel, 2));
	EXPECT_TRUE(stat_is(STAT_LOADED("sleepy")));
	EXPECT_EQ(0, bpf_link__destroy(self->link));
	self->link = NULL;
	EXPECT_FALSE(is_loaded());
}

/* A governor that fails has used up its memory; that is its own problem. */
TEST_F(hostile, init_fails_with_full_maps)
{
	int i;

	for (i = 0; i < 20; i++) {
		EXPECT_EQ(NULL, attach(self->skel->maps.full));
		EXPECT_EQ(ENOSPC, errno);
	}
	EXPECT_FALSE(is_loaded());
	EXPECT_TRUE(all_at(max_freq()));
	self->link = attach(self->skel->maps.extremes);
	EXPECT_NE(NULL, self->link);
}

/* The one that it was to replace decides all the time. */
TEST_F(hostile, swap_that_fails_goes_unnoticed)
{
	struct record *record = record__open_and_load();
	struct hostile *other = hostile__open_and_load();
	int i, n = sysconf(_SC_NPROCESSORS_CONF);
	u_int32_t fallback, decisions;

	ASSERT_NE(NULL, other);
	ASSERT_NE(NULL, record);
	self->link = attach(self->skel->maps.extremes);
	ASSERT_NE(NULL, self->link);
	ASSERT_EQ(0, record__attach(record));
	for (i = 0; i < n; i++)
		busy_start(i);
	fallback = record->bss->nr_fallback;
	for (i = 0; i < 20; i++) {
		other->bss->extreme = -5ULL;
		other->bss->in_start = i % 2;
		other->bss->in_init = !(i % 2);
		EXPECT_EQ(-5, bpf_link__update_map(self->link, other->maps.extremes));
		EXPECT_EQ(-ENOSPC, bpf_link__update_map(self->link, other->maps.full));
	}
	decisions = self->skel->bss->nr_next;
	EXPECT_TRUE(wait_for(self->skel->bss->nr_next > decisions + 10));
	EXPECT_EQ(fallback, record->bss->nr_fallback);
	EXPECT_EQ(0, self->skel->bss->nr_stop);
	EXPECT_EQ(0, other->bss->nr_next);
	EXPECT_TRUE(stat_is(STAT_LOADED("extremes")));
	busy_stop();
	record__destroy(record);
	hostile__destroy(other);
}

TEST_F(hostile, name_of_300_bytes)
{
	struct long_fail *skel = long_fail__open();
	size_t size;
	char *ops;

	ASSERT_NE(NULL, skel);
	ops = bpf_map__initial_value(skel->maps.long_name, &size);
	ASSERT_LE(sizeof(long) + 301, size);
	memset(ops + sizeof(long), 'n', 300);
	EXPECT_NE(0, long_fail__load(skel));
	long_fail__destroy(skel);
	EXPECT_FALSE(is_loaded());
}

/* Each program by itself has to be refused, and for the right reason. */
TEST_F(hostile, kfuncs_from_elsewhere)
{
	static const struct { const char *prog, *reason; } cases[] = {
		{ "load_from_tracing", "is not allowed" },
		{ "load_from_tracepoint", "is not allowed" },
		{ "null_from_syscall", "is not allowed" },
		{ "kick_from_xdp", "is not allowed" },
		{ "null_next_freq", "NULL pointer passed to trusted" },
	};
	struct bpf_program *prog;
	struct caller_fail *skel;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		bool is_governor = !strcmp(cases[i].prog, "null_next_freq");

		skel = caller_fail__open();
		ASSERT_NE(NULL, skel);
		bpf_object__for_each_program(prog, skel->obj)
			bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog),
								cases[i].prog));
		bpf_map__set_autocreate(skel->maps.null, is_governor);
		libbpf_log[0] = '\0';
		EXPECT_NE(0, caller_fail__load(skel)) TH_LOG("%s", cases[i].prog);
		EXPECT_NE(NULL, strstr(libbpf_log, cases[i].reason))
			TH_LOG("%s: %s", cases[i].prog, libbpf_log);
		caller_fail__destroy(skel);
	}
}

TEST_F(hostile, scheduler_with_no_policy_is_refused)
{
	struct scheduler *skel = scheduler__open();

	ASSERT_NE(NULL, skel);
	if (access("/sys/kernel/sched_ext", F_OK)) {
		scheduler__destroy(skel);
		SKIP(return, "no sched_ext in this kernel");
	}
	bpf_map__set_autocreate(skel->maps.scheduler, false);
	libbpf_log[0] = '\0';
	EXPECT_NE(0, scheduler__load(skel));
	EXPECT_NE(NULL, strstr(libbpf_log, "NULL pointer passed to trusted"))
		TH_LOG("%s", libbpf_log);
	scheduler__destroy(skel);
}

TEST_F(hostile, kicks_from_a_scheduler)
{
	struct scheduler *skel = scheduler__open();
	struct bpf_link *link;
	int i, n = sysconf(_SC_NPROCESSORS_CONF);

	ASSERT_NE(NULL, skel);
	if (access("/sys/kernel/sched_ext", F_OK)) {
		scheduler__destroy(skel);
		SKIP(return, "no sched_ext in this kernel");
	}
	libbpf_log[0] = '\0';
	bpf_map__set_autocreate(skel->maps.null_scheduler, false);
	ASSERT_EQ(0, scheduler__load(skel)) TH_LOG("%s", libbpf_log);
	self->link = attach(self->skel->maps.extremes);
	ASSERT_NE(NULL, self->link);
	sched_ext_changes(true);
	link = attach(skel->maps.scheduler);
	sched_ext_changes(false);
	ASSERT_NE(NULL, link) TH_LOG("%s", strerror(errno));
	for (i = 0; i < n; i++)
		busy_start(i);
	EXPECT_TRUE(wait_for(skel->bss->nr_kicks > 1000));
	EXPECT_EQ(0, skel->bss->nr_failed);
	/* While decisions are made, each is refused. */
	EXPECT_LT(0, skel->bss->nr_errors);
	EXPECT_LE(skel->bss->nr_errors, skel->bss->nr_refused);
	EXPECT_TRUE(is_loaded());

	/* It goes on when ext and the governor go. */
	EXPECT_EQ(0, bpf_link__destroy(self->link));
	self->link = NULL;
	EXPECT_EQ(0, set_all_governors("performance"));
	EXPECT_TRUE(wait_for(skel->bss->nr_failed > 10));
	EXPECT_EQ(0, set_all_governors("ext"));
	busy_stop();
	sched_ext_changes(true);
	bpf_link__destroy(link);
	sched_ext_changes(false);
	scheduler__destroy(skel);
}

/* Without a link, the map itself is what registers the governor. */
TEST_F(hostile, map_without_link)
{
	struct hostile *second = hostile__open_and_load();
	struct bpf_link *link;
	int fd, zero = 0;

	ASSERT_NE(NULL, second);
	link = attach(self->skel->maps.linkless);
	ASSERT_NE(NULL, link);
	EXPECT_TRUE(stat_is(STAT_LOADED("linkless")));
	EXPECT_EQ(NULL, attach(second->maps.linkless));
	EXPECT_EQ(EBUSY, errno);

	/* Nobody has the map any more, and the governor stays. */
	fd = dup(bpf_map__fd(self->skel->maps.linkless));
	bpf_link__disconnect(link);
	bpf_link__destroy(link);
	hostile__destroy(self->skel);
	self->skel = second;
	EXPECT_TRUE(stat_is(STAT_LOADED("linkless")));
	EXPECT_TRUE(all_at(min_freq()));

	EXPECT_EQ(0, bpf_map_delete_elem(fd, &zero));
	EXPECT_TRUE(stat_is(STAT_INIT));
	EXPECT_TRUE(wait_for(all_at(max_freq())));
	EXPECT_NE(0, bpf_map_delete_elem(fd, &zero));
	close(fd);
}

/* A map that has a link is not deleted under it, and lives as long as the link. */
TEST_F(hostile, map_deleted_under_its_link)
{
	struct hostile *other = hostile__open_and_load();
	int zero = 0;

	ASSERT_NE(NULL, other);
	self->link = attach(other->maps.extremes);
	ASSERT_NE(NULL, self->link);
	EXPECT_NE(0, bpf_map_delete_elem(bpf_map__fd(other->maps.extremes), &zero));
	EXPECT_TRUE(stat_is(STAT_LOADED("extremes")));
	/* Our descriptors of map, programs and variables go; the link stays. */
	hostile__destroy(other);
	EXPECT_TRUE(stat_is(STAT_LOADED("extremes")));
	EXPECT_TRUE(all_at(min_freq()));
	EXPECT_EQ(0, bpf_link__destroy(self->link));
	self->link = NULL;
	EXPECT_FALSE(is_loaded());
}

/* Exit status of a child: 0 if the kernel refused it with EPERM */
static int try_to_load(bool in_namespace)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		LIBBPF_OPTS(bpf_map_create_opts, opts, .btf_vmlinux_value_type_id = 1);
		int fd;

		if (in_namespace ? unshare(CLONE_NEWUSER) : setuid(65534))
			_exit(3);
		fd = bpf_map_create(BPF_MAP_TYPE_STRUCT_OPS, "ops", 4, 4, 1, &opts);
		if (fd >= 0)
			_exit(1);
		if (errno != EPERM)
			_exit(2);
		_exit(!!hostile__open_and_load());
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_F(hostile, unprivileged)
{
	EXPECT_EQ(0, try_to_load(false));
	EXPECT_EQ(0, try_to_load(true));
	EXPECT_FALSE(is_loaded());
}

TEST_HARNESS_MAIN
