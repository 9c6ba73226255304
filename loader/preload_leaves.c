// SPDX-License-Identifier: BSD-2-Clause
/*
 * The short way past a layer that leaves most to the malloc family below it: a guard
 * that samples.
 *
 * What a module leaves is its lower's without a look at the module; it says how by a
 * countdown of each thread and by the addresses of its blocks.  The way through
 * the layer costs as much as the heap, this one a few instructions.
 */
#include "preload.h"

/* From here to the module's countdown it is as far in each thread. */
static __thread uint32_t here __attribute__((tls_model("initial-exec")));

static inline uint32_t *countdown(void)
{
	return (uint32_t *)((uintptr_t)&here + preload_page.dispatch.countdown);
}

static inline bool is_layers(const void *p)
{
	return (uintptr_t)p - preload_page.dispatch.layer_base <
	       preload_page.dispatch.layer_len;
}

static inline bool passes(void)
{
	uint32_t *left = countdown();

	if (unlikely(*left <= 1))
		return false;
	--*left;
	return true;
}

static void *leaves_malloc(size_t size)
{
	const struct dispatch *d = &preload_page.dispatch;

	if (likely(passes()))
		return d->direct.malloc(size);
	return d->layer.malloc.fn(d->layer.malloc.ctx, size);
}

static void *leaves_calloc(size_t n, size_t size)
{
	const struct dispatch *d = &preload_page.dispatch;

	if (likely(passes()))
		return d->direct.calloc(n, size);
	return d->layer.calloc.fn(d->layer.calloc.ctx, n, size);
}

static void *leaves_realloc(void *p, size_t size)
{
	const struct dispatch *d = &preload_page.dispatch;

	if (likely(!is_layers(p)))
		return d->direct.realloc(p, size);
	return d->layer.remalloc.fn(d->layer.remalloc.ctx, p, size);
}

static void leaves_free(void *p)
{
	const struct dispatch *d = &preload_page.dispatch;

	if (likely(!is_layers(p)))
		d->direct.free(p);
	else
		d->layer.mfree.fn(d->layer.mfree.ctx, p);
}

void leaves_lead(struct short_way *way)
{
	way->malloc = leaves_malloc;
	way->calloc = leaves_calloc;
	way->realloc = leaves_realloc;
	way->free = leaves_free;
}

void leaves_fill(struct dispatch *d, const struct chic_interposed *in)
{
	if (!in->leaves || in->telemetry == CHIC_TELEMETRY_FULL)
		return;
	d->leaves = true;
	d->direct = *in->below;
	d->countdown = (uintptr_t)in->leaves->countdown - (uintptr_t)&here;
	d->layer_base = (uintptr_t)in->leaves->base;
	d->layer_len = in->leaves->bytes;
}
