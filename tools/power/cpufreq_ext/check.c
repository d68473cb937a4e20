// SPDX-License-Identifier: GPL-2.0-only
/*
 * Check an object before libbpf opens it
 *
 * libbpf 1.5 adds the offset of an ops in its section and the size of its type in
 * 32 bits, finds the sum to be within the section, and copies from far away.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <linux/elf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <bpf/btf.h>

#include "cpufreq_ext.h"

#define CHECK_BTF	".BTF"

static bool check_variable(const struct btf *btf, const struct btf_var_secinfo *var)
{
	int64_t size = btf__resolve_size(btf, var->type);

	/* Functions have no size. */
	return size < 0 || size + var->offset <= UINT32_MAX;
}

static bool check_btf(const struct btf *btf)
{
	const struct btf_type *t;
	uint32_t id;
	int i;

	for (id = 1; id < btf__type_cnt(btf); id++) {
		t = btf__type_by_id(btf, id);
		for (i = 0; btf_is_datasec(t) && i < btf_vlen(t); i++) {
			if (!check_variable(btf, btf_var_secinfos(t) + i))
				return false;
		}
	}
	return true;
}

static bool check_btf_data(const uint8_t *data, size_t size)
{
	struct btf *btf = btf__new(data, size);
	bool fits;

	/* What is wrong then, libbpf finds out. */
	if (!btf)
		return true;
	fits = check_btf(btf);
	btf__free(btf);
	return fits;
}

static bool check_within(uint64_t offset, uint64_t len, size_t size)
{
	return offset <= size && len <= size - offset;
}

/* btf__parse_elf() crashes if the section has no data in the file. */
static bool check_sections(const uint8_t *file, size_t size)
{
	struct elf64_shdr sh, names;
	struct elf64_hdr h;
	int i;

	if (size < sizeof(h))
		return true;
	memcpy(&h, file, sizeof(h));
	if (memcmp(h.e_ident, ELFMAG, SELFMAG) || h.e_shentsize != sizeof(sh) ||
	    h.e_shstrndx >= h.e_shnum ||
	    !check_within(h.e_shoff, (uint64_t)h.e_shnum * sizeof(sh), size))
		return true;
	memcpy(&names, file + h.e_shoff + h.e_shstrndx * sizeof(sh), sizeof(names));
	if (!check_within(names.sh_offset, names.sh_size, size))
		return true;
	for (i = 0; i < h.e_shnum; i++) {
		memcpy(&sh, file + h.e_shoff + i * sizeof(sh), sizeof(sh));
		if (sh.sh_type != SHT_PROGBITS || !check_within(sh.sh_offset, sh.sh_size, size) ||
		    !check_within(sh.sh_name, sizeof(CHECK_BTF), names.sh_size) ||
		    memcmp(file + names.sh_offset + sh.sh_name, CHECK_BTF, sizeof(CHECK_BTF)))
			continue;
		if (!check_btf_data(file + sh.sh_offset, sh.sh_size))
			return false;
	}
	return true;
}

int check_object(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool fits = true;
	struct stat st;
	void *file;

	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0) {
		file = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (file != MAP_FAILED) {
			fits = check_sections(file, st.st_size);
			munmap(file, st.st_size);
		}
	}
	if (fd >= 0)
		close(fd);
	return fits ? 0 : main_err("%s: its BTF does not fit its sections: compile it anew", path);
}
