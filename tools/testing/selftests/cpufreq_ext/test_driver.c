// SPDX-License-Identifier: GPL-2.0-only
/*
 * The governor ext with drivers that a machine may not have: shared and unequal
 * policies, tunables for each policy, no frequency table, transitions that fail
 * or are slow, limits that move at any moment.
 */
#include <sys/mman.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "kselftest_harness.h"
#include "util.h"
#include "driver_util.h"
#include "probe.skel.h"

/* Frequencies of the driver unless a test has others */
#define LOW_KHZ		800000
#define MID_KHZ		1600000
#define HIGH_KHZ	2400000

/* The fallback tries again this often what failed. */
#define RETRY_MS	4000

#define ETERNAL		"4294967295"

static int nr_cpus;

static int on_libbpf_message(enum libbpf_print_level level, const char *fmt,
			     va_list args)
{
	return 0;
}

static bool stat_is(const char *text)
{
	return !strcmp(read_stat(), text);
}

static bool stat_of_policy_is(int policy, const char *text)
{
	char path[128], stat[512];

	snprintf(path, sizeof(path), CPUFREQ "/policy%d/ext/stat", policy);
	return !read_file(path, stat, sizeof(stat)) && !strcmp(stat, text);
}

static u_int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static u_int64_t tick_us(void)
{
	struct timespec tick;

	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	return tick.tv_nsec / 1000;
}

/* Samples are taken when something happens: let it, on a CPU that is idle else. */
static unsigned int hw_khz(int policy)
{
	return driver_num(policy, "cur_khz");
}

/* The hardware and the core agree on that frequency, for all policies. */
static bool all_at(unsigned int khz)
{
	int i;

	for (i = 0; i < nr_policies; i++)
		if (hw_khz(policies[i]) != khz || cur_freq(policies[i]) != khz)
			return false;
	return true;
}

static bool wait_long_for_hw(int policy, unsigned int khz, int ms)
{
	for (; ms > 0 && hw_khz(policy) != khz; ms -= 10)
		sleep_ms(10);
	return hw_khz(policy) == khz;
}

/* One more than there are now */
static bool wait_for_failure(int policy, int ms)
{
	unsigned long long failed = driver_num(policy, "failed");

	for (; ms > 0 && driver_num(policy, "failed") == failed; ms -= 10)
		sleep_ms(10);
	return driver_num(policy, "failed") > failed;
}

FIXTURE(driver)
{
	struct probe *probe;
	struct bpf_link *link;
};

FIXTURE_SETUP(driver)
{
	const char *reason = driver_missing();

	if (reason)
		SKIP(return, "%s", reason);
	libbpf_set_print(on_libbpf_message);
	nr_cpus = sysconf(_SC_NPROCESSORS_CONF);
	if (nr_cpus < 4)
		SKIP(return, "fewer than 4 CPUs");
	/* Left by a test that was killed */
	if (!access(DRIVER_PARAMS, F_OK))
		ASSERT_EQ(0, driver_unload());
}

static void check_record(struct __test_metadata *_metadata)
{
	int i;

	for (i = 0; i < nr_policies; i++)
		EXPECT_EQ(0, driver_num(policies[i], "violations"))
			TH_LOG("policy %d", policies[i]);
}

FIXTURE_TEARDOWN(driver)
{
	busy_stop();
	driver_set("slow_us", 0);
	bpf_link__destroy(self->link);
	probe__destroy(self->probe);
	if (access(DRIVER_PARAMS, F_OK))
		return;
	check_record(_metadata);
	set_all_governors("performance");
	EXPECT_EQ(0, driver_unload());
}

/* Let @params be the hardware and ext its governor, without a BPF governor. */
static void start(struct __test_metadata *_metadata, FIXTURE_DATA(driver) * self,
		  const char *params)
{
	ASSERT_EQ(0, driver_load(params)) TH_LOG("%s", params);
	ASSERT_EQ(0, set_all_governors("ext"));
	if (!self->probe) {
		self->probe = probe__open_and_load();
		ASSERT_NE(NULL, self->probe);
	}
	self->probe->bss->want_freq = LOW_KHZ;
}

/* The same after another hardware */
static void restart(struct __test_metadata *_metadata, FIXTURE_DATA(driver) * self,
		    const char *params)
{
	check_record(_metadata);
	ASSERT_EQ(0, driver_unload());
	start(_metadata, self, params);
}

static void attach(struct __test_metadata *_metadata, FIXTURE_DATA(driver) * self)
{
	self->link = bpf_map__attach_struct_ops(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
}

static void detach(struct __test_metadata *_metadata, FIXTURE_DATA(driver) * self)
{
	ASSERT_EQ(0, bpf_link__destroy(self->link));
	self->link = NULL;
}

/* Wait for two more decisions for a policy, of which one began after now. */
static void decide(struct __test_metadata *_metadata, FIXTURE_DATA(driver) * self,
		   int policy)
{
	u_int32_t before = self->probe->bss->nr_next_cpu[policy];

	EXPECT_TRUE(wait_for(self->probe->bss->nr_next_cpu[policy] >= before + 2));
}

/* Let a transition of a policy begin; it sleeps if the driver is slow. */
static void begin_transition(struct __test_metadata *_metadata,
			     FIXTURE_DATA(driver) * self, int policy, unsigned int khz)
{
	unsigned long long before = driver_num(policy, "transitions");

	self->probe->bss->want_freq = khz;
	ASSERT_TRUE(wait_for(driver_num(policy, "transitions") > before));
}

#define START(params)		start(_metadata, self, params)
#define RESTART(params)		restart(_metadata, self, params)
#define ATTACH()		attach(_metadata, self)
#define DETACH()		detach(_metadata, self)
#define DECIDE(policy)		decide(_metadata, self, policy)
#define IN_TRANSITION(policy, khz) begin_transition(_metadata, self, policy, khz)

/*************************** shapes of policies *****************************/

static const struct shape {
	const char *params;
	int nr[3];		/* policies with 4, 8 and 16 CPUs */
} shapes[] = {
	{ "policy_cpus=1", { 4, 8, 16 } },
	{ "policy_cpus=2", { 2, 4, 8 } },
	{ "policy_cpus=1024", { 1, 1, 1 } },
	{ "policy_cpus=1,3", { 2, 4, 6 } },
	{ "policy_cpus=3,1", { 2, 6, 14 } },
	{ "policy_cpus=1 max_policies=2", { 2, 2, 2 } },
};

static int nr_policies_of(const struct shape *shape)
{
	switch (nr_cpus) {
	case 4:
		return shape->nr[0];
	case 8:
		return shape->nr[1];
	case 16:
		return shape->nr[2];
	default:
		return nr_policies;
	}
}

TEST_F_TIMEOUT(driver, policies_of_any_shape, 120)
{
	size_t i;
	int j;

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		START(shapes[i].params);
		EXPECT_EQ(nr_policies_of(&shapes[i]), nr_policies)
			TH_LOG("%s", shapes[i].params);
		EXPECT_TRUE(stat_is(STAT_INIT));
		EXPECT_TRUE(all_at(HIGH_KHZ));

		self->probe->bss->nr_start = 0;
		self->probe->bss->nr_stop = 0;
		ATTACH();
		EXPECT_EQ(nr_policies, self->probe->bss->nr_start);
		for (j = 0; j < nr_policies; j++)
			EXPECT_EQ(1, self->probe->bss->active[policies[j]]);
		EXPECT_TRUE(all_at(LOW_KHZ)) TH_LOG("%s", shapes[i].params);

		/* The last policy follows its last CPU. */
		self->probe->bss->want_freq = MID_KHZ;
		j = policies[nr_policies - 1];
		wake_start(!strstr(shapes[i].params, "max_policies") ? nr_cpus - 1 : j);
		EXPECT_TRUE(wait_for(hw_khz(j) == MID_KHZ));
		busy_stop();

		DETACH();
		EXPECT_EQ(self->probe->bss->nr_start, self->probe->bss->nr_stop);
		EXPECT_TRUE(all_at(HIGH_KHZ));
		check_record(_metadata);
		ASSERT_EQ(0, driver_unload());
	}
}

TEST_F_TIMEOUT(driver, driver_goes_and_comes, 120)
{
	u_int32_t starts;
	size_t i;

	START("");
	ATTACH();
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		wake_start(0);
		self->probe->bss->want_freq = MID_KHZ;
		DECIDE(0);
		check_record(_metadata);
		ASSERT_EQ(0, driver_unload());
		busy_stop();

		/* Registered all the same, and not to be replaced */
		EXPECT_EQ(0, nr_policies);
		EXPECT_STREQ("", read_stat());
		EXPECT_EQ(self->probe->bss->nr_start, self->probe->bss->nr_stop);
		EXPECT_EQ(0, self->probe->bss->nr_exit);
		EXPECT_EQ(NULL, bpf_map__attach_struct_ops(self->probe->maps.other));
		EXPECT_EQ(EBUSY, errno);

		/* Attached again to whatever the driver comes back with */
		starts = self->probe->bss->nr_start;
		self->probe->bss->want_freq = LOW_KHZ;
		START(shapes[i].params);
		EXPECT_EQ(starts + nr_policies, self->probe->bss->nr_start);
		EXPECT_TRUE(stat_is(STAT_LOADED("probe")));
		EXPECT_TRUE(all_at(LOW_KHZ));
	}
	EXPECT_EQ(1, self->probe->bss->nr_init);

	/* The end of it without any driver */
	ASSERT_EQ(0, driver_unload());
	DETACH();
	EXPECT_EQ(1, self->probe->bss->nr_exit);
	START("");
	EXPECT_TRUE(stat_is(STAT_INIT));
	EXPECT_TRUE(all_at(HIGH_KHZ));
}

TEST_F_TIMEOUT(driver, hotplug_of_last_cpu, 120)
{
	int i, policy;

	START("policy_cpus=2");
	ATTACH();
	policy = policies[nr_policies - 1];
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, set_online(policy + 1, false));
		EXPECT_EQ(1, self->probe->bss->active[policy]);
		EXPECT_EQ(LOW_KHZ, hw_khz(policy));
		ASSERT_EQ(0, set_online(policy, false));
		EXPECT_EQ(0, self->probe->bss->active[policy]);

		/* The CPU that comes first was not the first before. */
		ASSERT_EQ(0, set_online(policy + 1, true));
		EXPECT_STREQ("ext", read_policy(policy, "scaling_governor"));
		EXPECT_EQ(1, self->probe->bss->active[policy + 1]);
		EXPECT_EQ(LOW_KHZ, hw_khz(policy));
		ASSERT_EQ(0, set_online(policy, true));
		EXPECT_EQ(self->probe->bss->nr_start,
			  self->probe->bss->nr_stop + nr_policies);
		EXPECT_TRUE(stat_is(STAT_LOADED("probe")));
		EXPECT_TRUE(all_at(LOW_KHZ));
		EXPECT_EQ(1, self->probe->bss->active[policy] +
			  self->probe->bss->active[policy + 1]);
	}
}

TEST_F(driver, hotplug_of_cpu_without_policy)
{
	u_int32_t starts;

	START("policy_cpus=1 max_policies=2");
	ATTACH();
	starts = self->probe->bss->nr_start;
	ASSERT_EQ(0, set_online(nr_cpus - 1, false));
	ASSERT_EQ(0, set_online(nr_cpus - 1, true));
	find_policies();
	EXPECT_EQ(2, nr_policies);
	EXPECT_EQ(starts, self->probe->bss->nr_start);
	EXPECT_EQ(0, self->probe->bss->nr_stop);
	EXPECT_TRUE(all_at(LOW_KHZ));
}

TEST_F(driver, module_in_use_stays)
{
	START("");
	if (access("/sys/module/cpufreq_ext/refcnt", F_OK))
		SKIP(return, "ext is built into this kernel");

	/* Used by policies, by a BPF governor, by both */
	EXPECT_EQ(-EAGAIN, module_unload("cpufreq_ext"));
	ATTACH();
	EXPECT_EQ(-EAGAIN, module_unload("cpufreq_ext"));
	ASSERT_EQ(0, set_all_governors("performance"));
	EXPECT_EQ(-EAGAIN, module_unload("cpufreq_ext"));
	ASSERT_EQ(0, driver_unload());
	EXPECT_EQ(-EAGAIN, module_unload("cpufreq_ext"));

	/* By nobody, when what the BPF core had of it is freed */
	DETACH();
	probe__destroy(self->probe);
	self->probe = NULL;
	EXPECT_TRUE(wait_for(!module_unload("cpufreq_ext")));
	ASSERT_EQ(0, system("modprobe cpufreq_ext"));
	START("");
	ATTACH();
	EXPECT_TRUE(all_at(LOW_KHZ));
}

/*************************** tunables of a policy ***************************/

TEST_F(driver, tunables_of_each_policy)
{
	u_int32_t slow, fast;
	int i, first, second;
	char text[32];

	START("governor_per_policy=1 policy_cpus=2");
	ASSERT_LE(2, nr_policies);
	first = policies[0];
	second = policies[1];
	EXPECT_NE(0, access(CPUFREQ "/ext", F_OK));
	for (i = 0; i < nr_policies; i++)
		EXPECT_TRUE(stat_of_policy_is(policies[i], STAT_INIT));
	ATTACH();
	for (i = 0; i < nr_policies; i++)
		EXPECT_TRUE(stat_of_policy_is(policies[i], STAT_LOADED("probe")));

	/* The rate of one is not that of the other. */
	ASSERT_EQ(0, write_policy(first, "ext/sampling_rate", "400000"));
	ASSERT_EQ(0, write_policy(second, "ext/sampling_rate", "40000"));
	EXPECT_EQ(400000, read_policy_num(first, "ext/sampling_rate"));
	EXPECT_EQ(40000, read_policy_num(second, "ext/sampling_rate"));
	wake_start(first);
	wake_start(second);
	self->probe->data->only_cpu = first;
	DECIDE(first);
	EXPECT_EQ(400000, self->probe->bss->sampling_rate);
	self->probe->data->only_cpu = second;
	DECIDE(second);
	EXPECT_EQ(40000, self->probe->bss->sampling_rate);
	slow = self->probe->bss->nr_next_cpu[first];
	fast = self->probe->bss->nr_next_cpu[second];
	sleep_ms(2000);
	slow = self->probe->bss->nr_next_cpu[first] - slow;
	fast = self->probe->bss->nr_next_cpu[second] - fast;
	EXPECT_LE(2, slow);
	EXPECT_LT(2 * slow, fast);
	busy_stop();

	/* A swap and an unload show in each folder. */
	self->probe->bss->other_freq = MID_KHZ;
	ASSERT_EQ(0, bpf_link__update_map(self->link, self->probe->maps.other));
	for (i = 0; i < nr_policies; i++)
		EXPECT_TRUE(stat_of_policy_is(policies[i], STAT_LOADED("other")));
	EXPECT_TRUE(all_at(MID_KHZ));
	EXPECT_EQ(1, self->probe->bss->other_init);

	/* One policy leaves, with its folder alone, and comes back to defaults. */
	ASSERT_EQ(0, set_governor(first, "performance"));
	snprintf(text, sizeof(text), "%s", read_policy(first, "ext/stat"));
	EXPECT_STREQ("", text);
	EXPECT_EQ(HIGH_KHZ, hw_khz(first));
	EXPECT_TRUE(stat_of_policy_is(second, STAT_LOADED("other")));
	EXPECT_EQ(MID_KHZ, hw_khz(second));
	ASSERT_EQ(0, set_governor(first, "ext"));
	EXPECT_NE(400000, read_policy_num(first, "ext/sampling_rate"));
	EXPECT_EQ(40000, read_policy_num(second, "ext/sampling_rate"));
	EXPECT_TRUE(stat_of_policy_is(first, STAT_LOADED("other")));
	EXPECT_TRUE(all_at(MID_KHZ));

	DETACH();
	for (i = 0; i < nr_policies; i++)
		EXPECT_TRUE(stat_of_policy_is(policies[i], STAT_INIT));
	EXPECT_TRUE(all_at(HIGH_KHZ));
}

/*************************** frequencies ************************************/

/* Let the BPF governor want @want; returns what the hardware then has. */
#define FREQ_FOR(want) ({						\
	self->probe->bss->want_freq = (want);				\
	DECIDE(0);							\
	hw_khz(0);							\
})

TEST_F(driver, no_frequency_table)
{
	struct transition last = { 0 };

	START("table=0");
	EXPECT_EQ(0, nr_freqs);
	EXPECT_TRUE(all_at(HIGH_KHZ));
	self->probe->data->only_cpu = 0;
	self->probe->bss->want_table_khz = 1234567;
	ATTACH();
	wake_start(0);

	EXPECT_EQ(1234567, FREQ_FOR(1234567));
	EXPECT_EQ(1234567, cur_freq(0));
	EXPECT_EQ(1234567, self->probe->bss->table_freq);
	EXPECT_EQ(1234567, FREQ_FOR(0));
	EXPECT_EQ(1234568, FREQ_FOR(1234568));
	EXPECT_EQ(LOW_KHZ, FREQ_FOR(1));
	EXPECT_EQ(HIGH_KHZ, FREQ_FOR(~0UL));
	ASSERT_EQ(1, driver_log(0, &last, 1));
	EXPECT_EQ(HIGH_KHZ, last.to_khz);
	EXPECT_EQ(0, last.relation);	/* the lowest at or above: RELATION_L */

	ASSERT_TRUE(set_limits(0, 1000001, 2000003));
	EXPECT_EQ(2000003, FREQ_FOR(~0UL));
	EXPECT_EQ(1000001, FREQ_FOR(1));
	EXPECT_EQ(1500000, FREQ_FOR(1500000));
	self->probe->bss->want_table_khz = 1;
	DECIDE(0);
	EXPECT_EQ(1000001, self->probe->bss->table_freq);

	DETACH();
	EXPECT_EQ(2000003, hw_khz(0));
	ASSERT_EQ(1, driver_log(0, &last, 1));
	EXPECT_EQ(2000003, last.to_khz);
	EXPECT_EQ(1, last.relation);	/* the highest at or below: RELATION_H */
}

TEST_F_TIMEOUT(driver, frequency_tables, 60)
{
	static const char * const params[] = {
		"freqs_khz=900000,1000000,2000000",
		"freqs_khz=1000000,2000000,900000 target=1",
		"freqs_khz=2000000,1000000,900000 async_notification=1",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(params); i++) {
		START(params[i]);
		ATTACH();
		wake_start(0);
		EXPECT_TRUE(wait_for(FREQ_FOR(900001) == 1000000));
		EXPECT_TRUE(wait_for(FREQ_FOR(1000000) == 1000000));
		EXPECT_TRUE(wait_for(FREQ_FOR(1000001) == 2000000));
		EXPECT_TRUE(wait_for(FREQ_FOR(3000000) == 2000000));
		EXPECT_TRUE(wait_for(FREQ_FOR(1) == 900000));
		busy_stop();
		DETACH();
		EXPECT_TRUE(wait_for(all_at(2000000)));
		check_record(_metadata);
		ASSERT_EQ(0, driver_unload());
	}

	/* A table of one frequency, where there is nothing to decide */
	START("freqs_khz=1000000");
	ATTACH();
	wake_start(0);
	EXPECT_EQ(1000000, FREQ_FOR(1));
	EXPECT_EQ(1000000, FREQ_FOR(~0UL));
	EXPECT_EQ(0, driver_num(0, "transitions"));
}

/* Each limit that is written is told twice, the second time by a work of the core. */
static unsigned long long settled_transitions(int policy)
{
	unsigned long long before, now = driver_num(policy, "transitions");

	do {
		before = now;
		sleep_ms(200);
		now = driver_num(policy, "transitions");
	} while (now != before);
	return now;
}

TEST_F(driver, current_frequency_is_passed_on_if_needed)
{
	unsigned long long before;
	u_int32_t decisions;

	/* Not needed: no call, whatever is decided */
	START("target=1");
	ATTACH();
	wake_start(0);
	EXPECT_EQ(LOW_KHZ, FREQ_FOR(LOW_KHZ));
	before = driver_num(0, "transitions");
	DECIDE(0);
	ASSERT_TRUE(set_limits(0, LOW_KHZ, MID_KHZ));
	DECIDE(0);
	EXPECT_EQ(before, driver_num(0, "transitions"));

	RESTART("target=1 need_update_limits=1");
	EXPECT_EQ(LOW_KHZ, FREQ_FOR(LOW_KHZ));
	before = driver_num(0, "transitions");
	ASSERT_TRUE(set_limits(0, LOW_KHZ, MID_KHZ));
	EXPECT_TRUE(wait_for(driver_num(0, "transitions") > before));
	EXPECT_EQ(LOW_KHZ, hw_khz(0));

	/* Once for each change: nothing else is new to the driver. */
	before = settled_transitions(0);
	decisions = self->probe->bss->nr_next_cpu[0];
	EXPECT_TRUE(wait_for(self->probe->bss->nr_next_cpu[0] >= decisions + 10));
	EXPECT_EQ(before, driver_num(0, "transitions"));
	ASSERT_TRUE(set_limits(0, LOW_KHZ, HIGH_KHZ));
	EXPECT_TRUE(wait_for(driver_num(0, "transitions") > before));
	EXPECT_EQ(LOW_KHZ, hw_khz(0));

	/* So it is if the governor keeps the frequency that there is. */
	self->probe->bss->want_freq = 0;
	DECIDE(0);
	before = settled_transitions(0);
	ASSERT_TRUE(set_limits(0, LOW_KHZ, MID_KHZ));
	EXPECT_TRUE(wait_for(driver_num(0, "transitions") > before));
	EXPECT_EQ(LOW_KHZ, hw_khz(0));
	before = settled_transitions(0);
	DECIDE(0);
	EXPECT_EQ(before, driver_num(0, "transitions"));
}

TEST_F(driver, no_fast_switch)
{
	unsigned long long before;

	START("fast_switch=1 policy_cpus=2");
	ATTACH();
	/* The default governor may have been one that does. */
	before = driver_num(0, "fast_switches");
	busy_start(0);
	EXPECT_EQ(MID_KHZ, FREQ_FOR(MID_KHZ));
	EXPECT_EQ(HIGH_KHZ, FREQ_FOR(~0UL));
	EXPECT_EQ(before, driver_num(0, "fast_switches"));
	EXPECT_LE(3, driver_num(0, "transitions"));

	/* It is there for one who wants it, and ext does after that as before. */
	if (!strstr(read_policy(0, "scaling_available_governors"), "schedutil"))
		SKIP(return, "no schedutil to compare with");
	ASSERT_EQ(0, set_governor(0, "schedutil"));
	busy_stop();
	sleep_ms(100);
	busy_start(0);
	EXPECT_TRUE(wait_for(driver_num(0, "fast_switches") > before));
	self->probe->bss->want_freq = MID_KHZ;
	ASSERT_EQ(0, set_governor(0, "ext"));
	before = driver_num(0, "fast_switches");
	EXPECT_EQ(MID_KHZ, hw_khz(0));
	EXPECT_EQ(LOW_KHZ, FREQ_FOR(LOW_KHZ));
	EXPECT_EQ(before, driver_num(0, "fast_switches"));
}

/*************************** sampling rates *********************************/

TEST_F_TIMEOUT(driver, shortest_period_is_of_the_driver, 180)
{
	static const struct {
		const char *params;
		u_int64_t period_us;	/* 0: two ticks */
	} cases[] = {
		{ "transition_latency_ns=" ETERNAL, 0 },
		{ "transition_latency_ns=0", 0 },
		{ "transition_delay_us=1", 0 },
		{ "transition_delay_us=1 transition_latency_ns=" ETERNAL, 0 },
		/* The core allows for half as much again. */
		{ "transition_latency_ns=200000000", 300000 },
		{ "transition_delay_us=250000", 250000 },
		{ "transition_delay_us=250000 transition_latency_ns=" ETERNAL, 250000 },
		{ "transition_delay_us=" ETERNAL, 4000000 },
	};
	u_int64_t period_us, us;
	u_int32_t n;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		START(cases[i].params);
		self->probe->bss->want_rate_us = 1;
		ATTACH();
		wake_start(0);
		period_us = cases[i].period_us ?: 2 * tick_us();
		n = self->probe->bss->nr_next_cpu[0];
		us = now_ns() / 1000;
		sleep_ms(period_us > 1000000 ? 9000 : 2000);
		n = self->probe->bss->nr_next_cpu[0] - n;
		us = now_ns() / 1000 - us;
		/* On a busy host there may be half of them, but not of two ticks. */
		EXPECT_GE(us / period_us + 2, n) TH_LOG("%s", cases[i].params);
		EXPECT_LE(us / (period_us > 250000 ? 2 * period_us : 500000), n)
			TH_LOG("%s", cases[i].params);
		busy_stop();
		DETACH();
		ASSERT_EQ(0, driver_unload());
	}
}

/* What the driver wants, or how long it takes, is no fault of the governor's. */
TEST_F_TIMEOUT(driver, slow_driver_is_no_fault, 60)
{
	START("transition_delay_us=2500000 max_policies=1");
	self->probe->bss->want_rate_us = 1;
	ATTACH();
	busy_start(0);
	sleep_ms(5 * 2500);
	EXPECT_LE(4, self->probe->bss->nr_next_cpu[0]);
	EXPECT_TRUE(stat_is(STAT_LOADED("probe"))) TH_LOG("%s", read_stat());
	busy_stop();

	RESTART("max_policies=1");
	wake_start(0);
	ASSERT_EQ(0, driver_set("slow_us", 2500000));
	IN_TRANSITION(0, MID_KHZ);
	EXPECT_TRUE(wait_long_for_hw(0, MID_KHZ, 10000));
	sleep_ms(1000);
	EXPECT_TRUE(stat_is(STAT_LOADED("probe"))) TH_LOG("%s", read_stat());
}

/*************************** failing transitions ****************************/

static const char * const kinds[] = {
	"", "target=1", "async_notification=1", "target=1 async_notification=1",
};

TEST_F_TIMEOUT(driver, transitions_that_fail, 120)
{
	static const int errors[] = { EIO, EBUSY, EAGAIN, EINVAL };
	unsigned long long failed;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		START(kinds[i]);
		ASSERT_EQ(0, driver_set("fail_errno", errors[i]));
		ATTACH();
		wake_start(0);
		EXPECT_TRUE(wait_for(FREQ_FOR(LOW_KHZ) == LOW_KHZ));

		/* Tried in every decision, and in vain */
		failed = driver_num(0, "failed");
		ASSERT_EQ(0, driver_set("fail_next", -1));
		self->probe->bss->want_freq = HIGH_KHZ;
		EXPECT_TRUE(wait_for(driver_num(0, "failed") >= failed + 5));
		EXPECT_EQ(LOW_KHZ, hw_khz(0));
		EXPECT_TRUE(wait_for(cur_freq(0) == LOW_KHZ));
		EXPECT_TRUE(stat_is(STAT_LOADED("probe")));
		EXPECT_EQ(0, self->probe->bss->nr_stop);

		/* The first that does not fail */
		ASSERT_EQ(0, driver_set("fail_next", 2));
		EXPECT_TRUE(wait_for(hw_khz(0) == HIGH_KHZ));
		EXPECT_TRUE(wait_for(cur_freq(0) == HIGH_KHZ));

		busy_stop();
		DETACH();
		self->probe->bss->nr_stop = 0;
		check_record(_metadata);
		ASSERT_EQ(0, driver_unload());
	}
}

TEST_F_TIMEOUT(driver, fallback_that_fails, 120)
{
	unsigned long long failed;
	char params[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		/* One policy, so that no other takes the failure that is for it */
		snprintf(params, sizeof(params), "policy_cpus=1024 %s", kinds[i]);
		START(params);
		ATTACH();
		wake_start(0);
		EXPECT_TRUE(wait_for(FREQ_FOR(LOW_KHZ) == LOW_KHZ));

		/* Unloaded all the same; the fallback tries until it is there. */
		ASSERT_EQ(0, driver_set("fail_next", -1));
		failed = driver_num(0, "failed");
		DETACH();
		EXPECT_TRUE(stat_is(STAT_INIT));
		EXPECT_LT(failed, driver_num(0, "failed"));
		EXPECT_EQ(LOW_KHZ, hw_khz(0));

		/*
		 * A sample that was due already may come at once.  The one after a
		 * failure does not, so that none is between the next two lines.
		 */
		EXPECT_TRUE(wait_for_failure(0, 3 * RETRY_MS));
		failed = driver_num(0, "failed");
		ASSERT_EQ(0, driver_set("fail_next", 1));
		EXPECT_TRUE(wait_long_for_hw(0, HIGH_KHZ, 3 * RETRY_MS));
		EXPECT_EQ(failed + 1, driver_num(0, "failed"));
		busy_stop();
		check_record(_metadata);
		ASSERT_EQ(0, driver_unload());
	}
}

TEST_F(driver, loading_while_transitions_fail)
{
	START("policy_cpus=2");
	ASSERT_EQ(0, driver_set("fail_next", -1));
	ATTACH();
	EXPECT_TRUE(stat_is(STAT_LOADED("probe")));
	/* For a moment, the core takes a transition that fails for done. */
	EXPECT_TRUE(wait_for(all_at(HIGH_KHZ)));

	/* and so is a swap, and a change of governors */
	self->probe->bss->other_freq = MID_KHZ;
	ASSERT_EQ(0, bpf_link__update_map(self->link, self->probe->maps.other));
	EXPECT_TRUE(stat_is(STAT_LOADED("other")));
	EXPECT_TRUE(wait_for(all_at(HIGH_KHZ)));
	ASSERT_EQ(0, set_all_governors("powersave"));
	EXPECT_TRUE(wait_for(all_at(HIGH_KHZ)));
	ASSERT_EQ(0, set_all_governors("ext"));
	EXPECT_TRUE(stat_is(STAT_LOADED("other")));

	ASSERT_EQ(0, driver_set("fail_next", 0));
	ASSERT_EQ(0, set_all_governors("powersave"));
	ASSERT_EQ(0, set_all_governors("ext"));
	EXPECT_TRUE(all_at(MID_KHZ));
}

TEST_F(driver, limits_while_transitions_fail)
{
	START("");
	ATTACH();
	wake_start(0);
	EXPECT_EQ(HIGH_KHZ, FREQ_FOR(~0UL));
	ASSERT_EQ(0, driver_set("fail_next", -1));
	ASSERT_TRUE(set_limits(0, LOW_KHZ, MID_KHZ));
	DECIDE(0);
	EXPECT_EQ(HIGH_KHZ, hw_khz(0));
	ASSERT_EQ(0, driver_set("fail_next", 0));
	EXPECT_TRUE(wait_for(hw_khz(0) == MID_KHZ));
	EXPECT_TRUE(wait_for(cur_freq(0) == MID_KHZ));
}

/* A governor that keeps the frequency there is does not keep one beyond the limits. */
TEST_F(driver, new_limits_are_tried_again)
{
	unsigned long long clamped;

	START("");
	ATTACH();
	wake_start(0);
	EXPECT_EQ(HIGH_KHZ, FREQ_FOR(HIGH_KHZ));
	self->probe->bss->want_freq = 0;
	DECIDE(0);
	clamped = read_policy_num(0, "../ext/policy0/clamped");
	ASSERT_EQ(0, driver_set("fail_next", -1));
	ASSERT_TRUE(set_limits(0, LOW_KHZ, MID_KHZ));
	DECIDE(0);
	EXPECT_EQ(HIGH_KHZ, hw_khz(0));
	ASSERT_EQ(0, driver_set("fail_next", 0));
	EXPECT_TRUE(wait_for(hw_khz(0) == MID_KHZ));
	EXPECT_TRUE(wait_for(cur_freq(0) == MID_KHZ));
	/* It chose none of these. */
	EXPECT_EQ(clamped, read_policy_num(0, "../ext/policy0/clamped"));
}

/*************************** slow transitions *******************************/

TEST_F_TIMEOUT(driver, slow_transitions, 180)
{
	u_int64_t begin;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		START(kinds[i]);
		ATTACH();
		wake_start(0);
		ASSERT_EQ(0, driver_set("slow_us", 300000));

		/* Whatever comes meanwhile waits for one or two transitions. */
		begin = now_ns();
		IN_TRANSITION(0, MID_KHZ);
		DETACH();
		EXPECT_TRUE(stat_is(STAT_INIT));
		EXPECT_TRUE(wait_for(hw_khz(0) == HIGH_KHZ));
		ATTACH();
		EXPECT_TRUE(wait_for(hw_khz(0) == MID_KHZ));

		IN_TRANSITION(0, HIGH_KHZ);
		ASSERT_EQ(0, set_governor(0, "powersave"));
		EXPECT_TRUE(wait_for(hw_khz(0) == LOW_KHZ));
		ASSERT_EQ(0, set_governor(0, "ext"));
		EXPECT_TRUE(wait_for(hw_khz(0) == HIGH_KHZ));

		self->probe->bss->other_freq = LOW_KHZ;
		IN_TRANSITION(0, MID_KHZ);
		ASSERT_EQ(0, bpf_link__update_map(self->link, self->probe->maps.other));
		EXPECT_TRUE(wait_for(hw_khz(0) == LOW_KHZ));
		ASSERT_EQ(0, bpf_link__update_map(self->link, self->probe->maps.probe));

		IN_TRANSITION(0, HIGH_KHZ);
		ASSERT_EQ(0, write_policy_num(0, "scaling_max_freq", MID_KHZ));
		EXPECT_TRUE(wait_for(hw_khz(0) == MID_KHZ));

		/* and so does the end of the driver */
		IN_TRANSITION(0, LOW_KHZ);
		check_record(_metadata);
		ASSERT_EQ(0, driver_unload());
		EXPECT_GT(30000000000ULL, now_ns() - begin) TH_LOG("%s", kinds[i]);
		busy_stop();
		DETACH();
		self->probe->bss->want_freq = LOW_KHZ;
	}
}

TEST_F(driver, hotplug_in_a_slow_transition)
{
	int policy;

	START("policy_cpus=2");
	policy = policies[1];
	ATTACH();
	wake_start(policy);
	ASSERT_EQ(0, driver_set("slow_us", 300000));
	IN_TRANSITION(policy, MID_KHZ);
	ASSERT_EQ(0, set_online(policy + 1, false));
	IN_TRANSITION(policy, HIGH_KHZ);
	busy_stop();
	ASSERT_EQ(0, set_online(policy, false));
	EXPECT_EQ(0, self->probe->bss->active[policy]);
	ASSERT_EQ(0, set_online(policy, true));
	ASSERT_EQ(0, set_online(policy + 1, true));
	EXPECT_EQ(HIGH_KHZ, hw_khz(policy));
	EXPECT_EQ(self->probe->bss->nr_start,
		  self->probe->bss->nr_stop + nr_policies);
}

/*************************** limits that move *******************************/

/* Transitions of policy 0 that began after @since_ns and go above @max_khz */
static int nr_above(u_int64_t since_ns, unsigned int max_khz)
{
	static struct transition log[1024];
	int i, n, above = 0;

	n = driver_log(0, log, ARRAY_SIZE(log));
	for (i = 0; i < n; i++)
		above += log[i].start_ns > since_ns && log[i].to_khz > max_khz;
	return above;
}

TEST_F_TIMEOUT(driver, limits_that_move_at_once, 120)
{
	static const char * const params[] = { "", "table=0", "target=1" };
	unsigned int max_khz;
	u_int64_t since;
	size_t i;
	int j;

	for (i = 0; i < ARRAY_SIZE(params); i++) {
		START(params[i]);
		ASSERT_EQ(0, driver_set("slow_us", 500));

		/* The fallback */
		ASSERT_EQ(0, driver_set("hw_max_khz", MID_KHZ));
		EXPECT_TRUE(all_at(MID_KHZ));
		ASSERT_EQ(0, driver_set("hw_max_khz", 0));
		EXPECT_TRUE(all_at(HIGH_KHZ));

		/* A governor that always asks for more, and often */
		self->probe->bss->want_freq = ~0UL;
		self->probe->bss->want_rate_us = 1;
		ATTACH();
		busy_start(0);
		busy_start(1);
		for (j = 0; j < 40; j++) {
			max_khz = j % 2 ? HIGH_KHZ : j % 4 ? MID_KHZ : LOW_KHZ;
			ASSERT_EQ(0, driver_set("hw_max_khz", max_khz));
			since = now_ns();
			EXPECT_EQ(max_khz, hw_khz(0));
			EXPECT_EQ(max_khz, hw_khz(1));
			EXPECT_EQ(max_khz, read_policy_num(0, "scaling_max_freq"));
			/* Frequencies that change all the time, below it and above */
			sleep_ms(10);
			self->probe->bss->want_freq = j % 3 ? ~0UL : LOW_KHZ;
			sleep_ms(10);
			self->probe->bss->want_freq = ~0UL;
			DECIDE(0);
			EXPECT_EQ(max_khz, hw_khz(0));
			EXPECT_EQ(0, nr_above(since, max_khz));
		}
		busy_stop();
		DETACH();
		check_record(_metadata);
		ASSERT_EQ(0, driver_unload());
	}
}

TEST_HARNESS_MAIN
