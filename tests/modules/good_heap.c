// SPDX-License-Identifier: BSD-2-Clause
/*
 * Nothing is wrong with this heap: all symbols of chic_module.h, a parameter of
 * each type, and state in the context, so that instances are apart.
 */
#include <stdlib.h>

#include "fixture.h"

CHIC_MODULE("good_heap", "heap");
CHIC_MODULE_VERSION("1.2.3");
CHIC_MODULE_LICENSE("BSD-2-Clause");
CHIC_MODULE_DESCRIPTION("heap of the tests");
CHIC_MODULE_AUTHOR("The tests <tests@example.org>");
CHIC_MODULE_PARM("on", "bool", "yes", "", "a truth value");
CHIC_MODULE_PARM("count", "uint", "7", "1-100", "a number");
CHIC_MODULE_PARM("bytes", "size", "64K", "4K-1G", "a size: of nothing");
CHIC_MODULE_PARM("output", "string", "", "", "any text");
CHIC_MODULE_PARM("mode", "enum", "fast", "fast|slow", "one of two");

/* How many instances were made and undone, and the parameter of the last one. */
EXPORT int good_heap_inits;
EXPORT int good_heap_exits;
EXPORT uint64_t good_heap_count;

EXPORT int good_heap_init(const struct chic_module_args *args, const struct chic_layer *lower,
			  void **ctx);
EXPORT void good_heap_exit(void *ctx);
EXPORT ValueMutPtr good_heap_alloc(void *ctx, size_t size, size_t align);
EXPORT ValueMutPtr good_heap_alloc_zeroed(void *ctx, size_t size, size_t align);
EXPORT ValueMutPtr good_heap_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
				     size_t align);
EXPORT void good_heap_free(void *ctx, ValueMutPtr block);
EXPORT size_t good_heap_usable_size(void *ctx, const void *p);
EXPORT bool good_heap_owns(void *ctx, const void *p);
EXPORT size_t good_heap_reset(void *ctx);
EXPORT void good_heap_prefork(void *ctx);
EXPORT void good_heap_postfork_parent(void *ctx);
EXPORT void good_heap_postfork_child(void *ctx);
EXPORT void *good_heap_malloc(void *ctx, size_t size);
EXPORT void *good_heap_calloc(void *ctx, size_t n, size_t size);
EXPORT void *good_heap_memalign(void *ctx, size_t align, size_t size);
EXPORT void *good_heap_remalloc(void *ctx, void *p, size_t size);
EXPORT size_t good_heap_mfree(void *ctx, void *p);

int good_heap_init(const struct chic_module_args *args, const struct chic_layer *lower,
		   void **ctx)
{
	struct bump *b = malloc(sizeof(*b));

	(void)lower;
	if (!b || !bump_open(b)) {
		free(b);
		args->fail("out of memory");
		return -ENOMEM;
	}
	good_heap_count = chic_param_number(args, "count");
	good_heap_inits++;
	*ctx = b;
	return 0;
}

void good_heap_exit(void *ctx)
{
	bump_close(ctx);
	free(ctx);
	good_heap_exits++;
}

ValueMutPtr good_heap_alloc(void *ctx, size_t size, size_t align)
{
	return fixture_handle(bump_get(ctx, size, align), size, align);
}

ValueMutPtr good_heap_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	return fixture_handle(bump_zeroed(ctx, size, align), size, align);
}

ValueMutPtr good_heap_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
			      size_t align)
{
	(void)old_size;
	return fixture_handle(bump_resize(ctx, old.ptr, size, align), size, align);
}

void good_heap_free(void *ctx, ValueMutPtr block)
{
	bump_put(ctx, block.ptr);
}

size_t good_heap_usable_size(void *ctx, const void *p)
{
	(void)ctx;
	return *bump_size(p);
}

bool good_heap_owns(void *ctx, const void *p)
{
	return bump_owns(ctx, p);
}

size_t good_heap_reset(void *ctx)
{
	struct bump *b = ctx;
	size_t live;

	bump_lock(b);
	live = b->live;
	b->live = 0;
	b->next = b->start;
	bump_unlock(b);
	return live;
}

void good_heap_prefork(void *ctx)
{
	bump_lock(ctx);
}

void good_heap_postfork_parent(void *ctx)
{
	bump_unlock(ctx);
}

void good_heap_postfork_child(void *ctx)
{
	bump_unlock(ctx);
}

void *good_heap_malloc(void *ctx, size_t size)
{
	return bump_get(ctx, size, CHIC_MALLOC_ALIGN);
}

void *good_heap_calloc(void *ctx, size_t n, size_t size)
{
	return bump_zeroed(ctx, n * size, CHIC_MALLOC_ALIGN);
}

void *good_heap_memalign(void *ctx, size_t align, size_t size)
{
	return bump_get(ctx, size, align);
}

void *good_heap_remalloc(void *ctx, void *p, size_t size)
{
	return bump_resize(ctx, p, size, CHIC_MALLOC_ALIGN);
}

size_t good_heap_mfree(void *ctx, void *p)
{
	size_t size = *bump_size(p);

	bump_put(ctx, p);
	return size;
}
