// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may register a BPF governor, and who may write to ext's attributes: the
 * capabilities that the kernel wants for each step, and the modes of files.
 */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "kselftest_harness.h"
#include "util.h"

#define GOVERNOR	"cpufreq_ext_powersave.bpf.o"
#define NOBODY		65534

#define CAP(name)	(1ULL << CAP_##name)

/* For the children: the governor, loaded by the parent */
static struct bpf_map *loaded_ops;
static struct bpf_object *loaded;

static int set_caps(unsigned long long caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = caps, .permitted = caps },
		{ .effective = caps >> 32, .permitted = caps >> 32 },
	};

	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

static int become_nobody(unsigned long long unused)
{
	return setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY) ?
		-errno : 0;
}

/* All capabilities, but in a user namespace of its own */
static int enter_user_namespace(unsigned long long unused)
{
	if (unshare(CLONE_NEWUSER))
		return -errno;
	return write_file("/proc/self/uid_map", "0 0 1");
}

/*
 * Do @act as what @become makes of a child.  The result is 0 or a negative
 * errno; one that the child cannot get that far with is 1.
 */
static int as(int (*become)(unsigned long long), unsigned long long caps, int (*act)(void))
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		return 1;
	if (!pid) {
		if (become(caps))
			_exit(255);
		_exit(-act());
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) == 255)
		return 1;
	return -WEXITSTATUS(status);
}

static int be_quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

static struct bpf_map *find_ops(struct bpf_object *obj)
{
	return bpf_object__find_map_by_name(obj, "powersave");
}

/* From the object to a governor that is registered */
static int load_and_attach(void)
{
	struct bpf_object *obj;
	struct bpf_link *link;
	int err;

	libbpf_set_print(be_quiet);
	obj = bpf_object__open_file(GOVERNOR, NULL);
	if (!obj)
		return -errno;
	err = bpf_object__load(obj);
	if (err)
		return err;
	link = bpf_map__attach_struct_ops(find_ops(obj));
	if (!link)
		return -errno;
	return strcmp(read_stat(), STAT_LOADED("powersave")) ? -EIO : 0;
}

/* What the kernel asks of one that does not need BTF of the kernel for it */
static int load_program(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .attach_btf_id = 1);
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },	/* r0 = 0 */
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd;

	fd = bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, "none", "GPL", insns, 2, &opts);
	return fd < 0 ? fd : 0;
}

static int create_map(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .btf_vmlinux_value_type_id = 1);
	int fd;

	fd = bpf_map_create(BPF_MAP_TYPE_STRUCT_OPS, "none", 4, 256, 1, &opts);
	return fd < 0 ? fd : 0;
}

static int find_loaded(void)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	int fd;

	if (bpf_map_get_info_by_fd(bpf_map__fd(loaded_ops), &info, &len))
		return -EIO;
	fd = bpf_map_get_fd_by_id(info.id);
	return fd < 0 ? fd : 0;
}

static bool ext_is_module(void)
{
	return !access("/sys/kernel/btf/cpufreq_ext", F_OK);
}

FIXTURE(permissions) {
};

FIXTURE_SETUP(permissions)
{
	find_policies();
	if (geteuid() || !nr_policies)
		SKIP(return, "root and a cpufreq driver are needed");
	ASSERT_EQ(0, set_all_governors("ext"));
	ASSERT_STREQ(STAT_INIT, read_stat());
}

FIXTURE_TEARDOWN(permissions)
{
	set_all_governors("performance");
}

/* What the other tests compare with */
TEST_F(permissions, root_may)
{
	EXPECT_EQ(0, as(set_caps, ~0ULL >> (63 - CAP_LAST_CAP), load_and_attach));
	EXPECT_TRUE(wait_for(!strcmp(STAT_INIT, read_stat())));
}

TEST_F(permissions, unprivileged_user_gets_eperm)
{
	EXPECT_EQ(-EPERM, as(become_nobody, 0, load_and_attach));
	EXPECT_EQ(-EPERM, as(become_nobody, 0, load_program));
	EXPECT_EQ(-EPERM, as(become_nobody, 0, create_map));
	EXPECT_STREQ(STAT_INIT, read_stat());
}

TEST_F(permissions, user_namespace_gets_eperm)
{
	EXPECT_EQ(-EPERM, as(enter_user_namespace, 0, load_and_attach));
	EXPECT_EQ(-EPERM, as(enter_user_namespace, 0, load_program));
	EXPECT_EQ(-EPERM, as(enter_user_namespace, 0, create_map));
	EXPECT_STREQ(STAT_INIT, read_stat());
}

/* Root that has nothing but these */
TEST_F(permissions, capabilities_of_each_step)
{
	unsigned long long all = ~0ULL >> (63 - CAP_LAST_CAP);
	unsigned long long neither = all & ~CAP(BPF) & ~CAP(PERFMON) & ~CAP(SYS_ADMIN);

	EXPECT_EQ(-EPERM, as(set_caps, neither, load_program));
	EXPECT_EQ(-EPERM, as(set_caps, neither, create_map));
	EXPECT_EQ(-EPERM, as(set_caps, neither, load_and_attach));

	/* A program takes both, a map CAP_BPF; -EINVAL is of what comes after it. */
	EXPECT_EQ(-EPERM, as(set_caps, CAP(BPF), load_program));
	EXPECT_EQ(-EPERM, as(set_caps, CAP(PERFMON), load_program));
	EXPECT_NE(-EPERM, as(set_caps, CAP(BPF) | CAP(PERFMON), load_program));
	EXPECT_NE(1, as(set_caps, CAP(BPF) | CAP(PERFMON), load_program));
	EXPECT_EQ(-EPERM, as(set_caps, CAP(PERFMON), create_map));
	EXPECT_NE(-EPERM, as(set_caps, CAP(BPF), create_map));
	EXPECT_NE(1, as(set_caps, CAP(BPF), create_map));
	EXPECT_STREQ(STAT_INIT, read_stat());
}

/*
 * The BTF of a module is found by its ID, which takes CAP_SYS_ADMIN.  What libbpf
 * says if it does not find it depends on what it looks for: ESRCH for the type of
 * the operations, EINVAL for a kfunc.
 */
static bool is_refused(int ret)
{
	return ret == -EPERM || (ext_is_module() && (ret == -ESRCH || ret == -EINVAL));
}

TEST_F(permissions, capabilities_of_a_load)
{
	int both = as(set_caps, CAP(BPF) | CAP(PERFMON), load_and_attach);

	EXPECT_TRUE(is_refused(as(set_caps, CAP(BPF), load_and_attach)));
	EXPECT_EQ(-EPERM, as(set_caps, CAP(PERFMON), load_and_attach));
	EXPECT_TRUE(ext_is_module() ? is_refused(both) : !both) TH_LOG("%d", both);
	EXPECT_EQ(0, as(set_caps, CAP(SYS_ADMIN), load_and_attach));
	EXPECT_TRUE(wait_for(!strcmp(STAT_INIT, read_stat())));
}

/* A governor that somebody else loaded is out of reach without CAP_SYS_ADMIN. */
TEST_F(permissions, governor_of_root_is_not_found)
{
	struct bpf_link *link;

	libbpf_set_print(be_quiet);
	loaded = bpf_object__open_file(GOVERNOR, NULL);
	ASSERT_NE(NULL, loaded);
	ASSERT_EQ(0, bpf_object__load(loaded));
	loaded_ops = find_ops(loaded);
	link = bpf_map__attach_struct_ops(loaded_ops);
	ASSERT_NE(NULL, link);

	EXPECT_EQ(0, as(set_caps, CAP(SYS_ADMIN), find_loaded));
	EXPECT_EQ(-EPERM, as(become_nobody, 0, find_loaded));
	EXPECT_EQ(-EPERM, as(enter_user_namespace, 0, find_loaded));
	EXPECT_EQ(-EPERM, as(set_caps, CAP(BPF) | CAP(PERFMON), find_loaded));
	EXPECT_STREQ(STAT_LOADED("powersave"), read_stat());

	bpf_link__destroy(link);
	bpf_object__close(loaded);
}

/* ---- sysfs ---- */

static int nobody_writes_tunable(void)
{
	int err = write_file(CPUFREQ "/ext/sampling_rate", "100000");

	return err == -ENOENT ?
		write_policy(policies[0], "ext/sampling_rate", "100000") : err;
}

static int nobody_writes_governor(void)
{
	return write_policy(policies[0], "scaling_governor", "performance");
}

static int nobody_writes_setspeed(void)
{
	return write_policy(policies[0], "scaling_setspeed", "1");
}

static int nobody_reads_stat(void)
{
	return strcmp(read_stat(), STAT_INIT) ? -EIO : 0;
}

TEST_F(permissions, attributes_are_0644_or_0444)
{
	static const char * const folders[] = {
		CPUFREQ "/ext/*", CPUFREQ "/ext/policy*/*",
		CPUFREQ "/policy*/ext/*", CPUFREQ "/policy*/ext/policy*/*",
	};
	int i, stats = 0, rates = 0;
	struct stat st;
	const char *name;
	glob_t found;
	size_t f;

	for (i = 0; i < (int)ARRAY_SIZE(folders); i++) {
		if (glob(folders[i], 0, NULL, &found))
			continue;
		for (f = 0; f < found.gl_pathc; f++) {
			name = strrchr(found.gl_pathv[f], '/') + 1;
			ASSERT_EQ(0, stat(found.gl_pathv[f], &st));
			EXPECT_EQ(0, st.st_uid);
			EXPECT_EQ(0, st.st_gid);
			if (S_ISDIR(st.st_mode)) {
				EXPECT_EQ(0755, st.st_mode & 07777);
				continue;
			}
			if (!strcmp(name, "stat")) {
				EXPECT_EQ(0444, st.st_mode & 07777);
				stats++;
			} else if (!strcmp(name, "sampling_rate")) {
				EXPECT_EQ(0644, st.st_mode & 07777);
				rates++;
			}
			EXPECT_TRUE((st.st_mode & 07777) == 0644 ||
				    (st.st_mode & 07777) == 0444) {
				TH_LOG("%s: mode %o", found.gl_pathv[f],
				       st.st_mode & 07777);
			}
		}
		globfree(&found);
	}
	EXPECT_LT(0, stats);
	EXPECT_EQ(stats, rates);
}

TEST_F(permissions, unprivileged_user_reads_only)
{
	EXPECT_EQ(0, as(become_nobody, 0, nobody_reads_stat));
	EXPECT_EQ(-EACCES, as(become_nobody, 0, nobody_writes_tunable));
	EXPECT_EQ(-EACCES, as(become_nobody, 0, nobody_writes_governor));
	EXPECT_EQ(-EACCES, as(become_nobody, 0, nobody_writes_setspeed));
}

TEST_HARNESS_MAIN
