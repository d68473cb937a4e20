// SPDX-License-Identifier: GPL-2.0-only
/* Command run: a governor for the life of a command */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <bpf/libbpf.h>

#include "cpufreq_ext.h"

/* As shells have them */
#define RUN_NOT_EXECUTABLE	126
#define RUN_NOT_FOUND		127
#define RUN_SIGNALED		128

/* Before anything changes; execvp() has the last word. */
static bool run_exists(const char *command)
{
	const char *path = getenv("PATH") ?: "/bin:/usr/bin";
	char file[PATH_LEN];
	size_t len;

	if (strchr(command, '/'))
		return !access(command, X_OK);
	while (*path) {
		len = strcspn(path, ":");
		snprintf(file, sizeof(file), "%.*s/%s", (int)len, path, command);
		if (!access(file, X_OK))
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

static pid_t run_start(char **command, const sigset_t *mask)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(command[0], command);
	main_err("%s: %s: give the command's path", command[0], strerror(errno));
	_exit(errno == ENOENT ? RUN_NOT_FOUND : RUN_NOT_EXECUTABLE);
}

/* The command is worth more than its governor: it goes on without it. */
static void run_note_end(const struct object *o)
{
	char *fault = object_fault(o);

	main_note("%s; the command goes on without it", fault ?: "the governor was unloaded");
	free(fault);
}

/*
 * Wait for the command, and pass on what others send us.  Signals of a terminal
 * go to the command as well.
 */
static int run_wait(pid_t pid, int signals, const struct object *o)
{
	struct pollfd fds[2] = { { .fd = signals, .events = POLLIN } };
	struct signalfd_siginfo info;
	int status;

	fds[1].fd = object_has_link(o) ? bpf_link__fd(o->governor) : -1;
	for (;;) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents) {
			run_note_end(o);
			fds[1].fd = -1;
			fds[1].revents = 0;
		}
		if (!fds[0].revents)
			continue;
		if (read(signals, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo != SIGCHLD) {
			if (info.ssi_code != SI_KERNEL)
				kill(pid, info.ssi_signo);
			continue;
		}
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : RUN_SIGNALED + WTERMSIG(status);
}

static int run_command(char **command, const struct object *o,
		       const sigset_t *signals, const sigset_t *mask)
{
	int status = 1, fd;
	pid_t pid;

	fd = signalfd(-1, signals, SFD_CLOEXEC);
	pid = fd < 0 ? -1 : run_start(command, mask);
	if (pid < 0)
		main_err("cannot start %s (%s): try again", command[0], strerror(errno));
	else
		status = run_wait(pid, fd, o);
	if (fd >= 0)
		close(fd);
	return status;
}

int run_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "cpus", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "verbose", no_argument, NULL, 'v' },
		{}
	};
	sigset_t signals, mask;
	const char *cpus = NULL;
	char **command = NULL;
	struct select s = {};
	struct object o;
	int opt, i, lock, err;

	/* The command's options are none of ours. */
	for (i = 1; i < argc && !command; i++) {
		if (!strcmp(argv[i], "--")) {
			command = argv + i + 1;
			argv[i] = NULL;
			argc = i;
		}
	}
	while ((opt = main_option(argc, argv, ":c:hv", options)) != -1) {
		if (opt != 'c')
			return opt == MAIN_HELP ? opt : 1;
		cpus = optarg;
	}
	argc -= optind;
	argv += optind;
	if (!argc || !command || !*command)
		return main_err("run what? cpufreq_ext run NAME [TUNABLE=VALUE...] -- COMMAND");
	if (!run_exists(*command)) {
		main_err("%s: no such command: give its path", *command);
		return RUN_NOT_FOUND;
	}
	if (object_open(&o, argv[0], argc - 1, argv + 1))
		return -1;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGQUIT);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGUSR2);
	sigprocmask(SIG_BLOCK, &signals, &mask);

	lock = select_lock();
	err = load_register(&o, &s, true, cpus, false);
	select_unlock(lock);
	if (!err)
		err = run_command(command, &o, &signals, &mask);
	lock = select_lock();
	object_close(&o);
	if (select_end(&s) && !err)
		err = 1;
	select_unlock(lock);
	return err;
}
