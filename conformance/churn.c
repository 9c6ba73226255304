// SPDX-License-Identifier: BSD-2-Clause
/*
 * Blocks that come and go at random.  Each goes back by the view it came from; that
 * the views are interchangeable is a case of its own.
 */
#include "conform.h"

#include <string.h>

void churn_begin(struct churn *c, const struct subject *s, unsigned stream)
{
	c->s = s;
	rng_begin(&c->rng, s, stream);
	c->set.n = 0;
	c->live = 200;
	c->max = 64 * 1024;
	c->ways = ways_of(s);
	c->may_fail = false;
}

/* One in sixteen asks for more than malloc's. */
static size_t random_align(struct rng *r)
{
	if (rng_below(r, 16))
		return (size_t)1 << rng_below(r, 5);
	return (size_t)1 << (5 + rng_below(r, 8));
}

static void get(struct churn *c, size_t size)
{
	enum way way = (enum way)rng_below(&c->rng, c->ways);
	size_t align = random_align(&c->rng);

	if (way == WAY_MEMALIGN && align < CHIC_MALLOC_ALIGN)
		align = CHIC_MALLOC_ALIGN;
	if (c->may_fail)
		blocks_try(c->s, &c->set, way, size, align);
	else
		blocks_get(c->s, &c->set, way, size, align);
}

static void resize(struct churn *c, size_t size)
{
	struct blocks *set = &c->set;
	size_t at = rng_below(&c->rng, set->n);
	struct block moved = set->list[at];
	char text[BLOCK_TEXT];

	/* Its new place is compared with the others' as that of a new one is. */
	set->list[at] = set->list[set->n - 1];
	set->list[set->n - 1] = moved;
	if (block_resize(c->s, &set->list[set->n - 1], size, moved.align))
		blocks_check_apart(set);
	else if (!c->may_fail)
		case_fail("realloc to %zu bytes: answered null for a %s", size,
			  block_text(&moved, text));
}

/* Up to the most that may live, down to none, and so on. */
void churn_step(struct churn *c)
{
	size_t what = rng_below(&c->rng, 100);
	size_t size = rng_size(&c->rng, c->max);

	if (c->set.n == 0 || (c->set.n < c->live && what < 52))
		get(c, size);
	else if (what < 88)
		blocks_put(c->s, &c->set, rng_below(&c->rng, c->set.n));
	else
		resize(c, size);
}

void churn_for(struct churn *c, double share, size_t least)
{
	struct work w;

	work_begin(&w, c->s, share, least);
	while (work_left(&w, c->max / 16))
		churn_step(c);
	churn_end(c);
}

void churn_end(struct churn *c)
{
	blocks_check(&c->set);
	blocks_put_all(c->s, &c->set);
}

void churn_serve(const struct subject *s, unsigned stream)
{
	struct churn c;

	churn_begin(&c, s, stream);
	c.live = 60;
	for (size_t i = 0; i < 400; i++)
		churn_step(&c);
	churn_end(&c);
}
