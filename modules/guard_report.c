// SPDX-License-Identifier: BSD-2-Clause
/*
 * What guard says of a bug: what was done, to which block, by whom, and who asked for
 * the block and gave it back.
 *
 * The reporter's memory is static, for one thread at a time: what a report needs
 * of the stack fits into the smallest there is.  Others wait, for so long that the
 * one before them is certainly at its end or will never be.  Nobody leaves while
 * others wait, because the process may end then.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "guard.h"
#include "output_name.h"
#include "writer.h"

/* Milliseconds that are waited for other threads. */
#define PATIENCE 10000
/* A thread's name, as the system limits it. */
#define COMM_MAX 16

static struct {
	_Atomic int32_t owner; /* thread that writes a report; 0: nobody does */
	atomic_int present; /* threads that write one or wait to do so */
	struct writer out;
	uintptr_t pcs[STACKTRACE_DEPTH];
	char line[STACKTRACE_LINE];
	char path[PATH_MAX];
} reporter;

void guard_say(const char *format, ...)
{
	char line[256] = "chic-alloc: guard: ";
	size_t len = strlen(line);
	va_list args;
	long n;

	va_start(args, format);
	vsnprintf(line + len, sizeof(line) - len - 1, format, args);
	va_end(args);
	strcat(line, "\n");
	do
		n = write_quietly(STDERR_FILENO, line, strlen(line));
	while (n < 0 && errno == EINTR);
}

/* -------------------------------------------------------------- turns -- */

static void wait_a_moment(void)
{
	const struct timespec moment = {.tv_nsec = 1000000};

	nanosleep(&moment, NULL);
}

/* False: this thread is in the midst of one, or another does not come to its end. */
static bool take_turn(int32_t tid)
{
	int32_t nobody = 0;

	if (reporter.owner == tid)
		return false;
	atomic_fetch_add(&reporter.present, 1);
	for (int i = 0; i < PATIENCE; i++) {
		nobody = 0;
		if (atomic_compare_exchange_strong(&reporter.owner, &nobody, tid))
			return true;
		wait_a_moment();
	}
	atomic_fetch_sub(&reporter.present, 1);
	return false;
}

static void leave_turn(void)
{
	reporter.owner = 0;
	atomic_fetch_sub(&reporter.present, 1);
	for (int i = 0; i < PATIENCE && reporter.present > 0; i++)
		wait_a_moment();
}

void guard_report_forked(void)
{
	reporter.owner = 0;
	reporter.present = 0;
	reporter.out.len = 0;
}

/* ---------------------------------------------------------------- output -- */

/* A link that a stranger put into a folder such as /tmp leads to any file of ours. */
static bool is_strangers_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && st.st_uid != 0 &&
	       st.st_uid != geteuid();
}

/* Behind what is there: of other processes, or of this one's other bugs. */
static int open_output(const char *pattern)
{
	const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd;

	if (output_expand(pattern, reporter.path, sizeof(reporter.path)) != 0)
		return -ENAMETOOLONG;
	if (is_strangers_link(reporter.path))
		return -ELOOP;
	fd = open(reporter.path, flags, 0600);
	return fd < 0 ? -errno : fd;
}

static void begin_output(struct writer *w, const char *pattern)
{
	int fd = *pattern ? open_output(pattern) : STDERR_FILENO;

	w->len = 0;
	w->err = 0;
	w->fd = fd < 0 ? STDERR_FILENO : fd;
	if (fd >= 0)
		return;
	put_text(w, "chic-alloc: guard: output = ");
	put_text(w, pattern);
	put_text(w, ": cannot be written, error ");
	put_number(w, -fd, 0);
	put_text(w, "\n");
}

static void end_output(struct writer *w)
{
	put_flush(w);
	if (w->fd != STDERR_FILENO)
		close(w->fd);
}

/* ------------------------------------------------------------- headline -- */

static void put_pointer(struct writer *w, const void *p)
{
	put_text(w, "0x");
	put_hex(w, (uintptr_t)p, 0);
}

static void put_byte(struct writer *w, unsigned char byte)
{
	put_text(w, "0x");
	put_hex(w, byte, 2);
}

static void put_signed(struct writer *w, long n)
{
	if (n < 0)
		put_text(w, "-");
	put_number(w, n < 0 ? -(unsigned long)n : (unsigned long)n, 0);
}

/* N bytes, and one byte. */
static void put_count(struct writer *w, size_t n)
{
	put_number(w, n, 0);
	put_text(w, n == 1 ? " byte" : " bytes");
}

static void put_block(struct writer *w, const struct guard_record *r)
{
	put_text(w, r->state == GUARD_FREED ? "the freed block of " : "the block of ");
	put_count(w, r->size);
	put_text(w, " at ");
	put_pointer(w, r->p);
}

static void put_place(struct writer *w, const struct guard_where *where)
{
	const struct guard_record *r = &where->block;
	const char *at = where->address, *end = r->p + r->size;

	if (!where->has_block) {
		put_text(w, "where no block is near");
		return;
	}
	if (at >= r->p && at < end) {
		put_text(w, "at offset ");
		put_number(w, at - r->p, 0);
		put_text(w, " of ");
	} else if (at < r->p) {
		put_count(w, r->p - at);
		put_text(w, " before ");
	} else {
		put_count(w, at - end + 1);
		put_text(w, " past ");
	}
	put_block(w, r);
}

static void put_damage(struct writer *w, const struct guard_bug *bug)
{
	const unsigned char *p = (const unsigned char *)bug->where.block.p;

	put_text(w, "found by ");
	put_text(w, bug->what);
	put_text(w, " of ");
	put_block(w, &bug->where.block);
	put_text(w, ": offset ");
	put_signed(w, bug->first - p);
	put_text(w, " is ");
	put_byte(w, *bug->first);
	put_text(w, ", expected ");
	put_byte(w, GUARD_CANARY);
	if (bug->last == bug->first)
		return;
	put_text(w, ", and others up to offset ");
	put_signed(w, bug->last - p);
}

static void put_headline(struct writer *w, const struct guard_bug *bug)
{
	static const char kinds[][16] = {
		[GUARD_OVERFLOW] = "overflow",	       [GUARD_UNDERFLOW] = "underflow",
		[GUARD_AFTER_FREE] = "use after free", [GUARD_DOUBLE_FREE] = "double free",
		[GUARD_BAD_FREE] = "invalid free",     [GUARD_WILD] = "wild access",
	};

	put_text(w, "chic-alloc: guard: ");
	put_text(w, kinds[bug->kind]);
	put_text(w, ": ");
	if (bug->first) {
		put_damage(w, bug);
	} else {
		put_text(w, bug->what);
		put_text(w, " of ");
		put_pointer(w, bug->where.address);
		put_text(w, ", ");
		put_place(w, &bug->where);
	}
	put_text(w, "\n");
}

/* -------------------------------------------------------------- threads -- */

/* What a program calls its threads may hold anything. */
static void put_printable(struct writer *w, const char *text, size_t max)
{
	for (size_t i = 0; i < max && text[i] && text[i] != '\n'; i++)
		put_bytes(w, (unsigned char)text[i] < ' ' || text[i] == 0x7f ? "?" : &text[i],
			  1);
}

/* /proc/self/task/TID/comm: 0 where there is no such thread. */
static size_t read_name(int32_t tid, char *name, size_t size)
{
	char path[48] = "/proc/self/task/";
	size_t len = strlen(path);
	ssize_t n;
	int fd;

	len += output_append_number(path + len, 12, (unsigned long)tid);
	memcpy(path + len, "/comm", sizeof("/comm"));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, name, size);
	close(fd);
	return n > 0 ? (size_t)n : 0;
}

static void put_thread(struct writer *w, int32_t tid)
{
	char name[COMM_MAX];
	size_t n = read_name(tid, name, sizeof(name));

	put_text(w, "thread ");
	put_number(w, (uint32_t)tid, 0);
	if (tid == guard_tid() && !n && prctl(PR_GET_NAME, name) == 0)
		n = sizeof(name);
	if (!n) {
		put_text(w, " (gone)");
		return;
	}
	put_text(w, " (");
	put_printable(w, name, n);
	put_text(w, ")");
}

/* ---------------------------------------------------------------- stacks -- */

static void put_stack(struct writer *w, const uintptr_t *pcs, size_t n)
{
	put_text(w, n ? ":\n" : ", stack not known\n");
	for (size_t i = 0; i < n; i++) {
		put_text(w, "    ");
		put_bytes(w, reporter.line,
			  stacktrace_name(reporter.line, sizeof(reporter.line), pcs[i]));
		put_text(w, "\n");
	}
	/* what follows may be the end of a process that was damaged */
	put_flush(w);
}

static void put_culprit(struct writer *w, const struct guard_bug *bug)
{
	size_t n;

	put_text(w, "  ");
	put_text(w, bug->what);
	put_text(w, " by ");
	put_thread(w, guard_tid());
	put_text(w, " of process ");
	put_number(w, getpid(), 0);
	if (bug->context)
		n = stacktrace_capture_context(reporter.pcs, STACKTRACE_DEPTH, bug->context);
	else
		n = stacktrace_capture(reporter.pcs, STACKTRACE_DEPTH);
	put_stack(w, reporter.pcs, n);
}

static void put_history(struct writer *w, const struct guard *g, const char *what, int32_t tid,
			uint32_t stack)
{
	const uintptr_t *pcs = NULL;
	size_t n = stacktrace_get(&g->traces, stack, &pcs);

	put_text(w, "  ");
	put_text(w, what);
	put_text(w, " by ");
	put_thread(w, tid);
	if (g->stacks)
		put_stack(w, pcs, n);
	else
		put_text(w, "\n");
}

/* ------------------------------------------------------------- interface -- */

static void put_report(struct writer *w, const struct guard *g, const struct guard_bug *bug)
{
	const struct guard_where *where = &bug->where;

	put_headline(w, bug);
	put_flush(w);
	put_culprit(w, bug);
	if (!where->has_block)
		return;
	put_history(w, g, "allocated", where->block.alloc_tid, where->stacks.alloc);
	if (where->block.state == GUARD_FREED)
		put_history(w, g, "freed", where->block.free_tid, where->stacks.free);
}

/* Not those that bugs raise: who looks at these is told of a bug of the report. */
static void block_signals(sigset_t *before)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT};
	sigset_t set;

	sigfillset(&set);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(&set, faults[i]);
	pthread_sigmask(SIG_BLOCK, &set, before);
}

void guard_report(struct guard *g, const struct guard_bug *bug)
{
	int saved = errno, cancel;
	sigset_t before;

	block_signals(&before);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	if (take_turn(guard_tid())) {
		begin_output(&reporter.out, g->output);
		put_report(&reporter.out, g, bug);
		end_output(&reporter.out);
		leave_turn();
	} else {
		guard_say("thread %d: %s of %p, and no report, because thread %d does not "
			  "come to an end with its own",
			  (int)guard_tid(), bug->what, (const void *)bug->where.address,
			  (int)reporter.owner);
	}
	pthread_setcancelstate(cancel, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = saved;
}

int guard_report_start(struct guard *g)
{
	const char *output = chic_param_text(g->args, "output");
	int err = output_pattern(g->output, sizeof(g->output), output);

	if (err)
		g->args->fail("output = %s: %s", output, strerror(-err));
	return err;
}

static bool is_freed(const struct guard_where *where)
{
	return where->has_block && where->block.state == GUARD_FREED &&
	       where->address == where->block.p;
}

void guard_die_bad_pointer(struct guard *g, const char *p, const char *what)
{
	struct guard_bug bug = {.kind = GUARD_BAD_FREE, .what = what, .where.address = p};

	guard_find(p, &bug.where);
	if (is_freed(&bug.where))
		bug.kind = strcmp(what, "free") == 0 ? GUARD_DOUBLE_FREE : GUARD_AFTER_FREE;
	guard_report(g, &bug);
	abort();
}

void guard_die_damage(struct guard *g, const struct guard_record *r, const char *what,
		      const unsigned char *first, const unsigned char *last)
{
	struct guard_bug bug = {
		.kind = (const char *)first < r->p ? GUARD_UNDERFLOW : GUARD_OVERFLOW,
		.what = what,
		.first = first,
		.last = last,
	};

	guard_find(r->p, &bug.where);
	bug.where.block.state = GUARD_LIVE; /* not yet freed */
	guard_report(g, &bug);
	abort();
}
