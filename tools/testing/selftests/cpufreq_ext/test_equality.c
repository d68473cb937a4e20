// SPDX-License-Identifier: GPL-2.0-only
/*
 * Governors of samples/bpf decide as the kernel's governors of the same name.
 *
 * ondemand and conservative: the decisions of the kernel's governor under a
 * varied load, with limits and tunables that change, are recorded; the BPF
 * governor then gets the inputs of each, in the same order, and has to come to
 * the same frequency and time to the next sample.
 *
 * performance, powersave and userspace measure nothing: the kernel's governor on
 * one policy and the BPF governor on another get the same writes to sysfs.
 *
 * What differs, and cannot be the same:
 * - ext takes no period shorter than two ticks or longer than 4 seconds.
 * - A write of a value that a tunable has already is nothing for a BPF governor.
 *
 * schedutil, which does not take samples, is compared by test_schedutil.
 */
#include <linux/bpf.h>
#include "kselftest_harness.h"
#include "equality.h"
#include "inputs_util.h"
#include "conservative.inputs.skel.h"
#include "equality.skel.h"
#include "ondemand.inputs.skel.h"

/* Decisions of each governor */
#define NR_SAMPLED	10000
#define NR_SET		10000

#define MAX_US		4000000
#define LONGEST_US	2000000

static unsigned int min_freq(void)
{
	return freqs[0];
}

static unsigned int max_freq(void)
{
	return freqs[nr_freqs - 1];
}

static unsigned int one_of(const unsigned int *values, unsigned int n)
{
	return values[random() % n];
}

static int write_tunable(const char *governor, const char *name, unsigned int value)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), CPUFREQ "/%s/%s", governor, name);
	snprintf(text, sizeof(text), "%u", value);
	return write_file(path, text);
}

FIXTURE(equality)
{
	struct equality *recorder;
	struct ondemand *ondemand;
	struct conservative *conservative;
	struct bpf_link *link;
	struct bpf_object *obj;
	unsigned int min_us;		/* shortest sampling period */
};

FIXTURE_SETUP(equality)
{
	find_policies();
	if (!nr_policies)
		SKIP(return, "no cpufreq driver");
	if (nr_freqs < 3)
		SKIP(return, "the driver has no frequency table of 3 or more");
	/* This loads the module, where it is one. */
	ASSERT_EQ(0, set_all_governors("ext"));
	ASSERT_EQ(0, set_all_governors("performance"));
	srandom(1);
}

FIXTURE_TEARDOWN(equality)
{
	int i;

	bpf_link__destroy(self->link);
	inputs_detach();
	ondemand__destroy(self->ondemand);
	conservative__destroy(self->conservative);
	equality__destroy(self->recorder);
	bpf_object__close(self->obj);
	for (i = 0; i < nr_policies; i++)
		set_limits(policies[i], min_freq(), max_freq());
	set_all_governors("performance");
}

/*************************** recording **************************************/

static pthread_t load_threads[MAX_POLICIES];
static int nr_load_threads, nr_parked;
static bool load_done, load_paused;
static pthread_mutex_t load_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t load_resumed = PTHREAD_COND_INITIALIZER;

static bool load_stops(void)
{
	return __atomic_load_n(&load_paused, __ATOMIC_RELAXED) ||
	       __atomic_load_n(&load_done, __ATOMIC_RELAXED);
}

static void park_load(void)
{
	pthread_mutex_lock(&load_mutex);
	__atomic_fetch_add(&nr_parked, 1, __ATOMIC_RELAXED);
	while (load_paused)
		pthread_cond_wait(&load_resumed, &load_mutex);
	__atomic_fetch_add(&nr_parked, -1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&load_mutex);
}

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Busy and idle periods of random length, some of them long */
static void *load_loop(void *cpu)
{
	unsigned int seed = (long)cpu + 1;
	cpu_set_t set;
	long end;

	CPU_ZERO(&set);
	CPU_SET((long)cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	while (!__atomic_load_n(&load_done, __ATOMIC_RELAXED)) {
		unsigned int busy_us = rand_r(&seed) % 30000;
		unsigned int idle_us = rand_r(&seed) % 30000;

		if (rand_r(&seed) % 16 == 0)
			busy_us *= 8;
		if (rand_r(&seed) % 16 == 0)
			idle_us *= 8;
		end = now_us() + busy_us;
		while (now_us() < end && !load_stops())
			;
		/* Sleep for long, but not when it is to stop. */
		end = now_us() + idle_us;
		if (idle_us < 50000)
			usleep(idle_us);
		else
			while (now_us() < end && !load_stops())
				usleep(50000);
		if (__atomic_load_n(&load_paused, __ATOMIC_RELAXED))
			park_load();
	}
	return NULL;
}

static void start_load(void)
{
	int cpus[MAX_POLICIES], i, n;
	long c;

	load_done = false;
	for (i = 0; i < nr_policies; i++) {
		n = policy_cpus(policies[i], cpus, MAX_POLICIES);
		for (c = 0; c < n && nr_load_threads < MAX_POLICIES; c++)
			if (!pthread_create(&load_threads[nr_load_threads], NULL,
					    load_loop, (void *)(long)cpus[c]))
				nr_load_threads++;
	}
}

static void stop_load(void)
{
	__atomic_store_n(&load_done, true, __ATOMIC_RELAXED);
	while (nr_load_threads)
		pthread_join(load_threads[--nr_load_threads], NULL);
}

/* Hardly any decisions are made while there is no load. */
static void pause_load(void)
{
	__atomic_store_n(&load_paused, true, __ATOMIC_RELAXED);
	while (__atomic_load_n(&nr_parked, __ATOMIC_RELAXED) < nr_load_threads)
		sleep_ms(2);
	sleep_ms(5);
}

static void resume_load(void)
{
	pthread_mutex_lock(&load_mutex);
	__atomic_store_n(&load_paused, false, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&load_resumed);
	pthread_mutex_unlock(&load_mutex);
}

/* Change one limit of one policy. */
static void change_limit(void)
{
	int policy = policies[random() % nr_policies];
	unsigned int min = read_policy_num(policy, "scaling_min_freq");
	unsigned int max = read_policy_num(policy, "scaling_max_freq");
	unsigned int freq = freqs[random() % nr_freqs];

	if (random() % 2 && freq <= max) {
		write_policy_num(policy, "scaling_min_freq", freq);
		wait_for(read_policy_num(policy, "scaling_min_freq") == freq);
	} else if (freq >= min) {
		write_policy_num(policy, "scaling_max_freq", freq);
		wait_for(read_policy_num(policy, "scaling_max_freq") == freq);
	}
}

/* A tunable and the values that it is to take */
struct tunable {
	const char *name;
	unsigned int values[8];		/* the first one at the start */
	unsigned int now;
};

static struct tunable ondemand_tunables[] = {
	{ "up_threshold", { 95, 80, 63, 40, 20, 100, 1, 50 } },
	{ "sampling_down_factor", { 1, 2, 3, 5, 1, 2, 1, 4 } },
	{ "powersave_bias", { 0, 1, 50, 100, 0, 300, 500, 1000 } },
};

static struct tunable conservative_tunables[] = {
	{ "up_threshold", { 80, 70, 65, 62, 95, 100, 80, 61 } },
	{ "down_threshold", { 20, 10, 40, 50, 60, 1, 30, 20 } },
	{ "freq_step", { 5, 10, 25, 34, 60, 100, 1, 0 } },
	{ "sampling_down_factor", { 1, 2, 3, 10, 1, 2, 1, 5 } },
};

static void change_tunable(struct equality *recorder, const char *governor,
			   struct tunable *t)
{
	unsigned int value = one_of(t->values, ARRAY_SIZE(t->values));

	if (value == t->now)
		return;
	__atomic_store_n(&recorder->bss->writing, 1, __ATOMIC_SEQ_CST);
	if (!write_tunable(governor, t->name, value))
		t->now = value;
	__atomic_store_n(&recorder->bss->writing, 0, __ATOMIC_SEQ_CST);
}

/* Wait until each policy had two decisions more, but not for ever. */
static void wait_decisions(struct equality *recorder)
{
	unsigned int from = recorder->bss->nr_records, n = from, counts[MAX_POLICIES] = {};
	int ms, i, done;

	for (ms = 0; ms < 500; ms += 5) {
		sleep_ms(5);
		for (; n < __atomic_load_n(&recorder->bss->nr_records, __ATOMIC_ACQUIRE) &&
		     n < EQUALITY_MAX_RECORDS; n++)
			counts[recorder->bss->records[n].cpu % MAX_POLICIES]++;
		for (i = 0, done = 0; i < nr_policies; i++)
			done += counts[policies[i]] >= 2;
		if (done == nr_policies)
			break;
	}
}

static bool record(struct equality *recorder, const char *governor,
		   struct tunable *tunables, int nr_tunables, unsigned int min_us)
{
	struct tunable rate = {
		"sampling_rate",
		{ min_us, min_us + 1000, min_us * 2, min_us * 5 / 2, min_us,
		  min_us * 3 / 2, min_us + 1, min_us }
	};
	struct sched_param fifo = { .sched_priority = 50 };
	int i, steps;

	start_load();
	if (set_all_governors(governor) ||
	    write_tunable(governor, rate.name, rate.values[0]))
		goto out;
	rate.now = rate.values[0];
	for (i = 0; i < nr_tunables; i++) {
		tunables[i].now = tunables[i].values[0];
		write_tunable(governor, tunables[i].name, tunables[i].now);
	}

	/* What it writes is written before other tasks run on its CPU. */
	sched_setscheduler(0, SCHED_FIFO, &fifo);
	for (steps = 0; steps < 40000 && recorder->bss->nr_records < NR_SAMPLED; steps++) {
		pause_load();
		switch (random() % 8) {
		case 0 ... 2:
			change_limit();
			break;
		case 3:
			change_tunable(recorder, governor, &rate);
			break;
		default:
			change_tunable(recorder, governor,
				       &tunables[random() % nr_tunables]);
		}
		resume_load();
		wait_decisions(recorder);
	}
out:
	fifo.sched_priority = 0;
	sched_setscheduler(0, SCHED_OTHER, &fifo);
	stop_load();
	set_all_governors("performance");
	for (i = 0; i < nr_policies; i++)
		set_limits(policies[i], min_freq(), max_freq());
	return recorder->bss->nr_records >= NR_SAMPLED;
}

/* The least that a kernel takes is two ticks, and a tick is not told. */
static unsigned int find_min_us(const char *governor)
{
	static const unsigned int rates[] = { 2000, 6666, 8000, 20000 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rates); i++)
		if (!write_tunable(governor, "sampling_rate", rates[i]))
			return rates[i];
	return 0;
}

/*************************** replay *****************************************/

/* What the skeletons of the BPF governors have in common */
struct target {
	struct bpf_program *kick;
	struct inputs_cpu *cpus;
	u32 *kicks, *limits, *freq;
	u64 *delay_us;
	void (*set_tunables)(struct target *t, const struct equality_record *r);
	union {
		struct ondemand *ondemand;
		struct conservative *conservative;
	};
};

static bool set_limit(struct target *t, int policy, const char *file,
		      unsigned int freq)
{
	u32 before = inputs_read(&t->limits[policy]);

	if (read_policy_num(policy, file) == freq)
		return true;
	return !write_policy_num(policy, file, freq) &&
	       inputs_wait(&t->limits[policy], before) &&
	       read_policy_num(policy, file) == freq;
}

/* Change a limit and change it back, such that the frequency stays. */
static bool touch_limits(struct target *t, int policy)
{
	unsigned int min = read_policy_num(policy, "scaling_min_freq");
	unsigned int max = read_policy_num(policy, "scaling_max_freq");
	unsigned int cur = cur_freq(policy);

	if (cur < max)
		return set_limit(t, policy, "scaling_max_freq", cur) &&
		       set_limit(t, policy, "scaling_max_freq", max);
	if (cur > min)
		return set_limit(t, policy, "scaling_min_freq", cur) &&
		       set_limit(t, policy, "scaling_min_freq", min);
	if (cur < max_freq())
		return set_limit(t, policy, "scaling_max_freq", max_freq()) &&
		       set_limit(t, policy, "scaling_max_freq", max);
	return set_limit(t, policy, "scaling_min_freq", min_freq()) &&
	       set_limit(t, policy, "scaling_min_freq", min);
}

/* Bring a policy to where it was before a decision, and ask for one. */
static bool replay(struct target *t, const struct equality_record *r)
{
	struct inputs_cpu *in = &t->cpus[r->cpu];
	unsigned int min = read_policy_num(r->cpu, "scaling_min_freq");
	unsigned int max = read_policy_num(r->cpu, "scaling_max_freq");
	bool rise = r->max > max;

	if (r->anew && r->min == min && r->max == max && !touch_limits(t, r->cpu))
		return false;
	if ((rise && !set_limit(t, r->cpu, "scaling_max_freq", r->max)) ||
	    !set_limit(t, r->cpu, "scaling_min_freq", r->min) ||
	    !set_limit(t, r->cpu, "scaling_max_freq", r->max))
		return false;

	in->sampling_rate = r->sampling_rate;
	in->load = r->load;
	in->sample_load = r->sample_load;
	in->idle_periods = r->idle_periods == ~0U ? 0 : r->idle_periods;

	return !inputs_run_kick(t->kick, r->cpu);
}

/* Records from @first on that are of different policies with equal tunables */
static int batch_size(const struct equality_record *first, int left)
{
	int n, i;

	for (n = 1; n < left; n++) {
		if (memcmp(&first[n].sampling_rate, &first->sampling_rate,
			   offsetof(struct equality_record, new_cur) -
			   offsetof(struct equality_record, sampling_rate)))
			break;
		for (i = 0; i < n; i++)
			if (first[i].cpu == first[n].cpu)
				return n;
	}
	return n;
}

/* What decisions there were, as a test that takes few ways proves little */
struct kinds {
	unsigned int decisions, changes, limits, tunables, second, policies;
};

static void count_kinds(struct kinds *k, const struct equality_record *r, int n)
{
	const struct equality_record *last[MAX_POLICIES] = {};
	int i;

	memset(k, 0, sizeof(*k));
	for (i = 0; i < n; i++, r++) {
		const struct equality_record *l = last[r->cpu % MAX_POLICIES];

		k->decisions++;
		k->changes += r->new_cur != r->cur;
		k->second += r->load < 0;
		k->policies += !l;
		if (l) {
			k->limits += l->min != r->min || l->max != r->max;
			k->tunables += memcmp(&l->sampling_rate, &r->sampling_rate,
					      6 * sizeof(int)) != 0;
		}
		last[r->cpu % MAX_POLICIES] = r;
	}
}

/*
 * The kernel writes limits and tunables first, and tells the governor then.  A
 * decision in between knows one, but not the other.  That is seldom, and cannot
 * be replayed.
 */
static bool fell_between(const struct equality_record *records, int n, bool ondemand)
{
	const struct equality_record *last[MAX_POLICIES] = {}, *r, *l;

	for (r = records; r < records + n; r++) {
		l = last[r->cpu % MAX_POLICIES];
		last[r->cpu % MAX_POLICIES] = r;
		if (r->writing)
			return true;
		if (l && !r->anew && (r->load < 0 || !ondemand) &&
		    (r->min != l->min || r->max != l->max))
			return true;
	}
	return false;
}

static void check_kinds(struct __test_metadata *_metadata,
			const struct equality_record *records, int n)
{
	struct kinds k;

	count_kinds(&k, records, n);
	TH_LOG("%u decisions for %u policies, %u changed the frequency;",
	       k.decisions, k.policies, k.changes);
	TH_LOG("%u after new limits, %u after a new tunable, %u second halves",
	       k.limits, k.tunables, k.second);
	EXPECT_EQ(nr_policies, k.policies);
	EXPECT_LT(n / 20, k.changes);
	EXPECT_LT(50, k.limits);
	EXPECT_LT(50, k.tunables);
}

/* MAX_US is that of ext, LONGEST_US the longest one that a governor asks for. */
static unsigned int expected_delay(unsigned int us, unsigned int min_us)
{
	if (us == MAX_US)
		return us;
	return us < min_us ? min_us : us > LONGEST_US ? LONGEST_US : us;
}

/* The kernel's governor's decisions; NULL if there are not enough of them */
static struct equality *recorded(struct __test_metadata *_metadata,
				 const char *governor, struct tunable *tunables,
				 int nr_tunables, unsigned int *min_us)
{
	bool ondemand = !strcmp(governor, "ondemand");
	struct equality *recorder;
	int try = 0;

again:
	srandom(++try);
	recorder = equality__open();

	if (!recorder)
		return NULL;
	bpf_program__set_autoload(recorder->progs.ondemand_begin, ondemand);
	bpf_program__set_autoload(recorder->progs.ondemand_end, ondemand);
	bpf_program__set_autoload(recorder->progs.conservative_begin, !ondemand);
	bpf_program__set_autoload(recorder->progs.conservative_end, !ondemand);
	bpf_program__set_autoload(recorder->progs.conservative_limits, !ondemand);

	/* This also loads the module, where it is one. */
	if (!set_all_governors(governor))
		*min_us = find_min_us(governor);
	set_all_governors("performance");
	if (!*min_us || equality__load(recorder) || equality__attach(recorder) ||
	    !record(recorder, governor, tunables, nr_tunables, *min_us)) {
		TH_LOG("%u decisions", recorder->bss ? recorder->bss->nr_records : 0);
		equality__destroy(recorder);
		return NULL;
	}
	equality__detach(recorder);
	if (try < 4 && fell_between(recorder->bss->records, NR_SAMPLED, ondemand)) {
		TH_LOG("a decision fell between a write and its announcement: again");
		equality__destroy(recorder);
		goto again;
	}
	return recorder;
}

/* Compare what came of a decision. */
static bool same(struct __test_metadata *_metadata, struct target *t,
		 const struct equality_record *r, int n, unsigned int min_us)
{
	unsigned int delay_us = expected_delay(r->delay_us, min_us);

	if (t->freq[r->cpu] == r->new_cur && t->delay_us[r->cpu] == delay_us)
		return true;
	TH_LOG("decision %d of policy %u: %u kHz and %llu us, the kernel %u and %u",
	       n, r->cpu, t->freq[r->cpu], t->delay_us[r->cpu], r->new_cur, r->delay_us);
	TH_LOG("  at %u kHz in %u..%u, load %d/%u, idle %u, rate %u",
	       r->cur, r->min, r->max, r->load, r->sample_load, r->idle_periods,
	       r->sampling_rate);
	TH_LOG("  up_threshold %u, sampling_down_factor %u, others %u %u",
	       r->up_threshold, r->sampling_down_factor, r->others[0], r->others[1]);
	return false;
}

/* The governor under test is the one that is shipped. */
static void check_code(struct __test_metadata *_metadata, const char *path,
		       struct bpf_object *tested)
{
	struct bpf_object *shipped = bpf_object__open_file(path, NULL);

	ASSERT_NE(NULL, shipped);
	EXPECT_TRUE(same_code(shipped, tested));
	bpf_object__close(shipped);
}

/* Have all that was recorded decided again. */
static void replay_all(struct __test_metadata *_metadata,
		       struct _test_data_equality *self, struct target *t)
{
	const struct equality_record *r = self->recorder->bss->records;
	int left, n, i, wrong = 0;
	u32 before[MAX_POLICIES];

	for (left = NR_SAMPLED; left && wrong < 5; left -= n, r += n) {
		n = batch_size(r, left);
		t->set_tunables(t, r);
		for (i = 0; i < n; i++) {
			before[i] = inputs_read(&t->kicks[r[i].cpu]);
			ASSERT_TRUE(replay(t, &r[i]));
		}
		for (i = 0; i < n; i++) {
			ASSERT_TRUE(inputs_wait(&t->kicks[r[i].cpu], before[i]));
			wrong += !same(_metadata, t, &r[i], NR_SAMPLED - left + i,
				       self->min_us);
		}
	}
	EXPECT_EQ(0, wrong);
}

static void set_ondemand(struct target *t, const struct equality_record *r)
{
	struct ondemand__data_tunables *tunables = t->ondemand->data_tunables;

	tunables->up_threshold = r->up_threshold;
	tunables->sampling_down_factor = r->sampling_down_factor;
	tunables->powersave_bias = r->others[0];
}

static void set_conservative(struct target *t, const struct equality_record *r)
{
	struct conservative__data_tunables *tunables = t->conservative->data_tunables;

	tunables->up_threshold = r->up_threshold;
	tunables->sampling_down_factor = r->sampling_down_factor;
	tunables->down_threshold = r->others[0];
	tunables->freq_step = r->others[1];
}

TEST_F_TIMEOUT(equality, ondemand, 1200)
{
	struct equality_record *r;
	struct ondemand *skel;
	int i;

	self->recorder = recorded(_metadata, "ondemand", ondemand_tunables,
				  ARRAY_SIZE(ondemand_tunables), &self->min_us);
	ASSERT_NE(NULL, self->recorder);
	check_kinds(_metadata, self->recorder->bss->records, NR_SAMPLED);

	/* A sample whose period is the tunable's leaves the time to ext. */
	r = self->recorder->bss->records;
	for (i = 0; i < NR_SAMPLED; i++) {
		if (r[i].load < 0 || r[i].sampling_down_factor != 1 || r[i].others[0])
			continue;
		EXPECT_EQ(r[i].sampling_rate, r[i].delay_us);
		r[i].delay_us = MAX_US;
	}

	skel = ondemand__open();
	ASSERT_NE(NULL, skel);
	self->ondemand = skel;
	check_code(_metadata, "cpufreq_ext_ondemand.bpf.o", skel->obj);
	ASSERT_EQ(0, ondemand__load(skel));
	struct target target = {
		.kick = skel->progs.inputs_kick,
		.cpus = skel->bss->inputs_cpus,
		.kicks = skel->bss->inputs_kicks,
		.limits = skel->bss->inputs_limits,
		.freq = skel->bss->inputs_freq,
		.delay_us = skel->bss->inputs_delay_us,
		.set_tunables = set_ondemand,
		.ondemand = skel,
	};

	ASSERT_EQ(0, set_all_governors("ext"));
	ASSERT_EQ(0, write_tunable("ext", "sampling_rate", MAX_US));
	ASSERT_EQ(0, inputs_attach(skel->obj));
	set_ondemand(&target, self->recorder->bss->records);
	self->link = bpf_map__attach_struct_ops(skel->maps.ondemand);
	ASSERT_NE(NULL, self->link);
	replay_all(_metadata, self, &target);
}

TEST_F_TIMEOUT(equality, conservative, 1200)
{
	struct equality_record *r;
	struct conservative *skel;
	int i;

	self->recorder = recorded(_metadata, "conservative", conservative_tunables,
				  ARRAY_SIZE(conservative_tunables), &self->min_us);
	ASSERT_NE(NULL, self->recorder);
	r = self->recorder->bss->records;
	check_kinds(_metadata, r, NR_SAMPLED);
	/* It leaves the time to ext. */
	for (i = 0; i < NR_SAMPLED; i++)
		r[i].delay_us = MAX_US;

	skel = conservative__open();
	ASSERT_NE(NULL, skel);
	self->conservative = skel;
	check_code(_metadata, "cpufreq_ext_conservative.bpf.o", skel->obj);
	ASSERT_EQ(0, conservative__load(skel));
	struct target target = {
		.kick = skel->progs.inputs_kick,
		.cpus = skel->bss->inputs_cpus,
		.kicks = skel->bss->inputs_kicks,
		.limits = skel->bss->inputs_limits,
		.freq = skel->bss->inputs_freq,
		.delay_us = skel->bss->inputs_delay_us,
		.set_tunables = set_conservative,
		.conservative = skel,
	};

	ASSERT_EQ(0, set_all_governors("ext"));
	ASSERT_EQ(0, write_tunable("ext", "sampling_rate", MAX_US));
	ASSERT_EQ(0, inputs_attach(skel->obj));
	self->link = bpf_map__attach_struct_ops(skel->maps.conservative);
	ASSERT_NE(NULL, self->link);
	replay_all(_metadata, self, &target);
}

/*************************** governors that measure nothing *****************/

/* Write the same to the last policy, which the kernel governs, and the first. */
static int write_both(const char *file, unsigned int value)
{
	int err = write_policy_num(policies[0], file, value);

	return err == write_policy_num(policies[nr_policies - 1], file, value) ? err : 1;
}

static bool both_limited(unsigned int min, unsigned int max)
{
	int last = policies[nr_policies - 1];

	return read_policy_num(policies[0], "scaling_min_freq") == min &&
	       read_policy_num(policies[0], "scaling_max_freq") == max &&
	       read_policy_num(last, "scaling_min_freq") == min &&
	       read_policy_num(last, "scaling_max_freq") == max;
}

/* There are many: look often. */
static bool wait_limited(unsigned int min, unsigned int max)
{
	int n;

	for (n = 0; n < 50 * SETTLE_MS / 10; n++) {
		if (both_limited(min, max))
			return true;
		usleep(200);
	}
	return false;
}

static void compare(struct __test_metadata *_metadata,
		    struct _test_data_equality *self, const char *governor,
		    bool setspeed)
{
	unsigned int min = min_freq(), max = max_freq(), freq, kinds = 0;
	int last = policies[nr_policies - 1], n;
	char path[64];

	if (nr_policies < 2)
		SKIP(return, "needs two policies");
	snprintf(path, sizeof(path), "cpufreq_ext_%s.bpf.o", governor);
	self->obj = bpf_object__open_file(path, NULL);
	ASSERT_NE(NULL, self->obj);
	ASSERT_EQ(0, bpf_object__load(self->obj));
	ASSERT_EQ(0, set_governor(last, governor));
	ASSERT_EQ(0, set_governor(policies[0], "ext"));
	self->link = bpf_map__attach_struct_ops(bpf_object__find_map_by_name(self->obj, governor));
	ASSERT_NE(NULL, self->link);

	for (n = 0; n < NR_SET && !_metadata->exit_code; n++) {
		freq = freqs[random() % nr_freqs];
		if (setspeed && random() % 3) {
			if (random() % 4 == 0)
				freq = random() % (2 * max_freq());
			if (random() % 64 == 0)
				freq = 0;
			EXPECT_EQ(0, write_both("scaling_setspeed", freq));
		} else if (random() % 2) {
			min = freq <= max ? freq : max;
			ASSERT_EQ(0, write_both("scaling_min_freq", min));
		} else {
			max = freq >= min ? freq : min;
			ASSERT_EQ(0, write_both("scaling_max_freq", max));
		}
		ASSERT_TRUE(wait_limited(min, max));
		freq = cur_freq(last);
		kinds |= 1 << freq % 31;
		EXPECT_EQ(freq, cur_freq(policies[0]))
			TH_LOG("step %d, limits %u..%u", n, min, max);
	}
	/* More than two frequencies were seen. */
	EXPECT_LT(2, __builtin_popcount(kinds));
}

TEST_F_TIMEOUT(equality, performance, 300)
{
	compare(_metadata, self, "performance", false);
}

TEST_F_TIMEOUT(equality, powersave, 300)
{
	compare(_metadata, self, "powersave", false);
}

TEST_F_TIMEOUT(equality, userspace, 300)
{
	compare(_metadata, self, "userspace", true);
}

TEST_HARNESS_MAIN
