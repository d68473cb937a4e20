#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Everything at once, from a seed: always the same one in the short form, so that
# what was there yesterday can be compared; the time in the long one.
cd "$(dirname "$0")" || exit 1
if [ "${CPUFREQ_EXT_LONG-}" = 1 ]; then
	exec ./stress -t "${CPUFREQ_EXT_SECONDS-3600}"
fi
exec ./stress -s 4 -t "${CPUFREQ_EXT_SECONDS-300}"
