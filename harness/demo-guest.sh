#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What "make demo" shows, run in the virtual machine. Every promise that it
# makes is checked: it ends with status 1 and a line when one is not kept.

cpufreq=/sys/devices/system/cpu/cpufreq
cpus="0 1 2 3"
min=800000 max=2400000

heading() {
	printf '\n== %s\n' "$*"
}

fail() {
	printf '\ndemo: %s\n' "$*"
	exit 1
}

# show COMMAND: print it, and what it prints
show() {
	echo "   # $1"
	sh -c "$1" 2>&1 | sed 's/^/   /'
}

# Each of these prints without a fork: emulated processes start slowly.
freq_of() {
	read -r freq <"$cpufreq/policy$1/scaling_cur_freq"
}

# The CPU of a task: the 39th field, the 37th after the name
cpu_of() {
	read -r stat <"/proc/$1/stat" || return
	# shellcheck disable=SC2086 # fields
	set -- ${stat##*) }
	shift 36
	cpu=$1
}

expect_stat() {
	wanted="Stat: $1
BPF governor: $2"
	i=0
	until [ "$(cat $cpufreq/ext/stat)" = "$wanted" ]; do
		i=$((i + 1))
		[ $i -lt 20 ] || fail "stat should say $1 and $2, but says: $(tr '\n' ' ' <$cpufreq/ext/stat)"
		sleep 0.1
	done
}

# expect_freq KHZ: all policies
expect_freq() {
	i=0
	for c in $cpus; do
		until freq_of "$c" && [ "$freq" = "$1" ]; do
			i=$((i + 1))
			[ $i -lt 20 ] || fail "policy$c should be at $1 kHz, but is at $freq"
			sleep 0.1
		done
	done
}

show_freq() {
	for c in $cpus; do
		freq_of "$c"
		printf '   policy%s: %s kHz' "$c" "$freq"
	done
	echo
}

# ---- the timeline ----

# sample TASK: add a column
sample() {
	cpu_of "$1"
	where=$where$cpu
	for c in $cpus; do
		freq_of "$c"
		case $freq in
		"$max") eval "row$c=\$row$c#" ;;
		"$min") eval "row$c=\$row$c." ;;
		*) eval "row$c=\$row$c?" ;;
		esac
	done
}

# watch TASK CPU: a part of the timeline, in which the policy of CPU should be
# at the maximum and the others at the minimum. The first samples are of the
# time of the change; some others may be late on a host that is busy.
watch() {
	before=${#where}
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		sample "$1"
		sleep 0.1
	done
	for c in $cpus; do
		eval "now=\$row$c"
		now=$(echo "$now" | cut -c $((before + 4))-)
		if [ "$c" = "$2" ]; then
			wrong=$(echo "$now" | tr -d '#\n')
		else
			wrong=$(echo "$now" | tr -d '.\n')
		fi
		[ ${#wrong} -lt 4 ] || misled="policy$c does not follow the task on CPU $2: $now"
	done
	where="$where "
	for c in $cpus; do
		eval "row$c=\"\$row$c \""
	done
}

# The command that puts a task on the list, or takes it off. The key is a
# 32-bit number, lowest byte first.
list() {
	printf "bpftool map $1 name vip_tasks key hex %02x %02x %02x 00$3" \
		$(($2 & 255)) $(($2 >> 8 & 255)) $(($2 >> 16))
}

timeline() {
	for c in $cpus; do
		eval "row$c="
	done
	where=
	misled=

	for c in $cpus; do
		target=$c
		taskset -p $((1 << target)) "$1" >/tmp/taskset || fail "taskset failed"
		watch "$1" "$target"
	done
	command=$(list delete "$1" "")
	$command || fail "the task cannot be taken off the list"
	watch "$1" none

	echo
	echo "   task on the list   yes ----------------------------------------------> no"
	echo "   task runs on CPU   $where"
	for c in $cpus; do
		eval "echo \"   policy$c            \$row$c\""
	done
	echo "                      # 2400 MHz  . 800 MHz  ? another; a column is 0.1 s"
	[ -z "$misled" ] || fail "$misled"
}

# ---- the steps ----

heading "1. The cpufreq driver and its policies"
[ -d $cpufreq/policy3 ] || fail "there is no cpufreq driver with four policies"
for c in $cpus; do
	cd "$cpufreq/policy$c" || fail "there is no policy$c"
	echo "   policy$c: $(cat scaling_driver), CPU $(cat affected_cpus)," \
		"$(cat scaling_available_frequencies)kHz, governor $(cat scaling_governor)"
done
[ "$(cat $cpufreq/policy0/scaling_driver)" = acpi-cpufreq ] || fail "the driver is not acpi-cpufreq"

cd /opt/cpufreq_ext || exit 1

heading "2. Select the governor ext; the kernel loads the module cpufreq_ext for it"
show "for p in $cpufreq/policy*; do echo ext >\$p/scaling_governor; done"
for c in $cpus; do
	[ "$(cat "$cpufreq/policy$c/scaling_governor")" = ext ] || fail "policy$c does not use ext"
done
show "lsmod | grep cpufreq_ext"

heading "3. No BPF governor is loaded: ext behaves as performance"
show "cat $cpufreq/ext/stat"
expect_stat CPUFREQ_EXT_INIT performance
expect_freq $max
show_freq

heading "4. Load the BPF governor vip"
echo "   # cpufreq_ext cpufreq_ext_vip.bpf.o &"
cpufreq_ext cpufreq_ext_vip.bpf.o >/tmp/loader 2>&1 &
loader=$!
i=0
until [ -s /tmp/loader ]; do
	i=$((i + 1))
	[ $i -lt 100 ] || fail "the loader says nothing"
	sleep 0.1
done
sed 's/^/   /;1q' /tmp/loader
kill -0 $loader 2>/dev/null || fail "the loader is gone"

heading "5. It decides now: no task is on its list, so all run at the minimum"
show "cat $cpufreq/ext/stat"
expect_stat CPUFREQ_EXT_LOADED vip
expect_freq $min
show_freq

heading "6. A busy task is put on the list, moves over the CPUs, and is taken off"
sh -c 'while :; do :; done' &
task=$!
echo "   task $task runs: while :; do :; done"
command=$(list update $task " value 1")
echo "   # $command"
$command || fail "the task cannot be put on the list"
timeline $task

heading "7. The loader is killed; it cannot clean up"
show "kill -KILL $loader"

heading "8. The kernel took the governor out: ext behaves as performance again"
expect_stat CPUFREQ_EXT_INIT performance
show "cat $cpufreq/ext/stat"
expect_freq $max
show_freq
echo

kill $task
exit 0
