// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the benchmark found: a table, JSON, reStructuredText, data for a plot,
 * TAP.
 *
 * Usage: report [-j JSON] [-r RST] [-p PLOT-DATA] [-t TARGETS] -k KERNEL -d DRIVER
 *		 TOPOLOGY=FILE...
 *
 * A FILE is the output of bench in one boot of a machine; TOPOLOGY is
 * CPUSxCPUS-OF-A-POLICY. Status 1 if boots differ by more than 1%, 2 if a
 * target is missed.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define MAX_FIGURES	1024
#define MAX_BOOTS	16
#define TOLERANCE	0.01

/* A figure of one topology, in all boots */
struct figure {
	char topology[16];
	char name[80];
	char unit[16];
	double values[MAX_BOOTS];
	double low, high;	/* percentiles within a boot, the widest */
	int samples;
	int boots;
	int file;		/* that the last value came from */
	double median;
	int agreed;
};

static struct figure figures[MAX_FIGURES];
static int nr_figures;
static int nr_files;
static int nr_boots;

/* What is told of figures */
enum kind {
	RATIO,		/* of the first to the second */
	DIFFERENCE,	/* of the first and the second */
	SPREAD,		/* between the largest and the least, in percent */
	GROWTH,		/* of the cost of one more policy, from few to many */
	SLOPE,		/* cost of one more policy, by the least squares */
	NONLINEAR,	/* part of the variance that the line leaves, in percent */
};

enum bound { NONE, AT_MOST, AT_LEAST };

struct row {
	const char *name;
	const char *text;
	const char *unit;
	const char *topology;
	enum kind kind;
	const char *of[5];
	enum bound bound;
	double target;
	/* results */
	bool known;
	double value;
	int agreed;
};

static struct row rows[] = {
	{ "ondemand-1-cpu", "BPF ondemand over ondemand, 1 CPU", "", "1x1", RATIO,
	  { "decision/ext-ondemand", "decision/kernel-ondemand" }, AT_MOST, 1.5 },
	{ "ondemand-8-cpus", "BPF ondemand over ondemand, 8 CPUs", "", "8x8", RATIO,
	  { "decision/ext-ondemand", "decision/kernel-ondemand" }, AT_MOST, 1.15 },
	{ "empty", "empty BPF governor over ondemand", "", "1x1", RATIO,
	  { "decision/ext-empty", "decision/kernel-ondemand" }, AT_MOST, 0.6 },
	{ "nothing", "ext with nothing loaded over ondemand", "", "1x1", RATIO,
	  { "decision/ext-nothing", "decision/kernel-ondemand" }, AT_MOST, 0.1 },
	{ "vip-list", "vip with 1, 100, 10000 tasks", "%", "1x1", SPREAD,
	  { "decision/ext-vip/tasks=1", "decision/ext-vip/tasks=100",
	    "decision/ext-vip/tasks=10000" }, AT_MOST, 2 },
	{ "vip-switch-list", "vip's sched_switch with these", "%", "1x1", SPREAD,
	  { "hook/vip_switch/tasks=1", "hook/vip_switch/tasks=100",
	    "hook/vip_switch/tasks=10000" }, AT_MOST, 2 },
	{ "vip-wakeup-list", "vip's sched_wakeup with these", "%", "1x1", SPREAD,
	  { "hook/vip_wakeup/tasks=1", "hook/vip_wakeup/tasks=100",
	    "hook/vip_wakeup/tasks=10000" }, AT_MOST, 2 },
	{ "daemon", "daemon over BPF ondemand, whole cost", "", "1x1", RATIO,
	  { "whole/daemon", "whole/ext-ondemand" }, AT_LEAST, 10 },
	{ "daemon-least", "the same, of one that keeps its files open", "", "1x1", RATIO,
	  { "whole/daemon-least", "whole/ext-ondemand" }, NONE, 0 },
	{ "whole-ondemand", "BPF ondemand over ondemand, whole cost", "", "1x1", RATIO,
	  { "whole/ext-ondemand", "whole/kernel-ondemand" }, NONE, 0 },
	{ "change", "with a transition, BPF ondemand over ondemand", "", "1x1", RATIO,
	  { "change/ext-ondemand", "change/kernel-ondemand" }, NONE, 0 },
	{ "after-idle", "first after idle time, BPF ondemand over ondemand", "", "1x1",
	  RATIO, { "after-idle/ext-ondemand", "after-idle/kernel-ondemand" }, NONE, 0 },
	{ "policies", "decision with 1, 8, 64 policies", "%", "128x1", SPREAD,
	  { "decision/ext-ondemand/policies=1", "decision/ext-ondemand/policies=8",
	    "decision/ext-ondemand/policies=64" }, AT_MOST, 2 },
	{ "register-ondemand-slope", "register ondemand, each policy", "instructions", "128x1",
	  SLOPE, { "register/ext-ondemand/policies=" }, NONE, 0 },
	{ "register-ondemand-nonlinear", "register ondemand, variance beside the line", "%",
	  "128x1", NONLINEAR, { "register/ext-ondemand/policies=" }, NONE, 0 },
	{ "register-ondemand-growth", "register ondemand, a policy more of 128 over one of 64",
	  "", "128x1", GROWTH, { "register/ext-ondemand/policies=" }, AT_MOST, 1.1 },
	{ "unregister-ondemand-slope", "unregister ondemand, each policy", "instructions", "128x1",
	  SLOPE, { "unregister/ext-ondemand/policies=" }, NONE, 0 },
	{ "unregister-ondemand-nonlinear", "unregister ondemand, variance beside the line", "%",
	  "128x1", NONLINEAR, { "unregister/ext-ondemand/policies=" }, NONE, 0 },
	{ "unregister-ondemand-growth", "unregister ondemand, a policy more of 128 over one of 64",
	  "", "128x1", GROWTH, { "unregister/ext-ondemand/policies=" }, AT_MOST, 1.1 },
	{ "swap-ondemand-slope", "replace ondemand, each policy", "instructions", "128x1",
	  SLOPE, { "swap/ext-ondemand/policies=" }, NONE, 0 },
	{ "swap-ondemand-nonlinear", "replace ondemand, variance beside the line", "%",
	  "128x1", NONLINEAR, { "swap/ext-ondemand/policies=" }, NONE, 0 },
	{ "swap-ondemand-growth", "replace ondemand, a policy more of 128 over one of 64",
	  "", "128x1", GROWTH, { "swap/ext-ondemand/policies=" }, AT_MOST, 1.1 },
	{ "register-vip-slope", "register vip, each policy", "instructions", "128x1",
	  SLOPE, { "register/ext-vip/policies=" }, NONE, 0 },
	{ "register-vip-nonlinear", "register vip, variance beside the line", "%",
	  "128x1", NONLINEAR, { "register/ext-vip/policies=" }, NONE, 0 },
	{ "register-vip-growth", "register vip, a policy more of 128 over one of 64",
	  "", "128x1", GROWTH, { "register/ext-vip/policies=" }, AT_MOST, 1.1 },
	{ "unregister-vip-slope", "unregister vip, each policy", "instructions", "128x1",
	  SLOPE, { "unregister/ext-vip/policies=" }, NONE, 0 },
	{ "unregister-vip-nonlinear", "unregister vip, variance beside the line", "%",
	  "128x1", NONLINEAR, { "unregister/ext-vip/policies=" }, NONE, 0 },
	{ "unregister-vip-growth", "unregister vip, a policy more of 128 over one of 64",
	  "", "128x1", GROWTH, { "unregister/ext-vip/policies=" }, AT_MOST, 1.1 },
	{ "swap-vip-slope", "replace vip, each policy", "instructions", "128x1",
	  SLOPE, { "swap/ext-vip/policies=" }, NONE, 0 },
	{ "swap-vip-nonlinear", "replace vip, variance beside the line", "%",
	  "128x1", NONLINEAR, { "swap/ext-vip/policies=" }, NONE, 0 },
	{ "swap-vip-growth", "replace vip, a policy more of 128 over one of 64",
	  "", "128x1", GROWTH, { "swap/ext-vip/policies=" }, AT_MOST, 1.1 },
	{ "memory", "memory of a policy over the dbs core's", "bytes", "16x1", DIFFERENCE,
	  { "memory/ext", "memory/dbs" }, AT_MOST, 512 },
	{ "allocated", "allocated for a policy with files in sysfs, ext over ondemand", "bytes",
	  "16x1", DIFFERENCE, { "allocated/ext", "allocated/ondemand" }, NONE, 0 },
	{ "idle-ext-nothing", "wake-ups of an idle system caused by ext, nothing loaded", "1/s",
	  "16x1", DIFFERENCE,
	  { "idle-caused/ext-nothing", "idle-caused/kernel-performance" },
	  AT_MOST, 0 },
	{ "idle-ext-empty", "wake-ups of an idle system caused by ext, empty governor", "1/s",
	  "16x1", DIFFERENCE,
	  { "idle-caused/ext-empty", "idle-caused/kernel-performance" },
	  AT_MOST, 0 },
	{ "idle-ext-ondemand", "wake-ups of an idle system caused by ext, ondemand", "1/s",
	  "16x1", DIFFERENCE,
	  { "idle-caused/ext-ondemand", "idle-caused/kernel-performance" },
	  AT_MOST, 0 },
	{ "idle-ext-vip", "wake-ups of an idle system caused by ext, vip", "1/s",
	  "16x1", DIFFERENCE,
	  { "idle-caused/ext-vip", "idle-caused/kernel-performance" },
	  AT_MOST, 0 },
	{ "idle-ext-schedutil", "wake-ups of an idle system caused by ext, schedutil", "1/s",
	  "16x1", DIFFERENCE,
	  { "idle-caused/ext-schedutil", "idle-caused/kernel-performance" },
	  AT_MOST, 0 },
	{ "idle-all-kernel-ondemand", "idle states ended, kernel-ondemand over performance", "1/s",
	  "16x1", DIFFERENCE,
	  { "idle-ends/kernel-ondemand", "idle-ends/kernel-performance" }, NONE, 0 },
	{ "idle-all-ext-nothing", "idle states ended, ext-nothing over performance", "1/s",
	  "16x1", DIFFERENCE,
	  { "idle-ends/ext-nothing", "idle-ends/kernel-performance" }, NONE, 0 },
	{ "idle-all-ext-empty", "idle states ended, ext-empty over performance", "1/s",
	  "16x1", DIFFERENCE,
	  { "idle-ends/ext-empty", "idle-ends/kernel-performance" }, NONE, 0 },
	{ "idle-all-ext-ondemand", "idle states ended, ext-ondemand over performance", "1/s",
	  "16x1", DIFFERENCE,
	  { "idle-ends/ext-ondemand", "idle-ends/kernel-performance" }, NONE, 0 },
	{ "idle-all-ext-vip", "idle states ended, ext-vip over performance", "1/s",
	  "16x1", DIFFERENCE,
	  { "idle-ends/ext-vip", "idle-ends/kernel-performance" }, NONE, 0 },
	{ "idle-all-ext-schedutil", "idle states ended, ext-schedutil over performance", "1/s",
	  "16x1", DIFFERENCE,
	  { "idle-ends/ext-schedutil", "idle-ends/kernel-performance" }, NONE, 0 },
};

static noreturn void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("report: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	exit(3);
}

/* ---- input ---- */

static struct figure *find(const char *topology, const char *name)
{
	int i;

	for (i = 0; i < nr_figures; i++) {
		if (!strcmp(figures[i].topology, topology) && !strcmp(figures[i].name, name))
			return &figures[i];
	}
	return NULL;
}

static void read_line(const char *topology, const char *line)
{
	double value, low, high;
	char name[80], unit[16];
	struct figure *f;
	int samples;

	if (sscanf(line, "figure %79s %lf %15s %lf %lf %d", name, &value, unit, &low,
		   &high, &samples) != 6)
		return;
	f = find(topology, name);
	if (!f) {
		if (nr_figures == MAX_FIGURES)
			die("more than %d figures", MAX_FIGURES);
		f = &figures[nr_figures++];
		snprintf(f->topology, sizeof(f->topology), "%s", topology);
		snprintf(f->name, sizeof(f->name), "%s", name);
		snprintf(f->unit, sizeof(f->unit), "%s", unit);
		f->low = low;
		f->high = high;
		f->samples = samples;
	}
	/* Each group of a boot finds out about the clocks anew. */
	if (f->file != nr_files && f->boots == MAX_BOOTS)
		die("more than %d boots", MAX_BOOTS);
	f->boots += f->file != nr_files;
	f->file = nr_files;
	f->values[f->boots - 1] = value;
	f->low = fmin(f->low, low);
	f->high = fmax(f->high, high);
	if (f->boots > nr_boots)
		nr_boots = f->boots;
}

static void read_results(const char *arg)
{
	const char *path = strchr(arg, '=');
	char topology[16], line[512];
	FILE *in;

	if (!path || path - arg >= (long)sizeof(topology))
		die("'%s' is not TOPOLOGY=FILE", arg);
	snprintf(topology, sizeof(topology), "%.*s", (int)(path - arg), arg);
	in = fopen(++path, "r");
	if (!in)
		die("%s: %s", path, strerror(errno));
	nr_files++;
	while (fgets(line, sizeof(line), in))
		read_line(topology, line);
	fclose(in);
}

/* ---- computing ---- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median_of(const double *values, int nr)
{
	double sorted[MAX_BOOTS];

	memcpy(sorted, values, nr * sizeof(*values));
	qsort(sorted, nr, sizeof(*sorted), compare);
	return sorted[nr / 2];
}

/* How many values are within the tolerance of the least */
static int agreeing(const double *values, int nr)
{
	double least = values[0];
	int i, n = 0;

	for (i = 1; i < nr; i++)
		least = fmin(least, values[i]);
	for (i = 0; i < nr; i++)
		n += values[i] - least <= TOLERANCE * fabs(least);
	return n;
}

/* Over the numbers of policies in the names */
static double fit(const double *y, const double *x, int nr, bool left)
{
	double sx = 0, sy = 0, sxx = 0, sxy = 0, syy = 0, slope;
	int i;

	for (i = 0; i < nr; i++) {
		sx += x[i];
		sy += y[i];
		sxx += x[i] * x[i];
		sxy += x[i] * y[i];
		syy += y[i] * y[i];
	}
	slope = (nr * sxy - sx * sy) / (nr * sxx - sx * sx);
	if (!left)
		return slope;
	return 100 * (1 - (nr * sxy - sx * sy) * (nr * sxy - sx * sy) /
		      ((nr * sxx - sx * sx) * (nr * syy - sy * sy)));
}

static double compute(enum kind kind, const double *v, const double *x, int nr)
{
	double low = v[0], high = v[0];
	int i;

	switch (kind) {
	case RATIO:
		return v[0] / v[1];
	case DIFFERENCE:
		return v[0] - v[1];
	case SPREAD:
		for (i = 1; i < nr; i++) {
			low = fmin(low, v[i]);
			high = fmax(high, v[i]);
		}
		return 100 * (high - low) / low;
	case GROWTH:
		return ((v[nr - 1] - v[nr - 2]) / (x[nr - 1] - x[nr - 2])) /
		       ((v[nr - 2] - v[nr - 3]) / (x[nr - 2] - x[nr - 3]));
	case SLOPE:
		return fit(v, x, nr, false);
	case NONLINEAR:
		return fit(v, x, nr, true);
	}
	return 0;
}

/* The figure @i that a row is made of; those of a line have a prefix in common. */
static struct figure *figure_of(const struct row *r, int i)
{
	static const int policies[] = { 1, 8, 64, 128 };
	char name[80];

	if (r->kind < GROWTH)
		return r->of[i] ? find(r->topology, r->of[i]) : NULL;
	if (i == ARRAY_SIZE(policies))
		return NULL;
	snprintf(name, sizeof(name), "%s%d", r->of[0], policies[i]);
	return find(r->topology, name);
}

static void compute_row(struct row *r)
{
	double v[5], x[5], boots[MAX_BOOTS];
	struct figure *f[5];
	const char *number;
	int i, b, nr, n = MAX_BOOTS;

	for (nr = 0; nr < 5; nr++) {
		f[nr] = figure_of(r, nr);
		if (!f[nr])
			break;
		number = strrchr(f[nr]->name, '=');
		x[nr] = number ? atof(number + 1) : 0;
		if (f[nr]->boots < n)
			n = f[nr]->boots;
	}
	if (nr < (r->kind < GROWTH ? 2 : 3))
		return;
	for (b = 0; b < n; b++) {
		for (i = 0; i < nr; i++)
			v[i] = f[i]->values[b];
		boots[b] = compute(r->kind, v, x, nr);
	}
	r->known = true;
	r->value = median_of(boots, n);
	r->agreed = n;
	for (i = 0; i < nr; i++) {
		if (f[i]->agreed < r->agreed)
			r->agreed = f[i]->agreed;
	}
}

/* As it is printed, so that a target is not missed by the last digit only */
static bool met(const struct row *r)
{
	double value = round(r->value * 1000) / 1000;

	return r->bound == AT_LEAST ? value >= r->target : value <= r->target;
}

static const char *bound_of(const struct row *r)
{
	static char text[32];

	if (r->bound == NONE)
		return "";
	snprintf(text, sizeof(text), "%s %g", r->bound == AT_LEAST ? ">=" : "<=", r->target);
	return text;
}

/* ---- output ---- */

static const char *number(double value)
{
	static char text[4][32];
	static int slot;

	slot = (slot + 1) % 4;
	if (fabs(value - round(value)) < 0.0001)
		snprintf(text[slot], sizeof(text[slot]), "%.0f", value);
	else
		snprintf(text[slot], sizeof(text[slot]), "%.3f", value);
	return text[slot];
}

static void print_table(void)
{
	const struct figure *f;
	const struct row *r;

	printf("%-52s %-6s %12s %-13s %-8s %s\n", "figure", "CPUs", "value", "unit", "target",
	       "");
	for (r = rows; r < rows + ARRAY_SIZE(rows); r++) {
		if (r->known)
			printf("%-52s %-6s %12s %-13s %-8s %s\n", r->text, r->topology,
			       number(r->value), r->unit, bound_of(r),
			       r->bound == NONE ? "" : met(r) ? "met" : "MISSED");
	}
	putchar('\n');
	for (f = figures; f < figures + nr_figures; f++) {
		printf("%-52s %-6s %12s %-13s", f->name, f->topology, number(f->median), f->unit);
		if (f->samples > 1)
			printf(" %s..%s of %d", number(f->low), number(f->high), f->samples);
		printf("%s\n", f->agreed < f->boots && strcmp(f->unit, "1/s") ?
		       " BOOTS DIFFER" : "");
	}
}

static FILE *create(const char *path)
{
	FILE *out = fopen(path, "w");

	if (!out)
		die("%s: %s", path, strerror(errno));
	return out;
}

static void finish(FILE *out, const char *path)
{
	if (fflush(out) || ferror(out))
		die("%s cannot be written", path);
	fclose(out);
}

static const char *json_number(double value)
{
	return isfinite(value) ? number(value) : "null";
}

/* A figure or a row; @target is NULL if there is none */
static void json_figure(FILE *out, const char *name, double value, const char *unit,
			const char *target, bool is_met)
{
	fprintf(out, "  {\"name\": \"%s\", \"value\": %s, \"unit\": \"%s\", ", name,
		json_number(value), unit);
	if (target)
		fprintf(out, "\"target\": \"%s\", \"met\": %s, ", target,
			is_met ? "true" : "false");
	else
		fputs("\"target\": null, \"met\": null, ", out);
}

static void json_machine(FILE *out, const char *kernel, const char *driver,
			 const char *topology, int boots, int agreed)
{
	fprintf(out, "\"kernel\": \"%s\", \"driver\": \"%s\", ", kernel, driver);
	fprintf(out, "\"topology\": \"%s\", \"boots\": %d, \"agreed\": %d}", topology,
		boots, agreed);
}

static void write_json(const char *path, const char *kernel, const char *driver)
{
	FILE *out = create(path);
	const struct figure *f;
	const struct row *r;

	fputs("[\n", out);
	for (r = rows; r < rows + ARRAY_SIZE(rows); r++) {
		if (!r->known)
			continue;
		json_figure(out, r->name, r->value, r->unit,
			    r->bound == NONE ? NULL : bound_of(r), met(r));
		json_machine(out, kernel, driver, r->topology, nr_boots, r->agreed);
		fputs(",\n", out);
	}
	for (f = figures; f < figures + nr_figures; f++) {
		json_figure(out, f->name, f->median, f->unit, NULL, false);
		json_machine(out, kernel, driver, f->topology, f->boots, f->agreed);
		fputs(f < figures + nr_figures - 1 ? ",\n" : "\n", out);
	}
	fputs("]\n", out);
	finish(out, path);
}

static void rst_cell(FILE *out, const char *begin, const char *text)
{
	fprintf(out, "%s%s%s\n", begin, *text ? " " : "", text);
}

static void rst_row(FILE *out, const char *a, const char *b, const char *c, const char *d,
		    const char *e)
{
	rst_cell(out, "   * -", a);
	rst_cell(out, "     -", b);
	rst_cell(out, "     -", c);
	rst_cell(out, "     -", d);
	rst_cell(out, "     -", e);
}

static void write_rst(const char *path, const char *kernel, const char *driver)
{
	FILE *out = create(path);
	const struct figure *f;
	const struct row *r;

	/* Of what is written, not of this file */
	fprintf(out, ".. %s: GPL-2.0-only\n.. Written by the benchmark\n\n",
		"SPDX-License-Identifier");
	fprintf(out, "Linux %s, %s, the median of %d boot%s:\n\n", kernel, driver,
		nr_boots, nr_boots == 1 ? "" : "s");
	fputs(".. list-table::\n   :header-rows: 1\n\n", out);
	rst_row(out, "Figure", "CPUs x of a policy", "Value", "Target", "");
	for (r = rows; r < rows + ARRAY_SIZE(rows); r++) {
		char value[64];

		if (!r->known)
			continue;
		snprintf(value, sizeof(value), "%s%s%s", number(r->value), *r->unit ? " " : "",
			 r->unit);
		rst_row(out, r->text, r->topology, value, bound_of(r),
			r->bound == NONE ? "" : met(r) ? "met" : "missed");
	}
	fputs("\nAll that was measured:\n\n.. list-table::\n   :header-rows: 1\n\n", out);
	rst_row(out, "Figure", "CPUs x of a policy", "Value", "Unit", "10% .. 90%");
	for (f = figures; f < figures + nr_figures; f++) {
		char range[80] = "";

		if (f->samples > 1)
			snprintf(range, sizeof(range), "%s .. %s", number(f->low),
				 number(f->high));
		rst_row(out, f->name, f->topology, number(f->median), f->unit, range);
	}
	finish(out, path);
}

/* Two blocks: decisions of a machine with one CPU; costs by number of policies */
static void write_plot(const char *path)
{
	static const char * const what[] = { "register", "unregister", "swap" };
	FILE *out = create(path);
	const struct figure *f;
	size_t i;

	for (f = figures; f < figures + nr_figures; f++) {
		const char *name = f->name + strlen("decision/");

		if (strcmp(f->topology, "1x1") || strncmp(f->name, "decision/", 9) ||
		    strchr(name, '/'))
			continue;
		fprintf(out, "\"%s\" %s\n", name, number(f->median));
	}
	if (!find("128x1", "register/ext-ondemand/policies=1"))
		goto out;
	for (i = 0; i < ARRAY_SIZE(what); i++) {
		char prefix[64];

		snprintf(prefix, sizeof(prefix), "%s/ext-ondemand/policies=", what[i]);
		fprintf(out, "\n\n\"%s\"\n", what[i]);
		for (f = figures; f < figures + nr_figures; f++) {
			if (!strcmp(f->topology, "128x1") &&
			    !strncmp(f->name, prefix, strlen(prefix)))
				fprintf(out, "%s %s\n", f->name + strlen(prefix),
					number(f->median / 1000));
		}
	}
out:
	finish(out, path);
}

/* A target that nothing was measured for is one of @targets that has no result. */
static void print_tap(int targets)
{
	const struct row *r;
	int n = 0;

	for (r = rows; r < rows + ARRAY_SIZE(rows); r++)
		n += r->known && r->bound != NONE;
	if (n > targets)
		die("%d targets were measured, %d are expected", n, targets);
	n = 0;
	printf("TAP version 13\n1..%d\n", targets);
	for (r = rows; r < rows + ARRAY_SIZE(rows); r++) {
		if (r->known && r->bound != NONE)
			printf("%sok %d %s: %s, %s is wanted\n", met(r) ? "" : "not ", ++n,
			       r->text, number(r->value), bound_of(r));
	}
}

int main(int argc, char **argv)
{
	const char *json = NULL, *rst = NULL, *plot = NULL, *kernel = "?", *driver = "?";
	bool differ = false, missed = false;
	int tap = 0;	/* targets that are expected */
	struct figure *f;
	struct row *r;
	int opt;

	while ((opt = getopt(argc, argv, "j:r:p:k:d:t:")) != -1) {
		switch (opt) {
		case 'j':
			json = optarg;
			break;
		case 'r':
			rst = optarg;
			break;
		case 'p':
			plot = optarg;
			break;
		case 'k':
			kernel = optarg;
			break;
		case 'd':
			driver = optarg;
			break;
		case 't':
			tap = atoi(optarg);
			break;
		default:
			return 3;
		}
	}
	for (; optind < argc; optind++)
		read_results(argv[optind]);
	if (!nr_figures)
		die("there are no figures");

	for (f = figures; f < figures + nr_figures; f++) {
		f->median = median_of(f->values, f->boots);
		f->agreed = agreeing(f->values, f->boots);
		/* What happens in a minute is not counted in instructions. */
		differ |= f->agreed < f->boots && strcmp(f->unit, "1/s");
		differ |= f->boots < nr_boots && strcmp(f->topology, "module");
	}
	for (r = rows; r < rows + ARRAY_SIZE(rows); r++) {
		compute_row(r);
		missed |= r->known && r->bound != NONE && !met(r);
	}

	if (tap)
		print_tap(tap);
	else
		print_table();
	if (json)
		write_json(json, kernel, driver);
	if (rst)
		write_rst(rst, kernel, driver);
	if (plot)
		write_plot(plot);
	return differ ? 1 : missed ? 2 : 0;
}
