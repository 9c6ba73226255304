// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a small block holds, without asking its library each time.
 *
 * Some libraries tell from the size of a request alone what its block is going to
 * hold.  Each answer is kept once a block has confirmed it; `telemetry = full`
 * finds it in a table then, where it called the library before.
 */
#include "preload.h"

uint16_t sizes_known[SIZES_KNOWN / SIZES_STEP + 1];

static size_t promised(const struct dispatch *d, size_t size)
{
	return d->good_size ? d->good_size(size) : d->nallocx(size, 0);
}

/* The least and the most of a step have blocks alike, and this is one of them. */
static bool is_confirmed(const struct dispatch *d, size_t size, size_t bytes)
{
	size_t most = (size + SIZES_STEP - 1) & ~(size_t)(SIZES_STEP - 1);

	return bytes <= UINT16_MAX && promised(d, most) == bytes &&
	       promised(d, most - SIZES_STEP + 1) == bytes;
}

size_t sizes_learn(size_t size, void *p)
{
	const struct dispatch *d = &preload_page.dispatch;
	size_t bytes = d->direct.usable_size(p);

	if (size <= SIZES_KNOWN && is_confirmed(d, size, bytes))
		__atomic_store_n(sizes_at(size), bytes, __ATOMIC_RELAXED);
	return bytes;
}

/*
 * A library that was built to find overruns promises what a block takes and tells
 * what was asked for; it is found out by the smallest request.
 */
void sizes_fill(struct dispatch *d, const struct chic_interposed *in)
{
	void *p;

	if (in->telemetry != CHIC_TELEMETRY_FULL || !(in->good_size || in->nallocx))
		return;
	p = in->direct->malloc(1);
	if (!p)
		return;
	d->good_size = in->good_size;
	d->nallocx = in->nallocx;
	d->sized = promised(d, 1) == in->direct->usable_size(p);
	in->direct->free(p);
}
