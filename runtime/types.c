// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is known of types: a table that only grows, read without a lock, since every
 * new object asks it.
 *
 * A type's entry is one of the PROBES entries from where its number falls, the first
 * that was free; where all are others', it is in the next table, of twice the size.
 * Entries are claimed by comparing and swapping and are never given up, so that two
 * threads with one type meet at one entry, and a free entry says that the type is
 * unknown.  The first table is static; further ones are memory of the hooks.
 */
#include "types.h"

#ifndef TYPES_FIRST
#define TYPES_FIRST 512
#endif
#define PROBES 16

enum word { SIZE, ALIGN, DROP, VARIANCE_PTR, VARIANCE_LEN, FLAGS, WORDS };

struct entry {
	_Atomic uint64_t type_id; /* 0: free */
	_Atomic size_t version; /* odd while the words are written, 0 before */
	_Atomic size_t word[WORDS];
};

/* Entries may follow it. */
struct table {
	_Alignas(struct entry) _Atomic(struct table *) next;
	size_t entries; /* a power of two */
	struct entry *entry;
};

static struct entry first_entries[TYPES_FIRST], entry_of_zero;
static struct table first = {.entries = TYPES_FIRST, .entry = first_entries};

/* ---- entries ---- */

static bool entry_read(struct entry *e, RuntimeTypeMetadata *out)
{
	size_t before, word[WORDS];

	do {
		before = atomic_load_explicit(&e->version, memory_order_acquire);
		if (!before)
			return false;
		for (unsigned i = 0; i < WORDS; i++)
			word[i] = atomic_load_explicit(&e->word[i], memory_order_acquire);
	} while (before % 2 ||
		 before != atomic_load_explicit(&e->version, memory_order_relaxed));
	*out = (RuntimeTypeMetadata){
		.size = word[SIZE],
		.align = word[ALIGN],
		.drop_fn = word[DROP],
		.variance = {(const uint8_t *)word[VARIANCE_PTR], word[VARIANCE_LEN]},
		.flags = word[FLAGS],
	};
	return true;
}

static void entry_write(struct entry *e, const RuntimeTypeMetadata *m)
{
	const size_t word[WORDS] = {
		[SIZE] = m->size,
		[ALIGN] = m->align,
		[DROP] = m->drop_fn,
		[VARIANCE_PTR] = (uintptr_t)m->variance.ptr,
		[VARIANCE_LEN] = m->variance.len,
		[FLAGS] = m->flags,
	};
	size_t version = atomic_load(&e->version) & ~(size_t)1;

	while (!atomic_compare_exchange_weak(&e->version, &version, version + 1))
		version &= ~(size_t)1;
	for (unsigned i = 0; i < WORDS; i++)
		atomic_store_explicit(&e->word[i], word[i], memory_order_release);
	atomic_store_explicit(&e->version, version + 2, memory_order_release);
}

/* ---- tables ---- */

static size_t place_of(const struct table *t, uint64_t type_id, size_t probe)
{
	return ((type_id * UINT64_C(0x9e3779b97f4a7c15) >> 32) + probe) & (t->entries - 1);
}

/* The type's entry in this table, claimed where claim is set; *more: look in the next. */
static struct entry *entry_in(struct table *t, uint64_t type_id, bool claim, bool *more)
{
	*more = false;
	for (size_t probe = 0; probe < PROBES; probe++) {
		struct entry *e = &t->entry[place_of(t, type_id, probe)];
		uint64_t there = atomic_load_explicit(&e->type_id, memory_order_acquire);

		if (!there && !claim)
			return NULL;
		if (!there && atomic_compare_exchange_strong(&e->type_id, &there, type_id))
			return e;
		if (there == type_id)
			return e;
	}
	*more = true;
	return NULL;
}

static size_t table_bytes(size_t entries)
{
	return sizeof(struct table) + entries * sizeof(struct entry);
}

static void table_put(struct table *t)
{
	rt_put((uint8_t *)t, table_bytes(t->entries), _Alignof(struct table));
}

/* The table after this one, another thread's or one of our own. */
static struct table *table_add(struct table *last)
{
	size_t entries = last->entries * 2;
	struct table *other = NULL, *t = (struct table *)rt_get_zeroed(table_bytes(entries),
								       _Alignof(struct table));

	if (!t)
		return NULL;
	t->entries = entries;
	t->entry = (struct entry *)(t + 1);
	if (atomic_compare_exchange_strong(&last->next, &other, t))
		return t;
	table_put(t);
	return other;
}

static struct entry *entry_of(uint64_t type_id, bool claim)
{
	struct entry *e = NULL;
	bool more = true;

	if (!type_id)
		return &entry_of_zero;
	for (struct table *t = &first, *next; t && more; t = next) {
		e = entry_in(t, type_id, claim, &more);
		next = atomic_load_explicit(&t->next, memory_order_acquire);
		if (more && !next && claim)
			next = table_add(t);
	}
	return e;
}

bool type_find(uint64_t type_id, RuntimeTypeMetadata *out)
{
	struct entry *e = entry_of(type_id, false);

	return e && entry_read(e, out);
}

/* ---- entry points ---- */

static bool same(const RuntimeTypeMetadata *a, const RuntimeTypeMetadata *b)
{
	return a->drop_fn == b->drop_fn && a->variance.ptr == b->variance.ptr &&
	       a->variance.len == b->variance.len && a->flags == b->flags;
}

CHIC_EXPORT int32_t chic_rt_type_register(uint64_t type_id, const RuntimeTypeMetadata *metadata)
{
	RuntimeTypeMetadata m, known;
	struct entry *e;

	if (!metadata)
		return -1;
	m = *metadata;
	m.align += !m.align;
	if (!rt_power_of_two(m.align) || m.size > RT_SIZE_MAX)
		return -1;
	e = entry_of(type_id, true);
	if (!e)
		return -1;
	if (!entry_read(e, &known)) {
		entry_write(e, &m);
		return 0;
	}
	if (known.size != m.size || known.align != m.align)
		return -1;
	if (!same(&known, &m))
		entry_write(e, &m);
	return 0;
}

CHIC_EXPORT void chic_rt_type_metadata_register(uint64_t type_id, RuntimeTypeMetadata metadata)
{
	chic_rt_type_register(type_id, &metadata);
}

CHIC_EXPORT int32_t chic_rt_type_metadata(uint64_t type_id, RuntimeTypeMetadata *out)
{
	return out && type_find(type_id, out);
}

CHIC_EXPORT void chic_rt_type_forget_all(void)
{
	struct table *t = atomic_exchange(&first.next, NULL);

	while (t) {
		struct table *next = atomic_load(&t->next);

		table_put(t);
		t = next;
	}
	memset(first_entries, 0, sizeof(first_entries));
	memset(&entry_of_zero, 0, sizeof(entry_of_zero));
}
