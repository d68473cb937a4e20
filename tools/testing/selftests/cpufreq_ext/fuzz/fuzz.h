/* SPDX-License-Identifier: GPL-2.0-only */
/* What the fuzz targets share. The tool's main.c has main() as tool_main(). */
#ifndef __CPUFREQ_EXT_FUZZ_H
#define __CPUFREQ_EXT_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define fuzz_check(condition)						\
	do {								\
		if (!(condition))					\
			fuzz_fail(__FILE__, __LINE__, #condition);	\
	} while (0)

/* libFuzzer has other names for these, see the Makefile. */
int fuzz_init(int *argc, char ***argv);
int fuzz_one(const uint8_t *data, size_t size);
/* A change of libFuzzer's, and one that a target knows to be worth it */
size_t fuzz_mutate(uint8_t *data, size_t size, size_t max_size);
size_t fuzz_change(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

/* Say what does not hold, and abort: libFuzzer keeps the input then. */
void fuzz_fail(const char *file, int line, const char *condition);
/* The input as a string, to be freed */
char *fuzz_string(const uint8_t *data, size_t size);
/* The input as a file; the path is valid until the next call. */
const char *fuzz_file(const uint8_t *data, size_t size);
/* What is printed between these two is kept; the strings until the next begin. */
void fuzz_begin(void);
void fuzz_end(const char **out, const char **err);
/* A command failed: it has to say why in one line, and nothing but text. */
void fuzz_check_refusal(const char *err);

/* What the linker puts in the place of a function, and the function itself */
struct governor;
struct pollfd;
struct timespec;
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);
long __real_syscall(long number, ...);
int __wrap_governor_find(struct governor *g);
int __wrap_governor_map_tunables(struct governor *g);
int __wrap_sysfs_write(const char *path, const char *text);
int __real_sysfs_write(const char *path, const char *text);
int __wrap_ppoll(struct pollfd *fds, unsigned long nr, const struct timespec *timeout,
		 const void *mask);
int __wrap_clock_gettime(int clock, struct timespec *now);

#endif /* __CPUFREQ_EXT_FUZZ_H */
