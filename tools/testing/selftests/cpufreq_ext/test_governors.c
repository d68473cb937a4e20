// SPDX-License-Identifier: GPL-2.0-only
/*
 * The governors of samples/bpf: interactive by its rules, with times and loads
 * from the test, and the lists that are its tunables.
 */
#include <linux/bpf.h>
#include "kselftest_harness.h"
#include "inputs_util.h"
#include "interactive.inputs.skel.h"
#include "../../../power/cpufreq_ext/list.h"

#define MHZ		1000
#define SAMPLE_US	20000

static unsigned int min_freq(void)
{
	return freqs[0];
}

static unsigned int max_freq(void)
{
	return freqs[nr_freqs - 1];
}

/* The tables that the expected frequencies were computed for */
static bool table_is(const unsigned int *mhz, int n)
{
	int i;

	if (nr_freqs != n)
		return false;
	for (i = 0; i < n; i++)
		if (freqs[i] != mhz[i] * MHZ)
			return false;
	return true;
}

static bool table_is_fine(void)
{
	static const unsigned int mhz[] = {
		200, 250, 300, 350, 400, 450, 500, 550, 600, 650, 700, 750, 800,
	};

	return table_is(mhz, ARRAY_SIZE(mhz));
}

static bool table_is_coarse(void)
{
	static const unsigned int mhz[] = { 800, 1200, 1600, 2000, 2400 };

	return table_is(mhz, ARRAY_SIZE(mhz));
}

#define SKIP_FINE(s)	SKIP(s, "needs the frequencies 200 to 800 MHz in steps of 50")
#define SKIP_COARSE(s)	SKIP(s, "needs the frequencies 800 1200 1600 2000 2400 MHz")

/*************************** interactive ************************************/

FIXTURE(interactive)
{
	struct interactive *skel;
	struct bpf_link *link;
	int policy;
	int cpus[MAX_POLICIES];
	int nr_cpus;
};

FIXTURE_SETUP(interactive)
{
	find_policies();
	if (!nr_policies)
		SKIP(return, "no cpufreq driver");
	if (nr_freqs < 2)
		SKIP(return, "the driver has no frequency table");
	self->policy = policies[0];
	self->nr_cpus = policy_cpus(self->policy, self->cpus, MAX_POLICIES);
	ASSERT_EQ(0, set_all_governors("ext"));
	self->skel = interactive__open_and_load();
	ASSERT_NE(NULL, self->skel);
	ASSERT_EQ(0, inputs_attach(self->skel->obj));

	/* Of the rules' defaults, what is not tested stays out of the way. */
	self->skel->data_tunables->timer_rate = 2000000;
}

FIXTURE_TEARDOWN(interactive)
{
	bpf_link__destroy(self->link);
	inputs_detach();
	interactive__destroy(self->skel);
	set_limits(self->policy, min_freq(), max_freq());
	set_all_governors("performance");
}

/* Let time pass in which the CPUs of the policy are busy as @loads say (%). */
static void pass(struct _test_data_interactive *self, unsigned int us,
		 const unsigned int *loads)
{
	int i;

	for (i = 0; i < self->nr_cpus; i++) {
		self->skel->bss->inputs_cpus[self->cpus[i]].wall += us;
		self->skel->bss->inputs_cpus[self->cpus[i]].idle +=
			us - us / 100 * loads[i];
	}
}

/* The same with one busy CPU, the last one */
static void pass_one(struct _test_data_interactive *self, unsigned int us,
		     unsigned int load)
{
	unsigned int loads[MAX_POLICIES] = {};

	loads[self->nr_cpus - 1] = load;
	pass(self, us, loads);
}

/* Take a sample and return the frequency in MHz that it leads to. */
static unsigned int take_sample(struct _test_data_interactive *self)
{
	__u32 *kicks = &self->skel->bss->inputs_kicks[self->policy];
	__u32 before = inputs_read(kicks);

	if (inputs_run_kick(self->skel->progs.inputs_kick, self->policy) ||
	    !inputs_wait(kicks, before))
		return 0;
	return cur_freq(self->policy) / MHZ;
}

static unsigned int sample(struct _test_data_interactive *self, unsigned int load)
{
	pass_one(self, SAMPLE_US, load);
	return take_sample(self);
}

/* Set limits and wait until the governor knows them. */
static bool limit(struct _test_data_interactive *self, unsigned int min,
		  unsigned int max)
{
	bool set = set_limits(self->policy, min, max);

	sleep_ms(20);
	return set;
}

/* Load the governor when the policy is at @mhz. */
static bool start_at(struct _test_data_interactive *self, unsigned int mhz)
{
	int i;

	bpf_link__destroy(self->link);
	self->link = NULL;
	if (!limit(self, mhz * MHZ, mhz * MHZ))
		return false;
	for (i = 0; i < self->nr_cpus; i++) {
		self->skel->bss->inputs_cpus[self->cpus[i]].wall = 1000000;
		self->skel->bss->inputs_cpus[self->cpus[i]].idle = 500000;
	}
	self->link = bpf_map__attach_struct_ops(self->skel->maps.interactive);

	return self->link && limit(self, min_freq(), max_freq()) &&
	       cur_freq(self->policy) == mhz * MHZ;
}

/* What a tool does with the text of a list */
static void set_list(struct cpufreq_ext_list *list, const char *text)
{
	u32 next = !list->active;

	list->buffers[next].nr =
		cpufreq_ext_list_parse(text, list->buffers[next].values,
				       ARRAY_SIZE(list->buffers[next].values));
	list->active = next;
}

/* Nothing but choose_freq: no hispeed, no delays */
static void only_choose(struct _test_data_interactive *self)
{
	self->skel->data_tunables->go_hispeed_load = ~0U;
	self->skel->data_tunables->min_sample_time = 0;
	self->skel->data_tunables->above_hispeed_delay.buffers[0].values[0] = 0;
}

TEST_F(interactive, code_as_shipped)
{
	struct bpf_object *shipped = bpf_object__open_file("cpufreq_ext_interactive.bpf.o", NULL);
	struct interactive *tested = interactive__open();

	ASSERT_NE(NULL, shipped);
	ASSERT_NE(NULL, tested);
	EXPECT_TRUE(same_code(shipped, tested->obj));
	interactive__destroy(tested);
	bpf_object__close(shipped);
}

TEST_F(interactive, defaults)
{
	struct interactive *skel = interactive__open();

	ASSERT_NE(NULL, skel);
	EXPECT_EQ(0, skel->data_tunables->hispeed_freq);
	EXPECT_EQ(99, skel->data_tunables->go_hispeed_load);
	EXPECT_EQ(0, skel->data_tunables->target_loads.active);
	EXPECT_EQ(1, skel->data_tunables->target_loads.buffers[0].nr);
	EXPECT_EQ(90, skel->data_tunables->target_loads.buffers[0].values[0]);
	EXPECT_EQ(80000, skel->data_tunables->min_sample_time);
	EXPECT_EQ(20000, skel->data_tunables->timer_rate);
	EXPECT_EQ(0, skel->data_tunables->above_hispeed_delay.active);
	EXPECT_EQ(1, skel->data_tunables->above_hispeed_delay.buffers[0].nr);
	EXPECT_EQ(20000, skel->data_tunables->above_hispeed_delay.buffers[0].values[0]);
	EXPECT_EQ(0, skel->data_tunables->boost);
	EXPECT_EQ(0, skel->data_tunables->boostpulse);
	EXPECT_EQ(80000, skel->data_tunables->boostpulse_duration);
	EXPECT_EQ(0, skel->data_tunables->io_is_busy);
	interactive__destroy(skel);
}

struct choice {
	const char *target_loads;
	unsigned int at, load, result;
};

static const struct choice fine_choices[] = {
	{ "75", 350, 85, 400 },
	{ "75", 350, 65, 350 },
	{ "70 400000:80 600000:90", 350, 85, 400 },
	{ "70 400000:80 600000:90", 450, 50, 350 },
};

static const struct choice coarse_choices[] = {
	{ "90", 800, 90, 800 },
	{ "90", 800, 91, 1200 },
	{ "90", 1200, 100, 1600 },
	{ "90", 2400, 60, 1600 },
	{ "90", 2400, 61, 2000 },
	{ "90", 2400, 45, 1200 },
	{ "90", 2400, 30, 800 },
	{ "90", 2400, 31, 1200 },
	{ "85 1600000:90 2000000:99", 1600, 90, 1600 },
	{ "85 1600000:90 2000000:99", 1600, 100, 2000 },
	{ "85 1600000:90 2000000:99", 2000, 99, 2000 },
	{ "85 1600000:90 2000000:99", 2000, 100, 2400 },
	{ "85 1600000:90 2000000:99", 2400, 82, 2000 },
	{ "85 1600000:90 2000000:99", 2400, 83, 2400 },
	{ "60 1600000:95", 2000, 37, 1600 },
};

static void check_choices(struct __test_metadata *_metadata,
			  struct _test_data_interactive *self,
			  const struct choice *choices, int n)
{
	const struct choice *c;

	only_choose(self);
	for (c = choices; c < choices + n; c++) {
		set_list(&self->skel->data_tunables->target_loads, c->target_loads);
		ASSERT_TRUE(start_at(self, c->at));
		EXPECT_EQ(c->result, sample(self, c->load))
			TH_LOG("target_loads \"%s\", %u MHz, load %u",
			       c->target_loads, c->at, c->load);
	}
}

TEST_F_TIMEOUT(interactive, choices_in_a_fine_table, 60)
{
	if (!table_is_fine())
		SKIP_FINE(return);
	check_choices(_metadata, self, fine_choices, ARRAY_SIZE(fine_choices));
}

TEST_F_TIMEOUT(interactive, choices_in_a_coarse_table, 60)
{
	if (!table_is_coarse())
		SKIP_COARSE(return);
	check_choices(_metadata, self, coarse_choices, ARRAY_SIZE(coarse_choices));
}

/* A sample each 20 ms from 20 ms on: its load, and the frequency after it */
struct step {
	unsigned int load, mhz;
};

static void check_steps(struct __test_metadata *_metadata,
			struct _test_data_interactive *self,
			const struct step *steps, int n)
{
	int i;

	for (i = 0; i < n; i++)
		EXPECT_EQ(steps[i].mhz, sample(self, steps[i].load))
			TH_LOG("at %d ms", 20 * (i + 1));
}

static void timeline(struct _test_data_interactive *self)
{
	self->skel->data_tunables->hispeed_freq = 1600 * MHZ;
	self->skel->data_tunables->go_hispeed_load = 85;
}

TEST_F(interactive, rise_and_fall)
{
	static const struct step steps[] = {
		{ 100, 1600 }, { 100, 2000 }, { 100, 2400 }, { 100, 2400 },
		{ 100, 2400 }, { 0, 2400 }, { 0, 2400 }, { 0, 2400 },
		{ 0, 800 }, { 0, 800 },
	};

	if (!table_is_coarse())
		SKIP_COARSE(return);
	timeline(self);
	ASSERT_TRUE(start_at(self, 800));
	check_steps(_metadata, self, steps, ARRAY_SIZE(steps));
}

TEST_F(interactive, delay_above_hispeed)
{
	static const struct step steps[] = {
		{ 100, 1600 }, { 100, 1600 }, { 100, 2000 }, { 100, 2000 },
		{ 100, 2400 }, { 100, 2400 },
	};

	if (!table_is_coarse())
		SKIP_COARSE(return);
	timeline(self);
	set_list(&self->skel->data_tunables->above_hispeed_delay, "40000");
	ASSERT_TRUE(start_at(self, 800));
	check_steps(_metadata, self, steps, ARRAY_SIZE(steps));
}

TEST_F(interactive, delay_above_hispeed_by_frequency)
{
	static const struct step steps[] = {
		{ 100, 1600 }, { 100, 2000 }, { 100, 2000 }, { 100, 2000 },
		{ 100, 2400 }, { 100, 2400 },
	};

	if (!table_is_coarse())
		SKIP_COARSE(return);
	timeline(self);
	set_list(&self->skel->data_tunables->above_hispeed_delay, "20000 2000000:60000");
	ASSERT_TRUE(start_at(self, 800));
	check_steps(_metadata, self, steps, ARRAY_SIZE(steps));
}

TEST_F(interactive, below_go_hispeed_load)
{
	static const struct step stays[] = {
		{ 84, 800 }, { 84, 800 }, { 84, 800 }, { 84, 800 },
	};
	static const struct step rises[] = {
		{ 84, 1200 }, { 84, 1600 }, { 84, 2000 }, { 84, 2400 },
		{ 84, 2400 },
	};

	if (!table_is_coarse())
		SKIP_COARSE(return);
	timeline(self);
	ASSERT_TRUE(start_at(self, 800));
	check_steps(_metadata, self, stays, ARRAY_SIZE(stays));

	set_list(&self->skel->data_tunables->target_loads, "80");
	ASSERT_TRUE(start_at(self, 800));
	check_steps(_metadata, self, rises, ARRAY_SIZE(rises));
}

TEST_F(interactive, hispeed_is_the_maximum_by_default)
{
	ASSERT_TRUE(start_at(self, min_freq() / MHZ));
	EXPECT_EQ(min_freq() / MHZ, sample(self, 50));
	EXPECT_EQ(max_freq() / MHZ, sample(self, 99));
}

TEST_F(interactive, hispeed_is_rounded_up)
{
	if (!table_is_coarse())
		SKIP_COARSE(return);
	timeline(self);
	self->skel->data_tunables->hispeed_freq = 1700 * MHZ;
	ASSERT_TRUE(start_at(self, 800));
	EXPECT_EQ(2000, sample(self, 100));

	/* Beyond the maximum */
	self->skel->data_tunables->hispeed_freq = 3000 * MHZ;
	ASSERT_TRUE(start_at(self, 800));
	EXPECT_EQ(2400, sample(self, 100));
}

TEST_F(interactive, boost)
{
	if (!table_is_coarse())
		SKIP_COARSE(return);
	timeline(self);
	ASSERT_TRUE(start_at(self, 800));
	self->skel->data_tunables->boost = 1;
	EXPECT_EQ(1600, sample(self, 0));
	EXPECT_EQ(1600, sample(self, 0));
	/* The frequency of a boost alone is no floor. */
	self->skel->data_tunables->boost = 0;
	EXPECT_EQ(800, sample(self, 0));

	/* What load took beyond it is one. */
	self->skel->data_tunables->boost = 1;
	EXPECT_EQ(1600, sample(self, 100));
	EXPECT_EQ(2000, sample(self, 100));
	self->skel->data_tunables->boost = 0;
	EXPECT_EQ(2000, sample(self, 0));
	EXPECT_EQ(2000, sample(self, 0));
	EXPECT_EQ(2000, sample(self, 0));
	EXPECT_EQ(800, sample(self, 0));
}

TEST_F(interactive, boostpulse)
{
	if (!table_is_coarse())
		SKIP_COARSE(return);
	timeline(self);
	ASSERT_TRUE(start_at(self, 800));
	EXPECT_EQ(800, sample(self, 0));
	self->skel->data_tunables->boostpulse = 1;
	EXPECT_EQ(1600, sample(self, 0));
	EXPECT_EQ(0, self->skel->data_tunables->boostpulse);
	/* It began 20 ms ago; after 80 ms it is over. */
	EXPECT_EQ(1600, sample(self, 0));
	EXPECT_EQ(1600, sample(self, 0));
	EXPECT_EQ(1600, sample(self, 0));
	EXPECT_EQ(800, sample(self, 0));

	self->skel->data_tunables->boostpulse_duration = 30000;
	self->skel->data_tunables->boostpulse = 5;
	EXPECT_EQ(1600, sample(self, 0));
	EXPECT_EQ(1600, sample(self, 0));
	EXPECT_EQ(800, sample(self, 0));
}

TEST_F(interactive, io_is_busy)
{
	struct interactive__bss *bss = self->skel->bss;
	int i;

	if (!table_is_coarse())
		SKIP_COARSE(return);
	only_choose(self);
	ASSERT_TRUE(start_at(self, 800));
	for (i = 0; i < self->nr_cpus; i++)
		bss->inputs_cpus[self->cpus[i]].io_wait += 20000;
	EXPECT_EQ(800, sample(self, 0));

	/* The window in which the tunable is written tells nothing. */
	self->skel->data_tunables->io_is_busy = 1;
	EXPECT_EQ(800, sample(self, 100));
	for (i = 0; i < self->nr_cpus; i++)
		bss->inputs_cpus[self->cpus[i]].io_wait += 20000;
	EXPECT_EQ(1200, sample(self, 0));
	EXPECT_EQ(800, sample(self, 0));
}

TEST_F(interactive, busiest_cpu)
{
	unsigned int loads[MAX_POLICIES] = {};
	int i;

	if (!table_is_coarse())
		SKIP_COARSE(return);
	if (self->nr_cpus < 2)
		SKIP(return, "no policy with several CPUs");
	only_choose(self);
	for (i = 0; i < self->nr_cpus; i++) {
		memset(loads, 0, sizeof(loads));
		loads[i] = 61;
		loads[(i + 1) % self->nr_cpus] = 60;
		ASSERT_TRUE(start_at(self, 2400));
		pass(self, SAMPLE_US, loads);
		EXPECT_EQ(2000, take_sample(self)) TH_LOG("CPU %d", self->cpus[i]);
	}
}

TEST_F(interactive, limits_split_the_window)
{
	if (!table_is_coarse())
		SKIP_COARSE(return);
	only_choose(self);
	ASSERT_TRUE(start_at(self, 2400));

	/* Half of the window at 2.4 GHz, half of it at 1.2: 1.8 / 0.9 = 2 */
	pass_one(self, SAMPLE_US / 2, 100);
	ASSERT_TRUE(limit(self, 800 * MHZ, 1200 * MHZ));
	EXPECT_EQ(1200 * MHZ, cur_freq(self->policy));
	pass_one(self, SAMPLE_US / 2, 100);
	ASSERT_TRUE(limit(self, 800 * MHZ, 2400 * MHZ));
	EXPECT_EQ(2400 * MHZ, cur_freq(self->policy));
	EXPECT_EQ(2000, take_sample(self));
}

TEST_F(interactive, within_the_limits)
{
	if (!table_is_coarse())
		SKIP_COARSE(return);
	timeline(self);
	ASSERT_TRUE(start_at(self, 800));
	ASSERT_TRUE(limit(self, 1200 * MHZ, 2000 * MHZ));
	EXPECT_EQ(1200 * MHZ, cur_freq(self->policy));
	EXPECT_EQ(1600, sample(self, 100));
	EXPECT_EQ(2000, sample(self, 100));
	EXPECT_EQ(2000, sample(self, 100));
	ASSERT_TRUE(limit(self, 1200 * MHZ, 1200 * MHZ));
	EXPECT_EQ(1200, sample(self, 0));
}

TEST_F(interactive, invalid_lists_are_the_default)
{
	static const __u32 sizes[] = { 0, 2, 62, 64, 65, ~0U };
	struct cpufreq_ext_list *list;
	size_t i;

	if (!table_is_coarse())
		SKIP_COARSE(return);
	only_choose(self);
	list = &self->skel->data_tunables->target_loads;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		list->buffers[0].nr = sizes[i];
		list->buffers[0].values[0] = 10;
		ASSERT_TRUE(start_at(self, 800));
		EXPECT_EQ(1200, sample(self, 91)) TH_LOG("%u values", sizes[i]);
	}
	list->buffers[0].nr = 1;
	list->buffers[0].values[0] = 0;
	ASSERT_TRUE(start_at(self, 800));
	EXPECT_EQ(1200, sample(self, 91));

	/* As long as it can be */
	for (i = 0; i < ARRAY_SIZE(list->buffers[0].values); i++)
		list->buffers[1].values[i] = i % 2 ? i : 50 + i / 2;
	list->buffers[1].nr = ARRAY_SIZE(list->buffers[1].values);
	list->active = 1;
	ASSERT_TRUE(start_at(self, 800));
	/* 50 + 31: 0.8 * 82 / 81 > 0.8 */
	EXPECT_EQ(1200, sample(self, 82));
	ASSERT_TRUE(start_at(self, 800));
	EXPECT_EQ(800, sample(self, 81));
}

/*************************** all of them, as they are shipped ****************/

FIXTURE(shipped)
{
	struct bpf_object *obj;
	struct bpf_link *links[8];
	int nr_links;
	int policy;
	int cpu;
};

FIXTURE_VARIANT(shipped)
{
	const char *name;
	bool follows_load;
};

FIXTURE_VARIANT_ADD(shipped, performance) { .name = "performance" };
FIXTURE_VARIANT_ADD(shipped, powersave) { .name = "powersave" };
FIXTURE_VARIANT_ADD(shipped, userspace) { .name = "userspace" };
FIXTURE_VARIANT_ADD(shipped, ondemand) { .name = "ondemand", .follows_load = true };
FIXTURE_VARIANT_ADD(shipped, conservative) { .name = "conservative", .follows_load = true };
FIXTURE_VARIANT_ADD(shipped, interactive) { .name = "interactive", .follows_load = true };
FIXTURE_VARIANT_ADD(shipped, schedutil) { .name = "schedutil", .follows_load = true };

FIXTURE_SETUP(shipped)
{
	struct bpf_program *prog;
	char path[64];

	find_policies();
	if (!nr_policies)
		SKIP(return, "no cpufreq driver");
	if (nr_freqs < 3)
		SKIP(return, "the driver has no frequency table of 3 or more");
	self->policy = policies[0];
	policy_cpus(self->policy, &self->cpu, 1);
	ASSERT_EQ(0, set_all_governors("ext"));
	snprintf(path, sizeof(path), "cpufreq_ext_%s.bpf.o", variant->name);
	self->obj = bpf_object__open_file(path, NULL);
	ASSERT_NE(NULL, self->obj);
	ASSERT_EQ(0, bpf_object__load(self->obj));
	bpf_object__for_each_program(prog, self->obj) {
		if (bpf_program__type(prog) != BPF_PROG_TYPE_TRACING)
			continue;
		self->links[self->nr_links] = bpf_program__attach(prog);
		ASSERT_NE(NULL, self->links[self->nr_links++]);
	}
}

FIXTURE_TEARDOWN(shipped)
{
	busy_stop();
	while (self->nr_links)
		bpf_link__destroy(self->links[--self->nr_links]);
	bpf_object__close(self->obj);
	set_limits(self->policy, min_freq(), max_freq());
	set_all_governors("performance");
}

static struct bpf_link *attach_governor(struct bpf_object *obj, const char *name)
{
	return bpf_map__attach_struct_ops(bpf_object__find_map_by_name(obj, name));
}

static unsigned long count_decisions(int policy)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), CPUFREQ "/ext/policy%d/decisions", policy);
	return read_file(path, text, sizeof(text)) ? 0 : strtoul(text, NULL, 10);
}

/* More than 2 seconds between two decisions, again and again, would be a fault. */
TEST_F_TIMEOUT(shipped, looks_at_a_busy_policy, 60)
{
	unsigned long n;
	int i, ms;

	self->links[self->nr_links] = attach_governor(self->obj, variant->name);
	ASSERT_NE(NULL, self->links[self->nr_links++]);
	busy_start(self->cpu);
	for (i = 0; i < 3; i++) {
		n = count_decisions(self->policy);
		for (ms = 0; count_decisions(self->policy) == n && ms < 5000; ms += 10)
			sleep_ms(10);
		EXPECT_GE(2200, ms);
	}
}

TEST_F_TIMEOUT(shipped, loads_and_follows, 60)
{
	unsigned int mid = freqs[nr_freqs / 2], n;
	char expected[256];

	self->links[self->nr_links] = attach_governor(self->obj, variant->name);
	ASSERT_NE(NULL, self->links[self->nr_links++]);
	snprintf(expected, sizeof(expected),
		 "Stat: CPUFREQ_EXT_LOADED\nBPF governor: %s\n", variant->name);
	EXPECT_STREQ(expected, read_stat());

	/* Up and down again, twice */
	for (n = 0; variant->follows_load && n < 2; n++) {
		busy_start(self->cpu);
		EXPECT_TRUE(wait_for(cur_freq(self->policy) == max_freq()));
		busy_stop();
		EXPECT_TRUE(wait_for(cur_freq(self->policy) < max_freq()));
	}

	/* Within the limits, whatever the load is */
	busy_start(self->cpu);
	EXPECT_TRUE(set_limits(self->policy, min_freq(), mid));
	EXPECT_TRUE(wait_for(cur_freq(self->policy) <= mid));
	if (variant->follows_load)
		EXPECT_TRUE(wait_for(cur_freq(self->policy) == mid));
	busy_stop();
	EXPECT_TRUE(set_limits(self->policy, mid, max_freq()));
	EXPECT_TRUE(wait_for(cur_freq(self->policy) >= mid));
}

/*************************** lists ******************************************/

TEST(lists_that_are_right)
{
	static const struct { const char *text; int n; __u32 last; } good[] = {
		{ "90", 1, 90 },
		{ "0", 1, 0 },
		{ "4294967295", 1, 4294967295U },
		{ "0000000000000090", 1, 90 },
		{ " 90\n", 1, 90 },
		{ "85 1600000:90 2000000:99", 5, 99 },
		{ "85 1600000 90 2000000 99", 5, 99 },
		{ "85:1600000:90:2000000:99", 5, 99 },
		{ "85\t1600000:90  2000000:99 ", 5, 99 },
		{ "1 2:3 4:5 6:7 8:9", 9, 9 },
	};
	__u32 values[9];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		EXPECT_EQ(good[i].n, cpufreq_ext_list_parse(good[i].text, values, 9))
			TH_LOG("list %zu", i);
		EXPECT_EQ(good[i].last, values[good[i].n - 1]);
	}
}

TEST(lists_that_are_refused)
{
	static const char * const bad[] = {
		"", " ", "\n", ":", "90:", ":90", "fast", "90%", "90,80",
		"85 1600000", "85 1600000:", "85 1600000:90 2000000", "-1", "+1",
		"0x10", "1.5", "4294967296", "99999999999999999999999", "85 ::90",
		"85 1600000::90", "85 1600000: 90", "85 : 1600000 : 90",
		"85 1600000:90 1600000:95", "85 1600000:90 1200000:95",
		"85 1600000:90x", "1 2:3 4:5 6:7 8:9 10:11", "1 2:3 4:5 6:7 8:9 10",
	};
	__u32 values[9];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, cpufreq_ext_list_parse(bad[i], values, 9))
			TH_LOG("list %zu", i);
}

TEST_HARNESS_MAIN
