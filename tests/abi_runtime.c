// SPDX-License-Identifier: BSD-2-Clause
/*
 * Layouts of what chic_rt.h declares of the runtime.  Needs no C library, so that
 * check_layout.sh can ask compilers for machines that are not here.
 */
#include "abi_layout.h"
#include "chic_rt.h"

SIZE_IS(ValueMutPtr, 3);
SIZE_IS(ValueConstPtr, 3);
SIZE_IS(ChicAllocatorVTable, 5);
SIZE_IS(AllocationTelemetry, 8);

SIZE_IS(ChicStr, 2);
FIELD_IS(ChicStr, ptr, 0);
FIELD_IS(ChicStr, len, 1);

SIZE_IS(ChicCharSpan, 2);
FIELD_IS(ChicCharSpan, ptr, 0);
FIELD_IS(ChicCharSpan, len, 1);

SIZE_IS(ChicVecView, 4);
FIELD_IS(ChicVecView, data, 0);
FIELD_IS(ChicVecView, len, 1);
FIELD_IS(ChicVecView, elem_size, 2);
FIELD_IS(ChicVecView, elem_align, 3);

SIZE_IS(ChicVecIter, 5);
FIELD_IS(ChicVecIter, data, 0);
FIELD_IS(ChicVecIter, index, 1);
FIELD_IS(ChicVecIter, len, 2);
FIELD_IS(ChicVecIter, elem_size, 3);
FIELD_IS(ChicVecIter, elem_align, 4);

SIZE_IS(ChicHashSet, 10);
FIELD_IS(ChicHashSet, entries, 0);
FIELD_IS(ChicHashSet, states, 1);
FIELD_IS(ChicHashSet, hashes, 2);
FIELD_IS(ChicHashSet, len, 3);
FIELD_IS(ChicHashSet, cap, 4);
FIELD_IS(ChicHashSet, tombstones, 5);
FIELD_IS(ChicHashSet, elem_size, 6);
FIELD_IS(ChicHashSet, elem_align, 7);
FIELD_IS(ChicHashSet, drop_fn, 8);
FIELD_IS(ChicHashSet, eq_fn, 9);

SIZE_IS(ChicHashSetIter, 6);
FIELD_IS(ChicHashSetIter, entries, 0);
FIELD_IS(ChicHashSetIter, states, 1);
FIELD_IS(ChicHashSetIter, index, 2);
FIELD_IS(ChicHashSetIter, cap, 3);
FIELD_IS(ChicHashSetIter, elem_size, 4);
FIELD_IS(ChicHashSetIter, elem_align, 5);

SIZE_IS(ChicHashMap, 15);
FIELD_IS(ChicHashMap, entries, 0);
FIELD_IS(ChicHashMap, states, 1);
FIELD_IS(ChicHashMap, hashes, 2);
FIELD_IS(ChicHashMap, len, 3);
FIELD_IS(ChicHashMap, cap, 4);
FIELD_IS(ChicHashMap, tombstones, 5);
FIELD_IS(ChicHashMap, key_size, 6);
FIELD_IS(ChicHashMap, key_align, 7);
FIELD_IS(ChicHashMap, value_size, 8);
FIELD_IS(ChicHashMap, value_align, 9);
FIELD_IS(ChicHashMap, entry_size, 10);
FIELD_IS(ChicHashMap, value_offset, 11);
FIELD_IS(ChicHashMap, key_drop_fn, 12);
FIELD_IS(ChicHashMap, value_drop_fn, 13);
FIELD_IS(ChicHashMap, key_eq_fn, 14);

SIZE_IS(ChicHashMapIter, 10);
FIELD_IS(ChicHashMapIter, entries, 0);
FIELD_IS(ChicHashMapIter, states, 1);
FIELD_IS(ChicHashMapIter, index, 2);
FIELD_IS(ChicHashMapIter, cap, 3);
FIELD_IS(ChicHashMapIter, entry_size, 4);
FIELD_IS(ChicHashMapIter, key_size, 5);
FIELD_IS(ChicHashMapIter, key_align, 6);
FIELD_IS(ChicHashMapIter, value_size, 7);
FIELD_IS(ChicHashMapIter, value_align, 8);
FIELD_IS(ChicHashMapIter, value_offset, 9);

SIZE_IS(RegionHandle, 1);
FIELD_IS(RegionHandle, ptr, 0);

SIZE_IS(ChicRc, 1);
FIELD_IS(ChicRc, ptr, 0);

SIZE_IS(ChicWeakRc, 1);
FIELD_IS(ChicWeakRc, ptr, 0);

SIZE_IS(ChicArc, 1);
FIELD_IS(ChicArc, ptr, 0);

SIZE_IS(ChicWeak, 1);
FIELD_IS(ChicWeak, ptr, 0);

SIZE_IS(VarianceSlice, 2);
FIELD_IS(VarianceSlice, ptr, 0);
FIELD_IS(VarianceSlice, len, 1);

/* ---- with bytes in them ---- */

_Static_assert(CHIC_RT_STRING_INLINE_CAPACITY == 32, "bytes inside a string");
_Static_assert(sizeof(ChicString) == 3 * WORD + 32, "size of ChicString");
FIELD_IS(ChicString, ptr, 0);
FIELD_IS(ChicString, len, 1);
FIELD_IS(ChicString, cap, 2);
FIELD_IS(ChicString, inline_data, 3);

_Static_assert(CHIC_RT_VEC_INLINE_BYTES == 64, "bytes inside a vector");
_Static_assert(sizeof(ChicInlineBuffer) == 64, "size of ChicInlineBuffer");
_Static_assert(sizeof(ChicVec) == 7 * WORD + 8 + 64, "size of ChicVec");
_Static_assert(_Alignof(ChicVec) == _Alignof(void *), "alignment of ChicVec");
FIELD_IS(ChicVec, ptr, 0);
FIELD_IS(ChicVec, len, 1);
FIELD_IS(ChicVec, cap, 2);
FIELD_IS(ChicVec, elem_size, 3);
FIELD_IS(ChicVec, elem_align, 4);
FIELD_IS(ChicVec, drop_fn, 5);
FIELD_IS(ChicVec, region, 6);
FIELD_IS(ChicVec, uses_inline, 7);
_Static_assert(offsetof(ChicVec, inline_pad) == 7 * WORD + 4, "ChicVec.inline_pad");
_Static_assert(offsetof(ChicVec, inline_storage) == 7 * WORD + 8, "ChicVec.inline_storage");

SIZE_IS(ChicSpan, 6);
FIELD_IS(ChicSpan, data, 0);
FIELD_IS(ChicSpan, len, 3);
FIELD_IS(ChicSpan, elem_size, 4);
FIELD_IS(ChicSpan, elem_align, 5);
SIZE_IS(ChicReadOnlySpan, 6);
FIELD_IS(ChicReadOnlySpan, data, 0);
FIELD_IS(ChicReadOnlySpan, len, 3);
FIELD_IS(ChicReadOnlySpan, elem_size, 4);
FIELD_IS(ChicReadOnlySpan, elem_align, 5);

_Static_assert(sizeof(RegionTelemetry) == 40, "size of RegionTelemetry");
_Static_assert(offsetof(RegionTelemetry, alloc_calls) == 0, "RegionTelemetry");
_Static_assert(offsetof(RegionTelemetry, alloc_zeroed_calls) == 8, "RegionTelemetry");
_Static_assert(offsetof(RegionTelemetry, alloc_bytes) == 16, "RegionTelemetry");
_Static_assert(offsetof(RegionTelemetry, alloc_zeroed_bytes) == 24, "RegionTelemetry");
_Static_assert(offsetof(RegionTelemetry, freed_bytes) == 32, "RegionTelemetry");

_Static_assert(sizeof(chic_char) == 2, "size of chic_char");
_Static_assert(sizeof(StringError) == 4 && sizeof(VecError) == 4 && sizeof(HashSetError) == 4 &&
		       sizeof(HashMapError) == 4 && sizeof(SharedError) == 4 &&
		       sizeof(SpanError) == 4,
	       "statuses are int32_t");
