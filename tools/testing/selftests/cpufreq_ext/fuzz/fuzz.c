// SPDX-License-Identifier: GPL-2.0-only
/* What the fuzz targets share */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "fuzz.h"

#define FUZZ_PREFIX	"cpufreq_ext: "

static FILE *fuzz_stdout, *fuzz_stderr;
static char *fuzz_out, *fuzz_err;

void fuzz_fail(const char *file, int line, const char *condition)
{
	if (fuzz_stderr)
		stderr = fuzz_stderr;
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	if (fuzz_err)
		fprintf(stderr, "printed: %s\n", fuzz_err);
	abort();
}

char *fuzz_string(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

const char *fuzz_file(const uint8_t *data, size_t size)
{
	static char path[32];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("input", MFD_CLOEXEC);
		if (fd < 0)
			abort();
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	return path;
}

void fuzz_begin(void)
{
	static size_t size;

	free(fuzz_out);
	free(fuzz_err);
	fuzz_out = NULL;
	fuzz_err = NULL;
	fuzz_stdout = stdout;
	fuzz_stderr = stderr;
	stdout = open_memstream(&fuzz_out, &size);
	stderr = open_memstream(&fuzz_err, &size);
	if (!stdout || !stderr)
		abort();
}

void fuzz_end(const char **out, const char **err)
{
	fclose(stdout);
	fclose(stderr);
	stdout = fuzz_stdout;
	stderr = fuzz_stderr;
	*out = fuzz_out;
	*err = fuzz_err;
}

void fuzz_check_refusal(const char *err)
{
	const char *c;

	fuzz_check(!strncmp(err, FUZZ_PREFIX, strlen(FUZZ_PREFIX)));
	fuzz_check(strchr(err, '\n') == err + strlen(err) - 1);
	for (c = err; *c != '\n'; c++)
		fuzz_check((unsigned char)*c >= ' ' && *c != 0x7f);
}

/*
 * The kernel stays out of it: no target may load anything into that of whoever
 * runs it. libbpf calls bpf() through syscall().
 */
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	if (number != SYS_bpf && number != SYS_perf_event_open)
		return __real_syscall(number, a, b, c, d, e, f);
	errno = EPERM;
	return -1;
}
