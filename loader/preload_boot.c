// SPDX-License-Identifier: BSD-2-Clause
/*
 * The boot arena: serves requests until it is decided which heap serves.
 *
 * Constructors of other libraries run before ours, and loading a module
 * allocates as well (libstdc++ alone asks for 72,704 bytes at once).  No
 * thread-local storage and no environment are needed for that, and nobody waits.
 *
 * Blocks that are freed before the decision serve again, or a constructor that
 * builds and drops much would run out of memory; afterwards they only rest.
 */
#include "preload.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define CLASSES (8 * sizeof(size_t))
/* So many spare blocks of about the right size are looked at. */
#define LOOKS 8

/* A block that was freed; class k has those of at least 2^k and below 2^(k+1) bytes. */
struct spare {
	struct spare *next;
};

/* By class; made when it is needed, for few programs need it. */
static struct spare **spares;
/* Who finds it taken does without: the other thread may be gone after a fork. */
static atomic_flag spares_lock = ATOMIC_FLAG_INIT;

static unsigned class_of(size_t size)
{
	return CLASSES - 1 - __builtin_clzl(size);
}

/* The lock is held.  Null if there is no memory. */
static struct spare **spare_list(unsigned class)
{
	if (!spares)
		spares = boot_cut(_Alignof(struct boot_header),
				  CLASSES * sizeof(struct spare *));
	return spares ? &spares[class] : NULL;
}

static void spare_put(void *p)
{
	struct spare *spare = p, **list;

	if (atomic_flag_test_and_set_explicit(&spares_lock, memory_order_acquire))
		return;
	list = spare_list(class_of(boot_header_of(p)->room));
	if (list) {
		spare->next = *list;
		*list = spare;
	}
	atomic_flag_clear_explicit(&spares_lock, memory_order_release);
}

static void *spare_find(struct spare **at, size_t size)
{
	for (int i = 0; *at && i < LOOKS; i++, at = &(*at)->next) {
		struct spare *spare = *at;

		if (boot_header_of(spare)->room < size)
			continue;
		*at = spare->next;
		return spare;
	}
	return NULL;
}

static void *spare_take(size_t size)
{
	unsigned class = class_of(size + !size);
	void *p = NULL;

	if (atomic_flag_test_and_set_explicit(&spares_lock, memory_order_acquire))
		return NULL;
	if (spares)
		p = spare_find(&spares[class], size);
	if (spares && !p && class + 1 < CLASSES)
		p = spare_find(&spares[class + 1], size);
	atomic_flag_clear_explicit(&spares_lock, memory_order_release);
	if (p)
		boot_header_of(p)->size = size;
	return p;
}

/* Another thread has closed the arena: in a moment the heap serves. */
static void *wait_for_heap(size_t align, size_t size)
{
	for (int i = 0; i < 1000 && dispatch()->booting; i++)
		sched_yield();
	return dispatch()->booting ? no_memory() : preload_memalign(align, size);
}

/* zero: what is not fresh is made zero. */
static void *get(size_t align, size_t size, bool zero)
{
	void *p = align <= sizeof(struct boot_header) ? spare_take(size) : NULL;

	if (!p) {
		p = boot_cut(align, size);
		if (p)
			return p;
		p = boot_closed() ? wait_for_heap(align, size) : no_memory();
	}
	return p && zero ? memset(p, 0, size) : p;
}

void *boot_memalign(size_t align, size_t size)
{
	return get(align, size, false);
}

void *boot_malloc(size_t size)
{
	return get(sizeof(struct boot_header), size, false);
}

void *boot_calloc(size_t size)
{
	return get(sizeof(struct boot_header), size, true);
}

size_t boot_usable_size(const void *p)
{
	return boot_header_of(p)->size;
}

void boot_free(void *p)
{
	/* before the decision all blocks come here, but not all may be ours */
	if (!boot_owns(p))
		return;
	boot_give_back(p);
	if (dispatch()->booting)
		spare_put(p);
}

void *boot_realloc(void *p, size_t size)
{
	struct boot_header *header = boot_header_of(p);
	void *now;

	if (size <= header->size)
		return p;
	if (size <= header->room || (dispatch()->booting && boot_extend(p, size))) {
		header->size = size;
		return p;
	}
	now = malloc(size);
	if (now) {
		memcpy(now, p, header->size);
		boot_free(p);
	}
	return now;
}
