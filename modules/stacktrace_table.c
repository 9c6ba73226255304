// SPDX-License-Identifier: BSD-2-Clause
/*
 * Traces by number: entries one after the other in one range, found by chains from
 * a table of heads.  An entry never changes but for the caller's words, so that
 * readers need nothing; a writer puts its entry in front of the chain it has read.
 *
 *	entry: | hash, length | next | caller's words ... | addresses ... |
 */
#include "stacktrace_internal.h"

/* Words of an entry before the caller's. */
enum { ENTRY_NEXT, ENTRY_HASH_LENGTH, ENTRY_EXTRA };

/* A trace has about 12 addresses, and there is a head for each second trace. */
#define WORDS_PER_HEAD 32
#define BYTES_MIN 4096

static size_t heads_for(size_t bytes)
{
	size_t n = 1;

	while (n * 2 * WORDS_PER_HEAD * sizeof(uint64_t) <= bytes)
		n *= 2;
	return n;
}

/* Page by page, also where the system gives huge ones that nobody asked for. */
static uint64_t *words_new(size_t bytes)
{
	uint64_t *words = pages_new(bytes);
	int saved = errno;

	if (words)
		madvise(words, bytes, MADV_NOHUGEPAGE);
	errno = saved;
	return words;
}

int stacktrace_table_open(struct stacktrace_table *t, size_t bytes, size_t extra)
{
	*t = (struct stacktrace_table){.extra = round_up(extra, sizeof(uint64_t)) /
						sizeof(uint64_t)};
	bytes = larger(smaller(bytes, (size_t)UINT32_MAX * sizeof(uint64_t)), BYTES_MIN);
	t->n_heads = heads_for(bytes);
	t->n_words = bytes / sizeof(uint64_t);
	/* number 0 is no trace */
	t->used = 1;
	t->words = words_new(t->n_words * sizeof(uint64_t));
	if (!t->words)
		return -ENOMEM;
	t->heads = pages_new(t->n_heads * sizeof(*t->heads));
	if (!t->heads)
		goto err_unmap_words;
	return 0;

err_unmap_words:
	munmap(t->words, t->n_words * sizeof(uint64_t));
	t->words = NULL;
	return -ENOMEM;
}

void stacktrace_table_close(struct stacktrace_table *t)
{
	if (!t->heads)
		return;
	munmap(t->heads, t->n_heads * sizeof(*t->heads));
	munmap(t->words, t->n_words * sizeof(uint64_t));
	t->heads = NULL;
	t->words = NULL;
}

/* ------------------------------------------------------------- entries -- */

static uint32_t hash_of(const uintptr_t *pcs, size_t n)
{
	uint64_t hash = n;

	for (size_t i = 0; i < n; i++) {
		hash = (hash ^ pcs[i]) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	return hash;
}

static uintptr_t *addresses_of(const struct stacktrace_table *t, uint32_t id)
{
	return (uintptr_t *)(t->words + id + ENTRY_EXTRA + t->extra);
}

static size_t length_of(const struct stacktrace_table *t, uint32_t id)
{
	return (uint32_t)t->words[id + ENTRY_HASH_LENGTH];
}

static bool is_trace(const struct stacktrace_table *t, uint32_t id, uint64_t hash_length,
		     const uintptr_t *pcs, size_t n)
{
	return t->words[id + ENTRY_HASH_LENGTH] == hash_length &&
	       memcmp(addresses_of(t, id), pcs, n * sizeof(*pcs)) == 0;
}

/* From one entry of a chain up to, and without, another. */
static uint32_t chain_find(const struct stacktrace_table *t, uint32_t from, uint32_t to,
			   uint64_t hash_length, const uintptr_t *pcs, size_t n)
{
	uint32_t id;

	for (id = from; id != to; id = t->words[id + ENTRY_NEXT])
		if (is_trace(t, id, hash_length, pcs, n))
			return id;
	return 0;
}

static uint32_t entry_new(struct stacktrace_table *t, uint64_t hash_length,
			  const uintptr_t *pcs, size_t n)
{
	size_t address_words = round_up(n * sizeof(*pcs), sizeof(uint64_t)) / sizeof(uint64_t);
	size_t words = ENTRY_EXTRA + t->extra + address_words;
	size_t id = atomic_load_explicit(&t->used, memory_order_relaxed);

	do {
		if (words > t->n_words - id) {
			atomic_fetch_add_explicit(&t->lost, 1, memory_order_relaxed);
			return 0;
		}
	} while (!atomic_compare_exchange_weak_explicit(
		&t->used, &id, id + words, memory_order_relaxed, memory_order_relaxed));
	t->words[id + ENTRY_HASH_LENGTH] = hash_length;
	memcpy(addresses_of(t, id), pcs, n * sizeof(*pcs));
	return id;
}

/* ----------------------------------------------------------- interface -- */

uint32_t stacktrace_intern(struct stacktrace_table *t, const uintptr_t *pcs, size_t n)
{
	uint32_t hash = hash_of(pcs, n);
	uint64_t hash_length = (uint64_t)hash << 32 | n;
	_Atomic uint32_t *head;
	uint32_t seen, first, id;

	if (!t->heads || !n)
		return 0;
	head = &t->heads[hash & (t->n_heads - 1)];
	first = atomic_load_explicit(head, memory_order_acquire);
	id = chain_find(t, first, 0, hash_length, pcs, n);
	if (id)
		return id;
	id = entry_new(t, hash_length, pcs, n);
	if (!id)
		return 0;
	t->words[id + ENTRY_NEXT] = first;
	while (!atomic_compare_exchange_strong_explicit(head, &first, id, memory_order_acq_rel,
							memory_order_acquire)) {
		/* somebody was faster: perhaps with this very trace, then ours is wasted */
		seen = t->words[id + ENTRY_NEXT];
		if (chain_find(t, first, seen, hash_length, pcs, n))
			return chain_find(t, first, seen, hash_length, pcs, n);
		t->words[id + ENTRY_NEXT] = first;
	}
	return id;
}

size_t stacktrace_get(const struct stacktrace_table *t, uint32_t id, const uintptr_t **pcs)
{
	if (!id)
		return 0;
	*pcs = addresses_of(t, id);
	return length_of(t, id);
}

void *stacktrace_extra(const struct stacktrace_table *t, uint32_t id)
{
	return id ? &t->words[id + ENTRY_EXTRA] : NULL;
}

void stacktrace_each(const struct stacktrace_table *t, bool (*fn)(uint32_t id, void *arg),
		     void *arg)
{
	uint32_t id;

	for (size_t i = 0; t->heads && i < t->n_heads; i++) {
		id = atomic_load_explicit(&t->heads[i], memory_order_acquire);
		for (; id; id = t->words[id + ENTRY_NEXT])
			if (!fn(id, arg))
				return;
	}
}
