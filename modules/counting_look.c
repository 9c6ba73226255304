// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a thread of counting does once in a while, and not for each block: take one
 * for the sample, look at the clock.  It has a credit of bytes to allocate, one
 * comparison each, and comes here when that is used up.
 */
#include "counting.h"

static bool has_interval(const struct counting *c)
{
	return c->output && c->output->interval;
}

static void credit_renew(struct counting *c, struct counting_tally *t)
{
	t->credit = t->until_sample;
	if (has_interval(c) && t->credit > COUNTING_CLOCK_BYTES)
		t->credit = COUNTING_CLOCK_BYTES;
	t->credit_from = t->credit;
}

static void draw(struct counting *c, struct counting_tally *t)
{
	t->until_sample = COUNTING_NEVER;
	if (c->sites)
		t->until_sample = counting_draw(&t->random, c->sites->period);
}

void counting_look_start(struct counting *c, struct counting_tally *t, uint64_t random)
{
	t->random ^= random;
	draw(c, t);
	credit_renew(c, t);
}

void counting_look(struct counting *c, struct counting_tally *t, void *p, size_t size)
{
	int saved = errno;
	bool sampled;

	t->until_sample -= t->credit_from - t->credit;
	sampled = t->until_sample < 0;
	if (sampled)
		draw(c, t);
	credit_renew(c, t);
	/* in a handler that interrupted this */
	if (counting_seen.busy)
		return;
	counting_seen.busy = true;
	if (sampled && c->sites)
		counting_site_begin(c, p, size);
	if (has_interval(c))
		counting_output_tick(c);
	counting_seen.busy = false;
	errno = saved;
}
