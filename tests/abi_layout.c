// SPDX-License-Identifier: BSD-2-Clause
/*
 * Layouts of chic_rt.h and of the structs that modules share with the loader,
 * as assertions of the compiler.  Everything is whole machine words, so that one
 * list serves 64-bit and 32-bit targets.
 */
#include "abi_layout.h"
#include "chic_alloc.h"
#include "chic_module.h"

_Static_assert(sizeof(size_t) == WORD, "size_t is a machine word");
_Static_assert(sizeof(void (*)(void)) == WORD, "function pointers are machine words");

SIZE_IS(ValueMutPtr, 3);
FIELD_IS(ValueMutPtr, ptr, 0);
FIELD_IS(ValueMutPtr, size, 1);
FIELD_IS(ValueMutPtr, align, 2);

SIZE_IS(ValueConstPtr, 3);
FIELD_IS(ValueConstPtr, ptr, 0);
FIELD_IS(ValueConstPtr, size, 1);
FIELD_IS(ValueConstPtr, align, 2);

SIZE_IS(ChicAllocatorVTable, 5);
FIELD_IS(ChicAllocatorVTable, context, 0);
FIELD_IS(ChicAllocatorVTable, alloc, 1);
FIELD_IS(ChicAllocatorVTable, alloc_zeroed, 2);
FIELD_IS(ChicAllocatorVTable, realloc, 3);
FIELD_IS(ChicAllocatorVTable, free, 4);

SIZE_IS(AllocationTelemetry, 8);
FIELD_IS(AllocationTelemetry, alloc_calls, 0);
FIELD_IS(AllocationTelemetry, alloc_zeroed_calls, 1);
FIELD_IS(AllocationTelemetry, realloc_calls, 2);
FIELD_IS(AllocationTelemetry, free_calls, 3);
FIELD_IS(AllocationTelemetry, alloc_bytes, 4);
FIELD_IS(AllocationTelemetry, alloc_zeroed_bytes, 5);
FIELD_IS(AllocationTelemetry, realloc_bytes, 6);
FIELD_IS(AllocationTelemetry, freed_bytes, 7);

/*
 * Modules built today read these in every later release.  A field may be added
 * behind the end (not in padding: size could not tell); then its line is added here
 * and SIZE_IS grows.  No other line may ever change.
 */
FIELD_IS(struct chic_layer, size, 0);
FIELD_IS(struct chic_layer, alloc, 1);
FIELD_IS(struct chic_layer, alloc_zeroed, 3);
FIELD_IS(struct chic_layer, realloc, 5);
FIELD_IS(struct chic_layer, free, 7);
FIELD_IS(struct chic_layer, usable_size, 9);
FIELD_IS(struct chic_layer, owns, 11);
FIELD_IS(struct chic_layer, malloc, 13);
FIELD_IS(struct chic_layer, calloc, 15);
FIELD_IS(struct chic_layer, memalign, 17);
FIELD_IS(struct chic_layer, remalloc, 19);
FIELD_IS(struct chic_layer, mfree, 21);
FIELD_IS(struct chic_layer, family, 23);
SIZE_IS(struct chic_layer, 24);

#define ENTRY_IS(entry, type)                                                                  \
	_Static_assert(__builtin_types_compatible_p(                                           \
			       __typeof__(((struct chic_layer *)0)->entry.fn), type),          \
		       "signature of " #entry);                                                \
	_Static_assert(offsetof(struct chic_layer, entry.ctx) ==                               \
			       offsetof(struct chic_layer, entry.fn) + WORD,                   \
		       "context of " #entry)

ENTRY_IS(alloc, ValueMutPtr (*)(void *, size_t, size_t));
ENTRY_IS(alloc_zeroed, ValueMutPtr (*)(void *, size_t, size_t));
ENTRY_IS(realloc, ValueMutPtr (*)(void *, ValueMutPtr, size_t, size_t, size_t));
ENTRY_IS(free, void (*)(void *, ValueMutPtr));
ENTRY_IS(usable_size, size_t (*)(void *, const void *));
ENTRY_IS(owns, bool (*)(void *, const void *));
ENTRY_IS(malloc, void *(*)(void *, size_t));
ENTRY_IS(calloc, void *(*)(void *, size_t, size_t));
ENTRY_IS(memalign, void *(*)(void *, size_t, size_t));
ENTRY_IS(remalloc, void *(*)(void *, void *, size_t));
ENTRY_IS(mfree, size_t (*)(void *, void *));

FIELD_IS(struct chic_module_args, size, 0);
FIELD_IS(struct chic_module_args, name, 1);
FIELD_IS(struct chic_module_args, params, 2);
FIELD_IS(struct chic_module_args, n_params, 3);
FIELD_IS(struct chic_module_args, fail, 4);
FIELD_IS(struct chic_module_args, warn, 5);
FIELD_IS(struct chic_module_args, thread_word, 6);
FIELD_IS(struct chic_module_args, slot, 7);
FIELD_IS(struct chic_module_args, fault_handler, 8);
FIELD_IS(struct chic_module_args, leaves, 9);
SIZE_IS(struct chic_module_args, 10);

/* Never. */
FIELD_IS(struct chic_module_leaves, countdown, 0);
FIELD_IS(struct chic_module_leaves, base, 1);
FIELD_IS(struct chic_module_leaves, bytes, 2);
SIZE_IS(struct chic_module_leaves, 3);

/* Never: it is the element of an array. */
FIELD_IS(struct chic_module_param, name, 0);
_Static_assert(WORD != 8 || (offsetof(struct chic_module_param, number) == 8 &&
			     offsetof(struct chic_module_param, text) == 16 &&
			     sizeof(struct chic_module_param) == 24),
	       "struct chic_module_param");
_Static_assert(sizeof(((struct chic_module_param *)0)->number) == 8, "numbers have 64 bits");

_Static_assert(CHIC_MALLOC_ALIGN == 2 * WORD, "alignment that malloc promises");
_Static_assert(CHIC_MODULE_TLS_MAX == 64, "modules of today may have as much TLS");

/* Programs and interposers read these. */
FIELD_IS(struct chic_malloc_family, malloc, 0);
FIELD_IS(struct chic_malloc_family, free, 1);
FIELD_IS(struct chic_malloc_family, calloc, 2);
FIELD_IS(struct chic_malloc_family, realloc, 3);
FIELD_IS(struct chic_malloc_family, memalign, 4);
FIELD_IS(struct chic_malloc_family, usable_size, 5);
SIZE_IS(struct chic_malloc_family, 6);

FIELD_IS(struct chic_alloc_info, size, 0);
_Static_assert(offsetof(struct chic_alloc_info, stack) == WORD, "chic_alloc_info.stack");
_Static_assert(offsetof(struct chic_alloc_info, depth) == WORD + 4, "chic_alloc_info.depth");
_Static_assert(offsetof(struct chic_alloc_info, is_default) == WORD + 8,
	       "chic_alloc_info.is_default");
_Static_assert(WORD != 8 || (offsetof(struct chic_alloc_info, name) == 24 &&
			     offsetof(struct chic_alloc_info, kind) == 32 &&
			     offsetof(struct chic_alloc_info, version) == 40 &&
			     offsetof(struct chic_alloc_info, path) == 48 &&
			     offsetof(struct chic_alloc_info, counted) == 56 &&
			     offsetof(struct chic_alloc_info, live_blocks) == 64 &&
			     offsetof(struct chic_alloc_info, live_bytes) == 72 &&
			     sizeof(struct chic_alloc_info) == 80),
	       "struct chic_alloc_info");

_Static_assert(CHIC_MODULE_ABI == 1, "a new module ABI needs a new list above");
