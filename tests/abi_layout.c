// SPDX-License-Identifier: BSD-2-Clause
/*
 * Layouts of chic_rt.h and of the structs that modules share with the loader,
 * as assertions of the compiler.  Everything is whole machine words, so that one
 * list serves 64-bit and 32-bit targets.
 */
#include "chic_alloc.h"
#include "chic_module.h"
#include "chic_rt.h"

#define WORD sizeof(void *)
#define SIZE_IS(type, words) _Static_assert(sizeof(type) == (words)*WORD, "size of " #type)
#define FIELD_IS(type, field, word)                                                            \
	_Static_assert(offsetof(type, field) == (word)*WORD, #type "." #field)

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

/* Modules built today read these in every later release: entries may be added
 * at the end, never moved.
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
SIZE_IS(struct chic_layer, 23);

FIELD_IS(struct chic_module_args, size, 0);
FIELD_IS(struct chic_module_args, name, 1);
FIELD_IS(struct chic_module_args, params, 2);
FIELD_IS(struct chic_module_args, n_params, 3);
FIELD_IS(struct chic_module_args, fail, 4);
FIELD_IS(struct chic_module_args, warn, 5);
FIELD_IS(struct chic_module_args, thread_word, 6);
FIELD_IS(struct chic_module_args, slot, 7);

_Static_assert(CHIC_MODULE_ABI == 1, "a new module ABI needs a new list above");
