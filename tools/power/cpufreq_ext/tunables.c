// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tunables of BPF governors
 *
 * A tunable is a variable in the section .data.tunables with a BTF declaration
 * tag "tunable:MIN..MAX:UNIT:TEXT".
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <bpf/btf.h>

#include "cpufreq_ext.h"
#include "list.h"

#define TUNABLES_TAG		"tunable:"
#define TUNABLES_MAX_DEPTH	32	/* typedefs and qualifiers of a type */

/* struct cpufreq_ext_list of samples/bpf/cpufreq_ext.bpf.h */
struct tunables_list {
	uint32_t active;
	struct {
		uint32_t nr;
		uint32_t values[TUNABLE_LIST_LEN];
	} buffers[2];
};

/* ---- what there is ---- */

/* In an object that is broken, a type may lead back to itself. */
static const struct btf_type *tunables_strip(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	int depth;

	for (depth = 0; t && (btf_is_mod(t) || btf_is_typedef(t)); depth++)
		t = depth < TUNABLES_MAX_DEPTH ? btf__type_by_id(btf, t->type) : NULL;
	return t;
}

static int tunables_find_kind(struct tunable *t, const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = tunables_strip(btf, id);

	if (!type)
		return -EINVAL;
	t->size = type->size;
	if (btf_is_int(type)) {
		uint8_t encoding = btf_int_encoding(type);

		if (encoding & BTF_INT_SIGNED)
			return -EINVAL;
		t->kind = encoding & BTF_INT_BOOL ? TUNABLE_BOOL : TUNABLE_NUMBER;
		return t->size == 1 || t->size == 2 || t->size == 4 || t->size == 8 ?
		       0 : -EINVAL;
	}
	if (btf_is_struct(type) && t->size == sizeof(struct tunables_list) &&
	    !strcmp(btf__name_by_offset(btf, type->name_off), "cpufreq_ext_list")) {
		t->kind = TUNABLE_LIST;
		return 0;
	}
	return -EINVAL;
}

/* "MIN..MAX:UNIT:TEXT"; the type has the last word on the range. */
static int tunables_find_tag(struct tunable *t, const char *tag)
{
	uint32_t bytes = t->kind == TUNABLE_LIST ? sizeof(uint32_t) : t->size;
	uint64_t limit = t->kind == TUNABLE_BOOL ? 1 : UINT64_MAX >> (64 - 8 * bytes);
	const char *text;
	char *end;

	errno = 0;
	t->min = strtoull(tag, &end, 0);
	if (end == tag || strncmp(end, "..", 2))
		return -EINVAL;
	tag = end + 2;
	t->max = *tag == ':' ? limit : strtoull(tag, &end, 0);
	if (*tag == ':')
		end = (char *)tag;
	if (errno || *end != ':')
		return -EINVAL;
	tag = end + 1;
	text = strchr(tag, ':');
	if (!text || text - tag >= (int)sizeof(t->unit))
		return -EINVAL;
	memcpy(t->unit, tag, text - tag);
	t->unit[text - tag] = '\0';
	t->text = text + 1;
	if (t->max > limit)
		t->max = limit;
	return t->min <= t->max ? 0 : -EINVAL;
}

static const char *tunables_tag_of(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t;
	const char *tag;
	uint32_t i;

	for (i = 1; i < btf__type_cnt(btf); i++) {
		t = btf__type_by_id(btf, i);
		if (!btf_is_decl_tag(t) || t->type != id || btf_decl_tag(t)->component_idx != -1)
			continue;
		tag = btf__name_by_offset(btf, t->name_off);
		if (!strncmp(tag, TUNABLES_TAG, strlen(TUNABLES_TAG)))
			return tag + strlen(TUNABLES_TAG);
	}
	return NULL;
}

static int tunables_add(struct tunables *found, const struct btf *btf,
			const struct btf_var_secinfo *var, const char *governor)
{
	const struct btf_type *v = btf__type_by_id(btf, var->type);
	const char *tag = tunables_tag_of(btf, var->type);
	struct tunable t = { .offset = var->offset };

	if (!v || !tag)
		return 0;
	t.name = btf__name_by_offset(btf, v->name_off);
	if (tunables_find_kind(&t, btf, v->type) || t.size != var->size) {
		main_err("%s: tunable %s is no u32, u64, bool or struct cpufreq_ext_list: correct its source",
			 governor, t.name);
		return -1;
	}
	if (tunables_find_tag(&t, tag)) {
		main_err("%s: the tag of tunable %s is not \"tunable:MIN..MAX:UNIT:TEXT\": correct its source",
			 governor, t.name);
		return -1;
	}
	found->tunable = main_alloc(found->tunable, (found->nr + 1) * sizeof(t));
	found->tunable[found->nr++] = t;
	return 0;
}

int tunables_find(struct tunables *t, const struct btf *btf, const char *governor)
{
	const struct btf_type *section;
	int id, i;

	memset(t, 0, sizeof(*t));
	id = btf__find_by_name_kind(btf, TUNABLES_SECTION, BTF_KIND_DATASEC);
	if (id < 0)
		return 0;
	section = btf__type_by_id(btf, id);
	for (i = 0; i < btf_vlen(section); i++) {
		if (tunables_add(t, btf, btf_var_secinfos(section) + i, governor)) {
			tunables_free(t);
			return -1;
		}
	}
	return 0;
}

bool tunables_fit(const struct tunables *t, size_t size)
{
	uint32_t align;
	int i;

	for (i = 0; i < t->nr; i++) {
		const struct tunable *one = &t->tunable[i];

		align = one->kind == TUNABLE_LIST ? sizeof(uint32_t) : one->size;
		if (one->offset > size || one->size > size - one->offset || one->offset % align)
			return false;
	}
	return true;
}

void tunables_free(struct tunables *t)
{
	free(t->tunable);
	memset(t, 0, sizeof(*t));
}

void tunables_print_names(FILE *f, const struct tunables *t)
{
	int i;

	for (i = 0; i < t->nr; i++)
		fprintf(f, "%s%s", i ? ", " : "", t->tunable[i].name);
}

const char *tunables_type(const struct tunable *t)
{
	switch (t->kind) {
	case TUNABLE_BOOL:
		return "bool";
	case TUNABLE_LIST:
		return "list";
	default:
		return t->size == 8 ? "u64" : t->size == 4 ? "u32" : t->size == 2 ? "u16" : "u8";
	}
}

/* ---- reading what users write ---- */

static int tunables_parse_number(const struct tunable *t, const char *text, uint64_t *value)
{
	/* None is octal: 010 is 10, as in lists and frequencies. */
	bool hex = !strncasecmp(text, "0x", 2);
	char *end;

	if (!strcasecmp(t->unit, "kHz"))
		return sysfs_parse_khz(text, value);
	if (!isdigit(*text))
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, hex ? 16 : 10);
	return errno ? -ERANGE : *end ? -EINVAL : 0;
}

static int tunables_parse_bool(const char *text, uint64_t *value)
{
	static const char * const words[] = {
		"0", "1", "off", "on", "no", "yes", "false", "true", "n", "y",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcasecmp(text, words[i])) {
			*value = i % 2;
			return 0;
		}
	}
	return -EINVAL;
}

/* Write the frequencies of a list, each second word, in kHz. */
static char *tunables_plain_list(const char *text)
{
	char *plain = main_format("%s", ""), *longer, *word;
	uint64_t khz;
	int words, len;

	for (words = 0; *text; words++, text += len) {
		len = strspn(text, " \t:");
		longer = main_format("%s%.*s", plain, len, text);
		free(plain);
		plain = longer;
		text += len;
		len = strcspn(text, " \t:");
		word = main_format("%.*s", len, text);
		if (words % 2 && word[strspn(word, "0123456789")] &&
		    !sysfs_parse_khz(word, &khz))
			longer = main_format("%s%llu", plain, (unsigned long long)khz);
		else
			longer = main_format("%s%s", plain, word);
		free(word);
		free(plain);
		plain = longer;
	}
	return plain;
}

static int tunables_parse_list(const struct tunable *t, const char *text,
			       struct tunable_value *value)
{
	char *plain = tunables_plain_list(text);
	int i;

	value->len = cpufreq_ext_list_parse(plain, value->list, TUNABLE_LIST_LEN);
	free(plain);
	if (value->len <= 0)
		return -EINVAL;
	for (i = 0; i < value->len; i += 2) {
		if (value->list[i] < t->min || value->list[i] > t->max)
			return -ERANGE;
	}
	return 0;
}

static const char *tunables_wants(const struct tunable *t)
{
	if (t->kind == TUNABLE_LIST)
		return "a list \"V0 FREQ1:V1 FREQ2:V2 ...\", FREQ rising, V ";
	if (!strcasecmp(t->unit, "kHz"))
		return "a frequency ";
	return t->kind == TUNABLE_BOOL ? "" : "a whole number ";
}

static int tunables_parse_value(const struct tunable *t, const char *governor,
				const char *text, struct tunable_value *value)
{
	int err;

	value->tunable = t;
	switch (t->kind) {
	case TUNABLE_LIST:
		err = tunables_parse_list(t, text, value);
		break;
	case TUNABLE_BOOL:
		err = tunables_parse_bool(text, &value->number);
		break;
	default:
		err = tunables_parse_number(t, text, &value->number);
	}
	if (!err && t->kind != TUNABLE_LIST && (value->number < t->min || value->number > t->max))
		err = -ERANGE;
	if (!err)
		return 0;
	if (t->kind == TUNABLE_BOOL)
		return main_err("%s: %s cannot be '%s': give 0 or 1", governor, t->name, text);
	return main_err("%s: %s cannot be '%s': give %sfrom %llu to %llu%s%s",
			governor, t->name, text, tunables_wants(t),
			(unsigned long long)t->min, (unsigned long long)t->max,
			*t->unit ? " " : "", t->unit);
}

static int tunables_parse_one(const struct tunables *t, const char *governor,
			      const char *arg, struct tunable_value *value)
{
	const char *text = strchr(arg, '=');
	char *names = NULL;
	size_t size;
	FILE *f;
	int i;

	if (!text || text == arg)
		return main_err("'%s' is no tunable with a value: write TUNABLE=VALUE", arg);
	for (i = 0; i < t->nr; i++) {
		if (strlen(t->tunable[i].name) == (size_t)(text - arg) &&
		    !strncmp(t->tunable[i].name, arg, text - arg))
			return tunables_parse_value(&t->tunable[i], governor, text + 1, value);
	}
	if (!t->nr)
		return main_err("%s has no tunable '%.*s', it has none: leave it out",
				governor, (int)(text - arg), arg);
	f = open_memstream(&names, &size);
	if (f) {
		tunables_print_names(f, t);
		fclose(f);
	}
	main_err("%s has no tunable '%.*s': use one of %s", governor,
		 (int)(text - arg), arg, names ?: "?");
	free(names);
	return -1;
}

int tunables_parse(const struct tunables *t, const char *governor, int nr,
		   char **args, struct tunable_value *values)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (tunables_parse_one(t, governor, args[i], &values[i]))
			return -1;
	}
	return 0;
}

/* ---- values in a section, which BPF programs may be reading ---- */

static void tunables_write_number(void *p, uint32_t size, uint64_t value)
{
	switch (size) {
	case 1:
		__atomic_store_n((uint8_t *)p, value, __ATOMIC_RELEASE);
		break;
	case 2:
		__atomic_store_n((uint16_t *)p, value, __ATOMIC_RELEASE);
		break;
	case 4:
		__atomic_store_n((uint32_t *)p, value, __ATOMIC_RELEASE);
		break;
	default:
		__atomic_store_n((uint64_t *)p, value, __ATOMIC_RELEASE);
	}
}

static uint64_t tunables_read_number(const void *p, uint32_t size)
{
	switch (size) {
	case 1:
		return __atomic_load_n((const uint8_t *)p, __ATOMIC_ACQUIRE);
	case 2:
		return __atomic_load_n((const uint16_t *)p, __ATOMIC_ACQUIRE);
	case 4:
		return __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE);
	default:
		return __atomic_load_n((const uint64_t *)p, __ATOMIC_ACQUIRE);
	}
}

/* Fill the buffer that nobody reads, and then make it the one that is read. */
static void tunables_write_list(struct tunables_list *list, const struct tunable_value *value)
{
	uint32_t next = !(list->active & 1);

	list->buffers[next].nr = value->len;
	memcpy(list->buffers[next].values, value->list, value->len * sizeof(value->list[0]));
	__atomic_store_n(&list->active, next, __ATOMIC_RELEASE);
}

void tunables_write(void *section, const struct tunable_value *values, int nr)
{
	int i;

	for (i = 0; i < nr; i++) {
		const struct tunable *t = values[i].tunable;

		if (t->kind == TUNABLE_LIST)
			tunables_write_list(section + t->offset, &values[i]);
		else
			tunables_write_number(section + t->offset, t->size, values[i].number);
	}
}

void tunables_print_value(FILE *f, const struct tunable *t, const void *section)
{
	const struct tunables_list *list = section + t->offset;
	uint32_t i, active, nr;

	if (t->kind != TUNABLE_LIST) {
		fprintf(f, "%llu", (unsigned long long)
			tunables_read_number(section + t->offset, t->size));
		return;
	}
	active = __atomic_load_n(&list->active, __ATOMIC_ACQUIRE) & 1;
	nr = list->buffers[active].nr;
	for (i = 0; i < nr && i < TUNABLE_LIST_LEN; i++)
		fprintf(f, "%s%u", !i ? "" : i % 2 ? " " : ":", list->buffers[active].values[i]);
}
