// SPDX-License-Identifier: BSD-2-Clause
/*
 * The thread's last message, and the log.
 *
 * A message is one line.  Whoever finds an error sets it where the facts are at
 * hand; callers may put their own place in front.  Nothing here allocates but
 * the thread's struct.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

static enum log_to log_to = LOG_TO_AUTO;
static bool log_verbose;
static char log_path[MESSAGE_MAX];

static char *message_buffer(void)
{
	struct thread *t = thread_self ? thread_self : thread_attach();

	return t ? t->message : NULL;
}

int message_vset(int err, const char *format, va_list args)
{
	int saved = errno;
	char *buffer = message_buffer();

	if (buffer)
		vsnprintf(buffer, MESSAGE_MAX, format, args);
	errno = saved;
	return err;
}

int message_set(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message_vset(err, format, args);
	va_end(args);
	return err;
}

int message_prefix(int err, const char *format, ...)
{
	char old[MESSAGE_MAX], prefix[MESSAGE_MAX];
	char *buffer = message_buffer();
	va_list args;

	if (!buffer)
		return err;
	strcpy(old, buffer);
	va_start(args, format);
	vsnprintf(prefix, sizeof(prefix), format, args);
	va_end(args);
	return message_set(err, "%s%s%s", prefix, *old ? ": " : "", old);
}

void message_clear(void)
{
	if (thread_self)
		thread_self->message[0] = '\0';
}

const char *message_get(void)
{
	return thread_self ? thread_self->message : "";
}

CHIC_EXPORT const char *chic_alloc_message(void)
{
	return message_get();
}

void log_open(enum log_to to, const char *path, bool verbose)
{
	log_to = to;
	log_verbose = verbose;
	snprintf(log_path, sizeof(log_path), "%s", path ? path : "");
}

/* One write, so that lines of several processes do not mix. */
static void log_fd(int fd, const char *line)
{
	char text[MESSAGE_MAX + 16];
	int n = snprintf(text, sizeof(text), "chic-alloc: %s\n", line);

	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	while (n > 0 && write(fd, text, n) < 0 && errno == EINTR)
		;
}

static void log_file(const char *line)
{
	int fd = open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);

	if (fd < 0)
		return;
	log_fd(fd, line);
	close(fd);
}

static enum log_to log_where(void)
{
	if (log_to != LOG_TO_AUTO)
		return log_to;
	return log_verbose || isatty(STDERR_FILENO) ? LOG_TO_STDERR : LOG_TO_SYSLOG;
}

void log_line(const char *format, ...)
{
	char line[MESSAGE_MAX];
	int saved = errno;
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	switch (log_where()) {
	case LOG_TO_STDERR:
		log_fd(STDERR_FILENO, line);
		break;
	case LOG_TO_SYSLOG:
		syslog(LOG_USER | LOG_WARNING, "chic-alloc: %s", line);
		break;
	case LOG_TO_FILE:
		log_file(line);
		break;
	default:
		break;
	}
	errno = saved;
}
