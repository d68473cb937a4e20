// SPDX-License-Identifier: GPL-2.0-only
/* Fuzz target: frequencies with a unit, compared with what strtod() makes of them */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cpufreq_ext.h"
#include "fuzz.h"

/* Below 0 if it is none */
static double khz_expected(const char *text)
{
	static const char letters[] = "hkmgt";
	static const double factors[] = { 1, 1e3, 1e6, 1e9, 1e12 };
	size_t digits = strspn(text, "0123456789."), unit = digits;
	char *number, *point;
	double value;
	size_t i = 1;

	if (text[unit]) {
		const char *letter = strchr(letters, tolower(text[unit]));

		if (!letter)
			return -1;
		i = letter - letters;
		if (i && text[++unit] && tolower(text[unit]) != 'h')
			return -1;
		if (text[unit] && text[++unit] && (tolower(text[unit]) != 'z' || text[unit + 1]))
			return -1;
	}
	number = main_format("%.*s", (int)digits, text);
	point = strchr(number, '.');
	if (!number[strspn(number, ".")] || (point && strchr(point + 1, '.')))
		value = -1;
	else
		value = strtod(number, NULL) * factors[i] / 1000;
	free(number);
	return value;
}

int fuzz_one(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	double expected = khz_expected(text), difference;
	uint64_t khz = 0;
	int err;

	err = sysfs_parse_khz(text, &khz);
	fuzz_check(!err || err == -EINVAL || err == -ERANGE);
	if (err == -EINVAL || !err)
		fuzz_check((err == -EINVAL) == (expected < 0));
	if (!err) {
		difference = expected - khz;
		if (difference < 0)
			difference = -difference;
		/* Half a kHz, and what 53 bits of a mantissa cannot tell */
		fuzz_check(difference <= 0.5001 + expected / 1e15);
	}
	/* Digits are read first: too many are refused before a second point is. */
	if (err == -ERANGE)
		fuzz_check(expected < 0 || expected >= 1.8e15);
	free(text);
	return 0;
}
