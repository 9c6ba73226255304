// SPDX-License-Identifier: BSD-2-Clause
/*
 * Maps and sets beside a plain array of what each key has: a hundred thousand random
 * operations for each shape of entries and each kind of hash, good ones and poor ones,
 * with requests refused now and then.  Lengths are the same after each, all entries
 * after some; every key and value that was put in came out or was dropped once.
 */
#include "model_support.h"

#include <string.h>

#include "chic_alloc.h"

CHIC_ALLOC_MANUAL();

enum { KEYS = 3000, NONE = 0, BYTES_MOST = 512 };

/* ---- hashes ---- */

static uint64_t hash_good(uint32_t key)
{
	uint64_t h = (key + 1) * UINT64_C(0xbf58476d1ce4e5b9);

	return (h ^ h >> 31) * UINT64_C(0x94d049bb133111eb);
}

static uint64_t hash_identity(uint32_t key)
{
	return key;
}

static uint64_t hash_high(uint32_t key)
{
	return (uint64_t)key << 44;
}

static uint64_t hash_strided(uint32_t key)
{
	return key * UINT64_C(1024);
}

static uint64_t hash_few(uint32_t key)
{
	return hash_good(key % 50);
}

static uint64_t hash_one(uint32_t key)
{
	(void)key;
	return 7;
}

static const struct shape {
	size_t key_size, key_align, value_size, value_align;
	uint64_t (*hash)(uint32_t key);
	uint32_t keys; /* different ones */
	bool set, callback;
} shapes[] = {
	{8, 8, 8, 8, hash_good, KEYS, false, false},
	{8, 8, 8, 8, hash_identity, KEYS, false, false},
	{8, 8, 8, 8, hash_high, KEYS, false, false},
	{8, 8, 8, 8, hash_strided, KEYS, false, true},
	{8, 8, 8, 8, hash_few, KEYS, false, false},
	{4, 4, 4, 4, hash_one, 100, false, true},
	{4, 4, 0, 1, hash_good, KEYS, false, false},
	{8, 8, 1, 1, hash_good, KEYS, false, true},
	{5, 1, 64, 64, hash_good, 500, false, false},
	{16, 16, 300, 4, hash_identity, 500, false, true},
	{300, 2, 24, 8, hash_good, 500, false, false},
	{0, 1, 8, 8, hash_one, 1, false, false},
	{8, 8, 0, 1, hash_good, KEYS, true, false},
	{4, 4, 0, 1, hash_strided, KEYS, true, true},
	{12, 4, 0, 1, hash_few, KEYS, true, false},
	{300, 1, 0, 1, hash_one, 100, true, true},
	{9, 8, 0, 1, hash_high, 1000, true, false},
	{0, 1, 0, 1, hash_good, 1, true, false},
};

enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]), SEEDS = 3 };

static struct {
	const struct shape *shape;
	union both {
		ChicHashMap map;
		ChicHashSet set;
	} room[2], *at; /* the table moves between them */
	uint32_t value[KEYS]; /* what each key has; NONE: it is not there */
	size_t len;
	uint32_t next_value;
	size_t key_drops, value_drops; /* as they happen */
	size_t key_ends, value_ends; /* as they are expected */
	bool refuse;
} m;

/* ---- keys and values ---- */

static void make_bytes(uint32_t id, uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = i < sizeof(id) ? id >> 8 * i : id * 31 + i;
}

static uint32_t id_of(const uint8_t *bytes, size_t size)
{
	uint32_t id = 0;

	for (size_t i = 0; i < sizeof(id) && i < size; i++)
		id |= (uint32_t)bytes[i] << 8 * i;
	return id;
}

static bool is_bytes_of(uint32_t id, const uint8_t *bytes, size_t size)
{
	uint8_t want[BYTES_MOST];

	make_bytes(id, want, size);
	return !size || memcmp(bytes, want, size) == 0;
}

/* What is dropped must have been made, all of its bytes. */
static void spoil(uint8_t *bytes, size_t size)
{
	MUST(is_bytes_of(id_of(bytes, size), bytes, size));
	memset(bytes, 0x99, size); /* a second drop would be seen */
}

static void drop_key(uint8_t *bytes)
{
	m.key_drops++;
	spoil(bytes, m.shape->key_size);
}

static void drop_value(uint8_t *bytes)
{
	m.value_drops++;
	spoil(bytes, m.shape->value_size);
}

static int32_t same_key(const void *a, const void *b)
{
	size_t size = m.shape->key_size;

	MUST(is_bytes_of(id_of(a, size), a, size));
	MUST((uintptr_t)a % m.shape->key_align == 0);
	return memcmp(a, b, size) == 0 ? 5 : 0;
}

/* What a caller knows of his keys. */
static int32_t equal_key(const void *entry, const void *key)
{
	return !m.shape->key_size || memcmp(entry, key, m.shape->key_size) == 0;
}

/* ---- the same for both ---- */

static void make_table(size_t capacity)
{
	const struct shape *s = m.shape;
	uintptr_t equal = s->callback ? (uintptr_t)same_key : 0;

	if (s->set)
		m.at->set = chic_rt_hashset_with_capacity(s->key_size, s->key_align, capacity,
							  (uintptr_t)drop_key, equal);
	else
		m.at->map = chic_rt_hashmap_with_capacity(
			s->key_size, s->key_align, s->value_size, s->value_align, capacity,
			(uintptr_t)drop_key, (uintptr_t)drop_value, equal);
}

static size_t table_len(void)
{
	return m.shape->set ? chic_rt_hashset_len(&m.at->set) : chic_rt_hashmap_len(&m.at->map);
}

static size_t table_capacity(void)
{
	return m.shape->set ? chic_rt_hashset_capacity(&m.at->set)
			    : chic_rt_hashmap_capacity(&m.at->map);
}

static uint8_t table_state(size_t index)
{
	return m.shape->set ? chic_rt_hashset_bucket_state(&m.at->set, index)
			    : chic_rt_hashmap_bucket_state(&m.at->map, index);
}

static uint64_t table_hash(size_t index)
{
	return m.shape->set ? chic_rt_hashset_bucket_hash(&m.at->set, index)
			    : chic_rt_hashmap_bucket_hash(&m.at->map, index);
}

static int32_t table_take_at(size_t index, const ValueMutPtr *key, const ValueMutPtr *value)
{
	return m.shape->set ? (int32_t)chic_rt_hashset_take_at(&m.at->set, index, key)
			    : (int32_t)chic_rt_hashmap_take_at(&m.at->map, index, key, value);
}

/* Success, or a refusal after which all is as before. */
static bool was_done(int32_t status)
{
	bool refused = m.refuse && ledger_failed();

	if (status == ChicHashMap_Success)
		return true;
	MUST(status == ChicHashMap_AllocationFailed && refused);
	return false;
}

/* ---- checks ---- */

static void check_key(uint32_t key)
{
	const struct shape *s = m.shape;
	uint8_t bytes[BYTES_MOST];
	ValueConstPtr k = {bytes, s->key_size, 1}, at;
	bool there = m.value[key] != NONE;

	make_bytes(key, bytes, s->key_size);
	if (s->set) {
		at = chic_rt_hashset_get_ptr(&m.at->set, s->hash(key), &k);
		MUST(chic_rt_hashset_contains(&m.at->set, s->hash(key), &k) == there);
		MUST(!at.ptr == !there && at.size == s->key_size && at.align == s->key_align);
		MUST(!there || is_bytes_of(key, at.ptr, s->key_size));
		return;
	}
	at = chic_rt_hashmap_get_ptr(&m.at->map, s->hash(key), &k);
	MUST(chic_rt_hashmap_contains(&m.at->map, s->hash(key), &k) == there);
	MUST(!at.ptr == !there && at.size == s->value_size && at.align == s->value_align);
	MUST(chic_hashmap_get(&m.at->map, s->hash(key), bytes, s->key_size) == at.ptr);
	MUST(chic_hashmap_get_by(&m.at->map, s->hash(key), bytes, equal_key) == at.ptr);
	MUST(!there || is_bytes_of(m.value[key], at.ptr, s->value_size));
	MUST((uintptr_t)at.ptr % s->value_align == 0);
}

static int32_t next_entry(ChicHashMapIter *of_map, ChicHashSetIter *of_set, uint8_t *key,
			  uint8_t *value)
{
	const struct shape *s = m.shape;
	ValueMutPtr k = {key, s->key_size, 1}, v = {value, s->value_size, 1};

	return s->set ? (int32_t)chic_rt_hashset_iter_next(of_set, &k)
		      : (int32_t)chic_rt_hashmap_iter_next(of_map, &k, &v);
}

static void check_iteration(void)
{
	ChicHashMapIter of_map = {0};
	ChicHashSetIter of_set = {0};
	uint8_t key[BYTES_MOST], value[BYTES_MOST];
	static bool seen[KEYS];
	size_t n = 0;

	memset(seen, 0, sizeof(seen));
	if (m.shape->set)
		of_set = chic_rt_hashset_iter(&m.at->set);
	else
		of_map = chic_rt_hashmap_iter(&m.at->map);
	for (; next_entry(&of_map, &of_set, key, value) == ChicHashMap_Success; n++) {
		uint32_t id = id_of(key, m.shape->key_size);

		MUST(id < m.shape->keys && !seen[id] && m.value[id] != NONE);
		seen[id] = true;
		MUST(is_bytes_of(id, key, m.shape->key_size));
		MUST(m.shape->set || is_bytes_of(m.value[id], value, m.shape->value_size));
	}
	MUST(n == m.len);
	MUST(next_entry(&of_map, &of_set, key, value) == ChicHashMap_IterationComplete);
}

static void check_places(void)
{
	size_t full = 0, tombstones = 0, cap = table_capacity();

	MUST(cap == 0 || (cap >= 8 && (cap & (cap - 1)) == 0));
	for (size_t i = 0; i < cap; i++) {
		MUST(table_state(i) <= 2);
		full += table_state(i) == 1;
		tombstones += table_state(i) == 2;
		MUST(table_state(i) == 1 || table_hash(i) == 0);
	}
	MUST(full == m.len && (full + tombstones) * 10 <= cap * 7);
	MUST(table_state(cap) == 0 && table_hash(cap) == 0);
	MUST(!m.shape->set || chic_rt_hashset_tombstones(&m.at->set) == tombstones);
}

static void check_all(void)
{
	for (uint32_t key = 0; key < m.shape->keys; key++)
		check_key(key);
	check_iteration();
	check_places();
}

/* ---- operations: each does the same to both ---- */

static void model_set(uint32_t key, uint32_t value)
{
	m.len += (m.value[key] == NONE) - (value == NONE);
	m.value[key] = value;
}

static int32_t put_in_map(uint32_t key, uint8_t *k, uint8_t *v, bool keep)
{
	const struct shape *s = m.shape;
	uint8_t bytes[BYTES_MOST];
	ValueConstPtr of_key = {k, s->key_size, 1}, of_value = {v, s->value_size, 1};
	ValueMutPtr previous = {bytes, s->value_size, 1};
	int32_t replaced = 9;
	int32_t status = chic_rt_hashmap_insert(&m.at->map, s->hash(key), &of_key, &of_value,
						keep ? &previous : NULL, &replaced);
	bool there = m.value[key] != NONE;

	MUST(replaced == (there && status == ChicHashMap_Success));
	if (!there || status)
		return status;
	m.key_ends++;
	m.value_ends += !keep;
	MUST(!keep || is_bytes_of(m.value[key], bytes, s->value_size));
	return status;
}

static int32_t put_inline(uint32_t key, const uint8_t *k, const uint8_t *v)
{
	const struct shape *s = m.shape;
	int32_t status =
		chic_hashmap_insert(&m.at->map, s->hash(key), k, s->key_size, v, s->value_size);
	bool replaced = m.value[key] != NONE && status == ChicHashMap_Success;

	m.key_ends += replaced;
	m.value_ends += replaced;
	return status;
}

static int32_t put_in_set(uint32_t key, uint8_t *k, bool replace, bool keep)
{
	const struct shape *s = m.shape;
	uint8_t bytes[BYTES_MOST];
	ValueConstPtr of_key = {k, s->key_size, 1};
	ValueMutPtr out = {bytes, s->key_size, 1};
	bool there = m.value[key] != NONE;
	int32_t done = 9, status;

	if (!replace) {
		status = chic_rt_hashset_insert(&m.at->set, s->hash(key), &of_key, &done);
		MUST(done == (!there && status == ChicHashSet_Success));
		return status;
	}
	status = chic_rt_hashset_replace(&m.at->set, s->hash(key), &of_key, keep ? &out : NULL,
					 &done);
	MUST(done == (there && status == ChicHashSet_Success));
	if (done && !keep)
		m.key_ends++;
	MUST(!done || !keep || is_bytes_of(key, bytes, s->key_size));
	return status;
}

static void op_put(void)
{
	uint32_t key = random_below(m.shape->keys), value = m.next_value++;
	uint8_t k[BYTES_MOST], v[BYTES_MOST];
	bool keep = random_below(2);
	int32_t status;

	make_bytes(key, k, m.shape->key_size);
	make_bytes(value, v, m.shape->value_size);
	if (m.shape->set)
		status = put_in_set(key, k, random_below(2), keep);
	else
		status = random_below(2) ? put_inline(key, k, v) : put_in_map(key, k, v, keep);
	if (was_done(status))
		model_set(key, value);
}

static void op_look(void)
{
	check_key(random_below(m.shape->keys));
}

static int32_t take(uint32_t key, const ValueMutPtr *out)
{
	const struct shape *s = m.shape;
	uint8_t bytes[BYTES_MOST];
	ValueConstPtr k = {bytes, s->key_size, 1};

	make_bytes(key, bytes, s->key_size);
	return s->set ? (int32_t)chic_rt_hashset_take(&m.at->set, s->hash(key), &k, out)
		      : (int32_t)chic_rt_hashmap_take(&m.at->map, s->hash(key), &k, out);
}

static void op_take(void)
{
	uint32_t key = random_below(m.shape->keys);
	size_t size = m.shape->set ? m.shape->key_size : m.shape->value_size;
	uint8_t bytes[BYTES_MOST];
	ValueMutPtr out = {bytes, size, 1};
	bool keep = random_below(2);
	int32_t status = take(key, keep ? &out : NULL);

	if (m.value[key] == NONE) {
		MUST(status == ChicHashMap_NotFound);
		return;
	}
	MUST(status == ChicHashMap_Success);
	MUST(!keep || is_bytes_of(m.shape->set ? key : m.value[key], bytes, size));
	m.key_ends += !(m.shape->set && keep);
	m.value_ends += !m.shape->set && !keep;
	model_set(key, NONE);
}

static void op_remove(void)
{
	uint32_t key = random_below(m.shape->keys);
	uint8_t bytes[BYTES_MOST];
	ValueConstPtr k = {bytes, m.shape->key_size, 1};
	uint64_t hash = m.shape->hash(key);
	int32_t removed;

	make_bytes(key, bytes, m.shape->key_size);
	removed = m.shape->set ? chic_rt_hashset_remove(&m.at->set, hash, &k)
			       : chic_rt_hashmap_remove(&m.at->map, hash, &k);
	MUST(removed == (m.value[key] != NONE));
	if (!removed)
		return;
	m.key_ends++;
	m.value_ends += !m.shape->set;
	model_set(key, NONE);
}

/* Take out what is at an index. */
static void take_place(size_t index)
{
	uint8_t key[BYTES_MOST], value[BYTES_MOST];
	ValueMutPtr k = {key, m.shape->key_size, 1}, v = {value, m.shape->value_size, 1};
	uint64_t hash = table_hash(index);
	bool keep = random_below(2);
	uint32_t id;

	if (table_state(index) != 1) {
		MUST(table_take_at(index, &k, &v) == ChicHashMap_NotFound);
		return;
	}
	MUST(table_take_at(index, &k, keep ? &v : NULL) == ChicHashMap_Success);
	id = id_of(key, m.shape->key_size);
	MUST(is_bytes_of(id, key, m.shape->key_size) && hash == m.shape->hash(id));
	MUST(!keep || m.shape->set || is_bytes_of(m.value[id], value, m.shape->value_size));
	m.value_ends += !m.shape->set && !keep;
	model_set(id, NONE);
}

static void op_take_at(void)
{
	take_place(random_below(table_capacity() + 1));
}

static void op_take_all(void)
{
	for (size_t i = 0, cap = table_capacity(); i < cap; i++)
		take_place(i);
	MUST(m.len == 0);
}

static void op_clear(void)
{
	size_t cap = table_capacity();

	MUST((m.shape->set ? (int32_t)chic_rt_hashset_clear(&m.at->set)
			   : (int32_t)chic_rt_hashmap_clear(&m.at->map)) == 0);
	MUST(table_capacity() == cap);
	m.key_ends += m.len;
	m.value_ends += m.shape->set ? 0 : m.len;
	memset(m.value, 0, sizeof(m.value));
	m.len = 0;
}

static void op_reserve(void)
{
	size_t n = random_below(200);
	int32_t status = m.shape->set ? (int32_t)chic_rt_hashset_reserve(&m.at->set, n)
				      : (int32_t)chic_rt_hashmap_reserve(&m.at->map, n);

	if (was_done(status))
		MUST(!n || table_capacity() * 7 >= (m.len + n) * 10);
}

static void op_shrink(void)
{
	size_t n = random_below(100), most = m.len > n ? m.len : n;
	int32_t status = m.shape->set ? (int32_t)chic_rt_hashset_shrink_to(&m.at->set, n)
				      : (int32_t)chic_rt_hashmap_shrink_to(&m.at->map, n);

	if (was_done(status) && most)
		MUST(table_capacity() <= 8 || table_capacity() / 2 * 7 < most * 10);
}

/* Bytes elsewhere, the old ones spoilt. */
static void op_move(void)
{
	union both *to = m.at == &m.room[0] ? &m.room[1] : &m.room[0];

	*to = *m.at;
	memset(m.at, 0xaa, sizeof(*m.at));
	m.at = to;
}

static const struct operation operations[] = {
	{op_put, 400}, {op_look, 100},	 {op_take, 150},  {op_remove, 100}, {op_take_at, 50},
	{op_clear, 1}, {op_take_all, 1}, {op_reserve, 8}, {op_shrink, 4},   {op_move, 10},
};

/* ---- runs ---- */

static void begin(const struct shape *shape)
{
	memset(&m, 0, sizeof(m));
	m.shape = shape;
	m.at = &m.room[0];
	m.next_value = 1;
	make_table(random_below(2) * random_below(1000));
}

static void end(void)
{
	check_all();
	if (m.shape->set)
		chic_rt_hashset_drop(&m.at->set);
	else
		chic_rt_hashmap_drop(&m.at->map);
	m.key_ends += m.len;
	m.value_ends += m.shape->set ? 0 : m.len;
	MUST(m.key_drops == m.key_ends && m.value_drops == m.value_ends);
}

START_TEST(tables_are_what_arrays_are)
{
	random_begin(_i);
	begin(&shapes[_i % SHAPES]);
	for (int i = 0; i < OPERATIONS; i++) {
		m.refuse = refuse_some();
		operate(operations, sizeof(operations) / sizeof(operations[0]));
		ledger_failed();
		MUST(table_len() == m.len);
		MUST(m.key_drops == m.key_ends && m.value_drops == m.value_ends);
		if (i % 5000 == 0)
			check_all();
	}
	end();
	ledger_nothing_left();
}
END_TEST

static Suite *make_suite(void)
{
	return model_suite("map model", tables_are_what_arrays_are, SHAPES * SEEDS);
}

CHECK_MAIN(make_suite)
