/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What fixtures share: exports, and the hooks of a heap on bump.h under a name.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <errno.h>

#include "bump.h"
#include "chic_module.h"

#define EXPORT __attribute__((visibility("default")))

static inline ValueMutPtr fixture_handle(void *p, size_t size, size_t align)
{
	return (ValueMutPtr){.ptr = p, .size = size, .align = align};
}

/* A heap in static memory, so that a module needs no init for it. */
static inline struct bump *fixture_bump(void)
{
	static struct bump bump = {.lock = ATOMIC_FLAG_INIT};
	static atomic_int ready;
	int zero = 0;

	if (atomic_load_explicit(&ready, memory_order_acquire) == 2)
		return &bump;
	if (!atomic_compare_exchange_strong(&ready, &zero, 1)) {
		while (atomic_load_explicit(&ready, memory_order_acquire) == 1)
			sched_yield();
		return atomic_load(&ready) == 2 ? &bump : NULL;
	}
	atomic_store_explicit(&ready, bump_open(&bump) ? 2 : 3, memory_order_release);
	return atomic_load(&ready) == 2 ? &bump : NULL;
}

#define FIXTURE_ALLOC(name)                                                                    \
	EXPORT ValueMutPtr name##_alloc(void *ctx, size_t size, size_t align);                 \
	EXPORT ValueMutPtr name##_alloc(void *ctx, size_t size, size_t align)                  \
	{                                                                                      \
		struct bump *b = fixture_bump();                                               \
                                                                                               \
		(void)ctx;                                                                     \
		return fixture_handle(b ? bump_get(b, size, align) : NULL, size, align);       \
	}

#define FIXTURE_FREE(name)                                                                     \
	EXPORT void name##_free(void *ctx, ValueMutPtr block);                                 \
	EXPORT void name##_free(void *ctx, ValueMutPtr block)                                  \
	{                                                                                      \
		(void)ctx;                                                                     \
		bump_put(fixture_bump(), block.ptr);                                           \
	}

#define FIXTURE_USABLE_SIZE(name)                                                              \
	EXPORT size_t name##_usable_size(void *ctx, const void *p);                            \
	EXPORT size_t name##_usable_size(void *ctx, const void *p)                             \
	{                                                                                      \
		(void)ctx;                                                                     \
		return *bump_size(p);                                                          \
	}

/* The least that a heap needs, for unmodified programs too. */
#define FIXTURE_HEAP(name)                                                                     \
	FIXTURE_ALLOC(name)                                                                    \
	FIXTURE_FREE(name)                                                                     \
	FIXTURE_USABLE_SIZE(name)

#endif /* FIXTURE_H */
