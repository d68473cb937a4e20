#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Run the commands of the documents, as a user who types them, in the virtual
# machine. A document is a shell; what goes on until it is interrupted is
# interrupted after a while.
# shellcheck disable=SC2317 # called by the traps

cpufreq=/sys/devices/system/cpu/cpufreq
cpus=/sys/devices/system/cpu
marker="cpufreq_ext: the documents begin"
limit=30	# seconds

say() { echo "# $*"; }
expect() {
	[ "$1" = "$2" ] && return
	say "it printed '$1', not '$2'"
	return 1
}

# What the machine of the text has, and this one has not
with_files() {
	case $1 in
	*/intel_pstate/*) folder=intel_pstate ;;
	*/amd_pstate/*) folder=amd_pstate ;;
	*)
		run "$1"
		return
		;;
	esac
	mount -t tmpfs tmpfs $cpus
	mkdir "$cpus/$folder"
	echo active >"$cpus/$folder/status"
	run "$1" && expect "$(cat "$cpus/$folder/status")" passive
	set -- $?
	umount $cpus
	return "$1"
}

# The shell's own go on in it: they change its folder, or have jobs.
run() {
	case $1 in
	*"&")
		eval "$1" >/tmp/background 2>&1
		jobs="$jobs $!"
		sleep 5
		;;
	"cd "*) eval "$1" ;;
	*) run_for_a_while "$1" ;;
	esac
} >/tmp/out 2>/tmp/err </dev/null

run_for_a_while() {
	setsid sh -c "$1" &
	job=$!
	waited=0
	while kill -0 $job 2>/dev/null; do
		sleep 1
		waited=$((waited + 1))
		[ $waited -lt $limit ] || break
	done
	may_be=0
	if [ "$waited" -ge $limit ]; then
		loaded_meanwhile=$(sed -n 's/^BPF governor: //p' $cpufreq/ext/stat 2>/dev/null)
		# Ctrl-C is ignored by what a shell without a terminal starts with "&".
		kill -TERM -$job
		may_be=143
	fi
	wait $job
	status=$?
	# What it gives back at its end may take a moment.
	[ $may_be = 0 ] || sleep 2
	[ $status = 0 ] || [ $status = $may_be ] || { say "its status is $status" >&2; return 1; }
}

# Of a command that starts a governor and stays, the governor was there.
stayed_loaded() {
	case $1 in
	*"&") return 0 ;;
	*cpufreq_ext\ load\ *) ;;
	*cpufreq_ext\ *.bpf.o) ;;
	*) return 0 ;;
	esac
	case $1 in
	*--pin*) return 0 ;;
	esac
	[ -n "$loaded_meanwhile" ] && [ "$loaded_meanwhile" != performance ] && return
	say "no governor was loaded meanwhile"
	return 1
}

# check COMMAND EXPECTED: a result
check() {
	n=$((n + 1))
	loaded_meanwhile=''
	if with_files "$1" && stayed_loaded "$1" &&
	   { [ -z "$2" ] || expect "$(cat /tmp/out)" "$2"; }; then
		echo "ok $n $document: $1"
	else
		sed 's/^/# /' /tmp/out /tmp/err | tail -n 20
		echo "not ok $n $document: $1"
		failed=1
	fi
}

end_jobs() {
	for job in $jobs; do
		kill "$job"
		wait "$job"
	done
	jobs=''
}

clean() {
	cd /root || return
	cpufreq_ext unload >/dev/null 2>&1
	for p in "$cpufreq"/policy*; do
		echo performance >"$p/scaling_governor"
	done
}

# run_document FILE: command by command, each with the lines that follow it
run_document() {
	command='' expected=''
	while IFS= read -r line; do
		case $line in
		"> "*)
			expected="$expected${expected:+
}${line#> }"
			continue
			;;
		esac
		[ -z "$command" ] || check "$command" "$expected"
		command=${line#[#$] } expected=''
		# An empty line is the end of a block.
		[ -n "$line" ] || end_jobs
	done <"$1"
}

dmesg -n 1
echo "<6>$marker" >/dev/kmsg
modprobe acpi-cpufreq
modprobe -q cpufreq_ext
# Some folders are links here.
(cd /host/root && find . -type f) | while read -r file; do
	mkdir -p "/${file%/*}"
	cp -a "/host/root/$file" "/$file"
done
cp -a /host/tmp/. /tmp/
cp -a /host/samples/. "$HOME/"
# What the examples compile
printf '#!/bin/sh\ntimeout 1 sh -c "while :; do :; done"\ntrue\n' >/bin/make
chmod +x /bin/make

echo "TAP version 13"
echo "1..$(cat /host/commands/* | grep -c '^[#$] ')"
n=0 failed=0 jobs=''
for file in /host/commands/*; do
	document=$(echo "${file##*/}" | tr , /)
	clean
	run_document "$file"
done
clean
guest-dmesg "$marker" || failed=1
exit $failed
