#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What cpufreq_ext plot draws from a recording, and what it refuses. This needs
# gnuplot, but neither a cpufreq driver nor root: the recording is made up.
# shellcheck disable=SC2317 # the tests are called by their names

cd "$(dirname "$0")" || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
header=time_s,policy,cpus,freq_khz,min_khz,max_khz,hw_min_khz
header=$header,hw_max_khz,load_percent,transitions_per_s,time_in_state_khz_ms,governor

tests="
a_policy_is_drawn
curves_are_where_the_values_are
each_policy_has_its_row
time_in_state_is_drawn
governors_are_named
names_are_no_commands
the_same_is_drawn_twice
png_is_drawn
a_single_sample_is_drawn
malformed_recordings_are_refused
mistakes_are_refused
a_failure_leaves_the_old_picture
"

say() { echo "# $*"; }

tool() { PATH=${tool_path-$PATH} "$tool" "$@"; }

# sample TIME POLICY KHZ LOAD [GOVERNOR [STATES]]
sample() {
	echo "$1,$2,$2 $(($2 + 1)),$3,800000,2000000,800000,2400000,$4,1.0,${6-},${5-ext: half}"
}

# Two seconds: at 0.8 GHz and idle in the first one, then busy, at 2 GHz
recording() {
	for t in 1 2 3 4 5 6 7 8 9 10; do
		sample "0.$((t * 100))" "$1" 800000 0.0
	done | sed 's/^0.1000/1.000/'
	for t in 1 2 3 4 5 6 7 8 9; do
		sample "1.${t}00" "$1" 2000000 100.0
	done
	sample 2.000 "$1" 2000000 100.0
}

# draw: $tmp/in.csv is what was recorded
draw() { tool plot "$tmp/in.csv" -o "$tmp/out.svg"; }

record() {
	echo "$header" >"$tmp/in.csv"
	cat >>"$tmp/in.csv"
}

# texts: those of the picture, a line each
texts() { sed -n 's|.*<text>\(.*\)</text>.*|\1|p' "$tmp/out.svg" | sed 's/<[^>]*>//g'; }

# count NUMBER TEXT: so many texts are exactly that
count() {
	[ "$(texts | grep -cxF "$2")" = "$1" ] && return
	say "the picture has '$2' $(texts | grep -cxF "$2") times, not $1 times"
	return 1
}

# passes COLOUR X Y: lines or areas of that colour have a corner at that point
passes() {
	awk -v colour="$1" -v x="$2" -v y="$3" '
	index($0, "'\''" colour "'\''") { inside = 1 }
	inside {
		line = $0
		while (match(line, /[0-9.]+,[0-9.]+/)) {
			split(substr(line, RSTART, RLENGTH), at, ",")
			if ((at[1] - x) ^ 2 < 0.1 && (at[2] - y) ^ 2 < 0.1)
				found = 1
			line = substr(line, RSTART + RLENGTH)
		}
		inside = !/\/>/
	}
	END { exit !found }' "$tmp/out.svg" && return
	say "what is $1 has no corner at $2,$3"
	return 1
}

# refused TEXT ARGUMENT...: status 1, one line with TEXT on stderr, no picture
refused() {
	text=$1
	shift
	rm -f "$tmp/out.svg"
	tool plot "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	if [ "$status" = 1 ] && [ ! -s "$tmp/out" ] && [ "$(wc -l <"$tmp/err")" = 1 ] &&
		grep -qF "$text" "$tmp/err" && ! ls "$tmp"/out.* >/dev/null 2>&1; then
		return
	fi
	say "not refused with '$text': status $status, $(cat "$tmp/out" "$tmp/err")"
	return 1
}

# ---- what is drawn ----

a_policy_is_drawn() {
	recording 0 | record && draw && count 1 "policy0 (CPU 0 1), governor ext: half" &&
		count 1 "Time (s)" && count 1 "Frequency (GHz)" && count 1 "Load (%)" &&
		count 1 frequency && count 1 load && count 1 limits &&
		count 1 "Time in state" && count 1 "Time (%)"
}

# The diagram is from 68 to 532 and 0.1 to 2 s in width, from 226.3 to 34.1 and 0
# to 2.64 GHz or 0 to 110 % in height.
curves_are_where_the_values_are() {
	recording 0 | record && draw || return
	passes "$frequency" 312.2 168.06 && passes "$frequency" 312.2 80.69 &&
		passes "$frequency" 532 80.69 &&
		passes "$load" 287.8 226.3 && passes "$load" 287.8 51.57 &&
		passes "$limits" 532 168.06 && passes "$limits" 532 80.69
}

each_policy_has_its_row() {
	for policy in 0 2 5; do recording "$policy"; done | sort -n | record && draw || return
	count 1 "policy0 (CPU 0 1), governor ext: half" &&
		count 1 "policy2 (CPU 2 3), governor ext: half" &&
		count 1 "policy5 (CPU 5 6), governor ext: half" && count 3 frequency &&
		count 3 "Time in state" && grep -q 'width="800" height="930"' "$tmp/out.svg" &&
		passes "$frequency" 312.2 168.06 && passes "$frequency" 312.2 478.06 &&
		passes "$frequency" 312.2 788.06
}

# A quarter of the time at 2.4 GHz, and none at 1.6 GHz
time_in_state_is_drawn() {
	{
		sample 1.000 0 800000 10.0 "ext: half" "2400000:0 1600000:0 800000:1000"
		sample 2.000 0 800000 10.0 "ext: half" "2400000:500 1600000:0 800000:500"
	} | record && draw || return
	# The diagram is from 624 to 788 for 0 to 125 %; bars are 0.192 GHz thick.
	passes "$frequency" 656.8 44.6 && passes "$frequency" 722.4 161.1 &&
		passes "$frequency" 722.4 175.04
}

governors_are_named() {
	{ recording 0; sample 2.100 0 800000 10.0 powersave; } | record && draw &&
		count 1 "policy0 (CPU 0 1), governor ext: half, then powersave"
}

names_are_no_commands() {
	sample 1.000 0 800000 10.0 "ext: '; set output '$tmp/evil'; print '_{x}" | record && draw &&
		[ ! -e "$tmp/evil" ] && grep -q "_{x}" "$tmp/out.svg"
}

the_same_is_drawn_twice() {
	recording 0 | record && draw && cp "$tmp/out.svg" "$tmp/first" &&
		(export TZ=Asia/Tokyo LC_ALL=C HOME=/nosuch; draw) &&
		cmp "$tmp/first" "$tmp/out.svg"
}

png_is_drawn() {
	recording 0 | record && tool plot "$tmp/in.csv" -o "$tmp/out.png" || return
	# Its signature, and its width and height
	[ "$(od -An -tx1 -N 24 "$tmp/out.png" | tr -d ' \n')" = \
		89504e470d0a1a0a0000000d49484452000004b0000001d1 ]
}

a_single_sample_is_drawn() {
	sample 1.000 0 800000 10.0 | record && draw && count 1 frequency
}

# ---- what is refused ----

malformed_recordings_are_refused() {
	good=$(sample 1.000 0 800000 10.0)
	for bad in "1,x" "x$good" "-$good" "$good,1" "${good%%,*}" "nan${good#1.000}" "" \
		"$(sample 1.000 0 80z 10.0)" "$(sample 1.000 0 800000 -1)" \
		inf,0,0,1,1,1,1,1,1,,,x 1,1e30,0,1,1,1,1,1,1,,,x 1,0,0,1e99,1,1,1,1,1,,,x \
		1,0,0,1,1,1,1,1,1,,1:nan,x 1,0,0,1,1,1,1,1,1,,-1:1,x 1,0,0,1,1,1,1,1,1,,1:1:1,x; do
		printf '%s\n%s\n' "$good" "$bad" | record
		refused "line 3 is not of" "$tmp/in.csv" -o "$tmp/out.svg" || return
	done
	echo "time_s,policy" >"$tmp/in.csv"
	refused "line 1 is not of" "$tmp/in.csv" -o "$tmp/out.svg" || return
	record </dev/null
	refused "nothing is recorded" "$tmp/in.csv" -o "$tmp/out.svg" || return
	: >"$tmp/in.csv"
	refused "nothing is recorded" "$tmp/in.csv" -o "$tmp/out.svg" || return
	i=0
	while [ "$i" -le 64 ]; do
		sample 1.000 "$i" 800000 10.0
		i=$((i + 1))
	done | record
	refused "more than 64 policies" "$tmp/in.csv" -o "$tmp/out.svg"
}

mistakes_are_refused() {
	recording 0 | record
	refused "plot what" && refused "plot what" "$tmp/in.csv" &&
		refused ".svg or .png" "$tmp/in.csv" -o "$tmp/out.gif" &&
		refused "No such file" "$tmp/nosuch.csv" -o "$tmp/out.svg" &&
		refused "choose another file" "$tmp/in.csv" -o /nosuch/out.svg || return
	tool_path=/nosuch
	refused "gnuplot draws the plots" "$tmp/in.csv" -o "$tmp/out.svg"
	set -- $?
	unset tool_path
	return "$1"
}

a_failure_leaves_the_old_picture() {
	recording 0 | record && draw && cp "$tmp/out.svg" "$tmp/first" || return
	tool_path=/nosuch
	draw 2>/dev/null
	set -- $?
	unset tool_path
	[ "$1" = 1 ] && cmp "$tmp/first" "$tmp/out.svg" && [ ! -e "$tmp/out.svg.new" ]
}

# ---- all of them ----

frequency="rgb( 18,  64, 140)" load="rgb(243, 201, 155)" limits="rgb(102, 102, 102)"

echo "TAP version 13"
# shellcheck disable=SC2086 # words
set -- $tests
tool=
for t in "$CPUFREQ_EXT_TOOL" "$PWD/tool/cpufreq_ext" /usr/sbin/cpufreq_ext; do
	[ -z "$tool" ] && [ -x "$t" ] && tool=$t
done
if [ -z "$tool" ] || ! command -v gnuplot >/dev/null; then
	echo "1..0 # SKIP cpufreq_ext of tools/power and gnuplot are needed"
	exit 0
fi
echo "1..$#"
n=0 failed=0
for t; do
	n=$((n + 1))
	rm -f "$tmp"/out.*
	if "$t" </dev/null; then
		echo "ok $n $(echo "$t" | tr _ ' ')"
	else
		echo "not ok $n $(echo "$t" | tr _ ' ')"
		failed=1
	fi
done
exit $failed
