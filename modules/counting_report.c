// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes one report of counting, from inside malloc, in a signal handler or at exit.
 * There are no locks: one thread has the right to write, and whoever does not get it
 * leaves word or does without.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "counting.h"

/* Milliseconds that the end of a process waits for a thread that is writing. */
#define EXIT_PATIENCE 2000

/* Not the translated text, which is found by way of locks and malloc; since glibc 2.32. */
extern const char *strerrordesc_np(int err) __attribute__((weak));

static void tell(struct counting_output *o, const char *what, int err)
{
	const char *why = strerrordesc_np ? strerrordesc_np(-err) : NULL;

	if (o->told)
		return;
	o->told = true;
	o->writer.fd = counting_file_stderr(&o->file);
	if (o->writer.fd < 0)
		return;
	put_text(&o->writer, "chic-alloc: counting: output: cannot ");
	put_text(&o->writer, what);
	put_text(&o->writer, " \"");
	put_text(&o->writer, o->file.path[0] ? o->file.path : o->file.pattern);
	put_text(&o->writer, "\": ");
	put_text(&o->writer, why ? why : "error ");
	if (!why)
		put_number(&o->writer, (uint64_t)-err, 0);
	put_text(&o->writer, "\n");
	put_flush(&o->writer);
}

static int write_to(struct counting *c, int fd)
{
	struct counting_output *o = c->output;

	o->writer.fd = fd;
	counting_sums_make(c, &o->sums);
	if (c->sites)
		counting_tops_make(c, &o->tops);
	o->format(c);
	return put_flush(&o->writer);
}

static void write_to_file(struct counting *c)
{
	struct counting_output *o = c->output;
	int fd, err;

	fd = counting_file_open(&o->file);
	if (fd < 0) {
		tell(o, "open", fd);
		return;
	}
	err = counting_file_close(&o->file, fd, write_to(c, fd));
	if (err)
		tell(o, "write", err);
}

static void write_report(struct counting *c)
{
	struct counting_output *o = c->output;
	int fd;

	if (!counting_file_is_ours(&o->file))
		return;
	if (o->file.pattern[0]) {
		write_to_file(c);
		return;
	}
	fd = counting_file_stderr(&o->file);
	if (fd >= 0)
		write_to(c, fd);
}

static bool may_write(struct counting_output *o)
{
	int nobody = 0;

	return atomic_compare_exchange_strong(&o->writer_thread, &nobody,
					      (int)syscall(SYS_gettid));
}

/* Whoever could not write while we did has left word.  Names are read from files. */
static void report(struct counting *c)
{
	struct counting_output *o = c->output;
	int saved = errno, cancel;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	do {
		atomic_store(&o->again, false);
		write_report(c);
		atomic_store(&o->writer_thread, 0);
	} while (atomic_load(&o->again) && may_write(o));
	pthread_setcancelstate(cancel, NULL);
	errno = saved;
}

void counting_report(struct counting *c)
{
	struct counting_output *o = c->output;

	if (may_write(o))
		report(c);
	else
		atomic_store(&o->again, true);
}

void counting_report_last(struct counting *c)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct counting_output *o = c->output;
	int waits = 0;

	while (!may_write(o)) {
		/* a handler that ends the process in the middle of a report never gets it */
		if (atomic_load(&o->writer_thread) == (int)syscall(SYS_gettid) ||
		    waits++ == EXIT_PATIENCE)
			return;
		nanosleep(&pause, NULL);
	}
	o->last = true;
	report(c);
}
