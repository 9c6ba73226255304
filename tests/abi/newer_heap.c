// SPDX-License-Identifier: BSD-2-Clause
/*
 * A heap as some later release may build it, in today's loader: symbols and keys
 * that nobody knows yet, fields behind the end of today's structs.  It can do without
 * all of them, and must therefore be loaded.
 */
#include <stdlib.h>

#include "../modules/fixture.h"

CHIC_MODULE("newer_heap", "heap");
CHIC_MODULE_INFO("revision", "7");
CHIC_MODULE_INFO("future", "a key of a later release");
CHIC_MODULE_INFO("future", "which may stand twice");
CHIC_MODULE_INFO("window", "of another form");
CHIC_MODULE_NEEDS("usable_size");
CHIC_MODULE_NEEDS("thread_exit");

FIXTURE_HEAP(newer_heap)

/* As a later chic_module.h would have them. */
struct newer_layer {
	size_t size;
	void *words[(sizeof(struct chic_layer) - sizeof(size_t)) / sizeof(void *)]; /* today's */
	struct {
		size_t (*fn)(void *ctx);
		void *ctx;
	} trim;
};

struct newer_args {
	struct chic_module_args first;
	unsigned revision;
};

_Static_assert(offsetof(struct newer_layer, trim) == sizeof(struct chic_layer), "trim is new");

EXPORT int newer_heap_init(const struct chic_module_args *args, const struct chic_layer *lower,
			   void **ctx);
EXPORT void newer_heap_exit(void *ctx);
EXPORT void newer_heap_future_hook(void *ctx, int what);
EXPORT size_t newer_heap_trim(void *ctx);

int newer_heap_init(const struct chic_module_args *args, const struct chic_layer *lower,
		    void **ctx)
{
	const struct newer_layer *layer = (const struct newer_layer *)lower;

	(void)ctx;
	if (CHIC_HAS(layer, trim) || args->size >= sizeof(struct newer_args)) {
		args->fail("a field is said to be there that nobody has yet");
		return -EINVAL;
	}
	if (!CHIC_HAS(layer, words) || !CHIC_HAS(args, slot)) {
		args->fail("a field is said to be missing that is there");
		return -EINVAL;
	}
	return 0;
}

void newer_heap_exit(void *ctx)
{
	(void)ctx;
}

void newer_heap_future_hook(void *ctx, int what)
{
	(void)ctx;
	(void)what;
	abort();
}

size_t newer_heap_trim(void *ctx)
{
	(void)ctx;
	abort();
}
