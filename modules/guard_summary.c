// SPDX-License-Identifier: BSD-2-Clause
/*
 * What guard says of its work when the process exits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "guard.h"

/* Instances that write a summary; changed under the loader's lock only. */
static struct guard *reporting;

static void summary_write_all(void)
{
	const struct guard *g;

	for (g = reporting; g; g = g->next_reporting) {
		size_t unclosed = g->unclosed;
		char left[64] = "";

		if (unclosed)
			snprintf(left, sizeof(left), ", %zu accessible when freed", unclosed);
		guard_say("pid %ld: %zu blocks guarded, %zu unguarded%s; back end %s",
			  (long)getpid(), g->guarded, g->unguarded, left, g->backend->name);
	}
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
