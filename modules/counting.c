// SPDX-License-Identifier: BSD-2-Clause
/*
 * counting - exact counts of what passes through, and where it came from
 *
 * A filter: every block is the lower layer's.  Each thread counts for itself, and
 * reports add up; what is live is what was allocated less what was freed.
 */
#include "counting.h"

CHIC_MODULE("counting", "filter");
CHIC_MODULE_VERSION("1.0");
CHIC_MODULE_LICENSE("BSD-2-Clause");
CHIC_MODULE_DESCRIPTION("live, peak and total blocks and bytes, exact");
CHIC_MODULE_AUTHOR("chic-alloc");
CHIC_MODULE_PARM("summary", "bool", "no", "",
		 "write a report when the process exits, as output does");
CHIC_MODULE_PARM("output", "string", "", "",
		 "file for reports, %p is the process id; none is stderr");
CHIC_MODULE_PARM("format", "enum", "text", "text|json|collapsed|pprof",
		 "how reports are written");
CHIC_MODULE_PARM("interval", "uint", "0", "0-31536000",
		 "seconds from one report to the next while the process runs, 0 is none");
CHIC_MODULE_PARM("signal", "enum", "off", "off|HUP|USR1|USR2",
		 "a signal that asks for a report");
CHIC_MODULE_PARM("sites", "size", "1T", "0-1T",
		 "bytes from one sampled block to the next, 0 is every block, 1T none");
CHIC_MODULE_PARM("top", "uint", "10", "0-100", "call sites in a report, of each kind");
CHIC_MODULE_PARM("value", "enum", "live", "live|total",
		 "bytes that collapsed stacks stand for");

/* ------------------------------------------------------------ counting -- */

/* Of threads that are ending or have no memory. */
static void count_shared(struct counting_sizes *sizes, size_t size)
{
	if (size < COUNTING_SMALL) {
		atomic_fetch_add(&sizes->small[size], 1);
	} else {
		atomic_fetch_add(&sizes->large[counting_class(size)].blocks, 1);
		atomic_fetch_add(&sizes->large[counting_class(size)].bytes, size);
	}
}

static inline void count_own(struct counting_sizes *sizes, size_t size)
{
	if (likely(size < COUNTING_SMALL)) {
		add_own(&sizes->small[size], 1);
	} else {
		add_own(&sizes->large[counting_class(size)].blocks, 1);
		add_own(&sizes->large[counting_class(size)].bytes, size);
	}
}

/* What a thread does about a block that it was given or gave back. */
static void count_alloc(struct counting *c, void *p, size_t size)
{
	struct counting_tally *t = counting_tally(c);

	if (unlikely(!t)) {
		count_shared(&c->shared.allocated, size);
		counting_peak_shared(c, (intptr_t)size);
		counting_site_shared(c, p, size);
		return;
	}
	count_own(&t->allocated, size);
	counting_peak_more(c, t, size);
	if (unlikely(counting_credit_used(t, size)))
		counting_look(c, t, p, size);
}

static void count_realloc(struct counting *c, void *p, size_t old_size, size_t size)
{
	struct counting_tally *t = counting_tally(c);

	if (unlikely(!t)) {
		count_shared(&c->shared.allocated, size);
		count_shared(&c->shared.freed, old_size);
		counting_peak_shared(c, (intptr_t)(size - old_size));
		counting_site_shared(c, p, size);
		return;
	}
	count_own(&t->allocated, size);
	count_own(&t->freed, old_size);
	if (size > old_size)
		counting_peak_more(c, t, size - old_size);
	else
		counting_peak_less(c, t, old_size - size);
	if (unlikely(counting_credit_used(t, size)))
		counting_look(c, t, p, size);
}

static void count_free(struct counting *c, size_t size)
{
	struct counting_tally *t = counting_tally(c);

	if (unlikely(!t)) {
		count_shared(&c->shared.freed, size);
		counting_peak_shared(c, -(intptr_t)size);
		return;
	}
	count_own(&t->freed, size);
	counting_peak_less(c, t, size);
}

/* ------------------------------------------------------------- samples -- */

static inline bool may_be_sampled(struct counting *c, const void *p)
{
	return unlikely(c->sites) && unlikely(counting_live_may_have(&c->sites->live, p));
}

/* Before the block goes: its address may at once be that of another. */
static inline bool take(struct counting *c, const void *p, struct counting_block *sample)
{
	return may_be_sampled(c, p) && counting_site_take(c, p, sample);
}

static inline void forget(struct counting *c, const void *p)
{
	struct counting_block sample;

	if (take(c, p, &sample))
		counting_site_end(c, &sample);
}

/* A block that could not be moved stays what it was. */
static void moved(struct counting *c, const struct counting_block *sample, bool done)
{
	if (done)
		counting_site_end(c, sample);
	else
		counting_site_put_back(c, sample);
}

/* --------------------------------------------------------------- hooks -- */

ValueMutPtr counting_alloc(void *ctx, size_t size, size_t align)
{
	struct counting *c = ctx;
	ValueMutPtr block = lower_alloc(&c->lower, size, align, false);

	if (block.ptr)
		count_alloc(c, block.ptr, size);
	return block;
}

ValueMutPtr counting_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	struct counting *c = ctx;
	ValueMutPtr block = lower_alloc(&c->lower, size, align, true);

	if (block.ptr)
		count_alloc(c, block.ptr, size);
	return block;
}

ValueMutPtr counting_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
			     size_t align)
{
	struct counting *c = ctx;
	struct counting_block sample;
	bool sampled = take(c, old.ptr, &sample);
	ValueMutPtr block = lower_realloc(&c->lower, old, old_size, size, align);

	if (unlikely(sampled))
		moved(c, &sample, block.ptr != NULL);
	if (!block.ptr)
		return block;
	if (old.ptr)
		count_realloc(c, block.ptr, old_size, size);
	else
		count_alloc(c, block.ptr, size);
	return block;
}

void counting_free(void *ctx, ValueMutPtr block)
{
	struct counting *c = ctx;

	forget(c, block.ptr);
	count_free(c, block.size);
	lower_free(&c->lower, block);
}

/* --------------------------------------------------------------- twins -- */

/* Where a malloc family is below, without the call in between. */

static inline size_t below_usable_size(struct counting *c, void *p)
{
	if (likely(c->family.usable_size))
		return c->family.usable_size(p);
	return lower_usable_size(&c->lower, p);
}

static inline void *below_malloc(struct counting *c, size_t size)
{
	return likely(c->family.malloc) ? c->family.malloc(size)
					: lower_malloc(&c->lower, size);
}

static inline void *below_calloc(struct counting *c, size_t n, size_t size)
{
	return likely(c->family.calloc) ? c->family.calloc(n, size)
					: lower_calloc(&c->lower, n, size);
}

static inline void *below_remalloc(struct counting *c, void *p, size_t size)
{
	return likely(c->family.realloc) ? c->family.realloc(p, size)
					 : lower_remalloc(&c->lower, p, size);
}

static inline size_t below_mfree(struct counting *c, void *p)
{
	size_t size;

	if (unlikely(!c->family.usable_size))
		return lower_mfree(&c->lower, p);
	size = c->family.usable_size(p);
	c->family.free(p);
	return size;
}

/*
 * The usual way, for malloc and free, ends in a jump wherever something else is to be
 * done, so that it needs no stack for that: these answer what their caller would.
 */
static __attribute__((noinline)) void *count_otherwise(struct counting *c, void *p, size_t size)
{
	count_alloc(c, p, size);
	return p;
}

static __attribute__((noinline)) size_t count_free_otherwise(struct counting *c, size_t size)
{
	count_free(c, size);
	return size;
}

static __attribute__((noinline)) void *look_at(struct counting *c, struct counting_tally *t,
					       void *p, size_t size)
{
	counting_peak_look(c, t);
	if (t->credit < 0)
		counting_look(c, t, p, size);
	return p;
}

static __attribute__((noinline)) size_t tell_freed(struct counting *c, struct counting_tally *t,
						   size_t size)
{
	counting_peak_tell(c, t);
	return size;
}

/* The malloc family counts usable bytes, the only size that free can learn. */
static inline void *counted(struct counting *c, void *p)
{
	struct counting_tally *t;
	bool tell, look;
	size_t size;

	if (unlikely(!p))
		return p;
	size = below_usable_size(c, p);
	if (unlikely(counting_seen.id != c->id || size >= COUNTING_SMALL))
		return count_otherwise(c, p, size);
	t = counting_seen.tally;
	add_own(&t->allocated.small[size], 1);
	tell = counting_peak_raise(t, size);
	look = counting_credit_used(t, size);
	if (unlikely(tell || look))
		return look_at(c, t, p, size);
	return p;
}

void *counting_malloc(void *ctx, size_t size)
{
	struct counting *c = ctx;

	return counted(c, below_malloc(c, size));
}

void *counting_calloc(void *ctx, size_t n, size_t size)
{
	struct counting *c = ctx;

	return counted(c, below_calloc(c, n, size));
}

void *counting_memalign(void *ctx, size_t align, size_t size)
{
	struct counting *c = ctx;

	return counted(c, lower_memalign(&c->lower, align, size));
}

void *counting_remalloc(void *ctx, void *p, size_t size)
{
	struct counting *c = ctx;
	size_t old_size = below_usable_size(c, p);
	struct counting_block sample;
	bool sampled = take(c, p, &sample);
	void *q = below_remalloc(c, p, size);

	if (unlikely(sampled))
		moved(c, &sample, q != NULL);
	if (q)
		count_realloc(c, q, old_size, below_usable_size(c, q));
	return q;
}

static __attribute__((noinline)) size_t free_sampled(struct counting *c, void *p)
{
	size_t size;

	forget(c, p);
	size = below_mfree(c, p);
	count_free(c, size);
	return size;
}

size_t counting_mfree(void *ctx, void *p)
{
	struct counting *c = ctx;
	struct counting_tally *t;
	size_t size;

	if (may_be_sampled(c, p))
		return free_sampled(c, p);
	size = below_mfree(c, p);
	if (unlikely(counting_seen.id != c->id || size >= COUNTING_SMALL))
		return count_free_otherwise(c, size);
	t = counting_seen.tally;
	add_own(&t->freed.small[size], 1);
	if (unlikely(counting_peak_lower(t, size)))
		return tell_freed(c, t, size);
	return size;
}

/* ---------------------------------------------------------- life cycle -- */

/*
 * Counters need no lock: a block is counted or not yet.  Where there is one thread
 * only, nobody else can have a lock; but this thread may, if we are in its handler.
 */
void counting_prefork(void *ctx)
{
	struct counting *c = ctx;

	if (c->sites && !chic_only_thread() && !counting_seen.busy)
		counting_live_lock(&c->sites->live);
}

void counting_postfork_parent(void *ctx)
{
	struct counting *c = ctx;

	if (c->sites)
		counting_live_unlock(&c->sites->live);
}

void counting_postfork_child(void *ctx)
{
	struct counting *c = ctx;

	counting_postfork_parent(ctx);
	counting_threads_fork(c);
	counting_output_fork(c);
}

int counting_init(const struct chic_module_args *args, const struct chic_layer *lower,
		  void **ctx)
{
	static _Atomic uint64_t ids;
	struct counting *c = pages_new(sizeof(*c));
	int err;

	if (!c) {
		args->fail("no memory for %zu bytes of counters", sizeof(*c));
		return -ENOMEM;
	}
	c->args = args;
	memcpy(&c->lower, lower, smaller(lower->size, sizeof(c->lower)));
	if (c->lower.family)
		c->family = *c->lower.family;
	c->id = atomic_fetch_add(&ids, 1) + 1;
	err = counting_sites_start(c);
	if (err)
		goto err_unmap_counters;
	err = counting_output_start(c);
	if (err)
		goto err_stop_sites;
	*ctx = c;
	return 0;

err_stop_sites:
	counting_sites_stop(c);
err_unmap_counters:
	munmap(c, sizeof(*c));
	return err;
}

void counting_exit(void *ctx)
{
	struct counting *c = ctx;

	counting_output_stop(c);
	counting_sites_stop(c);
	counting_tallies_free(c);
	munmap(c, sizeof(*c));
}
