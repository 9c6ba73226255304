// SPDX-License-Identifier: BSD-2-Clause
/*
 * The hot path: chic_rt_alloc and its kin.
 *
 * A request reads one pointer (acquire), makes one indirect call and counts in
 * memory of its own thread.  Where the default is a bare malloc family, its
 * scalar functions are called instead of hooks with 24-byte handles.
 *
 * Compiles freestanding; nothing here knows how tables come about.
 */
#include "handle.h"
#include "internal.h"

static inline const struct table *table_in_force(void)
{
	const struct table *t = __atomic_load_n(&hooks_table, __ATOMIC_ACQUIRE);

	return likely(t) ? t : hooks_start();
}

static inline struct counters *own_counters(unsigned owner)
{
	struct thread *t = thread_self;

	if (unlikely(!t))
		t = thread_attach();
	return likely(t) ? &t->owner[owner] : NULL;
}

/* Written by this thread alone, read by any. */
static inline void bump(size_t *word, size_t n)
{
	__atomic_store_n(word, __atomic_load_n(word, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
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

static inline void count_realloc(unsigned owner, size_t bytes, size_t freed, bool fresh)
{
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

static inline bool valid(size_t size, size_t align)
{
	return likely(size && !(align & (align - 1)));
}

CHIC_EXPORT ValueMutPtr chic_rt_alloc(size_t size, size_t align)
{
	const struct table *t = table_in_force();
	void *p = NULL;

	align += !align;
	if (valid(size, align)) {
		if (t->direct && align <= CHIC_MALLOC_ALIGN)
			p = t->direct->malloc(family_size(size, align));
		else
			p = t->alloc.fn(t->alloc.ctx, size, align).ptr;
	}
	return answer(t, OP_ALLOC, p, size, align);
}

CHIC_EXPORT ValueMutPtr chic_rt_alloc_zeroed(size_t size, size_t align)
{
	const struct table *t = table_in_force();
	void *p = NULL;

	align += !align;
	if (valid(size, align)) {
		if (t->direct && align <= CHIC_MALLOC_ALIGN)
			p = t->direct->calloc(1, family_size(size, align));
		else
			p = t->alloc_zeroed.fn(t->alloc_zeroed.ctx, size, align).ptr;
	}
	return answer(t, OP_ALLOC_ZEROED, p, size, align);
}

static inline void release(const struct table *t, ValueMutPtr block)
{
	count(t, OP_FREE, block.size);
	if (t->direct)
		t->direct->free(block.ptr);
	else
		t->free.fn(t->free.ctx, block);
}

CHIC_EXPORT ValueMutPtr chic_rt_realloc(ValueMutPtr old, size_t old_size, size_t new_size,
					size_t align)
{
	const struct table *t = table_in_force();
	bool fresh = !old.ptr;
	void *p = NULL;

	align += !align;
	if (unlikely(!new_size && !fresh))
		release(t, old);
	if (valid(new_size, align)) {
		if (t->direct && align <= CHIC_MALLOC_ALIGN)
			p = t->direct->realloc(old.ptr, family_size(new_size, align));
		else
			p = t->realloc.fn(t->realloc.ctx, old, old_size, new_size, align).ptr;
	}
	if (likely(p))
		count_realloc(t->owner[OP_REALLOC], new_size, fresh ? 0 : old_size, fresh);
	return handle(p, new_size, align);
}

CHIC_EXPORT void chic_rt_free(ValueMutPtr block)
{
	if (likely(block.ptr))
		release(table_in_force(), block);
}
