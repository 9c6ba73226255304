// SPDX-License-Identifier: BSD-2-Clause
/*
 * When counting writes its reports: at exit, on a signal, at intervals.
 *
 * Intervals are noticed by whoever allocates, from a coarse clock every few
 * kilobytes.  A thread of our own would be punctual also where nobody allocates,
 * but a program with a second thread is another program: unshare() and setns()
 * refuse it, fork() leaves the thread behind, the C library begins to take locks,
 * and seccomp filters that it has not foreseen end it.  A timer's signal would cut
 * short the program's system calls.  Where nobody allocates, little changes.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "counting.h"

/* Instances that write; changed under the loader's lock only. */
static struct counting *_Atomic reporting;

static int64_t now_coarse(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* ---------------------------------------------------------------- exit -- */

static void report_all_last(void)
{
	struct counting *c;

	for (c = atomic_load(&reporting); c; c = c->next_reporting)
		if (c->output->at_exit)
			counting_report_last(c);
}

/* -------------------------------------------------------------- signal -- */

static void on_signal(int signal)
{
	struct counting *c;

	for (c = atomic_load(&reporting); c; c = c->next_reporting)
		if (c->output->signal == signal)
			counting_report(c);
}

static int signal_number(const char *name)
{
	static const struct {
		char name[8];
		int number;
	} signals[] = {{"HUP", SIGHUP}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2}};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (strcmp(name, signals[i].name) == 0)
			return signals[i].number;
	return 0;
}

/* A program that sets its own handler later replaces ours, as it would the default. */
static void signal_start(struct counting *c)
{
	struct sigaction ours = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK};
	const char *name = chic_param_text(c->args, "signal");
	struct sigaction old;
	int number = signal_number(name);

	if (!number)
		return;
	sigemptyset(&ours.sa_mask);
	if (sigaction(number, NULL, &old) != 0 || (old.sa_flags & SA_SIGINFO) ||
	    (old.sa_handler != SIG_DFL && old.sa_handler != on_signal)) {
		c->args->warn("%s: signal = %s is not used: it is ignored or handled already",
			      c->args->name, name);
		return;
	}
	c->output->signal = number;
	sigaction(number, &ours, NULL);
}

static bool signal_is_used(int number)
{
	struct counting *c;

	for (c = atomic_load(&reporting); c; c = c->next_reporting)
		if (c->output->signal == number)
			return true;
	return false;
}

static void signal_stop(int number)
{
	struct sigaction now;

	if (number && !signal_is_used(number) && sigaction(number, NULL, &now) == 0 &&
	    !(now.sa_flags & SA_SIGINFO) && now.sa_handler == on_signal)
		signal(number, SIG_DFL);
}

/* ------------------------------------------------------------ interval -- */

void counting_output_tick(struct counting *c)
{
	struct counting_output *o = c->output;
	int64_t now = now_coarse(), next = atomic_load_explicit(&o->next, memory_order_relaxed);

	if (now < next || getpid() != o->pid)
		return;
	if (atomic_compare_exchange_strong(&o->next, &next, now + o->interval))
		counting_report(c);
}

void counting_output_fork(struct counting *c)
{
	struct counting_output *o = c->output;

	if (!o)
		return;
	o->pid = getpid();
	/* a thread that was writing is not here; its half of a report neither */
	if (atomic_exchange(&o->writer_thread, 0)) {
		o->writer.len = 0;
		o->writer.err = 0;
	}
	atomic_store(&o->next, now_coarse() + o->interval);
}

/* ---------------------------------------------------------- life cycle -- */

static int fail(struct counting *c, const char *what, const char *value, int err)
{
	c->args->fail("%s = %s: %s", what, value, strerror(-err));
	return err;
}

static int exit_register(struct counting *c)
{
	static bool registered;

	if (!registered && atexit(report_all_last) != 0)
		return fail(c, "summary", "yes", -ENOMEM);
	registered = true;
	return 0;
}

struct format {
	char name[12];
	bool needs_sites;
	void (*write)(struct counting *c);
	counting_namer *name_of; /* an address */
};

static const struct format formats[] = {
	{"text", false, counting_text, counting_text_name},
	{"json", false, counting_json, counting_json_name},
	{"collapsed", true, counting_collapsed, counting_collapsed_name},
	{"pprof", true, counting_pprof, NULL},
};

/* Stacks can only be written of what was sampled. */
static const struct format *format_find(struct counting *c)
{
	const struct format *format = &formats[0];
	const char *name = chic_param_text(c->args, "format");

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(name, formats[i].name) == 0)
			format = &formats[i];
	if (!format->needs_sites || c->sites)
		return format;
	c->args->warn("%s: format = %s, but nothing is sampled without sites = BYTES; reports "
		      "are text",
		      c->args->name, name);
	return &formats[0];
}

static int format_set(struct counting *c)
{
	const struct format *format = format_find(c);

	c->output->format = format->write;
	if (!c->sites || !format->name_of)
		return 0;
	c->output->names = counting_names_new(format->name_of);
	return c->output->names ? 0 : -ENOMEM;
}

static void reporting_add(struct counting *c)
{
	c->next_reporting = atomic_load(&reporting);
	atomic_store(&reporting, c);
}

static void reporting_remove(struct counting *c)
{
	struct counting *at = atomic_load(&reporting);

	if (at == c) {
		atomic_store(&reporting, c->next_reporting);
		return;
	}
	while (at && at->next_reporting != c)
		at = at->next_reporting;
	if (at)
		at->next_reporting = c->next_reporting;
}

static int output_set(struct counting *c)
{
	const char *output = chic_param_text(c->args, "output");
	struct counting_output *o = c->output;
	int err = counting_file_start(&o->file, output);

	if (err)
		return fail(c, "output", output, err);
	o->pid = getpid();
	o->at_exit = output[0] || chic_param_number(c->args, "summary");
	if (output[0])
		o->interval = (int64_t)chic_param_number(c->args, "interval") * 1000000000;
	atomic_store(&o->next, now_coarse() + o->interval);
	o->top = chic_param_number(c->args, "top");
	o->total = strcmp(chic_param_text(c->args, "value"), "total") == 0;
	err = format_set(c);
	if (err) {
		c->args->fail("no memory for names");
		return err;
	}
	return exit_register(c);
}

static bool is_wanted(struct counting *c)
{
	bool output = *chic_param_text(c->args, "output");

	if (!output && chic_param_number(c->args, "interval"))
		c->args->warn(
			"%s: interval is set, but nothing is written without output = FILE",
			c->args->name);
	return output || chic_param_number(c->args, "summary") ||
	       signal_number(chic_param_text(c->args, "signal"));
}

int counting_output_start(struct counting *c)
{
	int err;

	if (!is_wanted(c))
		return 0;
	c->output = pages_new(sizeof(*c->output));
	if (!c->output) {
		c->args->fail("no memory for %zu bytes of a report", sizeof(*c->output));
		return -ENOMEM;
	}
	err = output_set(c);
	if (err)
		goto err_unmap_output;
	reporting_add(c);
	signal_start(c);
	return 0;

err_unmap_output:
	counting_names_free(c->output->names);
	munmap(c->output, sizeof(*c->output));
	c->output = NULL;
	return err;
}

void counting_output_stop(struct counting *c)
{
	struct counting_output *o = c->output;

	if (!o)
		return;
	reporting_remove(c);
	signal_stop(o->signal);
	counting_file_stop(&o->file);
	counting_names_free(o->names);
	c->output = NULL;
	munmap(o, sizeof(*o));
}
