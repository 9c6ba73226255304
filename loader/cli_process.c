// SPDX-License-Identifier: BSD-2-Clause
/*
 * A running process: what it was started as, and what is in it.
 *
 * A process can end at any moment, and what can be read of it depends on who asks:
 * every part may be missing.
 */
#define _GNU_SOURCE
#include "cli_process.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENVIRONMENT_MAX (16u << 20)
#define STATUS_MAX (64u << 10)
#define AUXV_MAX 4096
/* Between two looks at it a process may have become another program, this often. */
#define EXECS_MAX 4

pid_t cli_pid(const char *text)
{
	char *end;
	long pid;

	if (!*text || text[strspn(text, "0123456789")])
		return 0;
	errno = 0;
	pid = strtol(text, &end, 10);
	return errno || pid > INT_MAX ? 0 : pid;
}

/* A file of /proc/PID. */
static int open_file(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Read a whole file of /proc/PID; null if that is not possible. */
static char *read_file(pid_t pid, const char *name, size_t max, size_t *len)
{
	int fd = open_file(pid, name);
	char *text = NULL;

	if (fd < 0)
		return NULL;
	if (trust_read(fd, name, max, &text, len))
		text = NULL;
	close(fd);
	return text;
}

/* Where a link of /proc/PID leads. */
static char *read_link(pid_t pid, const char *name)
{
	char path[64], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return NULL;
	target[n] = '\0';
	return strdup(target);
}

/* ------------------------------------------------------------ parts --- */

/* A text in the process's memory. */
static char *read_text(int mem, uint64_t at)
{
	char text[PATH_MAX];
	ssize_t n = at ? pread64(mem, text, sizeof(text), at) : -1;

	return n > 0 && memchr(text, 0, n) ? strdup(text) : NULL;
}

static void read_auxv(struct cli_process *process, int mem)
{
	ElfW(auxv_t) auxv[AUXV_MAX / sizeof(ElfW(auxv_t))];
	int fd = open_file(process->pid, "auxv");
	ssize_t n;

	if (fd < 0)
		return;
	n = read(fd, auxv, sizeof(auxv));
	close(fd);
	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(auxv[0]); i++) {
		if (auxv[i].a_type == AT_SECURE)
			process->secure = auxv[i].a_un.a_val != 0;
		if (auxv[i].a_type == AT_EXECFN && !process->program.path)
			process->program.path = read_text(mem, auxv[i].a_un.a_val);
	}
}

/* The numbers behind a label of /proc/PID/status. */
static size_t read_ids(const char *status, const char *label, unsigned *ids, size_t max)
{
	const char *p = strstr(status, label);
	size_t n = 0;
	int used;

	if (!p)
		return 0;
	p += strlen(label);
	while (n < max && sscanf(p, "%*[ \t]%u%n", &ids[n], &used) == 1) {
		p += used;
		n++;
	}
	return n;
}

/* Of the four ids of each kind the second is the effective one. */
static int read_owner(struct cli_process *process)
{
	unsigned uids[4], gids[4];
	size_t len;
	char *status = read_file(process->pid, "status", STATUS_MAX, &len);

	if (!status)
		return -ESRCH;
	if (read_ids(status, "\nUid:", uids, 4) < 2 ||
	    read_ids(status, "\nGid:", gids, 4) < 2) {
		free(status);
		return -ESRCH;
	}
	process->uid = uids[1];
	process->gid = gids[1];
	process->n_groups = read_ids(status, "\nGroups:", process->groups, CLI_GROUPS_MAX);
	free(status);
	return 0;
}

/* The path as the process itself would have it, which may have another root. */
static void cut_root(pid_t pid, char *path)
{
	char *root = read_link(pid, "root");
	size_t len = root ? strlen(root) : 0;

	if (len > 1 && strncmp(path, root, len) == 0 && path[len] == '/')
		memmove(path, path + len, strlen(path + len) + 1);
	free(root);
}

/* Its executable, or why there is none to be told. */
static int read_exe(struct cli_process *process)
{
	char *exe = read_link(process->pid, "exe");

	if (!exe)
		return errno == EACCES || errno == EPERM ? -EACCES : -ESRCH;
	cli_cut_deleted(exe);
	cut_root(process->pid, exe);
	process->program.exe = exe;
	return 0;
}

/*
 * The unit of a service of the system, as its control group is called:
 * 0::/system.slice/NAME.service, perhaps with folders of its own below.
 */
static void read_unit(struct cli_process *process)
{
	const char *suffix = ".service";
	size_t len;
	char *groups = read_file(process->pid, "cgroup", STATUS_MAX, &len);
	char *start = groups ? strstr(groups, "/system.slice/") : NULL, *end;

	if (start) {
		start += strlen("/system.slice/");
		start[strcspn(start, "\n")] = '\0';
		end = strstr(start, suffix);
		if (end) {
			end[strlen(suffix)] = '\0';
			start = strrchr(start, '/') ? strrchr(start, '/') + 1 : start;
			process->unit = strdup(start);
		}
	}
	free(groups);
}

/* Threads of the kernel and what has ended have none of their own. */
static bool has_memory(pid_t pid)
{
	size_t len;
	char *status = read_file(pid, "status", STATUS_MAX, &len);
	bool found = status && strstr(status, "\nVmSize:");

	free(status);
	return found;
}

static int find_library(pid_t pid, uint64_t above, struct cli_library *out)
{
	int fd = open_file(pid, "maps"), err = errno;
	FILE *maps;

	if (fd < 0)
		return (err == EACCES || err == EPERM) && has_memory(pid) ? -EACCES : -ESRCH;
	maps = fdopen(fd, "r");
	if (!maps) {
		close(fd);
		return -ENOMEM;
	}
	err = cli_library_find(maps, above, out);
	fclose(maps);
	return err;
}

/*
 * Of several copies of the preload library the one that was loaded first decides, and
 * the others stand down.
 */
static void read_other_copies(struct cli_process *process, int mem)
{
	struct cli_library next = process->library;
	struct cli_record record;

	while (find_library(process->pid, next.base, &next) == 0 && next.path) {
		if (next.preload && cli_record_read(mem, &next, &record) == 0 &&
		    record.head.state != STATUS_STOOD_DOWN) {
			cli_library_free(&process->library);
			process->library = next;
			process->record = record;
			return;
		}
		free(next.path);
	}
}

static void read_record(struct cli_process *process, int mem)
{
	if (mem < 0)
		snprintf(process->why, sizeof(process->why), "its memory cannot be read: %s%s",
			 strerror(errno), geteuid() ? " (root can)" : "");
	else if (cli_record_read(mem, &process->library, &process->record))
		snprintf(process->why, sizeof(process->why), "%s", message_get());
	else
		process->recorded = true;
	if (process->recorded && process->record.head.state == STATUS_STOOD_DOWN)
		read_other_copies(process, mem);
}

static int read_rest(struct cli_process *process)
{
	int mem, err = read_exe(process);

	if (!err)
		err = read_owner(process);
	if (err)
		return err;
	process->environment =
		read_file(process->pid, "environ", ENVIRONMENT_MAX, &process->environment_len);
	mem = open_file(process->pid, "mem");
	if (process->library.path)
		read_record(process, mem);
	read_auxv(process, mem);
	if (mem >= 0)
		close(mem);
	if (!process->library.path)
		read_unit(process);
	if (!process->program.path)
		process->program.path = strdup(process->program.exe);
	return process->program.path ? 0 : -ENOMEM;
}

/* ------------------------------------------------------------ whole --- */

static int read_once(pid_t pid, bool whole, struct cli_process *out)
{
	int err;

	*out = (struct cli_process){.pid = pid};
	err = find_library(pid, 0, &out->library);
	if (!err && (out->library.path || whole))
		err = read_rest(out);
	if (err)
		cli_process_free(out);
	return err;
}

/* Whether it is another program by now than the one whose maps were read. */
static bool has_moved_on(const struct cli_process *process)
{
	struct cli_library again = {.path = NULL};
	bool moved = find_library(process->pid, 0, &again) || !again.path ||
		     again.base != process->library.base;

	cli_library_free(&again);
	return moved;
}

int cli_process_read(pid_t pid, bool whole, struct cli_process *out)
{
	int err;

	for (int i = 0;; i++) {
		err = read_once(pid, whole, out);
		if (err)
			return err;
		if (!out->library.path || out->recorded || i == EXECS_MAX || !has_moved_on(out))
			return out->library.path != NULL;
		cli_process_free(out);
	}
}

void cli_process_free(struct cli_process *process)
{
	cli_library_free(&process->library);
	cli_program_free(&process->program);
	free(process->environment);
	free(process->unit);
	process->environment = process->unit = NULL;
}

const char *cli_process_getenv(const struct cli_process *process, const char *name)
{
	const char *p = process->environment, *end = p + process->environment_len;
	size_t len = strlen(name);

	for (; p && p < end; p += strlen(p) + 1)
		if (strncmp(p, name, len) == 0 && p[len] == '=')
			return p + len + 1;
	return NULL;
}

/* An empty value is as good as none, but for the stack. */
static const char *value_of(const struct cli_process *process, const char *name)
{
	const char *value = cli_process_getenv(process, name);

	return value && *value ? value : NULL;
}

/* What the environment of the process says, as far as it is still there. */
static void ask_environment(const struct cli_process *process, struct config_request *out)
{
	out->named = value_of(process, "CHIC_ALLOC_CONF");
	out->stack = cli_process_getenv(process, "CHIC_ALLOC_MODULE");
	out->options = value_of(process, "CHIC_ALLOC_OPTIONS");
}

/* What it recorded, unless that was too long. */
static void ask_record(const struct cli_process *process, struct config_request *out)
{
	const struct status_texts *texts = &process->record.texts;
	struct config_request kept = *out;

	kept.named = texts->asked.given & STATUS_GIVEN_NAMED ? texts->asked.named : NULL;
	kept.stack = texts->asked.given & STATUS_GIVEN_STACK ? texts->asked.stack : NULL;
	kept.options = texts->asked.given & STATUS_GIVEN_OPTIONS ? texts->asked.options : NULL;
	if (status_request_hash(&kept) == process->record.head.request)
		*out = kept;
}

void cli_process_request(const struct cli_process *process, struct config_request *out)
{
	const char *run = value_of(process, "CHIC_ALLOC_RUN");

	*out = (struct config_request){
		.stack_origin = "CHIC_ALLOC_MODULE",
		.options_origin = "CHIC_ALLOC_OPTIONS",
		.secure = process->secure,
		.program = {.execfn = process->program.path, .exe = process->program.exe},
	};
	if (process->secure)
		return;
	out->run = run && strcmp(run, "1") == 0;
	ask_environment(process, out);
	if (process->recorded && process->record.head.request)
		ask_record(process, out);
}

bool cli_process_lost_environment(const struct cli_process *process)
{
	struct config_request request = {.secure = process->secure};

	ask_environment(process, &request);
	return process->recorded &&
	       status_request_hash(&request) != process->record.head.request;
}
