// SPDX-License-Identifier: GPL-2.0-only
/* The module of ext goes only when nothing uses it. */
#include "kselftest_harness.h"
#include "driver_util.h"
#include "workers.h"

static bool is_long(void)
{
	const char *text = getenv("CPUFREQ_EXT_LONG");

	return text && *text == '1';
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

FIXTURE(module)
{
	struct stress *skel;
	struct bpf_link *link;
};

FIXTURE_SETUP(module)
{
	find_policies();
	if (!nr_policies)
		SKIP(return, "no cpufreq driver");
	if (system("modprobe -q cpufreq_ext") ||
	    access("/sys/module/cpufreq_ext/initstate", F_OK))
		SKIP(return, "ext is not a module");
	ASSERT_EQ(0, set_all_governors("performance"));
}

FIXTURE_TEARDOWN(module)
{
	busy_stop();
	bpf_link__destroy(self->link);
	stress__destroy(self->skel);
	system("modprobe -q cpufreq_ext");
	set_all_governors("performance");
}

/* What is in use stays, and goes on; the kernel says so with EAGAIN. */
#define EXPECT_STAYS() EXPECT_EQ(-EAGAIN, module_unload("cpufreq_ext"))
/* It goes when RCU has let go of what used it. */
#define EXPECT_GOES() EXPECT_TRUE(wait_for(!module_unload("cpufreq_ext")))

TEST_F_TIMEOUT(module, unloaded_at_every_step, 1800)
{
	int i, n = is_long() ? 50 : 2;

	for (i = 0; i < n; i++) {
		EXPECT_GOES();
		ASSERT_EQ(0, system("modprobe cpufreq_ext"));

		/* A policy uses it. */
		ASSERT_EQ(0, set_governor(policies[nr_policies - 1], "ext"));
		EXPECT_STAYS();
		ASSERT_EQ(0, set_governor(policies[nr_policies - 1], "performance"));
		EXPECT_GOES();

		/* Writing ext loads it. */
		ASSERT_EQ(0, set_all_governors("ext"));
		EXPECT_STAYS();

		/* A BPF object has its types. */
		self->skel = stress__open_and_load();
		ASSERT_NE(NULL, self->skel);
		ASSERT_EQ(0, set_all_governors("performance"));
		EXPECT_STAYS();

		/* A governor is loaded, */
		ASSERT_EQ(0, set_all_governors("ext"));
		workers_busy_start();
		self->link = bpf_map__attach_struct_ops(self->skel->maps.low);
		ASSERT_NE(NULL, self->link);
		EXPECT_STAYS();
		EXPECT_TRUE(all_at(freqs[0]));
		EXPECT_TRUE(stat_is(STAT_LOADED("low")));

		/* also when no policy uses ext, and its object is closed. */
		ASSERT_EQ(0, set_all_governors("performance"));
		EXPECT_STAYS();
		stress__destroy(self->skel);
		self->skel = NULL;
		EXPECT_STAYS();

		bpf_link__destroy(self->link);
		self->link = NULL;
		EXPECT_GOES();
		busy_stop();
		ASSERT_EQ(0, system("modprobe cpufreq_ext"));
	}
}

TEST_HARNESS_MAIN
