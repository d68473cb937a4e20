#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ext as the default governor.  Must run first: it looks at what booting left.
name="ext is the default governor"
cpufreq=/sys/devices/system/cpu/cpufreq

echo "TAP version 13"
echo "1..1"
if ! grep -q 'cpufreq.default_governor=ext' /proc/cmdline; then
	echo "ok 1 $name # SKIP not booted with cpufreq.default_governor=ext"
	exit 0
fi
if [ -e /sys/kernel/btf/cpufreq_ext ] ||
   ! grep -qw ext $cpufreq/policy0/scaling_available_governors; then
	echo "ok 1 $name # SKIP ext is not built into this kernel"
	exit 0
fi
for file in "$cpufreq"/policy*/scaling_governor; do
	if [ "$(cat "$file")" != ext ]; then
		echo "# $file: $(cat "$file")"
		echo "not ok 1 $name"
		exit 1
	fi
done
echo "ok 1 $name"
