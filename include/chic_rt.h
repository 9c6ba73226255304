/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chic_rt.h - the Chic runtime ABI (rt-abi-1): allocator hooks and telemetry
 *
 * Layouts, names and calling convention are those of the Chic language's
 * runtime header and are kept to the byte; everything said here about meaning
 * is what this implementation promises.
 *
 * Handles.  Memory travels as a typed handle {ptr, size, align}, passed and
 * returned by value.  Where a call answers with a handle, its size and align
 * are those of the request, on success and on failure; only ptr tells which it
 * was.  A failed handle may be passed on to chic_rt_free, chic_rt_memcpy,
 * chic_rt_memmove and chic_rt_memset without effect.
 *
 * Units.  Sizes and alignments are bytes.  An alignment of 0 means 1; one that
 * is not a power of two makes the request fail.
 *
 * Errors.  There is no errno and no status: failure is a null ptr.
 *
 * Threads.  Every function may be called from any thread at any time.
 * chic_rt_allocator_install and chic_rt_allocator_reset may race with
 * allocations: each request sees the old table or the new one, never a mixture.
 * No lock is held while a hook runs.
 */
#ifndef CHIC_RT_H
#define CHIC_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A block, or an element of one, that may be written: three words. */
typedef struct ValueMutPtr {
	uint8_t *ptr;
	size_t size;
	size_t align;
} ValueMutPtr;

/* The same, read only. */
typedef struct ValueConstPtr {
	const uint8_t *ptr;
	size_t size;
	size_t align;
} ValueConstPtr;

/*
 * The five-entry hook table.
 *
 * context goes unchanged to every hook of this table; it may be null.  A null
 * entry means "the default serves this operation" and says nothing about the
 * other entries: nothing is synthesised.  DANGER: a table with alloc but
 * without free sends its own blocks to the default's free.  Whether that is
 * sound is the installer's business.
 *
 * alloc, alloc_zeroed: size >= 1, align a power of two >= 1.  Only the ptr of
 *	the answer is looked at.  The contents of alloc's block are unspecified,
 *	those of alloc_zeroed's are zero.
 * realloc: old may be a null handle (behave like alloc).  old_size counts, not
 *	old.size.  On failure answer a null ptr and leave the old block as it is.
 * free: block is the caller's whole handle, its ptr never null.
 *
 * A hook must not call chic_rt_alloc, _alloc_zeroed, _realloc or _free (it
 * would call itself without end); the telemetry functions are allowed.
 */
typedef struct ChicAllocatorVTable {
	void *context;
	ValueMutPtr (*alloc)(void *context, size_t size, size_t align);
	ValueMutPtr (*alloc_zeroed)(void *context, size_t size, size_t align);
	ValueMutPtr (*realloc)(void *context, ValueMutPtr old, size_t old_size, size_t new_size,
			       size_t align);
	void (*free)(void *context, ValueMutPtr block);
} ChicAllocatorVTable;

/*
 * The eight counters, machine words that wrap.
 *
 * Each operation is counted once, whoever served it, and only when it
 * succeeded.  Bytes are requested bytes.
 *
 *	alloc		alloc_calls + 1, alloc_bytes + size
 *	alloc_zeroed	alloc_zeroed_calls + 1, alloc_zeroed_bytes + size
 *	realloc		realloc_calls + 1, realloc_bytes + new size,
 *			freed_bytes + old size (0 for a null block)
 *	free		free_calls + 1, freed_bytes + block.size
 *
 * so that alloc_bytes + alloc_zeroed_bytes + realloc_bytes - freed_bytes are
 * the live bytes.
 */
typedef struct AllocationTelemetry {
	size_t alloc_calls;
	size_t alloc_zeroed_calls;
	size_t realloc_calls;
	size_t free_calls;
	size_t alloc_bytes;
	size_t alloc_zeroed_bytes;
	size_t realloc_bytes;
	size_t freed_bytes;
} AllocationTelemetry;

/*
 * Install a table: its five words are copied and replace the former table.
 * Counters stay.  Blocks of the former table are freed by the new one: switch
 * only between tables that accept each other's blocks, or when none are live.
 * Memory grows with the number of different tables ever installed, not with the
 * number of installs.
 */
void chic_rt_allocator_install(ChicAllocatorVTable table);

/*
 * Back to the default: the stack that the configuration names, or the platform
 * heap where nothing is configured.  Idempotent.  Counters stay.
 */
void chic_rt_allocator_reset(void);

/* size 0 answers {NULL, 0, align}: no hook is called, nothing is counted. */
ValueMutPtr chic_rt_alloc(size_t size, size_t align);
ValueMutPtr chic_rt_alloc_zeroed(size_t size, size_t align);

/*
 * Resize.  old_size is trusted and separate from old.size.
 *
 * A null old block goes to the realloc entry and counts as realloc.  new_size 0
 * frees old (counted as free, with old.size) and answers {NULL, 0, align}.  On a
 * null answer to new_size > 0 the old block stays valid and nothing is counted.
 */
ValueMutPtr chic_rt_realloc(ValueMutPtr old, size_t old_size, size_t new_size, size_t align);

/* A null ptr: nothing.  size and align must be those of the allocation. */
void chic_rt_free(ValueMutPtr block);

/*
 * The counters since the last reset, of all threads, those that ended included.
 * Exact when no other thread allocates meanwhile; otherwise each counter is
 * right for some moment during the call.  Out: a null pointer is ignored.
 */
AllocationTelemetry chic_rt_alloc_stats(void);
void chic_rt_alloc_stats_fill(AllocationTelemetry *out);

/*
 * All eight to zero; the table is untouched.  Work under way in other threads
 * is counted before or after the reset, never lost.
 */
void chic_rt_reset_alloc_stats(void);

/*
 * Byte copies.  len may exceed the handle's size, which may be that of one
 * element.  len 0 or a null ptr on either side: nothing.  memcpy must not
 * overlap; memmove may, and takes its source as a Mut handle.
 */
void chic_rt_memcpy(ValueMutPtr dst, ValueConstPtr src, size_t len);
void chic_rt_memmove(ValueMutPtr dst, ValueMutPtr src, size_t len);
void chic_rt_memset(ValueMutPtr dst, uint8_t value, size_t len);
void chic_rt_zero_init(uint8_t *dst, size_t len);

#ifdef __cplusplus
}
#endif

#endif /* CHIC_RT_H */
