// SPDX-License-Identifier: GPL-2.0-only
/*
 * The governor ext under load, with much going on at once.  Counts are small by
 * default; with CPUFREQ_EXT_LONG=1 in the environment they are those that
 * Documentation/admin-guide/pm/cpufreq_ext_promises.rst gives.
 */
#include "kselftest_harness.h"
#include "driver_util.h"
#include "workers.h"

/* A case that did not do its count by then has failed. */
#define LIMIT_S		(is_long() ? 7200 : 300)

static bool is_long(void)
{
	const char *text = getenv("CPUFREQ_EXT_LONG");

	return text && *text == '1';
}

static unsigned long count(unsigned long shorter, unsigned long longer)
{
	return is_long() ? longer : shorter;
}

FIXTURE(stress)
{
};

FIXTURE_SETUP(stress)
{
	find_policies();
	if (!nr_policies)
		SKIP(return, "no cpufreq driver");
	if (nr_freqs < 3)
		SKIP(return, "the driver has no frequency table of 3 or more");
	ASSERT_EQ(0, set_all_governors("ext"));
}

FIXTURE_TEARDOWN(stress)
{
	set_all_governors("performance");
}

#define STRESS_TEST(name) TEST_F_TIMEOUT(stress, name, 7500)

STRESS_TEST(load_and_unload)
{
	struct worker workers[] = {
		WORKER(load, .limit = count(50, 1000), .alone = true),
		WORKER(read),
	};

	EXPECT_EQ(0, workers_run(workers, ARRAY_SIZE(workers), 1, LIMIT_S));
	EXPECT_EQ(workers[0].steps, workers[0].done);
}

STRESS_TEST(loader_killed)
{
	struct worker workers[] = {
		WORKER(kill, .limit = count(10, 200), .alone = true),
		WORKER(read),
	};

	if (access(WORKER_LOADER, X_OK))
		SKIP(return, "no loader here");
	EXPECT_EQ(0, workers_run(workers, ARRAY_SIZE(workers), 2, LIMIT_S));
	EXPECT_LE(workers[0].done / 4, workers[0].loaded);
}

STRESS_TEST(swap_without_gap)
{
	unsigned long swaps = count(50, 500), i;
	int nr_bpf = workers_settled_bpf();
	unsigned int before;
	struct stress *skel;
	struct bpf_link *link;

	skel = stress__open_and_load();
	ASSERT_NE(NULL, skel);
	EXPECT_EQ(0, workers_record());

	/* The fallback is seen when it decides. */
	link = bpf_map__attach_struct_ops(skel->maps.low);
	ASSERT_NE(NULL, link);
	EXPECT_TRUE(wait_for(cur_freq(policies[0]) == freqs[0]));
	before = record->bss->nr_fallback;
	bpf_link__destroy(link);
	EXPECT_LE(before + nr_policies, record->bss->nr_fallback);

	/* The first load and the last unload are outside of what is counted. */
	link = bpf_map__attach_struct_ops(skel->maps.low);
	ASSERT_NE(NULL, link);
	workers_busy_start();
	before = record->bss->nr_fallback;
	for (i = 0; i < swaps; i++) {
		EXPECT_EQ(0, bpf_link__update_map(link, i % 2 ? skel->maps.low : skel->maps.lower));
		sleep_ms(i % 30);
	}
	EXPECT_EQ(before, record->bss->nr_fallback);
	/* Each makes a decision for each policy. */
	EXPECT_LT(swaps * nr_policies, skel->bss->low_decisions + skel->bss->lower_decisions);
	TH_LOG("%lu swaps, %u and %u decisions, none on the fallback", swaps,
	       skel->bss->low_decisions, skel->bss->lower_decisions);
	busy_stop();
	bpf_link__destroy(link);
	record__destroy(record);
	stress__destroy(skel);
	EXPECT_GE(0, workers_left_bpf(nr_bpf));
}

STRESS_TEST(hotplug)
{
	struct worker workers[] = {
		WORKER(hotplug_all, .limit = count(5, 200), .alone = true),
		WORKER(load),
		WORKER(swap),
		WORKER(read),
		WORKER(kick),
	};

	if (access("/sys/devices/system/cpu/cpu1/online", W_OK))
		SKIP(return, "no CPU that can be taken off");
	EXPECT_EQ(0, workers_run(workers, ARRAY_SIZE(workers), 3, LIMIT_S));
}

STRESS_TEST(governors)
{
	struct worker workers[] = {
		WORKER(governor, .limit = count(100, 2000)),
		WORKER(governor),
		WORKER(governor),
		WORKER(load),
		WORKER(swap),
		WORKER(kill),
		WORKER(read),
		WORKER(kick),
	};

	EXPECT_EQ(0, workers_run(workers, ARRAY_SIZE(workers), 4, LIMIT_S));
}

STRESS_TEST(limits)
{
	struct worker workers[] = {
		WORKER(limits, .limit = count(300, 10000)),
		WORKER(limits),
		WORKER(tunables),
		WORKER(tunables),
		WORKER(setspeed),
		WORKER(setspeed),
		WORKER(load),
		WORKER(swap),
		WORKER(kill),
		WORKER(read),
	};

	EXPECT_EQ(0, workers_run(workers, ARRAY_SIZE(workers), 5, LIMIT_S));
}

STRESS_TEST(suspend)
{
	struct worker workers[] = {
		WORKER(suspend, .limit = count(5, 100)),
		WORKER(load),
		WORKER(swap),
		WORKER(read),
	};

	if (!workers_can_suspend())
		SKIP(return, "no pm_test: build the kernel with PM_DEBUG and PM_SLEEP");
	EXPECT_EQ(0, workers_run(workers, ARRAY_SIZE(workers), 6, LIMIT_S));
}

FIXTURE(record)
{
};

FIXTURE_SETUP(record)
{
	const char *missing = driver_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, driver_load("policy_cpus=1,3"));
	ASSERT_EQ(0, set_all_governors("ext"));
}

FIXTURE_TEARDOWN(record)
{
	driver_unload();
}

/* The driver itself judges what it is asked for. */
TEST_F_TIMEOUT(record, limits, 7500)
{
	struct worker workers[] = {
		WORKER(limits, .limit = count(150, 5000)),
		WORKER(limits),
		WORKER(limits),
		WORKER(tunables),
		WORKER(setspeed),
		WORKER(load),
		WORKER(swap),
		WORKER(governor),
		WORKER(read),
	};
	unsigned long long transitions = 0, raced = 0, violations = 0;
	int i;

	EXPECT_EQ(0, workers_run(workers, ARRAY_SIZE(workers), 7, LIMIT_S));
	for (i = 0; i < nr_policies; i++) {
		transitions += driver_num(policies[i], "transitions");
		raced += driver_num(policies[i], "raced");
		violations += driver_num(policies[i], "violations");
	}
	EXPECT_LT(100, transitions);
	EXPECT_EQ(0, violations);
	/* Those while limits change, of which it cannot say, are few. */
	EXPECT_GE(transitions / 10, raced);
	TH_LOG("%llu transitions by the driver's record, %llu while limits changed",
	       transitions, raced);
}

TEST_HARNESS_MAIN
