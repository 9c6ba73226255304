// SPDX-License-Identifier: BSD-2-Clause
/*
 * The summary of counting, written when the process exits.  Made in a buffer on
 * the stack: what reports about the heap does not use it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "counting.h"

#define SUMMARY_MAX 6144
/* Out of the way of programs that expect the next descriptors to be small. */
#define STDERR_COPY_LEAST 100
/* What fstat is made of, by its name where off_t has 64 bits and by the other's. */
#ifndef SYS_newfstatat
#define SYS_newfstatat SYS_fstatat64
#endif

/* Instances that write a summary; changed under the loader's lock only. */
static struct counting *reporting;

struct text {
	size_t len;
	char bytes[SUMMARY_MAX];
};

static void __attribute__((format(printf, 2, 3)))
put(struct text *text, const char *format, ...)
{
	size_t left = sizeof(text->bytes) - text->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->bytes + text->len, left, format, args);
	va_end(args);
	if (n > 0)
		text->len += smaller(n, left - 1);
}

struct totals {
	size_t calls[COUNTING_CLASSES];
	size_t bytes[COUNTING_CLASSES];
	size_t all_calls;
	size_t all_bytes;
};

static void totals_add(struct totals *sum, struct counting_tally *t)
{
	unsigned k;

	for (k = 0; k < COUNTING_CLASSES; k++) {
		size_t calls = atomic_load(&t->classes[k].calls);
		size_t bytes = atomic_load(&t->classes[k].bytes);

		sum->calls[k] += calls;
		sum->bytes[k] += bytes;
		sum->all_calls += calls;
		sum->all_bytes += bytes;
	}
}

static void summary_text(struct counting *c, struct text *text)
{
	struct totals sum = {.all_calls = 0};
	struct counting_tally *t;
	unsigned k;

	totals_add(&sum, &c->shared);
	for (t = atomic_load(&c->tallies); t; t = t->next)
		totals_add(&sum, t);

	put(text, "chic-alloc: counting: pid %ld, %.200s\n", (long)getpid(),
	    program_invocation_short_name);
	put(text, "%-15s %20zu\n", "live-blocks", atomic_load(&c->live_blocks));
	put(text, "%-15s %20zu\n", "live-bytes", atomic_load(&c->live_bytes));
	put(text, "%-15s %20zu\n", "peak-bytes", atomic_load(&c->peak_bytes));
	put(text, "%-15s %20zu\n", "total-blocks", sum.all_calls);
	put(text, "%-15s %20zu\n", "total-bytes", sum.all_bytes);
	for (k = 0; k < COUNTING_CLASSES; k++)
		if (sum.calls[k])
			put(text, "up-to 2^%-7u %20zu %20zu\n", k, sum.calls[k], sum.bytes[k]);
}

/* %p becomes the process id, %% a percent sign; anything else stays. */
static int expand_output(const char *pattern, char *path, size_t size)
{
	size_t len = 0;

	for (; *pattern && len < size; pattern++) {
		if (pattern[0] == '%' && pattern[1] == 'p') {
			len += snprintf(path + len, size - len, "%ld", (long)getpid());
			pattern++;
			continue;
		}
		if (pattern[0] == '%' && pattern[1] == '%')
			pattern++;
		path[len++] = *pattern;
	}
	if (len >= size)
		return -ENAMETOOLONG;
	path[len] = '\0';
	return 0;
}

static void write_all(int fd, const struct text *text)
{
	size_t done = 0;

	while (done < text->len) {
		ssize_t n = write(fd, text->bytes + done, text->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		done += n;
	}
}

/*
 * Past a library that has fstat and lstat as well (faketime): when a process ends
 * its destructors may have run before the summary is written.
 */
static int stat_of(int fd, const char *path, int flags, struct stat64 *st)
{
	return syscall(SYS_newfstatat, fd, path, st, flags);
}

static int file_of(int fd, struct stat64 *st)
{
	return stat_of(fd, "", AT_EMPTY_PATH, st);
}

static bool is_trusted_link(const char *path)
{
	struct stat64 st;

	return stat_of(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &st) == 0 && S_ISLNK(st.st_mode) &&
	       (st.st_uid == 0 || st.st_uid == geteuid());
}

/* A link that a stranger put into a folder such as /tmp would cut any file of ours. */
static int open_output(const char *pattern)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY;
	char path[PATH_MAX];
	int fd, err = expand_output(pattern, path, sizeof(path));

	if (err)
		return err;
	fd = open(path, flags | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == ELOOP && is_trusted_link(path))
		fd = open(path, flags, 0600);
	return fd < 0 ? -errno : fd;
}

static bool is_stderr(const struct counting *c, int fd)
{
	struct stat64 st;

	return fd >= 0 && file_of(fd, &st) == 0 && st.st_dev == c->stderr_dev &&
	       st.st_ino == c->stderr_ino;
}

/*
 * Programs such as those of coreutils close stderr before they end, to see its
 * errors; so a copy is kept.  Others close all they did not open, and the number
 * of the copy may be another file's by then: nothing is written there.
 */
static void stderr_keep(struct counting *c)
{
	struct stat64 st;

	if (file_of(STDERR_FILENO, &st) != 0)
		return;
	c->stderr_dev = st.st_dev;
	c->stderr_ino = st.st_ino;
	c->stderr_copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_COPY_LEAST);
	if (c->stderr_copy < 0)
		c->stderr_copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

static int stderr_now(const struct counting *c)
{
	struct stat64 st;

	if (file_of(STDERR_FILENO, &st) == 0)
		return STDERR_FILENO;
	return is_stderr(c, c->stderr_copy) ? c->stderr_copy : -1;
}

static void summary_write(struct counting *c)
{
	struct text text = {.len = 0};
	int fd = stderr_now(c);

	if (c->output[0]) {
		/* A forked child must not take its parent's file away. */
		if (getpid() != c->pid && !strstr(c->output, "%p"))
			return;
		fd = open_output(c->output);
	}
	if (fd < 0 && c->output[0]) {
		put(&text, "chic-alloc: counting: output: cannot open \"%.400s\": %s\n",
		    c->output, strerror(-fd));
		write_all(stderr_now(c), &text);
		return;
	}
	summary_text(c, &text);
	write_all(fd, &text);
	if (c->output[0])
		close(fd);
}

static void summary_write_all(void)
{
	struct counting *c;

	for (c = reporting; c; c = c->next_reporting)
		summary_write(c);
}

/* A relative name means the folder where the program was started, not where it ends. */
static int output_set(struct counting *c, const char *output)
{
	char cwd[PATH_MAX] = "";
	int n;

	if (output[0] && output[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		return -errno;
	n = snprintf(c->output, sizeof(c->output), "%s%s%s", cwd, cwd[0] ? "/" : "", output);
	return (size_t)n < sizeof(c->output) ? 0 : -ENAMETOOLONG;
}

int counting_summary_start(struct counting *c)
{
	static bool registered;
	const char *output = chic_param_text(c->args, "output");
	int err = output_set(c, output);

	if (err) {
		c->args->fail("output = %s: %s", output, strerror(-err));
		return err;
	}
	if (!registered && atexit(summary_write_all) != 0) {
		c->args->fail("summary = yes: atexit: out of memory");
		return -ENOMEM;
	}
	registered = true;
	c->pid = getpid();
	/* programs that look at their descriptors see none of ours */
	c->stderr_copy = -1;
	if (!c->output[0])
		stderr_keep(c);
	c->next_reporting = reporting;
	reporting = c;
	return 0;
}

void counting_summary_stop(const struct counting *c)
{
	struct counting **at;

	for (at = &reporting; *at; at = &(*at)->next_reporting) {
		if (*at != c)
			continue;
		*at = c->next_reporting;
		if (is_stderr(c, c->stderr_copy))
			close(c->stderr_copy);
		return;
	}
}
