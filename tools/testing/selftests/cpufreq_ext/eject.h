/* SPDX-License-Identifier: GPL-2.0-only */
/* What test_fault and its BPF governor share */
#ifndef __CPUFREQ_EXT_EJECT_H
#define __CPUFREQ_EXT_EJECT_H

#define EJECT_MAX_CPUS		256
#define EJECT_MESSAGE_LEN	4096

enum eject_operation {
	EJECT_NEXT_FREQ,
	EJECT_SAMPLING_RATE,
	EJECT_INIT,
	EJECT_EXIT,
	EJECT_START,
	EJECT_STOP,
	EJECT_LIMITS,
	EJECT_SETSPEED,
	EJECT_OTHER_INIT,
	EJECT_OTHER_START,
	EJECT_NR,
};

#endif /* __CPUFREQ_EXT_EJECT_H */
