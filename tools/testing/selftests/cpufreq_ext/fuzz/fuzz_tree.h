/* SPDX-License-Identifier: GPL-2.0-only */
/* A tree of files in a folder of its own, with contents from the fuzzer */
#ifndef __CPUFREQ_EXT_FUZZ_TREE_H
#define __CPUFREQ_EXT_FUZZ_TREE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Make a folder the working directory, with the folders that @files need in it;
 * it is removed at the end. NULL ends @files.
 */
void fuzz_tree_make(const char * const *files);
/*
 * The input: files with a zero byte between them, each a letter, 'a' for the
 * first one, and its contents. The other files are not there afterwards.
 */
void fuzz_tree_fill(const uint8_t *data, size_t size);

#endif /* __CPUFREQ_EXT_FUZZ_TREE_H */
