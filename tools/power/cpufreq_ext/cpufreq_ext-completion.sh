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

_cpufreq_ext() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local tool=${COMP_WORDS[0]} command='' name='' words i

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--)
			# What follows is a command of somebody else.
			_command_offset $((i + 1)) 2>/dev/null
			return
			;;
		-c | --cpus | -i | --interval | -n | --count | --csv | -o | --output)
			((i++))
			;;
		-*) ;;
		*)
			if [[ -z $command ]]; then
				command=${COMP_WORDS[i]}
			elif [[ -z $name ]]; then
				name=${COMP_WORDS[i]}
			fi
			;;
		esac
	done

	case $command$prev in
	bench-s | bench--seconds) return ;;
	bench-j | bench--json)
		COMPREPLY=($(compgen -f -- "$cur"))
		return
		;;
	esac
	case $prev in
	-c | --cpus | -i | --interval | -n | --count) return ;;
	--csv | -o | --output)
		COMPREPLY=($(compgen -f -- "$cur"))
		return
		;;
	esac

	if [[ -z $command ]]; then
		_cpufreq_ext_words "list info load replace unload get set status run
			monitor plot bench -h --help -V --version -v --verbose"
		return
	fi
	if [[ $cur == -* ]]; then
		case $command in
		load) _cpufreq_ext_words "-s --select -c --cpus -p --pin -v -h" ;;
		run) _cpufreq_ext_words "-c --cpus -v -h --" ;;
		status) _cpufreq_ext_words "-j --json -v -h" ;;
		monitor) _cpufreq_ext_words "-i --interval -n --count --csv -v -h" ;;
		plot) _cpufreq_ext_words "-o --output -v -h" ;;
		bench) _cpufreq_ext_words "-s --seconds --json -v -h" ;;
		*) _cpufreq_ext_words "-v -h" ;;
		esac
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
