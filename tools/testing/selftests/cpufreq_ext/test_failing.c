// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that the kernel does not get: each operation is repeated with its first,
 * second, third, ... allocation failing, until none is left.  Whichever it is,
 * things are as they were before, or the operation did its job without.
 */
#include <sys/mman.h>
#include <sys/types.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "kselftest_harness.h"
#include "util.h"
#include "stress.skel.h"

#define DEBUGFS		"/sys/kernel/debug"
#define MAX_NTH		500

static struct stress *skel;
static struct bpf_link *governor;
static int fail_nth = -1;

/* Let the @nth allocation of this thread fail from now on. */
static void fail(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(fail_nth, text, len, 0) != len)
		_exit(KSFT_FAIL);
}

/* End it; returns whether one has failed. */
static bool has_failed(void)
{
	char text[16] = "";

	if (pread(fail_nth, text, sizeof(text) - 1, 0) <= 0)
		_exit(KSFT_FAIL);
	fail(0);
	return !atoi(text);
}

static bool all_at(unsigned int freq)
{
	int i;

	for (i = 0; i < nr_policies; i++)
		if (cur_freq(policies[i]) != freq)
			return false;
	return true;
}

static bool governors_are(const char *name)
{
	int i;

	for (i = 0; i < nr_policies; i++)
		if (strcmp(read_policy(policies[i], "scaling_governor"), name))
			return false;
	return true;
}

/* An operation, how things are before it, and how it is undone */
struct operation {
	const char *name;
	int (*make)(void);
	bool (*is_before)(void);
	bool (*is_after)(void);
	void (*undo)(void);
};

static int make_load(void)
{
	governor = bpf_map__attach_struct_ops(skel->maps.low);
	return governor ? 0 : -errno;
}

static bool is_unloaded(void)
{
	return !strcmp(read_stat(), STAT_INIT) && all_at(freqs[nr_freqs - 1]) &&
	       skel->bss->nr_start == skel->bss->nr_stop;
}

static bool is_low(void)
{
	return !strcmp(read_stat(), STAT_LOADED("low")) && all_at(freqs[0]) &&
	       skel->bss->nr_start == skel->bss->nr_stop + nr_policies;
}

static void undo_load(void)
{
	bpf_link__destroy(governor);
	governor = NULL;
}

static int make_swap(void)
{
	return bpf_link__update_map(governor, skel->maps.lower);
}

static bool is_lower(void)
{
	return !strcmp(read_stat(), STAT_LOADED("lower")) && all_at(freqs[0]) &&
	       skel->bss->nr_start == skel->bss->nr_stop;
}

static void undo_swap(void)
{
	bpf_link__update_map(governor, skel->maps.low);
}

static int write_governor(const char *name)
{
	return set_governor(policies[0], name);
}

static int make_ext(void)
{
	return write_governor("ext");
}

static bool is_away(void)
{
	return !strcmp(read_policy(policies[0], "scaling_governor"), "performance") &&
	       cur_freq(policies[0]) == freqs[nr_freqs - 1];
}

static bool is_ext_low(void)
{
	return governors_are("ext") && is_low();
}

static void undo_ext(void)
{
	write_governor("performance");
}

static int make_away(void)
{
	return write_governor("ondemand");
}

static bool is_ondemand(void)
{
	return !strcmp(read_policy(policies[0], "scaling_governor"), "ondemand");
}

static void undo_away(void)
{
	write_governor("ext");
}

static int make_limit(void)
{
	return write_policy_num(policies[0], "scaling_max_freq", freqs[1]);
}

static bool is_unlimited(void)
{
	return wait_for(read_policy_num(policies[0], "scaling_max_freq") ==
			freqs[nr_freqs - 1]) && is_low();
}

static bool is_limited(void)
{
	return wait_for(read_policy_num(policies[0], "scaling_max_freq") == freqs[1]);
}

static void undo_limit(void)
{
	write_policy_num(policies[0], "scaling_max_freq", freqs[nr_freqs - 1]);
}

static int make_rate(void)
{
	return write_file(CPUFREQ "/ext/sampling_rate", "50000");
}

static bool rate_is(const char *rate)
{
	char text[32];

	return !read_file(CPUFREQ "/ext/sampling_rate", text, sizeof(text)) &&
	       !strcmp(text, rate);
}

static bool is_rate_before(void)
{
	return rate_is("20000\n") && is_low();
}

static bool is_rate_after(void)
{
	return rate_is("50000\n");
}

static void undo_rate(void)
{
	write_file(CPUFREQ "/ext/sampling_rate", "20000");
}

static int make_read(void)
{
	return *read_stat() ? 0 : -ENOMEM;
}

static void undo_nothing(void)
{
}

FIXTURE(failing)
{
};

FIXTURE_SETUP(failing)
{
	static const char * const faults[] = { "failslab", "fail_page_alloc" };
	char path[128];
	size_t i;

	find_policies();
	if (!nr_policies || nr_freqs < 3)
		SKIP(return, "no cpufreq driver with a table");
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0 || access(DEBUGFS "/failslab", F_OK))
		SKIP(return, "no failslab: build the kernel with FAULT_INJECTION");
	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		snprintf(path, sizeof(path), DEBUGFS "/%s/verbose", faults[i]);
		write_file(path, "0");
		snprintf(path, sizeof(path), DEBUGFS "/%s/ignore-gfp-wait", faults[i]);
		ASSERT_EQ(0, write_file(path, "N"));
	}
	write_file(DEBUGFS "/fail_page_alloc/min-order", "0");
	/* Page faults of our own are not what should fail. */
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
	ASSERT_EQ(0, set_all_governors("ext"));
	write_file(CPUFREQ "/ext/sampling_rate", "20000");
	skel = stress__open_and_load();
	ASSERT_NE(NULL, skel);
}

FIXTURE_TEARDOWN(failing)
{
	bpf_link__destroy(governor);
	governor = NULL;
	stress__destroy(skel);
	set_all_governors("performance");
}

static void repeat(struct __test_metadata *_metadata, const struct operation *op)
{
	unsigned int nth, failed = 0;
	int ret;

	for (nth = 1; nth < MAX_NTH; nth++) {
		ASSERT_TRUE(wait_for(op->is_before())) TH_LOG("%s, before %u", op->name, nth);
		fail(nth);
		ret = op->make();
		if (!has_failed()) {
			EXPECT_EQ(0, ret);
			EXPECT_TRUE(wait_for(op->is_after()));
			op->undo();
			break;
		}
		if (!ret) {
			EXPECT_TRUE(wait_for(op->is_after())) TH_LOG("%s, %u", op->name, nth);
			op->undo();
			continue;
		}
		failed++;
		EXPECT_TRUE(wait_for(op->is_before()))
			TH_LOG("%s, allocation %u fails (%d): %s", op->name, nth, ret, read_stat());
	}
	EXPECT_GT(MAX_NTH, nth);
	EXPECT_LT(1, nth);
	TH_LOG("%s: %u allocations, %u of them needed", op->name, nth - 1, failed);
}

TEST_F_TIMEOUT(failing, load, 600)
{
	static const struct operation load = {
		"load", make_load, is_unloaded, is_low, undo_load
	};

	repeat(_metadata, &load);
}

TEST_F_TIMEOUT(failing, with_a_governor, 1200)
{
	static const struct operation operations[] = {
		{ "swap", make_swap, is_low, is_lower, undo_swap },
		{ "ondemand selected", make_away, is_ext_low, is_ondemand, undo_away },
		{ "limit", make_limit, is_unlimited, is_limited, undo_limit },
		{ "sampling_rate", make_rate, is_rate_before, is_rate_after, undo_rate },
		{ "stat", make_read, is_low, is_low, undo_nothing },
	};
	size_t i;

	governor = bpf_map__attach_struct_ops(skel->maps.low);
	ASSERT_NE(NULL, governor);
	for (i = 0; i < ARRAY_SIZE(operations); i++)
		repeat(_metadata, &operations[i]);
}

TEST_F_TIMEOUT(failing, ext_selected, 600)
{
	static const struct operation select = {
		"ext selected", make_ext, is_away, is_ext_low, undo_ext
	};

	governor = bpf_map__attach_struct_ops(skel->maps.low);
	ASSERT_NE(NULL, governor);
	ASSERT_EQ(0, write_governor("performance"));
	repeat(_metadata, &select);
}

/* And without any other policy that uses it: the folder ext is made anew. */
TEST_F_TIMEOUT(failing, ext_selected_first, 600)
{
	static const struct operation select = {
		"ext selected first", make_ext, is_away, is_ext_low, undo_ext
	};

	governor = bpf_map__attach_struct_ops(skel->maps.low);
	ASSERT_NE(NULL, governor);
	ASSERT_EQ(0, set_all_governors("performance"));
	nr_policies = 1;
	repeat(_metadata, &select);
	find_policies();
}

TEST_HARNESS_MAIN
