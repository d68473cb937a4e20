// SPDX-License-Identifier: GPL-2.0-only
/* Commands load, replace and unload */
#include <errno.h>
#include <getopt.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cpufreq_ext.h"

#define LOAD_CHECK_MS	1000

/* Tell systemd, if it waits for that, that the governor is there. */
static void load_notify(void)
{
	static const char ready[] = "READY=1";
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len;
	int fd;

	len = path ? strlen(path) : 0;
	if (!len || len >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, len);
	if (*path == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, ready, strlen(ready), MSG_NOSIGNAL, (struct sockaddr *)&to,
		   offsetof(struct sockaddr_un, sun_path) + len) < 0)
		main_note("systemd was not told that the governor is loaded: %s", strerror(errno));
	close(fd);
}

/* Whatever can refuse a load and changes nothing; the verifier comes after it. */
static int load_check(const char *cpus, bool select, bool pin)
{
	struct governor g;
	int found;

	if (geteuid())
		return main_err("not permitted to load BPF programs: run as root");
	if (sysfs_check_ext(select) || select_check_cpus(cpus))
		return -1;
	found = governor_find(&g);
	if (found < 0)
		return -1;
	governor_close(&g);
	if (found) {
		main_err("BPF governor '%s' is loaded: use cpufreq_ext replace, or unload before",
			 g.name);
		return -1;
	}
	if (!select && !sysfs_ext_policies())
		return object_no_policy();
	/* Nothing is registered: pins are leftovers of what somebody detached. */
	object_unpin(true);
	return pin ? object_check_pin() : 0;
}

int load_register(struct object *o, struct select *s, bool select,
		  const char *cpus, bool pin)
{
	memset(s, 0, sizeof(*s));
	if (load_check(cpus, select, pin) || object_load(o))
		return -1;
	if (select && select_begin(s, cpus, pin))
		return -1;
	if (!object_attach_others(o) && !object_attach(o) && (!pin || !object_pin(o)))
		return 0;

	object_close(o);
	if (pin)
		object_unpin(true);
	select_end(s);
	return -1;
}

/* What "replace" put into the place of our governor does not need our links. */
static bool load_was_replaced(const struct object *o)
{
	struct bpf_map_info map = {};
	uint32_t len = sizeof(map), now;

	if (bpf_map_get_info_by_fd(bpf_map__fd(o->ops), &map, &len))
		return false;
	now = governor_link_map(bpf_link__fd(o->governor));
	return now && now != map.id;
}

static bool load_is_faulted(void)
{
	char *fault = sysfs_fault();

	free(fault);
	return fault;
}

/* Until a signal comes, or the governor is taken away: true then */
static bool load_wait(struct object *o, const sigset_t *signals)
{
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = 0 } };
	bool replaced = false, gone = false;
	int i;

	fds[0].fd = signalfd(-1, signals, SFD_CLOEXEC);
	/* One without a link cannot be polled. */
	fds[1].fd = object_has_link(o) ? bpf_link__fd(o->governor) : -1;
	while (!gone) {
		if (poll(fds, 2, replaced ? -1 : LOAD_CHECK_MS) < 0)
			continue;
		if (fds[0].revents)
			break;
		gone = fds[1].fd < 0 ? load_is_faulted() : fds[1].revents;
		if (gone || fds[1].fd < 0)
			continue;
		replaced = load_was_replaced(o);
		for (i = 0; replaced && i < o->nr_links; i++)
			bpf_link__destroy(o->links[i]);
		if (replaced)
			o->nr_links = 0;
	}
	close(fds[0].fd);
	return gone;
}

static int load_stay(struct object *o, struct select *s, const sigset_t *signals)
{
	char *fault = NULL;
	int lock, err;
	bool gone;

	load_notify();
	gone = load_wait(o, signals);
	if (gone) {
		fault = object_fault(o);
		main_note("%s", fault ?: "the governor was unloaded");
	}
	lock = select_lock();
	object_close(o);
	if (!gone)
		object_unpin(true);
	select_unlock(lock);
	err = select_end(s);
	if (fault)
		err = MAIN_EJECTED;
	free(fault);
	return err;
}

/* Was it ejected by the time at which it was loaded?  Nobody looks later. */
static bool load_has_failed(const struct object *o)
{
	char *fault = object_fault(o);

	if (fault)
		main_note("%s", fault);
	free(fault);
	return fault;
}

static int load_leave(struct object *o, struct select *s)
{
	int lock;

	if (!load_has_failed(o)) {
		printf("%s is loaded\n", o->name);
		object_close(o);
		free(s->saved);
		return 0;
	}

	lock = select_lock();
	object_close(o);
	object_unpin(true);
	select_unlock(lock);
	select_end(s);
	return MAIN_EJECTED;
}

int load_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "select", no_argument, NULL, 's' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "pin", no_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ "verbose", no_argument, NULL, 'v' },
		{}
	};
	bool select = false, pin = false;
	const char *cpus = NULL;
	struct select s = {};
	struct object o;
	sigset_t signals;
	int opt, lock, err;

	while ((opt = main_option(argc, argv, ":sc:phv", options)) != -1) {
		switch (opt) {
		case 's':
			select = true;
			break;
		case 'c':
			cpus = optarg;
			select = true;
			break;
		case 'p':
			pin = true;
			break;
		default:
			return opt == MAIN_HELP ? opt : 1;
		}
	}
	argc -= optind;
	argv += optind;
	if (!argc)
		return main_err("load what? cpufreq_ext list shows the governors");

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGQUIT);

	if (object_open(&o, argv[0], argc - 1, argv + 1))
		return -1;
	/* From here on, signals must not keep us from giving back. */
	sigprocmask(SIG_BLOCK, &signals, NULL);
	lock = select_lock();
	err = load_register(&o, &s, select, cpus, pin);
	select_unlock(lock);
	if (err) {
		object_close(&o);
		return -1;
	}
	if (pin)
		return load_leave(&o, &s);

	printf("%s is loaded, until this program ends\n", o.name);
	fflush(stdout);
	return load_stay(&o, &s, &signals);
}

/* ---- replace ---- */

/*
 * libbpf makes a map ready for a link only on the way to a link of its own,
 * which the kernel refuses here as there is a governor.
 */
static int load_make_ready(struct object *o)
{
	struct bpf_link *link = bpf_map__attach_struct_ops(o->ops);

	if (!link && errno == EBUSY)
		return 0;
	if (!link)
		return main_err("%s: the kernel does not take it (%s): see the end of dmesg",
				o->path, strerror(errno));
	bpf_link__destroy(link);
	return main_err("the running governor was unloaded meanwhile: use cpufreq_ext load");
}

static int load_update(const struct governor *g, struct object *o)
{
	if (load_make_ready(o))
		return -1;
	object_watch(o);
	if (bpf_link_update(g->link_fd, bpf_map__fd(o->ops), NULL))
		return main_err("%s does not start (%s), %s stays: see the end of dmesg",
				o->name, strerror(errno), g->name);
	return 0;
}

static int load_replace(const struct governor *g, struct object *o)
{
	glob_t old = {};
	size_t i;

	if (object_load(o) || object_attach_others(o))
		return -1;
	/* Nobody but a pin holds what the new governor needs besides its link. */
	glob(PIN_DIR "/link_*", 0, NULL, &old);
	if (o->nr_links && (object_check_pin() || object_pin_others(o)))
		goto fail;
	if (load_update(g, o)) {
		for (i = 0; i < (size_t)o->nr_links; i++)
			bpf_link__unpin(o->links[i]);
		goto fail;
	}
	for (i = 0; i < old.gl_pathc; i++)
		unlink(old.gl_pathv[i]);
	globfree(&old);
	return 0;

fail:
	globfree(&old);
	rmdir(PIN_DIR);
	return -1;
}

int load_replace_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "verbose", no_argument, NULL, 'v' },
		{}
	};
	struct governor g = {};
	struct object o;
	int opt, lock, err;

	opt = main_option(argc, argv, ":hv", options);
	if (opt != -1)
		return opt == MAIN_HELP ? opt : 1;
	argc -= optind;
	argv += optind;
	if (!argc)
		return main_err("replace it by what? cpufreq_ext list shows the governors");
	if (object_open(&o, argv[0], argc - 1, argv + 1))
		return -1;

	lock = select_lock();
	err = governor_need(&g);
	if (!err && !g.link_id) {
		main_err("%s was registered without a link, it cannot be replaced: cpufreq_ext unload",
			 g.name);
		err = -1;
	}
	if (!err && !object_has_link(&o)) {
		main_err("%s: it is in section .struct_ops, not .struct_ops.link: unload, then load it",
			 o.path);
		err = -1;
	}
	err = err ?: load_replace(&g, &o);
	if (!err && load_has_failed(&o))
		err = MAIN_EJECTED;
	if (!err)
		printf("%s is loaded in place of %s\n", o.name, g.name);
	governor_close(&g);
	object_close(&o);
	select_unlock(lock);
	return err;
}

/* ---- unload ---- */

int load_unload_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "verbose", no_argument, NULL, 'v' },
		{}
	};
	int opt, lock, found, err = 0;
	struct governor g;

	opt = main_option(argc, argv, ":hv", options);
	if (opt != -1)
		return opt == MAIN_HELP ? opt : 1;
	if (optind < argc) {
		main_err("unload takes no arguments, there is one governor at most: leave out '%s'",
			 argv[optind]);
		return -1;
	}

	lock = select_lock();
	found = governor_find(&g);
	/* Its pin may have been removed by hand: there is still to give back. */
	if (!found && !select_is_saved())
		err = main_err("no BPF governor is loaded: cpufreq_ext load NAME");
	if (found < 0)
		err = -1;
	if (found > 0)
		err = governor_unregister(&g);
	governor_close(&g);
	if (!err) {
		object_unpin(true);
		err = select_end_saved();
	}
	select_unlock(lock);
	return err;
}
