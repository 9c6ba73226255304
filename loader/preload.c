// SPDX-License-Identifier: BSD-2-Clause
/*
 * The hot path of the preload library: the core of the malloc family.
 *
 * A request costs one acquire load and one indirect call.  What programs see is
 * the same whatever heap serves:
 *
 *	malloc(0), calloc(0, n)	a unique pointer that is not null
 *	realloc(NULL, n)	malloc(n), and counted as such
 *	realloc(p, 0)		frees p and answers null, as the C library does
 *	too much		null with ENOMEM: no memory, a product that overflows, or
 *				more than PTRDIFF_MAX bytes
 *	memalign, aligned_alloc	a bad alignment is rounded up to a power of two
 *	posix_memalign		EINVAL for a bad alignment; errno is left alone
 *	free			leaves errno alone, as far as the heap does
 *	malloc_usable_size(NULL)  0
 *
 * Counters count what succeeded; with `telemetry = calls` a small request that
 * failed for want of memory is counted too, because looking at each answer costs
 * a tenth of malloc.  Blocks of the boot arena are never counted:
 * neither when they are made nor when they are freed.
 */
#include "preload.h"

#include <malloc.h>
#include <stdlib.h>

/* Calls of AllocationTelemetry in its own order; the bytes follow, same order. */
enum { COUNT_ALLOC, COUNT_ZEROED, COUNT_REALLOC, COUNT_FREE, COUNT_BYTES };

_Static_assert(offsetof(AllocationTelemetry, free_calls) == COUNT_FREE * sizeof(size_t) &&
		       offsetof(AllocationTelemetry, alloc_bytes) ==
			       COUNT_BYTES * sizeof(size_t) &&
		       offsetof(AllocationTelemetry, freed_bytes) ==
			       (COUNT_BYTES + COUNT_FREE) * sizeof(size_t),
	       "counters are addressed by number");

__attribute__((cold, noinline)) void *no_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

/* The thread's counters; null before its first request and at its end. */
static __thread AllocationTelemetry *thread_counters __attribute__((tls_model("initial-exec")));

/*
 * The thread alone writes its counters; others read them with relaxed loads, and a
 * word is read whole.  A plain increment, because a compiler makes one instruction
 * of it and three of an atomic load and store: 3% of a pair of malloc and free.
 */
static inline void add_own(AllocationTelemetry *t, unsigned which, size_t n)
{
	((size_t *)t)[which] += n;
}

/* For a thread that has no counters yet, or none any more, as well. */
__attribute__((noinline)) static void add(const struct dispatch *d, unsigned which, size_t n)
{
	AllocationTelemetry *t = thread_counters;
	int saved = errno;

	if (!t)
		t = d->counters(&thread_counters);
	if (t)
		add_own(t, which, n);
	else
		__atomic_fetch_add((size_t *)d->shared + which, n, __ATOMIC_RELAXED);
	errno = saved;
}

static size_t usable(const struct dispatch *d, void *p)
{
	if (d->layered)
		return d->layer.usable_size.fn(d->layer.usable_size.ctx, p);
	return d->direct.usable_size(p);
}

/* The count functions answer p, so that their callers can end in them. */
__attribute__((noinline)) static void *count_first(const struct dispatch *d, unsigned which,
						   void *p)
{
	add(d, which, 1);
	return p;
}

static inline void *count_call(unsigned which, void *p)
{
	AllocationTelemetry *t = thread_counters;

	if (unlikely(!t))
		return count_first(dispatch(), which, p);
	add_own(t, which, 1);
	return p;
}

/* A call and the bytes that it was about. */
static inline void add_full(const struct dispatch *d, unsigned which, size_t bytes)
{
	AllocationTelemetry *t = thread_counters;

	if (likely(t)) {
		add_own(t, which, 1);
		add_own(t, COUNT_BYTES + which, bytes);
	} else {
		add(d, which, 1);
		add(d, COUNT_BYTES + which, bytes);
	}
}

static inline void *count_full(const struct dispatch *d, unsigned which, void *p)
{
	add_full(d, which, usable(d, p));
	return p;
}

static inline void *count(const struct dispatch *d, unsigned which, void *p)
{
	if (d->telemetry == CHIC_TELEMETRY_OFF)
		return p;
	return d->telemetry == CHIC_TELEMETRY_CALLS ? count_call(which, p)
						    : count_full(d, which, p);
}

/* Every request that does not go a short way: booting, size 0, large, a thread's first. */
__attribute__((noinline)) static void *malloc_looked_at(size_t size)
{
	const struct dispatch *d = dispatch();
	void *p;

	if (unlikely(size > SIZE_LIMIT))
		return no_memory();
	if (unlikely(d->booting))
		return boot_malloc(size);
	if (d->layered)
		p = d->layer.malloc.fn(d->layer.malloc.ctx, size + !size);
	else
		p = d->direct.malloc(size + !size);
	return likely(p) ? count(d, COUNT_ALLOC, p) : no_memory();
}

static inline void release(const struct dispatch *d, void *p)
{
	if (unlikely(d->layered))
		d->layer.mfree.fn(d->layer.mfree.ctx, p);
	else
		d->direct.free(p);
}

static void free_full(const struct dispatch *d, void *p)
{
	size_t bytes;

	if (d->layered) {
		bytes = d->layer.mfree.fn(d->layer.mfree.ctx, p);
	} else {
		bytes = d->direct.usable_size(p);
		d->direct.free(p);
	}
	add_full(d, COUNT_FREE, bytes);
}

/* Every block that does not go a short way; apart, so that those need no stack frame. */
__attribute__((noinline)) static void free_looked_at(void *p)
{
	const struct dispatch *d = dispatch();

	if (!p)
		return;
	if (from_boot(d, p)) {
		boot_free(p);
		return;
	}
	if (d->telemetry == CHIC_TELEMETRY_FULL) {
		free_full(d, p);
		return;
	}
	if (d->telemetry == CHIC_TELEMETRY_CALLS)
		add(d, COUNT_FREE, 1);
	release(d, p);
}

/* ---- where the short ways lead, unless it is the heap's own function ---- */

static void *layer_malloc(size_t size)
{
	const struct chic_layer *l = &preload_page.dispatch.layer;

	return l->malloc.fn(l->malloc.ctx, size);
}

/* Where nothing is counted nobody has looked yet whether there is a block. */
static void layer_free(void *p)
{
	const struct chic_layer *l = &preload_page.dispatch.layer;

	if (likely(p))
		l->mfree.fn(l->mfree.ctx, p);
}

static void *layer_calloc(size_t n, size_t size)
{
	const struct chic_layer *l = &preload_page.dispatch.layer;

	return l->calloc.fn(l->calloc.ctx, n, size);
}

static void *layer_realloc(void *p, size_t size)
{
	const struct chic_layer *l = &preload_page.dispatch.layer;

	return l->remalloc.fn(l->remalloc.ctx, p, size);
}

/* The call is counted already, here come its bytes: or it was none. */
static inline void *count_bytes(void *p, size_t bytes)
{
	add_own(thread_counters, COUNT_BYTES + COUNT_ALLOC, bytes);
	return p;
}

__attribute__((cold, noinline)) static void *uncount(void)
{
	add_own(thread_counters, COUNT_ALLOC, -1);
	return no_memory();
}

static void *full_malloc(size_t size)
{
	const struct chic_malloc_family *f = &preload_page.dispatch.direct;
	void *p = f->malloc(size);

	return likely(p) ? count_bytes(p, f->usable_size(p)) : uncount();
}

/* For a library whose blocks' sizes follow from those of requests. */
static void *sized_malloc(size_t size)
{
	void *p = preload_page.dispatch.direct.malloc(size);
	size_t bytes;

	if (unlikely(!p))
		return uncount();
	bytes = sizes_of(size);
	return count_bytes(p, likely(bytes) ? bytes : sizes_learn(size, p));
}

static void full_free(void *p)
{
	const struct chic_malloc_family *f = &preload_page.dispatch.direct;

	add_own(thread_counters, COUNT_BYTES + COUNT_FREE, f->usable_size(p));
	f->free(p);
}

static void *full_layer_malloc(size_t size)
{
	const struct chic_layer *l = &preload_page.dispatch.layer;
	void *p = l->malloc.fn(l->malloc.ctx, size);

	return likely(p) ? count_bytes(p, l->usable_size.fn(l->usable_size.ctx, p)) : uncount();
}

/* A layer tells the bytes when the block is gone: one call less. */
static void full_layer_free(void *p)
{
	const struct chic_layer *l = &preload_page.dispatch.layer;
	size_t bytes = l->mfree.fn(l->mfree.ctx, p);

	add_own(thread_counters, COUNT_BYTES + COUNT_FREE, bytes);
}

void short_way_lead(struct short_way *way, const struct dispatch *d)
{
	if (d->leaves) {
		leaves_lead(way);
		return;
	}
	way->malloc = d->layered ? layer_malloc : d->direct.malloc;
	way->free = d->layered ? layer_free : d->direct.free;
	way->calloc = d->layered ? layer_calloc : d->direct.calloc;
	way->realloc = d->layered ? layer_realloc : d->direct.realloc;
	if (d->telemetry == CHIC_TELEMETRY_FULL) {
		way->malloc = d->layered ? full_layer_malloc : full_malloc;
		way->free = d->layered ? full_layer_free : full_free;
	}
	if (d->sized)
		way->malloc = sized_malloc;
}

/* Before the decision all blocks are the boot arena's: free finds no other. */
const struct dispatch boot_dispatch = {
	.boot_len = SIZE_MAX,
	.booting = true,
};

struct dispatch_page preload_page = {
	.active = &boot_dispatch,
	.boot_base = (const char *)&boot_first,
	.plain.boot_len = SIZE_MAX,
	.counted.boot_len = SIZE_MAX,
};

/*
 * A small request goes to the heap by a jump, and so is counted before it is
 * served: waiting for the answer costs more than counting it.  What is large can
 * wait, for errno to be made sure of as well.
 *
 * likely and unlikely say where the code stands, not what is rare: the plain way
 * has no taken branch.  The counted one has one, to a place that is in one cache
 * line: malloc's in that of its beginning, free's in the second, for which free
 * begins in the middle of one (bench/README.md).
 */
__attribute__((aligned(64))) CHIC_EXPORT void *malloc(size_t size)
{
	AllocationTelemetry *t;

	if (likely(passes_malloc(&preload_page.plain, size)))
		return preload_page.plain.malloc(size);
	if (unlikely(!passes_malloc(&preload_page.counted, size)))
		return malloc_looked_at(size);
	t = thread_counters;
	if (unlikely(!t))
		return malloc_looked_at(size);
	add_own(t, COUNT_ALLOC, 1);
	return preload_page.counted.malloc(size);
}

/* Behind malloc, which takes a cache line and a few bytes. */
__attribute__((aligned(32))) CHIC_EXPORT void free(void *p)
{
	AllocationTelemetry *t;

	if (likely(passes_free(&preload_page.plain, p))) {
		preload_page.plain.free(p);
		return;
	}
	if (unlikely(!passes_free(&preload_page.counted, p))) {
		free_looked_at(p);
		return;
	}
	t = thread_counters;
	if (unlikely(!p || !t)) {
		free_looked_at(p);
		return;
	}
	add_own(t, COUNT_FREE, 1);
	preload_page.counted.free(p);
}

CHIC_EXPORT void *calloc(size_t n, size_t size)
{
	const struct dispatch *d;
	size_t total;
	void *p;

	if (unlikely(__builtin_mul_overflow(n, size, &total)))
		return no_memory();
	if (passes_malloc(&preload_page.plain, total))
		return preload_page.plain.calloc(n, size);
	d = dispatch();
	if (unlikely(total > SIZE_LIMIT))
		return no_memory();
	if (unlikely(d->booting))
		return boot_calloc(total);
	if (unlikely(!total))
		n = size = 1;
	if (d->layered)
		p = d->layer.calloc.fn(d->layer.calloc.ctx, n, size);
	else
		p = d->direct.calloc(n, size);
	if (unlikely(!p))
		return no_memory();
	return count(d, COUNT_ZEROED, p);
}

static void *realloc_block(const struct dispatch *d, void *p, size_t size)
{
	bool full = d->telemetry == CHIC_TELEMETRY_FULL;
	size_t before = full ? usable(d, p) : 0;
	void *now;

	if (d->layered)
		now = d->layer.remalloc.fn(d->layer.remalloc.ctx, p, size);
	else
		now = d->direct.realloc(p, size);
	if (unlikely(!now))
		return no_memory();
	count(d, COUNT_REALLOC, now);
	if (unlikely(full))
		add(d, COUNT_BYTES + COUNT_FREE, before);
	return now;
}

CHIC_EXPORT void *realloc(void *p, size_t size)
{
	const struct dispatch *d;

	if (!p)
		return malloc(size);
	if (passes_malloc(&preload_page.plain, size) && passes_free(&preload_page.plain, p))
		return preload_page.plain.realloc(p, size);
	d = dispatch();
	if (unlikely(!size)) {
		free(p);
		return NULL;
	}
	if (unlikely(size > SIZE_LIMIT))
		return no_memory();
	if (from_boot(d, p))
		return boot_realloc(p, size);
	return realloc_block(d, p, size);
}

void *preload_memalign(size_t align, size_t size)
{
	const struct dispatch *d = dispatch();
	void *p;

	if (unlikely(d->booting))
		return boot_memalign(align, size);
	if (unlikely(align > SIZE_LIMIT || size > SIZE_LIMIT - align))
		return no_memory();
	if (d->layered)
		p = d->layer.memalign.fn(d->layer.memalign.ctx, align, size + !size);
	else
		p = family_aligned(&d->direct, align, size + !size);
	if (unlikely(!p))
		return no_memory();
	return count(d, COUNT_ALLOC, p);
}

CHIC_EXPORT size_t malloc_usable_size(void *p)
{
	const struct dispatch *d = dispatch();

	if (!p)
		return 0;
	if (from_boot(d, p))
		return boot_usable_size(p);
	return usable(d, p);
}
