// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: BPF objects
 *
 * Inputs are objects of real governors with changes. Bytes changed at random
 * mostly end in the ELF header, where there is little to find: most changes are
 * made within a section, and in those with BTF within a type.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <linux/btf.h>
#include <linux/elf.h>
#include <bpf/libbpf.h>

#include "cpufreq_ext.h"
#include "fuzz.h"

/* ---- the target ---- */

int fuzz_init(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	object_init();
	return 0;
}

/* Set every tunable to its minimum. */
static void object_set_all(const char *path, const struct tunables *t)
{
	const char *out, *err;
	struct object o;
	char **args;
	int i, failed;

	args = main_alloc(NULL, t->nr * sizeof(*args));
	for (i = 0; i < t->nr; i++)
		args[i] = main_format("%s=%llu", t->tunable[i].name,
				      (unsigned long long)t->tunable[i].min);
	fuzz_begin();
	failed = object_open(&o, path, t->nr, args);
	if (!failed)
		object_close(&o);
	fuzz_end(&out, &err);
	if (failed)
		fuzz_check_refusal(err);
	for (i = 0; i < t->nr; i++)
		free(args[i]);
	free(args);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	const char *path = fuzz_file(data, size), *out, *err;
	char * const args[] = { (char *)"info", (char *)path, NULL };
	int failed, opened;
	struct object o;

	optind = 0;
	fuzz_begin();
	failed = show_info_main(2, (char **)args);
	fuzz_end(&out, &err);
	if (failed)
		fuzz_check_refusal(err);
	else
		fuzz_check(!*err);

	fuzz_begin();
	opened = !object_open(&o, path, 0, NULL);
	if (opened && object_load(&o))
		failed = -1;
	fuzz_end(&out, &err);
	if (failed)
		fuzz_check_refusal(err);
	if (opened) {
		if (o.tunables.nr)
			object_set_all(path, &o.tunables);
		object_close(&o);
	}
	return 0;
}

/* ---- changes ---- */

static unsigned int mutate_state;

static unsigned int mutate_random(unsigned int below)
{
	mutate_state = mutate_state * 1664525 + 1013904223;
	return below ? (mutate_state >> 8) % below : 0;
}

/* Numbers at which something may break */
static uint32_t mutate_number(uint32_t old)
{
	static const uint32_t numbers[] = {
		0, 1, 2, 3, 4, 7, 8, 16, 31, 32, 63, 64, 0x7f, 0x80, 0xff, 0x100, 0xffff,
		0x10000, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff,
	};

	switch (mutate_random(5)) {
	case 0:
		return numbers[mutate_random(ARRAY_SIZE(numbers))];
	case 1:
		return old + 1 + mutate_random(16);
	case 2:
		return old - 1 - mutate_random(16);
	case 3:
		return mutate_random(256);
	default:
		return old ^ 1U << mutate_random(32);
	}
}

static void mutate_word(uint8_t *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	word = mutate_number(word);
	memcpy(p, &word, sizeof(word));
}

static size_t mutate_type_size(const struct btf_type *t)
{
	uint32_t vlen = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return sizeof(*t) + 4;
	case BTF_KIND_ARRAY:
		return sizeof(*t) + sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return sizeof(*t) + vlen * sizeof(struct btf_member);
	case BTF_KIND_DATASEC:
	case BTF_KIND_ENUM64:
		return sizeof(*t) + vlen * 12;
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return sizeof(*t) + vlen * 8;
	default:
		return sizeof(*t);
	}
}

/* The types in @types of one kind: how many, or where the chosen one is */
static unsigned int mutate_find_type(const uint8_t *types, size_t size, unsigned int kind,
				     unsigned int chosen, size_t *at, size_t *len)
{
	struct btf_type t;
	unsigned int n = 0;

	for (*at = 0; *at + sizeof(t) <= size; *at += *len) {
		memcpy(&t, types + *at, sizeof(t));
		*len = mutate_type_size(&t);
		if (*len > size - *at)
			break;
		if (BTF_INFO_KIND(t.info) == kind && n++ == chosen)
			break;
	}
	return n;
}

/*
 * A word of a type: its name, kind, size, or something of a member. All kinds
 * have the same chance, however many types there are of it.
 */
static bool mutate_type(uint8_t *types, size_t size)
{
	unsigned int kind = 1 + mutate_random(BTF_KIND_MAX), n;
	size_t at, len;

	n = mutate_find_type(types, size, kind, UINT32_MAX, &at, &len);
	if (!n)
		return false;
	mutate_find_type(types, size, kind, mutate_random(n), &at, &len);
	mutate_word(types + at + 4 * mutate_random(len / 4));
	return true;
}

static void mutate_btf(uint8_t *data, size_t size)
{
	struct btf_header h;
	unsigned int tries;

	if (size >= sizeof(h) && mutate_random(10)) {
		memcpy(&h, data, sizeof(h));
		if (h.hdr_len > size || h.type_off > size - h.hdr_len ||
		    h.type_len > size - h.hdr_len - h.type_off)
			h.type_len = 0;
		for (tries = 0; h.type_len && tries < 8; tries++) {
			if (mutate_type(data + h.hdr_len + h.type_off, h.type_len))
				return;
		}
	}
	if (size >= 4)
		mutate_word(data + 4 * mutate_random(size / 4));
}

static bool mutate_is_btf(const uint8_t *data, size_t size)
{
	uint16_t magic;

	if (size < sizeof(magic))
		return false;
	memcpy(&magic, data, sizeof(magic));
	return magic == BTF_MAGIC;
}

/* The contents of a section, or its header; that with BTF half of the time */
static bool mutate_section(uint8_t *data, size_t size)
{
	bool btf = mutate_random(2);
	struct elf64_shdr sh;
	struct elf64_hdr eh;
	size_t at;

	memcpy(&eh, data, sizeof(eh));
	if (eh.e_shnum < 2 || eh.e_shentsize != sizeof(sh) || eh.e_shoff > size ||
	    (size_t)eh.e_shnum * sizeof(sh) > size - eh.e_shoff)
		return false;
	at = eh.e_shoff + (1 + mutate_random(eh.e_shnum - 1)) * sizeof(sh);
	if (!btf && !mutate_random(12)) {
		mutate_word(data + at + 4 * mutate_random(sizeof(sh) / 4));
		return true;
	}
	memcpy(&sh, data + at, sizeof(sh));
	if (sh.sh_type == SHT_NOBITS || !sh.sh_size || sh.sh_offset > size ||
	    sh.sh_size > size - sh.sh_offset)
		return false;
	if (btf && !mutate_is_btf(data + sh.sh_offset, sh.sh_size))
		return false;
	if (btf) {
		mutate_btf(data + sh.sh_offset, sh.sh_size);
	} else if (sh.sh_size >= 4 && mutate_random(2)) {
		mutate_word(data + sh.sh_offset + 4 * mutate_random(sh.sh_size / 4));
	} else if (!mutate_random(16)) {
		sh.sh_size = mutate_random(sh.sh_size + 1);
		memcpy(data + at, &sh, sizeof(sh));
	} else {
		/* In place: the rest of the file must stay where it is. */
		fuzz_mutate(data + sh.sh_offset, sh.sh_size, sh.sh_size);
	}
	return true;
}

size_t fuzz_change(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	unsigned int n, tries;

	mutate_state = seed * 2654435761U;
	if (size < sizeof(struct elf64_hdr) || memcmp(data, ELFMAG, SELFMAG) || !mutate_random(20))
		return fuzz_mutate(data, size, max_size);
	for (n = 1 + mutate_random(3); n; n--) {
		for (tries = 0; tries < 64 && !mutate_section(data, size); tries++)
			;
	}
	return size;
}
