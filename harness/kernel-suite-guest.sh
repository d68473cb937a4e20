#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Run the kernel's own selftests of cpufreq in the virtual machine, with ext among
# the governors and a BPF governor loaded.  They say ok whatever happens: the
# kernel's log, and what is left in sysfs, are the judges.
#
# Usage: kernel-suite-guest.sh [long]
#
# In a machine without a cpufreq driver, the tests of modules: those of the driver
# for tests and of ext.
here=/opt/cpufreq_ext
marker="cpufreq_ext: the kernel's tests begin"
cpufreq=/sys/devices/system/cpu/cpufreq
module=$(find /lib/modules -name cpufreq_ext.ko 2>/dev/null | head -n 1)
results=0
failed=0
short=20
[ "${1-}" != long ] || short=600

# result STATUS NAME
result() {
	results=$((results + 1))
	if [ "$1" = 0 ]; then
		echo "ok $results $2"
	else
		echo "not ok $results $2"
		failed=1
	fi
}

leftovers() {
	ps -o pid,args | awk '/[m]ain.sh|[t]ee \/sys/ { print $1 }'
}

# run SECONDS TEST [OPTION...]: one of the suite's, and no longer
run() {
	limit=$1 test=$2
	shift 2
	(cd cpufreq && timeout "$limit" ./main.sh -t "$test" "$@") </dev/null >"/tmp/$test.log" 2>&1
	status=$?
	# Those that switch governors go on for hours, by intention.
	case $test$status in sptest?143) status=0 ;; esac
	while [ -n "$(leftovers)" ]; do
		leftovers | xargs kill 2>/dev/null
		sleep 1
	done
	# What the shell and its tools complain about is no test; the suite goes on and
	# ends well when a module cannot be loaded or unloaded, or is while it is in use.
	if grep -E 'not found|syntax error|applet not|(Insm|rmm)od .* failed|WARN: rmmod' \
		"/tmp/$test.log" >/tmp/complaints; then
		sed 's/^/# /' /tmp/complaints
		status=1
	fi
	if [ "$test" = modtest ] && ! grep -q 'Pass: unable to remove cpufreq_ext.ko' /tmp/modtest.log
	then
		echo "# the module was not tried to be removed while it is in use"
		status=1
	fi
	[ $status = 0 ] || tail -n 20 "/tmp/$test.log" | sed 's/^/# /'
	result $status "$test of the kernel's suite"
}

# select_governor NAME: for all policies
select_governor() {
	for policy in "$cpufreq"/policy*; do
		echo "$1" >"$policy/scaling_governor" || return 1
	done
}

# What they leave has to be in order.
check_after() {
	broken=0
	for cpu in /sys/devices/system/cpu/cpu[1-9]*/online; do
		echo 1 >"$cpu"
	done
	for policy in "$cpufreq"/policy*; do
		[ -n "$(cat "$policy/scaling_governor")" ] || broken=1
	done
	select_governor ext || broken=1
	grep -q 'BPF governor: powersave' $cpufreq/ext/stat || broken=1
	result $broken "after $1: all policies take ext, its governor is loaded"
}

test_governors() {
	plan=10
	[ ! -w /sys/power/pm_test ] || plan=$((plan + 2))
	[ -z "$module" ] || plan=$((plan + 1))
	echo "TAP version 13"
	echo "1..$plan"

	modprobe -q cpufreq_ext
	select_governor ext
	$here/cpufreq_ext $here/cpufreq_ext_powersave.bpf.o /sys/fs/bpf/powersave
	run 600 basic
	check_after basic
	for test in sptest1 sptest2 sptest3 sptest4; do
		run $short $test
		check_after "$test"
	done
	# Without hardware that wakes the machine up
	if [ -w /sys/power/pm_test ]; then
		echo 0 >/sys/module/suspend/parameters/pm_test_delay
		echo core >/sys/power/pm_test
		run 600 suspend
		check_after suspend
		echo none >/sys/power/pm_test
	fi
	rm /sys/fs/bpf/powersave
	if [ -n "$module" ]; then
		select_governor performance
		# When the map of the governor is gone
		tries=0
		until rmmod cpufreq_ext; do
			tries=$((tries + 1))
			[ $tries -lt 100 ] || break
			sleep 0.1
		done
		run 600 modtest -g cpufreq_ext.ko
	fi
}

test_modules() {
	echo "TAP version 13"
	echo "1..1"
	rmmod cpufreq_ext 2>/dev/null
	run 600 modtest -d cpufreq_ext_driver.ko -g cpufreq_ext.ko
}

dmesg -n 1
echo "<6>$marker" >/dev/kmsg
mkdir -p /tmp/suite && tar -xf $here/kernel-suite.tar -C /tmp/suite && cd /tmp/suite || exit 1
cp $here/bash-static /bin/bash
# One of the tests writes through sudo.
# shellcheck disable=SC2016 # for the script that it writes
printf '#!/bin/sh\nexec "$@"\n' >/bin/sudo
chmod +x /bin/sudo
# The suite does not know what governor is in this module.
# shellcheck disable=SC2016 # of the suite
sed -i 's/^\telif \[ \$1 = "cpufreq_schedutil.ko" \]; then$/\telif [ $1 = "cpufreq_ext.ko" ]; then\n\t\tprintf ext\n&/' \
	cpufreq/module.sh
grep -q 'cpufreq_ext.ko' cpufreq/module.sh || exit 1
cp $here/cpufreq_ext_driver.ko "$module" cpufreq/ 2>/dev/null

if [ -d $cpufreq/policy0 ]; then
	test_governors
else
	test_modules
fi
$here/guest-dmesg "$marker" || failed=1
exit $failed
