#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Measure in the virtual machine what /host/groups says, then look at what the
# kernel said.
marker="cpufreq_ext: the benchmark begins"

dmesg -n 1
echo "<6>$marker" >/dev/kmsg
while read -r group; do
	# shellcheck disable=SC2086 # words
	./bench $group || exit 1
done </host/groups
./guest-dmesg "$marker"
