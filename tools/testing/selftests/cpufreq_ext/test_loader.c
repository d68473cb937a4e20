// SPDX-License-Identifier: GPL-2.0-only
#include "kselftest_harness.h"
#include "util.h"
TEST(x) { }
TEST_HARNESS_MAIN
