// SPDX-License-Identifier: BSD-2-Clause
/*
 * Numbers to numbers: khash, and a map of the runtime whose keys are compared by bytes,
 * looked up by the header's inline function or by the call, or by a callback.  The hash
 * is khash's own for all of them.  Keys are put in without room reserved, then looked up
 * in another order.
 */
#include "runtime.h"

#include <chic_rt.h>
#include <htslib/khash.h>

KHASH_MAP_INIT_INT64(numbers, uint64_t)

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

/* ---- the runtime ---- */

static int32_t same_number(const void *a, const void *b)
{
	return *(const uint64_t *)a == *(const uint64_t *)b;
}

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

int main(int argc, char **argv)
{
	static const struct candidate insert[] = {
		{"khash", khash_insert},
		{"again", khash_insert},
		{"chic_rt_hashmap_insert, bytes", bytes_insert},
		{"chic_rt_hashmap_insert, callback", callback_insert},
	};
	static const struct candidate find[] = {
		{"khash", khash_find},
		{"again", khash_find},
		{"chic_hashmap_get", inline_find},
		{"chic_rt_hashmap_get_ptr, bytes", bytes_find},
		{"chic_rt_hashmap_get_ptr, callback", callback_find},
	};
	static const struct {
		size_t entries;
		bool sequential;
	} runs[] = {{1000, false}, {90000, false}, {2000000, false}, {1000000, true}};
	unsigned rounds = bench_rounds(argc, argv);
	char title[100];

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		entries = runs[i].entries;
		sequential = runs[i].sequential;
		snprintf(title, sizeof(title), "%zu %s keys put in", entries,
			 sequential ? "sequential" : "scattered");
		bench_run(title, insert, 4, rounds);
		snprintf(title, sizeof(title), "%zu %s keys found", entries,
			 sequential ? "sequential" : "scattered");
		bench_run(title, find, 5, rounds);
	}
	return 0;
}
