// SPDX-License-Identifier: BSD-2-Clause
/*
 * acme - a heap of power-of-two chunks that are cut from slabs
 *
 * A chunk is a header and its room.  In front of each block stands a header whose link
 * leads to the chunk: the chunk's own, or one in the room where the block's alignment
 * leaves a gap.
 *
 *	| link | room | block                      |
 *	| link | room | gap  | link |  -   | block |
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <chic_module.h>

CHIC_MODULE("acme", "heap");
CHIC_MODULE_VERSION("1.0");
CHIC_MODULE_LICENSE("BSD-2-Clause");
CHIC_MODULE_DESCRIPTION("power-of-two chunks from slabs, one lock");
CHIC_MODULE_AUTHOR("Acme <heap@acme.example>");
CHIC_MODULE_PARM("slab", "size", "1M", "64K-1G", "bytes taken from the system at a time");
CHIC_MODULE_EXPORTS(acme);

struct chunk {
	struct chunk *link; /* in use: where the chunk begins; free: the next free one */
	size_t room; /* bytes behind this header; of a slab what is left of them */
};

_Static_assert(sizeof(struct chunk) == CHIC_MALLOC_ALIGN, "headers keep blocks aligned");

struct heap {
	size_t slab; /* bytes */
	size_t small; /* a chunk of more room is a mapping of its own */
	pthread_mutex_t lock; /* for all that follows */
	struct chunk *free[8 * sizeof(size_t)]; /* chunks of 2^i bytes of room */
	struct chunk *slabs;
	bool forking;
};

static unsigned log2_above(size_t n)
{
	return n <= 16 ? 4 : 8 * sizeof(long) - __builtin_clzl(n - 1);
}

static struct chunk *map(size_t size)
{
	struct chunk *chunk =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (chunk == MAP_FAILED)
		return NULL;
	chunk->room = size - sizeof(*chunk);
	return chunk;
}

/* The lock is held. */
static struct chunk *small_chunk(struct heap *heap, unsigned i)
{
	struct chunk *chunk = heap->free[i], *slab = heap->slabs;
	size_t room = (size_t)1 << i;

	if (chunk) {
		heap->free[i] = chunk->link;
		return chunk;
	}
	if (!slab || slab->room < sizeof(*chunk) + room) {
		slab = map(heap->slab);
		if (!slab)
			return NULL;
		slab->link = heap->slabs;
		heap->slabs = slab;
	}
	slab->room -= sizeof(*chunk) + room;
	chunk = (struct chunk *)((char *)(slab + 1) + slab->room);
	chunk->room = room;
	return chunk;
}

static void *get(struct heap *heap, size_t size, size_t align)
{
	size_t extra = align > sizeof(struct chunk) ? align : sizeof(struct chunk), total;
	struct chunk *chunk;
	char *p;

	if (__builtin_add_overflow(size, extra, &total))
		return NULL;
	if (total - sizeof(*chunk) > heap->small) {
		chunk = map(total);
	} else {
		pthread_mutex_lock(&heap->lock);
		chunk = small_chunk(heap, log2_above(total - sizeof(*chunk)));
		pthread_mutex_unlock(&heap->lock);
	}
	if (!chunk)
		return NULL;
	p = (char *)(chunk + 1);
	p += -(uintptr_t)p & (align - 1);
	((struct chunk *)p)[-1].link = chunk;
	return p;
}

static struct chunk *chunk_of(const void *p)
{
	return ((const struct chunk *)p)[-1].link;
}

ValueMutPtr acme_alloc(void *ctx, size_t size, size_t align)
{
	return (ValueMutPtr){get(ctx, size, align), size, align};
}

/* A new mapping is zero. */
ValueMutPtr acme_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	struct heap *heap = ctx;
	void *p = get(heap, size, align);

	if (p && chunk_of(p)->room <= heap->small)
		memset(p, 0, size);
	return (ValueMutPtr){p, size, align};
}

void *acme_malloc(void *ctx, size_t size)
{
	void *p = get(ctx, size, CHIC_MALLOC_ALIGN);

	if (!p)
		errno = ENOMEM;
	return p;
}

size_t acme_usable_size(void *ctx, const void *p)
{
	struct chunk *chunk = chunk_of(p);

	(void)ctx;
	return (char *)(chunk + 1) + chunk->room - (const char *)p;
}

size_t acme_mfree(void *ctx, void *p)
{
	size_t usable = acme_usable_size(ctx, p);
	struct chunk *chunk = chunk_of(p);
	struct heap *heap = ctx;
	int saved = errno;

	if (chunk->room > heap->small) {
		munmap(chunk, sizeof(*chunk) + chunk->room);
		errno = saved;
		return usable;
	}
	pthread_mutex_lock(&heap->lock);
	chunk->link = heap->free[log2_above(chunk->room)];
	heap->free[log2_above(chunk->room)] = chunk;
	pthread_mutex_unlock(&heap->lock);
	return usable;
}

void acme_free(void *ctx, ValueMutPtr block)
{
	acme_mfree(ctx, block.ptr);
}

void acme_prefork(void *ctx)
{
	struct heap *heap = ctx;

	if (chic_only_thread())
		return;
	pthread_mutex_lock(&heap->lock);
	heap->forking = true;
}

void acme_postfork_parent(void *ctx)
{
	struct heap *heap = ctx;

	if (!heap->forking)
		return;
	heap->forking = false;
	pthread_mutex_unlock(&heap->lock);
}

/* The child's only thread is the copy of the one that took the lock. */
void acme_postfork_child(void *ctx)
{
	acme_postfork_parent(ctx);
}

int acme_init(const struct chic_module_args *args, const struct chic_layer *lower, void **ctx)
{
	struct heap *heap = calloc(1, sizeof(*heap));

	(void)lower; /* a heap is the last of its stack */
	if (!heap) {
		args->fail("no memory for %zu bytes of state", sizeof(*heap));
		return -ENOMEM;
	}
	heap->slab = chic_param_number(args, "slab") & ~(uint64_t)4095;
	heap->small = (size_t)1 << log2_above(heap->slab / 8);
	pthread_mutex_init(&heap->lock, NULL);
	*ctx = heap;
	return 0;
}

void acme_exit(void *ctx)
{
	struct heap *heap = ctx;
	struct chunk *slab;

	while ((slab = heap->slabs)) {
		heap->slabs = slab->link;
		munmap(slab, heap->slab);
	}
	free(heap);
}
