// SPDX-License-Identifier: GPL-2.0-only
/*
 * The governor that is registered, whoever loaded it
 *
 * The kernel tells of its struct_ops map.  That map and the section of the
 * tunables come from the same BPF object, thus they have the same BTF.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "cpufreq_ext.h"

#define GOVERNOR_OPS	"cpufreq_governor_ext_ops"
#define GOVERNOR_VALUE	"bpf_struct_ops_" GOVERNOR_OPS
#define GOVERNOR_INUSE	1	/* BPF_STRUCT_OPS_STATE_INUSE */

/*
 * The kernel headers of a distribution may be older than the kernel.  These read
 * what headers before 6.9 do not name: bpf_map_info.btf_vmlinux_id, which was
 * padding, and bpf_link_info.struct_ops.map_id, at the start of the union.
 */
static uint32_t governor_map_btf(const struct bpf_map_info *info)
{
	return *(&info->btf_value_type_id + 1);
}

uint32_t governor_link_map(int link_fd)
{
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info), map_id;

	if (bpf_link_get_info_by_fd(link_fd, &info, &len) || info.type != BPF_LINK_TYPE_STRUCT_OPS)
		return 0;
	memcpy(&map_id, &info.raw_tracepoint, sizeof(map_id));
	return map_id;
}

/* BTF of the kernel and of the module that ext may be; loaded when needed */
static struct btf *governor_vmlinux;
static struct btf *governor_module;

static const struct btf *governor_kernel_btf(uint32_t id)
{
	struct bpf_btf_info info = {};
	uint32_t len = sizeof(info);
	char name[64] = "";
	int fd, err;

	if (!governor_vmlinux)
		governor_vmlinux = btf__load_vmlinux_btf();
	fd = bpf_btf_get_fd_by_id(id);
	if (!governor_vmlinux || fd < 0)
		return NULL;
	info.name = (uintptr_t)name;
	info.name_len = sizeof(name);
	err = bpf_btf_get_info_by_fd(fd, &info, &len);
	close(fd);
	if (err || !strcmp(name, "vmlinux"))
		return err ? NULL : governor_vmlinux;
	btf__free(governor_module);
	governor_module = btf__load_from_kernel_by_id_split(id, governor_vmlinux);
	return governor_module;
}

/* Offset of a member of a struct, and its type */
static int governor_member(const struct btf *btf, const struct btf_type **type, const char *name)
{
	const struct btf_type *t = *type;
	int i;

	for (i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = btf_members(t) + i;

		if (strcmp(btf__name_by_offset(btf, m->name_off), name))
			continue;
		*type = btf__type_by_id(btf, m->type);
		return btf_member_bit_offset(t, i) / 8;
	}
	return -1;
}

/* Is it a governor? Then find out its name, and whether its state is "in use". */
static bool governor_is(const struct bpf_map_info *info, int fd, char *name, bool *inuse)
{
	const struct btf *btf = governor_kernel_btf(governor_map_btf(info));
	const struct btf_type *t, *data_type, *common_type;
	int data, common, at;
	uint32_t key = 0;
	char *value;

	t = btf ? btf__type_by_id(btf, info->btf_vmlinux_value_type_id) : NULL;
	if (!t || strcmp(btf__name_by_offset(btf, t->name_off), GOVERNOR_VALUE))
		return false;

	value = calloc(1, info->value_size);
	if (!value || bpf_map_lookup_elem(fd, &key, value)) {
		free(value);
		return false;
	}
	common_type = t;
	common = governor_member(btf, &common_type, "common");
	at = common < 0 ? -1 : governor_member(btf, &common_type, "state");
	*inuse = at >= 0 && *(uint32_t *)(value + common + at) == GOVERNOR_INUSE;

	data_type = t;
	data = governor_member(btf, &data_type, "data");
	at = data < 0 ? -1 : governor_member(btf, &data_type, "name");
	snprintf(name, NAME_LEN, "%s", at < 0 ? "?" : value + data + at);
	free(value);
	return true;
}

/* A link keeps a map registered, unless it was detached. */
static uint32_t governor_find_link(uint32_t map_id, int *link_fd)
{
	uint32_t id = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		int fd = bpf_link_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (governor_link_map(fd) == map_id) {
			*link_fd = fd;
			return id;
		}
		close(fd);
	}
	return 0;
}

/* What the programs of its operations are for */
static void governor_find_type(struct governor *g, const struct bpf_map_info *info)
{
	const struct btf *btf = governor_kernel_btf(governor_map_btf(info));
	int type = btf ? btf__find_by_name_kind(btf, GOVERNOR_OPS, BTF_KIND_STRUCT) : -1;

	g->ops_btf_id = governor_map_btf(info);
	g->ops_type_id = type < 0 ? 0 : type;
}

int governor_find(struct governor *g)
{
	uint32_t id = 0;
	bool inuse;

	memset(g, 0, sizeof(*g));
	g->map_fd = -1;
	g->link_fd = -1;
	g->section_fd = -1;
	while (!bpf_map_get_next_id(id, &id)) {
		struct bpf_map_info info = {};
		uint32_t len = sizeof(info);
		int fd = bpf_map_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_map_get_info_by_fd(fd, &info, &len) &&
		    info.type == BPF_MAP_TYPE_STRUCT_OPS &&
		    governor_is(&info, fd, g->name, &inuse)) {
			g->link_id = governor_find_link(id, &g->link_fd);
			if (g->link_id || inuse) {
				g->map_id = id;
				g->map_fd = fd;
				governor_find_type(g, &info);
				if (info.btf_id)
					g->btf = btf__load_from_kernel_by_id(info.btf_id);
				return 1;
			}
		}
		close(fd);
	}
	if (errno != ENOENT)
		return main_err("not permitted to look at BPF objects (%s): run as root",
				strerror(errno));
	return 0;
}

int governor_need(struct governor *g)
{
	int found = governor_find(g);

	if (found)
		return found < 0 ? -1 : 0;
	return main_err("no BPF governor is loaded: cpufreq_ext load NAME");
}

/* ---- its tunables ---- */

static int governor_find_section(struct governor *g)
{
	struct bpf_map_info own = {};
	uint32_t len = sizeof(own), id = 0;

	if (bpf_map_get_info_by_fd(g->map_fd, &own, &len))
		return -1;
	while (!bpf_map_get_next_id(id, &id)) {
		struct bpf_map_info info = {};
		int fd = bpf_map_get_fd_by_id(id);

		if (fd < 0)
			continue;
		len = sizeof(info);
		if (!bpf_map_get_info_by_fd(fd, &info, &len) &&
		    info.type == BPF_MAP_TYPE_ARRAY && info.btf_id == own.btf_id &&
		    !strcmp(info.name, TUNABLES_SECTION)) {
			g->section_size = info.value_size;
			return fd;
		}
		close(fd);
	}
	return -1;
}

int governor_map_tunables(struct governor *g)
{
	size_t page = sysconf(_SC_PAGESIZE);

	if (!g->btf || tunables_find(&g->tunables, g->btf, g->name))
		return g->btf ? -1 : 0;
	if (!g->tunables.nr)
		return 0;
	g->section_fd = governor_find_section(g);
	if (g->section_fd < 0)
		return main_err("%s: its tunables cannot be found: load it again", g->name);
	if (!tunables_fit(&g->tunables, g->section_size))
		return main_err("%s: its tunables are not in section %s: compile it anew",
				g->name, TUNABLES_SECTION);
	g->section_size = (g->section_size + page - 1) / page * page;
	g->section = mmap(NULL, g->section_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			  g->section_fd, 0);
	if (g->section == MAP_FAILED) {
		g->section = NULL;
		return main_err("%s: its tunables cannot be mapped (%s): load it with libbpf",
				g->name, strerror(errno));
	}
	return 0;
}

/* ---- its end ---- */

int governor_unregister(struct governor *g)
{
	uint32_t key = 0;
	int err;

	if (g->link_id)
		err = bpf_link_detach(g->link_fd);
	else
		err = bpf_map_delete_elem(g->map_fd, &key);
	if (err)
		return main_err("%s cannot be unloaded (%s): stop its loader, or remove its pin",
				g->name, strerror(errno));
	return 0;
}

void governor_close(struct governor *g)
{
	if (g->section)
		munmap(g->section, g->section_size);
	if (g->section_fd >= 0)
		close(g->section_fd);
	if (g->link_fd >= 0)
		close(g->link_fd);
	if (g->map_fd >= 0)
		close(g->map_fd);
	tunables_free(&g->tunables);
	btf__free(g->btf);
	g->btf = NULL;
	btf__free(governor_module);
	btf__free(governor_vmlinux);
	governor_module = NULL;
	governor_vmlinux = NULL;
}
