# SPDX-License-Identifier: GPL-2.0-only
# See "make help".

# Kernel to test on, 6.12 or 7.3, and which builds of it (see harness/test)
LINUX	:= 6.12
KERNELS	:=
# Options of harness/fuzz
FUZZ	:=
# How often "make bench" boots each machine, and which (see harness/bench)
BOOTS	:= 3
MACHINES :=
DOC	:=
# Where "make samples" and "make bench" put what they make
OUT	:= $(CURDIR)/build

CACHE	:= $(or $(CPUFREQ_EXT_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/cpufreq_ext)

help:
	@echo "make demo      see BPF choose frequencies on Debian's kernel in QEMU (2 minutes, then 20 seconds)"
	@echo "make test      build the kernel and run the tests (within 45 minutes)"
	@echo "               LINUX=7.3              on that kernel instead of 6.12"
	@echo "               KERNELS=\"debug stock\"  some of: check fuzz debug debug-m small stock bench"
	@echo "make test-long the same with the full counts of stress and fuzzers (hours)"
	@echo "make bench     measure what decisions cost, with tables, JSON and a plot in build/bench"
	@echo "               BOOTS=1                fewer boots than 3"
	@echo "               MACHINES=\"1x1 8x8\"     some of: 1x1 8x8 16x1 128x1"
	@echo "               DOC=y                  put table and plot into Documentation/"
	@echo "make check     style and static checks of the patches"
	@echo "make fuzz      fuzz the tool, and run it under valgrind (2 minutes)"
	@echo "               FUZZ=\"-t 3600\"       for an hour each; see harness/fuzz"
	@echo "make pictures  record what the governors do in QEMU, and draw it for the documents"
	@echo "make samples   build the loader and the BPF governors into $(OUT)"
	@echo "make clean     delete what was built, but not what was downloaded or compiled (ccache)"
	@echo
	@echo "Everything that is built and downloaded is in $(CACHE)"
	@echo "(variable CPUFREQ_EXT_CACHE)."

demo:
	@harness/demo

test:
	@harness/test -l "$(LINUX)" $(KERNELS)

test-long:
	@harness/test -L -l "$(LINUX)" $(KERNELS)

bench:
	@harness/bench -b "$(BOOTS)" -o "$(OUT)/bench" $(if $(DOC),-d) $(MACHINES)

check:
	@harness/test -l "$(LINUX)" check

fuzz:
	@harness/packages test
	@harness/fuzz -l "$(LINUX)" -j "$$(nproc)" $(FUZZ)

pictures:
	@harness/pictures

samples:
	@harness/packages demo
	@harness/fetch stock 6.12
	@harness/build samples 6.12 "$(CACHE)/stock/6.12/build/vmlinux" "$(OUT)"

clean:
	@harness/build clean

.PHONY: help demo test test-long bench check fuzz pictures samples clean
