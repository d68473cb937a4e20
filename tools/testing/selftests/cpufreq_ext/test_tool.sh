#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Each command of the users' tool, tools/power/cpufreq_ext, with its refusals.
#
# The tool is $CPUFREQ_EXT_TOOL, tool/cpufreq_ext beside this script, or the one
# that is installed; the governors are beside it, beside this script, or
# installed.
# shellcheck disable=SC2317 # the tests are called by their names

cpufreq=/sys/devices/system/cpu/cpufreq
pin=/sys/fs/bpf/cpufreq_ext
cd "$(dirname "$0")" || exit 1
here=$PWD
tmp=$(mktemp -d)
n=0

tests="
list_shows_bundled_governors
list_without_a_description
info_shows_tunables
options_help_and_version
mistakes_are_refused
load_needs_a_policy
load_refuses_before_it_changes
objects_that_do_not_fit_are_refused
load_runs_until_interrupted
load_select_gives_back
load_select_gives_back_after_sigkill
load_select_gives_back_without_guard
load_select_gives_back_after_unload
load_of_some_cpus
load_sets_tunables
load_keeps_tunables_of_old_governors
second_load_is_refused
set_and_get
set_takes_no_octal_numbers
set_refuses_all_or_nothing
set_of_lists
frequencies_with_units
pin_stays_until_unload
pin_with_other_programs
replace_swaps_without_a_gap
replace_of_a_pinned_governor
replace_refuses_and_leaves_it
governor_of_another_loader
status_in_text
status_in_json
load_ends_when_it_is_ejected
load_tells_why_when_ext_is_gone
pinned_load_tells_of_a_fault
replace_tells_of_a_fault
status_of_an_ejected_governor
run_goes_on_when_it_is_ejected
rare_samples_are_no_fault
run_passes_the_status_on
run_gives_back_after_signals
run_gives_back_after_sigkill
run_passes_signals_on
run_refuses_unknown_commands
monitor_shows_policies
monitor_records_csv
monitor_refuses
bench_compares_governors
bench_gives_back_after_signals
bench_needs_the_governor
bench_refuses
active_mode_is_named
nothing_is_left
"

# ---- helpers ----

say() { echo "# $*"; }

# What nobody may change for good
governors() { cat "$cpufreq"/policy*/scaling_governor 2>/dev/null | tr '\n' ' '; }
# Name of the governor; "fault" if the last one was ejected
stat() {
	cat "$cpufreq"/ext/stat "$cpufreq"/policy*/ext/stat 2>/dev/null |
		sed -n 's/^Stat: .*_FAULT$/fault/p; s/^BPF governor: //p' | head -n 1
}
state() { governors; stat; ls "$pin" 2>/dev/null; }
select_all() { for p in "$cpufreq"/policy*; do echo "$1" >"$p/scaling_governor"; done; }

# wait_for COMMAND...: up to 20 seconds
wait_for() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		if [ "$tries" -ge 200 ]; then
			say "this did not come true: $*"
			return 1
		fi
		sleep 0.1
	done
}

governor_is() { [ "$(stat)" = "$1" ]; }
all_are() { ! governors | tr ' ' '\n' | grep -qvxE "$1|"; }
# The tracepoints of vip
others_are_pinned() { [ -e "$pin/link_0" ] || ls "$pin"/link_* >/dev/null 2>&1; }

expect() {
	[ "$1" = "$2" ] && return
	say "got '$1', not '$2'"
	return 1
}

has() {
	case $1 in *"$2"*) return 0 ;; esac
	say "'$2' is not in '$1'"
	return 1
}

tool() { "$tool" "$@"; }

# refused TEXT ARGUMENT...: status 1, one line with TEXT on stderr, no change
refused() {
	text=$1
	shift
	before=$(state)
	"$tool" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
	if [ "$status" != 1 ]; then
		say "$*: status $status"
		return 1
	fi
	if [ -s "$tmp/out" ] || [ "$(wc -l <"$tmp/err")" != 1 ]; then
		say "$*: not one line on stderr: $(cat "$tmp/out" "$tmp/err")"
		return 1
	fi
	has "$(cat "$tmp/err")" "$text" || return 1
	case $(cat "$tmp/err") in
	"cpufreq_ext: "*) ;;
	*) say "no name before the message"; return 1 ;;
	esac
	expect "$(state)" "$before"
}

# start ARGUMENT...: the tool in the background, "$pid"
start() {
	"$tool" "$@" >"$tmp/start.out" 2>"$tmp/start.err" </dev/null &
	pid=$!
}

stop() {
	kill -"${1:-TERM}" "$pid"
	wait "$pid" 2>/dev/null
}

# Whatever a test left
clean() {
	[ -z "$pid" ] || { kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; }
	pid=
	[ -z "$other" ] || { kill "$other" 2>/dev/null; wait "$other" 2>/dev/null; }
	other=
	"$tool" unload 2>/dev/null
	select_all performance
}

# ---- what needs no governor ----

list_shows_bundled_governors() {
	out=$(tool list) || return
	while read -r g text; do
		expect "$(echo "$out" | grep "^$g " | tr -s ' ')" "$g $text" || return
	done <<-END
		conservative a step up while the load is high, and down while it is low
		interactive for devices with a screen: a high frequency at once, and for a while
		ondemand the maximum when a CPU is busy, in proportion to the load otherwise
		performance the maximum, always
		powersave the minimum, always
		schedutil in proportion to what the scheduler knows of the use of the CPUs
		userspace the frequency written to scaling_setspeed
		vip the maximum where a task of a list wants to run, the minimum elsewhere
	END
	# A line each, and nothing else
	expect "$(echo "$out" | grep -cvE '^[a-z_]+ +[^ ]')" 0
}

# That of one without a description has its tunables, if any.
list_without_a_description() {
	mkdir "$tmp/gov"
	for g in interactive powersave; do
		sed 's/governor:/nothing!:/' "$(tool info "$g" | sed -n 2p)" >"$tmp/gov/x$g.bpf.o"
	done
	out=$(CPUFREQ_EXT_PATH=$tmp/gov "$tool" list) || return
	has "$(echo "$out" | grep '^xinteractive ')" target_loads &&
		has "$(echo "$out" | grep '^xpowersave ')" "(no tunables)"
}

info_shows_tunables() {
	out=$(tool info interactive) || return
	expect "$(echo "$out" | head -n 1 | cut -d : -f 1)" interactive &&
		has "$(echo "$out" | grep ' hispeed_f' | tr -s ' ')" "u32 0..4294967295 0 kHz" &&
		has "$(echo "$out" | grep ' target_l' | tr -s ' ')" "list 1..4294967295 90 %" &&
		has "$(tool info vip)" "(no tunables)" &&
		refused "cpufreq_ext list" info
}

options_help_and_version() {
	has "$(tool --help)" "Usage: cpufreq_ext" && has "$(tool -h)" "Usage: " &&
		has "$(tool load --help)" "Usage: " && has "$(tool -V)" "libbpf" &&
		has "$(tool --version)" "cpufreq_ext " &&
		has "$(tool -v info ./nosuch.bpf.o 2>&1)" "nosuch"
}

mistakes_are_refused() {
	echo text >"$tmp/text.bpf.o"
	refused "--help" && refused "--help" nosuch && refused "--help" -q &&
		refused "takes no option '-q'" list -q &&
			refused "takes no option '--nosuch'" load --nosuch vip &&
		refused "needs a value" load -c && refused "no governor 'nosuch'" info nosuch &&
		refused "no governor 'nosuch'" load nosuch &&
			refused "not a BPF object" load "$tmp/text.bpf.o" &&
		refused "No such file" load ./nosuch.bpf.o &&
			refused "no BPF governor is loaded" get &&
		refused "no BPF governor is loaded" set a=1 &&
			refused "no BPF governor is loaded" unload &&
		refused "no BPF governor is loaded" replace powersave &&
			refused "no arguments" status x &&
		refused "no governor 'a?b?c'" info "$(printf 'a\nb\033c')"
}

# ---- load ----

load_needs_a_policy() {
	refused "--select" load powersave
}

load_refuses_before_it_changes() {
	select_all ext
	refused "interactive has no tunable 'nosuch': use one of" load interactive nosuch=1 &&
		refused "go_hispeed_load cannot be 'x'" load interactive go_hispeed_load=x &&
		refused "go_hispeed_load cannot be '-1'" load interactive go_hispeed_load=-1 &&
		refused "from 1 to 2000000 us" load interactive timer_rate=0 &&
		refused "timer_rate cannot be '2000001'" load interactive timer_rate=2000001 &&
		refused "cannot be '9999" load interactive timer_rate=99999999999999999999 &&
		refused "timer_rate cannot be ''" load interactive timer_rate= &&
		refused "boost cannot be '2'" load interactive boost=2 &&
		refused "a list" load interactive "target_loads=90 1200000" &&
		refused "a list" load interactive "target_loads=90 1200000:x" &&
		refused "a list" load interactive "target_loads=90 1800000:80 1200000:70" &&
		refused "a list" load interactive target_loads= &&
		refused "from 1 to" load interactive "target_loads=90 1200000:0" &&
		refused "has none" load vip up=1 &&
		refused "TUNABLE=VALUE" load interactive go_hispeed_load &&
		refused "no list of CPUs" load -c 0-x powersave &&
		refused "no list of CPUs" load -c 3-1 powersave &&
		refused "CPU 4000 has no cpufreq policy" load -c 0,4000 powersave
}

# An object that wants a function or an operation that this kernel does not have
objects_that_do_not_fit_are_refused() {
	object=$(tool info interactive | sed -n 2p)
	sed 's/cpufreq_policy_table_freq/cpufreq_policy_nosuch_one/g' "$object" >"$tmp/f.bpf.o"
	sed 's/get_sampling_rate/get_sampling_nose/g' "$object" >"$tmp/o.bpf.o"
	sed 's/cpufreq_governor_ext_ops/cpufreq_governor_xxx_ops/g' "$object" >"$tmp/t.bpf.o"
	head -c 2000 "$object" >"$tmp/h.bpf.o"
	refused "nosuch_one" load --select "$tmp/f.bpf.o" &&
		refused "this kernel does not take it" load --select "$tmp/o.bpf.o" &&
		refused "no governor in it" load --select "$tmp/t.bpf.o" &&
		refused "not a BPF object" load --select "$tmp/h.bpf.o"
}

load_runs_until_interrupted() {
	select_all ext
	start load powersave
	wait_for governor_is powersave || return
	wait_for grep -q "powersave is loaded" "$tmp/start.out" || return
	kill -INT "$pid"
	wait "$pid"
	expect $? 0 && governor_is performance && all_are ext
}

load_select_gives_back() {
	start load --select powersave
	wait_for governor_is powersave && wait_for all_are ext || return
	kill -TERM "$pid"
	wait "$pid"
	expect $? 0 && all_are performance
}

load_select_gives_back_after_sigkill() {
	start load --select powersave
	wait_for governor_is powersave && wait_for all_are ext || return
	stop KILL
	wait_for all_are performance
}

# Whoever killed the guard, the command itself is left.
load_select_gives_back_without_guard() {
	start load --select powersave
	wait_for governor_is powersave && all_are ext || return
	kill -KILL "$(pidof cpufreq_ext-end)" || return
	stop
	pid=
	all_are performance
}

load_select_gives_back_after_unload() {
	start load --select powersave
	wait_for governor_is powersave && wait_for all_are ext || return
	tool unload || return
	wait "$pid"
	expect $? 0 && all_are performance && has "$(cat "$tmp/start.err")" "was unloaded"
}

load_of_some_cpus() {
	last=$(cat "$cpufreq"/policy*/affected_cpus | tr ' ' '\n' | sort -n | tail -n 1)
	start load -c "$last" powersave
	wait_for governor_is powersave || return
	expect "$(cat "/sys/devices/system/cpu/cpu$last/cpufreq/scaling_governor")" ext &&
		expect "$(cat "$cpufreq/policy0/scaling_governor")" performance || return
	stop
	all_are performance
}

load_sets_tunables() {
	start load --select interactive go_hispeed_load=85 target_loads="70 1200000:80" \
		hispeed_freq=1.8ghz
	wait_for governor_is interactive || return
	expect "$(tool get go_hispeed_load target_loads hispeed_freq | tr '\n' ' ')" \
		"go_hispeed_load=85 target_loads=70 1200000:80 hispeed_freq=1800000 "
}

# A governor forgets its tunables when the last policy leaves it.
load_keeps_tunables_of_old_governors() {
	grep -qw userspace "$cpufreq/policy0/scaling_available_governors" ||
		modprobe -q cpufreq_userspace || { skip="no governor userspace"; return; }
	if grep -qw conservative "$cpufreq/policy0/scaling_available_governors" ||
	   modprobe -q cpufreq_conservative; then
		echo conservative >"$cpufreq/policy0/scaling_governor"
		folder=$cpufreq/conservative
		[ -d "$folder" ] || folder=$cpufreq/policy0/conservative
		echo 66 >"$folder/up_threshold"
		echo 33 >"$folder/down_threshold"
	else
		folder=
	fi
	set -- "$cpufreq"/policy*
	for user; do :; done
	echo userspace >"$user/scaling_governor"
	min=$(cat "$user/scaling_min_freq")
	echo "$min" >"$user/scaling_setspeed"
	before=$(governors)
	tool run vip -- true || return
	expect "$(governors)" "$before" && expect "$(cat "$user/scaling_setspeed")" "$min" ||
		return
	[ -z "$folder" ] || {
		expect "$(cat "$folder/up_threshold")" 66 &&
			expect "$(cat "$folder/down_threshold")" 33
	}
}

second_load_is_refused() {
	start load --select powersave
	wait_for governor_is powersave || return
	refused "'powersave' is loaded" load performance &&
		refused "'powersave' is loaded" load --select --pin performance &&
		refused "'powersave' is loaded" run performance -- true
}

# ---- set, get ----

set_and_get() {
	start load --select interactive
	wait_for governor_is interactive || return
	expect "$(tool get timer_rate)" timer_rate=20000 || return
	tool set timer_rate=30000 boost=1 io_is_busy=1 || return
	expect "$(tool get timer_rate boost io_is_busy | tr '\n' ' ')" \
		"timer_rate=30000 boost=1 io_is_busy=1 " &&
		has "$(tool get)" "io_is_busy=1" &&
		refused "no tunable 'nosuch'" get nosuch &&
			refused "no tunable 'nosuch'" get boost nosuch
}

set_takes_no_octal_numbers() {
	start load --select ondemand up_threshold=070
	wait_for governor_is ondemand && expect "$(tool get up_threshold)" up_threshold=70 ||
		return
	tool set up_threshold=080 && expect "$(tool get up_threshold)" up_threshold=80 ||
		return
	tool set up_threshold=0x3c && expect "$(tool get up_threshold)" up_threshold=60 &&
		refused "up_threshold cannot be '0x'" set up_threshold=0x
}

set_refuses_all_or_nothing() {
	start load --select interactive
	wait_for governor_is interactive || return
	refused "boost cannot be '7'" set timer_rate=40000 boost=7 &&
		refused "no tunable 'nosuch'" set timer_rate=40000 nosuch=7 &&
		refused "TUNABLE=VALUE" set timer_rate=40000 x && refused "set what" set &&
		expect "$(tool get timer_rate)" timer_rate=20000
}

set_of_lists() {
	start load --select interactive
	wait_for governor_is interactive || return
	for list in "70 1200000:80" "75" "60 1000000:70 2000000:80"; do
		tool set "target_loads=$list" || return
		expect "$(tool get target_loads)" "target_loads=$list" || return
	done
	refused "a list" set "target_loads=60 1000000" &&
		expect "$(tool get target_loads)" "target_loads=60 1000000:70 2000000:80"
}

frequencies_with_units() {
	start load --select interactive
	wait_for governor_is interactive || return
	while read -r text khz; do
		tool set "hispeed_freq=$text" &&
			expect "$(tool get hispeed_freq)" "hispeed_freq=$khz" || return
	done <<-END
		1800000 1800000
		1800000khz 1800000
		1800mhz 1800000
		1800MHz 1800000
		1.8ghz 1800000
		1.8g 1800000
		0.0018thz 1800000
		1800000499hz 1800000
		1800000500hz 1800001
		.5mhz 500
	END
	tool set "target_loads=70 1.2ghz:80" &&
		expect "$(tool get target_loads)" "target_loads=70 1200000:80" &&
		refused "a frequency from" set hispeed_freq=1.8xhz &&
		refused "a frequency from" set hispeed_freq=1.8.2ghz &&
		refused "a frequency from" set hispeed_freq=ghz &&
		refused "a frequency from" set hispeed_freq=5thz
}

# ---- pin, replace, unload ----

pin_stays_until_unload() {
	tool load --select --pin interactive timer_rate=50000 >"$tmp/out" || return
	governor_is interactive && all_are ext && [ -e "$pin/governor" ] || return
	expect "$(tool get timer_rate)" timer_rate=50000 || return
	tool unload || return
	governor_is performance
	all_are performance && [ ! -e "$pin" ]
}

pin_with_other_programs() {
	tool load --select --pin vip >"$tmp/out" || return
	others_are_pinned || return
	tool unload && all_are performance && [ ! -e "$pin" ]
}

replace_swaps_without_a_gap() {
	start load --select interactive
	wait_for governor_is interactive || return
	out=$(tool replace interactive timer_rate=70000) || return
	has "$out" "in place of interactive" &&
		expect "$(tool get timer_rate)" timer_rate=70000 || return
	tool replace vip >"$tmp/out" && governor_is vip &&
		others_are_pinned || return
	tool replace powersave >"$tmp/out" && governor_is powersave || return
	! others_are_pinned || return
	tool replace vip >"$tmp/out" || return
	stop
	all_are performance && [ ! -e "$pin" ]
}

replace_of_a_pinned_governor() {
	tool load --select --pin vip >"$tmp/out" && tool replace powersave >"$tmp/out" || return
	governor_is powersave && [ -e "$pin/governor" ] &&
		! others_are_pinned || return
	tool unload && all_are performance && [ ! -e "$pin" ]
}

replace_refuses_and_leaves_it() {
	start load --select interactive
	wait_for governor_is interactive || return
	refused "no governor 'nosuch'" replace nosuch &&
		refused "no tunable 'nosuch'" replace interactive nosuch=1 &&
		refused "timer_rate cannot be '0'" replace interactive timer_rate=0 &&
			refused "replace it by what" replace
}

# The loader of samples/bpf; or bpftool, which crashes if ext is a module.
governor_of_another_loader() {
	object=$(tool info interactive | sed -n 2p)
	select_all ext
	if [ -x ./cpufreq_ext ]; then
		./cpufreq_ext "$object" /sys/fs/bpf/other || return
	elif command -v bpftool >/dev/null && [ ! -e /sys/kernel/btf/cpufreq_ext ]; then
		mkdir /sys/fs/bpf/other
		bpftool struct_ops register "$object" /sys/fs/bpf/other >/dev/null || return
	else
		skip="neither the loader of samples/bpf nor bpftool"
		return 0
	fi
	governor_is interactive && tool set timer_rate=60000 &&
		expect "$(tool get timer_rate)" timer_rate=60000 &&
		tool replace powersave >"$tmp/out" && governor_is powersave && tool unload &&
			governor_is performance
	set -- $?
	rm -r /sys/fs/bpf/other
	return "$1"
}

# ---- status ----

status_in_text() {
	out=$(tool status) || return
	has "$out" "none is loaded" && has "$out" "no policy uses ext" || return
	start load --select interactive
	wait_for governor_is interactive || return
	out=$(tool status) || return
	has "$out" "Governor:  interactive" && has "$out" "CPUFREQ_EXT_LOADED" &&
		has "$out" "timer_rate=20000 us" && has "$(echo "$out" | tr -s ' ')" " ext "
}

status_in_json() {
	out=$(tool status --json) || return
	has "$out" '"governor": null' || return
	start load --select interactive
	wait_for governor_is interactive || return
	out=$(tool status -j | tr -d '\n ') || return
	has "$out" '{"governor":"interactive","pinned":false,"tunables":{' &&
		has "$out" '"timer_rate":20000' &&
		has "$out" '"target_loads":"90"' &&
			has "$out" '"policies":[{"policy":0,"cpus":"0' &&
		has "$out" '"governor":"ext","cur_khz":'
}

# ---- run ----

run_passes_the_status_on() {
	for s in 0 3 255; do
		tool run powersave -- sh -c "exit $s"
		expect $? "$s" && all_are performance || return
	done
	tool run powersave -- sh -c 'kill -9 $$'
	expect $? 137 && all_are performance || return
	out=$(tool run interactive timer_rate=30000 -- \
		sh -c "cat $cpufreq/policy0/scaling_governor; '$tool' get timer_rate") &&
		expect "$out" "ext
timer_rate=30000"
}

run_gives_back_after_signals() {
	for s in 15 1; do
		start run powersave -- sleep 60
		wait_for governor_is powersave || return
		kill -"$s" "$pid"
		wait "$pid"
		expect $? $((128 + s)) && all_are performance ||
			return
	done
}

run_gives_back_after_sigkill() {
	start run powersave -- sleep 5
	wait_for governor_is powersave && wait_for all_are ext || return
	stop KILL
	wait_for all_are performance
}

run_passes_signals_on() {
	start run powersave -- sh -c "trap 'exit 42' USR1; while :; do sleep 0.1; done"
	wait_for governor_is powersave || return
	sleep 1
	kill -USR1 "$pid"
	wait "$pid"
	expect $? 42 && all_are performance
}

run_refuses_unknown_commands() {
	tool run powersave -- /nosuch/command 2>"$tmp/err"
	expect $? 127 && has "$(cat "$tmp/err")" "no such command" && all_are performance ||
		return
	refused "run what" run && refused "run what" run powersave &&
		refused "run what" run powersave -- &&
		refused "no governor" run nosuch -- true &&
			refused "no tunable" run interactive x=1 -- true
}

# ---- monitor ----

# A governor that gives up as soon as it is told a speed
fails=$here/cpufreq_ext_fails.bpf.o
fail() { echo 42 >"$cpufreq/policy0/scaling_setspeed" 2>/dev/null; }
why='fails was ejected: policy0\42 is no speed'

load_ends_when_it_is_ejected() {
	start load --select "$fails"
	wait_for governor_is fails || return
	fail
	wait "$pid"
	expect $? 2 && expect "$(cat "$tmp/start.err")" "cpufreq_ext: $why" &&
		all_are performance
}

gives_up=$here/cpufreq_ext_gives_up.bpf.o

# The folder ext/ goes with the last policy, and the governor gives up then.
load_tells_why_when_ext_is_gone() {
	start load --select "$gives_up" at_the_end=1
	wait_for governor_is gives_up || return
	select_all performance
	wait "$pid"
	expect $? 2 && expect "$(cat "$tmp/start.err")" \
		"cpufreq_ext: gives_up was ejected: nothing to decide on any more" &&
		all_are performance
}

pinned_load_tells_of_a_fault() {
	tool load --select --pin "$gives_up" >"$tmp/out" 2>"$tmp/err"
	expect $? 2 && expect "$(cat "$tmp/out" "$tmp/err")" \
		"cpufreq_ext: gives_up was ejected: nothing to decide on" &&
		all_are performance && [ ! -e "$pin" ]
}

replace_tells_of_a_fault() {
	start load --select powersave
	wait_for governor_is powersave || return
	tool replace "$gives_up" >"$tmp/out" 2>"$tmp/err"
	expect $? 2 && expect "$(cat "$tmp/out" "$tmp/err")" \
		"cpufreq_ext: gives_up was ejected: nothing to decide on"
}

# A policy must not be busy and left alone, whatever the tunables are.
rare_samples_are_no_fault() {
	select_all ext
	while :; do :; done &
	busy=$!
	bad=0
	for tunable in ondemand:sampling_down_factor=100000 interactive:timer_rate=2000000 \
		schedutil:rate_limit_us=2000000; do
		start load "${tunable%:*}" "${tunable#*:}"
		wait_for governor_is "${tunable%:*}" || bad=1
		sleep 9
		expect "$(stat)" "${tunable%:*}" || bad=1
		kill -INT "$pid"
		wait "$pid" || bad=1
	done
	kill "$busy"
	wait "$busy"
	return "$bad"
}

status_of_an_ejected_governor() {
	select_all ext
	start load "$fails"
	wait_for governor_is fails || return
	before=$(cat "$cpufreq"/ext/policy0/faults "$cpufreq"/policy0/ext/*/faults 2>/dev/null)
	fail
	wait "$pid"
	out=$(tool status)
	has "$out" "Governor:  none is loaded" && has "$out" "CPUFREQ_EXT_FAULT" &&
		has "$out" "Fault:     $why" && has "$out" " decisions, " || return
	out=$(tool status --json)
	has "$out" '"fault": "fails was ejected: policy0\\42 is no speed"' &&
		has "$out" "\"faults\": $((before + 1))}" || return
	out=$(tool monitor -n 1 -i 0.1)
	has "$out" " FAULTS " && has "$out" " $((before + 1))  ext: ejected" || return
	# Another one can be loaded, and then nothing is left of it.
	start load powersave
	wait_for governor_is powersave && has "$(tool status --json)" '"fault": null'
}

run_goes_on_when_it_is_ejected() {
	# shellcheck disable=SC2016 # for the other shell
	tool run "$fails" -- sh -c 'echo 42 >"$0/policy0/scaling_setspeed"; sleep 1; exit 7' \
		"$cpufreq" 2>"$tmp/err"
	expect $? 7 && expect "$(grep -c . "$tmp/err")" 1 &&
		expect "$(cat "$tmp/err")" "cpufreq_ext: $why; the command goes on without it" &&
		all_are performance
}

monitor_shows_policies() {
	start load --select powersave
	wait_for governor_is powersave || return
	out=$(tool monitor -i 0.2 -n 2) || return
	expect "$(echo "$out" | grep -c "ext: powersave$")" $((2 * $(governors | wc -w))) &&
		has "$out" "GHz" && has "$out" "CHANGE/s"
}

monitor_records_csv() {
	tool monitor -i 0.2 -n 3 --csv "$tmp/m.csv" >"$tmp/out" || return
	expect "$(wc -l <"$tmp/m.csv")" $((1 + 3 * $(governors | wc -w))) &&
		has "$(head -n 1 "$tmp/m.csv")" "time_s,policy,cpus,freq_khz," &&
		expect "$(sed 1d "$tmp/m.csv" | awk -F , 'NF != 12' | wc -l)" 0 || return
	expect "$(tool monitor -i 0.1 -n 1 --csv - | head -n 1)" "$(head -n 1 "$tmp/m.csv")"
}

monitor_refuses() {
	refused "-i cannot be '0'" monitor -i 0 && refused "-i cannot be 'x'" monitor -i x &&
		refused "-n cannot be '-1'" monitor -n -1 && refused "no arguments" monitor x &&
		refused "choose another file" monitor -n 1 --csv /nosuch/file
}

# ---- other machines ----

# ---- bench ----

# decisions GOVERNOR: its rows of the JSON file with a number of decisions above 0
decisions() {
	grep "\"governor\": \"$1\"" "$tmp/bench.json" |
		grep -c "\"decisions_per_s\": [0-9.]*[1-9][0-9.]*, \"decision_ns\": [1-9]"
}

# BPF run-time statistics of the governor that is loaded
run_time() { bpftool prog show | sed -n 's/^.*struct_ops.* run_time_ns \([0-9]*\).*/\1/p' | sort; }

statistics_are_on() { [ -n "$(run_time)" ]; }
statistics_are_off() {
	command -v bpftool >/dev/null || return 0
	now=$(run_time)
	sleep 0.5
	expect "$(run_time)" "$now"
}

# Tunables of ext that a policy forgets when it is given another governor
tunables_of_ext() { cat "$cpufreq"/ext/sampling_rate "$cpufreq"/ext/io_is_busy | tr '\n' ' '; }
tunables_are() { [ "$(tunables_of_ext)" = "$1" ]; }
set_tunables_of_ext() {
	echo 30000 >"$cpufreq/ext/sampling_rate"
	echo 1 >"$cpufreq/ext/io_is_busy"
}

bench_compares_governors() {
	start load --select ondemand
	wait_for governor_is ondemand || return
	set_tunables_of_ext
	tool bench -s 2 --json "$tmp/bench.json" >"$tmp/bench.out" 2>"$tmp/bench.err" || return
	sed 's/^/# /' "$tmp/bench.out"
	has "$(head -n 1 "$tmp/bench.out")" "DECISIONS/s" &&
		expect "$(grep -c '^ext: ondemand  *[1-9]' "$tmp/bench.out")" 1 &&
		expect "$(decisions ext)" 1 &&
		has "$(grep '"ext"' "$tmp/bench.json")" '"bpf_governor": "ondemand"' &&
		expect "$(grep '"ext"' "$tmp/bench.json" | grep -c '"bpf_ns": [1-9]')" 1 || return
	for g in ondemand conservative schedutil; do
		case " $(cat "$cpufreq/policy0/scaling_available_governors")" in
		*" $g "*) expect "$(decisions "$g")" 1 || return ;;
		esac
	done
	# With the load, the frequency changed; and all is as it was before.
	expect "$(grep -c '"transitions": 0,' "$tmp/bench.json")" 0 &&
		all_are ext && governor_is ondemand && statistics_are_off &&
		expect "$(tunables_of_ext)" "30000 1 " &&
		has "$(tool bench -s 1 -j - 2>/dev/null)" '"load_s": 1' || return
	# Without a file's name it is saved where one is.
	(cd "$tmp" && tool bench -s 1 >/dev/null) &&
		has "$(cat "$tmp/cpufreq_ext-bench.json")" "\"kernel\": \"$(uname -r)\""
}

bench_gives_back_after_signals() {
	start load --select powersave
	wait_for governor_is powersave || return
	echo earlier >"$tmp/earlier.json"
	# While statistics are on, which the first ones of this governor show
	if command -v bpftool >/dev/null; then
		expect "$(run_time)" "" || return
		"$tool" bench -s 5 -j "$tmp/ended.json" >/dev/null 2>&1 &
		other=$!
		wait_for statistics_are_on && kill -KILL "$other" || return
		wait "$other" 2>/dev/null
		rm -f "$tmp/ended.json"
		wait_for all_are ext && statistics_are_off || return
	fi
	# A shell has what it starts in the background ignore SIGINT.
	for s in TERM HUP QUIT KILL; do
		file=ended
		[ "$s" = HUP ] && file=earlier
		set_tunables_of_ext
		"$tool" bench -s 5 -j "$tmp/$file.json" >/dev/null 2>&1 &
		other=$!
		wait_for all_are '[^e].*' || return
		kill -"$s" "$other"
		wait "$other" 2>/dev/null
		status=$?
		if [ "$s" = KILL ]; then
			expect "$status" 137 && wait_for all_are ext || return
			rm -f "$tmp/ended.json"
		else
			expect "$status" 1 && all_are ext || return
		fi
		wait_for tunables_are "30000 1 " &&
			governor_is powersave && statistics_are_off &&
			expect "$(ls "$tmp/ended.json" 2>/dev/null)" "" || return
	done
	# What was saved before stays.
	expect "$(cat "$tmp/earlier.json")" earlier
}

# What would be measured is something else.
bench_needs_the_governor() {
	command -v bpftool >/dev/null || { skip="no bpftool"; return; }
	select_all ext
	start load powersave
	wait_for governor_is powersave || return
	link=$(bpftool link show | sed -n 's/^\([0-9]*\): struct_ops .*/\1/p')
	"$tool" bench -s 2 -j "$tmp/gone.json" >/dev/null 2>"$tmp/err" &
	other=$!
	# It measures ext first, and has not done so yet.
	wait_for test -e "$tmp/gone.json" && all_are ext || return
	bpftool link detach id "$link" || return
	wait "$other"
	expect $? 1 && has "$(cat "$tmp/err")" "powersave is not loaded any more" &&
		all_are ext && expect "$(ls "$tmp/gone.json" 2>/dev/null)" ""
}

bench_refuses() {
	refused "cpufreq_ext load" bench && refused "-s cannot be '0'" bench -s 0 &&
		refused "-s cannot be 'x'" bench -s x && refused "no arguments" bench x &&
		refused "-s cannot be '601'" bench -s 601 &&
		refused "-s cannot be '4294967298'" bench -s 4294967298 &&
		refused "-s cannot be '-4294967290'" bench -s -4294967290 || return
	start load --select powersave
	wait_for governor_is powersave || return
	tool bench -s 1 -j /nosuch/file >/dev/null 2>"$tmp/err"
	expect $? 1 && has "$(cat "$tmp/err")" "choose another file" || return
	# Who comes meanwhile is told why nothing happens.
	"$tool" bench -s 1 -j "$tmp/bench.json" >/dev/null 2>&1 &
	other=$!
	wait_for all_are '[^e].*' || return
	tool unload >/dev/null 2>"$tmp/err"
	expect $? 0 && has "$(cat "$tmp/err")" "waiting for another cpufreq_ext" || return
	wait "$other"
	expect $? 0
}

# A folder in the place of sysfs' plays the part of these drivers.
active_mode_is_named() {
	mkdir -p "$tmp/fake/policy0"
	echo performance >"$tmp/fake/policy0/scaling_governor"
	echo "performance powersave" >"$tmp/fake/policy0/scaling_available_governors"
	echo 0 >"$tmp/fake/policy0/affected_cpus"
	mount --bind "$tmp/fake" "$cpufreq" || { skip="no bind mounts"; return; }
	bad=0
	for driver in intel_pstate:intel_pstate amd-pstate-epp:amd_pstate; do
		echo "${driver%:*}" >"$tmp/fake/policy0/scaling_driver"
		refused "echo passive > /sys/devices/system/cpu/${driver#*:}/status" \
			load --select powersave || bad=1
	done
	echo other >"$tmp/fake/policy0/scaling_driver"
	refused "no governor ext: modprobe cpufreq_ext" load powersave || bad=1
	rm -r "$tmp/fake/policy0"
	refused "no cpufreq driver is active" load --select powersave || bad=1
	refused "no cpufreq driver is active" monitor -n 1 || bad=1
	umount "$cpufreq"
	return "$bad"
}

nothing_is_left() {
	all_are performance && [ ! -e "$pin" ] && [ ! -e /run/cpufreq_ext/saved ] &&
		has "$(tool status)" "none is loaded"
}

# ---- all of them ----

echo "TAP version 13"
# shellcheck disable=SC2086 # words
set -- $tests
tool=
for t in "$CPUFREQ_EXT_TOOL" "$here/tool/cpufreq_ext" /usr/sbin/cpufreq_ext; do
	[ -z "$tool" ] && [ -x "$t" ] && tool=$t
done
if [ -z "$tool" ] || [ "$(id -u)" != 0 ] || [ ! -d "$cpufreq/policy0" ]; then
	echo "1..0 # SKIP cpufreq_ext of tools/power, root and a cpufreq driver are needed"
	exit 0
fi
# Beside this script are the same objects as beside the tool.
[ -n "$CPUFREQ_EXT_PATH" ] || export CPUFREQ_EXT_PATH="$here"

echo "1..$#"
modprobe -q cpufreq_ext
old=$(governors)
pid='' other=''
select_all performance
failed=0
for t; do
	n=$((n + 1))
	skip=
	if "$t" </dev/null; then
		echo "ok $n $(echo "$t" | tr _ ' ')${skip:+ # SKIP $skip}"
	else
		[ ! -e "$tmp/start.err" ] || sed 's/^/# stderr: /' "$tmp/start.err"
		echo "not ok $n $(echo "$t" | tr _ ' ')"
		failed=1
	fi
	clean
done
for p in "$cpufreq"/policy*; do
	echo "${old%% *}" >"$p/scaling_governor"
	old=${old#* }
done
rm -rf "$tmp"
exit $failed
