// SPDX-License-Identifier: GPL-2.0-only
/* Command monitor: frequency, load and transitions of each policy, live */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>

#include "cpufreq_ext.h"

#define MONITOR_MIN_S		0.02
#define MONITOR_MAX_S		3600
#define MONITOR_MAX_STATES	256
#define MONITOR_TEXT_WIDTH	65	/* of a row without its bar */
#define MONITOR_MIN_BAR		10

struct monitor_state {
	unsigned long khz;
	unsigned long ticks;
};

/* Of a CPU, since it was started */
struct monitor_idle {
	double seconds;
	double share;		/* of the time since the last look */
	double usual;		/* of such shares, the mean of the last few */
};

/* What was read at a time, and what it means for the time since the last one */
struct monitor_policy {
	unsigned int number;
	char *cpus;
	char *governor;		/* with that of BPF if it is ext */
	bool *set;
	int nr_set;
	unsigned long khz, min, max, hw_min, hw_max;
	unsigned long trans;
	unsigned long faults;
	double trans_per_s;	/* below 0: not known */
	double load;		/* percent */
	struct monitor_state states[MONITOR_MAX_STATES];
	int nr_states;
	unsigned long before[MONITOR_MAX_STATES];
};

struct monitor {
	struct monitor_policy *policy;
	int nr;
	struct monitor_idle *idle;	/* of each CPU */
	struct monitor_idle *idle_before;
	int nr_cpus;
	double time, time_before, start;
	FILE *csv;
};

static double monitor_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* ---- reading ---- */

static void monitor_free_policies(struct monitor *m)
{
	int i;

	for (i = 0; i < m->nr; i++) {
		free(m->policy[i].cpus);
		free(m->policy[i].governor);
		free(m->policy[i].set);
	}
	free(m->policy);
	m->policy = NULL;
	m->nr = 0;
}

/*
 * The kernel tells whole ticks, which are long where one looks often.  Of the
 * times that may be meant, take the one nearest to what is usual.
 */
static void monitor_guess_idle(const struct monitor *m, unsigned int cpu, unsigned long ticks)
{
	double tick = 1.0 / sysconf(_SC_CLK_TCK), passed = m->time - m->time_before;
	const struct monitor_idle *before = &m->idle_before[cpu];
	struct monitor_idle *idle = &m->idle[cpu];

	idle->seconds = before->seconds + before->usual * passed;
	if (idle->seconds < ticks * tick)
		idle->seconds = ticks * tick;
	if (idle->seconds > (ticks + 1) * tick)
		idle->seconds = (ticks + 1) * tick;
	idle->share = passed > 0 ? (idle->seconds - before->seconds) / passed : 1;
	if (idle->share > 1)
		idle->share = 1;
	if (idle->share < 0)
		idle->share = 0;
	idle->usual = m->time_before ? before->usual + (idle->share - before->usual) / 4 : 1;
}

static void monitor_read_idle(struct monitor *m)
{
	unsigned long idle, iowait;
	struct monitor_idle *oldest = m->idle_before;
	char line[1024];
	unsigned int cpu;
	FILE *f;

	m->idle_before = m->idle;
	m->idle = oldest;
	f = fopen("/proc/stat", "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "cpu%u %*u %*u %*u %lu %lu", &cpu, &idle, &iowait) == 3 &&
		    cpu < (unsigned int)m->nr_cpus)
			monitor_guess_idle(m, cpu, idle + iowait);
	}
	if (f)
		fclose(f);
}

static void monitor_read_states(struct monitor_policy *p)
{
	char *text = sysfs_read("policy%u/stats/time_in_state", p->number);
	char *line, *save = NULL;

	p->nr_states = 0;
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		struct monitor_state *s = &p->states[p->nr_states];

		if (p->nr_states < MONITOR_MAX_STATES &&
		    sscanf(line, "%lu %lu", &s->khz, &s->ticks) == 2)
			p->nr_states++;
	}
	free(text);
}

static char *monitor_governor(unsigned int policy, const char *bpf)
{
	char *governor = sysfs_read("policy%u/scaling_governor", policy), *both;

	if (!governor || strcmp(governor, "ext") || !bpf)
		return governor;
	both = main_format("ext: %s", bpf);
	free(governor);
	return both;
}

static void monitor_read_policy(struct monitor_policy *p, const char *bpf)
{
	unsigned int n = p->number;
	char *text;

	p->cpus = sysfs_read("policy%u/affected_cpus", n) ?: main_format("?");
	p->nr_set = sysfs_parse_cpus(p->cpus, &p->set);
	if (p->nr_set < 0)
		p->nr_set = 0;
	p->governor = monitor_governor(n, bpf) ?: main_format("?");
	p->khz = sysfs_read_number("policy%u/scaling_cur_freq", n);
	p->min = sysfs_read_number("policy%u/scaling_min_freq", n);
	p->max = sysfs_read_number("policy%u/scaling_max_freq", n);
	p->hw_min = sysfs_read_number("policy%u/cpuinfo_min_freq", n);
	p->hw_max = sysfs_read_number("policy%u/cpuinfo_max_freq", n);
	text = sysfs_read("policy%u/stats/total_trans", n);
	p->trans_per_s = text ? 0 : -1;
	p->trans = text ? strtoul(text, NULL, 10) : 0;
	free(text);
	p->faults = sysfs_counter(n, "faults");
	monitor_read_states(p);
}

static double monitor_load(const struct monitor *m, const struct monitor_policy *p)
{
	double load, highest = 0;
	int i;

	/* The busiest one counts, as it does for governors. */
	for (i = 0; i < p->nr_set && i < m->nr_cpus; i++) {
		load = p->set[i] ? 100 * (1 - m->idle[i].share) : 0;
		if (load > highest)
			highest = load;
	}
	return highest;
}

static void monitor_compare(struct monitor *m, struct monitor_policy *p,
			    const struct monitor_policy *before)
{
	double seconds = m->time - m->time_before;
	int i;

	p->load = monitor_load(m, p);
	if (p->trans_per_s >= 0 && p->trans >= before->trans && seconds > 0)
		p->trans_per_s = (p->trans - before->trans) / seconds;
	/* Somebody may have set the counters to zero. */
	for (i = 0; i < p->nr_states; i++) {
		p->before[i] = p->states[i].ticks;
		if (i < before->nr_states && before->states[i].khz == p->states[i].khz &&
		    before->states[i].ticks <= p->states[i].ticks)
			p->before[i] = before->states[i].ticks;
	}
}

static int monitor_read(struct monitor *m)
{
	struct monitor old = *m;
	unsigned int *numbers;
	char *stat, *bpf, *fault;
	int i, k;

	fault = sysfs_fault();
	stat = sysfs_stat();
	bpf = stat ? strstr(stat, "BPF governor: ") : NULL;
	if (bpf) {
		bpf += strlen("BPF governor: ");
		bpf[strcspn(bpf, "\n")] = '\0';
	}
	m->nr = sysfs_policies(&numbers);
	m->policy = calloc(m->nr ?: 1, sizeof(*m->policy));
	if (!m->policy)
		m->nr = 0;
	m->time_before = m->time;
	m->time = monitor_now();
	monitor_read_idle(m);
	for (i = 0; i < m->nr; i++) {
		struct monitor_policy *p = &m->policy[i];

		p->number = numbers[i];
		monitor_read_policy(p, fault ? "ejected" : bpf);
		for (k = 0; k < old.nr && old.policy[k].number != p->number; k++)
			;
		/* A new one begins with what it has now. */
		monitor_compare(m, p, k < old.nr ? &old.policy[k] : p);
	}
	monitor_free_policies(&old);
	free(numbers);
	free(stat);
	free(fault);
	return m->nr;
}

/* ---- showing ---- */

static void monitor_show_bar(const struct monitor_policy *p, int width)
{
	int fill = width, i;

	if (p->max > p->min && p->khz < p->max)
		fill = p->khz > p->min ?
		       (double)(p->khz - p->min) / (p->max - p->min) * width + 0.5 : 0;
	putchar('[');
	for (i = 0; i < width; i++)
		putchar(i < fill ? '#' : '.');
	putchar(']');
}

static void monitor_show_policy(const struct monitor_policy *p, int bar, const char *end)
{
	printf("%6u %5.2f ", p->number, p->min / 1e6);
	monitor_show_bar(p, bar);
	printf(" %5.2f %6.3f GHz %4.0f%% ", p->max / 1e6, p->khz / 1e6, p->load);
	if (p->trans_per_s < 0)
		printf("      - ");
	else
		printf("%7.1f ", p->trans_per_s);
	printf(" %6lu  %.20s%s\n", p->faults, p->governor, end);
}

static void monitor_show(const struct monitor *m)
{
	bool terminal = isatty(STDOUT_FILENO);
	const char *end = terminal ? "\033[K" : "";
	struct winsize size = { .ws_col = 80, .ws_row = 24 };
	int rows = m->nr, bar, i;

	if (terminal)
		ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	bar = (size.ws_col ?: 80) - MONITOR_TEXT_WIDTH;
	if (bar < MONITOR_MIN_BAR)
		bar = MONITOR_MIN_BAR;
	if (terminal && size.ws_row > 3 && rows > size.ws_row - 3)
		rows = size.ws_row - 3;

	printf("%s%6s %5s  %-*s  %5s %10s %5s %8s %6s  %s%s\n", terminal ? "\033[H" : "",
	       "POLICY", "MIN", bar, "FREQUENCY", "MAX", "NOW", "LOAD", "CHANGE/s",
	       "FAULTS", "GOVERNOR", end);
	for (i = 0; i < rows; i++)
		monitor_show_policy(&m->policy[i], bar, end);
	if (rows < m->nr)
		printf("(%d more: make the window higher)%s\n", m->nr - rows, end);
	printf("%s", terminal ? "\033[J" : "\n");
	fflush(stdout);
}

/* What BPF governors are called may have a comma in it. */
static void monitor_csv_name(FILE *f, const char *name)
{
	for (; *name; name++)
		fputc(*name == ',' || *name == '"' ? '_' : *name, f);
}

static void monitor_csv_policy(FILE *f, double time, const struct monitor_policy *p)
{
	long hz = sysconf(_SC_CLK_TCK);
	bool first = true;
	int i;

	fprintf(f, "%.3f,%u,%s,%lu,%lu,%lu,%lu,%lu,%.1f,", time, p->number, p->cpus,
		p->khz, p->min, p->max, p->hw_min, p->hw_max, p->load);
	if (p->trans_per_s >= 0)
		fprintf(f, "%.1f", p->trans_per_s);
	fputc(',', f);
	for (i = 0; i < p->nr_states; i++) {
		fprintf(f, "%s%lu:%lu", first ? "" : " ", p->states[i].khz,
			(p->states[i].ticks - p->before[i]) * 1000 / hz);
		first = false;
	}
	fputc(',', f);
	monitor_csv_name(f, p->governor);
	fputc('\n', f);
}

static int monitor_csv(struct monitor *m)
{
	int i;

	for (i = 0; i < m->nr; i++)
		monitor_csv_policy(m->csv, m->time - m->start, &m->policy[i]);
	if (fflush(m->csv) || ferror(m->csv))
		return main_err("cannot write the CSV file (%s): choose another one",
				strerror(errno));
	return 0;
}

/* ---- the command ---- */

/* Until @time, false if a signal wants the end */
static bool monitor_wait(int signals, double time)
{
	struct pollfd fd = { .fd = signals, .events = POLLIN };
	double seconds = time - monitor_now();
	struct timespec timeout;

	if (seconds < 0)
		seconds = 0;
	timeout.tv_sec = seconds;
	timeout.tv_nsec = (seconds - timeout.tv_sec) * 1e9;
	return ppoll(&fd, 1, &timeout, NULL) <= 0;
}

static int monitor_loop(struct monitor *m, double interval, long count, bool show)
{
	sigset_t signals;
	double next;
	int fd, err = 0;
	long i;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	fd = signalfd(-1, &signals, SFD_CLOEXEC);

	m->nr_cpus = sysconf(_SC_NPROCESSORS_CONF);
	m->idle = main_alloc(NULL, m->nr_cpus * sizeof(*m->idle));
	m->idle_before = main_alloc(NULL, m->nr_cpus * sizeof(*m->idle_before));
	memset(m->idle, 0, m->nr_cpus * sizeof(*m->idle));
	memset(m->idle_before, 0, m->nr_cpus * sizeof(*m->idle_before));
	if (!monitor_read(m)) {
		main_err("no cpufreq driver is active: load one that fits this machine, e.g. modprobe acpi-cpufreq");
		err = -1;
	}
	m->start = m->time;
	next = m->time;
	if (!err && show && isatty(STDOUT_FILENO))
		printf("\033[2J");
	for (i = 0; !err && (count < 0 || i < count); i++) {
		/* After a pause, begin anew: in a short time there is nothing to see. */
		next += interval;
		if (next < monitor_now() + interval / 2)
			next = monitor_now() + interval;
		if (!monitor_wait(fd, next))
			break;
		monitor_read(m);
		if (show)
			monitor_show(m);
		if (m->csv)
			err = monitor_csv(m);
	}
	close(fd);
	return err;
}

static int monitor_number(const char *option, const char *text, double min, double max,
			  double *value)
{
	char *end;

	*value = strtod(text, &end);
	if (end == text || *end || !(*value >= min && *value <= max))
		return main_err("%s cannot be '%s': give a number from %g to %g", option,
				text, min, max);
	return 0;
}

int monitor_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "csv", required_argument, NULL, 'C' },
		{ "interval", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ "verbose", no_argument, NULL, 'v' },
		{}
	};
	double interval = 1, count = -1;
	const char *csv = NULL;
	struct monitor m = {};
	int opt, err = 0;

	while ((opt = main_option(argc, argv, ":i:n:hv", options)) != -1) {
		switch (opt) {
		case 'C':
			csv = optarg;
			break;
		case 'i':
			err = monitor_number("-i", optarg, MONITOR_MIN_S, MONITOR_MAX_S, &interval);
			break;
		case 'n':
			err = monitor_number("-n", optarg, 1, 1e9, &count);
			break;
		default:
			return opt == MAIN_HELP ? opt : 1;
		}
		if (err)
			return -1;
	}
	if (optind < argc)
		return main_err("monitor takes no arguments: leave out '%s'", argv[optind]);

	if (csv) {
		m.csv = strcmp(csv, "-") ? fopen(csv, "we") : stdout;
		if (!m.csv)
			return main_err("%s: %s: choose another file", csv, strerror(errno));
		fprintf(m.csv, "%s\n", MONITOR_CSV_HEADER);
	}
	err = monitor_loop(&m, interval, count, m.csv != stdout);
	if (m.csv && m.csv != stdout && fclose(m.csv) && !err)
		err = main_err("%s: %s: choose another file", csv, strerror(errno));
	monitor_free_policies(&m);
	free(m.idle);
	free(m.idle_before);
	return err;
}
