// SPDX-License-Identifier: GPL-2.0-only
/* Instructions to execute, and figures to print */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench_parts.h"

/* Emulators translate many at once, so a virtual second takes little time. */
static void execute(uint64_t thousands)
{
	for (; thousands; thousands--)
		asm volatile(".rept 998\n\tnop\n\t.endr");
}

/* A power of two, 1 if the machine takes 1 ns for an instruction */
static double ns_per_instruction(void)
{
	static double ns;
	uint64_t begin;

	if (!ns) {
		begin = work_now_ns();
		execute(1000);
		ns = exp2(round(log2((work_now_ns() - begin) / 1e6)));
	}
	return ns;
}

double work_instructions(double ns)
{
	return round(ns / ns_per_instruction());
}

void work(uint64_t ns)
{
	execute(ns / 1000 / ns_per_instruction());
}

uint64_t work_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The value of which the part @quantile is less, two percentiles, and the number */
static void print_figure(const char *name, const char *unit, double *values, int nr,
			 double quantile)
{
	if (!nr)
		side_die("%s: there was nothing to measure", name);
	qsort(values, nr, sizeof(*values), compare);
	printf("figure %s %.10g %s %.10g %.10g %d\n", name, values[(int)(nr * quantile)], unit,
	       values[nr / 10], values[nr - 1 - nr / 10], nr);
	fflush(stdout);
}

/* The median */
void work_figure(const char *name, const char *unit, double *values, int nr)
{
	print_figure(name, unit, values, nr, 0.5);
}

/* What takes so long that interrupts come between: they can only add. */
void work_figure_least(const char *name, const char *unit, double *values, int nr)
{
	print_figure(name, unit, values, nr, 0);
}

void work_figure_one(const char *name, const char *unit, double value)
{
	work_figure(name, unit, &value, 1);
}
