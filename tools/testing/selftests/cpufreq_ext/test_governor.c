// SPDX-License-Identifier: GPL-2.0-only
/*
 * The governor ext: registration of BPF governors, what happens to the policies
 * that they govern, and what a wrong governor gets.
 */
#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "kselftest_harness.h"
#include "util.h"
#include "probe.skel.h"
#include "compat.skel.h"
#include "kicker.skel.h"
#include "kicks.skel.h"
#include "preempt_fail.skel.h"
#include "writer_fail.skel.h"
#include "stash_fail.skel.h"
#include "foreign.skel.h"
#include "fault.skel.h"
#include "copy_fail.skel.h"

#define NAME_LEN	128

/* Layout of the ops in an object's section, with programs for functions */
struct ops {
	void *get_next_freq, *get_sampling_rate, *init, *exit, *start, *stop;
	void *limits, *store_setspeed;
	char name[NAME_LEN];
};

static char verifier_log[16384];

static int on_libbpf_message(enum libbpf_print_level level, const char *fmt,
			     va_list args)
{
	size_t len = strlen(verifier_log);

	vsnprintf(verifier_log + len, sizeof(verifier_log) - len, fmt, args);
	return 0;
}

static struct ops *map_ops(struct bpf_map *map)
{
	size_t size;

	return bpf_map__initial_value(map, &size);
}

static unsigned int min_freq(void)
{
	return freqs[0];
}

static unsigned int max_freq(void)
{
	return freqs[nr_freqs - 1];
}

/* A frequency of the table that is neither the lowest nor the highest */
static unsigned int mid_freq(void)
{
	return freqs[nr_freqs / 2];
}

/* One more than the number of the last possible CPU */
static unsigned int nr_cpu_ids(void)
{
	char text[256] = "", *last;

	read_file("/sys/devices/system/cpu/possible", text, sizeof(text));
	last = strpbrk(text, ",-") ? strrchr(text, '-') : text;
	if (!last || strrchr(text, ',') > last)
		last = strrchr(text, ',');
	return strtoul(last + (last != text), NULL, 10) + 1;
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

FIXTURE(ext)
{
	struct probe *probe;
	struct bpf_link *link;
	int policy;		/* the first one, and its first CPU */
	int cpu;
};

FIXTURE_SETUP(ext)
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
	self->probe = probe__open_and_load();
	ASSERT_NE(NULL, self->probe);
	self->probe->bss->want_freq = min_freq();
	ASSERT_TRUE(stat_is(STAT_INIT));
}

FIXTURE_TEARDOWN(ext)
{
	int i;

	busy_stop();
	bpf_link__destroy(self->link);
	probe__destroy(self->probe);
	for (i = 0; i < nr_policies; i++)
		EXPECT_TRUE(set_limits(policies[i], min_freq(), max_freq()));
	set_all_governors("performance");
}

static struct bpf_link *attach(struct bpf_map *map)
{
	return bpf_map__attach_struct_ops(map);
}

/* Attach, which must fail with @err and leave nothing registered. */
#define EXPECT_REFUSED(map, err) do {					\
	struct bpf_link *__link = attach(map);				\
									\
	EXPECT_EQ(NULL, __link);					\
	EXPECT_EQ(err, errno);						\
	bpf_link__destroy(__link);					\
	EXPECT_TRUE(stat_is(STAT_INIT)) TH_LOG("%s", read_stat());	\
	EXPECT_TRUE(all_at(max_freq()));				\
} while (0)

/*************************** rules of the product ***************************/

TEST_F(ext, performance_while_none_is_loaded)
{
	EXPECT_TRUE(all_at(max_freq()));

	ASSERT_EQ(0, write_policy_num(self->policy, "scaling_max_freq", mid_freq()));
	EXPECT_TRUE(wait_for(cur_freq(self->policy) == mid_freq()));
	ASSERT_EQ(0, write_policy_num(self->policy, "scaling_max_freq", max_freq()));
	EXPECT_TRUE(wait_for(cur_freq(self->policy) == max_freq()));
	EXPECT_TRUE(stat_is(STAT_INIT));
}

TEST_F(ext, loaded_and_unloaded)
{
	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	EXPECT_TRUE(stat_is(STAT_LOADED("probe"))) TH_LOG("%s", read_stat());
	EXPECT_TRUE(all_at(min_freq()));
	EXPECT_EQ(1, self->probe->bss->nr_init);
	EXPECT_EQ(nr_policies, self->probe->bss->nr_start);

	self->probe->bss->want_freq = mid_freq();
	busy_start(self->cpu);
	EXPECT_TRUE(wait_for(cur_freq(self->policy) == mid_freq()));

	ASSERT_EQ(0, bpf_link__destroy(self->link));
	self->link = NULL;
	EXPECT_TRUE(stat_is(STAT_INIT));
	EXPECT_TRUE(all_at(max_freq()));
	EXPECT_EQ(1, self->probe->bss->nr_exit);
	EXPECT_EQ(nr_policies, self->probe->bss->nr_stop);
	EXPECT_EQ(nr_policies, self->probe->bss->stops_at_exit);
	EXPECT_EQ(-ENODATA, self->probe->bss->load_in_stop);
}

TEST_F(ext, one_at_a_time)
{
	struct bpf_link *second;
	u_int32_t before;

	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	second = attach(self->probe->maps.other);
	EXPECT_EQ(NULL, second);
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, self->probe->bss->other_init);

	/* The first one is undisturbed. */
	EXPECT_TRUE(stat_is(STAT_LOADED("probe")));
	EXPECT_EQ(0, self->probe->bss->nr_stop);
	EXPECT_EQ(0, self->probe->bss->nr_exit);
	before = self->probe->bss->nr_next_cpu[self->policy];
	busy_start(self->cpu);
	EXPECT_TRUE(wait_for(self->probe->bss->nr_next_cpu[self->policy] > before + 1));
	EXPECT_EQ(min_freq(), cur_freq(self->policy));
}

TEST_F(ext, same_map_attached_twice)
{
	struct bpf_link *second;

	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	second = attach(self->probe->maps.probe);
	EXPECT_EQ(NULL, second);
	EXPECT_EQ(EBUSY, errno);
	EXPECT_TRUE(stat_is(STAT_LOADED("probe")));
	EXPECT_EQ(1, self->probe->bss->nr_init);
	EXPECT_EQ(0, self->probe->bss->nr_exit);
}

TEST_F(ext, needs_a_policy)
{
	ASSERT_EQ(0, set_all_governors("performance"));
	EXPECT_STREQ("", read_stat());
	self->link = attach(self->probe->maps.probe);
	EXPECT_EQ(NULL, self->link);
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(0, self->probe->bss->nr_init);
	ASSERT_EQ(0, set_all_governors("ext"));
	EXPECT_TRUE(stat_is(STAT_INIT));
}

/*************************** governors refused ******************************/

TEST_F(ext, no_get_next_freq)
{
	int kmsg = kmsg_open();
	struct probe *skel = probe__open();

	ASSERT_NE(NULL, skel);
	map_ops(skel->maps.probe)->get_next_freq = NULL;
	bpf_program__set_autoload(skel->progs.probe_next_freq, false);
	ASSERT_EQ(0, probe__load(skel));
	EXPECT_REFUSED(skel->maps.probe, EINVAL);
	EXPECT_TRUE(kmsg_has(kmsg, "no get_next_freq"));
	EXPECT_EQ(0, skel->bss->nr_init);
	probe__destroy(skel);
	close(kmsg);
}

static struct probe *load_named(const char *name, size_t len)
{
	struct probe *skel = probe__open();

	if (!skel)
		return NULL;
	memset(map_ops(skel->maps.probe)->name, 0, NAME_LEN);
	memcpy(map_ops(skel->maps.probe)->name, name, len);
	if (probe__load(skel)) {
		probe__destroy(skel);
		return NULL;
	}
	skel->bss->want_freq = min_freq();
	return skel;
}

TEST_F(ext, bad_names)
{
	static const struct { const char *name, *reason; } bad[] = {
		{ "", "empty" },
		{ "\x01vip", "printable" },
		{ "vip\n", "printable" },
		{ "vip\x7f", "printable" },
		{ "vip\xc3\xa9", "printable" },
		{ "\xa0", "printable" },
	};
	int kmsg = kmsg_open();
	char name[NAME_LEN];
	struct probe *skel;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		skel = load_named(bad[i].name, strlen(bad[i].name));
		ASSERT_NE(NULL, skel);
		EXPECT_REFUSED(skel->maps.probe, EINVAL);
		EXPECT_TRUE(kmsg_has(kmsg, bad[i].reason));
		probe__destroy(skel);
	}

	memset(name, 'n', sizeof(name));
	skel = load_named(name, NAME_LEN);
	ASSERT_NE(NULL, skel);
	EXPECT_REFUSED(skel->maps.probe, EINVAL);
	EXPECT_TRUE(kmsg_has(kmsg, "longer"));
	probe__destroy(skel);
	close(kmsg);
}

TEST_F(ext, name_is_shown_whole)
{
	char name[NAME_LEN], expected[256];
	struct probe *skel;
	int i;

	for (i = 0; i < NAME_LEN - 1; i++)
		name[i] = ' ' + 1 + i % 90;
	name[i] = '\0';
	skel = load_named(name, NAME_LEN - 1);
	ASSERT_NE(NULL, skel);
	self->link = attach(skel->maps.probe);
	ASSERT_NE(NULL, self->link);
	snprintf(expected, sizeof(expected),
		 "Stat: CPUFREQ_EXT_LOADED\nBPF governor: %s\n", name);
	EXPECT_STREQ(expected, read_stat());
	bpf_link__destroy(self->link);
	self->link = NULL;
	probe__destroy(skel);
}

TEST_F(ext, init_fails)
{
	static const struct { int ret, err; } cases[] = {
		{ -EPERM, EPERM }, { -ENOSPC, ENOSPC }, { 1, EINVAL },
		{ -512, EINVAL }, { -100000, EINVAL }, { INT_MAX, EINVAL },
		{ INT_MIN, EINVAL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		self->probe->bss->want_init = cases[i].ret;
		EXPECT_REFUSED(self->probe->maps.probe, cases[i].err);
	}
	EXPECT_EQ(ARRAY_SIZE(cases), self->probe->bss->nr_init);
	EXPECT_EQ(0, self->probe->bss->nr_start);
	EXPECT_EQ(0, self->probe->bss->nr_exit);

	self->probe->bss->want_init = 0;
	self->link = attach(self->probe->maps.probe);
	EXPECT_NE(NULL, self->link);
}

TEST_F(ext, start_fails)
{
	int nth, i;

	for (nth = 1; nth <= nr_policies; nth++) {
		self->probe->bss->nr_start = 0;
		self->probe->bss->nr_stop = 0;
		self->probe->bss->nr_exit = 0;
		self->probe->data->want_start_nth = nth;
		self->probe->bss->want_start = nth % 2 ? -ENOSPC : 7;
		EXPECT_REFUSED(self->probe->maps.probe, nth % 2 ? ENOSPC : EINVAL);
		/* Those before it are stopped again. */
		EXPECT_EQ(nth, self->probe->bss->nr_start);
		EXPECT_EQ(nth - 1, self->probe->bss->nr_stop);
		EXPECT_EQ(1, self->probe->bss->nr_exit);
		EXPECT_EQ(nth - 1, self->probe->bss->stops_at_exit);
		for (i = 0; i < nr_policies; i++)
			EXPECT_EQ(0, self->probe->bss->active[policies[i]]);
	}
	EXPECT_EQ(0, self->probe->bss->nr_next);
}

TEST_F(ext, start_fails_with_stop_and_exit_left_out)
{
	struct probe *skel = probe__open();

	ASSERT_NE(NULL, skel);
	map_ops(skel->maps.probe)->stop = NULL;
	map_ops(skel->maps.probe)->exit = NULL;
	bpf_program__set_autoload(skel->progs.probe_stop, false);
	bpf_program__set_autoload(skel->progs.probe_exit, false);
	ASSERT_EQ(0, probe__load(skel));
	skel->data->want_start_nth = nr_policies;
	skel->bss->want_start = -ENOSPC;
	EXPECT_REFUSED(skel->maps.probe, ENOSPC);
	EXPECT_EQ(nr_policies, skel->bss->nr_start);
	probe__destroy(skel);
}

TEST_F(ext, start_fails_later)
{
	int kmsg = kmsg_open();

	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	ASSERT_EQ(0, set_governor(self->policy, "performance"));

	/* That policy alone falls back, and it keeps its governor. */
	self->probe->bss->want_start = -EIO;
	self->probe->data->want_start_nth = self->probe->bss->nr_start + 1;
	ASSERT_EQ(0, set_governor(self->policy, "ext"));
	EXPECT_STREQ("ext", read_policy(self->policy, "scaling_governor"));
	EXPECT_EQ(max_freq(), cur_freq(self->policy));
	EXPECT_EQ(0, self->probe->bss->active[self->policy]);
	EXPECT_TRUE(stat_is(STAT_LOADED("probe")));
	EXPECT_TRUE(kmsg_has(kmsg, "start of BPF governor probe failed"));
	close(kmsg);

	/* The next start is another try. */
	ASSERT_EQ(0, set_governor(self->policy, "performance"));
	EXPECT_EQ(0, self->probe->bss->active[self->policy]);
	ASSERT_EQ(0, set_governor(self->policy, "ext"));
	EXPECT_EQ(1, self->probe->bss->active[self->policy]);
	EXPECT_EQ(min_freq(), cur_freq(self->policy));
}

TEST_F(ext, start_fails_after_hotplug)
{
	int cpus[MAX_POLICIES], n;
	u_int32_t before;

	n = policy_cpus(self->policy, cpus, MAX_POLICIES);
	if (n < 2)
		SKIP(return, "no policy with several CPUs");

	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	self->probe->bss->want_start = -EIO;
	self->probe->data->want_start_nth = self->probe->bss->nr_start + 1;
	if (set_online(cpus[n - 1], false))
		SKIP(return, "CPU %d cannot be taken off", cpus[n - 1]);

	/* The governor that was stopped is not asked again. */
	EXPECT_EQ(0, self->probe->bss->active[self->policy]);
	EXPECT_EQ(max_freq(), cur_freq(self->policy));
	before = self->probe->bss->nr_next_cpu[self->policy];
	busy_start(self->cpu);
	sleep_ms(200);
	EXPECT_EQ(before, self->probe->bss->nr_next_cpu[self->policy]);
	EXPECT_EQ(max_freq(), cur_freq(self->policy));

	EXPECT_EQ(0, set_online(cpus[n - 1], true));
	EXPECT_EQ(1, self->probe->bss->active[self->policy]);
	EXPECT_EQ(min_freq(), cur_freq(self->policy));
}

/* Its number stays when the first CPU goes. */
TEST_F(ext, messages_have_the_name_of_the_policy)
{
	int policy = policies[nr_policies - 1];
	int cpus[MAX_POLICIES];
	int kmsg = kmsg_open();
	char text[128];

	if (policy_cpus(policy, cpus, MAX_POLICIES) < 2 || !cpus[0])
		SKIP(return, "no policy with several CPUs besides the first one");

	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	self->probe->bss->want_start = -EIO;
	self->probe->data->want_start_nth = self->probe->bss->nr_start + 1;
	if (set_online(cpus[0], false))
		SKIP(return, "CPU %d cannot be taken off", cpus[0]);
	snprintf(text, sizeof(text), " policy%d: start of BPF governor probe failed", policy);
	EXPECT_TRUE(kmsg_has(kmsg, text));
	EXPECT_EQ(0, set_online(cpus[0], true));
	close(kmsg);
}

TEST_F(ext, disabled_preemption_is_refused)
{
	struct preempt_fail *skel = preempt_fail__open();

	ASSERT_NE(NULL, skel);
	bpf_map__set_autocreate(skel->maps.locked, false);
	EXPECT_EQ(-EACCES, preempt_fail__load(skel));
	preempt_fail__destroy(skel);
}

/* What it queued after its irq_works would be waited for without end. */
TEST_F_TIMEOUT(ext, kicks_of_a_cpu_that_goes_offline, 120)
{
	struct kicker *skel = kicker__open_and_load();
	int i, last = sysconf(_SC_NPROCESSORS_CONF) - 1;

	ASSERT_NE(NULL, skel);
	if (!last || set_online(last, true)) {
		kicker__destroy(skel);
		SKIP(return, "no CPU that can be taken off");
	}
	ASSERT_EQ(0, kicker__attach(skel));
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(0, set_online(last, false));
		EXPECT_EQ(0, set_governor(policies[0], "performance"));
		EXPECT_EQ(0, set_governor(policies[0], "ext"));
		EXPECT_EQ(0, set_online(last, true));
	}
	EXPECT_EQ(10, skel->bss->nr_kicks);
	EXPECT_EQ(10, skel->bss->nr_refused);
	kicker__destroy(skel);
}

TEST_F(ext, disabled_interrupts_are_refused)
{
	struct preempt_fail *skel = preempt_fail__open();

	ASSERT_NE(NULL, skel);
	bpf_map__set_autocreate(skel->maps.preempt, false);
	verifier_log[0] = '\0';
	EXPECT_EQ(-EINVAL, preempt_fail__load(skel));
	EXPECT_NE(NULL, strstr(verifier_log, "bpf_spin_lock"))
		TH_LOG("%s", verifier_log);
	preempt_fail__destroy(skel);
}

TEST_F(ext, write_to_policy_is_refused)
{
	struct writer_fail *skel = writer_fail__open();

	ASSERT_NE(NULL, skel);
	verifier_log[0] = '\0';
	EXPECT_EQ(-EACCES, writer_fail__load(skel));
	EXPECT_NE(NULL, strstr(verifier_log, "only read is supported"))
		TH_LOG("%s", verifier_log);
	writer_fail__destroy(skel);
}

TEST_F(ext, waiting_for_user_memory_is_refused)
{
	struct copy_fail *skel = copy_fail__open();

	ASSERT_NE(NULL, skel);
	verifier_log[0] = '\0';
	EXPECT_EQ(-EINVAL, copy_fail__load(skel));
	EXPECT_NE(NULL, strstr(verifier_log, "copy_from_user"))
		TH_LOG("%s", verifier_log);
	copy_fail__destroy(skel);
}

TEST_F(ext, page_faults_fail)
{
	struct fault *skel;
	size_t i;
	char *p;

	p = mmap(NULL, 5 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	skel = fault__open();
	ASSERT_NE(NULL, skel);
	skel->bss->pages = (unsigned long)p;
	if (fault__load(skel)) {
		fault__destroy(skel);
		SKIP(return, "no bpf_copy_from_user_str in this kernel");
	}
	self->link = attach(skel->maps.fault_ops);
	ASSERT_NE(NULL, self->link);
	EXPECT_EQ(0, bpf_link__destroy(self->link));
	self->link = NULL;
	for (i = 0; i < ARRAY_SIZE(skel->data->results); i++)
		EXPECT_EQ(-EFAULT, skel->data->results[i]) TH_LOG("operation %zu", i);
	fault__destroy(skel);
	munmap(p, 5 * 4096);
}

TEST_F(ext, untrusted_policy_is_refused)
{
	struct stash_fail *skel;
	struct bpf_map *map;
	int kfuncs, i, nth;

	/* One governor after the other, each with another kfunc */
	for (kfuncs = 1, i = 0; i < kfuncs; i++) {
		skel = stash_fail__open();
		ASSERT_NE(NULL, skel);
		nth = 0;
		bpf_object__for_each_map(map, skel->obj)
			if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
				bpf_map__set_autocreate(map, nth++ == i);
		kfuncs = nth;
		verifier_log[0] = '\0';
		EXPECT_NE(0, stash_fail__load(skel)) TH_LOG("kfunc %d", i);
		EXPECT_NE(NULL, strstr(verifier_log, "must be referenced or trusted"))
			TH_LOG("kfunc %d: %s", i, verifier_log);
		stash_fail__destroy(skel);
	}
	EXPECT_LT(1, kfuncs);
}

/*************************** values that it returns *************************/

/* Let the governor want @want and return what the policy then gets. */
static unsigned int freq_for(struct probe *probe, unsigned long want)
{
	u_int32_t before;

	probe->bss->want_freq = want;
	before = probe->bss->nr_next_cpu[policies[0]];
	if (!wait_for(probe->bss->nr_next_cpu[policies[0]] >= before + 2))
		return 0;
	return cur_freq(policies[0]);
}

TEST_F(ext, frequencies)
{
	unsigned int low = freqs[1], high = freqs[nr_freqs - 2];

	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	busy_start(self->cpu);
	ASSERT_TRUE(set_limits(self->policy, low, high));

	EXPECT_EQ(high, freq_for(self->probe, high));
	EXPECT_EQ(high, freq_for(self->probe, 0));
	EXPECT_EQ(low, freq_for(self->probe, 1));
	EXPECT_EQ(low, freq_for(self->probe, 0));
	EXPECT_EQ(high, freq_for(self->probe, max_freq()));
	EXPECT_EQ(low, freq_for(self->probe, min_freq()));
	EXPECT_EQ(high, freq_for(self->probe, ~0UL));
	EXPECT_EQ(low, freq_for(self->probe, low));
	EXPECT_EQ(high, freq_for(self->probe, 1UL << 31));
#if __SIZEOF_LONG__ == 8
	EXPECT_EQ(low, freq_for(self->probe, low));
	/* Not the low frequency that is left of it in 32 bits */
	EXPECT_EQ(high, freq_for(self->probe, (1UL << 32) + low));
	EXPECT_EQ(low, freq_for(self->probe, low));
	EXPECT_EQ(high, freq_for(self->probe, 1UL << 63));
#endif
}

TEST_F(ext, between_two_frequencies)
{
	int i;

	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	busy_start(self->cpu);
	for (i = 1; i < nr_freqs; i++) {
		EXPECT_EQ(freqs[i], freq_for(self->probe, freqs[i] - 1));
		EXPECT_EQ(freqs[i], freq_for(self->probe, freqs[i - 1] + 1));
		EXPECT_EQ(freqs[i - 1], freq_for(self->probe, freqs[i - 1]));
	}
	/* 1.7 GHz with 1.4 and 1.8 in the table: the higher one */
	for (i = 1; i < nr_freqs; i++)
		if (freqs[i - 1] == 1400000 && freqs[i] == 1800000)
			EXPECT_EQ(1800000, freq_for(self->probe, 1700000));
}

/* The shortest sampling period: two ticks; what follows is for drivers like ours. */
static u_int64_t min_period_us(void)
{
	struct timespec tick;

	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	return 2 * tick.tv_nsec / 1000;
}

static u_int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

/* A decision runs in a worker, up to this time after its sample. */
#define LATE_US		10000

/* Time between two decisions, the first of them after the rate is in force */
static u_int64_t gap_us(struct probe *probe, int decisions)
{
	u_int32_t before = probe->bss->nr_next_cpu[policies[0]];
	int ms;

	for (ms = 0; ms < 12000; ms += 10) {
		if (probe->bss->nr_next_cpu[policies[0]] >= before + decisions)
			return probe->bss->gap_ns[policies[0]] / 1000;
		sleep_ms(10);
	}
	return 0;
}

/* A host that stalls makes one gap longer and the next one shorter. */
static bool gap_is(struct probe *probe, u_int64_t rate_us, u_int64_t max_us)
{
	u_int64_t us;
	int i;

	for (i = 0; i < 5; i++) {
		us = gap_us(probe, i ? 1 : 3);
		if (us >= rate_us - LATE_US && us < max_us)
			return true;
		printf("# a gap of %llu us instead of %llu\n",
		       (unsigned long long)us, (unsigned long long)rate_us);
	}
	return false;
}

TEST_F_TIMEOUT(ext, sampling_rates, 120)
{
	u_int64_t us, n;

	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	/* No work, which would be left alone for too long in the end */
	wake_ms = 4;
	wake_start(self->cpu);

	/* 0: the tunable */
	ASSERT_EQ(0, write_file(CPUFREQ "/ext/sampling_rate", "500000"));
	self->probe->bss->want_rate_us = 0;
	EXPECT_TRUE(gap_is(self->probe, 500000, 1000000));

	/* 1: raised to the least that is allowed, which is two ticks */
	self->probe->bss->want_rate_us = 1;
	gap_us(self->probe, 3);
	n = self->probe->bss->nr_next_cpu[policies[0]];
	us = now_us();
	sleep_ms(2000);
	n = self->probe->bss->nr_next_cpu[policies[0]] - n;
	us = now_us() - us;
	EXPECT_GE(us / min_period_us() + 2, n);
	EXPECT_LE(us / 250000, n);

	/* as it is */
	self->probe->bss->want_rate_us = 200000;
	EXPECT_TRUE(gap_is(self->probe, 200000, 450000));

	/* too long: 4 s */
	self->probe->bss->want_rate_us = ~0U;
	EXPECT_TRUE(gap_is(self->probe, 4000000, 5000000));
	EXPECT_TRUE(stat_is(STAT_LOADED("probe"))) TH_LOG("%s", read_stat());
}

TEST_F(ext, tunables)
{
	static const char * const files[] = {
		CPUFREQ "/ext/ignore_nice_load", CPUFREQ "/ext/io_is_busy",
	};
	char text[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		EXPECT_EQ(0, write_file(files[i], "1"));
		ASSERT_EQ(0, read_file(files[i], text, sizeof(text)));
		EXPECT_STREQ("1\n", text);
		EXPECT_EQ(-EINVAL, write_file(files[i], "maybe"));
		EXPECT_EQ(0, write_file(files[i], "0"));
		ASSERT_EQ(0, read_file(files[i], text, sizeof(text)));
		EXPECT_STREQ("0\n", text);
	}
	EXPECT_EQ(0, write_file(CPUFREQ "/ext/sampling_rate", "4000000"));
	EXPECT_EQ(-EINVAL, write_file(CPUFREQ "/ext/sampling_rate", "4000001"));
	EXPECT_EQ(-EINVAL, write_file(CPUFREQ "/ext/sampling_rate", "0"));
	EXPECT_EQ(-EINVAL, write_file(CPUFREQ "/ext/sampling_rate", "-1"));
	EXPECT_EQ(-EINVAL, write_file(CPUFREQ "/ext/sampling_rate", "fast"));
	EXPECT_EQ(-EINVAL, write_file(CPUFREQ "/ext/sampling_rate", "20000us"));
	/* 20000 is left of it in 32 bits. */
	EXPECT_EQ(-EINVAL, write_file(CPUFREQ "/ext/sampling_rate", "4294987296"));
	ASSERT_EQ(0, read_file(CPUFREQ "/ext/sampling_rate", text, sizeof(text)));
	EXPECT_STREQ("4000000\n", text);
}

TEST_F(ext, optional_operations)
{
	self->link = attach(self->probe->maps.bare);
	ASSERT_NE(NULL, self->link);
	EXPECT_TRUE(stat_is(STAT_LOADED("bare")));
	EXPECT_TRUE(all_at(min_freq()));

	ASSERT_EQ(0, set_governor(self->policy, "performance"));
	ASSERT_EQ(0, set_governor(self->policy, "ext"));
	EXPECT_EQ(min_freq(), cur_freq(self->policy));
	ASSERT_EQ(0, write_policy_num(self->policy, "scaling_min_freq", mid_freq()));
	EXPECT_TRUE(wait_for(cur_freq(self->policy) == mid_freq()));
	write_policy_num(self->policy, "scaling_setspeed", mid_freq());
	EXPECT_STREQ("<unsupported>", read_policy(self->policy, "scaling_setspeed"));

	ASSERT_EQ(0, bpf_link__destroy(self->link));
	self->link = NULL;
	EXPECT_TRUE(stat_is(STAT_INIT));
}

TEST_F(ext, sleepable_object_of_the_first_proposal)
{
	struct compat *skel = compat__open_and_load();

	ASSERT_NE(NULL, skel);
	self->link = attach(skel->maps.compat);
	ASSERT_NE(NULL, self->link);
	EXPECT_TRUE(stat_is(STAT_LOADED("VIP")));
	EXPECT_TRUE(all_at(min_freq()));
	busy_start(self->cpu);
	EXPECT_TRUE(wait_for(skel->bss->nr_next > nr_policies + 3));
	EXPECT_LT(3, skel->bss->nr_rate);
	EXPECT_EQ(1, skel->bss->nr_init);
	EXPECT_EQ(nr_policies, skel->bss->nr_start);
	bpf_link__destroy(self->link);
	self->link = NULL;
	EXPECT_EQ(1, skel->bss->nr_exit);
	EXPECT_TRUE(all_at(max_freq()));
	compat__destroy(skel);
}

/*************************** policies come and go ***************************/

TEST_F(ext, killed_loader)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct probe *skel = probe__open_and_load();

		if (!skel)
			_exit(1);
		skel->bss->want_freq = min_freq();
		if (!attach(skel->maps.probe) || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(1);
	}
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_TRUE(stat_is(STAT_LOADED("probe")));
	EXPECT_TRUE(all_at(min_freq()));

	/* Another one is refused while it lives, and not touched by its death. */
	EXPECT_EQ(NULL, attach(self->probe->maps.other));
	EXPECT_EQ(EBUSY, errno);

	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(stat_is(STAT_INIT));
	EXPECT_TRUE(all_at(max_freq()));

	self->link = attach(self->probe->maps.other);
	EXPECT_NE(NULL, self->link);
	close(ready[0]);
	close(ready[1]);
}

TEST_F(ext, all_policies_away)
{
	u_int32_t starts;

	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	starts = self->probe->bss->nr_start;

	ASSERT_EQ(0, set_all_governors("powersave"));
	EXPECT_STREQ("", read_stat());
	EXPECT_EQ(starts, self->probe->bss->nr_stop);
	EXPECT_EQ(0, self->probe->bss->nr_exit);
	EXPECT_EQ(NULL, attach(self->probe->maps.other));
	EXPECT_EQ(EBUSY, errno);

	self->probe->bss->want_freq = mid_freq();
	ASSERT_EQ(0, set_all_governors("ext"));
	EXPECT_TRUE(stat_is(STAT_LOADED("probe")));
	EXPECT_EQ(2 * starts, self->probe->bss->nr_start);
	EXPECT_EQ(1, self->probe->bss->nr_init);
	EXPECT_TRUE(all_at(mid_freq()));

	ASSERT_EQ(0, set_all_governors("powersave"));
	ASSERT_EQ(0, bpf_link__destroy(self->link));
	self->link = NULL;
	EXPECT_EQ(1, self->probe->bss->nr_exit);
	EXPECT_EQ(self->probe->bss->nr_start, self->probe->bss->nr_stop);
	ASSERT_EQ(0, set_all_governors("ext"));
	EXPECT_TRUE(stat_is(STAT_INIT));
	EXPECT_TRUE(all_at(max_freq()));
}

TEST_F(ext, one_policy_away_and_back)
{
	u_int32_t before;

	if (nr_policies < 2)
		SKIP(return, "only one policy");

	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	ASSERT_EQ(0, set_governor(self->policy, "performance"));
	EXPECT_EQ(max_freq(), cur_freq(self->policy));
	EXPECT_EQ(1, self->probe->bss->nr_stop);
	EXPECT_EQ(0, self->probe->bss->active[self->policy]);
	EXPECT_TRUE(stat_is(STAT_LOADED("probe")));

	/* No decision for a policy that left */
	before = self->probe->bss->nr_next_cpu[self->policy];
	busy_start(self->cpu);
	sleep_ms(200);
	EXPECT_EQ(before, self->probe->bss->nr_next_cpu[self->policy]);
	EXPECT_EQ(min_freq(), cur_freq(policies[1]));

	ASSERT_EQ(0, set_governor(self->policy, "ext"));
	EXPECT_EQ(1, self->probe->bss->active[self->policy]);
	EXPECT_EQ(min_freq(), cur_freq(self->policy));
}

TEST_F(ext, last_policy_only)
{
	int last = policies[nr_policies - 1], cpus[MAX_POLICIES], n, i;

	if (nr_policies < 2)
		SKIP(return, "only one policy");

	ASSERT_EQ(0, set_all_governors("performance"));
	ASSERT_EQ(0, set_governor(last, "ext"));
	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	EXPECT_TRUE(stat_is(STAT_LOADED("probe")));
	EXPECT_EQ(1, self->probe->bss->nr_start);
	EXPECT_EQ(min_freq(), cur_freq(last));
	EXPECT_EQ(max_freq(), cur_freq(self->policy));

	n = policy_cpus(last, cpus, MAX_POLICIES);
	for (i = 0; i < n; i++)
		if (set_online(cpus[i], false))
			SKIP(return, "CPU %d cannot be taken off", cpus[i]);
	EXPECT_EQ(0, self->probe->bss->active[last]);
	EXPECT_STREQ("", read_stat());
	for (i = 0; i < n; i++)
		EXPECT_EQ(0, set_online(cpus[i], true));
	EXPECT_STREQ("ext", read_policy(last, "scaling_governor"));
	EXPECT_TRUE(stat_is(STAT_LOADED("probe")));
	EXPECT_EQ(1, self->probe->bss->active[last]);
	EXPECT_EQ(min_freq(), cur_freq(last));
	EXPECT_EQ(self->probe->bss->nr_start, self->probe->bss->nr_stop + 1);
}

TEST_F(ext, hotplug_of_shared_policy)
{
	int cpus[MAX_POLICIES], n;

	n = policy_cpus(self->policy, cpus, MAX_POLICIES);
	if (n < 2)
		SKIP(return, "no policy with several CPUs");

	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	self->probe->bss->want_has_cpu = cpus[n - 1];
	self->probe->data->only_cpu = self->policy;
	ASSERT_EQ(0, set_online(cpus[n - 1], false));
	EXPECT_EQ(1, self->probe->bss->active[self->policy]);
	EXPECT_EQ(0, self->probe->bss->has_cpu);
	EXPECT_EQ(min_freq(), cur_freq(self->policy));
	ASSERT_EQ(0, set_online(cpus[n - 1], true));
	EXPECT_EQ(1, self->probe->bss->active[self->policy]);
	EXPECT_EQ(1, self->probe->bss->has_cpu);
	EXPECT_EQ(min_freq(), cur_freq(self->policy));
}

TEST_F(ext, limits_work_after_ext)
{
	static const char * const governors[] = { "performance", "powersave" };
	unsigned int low = freqs[1], high = freqs[nr_freqs - 2];
	size_t i;

	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	bpf_link__destroy(self->link);
	self->link = NULL;

	for (i = 0; i < ARRAY_SIZE(governors); i++) {
		ASSERT_EQ(0, set_governor(self->policy, governors[i]));
		EXPECT_TRUE(set_limits(self->policy, low, high));
		EXPECT_TRUE(wait_for(cur_freq(self->policy) == (i ? low : high)));
		EXPECT_TRUE(set_limits(self->policy, min_freq(), max_freq()));
		EXPECT_TRUE(wait_for(cur_freq(self->policy) ==
				     (i ? min_freq() : max_freq())));
	}
}

TEST_F(ext, limits_are_told_and_followed)
{
	u_int32_t before;

	self->probe->links.after_limits =
		bpf_program__attach(self->probe->progs.after_limits);
	ASSERT_NE(NULL, self->probe->links.after_limits);
	self->probe->data->only_cpu = self->policy;
	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	self->probe->bss->want_freq = ~0UL;
	before = self->probe->bss->nr_limits;
	ASSERT_EQ(0, write_policy_num(self->policy, "scaling_max_freq", mid_freq()));
	EXPECT_TRUE(wait_for(self->probe->bss->nr_limits > before));
	EXPECT_TRUE(wait_for(cur_freq(self->policy) == mid_freq()));
	ASSERT_EQ(0, write_policy_num(self->policy, "scaling_max_freq", max_freq()));
	EXPECT_TRUE(wait_for(cur_freq(self->policy) == max_freq()));
	/* The decision is part of it, not left to the next sample. */
	EXPECT_LT(0, self->probe->bss->nr_limits_decided);
	EXPECT_EQ(0, self->probe->bss->nr_limits_undecided);
}

TEST_F(ext, setspeed)
{
	unsigned int before, after;
	u_int32_t decisions, writes;
	int tries = 0;

	/* Nobody to take it */
	write_policy_num(self->policy, "scaling_setspeed", mid_freq());
	EXPECT_TRUE(all_at(max_freq()));
	/* No samples in this test */
	self->probe->bss->want_rate_us = 4000000;
	EXPECT_STREQ("<unsupported>", read_policy(self->policy, "scaling_setspeed"));
	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	EXPECT_EQ(min_freq(), read_policy_num(self->policy, "scaling_setspeed"));
	ASSERT_EQ(0, write_policy_num(self->policy, "scaling_setspeed", mid_freq()));
	EXPECT_EQ(1, self->probe->bss->nr_setspeed);
	EXPECT_EQ(mid_freq(), self->probe->bss->last_setspeed);
	EXPECT_EQ(mid_freq(), cur_freq(self->policy));
	EXPECT_EQ(mid_freq(), read_policy_num(self->policy, "scaling_setspeed"));

	EXPECT_EQ(0, self->probe->bss->kick_in_setspeed);
	sleep_ms(100);

	/* No decision when it is refused; a sample between may be, but not two. */
	self->probe->data->only_cpu = self->policy;
	self->probe->bss->want_setspeed = -EINVAL;
	do {
		decisions = self->probe->bss->nr_next_cpu[self->policy];
		writes = self->probe->bss->nr_setspeed;
		before = cur_freq(self->policy);
		self->probe->bss->want_freq = before == mid_freq() ? max_freq() : mid_freq();
		write_policy_num(self->policy, "scaling_setspeed", max_freq());
		EXPECT_EQ(writes + 1, self->probe->bss->nr_setspeed);
		after = cur_freq(self->policy);
	} while (decisions != self->probe->bss->nr_next_cpu[self->policy] && ++tries < 2);
	EXPECT_EQ(decisions, self->probe->bss->nr_next_cpu[self->policy]);
	EXPECT_EQ(before, after);
}

/*************************** update of a link *******************************/

TEST_F(ext, update)
{
	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	self->probe->bss->other_freq = mid_freq();
	ASSERT_EQ(0, bpf_link__update_map(self->link, self->probe->maps.other));
	EXPECT_TRUE(stat_is(STAT_LOADED("other")));
	EXPECT_TRUE(all_at(mid_freq()));
	EXPECT_EQ(1, self->probe->bss->nr_exit);
	EXPECT_EQ(nr_policies, self->probe->bss->nr_stop);
	EXPECT_EQ(nr_policies, self->probe->bss->stops_at_exit);
	EXPECT_EQ(1, self->probe->bss->other_init);
	EXPECT_EQ(nr_policies, self->probe->bss->other_nstart);
	EXPECT_EQ(0, self->probe->bss->other_nstop);

	/* and back again */
	ASSERT_EQ(0, bpf_link__update_map(self->link, self->probe->maps.probe));
	EXPECT_TRUE(stat_is(STAT_LOADED("probe")));
	EXPECT_EQ(1, self->probe->bss->other_exit);
	EXPECT_EQ(nr_policies, self->probe->bss->other_nstop);
	EXPECT_TRUE(all_at(min_freq()));
}

TEST_F(ext, update_that_fails)
{
	int nth;

	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	for (nth = 1; nth <= nr_policies; nth++) {
		self->probe->bss->other_nstart = 0;
		self->probe->bss->other_nstop = 0;
		self->probe->data->want_start_nth = nth;
		self->probe->bss->other_start = -ENOSPC;
		EXPECT_EQ(-ENOSPC, bpf_link__update_map(self->link, self->probe->maps.other));
		EXPECT_TRUE(stat_is(STAT_LOADED("probe")));
		EXPECT_EQ(nth - 1, self->probe->bss->other_nstop);
		EXPECT_EQ(nth, self->probe->bss->other_exit);
	}
	EXPECT_EQ(0, self->probe->bss->nr_stop);
	EXPECT_EQ(0, self->probe->bss->nr_exit);
	EXPECT_EQ(0, self->probe->bss->other_next);
	EXPECT_TRUE(all_at(min_freq()));
}

TEST_F(ext, update_with_itself)
{
	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	EXPECT_EQ(0, bpf_link__update_map(self->link, self->probe->maps.probe));
	EXPECT_EQ(1, self->probe->bss->nr_init);
	EXPECT_EQ(0, self->probe->bss->nr_exit);
	EXPECT_EQ(0, self->probe->bss->nr_stop);
	EXPECT_TRUE(stat_is(STAT_LOADED("probe")));
}

TEST_F(ext, detached_link)
{
	struct bpf_link *second;

	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	ASSERT_EQ(0, bpf_link__detach(self->link));
	EXPECT_TRUE(stat_is(STAT_INIT));
	EXPECT_EQ(1, self->probe->bss->nr_exit);
	EXPECT_EQ(0, bpf_link__detach(self->link));
	EXPECT_EQ(-ENOLINK, bpf_link__update_map(self->link, self->probe->maps.other));

	/* The same map again; the old link's end does not touch it. */
	second = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, second);
	bpf_link__destroy(self->link);
	self->link = second;
	EXPECT_TRUE(stat_is(STAT_LOADED("probe")));
	EXPECT_EQ(1, self->probe->bss->nr_exit);
}

/*************************** kfuncs *****************************************/

static int kick(struct probe *probe, unsigned int cpu)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	probe->bss->kick_cpu = cpu;
	if (bpf_prog_test_run_opts(bpf_program__fd(probe->progs.kick), &opts))
		return -1;
	return opts.retval;
}

TEST_F(ext, load_kfunc)
{
	self->probe->data->only_cpu = self->policy;
	self->probe->bss->want_loads = 2;
	self->probe->bss->want_rate_us = 100000;
	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	EXPECT_EQ(-ENODATA, self->probe->bss->load_in_start);

	busy_start(self->cpu);
	EXPECT_TRUE(wait_for(self->probe->bss->load >= 90 &&
			     self->probe->bss->sample_load >= 90));
	EXPECT_GE(100, self->probe->bss->load);
	EXPECT_EQ(self->probe->bss->load, self->probe->bss->load_again);
	EXPECT_EQ(self->probe->bss->load, self->probe->bss->sample_load);
	busy_stop();
	EXPECT_TRUE(wait_for(self->probe->bss->load <= 50));
	EXPECT_LE(0, self->probe->bss->load);
}

TEST_F(ext, idle_periods_kfunc)
{
	self->probe->data->only_cpu = self->policy;
	self->probe->bss->want_loads = 2;
	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	busy_start(self->cpu);
	EXPECT_TRUE(wait_for(self->probe->bss->load >= 90));
	busy_stop();

	/* What wakes the CPU up next is a decision after idleness. */
	self->probe->bss->most_idle_periods = 0;
	sleep_ms(500);
	busy_start(self->cpu);
	EXPECT_TRUE(wait_for(self->probe->bss->most_idle_periods >= 2));
	EXPECT_GT(50, self->probe->bss->most_idle_load);
	EXPECT_LE(0, self->probe->bss->most_idle_load);
}

TEST_F(ext, times_kfuncs)
{
	u_int64_t wall, idle, wall_spent, idle_spent;

	ASSERT_EQ(0, write_file(CPUFREQ "/ext/sampling_rate", "123456"));
	self->probe->data->only_cpu = self->policy;
	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	EXPECT_EQ(123456, self->probe->bss->sampling_rate);
	EXPECT_EQ(-EINVAL, self->probe->bss->idle_other);

	/* A busy CPU: time goes on, and its idle time does not. */
	busy_start(self->cpu);
	freq_for(self->probe, min_freq());
	wall = self->probe->bss->wall_us;
	idle = self->probe->bss->idle_us;
	sleep_ms(1000);
	freq_for(self->probe, min_freq());
	wall_spent = self->probe->bss->wall_us - wall;
	idle_spent = self->probe->bss->idle_us - idle;
	EXPECT_LE(900000, wall_spent);
	EXPECT_GT(wall_spent / 4, idle_spent);

	/* An idle one: both go on. */
	busy_stop();
	ASSERT_EQ(0, kick(self->probe, self->cpu));
	sleep_ms(100);
	wall = self->probe->bss->wall_us;
	idle = self->probe->bss->idle_us;
	sleep_ms(1000);
	ASSERT_EQ(0, kick(self->probe, self->cpu));
	sleep_ms(100);
	wall_spent = self->probe->bss->wall_us - wall;
	idle_spent = self->probe->bss->idle_us - idle;
	EXPECT_LE(wall_spent / 4 * 3, idle_spent);
}

static void *nice_busy_loop(void *cpu)
{
	setpriority(PRIO_PROCESS, gettid(), 10);
	return busy_loop(cpu);
}

TEST_F(ext, niced_load)
{
	const char *file = CPUFREQ "/ext/ignore_nice_load";
	int i, least = 100;

	self->probe->data->only_cpu = self->policy;
	self->probe->bss->want_loads = 1;
	self->probe->bss->want_rate_us = 100000;
	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);

	ASSERT_EQ(0, write_file(file, "0"));
	busy_done = false;
	ASSERT_EQ(0, pthread_create(&busy_threads[nr_busy++], NULL, nice_busy_loop,
				    (void *)(long)self->cpu));
	EXPECT_TRUE(wait_for(self->probe->bss->load >= 90));
	ASSERT_EQ(0, write_file(file, "1"));
	EXPECT_TRUE(wait_for(self->probe->bss->load <= 50));
	ASSERT_EQ(0, write_file(file, "0"));
	EXPECT_TRUE(wait_for(self->probe->bss->load >= 90));
	sleep_ms(1000);
	busy_stop();

	/* Niced time from before the tunable was set does not count. */
	busy_start(self->cpu);
	sleep_ms(300);
	EXPECT_TRUE(wait_for(self->probe->bss->load >= 90));
	ASSERT_EQ(0, write_file(file, "1"));
	for (i = 0; i < 60; i++) {
		sleep_ms(10);
		if (self->probe->bss->load < least)
			least = self->probe->bss->load;
	}
	EXPECT_LE(50, least);
	ASSERT_EQ(0, write_file(file, "0"));
}

TEST_F(ext, load_is_computed_when_asked)
{
	u_int32_t decisions, computed;

	self->probe->links.count_dbs_update =
		bpf_program__attach(self->probe->progs.count_dbs_update);
	if (!self->probe->links.count_dbs_update)
		SKIP(return, "no fentry on dbs_update");
	self->probe->data->only_cpu = self->policy;
	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	busy_start(self->cpu);

	EXPECT_TRUE(wait_for(self->probe->bss->nr_next_cpu[self->policy] >= 10));
	EXPECT_EQ(0, self->probe->bss->nr_dbs_update);

	/* Asked twice a decision, computed once. */
	self->probe->bss->want_loads = 2;
	decisions = self->probe->bss->nr_next_cpu[self->policy];
	EXPECT_TRUE(wait_for(self->probe->bss->nr_next_cpu[self->policy] >= decisions + 20));
	self->probe->bss->want_loads = 0;
	sleep_ms(100);
	decisions = self->probe->bss->nr_next_cpu[self->policy] - decisions;
	computed = self->probe->bss->nr_dbs_update;
	EXPECT_LE(19, computed);
	EXPECT_GE(decisions, computed);
}

TEST_F(ext, has_cpu_kfunc)
{
	int cpus[MAX_POLICIES], n;

	n = policy_cpus(self->policy, cpus, MAX_POLICIES);
	self->probe->data->only_cpu = self->policy;
	self->probe->bss->want_has_cpu = cpus[n - 1];
	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	EXPECT_EQ(1, self->probe->bss->has_cpu);
	EXPECT_EQ(-EINVAL, self->probe->bss->has_cpu_beyond);
	busy_start(self->cpu);
	self->probe->bss->want_has_cpu = nr_cpu_ids();
	EXPECT_TRUE(wait_for(self->probe->bss->has_cpu == -EINVAL));
	if (nr_policies < 2)
		return;
	self->probe->bss->want_has_cpu = policies[1];
	EXPECT_TRUE(wait_for(self->probe->bss->has_cpu == 0));
	EXPECT_TRUE(wait_for(self->probe->bss->idle_foreign == -EINVAL));
}

static int next_cpu(struct probe *probe, int cpu)
{
	probe->bss->want_next_cpu = cpu;
	freq_for(probe, min_freq());
	return probe->bss->next_cpu;
}

TEST_F(ext, next_cpu_kfunc)
{
	int cpus[MAX_POLICIES], n, i;

	n = policy_cpus(self->policy, cpus, MAX_POLICIES);
	self->probe->data->only_cpu = self->policy;
	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	busy_start(self->cpu);

	/* From -1 on */
	ASSERT_EQ(n, self->probe->bss->nr_cpus);
	for (i = 0; i < n; i++)
		EXPECT_EQ(cpus[i], self->probe->bss->cpus[i]);

	/* From elsewhere */
	EXPECT_EQ(cpus[0], next_cpu(self->probe, -1));
	EXPECT_EQ(-ENOENT, next_cpu(self->probe, cpus[n - 1]));
	EXPECT_EQ(-ENOENT, next_cpu(self->probe, -2));
	EXPECT_EQ(-ENOENT, next_cpu(self->probe, INT_MIN));
	EXPECT_EQ(-ENOENT, next_cpu(self->probe, nr_cpu_ids() - 1));
	EXPECT_EQ(-ENOENT, next_cpu(self->probe, nr_cpu_ids()));
	EXPECT_EQ(-ENOENT, next_cpu(self->probe, INT_MAX));
	busy_stop();

	/* Those that are online */
	if (n < 2)
		return;
	ASSERT_EQ(0, set_online(cpus[1], false));
	busy_start(self->cpu);
	freq_for(self->probe, min_freq());
	EXPECT_EQ(n - 1, self->probe->bss->nr_cpus);
	EXPECT_EQ(n > 2 ? cpus[2] : -ENOENT, next_cpu(self->probe, cpus[0]));
	busy_stop();
	ASSERT_EQ(0, set_online(cpus[1], true));
}

static int table_freq(struct probe *probe, unsigned int khz, unsigned int relation)
{
	probe->bss->want_table_khz = khz;
	probe->bss->want_table_relation = relation;
	freq_for(probe, min_freq());
	return probe->bss->table_freq;
}

TEST_F(ext, table_freq_kfunc)
{
	unsigned int low = freqs[0], high = freqs[1], third = (high - low) / 3;

	self->probe->data->only_cpu = self->policy;
	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	busy_start(self->cpu);

	EXPECT_EQ(high, table_freq(self->probe, low + third, 0));
	EXPECT_EQ(low, table_freq(self->probe, low + third, 1));
	EXPECT_EQ(low, table_freq(self->probe, low + third, 2));
	EXPECT_EQ(high, table_freq(self->probe, high - third, 2));
	EXPECT_EQ(high, table_freq(self->probe, high, 0));
	EXPECT_EQ(high, table_freq(self->probe, high, 1));
	EXPECT_EQ(low, table_freq(self->probe, 0, 0));
	EXPECT_EQ(low, table_freq(self->probe, 0, 1));
	EXPECT_EQ(max_freq(), table_freq(self->probe, ~0U, 0));
	EXPECT_EQ(-EINVAL, table_freq(self->probe, low, 3));
	EXPECT_EQ(-EINVAL, table_freq(self->probe, low, ~0U));
	ASSERT_TRUE(set_limits(self->policy, min_freq(), high));
	EXPECT_EQ(high, table_freq(self->probe, max_freq(), 0));
	ASSERT_TRUE(set_limits(self->policy, high, max_freq()));
	EXPECT_EQ(high, table_freq(self->probe, min_freq(), 0));
	EXPECT_EQ(high, table_freq(self->probe, 0, 1));
	EXPECT_EQ(high, table_freq(self->probe, 0, 2));
}

TEST_F(ext, kick_kfunc)
{
	int i;

	EXPECT_EQ(-EINVAL, kick(self->probe, 1 << 30));
	EXPECT_EQ(-EINVAL, kick(self->probe, nr_cpu_ids()));
	EXPECT_EQ(0, kick(self->probe, self->cpu));

	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	/* Without a kick this policy would not be asked again for seconds. */
	self->probe->bss->want_rate_us = 4000000;
	ASSERT_EQ(0, kick(self->probe, self->cpu));
	sleep_ms(100);
	for (i = 0; i < 3; i++) {
		u_int32_t before = self->probe->bss->nr_next_cpu[self->policy];

		self->probe->bss->want_freq = freqs[(i + 1) % 3];
		ASSERT_EQ(0, kick(self->probe, self->cpu));
		EXPECT_TRUE(wait_for(cur_freq(self->policy) == freqs[(i + 1) % 3]));
		EXPECT_GE(before + 2, self->probe->bss->nr_next_cpu[self->policy]);
	}

	ASSERT_EQ(0, set_all_governors("performance"));
	EXPECT_EQ(-ENODEV, kick(self->probe, self->cpu));
}

static unsigned long count_refused_rates(void)
{
	char text[32];

	return read_file(CPUFREQ "/ext/refused_rates", text, sizeof(text)) ?
	       -1UL : strtoul(text, NULL, 10);
}

/* Have the governor paced set a period, once. */
static bool set_rate(struct probe *probe, int cpu, unsigned int rate_us)
{
	probe->bss->set_rate = 1;
	probe->bss->set_rate_us = rate_us;
	probe->bss->set_rate_left = 1;
	return !kick(probe, cpu) && wait_for(!probe->bss->set_rate_left) &&
	       !probe->bss->set_rate;
}

TEST_F_TIMEOUT(ext, set_sampling_rate_kfunc, 120)
{
	unsigned long refused = count_refused_rates();
	u_int64_t us, n;

	ASSERT_EQ(0, write_file(CPUFREQ "/ext/sampling_rate", "500000"));
	self->probe->data->only_cpu = self->policy;
	self->link = attach(self->probe->maps.paced);
	ASSERT_NE(NULL, self->link);
	EXPECT_EQ(-ENODATA, self->probe->bss->set_rate_in_start);
	wake_ms = 4;
	wake_start(self->cpu);
	EXPECT_TRUE(gap_is(self->probe, 500000, 1000000));

	/* It stays, whatever the tunable is. */
	EXPECT_TRUE(set_rate(self->probe, self->cpu, 200000));
	EXPECT_TRUE(gap_is(self->probe, 200000, 450000));
	ASSERT_EQ(0, write_file(CPUFREQ "/ext/sampling_rate", "600000"));
	gap_us(self->probe, 5);
	EXPECT_TRUE(gap_is(self->probe, 200000, 450000));

	/* 0: the tunable again */
	EXPECT_TRUE(set_rate(self->probe, self->cpu, 0));
	EXPECT_TRUE(gap_is(self->probe, 600000, 1100000));
	EXPECT_EQ(refused, count_refused_rates());

	/* Out of range: raised to two ticks; counted once, not in each decision */
	EXPECT_TRUE(set_rate(self->probe, self->cpu, 1));
	gap_us(self->probe, 3);
	n = self->probe->bss->nr_next_cpu[self->policy];
	us = now_us();
	sleep_ms(2000);
	n = self->probe->bss->nr_next_cpu[self->policy] - n;
	us = now_us() - us;
	EXPECT_GE(us / min_period_us() + 2, n);
	EXPECT_LE(us / 250000, n);
	EXPECT_EQ(refused + 1, count_refused_rates());

	/* and lowered to 4 s, which is no fault for a policy that is not busy */
	EXPECT_TRUE(set_rate(self->probe, self->cpu, ~0U));
	EXPECT_TRUE(gap_is(self->probe, 4000000, 5000000));
	EXPECT_EQ(refused + 2, count_refused_rates());
	EXPECT_TRUE(stat_is(STAT_LOADED("paced"))) TH_LOG("%s", read_stat());

	/* A period does not outlive its governor. */
	bpf_link__destroy(self->link);
	self->link = NULL;
	EXPECT_EQ(-ENODATA, self->probe->bss->set_rate_in_stop);
	self->link = attach(self->probe->maps.paced);
	ASSERT_NE(NULL, self->link);
	EXPECT_TRUE(gap_is(self->probe, 600000, 1100000));
}

TEST_F(ext, kicks_are_limited_and_prompt)
{
	u_int32_t before;
	u_int64_t start, us;
	int i, prompt = 0;

	self->probe->bss->want_rate_us = 4000000;
	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);

	/* Kicks without end: a decision every two ticks at most */
	before = self->probe->bss->nr_next_cpu[self->policy];
	start = now_us();
	do {
		ASSERT_EQ(0, kick(self->probe, self->cpu));
		us = now_us() - start;
	} while (us < 500000);
	EXPECT_LE(self->probe->bss->nr_next_cpu[self->policy] - before,
		  us / min_period_us() + 2);
	sleep_ms(200);

	/* A single one: at once.  It may be late once in a while. */
	for (i = 0; i < 5; i++) {
		before = self->probe->bss->nr_next_cpu[self->policy];
		start = now_us();
		ASSERT_EQ(0, kick(self->probe, self->cpu));
		EXPECT_TRUE(wait_for(self->probe->bss->nr_next_cpu[self->policy] != before));
		prompt += now_us() - start < 200000;
		sleep_ms(100);
	}
	EXPECT_LE(4, prompt);
}

/* Each work is the cause of the next kick: no CPU would ever be idle. */
TEST_F(ext, kicks_are_limited_without_governor)
{
	struct kicks *skel = kicks__open_and_load();
	u_int32_t before, works;
	u_int64_t start, us;

	ASSERT_NE(NULL, skel);
	skel->bss->kicks_cpu = self->cpu;
	ASSERT_EQ(0, kicks__attach(skel));
	start = now_us();
	before = skel->bss->nr_works;
	sleep_ms(500);
	works = skel->bss->nr_works - before;
	us = now_us() - start;
	EXPECT_LE(works, us / min_period_us() + 2);
	EXPECT_LT(0, works);
	kicks__destroy(skel);
}

/* The kfuncs must refuse each policy that cpufreq_ext_caller passes. */
static void call_with_foreign(struct __test_metadata *_metadata,
			      struct foreign *skel, int times)
{
	u_int32_t before = skel->bss->nr_calls;
	struct bpf_link *link;

	while (times--) {
		link = attach(skel->maps.foreign);
		ASSERT_NE(NULL, link);
		bpf_link__destroy(link);
	}
	EXPECT_LE(before + nr_policies, skel->bss->nr_calls);
	EXPECT_EQ(skel->bss->nr_calls, skel->bss->nr_refused);
}

TEST_F_TIMEOUT(ext, foreign_and_stopped_policies, 120)
{
	int last = policies[nr_policies - 1], cpus[MAX_POLICIES], n, i;
	struct foreign *skel;

	if (access("cpufreq_ext_caller.ko", R_OK))
		SKIP(return, "no cpufreq_ext_caller.ko here: build it with KDIR set");
	ASSERT_EQ(0, system("insmod ./cpufreq_ext_caller.ko"));
	skel = foreign__open_and_load();
	ASSERT_NE(NULL, skel);

	/* This task made the last decision for all policies, and has left it. */
	self->probe->bss->want_rate_us = 4000000;
	self->link = attach(self->probe->maps.probe);
	ASSERT_NE(NULL, self->link);
	call_with_foreign(_metadata, skel, 1);

	/* Decisions are made for them all the while, but not by the caller. */
	self->probe->bss->want_rate_us = 0;
	self->probe->bss->want_spin_ns = 20000000;
	self->probe->bss->want_freq = mid_freq();
	ASSERT_EQ(0, kick(self->probe, self->cpu));
	busy_start(self->cpu);
	call_with_foreign(_metadata, skel, 200);
	self->probe->bss->want_spin_ns = 0;
	busy_stop();

	n = nr_policies > 1 ? policy_cpus(last, cpus, MAX_POLICIES) : 0;
	for (i = 0; i < n; i++)
		EXPECT_EQ(0, set_online(cpus[i], false));
	call_with_foreign(_metadata, skel, 1);
	for (i = 0; i < n; i++)
		EXPECT_EQ(0, set_online(cpus[i], true));

	ASSERT_EQ(0, set_all_governors("performance"));
	call_with_foreign(_metadata, skel, 1);
	foreign__destroy(skel);
	/* It is unloaded when the freed map has let it go. */
	EXPECT_TRUE(wait_for(!system("rmmod cpufreq_ext_caller 2>/dev/null")));
}

TEST_HARNESS_MAIN
