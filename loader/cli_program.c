// SPDX-License-Identifier: BSD-2-Clause
/*
 * The program that a rule may mean: found along PATH as execvp(3) would, and
 * seen as the kernel will see it, whose AT_EXECFN is the path as started and
 * whose executable is a script's interpreter.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DISABLE_FILE CHIC_ALLOC_SYSCONFDIR "/chic-alloc.disable"

/* The kernel follows at most this many "#!" lines. */
#define INTERPRETERS_MAX 5

/* 0, or why the path cannot be executed. */
static int try_path(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) ? -errno : 0;
}

static char *join(const char *folder, size_t len, const char *name)
{
	char *path;

	/* an empty entry of PATH is the current folder */
	if (asprintf(&path, "%.*s/%s", len ? (int)len : 1, len ? folder : ".", name) < 0)
		return NULL;
	return path;
}

/* The first that can be executed; else the error that says most. */
static int search(const char *name, const char *folders, char **out)
{
	int err, worst = -ENOENT;
	size_t len;

	for (;; folders += len + 1) {
		len = strcspn(folders, ":");
		*out = join(folders, len, name);
		if (!*out)
			return -ENOMEM;
		err = try_path(*out);
		if (!err)
			return 0;
		/* a folder that may not be looked into says nothing about the program */
		if (err == -EACCES && access(*out, F_OK) == 0)
			worst = err;
		free(*out);
		*out = NULL;
		if (!folders[len])
			return worst;
	}
}

static int find(const char *name, char **out)
{
	const char *folders = getenv("PATH");

	if (!strchr(name, '/'))
		return *name ? search(name, folders ? folders : "/bin:/usr/bin", out) : -ENOENT;
	*out = strdup(name);
	return *out ? try_path(name) : -ENOMEM;
}

/* The interpreter that a script names in its first line, null if it is none. */
static char *interpreter_of(const char *path)
{
	char line[256] = "", *start;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = pread(fd, line, sizeof(line) - 1, 0);
	close(fd);
	if (n < 3 || line[0] != '#' || line[1] != '!')
		return NULL;
	start = line + 2 + strspn(line + 2, " \t");
	start[strcspn(start, " \t\r\n")] = '\0';
	return *start ? strdup(start) : NULL;
}

/* What /proc/self/exe will say. */
static char *executable_of(const char *path)
{
	char *real, *next, *current = strdup(path);

	for (int i = 0; current && i < INTERPRETERS_MAX; i++) {
		next = interpreter_of(current);
		if (!next)
			break;
		free(current);
		current = next;
	}
	real = current ? realpath(current, NULL) : NULL;
	free(current);
	return real;
}

int cli_program_find(const char *name, struct cli_program *out)
{
	int err;

	*out = (struct cli_program){.path = NULL};
	err = find(name, &out->path);
	if (!err) {
		out->exe = executable_of(out->path);
		return CLI_GOOD;
	}
	cli_program_free(out);
	message_set(err, "%s: %s, expected a program", name, strerror(-err));
	return err == -ENOENT || err == -ENOTDIR ? CLI_NOT_FOUND : CLI_NOT_EXECUTABLE;
}

/* Whether the kernel starts it without the dynamic linker. */
static bool is_static(int fd)
{
	ElfW(Ehdr) header;
	ElfW(Phdr) segment;
	off_t at;

	if (pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	at = (off_t)header.e_phoff;
	for (unsigned i = 0; i < header.e_phnum; i++, at += header.e_phentsize) {
		if (pread(fd, &segment, sizeof(segment), at) != sizeof(segment))
			return false;
		if (segment.p_type == PT_INTERP)
			return false;
	}
	return true;
}

/* Whether execve() gives it another user or group, so that the linker is careful. */
static bool gains_privileges(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return false;
	return ((st.st_mode & S_ISUID) && st.st_uid != getuid()) ||
	       ((st.st_mode & S_ISGID) && st.st_gid != getgid());
}

const char *cli_program_escapes(const struct cli_program *program)
{
	const char *off = getenv("CHIC_ALLOC_DISABLE"), *why = NULL;
	int fd;

	if (off && strcmp(off, "1") == 0)
		return "CHIC_ALLOC_DISABLE is 1";
	if (access(DISABLE_FILE, F_OK) == 0)
		return DISABLE_FILE " exists";
	fd = program->exe ? open(program->exe, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	if (fd < 0)
		return NULL;
	if (is_static(fd))
		why = "it is statically linked";
	else if (gains_privileges(fd))
		why = "it gains privileges";
	close(fd);
	return why;
}

void cli_program_free(struct cli_program *program)
{
	free(program->path);
	free(program->exe);
	*program = (struct cli_program){.path = NULL};
}
