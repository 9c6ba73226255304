// SPDX-License-Identifier: BSD-2-Clause
/*
 * A module that does nothing but forward to a library's malloc family: what the
 * way through the loader costs, and nothing else.
 *
 * The functions are looked up once, from init; they stand in globals, because a
 * module that fetched them through its context would measure itself.
 */
#include "chic_module.h"

#include <dlfcn.h>
#include <errno.h>

#define EXPORT __attribute__((visibility("default")))

CHIC_MODULE("forward", "heap");
CHIC_MODULE_VERSION("0.1");
CHIC_MODULE_LICENSE("BSD-2-Clause");
CHIC_MODULE_DESCRIPTION("forwards to a library's malloc family");
CHIC_MODULE_PARM("target", "string", "libc.so.6", "", "library whose malloc serves");
CHIC_MODULE_PARM("bytes", "bool", "yes", "", "whether free tells bytes, which costs a call");

EXPORT int forward_init(const struct chic_module_args *args, const struct chic_layer *lower,
			void **ctx);
EXPORT void forward_exit(void *ctx);
EXPORT ValueMutPtr forward_alloc(void *ctx, size_t size, size_t align);
EXPORT void forward_free(void *ctx, ValueMutPtr block);
EXPORT size_t forward_usable_size(void *ctx, const void *p);
EXPORT void *forward_malloc(void *ctx, size_t size);
EXPORT void *forward_calloc(void *ctx, size_t n, size_t size);
EXPORT void *forward_memalign(void *ctx, size_t align, size_t size);
EXPORT void *forward_remalloc(void *ctx, void *p, size_t size);
EXPORT size_t forward_mfree(void *ctx, void *p);

static void *(*target_malloc)(size_t size);
static void *(*target_calloc)(size_t n, size_t size);
static void *(*target_realloc)(void *p, size_t size);
static void *(*target_memalign)(size_t align, size_t size);
static void (*target_free)(void *p);
static size_t (*target_usable_size)(void *p);
static bool tell_bytes;

static const struct {
	const char *name;
	void *function;
} wanted[] = {
	{"malloc", &target_malloc},   {"calloc", &target_calloc},
	{"realloc", &target_realloc}, {"memalign", &target_memalign},
	{"free", &target_free},	      {"malloc_usable_size", &target_usable_size},
};

int forward_init(const struct chic_module_args *args, const struct chic_layer *lower,
		 void **ctx)
{
	const char *target = chic_param_text(args, "target");
	void *library = dlopen(target, RTLD_NOW | RTLD_LOCAL);

	(void)lower;
	(void)ctx;
	if (!library) {
		args->fail("%s", dlerror());
		return -ENOENT;
	}
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		void *symbol = dlsym(library, wanted[i].name);

		if (!symbol) {
			args->fail("%s: no %s", target, wanted[i].name);
			return -ENOENT;
		}
		memcpy(wanted[i].function, &symbol, sizeof(symbol));
	}
	tell_bytes = chic_param_number(args, "bytes");
	return 0;
}

void forward_exit(void *ctx)
{
	(void)ctx;
}

ValueMutPtr forward_alloc(void *ctx, size_t size, size_t align)
{
	void *p = align > CHIC_MALLOC_ALIGN ? target_memalign(align, size)
					    : target_malloc(size);

	(void)ctx;
	return (ValueMutPtr){p, size, align};
}

void forward_free(void *ctx, ValueMutPtr block)
{
	(void)ctx;
	target_free(block.ptr);
}

size_t forward_usable_size(void *ctx, const void *p)
{
	(void)ctx;
	return target_usable_size((void *)(uintptr_t)p);
}

void *forward_malloc(void *ctx, size_t size)
{
	(void)ctx;
	return target_malloc(size);
}

void *forward_calloc(void *ctx, size_t n, size_t size)
{
	(void)ctx;
	return target_calloc(n, size);
}

void *forward_memalign(void *ctx, size_t align, size_t size)
{
	(void)ctx;
	return target_memalign(align, size);
}

void *forward_remalloc(void *ctx, void *p, size_t size)
{
	(void)ctx;
	return target_realloc(p, size);
}

size_t forward_mfree(void *ctx, void *p)
{
	size_t bytes = tell_bytes ? target_usable_size(p) : 0;

	(void)ctx;
	target_free(p);
	return bytes;
}
