/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to counting: which call sites allocate, from a sample of the blocks.
 *
 * One byte in `period` is drawn, at random; the block that it falls into is taken,
 * with its stack, and stands for all blocks of its size that could have been: its
 * weight.  counting_weight.c has the arithmetic, counting_live.c the blocks that
 * were taken and live, counting_sites.c what is known of each stack.
 */
#ifndef CHIC_MODULES_COUNTING_SITES_H
#define CHIC_MODULES_COUNTING_SITES_H

#include "stacktrace.h"

struct counting;

/* ----------------------------------------------------- counting_weight.c -- */

/* Blocks are counted in parts of one, because most weights are no whole numbers. */
#define COUNTING_WEIGHT_ONE 256

/* Bytes up to the next one that is drawn; *random is any number, and another after. */
int64_t counting_draw(uint64_t *random, uint64_t period);
/* How many blocks of that size one stands for, in parts of one. */
uint64_t counting_weight(size_t size, uint64_t period);
/* And how many bytes. */
uint64_t counting_weight_bytes(size_t size, uint64_t period);

/* ------------------------------------------------------- counting_live.c -- */

/* A block that was taken. */
struct counting_block {
	uintptr_t p;
	size_t size;
	int64_t since;
	uint32_t stack;
};

#define COUNTING_SHARDS 32
#define COUNTING_FILTER (64 * 1024)

/* Blocks by address, a part of them behind each lock. */
struct counting_shard {
	atomic_flag lock;
	struct counting_block *blocks; /* by hash, in the next free place; null: none yet */
	size_t n, size; /* size is a power of two */
	char pad[32]; /* to a cache line: locks of others are elsewhere */
};

struct counting_live {
	struct counting_shard shards[COUNTING_SHARDS];
	bool locked_for_fork;
	/* how many blocks have an address of that kind; 255 stays */
	_Atomic uint8_t filter[COUNTING_FILTER];
};

/* Whether there is no room.  A block that is there already is replaced. */
bool counting_live_add(struct counting_live *live, const struct counting_block *block);
bool counting_live_take(struct counting_live *live, const void *p, struct counting_block *out);
/* All of them are gone; each is called for every one. */
void counting_live_drop(struct counting_live *live,
			void (*each)(void *arg, const struct counting_block *block), void *arg);
void counting_live_free(struct counting_live *live);
void counting_live_lock(struct counting_live *live);
void counting_live_unlock(struct counting_live *live);

/* Neighbours in memory have neighbours here: the filter is as warm as the blocks. */
static inline _Atomic uint8_t *counting_filter_at(struct counting_live *live, const void *p)
{
	uintptr_t a = (uintptr_t)p / CHIC_MALLOC_ALIGN;

	return &live->filter[(a ^ a / COUNTING_FILTER) % COUNTING_FILTER];
}

static inline bool counting_live_may_have(struct counting_live *live, const void *p)
{
	return atomic_load_explicit(counting_filter_at(live, p), memory_order_relaxed) != 0;
}

/* ------------------------------------------------------ counting_sites.c -- */

/* What a stack has to do with; blocks in parts of one. */
struct counting_site {
	_Atomic uint64_t blocks, bytes;
	_Atomic uint64_t freed_blocks, freed_bytes;
};

/* Lifetimes: up to 1 us, 10 us, ... 1000 s, and longer. */
#define COUNTING_LIFETIMES 11

struct counting_sites {
	uint64_t period; /* bytes; 0: every block */
	struct stacktrace_table stacks;
	struct counting_site unknown; /* whose stack could not be kept */
	struct counting_site lifetimes[COUNTING_LIFETIMES];
	_Atomic size_t samples, lost;
	struct counting_live live;
};

/* What `sites` is where nothing is sampled. */
#define COUNTING_SITES_OFF ((uint64_t)1 << 40)

/* Nothing is sampled unless asked: 0 or -errno with fail() called. */
int counting_sites_start(struct counting *c);
void counting_sites_stop(struct counting *c);
/* Every block that was taken has been freed. */
void counting_sites_drop(struct counting *c);
/* The block is taken for the sample; the caller has set counting_seen.busy. */
void counting_site_begin(struct counting *c, void *p, size_t size);
/* It is freed, */
void counting_site_end(struct counting *c, const struct counting_block *block);
/* or perhaps freed: whether it was in the sample, in which it no longer is, */
bool counting_site_take(struct counting *c, const void *p, struct counting_block *block);
/* but is again. */
void counting_site_put_back(struct counting *c, const struct counting_block *block);
/* Of a thread without a tally. */
void counting_site_shared(struct counting *c, void *p, size_t size);
struct counting_site *counting_site_of(struct counting_sites *s, uint32_t stack);

#endif /* CHIC_MODULES_COUNTING_SITES_H */
