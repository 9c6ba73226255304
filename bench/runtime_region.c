// SPDX-License-Identifier: BSD-2-Clause
/*
 * Regions: a block beside apr_palloc's, and exit beside freeing one by one.
 */
#include "runtime.h"

#include <apr_pools.h>
#include <limits.h>
#include <malloc.h>

#include <chic_rt.h>

enum { BLOCKS = 1000000, SMALL_REGIONS = 2000, SMALL_BLOCKS = 500 };

static const size_t sizes[16] = {16, 24,  32, 8,  48, 64,  16, 40,
				 24, 100, 16, 32, 8,  200, 24, 56};

static void touch(void *p)
{
	bench_must(p != NULL, "no memory");
	*(volatile char *)p = 1;
}

/* ---- a million blocks in one region, its end not timed ---- */

static double apr_many(void)
{
	apr_pool_t *pool = NULL;
	double start;

	apr_initialize();
	apr_pool_create(&pool, NULL);
	start = bench_now();
	for (int i = 0; i < BLOCKS; i++)
		touch(apr_palloc(pool, sizes[i % 16]));
	return (bench_now() - start) / BLOCKS;
}

static double region_many(void)
{
	RegionHandle region = chic_rt_region_enter(1);
	double start = bench_now();

	for (int i = 0; i < BLOCKS; i++)
		touch(chic_rt_region_alloc(region, sizes[i % 16], 8).ptr);
	return (bench_now() - start) / BLOCKS;
}

static double hooks_many(void)
{
	double start = bench_now();

	for (int i = 0; i < BLOCKS; i++)
		touch(chic_rt_alloc(sizes[i % 16], 8).ptr);
	return (bench_now() - start) / BLOCKS;
}

/* ---- many small regions: begin, some blocks, end ---- */

static double apr_small(void)
{
	apr_pool_t *parent = NULL, *pool = NULL;
	double start;

	apr_initialize();
	apr_pool_create(&parent, NULL);
	start = bench_now();
	for (int r = 0; r < SMALL_REGIONS; r++) {
		apr_pool_create(&pool, parent);
		for (int i = 0; i < SMALL_BLOCKS; i++)
			touch(apr_palloc(pool, sizes[i % 16]));
		apr_pool_destroy(pool);
	}
	return (bench_now() - start) / SMALL_REGIONS / SMALL_BLOCKS;
}

static double region_small(void)
{
	double start = bench_now();

	for (int r = 0; r < SMALL_REGIONS; r++) {
		RegionHandle region = chic_rt_region_enter(1);

		for (int i = 0; i < SMALL_BLOCKS; i++)
			touch(chic_rt_region_alloc(region, sizes[i % 16], 8).ptr);
		chic_rt_region_exit(region);
	}
	return (bench_now() - start) / SMALL_REGIONS / SMALL_BLOCKS;
}

/* ---- the end of a million blocks ---- */

static ValueMutPtr block[BLOCKS];

static double free_each(void)
{
	double start;

	for (int i = 0; i < BLOCKS; i++) {
		block[i] = chic_rt_alloc(sizes[i % 16], 8);
		touch(block[i].ptr);
	}
	start = bench_now();
	for (int i = 0; i < BLOCKS; i++)
		chic_rt_free(block[i]);
	return (bench_now() - start) / BLOCKS;
}

/* What the C library's heap keeps goes to the kernel as well. */
static double free_each_and_trim(void)
{
	double ns = free_each(), start = bench_now();

	malloc_trim(0);
	return ns + (bench_now() - start) / BLOCKS;
}

static double region_exit(void)
{
	RegionHandle region = chic_rt_region_enter(1);
	double start;

	for (int i = 0; i < BLOCKS; i++) {
		block[i] = chic_rt_region_alloc(region, sizes[i % 16], 8);
		touch(block[i].ptr);
	}
	start = bench_now();
	chic_rt_region_exit(region);
	return (bench_now() - start) / BLOCKS;
}

/* What is freed stays with the C library's heap, as with heaps that give back later. */
static void keep_memory(void)
{
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

static double free_each_kept(void)
{
	keep_memory();
	return free_each();
}

static double region_exit_kept(void)
{
	keep_memory();
	return region_exit();
}

int main(int argc, char **argv)
{
	static const struct candidate many[] = {
		{"apr_palloc", apr_many},
		{"again", apr_many},
		{"chic_rt_region_alloc", region_many},
		{"chic_rt_alloc", hooks_many},
	};
	static const struct candidate small[] = {
		{"apr pools", apr_small},
		{"again", apr_small},
		{"regions", region_small},
	};
	static const struct candidate end[] = {
		{"chic_rt_free of each", free_each},
		{"again", free_each},
		{"chic_rt_region_exit", region_exit},
		{"of each, and malloc_trim", free_each_and_trim},
	};
	static const struct candidate end_kept[] = {
		{"chic_rt_free of each", free_each_kept},
		{"again", free_each_kept},
		{"chic_rt_region_exit", region_exit_kept},
	};
	unsigned rounds = bench_rounds(argc, argv);

	bench_run("a block, of a million in one region", many, 4, rounds);
	bench_run("a block, of 500 in a region, its begin and end included", small, 3, rounds);
	bench_run("the end of a million blocks, per block; the kernel takes the pages", end, 4,
		  rounds);
	bench_run("the same; the heap keeps its pages", end_kept, 3, rounds);
	return 0;
}
