// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which table is in force: the one pointer that the hot path reads.
 *
 * Publication is one store of a pointer to an immutable table, so a request
 * sees the old table or the new one and never a mixture.
 */
#include "internal.h"

#include <errno.h>
#include <pthread.h>

const struct table *hooks_table;

static pthread_mutex_t publish_lock = PTHREAD_MUTEX_INITIALIZER;
static ChicAllocatorVTable installed;
static const struct stack *default_stack;

/* Serves a module that asks for memory while its own stack is being built. */
static ValueMutPtr no_alloc(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return (ValueMutPtr){.ptr = NULL, .size = size, .align = align};
}

static ValueMutPtr no_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
			      size_t align)
{
	(void)ctx;
	(void)old;
	(void)old_size;
	return (ValueMutPtr){.ptr = NULL, .size = size, .align = align};
}

static void no_free(void *ctx, ValueMutPtr block)
{
	(void)ctx;
	(void)block;
}

static const struct table no_table = {
	.alloc = {no_alloc, NULL},
	.alloc_zeroed = {no_alloc, NULL},
	.realloc = {no_realloc, NULL},
	.free = {no_free, NULL},
};

const struct table *hooks_start(void)
{
	const struct table *t;

	start_once();
	t = __atomic_load_n(&hooks_table, __ATOMIC_ACQUIRE);
	return t ? t : &no_table;
}

/* The lock is held: what is installed over what is the default. */
static int publish(const ChicAllocatorVTable *vtable, const struct stack *stack)
{
	const struct table *t = table_intern(vtable, stack);

	if (!t)
		return message_set(-ENOMEM, "no memory for a table");
	installed = *vtable;
	default_stack = stack;
	__atomic_store_n(&hooks_table, t, __ATOMIC_RELEASE);
	return 0;
}

int hooks_set_default(const struct stack *stack)
{
	int err;

	pthread_mutex_lock(&publish_lock);
	err = publish(&installed, stack);
	pthread_mutex_unlock(&publish_lock);
	return err;
}

const struct stack *hooks_default(void)
{
	return default_stack;
}

static void install(const ChicAllocatorVTable *vtable)
{
	start_once();
	pthread_mutex_lock(&publish_lock);
	publish(vtable, default_stack);
	pthread_mutex_unlock(&publish_lock);
}

CHIC_EXPORT void chic_rt_allocator_install(ChicAllocatorVTable table)
{
	install(&table);
}

CHIC_EXPORT void chic_rt_allocator_reset(void)
{
	const ChicAllocatorVTable none = {0};

	install(&none);
}

void publish_prefork(void)
{
	pthread_mutex_lock(&publish_lock);
}

void publish_postfork(void)
{
	pthread_mutex_unlock(&publish_lock);
}
