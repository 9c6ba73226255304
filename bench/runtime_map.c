// SPDX-License-Identifier: BSD-2-Clause
/*
 * Numbers to numbers: khash, which is all inline, beside the header's inline functions;
 * then khash behind a call to a function that asks a callback for equality, beside the
 * calls of the runtime.  The hash is khash's own for all of them.  Keys are put in
 * without room reserved, then looked up in another order.
 */
#include "runtime.h"

#include <chic_rt.h>
#include <htslib/khash.h>

KHASH_MAP_INIT_INT64(numbers, uint64_t)

typedef int32_t (*equality)(const void *a, const void *b);

static int32_t same_number(const void *a, const void *b)
{
	return *(const uint64_t *)a == *(const uint64_t *)b;
}

/* What nobody can make part of its caller. */
static volatile equality callback = same_number;

#define same_by_callback(a, b) (callback(&(a), &(b)))
KHASH_INIT(called, khint64_t, uint64_t, 1, kh_int64_hash_func, same_by_callback)

static size_t entries;
static bool sequential;

/* Different ones of an odd factor; neighbours where keys are sequential. */
static uint64_t key_of(uint64_t n)
{
	if (sequential)
		return n;
	n *= UINT64_C(0xbf58476d1ce4e5b9);
	return n ^ n >> 31;
}

static uint64_t in_another_order(uint64_t n)
{
	return key_of((n * 7919 + 17) % entries);
}

/* So many times that it takes some milliseconds. */
static unsigned repeats(void)
{
	return entries < 100000 ? 3000000 / entries : 1;
}

/* ---- khash ---- */

static khash_t(numbers) * khash_made(void)
{
	khash_t(numbers) *map = kh_init(numbers);
	int how;

	for (uint64_t n = 0; n < entries; n++) {
		uint64_t key = key_of(n);
		khint_t at = kh_put(numbers, map, key, &how);

		bench_must(how >= 0, "khash has no memory");
		kh_value(map, at) = n;
	}
	return map;
}

static double khash_insert(void)
{
	double start = bench_now();

	for (unsigned i = 0; i < repeats(); i++)
		kh_destroy(numbers, khash_made());
	return (bench_now() - start) / entries / repeats();
}

static double khash_find(void)
{
	khash_t(numbers) *map = khash_made();
	double start = bench_now();
	uint64_t sum = 0;

	for (unsigned i = 0; i < repeats(); i++)
		for (uint64_t n = 0; n < entries; n++) {
			khint_t at = kh_get(numbers, map, in_another_order(n));

			sum += at == kh_end(map) ? 0 : kh_value(map, at);
		}
	bench_must(sum == entries * (entries - 1) / 2 * repeats(), "khash lost a key");
	return (bench_now() - start) / entries / repeats();
}

/* ---- khash behind a call ---- */

static __attribute__((noinline)) void called_put(khash_t(called) * map, uint64_t key,
						 uint64_t value)
{
	int how;
	khint_t at = kh_put(called, map, key, &how);

	bench_must(how >= 0, "khash has no memory");
	kh_value(map, at) = value;
}

static __attribute__((noinline)) const uint64_t *called_get(const khash_t(called) * map,
							    uint64_t key)
{
	khint_t at = kh_get(called, map, key);

	return at == kh_end(map) ? NULL : &kh_value(map, at);
}

static khash_t(called) * called_made(void)
{
	khash_t(called) *map = kh_init(called);

	for (uint64_t n = 0; n < entries; n++)
		called_put(map, key_of(n), n);
	return map;
}

static double called_insert(void)
{
	double start = bench_now();

	for (unsigned i = 0; i < repeats(); i++)
		kh_destroy(called, called_made());
	return (bench_now() - start) / entries / repeats();
}

static double called_find(void)
{
	khash_t(called) *map = called_made();
	double start = bench_now();
	uint64_t sum = 0;

	for (unsigned i = 0; i < repeats(); i++)
		for (uint64_t n = 0; n < entries; n++) {
			const uint64_t *value = called_get(map, in_another_order(n));

			sum += value ? *value : 0;
		}
	bench_must(sum == entries * (entries - 1) / 2 * repeats(), "khash lost a key");
	return (bench_now() - start) / entries / repeats();
}

/* ---- the runtime ---- */

static ValueConstPtr number(const uint64_t *n)
{
	return (ValueConstPtr){(const uint8_t *)n, sizeof(*n), _Alignof(uint64_t)};
}

static ChicHashMap map_made(uintptr_t equal)
{
	ChicHashMap map = chic_rt_hashmap_new(8, 8, 8, 8, 0, 0, equal);

	for (uint64_t n = 0; n < entries; n++) {
		uint64_t key = key_of(n);
		ValueConstPtr k = number(&key), v = number(&n);

		bench_must(chic_rt_hashmap_insert(&map, kh_int64_hash_func(key), &k, &v, NULL,
						  NULL) == ChicHashMap_Success,
			   "no memory");
	}
	return map;
}

static double map_insert(uintptr_t equal)
{
	double start = bench_now();

	for (unsigned i = 0; i < repeats(); i++) {
		ChicHashMap map = map_made(equal);

		chic_rt_hashmap_drop(&map);
	}
	return (bench_now() - start) / entries / repeats();
}

static double map_find(uintptr_t equal)
{
	ChicHashMap map = map_made(equal);
	double start = bench_now();
	uint64_t sum = 0;

	for (unsigned i = 0; i < repeats(); i++)
		for (uint64_t n = 0; n < entries; n++) {
			uint64_t key = in_another_order(n);
			ValueConstPtr k = number(&key);
			const uint64_t *value = (const uint64_t *)chic_rt_hashmap_get_ptr(
							&map, kh_int64_hash_func(key), &k)
							.ptr;

			sum += value ? *value : 0;
		}
	bench_must(sum == entries * (entries - 1) / 2 * repeats(), "a key is lost");
	return (bench_now() - start) / entries / repeats();
}

/* ---- the runtime, inline ---- */

static ChicHashMap inline_made(void)
{
	ChicHashMap map = chic_rt_hashmap_new(8, 8, 8, 8, 0, 0, 0);

	for (uint64_t n = 0; n < entries; n++) {
		uint64_t key = key_of(n);

		bench_must(chic_hashmap_insert(&map, kh_int64_hash_func(key), &key, sizeof(key),
					       &n, sizeof(n)) == ChicHashMap_Success,
			   "no memory");
	}
	return map;
}

static double inline_insert(void)
{
	double start = bench_now();

	for (unsigned i = 0; i < repeats(); i++) {
		ChicHashMap map = inline_made();

		chic_rt_hashmap_drop(&map);
	}
	return (bench_now() - start) / entries / repeats();
}

static double inline_find(void)
{
	ChicHashMap map = map_made(0);
	double start = bench_now();
	uint64_t sum = 0;

	for (unsigned i = 0; i < repeats(); i++)
		for (uint64_t n = 0; n < entries; n++) {
			uint64_t key = in_another_order(n);
			const uint64_t *value = (const uint64_t *)chic_hashmap_get(
				&map, kh_int64_hash_func(key), &key, sizeof(key));

			sum += value ? *value : 0;
		}
	bench_must(sum == entries * (entries - 1) / 2 * repeats(), "a key is lost");
	return (bench_now() - start) / entries / repeats();
}

static double inline_find_by(void)
{
	ChicHashMap map = map_made((uintptr_t)same_number);
	double start = bench_now();
	uint64_t sum = 0;

	for (unsigned i = 0; i < repeats(); i++)
		for (uint64_t n = 0; n < entries; n++) {
			uint64_t key = in_another_order(n);
			const uint64_t *value = (const uint64_t *)chic_hashmap_get_by(
				&map, kh_int64_hash_func(key), &key, same_number);

			sum += value ? *value : 0;
		}
	bench_must(sum == entries * (entries - 1) / 2 * repeats(), "a key is lost");
	return (bench_now() - start) / entries / repeats();
}

static double bytes_insert(void)
{
	return map_insert(0);
}

static double bytes_find(void)
{
	return map_find(0);
}

static double callback_insert(void)
{
	return map_insert((uintptr_t)same_number);
}

static double callback_find(void)
{
	return map_find((uintptr_t)same_number);
}

static const struct candidate insert[] = {
	{"khash", khash_insert},
	{"again", khash_insert},
	{"chic_hashmap_insert", inline_insert},
};

static const struct candidate insert_called[] = {
	{"khash behind a call, callback", called_insert},
	{"again", called_insert},
	{"chic_rt_hashmap_insert, callback", callback_insert},
	{"chic_rt_hashmap_insert, bytes", bytes_insert},
	{"khash, inline", khash_insert},
};

static const struct candidate find[] = {
	{"khash", khash_find},
	{"again", khash_find},
	{"chic_hashmap_get", inline_find},
	{"chic_hashmap_get_by", inline_find_by},
};

static const struct candidate find_called[] = {
	{"khash behind a call, callback", called_find},
	{"again", called_find},
	{"chic_rt_hashmap_get_ptr, callback", callback_find},
	{"chic_rt_hashmap_get_ptr, bytes", bytes_find},
	{"khash, inline", khash_find},
};

static void run(const char *what, const struct candidate *c, unsigned n, unsigned rounds)
{
	char title[100];

	snprintf(title, sizeof(title), "%zu %s keys %s", entries,
		 sequential ? "sequential" : "scattered", what);
	bench_run(title, c, n, rounds);
}

int main(int argc, char **argv)
{
	static const struct {
		size_t entries;
		bool sequential;
	} runs[] = {{1000, false}, {90000, false}, {2000000, false}, {1000000, true}};
	unsigned rounds = bench_rounds(argc, argv);

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		entries = runs[i].entries;
		sequential = runs[i].sequential;
		run("put in", insert, 3, rounds);
		run("put in, by calls", insert_called, 5, rounds);
		run("found", find, 4, rounds);
		run("found, by calls", find_called, 5, rounds);
	}
	return 0;
}
