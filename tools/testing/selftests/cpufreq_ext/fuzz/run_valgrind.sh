#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Run the users' tool, as it is built for users, under valgrind; one TAP result
# for each command. Nothing is loaded.
#
# run_valgrind.sh TOOL OBJECT...
#
#	TOOL	linked dynamically, or valgrind does not see its memory
#	OBJECT	of a governor; the first one has to have tunables
#
# What libbpf and libelf keep until the end is no leak.
set -u
here=$(cd "$(dirname "$0")" && pwd)
tool=$1
shift
object=$1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
n=0 failures=0

# run STATUS TEXT ARGUMENT...: a refusal (status 1) is one line on stderr.
run() {
	expected=$1
	text=$2
	shift 2
	n=$((n + 1))
	nice -n 10 valgrind -q --leak-check=full --errors-for-leak-kinds=definite,indirect \
		--show-leak-kinds=definite,indirect --error-exitcode=99 \
		--log-file="$tmp/valgrind" "$tool" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
	lines=$(wc -l <"$tmp/err")
	if [ "$status" = "$expected" ] && [ "$lines" = "$expected" ] &&
		! [ -s "$tmp/valgrind" ]; then
		echo "ok $n valgrind $text"
		return
	fi
	echo "not ok $n valgrind $text: status $status, $lines lines on stderr"
	head -n 60 "$tmp/valgrind" "$tmp/err" | sed 's/^/# /'
	failures=$((failures + 1))
}

row=0.1,0,0,1800000,800000,2400000,800000,2400000,0,0
# shellcheck disable=SC2016 # that of the other script
header=$(sed -n 's/^header=\$header,/,/p; s/^header=//p' "$here/seeds.sh" | tr -d '\n')
csv() { printf '%s\n' "$header" "$@" >"$tmp/bad.csv"; }

echo "1..$(($# + $("$here/malform" | wc -l) + 17))"

for governor; do
	run 0 "info $(basename "$governor")" info "$governor"
done
for case in $("$here/malform"); do
	"$here/malform" "$case" "$object" "$tmp/bad.bpf.o"
	run 1 "info of an object with $case" info "$tmp/bad.bpf.o"
done
run 0 "help" --help
run 1 "no command" nosuch
run 0 "list" list
run 1 "info nosuch" info nosuch
run 1 "load of a wrong object" load "$here/malform"
run 1 "load of a wrong tunable" load "$object" nosuch=1
run 1 "run with a wrong tunable" run "$object" nosuch=1 -- true
run 1 "replace by nothing" replace ./nosuch.o
csv "$row,1800000:nan,x"
run 1 "plot of a state that is none" plot "$tmp/bad.csv" -o "$tmp/x.svg"
csv "inf$row,,x"
run 1 "plot of a time that is none" plot "$tmp/bad.csv" -o "$tmp/x.svg"
csv "$row,,x" "$row"
run 1 "plot of half a line" plot "$tmp/bad.csv" -o "$tmp/x.svg"
csv
run 1 "plot of nothing" plot "$tmp/bad.csv" -o "$tmp/x.svg"
head -c 65536 /dev/urandom >"$tmp/bad.csv"
run 1 "plot of random bytes" plot "$tmp/bad.csv" -o "$tmp/x.svg"
# Whether these work depends on the machine.
for command in "status" "status --json" "monitor -n 1 -i 0.1" "get"; do
	# shellcheck disable=SC2086 # words
	set -- $command
	"$tool" "$@" >"$tmp/out" 2>&1 </dev/null
	run $? "$command" "$@"
done
[ "$failures" = 0 ]
