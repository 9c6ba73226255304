/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to loader/: what the core is made of, on every platform.
 *
 * The core is hooks.c, vtable.c and memops.c.  It needs no C library: no header but
 * the compiler's own, no function but memcpy, memmove and memset.  What differs
 * between platforms it finds in platform.h, of which each platform has one:
 * hosted/ for processes and threads, freestanding/ for firmware.
 */
#ifndef CHIC_LOADER_CORE_H
#define CHIC_LOADER_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chic_alloc.h"
#include "chic_module.h"
#include "chic_rt.h"

#pragma GCC visibility push(hidden)

#define CHIC_EXPORT __attribute__((visibility("default")))
#define CHIC_PRINTF(at, first) __attribute__((format(printf, at, first)))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What is counted, and in which order: calls by operation, then bytes by operation. */
enum { OP_ALLOC, OP_ALLOC_ZEROED, OP_REALLOC, OP_FREE, OP_COUNT };

/* What to ask a family's malloc for, so that at most CHIC_MALLOC_ALIGN is kept. */
static inline size_t family_size(size_t size, size_t align)
{
	return size < align ? align : size;
}

/* vtable.c - what a module exports, completed to a full layer */

enum module_kind { KIND_HEAP, KIND_FILTER, KIND_MIXED };

struct module_exports {
	chic_alloc_fn alloc;
	chic_alloc_fn alloc_zeroed;
	chic_realloc_fn realloc;
	chic_free_fn free;
	int (*init)(const struct chic_module_args *, const struct chic_layer *, void **);
	void (*exit)(void *ctx);
	chic_usable_size_fn usable_size;
	chic_owns_fn owns;
	size_t (*reset)(void *ctx);
	void (*prefork)(void *ctx);
	void (*postfork_parent)(void *ctx);
	void (*postfork_child)(void *ctx);
	void (*thread_exit)(void *ctx, void *word);
	chic_malloc_fn malloc;
	chic_calloc_fn calloc;
	chic_memalign_fn memalign;
	chic_remalloc_fn remalloc;
	chic_mfree_fn mfree;
};

/* What completed entries need of their layer; their context points here. */
struct completion {
	struct chic_layer ops; /* the finished layer, what the layer above calls */
	chic_alloc_fn alloc; /* the module's own, with its context */
	void *ctx;
};

/* Why a set of exports cannot serve, or null if it can. */
const char *vtable_refusal(const struct module_exports *exports, enum module_kind kind,
			   bool frees_no, const struct chic_layer *lower);
/* Whether a heap exports none of the four hooks, so that the lower serves. */
bool vtable_is_empty_heap(const struct module_exports *exports, enum module_kind kind);
/* Complete; cannot fail once vtable_refusal() answered null. */
void vtable_complete(const struct module_exports *exports, enum module_kind kind, void *ctx,
		     const struct chic_layer *lower, struct completion *out);

#pragma GCC visibility pop

#endif /* CHIC_LOADER_CORE_H */
