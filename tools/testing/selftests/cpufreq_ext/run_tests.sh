#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Run all tests of this folder; they print TAP.
cd "$(dirname "$0")" || exit 1
failed=0
for test in ./test_*; do
	if [ -f "$test" ] && [ -x "$test" ]; then
		echo "# $test"
		"$test" || failed=1
	fi
done
exit $failed
