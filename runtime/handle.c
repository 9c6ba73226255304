// SPDX-License-Identifier: BSD-2-Clause
/*
 * Typed handles that allocate nothing: moved ones, stack buffers, and slots that
 * hold a value or do not.
 */
#include "internal.h"

CHIC_EXPORT ValueMutPtr chic_rt_ptr_offset(ValueMutPtr h, ptrdiff_t bytes)
{
	uintptr_t at = h.ptr ? (uintptr_t)h.ptr + bytes : 0;

	return handle((void *)at, h.size, h.align);
}

CHIC_EXPORT ValueMutPtr chic_rt_stack_buffer(void *storage, size_t elem_size, size_t elem_align)
{
	return handle(storage, elem_size, elem_align + !elem_align);
}

/* ---- slots ---- */

CHIC_EXPORT ChicMaybeUninit chic_rt_maybe_uninit(ValueMutPtr slot)
{
	return (ChicMaybeUninit){slot, false};
}

CHIC_EXPORT ChicMaybeUninit chic_rt_maybe_uninit_zeroed(ValueMutPtr slot)
{
	if (slot.ptr)
		memset(slot.ptr, 0, slot.size);
	return (ChicMaybeUninit){slot, slot.ptr != NULL};
}

CHIC_EXPORT int32_t chic_rt_maybe_uninit_write(ChicMaybeUninit *cell,
					       const ValueConstPtr *value)
{
	if (!cell || !cell->slot.ptr || cell->initialised)
		return -1;
	if (!value || value->size != cell->slot.size || (value->size && !value->ptr))
		return -1;
	rt_copy(cell->slot.ptr, value->ptr, value->size);
	cell->initialised = true;
	return 0;
}

CHIC_EXPORT int32_t chic_rt_maybe_uninit_take(ChicMaybeUninit *cell, const ValueMutPtr *out)
{
	if (!cell || !cell->slot.ptr || !cell->initialised)
		return -1;
	if (!out || out->size != cell->slot.size || (out->size && !out->ptr))
		return -1;
	rt_copy(out->ptr, cell->slot.ptr, out->size);
	cell->initialised = false;
	return 0;
}

CHIC_EXPORT void chic_rt_maybe_uninit_drop(ChicMaybeUninit *cell, uintptr_t drop_fn)
{
	if (!cell || !cell->slot.ptr || !cell->initialised)
		return;
	cell->initialised = false;
	rt_drop(drop_fn, cell->slot.ptr);
}
