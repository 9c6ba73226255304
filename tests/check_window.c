// SPDX-License-Identifier: BSD-2-Clause
/*
 * Windows: blocks that chic_rt_alloc cuts by itself are blocks of the arena in every
 * respect, and are not cut where somebody above wants to see them.
 */
#define _GNU_SOURCE
#include "conf_support.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

CHIC_ALLOC_MANUAL();

#define BLOCKS 5000

static ValueMutPtr blocks[BLOCKS];

static void setup(void)
{
	conf_begin(TEST_MODULE_DIR);
}

/* The arena is not where the fixtures are. */
static void load(const char *stack)
{
	const char *modules = getenv("CHIC_ALLOC_MODULEDIR");

	conf_write("[allocator]\nlog = none\nmodule = %s\n"
		   "[module counting]\npath = %s/counting.so\n"
		   "[module arena]\npath = %s/arena.so",
		   stack, modules, modules);
	ck_assert_msg(chic_alloc_load(conf) == 0, "%s: %s", stack, chic_alloc_message());
}

static void take_innermost(struct layer *layer, void *arg)
{
	struct layer **found = arg;

	if (!*found)
		*found = layer;
}

static struct layer *arena(void)
{
	struct layer *found = NULL;

	loader_each_layer(take_innermost, &found, true);
	return found;
}

/* The calling thread's; null before it has one. */
static struct chic_window *window(void)
{
	return thread_self->words[arena()->word];
}

static int tell_live(const struct chic_alloc_info *info, void *arg)
{
	if (info->is_default)
		*(size_t *)arg = info->live_blocks;
	return 0;
}

static size_t live(void)
{
	size_t n = 0;

	chic_alloc_each(tell_live, &n);
	return n;
}

/* What the next request finds is a window. */
static void open_window(void)
{
	chic_rt_free(chic_rt_alloc(1, 1));
	ck_assert_ptr_nonnull(window());
	ck_assert_uint_gt(window()->end - window()->next, 2 * CHIC_WINDOW_MAX);
}

static _Atomic unsigned asked;

static ValueMutPtr count_asked(void *ctx, size_t size, size_t align)
{
	asked++;
	return arena()->module->exports.alloc(ctx, size, align);
}

/* From now on each request that the arena is asked for is seen; the table is ours alone. */
static void watch_arena(void)
{
	struct table *t = (struct table *)hooks_table;

	t->alloc.fn = count_asked;
	asked = 0;
}

static bool is_cut(size_t size, size_t align)
{
	unsigned before = asked;
	ValueMutPtr block = chic_rt_alloc(size, align);

	ck_assert(!block.ptr == (size == 0 || (align & (align - 1))));
	ck_assert_uint_eq(block.size, size);
	ck_assert_uint_eq(block.align, align + !align);
	ck_assert_uint_eq((uintptr_t)block.ptr % (align + !align), 0);
	chic_rt_free(block);
	return asked == before && block.ptr;
}

START_TEST(what_is_small_is_cut_and_nothing_else)
{
	load("arena");
	open_window();
	watch_arena();
	for (size_t size = 1; size <= CHIC_WINDOW_MAX; size++)
		for (size_t align = 1; align <= CHIC_MALLOC_ALIGN; align *= 2)
			ck_assert(is_cut(size, align));
	ck_assert(!is_cut(CHIC_WINDOW_MAX + 1, 8));
	ck_assert(!is_cut(8, 2 * CHIC_MALLOC_ALIGN));
	ck_assert(!is_cut(8, 0)); /* is 1, but asked for */
	ck_assert(!is_cut(8, 3));
	ck_assert(!is_cut(8, 12));
	ck_assert(!is_cut(0, 8));
	ck_assert_ptr_null(chic_rt_alloc(SIZE_MAX, 8).ptr);
	ck_assert_ptr_null(chic_rt_alloc(SIZE_MAX - 7, 16).ptr);
	ck_assert_uint_eq(live(), 0);
}
END_TEST

static void fill(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t size = 1 + i * 37 % CHIC_WINDOW_MAX;

		blocks[i] = chic_rt_alloc(size, 8);
		ck_assert_ptr_nonnull(blocks[i].ptr);
		memset(blocks[i].ptr, (int)i, size);
	}
}

static void check_block(const ValueMutPtr *b, int byte, size_t size)
{
	for (size_t k = 0; k < size; k++)
		if (b->ptr[k] != (uint8_t)byte)
			ck_abort_msg("byte %zu of %zu", k, size);
}

/* Many chunks full; most blocks are cut, and the module knows them all. */
START_TEST(blocks_are_the_arenas_own)
{
	const struct module_exports *e;
	void *ctx;

	load("arena");
	open_window();
	watch_arena();
	fill(BLOCKS);
	ck_assert_uint_lt(asked, BLOCKS / 20);
	ck_assert_uint_gt(asked, 10);
	ck_assert_uint_eq(live(), BLOCKS);
	e = &arena()->module->exports;
	ctx = arena()->ctx;
	for (size_t i = 0; i < BLOCKS; i++) {
		ck_assert(e->owns(ctx, blocks[i].ptr));
		ck_assert_uint_eq(e->usable_size(ctx, blocks[i].ptr), blocks[i].size);
		check_block(&blocks[i], (int)i, blocks[i].size);
	}
	for (size_t i = 0; i < BLOCKS; i += 2)
		ck_assert_uint_eq(e->mfree(ctx, blocks[i].ptr), blocks[i].size);
	for (size_t i = 1; i < BLOCKS; i += 2)
		chic_rt_free(blocks[i]);
}
END_TEST

START_TEST(counters_are_exact)
{
	size_t bytes = 0;
	AllocationTelemetry t;

	load("arena");
	open_window();
	chic_rt_reset_alloc_stats();
	fill(1000);
	for (size_t i = 0; i < 1000; i++)
		bytes += blocks[i].size;
	t = chic_rt_alloc_stats();
	ck_assert_uint_eq(t.alloc_calls, 1000);
	ck_assert_uint_eq(t.alloc_bytes, bytes);
	for (size_t i = 0; i < 1000; i++)
		chic_rt_free(blocks[i]);
	t = chic_rt_alloc_stats();
	ck_assert_uint_eq(t.free_calls, 1000);
	ck_assert_uint_eq(t.freed_bytes, bytes);
	ck_assert_msg(chic_alloc_unload() == 0, "%s", chic_alloc_message());
}
END_TEST

START_TEST(last_block_grows_in_place_and_goes_back)
{
	ValueMutPtr a, b;

	load("arena");
	open_window();
	a = chic_rt_alloc(100, 8);
	memset(a.ptr, 7, 100);
	b = chic_rt_realloc(a, 100, 500, 8);
	ck_assert_ptr_eq(b.ptr, a.ptr);
	check_block(&b, 7, 100);
	a = chic_rt_alloc(10, 8);
	ck_assert(a.ptr >= b.ptr + 500);
	chic_rt_free(a);
	b = chic_rt_realloc(b, 500, 20, 8);
	a = chic_rt_alloc_zeroed(1000, 8);
	check_block(&a, 0, 1000);
	ck_assert(a.ptr >= b.ptr + 20 && a.ptr < b.ptr + 64);
	chic_rt_free(b);
	chic_rt_free(a);
	ck_assert_uint_eq(window()->blocks, 0);
}
END_TEST

START_TEST(reset_drops_them)
{
	size_t dropped;
	void *first;

	load("arena");
	open_window();
	first = window()->next;
	for (int turn = 0; turn < 3; turn++) {
		fill(BLOCKS);
		ck_assert_ptr_eq(blocks[0].ptr, first);
		ck_assert_int_eq(chic_alloc_reset(&dropped), 0);
		ck_assert_uint_eq(dropped, BLOCKS);
		ck_assert_uint_eq(live(), 0);
		ck_assert_ptr_eq(window()->next, window()->end);
	}
	ck_assert_int_eq(chic_alloc_unload(), 0);
}
END_TEST

/* At its end a thread's blocks are others' to free, and its window the next thread's. */
static void *fill_some(void *arg)
{
	ValueMutPtr *out = arg;

	for (int i = 0; i < 100; i++) {
		out[i] = chic_rt_alloc(100, 8);
		memset(out[i].ptr, i, 100);
	}
	return window();
}

START_TEST(threads_come_and_go)
{
	void *windows[4];
	pthread_t t;

	load("arena");
	open_window();
	for (int turn = 0; turn < 4; turn++) {
		pthread_create(&t, NULL, fill_some, blocks + turn * 100);
		pthread_join(t, &windows[turn]);
		ck_assert_ptr_ne(windows[turn], window());
	}
	ck_assert_ptr_eq(windows[0], windows[3]);
	for (int i = 0; i < 400; i++) {
		check_block(&blocks[i], i % 100, 100);
		chic_rt_free(blocks[i]);
	}
	ck_assert_uint_eq(live(), 0);
	ck_assert_int_eq(chic_alloc_unload(), 0);
}
END_TEST

static void *churn(void *arg)
{
	ValueMutPtr held[64] = {0};
	unsigned seed = (unsigned)(uintptr_t)arg;

	for (int i = 0; i < 50000; i++) {
		ValueMutPtr *b = &held[(seed = seed * 1103515245 + 12345) >> 16 & 63];

		if (b->ptr) {
			if (b->ptr[0] != (uint8_t)b->size ||
			    b->ptr[b->size - 1] != (uint8_t)b->size)
				ck_abort_msg("a block was changed");
			chic_rt_free(*b);
		}
		*b = chic_rt_alloc(1 + seed % 1500, 8);
		b->ptr[0] = b->ptr[b->size - 1] = (uint8_t)b->size;
	}
	for (int i = 0; i < 64; i++)
		chic_rt_free(held[i]);
	return NULL;
}

START_TEST(threads_at_once)
{
	pthread_t t[4];

	load("arena");
	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, churn, (void *)(i + 1));
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	ck_assert_uint_eq(live(), 0);
}
END_TEST

START_TEST(a_child_goes_on_with_it)
{
	int status;
	pid_t pid;

	load("arena");
	open_window();
	fill(10);
	pid = fork();
	if (pid == 0) {
		for (size_t i = 0; i < 10; i++)
			check_block(&blocks[i], (int)i, blocks[i].size);
		fill(BLOCKS);
		_exit(live() == BLOCKS + 10 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(live(), 10);
}
END_TEST

/* ------------------------------------------------ what lies above, or below -- */

START_TEST(whoever_is_above_sees_each_block)
{
	load("good_filter, arena");
	ck_assert_uint_eq(hooks_table->window_sizes, 0);
	ck_assert_int_eq(chic_alloc_unload(), 0);
	load("counting, arena");
	ck_assert_uint_eq(hooks_table->window_sizes, 0);
	fill(100);
	ck_assert_int_eq(chic_alloc_reset(NULL), 0);
	ck_assert_int_eq(chic_alloc_unload(), 0);
	load("good_mixed, arena");
	ck_assert_uint_eq(hooks_table->window_sizes, 0);
}
END_TEST

START_TEST(a_filter_that_leaves_all_is_passed)
{
	load("filter_empty, arena");
	ck_assert_uint_eq(hooks_table->window_sizes, CHIC_WINDOW_MAX);
	open_window();
	watch_arena();
	ck_assert(is_cut(100, 8));
	load("arena, counting");
	ck_assert_uint_eq(hooks_table->window_sizes, CHIC_WINDOW_MAX);
	load("good_heap");
	ck_assert_uint_eq(hooks_table->window_sizes, 0);
}
END_TEST

static ValueMutPtr own_alloc(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return (ValueMutPtr){.ptr = NULL, .size = size, .align = align};
}

START_TEST(what_is_installed_sees_each_request)
{
	const ChicAllocatorVTable alloc = {.alloc = own_alloc};
	ChicAllocatorVTable rest;

	load("arena");
	open_window();
	chic_rt_allocator_install(alloc);
	ck_assert_ptr_null(chic_rt_alloc(100, 8).ptr);
	/* without an entry for it the default's is used as ever */
	rest = (ChicAllocatorVTable){.alloc_zeroed = own_alloc};
	chic_rt_allocator_install(rest);
	ck_assert_uint_eq(hooks_table->window_sizes, CHIC_WINDOW_MAX);
	chic_rt_free(chic_rt_alloc(100, 8));
	chic_rt_allocator_reset();
	ck_assert_uint_eq(live(), 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("window");
	TCase *tc = tcase_create("window");

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_checked_fixture(tc, setup, conf_end);
	tcase_add_test(tc, what_is_small_is_cut_and_nothing_else);
	tcase_add_test(tc, blocks_are_the_arenas_own);
	tcase_add_test(tc, counters_are_exact);
	tcase_add_test(tc, last_block_grows_in_place_and_goes_back);
	tcase_add_test(tc, reset_drops_them);
	tcase_add_test(tc, threads_come_and_go);
	tcase_add_test(tc, threads_at_once);
	tcase_add_test(tc, a_child_goes_on_with_it);
	tcase_add_test(tc, whoever_is_above_sees_each_block);
	tcase_add_test(tc, a_filter_that_leaves_all_is_passed);
	tcase_add_test(tc, what_is_installed_sees_each_request);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
