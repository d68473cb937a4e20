#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Programs of others, with a governor that is loaded: bpftool, cpupower and
# trace-cmd.  "cpupower monitor" is not here: it shows idle states and hardware
# counters, of which virtual machines have none.
# shellcheck disable=SC2317 # the tests are called by their names

cpufreq=/sys/devices/system/cpu/cpufreq
dir=/sys/fs/bpf/cpufreq_ext_interop
cd "$(dirname "$0")" || exit 1
tmp=$(mktemp -d)

tests="
struct_ops_register_pins_a_link
link_pin_outlives_the_loader
link_detach_unloads
map_update_reaches_the_governor
cpupower_shows_ext
cpupower_selects_ext
cpupower_sets_limits
trace_cmd_records_decisions
"
# bpftool up to 7.8 at least looks up the types of all struct_ops in the BTF of
# vmlinux, and dies of a type that is in a module's.
tests_of_struct_ops="
struct_ops_register_needs_a_pin
struct_ops_without_a_link
struct_ops_list_and_dump
"

# ---- helpers ----

say() { echo "# $*"; }

select_all() { for p in "$cpufreq"/policy*; do echo "$1" >"$p/scaling_governor"; done; }
governors() { cat "$cpufreq"/policy*/scaling_governor | sort -u; }
stat() {
	cat "$cpufreq"/ext/stat "$cpufreq"/policy*/ext/stat 2>/dev/null | head -n 2 |
		sed 's/.*: //' | tr '\n' ' '
}
loaded() { [ "$(stat)" = "CPUFREQ_EXT_LOADED $1 " ]; }
unloaded() { [ "$(stat)" = "CPUFREQ_EXT_INIT performance " ]; }

# freq N: the Nth lowest frequency
freq() {
	tr ' ' '\n' <"$cpufreq/policy0/scaling_available_frequencies" | grep . | sort -n |
		sed -n "$1p"
}
highest() { freq '$'; }
cur_is() { [ "$(cat "$cpufreq/policy0/scaling_cur_freq")" = "$1" ]; }

# wait_for COMMAND...: up to 20 seconds
wait_for() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		if [ "$tries" -ge 200 ]; then
			say "this did not come true: $* (stat: $(stat))"
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

has() {
	case $1 in *"$2"*) return 0 ;; esac
	say "'$2' is not in '$1'"
	return 1
}

# The loader of samples/bpf in the background, "$pid"
start() {
	./cpufreq_ext "$1" >"$tmp/loader" 2>&1 </dev/null &
	pid=$!
}

end() {
	[ -z "$pid" ] || { kill -9 "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; }
	pid=
}

# IDs, of links and of maps, that belong to the governor
link_id() { bpftool link show | sed -n 's/^\([0-9]*\): struct_ops .*/\1/p'; }
link_map() { bpftool link show | sed -n 's/^[0-9]*: struct_ops *map \([0-9]*\).*/\1/p'; }

register() {
	bpftool struct_ops register "$@" >"$tmp/register" 2>&1
	status=$?
	# It dies when it is about to say what it did.
	[ "$status" = 0 ] || { [ "$dies" = y ] && [ "$status" -ge 128 ]; } || {
		sed 's/^/# bpftool: /' "$tmp/register"
		return 1
	}
}

clean() {
	for p in "$busy" "$pid"; do
		[ -z "$p" ] || { kill -9 "$p" 2>/dev/null; wait "$p" 2>/dev/null; }
	done
	busy='' pid=''
	rm -rf "$dir"
	[ $dies = y ] || bpftool struct_ops unregister name linkless >/dev/null 2>&1
	for p in "$cpufreq"/policy*; do
		highest >"$p/scaling_max_freq"
		freq 1 >"$p/scaling_min_freq"
	done
	select_all performance
}

# ---- bpftool ----

struct_ops_register_pins_a_link() {
	mkdir "$dir" && register cpufreq_ext_powersave.bpf.o "$dir" || return
	loaded powersave && wait_for cur_is "$(freq 1)" && expect "$(ls "$dir")" powersave || return
	expect "$(bpftool link show pinned "$dir/powersave" | cut -d : -f 1)" "$(link_id)" ||
		return
	rm "$dir/powersave"
	wait_for unloaded && wait_for cur_is "$(highest)"
}

link_pin_outlives_the_loader() {
	start cpufreq_ext_powersave.bpf.o
	wait_for loaded powersave || return
	mkdir "$dir" && bpftool link pin id "$(link_id)" "$dir/pin" || return
	end
	sleep 0.5
	if ! loaded powersave || ! cur_is "$(freq 1)"; then
		say "it did not stay: $(stat)"
		return 1
	fi
	rm "$dir/pin"
	wait_for unloaded && wait_for cur_is "$(highest)"
}

link_detach_unloads() {
	start cpufreq_ext_powersave.bpf.o
	wait_for loaded powersave || return
	bpftool link detach id "$(link_id)" || return
	wait_for unloaded && wait_for cur_is "$(highest)"
}

# As the comment in cpufreq_ext_vip.bpf.c tells
map_update_reaches_the_governor() {
	start cpufreq_ext_vip.bpf.o
	wait_for loaded vip && wait_for cur_is "$(freq 1)" || return
	cpu=$(cut -d ' ' -f 1 "$cpufreq/policy0/affected_cpus")
	taskset -c "$cpu" sh -c 'while :; do :; done' &
	busy=$!
	key=$(printf '%08x' "$busy" | sed 's/\(..\)\(..\)\(..\)\(..\)/\4 \3 \2 \1/')
	# shellcheck disable=SC2086 # words
	bpftool map update name vip_tasks key hex $key value 1 || return
	wait_for cur_is "$(highest)" || return
	# shellcheck disable=SC2086
	bpftool map delete name vip_tasks key hex $key || return
	wait_for cur_is "$(freq 1)"
}

# What has a link goes with the last one who holds it.
struct_ops_register_needs_a_pin() {
	register cpufreq_ext_powersave.bpf.o || return
	has "$(cat "$tmp/register")" "powersave" && wait_for unloaded
}

struct_ops_without_a_link() {
	register cpufreq_ext_linkless.bpf.o || return
	loaded linkless && wait_for cur_is "$(freq 1)" || return
	bpftool struct_ops register cpufreq_ext_linkless.bpf.o >"$tmp/out" 2>&1 &&
		{ say "two of them: $(cat "$tmp/out")"; return 1; }
	has "$(cat "$tmp/out")" "busy" && loaded linkless || return
	bpftool struct_ops unregister name linkless >"$tmp/out" 2>&1 || return
	wait_for unloaded && wait_for cur_is "$(highest)"
}

struct_ops_list_and_dump() {
	start cpufreq_ext_powersave.bpf.o
	wait_for loaded powersave || return
	id=$(link_map)
	list=$(bpftool struct_ops list)
	expect "$(echo "$list" | tr -s ' ')" "$id: powersave cpufreq_governor_ext_ops " &&
		expect "$(bpftool struct_ops show name powersave)" "$list" || return
	out=$(bpftool struct_ops dump id "$id" | tr -s ' ' | sed 's/^ //')
	has "$out" '"name": "powersave"' && has "$out" BPF_STRUCT_OPS_STATE_READY || return
	has "$out" 'struct cpufreq_policy *) powersave_get_next_freq/prog_id:' || return
	for op in get_sampling_rate init exit start stop limits store_setspeed; do
		has "$out" "\"$op\": " || return
	done
	# The programs of a governor have its name, and their own.
	has "$(bpftool prog show)" powersave_get_n
}

# ---- cpupower ----

# As cpupower rounds
in_ghz() { awk -v khz="$1" 'BEGIN { printf "%.2f GHz", khz / 1000000 }'; }

cpupower_shows_ext() {
	start cpufreq_ext_powersave.bpf.o
	wait_for loaded powersave && wait_for cur_is "$(freq 1)" || return
	has "$(cpupower -c all frequency-info -p 2>/dev/null)" 'The governor "ext"' &&
		has "$(cpupower frequency-info -g 2>/dev/null)" " ext" &&
		has "$(cpupower frequency-info -f 2>/dev/null)" "$(freq 1)" &&
		has "$(cpupower frequency-info -l 2>/dev/null)" "$(freq 1) $(highest)" &&
		has "$(cpupower frequency-info -o 2>/dev/null)" ext
}

cpupower_selects_ext() {
	start cpufreq_ext_powersave.bpf.o
	wait_for loaded powersave || return
	cpupower frequency-set -g performance >"$tmp/out" 2>&1 || return
	expect "$(governors)" performance && wait_for cur_is "$(highest)" || return
	cpupower frequency-set -g ext >"$tmp/out" 2>&1 || return
	expect "$(governors)" ext && loaded powersave && wait_for cur_is "$(freq 1)"
}

cpupower_sets_limits() {
	start cpufreq_ext_powersave.bpf.o
	wait_for loaded powersave && wait_for cur_is "$(freq 1)" || return
	cpupower frequency-set -d "$(freq 2)" -u "$(freq 3)" >"$tmp/out" 2>&1 || return
	wait_for cur_is "$(freq 2)" || return
	has "$(cpupower frequency-info -p 2>/dev/null)" \
		"within $(in_ghz "$(freq 2)") and $(in_ghz "$(freq 3)")" || return
	end
	# Nobody is left: the maximum, as it is now
	wait_for unloaded && wait_for cur_is "$(freq 3)"
}

# ---- trace-cmd ----

# Whatever is asked of the governor is seen, in that order, and nothing else.
trace_cmd_records_decisions() {
	start cpufreq_ext_userspace.bpf.o
	wait_for loaded userspace || return
	freq 1 >"$cpufreq/policy0/scaling_setspeed"
	wait_for cur_is "$(freq 1)" || return
	cat >"$tmp/wishes" <<-END
		for f in $(freq 3) $(freq 2) $(freq 4) $(freq 1); do
			echo \$f >$cpufreq/policy0/scaling_setspeed
			sleep 0.2
		done
	END
	cpu=$(cut -d ' ' -f 1 "$cpufreq/policy0/affected_cpus")
	trace-cmd record --compression none -o "$tmp/trace.dat" -e power:cpu_frequency \
		sh "$tmp/wishes" >"$tmp/out" 2>&1 || { sed 's/^/# /' "$tmp/out"; return 1; }
	trace-cmd report "$tmp/trace.dat" >"$tmp/report" 2>/dev/null
	seen=$(sed -n "s/.*cpu_frequency: *state=\([0-9]*\) cpu_id=$cpu\$/\1/p" "$tmp/report" |
		uniq | tr '\n' ' ')
	expect "$seen" "$(freq 3) $(freq 2) $(freq 4) $(freq 1) "
}

# ---- all of them ----

echo "TAP version 13"
missing=
for program in bpftool cpupower trace-cmd; do
	command -v $program >/dev/null || missing="$missing $program"
done
modprobe -q cpufreq_ext
if [ -n "$missing" ]; then
	echo "1..0 # SKIP not installed:$missing"
	exit 0
elif [ "$(id -u)" != 0 ] || [ ! -f "$cpufreq/policy0/scaling_available_frequencies" ] ||
     [ -z "$(freq 4)" ]; then
	echo "1..0 # SKIP root and a cpufreq driver with four frequencies are needed"
	exit 0
fi

old=$(cat "$cpufreq/policy0/scaling_governor")
pid='' busy='' dies=n
select_all ext
if [ -e /sys/kernel/btf/cpufreq_ext ]; then
	start cpufreq_ext_powersave.bpf.o
	wait_for loaded powersave && sh -c 'bpftool struct_ops list' >/dev/null 2>&1
	[ $? -lt 128 ] || dies=y
fi
if [ $dies = y ]; then
	say "bpftool dies of types that a module has, and is not asked for any:" \
		"$(echo "$tests_of_struct_ops" | tr '\n' ' ')"
else
	tests="$tests_of_struct_ops $tests"
fi
clean

# shellcheck disable=SC2086 # words
set -- $tests
echo "1..$#"
n=0 failed=0
for t; do
	n=$((n + 1))
	select_all ext
	if "$t" </dev/null; then
		echo "ok $n $(echo "$t" | tr _ ' ')"
	else
		echo "not ok $n $(echo "$t" | tr _ ' ')"
		failed=1
	fi
	clean
done
select_all "$old"
rm -rf "$tmp"
exit $failed
