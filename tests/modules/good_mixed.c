// SPDX-License-Identifier: BSD-2-Clause
/*
 * Nothing is wrong with this module, of whose blocks every second is its own and
 * the others its lower's.
 */
#include <stdlib.h>

#include "fixture.h"

CHIC_MODULE("good_mixed", "mixed");
CHIC_MODULE_VERSION("1.0");
CHIC_MODULE_DESCRIPTION("mixed module of the tests");

struct mixed {
	struct bump bump;
	const struct chic_layer *lower;
	atomic_uint turn;
};

EXPORT int good_mixed_init(const struct chic_module_args *args, const struct chic_layer *lower,
			   void **ctx);
EXPORT void good_mixed_exit(void *ctx);
EXPORT ValueMutPtr good_mixed_alloc(void *ctx, size_t size, size_t align);
EXPORT ValueMutPtr good_mixed_alloc_zeroed(void *ctx, size_t size, size_t align);
EXPORT ValueMutPtr good_mixed_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
				      size_t align);
EXPORT void good_mixed_free(void *ctx, ValueMutPtr block);
EXPORT size_t good_mixed_usable_size(void *ctx, const void *p);
EXPORT bool good_mixed_owns(void *ctx, const void *p);
EXPORT void good_mixed_prefork(void *ctx);
EXPORT void good_mixed_postfork_parent(void *ctx);
EXPORT void good_mixed_postfork_child(void *ctx);

int good_mixed_init(const struct chic_module_args *args, const struct chic_layer *lower,
		    void **ctx)
{
	struct mixed *m = calloc(1, sizeof(*m));

	if (!m || !bump_open(&m->bump)) {
		free(m);
		args->fail("out of memory");
		return -ENOMEM;
	}
	m->lower = lower;
	*ctx = m;
	return 0;
}

void good_mixed_exit(void *ctx)
{
	struct mixed *m = ctx;

	bump_close(&m->bump);
	free(m);
}

static bool my_turn(struct mixed *m)
{
	return atomic_fetch_add_explicit(&m->turn, 1, memory_order_relaxed) % 2 == 0;
}

ValueMutPtr good_mixed_alloc(void *ctx, size_t size, size_t align)
{
	struct mixed *m = ctx;

	if (my_turn(m))
		return fixture_handle(bump_get(&m->bump, size, align), size, align);
	return m->lower->alloc.fn(m->lower->alloc.ctx, size, align);
}

ValueMutPtr good_mixed_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	struct mixed *m = ctx;

	if (my_turn(m))
		return fixture_handle(bump_zeroed(&m->bump, size, align), size, align);
	return m->lower->alloc_zeroed.fn(m->lower->alloc_zeroed.ctx, size, align);
}

/* A block stays where it came from. */
ValueMutPtr good_mixed_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
			       size_t align)
{
	struct mixed *m = ctx;

	if (!old.ptr)
		return good_mixed_alloc(ctx, size, align);
	if (bump_owns(&m->bump, old.ptr))
		return fixture_handle(bump_resize(&m->bump, old.ptr, size, align), size, align);
	return m->lower->realloc.fn(m->lower->realloc.ctx, old, old_size, size, align);
}

void good_mixed_free(void *ctx, ValueMutPtr block)
{
	struct mixed *m = ctx;

	if (bump_owns(&m->bump, block.ptr))
		bump_put(&m->bump, block.ptr);
	else
		m->lower->free.fn(m->lower->free.ctx, block);
}

size_t good_mixed_usable_size(void *ctx, const void *p)
{
	struct mixed *m = ctx;

	if (bump_owns(&m->bump, p))
		return *bump_size(p);
	return m->lower->usable_size.fn(m->lower->usable_size.ctx, p);
}

bool good_mixed_owns(void *ctx, const void *p)
{
	struct mixed *m = ctx;

	return bump_owns(&m->bump, p);
}

void good_mixed_prefork(void *ctx)
{
	bump_lock(&((struct mixed *)ctx)->bump);
}

void good_mixed_postfork_parent(void *ctx)
{
	bump_unlock(&((struct mixed *)ctx)->bump);
}

void good_mixed_postfork_child(void *ctx)
{
	bump_unlock(&((struct mixed *)ctx)->bump);
}
