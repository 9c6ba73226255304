// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tests of when and where counting writes its reports.
 */
#define _GNU_SOURCE
#include <sys/stat.h>

#include "counting_support.h"

/* ------------------------------------------------------------- summary -- */

static char dir[] = "/tmp/check_counting.XXXXXX";

static void make_dir(void)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void remove_dir(void)
{
	ck_assert_int_eq(rmdir(dir), 0);
}

static const char *in_dir(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void read_and_remove(const char *name, char *text, size_t size)
{
	const char *path = in_dir(name);
	struct stat st;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY);
	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	n = read(fd, text, size - 1);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	close(fd);
	unlink(path);
}

static void count_three(void)
{
	for (int i = 0; i < 3; i++)
		counting_alloc(subject.ctx, 100, 8);
}

/* Writes from a folder that is not the one it was started in. */
static void run_with_output(void *arg)
{
	if (chdir(dir) != 0 || start_with(true, arg) != 0 || chdir("/") != 0)
		_exit(1);
	count_three();
}

START_TEST(summary_goes_to_output)
{
	char text[8192];
	struct child child;
	struct counts now;

	run_child(&child, run_with_output, (void *)"counts.100%%");
	ck_assert_int_eq(child.status, 0);
	ck_assert_str_eq(child.text, "");
	read_and_remove("counts.100%", text, sizeof(text));
	parse(&now, text);
	ck_assert_uint_eq(now.live_blocks, 3);
	ck_assert_uint_eq(now.bytes[7], 300);
}
END_TEST

static void fork_with_output(void *arg)
{
	pid_t pid;

	run_with_output(arg);
	pid = fork();
	if (pid == 0) {
		count_three();
		exit(0);
	}
	dprintf(STDERR_FILENO, "%d %d", getpid(), pid);
	waitpid(pid, NULL, 0);
}

/* python's test-suite and others list the descriptors of a child. */
START_TEST(output_keeps_no_descriptor)
{
	int n = 0;

	ck_assert_int_eq(start_with(true, "/nowhere/counts"), 0);
	for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
		n -= fcntl(fd, F_GETFD) >= 0;
	stop();
	for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	ck_assert_int_eq(n, 0);
}
END_TEST

static void expect_summary(pid_t pid, const char *name, size_t blocks)
{
	char text[8192], heading[100];
	struct counts now;

	read_and_remove(name, text, sizeof(text));
	snprintf(heading, sizeof(heading), "chic-alloc: counting: pid %d, ", pid);
	ck_assert_int_eq(strncmp(text, heading, strlen(heading)), 0);
	parse(&now, text);
	ck_assert_uint_eq(now.live_blocks, blocks);
}

START_TEST(each_process_has_its_output)
{
	char name[50];
	struct child child;
	int pids[2];

	run_child(&child, fork_with_output, (void *)"counts.%p");
	ck_assert_int_eq(sscanf(child.text, "%d %d", &pids[0], &pids[1]), 2);
	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "counts.%d", pids[i]);
		expect_summary(pids[i], name, i ? 6 : 3);
	}
}
END_TEST

START_TEST(forked_child_leaves_its_parents_output)
{
	struct child child;
	int pid;

	run_child(&child, fork_with_output, (void *)"counts");
	ck_assert_int_eq(sscanf(child.text, "%d", &pid), 1);
	expect_summary(pid, "counts", 3);
}
END_TEST

static void run_in_odd_folder(void *arg)
{
	const char *folder = in_dir("100%p");

	if (mkdir(folder, 0700) != 0 || chdir(folder) != 0 || start_with(true, arg) != 0)
		_exit(1);
}

START_TEST(only_output_has_a_pid_in_it)
{
	char text[8192];
	struct child child;

	run_child(&child, run_in_odd_folder, (void *)"counts");
	ck_assert_str_eq(child.text, "");
	ck_assert_int_eq(child.status, 0);
	read_and_remove("100%p/counts", text, sizeof(text));
	ck_assert_int_eq(rmdir(in_dir("100%p")), 0);
}
END_TEST

static void fork_and_leave(void *arg)
{
	run_with_output(arg);
	if (fork() == 0)
		exit(0);
	wait(NULL);
	_exit(0);
}

START_TEST(forked_child_writes_nothing_without_a_name)
{
	struct child child;

	run_child(&child, fork_and_leave, (void *)"counts");
	ck_assert_int_eq(child.status, 0);
	ck_assert_int_ne(access(in_dir("counts"), F_OK), 0);
}
END_TEST

START_TEST(output_that_cannot_be_opened_is_told)
{
	struct child child;

	run_child(&child, run_with_output, (void *)"/nonexistent/counts");
	ck_assert_int_eq(child.status, 0);
	ck_assert_str_eq(child.text,
			 "chic-alloc: counting: output: cannot open \"/nonexistent/counts\": "
			 "No such file or directory\n");
}
END_TEST

static void link_to(const char *target, unsigned owner)
{
	ck_assert_int_eq(symlink(target, in_dir("link")), 0);
	ck_assert_int_eq(lchown(in_dir("link"), owner, -1), 0);
}

START_TEST(output_may_be_a_link)
{
	char text[8192];
	struct child child;

	link_to("counts", geteuid());
	run_child(&child, run_with_output, (void *)"link");
	unlink(in_dir("link"));
	ck_assert_str_eq(child.text, "");
	read_and_remove("counts", text, sizeof(text));
}
END_TEST

START_TEST(output_is_no_link_of_a_stranger)
{
	struct child child;

	if (geteuid() != 0)
		return; /* nobody else can give a link away */
	link_to("counts", 4711);
	run_child(&child, run_with_output, (void *)"link");
	unlink(in_dir("link"));
	ck_assert_ptr_nonnull(strstr(child.text, "Too many levels of symbolic links"));
	ck_assert_int_ne(access(in_dir("counts"), F_OK), 0);
}
END_TEST

static void run_quietly(void *arg)
{
	if (start_with(false, arg) != 0)
		_exit(1);
	count_three();
}

START_TEST(no_summary_unless_asked)
{
	struct child child;

	run_child(&child, run_quietly, (void *)"");
	ck_assert_int_eq(child.status, 0);
	ck_assert_str_eq(child.text, "");
}
END_TEST

static void run_without_summary(void *arg)
{
	if (start_with(false, arg) != 0)
		_exit(1);
	count_three();
}

START_TEST(output_alone_is_enough)
{
	char text[8192];
	struct child child;
	struct counts now;

	run_child(&child, run_without_summary, (void *)in_dir("counts"));
	ck_assert_str_eq(child.text, "");
	read_and_remove("counts", text, sizeof(text));
	parse(&now, text);
	ck_assert_uint_eq(now.live_blocks, 3);
}
END_TEST

START_TEST(output_that_is_too_long_is_refused)
{
	char output[PATH_MAX + 10];

	memset(output, 'x', sizeof(output));
	output[0] = '/';
	output[sizeof(output) - 1] = '\0';
	ck_assert_int_eq(start_with(true, output), -ENAMETOOLONG);
	ck_assert_ptr_nonnull(strstr(last_fail, "output = /xxx"));
}
END_TEST

START_TEST(init_without_memory_fails)
{
	unsigned n;
	int err;

	for (n = 1;; n++) {
		fault_start(n);
		err = start_with(true, "");
		if (!fault_stop())
			break;
		ck_assert_int_eq(err, -ENOMEM);
		ck_assert_ptr_nonnull(strstr(last_fail, "no memory for "));
	}
	ck_assert_int_eq(err, 0);
	ck_assert_uint_gt(n, 2);
	stop();
}
END_TEST

START_TEST(interval_without_output_is_warned_of)
{
	params[INTERVAL].number = 1;
	ck_assert_int_eq(start_with(true, ""), 0);
	params[INTERVAL].number = 0;
	ck_assert_str_eq(last_warn, "test: interval is set, but nothing is written without "
				    "output = FILE");
	stop();
}
END_TEST

/* A target of a rename that is no file would be gone: a pipe, or /dev/null. */
START_TEST(output_to_a_pipe_is_written_in_place)
{
	char text[8192];
	struct child child;
	ssize_t n;
	int fd;

	ck_assert_int_eq(mkfifo(in_dir("pipe"), 0600), 0);
	fd = open(in_dir("pipe"), O_RDONLY | O_NONBLOCK);
	run_child(&child, run_with_output, (void *)"pipe");
	n = read(fd, text, sizeof(text) - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "live-blocks                        3\n"));
	close(fd);
	ck_assert_int_eq(unlink(in_dir("pipe")), 0);
}
END_TEST

START_TEST(pipe_that_nobody_reads_is_told)
{
	struct child child;

	ck_assert_int_eq(mkfifo(in_dir("pipe"), 0600), 0);
	run_child(&child, run_with_output, (void *)"pipe");
	ck_assert_int_eq(child.status, 0);
	ck_assert_ptr_nonnull(strstr(child.text, "No such device or address"));
	ck_assert_int_eq(unlink(in_dir("pipe")), 0);
}
END_TEST

static void run_with_broken_stderr(void *arg)
{
	int fds[2];

	(void)arg;
	if (pipe(fds) != 0 || dup2(fds[1], STDERR_FILENO) < 0)
		_exit(1);
	close(fds[0]);
	close(fds[1]);
	if (start_with(true, "") != 0)
		_exit(1);
	exit(7);
}

START_TEST(pipe_that_broke_ends_nobody)
{
	struct child child;

	run_child(&child, run_with_broken_stderr, NULL);
	ck_assert(WIFEXITED(child.status) && WEXITSTATUS(child.status) == 7);
}
END_TEST

static void expect_file(const char *name, const char *content)
{
	char text[100] = "";
	int fd = open(in_dir(name), O_RDONLY);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(read(fd, text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, content);
	close(fd);
	unlink(in_dir(name));
}

static void put_file(const char *name, const char *content)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT, 0600);

	ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

static void run_on_full_disk(void *arg)
{
	struct rlimit limit = {.rlim_cur = 10, .rlim_max = 10};

	run_with_output(arg);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
}

START_TEST(report_that_cannot_be_written_leaves_the_last)
{
	struct child child;

	put_file("counts", "the last report");
	run_child(&child, run_on_full_disk, (void *)"counts");
	ck_assert_ptr_nonnull(strstr(child.text, "output: cannot write \""));
	ck_assert_ptr_nonnull(strstr(child.text, "File too large"));
	expect_file("counts", "the last report");
}
END_TEST

/* ------------------------------------------------------ while it runs -- */

static void run_and_raise(void *arg)
{
	params[SIGNAL].text = "USR2";
	run_without_summary(arg);
	raise(SIGUSR2);
	_exit(0);
}

START_TEST(signal_asks_for_a_report)
{
	char text[8192];
	struct child child;
	struct counts now;

	run_child(&child, run_and_raise, (void *)in_dir("counts"));
	ck_assert_int_eq(child.status, 0);
	read_and_remove("counts", text, sizeof(text));
	parse(&now, text);
	ck_assert_uint_eq(now.live_blocks, 3);
	run_child(&child, run_and_raise, (void *)"");
	ck_assert_int_eq(child.status, 0);
	parse(&now, child.text);
	ck_assert_uint_eq(now.live_blocks, 3);
}
END_TEST

static atomic_int handled;

static void on_usr1(int number)
{
	(void)number;
	handled++;
}

static void raise_own(void *arg)
{
	params[SIGNAL].text = "USR1";
	run_without_summary(arg);
	signal(SIGUSR1, on_usr1);
	raise(SIGUSR1);
	_exit(handled == 1 ? 0 : 1);
}

static void raise_earlier(void *arg)
{
	signal(SIGUSR1, on_usr1);
	params[SIGNAL].text = "USR1";
	run_without_summary(arg);
	raise(SIGUSR1);
	dprintf(STDERR_FILENO, "%s", last_warn);
	_exit(handled == 1 ? 0 : 1);
}

START_TEST(handlers_of_the_program_win)
{
	struct child child;

	run_child(&child, raise_own, (void *)in_dir("counts"));
	ck_assert_int_eq(child.status, 0);
	run_child(&child, raise_earlier, (void *)in_dir("counts"));
	ck_assert_int_eq(child.status, 0);
	ck_assert_str_eq(child.text,
			 "test: signal = USR1 is not used: it is ignored or handled already");
	ck_assert_int_ne(access(in_dir("counts"), F_OK), 0);
}
END_TEST

START_TEST(signal_is_default_again_at_the_end)
{
	struct sigaction now;

	signal(SIGHUP, SIG_DFL); /* nohup(1) ignores it */
	params[SIGNAL].text = "HUP";
	ck_assert_int_eq(start_with(false, ""), 0);
	ck_assert_int_eq(sigaction(SIGHUP, NULL, &now), 0);
	ck_assert(now.sa_handler != SIG_DFL);
	stop();
	ck_assert_int_eq(sigaction(SIGHUP, NULL, &now), 0);
	ck_assert(now.sa_handler == SIG_DFL);
}
END_TEST

/* Allocates now and then for longer than an interval, then ends without a farewell. */
static void run_and_die(void *arg)
{
	params[INTERVAL].number = 1;
	if (start_with(false, arg) != 0)
		_exit(1);
	for (int i = 0; i < 140; i++) {
		counting_free(subject.ctx, counting_alloc(subject.ctx, 5000, 8));
		usleep(10000);
	}
	raise(SIGKILL);
}

START_TEST(killed_process_leaves_its_last_report)
{
	char text[8192];
	struct child child;
	struct counts now;

	run_child(&child, run_and_die, (void *)in_dir("counts"));
	ck_assert(WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGKILL);
	read_and_remove("counts", text, sizeof(text));
	parse(&now, text);
	ck_assert_uint_gt(now.total_blocks, 1);
	ck_assert_uint_lt(now.total_blocks, 140);
	ck_assert_uint_eq(now.total_bytes, 5000 * now.total_blocks);
}
END_TEST

static void run_where_nothing_can_be_written(void *arg)
{
	params[INTERVAL].number = 1;
	if (start_with(false, arg) != 0)
		_exit(1);
	for (int i = 0; i < 240; i++) {
		counting_free(subject.ctx, counting_alloc(subject.ctx, 5000, 8));
		usleep(10000);
	}
}

START_TEST(failure_is_told_once)
{
	struct child child;

	run_child(&child, run_where_nothing_can_be_written, (void *)"/nonexistent/counts");
	ck_assert_int_eq(child.status, 0);
	ck_assert_str_eq(child.text,
			 "chic-alloc: counting: output: cannot open \"/nonexistent/counts\": "
			 "No such file or directory\n");
}
END_TEST

/* All that holds without reports holds while they are written. */
static void start_reporting(void)
{
	params[INTERVAL].number = 1;
	params[SITES].number = 4096;
	ck_assert_int_eq(start_with(false, "/dev/null"), 0);
	params[SITES].number = COUNTING_SITES_OFF;
	params[INTERVAL].number = 0;
}

static TCase *summary_case(void)
{
	TCase *tc = tcase_create("summary");

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_test(tc, summary_goes_to_output);
	tcase_add_test(tc, each_process_has_its_output);
	tcase_add_test(tc, only_output_has_a_pid_in_it);
	tcase_add_test(tc, forked_child_leaves_its_parents_output);
	tcase_add_test(tc, forked_child_writes_nothing_without_a_name);
	tcase_add_test(tc, output_that_cannot_be_opened_is_told);
	tcase_add_test(tc, output_keeps_no_descriptor);
	tcase_add_test(tc, output_may_be_a_link);
	tcase_add_test(tc, output_is_no_link_of_a_stranger);
	tcase_add_test(tc, no_summary_unless_asked);
	tcase_add_test(tc, output_alone_is_enough);
	tcase_add_test(tc, output_that_is_too_long_is_refused);
	tcase_add_test(tc, output_to_a_pipe_is_written_in_place);
	tcase_add_test(tc, pipe_that_nobody_reads_is_told);
	tcase_add_test(tc, pipe_that_broke_ends_nobody);
	tcase_add_test(tc, report_that_cannot_be_written_leaves_the_last);
	tcase_add_test(tc, interval_without_output_is_warned_of);
	tcase_add_test(tc, init_without_memory_fails);
	return tc;
}

static TCase *running_case(void)
{
	TCase *tc = tcase_create("running");

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_test(tc, signal_asks_for_a_report);
	tcase_add_test(tc, handlers_of_the_program_win);
	tcase_add_test(tc, signal_is_default_again_at_the_end);
	tcase_add_test(tc, killed_process_leaves_its_last_report);
	tcase_add_test(tc, failure_is_told_once);
	return tc;
}

static Suite *make_suite(void)
{
	Suite *suite = suite_create("counting_reports");

	suite_add_tcase(suite, common_tests("common, reporting", start_reporting, stop));
	suite_add_tcase(suite, summary_case());
	suite_add_tcase(suite, running_case());
	return suite;
}

CHECK_MAIN(make_suite)
