#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Run the selftests in the virtual machine, then look at what the kernel said.
#
# Usage: test-guest.sh TESTS
#
# TESTS is all, all but some (-a,b), some (a,b), cases of one (a:case+case), or
# kernel-suite: the kernel's own.
marker="cpufreq_ext: the tests begin"

# Nothing of the kernel's may get into the lines of the tests. A panic will.
dmesg -n 1
echo "<6>$marker" >/dev/kmsg
# What was lost at boot does not count.
if grep -qw kmemleak=on /proc/cmdline && [ -e /sys/kernel/debug/kmemleak ]; then
	echo clear >/sys/kernel/debug/kmemleak
fi

[ "$1" != kernel-suite ] || exec ./kernel-suite-guest.sh ${CPUFREQ_EXT_LONG:+long}

names=$(echo "${1#-}" | tr ',' ' ')
case $1 in
all | *:*) ;;
-*)
	# shellcheck disable=SC2086 # words
	rm -f $names
	;;
*)
	for test in test_*; do
		case " $names test-guest.sh " in
		*" $test "*) ;;
		*) rm -f "$test" ;;
		esac
	done
	;;
esac
case $1 in
*:*)
	cases=
	for case in $(echo "${1#*:}" | tr + ' '); do
		cases="$cases -t $case"
	done
	# shellcheck disable=SC2086 # words
	"./${1%%:*}" $cases
	;;
*) ./run_tests.sh ;;
esac
status=$?
./guest-dmesg "$marker" || status=1
exit $status
