// SPDX-License-Identifier: BSD-2-Clause
/*
 * The file that reports of counting go to.
 *
 * A report is whole or not there: it is written beside its name and then renamed,
 * so that a process may be killed at any time.  What is no regular file cannot be
 * replaced that way, and is written in place.
 *
 * System calls are made past the C library's functions, which cancel threads, and
 * past those of other preloads, whose destructors may have run when a process ends.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "counting.h"

/* Out of the way of programs that expect the next descriptors to be small. */
#define STDERR_COPY_LEAST 100
/* What fstat is made of, by its name where off_t has 64 bits and by the other's. */
#ifndef SYS_newfstatat
#define SYS_newfstatat SYS_fstatat64
#endif

static int stat_of(int fd, const char *path, int flags, struct stat64 *st)
{
	return (int)syscall(SYS_newfstatat, fd, path, st, flags);
}

static int file_of(int fd, struct stat64 *st)
{
	return stat_of(fd, "", AT_EMPTY_PATH, st);
}

static int open_file(const char *path, int flags)
{
	const int always = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_LARGEFILE;
	long fd = syscall(SYS_openat, AT_FDCWD, path, always | flags, 0600);

	return fd < 0 ? -errno : (int)fd;
}

static int close_file(int fd)
{
	return syscall(SYS_close, fd) ? -errno : 0;
}

static int unlink_file(const char *path)
{
	return syscall(SYS_unlinkat, AT_FDCWD, path, 0) ? -errno : 0;
}

static int rename_file(const char *from, const char *to)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0) ? -errno : 0;
}

/* ---------------------------------------------------------------- name -- */

bool counting_file_is_ours(const struct counting_file *f)
{
	return !f->pattern[0] || getpid() == f->started || output_has_pid(f->pattern);
}

/* A name of its own for each process: two may be writing the same file. */
static void temporary_name(struct counting_file *f)
{
	size_t len = strlen(f->path);

	memcpy(f->temporary, f->path, len);
	f->temporary[len++] = '.';
	len += output_append_number(f->temporary + len, 20, (unsigned long)getpid());
	memcpy(f->temporary + len, ".tmp", sizeof(".tmp"));
}

/* ---------------------------------------------------------------- file -- */

/*
 * A link that a stranger put into a folder such as /tmp would cut any file of ours, and
 * to open a pipe that nobody reads would last for ever.
 */
static int open_in_place(struct counting_file *f, const struct stat64 *st)
{
	int fd;

	f->in_place = true;
	if (S_ISLNK(st->st_mode) && st->st_uid != 0 && st->st_uid != geteuid())
		return -ELOOP;
	fd = open_file(f->path, O_TRUNC | O_NONBLOCK | (S_ISLNK(st->st_mode) ? 0 : O_NOFOLLOW));
	if (fd >= 0)
		fcntl(fd, F_SETFL, 0);
	return fd;
}

static int open_beside(struct counting_file *f)
{
	int fd;

	temporary_name(f);
	fd = open_file(f->temporary, O_EXCL | O_NOFOLLOW);
	/* left behind by a process of this number that was killed */
	if (fd == -EEXIST && unlink_file(f->temporary) == 0)
		fd = open_file(f->temporary, O_EXCL | O_NOFOLLOW);
	return fd;
}

int counting_file_open(struct counting_file *f)
{
	struct stat64 st = {.st_mode = 0};
	int err = output_expand(f->pattern, f->path, sizeof(f->path));
	bool there;
	int fd;

	if (err)
		return err;
	there = stat_of(AT_FDCWD, f->path, AT_SYMLINK_NOFOLLOW, &st) == 0;
	if (there && !S_ISREG(st.st_mode))
		return open_in_place(f, &st);
	f->in_place = false;
	fd = open_beside(f);
	/* the file may be ours to write where the folder is not, or its name too long */
	if (there && (fd == -EACCES || fd == -EPERM || fd == -ENAMETOOLONG))
		return open_in_place(f, &st);
	return fd;
}

int counting_file_close(struct counting_file *f, int fd, int err)
{
	int close_err = close_file(fd);

	if (!err)
		err = close_err;
	if (f->in_place)
		return err;
	if (!err)
		err = rename_file(f->temporary, f->path);
	if (err)
		unlink_file(f->temporary);
	return err;
}

/* -------------------------------------------------------------- stderr -- */

static bool is_stderr(const struct counting_file *f, int fd)
{
	struct stat64 st;

	return fd >= 0 && file_of(fd, &st) == 0 && st.st_dev == f->stderr_dev &&
	       st.st_ino == f->stderr_ino;
}

/*
 * Programs such as those of coreutils close stderr before they end, to see its
 * errors; so a copy is kept.  Others close all they did not open, and the number
 * of the copy may be another file's by then: nothing is written there.
 */
static void stderr_keep(struct counting_file *f, bool copy)
{
	struct stat64 st;

	f->stderr_copy = -1;
	if (file_of(STDERR_FILENO, &st) != 0)
		return;
	f->stderr_dev = st.st_dev;
	f->stderr_ino = st.st_ino;
	if (!copy)
		return;
	f->stderr_copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_COPY_LEAST);
	if (f->stderr_copy < 0)
		f->stderr_copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

/*
 * What a program made of its stderr; one that closes all it did not open may have a
 * database or a connection there.
 */
static bool is_another_log(const struct counting_file *f)
{
	struct stat64 st;

	return f->stderr_ino && file_of(STDERR_FILENO, &st) == 0 &&
	       (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode) ||
		fcntl(STDERR_FILENO, F_GETFL) & O_APPEND);
}

/* A message in the middle of something else goes nowhere but where it always went. */
int counting_file_stderr(const struct counting_file *f)
{
	if (is_stderr(f, STDERR_FILENO))
		return STDERR_FILENO;
	if (f->pattern[0])
		return -1;
	if (is_another_log(f))
		return STDERR_FILENO;
	return is_stderr(f, f->stderr_copy) ? f->stderr_copy : -1;
}

/* ---------------------------------------------------------- life cycle -- */

int counting_file_start(struct counting_file *f, const char *output)
{
	int err = output_pattern(f->pattern, sizeof(f->pattern), output);

	if (err)
		return err;
	f->started = getpid();
	/* programs that look at their descriptors see none of ours */
	stderr_keep(f, !f->pattern[0]);
	return 0;
}

void counting_file_stop(struct counting_file *f)
{
	if (is_stderr(f, f->stderr_copy))
		close(f->stderr_copy);
}
