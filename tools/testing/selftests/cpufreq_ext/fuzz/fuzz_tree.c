// SPDX-License-Identifier: GPL-2.0-only
/* A tree of files in a folder of its own, with contents from the fuzzer */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "fuzz_tree.h"

static const char * const *tree_files;
static char tree_root[4096];

static int tree_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void tree_remove(void)
{
	nftw(tree_root, tree_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void tree_make_folders(const char *file)
{
	char folder[256];
	char *end;

	snprintf(folder, sizeof(folder), "%s", file);
	for (end = strchr(folder, '/'); end; end = strchr(end + 1, '/')) {
		*end = '\0';
		mkdir(folder, 0700);
		*end = '/';
	}
}

void fuzz_tree_make(const char * const *files)
{
	const char *tmp = getenv("TMPDIR");
	int i;

	snprintf(tree_root, sizeof(tree_root), "%s/cpufreq_ext_fuzz.XXXXXX",
		 tmp ? tmp : "/tmp");
	if (!mkdtemp(tree_root) || chdir(tree_root)) {
		perror(tree_root);
		exit(1);
	}
	atexit(tree_remove);
	tree_files = files;
	for (i = 0; files[i]; i++)
		tree_make_folders(files[i]);
}

void fuzz_tree_fill(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *c;
	int i, nr;
	FILE *f;

	for (nr = 0; tree_files[nr]; nr++)
		unlink(tree_files[nr]);
	for (c = text; c < text + size; c += strlen(c) + 1) {
		i = *c - 'a';
		if (i < 0 || i >= nr)
			continue;
		f = fopen(tree_files[i], "w");
		if (!f || fputs(c + 1, f) < 0 || fclose(f))
			abort();
	}
	free(text);
}
