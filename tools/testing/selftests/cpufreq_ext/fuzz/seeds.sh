#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# seeds.sh OUT OBJECT...: inputs to begin with, a folder for each fuzz target
set -eu
out=$1
shift

# seed TARGET NAME FORMAT
seed() {
	mkdir -p "$out/$1"
	# shellcheck disable=SC2059 # octal digits in it, and zero bytes
	printf "$3" >"$out/$1/$2"
}

rm -rf "$out"
mkdir -p "$out/object"
[ $# = 0 ] || cp "$@" "$out/object/"

seed tunables numbers 'u64=20000\nu32=0x20\nu16=99\nu8=255\n'
seed tunables words 'bool=on\nkhz=1.8GHz\nkhz=1800000\n'
seed tunables lists 'list=80 1000000:90 1.8ghz:99\n'
seed tunables wrong 'u32=1\nu9=3\n=\nbool=2\nlist=1 2\n'

seed list one '\0770'
seed list three '\07780 1000000:90'
seed list five '\07780 1000000:90 1800000:99 \n'
seed list short '\00280 1:2'

seed cpus range '0-3,8'
seed cpus blanks '0 1 2\n'
seed cpus last '65535'

seed khz plain '1800000'
seed khz mhz '1800mhz'
seed khz ghz '1.8GHz'
seed khz hz '1800000499.9hz'
seed khz much '18446744073.709551615thz'

header=time_s,policy,cpus,freq_khz,min_khz,max_khz,hw_min_khz,hw_max_khz,load_percent
header=$header,transitions_per_s,time_in_state_khz_ms,governor
limits=800000,2400000,800000,2400000
seed csv two "$header\n0.100,0,0 1,1800000,$limits,12.5,3.0,800000:60 1800000:40,ext: vip
0.200,1,2,800000,$limits,0.0,0.0,800000:100,schedutil\n"
seed csv no_states "$header\n1.0,0,0,1800000,$limits,100.0,,,ext: 'x'\r\n"
seed csv empty "$header\n"

policy0='aext\0bacpi-cpufreq\0cext ondemand performance\0d0 1\0e0 1\0'
policy0=$policy0'f<unsupported>\0g1800000\0h800000\0i2400000\0j2400000\0'
policy0=$policy0'k2400000 10\n1800000 5\n\0l17\0'
seed sysfs ext "${policy0}sStat: CPUFREQ_EXT_LOADED\nBPF governor: vip\0uvip\0vP"
seed sysfs name 'aext\0nStat: CPUFREQ_EXT_LOADED\nBPF governor: "\\\\\303\251\n\0u"\\\\\303\251\t'
seed sysfs select 'aondemand\0e0-1\0m80\0f1800000\0ouserspace\0p3 7\0r1'
seed sysfs saved 'aext\0tpolicy0/scaling_governor ondemand\npolicy0/ondemand/up_threshold 95\n'
seed sysfs elsewhere 'aext\0tpolicy0/../../victim/scaling_governor x\npolicy0/../ext/stat y\n'

files='\0aStat: CPUFREQ_EXT_LOADED\nBPF governor: vip\n\0c1800000\n\0d800000\n\0eext ondemand '
seed loader runs "\0\0\0\0\0\002\001$files"
seed loader refused "\0\002\0\0\0\0\001$files"
seed loader busy "\0\0\0\001\0\0\001$files"
seed loader no_policy '\0\0\0\003\0\0\001\0eondemand \0facpi-cpufreq'
seed loader pins "\0\0\0\0\0\002\002$files"
fault='Stat: CPUFREQ_EXT_FAULT\nBPF governor: vi\nReason: and\nReason: more\n'
seed loader lines "\0\0\0\0\0\0\001\0a$fault\0eext ondemand "
