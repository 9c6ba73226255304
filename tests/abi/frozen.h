/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ABI 1 as release 0.1 had it, written down by hand.  What includes this stands
 * for a module binary of that release, which nobody will rebuild.
 *
 * FROZEN: nothing here is ever changed, and no header of the project is included.
 * A module that no longer compiles, loads or counts right means that the loader or
 * chic_module.h broke the promise, not that this file is out of date.
 */
#ifndef FROZEN_H
#define FROZEN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FROZEN_EXPORT __attribute__((visibility("default")))

#define FROZEN_PASTE_(a, b) a##b
#define FROZEN_PASTE(a, b) FROZEN_PASTE_(a, b)
#define FROZEN_INFO(text)                                                                      \
	static const char FROZEN_PASTE(frozen_info_, __COUNTER__)[]                            \
		__attribute__((used, retain, section(".modinfo"), aligned(1))) = text

struct frozen_block { /* ValueMutPtr: by value, three words */
	uint8_t *ptr;
	size_t size;
	size_t align;
};

typedef struct frozen_block (*frozen_alloc_fn)(void *, size_t, size_t);
typedef struct frozen_block (*frozen_realloc_fn)(void *, struct frozen_block, size_t, size_t,
						 size_t);

struct frozen_layer { /* struct chic_layer: size, then pairs of function and context */
	size_t size;
	frozen_alloc_fn alloc;
	void *alloc_ctx;
	frozen_alloc_fn alloc_zeroed;
	void *alloc_zeroed_ctx;
	frozen_realloc_fn realloc;
	void *realloc_ctx;
	void (*free)(void *, struct frozen_block);
	void *free_ctx;
	size_t (*usable_size)(void *, const void *);
	void *usable_size_ctx;
	bool (*owns)(void *, const void *);
	void *owns_ctx;
	void *(*malloc)(void *, size_t);
	void *malloc_ctx;
	void *(*calloc)(void *, size_t, size_t);
	void *calloc_ctx;
	void *(*memalign)(void *, size_t, size_t);
	void *memalign_ctx;
	void *(*remalloc)(void *, void *, size_t);
	void *remalloc_ctx;
	size_t (*mfree)(void *, void *);
	void *mfree_ctx;
};

struct frozen_param { /* struct chic_module_param */
	const char *name;
	uint64_t number;
	const char *text;
};

struct frozen_args { /* struct chic_module_args */
	size_t size;
	const char *name;
	const struct frozen_param *params;
	size_t n_params;
	void (*fail)(const char *, ...);
	void (*warn)(const char *, ...);
	void **(*thread_word)(unsigned);
	unsigned slot;
};

#if __SIZEOF_POINTER__ == 8
#define FROZEN_AT(type, field, at)                                                             \
	_Static_assert(offsetof(struct type, field) == (at), #type "." #field)
FROZEN_AT(frozen_block, size, 8);
FROZEN_AT(frozen_block, align, 16);
FROZEN_AT(frozen_layer, alloc, 8);
FROZEN_AT(frozen_layer, alloc_ctx, 16);
FROZEN_AT(frozen_layer, alloc_zeroed, 24);
FROZEN_AT(frozen_layer, realloc, 40);
FROZEN_AT(frozen_layer, free, 56);
FROZEN_AT(frozen_layer, usable_size, 72);
FROZEN_AT(frozen_layer, owns, 88);
FROZEN_AT(frozen_layer, malloc, 104);
FROZEN_AT(frozen_layer, calloc, 120);
FROZEN_AT(frozen_layer, memalign, 136);
FROZEN_AT(frozen_layer, remalloc, 152);
FROZEN_AT(frozen_layer, mfree, 168);
FROZEN_AT(frozen_layer, mfree_ctx, 176);
FROZEN_AT(frozen_param, number, 8);
FROZEN_AT(frozen_param, text, 16);
_Static_assert(sizeof(struct frozen_param) == 24, "stride of the parameters");
FROZEN_AT(frozen_args, name, 8);
FROZEN_AT(frozen_args, params, 16);
FROZEN_AT(frozen_args, n_params, 24);
FROZEN_AT(frozen_args, fail, 32);
FROZEN_AT(frozen_args, warn, 40);
FROZEN_AT(frozen_args, thread_word, 48);
FROZEN_AT(frozen_args, slot, 56);
#endif

/* How often each function of the filter was called: exported for the tests. */
enum {
	SEEN_ALLOC,
	SEEN_ALLOC_ZEROED,
	SEEN_REALLOC,
	SEEN_FREE,
	SEEN_INIT,
	SEEN_EXIT,
	SEEN_USABLE_SIZE,
	SEEN_OWNS,
	SEEN_RESET,
	SEEN_PREFORK,
	SEEN_POSTFORK_PARENT,
	SEEN_POSTFORK_CHILD,
	SEEN_THREAD_EXIT,
	SEEN_MALLOC,
	SEEN_CALLOC,
	SEEN_MEMALIGN,
	SEEN_REMALLOC,
	SEEN_MFREE,
	SEEN_COUNT
};

#endif /* FROZEN_H */
