// SPDX-License-Identifier: GPL-2.0-only
/*
 * Let policies use ext, and give them back
 *
 * What they had is kept as lines "path value": the governor of each policy, and
 * what it would forget meanwhile: the speed that userspace was told, and the
 * tunables that ondemand and its like have only while a policy uses them.
 *
 * A process, the guard, waits for the end of the one that selected ext, which
 * it learns from a pipe, and gives all back, even if that one was killed.  For a
 * pinned governor the lines are in a file, for "unload" to find.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cpufreq_ext.h"

#define SELECT_FILE	STATE_DIR "/saved"
#define SELECT_LOCK	STATE_DIR "/lock"
#define SELECT_GOVERNOR	"scaling_governor"

static int select_mkdir(void)
{
	mkdir("/run", 0755);
	if (mkdir(STATE_DIR, 0755) && errno != EEXIST)
		return -errno;
	return 0;
}

/* Of those that have the lock, only "bench" has it for longer. */
static bool select_lock_is_free(int fd)
{
	struct timespec hundredth = { .tv_nsec = 10000000 };
	int i;

	for (i = 0; i < 100; i++) {
		if (!flock(fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
			return true;
		nanosleep(&hundredth, NULL);
	}
	return false;
}

int select_lock(void)
{
	int fd;

	/* Where there is no /run, and for others than root, do without. */
	select_mkdir();
	fd = open(SELECT_LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && !select_lock_is_free(fd)) {
		main_note("waiting for another cpufreq_ext, which measures or does not end");
		flock(fd, LOCK_EX);
	}
	return fd;
}

void select_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}

/* ---- what is saved ---- */

static void select_add(char **saved, const char *path, const char *value)
{
	char *line = main_format("%s%s %s\n", *saved ?: "", path, value);

	free(*saved);
	*saved = line;
}

/* All that can be written in @folder, the tunables of a governor, once. */
static void select_add_folder(char **saved, const char *folder)
{
	char full[PATH_LEN], *path, *value;
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	path = main_format("%s/", folder);
	if (*saved && strstr(*saved, path)) {
		free(path);
		return;
	}
	free(path);

	snprintf(full, sizeof(full), "%s/%s", CPUFREQ, folder);
	dir = opendir(full);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (fstatat(dirfd(dir), entry->d_name, &st, 0) ||
		    !S_ISREG(st.st_mode) || !(st.st_mode & 0200) || !(st.st_mode & 0400))
			continue;
		path = main_format("%s/%s", folder, entry->d_name);
		value = sysfs_read("%s", path);
		if (value && !strchr(value, '\n'))
			select_add(saved, path, value);
		free(value);
		free(path);
	}
	closedir(dir);
}

static void select_add_policy(char **saved, unsigned int policy, const char *governor)
{
	char *path, *value;

	path = main_format("policy%u/%s", policy, SELECT_GOVERNOR);
	select_add(saved, path, governor);
	free(path);

	value = sysfs_read("policy%u/scaling_setspeed", policy);
	if (value && value[strspn(value, "0123456789")] == '\0') {
		path = main_format("policy%u/scaling_setspeed", policy);
		select_add(saved, path, value);
		free(path);
	}
	free(value);

	path = main_format("policy%u/%s", policy, governor);
	select_add_folder(saved, path);
	free(path);
	select_add_folder(saved, governor);
}

static bool select_covers(unsigned int policy, const bool *cpus, int nr)
{
	char *text = sysfs_read("policy%u/related_cpus", policy);
	bool *set, covers = false;
	int i;

	if (text && sysfs_parse_cpus(text, &set) >= 0) {
		for (i = 0; i < nr && !covers; i++)
			covers = cpus[i] && set[i];
		free(set);
	}
	free(text);
	return covers;
}

/* Whether each CPU that the user names has a policy */
static int select_check_covered(const bool *cpus, int nr)
{
	unsigned int *policies;
	bool *set, *covered;
	int i, k, n, err = 0;
	char *text;

	covered = main_alloc(NULL, nr);
	memset(covered, 0, nr);
	n = sysfs_policies(&policies);
	for (i = 0; i < n; i++) {
		text = sysfs_read("policy%u/related_cpus", policies[i]);
		if (text && sysfs_parse_cpus(text, &set) >= 0) {
			for (k = 0; k < nr; k++)
				covered[k] |= set[k];
			free(set);
		}
		free(text);
	}
	for (k = 0; k < nr && !err; k++) {
		if (cpus[k] && !covered[k])
			err = main_err("CPU %d has no cpufreq policy: see cpufreq_ext status", k);
	}
	free(policies);
	free(covered);
	return err;
}

int select_check_cpus(const char *cpus)
{
	bool *set;
	int nr, err;

	if (!cpus)
		return 0;
	nr = sysfs_parse_cpus(cpus, &set);
	if (nr < 0)
		return main_err("'%s' is no list of CPUs: give it as in -c 0-3,8", cpus);
	err = select_check_covered(set, nr);
	free(set);
	return err;
}

/* ---- giving back ---- */

struct select_entry {
	char *path;
	char *value;
	bool governor;
	bool keep;	/* what is there must not be changed */
};

/* A policy that somebody gave another governor meanwhile keeps it. */
static bool select_is_taken(const char *path)
{
	char *governor = sysfs_read("%.*s/%s", (int)strcspn(path, "/"), path, SELECT_GOVERNOR);
	bool taken = governor && strcmp(governor, "ext");

	free(governor);
	return taken;
}

/* The strings of the entries are in @text.  @always: no policy is taken. */
static int select_parse(char *text, bool always, struct select_entry **entries)
{
	struct select_entry *e = NULL;
	char *line, *value, *save;
	int nr = 0;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		value = strchr(line, ' ');
		if (!value)
			continue;
		*value++ = '\0';
		/* Nothing but files of cpufreq was saved, which have no such name. */
		if (strstr(line, ".."))
			continue;
		e = main_alloc(e, (nr + 1) * sizeof(*e));
		e[nr].path = line;
		e[nr].value = value;
		e[nr].governor = strstr(line, "/" SELECT_GOVERNOR);
		/* Global tunables that are there were in use all the time. */
		if (strncmp(line, "policy", 6))
			e[nr].keep = sysfs_exists("%s", line);
		else
			e[nr].keep = !always && select_is_taken(line);
		nr++;
	}
	*entries = e;
	return nr;
}

static int select_write_governor(const struct select_entry *e)
{
	int err = sysfs_write(e->path, e->value);

	if (err)
		main_err("%s cannot be %s again (%s): write a governor to it",
			 e->path, e->value, strerror(-err));
	return err;
}

static int select_restore(const char *saved, bool always)
{
	struct select_entry *e;
	int i, nr, pass, err = 0;
	char *text, *now;

	text = main_format("%s", saved);
	nr = select_parse(text, always, &e);
	for (i = 0; i < nr; i++) {
		if (e[i].governor && !e[i].keep && select_write_governor(&e[i]))
			err = -1;
	}
	/* Twice, as some tunables limit each other. */
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < nr; i++) {
			if (e[i].governor || e[i].keep)
				continue;
			now = sysfs_read("%s", e[i].path);
			if (now && strcmp(now, e[i].value))
				sysfs_write(e[i].path, e[i].value);
			free(now);
		}
	}
	free(e);
	free(text);
	return err;
}

/* ---- the file, for pinned governors ---- */

static char *select_read_file(void)
{
	char *saved = NULL;
	size_t size = 0;
	FILE *f;

	f = fopen(SELECT_FILE, "re");
	if (!f)
		return NULL;
	if (getdelim(&saved, &size, '\0', f) < 0) {
		free(saved);
		saved = NULL;
	}
	fclose(f);
	return saved;
}

/* After what an earlier load took and nobody gave back, if anything */
static int select_write_file(const char *saved)
{
	char *before = select_read_file();
	FILE *f = NULL;
	int err;

	err = select_mkdir();
	if (!err) {
		f = fopen(SELECT_FILE ".new", "we");
		if (!f || fprintf(f, "%s%s", before ?: "", saved) < 0)
			err = -errno;
	}
	if (f && fclose(f) && !err)
		err = -errno;
	if (!err && rename(SELECT_FILE ".new", SELECT_FILE))
		err = -errno;
	free(before);
	if (err)
		return main_err(SELECT_FILE " cannot be written (%s): load without --pin",
				strerror(-err));
	return 0;
}

bool select_is_saved(void)
{
	return !access(SELECT_FILE, F_OK);
}

int select_end_saved(void)
{
	char *saved = select_read_file();
	int err;

	if (!saved)
		return 0;
	err = select_restore(saved, false);
	if (!err)
		unlink(SELECT_FILE);
	free(saved);
	return err;
}

/* ---- the guard ---- */

static void select_guard(const struct select *s, int wait)
{
	sigset_t all;
	ssize_t n;
	char c;

	/* What ends the parent must not end its guard. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_NAME, "cpufreq_ext-end");
	/* No BPF object may live on because of it. */
	if (dup2(wait, 0) == 0)
		syscall(SYS_close_range, 3U, ~0U, 0U);
	while ((n = read(0, &c, 1)) < 0 && errno == EINTR)
		;
	/* Who was killed has no lock, or no longer: do not come between another command. */
	if (n <= 0)
		select_lock();
	_exit(select_restore(s->saved, s->always) ? 1 : 0);
}

static int select_start_guard(struct select *s)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return main_err("cannot make a pipe: %s", strerror(errno));
	fflush(NULL);
	s->guard = fork();
	if (s->guard < 0) {
		close(fds[0]);
		close(fds[1]);
		return main_err("cannot make a process: %s", strerror(errno));
	}
	if (!s->guard) {
		close(fds[1]);
		select_guard(s, fds[0]);
	}
	close(fds[0]);
	s->pipe = fds[1];
	return 0;
}

/* ---- what others call ---- */

int select_end(struct select *s)
{
	int status = 0, err = 0;
	sighandler_t old;

	if (s->to_file) {
		err = select_end_saved();
	} else if (s->guard > 0) {
		/* An end that is meant, maybe with the lock; the guard may have been killed. */
		old = signal(SIGPIPE, SIG_IGN);
		if (write(s->pipe, "", 1) != 1)
			err = -1;
		signal(SIGPIPE, old);
		close(s->pipe);
		while (waitpid(s->guard, &status, 0) < 0 && errno == EINTR)
			;
		if (err || WIFSIGNALED(status))
			err = select_restore(s->saved, s->always);
		else
			err = status ? -1 : 0;
	}
	free(s->saved);
	memset(s, 0, sizeof(*s));
	return err;
}

int select_keep(struct select *s, const unsigned int *policies, int nr)
{
	int i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < nr; i++)
		select_add_policy(&s->saved, policies[i], "ext");
	s->always = true;
	return select_start_guard(s);
}

static int select_write_ext(const unsigned int *policies, int nr)
{
	char path[64];
	int i, err;

	for (i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "policy%u/" SELECT_GOVERNOR, policies[i]);
		err = sysfs_write(path, "ext");
		if (err == -EACCES || err == -EPERM)
			return main_err("not permitted to select governors: run as root");
		if (err)
			return main_err("policy%u does not take ext (%s): see the end of dmesg",
					policies[i], strerror(-err));
	}
	return 0;
}

int select_begin(struct select *s, const char *cpus, bool to_file)
{
	unsigned int *policies;
	int i, n, nr = 0, nr_cpus = 0, err = 0;
	bool *set = NULL;
	char *governor;

	memset(s, 0, sizeof(*s));
	if (cpus) {
		nr_cpus = sysfs_parse_cpus(cpus, &set);
		if (nr_cpus < 0)
			return -1;
	}
	n = sysfs_policies(&policies);
	for (i = 0; i < n; i++) {
		if (set && !select_covers(policies[i], set, nr_cpus))
			continue;
		governor = sysfs_read("policy%u/" SELECT_GOVERNOR, policies[i]);
		if (governor && strcmp(governor, "ext")) {
			select_add_policy(&s->saved, policies[i], governor);
			policies[nr++] = policies[i];
		}
		free(governor);
	}
	if (nr && to_file)
		err = select_write_file(s->saved);
	else if (nr)
		err = select_start_guard(s);
	s->to_file = nr && to_file && !err;

	if (!err && nr) {
		err = select_write_ext(policies, nr);
		if (err)
			select_end(s);
	}
	free(policies);
	free(set);
	return err;
}
