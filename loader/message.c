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
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#define SYSLOG_SOCKET "/dev/log"

struct log {
	enum log_to to;
	bool verbose;
	char *path; /* its own; null but for a file */
};

static struct log current = {.to = LOG_TO_AUTO}, former = {.to = LOG_TO_AUTO};
static const char *syslog_socket = SYSLOG_SOCKET;

static char *message_buffer(void)
{
	struct thread *t = thread_self ? thread_self : thread_attach();

	return t ? t->message : NULL;
}

/* Modules, libraries and names of files may bring line ends of their own. */
static void make_one_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = ' ';
}

int message_vset(int err, const char *format, va_list args)
{
	int saved = errno;
	char *buffer = message_buffer();

	if (buffer) {
		vsnprintf(buffer, MESSAGE_MAX, format, args);
		make_one_line(buffer);
	}
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

/* Nobody is there to be told that there is no memory for the path. */
void log_open(enum log_to to, const char *path, bool verbose)
{
	char *copy = path ? strdup(path) : NULL;

	free(former.path);
	former = current;
	current = (struct log){.to = to, .verbose = verbose, .path = copy};
	if (path && !copy)
		current.to = LOG_TO_NONE;
}

void log_reopen(void)
{
	free(current.path);
	current = former;
	former = (struct log){.to = LOG_TO_AUTO};
}

void log_set_socket(const char *path)
{
	syslog_socket = path ? path : SYSLOG_SOCKET;
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

/* A FIFO that nobody reads must not hold the program up. */
static void log_file(const char *line)
{
	int fd = open(current.path,
		      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);

	if (fd < 0)
		return;
	log_fd(fd, line);
	close(fd);
}

/*
 * Not syslog(): that keeps a descriptor which the program does not expect, asks
 * for memory, and shares its name and facility with the program's own use.
 */
static void log_syslog(const char *line)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	char text[MESSAGE_MAX + NAME_MAX];
	int fd, n;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", syslog_socket);
	n = snprintf(text, sizeof(text), "<%d>%.64s[%d]: chic-alloc: %s",
		     LOG_USER | LOG_WARNING, program_invocation_short_name, getpid(), line);
	sendto(fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
	close(fd);
}

static enum log_to log_where(void)
{
	if (current.to != LOG_TO_AUTO)
		return current.to;
	return current.verbose || isatty(STDERR_FILENO) ? LOG_TO_STDERR : LOG_TO_SYSLOG;
}

void log_line(const char *format, ...)
{
	char line[MESSAGE_MAX];
	int saved = errno;
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	make_one_line(line);
	switch (log_where()) {
	case LOG_TO_STDERR:
		log_fd(STDERR_FILENO, line);
		break;
	case LOG_TO_SYSLOG:
		log_syslog(line);
		break;
	case LOG_TO_FILE:
		log_file(line);
		break;
	default:
		break;
	}
	errno = saved;
}
