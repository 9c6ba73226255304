// SPDX-License-Identifier: BSD-2-Clause
/*
 * The program that a rule may mean: found along PATH as execvp(3) would, and
 * seen as the kernel will see it, whose AT_EXECFN is the path as started and
 * whose executable is a script's interpreter.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* What env(1) would start: options, -S and variables before it are passed over. */
static char *env_command(char *argument)
{
	char *word, *rest = argument;

	while ((word = strsep(&rest, " \t")))
		if (*word && *word != '-' && !strchr(word, '='))
			return strdup(word);
	return NULL;
}

static ssize_t read_head(const char *path, char *head, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : pread(fd, head, size, 0);

	if (fd >= 0)
		close(fd);
	return n;
}

static bool is_text(const char *head, size_t len)
{
	return !memchr(head, '\0', len) && memcmp(head, ELFMAG, SELFMAG) != 0;
}

/*
 * The interpreter that a script names in its first line, null if it is none; and
 * what that starts in its turn, if it is env.
 */
static char *interpreter_of(const char *path, char **command)
{
	char line[256] = "", *start, *end;
	ssize_t n = read_head(path, line, sizeof(line) - 1);

	/* what the kernel does not know, execvp(3) gives to the shell */
	if (n > 0 && is_text(line, n) && memcmp(line, "#!", 2) != 0)
		return strdup("/bin/sh");
	if (n < 3 || line[0] != '#' || line[1] != '!')
		return NULL;
	line[strcspn(line, "\r\n")] = '\0';
	start = line + 2 + strspn(line + 2, " \t");
	end = start + strcspn(start, " \t");
	if (*end)
		*end++ = '\0';
	if (strcmp(basename(start), "env") == 0)
		*command = env_command(end);
	return *start ? strdup(start) : NULL;
}

/* What /proc/self/exe will say. */
static void find_executable(struct cli_program *program)
{
	char *next, *current = strdup(program->path);

	for (int i = 0; current && !program->command && i < INTERPRETERS_MAX; i++) {
		next = interpreter_of(current, &program->command);
		if (!next)
			break;
		program->script = true;
		free(current);
		current = next;
	}
	program->exe = current ? realpath(current, NULL) : NULL;
	free(current);
}

int cli_program_find(const char *name, struct cli_program *out)
{
	int err;

	*out = (struct cli_program){.path = NULL};
	err = find(name, &out->path);
	if (!err) {
		find_executable(out);
		return CLI_GOOD;
	}
	cli_program_free(out);
	message_set(err, "%s: %s, expected a program", name, strerror(-err));
	return err == -ENOENT || err == -ENOTDIR ? CLI_NOT_FOUND : CLI_NOT_EXECUTABLE;
}

void cli_program_free(struct cli_program *program)
{
	free(program->path);
	free(program->exe);
	free(program->command);
	*program = (struct cli_program){.path = NULL};
}
