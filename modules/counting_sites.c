// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is known of each call site of counting, and for how long blocks live: both
 * from the blocks that were sampled, each counted by its weight.
 */
#define _GNU_SOURCE
#include <time.h>

#include "counting.h"

/* Addresses for the stacks of some 200,000 sites. */
#define STACKS_MAX (32 * 1024 * 1024)

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

struct counting_site *counting_site_of(struct counting_sites *s, uint32_t stack)
{
	return stack ? stacktrace_extra(&s->stacks, stack) : &s->unknown;
}

static void add(_Atomic uint64_t *to, uint64_t n)
{
	atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

/* ------------------------------------------------------------- samples -- */

static void forget(struct counting *c, const void *p)
{
	struct counting_block block;

	if (counting_live_may_have(&c->sites->live, p) &&
	    counting_live_take(&c->sites->live, p, &block))
		counting_site_end(c, &block);
}

void counting_site_begin(struct counting *c, void *p, size_t size)
{
	struct counting_block block = {.p = (uintptr_t)p, .size = size, .since = now()};
	struct counting_sites *s = c->sites;
	uintptr_t pcs[STACKTRACE_DEPTH];
	struct counting_site *site;
	size_t n;

	n = stacktrace_capture(pcs, STACKTRACE_DEPTH);
	block.stack = stacktrace_intern(&s->stacks, pcs, n);
	/* one that was freed where it could not be looked for */
	forget(c, p);
	if (!counting_live_add(&s->live, &block)) {
		atomic_fetch_add(&s->lost, 1);
		return;
	}
	atomic_fetch_add_explicit(&s->samples, 1, memory_order_relaxed);
	site = counting_site_of(s, block.stack);
	add(&site->blocks, counting_weight(size, s->period));
	add(&site->bytes, counting_weight_bytes(size, s->period));
}

static unsigned lifetime_class(int64_t ns)
{
	unsigned k = 0;

	for (int64_t most = 1000; ns > most && k < COUNTING_LIFETIMES - 1; most *= 10)
		k++;
	return k;
}

void counting_site_end(struct counting *c, const struct counting_block *block)
{
	struct counting_sites *s = c->sites;
	struct counting_site *site = counting_site_of(s, block->stack);
	struct counting_site *lifetime = &s->lifetimes[lifetime_class(now() - block->since)];
	uint64_t blocks = counting_weight(block->size, s->period);
	uint64_t bytes = counting_weight_bytes(block->size, s->period);

	add(&site->freed_blocks, blocks);
	add(&site->freed_bytes, bytes);
	add(&lifetime->blocks, blocks);
	add(&lifetime->bytes, bytes);
}

/*
 * A signal handler may have come in between of whoever holds a lock, in this very
 * thread: then the block is left to be forgotten when its address is used again.
 */
bool counting_site_take(struct counting *c, const void *p, struct counting_block *block)
{
	bool there;

	if (counting_seen.busy)
		return false;
	counting_seen.busy = true;
	there = counting_live_take(&c->sites->live, p, block);
	counting_seen.busy = false;
	return there;
}

void counting_site_put_back(struct counting *c, const struct counting_block *block)
{
	counting_seen.busy = true;
	if (!counting_live_add(&c->sites->live, block))
		counting_site_end(c, block);
	counting_seen.busy = false;
}

void counting_site_shared(struct counting *c, void *p, size_t size)
{
	static _Atomic uint64_t randoms;
	uint64_t random;

	if (!c->sites || counting_seen.busy)
		return;
	random = (atomic_fetch_add(&randoms, 1) + (uint64_t)now()) *
		 UINT64_C(0x9e3779b97f4a7c15);
	if (counting_draw(&random, c->sites->period) >= (int64_t)size)
		return;
	counting_seen.busy = true;
	counting_site_begin(c, p, size);
	counting_seen.busy = false;
}

static void end(void *c, const struct counting_block *block)
{
	counting_site_end(c, block);
}

void counting_sites_drop(struct counting *c)
{
	counting_seen.busy = true;
	counting_live_drop(&c->sites->live, end, c);
	counting_seen.busy = false;
}

/* ---------------------------------------------------------- life cycle -- */

int counting_sites_start(struct counting *c)
{
	uint64_t period = chic_param_number(c->args, "sites");
	struct counting_sites *s;

	if (period >= COUNTING_SITES_OFF)
		return 0;
	s = pages_new(sizeof(*s));
	if (!s)
		goto err_no_memory;
	s->period = period;
	if (stacktrace_table_open(&s->stacks, STACKS_MAX, sizeof(struct counting_site)) != 0)
		goto err_unmap_sites;
	stacktrace_start(c->args);
	c->sites = s;
	return 0;

err_unmap_sites:
	munmap(s, sizeof(*s));
err_no_memory:
	c->args->fail("no memory for call sites");
	return -ENOMEM;
}

void counting_sites_stop(struct counting *c)
{
	struct counting_sites *s = c->sites;

	if (!s)
		return;
	counting_live_free(&s->live);
	stacktrace_table_close(&s->stacks);
	c->sites = NULL;
	munmap(s, sizeof(*s));
}
