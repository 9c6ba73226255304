/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to the preload library: what its files share.
 *
 * active points to boot_dispatch until preload_start.c has decided; the boot arena
 * serves until then.  Afterwards it points to a dispatch that never changes again,
 * in a page that is read-only together with the pointer.
 */
#ifndef CHIC_PRELOAD_H
#define CHIC_PRELOAD_H

#include <errno.h>
#include <stdatomic.h>

#include "internal.h"

/* More than this is refused: the difference of two pointers must fit. */
#define SIZE_LIMIT ((size_t)PTRDIFF_MAX)
/* Up to this much goes to the heap without a look at what it answers. */
#define SMALL_SIZES ((size_t)1 << 20)

struct dispatch {
	/* blocks of the boot arena, which are known for ever, lie in here */
	uintptr_t boot_base;
	size_t boot_len;
	bool booting; /* this is boot_dispatch */
	bool layered; /* layer serves; else direct does */
	bool plain; /* direct, and nothing is counted */
	enum chic_telemetry telemetry;
	bool leaves; /* layer leaves to direct what it need not be asked about */
	struct chic_malloc_family direct;
	struct chic_layer layer;
	/* what direct's library tells of a request, see preload_sizes.c; sized: it is true */
	bool sized;
	size_t (*good_size)(size_t size);
	size_t (*nallocx)(size_t size, int flags);
	/* what layer leaves to the family that direct is then, see preload_leaves.c */
	uintptr_t countdown;
	uintptr_t layer_base;
	size_t layer_len;
	/* for the counters */
	AllocationTelemetry *(*counters)(AllocationTelemetry **cache);
	AllocationTelemetry *shared;
	/* what would serve without us does: its tuning calls mean something */
	bool platform_serves;
};

/* Aligned to the largest page of any kernel, and on pages of its own. */
#if defined(__i386__) || defined(__x86_64__)
#define PAGE_LARGEST 4096
#else
#define PAGE_LARGEST 65536
#endif

/*
 * The short way: what passes a gate goes by a jump to a malloc family, or to what does
 * the rest.  Two ways, of which one at most is open; a compiler cannot make one of them.
 *
 * A gate is one word, and what it guards is written before it: threads that run
 * when it opens see it closed or all there is.  Therefore boot_base has its value
 * from the beginning.
 */
struct short_way {
	size_t sizes; /* gate of requests: size - 1 below this; 0 is closed */
	void *(*malloc)(size_t size);
	void *(*calloc)(size_t n, size_t size);
	void *(*realloc)(void *p, size_t size);
	size_t boot_len; /* gate of blocks: p - boot_base not below this; SIZE_MAX is closed */
	void (*free)(void *p);
};

/* The short ways are at an address that the code knows: one load less. */
struct dispatch_page {
	_Alignas(PAGE_LARGEST) _Atomic(const struct dispatch *) active;
	const char *boot_base; /* dispatch's */
	struct short_way plain; /* nothing is counted */
	struct short_way counted; /* the call is counted; bytes are the rest */
	struct dispatch dispatch;
};

/*
 * Reads a gate before what it guards.  Processors that keep loads in order get a
 * plain load, which a compiler folds into the comparison.
 */
#if defined(__i386__) || defined(__x86_64__)
#define GATE(g) (g)
#else
#define GATE(g) __atomic_load_n(&(g), __ATOMIC_ACQUIRE)
#endif

extern struct dispatch_page preload_page;
extern const struct dispatch boot_dispatch;

static inline bool passes_malloc(const struct short_way *way, size_t size)
{
	return size - 1 < GATE(way->sizes);
}

static inline bool passes_free(const struct short_way *way, const void *p)
{
	return (uintptr_t)p - (uintptr_t)preload_page.boot_base >= GATE(way->boot_len);
}

/* preload_boot_range.c: whether it is a block of the boot arena. */
bool boot_owns(const void *p);

static inline const struct dispatch *dispatch(void)
{
	return atomic_load_explicit(&preload_page.active, memory_order_acquire);
}

/* A look that costs nothing; the range may have other blocks in it as well. */
static inline bool in_boot_range(const struct dispatch *d, const void *p)
{
	return unlikely((uintptr_t)p - d->boot_base < d->boot_len);
}

static inline bool from_boot(const struct dispatch *d, const void *p)
{
	return in_boot_range(d, p) && (d->booting || boot_owns(p));
}

/* preload.c */

/* Answers null, with ENOMEM. */
void *no_memory(void);

/* What is behind the gates of a way that is going to be opened. */
void short_way_lead(struct short_way *way, const struct dispatch *d);

/* align is a power of two; size as the caller gave it. */
void *preload_memalign(size_t align, size_t size);

/* preload_boot.c - requests before anything is decided */

void *boot_malloc(size_t size);
void *boot_calloc(size_t size);
void *boot_memalign(size_t align, size_t size);
size_t boot_usable_size(const void *p);
/* The block's bytes in one that is large enough. */
void *boot_realloc(void *p, size_t size);
void boot_free(void *p);

/* preload_boot_range.c - where their memory comes from */

/* The first blocks are in here. */
extern union boot_first boot_first;

/* Before each block, which is aligned to CHIC_MALLOC_ALIGN. */
struct boot_header {
	_Alignas(16) size_t size; /* as requested */
	size_t room; /* bytes that are there */
};

static inline struct boot_header *boot_header_of(const void *p)
{
	return (struct boot_header *)p - 1;
}

/* A fresh block of zeros, or null. */
void *boot_cut(size_t align, size_t size);
/* Let a block grow where it is; false if something is behind it. */
bool boot_extend(void *p, size_t size);
/* The memory of a freed block back to the system, if it is much. */
void boot_give_back(void *p);
/* Whether boot_close() was called before there was need of a large range. */
bool boot_closed(void);
/*
 * No more requests come.  Gives the unused rest back unless another thread may
 * be inside, and answers a range that has all of the arena in it.
 */
void boot_close(uintptr_t *base, size_t *len);

/* preload_leaves.c - past a layer that leaves most to the family below it */

/* Whether that is so, and where the layer's are; not where bytes are counted. */
void leaves_fill(struct dispatch *d, const struct chic_interposed *in);
void leaves_lead(struct short_way *way);

/* preload_sizes.c - what a block holds, by the size of its request */

/* Requests up to this much; those between two steps have blocks alike. */
#define SIZES_KNOWN 1024
#define SIZES_STEP 8

extern uint16_t sizes_known[SIZES_KNOWN / SIZES_STEP + 1]; /* 0: not known yet */

static inline uint16_t *sizes_at(size_t size)
{
	return &sizes_known[(size + SIZES_STEP - 1) / SIZES_STEP];
}

/* What a block of that size holds, or 0. */
static inline size_t sizes_of(size_t size)
{
	return likely(size <= SIZES_KNOWN) ? __atomic_load_n(sizes_at(size), __ATOMIC_RELAXED)
					   : 0;
}

/* Asks the library what p holds, and keeps it if it is so for all of its size. */
size_t sizes_learn(size_t size, void *p);
void sizes_fill(struct dispatch *d, const struct chic_interposed *in);

/* preload_signal.c */

void preload_signal_start(void);

/* preload_start.c */

CHIC_EXPORT void chic_alloc_preload_start(void);
extern const char loader_is_preload; /* its address tells start.c where it is */
/* A function of the C library itself, whoever defines one of that name too. */
void *libc_symbol(const char *name);

/* What <malloc.h> and <stdlib.h> of older C libraries do not declare. */
CHIC_EXPORT void free_sized(void *p, size_t size);
CHIC_EXPORT void free_aligned_sized(void *p, size_t align, size_t size);
CHIC_EXPORT void cfree(void *p);

#endif /* CHIC_PRELOAD_H */
