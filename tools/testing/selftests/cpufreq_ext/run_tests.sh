#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Run all tests of this folder; they print TAP.
cd "$(dirname "$0")" || exit 1
failed=0
for test in ./test_*; do
	case $test in *.*.*) continue ;; esac
	[ -x "$test" ] || continue
	echo "# $test"
	"$test" || failed=1
done
exit $failed
