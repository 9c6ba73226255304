// SPDX-License-Identifier: BSD-2-Clause
/*
 * The configuration as a process would read it if it started now: from its root
 * folder and with its rights, since whose files are believed depends on who reads
 * them.  That also keeps root from opening what a user's environment names.
 */
#define _GNU_SOURCE
#include "cli_process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DISABLE_FILE CHIC_ALLOC_SYSCONFDIR "/chic-alloc.disable"

/* ------------------------------------------------------------ enter --- */

static bool same_file(const char *a, const char *b)
{
	struct stat left, right;

	return stat(a, &left) == 0 && stat(b, &right) == 0 && left.st_dev == right.st_dev &&
	       left.st_ino == right.st_ino;
}

/* Services have mount namespaces of their own with the machine's root in it. */
static bool has_own_root(pid_t pid)
{
	char root[64], mounts[64];

	snprintf(root, sizeof(root), "/proc/%d/root/.", pid);
	snprintf(mounts, sizeof(mounts), "/proc/%d/ns/mnt", pid);
	return !same_file(root, "/") || !same_file(mounts, "/proc/self/ns/mnt");
}

static int enter_root(pid_t pid)
{
	char root[64];

	if (!has_own_root(pid))
		return 0;
	snprintf(root, sizeof(root), "/proc/%d/root", pid);
	if (chroot(root))
		return message_set(-errno,
				   "process %d has a root folder or mounts of its own, which "
				   "only root can look at: %s",
				   pid, strerror(errno));
	return 0;
}

/* Paths of its environment may be relative. */
static int enter_folder(int cwd)
{
	if (cwd >= 0 && fchdir(cwd) == 0)
		return 0;
	return chdir("/") ? message_set(-errno, "/: %s", strerror(errno)) : 0;
}

static int take_rights(const struct cli_process *process)
{
	if (geteuid() != 0 || process->uid == 0)
		return 0;
	if (setgroups(process->n_groups, process->groups) ||
	    setresgid(process->gid, process->gid, process->gid) ||
	    setresuid(process->uid, process->uid, process->uid))
		return message_set(-errno, "cannot take the rights of process %d: %s",
				   process->pid, strerror(errno));
	return 0;
}

/* The folder of modules that its environment names is looked for by name, too. */
static int take_moduledir(const struct cli_process *process)
{
	const char *dir = cli_process_getenv(process, "CHIC_ALLOC_MODULEDIR");
	int failed;

	if (cli_process_lost_environment(process))
		return 0;
	failed = dir && !process->secure ? setenv("CHIC_ALLOC_MODULEDIR", dir, 1)
					 : unsetenv("CHIC_ALLOC_MODULEDIR");
	return failed ? message_set(-errno, "CHIC_ALLOC_MODULEDIR: %s", strerror(errno)) : 0;
}

int cli_world_enter(const struct cli_process *process)
{
	char path[64];
	int cwd, err;

	snprintf(path, sizeof(path), "/proc/%d/cwd", process->pid);
	cwd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	err = enter_root(process->pid);
	if (!err)
		err = enter_folder(cwd);
	if (!err)
		err = take_moduledir(process);
	if (!err)
		err = take_rights(process);
	if (cwd >= 0)
		close(cwd);
	return err;
}

/* -------------------------------------------------------------- now --- */

static void refuse(struct cli_record *out, enum status_state state, const char *why)
{
	out->head.state = state;
	snprintf(out->texts.why, sizeof(out->texts.why), "%s", why);
}

static void accept(struct cli_record *out, const struct config *config)
{
	char *key = NULL;

	out->head.telemetry = stack_telemetry(config);
	status_describe(&out->texts, config);
	out->head.state = STATUS_PLATFORM;
	if (stack_is_platform(config))
		return;
	if (stack_key(config, &key)) {
		refuse(out, STATUS_REFUSED, message_get());
		return;
	}
	out->head.state = STATUS_SERVES;
	out->head.key = status_hash(0, key);
	free(key);
}

const char *cli_world_switched_off(const struct cli_process *process)
{
	const char *off = process->secure ? NULL
					  : cli_process_getenv(process, "CHIC_ALLOC_DISABLE");

	if (off && strcmp(off, "1") == 0)
		return "CHIC_ALLOC_DISABLE is 1";
	return access(DISABLE_FILE, F_OK) == 0 ? DISABLE_FILE " exists" : NULL;
}

void cli_world_now(const struct config_request *request, const char *off,
		   struct cli_record *out)
{
	struct config config;

	memset(out, 0, sizeof(*out));
	out->head.request = status_request_hash(request);
	if (off) {
		refuse(out, STATUS_STOOD_DOWN, off);
		return;
	}
	if (config_read(request, &config)) {
		refuse(out, STATUS_REFUSED, message_get());
		return;
	}
	accept(out, &config);
	config_free(&config);
}

/* ---------------------------------------------------------- compare --- */

/* Every other reason for standing down is the program's, and stays. */
static bool was_switched_off(const struct cli_record *record)
{
	return strstr(record->texts.why, "CHIC_ALLOC_DISABLE") ||
	       strstr(record->texts.why, "chic-alloc.disable");
}

static bool stack_changed(const struct cli_process *process, const struct cli_record *now)
{
	const struct cli_record *then = &process->record;

	if (then->head.state == STATUS_REFUSED && !then->head.key)
		return now->head.state != STATUS_REFUSED ||
		       strcmp(then->texts.why, now->texts.why) != 0;
	if (now->head.state == STATUS_REFUSED || then->head.key != now->head.key)
		return true;
	/* a linked program counts everything, whatever is asked for */
	return process->library.preload && then->head.telemetry != now->head.telemetry;
}

static enum cli_changed answer(bool changed)
{
	return changed ? CLI_CHANGED_YES : CLI_CHANGED_NO;
}

enum cli_changed cli_world_compare(const struct cli_process *process,
				   const struct cli_record *now, const char **why)
{
	const struct cli_record *then = &process->record;
	bool off = now->head.state == STATUS_STOOD_DOWN;

	*why = NULL;
	switch (process->recorded ? then->head.state : (unsigned)STATUS_STARTING) {
	case STATUS_STARTING:
		*why = "it is not known what was decided";
		return CLI_CHANGED_UNKNOWN;
	case STATUS_MANUAL:
		*why = "the program applies a configuration by itself";
		return CLI_CHANGED_UNKNOWN;
	case STATUS_STOOD_DOWN:
		return answer(was_switched_off(then) && !off);
	default:
		break;
	}
	if (off)
		return CLI_CHANGED_YES;
	if (then->head.request != now->head.request) {
		*why = "the environment that it started with cannot be read any more";
		return CLI_CHANGED_UNKNOWN;
	}
	return answer(stack_changed(process, now));
}

/* ------------------------------------------------------ on the side --- */

/* The other process: what it finds goes into the pipe. */
static void look(const struct cli_process *process, int fd)
{
	struct config_request request;
	struct cli_record now;

	if (cli_world_enter(process) == 0) {
		cli_process_request(process, &request);
		cli_world_now(&request, cli_world_switched_off(process), &now);
		if (write(fd, &now, sizeof(now)) == sizeof(now))
			_exit(0);
	}
	_exit(1);
}

static bool receive(int fd, pid_t child, struct cli_record *out)
{
	size_t done = 0;
	ssize_t n;

	while (done < sizeof(*out)) {
		n = read(fd, (char *)out + done, sizeof(*out) - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += n;
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return done == sizeof(*out);
}

static bool look_aside(const struct cli_process *process, struct cli_record *out)
{
	bool received = false;
	int fds[2];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC))
		return false;
	child = fork();
	if (child == 0)
		look(process, fds[1]);
	close(fds[1]);
	if (child > 0)
		received = receive(fds[0], child, out);
	close(fds[0]);
	return received;
}

enum cli_changed cli_world_changed(const struct cli_process *process, const char **why)
{
	struct cli_record now;

	if (look_aside(process, &now))
		return cli_world_compare(process, &now, why);
	*why = "its files cannot be looked at";
	return CLI_CHANGED_UNKNOWN;
}
