// SPDX-License-Identifier: BSD-2-Clause
/*
 * A process for each case: whatever a module does there, hang and crash included,
 * is an answer about that case and leaves the others alone.
 *
 * What the case finds out lies in memory shared with its process; what it says, and
 * what the module says, comes through a pipe.
 */
#define _GNU_SOURCE
#include "conform.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_MAX 4096
#define THREADS_MAX 32
#define TICK_MS 50

/* A call under way, or none where format is null. */
struct doing {
	const char *format;
	size_t args[3];
};

struct shared {
	_Atomic enum conform_verdict verdict;
	bool random;
	char skip[256];
	char stage[256];
	struct doing doing[THREADS_MAX];
};

/* Before the first case the one of this process, which nobody reads. */
static struct shared unshared, *shared = &unshared;

static __thread unsigned thread_number;
/* Threads that fail at the same time: the first has the word. */
static bool ending;

/* ------------------------------------------------- in the case's process --- */

static void say(const char *format, va_list args)
{
	char line[1024];
	int n = vsnprintf(line, sizeof(line) - 1, format, args);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof(line) - 1 ? (size_t)n : sizeof(line) - 2;

	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		_exit(EXIT_FAILURE);
}

static void take_the_word(void)
{
	while (__atomic_exchange_n(&ending, true, __ATOMIC_SEQ_CST))
		pause();
}

/* _exit(), because a heap that is broken need not survive exit handlers. */
void case_fail(const char *format, ...)
{
	va_list args;

	take_the_word();
	shared->verdict = CONFORM_FAILED;
	va_start(args, format);
	say(format, args);
	va_end(args);
	_exit(EXIT_FAILURE);
}

void case_skip(const char *format, ...)
{
	va_list args;

	take_the_word();
	va_start(args, format);
	vsnprintf(shared->skip, sizeof(shared->skip), format, args);
	va_end(args);
	shared->verdict = CONFORM_SKIPPED;
	_exit(EXIT_SUCCESS);
}

void case_stage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(shared->stage, sizeof(shared->stage), format, args);
	va_end(args);
}

void case_is_random(void)
{
	shared->random = true;
}

void case_doing(const char *format, size_t a, size_t b, size_t c)
{
	shared->doing[thread_number] = (struct doing){format, {a, b, c}};
}

void case_done(void)
{
	shared->doing[thread_number].format = NULL;
}

void case_thread(unsigned n)
{
	thread_number = n % THREADS_MAX;
}

/* Those that a process may die of without being asked to; sigabbrev_np() is young. */
static const char *signal_name(int number)
{
	static const char *const names[] = {
		[SIGABRT] = "SIGABRT", [SIGALRM] = "SIGALRM", [SIGBUS] = "SIGBUS",
		[SIGFPE] = "SIGFPE",   [SIGILL] = "SIGILL",   [SIGKILL] = "SIGKILL",
		[SIGPIPE] = "SIGPIPE", [SIGSEGV] = "SIGSEGV", [SIGSYS] = "SIGSYS",
		[SIGTERM] = "SIGTERM", [SIGTRAP] = "SIGTRAP", [SIGXCPU] = "SIGXCPU",
	};

	if (number < (int)ARRAY_SIZE(names) && names[number])
		return names[number];
	return strsignal(number);
}

const char *status_text(int status, char out[STATUS_TEXT])
{
	if (WIFSIGNALED(status))
		snprintf(out, STATUS_TEXT, "died of %s", signal_name(WTERMSIG(status)));
	else
		snprintf(out, STATUS_TEXT, "ended with status %d", WEXITSTATUS(status));
	return out;
}

/* exit(), because exit handlers are a part of what modules do. */
void case_apart(struct subject *s, void (*fn)(struct subject *s, void *arg), void *arg)
{
	pid_t pid = fork();
	char text[STATUS_TEXT];
	int status;

	if (pid < 0)
		case_fail("fork: %s", strerror(errno));
	if (pid == 0) {
		fn(s, arg);
		exit(EXIT_SUCCESS);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			case_fail("waitpid: %s", strerror(errno));
	if (shared->verdict != CONFORM_RUNNING)
		_exit(EXIT_FAILURE);
	if (status)
		case_fail("the process %s", status_text(status, text));
}

/* Dies with the command, is reached as a group, and leaves no core behind. */
static void settle_in(int output)
{
	const struct rlimit none = {0, 0};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	setrlimit(RLIMIT_CORE, &none);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	close(output);
	setlinebuf(stdout); /* whole lines, in order with those of stderr */
}

_Noreturn static void run_here(const struct conform_case *c, const struct conform_spec *spec,
			       int output)
{
	struct subject subject = {.spec = spec};

	settle_in(output);
	subject_environment(spec);
	if (!c->loads)
		subject_load(&subject, NULL, NULL, NULL);
	c->run(&subject);
	shared->verdict = CONFORM_PASSED;
	exit(EXIT_SUCCESS);
}

/* -------------------------------------------------- in the command's process --- */

struct child {
	pid_t pid;
	int output; /* non-blocking end of the pipe */
	char said[OUTPUT_MAX]; /* the last that came through it */
	size_t len;
	bool cut; /* it was not all */
	FILE *text;
	uint64_t until;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The end of what is said matters: it is there that a case fails. */
static void make_room(struct child *child)
{
	size_t half = OUTPUT_MAX / 2;

	if (child->len <= half)
		return;
	memmove(child->said, child->said + child->len - half, half);
	child->len = half;
	child->cut = true;
}

/* Everything that is there; false at the end. */
static bool drain(struct child *child)
{
	ssize_t n;

	do {
		if (child->len == OUTPUT_MAX)
			make_room(child);
		n = read(child->output, child->said + child->len, OUTPUT_MAX - child->len);
		child->len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* From the beginning of a line on, to the end of one. */
static void tell_said(const struct child *child)
{
	const char *from = child->said, *end = child->said + child->len;

	if (child->cut) {
		from = memchr(from, '\n', child->len);
		from = from ? from + 1 : child->said;
		fputs("...\n", child->text);
	}
	fwrite(from, 1, (size_t)(end - from), child->text);
	if (from < end && end[-1] != '\n')
		fputc('\n', child->text);
}

/* The end of the pipe is not that of the process, nor the other way round. */
static bool wait_for(struct child *child, int *status)
{
	struct pollfd pipe = {.fd = child->output, .events = POLLIN};
	bool open = true;

	do {
		if (open && poll(&pipe, 1, TICK_MS) > 0)
			open = drain(child);
		else if (!open)
			poll(NULL, 0, 1);
		if (waitpid(child->pid, status, WNOHANG) == child->pid)
			return true;
	} while (now_ms() < child->until);
	return false;
}

static bool wait_in_time(struct child *child, int *status)
{
	bool ended = wait_for(child, status);

	kill(-child->pid, SIGKILL);
	if (!ended)
		waitpid(child->pid, status, 0);
	drain(child);
	return ended;
}

static void tell_doing(FILE *out)
{
	for (unsigned i = 0; i < THREADS_MAX; i++) {
		const struct doing *d = &shared->doing[i];

		if (!d->format)
			continue;
		if (i)
			fprintf(out, "in thread %u: ", i);
		else
			fputs("in the main thread: ", out);
		fprintf(out, d->format, d->args[0], d->args[1], d->args[2]);
		fputc('\n', out);
	}
}

/* What the process's end means; a line about it unless the case had its say. */
static enum conform_verdict judge(struct child *child, bool in_time, int status,
				  const struct conform_spec *spec)
{
	enum conform_verdict verdict = shared->verdict;
	char text[STATUS_TEXT];

	if (verdict == CONFORM_FAILED || (verdict == CONFORM_SKIPPED && in_time))
		return verdict;
	if (!in_time)
		fprintf(child->text, "not done after %u seconds\n", spec->timeout);
	else if (verdict == CONFORM_PASSED && status == 0)
		return CONFORM_PASSED;
	else if (verdict == CONFORM_PASSED)
		fprintf(child->text, "all was well, then exit() %s\n",
			status_text(status, text));
	else
		fprintf(child->text, "the process %s\n", status_text(status, text));
	tell_doing(child->text);
	return CONFORM_FAILED;
}

static int start(const struct conform_case *c, const struct conform_spec *spec,
		 struct child *child)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return message_set(-errno, "pipe: %s", strerror(errno));
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	child->until = now_ms() + spec->timeout * UINT64_C(1000);
	child->output = ends[0];
	fflush(NULL);
	child->pid = fork();
	if (child->pid == 0)
		run_here(c, spec, ends[1]);
	close(ends[1]);
	if (child->pid > 0)
		return 0;
	close(ends[0]);
	return message_set(-errno, "fork: %s", strerror(errno));
}

static void finish(struct child *child, const struct conform_spec *spec,
		   struct conform_result *out)
{
	int status = 0;
	bool in_time = wait_in_time(child, &status);

	close(child->output);
	tell_said(child);
	out->verdict = judge(child, in_time, status, spec);
	if (out->verdict == CONFORM_FAILED && *shared->stage)
		fprintf(child->text, "%s\n", shared->stage);
	if (out->verdict == CONFORM_FAILED && shared->random)
		fprintf(child->text, "seed %lu\n", spec->seed);
}

static int shared_open(void)
{
	void *p = shared;

	if (p == &unshared)
		p = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return message_set(-errno, "no memory to share with a case: %s",
				   strerror(errno));
	shared = memset(p, 0, sizeof(*shared));
	return 0;
}

int conform_run(const struct conform_case *c, const struct conform_spec *spec,
		struct conform_result *out)
{
	struct child child = {.pid = 0};
	size_t len;
	int err;

	*out = (struct conform_result){.text = NULL};
	err = shared_open();
	if (err)
		return err;
	child.text = open_memstream(&out->text, &len);
	if (!child.text)
		return message_set(-errno, "no memory for what a case says");
	err = start(c, spec, &child);
	if (!err)
		finish(&child, spec, out);
	if (fclose(child.text) && !err)
		err = message_set(-ENOMEM, "no memory for what a case says");
	if (out->verdict == CONFORM_SKIPPED) {
		free(out->text);
		out->text = strdup(shared->skip);
	}
	return err;
}
