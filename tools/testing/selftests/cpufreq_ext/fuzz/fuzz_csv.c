// SPDX-License-Identifier: GPL-2.0-only
/* Fuzz target: the CSV files that plot reads, and the script for gnuplot */
#include <stdlib.h>
#include <string.h>

/* What it does between reading a file and running gnuplot */
#include "plot.c"
#include "fuzz.h"

/* gnuplot knows no "inf" and "nan", and data ends at a line END. */
static void csv_check(const char *script)
{
	const char *line, *end;
	bool data = false;

	for (line = script; *line; line = end + 1) {
		end = strchr(line, '\n');
		fuzz_check(end);
		if (!strncmp(line, "END\n", 4))
			data = false;
		else if (data)
			fuzz_check(line + strspn(line, "0123456789.e+- ") == end);
		else if (!strncmp(line, "set xrange [", 12) || !strncmp(line, "set yrange [", 12))
			fuzz_check(12 + strspn(line + 12, "0123456789.-:]") == end - line);
		else
			data = *line == '$';
	}
}

int fuzz_one(const uint8_t *data, size_t size)
{
	static struct plot plot;
	const char *path = fuzz_file(data, size), *out, *err;
	int failed;

	memset(&plot, 0, sizeof(plot));
	fuzz_begin();
	failed = plot_read(&plot, path);
	if (!failed) {
		plot_write(stdout, &plot, "a'b.svg", false);
		plot_write(stdout, &plot, "a'b.png", true);
	}
	plot_free(&plot);
	fuzz_end(&out, &err);
	if (failed)
		fuzz_check_refusal(err);
	else
		csv_check(out);
	return 0;
}
