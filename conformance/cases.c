// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table of cases, from the simple to the whole.  What each demands in full, and
 * where that comes from, is in chic-alloc-test(1).
 */
#include "conform.h"

/* clang-format off */
/* The subject is loaded when the case begins, or the case does that itself. */
#define CASE(name, demand) { #name, demand, case_##name, false }
#define LOADS(name, demand) { #name, demand, case_##name, true }

const struct conform_case conform_cases[] = {
	LOADS(metadata, "the file says what it is, and that is true"),
	CASE(alignment, "blocks are aligned as asked, from 1 byte to 2 MiB"),
	CASE(sizes, "blocks of every size up to 1 GiB"),
	CASE(overflow, "sizes that cannot be are answered by null"),
	CASE(lifetimes, "blocks lie apart and keep their contents, whatever the order"),
	CASE(realloc, "realloc keeps contents and alignment, and the block when it fails"),
	CASE(zeroed, "alloc_zeroed and calloc give zeros, of used memory too"),
	CASE(usable_size, "all bytes that are said to be usable are"),
	CASE(owns, "owns is true for own blocks and for nothing else"),
	LOADS(kind, "blocks are the module's or its lower's, as its kind says"),
	CASE(twins, "hooks and twins take each other's blocks, and errno is right"),
	CASE(threads, "threads may ask at the same time"),
	CASE(cross_free, "threads free and resize each other's blocks"),
	LOADS(thread_exit, "blocks outlive their thread, a thread's end may allocate"),
	CASE(fork, "the child of a busy process goes on"),
	LOADS(memory_limit, "null where there is no memory, and the heap stays sound"),
	CASE(growth, "what is given back is used again"),
	CASE(lifecycle, "instances begin, end, live side by side and leave nothing"),
	CASE(reset, "reset answers the number of live blocks and takes all back"),
	LOADS(params, "each enum value and both ends of each range serve"),
	LOADS(as_lower, "it serves below the shipped modules"),
	LOADS(on_top, "it serves over other layers"),
	LOADS(lower_fails, "it stays sound when the layer below fails"),
	CASE(program, "it serves an unmodified program"),
	{ NULL, NULL, NULL, false },
};
/* clang-format on */
