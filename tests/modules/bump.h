/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heap of the fixtures: a bump pointer over one mapping, the size of each
 * block in front of it.  Blocks are not reused one by one; when none is live the
 * pointer goes back to the start.  Everything is static: a fixture exports what
 * its name promises and nothing else.
 */
#ifndef BUMP_H
#define BUMP_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* Address space, not memory: pages that are not touched cost nothing. */
#define BUMP_BYTES ((size_t)1 << 28)
#define BUMP_ALIGN (2 * sizeof(void *))

struct bump {
	atomic_flag lock;
	char *start;
	char *next;
	size_t live;
};

static inline void bump_lock(struct bump *b)
{
	while (atomic_flag_test_and_set_explicit(&b->lock, memory_order_acquire))
		sched_yield();
}

static inline void bump_unlock(struct bump *b)
{
	atomic_flag_clear_explicit(&b->lock, memory_order_release);
}

static inline bool bump_open(struct bump *b)
{
	void *p = mmap(NULL, BUMP_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return false;
	b->start = b->next = p;
	b->live = 0;
	atomic_flag_clear(&b->lock);
	return true;
}

static inline void bump_close(struct bump *b)
{
	munmap(b->start, BUMP_BYTES);
}

static inline size_t *bump_size(const void *p)
{
	return (size_t *)((char *)p - BUMP_ALIGN);
}

/* Contents are whatever an earlier block left there. */
static inline void *bump_get(struct bump *b, size_t size, size_t align)
{
	uintptr_t mask = (align < BUMP_ALIGN ? BUMP_ALIGN : align) - 1;
	char *p = NULL;
	uintptr_t at;

	bump_lock(b);
	at = ((uintptr_t)b->next + BUMP_ALIGN + mask) & ~mask;
	if (at - (uintptr_t)b->start <= BUMP_BYTES &&
	    size <= BUMP_BYTES - (at - (uintptr_t)b->start)) {
		p = (char *)at;
		b->next = p + size;
		b->live++;
		*bump_size(p) = size;
	}
	bump_unlock(b);
	return p;
}

static inline void bump_put(struct bump *b, void *p)
{
	bump_lock(b);
	memset(p, 0xdd, *bump_size(p)); /* whoever still reads it sees it */
	if (--b->live == 0)
		b->next = b->start;
	bump_unlock(b);
}

static inline void *bump_zeroed(struct bump *b, size_t size, size_t align)
{
	void *p = bump_get(b, size, align);

	if (p)
		memset(p, 0, size);
	return p;
}

static inline void *bump_resize(struct bump *b, void *p, size_t size, size_t align)
{
	void *fresh = bump_get(b, size, align);

	if (!fresh || !p)
		return fresh;
	memcpy(fresh, p, *bump_size(p) < size ? *bump_size(p) : size);
	bump_put(b, p);
	return fresh;
}

static inline bool bump_owns(const struct bump *b, const void *p)
{
	return (const char *)p >= b->start && (const char *)p < b->start + BUMP_BYTES;
}

#endif /* BUMP_H */
