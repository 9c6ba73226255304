// SPDX-License-Identifier: BSD-2-Clause
/*
 * What guard says about a damaged heap: one line on stderr, before the process
 * ends by abort().
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "guard.h"

void guard_say(const char *format, ...)
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

void guard_die_bad_pointer(const struct guard *g, const char *p, const char *what)
{
	struct guard_where where;
	const struct guard_record *r = &where.slot;
	const char *freed;

	(void)g;
	if (!guard_find(p, &where) || !where.in_slot)
		r = NULL;
	freed = r && r->state == GUARD_FREED ? "freed " : "";

	if (!r)
		guard_say("%s of %p, which is no block", what, (const void *)p);
	else if (p == r->p && strcmp(what, "free") == 0)
		guard_say("double free of %p, block of %zu bytes", (const void *)p, r->size);
	else if (p >= r->p && p < r->p + r->size)
		guard_say("%s of %p, inside the %sblock of %zu bytes at %p", what,
			  (const void *)p, freed, r->size, (void *)r->p);
	else
		guard_say("%s of %p, which is no block; near is the %sblock of %zu bytes at %p",
			  what, (const void *)p, freed, r->size, (void *)r->p);
	abort();
}

void guard_die_damage(const struct guard *g, const struct guard_record *r,
		      const unsigned char *first, const unsigned char *last)
{
	long offset = (const char *)first - r->p;
	char more[48] = "";

	(void)g;
	if (last > first)
		snprintf(more, sizeof(more), ", and others up to offset %ld",
			 (long)((const char *)last - r->p));
	guard_say("write %s the block of %zu bytes at %p: offset %ld is 0x%02x, expected "
		  "0x%02x%s",
		  offset < 0 ? "before" : "past", r->size, (void *)r->p, offset, *first,
		  GUARD_CANARY, more);
	abort();
}
