// SPDX-License-Identifier: BSD-2-Clause
/* The thread's last message, and where lines of the log go. */
#define _GNU_SOURCE
#include "check_support.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

CHIC_ALLOC_MANUAL();

static void *set_another(void *arg)
{
	message_set(-EINVAL, "another thread's");
	return arg;
}

static void run_in_a_thread(void *(*fn)(void *))
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, fn, NULL), 0);
	pthread_join(thread, NULL);
}

START_TEST(messages_are_per_thread_one_line_and_bounded)
{
	char big[2 * MESSAGE_MAX];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	ck_assert_int_eq(message_set(-EINVAL, "%s:%d: got '%s'", "file", 3, "a"), -EINVAL);
	ck_assert_str_eq(chic_alloc_message(), "file:3: got 'a'");
	ck_assert_int_eq(message_prefix(-EPERM, "module %s", "m"), -EPERM);
	ck_assert_str_eq(chic_alloc_message(), "module m: file:3: got 'a'");
	run_in_a_thread(set_another);
	ck_assert_str_eq(chic_alloc_message(), "module m: file:3: got 'a'");
	message_set(-EINVAL, "%s", big);
	message_prefix(-EINVAL, "%s", big);
	ck_assert_uint_eq(strlen(chic_alloc_message()), MESSAGE_MAX - 1);
	message_clear();
	ck_assert_str_eq(chic_alloc_message(), "");
}
END_TEST

START_TEST(messages_leave_errno_alone)
{
	errno = 77;
	message_set(-EINVAL, "%s", "x");
	ck_assert_int_eq(errno, 77);
}
END_TEST

/* ---- the log ---- */

static char path[] = "/tmp/check_message.XXXXXX";

/* What log_line() wrote to stderr. */
static const char *stderr_of_line(const char *text)
{
	static char buffer[2 * MESSAGE_MAX];
	int saved = dup(STDERR_FILENO), pipefd[2];
	ssize_t n;

	ck_assert_int_eq(pipe(pipefd), 0);
	fcntl(pipefd[0], F_SETFL, O_NONBLOCK);
	dup2(pipefd[1], STDERR_FILENO);
	log_line("%s", text);
	dup2(saved, STDERR_FILENO);
	n = read(pipefd[0], buffer, sizeof(buffer) - 1);
	buffer[n > 0 ? n : 0] = '\0';
	return buffer;
}

START_TEST(stderr_gets_one_line_with_the_name_in_front)
{
	log_open(LOG_TO_STDERR, NULL, false);
	ck_assert_str_eq(stderr_of_line("something"), "chic-alloc: something\n");
}
END_TEST

START_TEST(auto_is_stderr_under_run_only)
{
	log_open(LOG_TO_AUTO, NULL, true);
	ck_assert_str_eq(stderr_of_line("something"), "chic-alloc: something\n");
	log_open(LOG_TO_AUTO, NULL, false);
	ck_assert_str_eq(stderr_of_line("to syslog, stderr being a pipe"), "");
}
END_TEST

START_TEST(none_is_silent)
{
	log_open(LOG_TO_NONE, NULL, true);
	ck_assert_str_eq(stderr_of_line("something"), "");
}
END_TEST

START_TEST(a_file_is_appended_to)
{
	char text[100];
	int fd = mkstemp(path);
	ssize_t n;

	log_open(LOG_TO_FILE, path, false);
	log_line("%s", "one");
	log_line("%s", "two");
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	unlink(path);
	text[n > 0 ? n : 0] = '\0';
	ck_assert_str_eq(text, "chic-alloc: one\nchic-alloc: two\n");
	log_open(LOG_TO_FILE, "/nonexistent/file", false);
	log_line("%s", "lost, and nothing happens");
}
END_TEST

START_TEST(text_of_others_stays_one_line)
{
	message_set(-EINVAL, "%s: %s", "mod", "first\nsecond\r\x1b[31m");
	ck_assert_str_eq(message_get(), "mod: first second  [31m");
	log_open(LOG_TO_STDERR, NULL, false);
	ck_assert_str_eq(stderr_of_line("one\ntwo"), "chic-alloc: one two\n");
}
END_TEST

static int bound_socket(struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	*at = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(at->sun_path, sizeof(at->sun_path), "/tmp/check_message.%d", getpid());
	ck_assert_int_eq(bind(fd, (struct sockaddr *)at, sizeof(*at)), 0);
	return fd;
}

START_TEST(syslog_gets_a_datagram_and_keeps_nothing_open)
{
	char text[2 * MESSAGE_MAX], want[100];
	struct sockaddr_un at;
	int fd = bound_socket(&at), lowest = dup(fd);
	ssize_t n;

	close(lowest);
	log_set_socket(at.sun_path);
	log_open(LOG_TO_SYSLOG, NULL, false);
	log_line("%s", "something");
	unlink(at.sun_path);
	n = recv(fd, text, sizeof(text) - 1, 0);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	snprintf(want, sizeof(want), "<12>%.64s[%d]: chic-alloc: something",
		 program_invocation_short_name, getpid());
	ck_assert_str_eq(text, want);
	ck_assert_int_eq(dup(fd), lowest);
	log_line("%s", "lost, nobody being there");
}
END_TEST

START_TEST(a_fifo_that_nobody_reads_does_not_hold_up)
{
	char fifo[] = "/tmp/check_message.fifo.XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(fifo));
	ck_assert_int_eq(rmdir(fifo), 0);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	log_open(LOG_TO_FILE, fifo, false);
	log_line("%s", "lost");
	unlink(fifo);
}
END_TEST

START_TEST(reopened_the_log_is_the_former)
{
	log_open(LOG_TO_STDERR, NULL, false);
	log_open(LOG_TO_NONE, NULL, false);
	log_reopen();
	ck_assert_str_eq(stderr_of_line("back"), "chic-alloc: back\n");
}
END_TEST

START_TEST(the_longest_line_is_cut_and_ends)
{
	char big[2 * MESSAGE_MAX];
	const char *line;

	memset(big, 'y', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_open(LOG_TO_STDERR, NULL, false);
	line = stderr_of_line(big);
	ck_assert_uint_lt(strlen(line), MESSAGE_MAX + 16);
	ck_assert_int_eq(line[strlen(line) - 1], '\n');
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("message");
	TCase *t = tcase_create("message");

	tcase_add_test(t, messages_are_per_thread_one_line_and_bounded);
	tcase_add_test(t, messages_leave_errno_alone);
	tcase_add_test(t, stderr_gets_one_line_with_the_name_in_front);
	tcase_add_test(t, auto_is_stderr_under_run_only);
	tcase_add_test(t, none_is_silent);
	tcase_add_test(t, a_file_is_appended_to);
	tcase_add_test(t, text_of_others_stays_one_line);
	tcase_add_test(t, syslog_gets_a_datagram_and_keeps_nothing_open);
	tcase_add_test(t, a_fifo_that_nobody_reads_does_not_hold_up);
	tcase_add_test(t, reopened_the_log_is_the_former);
	tcase_add_test(t, the_longest_line_is_cut_and_ends);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(make_suite)
