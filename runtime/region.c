// SPDX-License-Identifier: BSD-2-Clause
/*
 * Regions: memory that is taken back all at once.
 *
 * A region is a slot in a static table and a list of chunks from the hooks.  The
 * handle carries the slot's number and its generation and is compared, never
 * followed: what was exited, or never was a region, is refused.  Slots are taken
 * in turn, so that one that was exited stays readable for as long as possible; a
 * slot whose generations are used up is not taken again.
 */
#include "huge.h"
#include "internal.h"

#ifndef REGION_SLOT_BITS
#define REGION_SLOT_BITS 12
#endif
#ifndef REGION_GENERATION_BITS
#define REGION_GENERATION_BITS ((sizeof(uintptr_t) > 4 ? 48 : 32) - 2 - REGION_SLOT_BITS)
#endif

#define SLOTS ((size_t)1 << REGION_SLOT_BITS)
#define GENERATION_LAST (((uintptr_t)1 << REGION_GENERATION_BITS) - 1)
/* In the bits of an address that no program has: a foreign pointer never fits. */
#define TAG ((uintptr_t)(UINT64_C(0xc41c) << 48))

/*
 * A slot's word is that of its present handle but for the last two bits, which say
 * what it is about.  A handle is a word that is live; one that ends otherwise is no
 * region's.
 */
enum { DEAD = 0, LIVE = 1, CLOSING = 2, BEGINNING = 3, STATE = 3 };

/*
 * The first chunk is one that heaps have at hand; the others double from a size that
 * makes their number small.  A region of a megabyte goes on in huge pages, by half of
 * what it has.  Larger blocks have a chunk of their own.
 */
#define CHUNK_FIRST ((size_t)1 << 10)
#define CHUNK_SECOND ((size_t)8 << 10)
#define CHUNK_SMALL ((size_t)512 << 10) /* the largest of ordinary pages */
#define CHUNK_MOST ((size_t)64 << 20)
#define CHUNK_ALIGN ((size_t)16)
#define LARGE ((size_t)64 << 10)
/* Blocks begin at multiples of it, so that most need no padding. */
#define UNIT ((size_t)8)

struct chunk {
	_Alignas(CHUNK_ALIGN) struct chunk *next;
	size_t size;
	size_t align;
};

/*
 * Written by the region's thread, read by any that asks for telemetry.  All blocks
 * of a region are live at once, so that machine words suffice.
 */
enum { ALLOC_CALLS, ZEROED_CALLS, ALLOC_BYTES, ZEROED_BYTES, FREED_BYTES, COUNTERS };

/* What an allocation looks at is one cache line. */
struct slot {
	_Alignas(64) _Atomic uintptr_t word;
	uintptr_t at, end; /* what is free in the present chunk */
	_Atomic size_t counter[COUNTERS];
	size_t bytes_before; /* of the last reset of the counters */
	struct chunk *chunks; /* newest first */
	size_t chunk_size; /* of the next one */
	size_t chunk_bytes; /* of those that grow */
	_Atomic uint64_t profile;
};

static struct slot slots[SLOTS];
static _Atomic size_t next_slot;
static _Atomic size_t moves;

static size_t counter(const struct slot *slot, unsigned which)
{
	return atomic_load_explicit(&slot->counter[which], memory_order_acquire);
}

/* By the region's own thread. */
static inline void bump(struct slot *slot, unsigned which, size_t n)
{
	size_t now = atomic_load_explicit(&slot->counter[which], memory_order_relaxed);

	atomic_store_explicit(&slot->counter[which], now + n, memory_order_relaxed);
}

/* ---- slots ---- */

static inline struct slot *slot_at(uintptr_t word)
{
	return &slots[(word >> 2) & (SLOTS - 1)];
}

static inline struct slot *live_slot(RegionHandle region)
{
	uintptr_t word = (uintptr_t)region.ptr;
	struct slot *slot = slot_at(word);
	uintptr_t now = atomic_load_explicit(&slot->word, memory_order_acquire);

	return likely(now == word && (word & STATE) == LIVE) ? slot : NULL;
}

/* Whether the slot is still the handle's, in whichever state. */
static bool is_of(const struct slot *slot, RegionHandle region)
{
	uintptr_t word = (uintptr_t)region.ptr;
	uintptr_t now = atomic_load_explicit(&slot->word, memory_order_acquire);

	return (word & STATE) == LIVE && (now | STATE) == (word | STATE);
}

static uintptr_t word_of(size_t slot, uintptr_t generation)
{
	return TAG | generation << (2 + REGION_SLOT_BITS) | slot << 2 | LIVE;
}

/* Take a slot that is dead: its next generation begins.  0 where it cannot be. */
static uintptr_t slot_take(size_t i)
{
	uintptr_t word = atomic_load_explicit(&slots[i].word, memory_order_relaxed);
	uintptr_t generation = (word >> (2 + REGION_SLOT_BITS)) & GENERATION_LAST;
	uintptr_t taken = word_of(i, generation + 1);

	if ((word & STATE) != DEAD || generation == GENERATION_LAST)
		return 0;
	return atomic_compare_exchange_strong(&slots[i].word, &word, taken | BEGINNING) ? taken
											: 0;
}

/* Released one by one: who reads a new value finds that the slot is another's. */
static void slot_begin(struct slot *slot, uint64_t profile)
{
	for (unsigned i = 0; i < COUNTERS; i++)
		atomic_store_explicit(&slot->counter[i], 0, memory_order_release);
	atomic_store_explicit(&slot->profile, profile, memory_order_release);
	slot->at = slot->end = 0;
	slot->bytes_before = 0;
	slot->chunks = NULL;
	slot->chunk_size = CHUNK_FIRST;
	slot->chunk_bytes = 0;
}

CHIC_EXPORT RegionHandle chic_rt_region_enter(uint64_t profile)
{
	for (size_t tries = 0; tries < SLOTS; tries++) {
		size_t i = atomic_fetch_add_explicit(&next_slot, 1, memory_order_relaxed);
		uintptr_t word = slot_take(i & (SLOTS - 1));

		if (!word)
			continue;
		slot_begin(slot_at(word), profile);
		atomic_store_explicit(&slot_at(word)->word, word, memory_order_release);
		return (RegionHandle){(void *)word};
	}
	return (RegionHandle){NULL};
}

bool region_is_live(RegionHandle region)
{
	return live_slot(region) != NULL;
}

/* ---- chunks ---- */

static struct chunk *chunk_add(struct slot *slot, size_t size)
{
	const size_t page = RT_HUGE;
	bool huge = page && size >= page && !(size & (page - 1));
	size_t align = huge ? page : CHUNK_ALIGN;
	struct chunk *chunk = (struct chunk *)rt_get(size, align);

	if (!chunk)
		return NULL;
	if (huge)
		rt_advise_huge((uint8_t *)chunk, size);
	*chunk = (struct chunk){slot->chunks, size, align};
	slot->chunks = chunk;
	return chunk;
}

/* Few frees in the end, and no more unused than a third of the region or a huge page. */
static size_t chunk_size_after(size_t size, size_t all)
{
	const size_t page = RT_HUGE;

	if (size < CHUNK_SECOND)
		return CHUNK_SECOND;
	if (size < CHUNK_SMALL)
		return size * 2;
	if (!page)
		return size;
	if (all / 2 >= CHUNK_MOST)
		return CHUNK_MOST;
	return all / 2 < page ? page : all / 2 & -page;
}

/* One for small blocks, which must have room in it; the present one's rest is lost. */
static bool chunk_begin(struct slot *slot, size_t bytes, size_t least)
{
	struct chunk *chunk;

	while (bytes < least)
		bytes *= 2;
	chunk = chunk_add(slot, bytes);
	if (!chunk)
		return false;
	slot->at = (uintptr_t)chunk + sizeof(*chunk);
	slot->end = (uintptr_t)chunk + bytes;
	slot->chunk_bytes += bytes;
	slot->chunk_size = chunk_size_after(bytes, slot->chunk_bytes);
	return true;
}

static inline size_t padding(uintptr_t at, size_t align)
{
	return -at & (align - 1);
}

/* A chunk for one block; the present one stays. */
static uintptr_t block_alone(struct slot *slot, size_t size, size_t align)
{
	size_t slack = align > CHUNK_ALIGN ? align - CHUNK_ALIGN : 0;
	struct chunk *chunk = chunk_add(slot, sizeof(*chunk) + size + slack);
	uintptr_t at = (uintptr_t)chunk + sizeof(*chunk);

	return chunk ? at + padding(at, align) : 0;
}

static inline size_t rounded(size_t size)
{
	return (size + UNIT - 1) & -UNIT;
}

/* 0 where the present chunk has no room. */
static uintptr_t block_padded(struct slot *slot, size_t size, size_t align)
{
	size_t room = slot->end - slot->at;
	size_t pad = padding(slot->at, align);
	uintptr_t at = slot->at + pad;

	if (pad > room || size > room - pad)
		return 0;
	slot->at = at + rounded(size);
	return at;
}

/* A block in a new chunk; where there is no memory for that a small one, or its own. */
static uintptr_t block_elsewhere(struct slot *slot, size_t size, size_t align)
{
	size_t least = 4 * (size + align);

	if (size > RT_SIZE_MAX / 2 || align > RT_SIZE_MAX / 4)
		return 0;
	if (size + align > LARGE)
		return block_alone(slot, size, align);
	if (!chunk_begin(slot, slot->chunk_size, least) &&
	    (slot->chunk_size <= CHUNK_SECOND || !chunk_begin(slot, CHUNK_SECOND, least)))
		return block_alone(slot, size, align);
	return block_padded(slot, size, align);
}

static inline void count(struct slot *slot, unsigned calls, unsigned bytes, size_t size)
{
	bump(slot, calls, 1);
	bump(slot, bytes, size);
}

/* ---- blocks ---- */

/* All cases but the usual one; the slot may be null. */
static __attribute__((noinline, cold)) ValueMutPtr alloc_slow(struct slot *slot, size_t size,
							      size_t align, bool zeroed)
{
	uintptr_t at = 0;

	align += !align;
	if (slot && size && !(align & (align - 1))) {
		at = block_padded(slot, size, align);
		if (!at)
			at = block_elsewhere(slot, size, align);
	}
	if (at && zeroed)
		memset((void *)at, 0, size);
	if (at)
		count(slot, zeroed ? ZEROED_CALLS : ALLOC_CALLS,
		      zeroed ? ZEROED_BYTES : ALLOC_BYTES, size);
	return handle((void *)at, size, align);
}

CHIC_EXPORT ValueMutPtr chic_rt_region_alloc(RegionHandle region, size_t size, size_t align)
{
	struct slot *slot = live_slot(region);
	uintptr_t at;

	/* a size or an alignment of 0 is more than there is as well */
	if (unlikely(!slot || align - 1 >= UNIT || (align & (align - 1)) ||
		     size - 1 >= slot->end - slot->at))
		return alloc_slow(slot, size, align, false);
	at = slot->at;
	slot->at = at + rounded(size);
	count(slot, ALLOC_CALLS, ALLOC_BYTES, size);
	return handle((void *)at, size, align);
}

CHIC_EXPORT ValueMutPtr chic_rt_region_alloc_zeroed(RegionHandle region, size_t size,
						    size_t align)
{
	return alloc_slow(live_slot(region), size, align, true);
}

bool region_grow(RegionHandle region, const uint8_t *p, size_t old_size, size_t size)
{
	struct slot *slot = live_slot(region);

	if (!slot || (uintptr_t)p + rounded(old_size) != slot->at ||
	    size - old_size > slot->end - slot->at)
		return false;
	slot->at = (uintptr_t)p + rounded(size);
	count(slot, ALLOC_CALLS, ALLOC_BYTES, size - old_size);
	return true;
}

/* ---- exit and telemetry ---- */

static RegionTelemetry counters_of(const struct slot *slot)
{
	return (RegionTelemetry){
		.alloc_calls = counter(slot, ALLOC_CALLS),
		.alloc_zeroed_calls = counter(slot, ZEROED_CALLS),
		.alloc_bytes = counter(slot, ALLOC_BYTES),
		.alloc_zeroed_bytes = counter(slot, ZEROED_BYTES),
		.freed_bytes = counter(slot, FREED_BYTES),
	};
}

static size_t bytes_since_reset(const struct slot *slot)
{
	return counter(slot, ALLOC_BYTES) + counter(slot, ZEROED_BYTES);
}

static void chunks_put(struct slot *slot)
{
	struct chunk *chunk = slot->chunks;

	slot->chunks = NULL;
	while (chunk) {
		struct chunk *next = chunk->next;

		rt_put((uint8_t *)chunk, chunk->size, chunk->align);
		chunk = next;
	}
}

/* Two threads that exit one region are a mistake, and only one of them does it. */
CHIC_EXPORT void chic_rt_region_exit(RegionHandle region)
{
	struct slot *slot = live_slot(region);
	uintptr_t word = (uintptr_t)region.ptr, closing = (word & ~(uintptr_t)STATE) | CLOSING;
	RegionTelemetry t;

	if (!slot || !atomic_compare_exchange_strong(&slot->word, &word, closing))
		return;
	chunks_put(slot);
	bump(slot, FREED_BYTES, slot->bytes_before + bytes_since_reset(slot));
	t = counters_of(slot);
	profile_add(atomic_load(&slot->profile), &t);
	atomic_fetch_add(&moves, 1);
	atomic_store_explicit(&slot->word, closing & ~(uintptr_t)STATE, memory_order_release);
}

CHIC_EXPORT RegionTelemetry chic_rt_region_telemetry(RegionHandle region)
{
	struct slot *slot = slot_at((uintptr_t)region.ptr);
	RegionTelemetry t;

	if (!is_of(slot, region))
		return (RegionTelemetry){0};
	t = counters_of(slot);
	return is_of(slot, region) ? t : (RegionTelemetry){0};
}

CHIC_EXPORT void chic_rt_region_reset_stats(RegionHandle region)
{
	struct slot *slot = live_slot(region);

	if (!slot)
		return;
	slot->bytes_before += bytes_since_reset(slot);
	for (unsigned i = 0; i < COUNTERS; i++)
		atomic_store_explicit(&slot->counter[i], 0, memory_order_relaxed);
}

/* ---- for region_profile.c ---- */

static void add(RegionTelemetry *sum, const RegionTelemetry *t)
{
	sum->alloc_calls += t->alloc_calls;
	sum->alloc_zeroed_calls += t->alloc_zeroed_calls;
	sum->alloc_bytes += t->alloc_bytes;
	sum->alloc_zeroed_bytes += t->alloc_zeroed_bytes;
	sum->freed_bytes += t->freed_bytes;
}

bool region_sum_live(uint64_t profile, RegionTelemetry *sum)
{
	bool closing = false;

	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &slots[i];
		uintptr_t word = atomic_load(&slot->word);
		RegionTelemetry t;

		if ((word & STATE) == DEAD || (word & STATE) == BEGINNING ||
		    atomic_load(&slot->profile) != profile)
			continue;
		t = counters_of(slot);
		if ((atomic_load(&slot->word) | STATE) == (word | STATE))
			add(sum, &t);
		closing |= (word & STATE) == CLOSING;
	}
	return !closing;
}

size_t region_moves(void)
{
	return atomic_load(&moves);
}
