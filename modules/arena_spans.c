// SPDX-License-Identifier: BSD-2-Clause
/*
 * Spans: the range of addresses, runs of whole spans taken from it and given back,
 * and when their memory goes to the system.
 *
 * Free runs are merged with free neighbours and wait in bins by length; what lies
 * behind the last run that is in use belongs to no bin.
 */
#include <string.h>

#include "arena.h"

/* Most spans that a range is divided into: chunks are larger in a larger range. */
#define SPANS_MAX (1u << 22)
/* Memory that is opened at once: a quarter of what there is, within these. */
#define OPEN_MIN ((size_t)1 << 20)
#define OPEN_MAX ((size_t)16 << 20)
/* Memory of free runs that the system does not get: an eighth, and at least this. */
#define KEEP_MIN ((size_t)8 << 20)
/* Long runs that are looked at to find one that fits well. */
#define LOOK_MAX 64

static uint32_t smaller32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* ---------------------------------------------------------------- bins -- */

static unsigned bin_of(uint32_t n)
{
	return n < ARENA_BINS ? n - 1 : ARENA_BINS - 1;
}

static void run_mark(struct arena *a, uint32_t at, uint32_t n, enum arena_use use)
{
	struct arena_span *first = &a->spans[at], *last = &a->spans[at + n - 1];

	first->n = last->n = n;
	first->use = last->use = use;
}

static void bin_put(struct arena *a, uint32_t at, uint32_t n, bool dirty)
{
	struct arena_span *span = &a->spans[at];
	unsigned bin = bin_of(n);

	run_mark(a, at, n, ARENA_FREE);
	span->dirty = dirty;
	span->prev = ARENA_NONE;
	span->next = a->bins[bin];
	if (span->next != ARENA_NONE)
		a->spans[span->next].prev = at;
	a->bins[bin] = at;
	a->bins_filled |= 1u << bin;
	a->kept += dirty ? n : 0;
}

static void bin_drop(struct arena *a, uint32_t at)
{
	struct arena_span *span = &a->spans[at];
	unsigned bin = bin_of(span->n);

	if (span->next != ARENA_NONE)
		a->spans[span->next].prev = span->prev;
	if (span->prev != ARENA_NONE)
		a->spans[span->prev].next = span->next;
	else
		a->bins[bin] = span->next;
	if (a->bins[bin] == ARENA_NONE)
		a->bins_filled &= ~(1u << bin);
	a->kept -= span->dirty ? span->n : 0;
}

static void bins_clear(struct arena *a)
{
	for (unsigned bin = 0; bin < ARENA_BINS; bin++)
		a->bins[bin] = ARENA_NONE;
	a->bins_filled = a->kept = 0;
}

/* The shortest of the long runs that is long enough. */
static uint32_t bin_search(const struct arena *a, uint32_t n)
{
	uint32_t at = a->bins[ARENA_BINS - 1], best = ARENA_NONE;

	for (unsigned i = 0; i < LOOK_MAX && at != ARENA_NONE; i++, at = a->spans[at].next)
		if (a->spans[at].n >= n &&
		    (best == ARENA_NONE || a->spans[at].n < a->spans[best].n))
			best = at;
	return best;
}

static uint32_t bin_find(const struct arena *a, uint32_t n)
{
	unsigned bin = bin_of(n);
	uint32_t filled = a->bins_filled & ~((1u << bin) - 1);

	if (!filled)
		return ARENA_NONE;
	if (bin == ARENA_BINS - 1)
		return bin_search(a, n);
	return a->bins[__builtin_ctz(filled)];
}

/* -------------------------------------------------------------- memory -- */

static size_t bytes_of(const struct arena *a, uint32_t n)
{
	return (size_t)n << a->chunk_shift;
}

static bool open_to(struct arena *a, uint32_t to)
{
	if (!addresses_open(arena_span_start(a, a->open), bytes_of(a, to - a->open)))
		return false;
	a->open = to;
	return true;
}

/* More than is needed if there is, for each opening costs a system call. */
static bool open_until(struct arena *a, uint32_t need)
{
	size_t more = larger(OPEN_MIN, smaller(bytes_of(a, a->open) / 4, OPEN_MAX));
	size_t to = need;

	if (need <= a->open)
		return true;
	to = larger(to, (size_t)a->open + (more >> a->chunk_shift));
	if (a->huge)
		to = round_up(bytes_of(a, (uint32_t)to), a->huge) >> a->chunk_shift;
	return open_to(a, (uint32_t)smaller(to, a->n_spans)) || open_to(a, need);
}

static bool give_back(const struct arena *a, uint32_t from, uint32_t to)
{
	int saved = errno;
	/* Locked memory stays where it is. */
	bool done = madvise(arena_span_start(a, from), bytes_of(a, to - from), MADV_DONTNEED) ==
		    0;

	errno = saved;
	return done;
}

static bool keep_more(const struct arena *a, uint32_t n)
{
	uint32_t behind = a->dirty > a->taken ? a->dirty - a->taken : 0;
	size_t most = larger(bytes_of(a, a->taken) / 8, KEEP_MIN);

	return bytes_of(a, a->kept + behind + n) <= most;
}

/* ------------------------------------------------------------------ runs -- */

static uint32_t take_behind(struct arena *a, uint32_t n)
{
	uint32_t at = a->taken;

	if (n > a->n_spans - at || !open_until(a, at + n))
		return ARENA_NONE;
	a->taken = at + n;
	if (a->taken > a->peak)
		a->peak = a->taken;
	a->spans[at].dirty = at < a->dirty;
	return at;
}

/* The run is not in a bin and not in use; not more of it is dirty than dirty says. */
static void run_free(struct arena *a, uint32_t at, uint32_t n, bool dirty)
{
	if (at + n < a->taken) {
		bin_put(a, at, n, dirty);
		return;
	}
	if (dirty && at + n > a->dirty)
		a->dirty = at + n;
	else if (!dirty && at + n >= a->dirty)
		a->dirty = smaller32(a->dirty, at);
	a->taken = at;
}

/* Divide a run that is neither in a bin nor marked; what is behind the n is free. */
static void run_cut(struct arena *a, uint32_t at, uint32_t n, uint32_t whole)
{
	if (n < whole)
		run_free(a, at + n, whole - n, a->spans[at].dirty);
}

static uint32_t run_take(struct arena *a, uint32_t n)
{
	uint32_t at = bin_find(a, n);

	if (at == ARENA_NONE)
		return take_behind(a, n);
	bin_drop(a, at);
	run_cut(a, at, n, a->spans[at].n);
	return at;
}

/* Give back what makes the address a multiple of align. */
static uint32_t run_align(struct arena *a, uint32_t at, uint32_t n, uint32_t whole,
			  size_t align)
{
	uintptr_t start = (uintptr_t)arena_span_start(a, at);
	uint32_t skip = (uint32_t)((round_up(start, align) - start) >> a->chunk_shift);
	bool dirty = a->spans[at].dirty;

	a->spans[at + skip].dirty = dirty;
	run_mark(a, at + skip, n, ARENA_RUN);
	run_cut(a, at + skip, n, whole - skip);
	if (skip)
		run_free(a, at, skip, dirty);
	return at + skip;
}

uint32_t arena_spans_take(struct arena *a, size_t n, size_t align, enum arena_use use)
{
	size_t extra = align > a->chunk ? (align >> a->chunk_shift) - 1 : 0;
	uint32_t at;

	if (n + extra > a->n_spans)
		return ARENA_NONE;
	at = run_take(a, (uint32_t)(n + extra));
	if (at == ARENA_NONE) {
		if (n + extra == 1)
			atomic_store_explicit(&a->full, true, memory_order_relaxed);
		return at;
	}
	if (extra)
		at = run_align(a, at, (uint32_t)n, (uint32_t)(n + extra), align);
	run_mark(a, at, (uint32_t)n, use);
	return at;
}

bool arena_spans_dirty(const struct arena *a, uint32_t at)
{
	return a->spans[at].dirty;
}

/* Merged with its free neighbours, its memory kept or not. */
static void run_release(struct arena *a, uint32_t at, uint32_t n)
{
	uint32_t behind = at + n;
	bool dirty = true;

	if (behind < a->taken && a->spans[behind].use == ARENA_FREE) {
		n += a->spans[behind].n;
		bin_drop(a, behind);
	}
	if (at && a->spans[at - 1].use == ARENA_FREE) {
		at -= a->spans[at - 1].n;
		n += a->spans[at].n;
		bin_drop(a, at);
	}
	if (!keep_more(a, n))
		dirty = !give_back(a, at, at + n);
	run_free(a, at, n, dirty);
	atomic_store_explicit(&a->full, false, memory_order_relaxed);
}

void arena_spans_free(struct arena *a, uint32_t at)
{
	run_release(a, at, a->spans[at].n);
}

static bool run_extend(struct arena *a, uint32_t at, uint32_t n, uint32_t want)
{
	uint32_t behind = at + n, more = want - n, got;

	if (behind == a->taken)
		return take_behind(a, more) != ARENA_NONE;
	got = a->spans[behind].n;
	if (a->spans[behind].use != ARENA_FREE || got < more)
		return false;
	bin_drop(a, behind);
	run_cut(a, behind, more, got);
	return true;
}

bool arena_spans_resize(struct arena *a, uint32_t at, size_t n)
{
	uint32_t had = a->spans[at].n;

	if (n > a->n_spans || (n > had && !run_extend(a, at, had, (uint32_t)n)))
		return false;
	run_mark(a, at, (uint32_t)n, ARENA_RUN);
	if (n < had)
		run_release(a, at + (uint32_t)n, had - (uint32_t)n);
	return true;
}

/*
 * Memory stays, for whoever resets is going to use it again, except what was not
 * used between the last two resets.
 */
void arena_spans_reset(struct arena *a)
{
	a->dirty = (uint32_t)larger(a->dirty, a->peak);
	a->taken = 0;
	a->full = false;
	if (a->bins_filled)
		bins_clear(a);
	if (bytes_of(a, a->dirty - a->peak) > KEEP_MIN && give_back(a, a->peak, a->dirty))
		a->dirty = a->peak;
	a->peak = 0;
}

/* ---------------------------------------------------------- life cycle -- */

static size_t power_of_two(size_t n)
{
	return n <= 1 ? 1 : (size_t)1 << (sizeof(long) * 8 - __builtin_clzl(n - 1));
}

/* Cut what was reserved down to whole spans, aligned. */
static void trim(struct arena *a, char *p, size_t size, size_t cap, size_t align)
{
	size_t head = round_up((uintptr_t)p, align) - (uintptr_t)p;

	a->base = p + head;
	a->cap = smaller(cap, size - head) & ~(a->chunk - 1);
	if (head)
		munmap(p, head);
	if (size > head + a->cap)
		munmap(a->base + a->cap, size - head - a->cap);
}

static bool reserve(struct arena *a, size_t cap, size_t align)
{
	size_t size = cap + align;
	char *p = addresses_reserve(&size, a->chunk + align, a->page);

	if (!p)
		return false;
	trim(a, p, size, cap, align);
	a->n_spans = (uint32_t)(a->cap >> a->chunk_shift);
	a->spans = pages_new(round_up(a->n_spans * sizeof(*a->spans), a->page));
	if (a->spans)
		return true;
	munmap(a->base, a->cap);
	a->base = NULL;
	a->cap = 0;
	return false;
}

/*
 * The first of it stays as it is: a small program would not fill a huge page.  Where
 * the system has none, that is all.
 */
static void use_huge_pages(const struct arena *a)
{
	int saved = errno;

	if (a->cap > ARENA_HUGE)
		madvise(a->base + ARENA_HUGE, a->cap - ARENA_HUGE, MADV_HUGEPAGE);
	errno = saved;
}

void arena_spans_init(struct arena *a, size_t cap, size_t chunk)
{
	const char *name = a->args->name;

	a->chunk = power_of_two(larger(larger(chunk, cap / SPANS_MAX), a->page));
	a->chunk_shift = (unsigned)__builtin_ctzl(a->chunk);
	a->small_max = a->chunk / 4;
	cap = round_up(cap, a->chunk);
	bins_clear(a);
	if (!reserve(a, cap, larger(a->chunk, a->huge))) {
		if (!a->overflow_fails)
			a->args->warn("%s: cap = %zu: not even %zu bytes of addresses to be "
				      "had, the layer below serves everything",
				      name, cap, a->chunk);
		return;
	}
	if (a->cap < cap)
		a->args->warn("%s: cap = %zu: only %zu bytes of addresses to be had", name, cap,
			      a->cap);
	if (a->huge)
		use_huge_pages(a);
}

void arena_spans_exit(struct arena *a)
{
	if (!a->cap)
		return;
	munmap(a->spans, round_up(a->n_spans * sizeof(*a->spans), a->page));
	munmap(a->base, a->cap);
}
