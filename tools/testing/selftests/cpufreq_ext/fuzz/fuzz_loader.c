// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: the small loader of samples/bpf on a machine whose sysfs is the
 * input
 *
 * The first bytes say how libbpf and the kernel answer; what follows are the
 * files, with a zero byte between them. What libbpf makes of objects is for
 * fuzz_object: here, functions of the same names stand for it.
 */
#include <setjmp.h>
#include <stdint.h>
#include <stdnoreturn.h>

/* The loader exits where it cannot go on. */
noreturn void loader_exit(int status);

#define exit	loader_exit
#define main	loader_main
#include "cpufreq_ext_user.c"
#undef exit
#undef main

#include "fuzz.h"
#include "fuzz_tree.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static const char * const loader_files[] = {
	CPUFREQ "/ext/stat",
	CPUFREQ "/policy0/ext/stat",
	CPUFREQ "/policy0/scaling_cur_freq",
	CPUFREQ "/policy1/scaling_cur_freq",
	CPUFREQ "/policy0/scaling_available_governors",
	CPUFREQ "/policy0/scaling_driver",
	NULL
};

static const int loader_errors[] = { 0, EBUSY, EINVAL, ENODEV, EPERM, ENOMEM };

/* How libbpf and the kernel answer, see fuzz_one() */
static struct {
	int open, load, attach_program, attach, pin;
	unsigned int programs;
	bool btf, ejected, linkless;
} loader_answers;

static jmp_buf loader_end;

noreturn void loader_exit(int status)
{
	longjmp(loader_end, status + 1);
}

/* ---- libbpf ---- */

/* They are handed around, and nothing is in them. */
static char loader_object, loader_programs[256], loader_map, loader_link, loader_btf;

libbpf_print_fn_t libbpf_set_print(libbpf_print_fn_t fn)
{
	(void)fn;
	return NULL;
}

struct bpf_object *bpf_object__open_file(const char *path, const struct bpf_object_open_opts *opts)
{
	(void)path;
	(void)opts;
	errno = loader_answers.open;
	return errno ? NULL : (void *)&loader_object;
}

int bpf_object__load(struct bpf_object *obj)
{
	(void)obj;
	return -loader_answers.load;
}

void bpf_object__close(struct bpf_object *obj)
{
	(void)obj;
}

struct btf *btf__load_vmlinux_btf(void)
{
	return loader_answers.btf ? (void *)&loader_btf : NULL;
}

int btf__find_by_name_kind(const struct btf *btf, const char *name, __u32 kind)
{
	(void)btf;
	(void)name;
	(void)kind;
	return -ENOENT;
}

struct bpf_program *bpf_object__next_program(const struct bpf_object *obj,
					     struct bpf_program *prog)
{
	char *next = prog ? (char *)prog + 1 : loader_programs;

	(void)obj;
	return next < loader_programs + loader_answers.programs ? (void *)next : NULL;
}

enum bpf_prog_type bpf_program__type(const struct bpf_program *prog)
{
	(void)prog;
	return BPF_PROG_TYPE_TRACEPOINT;
}

const char *bpf_program__name(const struct bpf_program *prog)
{
	(void)prog;
	return "program";
}

struct bpf_link *bpf_program__attach(const struct bpf_program *prog)
{
	(void)prog;
	errno = loader_answers.attach_program;
	return errno ? NULL : (void *)&loader_link;
}

struct bpf_map *bpf_object__next_map(const struct bpf_object *obj, const struct bpf_map *map)
{
	(void)obj;
	return map ? NULL : (void *)&loader_map;
}

enum bpf_map_type bpf_map__type(const struct bpf_map *map)
{
	(void)map;
	return BPF_MAP_TYPE_STRUCT_OPS;
}

struct bpf_link *bpf_map__attach_struct_ops(const struct bpf_map *map)
{
	(void)map;
	errno = loader_answers.attach;
	return errno ? NULL : (void *)&loader_link;
}

int bpf_link__pin(struct bpf_link *link, const char *path)
{
	(void)link;
	(void)path;
	return -loader_answers.pin;
}

int bpf_link__unpin(struct bpf_link *link)
{
	(void)link;
	return 0;
}

int bpf_link__destroy(struct bpf_link *link)
{
	fuzz_check((void *)link == &loader_link);
	return 0;
}

/* The one map is a governor. */
struct btf *bpf_object__btf(const struct bpf_object *obj)
{
	(void)obj;
	return (void *)&loader_btf;
}

__u32 bpf_map__btf_value_type_id(const struct bpf_map *map)
{
	(void)map;
	return 1;
}

const struct btf_type *btf__type_by_id(const struct btf *btf, __u32 id)
{
	static const struct btf_type type;

	(void)btf;
	(void)id;
	return &type;
}

const char *btf__name_by_offset(const struct btf *btf, __u32 offset)
{
	(void)btf;
	(void)offset;
	return GOVERNOR_OPS "___local";
}

const char *bpf_map__name(const struct bpf_map *map)
{
	(void)map;
	return "map";
}

__u32 bpf_map__map_flags(const struct bpf_map *map)
{
	(void)map;
	return loader_answers.linkless ? 0 : LINK_FLAG;
}

struct bpf_map *bpf_object__find_map_by_name(const struct bpf_object *obj, const char *name)
{
	(void)obj;
	(void)name;
	return NULL;
}

int bpf_map__update_elem(const struct bpf_map *map, const void *key, size_t key_sz,
			 const void *value, size_t value_sz, __u64 flags)
{
	(void)map;
	(void)key;
	(void)key_sz;
	(void)value;
	(void)value_sz;
	(void)flags;
	return 0;
}

int bpf_link__fd(const struct bpf_link *link)
{
	(void)link;
	return -1;
}

int signalfd(int fd, const sigset_t *mask, int flags)
{
	(void)fd;
	(void)mask;
	(void)flags;
	return -1;
}

/* The first second is the last: a signal comes, or the link is gone. */
int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	(void)timeout;
	fuzz_check(n == 2);
	fds[0].revents = loader_answers.ejected ? 0 : POLLIN;
	fds[1].revents = loader_answers.ejected ? POLLHUP : 0;
	return 1;
}

/* ---- the target ---- */

int fuzz_init(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_tree_make(loader_files);
	return 0;
}

static int loader_error(uint8_t byte)
{
	return loader_errors[byte % ARRAY_SIZE(loader_errors)];
}

int fuzz_one(const uint8_t *data, size_t size)
{
	char * const args[] = {
		(char *)"cpufreq_ext", (char *)"object.bpf.o", (char *)"pin", NULL
	};
	const char *out, *err;
	int status;

	if (size < 7)
		return 0;
	loader_answers.open = loader_error(data[0]);
	loader_answers.load = loader_error(data[1]);
	loader_answers.attach_program = loader_error(data[2]);
	loader_answers.attach = loader_error(data[3]);
	loader_answers.pin = loader_error(data[4]);
	loader_answers.programs = data[5];
	loader_answers.btf = data[6] & 1;
	loader_answers.ejected = data[6] & 4;
	loader_answers.linkless = data[6] & 8;
	fuzz_tree_fill(data + 7, size - 7);

	optind = 0;
	fuzz_begin();
	status = setjmp(loader_end);
	if (!status)
		status = 1 + loader_main(data[6] & 2 ? 3 : 2, (char **)args);
	fuzz_end(&out, &err);
	if (status != 1)
		fuzz_check_refusal(err);
	return 0;
}
