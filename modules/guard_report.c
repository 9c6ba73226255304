// SPDX-License-Identifier: BSD-2-Clause
/*
 * What guard says: one line on stderr about a damaged heap, before the process
 * ends by abort(), and one about its work when the process exits.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "guard.h"

/* Instances that write a summary; changed under the loader's lock only. */
static struct guard *reporting;

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	char line[256] = "chic-alloc: guard: ";
	size_t len = strlen(line);
	va_list args;
	ssize_t n;

	va_start(args, format);
	vsnprintf(line + len, sizeof(line) - len - 1, format, args);
	va_end(args);
	strcat(line, "\n");
	do
		n = write(STDERR_FILENO, line, strlen(line));
	while (n < 0 && errno == EINTR);
}

/* The slot that p lies in, by searching; null if it lies in none. */
static const struct guard_record *slot_around(const struct guard *g, const char *p)
{
	size_t i = (p - g->base) / g->page;
	const struct guard_record *r;

	if (i >= g->pages_cut)
		return NULL;
	for (; i > 0; i--) {
		r = &g->records[i];
		if (r->state != GUARD_UNUSED && r->first == i)
			return r;
	}
	return NULL;
}

void guard_die_bad_pointer(const struct guard *g, const char *p, const char *what)
{
	const struct guard_record *r = slot_around(g, p);
	const char *freed = r && r->state == GUARD_FREED ? "freed " : "";

	if (!r)
		say("%s of %p, which is no block", what, (const void *)p);
	else if (p == r->p && strcmp(what, "free") == 0)
		say("double free of %p, block of %zu bytes", (const void *)p, r->size);
	else if (p >= r->p && p < r->p + r->size)
		say("%s of %p, inside the %sblock of %zu bytes at %p", what, (const void *)p,
		    freed, r->size, (void *)r->p);
	else
		say("%s of %p, which is no block; near is the %sblock of %zu bytes at %p", what,
		    (const void *)p, freed, r->size, (void *)r->p);
	abort();
}

void guard_die_overrun(const struct guard_record *r, const unsigned char *at)
{
	size_t past = (const char *)at - (r->p + r->size);

	say("write past the block of %zu bytes at %p: offset %zu is 0x%02x, expected 0x%02x",
	    r->size, (void *)r->p, r->size + past, *at, GUARD_CANARY);
	abort();
}

static void summary_write_all(void)
{
	const struct guard *g;

	for (g = reporting; g; g = g->next_reporting)
		say("pid %ld: %zu blocks guarded, %zu unguarded", (long)getpid(),
		    atomic_load(&g->guarded), atomic_load(&g->unguarded));
}

int guard_summary_start(struct guard *g)
{
	static bool registered;

	if (!registered && atexit(summary_write_all) != 0) {
		g->args->fail("summary = yes: atexit: out of memory");
		return -ENOMEM;
	}
	registered = true;
	g->next_reporting = reporting;
	reporting = g;
	return 0;
}

void guard_summary_stop(const struct guard *g)
{
	struct guard **at;

	for (at = &reporting; *at; at = &(*at)->next_reporting) {
		if (*at != g)
			continue;
		*at = g->next_reporting;
		return;
	}
}
