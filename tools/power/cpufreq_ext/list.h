/* SPDX-License-Identifier: GPL-2.0-only */
/* Tunables that depend on a frequency: "V0 f1:V1 f2:V2 ..." */
#ifndef __CPUFREQ_EXT_LIST_H
#define __CPUFREQ_EXT_LIST_H

#include <linux/types.h>

/**
 * cpufreq_ext_list_parse - Parse a list of values and frequencies
 * @text: numbers with blanks or colons between them
 * @values: gets V0, f1, V1, f2, V2 and so on
 * @max: the most numbers that @values can take
 *
 * What range V0, V1 and so on may have is for the caller to check.
 *
 * Return: how many numbers there are, or -EINVAL if that is more than @max or
 * even, one of them does not fit into 32 bits, the frequencies do not ascend, or
 * there is something else in @text
 */
int cpufreq_ext_list_parse(const char *text, __u32 *values, int max);

#endif /* __CPUFREQ_EXT_LIST_H */
