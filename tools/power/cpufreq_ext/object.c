// SPDX-License-Identifier: GPL-2.0-only
/* BPF objects with a governor: find, check, load, attach and pin them */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "cpufreq_ext.h"

#ifndef CPUFREQ_EXT_LIBDIR
#define CPUFREQ_EXT_LIBDIR	"/usr/lib/cpufreq_ext"
#endif

#define OBJECT_OPS	"cpufreq_governor_ext_ops"
#define OBJECT_TAG	"governor:"
#define OBJECT_SUFFIX	".bpf.o"
#define OBJECT_F_LINK	0x2000	/* BPF_F_LINK, since 6.4 */
#define OBJECT_PREFIX	"cpufreq_ext_"

/* ---- where bundled governors are ---- */

/* Folders to look in: $CPUFREQ_EXT_PATH, LIBDIR, that of the executable */
static char *object_path(void)
{
	const char *own = getenv("CPUFREQ_EXT_PATH");
	char exe[PATH_LEN];
	ssize_t len;

	len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[len > 0 ? len : 0] = '\0';
	if (strrchr(exe, '/'))
		*strrchr(exe, '/') = '\0';
	return main_format("%s%s%s:%s", own ?: "", own ? ":" : "", CPUFREQ_EXT_LIBDIR, exe);
}

const char *object_short_name(const char *path, size_t *len)
{
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	if (!strncmp(name, OBJECT_PREFIX, strlen(OBJECT_PREFIX)))
		name += strlen(OBJECT_PREFIX);
	*len = strlen(name) - strlen(OBJECT_SUFFIX);
	return name;
}

static int object_compare(const void *a, const void *b)
{
	const char *x, *y;
	size_t x_len, y_len;
	int order;

	x = object_short_name(*(char * const *)a, &x_len);
	y = object_short_name(*(char * const *)b, &y_len);
	order = strncmp(x, y, x_len < y_len ? x_len : y_len);
	return order ?: (int)x_len - (int)y_len;
}

static bool object_has(char **paths, int nr, const char *path)
{
	while (nr--) {
		if (!object_compare(&paths[nr], &path))
			return true;
	}
	return false;
}

/* The first of each name; only names with the prefix beside the executable */
int object_bundled(char ***paths)
{
	char *folders = object_path(), *folder, *pattern, *save;
	char **found = NULL;
	int nr = 0;
	size_t i;
	glob_t g;

	for (folder = strtok_r(folders, ":", &save); folder;
	     folder = strtok_r(NULL, ":", &save)) {
		bool last = !*save;

		pattern = main_format("%s/%s*" OBJECT_SUFFIX, folder,
				      last ? OBJECT_PREFIX : "");
		if (!glob(pattern, 0, NULL, &g)) {
			for (i = 0; i < g.gl_pathc; i++) {
				if (object_has(found, nr, g.gl_pathv[i]))
					continue;
				found = main_alloc(found, (nr + 1) * sizeof(*found));
				found[nr++] = main_format("%s", g.gl_pathv[i]);
			}
			globfree(&g);
		}
		free(pattern);
	}
	free(folders);
	if (nr)
		qsort(found, nr, sizeof(*found), object_compare);
	*paths = found;
	return nr;
}

static int object_find_bundled(char *path, const char *name)
{
	const char *found;
	char **paths;
	int i, nr, err = -1;
	size_t len;

	nr = object_bundled(&paths);
	for (i = 0; i < nr; i++) {
		found = object_short_name(paths[i], &len);
		if (err && strlen(name) == len && !strncmp(found, name, len)) {
			snprintf(path, PATH_LEN, "%s", paths[i]);
			err = 0;
		}
		free(paths[i]);
	}
	free(paths);
	if (err) {
		main_err("there is no governor '%s': see cpufreq_ext list, or give a file as ./%s",
			 name, name);
		return -1;
	}
	return 0;
}

static int object_find(char *path, const char *name)
{
	size_t len = strlen(name);

	if (!strchr(name, '/') && (len < 2 || strcmp(name + len - 2, ".o")))
		return object_find_bundled(path, name);
	if (access(name, R_OK))
		return main_err("%s: %s: give the name of a readable BPF object",
				name, strerror(errno));
	snprintf(path, PATH_LEN, "%s", name);
	return 0;
}

/* ---- what libbpf says ---- */

/* The first warning is mostly the reason; what follows tells what failed. */
static char object_warning[512];

static int object_print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char text[sizeof(object_warning)];
	char *line = text;

	if (main_verbose)
		return vfprintf(stderr, fmt, args);
	if (level != LIBBPF_WARN || *object_warning)
		return 0;
	vsnprintf(text, sizeof(text), fmt, args);
	if (!strncmp(line, "libbpf: ", 8))
		line += 8;
	snprintf(object_warning, sizeof(object_warning), "%.*s",
		 (int)strcspn(line, "\n"), line);
	return 0;
}

void object_init(void)
{
	libbpf_set_print(object_print);
}

/* ---- opening ---- */

/* A name such as cpufreq_governor_ext_ops___local counts as well. */
static bool object_is_governor(const struct btf *btf, const struct bpf_map *map)
{
	const struct btf_type *t = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
	const char *name = t ? btf__name_by_offset(btf, t->name_off) : "";
	size_t len = strlen(OBJECT_OPS);

	return !strncmp(name, OBJECT_OPS, len) &&
	       (!name[len] || !strncmp(name + len, "___", 3));
}

static int object_find_ops(struct object *o, const struct btf *btf)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, o->obj) {
		if (!strcmp(bpf_map__name(map), TUNABLES_SECTION))
			o->section = map;
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS ||
		    !object_is_governor(btf, map))
			continue;
		if (o->ops) {
			main_err("%s: there are two governors in it: make an object of each",
				 o->path);
			return -1;
		}
		o->ops = map;
	}
	if (!o->ops) {
		main_err("%s: no governor in it (section .struct_ops.link): see Documentation/bpf/cpufreq_ext.rst",
			 o->path);
		return -1;
	}
	return 0;
}

static int object_find_name(struct object *o, const struct btf *btf)
{
	const struct btf_type *t;
	const struct btf_member *m;
	size_t size, offset, i;
	const char *data;

	data = bpf_map__initial_value(o->ops, &size);
	t = btf__type_by_id(btf, bpf_map__btf_value_type_id(o->ops));
	for (i = 0; data && i < btf_vlen(t); i++) {
		m = btf_members(t) + i;
		offset = btf_member_bit_offset(t, i) / 8;
		if (strcmp(btf__name_by_offset(btf, m->name_off), "name") || offset >= t->size)
			continue;
		size = t->size - offset < NAME_LEN ? t->size - offset : NAME_LEN;
		if (!data[offset] || !memchr(data + offset, '\0', size))
			break;
		snprintf(o->name, sizeof(o->name), "%s", data + offset);
		return 0;
	}
	return main_err("%s: its governor has no name of 1 to %d characters: set .name",
			o->path, NAME_LEN - 1);
}

/* A BTF declaration tag "governor:TEXT" of the ops */
static void object_find_text(struct object *o, const struct btf *btf)
{
	const struct btf_type *t, *v;
	const char *tag;
	uint32_t i;

	for (i = 1; i < btf__type_cnt(btf); i++) {
		t = btf__type_by_id(btf, i);
		if (!btf_is_decl_tag(t))
			continue;
		v = btf__type_by_id(btf, t->type);
		tag = btf__name_by_offset(btf, t->name_off);
		if (!strncmp(tag, OBJECT_TAG, strlen(OBJECT_TAG)) && btf_is_var(v) &&
		    !strcmp(btf__name_by_offset(btf, v->name_off), bpf_map__name(o->ops)))
			o->text = tag + strlen(OBJECT_TAG);
	}
}

/* The BTF tells of variables that the section need not have. */
static int object_find_tunables(struct object *o, const struct btf *btf)
{
	size_t size = 0;

	if (tunables_find(&o->tunables, btf, o->name))
		return -1;
	if (o->section && !bpf_map__initial_value(o->section, &size))
		size = 0;
	if (tunables_fit(&o->tunables, size))
		return 0;
	return main_err("%s: its tunables are not in section %s: compile it anew", o->path,
			TUNABLES_SECTION);
}

static int object_set_tunables(struct object *o, int nr, char **args)
{
	struct tunable_value *values;
	size_t size;
	void *data;
	int err;

	if (!nr)
		return 0;
	values = calloc(nr, sizeof(*values));
	if (!values)
		return main_err("out of memory");
	err = tunables_parse(&o->tunables, o->name, nr, args, values);
	if (!err) {
		data = bpf_map__initial_value(o->section, &size);
		tunables_write(data, values, nr);
	}
	free(values);
	return err;
}

int object_open(struct object *o, const char *name, int nr_tunables, char **tunables)
{
	const struct btf *btf;
	int err;

	memset(o, 0, sizeof(*o));
	*object_warning = '\0';
	if (object_find(o->path, name) || check_object(o->path))
		return -1;
	o->obj = bpf_object__open_file(o->path, NULL);
	if (!o->obj)
		return main_err("%s: not a BPF object: compile it with clang --target=bpf -g",
				o->path);
	btf = bpf_object__btf(o->obj);
	if (!btf)
		err = main_err("%s: it has no BTF: compile it with clang -g", o->path);
	else
		err = object_find_ops(o, btf) ?: object_find_name(o, btf) ?:
		      object_find_tunables(o, btf) ?:
		      object_set_tunables(o, nr_tunables, tunables);
	if (err) {
		object_close(o);
		return -1;
	}
	object_find_text(o, btf);
	return 0;
}

bool object_has_link(const struct object *o)
{
	return bpf_map__map_flags(o->ops) & OBJECT_F_LINK;
}

/* ---- loading ---- */

static int object_not_loaded(struct object *o, int err)
{
	if ((err == -EPERM || err == -EACCES) && geteuid())
		return main_err("not permitted to load BPF programs: run as root");
	if (access("/sys/kernel/btf/vmlinux", F_OK)) {
		main_err("this kernel has no BTF: use one built with CONFIG_DEBUG_INFO_BTF");
		return -1;
	}
	if (strstr(object_warning, OBJECT_OPS)) {
		main_err("this kernel has no governor ext: modprobe cpufreq_ext, or build it in");
		return -1;
	}
	main_err("%s: this kernel does not take it (%s; %s): see cpufreq_ext -v, and the end of dmesg",
		 o->path, strerror(-err), *object_warning ? object_warning : "-");
	return -1;
}

int object_load(struct object *o)
{
	int err = bpf_object__load(o->obj);

	return err ? object_not_loaded(o, err) : 0;
}

/* ---- attaching ---- */

static int object_add_link(struct object *o, struct bpf_link *link, const char *name)
{
	if (!link) {
		main_err("%s: %s cannot be attached (%s): see cpufreq_ext -v, and the end of dmesg",
			 o->path, name, strerror(errno));
		return -1;
	}
	o->links = main_alloc(o->links, (o->nr_links + 1) * sizeof(*o->links));
	o->links[o->nr_links++] = link;
	return 0;
}

int object_attach_others(struct object *o)
{
	struct bpf_program *prog;
	struct bpf_map *map;

	bpf_object__for_each_program(prog, o->obj) {
		if (bpf_program__type(prog) == BPF_PROG_TYPE_STRUCT_OPS ||
		    bpf_program__type(prog) == BPF_PROG_TYPE_SYSCALL ||
		    !bpf_program__autoattach(prog))
			continue;
		if (object_add_link(o, bpf_program__attach(prog), bpf_program__name(prog)))
			return -1;
	}
	/* A scheduler, for example */
	bpf_object__for_each_map(map, o->obj) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS || map == o->ops ||
		    !bpf_map__autocreate(map))
			continue;
		if (object_add_link(o, bpf_map__attach_struct_ops(map), bpf_map__name(map)))
			return -1;
	}
	return 0;
}

int object_no_policy(void)
{
	return main_err("no policy uses ext: add --select, or write ext to %s before",
			CPUFREQ "/policy*/scaling_governor");
}

static int object_not_attached(struct object *o, int err)
{
	switch (err) {
	case -EBUSY:
		main_err("another BPF governor is loaded: use cpufreq_ext replace, or unload before");
		return -1;
	case -ENODEV:
		return object_no_policy();
	case -EINVAL:
		return main_err("%s: the kernel does not take it: see the end of dmesg", o->path);
	default:
		return main_err("%s: the governor does not start (%s): see the end of dmesg",
				o->path, strerror(-err));
	}
}

int object_attach(struct object *o)
{
	object_watch(o);
	o->governor = bpf_map__attach_struct_ops(o->ops);
	return o->governor ? 0 : object_not_attached(o, -errno);
}

/* ---- faults ---- */

void object_watch(struct object *o)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd <= 0)
		return;
	lseek(fd, 0, SEEK_END);
	o->log = fd;
}

/* The log has a backslash of the kernel's as "\x5c". */
static void object_unescape(char *text)
{
	static const char backslash[] = "\\x5c";

	while ((text = strstr(text, backslash))) {
		memmove(text + 1, text + strlen(backslash),
			strlen(text + strlen(backslash)) + 1);
		text++;
	}
}

/* The first ejection in the log, as "NAME ejected: REASON" */
static char *object_logged_fault(int log)
{
	static const char governor[] = "cpufreq_ext: BPF governor ";
	static const char ejected[] = " ejected: ";
	char record[8192], *name, *why;
	ssize_t len;

	for (;;) {
		len = read(log, record, sizeof(record) - 1);
		if (len < 0 && errno == EPIPE)
			continue;
		if (len <= 0)
			return NULL;
		record[len] = '\0';
		record[strcspn(record, "\n")] = '\0';
		object_unescape(record);
		name = strstr(record, governor);
		why = name ? strstr(name, ejected) : NULL;
		if (!why)
			continue;
		*why = '\0';
		return main_format("%s was ejected: %s", name + strlen(governor),
				   why + strlen(ejected));
	}
}

/*
 * ext/stat is gone with the last policy of ext, and may tell of the next governor.
 * The log may not be for us.
 */
char *object_fault(const struct object *o)
{
	char *fault = o->log ? object_logged_fault(o->log) : NULL;

	return fault ?: sysfs_fault();
}

void object_close(struct object *o)
{
	int i;

	/* The governor first: it may need what the others gather. */
	bpf_link__destroy(o->governor);
	for (i = o->nr_links; i--; )
		bpf_link__destroy(o->links[i]);
	free(o->links);
	if (o->log)
		close(o->log);
	tunables_free(&o->tunables);
	bpf_object__close(o->obj);
	memset(o, 0, sizeof(*o));
}

/* ---- pins ---- */

int object_check_pin(void)
{
	struct statfs fs;

	if (statfs("/sys/fs/bpf", &fs) || (unsigned long)fs.f_type != BPF_FS_MAGIC) {
		main_err("/sys/fs/bpf is no BPF file system: mount -t bpf bpffs /sys/fs/bpf");
		return -1;
	}
	if (mkdir(PIN_DIR, 0700) && errno != EEXIST)
		return main_err(PIN_DIR " cannot be made (%s): run as root", strerror(errno));
	return 0;
}

void object_unpin(bool governor)
{
	size_t i;
	glob_t g;

	if (governor)
		unlink(PIN_GOVERNOR);
	if (!glob(PIN_DIR "/link_*", 0, NULL, &g)) {
		for (i = 0; i < g.gl_pathc; i++)
			unlink(g.gl_pathv[i]);
		globfree(&g);
	}
	if (governor)
		rmdir(PIN_DIR);
}

static int object_pin_link(struct bpf_link *link, const char *path)
{
	int err = bpf_link__pin(link, path);

	if (err)
		return main_err("%s cannot be pinned (%s): remove it, or load without --pin",
				path, strerror(-err));
	return 0;
}

/* Under names that are new, as those of a governor to be replaced are there. */
int object_pin_others(struct object *o)
{
	char path[64];
	int i, n = 0;

	for (i = 0; i < o->nr_links; i++) {
		do
			snprintf(path, sizeof(path), PIN_DIR "/link_%d", n++);
		while (!access(path, F_OK));
		if (object_pin_link(o->links[i], path)) {
			while (i--)
				bpf_link__unpin(o->links[i]);
			return -1;
		}
	}
	return 0;
}

int object_pin(struct object *o)
{
	int i;

	if (object_pin_others(o))
		return -1;
	if (!object_pin_link(o->governor, PIN_GOVERNOR)) {
		/* One without a link would be unregistered when it is closed. */
		bpf_link__disconnect(o->governor);
		return 0;
	}
	for (i = 0; i < o->nr_links; i++)
		bpf_link__unpin(o->links[i]);
	return -1;
}
