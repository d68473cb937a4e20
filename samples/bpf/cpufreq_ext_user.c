// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpufreq_ext: load a BPF governor for the cpufreq governor ext
 *
 * The governor is registered while this program runs, or for as long as its
 * link is pinned.  Programs of the object that are not operations of a governor
 * (tracepoints, for example) are attached as well.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <unistd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#ifndef CPUFREQ
#define CPUFREQ		"/sys/devices/system/cpu/cpufreq"
#endif
#define MAX_LINKS	64
#define MAX_GROUPS	64
#define GOVERNOR_OPS	"cpufreq_governor_ext_ops"
#define SCHEDULER_OPS	"sched_ext_ops"

#define STATUS_EJECTED	2

/* BPF_F_LINK, which older headers do not have: governors in .struct_ops.link */
#define LINK_FLAG	0x2000

static const char usage[] =
	"Usage: cpufreq_ext [-v] [-g CGROUP[=PERCENT]]... OBJECT.bpf.o [PIN]\n"
	"\n"
	"Attach a BPF governor to the cpufreq governor ext and print its state each\n"
	"second until interrupted.  With PIN, a path in a BPF file system, pin its\n"
	"link there instead and leave: the governor stays until PIN is removed.  Links\n"
	"of other programs of the object are pinned beside it: PIN_0, PIN_1, ...\n"
	"\n"
	"Exits with status 2 if the kernel ejected the governor, and tells why; 1 after\n"
	"other errors and if somebody else unloaded it.\n"
	"\n"
	"  -g  with cpufreq_ext_scx.bpf.o: tasks of this cgroup want that much of the\n"
	"      highest frequency (100); the folder of a cgroup of version 2\n"
	"  -v  show what libbpf and the BPF verifier say\n"
	"  -h  show this help\n";

static bool verbose;
static int log_fd = -1;		/* of the kernel, since the governor was registered */

static int on_libbpf_message(enum libbpf_print_level level, const char *fmt,
			     va_list args)
{
	return verbose ? vfprintf(stderr, fmt, args) : 0;
}

/* Names and paths may have anything in them: it must stay one line of text. */
static noreturn void die(const char *fmt, ...)
{
	char text[8192], *c;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (c = text; *c; c++) {
		if (iscntrl((unsigned char)*c))
			*c = '?';
	}
	fprintf(stderr, "cpufreq_ext: %s\n", text);
	exit(1);
}

/* Read the first file that matches @pattern, without the last newline. */
static const char *read_sysfs(const char *pattern)
{
	static char text[4096];
	size_t len = 0;
	glob_t found;
	FILE *f;

	if (glob(pattern, 0, NULL, &found))
		return NULL;
	f = fopen(found.gl_pathv[0], "r");
	if (f) {
		len = fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
	}
	globfree(&found);
	text[len] = '\0';
	if (len && text[len - 1] == '\n')
		text[len - 1] = '\0';
	return len ? text : NULL;
}

/* ext/ is global, or one per policy where the driver wants it so. */
static const char *read_stat(void)
{
	const char *stat = read_sysfs(CPUFREQ "/ext/stat");

	return stat ?: read_sysfs(CPUFREQ "/policy*/ext/stat");
}

/* Which operations are in a map, without the suffix that objects may add? */
static bool has_ops(const struct bpf_object *obj, const struct bpf_map *map,
		    const char *ops)
{
	const struct btf *btf = bpf_object__btf(obj);
	const struct btf_type *type;
	const char *name;

	if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
		return false;
	type = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
	name = btf__name_by_offset(btf, type->name_off);
	return !strncmp(name, ops, strlen(ops)) &&
	       (!name[strlen(ops)] || !strncmp(name + strlen(ops), "___", 3));
}

static bool has_scheduler(const struct bpf_object *obj)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj) {
		if (has_ops(obj, map, SCHEDULER_OPS))
			return true;
	}
	return false;
}

static void die_not_loaded(const struct bpf_object *obj, const char *path, int err)
{
	struct btf *btf = btf__load_vmlinux_btf();
	const char *governors;

	if ((err == -EPERM || err == -EACCES) && geteuid())
		die("not permitted to load BPF programs: run as root");
	if (!btf)
		die("this kernel has no BTF: use one built with CONFIG_DEBUG_INFO_BTF");
	governors = read_sysfs(CPUFREQ "/policy*/scaling_available_governors");
	if (btf__find_by_name_kind(btf, GOVERNOR_OPS, BTF_KIND_STRUCT) < 0 &&
	    access("/sys/kernel/btf/cpufreq_ext", F_OK) &&
	    (!governors || !strstr(governors, "ext ")))
		die("this kernel has no governor ext: modprobe cpufreq_ext, or build it in");
	if (has_scheduler(obj) &&
	    btf__find_by_name_kind(btf, SCHEDULER_OPS, BTF_KIND_STRUCT) < 0)
		die("this kernel has no sched_ext: use one built with CONFIG_SCHED_CLASS_EXT");
	die("%s: the kernel does not take it (%s): see the end of dmesg, or use -v",
	    path, strerror(-err));
}

static void die_not_attached(const char *path, int err)
{
	const char *text;

	if (err == -EBUSY) {
		text = read_stat();
		text = text ? strstr(text, "governor: ") : NULL;
		text = text ? text + strlen("governor: ") : "?";
		die("BPF governor '%.*s' is loaded: stop its loader or remove its pin first",
		    (int)strcspn(text, "\n"), text);
	}
	if (err == -EINVAL)
		die("%s: the kernel does not take it: see the end of dmesg", path);
	if (err != -ENODEV)
		die("%s: the governor does not start: %s", path, strerror(-err));
	text = read_sysfs(CPUFREQ "/policy*/scaling_available_governors");
	if (!text)
		die("no cpufreq driver is active: load one that fits this machine");
	if (!strstr(text, "ext "))
		die("driver '%s' takes no governors: use its passive mode, or another driver",
		    read_sysfs(CPUFREQ "/policy*/scaling_driver") ?: "?");
	die("no policy uses ext: write ext to " CPUFREQ "/policy*/scaling_governor first");
}

static void print_state(void)
{
	const char *text = read_stat(), *freq;
	glob_t found;
	size_t i;

	text = text ?: "Stat: no policy uses ext\nBPF governor: -";
	printf("%.*s", (int)strcspn(text + 6, "\n"), text + 6);
	text = strstr(text, "governor: ");
	text = text ? text + strlen("governor: ") : "";
	printf("  %.*s", (int)strcspn(text, "\n"), text);

	if (!glob(CPUFREQ "/policy*/scaling_cur_freq", 0, NULL, &found)) {
		for (i = 0; i < found.gl_pathc; i++) {
			freq = read_sysfs(found.gl_pathv[i]);
			printf("  %.*s %s kHz",
			       (int)strcspn(found.gl_pathv[i] + strlen(CPUFREQ) + 1, "/"),
			       found.gl_pathv[i] + strlen(CPUFREQ) + 1,
			       freq ?: "?");
		}
		globfree(&found);
	}
	putchar('\n');
	fflush(stdout);
}

/* Each ends with its line, and nothing in it may control a terminal. */
static void print_ejection(const char *name, const char *why)
{
	char line[1024], *c;

	snprintf(line, sizeof(line), "cpufreq_ext: BPF governor '%.*s' was ejected: %.*s",
		 (int)strcspn(name, "\n"), name, (int)strcspn(why, "\n"), why);
	for (c = line; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	fprintf(stderr, "%s\n", line);
}

/* The log has a backslash of the kernel's as "\x5c". */
static void unescape(char *text)
{
	static const char backslash[] = "\\x5c";

	while ((text = strstr(text, backslash))) {
		memmove(text + 1, text + strlen(backslash),
			strlen(text + strlen(backslash)) + 1);
		text++;
	}
}

/* The first ejection in the kernel's log, if that is for us */
static bool was_ejected_in_log(void)
{
	static const char governor[] = "cpufreq_ext: BPF governor ";
	static const char ejected[] = " ejected: ";
	char record[8192], *name, *why;
	ssize_t len;

	while ((len = read(log_fd, record, sizeof(record) - 1)) > 0 ||
	       (len < 0 && errno == EPIPE)) {
		if (len < 0)
			continue;
		record[len] = '\0';
		record[strcspn(record, "\n")] = '\0';
		unescape(record);
		name = strstr(record, governor);
		why = name ? strstr(name, ejected) : NULL;
		if (!why)
			continue;
		*why = '\0';
		print_ejection(name + strlen(governor), why + strlen(ejected));
		return true;
	}
	return false;
}

/*
 * Was the governor ejected?  Then say why.  ext/stat is gone with the last policy
 * of ext, and may tell of the next governor.
 */
static bool was_ejected(void)
{
	static const char name[] = "\nBPF governor: ", reason[] = "\nReason: ";
	const char *text = read_stat(), *why;

	if (was_ejected_in_log())
		return true;
	if (!text || strncmp(text, "Stat: CPUFREQ_EXT_FAULT\n", 24))
		return false;
	text = strstr(text, name);
	why = text ? strstr(text, reason) : NULL;
	if (!why)
		return false;
	print_ejection(text + strlen(name), why + strlen(reason));
	return true;
}

/* Print the state until a signal comes or @link is gone; returns the status. */
static int wait_for_end(struct bpf_link *link, const sigset_t *stop)
{
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = 0 } };

	fds[0].fd = signalfd(-1, stop, SFD_CLOEXEC);
	/* Of a governor without a link this is its map, which cannot be polled. */
	fds[1].fd = link ? bpf_link__fd(link) : -1;
	do {
		print_state();
		if (!link && was_ejected())
			return STATUS_EJECTED;
	} while (poll(fds, 2, 1000) <= 0);
	if (fds[0].revents)
		return 0;
	if (was_ejected())
		return STATUS_EJECTED;
	fputs("cpufreq_ext: the governor was unloaded by somebody else\n", stderr);
	return 1;
}

/*
 * Attach what is in the object, its governor last, as the other programs, or a
 * scheduler, may gather what the governor decides on.
 */
static int attach_all(struct bpf_object *obj, const char *path,
		      struct bpf_link **links, bool *has_link)
{
	struct bpf_map *map, *governor = NULL;
	struct bpf_program *prog;
	int n = 0;

	bpf_object__for_each_program(prog, obj) {
		if (bpf_program__type(prog) == BPF_PROG_TYPE_STRUCT_OPS ||
		    bpf_program__type(prog) == BPF_PROG_TYPE_SYSCALL)
			continue;
		if (n == MAX_LINKS - 2)
			die("%s: more than %d programs to attach", path, MAX_LINKS - 2);
		links[n] = bpf_program__attach(prog);
		if (!links[n++])
			die("%s: program %s cannot be attached: %s", path,
			    bpf_program__name(prog), strerror(errno));
	}
	bpf_object__for_each_map(map, obj) {
		if (has_ops(obj, map, GOVERNOR_OPS))
			governor = map;
		if (n == MAX_LINKS - 1 || !has_ops(obj, map, SCHEDULER_OPS))
			continue;
		links[n] = bpf_map__attach_struct_ops(map);
		if (!links[n++])
			die("%s: scheduler %s cannot be attached (%s): see the end of dmesg",
			    path, bpf_map__name(map), strerror(errno));
	}
	if (!governor)
		die("%s: no governor in it (section .struct_ops.link)", path);
	if (log_fd < 0)
		log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log_fd >= 0)
		lseek(log_fd, 0, SEEK_END);
	links[n] = bpf_map__attach_struct_ops(governor);
	if (!links[n])
		die_not_attached(path, -errno);
	*has_link = bpf_map__map_flags(governor) & LINK_FLAG;
	return n + 1;
}

/* A cgroup's ID is the number of its folder. */
static void add_group(struct bpf_object *obj, const char *path, char *arg)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, "pair_groups");
	char *percent = strrchr(arg, '='), *end = "";
	unsigned long share = 100;
	__u32 wanted;
	struct statfs fs;
	struct stat st;
	__u64 id;

	if (!map)
		die("%s: it knows no groups: use -g with cpufreq_ext_scx.bpf.o", path);
	if (percent) {
		*percent++ = '\0';
		share = strtoul(percent, &end, 10);
		if (!isdigit((unsigned char)*percent) || *end || share < 1 || share > 100)
			die("-g %s=%s: give 1 to 100 percent", arg, percent);
	}
	if (stat(arg, &st) || !S_ISDIR(st.st_mode) || statfs(arg, &fs) ||
	    fs.f_type != CGROUP2_SUPER_MAGIC)
		die("-g %s: no such cgroup: give its folder below /sys/fs/cgroup", arg);
	id = st.st_ino;
	wanted = share;
	if (bpf_map__update_elem(map, &id, sizeof(id), &wanted, sizeof(wanted), BPF_ANY))
		die("-g %s: %s", arg, strerror(errno));
}

/* The governor's link gets the name @pin, the others one beside it. */
static void pin_all(struct bpf_link **links, int n, const char *pin)
{
	char path[4096];
	int i, err;

	for (i = 0; i < n; i++) {
		if (i < n - 1)
			snprintf(path, sizeof(path), "%s_%d", pin, i);
		else
			snprintf(path, sizeof(path), "%s", pin);
		err = bpf_link__pin(links[i], path);
		if (!err)
			continue;
		while (i--)
			bpf_link__unpin(links[i]);
		die("%s: cannot pin there (%s): use a new name in /sys/fs/bpf", path,
		    strerror(-err));
	}
}

int main(int argc, char **argv)
{
	struct bpf_link *links[MAX_LINKS];
	struct bpf_object *obj;
	int opt, err, n, status, nr_groups = 0;
	char *groups[MAX_GROUPS];
	bool has_link;
	sigset_t stop;

	while ((opt = getopt(argc, argv, "g:hv")) != -1) {
		if (opt == 'h')
			return fputs(usage, stdout) < 0;
		else if (opt == 'v')
			verbose = true;
		else if (opt == 'g' && nr_groups < MAX_GROUPS)
			groups[nr_groups++] = optarg;
		else
			return fputs(usage, stderr), 1;
	}
	argc -= optind;
	argv += optind;
	if (argc < 1 || argc > 2)
		return fputs(usage, stderr), 1;

	libbpf_set_print(on_libbpf_message);
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);

	obj = bpf_object__open_file(argv[0], NULL);
	if (!obj)
		die("%s: %s", argv[0], errno == ENOENT ? "no such file" : "not a BPF object");
	err = bpf_object__load(obj);
	if (err)
		die_not_loaded(obj, argv[0], err);
	while (nr_groups)
		add_group(obj, argv[0], groups[--nr_groups]);
	n = attach_all(obj, argv[0], links, &has_link);

	if (argc == 2) {
		pin_all(links, n, argv[1]);
		if (!was_ejected())
			return 0;
		while (n--)
			bpf_link__unpin(links[n]);
		return STATUS_EJECTED;
	}

	status = wait_for_end(has_link ? links[n - 1] : NULL, &stop);
	/* The governor first, it may need what the others gather. */
	while (n--)
		bpf_link__destroy(links[n]);
	bpf_object__close(obj);
	return status;
}
