// SPDX-License-Identifier: GPL-2.0-only
/* Fuzz target: the parser of lists */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cpufreq_ext.h"
#include "list.h"
#include "fuzz.h"

int fuzz_one(const uint8_t *data, size_t size)
{
	__u32 *values, again[TUNABLE_LIST_LEN];
	char *text, *plain;
	int i, n, max;

	if (!size)
		return 0;
	/* On the heap, with a size of its own, where a byte too many is seen */
	max = data[0] % (TUNABLE_LIST_LEN + 1);
	text = fuzz_string(data + 1, size - 1);
	values = malloc(max * sizeof(*values));
	n = cpufreq_ext_list_parse(text, values, max);
	free(text);
	if (n <= 0) {
		fuzz_check(n == -EINVAL);
		free(values);
		return 0;
	}

	fuzz_check(n <= max && n % 2);
	for (i = 3; i < n; i += 2)
		fuzz_check(values[i] > values[i - 2]);
	plain = main_format("%u", values[0]);
	for (i = 1; i < n; i++) {
		text = main_format("%s%c%u", plain, i % 2 ? ' ' : ':', values[i]);
		free(plain);
		plain = text;
	}
	fuzz_check(cpufreq_ext_list_parse(plain, again, TUNABLE_LIST_LEN) == n);
	fuzz_check(!memcmp(values, again, n * sizeof(*values)));
	free(plain);
	free(values);
	return 0;
}
