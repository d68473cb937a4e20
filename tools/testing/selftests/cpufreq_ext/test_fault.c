// SPDX-License-Identifier: GPL-2.0-only
/*
 * The governor ext: BPF governors that give up, are slow or leave policies alone
 * are ejected; what they do is counted.
 */
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "kselftest_harness.h"
#include "util.h"
#include "eject.h"
#include "eject.skel.h"
#include "error_fail.skel.h"

#define REASON_LEN	128
#define PIN		"/sys/fs/bpf/cpufreq_ext_test_fault"

/* The kernel's: an operation may take this long. */
#define CALL_LIMIT_MS	2000
/* And its watchdog looks as often as this. */
#define WATCH_MS	1000

#define STAT_FAULT(name, reason)					\
	"Stat: CPUFREQ_EXT_FAULT\nBPF governor: " name "\nReason: " reason "\n"

static char libbpf_log[65536];

static int on_libbpf_message(enum libbpf_print_level level, const char *fmt,
			     va_list args)
{
	size_t len = strlen(libbpf_log);

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

static unsigned int mid_freq(void)
{
	return freqs[nr_freqs / 2];
}

static bool stat_is(const char *text)
{
	return !strcmp(read_stat(), text);
}

static bool is_ejected(void)
{
	return !strncmp(read_stat(), "Stat: CPUFREQ_EXT_FAULT\n", 24);
}

static const char *reason(void)
{
	static char text[512];
	const char *found = strstr(read_stat(), "\nReason: ");

	snprintf(text, sizeof(text), "%s", found ? found + 9 : "(none)");
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* The policies of ext are on the fallback, others where they were. */
static bool all_at_maximum(void)
{
	int i;

	for (i = 0; i < nr_policies; i++)
		if (!strcmp(read_policy(policies[i], "scaling_governor"), "ext") &&
		    cur_freq(policies[i]) != read_policy_num(policies[i], "scaling_max_freq"))
			return false;
	return true;
}

/* How often the kernel has said so since the test began */
static int kmsg_count(int fd, const char *text)
{
	static char log[65536], *found;
	static size_t len;
	ssize_t got;
	int n = 0;

	for (;;) {
		got = read(fd, log + len, sizeof(log) - 1 - len);
		if (got < 0 && errno == EPIPE)
			continue;
		if (got <= 0)
			break;
		len += got;
	}
	for (found = log; (found = strstr(found, text)); found++)
		n++;
	return n;
}

static bool has_hung_up(struct bpf_link *link)
{
	struct pollfd fd = { .fd = bpf_link__fd(link) };

	return poll(&fd, 1, 0) == 1 && fd.revents & POLLHUP;
}

static u_int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

/* policy < 0: the sum of all */
static unsigned long counter(int policy, const char *name)
{
	char path[128], text[64];

	if (policy < 0)
		snprintf(path, sizeof(path), CPUFREQ "/ext/%s", name);
	else
		snprintf(path, sizeof(path), CPUFREQ "/ext/policy%d/%s", policy, name);
	return read_file(path, text, sizeof(text)) ? -1UL : strtoul(text, NULL, 10);
}

FIXTURE(fault)
{
	struct eject *eject;
	struct bpf_link *link, *next;
	int policy, cpu;	/* the first one, and its first CPU */
	int last, last_cpu;	/* the last policy, and its last CPU */
	int kmsg;
	bool sleeps;		/* operations can sleep */
};

static int attach_traces(struct eject *eject)
{
	struct { struct bpf_program *prog; struct bpf_link **link; } traces[] = {
		{ eject->progs.on_fault, &eject->links.on_fault },
		{ eject->progs.on_attach, &eject->links.on_attach },
		{ eject->progs.on_detach, &eject->links.on_detach },
		{ eject->progs.on_decision, &eject->links.on_decision },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(traces); i++) {
		*traces[i].link = bpf_program__attach(traces[i].prog);
		if (!*traces[i].link)
			return -errno;
	}
	return 0;
}

FIXTURE_SETUP(fault)
{
	int cpus[MAX_POLICIES];

	libbpf_set_print(on_libbpf_message);
	find_policies();
	if (nr_policies < 2)
		SKIP(return, "no cpufreq driver with two policies");
	if (nr_freqs < 3)
		SKIP(return, "the driver has no frequency table of 3 or more");
	self->policy = policies[0];
	self->last = policies[nr_policies - 1];
	ASSERT_LT(0, policy_cpus(self->policy, &self->cpu, 1));
	self->last_cpu = cpus[policy_cpus(self->last, cpus, MAX_POLICIES) - 1];
	ASSERT_EQ(0, set_all_governors("ext"));
	if (!access("cpufreq_ext_caller.ko", R_OK))
		self->sleeps = !system("insmod ./cpufreq_ext_caller.ko");
	self->eject = eject__open_and_load();
	ASSERT_NE(NULL, self->eject) TH_LOG("%s", libbpf_log);
	ASSERT_EQ(0, attach_traces(self->eject));
	self->eject->bss->want_freq = min_freq();
	self->eject->bss->other_freq = mid_freq();
	memcpy(self->eject->bss->message, "I am broken", 12);
	self->eject->bss->message_size = 12;
	self->kmsg = kmsg_open();
}

FIXTURE_TEARDOWN(fault)
{
	int i;

	busy_stop();
	bpf_link__destroy(self->next);
	bpf_link__destroy(self->link);
	/* The next test may not expect a fault: it is told until the next load. */
	if (self->eject && !strncmp(read_stat(), "Stat: CPUFREQ_EXT_FAULT", 23)) {
		set_all_governors("ext");
		bpf_link__destroy(bpf_map__attach_struct_ops(self->eject->maps.other));
	}
	eject__destroy(self->eject);
	set_online(self->last_cpu, true);
	for (i = 0; i < nr_policies; i++)
		EXPECT_TRUE(set_limits(policies[i], min_freq(), max_freq()));
	set_all_governors("performance");
	/* It is unloaded when the freed map has let it go. */
	if (self->sleeps)
		EXPECT_TRUE(wait_for(!system("rmmod cpufreq_ext_caller 2>/dev/null")));
	close(self->kmsg);
}

static struct bpf_link *attach(struct bpf_map *map)
{
	return bpf_map__attach_struct_ops(map);
}

/* A decision at once; the core says nothing of its result. */
static void decide(int policy)
{
	write_policy(policy, "scaling_setspeed", "1");
}

/* The governor "eject" gives up as soon as its operation is called. */
static void give_up(struct _test_data_fault *self)
{
	self->eject->data->error_in = EJECT_SETSPEED;
	decide(self->policy);
	self->eject->data->error_in = -1;
}

static bool is_policy(int policy)
{
	int i;

	for (i = 0; i < nr_policies && policies[i] != policy; i++)
		;
	return i < nr_policies;
}

/* It is ejected with all that belongs to it: once, and it was undone. */
static void expect_ejected(struct __test_metadata *_metadata,
			   struct _test_data_fault *self, const char *why)
{
	struct eject__bss *bss = self->eject->bss;
	int i, fault_cpu;
	char text[512];

	EXPECT_TRUE(wait_for(is_ejected())) TH_LOG("%s", read_stat());
	snprintf(text, sizeof(text), STAT_FAULT("eject", "%s"), why);
	EXPECT_STREQ(text, read_stat());
	EXPECT_TRUE(wait_for(all_at_maximum()));
	EXPECT_TRUE(wait_for(has_hung_up(self->link)));
	EXPECT_EQ(-ENOLINK, bpf_link__update_map(self->link, self->eject->maps.other));

	snprintf(text, sizeof(text), "BPF governor eject ejected: %s\n", why);
	EXPECT_EQ(1, kmsg_count(self->kmsg, text)) TH_LOG("%s", text);
	EXPECT_EQ(1, bss->trace_faults);
	EXPECT_STREQ("eject", bss->trace_name);
	/* exit() is the one operation here that has no policy. */
	fault_cpu = self->eject->data->trace_fault_cpu;
	EXPECT_TRUE(self->eject->data->error_in == EJECT_EXIT ? fault_cpu == -1 :
		    is_policy(fault_cpu)) TH_LOG("policy %d", fault_cpu);
	EXPECT_STREQ(why, bss->trace_reason);
	EXPECT_EQ(1, bss->calls[EJECT_EXIT]);
	EXPECT_EQ(bss->calls[EJECT_STOP], bss->stops_at_exit);
	for (i = 0; i < nr_policies; i++)
		EXPECT_EQ(0, bss->active[policies[i]]);

	bpf_link__destroy(self->link);
	self->link = NULL;
	EXPECT_TRUE(is_ejected());
	EXPECT_EQ(1, bss->calls[EJECT_EXIT]);
}

/* See limit_for_a_while(). */
static pthread_t limit_thread;
static bool limits_wait;

/* Another governor takes its place. */
static void expect_works_again(struct __test_metadata *_metadata,
			       struct _test_data_fault *self)
{
	if (limits_wait) {
		limits_wait = false;
		pthread_join(limit_thread, NULL);
		EXPECT_TRUE(wait_for(read_policy_num(self->policy, "scaling_max_freq") ==
				     max_freq()));
	}
	self->next = attach(self->eject->maps.other);
	ASSERT_NE(NULL, self->next) TH_LOG("errno %d, %s", errno, read_stat());
	EXPECT_TRUE(stat_is(STAT_LOADED("other"))) TH_LOG("%s", read_stat());
	EXPECT_EQ(mid_freq(), cur_freq(self->policy));
	EXPECT_FALSE(has_hung_up(self->next));
	bpf_link__destroy(self->next);
	self->next = NULL;
	EXPECT_TRUE(stat_is(STAT_INIT)) TH_LOG("%s", read_stat());
	EXPECT_TRUE(all_at_maximum());
}

/*************************** giving up **************************************/

static void cause_next_freq(struct _test_data_fault *self)
{
	busy_start(self->cpu);
}

static void cause_start(struct _test_data_fault *self)
{
	set_online(self->last_cpu, false);
	set_online(self->last_cpu, true);
}

static void cause_stop(struct _test_data_fault *self)
{
	set_governor(self->last, "performance");
	set_governor(self->last, "ext");
}

static void cause_limits(struct _test_data_fault *self)
{
	write_policy_num(self->policy, "scaling_max_freq", mid_freq());
}

static void cause_setspeed(struct _test_data_fault *self)
{
	decide(self->policy);
}

/* An error in an operation ejects, whatever the other policies do. */
static void gives_up_in(struct __test_metadata *_metadata,
			struct _test_data_fault *self, int operation,
			void (*cause)(struct _test_data_fault *self))
{
	unsigned long faults = counter(-1, "faults");
	int i;

	/* One that has another governor, one with limits of its own, if there are. */
	if (nr_policies > 2)
		ASSERT_EQ(0, set_governor(policies[1], "powersave"));
	if (nr_policies > 3)
		ASSERT_TRUE(set_limits(policies[2], min_freq(), mid_freq()));
	self->link = attach(self->eject->maps.eject);
	ASSERT_NE(NULL, self->link);
	EXPECT_TRUE(stat_is(STAT_LOADED("eject")));
	for (i = 0; i < nr_policies; i++)
		EXPECT_EQ(min_freq(), cur_freq(policies[i]));

	self->eject->data->error_in = operation;
	cause(self);
	EXPECT_TRUE(wait_for(is_ejected()));
	self->eject->data->error_in = -1;
	expect_ejected(_metadata, self, "I am broken");
	EXPECT_EQ(0, self->eject->data->error_result);
	EXPECT_EQ(faults + 1, counter(-1, "faults"));
	if (nr_policies > 2)
		EXPECT_EQ(min_freq(), cur_freq(policies[1]));
	if (nr_policies > 3)
		EXPECT_EQ(mid_freq(), cur_freq(policies[2]));
	/* No other message repeats it. */
	EXPECT_EQ(0, kmsg_count(self->kmsg, "start of BPF governor"));
	busy_stop();
	expect_works_again(_metadata, self);
}

TEST_F(fault, in_get_next_freq)
{
	gives_up_in(_metadata, self, EJECT_NEXT_FREQ, cause_next_freq);
}

TEST_F(fault, in_get_sampling_rate)
{
	gives_up_in(_metadata, self, EJECT_SAMPLING_RATE, cause_next_freq);
}

TEST_F(fault, in_start)
{
	gives_up_in(_metadata, self, EJECT_START, cause_start);
}

TEST_F(fault, in_stop)
{
	gives_up_in(_metadata, self, EJECT_STOP, cause_stop);
}

TEST_F(fault, in_limits)
{
	gives_up_in(_metadata, self, EJECT_LIMITS, cause_limits);
}

TEST_F(fault, in_store_setspeed)
{
	gives_up_in(_metadata, self, EJECT_SETSPEED, cause_setspeed);
}

/* It is gone already; users are told of the fault all the same. */
TEST_F(fault, in_exit)
{
	self->link = attach(self->eject->maps.eject);
	ASSERT_NE(NULL, self->link);
	self->eject->data->error_in = EJECT_EXIT;
	ASSERT_EQ(0, bpf_link__detach(self->link));
	EXPECT_TRUE(stat_is(STAT_FAULT("eject", "I am broken")));
	expect_ejected(_metadata, self, "I am broken");
	expect_works_again(_metadata, self);
}

TEST_F(fault, while_it_is_registered)
{
	static const int operations[] = { EJECT_INIT, EJECT_START };
	unsigned long faults = counter(-1, "faults");
	struct eject__bss *bss = self->eject->bss;
	size_t i;
	int k;

	for (i = 0; i < ARRAY_SIZE(operations); i++) {
		/* The last of the policies */
		self->eject->data->error_in = operations[i];
		self->eject->data->error_cpu = self->last;
		self->link = attach(self->eject->maps.eject);
		EXPECT_EQ(NULL, self->link);
		EXPECT_EQ(ECANCELED, errno);
		EXPECT_TRUE(stat_is(STAT_INIT)) TH_LOG("%s", read_stat());
		EXPECT_TRUE(all_at_maximum());
		EXPECT_EQ(i + 1, kmsg_count(self->kmsg,
					    "BPF governor eject gives up: I am broken\n"));
	}
	EXPECT_EQ(2, bss->calls[EJECT_INIT]);
	EXPECT_EQ(1, bss->calls[EJECT_EXIT]);
	EXPECT_EQ(nr_policies, bss->calls[EJECT_START]);
	EXPECT_EQ(nr_policies - 1, bss->calls[EJECT_STOP]);
	EXPECT_EQ(0, bss->calls[EJECT_NEXT_FREQ]);
	EXPECT_EQ(0, bss->trace_faults);
	EXPECT_EQ(faults, counter(-1, "faults"));
	for (k = 0; k < nr_policies - 1; k++)
		EXPECT_EQ(0, bss->active[policies[k]]);
	expect_works_again(_metadata, self);
}

/* Its first decision comes after the registration. */
TEST_F(fault, in_the_first_decision)
{
	self->eject->data->error_in = EJECT_NEXT_FREQ;
	self->link = attach(self->eject->maps.eject);
	ASSERT_NE(NULL, self->link);
	expect_ejected(_metadata, self, "I am broken");
	self->eject->data->error_in = -1;
	expect_works_again(_metadata, self);
}

TEST_F(fault, messages)
{
	static const struct { const char *text; int size; const char *reason; } cases[] = {
		{ "", 1, "" },
		{ "x", 0, "" },
		{ "x", 1, "x" },
		{ "no NUL", 6, "no NUL" },
		{ "cut off", 3, "cut" },
		{ "a\nb\tc\001d\177e\303\251%s%n", 17, "a?b?c?d?e??%s%n" },
	};
	static const int lengths[] = { 126, 127, 128, 4000, EJECT_MESSAGE_LEN };
	struct eject__bss *bss = self->eject->bss;
	char expected[512], big[EJECT_MESSAGE_LEN];
	size_t i;

	memset(big, 'm', sizeof(big));
	for (i = 0; i < ARRAY_SIZE(cases) + ARRAY_SIZE(lengths); i++) {
		if (i < ARRAY_SIZE(cases)) {
			memcpy(bss->message, cases[i].text, strlen(cases[i].text) + 1);
			bss->message_size = cases[i].size;
			snprintf(expected, sizeof(expected), STAT_FAULT("eject", "%s"),
				 cases[i].reason);
		} else {
			int length = lengths[i - ARRAY_SIZE(cases)];

			memcpy(bss->message, big, length);
			bss->message_size = length;
			snprintf(expected, sizeof(expected), STAT_FAULT("eject", "%.*s"),
				 length < REASON_LEN ? length : REASON_LEN - 1, big);
		}
		self->link = attach(self->eject->maps.eject);
		ASSERT_NE(NULL, self->link) TH_LOG("%zu: %d", i, errno);
		give_up(self);
		EXPECT_STREQ(expected, read_stat());
		bpf_link__destroy(self->link);
		self->link = NULL;
	}
	expect_works_again(_metadata, self);
}

/* The macro for messages with arguments, in a program that cannot sleep */
TEST_F(fault, message_with_arguments)
{
	char expected[256];

	self->eject->bss->other_fails = true;
	self->eject->data->error_cpu = self->policy;
	self->next = attach(self->eject->maps.other);
	ASSERT_NE(NULL, self->next);
	snprintf(expected, sizeof(expected), STAT_FAULT("other", "policy %d wants 42"),
		 self->policy);
	EXPECT_STREQ(expected, read_stat());
	EXPECT_EQ(0, self->eject->data->other_error);
	EXPECT_TRUE(wait_for(has_hung_up(self->next)));
}

TEST_F(fault, error_values)
{
	static const struct { long value; bool ejects; } cases[] = {
		{ -1, false }, { -2, true }, { -22, true }, { -4095, true },
		{ -4096, false }, { -4097, false }, { 1L << 62, false },
	};
	char expected[256];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		self->eject->bss->want_freq = min_freq();
		self->link = attach(self->eject->maps.eject);
		ASSERT_NE(NULL, self->link);
		self->eject->bss->want_freq = cases[i].value;
		decide(self->policy);
		EXPECT_TRUE(wait_for(cur_freq(self->policy) == max_freq()));
		if (cases[i].ejects)
			snprintf(expected, sizeof(expected),
				 STAT_FAULT("eject", "get_next_freq returned error %ld"),
				 cases[i].value);
		else
			snprintf(expected, sizeof(expected), STAT_LOADED("eject"));
		EXPECT_STREQ(expected, read_stat());
		bpf_link__destroy(self->link);
		self->link = NULL;
	}
}

/*************************** callers ****************************************/

TEST_F(fault, refused_by_the_verifier)
{
	struct bpf_program *prog, *other;
	struct error_fail *skel;
	int i, n = 1;

	for (i = 0; i < n; i++) {
		int k = 0;

		skel = error_fail__open();
		ASSERT_NE(NULL, skel);
		prog = NULL;
		bpf_object__for_each_program(other, skel->obj) {
			bpf_program__set_autoload(other, k == i);
			if (k++ == i)
				prog = other;
		}
		n = k;
		libbpf_log[0] = '\0';
		EXPECT_NE(0, error_fail__load(skel)) TH_LOG("%s", bpf_program__name(prog));
		EXPECT_NE(NULL, strstr(libbpf_log,
				       "calling kernel function bpf_cpufreq_error is not allowed"))
			TH_LOG("%s: %s", bpf_program__name(prog), libbpf_log);
		error_fail__destroy(skel);
	}
	EXPECT_EQ(4, n);
}

TEST_F(fault, refused_in_a_timer)
{
	self->link = attach(self->eject->maps.timer);
	ASSERT_NE(NULL, self->link);
	EXPECT_TRUE(wait_for(self->eject->data->timer_result == -EPERM))
		TH_LOG("%d", self->eject->data->timer_result);
	EXPECT_TRUE(stat_is(STAT_LOADED("timer")));
}

/*************************** a new one at once ******************************/

TEST_F_TIMEOUT(fault, another_one_at_once, 120)
{
	struct bpf_link *next;
	int i;

	/* Decisions of others must not be in the way. */
	busy_start(self->last_cpu);
	self->eject->bss->want_rate_us = 1;
	for (i = 0; i < 100; i++) {
		self->link = attach(self->eject->maps.eject);
		ASSERT_NE(NULL, self->link) TH_LOG("%d: errno %d", i, errno);
		give_up(self);
		next = attach(self->eject->maps.other);
		EXPECT_NE(NULL, next) TH_LOG("%d: errno %d, %s", i, errno, read_stat());
		EXPECT_TRUE(stat_is(STAT_LOADED("other"))) TH_LOG("%s", read_stat());
		EXPECT_EQ(mid_freq(), cur_freq(self->policy));
		EXPECT_TRUE(wait_for(has_hung_up(self->link)));
		EXPECT_FALSE(has_hung_up(next));
		bpf_link__destroy(self->link);
		self->link = NULL;
		EXPECT_TRUE(stat_is(STAT_LOADED("other"))) TH_LOG("%s", read_stat());
		bpf_link__destroy(next);
		EXPECT_TRUE(stat_is(STAT_INIT));
	}
}

/* Two are ejected before the first link is detached: both are, in the end. */
TEST_F_TIMEOUT(fault, several_in_a_row, 120)
{
	struct bpf_link *third;
	int i;

	for (i = 0; i < 100; i++) {
		self->link = attach(self->eject->maps.eject);
		ASSERT_NE(NULL, self->link);
		give_up(self);
		self->eject->bss->other_fails = true;
		self->next = attach(self->eject->maps.other);
		ASSERT_NE(NULL, self->next);
		self->eject->bss->other_fails = false;
		third = attach(self->eject->maps.timer);
		ASSERT_NE(NULL, third);
		EXPECT_TRUE(wait_for(has_hung_up(self->link)));
		EXPECT_TRUE(wait_for(has_hung_up(self->next)));
		EXPECT_FALSE(has_hung_up(third));
		EXPECT_TRUE(stat_is(STAT_LOADED("timer")));
		bpf_link__destroy(third);
		bpf_link__destroy(self->next);
		self->next = NULL;
		bpf_link__destroy(self->link);
		self->link = NULL;
	}
}

/* The user's wish while the old one fails: a fault of the new one counts. */
TEST_F(fault, replaced_while_it_fails)
{
	pid_t child;
	int status;

	if (!self->sleeps)
		SKIP(return, "no cpufreq_ext_caller.ko here: build it with KDIR set");
	self->link = attach(self->eject->maps.eject);
	ASSERT_NE(NULL, self->link);
	/* libbpf makes the map ready on the way to a link, which is refused. */
	EXPECT_EQ(NULL, attach(self->eject->maps.other));
	self->eject->data->delay_in = EJECT_OTHER_START;
	self->eject->data->delay_cpu = self->last;
	self->eject->bss->delay_ms = 500;
	self->eject->bss->other_fails = true;
	child = fork();
	if (!child)
		_exit(bpf_link__update_map(self->link, self->eject->maps.other) ? 1 : 0);
	EXPECT_TRUE(wait_for(self->eject->bss->in_delay));
	give_up(self);
	EXPECT_EQ(1, self->eject->bss->in_delay);
	waitpid(child, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_TRUE(wait_for(is_ejected()));
	EXPECT_NE(NULL, strstr(read_stat(), "BPF governor: other\n")) TH_LOG("%s", read_stat());
	EXPECT_TRUE(wait_for(has_hung_up(self->link)));
	EXPECT_TRUE(wait_for(all_at_maximum()));
	EXPECT_EQ(1, self->eject->bss->calls[EJECT_EXIT]);
	EXPECT_EQ(1, self->eject->bss->other_exit);
}

/*************************** operations that take long **********************/

/* Let a decision of the first policy take @ms, and wait until it is in it. */
static void hang(struct __test_metadata *_metadata, struct _test_data_fault *self,
		 unsigned int ms)
{
	self->link = attach(self->eject->maps.eject);
	ASSERT_NE(NULL, self->link);
	self->eject->bss->delay_ms = ms;
	self->eject->data->delay_cpu = self->policy;
	self->eject->data->delay_in = EJECT_NEXT_FREQ;
	busy_start(self->cpu);
	ASSERT_TRUE(wait_for(self->eject->bss->in_delay));
}

/* The second write waits for the first limit to come into force, after the operation. */
static void *limit_for_a_while(void *policy)
{
	write_policy_num((long)policy, "scaling_max_freq", freqs[1]);
	sleep_ms(50);
	write_policy_num((long)policy, "scaling_max_freq", max_freq());
	return NULL;
}

/* Whatever a user may do meanwhile does not wait for the operation. */
static void expect_governable(struct __test_metadata *_metadata,
			      struct _test_data_fault *self)
{
	u_int64_t start = now_ms();

	/* But the limits of that policy do. */
	if (!limits_wait)
		ASSERT_EQ(0, pthread_create(&limit_thread, NULL, limit_for_a_while,
					    (void *)(long)self->policy));
	limits_wait = true;
	sleep_ms(50);
	EXPECT_TRUE(set_limits(self->last, freqs[0], freqs[1]));
	EXPECT_TRUE(set_limits(self->last, freqs[0], max_freq()));
	EXPECT_EQ(0, set_governor(self->last, "powersave"));
	EXPECT_EQ(min_freq(), cur_freq(self->last));
	EXPECT_EQ(0, set_governor(self->last, "ext"));
	EXPECT_EQ(0, write_file(CPUFREQ "/ext/sampling_rate", "20000"));
	/* These would have to wait, unless they stay as they are. */
	EXPECT_EQ(-EBUSY, write_file(CPUFREQ "/ext/io_is_busy", "1"));
	EXPECT_EQ(-EBUSY, write_file(CPUFREQ "/ext/ignore_nice_load", "1"));
	EXPECT_EQ(0, write_file(CPUFREQ "/ext/io_is_busy", "0"));
	EXPECT_EQ(0, write_file(CPUFREQ "/ext/ignore_nice_load", "0"));
	read_stat();
	counter(-1, "decisions");
	counter(self->policy, "decisions");
	EXPECT_GT(3000, now_ms() - start);

	/* A busy CPU may take its time to go; the operation runs after it all the same. */
	EXPECT_EQ(0, set_online(self->last_cpu, false));
	EXPECT_EQ(0, set_online(self->last_cpu, true));
	EXPECT_EQ(1, self->eject->bss->in_delay);
}

static void expect_reason_ms(struct __test_metadata *_metadata, const char *text,
			     unsigned int least, unsigned int most)
{
	const char *why = reason();
	unsigned long ms;
	char *end;

	ASSERT_EQ(0, strncmp(why, text, strlen(text))) TH_LOG("%s", why);
	ms = strtoul(why + strlen(text), &end, 10);
	EXPECT_STREQ(" ms", end);
	EXPECT_LE(least, ms);
	EXPECT_GE(most, ms);
}

/* The operation of hang() ends, and is the last one that hangs. */
static void expect_return(struct __test_metadata *_metadata, struct _test_data_fault *self)
{
	EXPECT_TRUE(wait_for_ms(!self->eject->bss->in_delay, 15000));
	self->eject->data->delay_in = -1;
}

TEST_F_TIMEOUT(fault, operation_does_not_return, 120)
{
	struct bpf_link *early;
	u_int64_t start;
	u_int32_t calls;
	char why[512];
	int cpu;

	if (!self->sleeps)
		SKIP(return, "no cpufreq_ext_caller.ko here: build it with KDIR set");
	/* Decisions of another policy must not put the watchdog off. */
	policy_cpus(policies[1], &cpu, 1);
	busy_start(cpu);
	hang(_metadata, self, 9000);
	start = now_ms();
	calls = self->eject->bss->next_cpu[self->policy];

	while (!is_ejected() && now_ms() - start < 6000)
		sleep_ms(10);
	EXPECT_TRUE(is_ejected()) TH_LOG("%s", read_stat());
	EXPECT_GT(CALL_LIMIT_MS + 2 * WATCH_MS, now_ms() - start);
	expect_reason_ms(_metadata, "an operation has not returned for ",
			 CALL_LIMIT_MS, CALL_LIMIT_MS + WATCH_MS + 200);
	EXPECT_TRUE(wait_for(cur_freq(self->last) == max_freq()));
	expect_governable(_metadata, self);
	EXPECT_EQ(max_freq(), cur_freq(self->last));
	/* Its place is not free before it returned. */
	early = attach(self->eject->maps.other);
	EXPECT_EQ(NULL, early);
	EXPECT_EQ(EBUSY, errno);
	EXPECT_FALSE(has_hung_up(self->link));

	expect_return(_metadata, self);
	snprintf(why, sizeof(why), "%s", reason());
	expect_ejected(_metadata, self, why);
	/* It was not asked again. */
	EXPECT_EQ(calls, self->eject->bss->next_cpu[self->policy]);
	busy_stop();
	expect_works_again(_metadata, self);
}

/* On a CPU of the policy: that one does not go offline meanwhile. */
static void *attach_there(void *arg)
{
	struct _test_data_fault *self = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(self->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	self->link = attach(self->eject->maps.eject);
	return NULL;
}

/* Nor does the first: who registers the governor waits for it, and nobody else. */
TEST_F_TIMEOUT(fault, first_decision_does_not_return, 120)
{
	pthread_t thread;
	char why[512];

	if (!self->sleeps)
		SKIP(return, "no cpufreq_ext_caller.ko here: build it with KDIR set");
	self->eject->bss->delay_ms = 9000;
	self->eject->data->delay_cpu = self->policy;
	self->eject->data->delay_in = EJECT_NEXT_FREQ;
	busy_start(self->cpu);
	ASSERT_EQ(0, pthread_create(&thread, NULL, attach_there, self));
	ASSERT_TRUE(wait_for(self->eject->bss->in_delay));
	EXPECT_TRUE(stat_is(STAT_LOADED("eject"))) TH_LOG("%s", read_stat());
	expect_governable(_metadata, self);
	EXPECT_TRUE(wait_for(is_ejected())) TH_LOG("%s", read_stat());
	expect_reason_ms(_metadata, "an operation has not returned for ",
			 CALL_LIMIT_MS, CALL_LIMIT_MS + WATCH_MS + 200);
	EXPECT_TRUE(wait_for(cur_freq(self->last) == max_freq()));
	EXPECT_EQ(1, self->eject->bss->in_delay);

	expect_return(_metadata, self);
	pthread_join(thread, NULL);
	ASSERT_NE(NULL, self->link);
	snprintf(why, sizeof(why), "%s", reason());
	expect_ejected(_metadata, self, why);
	EXPECT_EQ(1, self->eject->bss->next_cpu[self->policy]);
	busy_stop();
	expect_works_again(_metadata, self);
}

static void *destroy_link(void *link)
{
	bpf_link__destroy(link);
	return NULL;
}

/* The loader ends: it has to wait, nobody else. */
TEST_F_TIMEOUT(fault, unloaded_while_an_operation_runs, 120)
{
	pthread_t thread;

	if (!self->sleeps)
		SKIP(return, "no cpufreq_ext_caller.ko here: build it with KDIR set");
	hang(_metadata, self, 9000);
	ASSERT_EQ(0, pthread_create(&thread, NULL, destroy_link, self->link));
	self->link = NULL;
	sleep_ms(300);
	EXPECT_EQ(max_freq(), cur_freq(self->last));
	expect_governable(_metadata, self);
	sleep_ms(3000);
	EXPECT_TRUE(is_ejected()) TH_LOG("%s", read_stat());
	expect_governable(_metadata, self);
	self->eject->data->delay_in = -1;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, self->eject->bss->in_delay);
	EXPECT_EQ(1, self->eject->bss->calls[EJECT_EXIT]);
	EXPECT_EQ(0, self->eject->bss->active[self->policy]);
	busy_stop();
	expect_works_again(_metadata, self);
}

static void *replace_governor(void *arg)
{
	struct _test_data_fault *self = arg;

	return (void *)(long)bpf_link__update_map(self->link, self->eject->maps.other);
}

/* So does who replaces it, until it is ejected. */
TEST_F_TIMEOUT(fault, replaced_while_an_operation_runs, 120)
{
	pthread_t thread;
	char why[512];
	void *err;

	if (!self->sleeps)
		SKIP(return, "no cpufreq_ext_caller.ko here: build it with KDIR set");
	hang(_metadata, self, 9000);
	ASSERT_EQ(0, pthread_create(&thread, NULL, replace_governor, self));
	sleep_ms(300);
	expect_governable(_metadata, self);
	pthread_join(thread, &err);
	EXPECT_EQ(-ENOLINK, (long)err);
	EXPECT_EQ(1, self->eject->bss->in_delay);
	EXPECT_TRUE(is_ejected()) TH_LOG("%s", read_stat());
	expect_governable(_metadata, self);

	expect_return(_metadata, self);
	snprintf(why, sizeof(why), "%s", reason());
	expect_ejected(_metadata, self, why);
	busy_stop();
	expect_works_again(_metadata, self);
}

/* Until the replacement has failed, no operation begins; then it is as before. */
TEST_F_TIMEOUT(fault, paused_and_not_replaced, 60)
{
	struct eject__bss *bss = self->eject->bss;
	u_int32_t decisions, limits, speeds;
	pthread_t thread;
	void *err;

	if (!self->sleeps)
		SKIP(return, "no cpufreq_ext_caller.ko here: build it with KDIR set");
	bss->other_start_error = -EIO;
	hang(_metadata, self, 1500);
	self->eject->data->delay_in = -1;
	ASSERT_EQ(0, pthread_create(&thread, NULL, replace_governor, self));
	sleep_ms(200);
	decisions = bss->next_cpu[self->last];
	limits = bss->calls[EJECT_LIMITS];
	/* The core does not pass the error on. */
	speeds = bss->calls[EJECT_SETSPEED];
	write_policy(self->last, "scaling_setspeed", "1");
	EXPECT_EQ(speeds, bss->calls[EJECT_SETSPEED]);
	EXPECT_TRUE(set_limits(self->last, freqs[1], max_freq()));
	EXPECT_EQ(decisions, bss->next_cpu[self->last]);
	EXPECT_EQ(limits, bss->calls[EJECT_LIMITS]);
	EXPECT_EQ(1, bss->in_delay);

	pthread_join(thread, &err);
	EXPECT_EQ(-EIO, (long)err);
	EXPECT_TRUE(stat_is(STAT_LOADED("eject"))) TH_LOG("%s", read_stat());
	/* It is told of the limits, and decides, though its policy is idle. */
	EXPECT_TRUE(wait_for(bss->calls[EJECT_LIMITS] > limits));
	EXPECT_TRUE(wait_for(bss->next_cpu[self->last] > decisions));
	EXPECT_TRUE(wait_for(cur_freq(self->last) == freqs[1]));
	write_policy(self->last, "scaling_setspeed", "1");
	EXPECT_EQ(speeds + 1, bss->calls[EJECT_SETSPEED]);
	busy_stop();
}

/* init() may take long: the old one goes on, and did not notice if it was for nothing. */
TEST_F_TIMEOUT(fault, goes_on_during_the_next_init, 60)
{
	struct eject__bss *bss = self->eject->bss;
	u_int32_t decisions, limits, speeds;
	pthread_t thread;
	void *err;

	if (!self->sleeps)
		SKIP(return, "no cpufreq_ext_caller.ko here: build it with KDIR set");
	bss->other_start_error = -EIO;
	bss->delay_ms = 1500;
	self->link = attach(self->eject->maps.eject);
	ASSERT_NE(NULL, self->link);
	self->eject->data->delay_in = EJECT_OTHER_INIT;
	ASSERT_EQ(0, pthread_create(&thread, NULL, replace_governor, self));
	ASSERT_TRUE(wait_for(bss->in_delay));
	busy_start(self->cpu);
	decisions = bss->next_cpu[self->policy];
	limits = bss->calls[EJECT_LIMITS];
	speeds = bss->calls[EJECT_SETSPEED];
	EXPECT_TRUE(wait_for(bss->next_cpu[self->policy] >= decisions + 3));
	write_policy(self->last, "scaling_setspeed", "1");
	EXPECT_EQ(speeds + 1, bss->calls[EJECT_SETSPEED]);
	EXPECT_TRUE(set_limits(self->last, freqs[1], max_freq()));
	EXPECT_LT(limits, bss->calls[EJECT_LIMITS]);
	EXPECT_EQ(freqs[1], cur_freq(self->last));
	EXPECT_EQ(1, bss->in_delay);

	pthread_join(thread, &err);
	EXPECT_EQ(-EIO, (long)err);
	EXPECT_EQ(1, bss->other_init);
	EXPECT_EQ(1, bss->other_exit);
	EXPECT_TRUE(stat_is(STAT_LOADED("eject"))) TH_LOG("%s", read_stat());
	busy_stop();
}

/* One that failed is asked no more, though its ejection has to wait. */
TEST_F_TIMEOUT(fault, fails_during_the_next_init, 60)
{
	struct eject__bss *bss = self->eject->bss;
	u_int32_t decisions;
	pthread_t thread;
	void *err;

	if (!self->sleeps)
		SKIP(return, "no cpufreq_ext_caller.ko here: build it with KDIR set");
	bss->delay_ms = 1500;
	bss->want_freq = min_freq();
	bss->want_rate_us = 500000;
	self->link = attach(self->eject->maps.eject);
	ASSERT_NE(NULL, self->link);
	busy_start(self->last_cpu);
	ASSERT_TRUE(wait_for(cur_freq(self->last) == min_freq()));
	self->eject->data->delay_in = EJECT_OTHER_INIT;
	ASSERT_EQ(0, pthread_create(&thread, NULL, replace_governor, self));
	ASSERT_TRUE(wait_for(bss->in_delay));
	decisions = bss->next_cpu[self->last];
	ASSERT_TRUE(wait_for(bss->next_cpu[self->last] > decisions));
	give_up(self);
	EXPECT_TRUE(is_ejected()) TH_LOG("%s", read_stat());
	decisions = bss->next_cpu[self->last];
	EXPECT_TRUE(wait_for(cur_freq(self->last) == max_freq()));
	EXPECT_EQ(decisions, bss->next_cpu[self->last]);
	EXPECT_EQ(1, bss->in_delay);

	pthread_join(thread, &err);
	EXPECT_EQ(-ENOLINK, (long)err);
	EXPECT_EQ(1, bss->other_init);
	EXPECT_EQ(1, bss->other_exit);
	busy_stop();
	EXPECT_TRUE(wait_for(has_hung_up(self->link)));
	EXPECT_EQ(1, bss->calls[EJECT_EXIT]);
}

static void *load_other(void *arg)
{
	struct _test_data_fault *self = arg;

	self->next = attach(self->eject->maps.other);
	return NULL;
}

/* While start() of another policy takes its time */
TEST_F_TIMEOUT(fault, limits_before_the_first_decision, 60)
{
	struct eject__bss *bss = self->eject->bss;
	u_int32_t limits;
	pthread_t thread;
	int replaces;

	if (!self->sleeps)
		SKIP(return, "no cpufreq_ext_caller.ko here: build it with KDIR set");
	bss->delay_ms = 1000;
	self->eject->data->delay_cpu = self->last;
	for (replaces = 0; replaces < 2; replaces++) {
		if (replaces) {
			self->eject->data->delay_in = -1;
			self->link = attach(self->eject->maps.eject);
			ASSERT_NE(NULL, self->link);
		}
		limits = bss->other_limits[self->policy];
		self->eject->data->delay_in = EJECT_OTHER_START;
		ASSERT_EQ(0, pthread_create(&thread, NULL,
					    replaces ? replace_governor : load_other, self));
		EXPECT_TRUE(wait_for(bss->in_delay));
		EXPECT_TRUE(set_limits(self->policy, freqs[0], freqs[1 + replaces]));
		EXPECT_EQ(1, bss->in_delay);
		EXPECT_EQ(limits, bss->other_limits[self->policy]);
		pthread_join(thread, NULL);
		EXPECT_TRUE(stat_is(STAT_LOADED("other"))) TH_LOG("%s", read_stat());
		EXPECT_EQ(limits + 1, bss->other_limits[self->policy]);
		/* Those of the others did not change. */
		EXPECT_EQ(0, bss->other_limits[self->last]);
		bpf_link__destroy(replaces ? self->link : self->next);
		self->link = NULL;
		self->next = NULL;
	}
}

/* The new governor decides for a policy: it knows its limits, whatever others wait for. */
TEST_F_TIMEOUT(fault, limits_while_the_governor_before_stops, 60)
{
	struct eject__bss *bss = self->eject->bss;
	pthread_t thread;
	u_int32_t stops;

	if (!self->sleeps)
		SKIP(return, "no cpufreq_ext_caller.ko here: build it with KDIR set");
	bss->delay_ms = 1000;
	self->eject->data->delay_cpu = self->last;
	self->link = attach(self->eject->maps.eject);
	ASSERT_NE(NULL, self->link);
	stops = bss->calls[EJECT_STOP];
	self->eject->data->delay_in = EJECT_OTHER_START;
	ASSERT_EQ(0, pthread_create(&thread, NULL, replace_governor, self));
	ASSERT_TRUE(wait_for(bss->in_delay));
	EXPECT_TRUE(set_limits(self->policy, freqs[0], freqs[1]));
	EXPECT_EQ(0, bss->other_limits[self->policy]);
	EXPECT_EQ(stops, bss->calls[EJECT_STOP]);
	self->eject->data->delay_in = EJECT_STOP;

	EXPECT_TRUE(wait_for(bss->other_limits[self->policy] == 1));
	EXPECT_EQ(1, bss->in_delay);
	EXPECT_EQ(stops + nr_policies, bss->calls[EJECT_STOP]);
	pthread_join(thread, NULL);
	EXPECT_TRUE(stat_is(STAT_LOADED("other"))) TH_LOG("%s", read_stat());
	EXPECT_EQ(1, bss->other_limits[self->policy]);
	EXPECT_EQ(0, bss->other_limits[self->last]);
}

/* Each is asked for while the one before runs: they leave no gap to unload in. */
TEST_F_TIMEOUT(fault, unloaded_between_slow_decisions, 120)
{
	u_int64_t start;
	u_int32_t calls;
	u_int32_t i;

	if (!self->sleeps)
		SKIP(return, "no cpufreq_ext_caller.ko here: build it with KDIR set");
	self->eject->bss->kicks = true;
	for (i = 1; i <= 5; i++) {
		hang(_metadata, self, 300);
		calls = self->eject->bss->next_cpu[self->policy];
		EXPECT_TRUE(wait_for(self->eject->bss->next_cpu[self->policy] >= calls + 3));

		/* One that runs and one that waits already */
		start = now_ms();
		bpf_link__destroy(self->link);
		self->link = NULL;
		EXPECT_GT(2 * 300 + 300, now_ms() - start);
		EXPECT_TRUE(stat_is(STAT_INIT)) TH_LOG("%s", read_stat());
		EXPECT_EQ(i, self->eject->bss->calls[EJECT_EXIT]);
		EXPECT_EQ(0, self->eject->bss->active[self->policy]);
		EXPECT_TRUE(wait_for(all_at_maximum()));
		busy_stop();
	}
	self->eject->bss->kicks = false;
	self->eject->data->delay_in = -1;
	expect_works_again(_metadata, self);
}

/* On each policy one runs at all times. */
TEST_F_TIMEOUT(fault, replaced_between_slow_decisions, 120)
{
	struct eject__bss *bss = self->eject->bss;
	u_int64_t start, ms;
	int i, first;

	if (!self->sleeps)
		SKIP(return, "no cpufreq_ext_caller.ko here: build it with KDIR set");
	bss->kicks = true;
	bss->delay_ms = 300;
	self->eject->data->delay_in = EJECT_NEXT_FREQ;
	self->link = attach(self->eject->maps.eject);
	ASSERT_NE(NULL, self->link);
	/* The map is made ready on the way to a link, which is refused: no part of the time. */
	EXPECT_EQ(NULL, attach(self->eject->maps.other));
	EXPECT_EQ(EBUSY, errno);
	for (i = 0; i < nr_policies; i++) {
		policy_cpus(policies[i], &first, 1);
		busy_start(first);
		EXPECT_TRUE(wait_for(bss->next_cpu[policies[i]] >= 3));
	}
	/* Between two operations, one lacks. */
	EXPECT_TRUE(wait_for(bss->in_delay == (u_int32_t)nr_policies));

	start = now_ms();
	EXPECT_EQ(0, bpf_link__update_map(self->link, self->eject->maps.other));
	/* Each policy ends what it does, all at the same time, and begins nothing. */
	ms = now_ms() - start;
	TH_LOG("replaced after %llu ms", (unsigned long long)ms);
	EXPECT_GT(300 + 300, ms);
	EXPECT_TRUE(stat_is(STAT_LOADED("other"))) TH_LOG("%s", read_stat());
	EXPECT_EQ((u_int32_t)nr_policies, bss->other_start);
	for (i = 0; i < nr_policies; i++)
		EXPECT_EQ(mid_freq(), cur_freq(policies[i]));
	EXPECT_EQ(1, bss->calls[EJECT_EXIT]);
	EXPECT_EQ(0, bss->in_delay);
	busy_stop();
}

TEST_F_TIMEOUT(fault, operation_spins, 120)
{
	char why[512];

	self->eject->bss->delay_spins = true;
	hang(_metadata, self, 3000);
	expect_return(_metadata, self);
	EXPECT_TRUE(wait_for(is_ejected()));
	snprintf(why, sizeof(why), "%s", reason());
	EXPECT_EQ(0, strncmp(why, "an operation ", 13)) TH_LOG("%s", why);
	expect_ejected(_metadata, self, why);
	busy_stop();
	expect_works_again(_metadata, self);
}

TEST_F_TIMEOUT(fault, operation_is_just_in_time, 120)
{
	int i;

	if (!self->sleeps)
		SKIP(return, "no cpufreq_ext_caller.ko here: build it with KDIR set");
	/* From begin to begin: with time to see that it is over */
	self->eject->bss->want_rate_us = 1900000;
	hang(_metadata, self, 1500);
	for (i = 0; i < 3; i++) {
		EXPECT_TRUE(wait_for(!self->eject->bss->in_delay));
		EXPECT_TRUE(wait_for(self->eject->bss->in_delay));
	}
	EXPECT_TRUE(stat_is(STAT_LOADED("eject"))) TH_LOG("%s", read_stat());
	self->eject->data->delay_in = -1;
}

TEST_F_TIMEOUT(fault, slow_while_it_is_registered, 120)
{
	static const int operations[] = { EJECT_INIT, EJECT_START };
	size_t i;

	if (!self->sleeps)
		SKIP(return, "no cpufreq_ext_caller.ko here: build it with KDIR set");
	self->eject->data->delay_cpu = self->last;
	for (i = 0; i < ARRAY_SIZE(operations); i++) {
		self->eject->data->delay_in = operations[i];
		self->eject->bss->delay_ms = 2500;
		self->link = attach(self->eject->maps.eject);
		EXPECT_EQ(NULL, self->link);
		EXPECT_EQ(ECANCELED, errno);
		EXPECT_TRUE(stat_is(STAT_INIT)) TH_LOG("%s", read_stat());
		EXPECT_EQ(i + 1, kmsg_count(self->kmsg,
					    "BPF governor eject: an operation took 2"));
		self->eject->bss->delay_ms = 1500;
		self->link = attach(self->eject->maps.eject);
		EXPECT_NE(NULL, self->link);
		EXPECT_TRUE(stat_is(STAT_LOADED("eject")));
		bpf_link__destroy(self->link);
		self->link = NULL;
	}
	EXPECT_EQ(0, self->eject->bss->active[self->policy]);
	EXPECT_EQ(4 - 1, self->eject->bss->calls[EJECT_EXIT]);
}

/*************************** policies left alone ****************************/

TEST_F_TIMEOUT(fault, busy_policy_left_alone, 180)
{
	u_int64_t start = now_ms();
	int found, policy, ms;
	char why[512];

	/* Others may have some work, too. */
	self->eject->data->rate_cpu = self->policy;
	self->eject->bss->want_rate_cpu_us = 4000000;
	self->link = attach(self->eject->maps.eject);
	ASSERT_NE(NULL, self->link);
	busy_start(self->cpu);
	while (!is_ejected() && now_ms() - start < 25000)
		sleep_ms(100);
	/* The first of the periods began before the governor came. */
	EXPECT_LE(10000, now_ms() - start);
	EXPECT_GE(18000, now_ms() - start);
	snprintf(why, sizeof(why), "%s", reason());
	found = sscanf(why, "policy%d was busy and left alone for %d ms", &policy, &ms);
	ASSERT_EQ(2, found);
	EXPECT_EQ(self->policy, policy);
	/* The times of CPUs are as exact as a tick. */
	EXPECT_LE(3990, ms);
	EXPECT_GE(5000, ms);
	expect_ejected(_metadata, self, why);
	busy_stop();
	expect_works_again(_metadata, self);
}

/* One that is idle, one with 1.9 s, one that is seen to every other time */
TEST_F_TIMEOUT(fault, policies_not_left_alone, 180)
{
	self->eject->data->rate_cpu = self->last;
	self->eject->bss->want_rate_us = 4000000;
	self->eject->bss->want_rate_cpu_us = 1900000;
	self->link = attach(self->eject->maps.eject);
	ASSERT_NE(NULL, self->link);
	busy_start(self->last_cpu);
	sleep_ms(18000);
	EXPECT_TRUE(stat_is(STAT_LOADED("eject"))) TH_LOG("%s", read_stat());
	EXPECT_LE(8, self->eject->bss->next_cpu[self->last]);

	self->eject->bss->alternate = true;
	busy_start(self->cpu);
	sleep_ms(20000);
	EXPECT_TRUE(stat_is(STAT_LOADED("eject"))) TH_LOG("%s", read_stat());
	EXPECT_LE(4, self->eject->bss->next_cpu[self->policy]);
}

/* What a user wants is not the governor's fault. */
TEST_F_TIMEOUT(fault, long_period_of_the_user, 180)
{
	ASSERT_EQ(0, write_file(CPUFREQ "/ext/sampling_rate", "4000000"));
	self->link = attach(self->eject->maps.eject);
	ASSERT_NE(NULL, self->link);
	busy_start(self->cpu);
	sleep_ms(20000);
	EXPECT_TRUE(stat_is(STAT_LOADED("eject"))) TH_LOG("%s", read_stat());
	EXPECT_GE(8, self->eject->bss->next_cpu[self->policy]);
}

/*************************** counters and trace events **********************/

TEST_F(fault, counters)
{
	static const char *const names[] = { "decisions", "clamped", "refused_rates", "faults" };
	unsigned long total[4], sum[4] = {}, before[MAX_POLICIES][4], n;
	struct eject__bss *bss = self->eject->bss;
	struct stat st;
	char path[128];
	int i, k;

	for (k = 0; k < 4; k++) {
		total[k] = counter(-1, names[k]);
		for (i = 0; i < nr_policies; i++)
			before[i][k] = counter(policies[i], names[k]);
		snprintf(path, sizeof(path), CPUFREQ "/ext/%s", names[k]);
		ASSERT_EQ(0, stat(path, &st));
		EXPECT_EQ(0444, st.st_mode & 07777);
		snprintf(path, sizeof(path), CPUFREQ "/ext/policy%d/%s", self->policy, names[k]);
		ASSERT_EQ(0, stat(path, &st));
		EXPECT_EQ(0444, st.st_mode & 07777);
	}

	/* Each value is out of range. */
	bss->want_freq = min_freq() - 1;
	bss->want_rate_us = 1;
	self->link = attach(self->eject->maps.eject);
	ASSERT_NE(NULL, self->link);
	busy_start(self->cpu);
	EXPECT_TRUE(wait_for(bss->next_cpu[self->policy] > 20));
	EXPECT_EQ(min_freq(), cur_freq(self->policy));
	bpf_link__destroy(self->link);
	self->link = NULL;
	EXPECT_EQ(total[0] + bss->calls[EJECT_NEXT_FREQ], counter(-1, "decisions"));
	EXPECT_EQ(total[1] + bss->calls[EJECT_NEXT_FREQ], counter(-1, "clamped"));
	EXPECT_EQ(total[2] + bss->calls[EJECT_SAMPLING_RATE], counter(-1, "refused_rates"));
	EXPECT_EQ(total[3], counter(-1, "faults"));
	EXPECT_EQ(bss->calls[EJECT_NEXT_FREQ], bss->trace_decisions);
	for (i = 0; i < nr_policies; i++)
		EXPECT_EQ(before[i][0] + bss->next_cpu[policies[i]],
			  counter(policies[i], "decisions"));

	/* None is: 0 is no value. */
	bss->want_freq = 0;
	bss->want_rate_us = 0;
	self->link = attach(self->eject->maps.eject);
	ASSERT_NE(NULL, self->link);
	n = counter(-1, "clamped");
	decide(self->policy);
	bss->want_freq = max_freq();
	bss->want_rate_us = 1000000;
	decide(self->policy);
	EXPECT_EQ(n, counter(-1, "clamped"));
	EXPECT_EQ(total[2] + n - total[1], counter(-1, "refused_rates"));

	/* A fault counts for the policy in which it was. */
	give_up(self);
	EXPECT_TRUE(wait_for(has_hung_up(self->link)));
	EXPECT_EQ(total[3] + 1, counter(-1, "faults"));
	EXPECT_EQ(before[0][3] + 1, counter(self->policy, "faults"));
	EXPECT_EQ(before[nr_policies - 1][3], counter(self->last, "faults"));
	busy_stop();

	for (k = 0; k < 4; k++) {
		for (i = 0; i < nr_policies; i++)
			sum[k] += counter(policies[i], names[k]) - before[i][k];
		EXPECT_EQ(counter(-1, names[k]) - total[k], sum[k]);
	}
}

TEST_F(fault, counters_come_and_go)
{
	unsigned long total;
	char path[128];

	snprintf(path, sizeof(path), CPUFREQ "/ext/policy%d", self->last);
	self->link = attach(self->eject->maps.eject);
	ASSERT_NE(NULL, self->link);
	decide(self->last);
	bpf_link__destroy(self->link);
	self->link = NULL;
	total = counter(-1, "decisions");
	EXPECT_LE(2, counter(self->last, "decisions"));

	EXPECT_EQ(0, access(path, F_OK));
	ASSERT_EQ(0, set_governor(self->last, "performance"));
	EXPECT_NE(0, access(path, F_OK));
	EXPECT_EQ(total, counter(-1, "decisions"));
	ASSERT_EQ(0, set_governor(self->last, "ext"));
	EXPECT_EQ(0, access(path, F_OK));
	EXPECT_EQ(0, counter(self->last, "decisions"));
	EXPECT_EQ(total, counter(-1, "decisions"));

	ASSERT_EQ(0, set_online(self->last_cpu, false));
	EXPECT_EQ(total, counter(-1, "decisions"));
	ASSERT_EQ(0, set_online(self->last_cpu, true));
	EXPECT_EQ(0, access(path, F_OK));
	EXPECT_EQ(total, counter(-1, "decisions"));

	ASSERT_EQ(0, set_all_governors("performance"));
	EXPECT_NE(0, access(CPUFREQ "/ext", F_OK));
	ASSERT_EQ(0, set_all_governors("ext"));
	EXPECT_EQ(total, counter(-1, "decisions"));
}

TEST_F(fault, trace_events)
{
	struct eject__bss *bss = self->eject->bss;

	self->eject->data->trace_cpu = self->policy;
	bss->want_freq = max_freq() + 5;
	bss->want_rate_us = 3500000;
	self->link = attach(self->eject->maps.eject);
	ASSERT_NE(NULL, self->link);
	EXPECT_EQ(nr_policies, bss->trace_attach);
	EXPECT_EQ(0, bss->trace_detach);
	EXPECT_STREQ("eject", bss->trace_attach_name);
	EXPECT_EQ(max_freq() + 5, bss->trace_wanted);
	EXPECT_EQ(max_freq(), bss->trace_target);
	EXPECT_EQ(3500000, bss->trace_delay_us);

	bss->want_freq = 0;
	bss->want_rate_us = 5000000;
	decide(self->policy);
	EXPECT_EQ(0, bss->trace_wanted);
	EXPECT_EQ(0, bss->trace_target);
	EXPECT_EQ(4000000, bss->trace_delay_us);

	ASSERT_EQ(0, set_governor(self->last, "performance"));
	EXPECT_EQ(1, bss->trace_detach);
	EXPECT_STREQ("eject", bss->trace_detach_name);
	bpf_link__destroy(self->link);
	self->link = NULL;
	EXPECT_EQ(nr_policies, bss->trace_detach);
	EXPECT_EQ(nr_policies, bss->trace_attach);
	EXPECT_EQ(0, bss->trace_faults);
}

/*************************** faults at bad moments **************************/

TEST_F(fault, without_a_loader)
{
	mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL);
	self->link = attach(self->eject->maps.eject);
	ASSERT_NE(NULL, self->link);
	ASSERT_EQ(0, bpf_link__pin(self->link, PIN)) TH_LOG("%d", errno);
	bpf_link__disconnect(self->link);
	bpf_link__destroy(self->link);
	self->link = NULL;
	EXPECT_TRUE(stat_is(STAT_LOADED("eject")));

	give_up(self);
	EXPECT_TRUE(stat_is(STAT_FAULT("eject", "I am broken")));
	EXPECT_TRUE(wait_for(all_at_maximum()));
	EXPECT_TRUE(wait_for(self->eject->bss->calls[EJECT_EXIT] == 1));
	self->next = attach(self->eject->maps.other);
	EXPECT_NE(NULL, self->next);
	EXPECT_EQ(0, unlink(PIN));
	sleep_ms(200);
	EXPECT_TRUE(stat_is(STAT_LOADED("other")));
	EXPECT_EQ(1, self->eject->bss->calls[EJECT_EXIT]);
}

TEST_F(fault, without_a_link)
{
	self->link = attach(self->eject->maps.linkless);
	ASSERT_NE(NULL, self->link);
	EXPECT_TRUE(stat_is(STAT_LOADED("linkless")));
	give_up(self);
	EXPECT_TRUE(stat_is(STAT_FAULT("linkless", "I am broken")));
	EXPECT_TRUE(wait_for(all_at_maximum()));
	EXPECT_TRUE(wait_for(self->eject->bss->calls[EJECT_EXIT] == 1));
	self->next = attach(self->eject->maps.other);
	EXPECT_NE(NULL, self->next);
	bpf_link__destroy(self->link);
	self->link = NULL;
	EXPECT_TRUE(stat_is(STAT_LOADED("other")));
	EXPECT_EQ(1, self->eject->bss->calls[EJECT_EXIT]);
}

TEST_F(fault, all_policies_switched_away)
{
	int i;

	for (i = 0; i < 20; i++) {
		self->link = attach(self->eject->maps.eject);
		ASSERT_NE(NULL, self->link);
		give_up(self);
		ASSERT_EQ(0, set_all_governors("performance"));
		EXPECT_STREQ("", read_stat());
		EXPECT_TRUE(wait_for(has_hung_up(self->link)));
		ASSERT_EQ(0, set_all_governors("ext"));
		EXPECT_TRUE(stat_is(STAT_FAULT("eject", "I am broken")));
		EXPECT_EQ(i + 1, self->eject->bss->calls[EJECT_EXIT]);
		EXPECT_EQ(0, self->eject->bss->active[self->policy]);
		EXPECT_EQ(0, self->eject->bss->active[self->last]);
		bpf_link__destroy(self->link);
		self->link = NULL;
	}
	expect_works_again(_metadata, self);
}

static void *fail_later(void *arg)
{
	struct _test_data_fault *self = arg;

	decide(self->policy);
	return NULL;
}

static void *fail_last(void *arg)
{
	struct _test_data_fault *self = arg;

	decide(self->last);
	return NULL;
}

TEST_F_TIMEOUT(fault, while_a_cpu_comes_and_goes, 120)
{
	pthread_t thread;
	int i;

	for (i = 0; i < 20; i++) {
		self->link = attach(self->eject->maps.eject);
		ASSERT_NE(NULL, self->link);
		self->eject->data->error_in = EJECT_SETSPEED;
		ASSERT_EQ(0, pthread_create(&thread, NULL, fail_later, self));
		EXPECT_EQ(0, set_online(self->last_cpu, i % 2));
		pthread_join(thread, NULL);
		self->eject->data->error_in = -1;
		EXPECT_TRUE(stat_is(STAT_FAULT("eject", "I am broken")));
		EXPECT_TRUE(wait_for(has_hung_up(self->link)));
		EXPECT_TRUE(wait_for(all_at_maximum()));
		bpf_link__destroy(self->link);
		self->link = NULL;
		EXPECT_EQ(i + 1, self->eject->bss->calls[EJECT_EXIT]);
	}
	EXPECT_EQ(0, set_online(self->last_cpu, true));
	EXPECT_EQ(0, self->eject->bss->active[self->last]);
	expect_works_again(_metadata, self);
}

TEST_F_TIMEOUT(fault, while_it_is_unloaded, 180)
{
	int i, ejected = 0;
	pthread_t thread;

	self->eject->data->error_in = EJECT_SETSPEED;
	for (i = 0; i < 200; i++) {
		self->link = attach(self->eject->maps.eject);
		ASSERT_NE(NULL, self->link) TH_LOG("%d: %d", i, errno);
		ASSERT_EQ(0, pthread_create(&thread, NULL, fail_later, self));
		/* From before the thread runs to after the fault */
		if (i % 4)
			usleep(i % 50 * 20);
		bpf_link__destroy(self->link);
		self->link = NULL;
		pthread_join(thread, NULL);
		ejected += is_ejected();
		EXPECT_TRUE(is_ejected() || stat_is(STAT_INIT)) TH_LOG("%s", read_stat());
		EXPECT_TRUE(wait_for(all_at_maximum()));
		EXPECT_TRUE(wait_for(self->eject->bss->calls[EJECT_EXIT] == i + 1));
	}
	EXPECT_EQ(ejected, self->eject->bss->trace_faults);
	EXPECT_LT(0, ejected);
	EXPECT_GT(200, ejected);
	EXPECT_EQ(0, self->eject->bss->active[self->policy]);
	EXPECT_EQ(0, self->eject->bss->active[self->last]);
	self->eject->data->error_in = -1;
	expect_works_again(_metadata, self);
}

TEST_F(fault, two_at_once)
{
	unsigned long faults = counter(-1, "faults");
	pthread_t threads[2];
	int i;

	for (i = 0; i < 20; i++) {
		self->link = attach(self->eject->maps.eject);
		ASSERT_NE(NULL, self->link);
		self->eject->data->error_in = EJECT_SETSPEED;
		ASSERT_EQ(0, pthread_create(&threads[0], NULL, fail_later, self));
		ASSERT_EQ(0, pthread_create(&threads[1], NULL, fail_last, self));
		pthread_join(threads[0], NULL);
		pthread_join(threads[1], NULL);
		self->eject->data->error_in = -1;
		EXPECT_TRUE(stat_is(STAT_FAULT("eject", "I am broken")));
		EXPECT_TRUE(wait_for(has_hung_up(self->link)));
		bpf_link__destroy(self->link);
		self->link = NULL;
		EXPECT_EQ(i + 1, self->eject->bss->trace_faults);
		EXPECT_EQ(faults + i + 1, counter(-1, "faults"));
		EXPECT_EQ(i + 1, self->eject->bss->calls[EJECT_EXIT]);
	}
	EXPECT_EQ(20, kmsg_count(self->kmsg, "BPF governor eject ejected"));
}

TEST_HARNESS_MAIN
