// SPDX-License-Identifier: GPL-2.0-only
/* Everything at once that users and the system do to ext, from a seed */
#include <sys/mman.h>
#include "driver_util.h"
#include "workers.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define STRESS_ALL_S	300		/* in which each worker does something */
#define STRESS_FAILS	40		/* the last allocation of a step that may fail */
#define STRESS_STACK	(256 * 1024)	/* of a thread: all memory is locked */

static const char usage[] =
	"Usage: stress [-s SEED] [-t SECONDS]\n"
	"\n"
	"Load, swap and kill BPF governors, switch governors (but not to schedutil),\n"
	"limits, tunables and CPUs, suspend, all at the same time on busy CPUs; unload\n"
	"the governor's module, and let allocations fail.  Where there is no cpufreq\n"
	"driver, load and unload that of the tests as well.  Fails if ext breaks a\n"
	"promise; what the kernel log says is left to the caller.\n"
	"\n"
	"  -s  what is done follows from this number (default: the time)\n"
	"  -t  for how long (default 300)\n";

/* ---- a driver that comes and goes ---- */

static const char stress_driver[] = "policy_cpus=1";

/* As many as there can be, whatever the driver is like for now */
static void stress_policies(void)
{
	int nr_cpus = sysconf(_SC_NPROCESSORS_CONF);

	find_policies();
	for (nr_policies = 0; nr_policies < nr_cpus && nr_policies < MAX_POLICIES; nr_policies++)
		policies[nr_policies] = nr_policies;
}

static void stress_judge_driver(struct worker *worker)
{
	unsigned long long violations;
	int i;

	for (i = 0; i < nr_policies; i++) {
		violations = driver_num(policies[i], "violations");
		/* Most drivers have no policy of that number, but each has the first one. */
		if (violations == ~0ULL && i)
			continue;
		if (violations)
			worker_broken("%s: %llu violations of the limits of policy%d",
				      worker->name, violations, policies[i]);
	}
}

static void stress_all_ext(void)
{
	int i;

	for (i = 0; i < nr_policies; i++)
		set_governor(policies[i], "ext");
}

static void worker_driver(struct worker *worker)
{
	static const char * const kinds[] = {
		"policy_cpus=1", "policy_cpus=2", "policy_cpus=1,3", "policy_cpus=64",
		"policy_cpus=2 governor_per_policy=1", "policy_cpus=2 target=1",
		"policy_cpus=1 slow_us=3000", "policy_cpus=2 fast_switch=1",
		"policy_cpus=2 max_policies=1", "policy_cpus=1 table=0",
	};
	const char *kind = kinds[worker_draw(worker, ARRAY_SIZE(kinds))];
	int err;

	worker_pause(worker, 2000);
	pthread_rwlock_wrlock(&workers_driver);
	stress_judge_driver(worker);
	worker_begins(worker, "unloads");
	err = module_unload("cpufreq_ext_driver");
	if (!err) {
		worker_begins(worker, kind);
		err = driver_insert(kind);
	}
	if (!err)
		worker->done++;
	else if (access(DRIVER_PARAMS, F_OK))
		worker_broken("%s: %s: %s", worker->name, kind, strerror(-err));
	worker_begins(worker, "selects ext");
	stress_all_ext();
	pthread_rwlock_unlock(&workers_driver);
}

/* The same driver as in the beginning */
static void stress_end_driver(struct worker *worker)
{
	stress_judge_driver(worker);
	if (!wait_for(!module_unload("cpufreq_ext_driver")) || driver_load(stress_driver))
		worker_broken("the driver cannot be loaded anew");
}

/* ---- a module that cannot be unloaded: the other workers have its types ---- */

static void worker_unload(struct worker *worker)
{
	int err = module_unload("cpufreq_ext");

	/* A suspend may interrupt it. */
	if (err != -EAGAIN && err != -EINTR)
		worker_broken("%s: %s", worker->name, err ? strerror(-err) : "it was possible");
	else
		worker->done++;
	worker_pause(worker, 100);
}

static bool stress_can_unload(void)
{
	return !access("/sys/module/cpufreq_ext/initstate", F_OK);
}

/* ---- memory that is not there ---- */

#define STRESS_DEBUGFS	"/sys/kernel/debug"

static bool stress_can_fail(void)
{
	return !access("/proc/thread-self/fail-nth", W_OK) &&
	       !write_file(STRESS_DEBUGFS "/failslab/verbose", "0") &&
	       !write_file(STRESS_DEBUGFS "/failslab/ignore-gfp-wait", "N") &&
	       !write_file(STRESS_DEBUGFS "/fail_page_alloc/verbose", "0") &&
	       !write_file(STRESS_DEBUGFS "/fail_page_alloc/ignore-gfp-wait", "N") &&
	       !write_file(STRESS_DEBUGFS "/fail_page_alloc/min-order", "0");
}

static void stress_set_fail(int fd, unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(fd, text, len, 0) != len)
		worker_broken("fail-nth cannot be written");
}

/* An access with one allocation that fails: any error is fine, and any success. */
static void worker_fail(struct worker *worker)
{
	static __thread int fd = -1;
	/* The first ones more often: most accesses make few. */
	unsigned int nth = 1 + worker_draw(worker, 1 + worker_draw(worker, STRESS_FAILS));
	const char *governor = worker_governors[worker_draw(worker, nr_worker_governors)];
	unsigned int khz = worker_khz(worker);
	int policy = worker_policy(worker);
	struct bpf_map *map = worker_map(worker);
	struct bpf_link *link = NULL;
	char left[16] = "";

	if (workers_keep_first && policy == policies[0])
		governor = "ext";
	if (fd < 0)
		fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	stress_set_fail(fd, nth);
	switch (worker_draw(worker, 5)) {
	case 0:
		link = bpf_map__attach_struct_ops(map);
		break;
	case 1:
		set_governor(policy, "ext");
		break;
	case 2:
		set_governor(policy, governor);
		break;
	case 3:
		write_policy_num(policy, "scaling_max_freq", khz);
		break;
	default:
		read_stat();
		break;
	}
	if (pread(fd, left, sizeof(left) - 1, 0) > 0 && !atoi(left))
		worker->done++;
	stress_set_fail(fd, 0);
	bpf_link__destroy(link);
	worker_pause(worker, 20);
}

/* Page faults of our own are not what should fail. */
static bool stress_lock_memory(void)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STRESS_STACK);
	pthread_setattr_default_np(&attr);
	pthread_attr_destroy(&attr);
	return !mlockall(MCL_CURRENT | MCL_FUTURE);
}

/*
 * The kernel's schedutil does not go with CPUs that come and go: its thread has
 * a deadline, and set_cpus_allowed_dl() of 6.12 divides by the number of active
 * CPUs that such a thread could run on, which may be 0.
 */
static bool stress_switches_to(const char *governor)
{
	return strcmp(governor, "schedutil");
}

int main(int argc, char **argv)
{
	struct worker workers[WORKERS_MAX] = {
		WORKER(load),
		WORKER(load),
		WORKER(swap),
		WORKER(kill),
		WORKER(hotplug),
		WORKER(governor),
		WORKER(governor),
		WORKER(limits),
		WORKER(limits),
		WORKER(tunables),
		WORKER(setspeed),
		WORKER(read),
		WORKER(kick),
	};
	unsigned int seed = time(NULL), seconds = 300, broken;
	bool with_driver;
	int opt, n = 13;

	while ((opt = getopt(argc, argv, "s:t:h")) != -1) {
		switch (opt) {
		case 's':
			seed = strtoul(optarg, NULL, 0);
			break;
		case 't':
			seconds = strtoul(optarg, NULL, 0);
			break;
		default:
			return fputs(usage, opt == 'h' ? stdout : stderr), opt != 'h';
		}
	}

	printf("TAP version 13\n1..1\n# repeat with: stress -s %u -t %u\n", seed, seconds);
	fflush(stdout);
	find_policies();
	with_driver = !nr_policies && !driver_missing() && !driver_load(stress_driver);
	if (!nr_policies || nr_freqs < 3 || set_all_governors("ext")) {
		printf("ok 1 stress # SKIP no cpufreq driver with a table, or no ext\n");
		return 0;
	}
	workers_switch_to = stress_switches_to;
	workers_wilder = true;
	if (system("[ ! -r cpufreq_ext_caller.ko ] || insmod ./cpufreq_ext_caller.ko hold=0"))
		printf("# no operation sleeps: the kernel does not take cpufreq_ext_caller.ko\n");
	if (workers_can_suspend())
		workers[n++] = (struct worker)WORKER(suspend);
	if (stress_can_unload())
		workers[n++] = (struct worker)WORKER(unload);
	if (stress_can_fail() && stress_lock_memory())
		workers[n++] = (struct worker)WORKER(fail, .loads = true);
	if (with_driver) {
		stress_policies();
		workers[n++] = (struct worker)WORKER(driver);
		workers_at_end = stress_end_driver;
	}
	broken = workers_run(workers, n, seed, seconds);
	for (; n && seconds >= STRESS_ALL_S; n--) {
		if (workers[n - 1].done)
			continue;
		printf("# broken: %s did nothing\n", workers[n - 1].name);
		broken++;
	}
	set_all_governors("performance");
	if (with_driver)
		driver_unload();
	if (!access("/sys/module/cpufreq_ext_caller", F_OK) &&
	    !wait_for_ms(!system("rmmod cpufreq_ext_caller 2>/dev/null"), 20000)) {
		printf("# broken: cpufreq_ext_caller stays\n");
		broken++;
	}
	printf("# seed %u, %u s\n%sok 1 stress\n", seed, seconds, broken ? "not " : "");
	return broken != 0;
}
