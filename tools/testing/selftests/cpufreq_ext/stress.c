// SPDX-License-Identifier: GPL-2.0-only
/* Everything at once that users and the system do to ext, from a seed */
#include "workers.h"

static const char usage[] =
	"Usage: stress [-s SEED] [-t SECONDS]\n"
	"\n"
	"Load, swap and kill BPF governors, switch governors, limits, tunables and\n"
	"CPUs, suspend, all at the same time on busy CPUs.  Fails if ext breaks a\n"
	"promise; what the kernel log says is left to the caller.\n"
	"\n"
	"  -s  what is done follows from this number (default: the time)\n"
	"  -t  for how long (default 300)\n";

int main(int argc, char **argv)
{
	struct worker workers[WORKERS_MAX] = {
		WORKER(load),
		WORKER(load),
		WORKER(swap),
		WORKER(kill),
		WORKER(hotplug),
		WORKER(governor),
		WORKER(governor),
		WORKER(limits),
		WORKER(limits),
		WORKER(tunables),
		WORKER(setspeed),
		WORKER(read),
		WORKER(kick),
	};
	unsigned int seed = time(NULL), seconds = 300, broken;
	int opt, n = 13;

	while ((opt = getopt(argc, argv, "s:t:h")) != -1) {
		switch (opt) {
		case 's':
			seed = strtoul(optarg, NULL, 0);
			break;
		case 't':
			seconds = strtoul(optarg, NULL, 0);
			break;
		default:
			return fputs(usage, opt == 'h' ? stdout : stderr), opt != 'h';
		}
	}

	printf("TAP version 13\n1..1\n# repeat with: stress -s %u -t %u\n", seed, seconds);
	fflush(stdout);
	find_policies();
	if (!nr_policies || nr_freqs < 3 || set_all_governors("ext")) {
		printf("ok 1 # SKIP stress: no cpufreq driver with a table, or no ext\n");
		return 0;
	}
	if (workers_can_suspend())
		workers[n++] = (struct worker)WORKER(suspend);
	broken = workers_run(workers, n, seed, seconds);
	set_all_governors("performance");
	printf("%sok 1 stress, seed %u, %u s\n", broken ? "not " : "", seed, seconds);
	return broken != 0;
}
