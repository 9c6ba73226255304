// SPDX-License-Identifier: BSD-2-Clause
/*
 * arena - bump allocation in chunks per thread, everything back at once
 *
 * What the module exports: its own blocks as long as the cap allows, the lower
 * layer's beyond.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "arena_hot.h"

CHIC_MODULE("arena", "mixed");
CHIC_MODULE_VERSION("1.0");
CHIC_MODULE_LICENSE("BSD-2-Clause");
CHIC_MODULE_DESCRIPTION("bump allocation per thread, everything given back at once");
CHIC_MODULE_AUTHOR("chic-alloc");
CHIC_MODULE_FREES_NO();
CHIC_MODULE_WINDOW();
CHIC_MODULE_PARM("chunk", "size", "64K", "4K-1G",
		 "bytes that a thread takes at a time, rounded up to a power of two");
CHIC_MODULE_PARM("cap", "size", "1G", "64K-64T", "bytes of addresses reserved");
CHIC_MODULE_PARM("overflow", "enum", "lower", "lower|fail",
		 "whether the layer below serves what the cap leaves out");
CHIC_MODULE_PARM("hugepages", "bool", "yes", "", "ask for huge pages behind the first 2 MiB");

/* ------------------------------------------------ the layer below -- */

static void lower_count(struct arena *a, size_t blocks)
{
	atomic_fetch_add_explicit(&a->lower_live, blocks, memory_order_relaxed);
}

static void *lower_counted(struct arena *a, void *p)
{
	if (p)
		lower_count(a, 1);
	return p;
}

/* Past the cap without a lower to ask. */
static void *no_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

/* --------------------------------------------------------------- hooks -- */

/* Where the usual way ends, out of its way: it needs no stack frame then. */
static __attribute__((noinline)) ValueMutPtr other_alloc(struct arena *a, size_t size,
							 size_t align, bool zeroed)
{
	ValueMutPtr block = handle(arena_own_alloc(a, size, align, zeroed), size, align);

	if (block.ptr || a->overflow_fails)
		return block;
	block = lower_alloc(a->lower, size, align, zeroed);
	lower_counted(a, block.ptr);
	return block;
}

ValueMutPtr arena_alloc(void *ctx, size_t size, size_t align)
{
	struct arena *a = ctx;
	void *p = arena_cut(a, size, align);

	return likely(p) ? handle(p, size, align) : other_alloc(a, size, align, false);
}

ValueMutPtr arena_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	struct arena *a = ctx;
	void *p = arena_cut_zeroed(a, size, align);

	return likely(p) ? handle(p, size, align) : other_alloc(a, size, align, true);
}

ValueMutPtr arena_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
			  size_t align)
{
	struct arena *a = ctx;
	ValueMutPtr block;

	if (!old.ptr)
		return arena_alloc(a, size, align);
	if (!arena_has(a, old.ptr))
		return lower_realloc(a->lower, old, old_size, size, align);
	if (arena_own_resize(a, (char *)old.ptr, size, align))
		return handle(old.ptr, size, align);
	block = arena_alloc(a, size, align);
	if (block.ptr) {
		old_size = smaller(old_size, arena_size_of(a, old.ptr));
		memcpy(block.ptr, old.ptr, smaller(old_size, size));
		arena_put(a, old.ptr);
	}
	return block;
}

void arena_free(void *ctx, ValueMutPtr block)
{
	struct arena *a = ctx;

	if (likely(arena_has(a, block.ptr))) {
		arena_put(a, block.ptr);
	} else {
		lower_count(a, -1);
		lower_free(a->lower, block);
	}
}

size_t arena_usable_size(void *ctx, const void *p)
{
	struct arena *a = ctx;

	return arena_has(a, p) ? arena_size_of(a, p) : lower_usable_size(a->lower, p);
}

bool arena_owns(void *ctx, const void *p)
{
	return arena_has(ctx, p);
}

/* --------------------------------------------------------------- twins -- */

static __attribute__((noinline)) void *other_malloc(struct arena *a, size_t size)
{
	void *p = arena_own_alloc(a, size, ARENA_ALIGN, false);

	if (p)
		return p;
	return a->overflow_fails ? no_memory() : lower_counted(a, lower_malloc(a->lower, size));
}

void *arena_malloc(void *ctx, size_t size)
{
	struct arena *a = ctx;
	void *p = arena_cut(a, size, ARENA_ALIGN);

	return likely(p) ? p : other_malloc(a, size);
}

static __attribute__((noinline)) void *other_calloc(struct arena *a, size_t n, size_t size)
{
	void *p = arena_own_alloc(a, n * size, ARENA_ALIGN, true);

	if (p)
		return p;
	return a->overflow_fails ? no_memory()
				 : lower_counted(a, lower_calloc(a->lower, n, size));
}

void *arena_calloc(void *ctx, size_t n, size_t size)
{
	struct arena *a = ctx;
	void *p = arena_cut_zeroed(a, n * size, ARENA_ALIGN);

	return likely(p) ? p : other_calloc(a, n, size);
}

void *arena_memalign(void *ctx, size_t align, size_t size)
{
	struct arena *a = ctx;
	void *p = arena_own_alloc(a, size, align, false);

	if (p)
		return p;
	return a->overflow_fails ? no_memory()
				 : lower_counted(a, lower_memalign(a->lower, align, size));
}

void *arena_remalloc(void *ctx, void *p, size_t size)
{
	struct arena *a = ctx;
	void *q;

	if (!arena_has(a, p))
		return lower_remalloc(a->lower, p, size);
	if (arena_own_resize(a, p, size, ARENA_ALIGN))
		return p;
	q = arena_malloc(a, size);
	if (q) {
		memcpy(q, p, smaller(arena_size_of(a, p), size));
		arena_put(a, p);
	}
	return q;
}

size_t arena_mfree(void *ctx, void *p)
{
	struct arena *a = ctx;

	if (likely(arena_has(a, p)))
		return arena_put(a, p);
	lower_count(a, -1);
	return lower_mfree(a->lower, p);
}

/* ------------------------------------------------- threads and forks -- */

void arena_thread_exit(void *ctx, void *word)
{
	arena_slot_release(ctx, word);
}

void arena_prefork(void *ctx)
{
	struct arena *a = ctx;

	if (chic_only_thread())
		return;
	pthread_mutex_lock(&a->shared_lock);
	pthread_mutex_lock(&a->lock);
	a->locked_to_fork = true;
}

void arena_postfork_parent(void *ctx)
{
	struct arena *a = ctx;

	if (!a->locked_to_fork)
		return;
	a->locked_to_fork = false;
	pthread_mutex_unlock(&a->lock);
	pthread_mutex_unlock(&a->shared_lock);
}

/* The child's only thread is the copy of the one that took the locks. */
void arena_postfork_child(void *ctx)
{
	struct arena *a = ctx;

	if (a->locked_to_fork)
		arena_slots_orphan(a);
	arena_postfork_parent(a);
}

/* ---------------------------------------------------------- life cycle -- */

/* What the layer below serves cannot be dropped, and would be left behind for ever. */
size_t arena_reset(void *ctx)
{
	struct arena *a = ctx;

	if ((ptrdiff_t)atomic_load(&a->lower_live) > 0)
		return SIZE_MAX;
	return arena_own_reset(a);
}

static int read_params(struct arena *a)
{
	static _Atomic uint64_t last_id;
	size_t cap = param_size(a->args, "cap"), chunk = param_size(a->args, "chunk");

	if (cap < chunk) {
		a->args->fail("cap = %zu: expected at least the chunk of %zu bytes", cap,
			      chunk);
		return -EINVAL;
	}
	a->id = atomic_fetch_add(&last_id, 1) + 1;
	a->page = sysconf(_SC_PAGESIZE);
	a->overflow_fails = strcmp(chic_param_text(a->args, "overflow"), "fail") == 0;
	a->huge = chic_param_number(a->args, "hugepages") ? ARENA_HUGE : 0;
	arena_spans_init(a, cap, chunk);
	if (a->cap == 0 && a->overflow_fails) {
		a->args->fail("overflow = fail: not even one chunk of %zu bytes to be had",
			      a->chunk);
		return -ENOMEM;
	}
	return 0;
}

int arena_init(const struct chic_module_args *args, const struct chic_layer *lower, void **ctx)
{
	struct arena *a = pages_new(sizeof(*a));
	int err;

	if (!a) {
		args->fail("no memory for the arena's %zu bytes of state", sizeof(*a));
		return -ENOMEM;
	}
	a->args = args;
	a->lower = lower;
	pthread_mutex_init(&a->lock, NULL);
	pthread_mutex_init(&a->shared_lock, NULL);
	err = read_params(a);
	if (err)
		goto err_unmap_state;
	*ctx = a;
	return 0;

err_unmap_state:
	munmap(a, sizeof(*a));
	return err;
}

void arena_exit(void *ctx)
{
	struct arena *a = ctx;

	arena_slots_exit(a);
	arena_spans_exit(a);
	munmap(a, sizeof(*a));
}
