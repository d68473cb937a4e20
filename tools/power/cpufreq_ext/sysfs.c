// SPDX-License-Identifier: GPL-2.0-only
/* cpufreq's files in sysfs */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <sys/wait.h>

#include "cpufreq_ext.h"

#define SYSFS_MAX_CPU	65535

static char *sysfs_path(const char *fmt, va_list args)
{
	char *path = NULL, *name = NULL;

	if (vasprintf(&name, fmt, args) < 0)
		return NULL;
	if (asprintf(&path, "%s/%s", CPUFREQ, name) < 0)
		path = NULL;
	free(name);
	return path;
}

/* What is in a file may be more than a page: time_in_state, for example. */
static char *sysfs_read_path(const char *path)
{
	size_t len = 0, size = 4096;
	char *text = NULL;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	do {
		size *= 2;
		text = main_alloc(text, size);
		n = read(fd, text + len, size - len - 1);
		len += n > 0 ? n : 0;
	} while (n > 0);
	close(fd);
	if (n < 0) {
		free(text);
		return NULL;
	}
	if (len && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	return text;
}

char *sysfs_read(const char *fmt, ...)
{
	char *path, *text = NULL;
	va_list args;

	va_start(args, fmt);
	path = sysfs_path(fmt, args);
	va_end(args);
	if (path)
		text = sysfs_read_path(path);
	free(path);
	return text;
}

unsigned long sysfs_read_number(const char *fmt, ...)
{
	unsigned long number = 0;
	char *path, *text = NULL;
	va_list args;

	va_start(args, fmt);
	path = sysfs_path(fmt, args);
	va_end(args);
	if (path)
		text = sysfs_read_path(path);
	if (text)
		number = strtoul(text, NULL, 10);
	free(text);
	free(path);
	return number;
}

bool sysfs_exists(const char *fmt, ...)
{
	va_list args;
	bool exists;
	char *path;

	va_start(args, fmt);
	path = sysfs_path(fmt, args);
	va_end(args);
	exists = path && !access(path, F_OK);
	free(path);
	return exists;
}

int sysfs_write(const char *path, const char *text)
{
	char full[PATH_LEN];
	int fd, err = 0;

	snprintf(full, sizeof(full), "%s/%s", CPUFREQ, path);
	fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int sysfs_compare(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return x < y ? -1 : x > y;
}

int sysfs_policies(unsigned int **policies)
{
	unsigned int *found = NULL;
	struct dirent *entry;
	unsigned int number;
	char *governor;
	int nr = 0;
	DIR *dir;

	*policies = NULL;
	dir = opendir(CPUFREQ);
	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		if (sscanf(entry->d_name, "policy%u", &number) != 1)
			continue;
		/* That of a policy whose CPUs are all offline cannot be read. */
		governor = sysfs_read("policy%u/scaling_governor", number);
		if (!governor)
			continue;
		free(governor);
		found = main_alloc(found, (nr + 1) * sizeof(*found));
		found[nr++] = number;
	}
	closedir(dir);
	if (nr)
		qsort(found, nr, sizeof(*found), sysfs_compare);
	*policies = found;
	return nr;
}

int sysfs_parse_cpus(const char *text, bool **set)
{
	bool *cpus = main_alloc(NULL, SYSFS_MAX_CPU + 1);
	unsigned long first, last;
	char *end;

	memset(cpus, 0, SYSFS_MAX_CPU + 1);
	while (isspace(*text))
		text++;
	if (!*text)
		goto bad;
	while (*text) {
		if (!isdigit(*text))
			goto bad;
		first = strtoul(text, &end, 10);
		last = first;
		if (*end == '-') {
			text = end + 1;
			if (!isdigit(*text))
				goto bad;
			last = strtoul(text, &end, 10);
		}
		if (first > last || last > SYSFS_MAX_CPU)
			goto bad;
		while (first <= last)
			cpus[first++] = true;
		text = end;
		if (*text && *text != ',' && !isspace(*text))
			goto bad;
		if (*text == ',' && !text[1])
			goto bad;
		while (*text == ',' || isspace(*text))
			text++;
	}
	*set = cpus;
	return SYSFS_MAX_CPU + 1;

bad:
	free(cpus);
	return -1;
}

int sysfs_ext_policies(void)
{
	unsigned int *policies;
	int i, nr, n = 0;
	char *governor;

	nr = sysfs_policies(&policies);
	for (i = 0; i < nr; i++) {
		governor = sysfs_read("policy%u/scaling_governor", policies[i]);
		n += governor && !strcmp(governor, "ext");
		free(governor);
	}
	free(policies);
	return n;
}

static bool sysfs_has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (; text; text = strchr(text, ' ')) {
		text += strspn(text, " ");
		if (!strncmp(text, word, len) && (!text[len] || text[len] == ' '))
			return true;
	}
	return false;
}

/* Writing ext to scaling_governor would do so, but a BPF object comes first. */
static void sysfs_load_module(void)
{
	pid_t pid = fork();

	if (!pid) {
		int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (fd >= 0) {
			dup2(fd, STDOUT_FILENO);
			dup2(fd, STDERR_FILENO);
		}
		execlp("modprobe", "modprobe", "-q", "cpufreq_ext", NULL);
		execl("/sbin/modprobe", "modprobe", "-q", "cpufreq_ext", NULL);
		_exit(1);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

/* These two choose frequencies themselves unless they are told not to. */
static int sysfs_check_driver(const char *driver)
{
	if (!strcmp(driver, "intel_pstate")) {
		main_err("intel_pstate is in active mode, which takes no governors: echo passive > /sys/devices/system/cpu/intel_pstate/status");
		return -1;
	}
	if (!strcmp(driver, "amd-pstate-epp") || !strcmp(driver, "amd_pstate_epp")) {
		main_err("amd-pstate is in active mode, which takes no governors: echo passive > /sys/devices/system/cpu/amd_pstate/status");
		return -1;
	}
	return 0;
}

static bool sysfs_offers_ext(unsigned int policy)
{
	char *governors = sysfs_read("policy%u/scaling_available_governors", policy);
	bool offers = governors && sysfs_has_word(governors, "ext");

	free(governors);
	return offers;
}

int sysfs_check_ext(bool load_module)
{
	unsigned int *policies;
	char *driver;
	int nr, err;

	nr = sysfs_policies(&policies);
	if (!nr) {
		main_err("no cpufreq driver is active: load one that fits this machine, e.g. modprobe acpi-cpufreq");
		return -1;
	}

	driver = sysfs_read("policy%u/scaling_driver", policies[0]);
	err = driver ? sysfs_check_driver(driver) : 0;
	if (err || sysfs_offers_ext(policies[0]))
		goto out;

	if (load_module)
		sysfs_load_module();
	if (!sysfs_offers_ext(policies[0])) {
		main_err("this kernel has no governor ext: modprobe cpufreq_ext, or build it in");
		err = -1;
	}
out:
	free(driver);
	free(policies);
	return err;
}

char *sysfs_stat(void)
{
	unsigned int *policies;
	char *stat;
	int i, nr;

	stat = sysfs_read("ext/stat");
	if (stat)
		return stat;

	/* Some drivers want one for each policy. */
	nr = sysfs_policies(&policies);
	for (i = 0; i < nr && !stat; i++)
		stat = sysfs_read("policy%u/ext/stat", policies[i]);
	free(policies);
	return stat;
}

char *sysfs_fault(void)
{
	static const char head[] = "Stat: CPUFREQ_EXT_FAULT\nBPF governor: ";
	static const char reason[] = "\nReason: ";
	char *stat = sysfs_stat(), *name, *why, *fault = NULL;

	why = stat && !strncmp(stat, head, strlen(head)) ? strstr(stat, reason) : NULL;
	if (why) {
		name = stat + strlen(head);
		why += strlen(reason);
		fault = main_format("%.*s was ejected: %.*s", (int)strcspn(name, "\n"), name,
				    (int)strcspn(why, "\n"), why);
	}
	free(stat);
	return fault;
}

unsigned long sysfs_counter(unsigned int policy, const char *name)
{
	return sysfs_read_number("ext/policy%u/%s", policy, name) ?:
	       sysfs_read_number("policy%u/ext/policy%u/%s", policy, policy, name);
}

unsigned long sysfs_counter_sum(const char *name)
{
	unsigned long sum = sysfs_read_number("ext/%s", name);
	unsigned int *policies;
	int i, nr;

	/* Each of those that drivers want for their policies has the sum. */
	nr = sysfs_policies(&policies);
	for (i = 0; i < nr && !sum; i++)
		sum = sysfs_read_number("policy%u/ext/%s", policies[i], name);
	free(policies);
	return sum;
}

int sysfs_parse_khz(const char *text, uint64_t *khz)
{
	static const struct {
		const char *name;
		int power;
	} units[] = {
		{ "hz", -3 }, { "khz", 0 }, { "mhz", 3 }, { "ghz", 6 }, { "thz", 9 },
	};
	uint64_t value = 0;
	bool point = false, digits = false;
	const char *unit = text;
	int power = 0, dropped = 0;
	size_t i;

	unit += strspn(unit, "0123456789.");
	if (*unit) {
		for (i = 0; i < ARRAY_SIZE(units); i++) {
			if (!strncasecmp(unit, units[i].name, strlen(unit)))
				break;
		}
		if (i == ARRAY_SIZE(units))
			return -EINVAL;
		power = units[i].power;
	}

	/* value * 10^power */
	for (; text < unit; text++) {
		if (*text == '.') {
			if (point)
				return -EINVAL;
			point = true;
			continue;
		}
		digits = true;
		if (value > (UINT64_MAX - 9) / 10) {
			if (!point)
				return -ERANGE;
			continue;
		}
		value = value * 10 + *text - '0';
		power -= point;
	}
	if (!digits)
		return -EINVAL;
	for (; power > 0; power--) {
		if (value > UINT64_MAX / 10)
			return -ERANGE;
		value *= 10;
	}
	for (; power < 0; power++) {
		dropped = value % 10;
		value /= 10;
	}
	*khz = value + (dropped >= 5);
	return 0;
}
