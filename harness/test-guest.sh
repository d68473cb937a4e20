#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Run the selftests in the virtual machine, without those named, then look at what
# the kernel said.
marker="cpufreq_ext: the tests begin"

# Nothing of the kernel's may get into the lines of the tests. A panic will.
dmesg -n 1
echo "<6>$marker" >/dev/kmsg

[ $# = 0 ] || rm -f "$@"
./run_tests.sh
status=$?
./guest-dmesg "$marker" || status=1
exit $status
