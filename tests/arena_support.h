/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of modules/arena*.c: an arena over the C library's heap.
 */
#ifndef ARENA_SUPPORT_H
#define ARENA_SUPPORT_H

#include "fault.h"
#include "module_common.h"

#include <sys/mman.h>

#define K 1024ul
#define M (K * K)

static struct chic_module_param params[] = {
	{.name = "chunk"},
	{.name = "cap"},
	{.name = "overflow"},
	{.name = "hugepages"},
};
static struct chic_module_args args;

static inline int start(size_t chunk, size_t cap, const char *overflow)
{
	int err;

	params[0].number = chunk;
	params[1].number = cap;
	params[2].text = overflow;
	support_args(&args, params, ARRAY_LENGTH(params));
	subject = (struct subject){
		SUBJECT(arena),
		.usable_size = arena_usable_size,
		.prefork = arena_prefork,
		.postfork_parent = arena_postfork_parent,
		.postfork_child = arena_postfork_child,
	};
	err = arena_init(&args, &libc_layer, &subject.ctx);
	on_thread_exit = arena_thread_exit;
	on_thread_exit_ctx = subject.ctx;
	return err;
}

static inline void stop(void)
{
	on_thread_exit = NULL;
	arena_exit(subject.ctx);
}

static inline void start_large(void)
{
	ck_assert_int_eq(start(64 * K, 1024 * M, "fail"), 0);
}

static inline void start_small(void)
{
	ck_assert_int_eq(start(4 * K, 64 * K, "lower"), 0);
}

static inline void start_small_fails(void)
{
	ck_assert_int_eq(start(4 * K, 64 * K, "fail"), 0);
}

static inline void *own(size_t size)
{
	void *p = arena_malloc(subject.ctx, size);

	ck_assert(arena_owns(subject.ctx, p));
	return p;
}

static inline void *free_one(void *p)
{
	arena_mfree(subject.ctx, p);
	return NULL;
}

#define MANY 10000

static void *many[MANY];

static inline void allocate_many(size_t size)
{
	for (size_t i = 0; i < MANY; i++)
		many[i] = arena_malloc(subject.ctx, size);
}

static inline void *free_many(void *arg)
{
	for (size_t i = 0; i < MANY; i++)
		arena_mfree(subject.ctx, many[i]);
	return arg;
}

#endif /* ARENA_SUPPORT_H */
