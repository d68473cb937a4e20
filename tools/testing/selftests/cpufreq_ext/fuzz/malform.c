// SPDX-License-Identifier: GPL-2.0-only
/*
 * malform CASE IN OUT: an object of a governor, with one thing wrong in it
 *
 * Without arguments: the cases, one a line. The tool has to refuse each, in one
 * line, if it was made from an object with tunables.
 */
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/btf.h>
#include <linux/elf.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define TUNABLES	".data.tunables"

static uint8_t *data;
static long size;

/* ---- ELF ---- */

static struct elf64_hdr *elf_header(void)
{
	return (void *)data;
}

static struct elf64_shdr *elf_section(int i)
{
	return (struct elf64_shdr *)(data + elf_header()->e_shoff) + i;
}

static char *elf_name(int i)
{
	return (char *)data + elf_section(elf_header()->e_shstrndx)->sh_offset +
	       elf_section(i)->sh_name;
}

static struct elf64_shdr *elf_find(const char *name)
{
	int i;

	for (i = 1; i < elf_header()->e_shnum; i++) {
		if (!strcmp(elf_name(i), name))
			return elf_section(i);
	}
	errx(1, "there is no section %s", name);
}

static void *elf_data(const char *name)
{
	return data + elf_find(name)->sh_offset;
}

/* ---- BTF ---- */

static const char *btf_name(uint32_t offset)
{
	struct btf_header *h = elf_data(".BTF");

	return (char *)h + h->hdr_len + h->str_off + offset;
}

static uint32_t btf_extra(const struct btf_type *t)
{
	uint32_t vlen = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_DATASEC:
	case BTF_KIND_ENUM64:
		return 12 * vlen;
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return 8 * vlen;
	default:
		return 0;
	}
}

/* The next type of a kind after @t, NULL for the first; its ID is counted. */
static struct btf_type *btf_next(struct btf_type *t, uint32_t kind, uint32_t *id)
{
	struct btf_header *h = elf_data(".BTF");
	uint8_t *types = (uint8_t *)h + h->hdr_len + h->type_off, *at = types;

	if (t)
		at = (uint8_t *)(t + 1) + btf_extra(t);
	else
		*id = 0;
	while (at < types + h->type_len) {
		t = (struct btf_type *)at;
		++*id;
		if (BTF_INFO_KIND(t->info) == kind)
			return t;
		at += sizeof(*t) + btf_extra(t);
	}
	return NULL;
}

static struct btf_var_secinfo *btf_first_of(const char *section)
{
	struct btf_type *t = NULL;
	uint32_t id;

	while ((t = btf_next(t, BTF_KIND_DATASEC, &id))) {
		if (!strcmp(btf_name(t->name_off), section))
			return (struct btf_var_secinfo *)(t + 1);
	}
	errx(1, "there is no section %s in the BTF", section);
}

/* ---- what is wrong ---- */

static void half(void)
{
	size /= 2;
}

static void no_elf(void)
{
	memset(data, 'x', size);
}

static void far_tunable(void)
{
	btf_first_of(TUNABLES)->offset = 0x7ffffff8;
}

static void unaligned_tunable(void)
{
	btf_first_of(TUNABLES)->offset++;
}

static void huge_tunable(void)
{
	btf_first_of(TUNABLES)->size = 0xffffffff;
}

static void function_as_tunable(void)
{
	uint32_t id;

	btf_next(NULL, BTF_KIND_FUNC, &id);
	btf_first_of(TUNABLES)->type = id;
}

static void no_section(void)
{
	elf_find(TUNABLES)->sh_name++;
}

static void empty_section(void)
{
	elf_find(TUNABLES)->sh_size = 0;
}

static void typedefs_of_themselves(void)
{
	struct btf_type *t = NULL;
	uint32_t id;

	while ((t = btf_next(t, BTF_KIND_TYPEDEF, &id)))
		t->type = id;
}

static void tag_without_range(void)
{
	struct btf_type *t = NULL;
	uint32_t id;

	while ((t = btf_next(t, BTF_KIND_DECL_TAG, &id)))
		memcpy(strchr(btf_name(t->name_off), ':'), ":\n", 3);
}

static void type_of_no_kind(void)
{
	uint32_t id;

	btf_next(NULL, BTF_KIND_STRUCT, &id)->info = 0x1f000000;
}

static void btf_beyond_its_end(void)
{
	((struct btf_header *)elf_data(".BTF"))->type_len = 0xfffffff0;
}

static void btf_without_strings(void)
{
	((struct btf_header *)elf_data(".BTF"))->str_len = 0;
}

static void btf_of_no_bytes(void)
{
	elf_find(".BTF")->sh_type = SHT_NOBITS;
}

static void btf_ext_beyond_its_end(void)
{
	uint32_t *h = elf_data(".BTF.ext");

	h[3] = 0xfffffff0; /* func_info_len */
}

static void far_ops(void)
{
	/* With its size, less than the section's in 32 bits */
	btf_first_of(".struct_ops.link")->offset = -64;
}

static void no_ops(void)
{
	memset(elf_name(elf_find(".struct_ops.link") - elf_section(0)), 'x', 4);
}

static void ops_cut_off(void)
{
	elf_find(".struct_ops.link")->sh_size = 8;
}

static void relocation_of_nothing(void)
{
	((struct elf64_rel *)elf_data(".rel.struct_ops.link"))->r_info = ~0ULL;
}

static void relocation_beyond_its_end(void)
{
	((struct elf64_rel *)elf_data(".rel.struct_ops.link"))->r_offset = ~0ULL;
}

static void section_beyond_the_end(void)
{
	elf_find(".struct_ops.link")->sh_offset = size + 1;
}

static void names_beyond_the_end(void)
{
	elf_find(TUNABLES)->sh_name = 0x7fffffff;
}

static const struct {
	const char *name;
	void (*make)(void);
} cases[] = {
	{ "half", half },
	{ "no_elf", no_elf },
	{ "far_tunable", far_tunable },
	{ "unaligned_tunable", unaligned_tunable },
	{ "huge_tunable", huge_tunable },
	{ "function_as_tunable", function_as_tunable },
	{ "no_section", no_section },
	{ "empty_section", empty_section },
	{ "typedefs_of_themselves", typedefs_of_themselves },
	{ "tag_without_range", tag_without_range },
	{ "type_of_no_kind", type_of_no_kind },
	{ "btf_beyond_its_end", btf_beyond_its_end },
	{ "btf_without_strings", btf_without_strings },
	{ "btf_of_no_bytes", btf_of_no_bytes },
	{ "btf_ext_beyond_its_end", btf_ext_beyond_its_end },
	{ "far_ops", far_ops },
	{ "no_ops", no_ops },
	{ "ops_cut_off", ops_cut_off },
	{ "relocation_of_nothing", relocation_of_nothing },
	{ "relocation_beyond_its_end", relocation_beyond_its_end },
	{ "section_beyond_the_end", section_beyond_the_end },
	{ "names_beyond_the_end", names_beyond_the_end },
};

static void read_object(const char *path)
{
	FILE *f = fopen(path, "r");

	if (!f || fseek(f, 0, SEEK_END))
		err(1, "%s", path);
	size = ftell(f);
	rewind(f);
	data = malloc(size);
	if (!data || fread(data, 1, size, f) != (size_t)size)
		err(1, "%s", path);
	fclose(f);
	if (size < (long)sizeof(struct elf64_hdr) || memcmp(data, ELFMAG, SELFMAG))
		errx(1, "%s: no object", path);
}

int main(int argc, char **argv)
{
	size_t i;
	FILE *f;

	for (i = 0; i < ARRAY_SIZE(cases) && argc == 1; i++)
		puts(cases[i].name);
	if (argc == 1)
		return 0;
	if (argc != 4)
		errx(1, "usage: malform [CASE IN OUT]");
	for (i = 0; i < ARRAY_SIZE(cases) && strcmp(cases[i].name, argv[1]); i++)
		;
	if (i == ARRAY_SIZE(cases))
		errx(1, "there is no case '%s'", argv[1]);
	read_object(argv[2]);
	cases[i].make();
	f = fopen(argv[3], "w");
	if (!f || fwrite(data, 1, size, f) != (size_t)size || fclose(f))
		err(1, "%s", argv[3]);
	free(data);
	return 0;
}
