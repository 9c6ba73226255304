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

static void *count_full(const struct dispatch *d, unsigned which, void *p)
{
	add(d, which, 1);
	add(d, COUNT_BYTES + which, usable(d, p));
	return p;
}

static inline void *count(const struct dispatch *d, unsigned which, void *p)
{
	if (d->telemetry == CHIC_TELEMETRY_OFF)
		return p;
	return d->telemetry == CHIC_TELEMETRY_CALLS ? count_call(which, p)
						    : count_full(d, which, p);
}

/* Every request that is not small and plain: booting, size 0, large, or counted in full. */
__attribute__((noinline)) static void *malloc_looked_at(const struct dispatch *d, size_t size)
{
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

/* A layer tells the bytes when the block is gone: one call less. */
static void free_full(const struct dispatch *d, void *p)
{
	size_t bytes;

	if (d->layered) {
		bytes = d->layer.mfree.fn(d->layer.mfree.ctx, p);
	} else {
		bytes = d->direct.usable_size(p);
		d->direct.free(p);
	}
	add(d, COUNT_FREE, 1);
	add(d, COUNT_BYTES + COUNT_FREE, bytes);
}

/* Every block that does not go a short way; apart, so that those need no stack frame. */
__attribute__((noinline)) static void free_looked_at(const struct dispatch *d, void *p)
{
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
	if (d->counted)
		add(d, COUNT_FREE, 1);
	release(d, p);
}

/* What takes no short way; apart, so that those stay short. */
__attribute__((noinline)) static void *malloc_dispatched(size_t size)
{
	const struct dispatch *d = dispatch();
	AllocationTelemetry *t;

	if (unlikely(size - 1 >= d->layer_sizes))
		return malloc_looked_at(d, size);
	if (d->counted) {
		t = thread_counters;
		if (unlikely(!t))
			return malloc_looked_at(d, size);
		add_own(t, COUNT_ALLOC, 1);
	}
	return d->layer.malloc.fn(d->layer.malloc.ctx, size);
}

__attribute__((noinline)) static void free_dispatched(void *p)
{
	const struct dispatch *d = dispatch();
	AllocationTelemetry *t;

	if (unlikely(!p || !d->layer_sizes || in_boot_range(d, p))) {
		free_looked_at(d, p);
		return;
	}
	if (d->counted) {
		t = thread_counters;
		if (unlikely(!t)) {
			free_looked_at(d, p);
			return;
		}
		add_own(t, COUNT_FREE, 1);
	}
	d->layer.mfree.fn(d->layer.mfree.ctx, p);
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
 * likely and unlikely say where the code stands, not what is rare: the counted
 * way has the most to do and gets no taken branch, the plain one a single one
 * (bench/README.md).
 */
CHIC_EXPORT void *malloc(size_t size)
{
	AllocationTelemetry *t;

	if (unlikely(passes_malloc(&preload_page.plain, size)))
		return preload_page.plain.malloc(size);
	if (unlikely(!passes_malloc(&preload_page.counted, size)))
		return malloc_dispatched(size);
	t = thread_counters;
	if (unlikely(!t))
		return malloc_dispatched(size);
	add_own(t, COUNT_ALLOC, 1);
	return preload_page.counted.malloc(size);
}

CHIC_EXPORT void free(void *p)
{
	AllocationTelemetry *t;

	if (unlikely(passes_free(&preload_page.plain, p))) {
		preload_page.plain.free(p);
		return;
	}
	if (unlikely(!passes_free(&preload_page.counted, p))) {
		free_dispatched(p);
		return;
	}
	t = thread_counters;
	if (unlikely(!p || !t)) {
		free_dispatched(p);
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
