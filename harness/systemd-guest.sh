#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Test the systemd unit of the tool, in a virtual machine with systemd that has
# just booted with it. ~/commands has what the document says about it.
#
# Usage: systemd-guest.sh [TEST...]
# shellcheck disable=SC2317 # the tests are called by their names

cpufreq=/sys/devices/system/cpu/cpufreq
defaults=/etc/default/cpufreq_ext
dropin=/run/systemd/system/cpufreq_ext.service.d
unit=cpufreq_ext.service
default=$(sed -n 's/.*cpufreq.default_governor=\([a-z]*\).*/\1/p' /proc/cmdline)

tests="
verify_is_silent
security_is_fine
loaded_at_boot
stop_gives_the_governors_back
documented_commands
reload_replaces_without_a_gap
killed_loader_is_started_again
power_profiles_daemon_conflicts
tuned_conflicts
auto_cpufreq_conflicts
wrong_name_fails_with_the_reason
keeps_what_a_pinned_governor_has_to_give_back
capabilities_are_the_least
"

say() { echo "# $*"; }
stat() { sed -n 's/^BPF governor: //p' "$cpufreq"/ext/stat 2>/dev/null; }
governor_is() { [ "$(stat)" = "$1" ]; }
governors() { cat "$cpufreq"/policy*/scaling_governor | tr '\n' ' '; }
is() { [ "$(systemctl is-active "${2:-$unit}")" = "$1" ]; }
pid() { systemctl show -p MainPID --value "$unit"; }
# Nothing else writes to the journal of the unit than it and systemd.
journal() { journalctl -q -o cat -t cpufreq_ext --since "@$1"; }

# wait_for COMMAND...: up to 30 seconds
wait_for() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		if [ "$tries" -ge 300 ]; then
			say "this did not come true: $* (state $(systemctl is-active "$unit"), governor $(stat))"
			return 1
		fi
		sleep 0.1
	done
}

expect() {
	[ "$1" = "$2" ] && return
	say "got '$1', not '$2'"
	return 1
}

start() {
	systemctl start "$unit" || { systemctl status -n 20 "$unit" | sed 's/^/# /'; return 1; }
}

verify_is_silent() {
	expect "$(systemd-analyze --man=no verify /usr/lib/systemd/system/"$unit" 2>&1)" ""
}

# From 0, nothing is open, to 100, all is; a plain service has 96.
security_is_fine() {
	systemd-analyze --no-pager --threshold=20 security "$unit" >/tmp/security
	status=$?
	tail -n 1 /tmp/security | sed 's/^/# /'
	[ "$status" = 0 ] || grep '✗' /tmp/security | sed 's/^/# /'
	return "$status"
}

loaded_at_boot() {
	wait_for is active && wait_for governor_is ondemand && expect "$(governors)" "$all_ext"
}

stop_gives_the_governors_back() {
	start || return
	systemctl stop "$unit" && wait_for is inactive || return
	expect "$(governors)" "$booted" || return
	echo ondemand >"$cpufreq/policy0/scaling_governor"
	before=$(governors)
	start && governor_is ondemand && expect "$(governors)" "$all_ext" || return
	systemctl stop "$unit" && expect "$(governors)" "$before"
}

documented_commands() {
	[ -s commands ] || { say "the document has none"; return 1; }
	while read -r prompt command; do
		say "$prompt $command"
		sh -c "$command" || return
	done <commands
	is active && governor_is ondemand && expect "$(systemctl is-enabled "$unit")" enabled
}

reload_replaces_without_a_gap() {
	start
	main=$(pid)
	sed -i 's/^GOVERNOR=.*/GOVERNOR=interactive/; s/^TUNABLES=.*/TUNABLES=timer_rate=30000 boost=1/' "$defaults"
	systemctl reload "$unit" && governor_is interactive && expect "$(pid)" "$main" || return
	expect "$(cpufreq_ext get timer_rate boost | tr '\n' ' ')" "timer_rate=30000 boost=1 " || return
	# One that cannot be: the old one stays
	sed -i 's/^GOVERNOR=.*/GOVERNOR=nosuch/' "$defaults"
	systemctl reload "$unit" 2>/dev/null && { say "a reload of nosuch worked"; return 1; }
	is active && governor_is interactive && expect "$(pid)" "$main"
}

killed_loader_is_started_again() {
	start
	main=$(pid)
	kill -9 "$main"
	wait_for restarted && wait_for governor_is ondemand && expect "$(governors)" "$all_ext" ||
		return
	systemctl stop "$unit" && expect "$(governors)" "$booted"
}
restarted() { is active && [ "$(pid)" != "$main" ] && [ "$(pid)" != 0 ]; }

conflicts() {
	start || return
	systemctl start "$1" && wait_for is inactive && expect "$(governors)" "$booted" &&
		is active "$1" || return
	start && is inactive "$1" && is active && governor_is ondemand
}
power_profiles_daemon_conflicts() { conflicts power-profiles-daemon.service; }
tuned_conflicts() { conflicts tuned.service; }
auto_cpufreq_conflicts() { conflicts auto-cpufreq.service; }

# Once, and not again and again
wrong_name_fails_with_the_reason() {
	systemctl stop "$unit"
	sed -i 's/^GOVERNOR=.*/GOVERNOR=nosuch/' "$defaults"
	now=$(date +%s)
	systemctl start "$unit" 2>/dev/null && { say "it started"; return 1; }
	sleep 5
	is failed || { say "it is $(systemctl is-active "$unit")"; return 1; }
	journalctl --sync
	expect "$(journal "$now")" \
		"cpufreq_ext: there is no governor 'nosuch': see cpufreq_ext list, or give a file as ./nosuch" &&
		expect "$(governors)" "$booted"
}

# Only one can be loaded: the unit fails, and takes nothing along.
keeps_what_a_pinned_governor_has_to_give_back() {
	systemctl stop "$unit"
	echo ondemand >"$cpufreq/policy0/scaling_governor"
	before=$(governors)
	cpufreq_ext load --select --pin powersave || return
	systemctl start "$unit" 2>/dev/null && { say "it started"; return 1; }
	systemctl stop "$unit"
	governor_is powersave && expect "$(governors)" "$all_ext" || return
	cpufreq_ext unload && expect "$(governors)" "$before"
}

with_capabilities() {
	mkdir -p "$dropin"
	printf '[Service]\nCapabilityBoundingSet=\nCapabilityBoundingSet=%s\n' "$1" >"$dropin/test.conf"
	systemctl daemon-reload
	systemctl start "$unit" 2>/dev/null
}

# Each of the unit's is needed, and the two that seem to do are too few.
capabilities_are_the_least() {
	all=$(systemctl show -p CapabilityBoundingSet --value "$unit")
	[ -n "$all" ] || return
	say "the unit has $all"
	for left_out in $all; do
		rest=$(echo "$all" | tr ' ' '\n' | grep -vx "$left_out" | tr '\n' ' ')
		with_capabilities "$rest" && { say "it starts with '$rest'"; return 1; }
	done
	systemctl reset-failed "$unit"
	with_capabilities "CAP_BPF CAP_PERFMON" &&
		{ say "it starts with CAP_BPF and CAP_PERFMON"; return 1; }
	with_capabilities "$all" && governor_is ondemand
}

# ---- all of them ----

clean() {
	rm -rf $dropin
	cp /tmp/defaults $defaults
	systemctl daemon-reload
	systemctl stop $unit power-profiles-daemon tuned auto-cpufreq 2>/dev/null
	systemctl reset-failed
	for p in "$cpufreq"/policy*; do
		echo "$default" >"$p/scaling_governor"
	done
}

echo "TAP version 13"
# shellcheck disable=SC2086 # words
[ $# -gt 0 ] || set -- $tests
echo "1..$#"
cp $defaults /tmp/defaults
booted=$(for _ in "$cpufreq"/policy*; do printf '%s ' "$default"; done)
all_ext=$(for _ in "$cpufreq"/policy*; do printf 'ext '; done)
for name in power-profiles-daemon tuned auto-cpufreq; do
	printf '[Service]\nExecStart=/usr/bin/sleep infinity\n' >/run/systemd/system/$name.service
done
systemctl daemon-reload
modprobe -q -a cpufreq_ondemand
n=0 failed=0
for t; do
	n=$((n + 1))
	if "$t" </dev/null; then
		echo "ok $n $(echo "$t" | tr _ ' ')"
	else
		journalctl -q -n 20 -u "$unit" | sed 's/^/# /'
		echo "not ok $n $(echo "$t" | tr _ ' ')"
		failed=1
	fi
	# What the boot started is looked at by several.
	case $t in
	verify_* | security_* | loaded_at_boot) ;;
	*) clean ;;
	esac
done
exit $failed
