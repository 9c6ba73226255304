/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A heap that passes the conformance suite, for fixtures that each break one thing:
 * a fixture fills in those of `struct sound_ops` that it does its own way, and exports
 * all with SOUND_MODULE.
 *
 * Blocks of each power of two have a list; what is not on it is cut from one range of
 * addresses.  A header stands before each block.
 */
#ifndef SOUND_H
#define SOUND_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fixture.h"

#define SOUND_RANGE ((size_t)64 << 30)
#define SOUND_LEAST ((size_t)1 << 24)
#define SOUND_GIVE_BACK ((size_t)1 << 16)

struct sound_header {
	struct sound_header *next; /* on the list of its class */
	void *block; /* where this heap's own part begins */
	size_t size; /* as asked for */
	unsigned order; /* that part has 2^order bytes */
};

struct sound {
	pthread_mutex_t lock;
	char *base;
	size_t range, used;
	size_t live;
	struct sound_header *lists[48];
};

static inline struct sound_header *sound_header(const void *p)
{
	return (struct sound_header *)p - 1;
}

static inline int sound_open(const struct chic_module_args *args, struct sound *s)
{
	void *p = MAP_FAILED;

	for (s->range = SOUND_RANGE; p == MAP_FAILED && s->range > SOUND_LEAST; s->range /= 2)
		p = mmap(NULL, s->range / 2, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED) {
		args->fail("no addresses");
		return -ENOMEM;
	}
	s->base = p;
	pthread_mutex_init(&s->lock, NULL);
	return 0;
}

static inline void sound_close(struct sound *s)
{
	munmap(s->base, s->range);
}

/* The lock is held. */
static inline void *sound_cut(struct sound *s, size_t bytes)
{
	char *p = s->base + s->used;

	if (bytes > s->range - s->used || mprotect(p, bytes, PROT_READ | PROT_WRITE))
		return NULL;
	s->used += bytes;
	return p;
}

static inline void *sound_take(struct sound *s, unsigned order)
{
	struct sound_header *h = s->lists[order];
	size_t bytes = (size_t)1 << order;
	char *p;

	if (h) {
		s->lists[order] = h->next;
		return h->block;
	}
	if (order >= 16)
		return sound_cut(s, bytes);
	/* a page's worth and more of small ones at a time */
	p = sound_cut(s, (size_t)1 << 16);
	for (size_t at = bytes; p && at < (size_t)1 << 16; at += bytes) {
		h = (struct sound_header *)(p + at);
		*h = (struct sound_header){.next = s->lists[order], .block = h};
		s->lists[order] = h;
	}
	return p;
}

static inline void *sound_get(struct sound *s, size_t size, size_t align)
{
	size_t need = size + align + sizeof(struct sound_header);
	unsigned order = 6;
	int saved = errno;
	uintptr_t at;
	void *block;

	if (size > s->range || align > s->range)
		return NULL;
	while (((size_t)1 << order) < need)
		order++;
	pthread_mutex_lock(&s->lock);
	block = sound_take(s, order);
	s->live += block != NULL;
	pthread_mutex_unlock(&s->lock);
	errno = saved;
	if (!block)
		return NULL;
	align = align < 16 ? 16 : align;
	at = ((uintptr_t)block + sizeof(struct sound_header) + align - 1) & ~(align - 1);
	*sound_header((void *)at) =
		(struct sound_header){.block = block, .size = size, .order = order};
	return (void *)at;
}

static inline void *sound_zeroed(struct sound *s, size_t size, size_t align)
{
	void *p = sound_get(s, size, align);

	return p ? memset(p, 0, size) : NULL;
}

/* The header moves to the front of the block, where a list finds it. */
static inline void sound_put(struct sound *s, void *p)
{
	struct sound_header h = *sound_header(p);
	struct sound_header *front = h.block;
	size_t bytes = (size_t)1 << h.order;
	int saved = errno;

	if (bytes >= SOUND_GIVE_BACK)
		madvise(h.block, bytes, MADV_DONTNEED);
	pthread_mutex_lock(&s->lock);
	*front = (struct sound_header){.next = s->lists[h.order], .block = h.block};
	s->lists[h.order] = front;
	s->live--;
	pthread_mutex_unlock(&s->lock);
	errno = saved;
}

static inline size_t sound_usable(const void *p)
{
	return sound_header(p)->size;
}

static inline void *sound_resize(struct sound *s, void *p, size_t size, size_t align)
{
	void *q = sound_get(s, size, align);

	if (q && p) {
		memcpy(q, p, sound_usable(p) < size ? sound_usable(p) : size);
		sound_put(s, p);
	}
	return q;
}

static inline bool sound_owns(const struct sound *s, const void *p)
{
	return (uintptr_t)p - (uintptr_t)s->base < s->range;
}

static inline size_t sound_reset(struct sound *s)
{
	size_t live;

	pthread_mutex_lock(&s->lock);
	live = s->live;
	memset(s->lists, 0, sizeof(s->lists));
	madvise(s->base, s->used, MADV_DONTNEED);
	s->live = s->used = 0;
	pthread_mutex_unlock(&s->lock);
	return live;
}

static inline void sound_lock(struct sound *s)
{
	pthread_mutex_lock(&s->lock);
}

static inline void sound_unlock(struct sound *s)
{
	pthread_mutex_unlock(&s->lock);
}

static inline void sound_no_memory(void)
{
	errno = ENOMEM;
}

static inline void sound_thread_ends(struct sound *s, void *word)
{
	(void)s;
	(void)word;
}

struct sound_ops {
	int (*open)(const struct chic_module_args *args, struct sound *s);
	void (*close)(struct sound *s);
	void *(*get)(struct sound *s, size_t size, size_t align);
	void *(*zeroed)(struct sound *s, size_t size, size_t align);
	void *(*resize)(struct sound *s, void *p, size_t size, size_t align);
	void (*put)(struct sound *s, void *p);
	size_t (*usable)(const void *p);
	bool (*owns)(const struct sound *s, const void *p);
	size_t (*reset)(struct sound *s);
	void (*lock)(struct sound *s); /* to fork */
	void (*unlock)(struct sound *s);
	void (*no_memory)(void);
	void (*thread_ends)(struct sound *s, void *word);
};

/* clang-format off */
/* A fixture's own, or what is sound. */
#define SOUND(ops, op) ((ops).op ? (ops).op : sound_##op)

/* Every export of chic_module.h; ops is a struct sound_ops. */
#define SOUND_MODULE(name, ops)								       \
	EXPORT int name##_init(const struct chic_module_args *args,			       \
			       const struct chic_layer *lower, void **ctx);		       \
	EXPORT int name##_init(const struct chic_module_args *args,			       \
			       const struct chic_layer *lower, void **ctx)		       \
	{										       \
		struct sound *s = calloc(1, sizeof(*s));				       \
		int err = s ? SOUND(ops, open)(args, s) : -ENOMEM;			       \
											       \
		(void)lower;								       \
		*ctx = s;								       \
		if (err)								       \
			free(s);							       \
		return err;								       \
	}										       \
	EXPORT void name##_exit(void *ctx);						       \
	EXPORT void name##_exit(void *ctx)						       \
	{										       \
		SOUND(ops, close)(ctx);							       \
		free(ctx);								       \
	}										       \
	EXPORT ValueMutPtr name##_alloc(void *ctx, size_t size, size_t align);		       \
	EXPORT ValueMutPtr name##_alloc(void *ctx, size_t size, size_t align)		       \
	{										       \
		return fixture_handle(SOUND(ops, get)(ctx, size, align), size, align);	       \
	}										       \
	EXPORT ValueMutPtr name##_alloc_zeroed(void *ctx, size_t size, size_t align);	       \
	EXPORT ValueMutPtr name##_alloc_zeroed(void *ctx, size_t size, size_t align)	       \
	{										       \
		return fixture_handle(SOUND(ops, zeroed)(ctx, size, align), size, align);      \
	}										       \
	EXPORT ValueMutPtr name##_realloc(void *ctx, ValueMutPtr old, size_t old_size,	       \
					  size_t size, size_t align);			       \
	EXPORT ValueMutPtr name##_realloc(void *ctx, ValueMutPtr old, size_t old_size,	       \
					  size_t size, size_t align)			       \
	{										       \
		(void)old_size;								       \
		return fixture_handle(SOUND(ops, resize)(ctx, old.ptr, size, align), size, align);\
	}										       \
	EXPORT void name##_free(void *ctx, ValueMutPtr block);				       \
	EXPORT void name##_free(void *ctx, ValueMutPtr block)				       \
	{										       \
		SOUND(ops, put)(ctx, block.ptr);					       \
	}										       \
	EXPORT size_t name##_usable_size(void *ctx, const void *p);			       \
	EXPORT size_t name##_usable_size(void *ctx, const void *p)			       \
	{										       \
		(void)ctx;								       \
		return SOUND(ops, usable)(p);						       \
	}										       \
	EXPORT bool name##_owns(void *ctx, const void *p);				       \
	EXPORT bool name##_owns(void *ctx, const void *p)				       \
	{										       \
		return SOUND(ops, owns)(ctx, p);					       \
	}										       \
	EXPORT size_t name##_reset(void *ctx);						       \
	EXPORT size_t name##_reset(void *ctx)						       \
	{										       \
		return SOUND(ops, reset)(ctx);						       \
	}										       \
	EXPORT void name##_prefork(void *ctx);						       \
	EXPORT void name##_prefork(void *ctx)						       \
	{										       \
		SOUND(ops, lock)(ctx);							       \
	}										       \
	EXPORT void name##_postfork_parent(void *ctx);					       \
	EXPORT void name##_postfork_parent(void *ctx)					       \
	{										       \
		SOUND(ops, unlock)(ctx);						       \
	}										       \
	EXPORT void name##_postfork_child(void *ctx);					       \
	EXPORT void name##_postfork_child(void *ctx)					       \
	{										       \
		SOUND(ops, unlock)(ctx);						       \
	}										       \
	EXPORT void name##_thread_exit(void *ctx, void *word);				       \
	EXPORT void name##_thread_exit(void *ctx, void *word)				       \
	{										       \
		SOUND(ops, thread_ends)(ctx, word);					       \
	}										       \
	EXPORT void *name##_malloc(void *ctx, size_t size);				       \
	EXPORT void *name##_malloc(void *ctx, size_t size)				       \
	{										       \
		void *p = SOUND(ops, get)(ctx, size, CHIC_MALLOC_ALIGN);		       \
											       \
		if (!p)									       \
			SOUND(ops, no_memory)();					       \
		return p;								       \
	}										       \
	EXPORT void *name##_calloc(void *ctx, size_t n, size_t size);			       \
	EXPORT void *name##_calloc(void *ctx, size_t n, size_t size)			       \
	{										       \
		void *p = SOUND(ops, zeroed)(ctx, n * size, CHIC_MALLOC_ALIGN);		       \
											       \
		if (!p)									       \
			SOUND(ops, no_memory)();					       \
		return p;								       \
	}										       \
	EXPORT void *name##_memalign(void *ctx, size_t align, size_t size);		       \
	EXPORT void *name##_memalign(void *ctx, size_t align, size_t size)		       \
	{										       \
		void *p = SOUND(ops, get)(ctx, size, align);				       \
											       \
		if (!p)									       \
			SOUND(ops, no_memory)();					       \
		return p;								       \
	}										       \
	EXPORT void *name##_remalloc(void *ctx, void *p, size_t size);			       \
	EXPORT void *name##_remalloc(void *ctx, void *p, size_t size)			       \
	{										       \
		p = SOUND(ops, resize)(ctx, p, size, CHIC_MALLOC_ALIGN);		       \
		if (!p)									       \
			SOUND(ops, no_memory)();					       \
		return p;								       \
	}										       \
	EXPORT size_t name##_mfree(void *ctx, void *p);					       \
	EXPORT size_t name##_mfree(void *ctx, void *p)					       \
	{										       \
		size_t size = SOUND(ops, usable)(p);					       \
											       \
		SOUND(ops, put)(ctx, p);						       \
		return size;								       \
	}										       \
	EXPORT int name##_is_a_fixture
/* clang-format on */

#endif /* SOUND_H */
