// SPDX-License-Identifier: BSD-2-Clause
/*
 * Run a command once and say what it took.
 *
 * The command is forked, not spawned: of a process that shares our memory until it
 * executes the kernel would take our own peak for its.  What the child has used up
 * before it executes, and when it does, it tells through a pipe; that is not the
 * command's.  It gets a session of its own, so that it can be ended together with
 * what it started, and does not stop to wait for the terminal.
 */
#define _GNU_SOURCE
#include "cli_compare.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Seconds between asking a command to end and ending it. */
#define GRACE 2
/* What is shown of standard error: so many lines of its last bytes. */
#define LAST_LINES 8
#define LAST_BYTES 2048

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};

static volatile sig_atomic_t stopped_by, timed_out;
static volatile pid_t running; /* the leader of its process group */
static sigset_t to_block, unblocked;
static off_t stdin_at = -1; /* -1: there is no file */
static int last_words = -1;

/* What a child says at the moment it executes. */
struct launch {
	struct timespec at;
	struct rusage used;
};

/* ---------------------------------------------------------- signals --- */

static void end_running(int sig)
{
	if (running > 0)
		kill(-running, sig);
}

static void on_stop(int sig)
{
	stopped_by = sig;
	end_running(SIGTERM);
	alarm(GRACE);
}

static void on_alarm(int sig)
{
	(void)sig;
	if (!stopped_by)
		timed_out = 1;
	end_running(SIGKILL);
}

/* What is ignored stays so: nohup(1) and shells in the background mean it. */
static int catch_signal(int sig, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;

	action.sa_mask = to_block;
	if (sigaction(sig, NULL, &old))
		return -errno;
	if (old.sa_handler == SIG_IGN && sig != SIGALRM)
		return 0;
	return sigaction(sig, &action, NULL) ? -errno : 0;
}

static int catch_signals(void)
{
	int err;

	sigemptyset(&to_block);
	sigaddset(&to_block, SIGALRM);
	for (size_t i = 0; i < ARRAY_SIZE(stop_signals); i++)
		sigaddset(&to_block, stop_signals[i]);
	err = catch_signal(SIGALRM, on_alarm);
	for (size_t i = 0; !err && i < ARRAY_SIZE(stop_signals); i++)
		err = catch_signal(stop_signals[i], on_stop);
	return err;
}

static void set_timer(double seconds)
{
	struct itimerval timer = {.it_value.tv_sec = (time_t)seconds};

	timer.it_value.tv_usec = (suseconds_t)((seconds - (double)timer.it_value.tv_sec) * 1e6);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* What is opened later must not be taken for one of the three. */
static void open_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int measure_begin(void)
{
	struct stat st;
	int err = catch_signals();

	if (err)
		return message_set(err, "signals: %s", strerror(-err));
	open_standard_files();
	if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode))
		stdin_at = lseek(STDIN_FILENO, 0, SEEK_CUR);
	last_words = memfd_create("stderr", MFD_CLOEXEC);
	if (last_words < 0)
		return message_set(-errno, "memfd_create: %s", strerror(errno));
	return 0;
}

int measure_stopped_by(void)
{
	return stopped_by;
}

/* ------------------------------------------------------------ child --- */

static int move_to(int fd, int target)
{
	if (fd < 0 || dup2(fd, target) < 0)
		return -errno;
	if (fd != target)
		close(fd);
	return 0;
}

/* Every run reads the same: a file from where it stood, opened again. */
static int redirect_input(void)
{
	const char *path = stdin_at < 0 ? "/dev/null" : "/proc/self/fd/0";
	int fd = open(path, O_RDONLY);

	if (fd >= 0 && stdin_at > 0 && lseek(fd, stdin_at, SEEK_SET) < 0)
		return -errno;
	return move_to(fd, STDIN_FILENO);
}

/* Our standard output is for the report: what the command says is shown beside it. */
static int redirect_output(bool show)
{
	int err;

	if (show)
		return dup2(STDERR_FILENO, STDOUT_FILENO) < 0 ? -errno : 0;
	err = move_to(open("/dev/null", O_WRONLY), STDOUT_FILENO);
	if (!err && dup2(last_words, STDERR_FILENO) < 0)
		err = -errno;
	return err;
}

static int prepare_child(const struct measured *command, const struct cli_changes *changes)
{
	int err = redirect_input();

	if (!err)
		err = redirect_output(command->show_output);
	if (!err)
		err = cli_changes_apply(changes);
	setsid();
	sigprocmask(SIG_SETMASK, &unblocked, NULL);
	return err;
}

static void say_launch(int to)
{
	struct launch launch;

	getrusage(RUSAGE_SELF, &launch.used);
	clock_gettime(CLOCK_MONOTONIC, &launch.at);
	if (write(to, &launch, sizeof(launch)) != sizeof(launch))
		_exit(CLI_NOT_EXECUTABLE);
}

/* The pipe closes when it executes; an error number comes when it cannot. */
static void child(const struct measured *command, const struct cli_changes *changes, int to)
{
	int err = prepare_child(command, changes);

	say_launch(to);
	if (!err) {
		execvp(command->path, command->argv);
		err = -errno;
	}
	if (write(to, &err, sizeof(err)) != sizeof(err))
		_exit(CLI_NOT_EXECUTABLE);
	_exit(CLI_NOT_FOUND);
}

/* ----------------------------------------------------------- parent --- */

static ssize_t read_once(int fd, void *buf, size_t len)
{
	ssize_t n;

	do
		n = read(fd, buf, len);
	while (n < 0 && errno == EINTR);
	return n;
}

/* 0 when the command executes, else the child's error. */
static int hear_launch(int from, struct launch *launch)
{
	int err;

	if (read_once(from, launch, sizeof(*launch)) != sizeof(*launch))
		return -EIO;
	return read_once(from, &err, sizeof(err)) == sizeof(err) ? err : 0;
}

static int64_t nanoseconds(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static int64_t cpu_of(const struct rusage *used)
{
	return ((int64_t)used->ru_utime.tv_sec + used->ru_stime.tv_sec) * 1000000000 +
	       ((int64_t)used->ru_utime.tv_usec + used->ru_stime.tv_usec) * 1000;
}

static uint64_t difference(int64_t after, int64_t earlier)
{
	return after > earlier ? (uint64_t)(after - earlier) : 0;
}

static void fill_sample(const struct launch *launch, const struct timespec *end,
			const struct rusage *used, struct sample *out)
{
	out->of[METRIC_WALL] = difference(nanoseconds(end), nanoseconds(&launch->at));
	out->of[METRIC_CPU] = difference(cpu_of(used), cpu_of(&launch->used));
	out->of[METRIC_RSS] = (uint64_t)used->ru_maxrss * 1024;
	out->of[METRIC_MINOR] = difference(used->ru_minflt, launch->used.ru_minflt);
	out->of[METRIC_MAJOR] = difference(used->ru_majflt, launch->used.ru_majflt);
}

/* "PID (NAME) STATE PPID PGRP SESSION TTY TPGID FLAGS MINFLT CMINFLT ..." */
static void parse_stat(char *text, struct measure_run *out)
{
	char *name = strchr(text, '('), *end = strrchr(text, ')');
	unsigned long own, children;

	if (!name || !end)
		return;
	*end = '\0';
	snprintf(out->name, sizeof(out->name), "%s", name + 1);
	if (sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %lu %lu", &own, &children) == 2)
		out->others = children > own;
}

/* What the kernel still knows of a process that has ended and was not waited for. */
static void look_at_the_dead(pid_t pid, struct measure_run *out)
{
	char path[64], text[512];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	parse_stat(text, out);
}

/* Its process group's number is taken until it is waited for: only then is it safe. */
static int wait_for(pid_t pid, const struct launch *launch, struct measure_run *out)
{
	struct timespec end;
	struct rusage used;
	siginfo_t info;
	int err;

	do
		err = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	while (err && errno == EINTR);
	clock_gettime(CLOCK_MONOTONIC, &end);
	set_timer(0);
	look_at_the_dead(pid, out);
	sigprocmask(SIG_BLOCK, &to_block, NULL);
	running = 0;
	sigprocmask(SIG_SETMASK, &unblocked, NULL);
	if (stopped_by || timed_out)
		kill(-pid, SIGKILL);
	if (wait4(pid, &out->status, 0, &used) != pid)
		return -errno;
	out->timed_out = timed_out;
	fill_sample(launch, &end, &used, &out->sample);
	return 0;
}

/* A signal comes before there is a child or when it is known, not between. */
static int start(const struct measured *command, const struct cli_changes *changes, int ends[2])
{
	pid_t pid;

	sigprocmask(SIG_BLOCK, &to_block, &unblocked);
	pid = stopped_by ? -1 : fork();
	if (pid == 0)
		child(command, changes, ends[1]);
	close(ends[1]);
	running = pid;
	sigprocmask(SIG_SETMASK, &unblocked, NULL);
	return pid;
}

int measure_once(const struct measured *command, const struct cli_changes *changes,
		 double limit, struct measure_run *out)
{
	struct launch launch;
	int ends[2], err;
	pid_t pid;

	*out = (struct measure_run){.name = ""};
	timed_out = 0;
	if (ftruncate(last_words, 0) || lseek(last_words, 0, SEEK_SET) ||
	    pipe2(ends, O_CLOEXEC))
		return message_set(-errno, "%s: %s", command->argv[0], strerror(errno));
	pid = start(command, changes, ends);
	if (pid < 0) {
		err = stopped_by ? -EINTR : -errno;
		goto close_pipe;
	}
	err = hear_launch(ends[0], &launch);
	if (limit > 0)
		set_timer(limit);
	if (wait_for(pid, &launch, out) && !err)
		err = -errno;
close_pipe:
	close(ends[0]);
	return err ? message_set(err, "%s: %s", command->argv[0], strerror(-err)) : 0;
}

/* ------------------------------------------------------- last words --- */

/* Where the last lines of a text begin. */
static const char *last_lines(const char *text, size_t len)
{
	const char *p = text + len;
	int lines = 0;

	if (p > text && p[-1] == '\n')
		p--;
	while (p > text && (p[-1] != '\n' || ++lines < LAST_LINES))
		p--;
	return p;
}

void measure_print_last_words(FILE *out)
{
	off_t size = lseek(last_words, 0, SEEK_END);
	off_t from = size > LAST_BYTES ? size - LAST_BYTES : 0;
	char text[LAST_BYTES + 1], *line, *rest;
	ssize_t n = size > 0 ? pread(last_words, text, LAST_BYTES, from) : 0;

	if (n <= 0)
		return;
	text[n] = '\0';
	rest = (char *)last_lines(text, strlen(text));
	while ((line = strsep(&rest, "\n")))
		if (*line || rest)
			fprintf(out, "  | %s\n", line);
}
