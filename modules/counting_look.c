// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a thread of counting looks at once in a while, and not at each block: the
 * clock.  It has a credit of bytes to allocate, one comparison each, and comes here
 * when that is used up.
 */
#include "counting.h"

static void credit_renew(struct counting *c, struct counting_tally *t)
{
	t->credit = COUNTING_NEVER;
	if (c->output && c->output->interval)
		t->credit = COUNTING_CLOCK_BYTES;
	t->credit_from = t->credit;
}

void counting_look_start(struct counting *c, struct counting_tally *t)
{
	t->busy = false;
	credit_renew(c, t);
}

void counting_look(struct counting *c, struct counting_tally *t, void *p, size_t size)
{
	int saved = errno;

	(void)p;
	(void)size;
	credit_renew(c, t);
	if (t->busy)
		return;
	t->busy = true;
	if (c->output && c->output->interval)
		counting_output_tick(c);
	t->busy = false;
	errno = saved;
}
