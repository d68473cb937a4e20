/* SPDX-License-Identifier: GPL-2.0-only */
/* What is recorded of the kernel's governors */
#ifndef __CPUFREQ_EXT_EQUALITY_H
#define __CPUFREQ_EXT_EQUALITY_H

#define EQUALITY_MAX_RECORDS	32768

/* A decision: its inputs, and what came of them */
struct equality_record {
	unsigned int cpu;		/* policy->cpu */
	unsigned int min, max, cur;	/* kHz */
	unsigned int anew;		/* limits (or rate) written before */
	unsigned int writing;		/* a tunable was just being written */
	int load;			/* %; -1 if none was computed */
	unsigned int sample_load;
	unsigned int idle_periods;
	unsigned int sampling_rate;	/* tunables */
	unsigned int up_threshold;
	unsigned int sampling_down_factor;
	unsigned int others[2];		/* those that one governor has */
	unsigned int new_cur;		/* kHz */
	unsigned int delay_us;		/* to the next sample */
};

#endif /* __CPUFREQ_EXT_EQUALITY_H */
