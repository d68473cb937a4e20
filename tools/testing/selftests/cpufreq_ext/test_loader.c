// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loader of samples/bpf and the governor vip: what a user sees, types and
 * does wrong.
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "kselftest_harness.h"
#include "util.h"

#define LOADER	"./cpufreq_ext"
#define VIP	"cpufreq_ext_vip.bpf.o"
#define SCX	"cpufreq_ext_scx.bpf.o"
#define FAILS	"cpufreq_ext_fails.bpf.o"
#define PIN	"/sys/fs/bpf/cpufreq_ext_test"

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

/* Run the loader to its end; @out gets what it wrote, stdout and stderr. */
static int run(char *out, size_t size, uid_t uid, ...)
{
	char *argv[8] = { LOADER };
	size_t len = 0, n;
	int fds[2], status, i = 1;
	va_list args;
	pid_t pid;

	va_start(args, uid);
	while ((argv[i] = va_arg(args, char *)))
		i++;
	va_end(args);

	if (pipe(fds))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		if (uid && setuid(uid))
			_exit(126);
		execv(LOADER, argv);
		_exit(127);
	}
	close(fds[1]);
	while (len < size - 1 && (n = read(fds[0], out + len, size - 1 - len)) > 0)
		len += n;
	out[len] = '\0';
	close(fds[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* One line on stderr with @text, exit status 1 */
#define EXPECT_FAILS(text, uid, ...) do {				\
	char __out[8192];						\
									\
	EXPECT_EQ(1, run(__out, sizeof(__out), uid, __VA_ARGS__, NULL)); \
	EXPECT_EQ(strchr(__out, '\n'), __out + strlen(__out) - 1)	\
		TH_LOG("not one line: %s", __out);			\
	EXPECT_NE(NULL, strstr(__out, text)) TH_LOG("%s", __out);	\
} while (0)

static pid_t start_loader(const char *object)
{
	pid_t pid = fork();

	if (!pid) {
		int fd = open("/tmp/loader.out", O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, 1);
		dup2(open("/tmp/loader.err", O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
		execl(LOADER, LOADER, object, NULL);
		_exit(127);
	}
	return pid;
}

static int stop_loader(pid_t pid, int sig)
{
	int status;

	kill(pid, sig);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

FIXTURE(loader)
{
	pid_t pid;
};

FIXTURE_SETUP(loader)
{
	find_policies();
	if (!nr_policies)
		SKIP(return, "no cpufreq driver");
	if (access(LOADER, X_OK) || access(VIP, R_OK))
		SKIP(return, "no " LOADER " and " VIP " in this folder");
	ASSERT_EQ(0, set_all_governors("ext"));
}

FIXTURE_TEARDOWN(loader)
{
	busy_stop();
	if (self->pid > 0)
		stop_loader(self->pid, SIGKILL);
	set_all_governors("performance");
}

/* Wait for its end; -1 if it does not come. */
static int end_of_loader(pid_t pid)
{
	int status;

	if (!wait_for(waitpid(pid, &status, WNOHANG) == pid))
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int nr_links(void)
{
	u_int32_t id = 0;
	int n = 0;

	while (!bpf_link_get_next_id(id, &id))
		n++;
	return n;
}

TEST_F(loader, ejected)
{
	int links = nr_links();
	char text[8192], expected[256];

	self->pid = start_loader(FAILS);
	ASSERT_TRUE(wait_for_start(!strcmp(read_stat(), STAT_LOADED("fails"))));
	EXPECT_EQ(links + 2, nr_links());
	write_policy_num(policies[0], "scaling_setspeed", 42);
	EXPECT_EQ(2, end_of_loader(self->pid));
	self->pid = 0;
	ASSERT_EQ(0, read_file("/tmp/loader.err", text, sizeof(text)));
	snprintf(expected, sizeof(expected),
		 "cpufreq_ext: BPF governor 'fails' was ejected: policy%d\\42 is no speed\n",
		 policies[0]);
	EXPECT_STREQ(expected, text);
	EXPECT_TRUE(wait_for(nr_links() == links));
	EXPECT_TRUE(all_at(max_freq()));
}

TEST_F(loader, unloaded_by_somebody_else)
{
	u_int32_t id = 0, last = 0;
	char text[8192];
	int fd;

	self->pid = start_loader(FAILS);
	ASSERT_TRUE(wait_for_start(!strcmp(read_stat(), STAT_LOADED("fails"))));
	/* The governor is what it attached last. */
	while (!bpf_link_get_next_id(id, &id))
		last = id;
	/* EAGAIN until the link is complete, which takes longer than the load. */
	ASSERT_TRUE(wait_for((fd = bpf_link_get_fd_by_id(last)) >= 0));
	ASSERT_EQ(0, bpf_link_detach(fd));
	close(fd);
	EXPECT_EQ(1, end_of_loader(self->pid));
	self->pid = 0;
	ASSERT_EQ(0, read_file("/tmp/loader.err", text, sizeof(text)));
	EXPECT_STREQ("cpufreq_ext: the governor was unloaded by somebody else\n", text);
}

TEST_F(loader, foreground)
{
	static const int signals[] = { SIGINT, SIGTERM };
	char out[8192], line[512];
	size_t i;
	int len;

	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		self->pid = start_loader(VIP);
		EXPECT_TRUE(wait_for_start(!strcmp(read_stat(), STAT_LOADED("vip"))));
		EXPECT_TRUE(wait_for(all_at(min_freq())));
		/* A line of state a second */
		sleep_ms(2500);
		EXPECT_EQ(0, stop_loader(self->pid, signals[i]));
		self->pid = 0;
		EXPECT_STREQ(STAT_INIT, read_stat());
		EXPECT_TRUE(all_at(max_freq()));

		ASSERT_EQ(0, read_file("/tmp/loader.out", out, sizeof(out)));
		len = snprintf(line, sizeof(line), "CPUFREQ_EXT_LOADED  vip  policy%d ",
			       policies[0]);
		EXPECT_EQ(0, strncmp(out, line, len)) TH_LOG("%s", out);
		snprintf(line, sizeof(line), "policy%d %u kHz\n",
			 policies[nr_policies - 1], min_freq());
		EXPECT_NE(NULL, strstr(out, line)) TH_LOG("%s", out);
		len = 0;
		for (char *c = out; *c; c++)
			len += *c == '\n';
		EXPECT_LE(2, len);
		EXPECT_GE(5, len);
	}
}

TEST_F(loader, pinned)
{
	char out[8192];

	unlink(PIN);
	EXPECT_EQ(0, run(out, sizeof(out), 0, VIP, PIN, NULL)) TH_LOG("%s", out);
	EXPECT_STREQ(STAT_LOADED("vip"), read_stat());
	EXPECT_EQ(0, access(PIN, F_OK));
	/* Its other programs as well */
	EXPECT_EQ(0, access(PIN "_0", F_OK));
	EXPECT_TRUE(all_at(min_freq()));

	EXPECT_FAILS("'vip' is loaded", 0, VIP);
	EXPECT_STREQ(STAT_LOADED("vip"), read_stat());

	EXPECT_EQ(0, system("rm " PIN "*"));
	EXPECT_TRUE(wait_for(!strcmp(read_stat(), STAT_INIT)));
	EXPECT_TRUE(wait_for(all_at(max_freq())));
}

/* Nobody looks at what was pinned: it is told at once. */
TEST_F(loader, pin_of_one_that_is_ejected)
{
	char out[8192];

	unlink(PIN);
	EXPECT_EQ(2, run(out, sizeof(out), 0, "cpufreq_ext_gives_up.bpf.o", PIN, NULL));
	EXPECT_NE(NULL, strstr(out, "'gives_up' was ejected: nothing to decide on\n"))
		TH_LOG("%s", out);
	EXPECT_NE(0, access(PIN, F_OK));
	EXPECT_EQ(0, run(out, sizeof(out), 0, VIP, PIN, NULL)) TH_LOG("%s", out);
	EXPECT_EQ(0, system("rm " PIN "*"));
	EXPECT_TRUE(wait_for(!strcmp(read_stat(), STAT_INIT)));
}

TEST_F(loader, pin_that_fails)
{
	EXPECT_FAILS("/sys/fs/bpf", 0, VIP, "/tmp/not-a-bpf-file-system");
	EXPECT_STREQ(STAT_INIT, read_stat());
	EXPECT_FAILS("/sys/fs/bpf", 0, VIP, "/sys/fs/bpf/no/such/folder");
	EXPECT_STREQ(STAT_INIT, read_stat());

	/* The last pin fails: nothing stays of those before it. */
	ASSERT_EQ(0, mkdir(PIN, 0755));
	EXPECT_FAILS("/sys/fs/bpf", 0, VIP, PIN);
	EXPECT_STREQ(STAT_INIT, read_stat());
	EXPECT_NE(0, access(PIN "_0", F_OK));
	EXPECT_EQ(0, rmdir(PIN));
}

TEST_F(loader, no_policy_uses_ext)
{
	ASSERT_EQ(0, set_all_governors("performance"));
	EXPECT_FAILS("write ext to", 0, VIP);
}

TEST_F(loader, second_one)
{
	self->pid = start_loader(VIP);
	ASSERT_TRUE(wait_for_start(!strcmp(read_stat(), STAT_LOADED("vip"))));
	EXPECT_FAILS("'vip' is loaded", 0, VIP);
	EXPECT_STREQ(STAT_LOADED("vip"), read_stat());
	EXPECT_TRUE(wait_for(all_at(min_freq())));
}

TEST_F(loader, wrong_files)
{
	char out[8192];

	EXPECT_FAILS("no such file", 0, "none.bpf.o");
	EXPECT_FAILS("not a BPF object", 0, "run_tests.sh");
	EXPECT_FAILS("not a BPF object", 0, "/proc/self/exe");
	EXPECT_EQ(1, run(out, sizeof(out), 0, NULL));
	EXPECT_EQ(0, strncmp(out, "Usage: ", 7));
	EXPECT_EQ(1, run(out, sizeof(out), 0, "-x", NULL));
	EXPECT_NE(NULL, strstr(out, "Usage: "));
	EXPECT_EQ(0, run(out, sizeof(out), 0, "-h", NULL));
	EXPECT_EQ(0, strncmp(out, "Usage: ", 7));
	EXPECT_STREQ(STAT_INIT, read_stat());
}

TEST_F(loader, governors_that_fail)
{
	char out[32768];

	EXPECT_FAILS("the kernel does not take it: see the end of dmesg", 0,
		     "cpufreq_ext_nameless.bpf.o");
	EXPECT_FAILS("the governor does not start: No space left on device", 0,
		     "cpufreq_ext_init_fails.bpf.o");
	EXPECT_FAILS("no governor in it", 0, "cpufreq_ext_empty.bpf.o");
	EXPECT_FAILS("see the end of dmesg, or use -v", 0,
		     "cpufreq_ext_refused.bpf.o");
	EXPECT_EQ(1, run(out, sizeof(out), 0, "-v", "cpufreq_ext_refused.bpf.o", NULL));
	EXPECT_NE(NULL, strstr(out, "only read is supported")) TH_LOG("%s", out);
	EXPECT_STREQ(STAT_INIT, read_stat());
}

TEST_F(loader, not_root)
{
	EXPECT_FAILS("root", 65534, VIP);
	EXPECT_STREQ(STAT_INIT, read_stat());
}

/* Hide what is in @path from this process and the loader. */
static int hide(const char *path)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	return mount("none", path, "tmpfs", 0, NULL) ? -errno : 0;
}

TEST_F(loader, no_btf)
{
	ASSERT_EQ(0, hide("/sys/kernel/btf"));
	EXPECT_FAILS("no BTF", 0, VIP);
}

TEST_F(loader, no_ext_in_the_kernel)
{
	set_all_governors("performance");
	if (access("/sys/kernel/btf/cpufreq_ext", F_OK))
		SKIP(return, "ext is built into this kernel");
	ASSERT_TRUE(wait_for(!system("rmmod cpufreq_ext 2>/dev/null")));
	EXPECT_FAILS("no governor ext", 0, VIP);
	/* Writing the name of the governor loads its module. */
	EXPECT_EQ(0, set_all_governors("ext"));
	EXPECT_STREQ(STAT_INIT, read_stat());
}

/* A cpufreq folder as a driver with governors of its own shows it */
static int fake_driver(const char *driver, const char *governors)
{
	char path[256];
	int fd;

	if (mkdir(CPUFREQ "/policy0", 0755))
		return -errno;
	snprintf(path, sizeof(path), CPUFREQ "/policy0/scaling_driver");
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	dprintf(fd, "%s\n", driver);
	close(fd);
	snprintf(path, sizeof(path), CPUFREQ "/policy0/scaling_available_governors");
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	dprintf(fd, "%s\n", governors);
	close(fd);
	return 0;
}

TEST_F(loader, driver_without_governors)
{
	ASSERT_EQ(0, set_all_governors("performance"));
	/* The module, if it is one, stays while its governor is listed. */
	ASSERT_EQ(0, hide(CPUFREQ));
	EXPECT_FAILS("no cpufreq driver", 0, VIP);
	ASSERT_EQ(0, fake_driver("intel_pstate", "performance powersave"));
	EXPECT_FAILS("'intel_pstate' takes no governors", 0, VIP);
}

TEST_F(loader, groups_refused)
{
	EXPECT_FAILS("knows no groups", 0, "-g", "/", VIP);
	if (access("/sys/kernel/sched_ext", F_OK)) {
		EXPECT_FAILS("has no sched_ext", 0, SCX);
	} else {
		EXPECT_FAILS("no such cgroup", 0, "-g", "/nonexistent", SCX);
		EXPECT_FAILS("no such cgroup", 0, "-g", "/", SCX);
		EXPECT_FAILS("1 to 100 percent", 0, "-g", "/=0", SCX);
		EXPECT_FAILS("1 to 100 percent", 0, "-g", "/=5x", SCX);
	}
	EXPECT_STREQ(STAT_INIT, read_stat());
}

/*************************** vip ********************************************/

static int map_fd(const char *name)
{
	struct bpf_map_info info;
	__u32 id = 0, len;
	int fd, found = -1;

	/* The last one: those of loaders that are gone may not be freed yet. */
	while (!bpf_map_get_next_id(id, &id)) {
		fd = bpf_map_get_fd_by_id(id);
		len = sizeof(info);
		memset(&info, 0, sizeof(info));
		if (fd >= 0 && !bpf_map_get_info_by_fd(fd, &info, &len) &&
		    !strcmp(info.name, name)) {
			close(found);
			found = fd;
			continue;
		}
		close(fd);
	}
	return found;
}

static int list_task(int fd, __u32 pid)
{
	__u8 one = 1;

	return bpf_map_update_elem(fd, &pid, &one, BPF_ANY);
}

/* A child that is busy, or asleep while it is stopped */
static pid_t start_task(int cpu)
{
	pid_t pid = fork();

	if (!pid) {
		/* Even if an assertion ends the test */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		busy_loop((void *)(long)cpu);
	}
	return pid;
}

static void move_task(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(pid, sizeof(set), &set);
}

/* Only @policy, or none if -1, is at its maximum, the others at the minimum. */
static bool only_at_max(int policy)
{
	int i;

	for (i = 0; i < nr_policies; i++)
		if (cur_freq(policies[i]) !=
		    (policies[i] == policy ? max_freq() : min_freq()))
			return false;
	return true;
}

TEST_F_TIMEOUT(loader, vip_follows_a_task, 120)
{
	int cpus[MAX_POLICIES], i, n, c, fd;
	pid_t task;

	self->pid = start_loader(VIP);
	ASSERT_TRUE(wait_for_start(!strcmp(read_stat(), STAT_LOADED("vip"))));
	fd = map_fd("vip_tasks");
	ASSERT_LE(0, fd);

	policy_cpus(policies[0], cpus, MAX_POLICIES);
	task = start_task(cpus[0]);
	sleep_ms(200);
	EXPECT_TRUE(wait_for(only_at_max(-1)));

	/* Listed while it runs */
	ASSERT_EQ(0, list_task(fd, task));
	for (i = 0; i < nr_policies; i++) {
		n = policy_cpus(policies[i], cpus, MAX_POLICIES);
		for (c = 0; c < n; c++) {
			move_task(task, cpus[c]);
			EXPECT_TRUE(wait_for(only_at_max(policies[i])))
				TH_LOG("CPU %d", cpus[c]);
		}
	}

	/* It sleeps and wakes up. */
	kill(task, SIGSTOP);
	EXPECT_TRUE(wait_for(only_at_max(-1)));
	kill(task, SIGCONT);
	EXPECT_TRUE(wait_for(only_at_max(policies[nr_policies - 1])));

	/* Taken off the list while it runs */
	ASSERT_EQ(0, bpf_map_delete_elem(fd, &task));
	EXPECT_TRUE(wait_for(only_at_max(-1)));

	/* A listed task that dies is forgotten. */
	ASSERT_EQ(0, list_task(fd, task));
	EXPECT_TRUE(wait_for(only_at_max(policies[nr_policies - 1])));
	EXPECT_EQ(-SIGKILL, stop_loader(task, SIGKILL));
	EXPECT_TRUE(wait_for(only_at_max(-1)));
	EXPECT_NE(0, bpf_map_delete_elem(fd, &task));
	close(fd);
}

/* A thread that says its ID and executes a program as soon as it may */
static int exec_pipe[2];

static void *exec_thread(void *unused)
{
	pid_t tid = syscall(SYS_gettid);

	if (write(exec_pipe[1], &tid, sizeof(tid)) != sizeof(tid))
		_exit(1);
	raise(SIGSTOP);
	execl("/bin/sh", "sh", "-c", "while :; do :; done", NULL);
	_exit(1);
}

TEST_F_TIMEOUT(loader, vip_thread_that_executes, 60)
{
	int cpus[MAX_POLICIES], fd, status;
	pthread_t thread;
	pid_t pid, tid;
	__u8 listed;

	self->pid = start_loader(VIP);
	ASSERT_TRUE(wait_for_start(!strcmp(read_stat(), STAT_LOADED("vip"))));
	fd = map_fd("vip_tasks");
	ASSERT_LE(0, fd);
	policy_cpus(policies[nr_policies - 1], cpus, MAX_POLICIES);

	ASSERT_EQ(0, pipe(exec_pipe));
	pid = fork();
	if (!pid) {
		move_task(0, cpus[0]);
		pthread_create(&thread, NULL, exec_thread, NULL);
		pthread_join(thread, NULL);
		_exit(1);
	}
	ASSERT_EQ(sizeof(tid), read(exec_pipe[0], &tid, sizeof(tid)));
	EXPECT_NE(pid, tid);
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_EQ(0, list_task(fd, tid));
	kill(pid, SIGCONT);

	/* It gets the ID of its process, and is still on the list. */
	EXPECT_TRUE(wait_for(!bpf_map_lookup_elem(fd, &pid, &listed)));
	EXPECT_TRUE(wait_for(only_at_max(policies[nr_policies - 1])));
	EXPECT_NE(0, bpf_map_delete_elem(fd, &tid));
	stop_loader(pid, SIGKILL);
	EXPECT_TRUE(wait_for(only_at_max(-1)));
	EXPECT_NE(0, bpf_map_delete_elem(fd, &pid));
	close(fd);
	close(exec_pipe[0]);
	close(exec_pipe[1]);
}

TEST_F_TIMEOUT(loader, vip_task_that_waits, 60)
{
	int cpus[MAX_POLICIES], fd;
	struct sched_param param = { .sched_priority = 10 };
	pid_t task, hog;

	self->pid = start_loader(VIP);
	ASSERT_TRUE(wait_for_start(!strcmp(read_stat(), STAT_LOADED("vip"))));
	fd = map_fd("vip_tasks");
	ASSERT_LE(0, fd);
	policy_cpus(policies[nr_policies - 1], cpus, MAX_POLICIES);

	task = start_task(cpus[0]);
	kill(task, SIGSTOP);
	ASSERT_EQ(0, list_task(fd, task));
	EXPECT_TRUE(wait_for(only_at_max(-1)));

	/* It cannot run while a real-time task does, but for the throttling. */
	hog = start_task(cpus[0]);
	sched_setscheduler(hog, SCHED_FIFO, &param);
	sleep_ms(50);
	kill(task, SIGCONT);
	EXPECT_TRUE(wait_for(only_at_max(policies[nr_policies - 1])));
	stop_loader(hog, SIGKILL);
	stop_loader(task, SIGKILL);
	EXPECT_TRUE(wait_for(only_at_max(-1)));
	close(fd);
}

/* Samples so rare that only what vip asks for itself is seen in time */
TEST_F_TIMEOUT(loader, vip_kicks, 60)
{
	int cpus[MAX_POLICIES], i, fd;
	pid_t task;

	ASSERT_EQ(0, write_file(CPUFREQ "/ext/sampling_rate", "4000000"));
	self->pid = start_loader(VIP);
	ASSERT_TRUE(wait_for_start(!strcmp(read_stat(), STAT_LOADED("vip"))));
	fd = map_fd("vip_tasks");
	ASSERT_LE(0, fd);
	policy_cpus(policies[nr_policies - 1], cpus, MAX_POLICIES);
	task = start_task(cpus[0]);
	sleep_ms(200);
	kill(task, SIGSTOP);
	ASSERT_EQ(0, list_task(fd, task));
	for (i = 0; i < 4; i++) {
		kill(task, SIGCONT);
		EXPECT_TRUE(wait_for(only_at_max(policies[nr_policies - 1])));
		kill(task, SIGSTOP);
		EXPECT_TRUE(wait_for(only_at_max(-1)));
	}
	stop_loader(task, SIGKILL);
	close(fd);
}

static pid_t start_fifo(int cpu, int prio)
{
	struct sched_param param = { .sched_priority = prio };
	pid_t pid = start_task(cpu);

	sched_setscheduler(pid, SCHED_FIFO, &param);
	return pid;
}

#define RT_RUNTIME	"/proc/sys/kernel/sched_rt_runtime_us"

/* As vip_task_that_waits, but the task never runs: nothing else reveals it. */
TEST_F_TIMEOUT(loader, vip_task_that_never_runs, 60)
{
	int cpus[MAX_POLICIES], first, last = policies[nr_policies - 1], fd, i;
	pid_t task, hogs[2];
	char runtime[32];

	if (nr_policies < 2)
		SKIP(return, "only one policy");
	ASSERT_EQ(0, read_file(RT_RUNTIME, runtime, sizeof(runtime)));
	self->pid = start_loader(VIP);
	ASSERT_TRUE(wait_for_start(!strcmp(read_stat(), STAT_LOADED("vip"))));
	fd = map_fd("vip_tasks");
	ASSERT_LE(0, fd);
	policy_cpus(policies[0], cpus, MAX_POLICIES);
	first = cpus[policy_cpus(policies[0], cpus, MAX_POLICIES) - 1];
	policy_cpus(last, cpus, MAX_POLICIES);

	/* This task needs a CPU of its own. */
	for (i = 0; i == cpus[0] || i == first; i++)
		;
	if (i >= sysconf(_SC_NPROCESSORS_ONLN))
		SKIP(return, "less than three CPUs");
	move_task(0, i);

	task = start_fifo(cpus[0], 5);
	sleep_ms(200);		/* It goes to its CPU. */
	kill(task, SIGSTOP);
	ASSERT_EQ(0, list_task(fd, task));
	EXPECT_TRUE(wait_for(only_at_max(-1)));

	ASSERT_EQ(0, write_file(RT_RUNTIME, "-1"));
	hogs[0] = start_fifo(cpus[0], 10);
	hogs[1] = start_fifo(first, 10);
	sleep_ms(100);
	kill(task, SIGCONT);
	EXPECT_TRUE(wait_for(only_at_max(last)));
	/* It moves and waits there. */
	move_task(task, first);
	EXPECT_TRUE(wait_for(only_at_max(policies[0])));

	stop_loader(hogs[0], SIGKILL);
	stop_loader(hogs[1], SIGKILL);
	stop_loader(task, SIGKILL);
	EXPECT_EQ(0, write_file(RT_RUNTIME, runtime));
	EXPECT_TRUE(wait_for(only_at_max(-1)));
	close(fd);
}

TEST_F_TIMEOUT(loader, vip_tasks_that_are_not_listed, 60)
{
	int cpus[MAX_POLICIES], i, seen = 0;
	pid_t tasks[3];

	self->pid = start_loader(VIP);
	ASSERT_TRUE(wait_for_start(!strcmp(read_stat(), STAT_LOADED("vip"))));
	policy_cpus(policies[0], cpus, MAX_POLICIES);
	/* Some of them wait at any time. */
	for (i = 0; i < 3; i++)
		tasks[i] = start_task(cpus[0]);
	sleep_ms(300);
	for (i = 0; i < 50; i++) {
		seen += !only_at_max(-1);
		sleep_ms(10);
	}
	EXPECT_EQ(0, seen);
	for (i = 0; i < 3; i++)
		stop_loader(tasks[i], SIGKILL);
}

TEST_HARNESS_MAIN
