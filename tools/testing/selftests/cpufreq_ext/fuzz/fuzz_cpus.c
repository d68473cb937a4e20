// SPDX-License-Identifier: GPL-2.0-only
/* Fuzz target: lists of CPUs */
#include <stdlib.h>
#include <string.h>

#include "cpufreq_ext.h"
#include "fuzz.h"

/* The list of what is in a set */
static char *cpus_list(const bool *set, int nr)
{
	char *text = main_format("%s", ""), *longer;
	int first, last;

	for (first = 0; first < nr; first = last + 1) {
		last = first;
		if (!set[first])
			continue;
		while (last + 1 < nr && set[last + 1])
			last++;
		longer = main_format("%s%s%d-%d", text, *text ? "," : "", first, last);
		free(text);
		text = longer;
	}
	return text;
}

int fuzz_one(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *list;
	bool *set, *again;
	int nr;

	nr = sysfs_parse_cpus(text, &set);
	fuzz_check(nr == -1 || nr > 0);
	if (nr > 0) {
		list = cpus_list(set, nr);
		fuzz_check(*list);
		fuzz_check(sysfs_parse_cpus(list, &again) == nr);
		fuzz_check(!memcmp(set, again, nr));
		free(list);
		free(again);
		free(set);
	}
	free(text);
	return 0;
}
