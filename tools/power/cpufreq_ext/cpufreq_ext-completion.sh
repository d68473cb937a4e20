# SPDX-License-Identifier: GPL-2.0-only
# bash completion for cpufreq_ext(8)
# shellcheck shell=bash disable=SC2207 # names have no spaces in them

_cpufreq_ext_governors() {
	"$1" list 2>/dev/null | cut -d ' ' -f 1
}

# Names of a governor's tunables, from its table
_cpufreq_ext_tunables() {
	"$1" info "$2" 2>/dev/null | sed -n '/^  TUNABLE /,$s/^  \([a-z_0-9]*\) .*/\1/p'
}

_cpufreq_ext_words() {
	COMPREPLY=($(compgen -W "$1" -- "$cur"))
}

# Does that option of that command have a value?
_cpufreq_ext_has_value() {
	case "$1 $2" in
	*" -c" | *" --cpus" | *" -i" | *" --interval" | *" -n" | *" --count" | *" --csv") ;;
	*" -o" | *" --output" | "bench -s" | *" --seconds" | "bench -j" | "bench --json") ;;
	*) return 1 ;;
	esac
}

_cpufreq_ext() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local tool=${COMP_WORDS[0]} command='' name='' words='' i

	COMPREPLY=()
	# Bash takes "=" for a word. What comes after that of a tunable is not known.
	if [[ $cur == = && $prev == --* ]]; then
		cur=''
	elif [[ $prev == = && ${COMP_WORDS[COMP_CWORD - 2]} == --* ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ $cur == = || $prev == = ]]; then
		return
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--)
			# What follows is a command of somebody else.
			_command_offset $((i + 1)) 2>/dev/null
			return
			;;
		-*)
			if _cpufreq_ext_has_value "$command" "${COMP_WORDS[i]}"; then
				[[ ${COMP_WORDS[++i]} != = ]] || ((i++))
			fi
			;;
		*)
			if [[ -z $command ]]; then
				command=${COMP_WORDS[i]}
			elif [[ -z $name ]]; then
				name=${COMP_WORDS[i]}
			fi
			;;
		esac
	done

	if _cpufreq_ext_has_value "$command" "$prev"; then
		case $prev in
		-j | --json | --csv | -o | --output) COMPREPLY=($(compgen -f -- "$cur")) ;;
		esac
		return
	fi

	if [[ -z $command ]]; then
		_cpufreq_ext_words "list info load replace unload get set status run
			monitor plot bench -h --help -V --version -v --verbose"
		return
	fi
	if [[ $cur == -* ]]; then
		case $command in
		load) words="-s --select -c --cpus -p --pin" ;;
		run) words="-c --cpus --" ;;
		status) words="-j --json" ;;
		monitor) words="-i --interval -n --count --csv" ;;
		plot) words="-o --output" ;;
		bench) words="-s --seconds -j --json" ;;
		esac
		_cpufreq_ext_words "$words -v --verbose -h --help"
		return
	fi

	case $command in
	info | load | replace | run)
		if [[ -z $name ]]; then
			COMPREPLY=($(compgen -W "$(_cpufreq_ext_governors "$tool")" -- "$cur")
				$(compgen -f -X '!*.o' -- "$cur"))
		elif [[ $command != info ]]; then
			words=$(_cpufreq_ext_tunables "$tool" "$name")
			COMPREPLY=($(compgen -S = -W "$words" -- "$cur"))
			compopt -o nospace 2>/dev/null
		fi
		;;
	set)
		COMPREPLY=($(compgen -W "$("$tool" get 2>/dev/null | sed 's/=.*/=/')" -- "$cur"))
		compopt -o nospace 2>/dev/null
		;;
	get) _cpufreq_ext_words "$("$tool" get 2>/dev/null | sed 's/=.*//')" ;;
	plot) COMPREPLY=($(compgen -f -X '!*.csv' -- "$cur")) ;;
	esac
}

complete -F _cpufreq_ext cpufreq_ext
