#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Run the fuzz targets beside this script; one TAP result for each.
#
# run_fuzz.sh [-s SEED] [-n RUNS | -t SECONDS] [-j JOBS] [TARGET...]
# run_fuzz.sh -r TARGET FILE
#
#	-s	seed of the changes, printed; another one each time by default
#	-n	inputs for each target: with the same seed, these are the same again
#	-t	seconds for each target (10)
#	-j	targets at a time (1)
#	-r	repeat what a target did with an input
#
# An input that fails is kept in the folder "failed" beside this script.
set -u
cd "$(dirname "$0")" || exit 1
here=$PWD
name=$0

export ASAN_OPTIONS="detect_leaks=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"

die() {
	echo "run_fuzz.sh: $*" >&2
	exit 1
}

# run TARGET: what libFuzzer says goes to the log.
run() {
	# Inputs that are found do not stay: the next run has to be the same.
	mkdir -p "$tmp/$1.found" "$tmp/$1.tmp" "$here/failed"
	case $1 in
	object) max_len=65536 ;;
	*) max_len=4096 ;;
	esac
	TMPDIR=$tmp/$1.tmp nice -n 10 "$here/fuzz_$1" -seed="$seed" "$limit" -timeout=20 \
		-max_len="$max_len" -dict="$here/fuzz.dict" -print_final_stats=1 \
		-artifact_prefix="$here/failed/$1-" "$tmp/$1.found" "$here/seeds/$1" \
		>"$tmp/$1.log" 2>&1
	echo $? >"$tmp/$1.status"
}

# report NUMBER TARGET
report() {
	status=$(cat "$tmp/$2.status" 2>/dev/null) || status="unknown"
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$tmp/$2.log")
	if [ "$status" = 0 ] && [ "${runs:-0}" -gt 0 ]; then
		echo "ok $1 fuzz $2: $runs inputs"
		return
	fi
	echo "not ok $1 fuzz $2: status $status"
	grep -avE '^#[0-9]|^INFO: |NEW_FUNC|^\\x|^stat::|^$' "$tmp/$2.log" |
		tail -n 60 | sed 's/^/# /'
	failed=$(sed -n 's/.*Test unit written to //p' "$tmp/$2.log" | tail -n 1)
	[ -z "$failed" ] || echo "# repeat it: $name -r $2 $failed"
	failures=$((failures + 1))
}

seed='' limit=-max_total_time=10 jobs=1 repeat=
while getopts s:n:t:j:r opt; do
	case $opt in
	s) seed=$OPTARG ;;
	n) limit=-runs=$OPTARG ;;
	t) limit=-max_total_time=$OPTARG ;;
	j) jobs=$OPTARG ;;
	r) repeat=y ;;
	*) exit 1 ;;
	esac
done
shift $((OPTIND - 1))

if [ -n "$repeat" ]; then
	[ $# = 2 ] || die "usage: run_fuzz.sh -r TARGET FILE"
	exec "$here/fuzz_$1" -timeout=20 "$2"
fi

if [ $# = 0 ]; then
	for target in fuzz_*; do
		[ ! -x "$target" ] || set -- "$@" "${target#fuzz_}"
	done
fi
for target; do
	[ -x "fuzz_$target" ] || die "there is no target '$target'"
done
[ -n "$seed" ] || seed=$(od -An -N 3 -t u4 /dev/urandom | tr -d ' ')

# Some targets write files, which should not go to a disk.
tmp=$(TMPDIR=$([ ! -w /dev/shm ] || echo /dev/shm) mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

echo "1..$#"
echo "# seed $seed, $limit"
running=0
for target; do
	run "$target" &
	running=$((running + 1))
	if [ "$running" -ge "$jobs" ]; then
		wait
		running=0
	fi
done
wait

n=0 failures=0
for target; do
	n=$((n + 1))
	report $n "$target"
done
[ "$failures" = 0 ]
