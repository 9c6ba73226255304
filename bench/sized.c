// SPDX-License-Identifier: BSD-2-Clause
/*
 * A heap that knows the size of each block without being asked: what counting in full
 * costs over a module whose free says what it gave back.  The same heap twice: as a
 * module, and with -DPRELOADED as a library for LD_PRELOAD, which it is measured against.
 *
 * Chunks of a megabyte, at multiples of that, hold blocks of one size, which stands at
 * their beginning.  Free blocks are in lists of each thread, whoever they came from; a
 * list goes with its thread.  Larger blocks are mappings of their own.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "chic_module.h"

#include <errno.h>
#include <sys/mman.h>

#define CHUNK ((size_t)1 << 20)
#define STEP 16
#define SMALL 1024 /* multiples of STEP up to here, then powers of two */
#define LARGEST 65536
#define CLASSES (SMALL / STEP + 1 + 6)
#define LARGE CLASSES
#define likely(x) __builtin_expect(!!(x), 1)

struct chunk {
	_Alignas(64) size_t size; /* of each block, as it may be used */
	unsigned class;
	size_t mapped;
};

struct block {
	struct block *next;
};

struct cache {
	struct block *free[CLASSES];
};

static __thread struct cache *cache __attribute__((tls_model("initial-exec")));

/* No block begins where a chunk does, but one that is aligned to more: a chunk is before. */
static inline struct chunk *chunk_of(const void *p)
{
	return (struct chunk *)(((uintptr_t)p - 1) & ~(CHUNK - 1));
}

static inline unsigned class_of(size_t size)
{
	if (likely(size <= SMALL))
		return (size + STEP - 1) / STEP;
	return SMALL / STEP + 64 - __builtin_clzll((size - 1) / SMALL);
}

static inline size_t size_of(unsigned class)
{
	return class <= SMALL / STEP ? (size_t) class * STEP
				     : (size_t)SMALL << (class - SMALL / STEP);
}

static void *map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* At a multiple of CHUNK, so that what is offset behind it is aligned; the rest goes back. */
static struct chunk *chunk_map(size_t size, size_t offset, size_t align)
{
	char *p, *start;

	size = (size + 4095) & ~(size_t)4095;
	p = map(size + align);
	if (!p)
		return NULL;
	start = (char *)(((uintptr_t)p + offset + align - 1) & ~(align - 1)) - offset;
	if (start > p)
		munmap(p, start - p);
	munmap(start + size, p + align - start);
	((struct chunk *)start)->mapped = size;
	return (struct chunk *)start;
}

static struct chunk *large_chunk(size_t size, size_t offset, size_t align)
{
	if (align > PTRDIFF_MAX / 4 || size > PTRDIFF_MAX / 4)
		return NULL;
	if (align < CHUNK)
		return chunk_map(size + offset, 0, CHUNK);
	return chunk_map(size + CHUNK, CHUNK, align);
}

static void *large(size_t size, size_t align)
{
	size_t offset = align < sizeof(struct chunk) ? sizeof(struct chunk) : align;
	struct chunk *chunk;

	if (offset > CHUNK)
		offset = CHUNK;
	chunk = large_chunk(size, offset, align);
	if (!chunk) {
		errno = ENOMEM;
		return NULL;
	}
	chunk->class = LARGE;
	chunk->size = chunk->mapped - offset;
	return (char *)chunk + offset;
}

static struct block *fill(struct cache *c, unsigned class)
{
	struct chunk *chunk = chunk_map(CHUNK, 0, CHUNK);
	size_t size = size_of(class);
	char *p;

	if (!chunk)
		return NULL;
	p = (char *)chunk + sizeof(*chunk);
	chunk->class = class;
	chunk->size = size;
	for (; p + size <= (char *)chunk + CHUNK; p += size) {
		((struct block *)p)->next = c->free[class];
		c->free[class] = (struct block *)p;
	}
	return c->free[class];
}

/* The usual way has no need of a stack frame. */
__attribute__((noinline)) static void *get_slowly(size_t size)
{
	struct block *b = NULL;
	unsigned class;

	if (!size)
		size = 1;
	if (size > LARGEST)
		return large(size, 0);
	class = class_of(size);
	if (!cache)
		cache = map(sizeof(*cache));
	if (cache)
		b = fill(cache, class);
	if (!b) {
		errno = ENOMEM;
		return NULL;
	}
	cache->free[class] = b->next;
	return b;
}

static inline void *get(size_t size)
{
	struct cache *c = cache;
	struct block *b;
	unsigned class;

	if (!likely(c && size - 1 < LARGEST))
		return get_slowly(size);
	class = class_of(size);
	b = c->free[class];
	if (!likely(b))
		return get_slowly(size);
	c->free[class] = b->next;
	return b;
}

__attribute__((noinline)) static size_t put_slowly(struct chunk *chunk, void *p)
{
	size_t size = chunk->size;

	if (chunk->class == LARGE)
		munmap(chunk, chunk->mapped);
	else if (cache || (cache = map(sizeof(*cache)))) {
		((struct block *)p)->next = cache->free[chunk->class];
		cache->free[chunk->class] = p;
	}
	return size;
}

static inline size_t put(void *p)
{
	struct chunk *chunk = chunk_of(p);
	struct cache *c = cache;

	if (!likely(c && chunk->class != LARGE))
		return put_slowly(chunk, p);
	((struct block *)p)->next = c->free[chunk->class];
	c->free[chunk->class] = p;
	return chunk->size;
}

static void *get_zeroed(size_t n, size_t size)
{
	void *p = get(n * size);

	return p ? memset(p, 0, n * size) : NULL;
}

static void *get_aligned(size_t align, size_t size)
{
	return align <= STEP ? get(size) : large(size, align);
}

static void *change(void *p, size_t size)
{
	size_t before = chunk_of(p)->size;
	void *fresh;

	if (size <= before && size >= before / 2)
		return p;
	fresh = get(size);
	if (fresh) {
		memcpy(fresh, p, size < before ? size : before);
		put(p);
	}
	return fresh;
}

#ifdef PRELOADED

#define EXPORT __attribute__((visibility("default")))
EXPORT void *malloc(size_t size);
EXPORT void free(void *p);
EXPORT void *calloc(size_t n, size_t size);
EXPORT void *realloc(void *p, size_t size);
EXPORT void *memalign(size_t align, size_t size);
EXPORT void *aligned_alloc(size_t align, size_t size);
EXPORT int posix_memalign(void **out, size_t align, size_t size);
EXPORT size_t malloc_usable_size(void *p);

void *malloc(size_t size)
{
	return get(size);
}

void free(void *p)
{
	if (likely(p))
		put(p);
}

void *calloc(size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	return get_zeroed(1, total);
}

void *realloc(void *p, size_t size)
{
	return p ? change(p, size) : get(size);
}

void *memalign(size_t align, size_t size)
{
	return get_aligned(align, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	return get_aligned(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
	*out = get_aligned(align, size);
	return *out ? 0 : ENOMEM;
}

size_t malloc_usable_size(void *p)
{
	return p ? chunk_of(p)->size : 0;
}

#else

CHIC_MODULE("sized", "heap");
CHIC_MODULE_VERSION("0.1");
CHIC_MODULE_LICENSE("BSD-2-Clause");
CHIC_MODULE_DESCRIPTION("knows the size of each block without being asked");
CHIC_MODULE_EXPORTS(sized);

ValueMutPtr sized_alloc(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return (ValueMutPtr){get_aligned(align, size), size, align};
}

void sized_free(void *ctx, ValueMutPtr block)
{
	(void)ctx;
	put(block.ptr);
}

size_t sized_usable_size(void *ctx, const void *p)
{
	(void)ctx;
	return chunk_of(p)->size;
}

void *sized_malloc(void *ctx, size_t size)
{
	(void)ctx;
	return get(size);
}

void *sized_calloc(void *ctx, size_t n, size_t size)
{
	(void)ctx;
	return get_zeroed(n, size);
}

void *sized_memalign(void *ctx, size_t align, size_t size)
{
	(void)ctx;
	return get_aligned(align, size);
}

void *sized_remalloc(void *ctx, void *p, size_t size)
{
	(void)ctx;
	return change(p, size);
}

size_t sized_mfree(void *ctx, void *p)
{
	(void)ctx;
	return put(p);
}

#endif
