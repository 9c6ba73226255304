// SPDX-License-Identifier: BSD-2-Clause
/*
 * counting - exact counts of what passes through, and a summary at exit
 *
 * A filter: every block is the lower layer's.  What is live is kept in shared
 * atomics, because the peak is only exact in one order of events for all
 * threads; totals per size class are each thread's own and added up when asked.
 */
#include <errno.h>

#include "counting.h"

CHIC_MODULE("counting", "filter");
CHIC_MODULE_VERSION("1.0");
CHIC_MODULE_LICENSE("BSD-2-Clause");
CHIC_MODULE_DESCRIPTION("live, peak and total blocks and bytes, exact");
CHIC_MODULE_AUTHOR("chic-alloc");
CHIC_MODULE_PARM("summary", "bool", "no", "", "write a summary when the process exits");
CHIC_MODULE_PARM("output", "string", "", "",
		 "file for the summary, %p is the process id; none is stderr");

/* ------------------------------------------------------------ counting -- */

static unsigned class_of(size_t size)
{
	return size <= 1 ? 0 : COUNTING_CLASSES - __builtin_clzl(size - 1);
}

static struct counting_tally *tally_reuse(struct counting *c)
{
	struct counting_tally *t;

	for (t = atomic_load(&c->tallies); t; t = t->next)
		if (!atomic_load_explicit(&t->used, memory_order_relaxed) &&
		    !atomic_exchange(&t->used, true))
			return t;
	return NULL;
}

static struct counting_tally *tally_new(struct counting *c)
{
	struct counting_tally *t = pages_new(sizeof(*t));

	if (!t)
		return NULL;
	atomic_store(&t->used, true);
	t->next = atomic_load(&c->tallies);
	while (!atomic_compare_exchange_weak(&c->tallies, &t->next, t))
		;
	return t;
}

/* The calling thread's tally, or null when it has to use the shared one. */
static struct counting_tally *tally_get(struct counting *c)
{
	void **word = chic_thread_word(c->args);

	if (!word)
		return NULL;
	if (!*word)
		*word = tally_reuse(c);
	if (!*word)
		*word = tally_new(c);
	return *word;
}

static void add_own(_Atomic size_t *counter, size_t n)
{
	size_t now = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, now + n, memory_order_relaxed);
}

static void count_total(struct counting *c, size_t size)
{
	struct counting_tally *t = tally_get(c);
	unsigned k = class_of(size);

	if (t) {
		add_own(&t->classes[k].calls, 1);
		add_own(&t->classes[k].bytes, size);
	} else {
		atomic_fetch_add(&c->shared.classes[k].calls, 1);
		atomic_fetch_add(&c->shared.classes[k].bytes, size);
	}
}

/* Wraps below zero when a block shrinks, which addition undoes. */
static void count_bytes(struct counting *c, size_t more)
{
	size_t now = atomic_fetch_add(&c->live_bytes, more) + more;
	size_t peak = atomic_load_explicit(&c->peak_bytes, memory_order_relaxed);

	while (now > peak && !atomic_compare_exchange_weak(&c->peak_bytes, &peak, now))
		;
}

static void count_alloc(struct counting *c, size_t size)
{
	atomic_fetch_add(&c->live_blocks, 1);
	count_bytes(c, size);
	count_total(c, size);
}

static void count_realloc(struct counting *c, size_t old_size, size_t size)
{
	count_bytes(c, size - old_size);
	count_total(c, size);
}

static void count_free(struct counting *c, size_t size)
{
	atomic_fetch_sub(&c->live_blocks, 1);
	atomic_fetch_sub(&c->live_bytes, size);
}

/* --------------------------------------------------------------- hooks -- */

ValueMutPtr counting_alloc(void *ctx, size_t size, size_t align)
{
	struct counting *c = ctx;
	ValueMutPtr block = lower_alloc(c->lower, size, align, false);

	if (block.ptr)
		count_alloc(c, size);
	return block;
}

ValueMutPtr counting_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	struct counting *c = ctx;
	ValueMutPtr block = lower_alloc(c->lower, size, align, true);

	if (block.ptr)
		count_alloc(c, size);
	return block;
}

ValueMutPtr counting_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
			     size_t align)
{
	struct counting *c = ctx;
	ValueMutPtr block = lower_realloc(c->lower, old, old_size, size, align);

	if (!block.ptr)
		return block;
	if (old.ptr)
		count_realloc(c, old_size, size);
	else
		count_alloc(c, size);
	return block;
}

void counting_free(void *ctx, ValueMutPtr block)
{
	struct counting *c = ctx;

	count_free(c, block.size);
	lower_free(c->lower, block);
}

/* --------------------------------------------------------------- twins -- */

/* The malloc family counts usable bytes, the only size that free can learn. */
static void *counted(struct counting *c, void *p)
{
	if (p)
		count_alloc(c, lower_usable_size(c->lower, p));
	return p;
}

void *counting_malloc(void *ctx, size_t size)
{
	struct counting *c = ctx;

	return counted(c, lower_malloc(c->lower, size));
}

void *counting_calloc(void *ctx, size_t n, size_t size)
{
	struct counting *c = ctx;

	return counted(c, lower_calloc(c->lower, n, size));
}

void *counting_memalign(void *ctx, size_t align, size_t size)
{
	struct counting *c = ctx;

	return counted(c, lower_memalign(c->lower, align, size));
}

void *counting_remalloc(void *ctx, void *p, size_t size)
{
	struct counting *c = ctx;
	size_t old_size = lower_usable_size(c->lower, p);
	void *q = lower_remalloc(c->lower, p, size);

	if (q)
		count_realloc(c, old_size, lower_usable_size(c->lower, q));
	return q;
}

size_t counting_mfree(void *ctx, void *p)
{
	struct counting *c = ctx;
	size_t size = lower_mfree(c->lower, p);

	count_free(c, size);
	return size;
}

void counting_thread_exit(void *ctx, void *word)
{
	struct counting_tally *t = word;

	(void)ctx;
	atomic_store(&t->used, false);
}

/* ---------------------------------------------------------- life cycle -- */

int counting_init(const struct chic_module_args *args, const struct chic_layer *lower,
		  void **ctx)
{
	struct counting *c = pages_new(sizeof(*c));
	int err = 0;

	if (!c) {
		args->fail("no memory for %zu bytes of counters", sizeof(*c));
		return -ENOMEM;
	}
	c->args = args;
	c->lower = lower;
	if (chic_param_number(args, "summary"))
		err = counting_summary_start(c);
	else if (chic_param_text(args, "output")[0])
		args->warn("%s: output is set, but nothing is written without summary = yes",
			   args->name);
	if (err)
		goto err_unmap_counters;
	*ctx = c;
	return 0;

err_unmap_counters:
	munmap(c, sizeof(*c));
	return err;
}

void counting_exit(void *ctx)
{
	struct counting *c = ctx;
	struct counting_tally *t, *next;

	counting_summary_stop(c);
	for (t = atomic_load(&c->tallies); t; t = next) {
		next = t->next;
		munmap(t, sizeof(*t));
	}
	munmap(c, sizeof(*c));
}
