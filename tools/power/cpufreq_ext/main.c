// SPDX-License-Identifier: GPL-2.0-only
/* cpufreq_ext: load, tune and watch BPF governors of the cpufreq governor ext */
#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>

#include "cpufreq_ext.h"

#ifndef CPUFREQ_EXT_VERSION
#define CPUFREQ_EXT_VERSION	"1.0"
#endif

static const char main_usage[] =
	"Usage: cpufreq_ext [-v] COMMAND [OPTION...] [ARGUMENT...]\n"
	"\n"
	"Load, tune and watch BPF governors of the cpufreq governor ext.\n"
	"\n"
	"  list                                  the governors that come with this tool\n"
	"  info NAME|FILE                        a governor's tunables\n"
	"  load [--select] [-c CPUS] [--pin] NAME|FILE [TUNABLE=VALUE...]\n"
	"                                        load a governor until interrupted\n"
	"  replace NAME|FILE [TUNABLE=VALUE...]  load it in place of the running one\n"
	"  unload                                take the running one away\n"
	"  get [TUNABLE...]                      tunables of the running one\n"
	"  set TUNABLE=VALUE...                  change them\n"
	"  status [--json]                       governor, tunables and policies\n"
	"  run [-c CPUS] NAME|FILE [TUNABLE=VALUE...] -- COMMAND [ARGUMENT...]\n"
	"                                        a governor for the life of COMMAND\n"
	"  monitor [-i SECONDS] [-n COUNT] [--csv FILE]\n"
	"                                        frequency, load and transitions, live\n"
	"  plot FILE.csv -o FILE.svg|FILE.png    draw what monitor recorded\n"
	"  bench [-s SECONDS] [--json FILE]      what decisions cost, beside the kernel's\n"
	"                                        governors\n"
	"\n"
	"  -s, --select      let all policies use ext first, give them back at the end\n"
	"  -c, --cpus=CPUS   only those of these CPUs, e.g. 0-3,8; implies --select\n"
	"  -p, --pin         leave at once; the governor stays until unload\n"
	"  -j, --json        of status: for programs\n"
	"  -j, --json=FILE   of bench: where to save what it measured\n"
	"                    (cpufreq_ext-bench.json)\n"
	"  -i, --interval=SECONDS, -n, --count=COUNT\n"
	"                    time between two frames (1), number of them (no end)\n"
	"  -s, --seconds=SECONDS\n"
	"                    of bench: length of the load (6)\n"
	"      --csv=FILE    of monitor: record to FILE as well\n"
	"  -o, --output=FILE of plot: the picture, .svg or .png\n"
	"  -v, --verbose     show what libbpf and the BPF verifier say\n"
	"  -V, --version     show the version\n"
	"  -h, --help        show this help\n"
	"\n"
	"FILE is a BPF object; it has a slash in it or ends in .o. Frequencies are in\n"
	"kHz, or have a unit: 1800000, 1800mhz, 1.8ghz. See cpufreq_ext(8).\n";

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} main_commands[] = {
	{ "list", show_list_main },
	{ "info", show_info_main },
	{ "load", load_main },
	{ "replace", load_replace_main },
	{ "unload", load_unload_main },
	{ "get", show_get_main },
	{ "set", show_set_main },
	{ "status", show_status_main },
	{ "run", run_main },
	{ "monitor", monitor_main },
	{ "plot", plot_main },
	{ "bench", bench_main },
};

bool main_verbose;

/* Names and values may have anything in them: it must stay one line of text. */
static void main_print(const char *fmt, va_list args)
{
	char *text, *c;

	fflush(stdout);
	if (vasprintf(&text, fmt, args) < 0) {
		fputs("cpufreq_ext: out of memory\n", stderr);
		return;
	}
	for (c = text; *c; c++) {
		if (iscntrl((unsigned char)*c))
			*c = '?';
	}
	fprintf(stderr, "cpufreq_ext: %s\n", text);
	free(text);
}

int main_err(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	main_print(fmt, args);
	va_end(args);
	return -1;
}

void main_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	main_print(fmt, args);
	va_end(args);
}

void *main_alloc(void *old, size_t size)
{
	void *p = realloc(old, size);

	if (!p) {
		main_err("out of memory");
		exit(1);
	}
	return p;
}

char *main_format(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	if (!text) {
		main_err("out of memory");
		exit(1);
	}
	return text;
}

void main_json_string(FILE *f, const char *text)
{
	fputc('"', f);
	for (text = text ?: ""; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', f);
		if ((unsigned char)*text < ' ' || (unsigned char)*text >= 0x7f)
			fprintf(f, "\\u%04x", (unsigned char)*text);
		else
			fputc(*text, f);
	}
	fputc('"', f);
}

int main_option(int argc, char **argv, const char *letters, const struct option *options)
{
	int at = optind ?: 1;
	int opt;

	opterr = 0;
	for (;;) {
		opt = getopt_long(argc, argv, letters, options, NULL);
		switch (opt) {
		case 'h':
			return MAIN_HELP;
		case 'v':
			main_verbose = true;
			break;
		case ':':
			main_err("option '%s' needs a value: see cpufreq_ext --help",
				 argv[optind - 1]);
			return '?';
		case '?':
			main_err("%s takes no option '%s': see cpufreq_ext --help",
				 argv[0], argv[optind > at ? optind - 1 : at]);
			return '?';
		default:
			return opt;
		}
		at = optind;
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "version", no_argument, NULL, 'V' },
		{}
	};
	const char *name;
	size_t i;
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+hvV", options, NULL)) != -1) {
		switch (opt) {
		case 'h':
			return fputs(main_usage, stdout) < 0;
		case 'V':
			return printf("cpufreq_ext %s, libbpf %s\n", CPUFREQ_EXT_VERSION,
				      libbpf_version_string()) < 0;
		case 'v':
			main_verbose = true;
			break;
		default:
			main_err("unknown option '%s': see cpufreq_ext --help",
				 argv[optind - 1]);
			return 1;
		}
	}
	if (optind == argc) {
		main_err("no command: see cpufreq_ext --help");
		return 1;
	}

	object_init();
	name = argv[optind];
	for (i = 0; i < ARRAY_SIZE(main_commands); i++) {
		if (strcmp(main_commands[i].name, name))
			continue;
		argc -= optind;
		argv += optind;
		/* Let getopt() begin anew. */
		optind = 0;
		opt = main_commands[i].main(argc, argv);
		if (opt == MAIN_HELP)
			return fputs(main_usage, stdout) < 0;
		if (fflush(stdout) || ferror(stdout)) {
			main_err("cannot write the output: check where it goes to");
			return 1;
		}
		return opt < 0 ? 1 : opt;
	}
	main_err("unknown command '%s': see cpufreq_ext --help", name);
	return 1;
}
