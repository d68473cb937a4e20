#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What each BPF governor makes of the same square wave of load.
#
# Usage: test_curves.sh [DIR]: leave the recordings in DIR, for cpufreq_ext plot
#
# A CPU is busy four times for a second, with a second of idle time between them:
# the first and the third time with one task, the others with another one.
# shellcheck disable=SC2317 # functions are called by the names of curves

cpufreq=/sys/devices/system/cpu/cpufreq
cd "$(dirname "$0")" || exit 1
here=$PWD
interval=0.02 # seconds
samples=410

curves="performance powersave userspace ondemand ondemand_biased conservative schedutil
	interactive vip half"

say() { echo "# $*"; }

# ---- recording ----

tool() { "$tool" "$@"; }

governor_of() {
	case $1 in
	ondemand_biased) echo ondemand ;;
	interactive) echo "interactive hispeed_freq=$middle above_hispeed_delay=200000" \
		"min_sample_time=200000" ;;
	*) echo "$1" ;;
	esac
}

# What happens while the curve is recorded
meanwhile() {
	case $1 in
	userspace)
		echo "$low" >"$policy/scaling_setspeed"
		sleep 4.2
		echo "$middle" >"$policy/scaling_setspeed"
		;;
	ondemand_biased)
		sleep 5.2
		tool set powersave_bias=250
		;;
	vip)
		# The key is a number of 32 bits, the lowest byte first.
		bpftool map update name vip_tasks key hex "$(printf %02x $((first & 255)))" \
			"$(printf %02x $((first >> 8 & 255)))" \
			"$(printf %02x $((first >> 16)))" 00 value 1
		;;
	esac
}

# Whatever else runs must be over: what a kernel does after its start, say.
quiet() {
	tries=0
	until tool monitor -i 0.5 -n 1 --csv - |
		awk -F , 'NR > 1 && $9 > 30 { busy = 1 } END { exit busy }'; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || { say "the CPUs do not become idle"; return 1; }
	done
}

record() {
	# shellcheck disable=SC2046 # words
	tool load -c "$cpu" --pin $(governor_of "$1") >"$tmp/load" || return
	echo "$sampling_rate" | tee "$cpufreq"/ext/sampling_rate "$policy"/ext/sampling_rate \
		>/dev/null 2>&1
	quiet || return
	"$here/square_wave" "$cpu" 700 1000 3000 2 &
	first=$!
	"$here/square_wave" "$cpu" 2700 1000 3000 2 &
	meanwhile "$1" &
	taskset "$mask" "$tool" monitor -i "$interval" -n "$samples" --csv - >"$tmp/csv"
	wait
	tool unload
	awk -F , -v policy="${policy##*policy}" 'NR == 1 || $2 == policy' "$tmp/csv" >"$dir/$1.csv"
}

# ---- judging ----

# For each sample: seconds, frequency in kHz, number of the burst and 0 in idle
# time, seconds since that began or ended. Less than a tenth of a second of another
# load is nothing. The two last samples before an edge are left out, as the load is
# known to a tick: they may have seen both.
samples_of() {
	awk -F , '
	NR > 1 { n++; time[n] = $1; freq[n] = $4; busy[n] = $9 >= 70 }
	END {
		for (i = 1; i <= n; i = next_i) {
			for (next_i = i; next_i <= n && busy[next_i] == busy[i]; next_i++)
				;
			if (i > 1 && busy[i] != was && time[next_i - 1] - time[i] < 0.1)
				for (k = i; k < next_i; k++)
					busy[k] = was
			was = busy[i]
		}
		for (i = 1; i <= n; i++) {
			if (i == 1 || busy[i] != busy[i - 1]) {
				edge = time[i]
				burst += busy[i]
			}
			if (i < n - 1 && busy[i] == busy[i + 1] && busy[i] == busy[i + 2])
				print time[i], freq[i], busy[i] ? burst : 0, time[i] - edge
		}
	}' "$dir/$1.csv"
}

# The load that was meant: four bursts of a second, two seconds apart
is_square_wave() {
	samples_of "$1" | awk '
	function near(value, wanted, what) {
		if (value < wanted - 0.1 || value > wanted + 0.1) {
			print "# burst " burst ": " what " " value " s, not " wanted " s"
			bad = 1
		}
	}
	$3 && $3 != burst {
		burst = $3
		if (burst > 1)
			near($1 - begin, 2, "begins after the one before by")
		begin = $1
	}
	!$3 && busy { near($1 - begin, 1, "lasts") }
	{ busy = $3 }
	END {
		if (burst != 4)
			print "# there are " burst + 0 " bursts, not 4"
		exit bad || burst != 4
	}'
}

# each CURVE WHERE RULE: of the samples WHERE, each must follow RULE, and there
# must be some. In these, t is the time, f the frequency and old the one before,
# burst the number of the burst or 0, since the time from its edge, and held how
# long the frequency was old; min, max, low and middle are frequencies. up() and
# down() are one step of the table.
each() {
	samples_of "$1" | awk -v table="$table" -v min="$min" -v max="$max" -v low="$low" \
		-v middle="$middle" -v lag="$lag" '
	BEGIN {
		n = split(table, step, " ")
		for (i = 1; i <= n; i++)
			at[step[i]] = i
	}
	function up() { return at[f] == at[old] + 1 }
	function down() { return at[f] == at[old] - 1 }
	{
		if (NR == 1 || f != old)
			changed = t
		old = NR == 1 ? $2 : f
		t = $1; f = $2; burst = $3; since = $4
		held = t - changed
	}
	'"$2"' {
		nr++
		if (!('"$3"')) {
			if (wrong++ < 5)
				printf "# at %s s, %s s into %s: %s kHz after %s kHz\n", t, since,
					burst ? "burst " burst : "idle time", f, old
		}
	}
	END {
		if (wrong || !nr)
			print "# '"$2: $3"' is not true for " wrong + 0 " of " nr + 0 " samples"
		exit wrong || !nr
	}'
}

performance_stays_at_the_maximum() {
	each performance 1 'f == max'
}

powersave_stays_at_the_minimum() {
	each powersave 1 'f == min'
}

userspace_stays_where_it_was_put() {
	each userspace 't > 0.2 && t < 4' 'f == low' && each userspace 't > 4.5' 'f == middle'
}

ondemand_goes_to_the_maximum_at_once() {
	each ondemand 'burst && since > lag' 'f == max' &&
		each ondemand '!burst && since > lag' 'f < middle'
}

ondemand_takes_a_bias_while_it_runs() {
	each ondemand_biased 't < 5 && burst && since > lag' 'f == max' &&
		each ondemand_biased 't > 6.5 && burst && since > lag' 'f > min && f < max'
}

conservative_goes_step_by_step() {
	each conservative 'burst' 'f == old || up()' &&
		each conservative '!burst' 'f == old || down()' &&
		each conservative 'burst && since < 0.2' 'f < max' &&
		each conservative 'burst && since > 0.9' 'f == max' &&
		each conservative 'NR > 50 && !burst && since < 0.2' 'f > min' &&
		each conservative '!burst && since > 0.9' 'f == min'
}

# The task of the first burst is new; after that, it is known to be a busy one.  In the
# idle time before it the programs start that record and that make the load.
schedutil_follows_the_utilisation() {
	each schedutil 'burst == 1 && f > min && f < max' 1 &&
		each schedutil '!burst && NR > 50 && f > min && f < max' 1 || return
	each schedutil 'burst && since < 0.9' 'f >= old' &&
		each schedutil 'burst && since > 0.3' 'f == max' &&
		each schedutil 't > 0.3 && !burst && since < 0.9' 'f <= old' &&
		each schedutil '!burst && since > 0.3' 'f <= low'
}

# Both its times are 0.2 s.  An edge is seen up to two samples of the recording late,
# that is 0.04 s.  The time before it rises begins after the edge; the one before it
# falls with the last decision of the burst, which can be its timer_rate and a tick,
# 0.024 s, before the edge.
interactive_goes_to_hispeed_freq_first() {
	each interactive 'burst && since > lag && since < 0.16' 'f == middle' &&
		each interactive 'burst && since > lag' 'f == old || f > old && held > 0.17' &&
		each interactive 'burst && since > 0.9' 'f == max' &&
		each interactive 'NR > 50 && !burst && since < 0.13' 'f == old' &&
		each interactive '!burst && since > 0.3' 'f == min'
}

vip_follows_the_task_of_its_list() {
	each vip 'burst % 2 && since > lag' 'f == max' &&
		each vip 'burst % 2 == 0 && since > lag' 'f == min'
}

half_of_the_guide_does_what_it_says() {
	each half 'burst && since > lag' 'f == max' &&
		each half '!burst && since > lag' 'f == middle'
}

guide_changes_its_tunable() {
	tool load -c "$cpu" --pin half_tunable up_threshold=30 >"$tmp/load" &&
		tool set up_threshold=70 && [ "$(tool get up_threshold)" = up_threshold=70 ]
	status=$?
	tool info half_tunable | grep -q '1..100 *50 *%' || status=1
	tool unload || status=1
	return "$status"
}

# ---- all of it ----

echo "TAP version 13"
tool=
for t in "$CPUFREQ_EXT_TOOL" "$here/tool/cpufreq_ext" /usr/sbin/cpufreq_ext; do
	[ -z "$tool" ] && [ -x "$t" ] && tool=$t
done
if [ -z "$tool" ] || [ "$(id -u)" != 0 ] || [ ! -d "$cpufreq/policy0" ] ||
	! command -v bpftool >/dev/null; then
	echo "1..0 # SKIP cpufreq_ext of tools/power, bpftool, root and a cpufreq driver are needed"
	exit 0
fi
[ -n "$CPUFREQ_EXT_PATH" ] || export CPUFREQ_EXT_PATH="$here"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
dir=${1:-$tmp}
mkdir -p "$dir"

# The last CPU and its policy; monitor runs on the first one of that, and so shows
# an idle policy to the governor; what else is done, on the first CPU of all.
# shellcheck disable=SC2012 # numbers
policy=$(ls -d "$cpufreq"/policy* | sort -V | tail -n 1)
cpu=$(tr ' ' '\n' <"$policy/affected_cpus" | tail -n 1)
mask=$(printf %x $((1 << $(cut -d ' ' -f 1 "$policy/affected_cpus"))))
taskset -p 1 $$ >"$tmp/taskset"
table=$(tr ' ' '\n' <"$policy/scaling_available_frequencies" | grep . | sort -n | tr '\n' ' ')
# shellcheck disable=SC2086 # words
set -- $table
min=$1 low=$2
shift $(($# / 2))
middle=$1
shift $(($# - 1))
max=$1
# Slow, so that each step is seen; most have followed an edge when two are over.
sampling_rate=40000
lag=0.1

tests="performance_stays_at_the_maximum powersave_stays_at_the_minimum
	userspace_stays_where_it_was_put ondemand_goes_to_the_maximum_at_once
	ondemand_takes_a_bias_while_it_runs conservative_goes_step_by_step
	schedutil_follows_the_utilisation interactive_goes_to_hispeed_freq_first
	vip_follows_the_task_of_its_list half_of_the_guide_does_what_it_says
	guide_changes_its_tunable"
# shellcheck disable=SC2086 # words
set -- $curves $tests
echo "1..$#"
n=0 failed=0
result() {
	n=$((n + 1))
	[ "$1" = 0 ] || { failed=1; printf 'not '; }
	echo "ok $n $2"
}

for curve in $curves; do
	record "$curve" && is_square_wave "$curve"
	result $? "$curve is recorded"
done
for t in $tests; do
	"$t"
	result $? "$(echo "$t" | tr _ ' ')"
done
exit $failed
