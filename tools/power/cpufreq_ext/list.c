// SPDX-License-Identifier: GPL-2.0-only
/* Parser of the tunables that depend on a frequency */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "list.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* One number in decimal digits; return what follows it, or NULL. */
static const char *parse_number(const char *text, __u32 *number)
{
	uint64_t n = 0;
	const char *c;

	for (c = text; *c >= '0' && *c <= '9'; c++) {
		n = 10 * n + *c - '0';
		if (n > UINT32_MAX)
			return NULL;
	}
	*number = n;

	return c == text ? NULL : c;
}

int cpufreq_ext_list_parse(const char *text, __u32 *values, int max)
{
	int n = 0;

	while (is_blank(*text))
		text++;

	while (*text) {
		if (n == max)
			return -EINVAL;
		text = parse_number(text, &values[n]);
		if (!text)
			return -EINVAL;
		if (n % 2 && n > 1 && values[n] <= values[n - 2])
			return -EINVAL;
		n++;

		if (*text == ':') {
			text++;
			if (*text < '0' || *text > '9')
				return -EINVAL;
			continue;
		}
		if (*text && !is_blank(*text))
			return -EINVAL;
		while (is_blank(*text))
			text++;
	}

	return n % 2 ? n : -EINVAL;
}
