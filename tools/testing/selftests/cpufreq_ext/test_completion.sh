#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The completion for bash offers the commands and options that --help has and that
# the tool takes. This needs neither a cpufreq driver nor root: what is tried ends
# with an option that there is not, before anything is done.
# shellcheck disable=SC2317 # the tests are called by their names

cd "$(dirname "$0")" || exit 1

tests="
commands_are_those_of_the_help
options_of_the_help_are_offered_somewhere
options_are_those_that_are_taken
options_before_the_command
values_are_no_names
files_are_offered_where_they_are_wanted
values_of_tunables_are_not_offered
"

say() { echo "# $*"; }

# expect WHAT IT EXPECTED: lists of words, in any order
expect() {
	local it expected

	it=$(echo "$2" | tr -s ' ' '\n' | sort)
	expected=$(echo "$3" | tr -s ' ' '\n' | sort)
	[ "$it" = "$expected" ] && return
	say "$1: ${it//$'\n'/ }"
	say "expected: ${expected//$'\n'/ }"
	return 1
}

# offered WORD...: what the last word, or what begins it, may become
offered() {
	COMP_WORDS=("$tool" "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_cpufreq_ext 2>/dev/null
	echo "${COMPREPLY[*]}"
}

help_commands() { "$tool" --help | sed -n 's/^  \([a-z]\{1,\}\) .*/\1/p'; }

# -s, --select ...: the lines of options, of which one may have two
help_options() {
	"$tool" --help | sed -n '/^ *-.*[a-zA-Z]/p' | sed 's/  [a-z(].*//' |
		grep -oE '(^|[ ,])-(-[a-z]+|[a-zA-Z])' | tr -d ' ,' | sort -u
}

# takes COMMAND OPTION: if it wants a value, it gets one that cannot be right.
takes() { ! "$tool" "$1" "$2" --nosuch --nosuch 2>&1 | grep -qF "takes no option '$2'"; }

commands_are_those_of_the_help() {
	[ -n "$(help_commands)" ] || return
	expect "commands" "$(offered '' | tr ' ' '\n' | grep -v '^-')" "$(help_commands)"
}

options_of_the_help_are_offered_somewhere() {
	local all command

	all=$(offered '' | tr ' ' '\n' | grep '^-')
	for command in $(help_commands); do
		all+=" $(offered "$command" -)"
	done
	expect "options" "$(echo "$all" | tr ' ' '\n' | grep -vx -e '--' | sort -u)" \
		"$(help_options)"
}

options_are_those_that_are_taken() {
	local bad=0 command option taken

	for command in $(help_commands); do
		taken=
		for option in $(help_options); do
			! takes "$command" "$option" || taken+="${taken:+ }$option"
		done
		expect "$command" "$(offered "$command" - | sed 's/ --\( \|$\)/\1/')" "$taken" ||
			bad=1
	done
	return "$bad"
}

options_before_the_command() {
	expect "-v" "$(offered -v mon)" monitor && expect "-v" "$(offered -v load --pi)" --pin
}

values_are_no_names() {
	local bad=0

	expect "-c" "$(offered load -c 0-3 ondem)" ondemand || bad=1
	expect "--cpus=" "$(offered load --cpus = 0-3 ondem)" ondemand || bad=1
	expect "run -c" "$(offered run -c 0 ondem)" ondemand || bad=1
	# Of load, -s has no value.
	expect "load -s" "$(offered load -s ondem)" ondemand || bad=1
	expect "-s" "$(offered bench -s '')" "" || bad=1
	expect "--seconds=" "$(offered bench --seconds = '')" "" || bad=1
	expect "--seconds=2" "$(offered bench --seconds = 2 --js)" --json || bad=1
	# What looks like the end of the options is the value of one.
	expect "-s --" "$(offered bench -s -- --js)" --json || bad=1
	expect "-j --" "$(offered bench -j -- --sec)" --seconds || bad=1
	return "$bad"
}

files_are_offered_where_they_are_wanted() {
	local bad=0 self=test_completion.s words

	for words in "bench -j" "bench --json" "bench --json =" "monitor --csv" \
		"monitor --csv =" "plot -o" "plot x.csv --output"; do
		# shellcheck disable=SC2086 # words
		expect "$words" "$(offered $words $self)" test_completion.sh || bad=1
	done
	# Of status, --json has no value.
	expect "status --json" "$(offered status --json "$self")" "" || bad=1
	return "$bad"
}

values_of_tunables_are_not_offered() {
	expect "a tunable" "$(offered load ondemand up_thr)" up_threshold= &&
		expect "=" "$(offered load ondemand up_threshold =)" "" &&
		expect "a value" "$(offered load ondemand up_threshold = u)" ""
}

# ---- all of them ----

echo "TAP version 13"
# shellcheck disable=SC2086 # words
set -- $tests
tool=
for t in "$CPUFREQ_EXT_TOOL" "$PWD/tool/cpufreq_ext" /usr/sbin/cpufreq_ext; do
	[ -z "$tool" ] && [ -x "$t" ] && tool=$t
done
completion=
for t in ../../../power/cpufreq_ext/cpufreq_ext-completion.sh \
	/usr/share/bash-completion/completions/cpufreq_ext; do
	[ -z "$completion" ] && [ -r "$t" ] && completion=$t
done
if [ -z "$tool" ] || [ -z "$completion" ]; then
	echo "1..0 # SKIP cpufreq_ext of tools/power and its completion are needed"
	exit 0
fi
[ -n "$CPUFREQ_EXT_PATH" ] || export CPUFREQ_EXT_PATH="${tool%/*}"
# shellcheck source=/dev/null # one of two
. "$completion"
echo "1..$#"
n=0 failed=0
for t; do
	n=$((n + 1))
	if "$t" </dev/null; then
		echo "ok $n $(echo "$t" | tr _ ' ')"
	else
		echo "not ok $n $(echo "$t" | tr _ ' ')"
		failed=1
	fi
done
exit $failed
