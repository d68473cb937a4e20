# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What the scripts of this folder share. Sourced by bash, after set -eu.

# The caller's make must not have a say in ours.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES KBUILD_OUTPUT ARCH CROSS_COMPILE CDPATH
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
me=${0##*/}

die() {
	echo "$me: $*" >&2
	exit 1
}

case ${CPUFREQ_EXT_CACHE:=${XDG_CACHE_HOME:-$HOME/.cache}/cpufreq_ext} in
/*) ;;
*) CPUFREQ_EXT_CACHE=$PWD/$CPUFREQ_EXT_CACHE ;;
esac
export CPUFREQ_EXT_CACHE
cache=$CPUFREQ_EXT_CACHE

# make splits paths at blanks and colons.
case $top$cache in
*[[:space:]:]*) die "kernels cannot be built below a path with a blank or a colon: $top, $cache" ;;
esac
mkdir -p "$cache/log" "$cache/stamp"

# ---- progress ----

# Scripts call each other: the time counts from the start of the first.
export CPUFREQ_EXT_STARTED=${CPUFREQ_EXT_STARTED:-$EPOCHSECONDS}

elapsed() {
	local s=$((EPOCHSECONDS - ${1:-CPUFREQ_EXT_STARTED}))

	printf '%d:%02d' $((s / 60)) $((s % 60))
}

say() {
	echo "[$(elapsed)] ==> $*"
}

# What a log says went wrong, in a line
reason() {
	local line

	line=$(grep -a -m 1 -iE '^E: |error:|fatal:|undefined reference|no space left|cannot find' "$1") ||
		line=$(grep -a -m 1 -iE 'not found|no such file|\*\*\* ' "$1") ||
		line=$(grep -a '[^[:space:]]' "$1" | tail -n 1) || line=
	printf '%.200s' "${line:-no message}"
}

heartbeat() {
	local log=$1 pid=$2 begin=$EPOCHSECONDS

	while sleep 20 >&- 2>&- 9>&-; do
		kill -0 "$pid" 2>&- || return
		# The log may be a terminal's: what follows a carriage return counts.
		echo "        $(elapsed "$begin")  $(wc -l <"$log") lines:" \
			"$(tail -n 1 "$log" | tr '\r\t' '\n ' | tail -n 1 | cut -c 1-60)"
	done
}

# step NAME TEXT COMMAND...: run what takes long, with its output in a log
step() {
	local log=$cache/log/$1.log text=$2 beat rc
	shift 2

	say "$text ..."
	: >"$log"
	heartbeat "$log" $$ &
	beat=$!
	# The command runs in the foreground, so that Ctrl-C reaches it.
	set +e
	(
		set -e
		"$@"
	) >"$log" 2>&1 </dev/null
	rc=$?
	set -e
	kill $beat 2>&-
	[ $rc = 0 ] || die "$text: failed: $(reason "$log") (log: $log)"
}

# ---- what is done, and need not be done again ----

# lock_cache NAME: of those who write to that part of the cache, one at a time
lock_cache() {
	exec 9>"$cache/lock-$1"
	if ! flock -n 9; then
		say "waiting for another run that uses $cache"
		flock 9
	fi
}

# hash_of STRING...
hash_of() {
	printf '%s\n' "$@" | sha256sum | cut -d ' ' -f 1
}

# up_to_date NAME INPUTS: was the step NAME done, with the same inputs?
up_to_date() {
	[ "$(cat "$cache/stamp/$1" 2>&-)" = "$2" ]
}

# done_with NAME INPUTS
done_with() {
	echo "$2" >"$cache/stamp/$1.new"
	mv "$cache/stamp/$1.new" "$cache/stamp/$1"
}

undone() {
	rm -f "$cache/stamp/$1"
}

# fresh DIR: an empty DIR.new to build in
fresh() {
	rm -rf "$1.new" "$1.old"
	mkdir -p "$1.new"
}

# publish DIR: DIR.new is complete, and becomes DIR
publish() {
	[ ! -e "$1" ] || mv "$1" "$1.old"
	mv "$1.new" "$1"
	rm -rf "$1.old"
}

# ---- where things are ----

check_version() {
	case ${1:-} in
	6.12 | 7.3) ;;
	*) die "kernels 6.12 and 7.3 are supported, not '${1:-}'" ;;
	esac
}

source_dir() { echo "$cache/source/$1"; }
tree_dir() { echo "$cache/tree/$1"; }
tools_dir() { echo "$cache/tools/$1"; }
stock_dir() { echo "$cache/stock/$1"; }
kernel_dir() { echo "$cache/kernel/$1-$2"; }

# The release of a kernel whose modules are below DIR/lib/modules
release_in() {
	local dir

	for dir in "$1"/lib/modules/*/; do
		basename "$dir"
		return
	done
}
