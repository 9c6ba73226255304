// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tables: what the hot path reads, immutable from the moment they are found
 * here, and interned, so that memory grows with the number of different tables
 * and a reader never sees one change.
 *
 * A table is what a program installed, over the default it falls back to.  It
 * is never freed: a reader may hold it for as long as it likes.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#define BUCKETS 256
#define POOL_BYTES (16 * 1024)

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static struct table *buckets[BUCKETS];
/* Enough for programs that never install more than a few: no memory is asked for. */
static struct table first_tables[8];
static struct table *pool = first_tables, *pool_end = first_tables + ARRAY_SIZE(first_tables);

static unsigned bucket_of(const ChicAllocatorVTable *installed, const struct stack *stack)
{
	uintptr_t words[] = {
		(uintptr_t)installed->context,	    (uintptr_t)installed->alloc,
		(uintptr_t)installed->alloc_zeroed, (uintptr_t)installed->realloc,
		(uintptr_t)installed->free,	    (uintptr_t)stack,
	};
	uint64_t hash = 0;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15u;
	return (hash >> 32) % BUCKETS;
}

/* All but the links, padding included, which table_intern() made zero. */
static bool same_table(const struct table *a, const struct table *b)
{
	return memcmp(a, b, offsetof(struct table, next)) == 0;
}

static struct table *pool_take(void)
{
	if (pool == pool_end) {
		void *p = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return NULL;
		pool = p;
		pool_end = pool + POOL_BYTES / sizeof(*pool);
	}
	return pool++;
}

/* Each entry is the installed one with its context, or the default's with its own. */
#define CHOOSE(entry, op)                                                                      \
	do {                                                                                   \
		t->entry.fn = v->entry ? v->entry : top->entry.fn;                             \
		t->entry.ctx = v->entry ? v->context : top->entry.ctx;                         \
		t->owner[op] = v->entry ? OWNER_CUSTOM : owner;                                \
	} while (0)

static uint16_t counter_of(unsigned owner, unsigned op)
{
	return (uint16_t)(offsetof(struct thread, owner) + owner * sizeof(struct counters) +
			  offsetof(struct counters, word) + op * sizeof(size_t));
}

/* What is installed sees every request; what the default sees is its own business. */
static void window_fill(struct table *t, const struct stack *stack)
{
	const struct layer *lender = stack ? stack_lender(stack) : NULL;

	if (!lender || t->installed.alloc)
		return;
	t->window_sizes = CHIC_WINDOW_MAX;
	t->window = (uint16_t)(offsetof(struct thread, words) + lender->word * sizeof(void *));
}

static void table_fill(struct table *t, const ChicAllocatorVTable *v, const struct stack *stack)
{
	const struct chic_layer *top = stack ? stack->top : platform_layer();
	unsigned owner = stack ? stack->owner : OWNER_PLATFORM;

	CHOOSE(alloc, OP_ALLOC);
	CHOOSE(alloc_zeroed, OP_ALLOC_ZEROED);
	CHOOSE(realloc, OP_REALLOC);
	CHOOSE(free, OP_FREE);
	for (unsigned op = 0; op < OP_COUNT; op++)
		t->counter[op] = counter_of(t->owner[op], op);
	if (!v->alloc && !v->alloc_zeroed && !v->realloc && !v->free)
		t->direct = top->family;
	t->installed = *v;
	t->stack = stack;
	window_fill(t, stack);
}

/*
 * Found by what is in it, not by the stack it came from: another stack may be
 * built at the address of one that is gone, and one that is built again, as the
 * same as before, needs no further table.
 */
const struct table *table_intern(const ChicAllocatorVTable *installed,
				 const struct stack *stack)
{
	struct table **bucket = &buckets[bucket_of(installed, stack)];
	struct table wanted, *t;

	memset(&wanted, 0, sizeof(wanted));
	table_fill(&wanted, installed, stack);
	pthread_mutex_lock(&table_lock);
	for (t = *bucket; t; t = t->next)
		if (same_table(t, &wanted))
			goto out;
	t = pool_take();
	if (!t)
		goto out;
	wanted.next = *bucket;
	*bucket = memcpy(t, &wanted, sizeof(wanted));
out:
	pthread_mutex_unlock(&table_lock);
	return t;
}

void table_prefork(void)
{
	pthread_mutex_lock(&table_lock);
}

void table_postfork(void)
{
	pthread_mutex_unlock(&table_lock);
}
