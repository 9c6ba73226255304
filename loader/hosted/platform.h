/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to hooks.c: the hot path in a process with threads.
 *
 * A request reads one pointer (acquire) to a table that never changes, and counts in
 * memory of its own thread.
 */
#ifndef CHIC_LOADER_PLATFORM_H
#define CHIC_LOADER_PLATFORM_H

#include "handle.h"
#include "internal.h"

/* Tables are read where they are. */
struct table_copy {
	char none;
};

static inline const struct table *table_in_force(struct table_copy *none)
{
	const struct table *t = __atomic_load_n(&hooks_table, __ATOMIC_ACQUIRE);

	(void)none;
	return likely(t) ? t : hooks_start();
}

/* Serves all four, if not null. */
static inline const struct chic_malloc_family *table_family(const struct table *t)
{
	return t->direct;
}

static inline struct counters *own_counters(unsigned owner)
{
	struct thread *t = thread_self;

	if (unlikely(!t))
		t = thread_attach();
	return likely(t) ? &t->owner[owner] : NULL;
}

/*
 * Written by this thread alone, read by any with relaxed loads, and a word is read
 * whole.  A plain addition, because a compiler makes one instruction of it and three of
 * an atomic load and store.
 */
__attribute__((no_sanitize("thread"))) static inline void bump(size_t *word, size_t n)
{
	*word += n;
}

static inline void bump_both(size_t *calls, size_t bytes)
{
	bump(calls, 1);
	bump(calls + OP_COUNT, bytes);
}

static __attribute__((noinline)) void count_late(const struct table *t, unsigned op,
						 size_t bytes)
{
	struct counters *c = own_counters(t->owner[op]);

	if (c)
		bump_both(&c->word[op], bytes);
	else
		telemetry_shared(t->owner[op], op, bytes);
}

static inline void count(const struct table *t, unsigned op, size_t bytes)
{
	struct thread *own = thread_self;

	if (likely(own))
		bump_both((size_t *)((char *)own + t->counter[op]), bytes);
	else
		count_late(t, op, bytes);
}

/* Apart from the usual way, which keeps one register less over its call. */
static __attribute__((noinline)) ValueMutPtr answer_late(const struct table *t, unsigned op,
							 void *p, size_t size, size_t align)
{
	count_late(t, op, size);
	return handle(p, size, align);
}

static inline ValueMutPtr answer(const struct table *t, unsigned op, void *p, size_t size,
				 size_t align)
{
	struct thread *own = thread_self;

	if (unlikely(!p))
		return handle(NULL, size, align);
	if (unlikely(!own))
		return answer_late(t, op, p, size, align);
	bump_both((size_t *)((char *)own + t->counter[op]), size);
	return handle(p, size, align);
}

/* The usual way of a window needs no stack, if the others are apart. */
#define APART __attribute__((noinline))

/* Whether a request may be cut from the thread's window. */
static inline bool fits_window(const struct table *t, size_t size, size_t align)
{
	return t && size - 1 < t->window_sizes && align - 1 < CHIC_MALLOC_ALIGN &&
	       !(align & (align - 1));
}

/* A block that the heap below lets the hooks cut by themselves, counted; or null. */
static inline void *window_alloc(size_t size, size_t align)
{
	const struct table *t = __atomic_load_n(&hooks_table, __ATOMIC_ACQUIRE);
	struct thread *own = thread_self;
	struct chic_window *window;
	void *p;

	if (unlikely(!fits_window(t, size, align) || !own))
		return NULL;
	window = *(struct chic_window **)((char *)own + t->window);
	p = likely(window) ? chic_window_cut(window, size) : NULL;
	if (likely(p))
		bump_both((size_t *)((char *)own + t->counter[OP_ALLOC]), size);
	return p;
}

static inline void count_realloc(const struct table *t, size_t bytes, size_t freed, bool fresh)
{
	unsigned owner = t->owner[OP_REALLOC];
	struct counters *c = own_counters(owner);

	if (unlikely(!c)) {
		telemetry_shared_realloc(owner, bytes, freed, fresh);
		return;
	}
	bump(&c->t.realloc_calls, 1);
	bump(&c->t.realloc_bytes, bytes);
	bump(&c->t.freed_bytes, freed);
	bump(&c->realloc_fresh, fresh);
}

#endif /* CHIC_LOADER_PLATFORM_H */
