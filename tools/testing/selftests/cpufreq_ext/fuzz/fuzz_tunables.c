// SPDX-License-Identifier: GPL-2.0-only
/* Fuzz target: "TUNABLE=VALUE", one a line, for tunables of every type */
#include <stdlib.h>
#include <string.h>

#include "cpufreq_ext.h"
#include "fuzz.h"

#define TUNABLES_LIST_SIZE	(4 + 2 * (4 + 4 * TUNABLE_LIST_LEN))
#define TUNABLES_MAX_ARGS	16

static struct tunable tunables[] = {
	{ TUNABLE_NUMBER, "u64", "", "us", 0, 8, 0, UINT64_MAX },
	{ TUNABLE_NUMBER, "u32", "", "", 8, 4, 10, 4000000000 },
	{ TUNABLE_NUMBER, "u16", "", "%", 12, 2, 0, 100 },
	{ TUNABLE_NUMBER, "u8", "", "", 14, 1, 0, UINT8_MAX },
	{ TUNABLE_BOOL, "bool", "", "", 15, 1, 0, 1 },
	{ TUNABLE_NUMBER, "khz", "", "kHz", 16, 8, 0, UINT64_MAX },
	{ TUNABLE_LIST, "list", "", "%", 24, TUNABLES_LIST_SIZE, 1, 100 },
};

static const struct tunables all = { ARRAY_SIZE(tunables), tunables };

/* What was written is in its range, and reads as what it is. */
static void tunables_check(const struct tunable_value *value, void *section)
{
	const struct tunable *t = value->tunable;
	struct tunable_value again = {};
	const char *out, *err;
	char *arg;
	int i;

	if (t->kind != TUNABLE_LIST) {
		fuzz_check(value->number >= t->min && value->number <= t->max);
	} else {
		fuzz_check(value->len % 2 && value->len <= TUNABLE_LIST_LEN);
		for (i = 0; i < value->len; i += 2)
			fuzz_check(value->list[i] >= t->min && value->list[i] <= t->max);
	}

	tunables_write(section, value, 1);
	fuzz_begin();
	tunables_print_value(stdout, t, section);
	fuzz_end(&out, &err);
	arg = main_format("%s=%s", t->name, out);
	fuzz_check(!tunables_parse(&all, "fuzz", 1, &arg, &again));
	fuzz_check(again.tunable == t && again.number == value->number);
	fuzz_check(again.len == value->len);
	fuzz_check(!memcmp(again.list, value->list, 4 * value->len));
	free(arg);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *args[TUNABLES_MAX_ARGS], *line, *save = NULL;
	struct tunable_value values[TUNABLES_MAX_ARGS] = {};
	uint64_t section[(24 + TUNABLES_LIST_SIZE) / 8 + 1] = {};
	const char *out, *err;
	int i, nr = 0, failed;

	for (line = strtok_r(text, "\n", &save); line && nr < TUNABLES_MAX_ARGS;
	     line = strtok_r(NULL, "\n", &save))
		args[nr++] = line;
	fuzz_begin();
	failed = tunables_parse(&all, "fuzz", nr, args, values);
	fuzz_end(&out, &err);
	if (failed)
		fuzz_check_refusal(err);
	for (i = 0; i < nr && !failed; i++)
		tunables_check(&values[i], section);
	free(text);
	return 0;
}
