// SPDX-License-Identifier: BSD-2-Clause
/*
 * Byte copies over typed handles.  No bound is checked against handle.size, and
 * none may be: in spans and vectors it is the size of one element.
 *
 * Part of the core.
 */
#include "core.h"

#include <string.h>

CHIC_EXPORT void chic_rt_memcpy(ValueMutPtr dst, ValueConstPtr src, size_t len)
{
	if (dst.ptr && src.ptr && len)
		memcpy(dst.ptr, src.ptr, len);
}

CHIC_EXPORT void chic_rt_memmove(ValueMutPtr dst, ValueMutPtr src, size_t len)
{
	if (dst.ptr && src.ptr && len)
		memmove(dst.ptr, src.ptr, len);
}

CHIC_EXPORT void chic_rt_memset(ValueMutPtr dst, uint8_t value, size_t len)
{
	if (dst.ptr && len)
		memset(dst.ptr, value, len);
}

CHIC_EXPORT void chic_rt_zero_init(uint8_t *dst, size_t len)
{
	if (dst && len)
		memset(dst, 0, len);
}
