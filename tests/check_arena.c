// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tests of modules/arena*.c, driven over the C library's heap.
 */
#define _GNU_SOURCE
#include "fault.h"
#include "module_common.h"

#include <sys/mman.h>

#define K 1024ul
#define M (K * K)

static struct chic_module_param params[] = {
	{.name = "chunk"},
	{.name = "cap"},
	{.name = "overflow"},
	{.name = "hugepages"},
};
static struct chic_module_args args;

static int start(size_t chunk, size_t cap, const char *overflow)
{
	int err;

	params[0].number = chunk;
	params[1].number = cap;
	params[2].text = overflow;
	support_args(&args, params, ARRAY_LENGTH(params));
	subject = (struct subject){
		SUBJECT(arena),
		.usable_size = arena_usable_size,
		.prefork = arena_prefork,
		.postfork_parent = arena_postfork_parent,
		.postfork_child = arena_postfork_child,
	};
	err = arena_init(&args, &libc_layer, &subject.ctx);
	on_thread_exit = arena_thread_exit;
	on_thread_exit_ctx = subject.ctx;
	return err;
}

static void stop(void)
{
	on_thread_exit = NULL;
	arena_exit(subject.ctx);
}

static void start_large(void)
{
	ck_assert_int_eq(start(64 * K, 1024 * M, "fail"), 0);
}

static void start_small(void)
{
	ck_assert_int_eq(start(4 * K, 64 * K, "lower"), 0);
}

static void start_small_fails(void)
{
	ck_assert_int_eq(start(4 * K, 64 * K, "fail"), 0);
}

static void *own(size_t size)
{
	void *p = arena_malloc(subject.ctx, size);

	ck_assert(arena_owns(subject.ctx, p));
	return p;
}

/* ---------------------------------------------------------------- blocks -- */

START_TEST(usable_size_is_what_was_asked)
{
	void *p = own(13);

	ck_assert_uint_eq(arena_usable_size(subject.ctx, p), 13);
	p = arena_remalloc(subject.ctx, p, 77777);
	ck_assert_uint_eq(arena_usable_size(subject.ctx, p), 77777);
	ck_assert_uint_eq(arena_mfree(subject.ctx, p), 77777);
}
END_TEST

START_TEST(owns_only_its_range)
{
	int local = 0;
	void *p = malloc(10);

	ck_assert(!arena_owns(subject.ctx, &local));
	ck_assert(!arena_owns(subject.ctx, p));
	ck_assert(!arena_owns(subject.ctx, NULL));
	ck_assert(!arena_owns(subject.ctx, (void *)UINTPTR_MAX));
	free(p);
}
END_TEST

START_TEST(last_blocks_of_the_chunk_are_given_back)
{
	void *a = own(100);
	void *b = own(200);

	arena_mfree(subject.ctx, b);
	arena_mfree(subject.ctx, a);
	ck_assert_ptr_eq(own(300), a);
}
END_TEST

START_TEST(a_block_in_the_middle_waits_for_its_chunk)
{
	void *a = own(100);
	char *b = own(100);

	memset(b, 5, 100);
	arena_mfree(subject.ctx, a);
	ck_assert((char *)own(100) > b);
	ck_assert(all_are(b, 5, 100));
}
END_TEST

START_TEST(last_block_grows_and_shrinks_in_place)
{
	void *a = own(100);
	void *b;

	ck_assert_ptr_eq(arena_remalloc(subject.ctx, a, 10000), a);
	ck_assert_ptr_eq(arena_remalloc(subject.ctx, a, 50), a);
	b = own(10);
	ck_assert((char *)b < (char *)a + 200);
	ck_assert_ptr_ne(arena_remalloc(subject.ctx, a, 10000), a);
}
END_TEST

START_TEST(a_block_in_the_middle_shrinks_and_grows_back)
{
	void *a = own(100);

	own(1);
	ck_assert_ptr_eq(arena_remalloc(subject.ctx, a, 10), a);
	ck_assert_uint_eq(arena_usable_size(subject.ctx, a), 10);
	ck_assert_ptr_eq(arena_remalloc(subject.ctx, a, 100), a);
	ck_assert_ptr_ne(arena_remalloc(subject.ctx, a, 150), a);
}
END_TEST

START_TEST(last_block_grows_to_the_end_of_its_chunk)
{
	char *a = own(1);

	ck_assert_ptr_eq(arena_remalloc(subject.ctx, a, 64 * K - 24), a);
	memset(a, 1, 64 * K - 24);
	ck_assert((char *)own(1) >= a + 64 * K - 24);
	ck_assert(all_are((unsigned char *)a, 1, 64 * K - 24));
	ck_assert_ptr_ne(arena_remalloc(subject.ctx, a, 64 * K - 23), a);
}
END_TEST

/* ---- chunks that are empty again ---- */

static void *free_one(void *p)
{
	arena_mfree(subject.ctx, p);
	return NULL;
}

#define MANY 10000

static void *many[MANY];

static void allocate_many(size_t size)
{
	for (size_t i = 0; i < MANY; i++)
		many[i] = arena_malloc(subject.ctx, size);
}

static void *free_many(void *arg)
{
	for (size_t i = 0; i < MANY; i++)
		arena_mfree(subject.ctx, many[i]);
	return arg;
}

/* No block of the second time lies where there was none the first time. */
static void check_reused(size_t size, void *(*free_first)(void *))
{
	char *low, *high;

	allocate_many(size);
	low = high = many[0];
	for (size_t i = 0; i < MANY; i++) {
		low = (char *)many[i] < low ? many[i] : low;
		high = (char *)many[i] > high ? many[i] : high;
	}
	free_first(NULL);
	allocate_many(size);
	for (size_t i = 0; i < MANY; i++)
		MUST((char *)many[i] >= low && (char *)many[i] <= high + 64 * K);
	free_many(NULL);
	ck_assert_uint_eq(arena_reset(subject.ctx), 0);
}

START_TEST(empty_chunks_are_used_again)
{
	check_reused(100, free_many);
}
END_TEST

static void *free_many_elsewhere(void *arg)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, free_many, arg), 0);
	pthread_join(thread, NULL);
	return arg;
}

START_TEST(chunks_that_others_emptied_are_used_again)
{
	check_reused(100, free_many_elsewhere);
}
END_TEST

START_TEST(a_chunk_that_others_emptied_begins_anew)
{
	size_t n = 0;

	for (many[n++] = own(10 * K); n < 6; n++)
		many[n] = own(10 * K);
	for (size_t i = 0; i < n; i++) {
		pthread_t thread;

		ck_assert_int_eq(pthread_create(&thread, NULL, free_one, many[i]), 0);
		pthread_join(thread, NULL);
	}
	ck_assert_ptr_eq(own(10 * K), many[0]);
	ck_assert_uint_eq(arena_reset(subject.ctx), 1);
}
END_TEST

START_TEST(a_chunk_without_a_block_begins_anew)
{
	void *a = own(100), *b = own(100), *c = own(100);

	arena_mfree(subject.ctx, a);
	arena_mfree(subject.ctx, c);
	arena_mfree(subject.ctx, b);
	ck_assert_ptr_eq(own(300), a);
}
END_TEST

START_TEST(zeroed_in_a_chunk_that_is_used_again)
{
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < MANY; i++) {
			many[i] = arena_calloc(subject.ctx, 1, 100);
			MUST(all_are(many[i], 0, 100));
			memset(many[i], 0xff, 100);
		}
		free_many(NULL);
	}
}
END_TEST

/* ---- runs ---- */

START_TEST(freed_runs_are_used_again_and_merged)
{
	char *a = own(300 * K), *b = own(300 * K), *c = own(300 * K);
	char *d;

	own(300 * K);
	arena_mfree(subject.ctx, a);
	arena_mfree(subject.ctx, c);
	arena_mfree(subject.ctx, b);
	ck_assert_ptr_eq(own(900 * K), a);
	arena_mfree(subject.ctx, a);
	ck_assert_ptr_eq(own(200 * K), a);
	d = own(600 * K);
	ck_assert(d > a && d < c + 300 * K);
}
END_TEST

START_TEST(the_last_run_goes_back_to_the_range)
{
	char *a = own(300 * K);

	arena_mfree(subject.ctx, a);
	ck_assert_ptr_eq(own(800 * M), a);
}
END_TEST

START_TEST(a_run_grows_into_a_freed_neighbour)
{
	char *a = own(300 * K), *b = own(900 * K);

	own(300 * K);
	memset(a, 7, 300 * K);
	arena_mfree(subject.ctx, b);
	ck_assert_ptr_eq(arena_remalloc(subject.ctx, a, 600 * K), a);
	ck_assert(all_are((unsigned char *)a, 7, 300 * K));
	ck_assert_ptr_eq(own(500 * K), a + 640 * K);
	ck_assert_ptr_ne(arena_remalloc(subject.ctx, a, 700 * K), a);
}
END_TEST

START_TEST(a_run_that_shrinks_gives_the_rest_back)
{
	char *a = own(900 * K);

	own(300 * K);
	ck_assert_ptr_eq(arena_remalloc(subject.ctx, a, 100 * K), a);
	ck_assert_uint_eq(arena_usable_size(subject.ctx, a), 100 * K);
	ck_assert_ptr_eq(own(500 * K), a + 128 * K);
}
END_TEST

struct run {
	size_t *p, size;
};

static void run_fill(struct run *run, size_t size)
{
	run->size = size / sizeof(size_t);
	run->p[0] = run->p[run->size - 1] = run->size;
}

static void run_check(const struct run *run)
{
	MUST(run->p[0] == run->size && run->p[run->size - 1] == run->size);
}

START_TEST(runs_come_and_go)
{
	struct run runs[50] = {{NULL, 0}};
	unsigned seed = 5;

	for (int i = 0; i < 20000; i++) {
		struct run *run = &runs[rand_r(&seed) % 50];
		size_t size = 20 * K + (size_t)rand_r(&seed) % (600 * K);

		if (run->p)
			run_check(run);
		if (run->p && i % 3) {
			arena_mfree(subject.ctx, run->p);
			run->p = NULL;
			continue;
		}
		if (run->p) {
			run->p = arena_remalloc(subject.ctx, run->p, size);
			MUST(run->p[0] == run->size);
		} else {
			run->p = own(size);
		}
		run_fill(run, size);
	}
	for (size_t i = 0; i < 50; i++)
		if (runs[i].p)
			arena_mfree(subject.ctx, runs[i].p);
	ck_assert_uint_eq(arena_reset(subject.ctx), 0);
	ck_assert_int_eq(lower_live, 0);
}
END_TEST

/* ---- alignment ---- */

START_TEST(alignment_beyond_the_chunk)
{
	static const size_t aligns[] = {4 * K, 64 * K, 2 * M, 64 * M};
	char *before = own(100);

	for (size_t i = 0; i < ARRAY_LENGTH(aligns); i++) {
		char *small = arena_memalign(subject.ctx, aligns[i], 24);
		char *large = arena_memalign(subject.ctx, aligns[i], 3 * M);

		ck_assert(arena_owns(subject.ctx, small) && arena_owns(subject.ctx, large));
		ck_assert(is_aligned(small, aligns[i]) && is_aligned(large, aligns[i]));
		ck_assert(small + 24 <= large || large + 3 * M <= small);
		memset(small, 1, 24);
		memset(large, 2, 3 * M);
		ck_assert_uint_eq(arena_mfree(subject.ctx, small), 24);
		ck_assert_uint_eq(arena_mfree(subject.ctx, large), 3 * M);
	}
	arena_mfree(subject.ctx, before);
	ck_assert_uint_eq(arena_reset(subject.ctx), 0);
}
END_TEST

/* What an aligned run leaves out before it and behind is free. */
START_TEST(nothing_is_lost_to_alignment)
{
	for (int i = 0; i < 1000; i++) {
		own(64 * K);
		MUST(arena_owns(subject.ctx, arena_memalign(subject.ctx, 2 * M, 64 * K)));
		if (i % 10 == 9)
			arena_reset(subject.ctx);
	}
	for (int i = 0; i < 400; i++)
		MUST(arena_owns(subject.ctx, arena_memalign(subject.ctx, 2 * M, 64 * K)));
}
END_TEST

START_TEST(last_run_grows_in_place)
{
	char *a = own(100 * K);

	memset(a, 5, 100 * K);
	ck_assert_ptr_eq(arena_remalloc(subject.ctx, a, 10 * M), a);
	ck_assert(all_are(a, 5, 100 * K));
	ck_assert(all_are(a + 104 * K, 0, 9 * M));
	own(100 * K);
	ck_assert_ptr_ne(arena_remalloc(subject.ctx, a, 20 * M), a);
}
END_TEST

START_TEST(large_freed_blocks_give_memory_back)
{
	char *p = own(10 * M);

	memset(p, 5, 10 * M);
	arena_mfree(subject.ctx, p);
	ck_assert(all_are(p + 4 * K, 0, 9 * M));
}
END_TEST

/* ----------------------------------------------------------------- cap -- */

static size_t fill_up(size_t size)
{
	size_t n = 0;

	while (arena_alloc(subject.ctx, size, 8).ptr)
		n++;
	return n;
}

START_TEST(lower_serves_what_the_cap_leaves_out)
{
	ValueMutPtr a = arena_alloc(subject.ctx, 100 * K, 8);
	void *p = arena_malloc(subject.ctx, 100 * K);

	ck_assert_int_eq(lower_live, 2);
	ck_assert(!arena_owns(subject.ctx, p));
	ck_assert_uint_ge(arena_usable_size(subject.ctx, p), 100 * K);
	a = arena_realloc(subject.ctx, a, 100 * K, 10, 8);
	p = arena_remalloc(subject.ctx, p, 10);
	arena_free(subject.ctx, a);
	ck_assert_uint_ge(arena_mfree(subject.ctx, p), 10);
	ck_assert_int_eq(lower_live, 0);
}
END_TEST

START_TEST(a_block_can_grow_out_of_the_arena)
{
	void *p = own(1000);

	put_pattern(p, 1000);
	p = arena_remalloc(subject.ctx, p, 100 * K);
	ck_assert_int_eq(lower_live, 1);
	check_pattern(p, 1000);
	ck_assert_uint_eq(arena_reset(subject.ctx), SIZE_MAX);
	arena_mfree(subject.ctx, p);
	ck_assert_uint_eq(arena_reset(subject.ctx), 0);
}
END_TEST

START_TEST(reset_is_refused_over_blocks_of_lower)
{
	ValueMutPtr block = arena_alloc(subject.ctx, 100 * K, 8);
	char *p = own(100);

	put_pattern((unsigned char *)p, 100);
	ck_assert_uint_eq(arena_reset(subject.ctx), SIZE_MAX);
	check_pattern((unsigned char *)p, 100);
	ck_assert((char *)own(100) > p);
	block = arena_realloc(subject.ctx, block, 100 * K, 200 * K, 8);
	ck_assert_uint_eq(arena_reset(subject.ctx), SIZE_MAX);
	arena_free(subject.ctx, block);
	ck_assert_uint_eq(arena_reset(subject.ctx), 2);
}
END_TEST

/* Of what was freed, nothing stays away for ever. */
START_TEST(churning_does_not_reach_the_cap)
{
	for (int i = 0; i < 20000; i++) {
		void *a = arena_malloc(subject.ctx, 300);
		void *b = arena_malloc(subject.ctx, 5 * K);

		if (i >= 50)
			arena_mfree(subject.ctx, many[i % 50]);
		many[i % 50] = a;
		arena_mfree(subject.ctx, b);
		MUST(lower_live == 0);
	}
}
END_TEST

START_TEST(past_the_cap_fails_if_told_so)
{
	ValueMutPtr block = arena_alloc(subject.ctx, 100, 8);

	put_pattern(block.ptr, 100);
	ck_assert_uint_ge(fill_up(900), 55);
	block = arena_realloc(subject.ctx, block, 100, 3000, 8);
	ck_assert_ptr_null(block.ptr);
	ck_assert_uint_eq(block.size, 3000);
	ck_assert_uint_eq(block.align, 8);
	ck_assert_int_eq(lower_live, 0);
}
END_TEST

START_TEST(failed_realloc_leaves_the_block)
{
	char *p = own(100);

	put_pattern((unsigned char *)p, 100);
	fill_up(900);
	ck_assert_ptr_null(arena_remalloc(subject.ctx, p, 3000));
	check_pattern((unsigned char *)p, 100);
	ck_assert_uint_eq(arena_mfree(subject.ctx, p), 100);
}
END_TEST

/* --------------------------------------------------------------- reset -- */

START_TEST(reset_gives_everything_back_and_counts_the_live)
{
	size_t n = fill_up(900);

	ck_assert_uint_eq(arena_reset(subject.ctx), n);
	ck_assert_uint_eq(arena_reset(subject.ctx), 0);
	ck_assert_uint_eq(fill_up(900), n);
	ck_assert_uint_eq(arena_reset(subject.ctx), n);
}
END_TEST

START_TEST(reset_does_not_count_the_freed)
{
	void *a = own(100);

	own(100);
	own(20 * K);
	arena_mfree(subject.ctx, a);
	ck_assert_uint_eq(arena_reset(subject.ctx), 2);
}
END_TEST

START_TEST(memory_is_zero_after_reset)
{
	char *a = own(2000);

	memset(a, 0xff, 2000);
	arena_reset(subject.ctx);
	ck_assert_ptr_eq(arena_calloc(subject.ctx, 2, 1000), a);
	ck_assert(all_are(a, 0, 2000));
}
END_TEST

/* Pages of n bytes at p that are in memory. */
static size_t resident(char *p, size_t n)
{
	static unsigned char pages[64 * M / (4 * K)];
	size_t in = 0;

	MUST(n / (4 * K) <= sizeof(pages));
	ck_assert_int_eq(mincore((char *)((uintptr_t)p & ~(4 * K - 1)), n, pages), 0);
	for (size_t i = 0; i < n / (4 * K); i++)
		in += pages[i] & 1;
	return in;
}

START_TEST(reset_keeps_what_was_used_since_the_last)
{
	char *p = own(32 * M);

	memset(p, 1, 32 * M);
	arena_reset(subject.ctx);
	ck_assert_uint_eq(resident(p, 32 * M), 32 * M / (4 * K));
	ck_assert_ptr_eq(own(100 * K), p);
	arena_reset(subject.ctx);
	ck_assert_uint_lt(resident(p, 32 * M), 100);
	ck_assert(all_are((unsigned char *)arena_calloc(subject.ctx, 1, 32 * M), 0, 32 * M));
}
END_TEST

START_TEST(zeroed_after_reset)
{
	for (int round = 0; round < 3; round++) {
		unsigned char *run = arena_calloc(subject.ctx, 1, 200 * K);

		for (int i = 0; i < 2000; i++) {
			unsigned char *p = arena_calloc(subject.ctx, 1, 100);

			MUST(all_are(p, 0, 100));
			memset(p, 0xff, 100);
			memset(own(100), 0xff, 100);
		}
		ck_assert(all_are(run, 0, 200 * K));
		memset(run, 0xff, 200 * K);
		ck_assert_uint_eq(arena_reset(subject.ctx), 4001);
	}
}
END_TEST

#define EACH 3000

static pthread_barrier_t allocated, was_reset;

static void *allocate_twice(void *arg)
{
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < EACH; i++)
			memset(arena_malloc(subject.ctx, 100), 1, 100);
		pthread_barrier_wait(&allocated);
		pthread_barrier_wait(&was_reset);
	}
	return arg;
}

START_TEST(reset_takes_the_chunks_of_all_threads)
{
	pthread_t threads[COMMON_THREADS];

	pthread_barrier_init(&allocated, NULL, COMMON_THREADS + 1);
	pthread_barrier_init(&was_reset, NULL, COMMON_THREADS + 1);
	for (size_t i = 0; i < COMMON_THREADS; i++)
		pthread_create(&threads[i], NULL, allocate_twice, NULL);
	for (int round = 0; round < 2; round++) {
		pthread_barrier_wait(&allocated);
		ck_assert_uint_eq(arena_reset(subject.ctx), COMMON_THREADS * EACH);
		pthread_barrier_wait(&was_reset);
	}
	for (size_t i = 0; i < COMMON_THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(arena_reset(subject.ctx), 0);
}
END_TEST

/* ------------------------------------------------------------- threads -- */

static void *allocate_one(void *arg)
{
	*(void **)arg = arena_malloc(subject.ctx, 100);
	return NULL;
}

START_TEST(chunks_outlive_their_threads)
{
	for (int i = 0; i < 200; i++) {
		pthread_t thread;
		void *p = NULL;

		ck_assert_int_eq(pthread_create(&thread, NULL, allocate_one, &p), 0);
		pthread_join(thread, NULL);
		ck_assert(arena_owns(subject.ctx, p));
	}
}
END_TEST

/* ---------------------------------------------------------- life cycle -- */

START_TEST(cap_below_chunk_is_refused)
{
	ck_assert_int_eq(start(1024 * M, 64 * K, "lower"), -EINVAL);
	ck_assert_str_eq(last_fail,
			 "cap = 65536: expected at least the chunk of 1073741824 bytes");
}
END_TEST

static void start_with_few_addresses(void *arg)
{
	(void)arg;
	limit_addresses(256 * M);
	if (start(64 * K, 1024 * M, "lower") != 0)
		_exit(1);
	if (!strstr(last_warn, "test: cap = 1073741824: only ") || !own(1000))
		_exit(2);
	_exit(0);
}

START_TEST(fewer_addresses_than_cap_will_do)
{
	struct child child;

	run_child(&child, start_with_few_addresses, NULL);
	ck_assert_int_eq(child.status, 0);
}
END_TEST

static void start_without_addresses(void *arg)
{
	void *p;

	limit_addresses(256 * K);
	if (start(512 * K, 1024 * M, arg) != 0)
		_exit(strcmp(last_fail, "overflow = fail: not even one chunk of 524288 "
					"bytes to be had") == 0
			      ? 3
			      : 1);
	p = arena_malloc(subject.ctx, 100);
	if (!strstr(last_warn, "the layer below serves everything") || !p || lower_live != 1)
		_exit(2);
	arena_mfree(subject.ctx, p);
	_exit(lower_live == 0 ? 0 : 4);
}

START_TEST(without_addresses_lower_serves)
{
	struct child child;

	run_child(&child, start_without_addresses, (void *)"lower");
	ck_assert_int_eq(WEXITSTATUS(child.status), 0);
}
END_TEST

START_TEST(without_addresses_and_lower_init_fails)
{
	struct child child;

	run_child(&child, start_without_addresses, (void *)"fail");
	ck_assert_int_eq(WEXITSTATUS(child.status), 3);
}
END_TEST

/* Lack of memory takes nothing away but, at worst, the arena's own blocks. */
START_TEST(every_allocation_may_fail)
{
	unsigned n, failed = 0;

	for (n = 1;; n++) {
		void *p = NULL;
		int err;

		fault_start(n);
		err = start(64 * K, 1024 * M, "lower");
		if (!err)
			p = arena_malloc(subject.ctx, 100);
		if (!fault_stop())
			break;
		failed += err != 0;
		ck_assert_int_eq(err, err ? -ENOMEM : 0);
		if (!err) {
			arena_mfree(subject.ctx, p);
			ck_assert_int_eq(lower_live, 0);
			stop();
		}
	}
	ck_assert_uint_eq(failed, 1);
	ck_assert_uint_gt(n, 3);
	stop();
}
END_TEST

static void data_is_limited(void *arg)
{
	struct rlimit limit = {.rlim_cur = 64 * M, .rlim_max = 64 * M};
	size_t n = 0;

	if (start(64 * K, 1024 * M, arg) != 0)
		_exit(1);
	setrlimit(RLIMIT_DATA, &limit);
	/* valgrind does not hold a program to it */
	if (mmap(NULL, 128 * M, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	    MAP_FAILED)
		_exit(0);
	while (arena_malloc(subject.ctx, 1 * M) && lower_live == 0)
		n++;
	/* most of the limit was had, and small blocks need no more than a chunk */
	_exit(n > 40 && n < 64 ? 0 : 2);
}

START_TEST(a_limit_on_data_is_like_the_cap)
{
	struct child child;

	run_child(&child, data_is_limited, (void *)"lower");
	ck_assert_int_eq(WEXITSTATUS(child.status), 0);
	run_child(&child, data_is_limited, (void *)"fail");
	ck_assert_int_eq(WEXITSTATUS(child.status), 0);
}
END_TEST

/* ---- system calls on the range, each failing in turn ---- */

static unsigned range_fault;
static bool range_fault_hit;

int __real_mprotect(void *p, size_t size, int prot);
int __real_madvise(void *p, size_t size, int advice);
int __wrap_mprotect(void *p, size_t size, int prot);
int __wrap_madvise(void *p, size_t size, int advice);

static bool range_fails(void)
{
	if (range_fault == 0 || --range_fault != 0)
		return false;
	range_fault_hit = true;
	errno = ENOMEM;
	return true;
}

int __wrap_mprotect(void *p, size_t size, int prot)
{
	return range_fails() ? -1 : __real_mprotect(p, size, prot);
}

int __wrap_madvise(void *p, size_t size, int advice)
{
	return range_fails() ? -1 : __real_madvise(p, size, advice);
}

/* Blocks of all kinds, and memory that is zero where it has to be. */
static void some_of_everything(void)
{
	for (int round = 0; round < 3; round++) {
		void *small = arena_calloc(subject.ctx, 1, 1000);
		void *large = arena_calloc(subject.ctx, 1, 20 * M);
		void *other = arena_memalign(subject.ctx, 2 * M, 3 * M);

		ck_assert(all_are(small, 0, 1000) && all_are(large, 0, 20 * M));
		memset(small, 1, 1000);
		memset(large, 1, 20 * M);
		large = arena_remalloc(subject.ctx, large, 30 * M);
		ck_assert(all_are(large, 1, 20 * M));
		memset(other, 1, 3 * M);
		arena_mfree(subject.ctx, large);
		arena_mfree(subject.ctx, other);
		arena_mfree(subject.ctx, small);
		ck_assert_int_eq(lower_live, 0);
	}
}

START_TEST(every_call_on_the_range_may_fail)
{
	unsigned n;

	for (n = 1;; n++) {
		params[3].number = 1;
		ck_assert_int_eq(start(64 * K, 1024 * M, "lower"), 0);
		params[3].number = 0;
		range_fault = n;
		range_fault_hit = false;
		errno = EDOM;
		some_of_everything();
		range_fault = 0;
		ck_assert_int_eq(errno, EDOM);
		ck_assert_uint_eq(arena_reset(subject.ctx), 0);
		some_of_everything();
		stop();
		if (!range_fault_hit)
			break;
	}
	ck_assert_uint_gt(n, 3);
}
END_TEST

START_TEST(huge_pages_that_the_system_has_not)
{
	params[3].number = range_fault = 1;
	ck_assert_int_eq(start(64 * K, 1024 * M, "lower"), 0);
	params[3].number = 0;
	some_of_everything();
	stop();
}
END_TEST

START_TEST(huge_pages)
{
	params[3].number = 1;
	ck_assert_int_eq(start(64 * K, 1024 * M, "lower"), 0);
	params[3].number = 0;
	own(20 * K);
	ck_assert(is_aligned((char *)own(10 * M) - 64 * K, 2 * M));
	some_of_everything();
	stop();
}
END_TEST

/* ---------------------------------------------------------------- fork -- */

static void *left_behind;

static void *stay(void *arg)
{
	left_behind = arena_malloc(subject.ctx, 100);
	memset(left_behind, 1, 100);
	pthread_barrier_wait(&allocated);
	pthread_barrier_wait(&was_reset);
	return arg;
}

/* The chunk of a thread that is not there any more must not be taken for empty. */
static void child_goes_on(void)
{
	void *p = arena_malloc(subject.ctx, 100);

	alarm(60);
	memset(p, 2, 100);
	arena_mfree(subject.ctx, left_behind);
	allocate_many(100);
	for (size_t i = 0; i < MANY; i++)
		memset(many[i], 3, 100);
	_exit(all_are(p, 2, 100) ? 0 : 1);
}

START_TEST(a_forked_child_frees_what_others_left)
{
	pthread_t thread;
	int status;
	pid_t pid;

	pthread_barrier_init(&allocated, NULL, 2);
	pthread_barrier_init(&was_reset, NULL, 2);
	pthread_create(&thread, NULL, stay, NULL);
	pthread_barrier_wait(&allocated);
	arena_prefork(subject.ctx);
	pid = fork();
	if (pid == 0) {
		arena_postfork_child(subject.ctx);
		child_goes_on();
	}
	arena_postfork_parent(subject.ctx);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	pthread_barrier_wait(&was_reset);
	pthread_join(thread, NULL);
}
END_TEST

static TCase *case_with(const char *name, void (*setup)(void))
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	if (setup)
		tcase_add_checked_fixture(tc, setup, stop);
	return tc;
}

static TCase *large_case(void)
{
	TCase *tc = case_with("blocks", start_large);

	tcase_add_test(tc, usable_size_is_what_was_asked);
	tcase_add_test(tc, owns_only_its_range);
	tcase_add_test(tc, last_blocks_of_the_chunk_are_given_back);
	tcase_add_test(tc, a_block_in_the_middle_waits_for_its_chunk);
	tcase_add_test(tc, last_block_grows_and_shrinks_in_place);
	tcase_add_test(tc, a_block_in_the_middle_shrinks_and_grows_back);
	tcase_add_test(tc, last_block_grows_to_the_end_of_its_chunk);
	tcase_add_test(tc, empty_chunks_are_used_again);
	tcase_add_test(tc, chunks_that_others_emptied_are_used_again);
	tcase_add_test(tc, a_chunk_that_others_emptied_begins_anew);
	tcase_add_test(tc, a_chunk_without_a_block_begins_anew);
	tcase_add_test(tc, zeroed_in_a_chunk_that_is_used_again);
	tcase_add_test(tc, freed_runs_are_used_again_and_merged);
	tcase_add_test(tc, the_last_run_goes_back_to_the_range);
	tcase_add_test(tc, a_run_grows_into_a_freed_neighbour);
	tcase_add_test(tc, a_run_that_shrinks_gives_the_rest_back);
	tcase_add_test(tc, runs_come_and_go);
	tcase_add_test(tc, alignment_beyond_the_chunk);
	tcase_add_test(tc, nothing_is_lost_to_alignment);
	tcase_add_test(tc, last_run_grows_in_place);
	tcase_add_test(tc, large_freed_blocks_give_memory_back);
	tcase_add_test(tc, memory_is_zero_after_reset);
	tcase_add_test(tc, reset_does_not_count_the_freed);
	tcase_add_test(tc, reset_keeps_what_was_used_since_the_last);
	tcase_add_test(tc, zeroed_after_reset);
	tcase_add_test(tc, reset_takes_the_chunks_of_all_threads);
	if (!CHECK_SANITIZED)
		tcase_add_test(tc, a_forked_child_frees_what_others_left);
	return tc;
}

static TCase *cap_case(void)
{
	TCase *tc = case_with("cap", start_small);

	tcase_add_test(tc, lower_serves_what_the_cap_leaves_out);
	tcase_add_test(tc, a_block_can_grow_out_of_the_arena);
	tcase_add_test(tc, chunks_outlive_their_threads);
	tcase_add_test(tc, reset_is_refused_over_blocks_of_lower);
	tcase_add_test(tc, churning_does_not_reach_the_cap);
	return tc;
}

static TCase *cap_fails_case(void)
{
	TCase *tc = case_with("cap, overflow = fail", start_small_fails);

	tcase_add_test(tc, past_the_cap_fails_if_told_so);
	tcase_add_test(tc, failed_realloc_leaves_the_block);
	tcase_add_test(tc, reset_gives_everything_back_and_counts_the_live);
	return tc;
}

static TCase *init_case(void)
{
	TCase *tc = case_with("init", NULL);

	tcase_add_test(tc, cap_below_chunk_is_refused);
	tcase_add_test(tc, fewer_addresses_than_cap_will_do);
	tcase_add_test(tc, without_addresses_lower_serves);
	tcase_add_test(tc, without_addresses_and_lower_init_fails);
	tcase_add_test(tc, every_allocation_may_fail);
	tcase_add_test(tc, every_call_on_the_range_may_fail);
	tcase_add_test(tc, huge_pages);
	tcase_add_test(tc, huge_pages_that_the_system_has_not);
	/* the sanitizers' own maps count as data */
	if (!CHECK_SANITIZED)
		tcase_add_test(tc, a_limit_on_data_is_like_the_cap);
	return tc;
}

static Suite *make_suite(void)
{
	Suite *suite = suite_create("arena");

	suite_add_tcase(suite, common_tests("common, all its own", start_large, stop));
	suite_add_tcase(suite, common_tests("common, mostly lower's", start_small, stop));
	suite_add_tcase(suite, large_case());
	suite_add_tcase(suite, cap_case());
	suite_add_tcase(suite, cap_fails_case());
	suite_add_tcase(suite, init_case());
	return suite;
}

CHECK_MAIN(make_suite)
