// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measure what decisions cost, in a virtual machine in which an instruction
 * takes a nanosecond. A line for each figure:
 *
 *   figure NAME MEDIAN UNIT TENTH-PERCENTILE NINETIETH-PERCENTILE VALUES
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "bench_parts.h"

static const char usage[] =
	"Usage: bench GROUP [SIDE[:POLICIES]...]\n"
	"\n"
	"  decisions SIDE...  without a change of the frequency\n"
	"  changes SIDE...    with a change, and the first after idle time\n"
	"  vip                with short and long lists of tasks\n"
	"  whole              all that a decision costs, a daemon's as well\n"
	"  registration       register, unregister, replace\n"
	"  memory             of a policy\n"
	"  idle               what happens while nothing happens\n"
	"  run SIDE           busy until killed, for other tools to look at\n";

static void pin_to_first_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int main(int argc, char **argv)
{
	const char *group = argc > 1 ? argv[1] : "";

	pin_to_first_cpu();
	if (!strcmp(group, "decisions"))
		groups_decisions(argc - 2, argv + 2);
	else if (!strcmp(group, "changes"))
		groups_changes(argc - 2, argv + 2);
	else if (!strcmp(group, "vip"))
		groups_vip();
	else if (!strcmp(group, "whole"))
		groups_whole();
	else if (!strcmp(group, "registration"))
		groups_registration();
	else if (!strcmp(group, "memory"))
		groups_memory();
	else if (!strcmp(group, "idle"))
		groups_idle();
	else if (!strcmp(group, "run") && argc == 3)
		groups_run(argv[2]);
	else
		return fputs(usage, stderr), 1;
	return 0;
}
