// SPDX-License-Identifier: GPL-2.0-only
/* Command plot: have gnuplot draw what monitor --csv recorded */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include "cpufreq_ext.h"

/* As wide as text on a page, so that the letters are as large as those of it */
#define PLOT_WIDTH	800
#define PLOT_HEIGHT	310	/* of a policy */
#define PLOT_FIELDS	12
#define PLOT_MAX	64	/* policies in a picture */
#define PLOT_MAX_NUMBER	1e15	/* more than this is no time and no frequency */

struct plot_sample {
	double time;
	double khz, min, max;
	double load;
};

struct plot_state {
	unsigned long khz;
	double ms;
};

struct plot_policy {
	unsigned int number;
	char *cpus;
	char *governors;	/* all that it had, one after the other */
	char *last_governor;
	double hw_max;
	struct plot_sample *sample;
	int nr;
	struct plot_state *state;
	int nr_states;
};

struct plot {
	struct plot_policy policy[PLOT_MAX];
	int nr;
};

/* ---- reading ---- */

static struct plot_policy *plot_policy(struct plot *plot, unsigned int number)
{
	int i;

	for (i = 0; i < plot->nr; i++) {
		if (plot->policy[i].number == number)
			return &plot->policy[i];
	}
	if (plot->nr == PLOT_MAX)
		return NULL;
	plot->policy[plot->nr].number = number;
	return &plot->policy[plot->nr++];
}

static void plot_add_state(struct plot_policy *p, unsigned long khz, double ms)
{
	int i;

	for (i = 0; i < p->nr_states && p->state[i].khz < khz; i++)
		;
	if (i == p->nr_states || p->state[i].khz != khz) {
		p->state = main_alloc(p->state, (p->nr_states + 1) * sizeof(*p->state));
		memmove(&p->state[i + 1], &p->state[i], (p->nr_states - i) * sizeof(*p->state));
		p->state[i].khz = khz;
		p->state[i].ms = 0;
		p->nr_states++;
	}
	p->state[i].ms += ms;
}

static bool plot_is_number(double value)
{
	return value >= 0 && value <= PLOT_MAX_NUMBER;
}

/* Kernels without CONFIG_CPU_FREQ_STAT do not tell: take what was seen. */
static int plot_add_states(struct plot_policy *p, const char *text, double khz,
			   double seconds)
{
	double state, ms;
	int len;

	if (!*text)
		plot_add_state(p, khz, seconds * 1000);
	while (*text) {
		if (sscanf(text, "%lf:%lf%n", &state, &ms, &len) != 2 ||
		    !plot_is_number(state) || !plot_is_number(ms))
			return -EINVAL;
		plot_add_state(p, state, ms);
		text += len;
		text += strspn(text, " ");
	}
	return 0;
}

static void plot_add_governor(struct plot_policy *p, const char *name)
{
	char *all;

	if (p->last_governor && !strcmp(p->last_governor, name))
		return;
	all = main_format("%s%s%s", p->governors ?: "", p->governors ? ", then " : "", name);
	free(p->governors);
	free(p->last_governor);
	p->governors = all;
	p->last_governor = main_format("%s", name);
}

static int plot_split(char *line, char **field)
{
	int nr = 0;

	line[strcspn(line, "\r\n")] = '\0';
	while (nr < PLOT_FIELDS) {
		field[nr++] = line;
		line = strchr(line, ',');
		if (!line)
			break;
		*line++ = '\0';
	}
	return nr == PLOT_FIELDS && !line ? 0 : -EINVAL;
}

static int plot_number(const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end == text || *end || !plot_is_number(*value) ? -EINVAL : 0;
}

static int plot_add(struct plot *plot, char *line)
{
	struct plot_sample s;
	char *field[PLOT_FIELDS];
	struct plot_policy *p;
	double number, hw_max, before;

	if (plot_split(line, field) || plot_number(field[0], &s.time) ||
	    plot_number(field[1], &number) || plot_number(field[3], &s.khz) ||
	    plot_number(field[4], &s.min) || plot_number(field[5], &s.max) ||
	    plot_number(field[7], &hw_max) || plot_number(field[8], &s.load))
		return -EINVAL;
	if (number > UINT32_MAX)
		return -EINVAL;
	p = plot_policy(plot, number);
	if (!p)
		return -E2BIG;
	before = p->nr ? p->sample[p->nr - 1].time : 0;
	if (s.time < before)
		return -EINVAL;
	if (!p->cpus)
		p->cpus = main_format("%s", field[2]);
	if (hw_max > p->hw_max)
		p->hw_max = hw_max;
	plot_add_governor(p, field[11]);
	if (plot_add_states(p, field[10], s.khz, s.time - before))
		return -EINVAL;
	p->sample = main_alloc(p->sample, (p->nr + 1) * sizeof(s));
	p->sample[p->nr++] = s;
	return 0;
}

static int plot_read(struct plot *plot, const char *path)
{
	char *line = NULL;
	size_t size = 0;
	int nr = 0, err = 0;
	FILE *f;

	f = fopen(path, "re");
	if (!f)
		return main_err("%s: %s: record one with cpufreq_ext monitor --csv", path,
				strerror(errno));
	while (!err && getline(&line, &size, f) >= 0) {
		if (!nr++) {
			line[strcspn(line, "\r\n")] = '\0';
			if (strcmp(line, MONITOR_CSV_HEADER))
				err = -EINVAL;
			continue;
		}
		err = plot_add(plot, line);
	}
	free(line);
	fclose(f);
	if (err == -E2BIG)
		return main_err("%s: there are more than %d policies: draw a part of them",
				path, PLOT_MAX);
	if (err)
		return main_err("%s: line %d is not of cpufreq_ext monitor --csv: record it anew",
				path, nr);
	if (!plot->nr) {
		main_err("%s: nothing is recorded in it: let monitor run for longer", path);
		return -1;
	}
	return 0;
}

/* ---- writing for gnuplot ---- */

/* A string of gnuplot in single quotes; nothing is special in it but these. */
static void plot_string(FILE *f, const char *text)
{
	fputc('\'', f);
	for (; *text; text++) {
		if (*text == '\'')
			fputc('\'', f);
		fputc(*text, f);
	}
	fputc('\'', f);
}

/* Whether sample @i looks like the two beside it: curves are steps, it adds nothing. */
static bool plot_is_dull(const struct plot_policy *p, int i)
{
	const struct plot_sample *s = &p->sample[i];

	return i > 0 && i < p->nr - 1 && s->khz == s[-1].khz && s->khz == s[1].khz &&
	       s->min == s[-1].min && s->min == s[1].min && s->max == s[-1].max &&
	       s->max == s[1].max;
}

/* The outline of an area: the load of a sample is that of the time before it. */
static void plot_write_load(FILE *f, const struct plot_policy *p)
{
	double start = p->sample[0].time;
	int i;

	for (i = 0; i < p->nr; i++) {
		if (i < p->nr - 1 && i > 0 &&
		    rint(p->sample[i].load) == rint(p->sample[i + 1].load))
			continue;
		fprintf(f, "%.3f %.0f\n%.3f %.0f\n", start, p->sample[i].load,
			p->sample[i].time, p->sample[i].load);
		start = p->sample[i].time;
	}
}

static void plot_write_data(FILE *f, const struct plot_policy *p, int n)
{
	const struct plot_sample *s = p->sample;
	double sum = 0;
	int i;

	fprintf(f, "$samples%d << END\n", n);
	for (i = 0; i < p->nr; i++) {
		if (!plot_is_dull(p, i))
			fprintf(f, "%.3f %.6f %.6f %.6f\n", s[i].time, s[i].khz / 1e6,
				s[i].min / 1e6, s[i].max / 1e6);
	}
	fprintf(f, "END\n$load%d << END\n", n);
	plot_write_load(f, p);
	fprintf(f, "END\n$states%d << END\n", n);
	for (i = 0; i < p->nr_states; i++)
		sum += p->state[i].ms;
	for (i = 0; i < p->nr_states; i++)
		fprintf(f, "%.6g %.3f\n", p->state[i].khz / 1e6,
			sum > 0 ? 100 * p->state[i].ms / sum : 0);
	fprintf(f, "END\n");
}

/* The area of a diagram between two parts of the width, in the row of a policy */
static void plot_write_margins(FILE *f, double left, double right, int n, int nr)
{
	fprintf(f, "set lmargin at screen %f\nset rmargin at screen %f\n", left, right);
	fprintf(f, "set tmargin at screen %f\nset bmargin at screen %f\n",
		1 - (n + 0.11) / nr, 1 - (n + 0.73) / nr);
}

/* Over time, on the left: the frequency within its limits, and the load */
static void plot_write_time(FILE *f, const struct plot_policy *p, int n, int nr)
{
	static const char * const settings[] = {
		"set xlabel 'Time (s)' offset 0,0.3",
		"set ylabel 'Frequency (GHz)'",
		"set y2label 'Load (%)' offset -1,0",
		"set xtics auto",
		"set ytics auto nomirror",
		"set format y '%g'",
		"set y2tics 0,25,100",
		"set y2range [0:110]",
	};
	static const char limits[] = "with steps lw 1.5 dt (6,4) lc rgb '#666666'";
	char *title;
	size_t i;

	title = main_format("policy%u (CPU %s), governor %s", p->number, p->cpus, p->governors);
	fprintf(f, "set title ");
	plot_string(f, title);
	free(title);
	fprintf(f, " noenhanced offset 0,-0.5\n");
	plot_write_margins(f, 0.085, 0.665, n, nr);
	fprintf(f, "set key at screen 0.375,%f horizontal center", 1 - (n + 0.96) / nr);
	fprintf(f, " maxcols 3 maxrows 1 samplen 2 width -1\n");
	for (i = 0; i < ARRAY_SIZE(settings); i++)
		fprintf(f, "%s\n", settings[i]);
	fprintf(f, "set xrange [%.3f:%.3f]\n", p->nr > 1 ? p->sample[0].time : 0,
		p->sample[p->nr - 1].time > p->sample[0].time ?
			p->sample[p->nr - 1].time : p->sample[0].time + 1);
	fprintf(f, "plot $load%d using 1:2 axes x1y2 with filledcurves x1 fs solid 1 noborder", n);
	fprintf(f, " lc rgb '#f3c99b' title 'load'");
	fprintf(f, ", $samples%d using 1:3 %s notitle", n, limits);
	fprintf(f, ", '' using 1:4 %s title 'limits'", limits);
	fprintf(f, ", '' using 1:2 with steps lw 2.2 lc rgb '#12408c' title 'frequency'\n");
}

/* Time in state, on the right, with the same axis of frequencies */
static void plot_write_states(FILE *f, const struct plot_policy *p, int n, int nr)
{
	static const char * const settings[] = {
		"set title 'Time in state' offset 0,-0.5",
		"set xlabel 'Time (%)' offset 0,0.3",
		"unset ylabel",
		"set xrange [0:125]",
		"set xtics 0,25,100",
		"set format y ''",
		"unset y2tics",
		"unset y2label",
		"unset key",
	};
	double max = p->hw_max / 1e6, nearest = max, half;
	size_t i;
	int k;

	for (k = 1; k < p->nr_states; k++)
		nearest = fmin(nearest, (p->state[k].khz - p->state[k - 1].khz) / 1e6);
	half = fmin(nearest * 0.35, max * 0.04);

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		fprintf(f, "%s\n", settings[i]);
	plot_write_margins(f, 0.78, 0.985, n, nr);
	fprintf(f, "plot $states%d using (0):1:(0):2:($1-%f):($1+%f) with boxxyerror", n,
		half, half);
	fprintf(f, " fs solid 0.65 lc rgb '#12408c'");
	/* Numbers beside the bars, if they have room there */
	if (nearest > max * 0.07)
		fprintf(f, ", '' using 2:1:(%s) with labels left offset 0.5,0",
			"$2 < 0.5 ? '' : sprintf('%.0f', $2)");
	fputc('\n', f);
}

static void plot_write(FILE *f, const struct plot *plot, const char *out, bool png)
{
	int n;

	fprintf(f, "set encoding utf8\n");
	if (png)
		fprintf(f, "set terminal pngcairo size %d,%d fontscale 1.5 linewidth 1.5\n",
			PLOT_WIDTH * 3 / 2, plot->nr * PLOT_HEIGHT * 3 / 2);
	else
		fprintf(f, "set terminal svg size %d,%d font 'sans-serif,14' background 'white'\n",
			PLOT_WIDTH, plot->nr * PLOT_HEIGHT);
	fprintf(f, "set output ");
	plot_string(f, out);
	fprintf(f, "\nset grid ytics lc rgb '#dddddd' lt 1\n");
	for (n = 0; n < plot->nr; n++)
		plot_write_data(f, &plot->policy[n], n);
	fprintf(f, "set multiplot\n");
	for (n = 0; n < plot->nr; n++) {
		fprintf(f, "set yrange [0:%.6f]\n", (plot->policy[n].hw_max > 0 ?
			plot->policy[n].hw_max : 1e6) * 1.1 / 1e6);
		plot_write_time(f, &plot->policy[n], n, plot->nr);
		plot_write_states(f, &plot->policy[n], n, plot->nr);
	}
	fprintf(f, "unset multiplot\nset output\n");
}

extern char **environ;

static int plot_run(FILE *script)
{
	char * const args[] = { (char *)"gnuplot", NULL };
	posix_spawn_file_actions_t actions;
	int err, status;
	pid_t pid;

	rewind(script);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fileno(script), STDIN_FILENO);
	if (!main_verbose)
		posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
						 O_WRONLY, 0);
	err = posix_spawnp(&pid, args[0], &actions, NULL, args, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err == ENOENT) {
		main_err("gnuplot draws the plots, and is missing: install it (Debian: apt install gnuplot-nox)");
		return -1;
	}
	if (err)
		return main_err("gnuplot does not start: %s", strerror(err));
	if (waitpid(pid, &status, 0) != pid || status)
		return main_err("gnuplot failed: see cpufreq_ext -v plot");
	return 0;
}

/* Into a file beside it, which gets the name when it is complete */
static int plot_draw(const struct plot *plot, const char *out, bool png)
{
	char *new = main_format("%s.new", out);
	FILE *script = NULL;
	int fd, err = 0;

	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0) {
		err = main_err("%s: %s: choose another file", out, strerror(errno));
	} else {
		close(fd);
		script = tmpfile();
		if (!script)
			err = main_err("cannot make a temporary file (%s): set TMPDIR",
				       strerror(errno));
	}
	if (!err) {
		plot_write(script, plot, new, png);
		fflush(script);
		err = plot_run(script);
	}
	if (script)
		fclose(script);
	if (!err && rename(new, out))
		err = main_err("%s: %s: choose another file", out, strerror(errno));
	if (err)
		unlink(new);
	free(new);
	return err;
}

static void plot_free(struct plot *plot)
{
	int i;

	for (i = 0; i < plot->nr; i++) {
		free(plot->policy[i].cpus);
		free(plot->policy[i].governors);
		free(plot->policy[i].last_governor);
		free(plot->policy[i].sample);
		free(plot->policy[i].state);
	}
}

int plot_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ "verbose", no_argument, NULL, 'v' },
		{}
	};
	static struct plot plot;
	const char *out = NULL, *type;
	int opt, err;

	while ((opt = main_option(argc, argv, ":o:hv", options)) != -1) {
		if (opt != 'o')
			return opt == MAIN_HELP ? opt : 1;
		out = optarg;
	}
	if (argc - optind != 1 || !out)
		return main_err("plot what? cpufreq_ext plot FILE.csv -o FILE.svg");
	type = strrchr(out, '.');
	if (!type || (strcmp(type, ".svg") && strcmp(type, ".png"))) {
		main_err("'%s' is no kind of picture that plot knows: end it in .svg or .png",
			 out);
		return -1;
	}
	err = plot_read(&plot, argv[optind]) ?: plot_draw(&plot, out, !strcmp(type, ".png"));
	plot_free(&plot);
	return err;
}
