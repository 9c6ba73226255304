// SPDX-License-Identifier: BSD-2-Clause
/*
 * The hot path: chic_rt_alloc and its kin.
 *
 * A request looks up the table in force, makes one indirect call and counts.  Where
 * the default is a bare malloc family, its scalar functions are called instead of
 * hooks with 24-byte handles; and a heap may lend a window to cut blocks from.
 *
 * Part of the core; platform.h knows how tables come about and what counting is.
 */
#include "handle.h"
#include "platform.h"

static inline bool valid(size_t size, size_t align)
{
	return likely(size && !(align & (align - 1)));
}

/* What is not cut from a window. */
static APART ValueMutPtr alloc_by_call(size_t size, size_t align)
{
	struct table_copy copy;
	const struct table *t = table_in_force(&copy);
	void *p = NULL;

	align += !align;
	if (valid(size, align)) {
		if (table_family(t) && align <= CHIC_MALLOC_ALIGN)
			p = table_family(t)->malloc(family_size(size, align));
		else
			p = t->alloc.fn(t->alloc.ctx, size, align).ptr;
	}
	return answer(t, OP_ALLOC, p, size, align);
}

CHIC_EXPORT ValueMutPtr chic_rt_alloc(size_t size, size_t align)
{
	void *p = window_alloc(size, align);

	return likely(p) ? handle(p, size, align) : alloc_by_call(size, align);
}

CHIC_EXPORT ValueMutPtr chic_rt_alloc_zeroed(size_t size, size_t align)
{
	struct table_copy copy;
	const struct table *t = table_in_force(&copy);
	void *p = NULL;

	align += !align;
	if (valid(size, align)) {
		if (table_family(t) && align <= CHIC_MALLOC_ALIGN)
			p = table_family(t)->calloc(1, family_size(size, align));
		else
			p = t->alloc_zeroed.fn(t->alloc_zeroed.ctx, size, align).ptr;
	}
	return answer(t, OP_ALLOC_ZEROED, p, size, align);
}

static inline void release(const struct table *t, ValueMutPtr block)
{
	count(t, OP_FREE, block.size);
	if (table_family(t))
		table_family(t)->free(block.ptr);
	else
		t->free.fn(t->free.ctx, block);
}

CHIC_EXPORT ValueMutPtr chic_rt_realloc(ValueMutPtr old, size_t old_size, size_t new_size,
					size_t align)
{
	struct table_copy copy;
	const struct table *t = table_in_force(&copy);
	bool fresh = !old.ptr;
	void *p = NULL;

	align += !align;
	if (unlikely(!new_size && !fresh))
		release(t, old);
	if (valid(new_size, align)) {
		if (table_family(t) && align <= CHIC_MALLOC_ALIGN)
			p = table_family(t)->realloc(old.ptr, family_size(new_size, align));
		else
			p = t->realloc.fn(t->realloc.ctx, old, old_size, new_size, align).ptr;
	}
	if (likely(p))
		count_realloc(t, new_size, fresh ? 0 : old_size, fresh);
	return handle(p, new_size, align);
}

CHIC_EXPORT void chic_rt_free(ValueMutPtr block)
{
	struct table_copy copy;

	if (likely(block.ptr))
		release(table_in_force(&copy), block);
}
