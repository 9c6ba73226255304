/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of modules/counting*.c share: counting over the C library's heap, and
 * its counts read where an operator reads them, in the report that a process writes
 * when it exits, here a forked child that has inherited them.
 */
#ifndef COUNTING_SUPPORT_H
#define COUNTING_SUPPORT_H

#include <fcntl.h>
#include <limits.h>

#include "../modules/counting.h"
#include "fault.h"
#include "module_common.h"

enum { SUMMARY, OUTPUT, FORMAT, INTERVAL, SIGNAL, SITES, TOP, VALUE };

static struct chic_module_param params[] = {
	[SUMMARY] = {.name = "summary"},
	[OUTPUT] = {.name = "output"},
	[FORMAT] = {.name = "format", .text = "text"},
	[INTERVAL] = {.name = "interval"},
	[SIGNAL] = {.name = "signal", .text = "off"},
	[SITES] = {.name = "sites", .number = COUNTING_SITES_OFF},
	[TOP] = {.name = "top", .number = 10},
	[VALUE] = {.name = "value", .text = "live"},
};
static struct chic_module_args args;

static inline size_t below_usable_size(void *ctx, const void *p)
{
	(void)ctx;
	return libc_usable_size(&lower_live, p);
}

static const struct chic_layer *counting_lower = &libc_layer;

static inline int start_with(bool summary, const char *output)
{
	int err;

	params[SUMMARY].number = summary;
	params[OUTPUT].text = output;
	support_args(&args, params, ARRAY_LENGTH(params));
	subject = (struct subject){SUBJECT(counting), .usable_size = below_usable_size,
				   .prefork = counting_prefork,
				   .postfork_parent = counting_postfork_parent,
				   .postfork_child = counting_postfork_child};
	err = counting_init(&args, counting_lower, &subject.ctx);
	on_thread_exit = counting_thread_exit;
	on_thread_exit_ctx = subject.ctx;
	return err;
}

static inline void start(void)
{
	ck_assert_int_eq(start_with(true, ""), 0);
}

static inline void stop(void)
{
	on_thread_exit = NULL;
	counting_exit(subject.ctx);
}

/* ------------------------------------------------------------ counts -- */

struct counts {
	size_t live_blocks, live_bytes, peak_bytes, peak_within, total_blocks, total_bytes;
	size_t blocks[64], bytes[64]; /* by class */
	size_t live[64], live_size[64];
	size_t thread_blocks[100], thread_freed[100], threads; /* in the order of the table */
	size_t ended_blocks, ended_freed;
};

static inline void parse_class(struct counts *out, const char *line)
{
	size_t blocks, bytes, live, live_size;
	unsigned k;

	if (sscanf(line, "up-to 2^%u %zu %zu %zu %zu", &k, &blocks, &bytes, &live,
		   &live_size) != 5)
		return;
	ck_assert_uint_lt(k, 64);
	out->blocks[k] = blocks;
	out->bytes[k] = bytes;
	out->live[k] = live;
	out->live_size[k] = live_size;
}

static inline void parse_thread(struct counts *out, const char *line)
{
	size_t blocks, bytes, freed, freed_bytes;
	int tid;

	sscanf(line, "ended %zu %*u %zu", &out->ended_blocks, &out->ended_freed);
	if (sscanf(line, "thread %d %zu %zu %zu %zu", &tid, &blocks, &bytes, &freed,
		   &freed_bytes) != 5)
		return;
	ck_assert_uint_lt(out->threads, 100);
	out->thread_blocks[out->threads] = blocks;
	out->thread_freed[out->threads++] = freed;
}

static inline void parse(struct counts *out, const char *text)
{
	const char *line = strchr(text, '\n');
	int n;

	memset(out, 0, sizeof(*out));
	ck_assert_ptr_nonnull(line);
	n = sscanf(line,
		   " live-blocks %zu live-bytes %zu peak-bytes %zu peak-within %zu "
		   "total-blocks %zu total-bytes %zu",
		   &out->live_blocks, &out->live_bytes, &out->peak_bytes, &out->peak_within,
		   &out->total_blocks, &out->total_bytes);
	ck_assert_msg(n == 6, "summary: %s", text);
	for (; line; line = strchr(line + 1, '\n')) {
		parse_class(out, line + 1);
		parse_thread(out, line + 1);
	}
}

static inline void nothing(void *arg)
{
	(void)arg;
}

static inline struct counts counts(void)
{
	struct child child;
	struct counts now;

	run_child(&child, nothing, NULL);
	ck_assert_int_eq(child.status, 0);
	parse(&now, child.text);
	return now;
}

#endif /* COUNTING_SUPPORT_H */
