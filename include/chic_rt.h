/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chic_rt.h - the Chic runtime ABI (rt-abi-1)
 *
 * The first part, allocator hooks and telemetry, is libchic_alloc's.  The rest,
 * what of the runtime allocates through these hooks, is libchic_rt's: regions, Vec,
 * String, maps, shared ownership, objects, closures, and handles that allocate nothing.
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

/* =================================================== the runtime: libchic_rt === */

/*
 * Rules of everything below.
 *
 * Memory comes from chic_rt_alloc and its kin and goes back with the size and
 * alignment that it was asked for; nothing reaches the platform heap past the
 * hooks.
 *
 * Callbacks travel as uintptr_t, 0 meaning none:
 *	drop	 void (*)(uint8_t *value)		end one value's life
 *	equality int32_t (*)(const void *, const void *)	1 if equal
 *	hash	 uint64_t (*)(const void *)
 * A drop callback may use the runtime, but not the object that is being dropped.
 *
 * Values are moved by copying their bytes.  Handles that describe a value are
 * passed by pointer; their ptr is read or written for the element's size.
 *
 * Objects are not thread-safe by themselves: one thread writes, or many read.
 *
 * Errors are the status codes of each family.  After an error the object is what
 * it was before, unless something else is said.  A null object is never touched:
 * it answers InvalidPointer, 0, or an empty value.  An object that was dropped is
 * an empty one.
 */

/* Statuses are as wide as int32_t, also for compilers whose enums are short. */
#define CHIC_STATUS __attribute__((mode(SI)))

/* A pointer to bytes that hold UTF-8, and how many; not terminated. */
typedef struct ChicStr {
	const uint8_t *ptr;
	size_t len;
} ChicStr;

/* ------------------------------------------------------------- regions --- */

/*
 * A region gives memory that is taken back all at once: allocation is a bump of a
 * pointer in a chunk, exit gives the chunks back, O(chunks).
 *
 * The handle is one word that carries a slot and a generation; it is never
 * dereferenced.  A handle of a region that was exited, or that never was one, is
 * refused: allocation answers a typed null, exit does nothing.
 *
 * One region is used by one thread at a time, different ones by different threads;
 * telemetry may be asked for by any.
 */
typedef struct RegionHandle {
	void *ptr;
} RegionHandle;

/*
 * Requested bytes and calls of one region; a vector's block that grows where it is
 * counts as a call for what it grew by.  freed_bytes grows at exit, by all bytes
 * since the region began.
 */
typedef struct RegionTelemetry {
	uint64_t alloc_calls;
	uint64_t alloc_zeroed_calls;
	uint64_t alloc_bytes;
	uint64_t alloc_zeroed_bytes;
	uint64_t freed_bytes;
} RegionTelemetry;

/*
 * Begin a region.  profile labels it for chic_rt_region_profile and may be
 * shared; chic_rt_region_profile_of() makes one of a name.  Memory is taken when
 * the first block is.  A null ptr in the answer: too many regions at once (4096).
 */
RegionHandle chic_rt_region_enter(uint64_t profile);
/* End it: its memory is gone.  Other regions, also ones begun later, stay. */
void chic_rt_region_exit(RegionHandle region);
/* As chic_rt_alloc; size 0 answers {NULL, 0, align} and is not counted. */
ValueMutPtr chic_rt_region_alloc(RegionHandle region, size_t size, size_t align);
ValueMutPtr chic_rt_region_alloc_zeroed(RegionHandle region, size_t size, size_t align);
/* Readable after exit until another region takes the slot; else zeros. */
RegionTelemetry chic_rt_region_telemetry(RegionHandle region);
/* All five to zero; nothing for a region that was exited. */
void chic_rt_region_reset_stats(RegionHandle region);

/* FNV-1a, 64 bits, of the name; the name "default" where name is empty. */
uint64_t chic_rt_region_profile_of(ChicStr name);
/*
 * Sums over all regions of that profile, live and exited.  Exited ones are kept for
 * the first 511 profiles of a process.
 */
RegionTelemetry chic_rt_region_profile(uint64_t profile);

/* ----------------------------------------------------------------- Vec --- */

#define CHIC_RT_VEC_INLINE_BYTES 64

typedef struct ChicInlineBuffer {
	uint8_t bytes[CHIC_RT_VEC_INLINE_BYTES];
} ChicInlineBuffer;

/*
 * A growable array, moved by copying its bytes.  Elements stay inside the struct
 * while they fit into 64 bytes and need no more alignment than a pointer; ptr may
 * then be stale: use chic_rt_vec_data().  Read fields by the functions below.
 */
typedef struct ChicVec {
	uint8_t *ptr;
	size_t len;
	size_t cap;
	size_t elem_size;
	size_t elem_align;
	uintptr_t drop_fn;
	RegionHandle region;
	bool uses_inline;
	uint8_t _pad[3];
	uint32_t inline_pad;
	ChicInlineBuffer inline_storage;
} ChicVec;

typedef struct ChicVecView {
	const uint8_t *data;
	size_t len;
	size_t elem_size;
	size_t elem_align;
} ChicVecView;

typedef struct ChicVecIter {
	const uint8_t *data;
	size_t index;
	size_t len;
	size_t elem_size;
	size_t elem_align;
} ChicVecIter;

typedef enum VecError {
	ChicVec_Success = 0,
	ChicVec_AllocationFailed = 1,
	ChicVec_InvalidPointer = 2,
	ChicVec_CapacityOverflow = 3, /* more bytes than PTRDIFF_MAX */
	ChicVec_OutOfBounds = 4,
	ChicVec_LengthOverflow = 5, /* a length above the capacity */
	ChicVec_IterationComplete = 6,
} CHIC_STATUS VecError;

/*
 * Empty vectors.  elem_align 0 means 1; one that is no power of two makes every
 * allocation fail.  with_capacity that fails answers an empty vector: look at
 * chic_rt_vec_capacity().  Elements of size 0 need no memory, their capacity is
 * SIZE_MAX.
 *
 * In a region: memory comes from the region and is not given back one by one.
 * After the region's exit a vector with a block is empty, no destructor was run,
 * and growth answers AllocationFailed; elements inside the struct stay.  The same
 * goes for a region that could not be begun.
 */
ChicVec chic_rt_vec_new(size_t elem_size, size_t elem_align, uintptr_t drop_fn);
ChicVec chic_rt_vec_new_in_region(size_t elem_size, size_t elem_align, uintptr_t drop_fn,
				  RegionHandle region);
ChicVec chic_rt_vec_with_capacity(size_t elem_size, size_t elem_align, size_t capacity,
				  uintptr_t drop_fn);
ChicVec chic_rt_vec_with_capacity_in_region(size_t elem_size, size_t elem_align,
					    size_t capacity, uintptr_t drop_fn,
					    RegionHandle region);
/* Drop the elements, first to last, and give the memory back; an empty vector stays. */
void chic_rt_vec_drop(ChicVec *vec);

/*
 * Copies, byte by byte; dest is overwritten without being dropped, on success
 * only.  The copy has the source's region and no more capacity than it needs.  An
 * "array" is a vector that is inside its struct, or whose capacity is its length.
 */
int32_t chic_rt_vec_clone(ChicVec *dest, const ChicVec *src);
int32_t chic_rt_vec_copy_to_array(ChicVec *dest, const ChicVec *src);
int32_t chic_rt_array_copy_to_vec(ChicVec *dest, const ChicVec *src);
/* Moves: dest is overwritten without being dropped, src is empty afterwards. */
int32_t chic_rt_vec_into_array(ChicVec *dest, ChicVec *src);
int32_t chic_rt_array_into_vec(ChicVec *dest, ChicVec *src);

/* Room for so many more elements: at least doubles, so that pushing is O(1). */
int32_t chic_rt_vec_reserve(ChicVec *vec, size_t additional);
/* Capacity to length; back inside the struct where the elements fit. */
int32_t chic_rt_vec_shrink_to_fit(ChicVec *vec);
/* Take a value over by copying elem_size bytes.  It may be an element. */
int32_t chic_rt_vec_push(ChicVec *vec, const ValueConstPtr *value);
#ifdef __GNUC__
/*
 * The same without a call while there is room, for a size that the compiler knows.
 * One that is not elem_size answers InvalidPointer.
 */
static inline int32_t chic_vec_push(ChicVec *vec, const void *value, size_t size)
{
	ValueConstPtr handle = {(const uint8_t *)value, size, 1};

	if (__builtin_expect(vec && vec->len < vec->cap && vec->elem_size == size &&
				     !vec->uses_inline && !vec->region.ptr && value,
			     1)) {
		__builtin_memcpy(vec->ptr + vec->len * size, value, size);
		vec->len++;
		return ChicVec_Success;
	}
	if (vec && vec->elem_size != size)
		return ChicVec_InvalidPointer;
	return chic_rt_vec_push(vec, &handle);
}
#endif
/* index <= len; a value whose size is not elem_size answers InvalidPointer. */
int32_t chic_rt_vec_insert(ChicVec *vec, size_t index, const ValueConstPtr *value);
/*
 * Take an element out: moved to out, or dropped where out is null.  An empty
 * vector or an index past the end answers OutOfBounds.  swap_remove puts the last
 * element in its place.
 */
int32_t chic_rt_vec_pop(ChicVec *vec, const ValueMutPtr *out);
int32_t chic_rt_vec_remove(ChicVec *vec, size_t index, const ValueMutPtr *out);
int32_t chic_rt_vec_swap_remove(ChicVec *vec, size_t index, const ValueMutPtr *out);
/* Drop what is beyond new_len; a new_len above the length changes nothing. */
int32_t chic_rt_vec_truncate(ChicVec *vec, size_t new_len);
int32_t chic_rt_vec_clear(ChicVec *vec);
/* The length alone: nothing is dropped or made.  LengthOverflow above the capacity. */
int32_t chic_rt_vec_set_len(ChicVec *vec, size_t new_len);

size_t chic_rt_vec_len(const ChicVec *vec);
size_t chic_rt_vec_capacity(const ChicVec *vec);
int32_t chic_rt_vec_is_empty(const ChicVec *vec); /* 1 for a null vector */
int32_t chic_rt_vec_view(const ChicVec *vec, ChicVecView *out);
/* Handles of elements: the element's size and alignment, also with a null ptr. */
/* Elements of no size are all in one place, which is not null. */
ValueConstPtr chic_rt_vec_data(const ChicVec *vec);
ValueMutPtr chic_rt_vec_data_mut(ChicVec *vec);
ValueMutPtr chic_rt_vec_ptr_at(const ChicVec *vec, size_t index);
ChicVecView chic_rt_array_view(const ChicVec *array);
ValueConstPtr chic_rt_array_data(const ChicVec *array);
size_t chic_rt_array_len(const ChicVec *array);
int32_t chic_rt_array_is_empty(const ChicVec *array);
ValueMutPtr chic_rt_array_ptr_at(const ChicVec *array, size_t index);

/* The vector must not change while it is iterated, nor its region end. */
ChicVecIter chic_rt_vec_iter(const ChicVec *vec);
/* Copy the next element to out: Success, IterationComplete or InvalidPointer. */
int32_t chic_rt_vec_iter_next(ChicVecIter *iter, const ValueMutPtr *out);
/* Its place; a null ptr at the end. */
ValueConstPtr chic_rt_vec_iter_next_ptr(ChicVecIter *iter);

/* Raw access for compilers.  DANGER: what is set is believed. */
size_t chic_rt_vec_elem_size(const ChicVec *vec);
size_t chic_rt_vec_elem_align(const ChicVec *vec);
size_t chic_rt_vec_inline_capacity(const ChicVec *vec);
ValueMutPtr chic_rt_vec_inline_ptr(ChicVec *vec);
int32_t chic_rt_vec_uses_inline(const ChicVec *vec);
void chic_rt_vec_mark_inline(ChicVec *vec, int32_t uses_inline);
ValueMutPtr chic_rt_vec_get_ptr(const ChicVec *vec);
void chic_rt_vec_set_ptr(ChicVec *vec, const ValueMutPtr *ptr);
void chic_rt_vec_set_cap(ChicVec *vec, size_t cap);
void chic_rt_vec_set_elem_size(ChicVec *vec, size_t size);
void chic_rt_vec_set_elem_align(ChicVec *vec, size_t align);
uintptr_t chic_rt_vec_get_drop(const ChicVec *vec);
void chic_rt_vec_set_drop(ChicVec *vec, uintptr_t drop_fn);

/* -------------------------------------------------------------- String --- */

#define CHIC_RT_STRING_INLINE_CAPACITY 32

/* One UTF-16 code unit. */
typedef uint16_t chic_char;

/*
 * UTF-8 text, moved by copying its bytes.  Up to 32 bytes stay inside the struct, and
 * need no memory; cap then has its top bit set and ptr may be stale: use
 * chic_rt_string_as_slice().  The first block has 64 bytes at least, each that follows
 * twice as many; a block stays until the string is dropped.  A struct of zeros is an
 * empty string; a ptr with a cap of 0 is text of somebody else, which is read only.
 */
typedef struct ChicString {
	uint8_t *ptr;
	size_t len;
	size_t cap;
	uint8_t inline_data[CHIC_RT_STRING_INLINE_CAPACITY];
} ChicString;

typedef struct ChicCharSpan {
	const chic_char *ptr;
	size_t len;
} ChicCharSpan;

/*
 * What a call cannot do it answers in this order: InvalidPointer for a null object, or
 * a slice or format that has a length and a null ptr; CapacityOverflow for more bytes
 * than PTRDIFF_MAX; Utf8; AllocationFailed.
 */
typedef enum StringError {
	ChicString_Success = 0,
	ChicString_Utf8 = 1,
	ChicString_CapacityOverflow = 2,
	ChicString_AllocationFailed = 3,
	ChicString_InvalidPointer = 4,
	ChicString_OutOfBounds = 5,
} CHIC_STATUS StringError;

/* The text of a status, in static memory; empty for Success and unknown ones. */
ChicStr chic_rt_string_error_message(int32_t code);

/*
 * Strings.  Where the text is not UTF-8, or there is no memory for it, they are empty:
 * use clone_slice, which has a status, or look at chic_rt_string_get_cap().
 */
ChicString chic_rt_string_new(void);
ChicString chic_rt_string_with_capacity(size_t capacity); /* bytes */
ChicString chic_rt_string_from_slice(ChicStr slice);
ChicString chic_rt_string_from_char(chic_char value); /* empty for a surrogate */
/* The memory back; an empty string stays. */
void chic_rt_string_drop(ChicString *target);
/* Copies; dest is overwritten without being dropped, on success only. */
int32_t chic_rt_string_clone(ChicString *dest, const ChicString *src);
int32_t chic_rt_string_clone_slice(ChicString *dest, ChicStr slice);
/* Room for so many bytes more. */
int32_t chic_rt_string_reserve(ChicString *target, size_t additional);
/* The slice may be part of target. */
int32_t chic_rt_string_push_slice(ChicString *target, ChicStr slice);
/* To so many bytes: OutOfBounds above the length, Utf8 in the middle of a character. */
int32_t chic_rt_string_truncate(ChicString *target, size_t new_len);
/* Valid until the string changes or moves. */
ChicStr chic_rt_string_as_slice(const ChicString *source);
/*
 * A fresh span of UTF-16 units, empty where the text is empty or no UTF-8, or where
 * there is no memory.  The caller owns it: chic_rt_chars_drop(), or chic_rt_free() of
 * {ptr, 2 * len, 2}.
 */
ChicCharSpan chic_rt_string_as_chars(const ChicString *source);
ChicCharSpan chic_rt_str_as_chars(ChicStr slice);
void chic_rt_chars_drop(ChicCharSpan chars);

/*
 * Values as text at the end of target.
 *
 * With has_alignment not 0, alignment is the least width in characters: spaces come
 * before the text where it is positive, after it where it is negative.
 *
 * format is empty or a letter, of which the case may matter, and a number; one with an
 * unknown letter is ignored, one that goes on with anything but digits answers
 * InvalidPointer.
 *
 *	bool	U "TRUE", L "true", else "True"; spaces before the letter are skipped
 *	char	none; a surrogate answers Utf8
 *	int	X or x: hexadecimal with at least so many digits.  Else decimal.
 *	float	F or f: so many digits after the point, 2 without a number
 *		E or e: the same with an exponent, 6 without a number
 *		G or g: E below 0.0001 and from 10^(number + 1) on, else F, 6 without
 *		X or x: the number is the alignment where there is none
 *		else the shortest text that reads back as the value: "0.1", "1e+22"
 *
 * Floats are rounded exactly, half to even, in every locale.  What is none is "nan",
 * "inf" or "-inf"; a NaN of 128 bits shows them, "nan(0x7fff8000...)".
 *
 * Integers come in two halves of 64 bits, of which the lowest bits count; signed ones
 * have the sign there.  bits 0 is 128, but for x: 4 times the number, if there is one.
 */
int32_t chic_rt_string_append_slice(ChicString *target, ChicStr slice, int32_t alignment,
				    int32_t has_alignment);
int32_t chic_rt_string_append_bool(ChicString *target, bool value, int32_t alignment,
				   int32_t has_alignment, ChicStr format);
int32_t chic_rt_string_append_char(ChicString *target, chic_char value, int32_t alignment,
				   int32_t has_alignment, ChicStr format);
int32_t chic_rt_string_append_signed(ChicString *target, uint64_t low, uint64_t high,
				     uint32_t bits, int32_t alignment, int32_t has_alignment,
				     ChicStr format);
int32_t chic_rt_string_append_unsigned(ChicString *target, uint64_t low, uint64_t high,
				       uint32_t bits, int32_t alignment, int32_t has_alignment,
				       ChicStr format);
int32_t chic_rt_string_append_f32(ChicString *target, float value, int32_t alignment,
				  int32_t has_alignment, ChicStr format);
int32_t chic_rt_string_append_f64(ChicString *target, double value, int32_t alignment,
				  int32_t has_alignment, ChicStr format);
/* IEEE binary16, by its bits. */
int32_t chic_rt_string_append_f16(ChicString *target, uint16_t bits, int32_t alignment,
				  int32_t has_alignment, ChicStr format);
#ifdef __SIZEOF_INT128__
/* IEEE binary128, by its bits. */
__extension__ int32_t chic_rt_string_append_f128(ChicString *target, unsigned __int128 bits,
						 int32_t alignment, int32_t has_alignment,
						 ChicStr format);
#endif

/* Raw access for compilers.  DANGER: what is set is believed. */
uint8_t *chic_rt_string_get_ptr(const ChicString *value); /* of the text, wherever it is */
void chic_rt_string_set_ptr(ChicString *value, uint8_t *ptr);
size_t chic_rt_string_get_len(const ChicString *value);
void chic_rt_string_set_len(ChicString *value, size_t len);
size_t chic_rt_string_get_cap(const ChicString *value); /* without the top bit */
void chic_rt_string_set_cap(ChicString *value, size_t cap); /* keeps the top bit */
uint8_t *chic_rt_string_inline_ptr(ChicString *value);
size_t chic_rt_string_inline_capacity(void);
/* Blocks that strings took and gave back since the process began; not those of chars. */
size_t chic_rt_string_allocations(void);
size_t chic_rt_string_frees(void);

/* -------------------------------------------------------- characters --- */

/*
 * Characters of one UTF-16 unit as Unicode 14 has them, in every locale.  A surrogate
 * is no character: InvalidScalar, or -1 where the answer is yes (1) or no (0).
 */
typedef enum CharError {
	ChicChar_Success = 0,
	ChicChar_InvalidScalar = 1,
	ChicChar_NullPointer = 2, /* of languages that have a place for the answer */
	ChicChar_ComplexMapping = 3, /* more than one character: the value is the first */
} CHIC_STATUS CharError;

int32_t chic_rt_char_is_scalar(chic_char value); /* 0 for a surrogate */
int32_t chic_rt_char_is_digit(chic_char value); /* numbers of all kinds (N) */
int32_t chic_rt_char_is_letter(chic_char value); /* Alphabetic */
int32_t chic_rt_char_is_whitespace(chic_char value); /* White_Space */
/* A status and a value in one word, to be taken apart by the last two. */
uint64_t chic_rt_char_to_upper(chic_char value);
uint64_t chic_rt_char_to_lower(chic_char value);
uint64_t chic_rt_char_from_codepoint(uint32_t value); /* no more than 0xffff */
int32_t chic_rt_char_status(uint64_t packed);
chic_char chic_rt_char_value(uint64_t packed);

/* ------------------------------------------------------- HashMap, HashSet --- */

/*
 * Hash tables, one block each.  The caller supplies every hash: equal values must have
 * equal ones.  Any will do, but where all are the same a search looks at all entries.
 * Equality is asked with an entry first, then what is looked for; also now and then for
 * entries of other hashes.  Without a callback bytes are compared, padding among them.
 *
 * Values are put in by copying their bytes; they may be in the table already.  A handle
 * must be of as many bytes as the value, or more.  To say that what comes out is not
 * wanted give a null handle, or one with a null ptr and size 0: it is dropped.
 *
 * Capacities count places, a power of two and at least 8, of which 7/10 are used at
 * most; what takes a capacity counts entries.  An index is that of a place; it stays the
 * same until the table grows or shrinks, so all entries may be taken out by going through
 * the indices.  An alignment that is no power of two makes every allocation fail.
 *
 * Callbacks must not change the table that calls them.  If they do, a search that had
 * its table replaced finds nothing; destructors are called when the table is whole, and
 * for clear and drop empty, but for values of more than 256 bytes or an alignment above
 * 64, which end where they are.
 */
typedef struct ChicHashSet {
	uint8_t *entries; /* the block: entries, states, hashes */
	uint8_t *states; /* 0 empty, 2 tombstone, odd full: use bucket_state */
	uint8_t *hashes; /* uint64_t each */
	size_t len;
	size_t cap;
	size_t tombstones;
	size_t elem_size;
	size_t elem_align;
	uintptr_t drop_fn;
	uintptr_t eq_fn;
} ChicHashSet;

typedef struct ChicHashSetIter {
	const uint8_t *entries;
	const uint8_t *states;
	size_t index;
	size_t cap;
	size_t elem_size;
	size_t elem_align;
} ChicHashSetIter;

typedef enum HashSetError {
	ChicHashSet_Success = 0,
	ChicHashSet_AllocationFailed = 1,
	ChicHashSet_InvalidPointer = 2,
	ChicHashSet_CapacityOverflow = 3, /* more bytes than PTRDIFF_MAX */
	ChicHashSet_NotFound = 4,
	ChicHashSet_IterationComplete = 5,
} CHIC_STATUS HashSetError;

ChicHashSet chic_rt_hashset_new(size_t elem_size, size_t elem_align, uintptr_t drop_fn,
				uintptr_t eq_fn);
/* Room for capacity elements; where that fails an empty set without room. */
ChicHashSet chic_rt_hashset_with_capacity(size_t elem_size, size_t elem_align, size_t capacity,
					  uintptr_t drop_fn, uintptr_t eq_fn);
/* Drop the elements and give the memory back; an empty set stays. */
void chic_rt_hashset_drop(ChicHashSet *set);
/* Drop the elements, keep the memory. */
HashSetError chic_rt_hashset_clear(ChicHashSet *set);
/* Room for so many more elements. */
HashSetError chic_rt_hashset_reserve(ChicHashSet *set, size_t additional);
/* To the least memory for the elements, or min_capacity; none for none of both. */
HashSetError chic_rt_hashset_shrink_to(ChicHashSet *set, size_t min_capacity);
size_t chic_rt_hashset_len(const ChicHashSet *set);
size_t chic_rt_hashset_capacity(const ChicHashSet *set);
size_t chic_rt_hashset_tombstones(const ChicHashSet *set);
/* *inserted (may be null): 1, or 0 if it was there: the value then stays the caller's. */
HashSetError chic_rt_hashset_insert(ChicHashSet *set, uint64_t hash, const ValueConstPtr *value,
				    int32_t *inserted);
/*
 * The value is in the set in any case.  *replaced (may be null) is 1 where one was there,
 * which is moved to out, or dropped.
 */
HashSetError chic_rt_hashset_replace(ChicHashSet *set, uint64_t hash,
				     const ValueConstPtr *value, const ValueMutPtr *out,
				     int32_t *replaced);
int32_t chic_rt_hashset_contains(const ChicHashSet *set, uint64_t hash,
				 const ValueConstPtr *key);
/* Its place, valid until the set changes; a null ptr where it is not there. */
ValueConstPtr chic_rt_hashset_get_ptr(const ChicHashSet *set, uint64_t hash,
				      const ValueConstPtr *key);
/* Moved to out, or dropped; NotFound. */
HashSetError chic_rt_hashset_take(ChicHashSet *set, uint64_t hash, const ValueConstPtr *key,
				  const ValueMutPtr *out);
HashSetError chic_rt_hashset_take_at(ChicHashSet *set, size_t index, const ValueMutPtr *out);
/* 1 if it was there, and then dropped. */
int32_t chic_rt_hashset_remove(ChicHashSet *set, uint64_t hash, const ValueConstPtr *key);
/* 0 empty, also past the end; 1 full; 2 tombstone. */
uint8_t chic_rt_hashset_bucket_state(const ChicHashSet *set, size_t index);
/* 0 where nothing is. */
uint64_t chic_rt_hashset_bucket_hash(const ChicHashSet *set, size_t index);
/* The set must not change while it is iterated. */
ChicHashSetIter chic_rt_hashset_iter(const ChicHashSet *set);
/* Copy the next element to out: Success, IterationComplete or InvalidPointer. */
HashSetError chic_rt_hashset_iter_next(ChicHashSetIter *iter, const ValueMutPtr *out);
/* Its place; a null ptr at the end. */
ValueConstPtr chic_rt_hashset_iter_next_ptr(ChicHashSetIter *iter);

/* An entry is the key, then the value at value_offset; entry_size is padded. */
typedef struct ChicHashMap {
	uint8_t *entries; /* as a set's */
	uint8_t *states;
	uint8_t *hashes;
	size_t len;
	size_t cap;
	size_t tombstones;
	size_t key_size;
	size_t key_align;
	size_t value_size;
	size_t value_align;
	size_t entry_size;
	size_t value_offset;
	uintptr_t key_drop_fn;
	uintptr_t value_drop_fn;
	uintptr_t key_eq_fn;
} ChicHashMap;

typedef struct ChicHashMapIter {
	const uint8_t *entries;
	const uint8_t *states;
	size_t index;
	size_t cap;
	size_t entry_size;
	size_t key_size;
	size_t key_align;
	size_t value_size;
	size_t value_align;
	size_t value_offset;
} ChicHashMapIter;

typedef enum HashMapError {
	ChicHashMap_Success = 0,
	ChicHashMap_AllocationFailed = 1,
	ChicHashMap_InvalidPointer = 2,
	ChicHashMap_CapacityOverflow = 3,
	ChicHashMap_NotFound = 4,
	ChicHashMap_IterationComplete = 5,
} CHIC_STATUS HashMapError;

/* As for sets, where nothing else is said. */
ChicHashMap chic_rt_hashmap_new(size_t key_size, size_t key_align, size_t value_size,
				size_t value_align, uintptr_t key_drop_fn,
				uintptr_t value_drop_fn, uintptr_t key_eq_fn);
ChicHashMap chic_rt_hashmap_with_capacity(size_t key_size, size_t key_align, size_t value_size,
					  size_t value_align, size_t capacity,
					  uintptr_t key_drop_fn, uintptr_t value_drop_fn,
					  uintptr_t key_eq_fn);
void chic_rt_hashmap_drop(ChicHashMap *map);
HashMapError chic_rt_hashmap_clear(ChicHashMap *map);
HashMapError chic_rt_hashmap_reserve(ChicHashMap *map, size_t additional);
HashMapError chic_rt_hashmap_shrink_to(ChicHashMap *map, size_t min_capacity);
size_t chic_rt_hashmap_len(const ChicHashMap *map);
size_t chic_rt_hashmap_capacity(const ChicHashMap *map);
/*
 * Key and value are taken over.  Where the key was there the entry's own stays and the
 * new one is dropped; the former value is moved to previous, or dropped, and *replaced
 * (may be null) is 1.  After an error both stay the caller's.
 */
HashMapError chic_rt_hashmap_insert(ChicHashMap *map, uint64_t hash, const ValueConstPtr *key,
				    const ValueConstPtr *value, const ValueMutPtr *previous,
				    int32_t *replaced);
int32_t chic_rt_hashmap_contains(const ChicHashMap *map, uint64_t hash,
				 const ValueConstPtr *key);
/* The value's place, valid until the map changes. */
ValueConstPtr chic_rt_hashmap_get_ptr(const ChicHashMap *map, uint64_t hash,
				      const ValueConstPtr *key);
/* The value is moved to out, or dropped; the key is dropped. */
HashMapError chic_rt_hashmap_take(ChicHashMap *map, uint64_t hash, const ValueConstPtr *key,
				  const ValueMutPtr *out);
HashMapError chic_rt_hashmap_take_at(ChicHashMap *map, size_t index, const ValueMutPtr *key_out,
				     const ValueMutPtr *value_out);
int32_t chic_rt_hashmap_remove(ChicHashMap *map, uint64_t hash, const ValueConstPtr *key);
uint8_t chic_rt_hashmap_bucket_state(const ChicHashMap *map, size_t index);
uint64_t chic_rt_hashmap_bucket_hash(const ChicHashMap *map, size_t index);
ChicHashMapIter chic_rt_hashmap_iter(const ChicHashMap *map);
HashMapError chic_rt_hashmap_iter_next(ChicHashMapIter *iter, const ValueMutPtr *key_out,
				       const ValueMutPtr *value_out);
/* The entry's place: size is entry_size, align the larger of both. */
ValueConstPtr chic_rt_hashmap_iter_next_ptr(ChicHashMapIter *iter);

/* Call a callback; 0 where it is null. */
uint64_t chic_rt_hash_invoke(uintptr_t func, const void *value);
int32_t chic_rt_eq_invoke(uintptr_t func, const void *left, const void *right);

/* ------------------------------------------------------ maps without a call --- */

#ifdef __GNUC__
/*
 * How a table is searched: what the inline functions below know of it, frozen with the
 * library's soname.  States are looked at in groups of eight, one word, from the group
 * of the hash's low bits on.  A full place has an odd byte of the mixed hash, an empty
 * one 0.  The first group with an empty place ends the search.
 */
#define CHIC_TABLE_GROUP ((size_t)8)
#define CHIC_TABLE_ONES UINT64_C(0x0101010101010101)

static inline uint64_t chic_table_mixed(uint64_t hash)
{
	return (hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15);
}

/* The state of an entry. */
static inline uint8_t chic_table_state(uint64_t hash)
{
	return (uint8_t)(chic_table_mixed(hash) >> 56 | 1);
}

/* From a group to the next: an odd number of them, so that it comes by all. */
static inline size_t chic_table_step(size_t cap, uint64_t hash)
{
	return ((size_t)(chic_table_mixed(hash) >> 16) & (cap - CHIC_TABLE_GROUP)) |
	       CHIC_TABLE_GROUP;
}

/* Byte i is place i, whatever the machine's order. */
static inline uint64_t chic_table_load(const uint8_t *states)
{
	uint64_t group;

	__builtin_memcpy(&group, states, sizeof(group));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	group = __builtin_bswap64(group);
#endif
	return group;
}

/* These answer one bit in each byte that matches; chic_table_first() names the lowest. */
static inline uint64_t chic_table_empty(uint64_t group)
{
	return ~(group | group >> 1) & CHIC_TABLE_ONES;
}

/* A borrow from a match may reach a byte that differs in bit 0, which is not full. */
static inline uint64_t chic_table_match(uint64_t group, uint8_t state)
{
	uint64_t other = group ^ CHIC_TABLE_ONES * state;

	return ((other - CHIC_TABLE_ONES) & ~other) >> 7 & group & CHIC_TABLE_ONES;
}

static inline size_t chic_table_first(uint64_t matches)
{
	return (size_t)__builtin_ctzll(matches) / 8;
}

/* Of ten places seven are used at most, tombstones among them. */
static inline bool chic_table_has_room(size_t used, size_t cap)
{
	return (used + 1) * 10 <= cap * 7;
}

typedef int32_t (*ChicEqual)(const void *entry, const void *key);

static inline __attribute__((always_inline)) bool chic_hashmap_same(const void *entry,
								    const void *key,
								    size_t size,
								    ChicEqual equal)
{
	return equal ? equal(entry, key) != 0 : !size || !__builtin_memcmp(entry, key, size);
}

/* The entry.  Its home first, which needs no state's answer to be waited for. */
static inline __attribute__((always_inline)) const uint8_t *chic_hashmap_look(
	const ChicHashMap *map, uint64_t hash, const void *key, size_t size, ChicEqual equal)
{
	size_t mask = map->cap - CHIC_TABLE_GROUP, at = (size_t)hash & mask;
	size_t home = (size_t)hash & (map->cap - 1);
	const uint8_t *entry = map->entries + home * map->entry_size;
	uint64_t group, m;

	if (__builtin_expect(map->states[home] & 1, 1) &&
	    __builtin_expect(chic_hashmap_same(entry, key, size, equal), 1))
		return entry;
	for (;; at = (at + chic_table_step(map->cap, hash)) & mask) {
		group = chic_table_load(map->states + at);
		m = chic_table_match(group, chic_table_state(hash));
		for (; m; m &= m - 1) {
			entry = map->entries + (at + chic_table_first(m)) * map->entry_size;
			if (chic_hashmap_same(entry, key, size, equal))
				return entry;
		}
		if (__builtin_expect(chic_table_empty(group) != 0, 1))
			return NULL;
	}
}

/* chic_rt_hashmap_get_ptr() for a compiler that may keep a map's fields in registers. */
ValueConstPtr chic_hashmap_ask(const ChicHashMap *map, uint64_t hash,
			       const ValueConstPtr *key) __asm__("chic_rt_hashmap_get_ptr")
	__attribute__((pure));

/*
 * The value's place without a call, for keys that are compared by bytes, of a size that
 * the compiler knows: null where the key is not there, or where size is not key_size.  A
 * map that has a callback is asked by chic_rt_hashmap_get_ptr(); it must have no effect.
 */
static inline __attribute__((always_inline)) const void *chic_hashmap_get(
	const ChicHashMap *map, uint64_t hash, const void *key, size_t size)
{
	ValueConstPtr handle = {(const uint8_t *)key, size, 1};
	const uint8_t *entry;

	if (!map || map->key_size != size || (!key && size) || !map->cap)
		return NULL;
	if (__builtin_expect(map->key_eq_fn != 0, 0))
		return chic_hashmap_ask(map, hash, &handle).ptr;
	entry = chic_hashmap_look(map, hash, key, size, NULL);
	return entry ? entry + map->value_offset : NULL;
}

/*
 * The same for keys that equal() compares, which becomes part of the caller where the
 * compiler knows it.  It must agree with the map's own equality, and not be null.
 */
static inline __attribute__((always_inline)) const void *chic_hashmap_get_by(
	const ChicHashMap *map, uint64_t hash, const void *key, ChicEqual equal)
{
	const uint8_t *entry;

	if (!map || !map->cap || !key)
		return NULL;
	entry = chic_hashmap_look(map, hash, key, 0, equal);
	return entry ? entry + map->value_offset : NULL;
}

/*
 * chic_rt_hashmap_insert() without a call for most keys that are new, whatever compares
 * them; a former value is dropped.  Sizes that are not the map's answer InvalidPointer.
 */
static inline __attribute__((always_inline)) HashMapError chic_hashmap_insert(
	ChicHashMap *map, uint64_t hash, const void *key, size_t key_size, const void *value,
	size_t value_size)
{
	ValueConstPtr k = {(const uint8_t *)key, key_size, 1};
	ValueConstPtr v = {(const uint8_t *)value, value_size, 1};

	if (!map || map->key_size != key_size || map->value_size != value_size)
		return ChicHashMap_InvalidPointer;
	if (__builtin_expect(key && value && map->cap &&
				     chic_table_has_room(map->len + map->tombstones, map->cap),
			     1)) {
		size_t home = (size_t)hash & (map->cap - 1);
		size_t at = home & ~(CHIC_TABLE_GROUP - 1);
		uint64_t group = chic_table_load(map->states + at);
		uint64_t empty = chic_table_empty(group);
		uint8_t state = chic_table_state(hash);
		uint8_t *entry;

		if (__builtin_expect(!chic_table_match(group, state) && empty, 1)) {
			at = map->states[home] ? at + chic_table_first(empty) : home;
			entry = map->entries + at * map->entry_size;
			__builtin_memcpy(entry, key, key_size);
			__builtin_memcpy(entry + map->value_offset, value, value_size);
			__builtin_memcpy(map->hashes + at * sizeof(hash), &hash, sizeof(hash));
			map->states[at] = state;
			map->len++;
			return ChicHashMap_Success;
		}
	}
	return chic_rt_hashmap_insert(map, hash, &k, &v, NULL, NULL);
}
#endif

/* ------------------------------------------------------ shared ownership --- */

/*
 * A value with a count of owners: Rc for one thread, Arc for any.  Owners of an Arc,
 * strong and weak ones, may be cloned, dropped, and upgraded by any threads at once, each
 * handle by one of them.
 */
typedef struct ChicRc {
	void *ptr;
} ChicRc;

typedef struct ChicWeakRc {
	void *ptr;
} ChicWeakRc;

typedef struct ChicArc {
	void *ptr;
} ChicArc;

typedef struct ChicWeak {
	void *ptr;
} ChicWeak;

typedef enum SharedError {
	ChicShared_Success = 0,
	ChicShared_InvalidPointer = -1,
	ChicShared_AllocationFailed = -2,
	ChicShared_Overflow = -3, /* more owners, or more bytes, than PTRDIFF_MAX */
} CHIC_STATUS SharedError;

/*
 * new takes a value over by copying size bytes.  The drop of the last strong owner runs
 * the destructor, once; the memory goes with the last owner of either kind.  type_id is
 * noted.  An alignment that is no power of two answers AllocationFailed.
 *
 * new, clone, downgrade and upgrade overwrite dest on success, without dropping it; a
 * clone to its own source changes nothing.  Upgrade of what has no strong owner any more
 * answers InvalidPointer and a null handle.  Drops null the handle.
 *
 * get_mut answers null unless there is one owner alone.  Counts are those of a moment;
 * the weak count has one for all strong owners together.
 */
int32_t chic_rt_arc_new(ChicArc *dest, const uint8_t *src, size_t size, size_t align,
			uintptr_t drop_fn, uint64_t type_id);
int32_t chic_rt_arc_clone(ChicArc *dest, const ChicArc *src);
void chic_rt_arc_drop(ChicArc *target);
const uint8_t *chic_rt_arc_get(const ChicArc *src);
uint8_t *chic_rt_arc_get_mut(ChicArc *src);
/* The value, whoever else owns it.  DANGER: nothing keeps others from reading. */
uint8_t *chic_rt_arc_get_data(const ChicArc *handle);
size_t chic_rt_arc_strong_count(const ChicArc *src);
size_t chic_rt_arc_weak_count(const ChicArc *src);
int32_t chic_rt_arc_downgrade(ChicWeak *dest, const ChicArc *src);
int32_t chic_rt_weak_clone(ChicWeak *dest, const ChicWeak *src);
void chic_rt_weak_drop(ChicWeak *target);
int32_t chic_rt_weak_upgrade(ChicArc *dest, const ChicWeak *src);

int32_t chic_rt_rc_new(ChicRc *dest, const uint8_t *src, size_t size, size_t align,
		       uintptr_t drop_fn, uint64_t type_id);
int32_t chic_rt_rc_clone(ChicRc *dest, const ChicRc *src);
void chic_rt_rc_drop(ChicRc *target);
const uint8_t *chic_rt_rc_get(const ChicRc *src);
uint8_t *chic_rt_rc_get_mut(ChicRc *src);
size_t chic_rt_rc_strong_count(const ChicRc *src);
size_t chic_rt_rc_weak_count(const ChicRc *src);
int32_t chic_rt_rc_downgrade(ChicWeakRc *dest, const ChicRc *src);
int32_t chic_rt_weak_rc_clone(ChicWeakRc *dest, const ChicWeakRc *src);
void chic_rt_weak_rc_drop(ChicWeakRc *target);
int32_t chic_rt_weak_rc_upgrade(ChicRc *dest, const ChicWeakRc *src);

/* Blocks that Rc, Arc and objects took and gave back since the process began. */
size_t chic_rt_shared_allocations(void);
size_t chic_rt_shared_frees(void);

/* ------------------------------------------------------ objects, closures --- */

typedef struct VarianceSlice {
	const uint8_t *ptr;
	size_t len;
} VarianceSlice;

/* What the runtime knows of a type.  What variance points to must stay. */
typedef struct RuntimeTypeMetadata {
	size_t size;
	size_t align;
	uintptr_t drop_fn;
	VarianceSlice variance;
	uint32_t flags;
} RuntimeTypeMetadata;

/*
 * Make a type known, or known anew: 0.  -1: no memory, an alignment that is no power
 * of two, or another size or alignment than was known (objects may be live).
 *
 * The first few hundred types need no memory.  Tables for more stay until
 * chic_rt_type_forget_all().
 */
int32_t chic_rt_type_register(uint64_t type_id, const RuntimeTypeMetadata *metadata);
/* The original's name for it, without a status. */
void chic_rt_type_metadata_register(uint64_t type_id, RuntimeTypeMetadata metadata);
/* 1 and *out filled, or 0. */
int32_t chic_rt_type_metadata(uint64_t type_id, RuntimeTypeMetadata *out);
/* No type is known any more.  DANGER: not while another thread asks for one. */
void chic_rt_type_forget_all(void);
/* Zeroed storage of a known type; null for others, for size 0, or without memory. */
uint8_t *chic_rt_object_new(uint64_t type_id);
/* The type's destructor, then its memory; nothing for null or an unknown type. */
void chic_rt_object_drop(uint8_t *object, uint64_t type_id);

/* Environments of closures: raw pointers.  Size 0 answers null. */
uint8_t *chic_rt_closure_env_alloc(uint64_t size, uint64_t align);
uint8_t *chic_rt_closure_env_clone(const uint8_t *src, uint64_t size, uint64_t align);
void chic_rt_closure_env_free(uint8_t *ptr, uint64_t size, uint64_t align);

/* ---------------------------------------- handles that allocate nothing --- */

/*
 * A run of elements somewhere else.  Functions check that it has a place (NullPointer),
 * that its alignment is a power of two which place and size keep (InvalidStride), and
 * that its bytes are no more than PTRDIFF_MAX (OutOfBounds); not for elements of no
 * size, and not where there is none.
 */
typedef struct ChicSpan {
	ValueMutPtr data; /* size and align are the element's */
	size_t len;
	size_t elem_size;
	size_t elem_align;
} ChicSpan;

typedef struct ChicReadOnlySpan {
	ValueConstPtr data;
	size_t len;
	size_t elem_size;
	size_t elem_align;
} ChicReadOnlySpan;

typedef enum SpanError {
	ChicSpan_Success = 0,
	ChicSpan_NullPointer = 1,
	ChicSpan_OutOfBounds = 2,
	ChicSpan_InvalidStride = 3,
} CHIC_STATUS SpanError;

/* The handle as it is, unchecked: a failed handle makes a span whose use fails. */
ChicSpan chic_rt_span_from_raw_mut(const ValueMutPtr *data, size_t len);
ChicReadOnlySpan chic_rt_span_from_raw_const(const ValueConstPtr *data, size_t len);
/* Elements start to start + length, checked; *dest is written on success. */
int32_t chic_rt_span_slice_mut(const ChicSpan *source, size_t start, size_t length,
			       ChicSpan *dest);
int32_t chic_rt_span_slice_readonly(const ChicReadOnlySpan *source, size_t start, size_t length,
				    ChicReadOnlySpan *dest);
ChicReadOnlySpan chic_rt_span_to_readonly(const ChicSpan *span);
/* May overlap.  OutOfBounds where source is longer, InvalidStride for other sizes. */
int32_t chic_rt_span_copy_to(const ChicReadOnlySpan *source, const ChicSpan *dest);
/* InvalidStride where the value's size is another. */
int32_t chic_rt_span_fill(const ChicSpan *dest, const ValueConstPtr *value);
/* Null past the end, and for a span that is refused. */
uint8_t *chic_rt_span_ptr_at_mut(const ChicSpan *span, size_t index);
const uint8_t *chic_rt_span_ptr_at_readonly(const ChicReadOnlySpan *span, size_t index);

/* ptr moved by bytes, size and align kept; a null ptr stays null. */
ValueMutPtr chic_rt_ptr_offset(ValueMutPtr handle, ptrdiff_t bytes);

/*
 * Storage on the caller's stack as a handle of elements: no hook, no counter.
 * CHIC_STACK_BUFFER(type, array) is one over an array or any storage of the type.
 */
ValueMutPtr chic_rt_stack_buffer(void *storage, size_t elem_size, size_t elem_align);
#define CHIC_STACK_BUFFER(type, array)                                                         \
	chic_rt_stack_buffer((array), sizeof(type), CHIC_ALIGNOF(type))
#ifdef __cplusplus
#define CHIC_ALIGNOF(type) alignof(type)
#else
#define CHIC_ALIGNOF(type) _Alignof(type)
#endif

/* One value's storage and whether it holds one. */
typedef struct ChicMaybeUninit {
	ValueMutPtr slot;
	bool initialised;
} ChicMaybeUninit;

/* Over a slot that is somebody's; a failed handle gives one that refuses all. */
ChicMaybeUninit chic_rt_maybe_uninit(ValueMutPtr slot);
ChicMaybeUninit chic_rt_maybe_uninit_zeroed(ValueMutPtr slot); /* zero bytes, initialised */
/* 0, or -1: no slot, another size, or (write) initialised already, (take) not. */
int32_t chic_rt_maybe_uninit_write(ChicMaybeUninit *cell, const ValueConstPtr *value);
int32_t chic_rt_maybe_uninit_take(ChicMaybeUninit *cell, const ValueMutPtr *out);
/* Run drop_fn on the value if there is one. */
void chic_rt_maybe_uninit_drop(ChicMaybeUninit *cell, uintptr_t drop_fn);

/* ------------------------------------------------------ telemetry asserts --- */

/*
 * For services that must not leak or grow: note the counters, do the work, ask
 * whether they came back.  Counts what all threads do in between.  A block that
 * began by chic_rt_realloc of null counts in bytes, not in blocks.  A reset of the
 * counters within the scope is a difference.
 */
typedef struct ChicTelemetryScope {
	AllocationTelemetry start;
	const char *name; /* the caller's, for the message */
} ChicTelemetryScope;

/* What a scope may leave behind; SIZE_MAX is "as much as it likes". */
typedef struct ChicTelemetryBudget {
	size_t live_blocks; /* more blocks live than at the start */
	size_t live_bytes;
	size_t calls; /* allocations of all kinds meanwhile */
	size_t bytes; /* their bytes */
} ChicTelemetryBudget;

ChicTelemetryScope chic_rt_telemetry_begin(const char *name);
/*
 * 0, or -1 with the first difference in message (of size bytes, cut to fit, may
 * be null): which scope, what was found, what was allowed.  budget null: all zero
 * but calls and bytes, which are free.
 */
int32_t chic_rt_telemetry_end(const ChicTelemetryScope *scope,
			      const ChicTelemetryBudget *budget, char *message, size_t size);
/* The same, and on a difference the message on standard error, then abort(). */
void chic_rt_telemetry_assert(const ChicTelemetryScope *scope,
			      const ChicTelemetryBudget *budget);

#ifdef __cplusplus
}
#endif

#endif /* CHIC_RT_H */
