/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What holds for each of the shipped modules, whatever it does besides: one test
 * case, run by every check_MODULE.c with a configuration of its own.
 *
 * The including file defines `static struct subject subject` and fills it with
 * SUBJECT(name) and a context before each test.
 */
#ifndef MODULE_COMMON_H
#define MODULE_COMMON_H

#include "module_support.h"

struct subject {
	chic_alloc_fn alloc, alloc_zeroed;
	chic_realloc_fn realloc;
	chic_free_fn free;
	chic_malloc_fn malloc;
	chic_calloc_fn calloc;
	chic_memalign_fn memalign;
	chic_remalloc_fn remalloc;
	chic_mfree_fn mfree;
	chic_usable_size_fn usable_size;
	void (*prefork)(void *ctx);
	void (*postfork_parent)(void *ctx);
	void (*postfork_child)(void *ctx);
	void *ctx;
};

#define SUBJECT(name)                                                                          \
	.alloc = name##_alloc, .alloc_zeroed = name##_alloc_zeroed, .realloc = name##_realloc, \
	.free = name##_free, .malloc = name##_malloc, .calloc = name##_calloc,                 \
	.memalign = name##_memalign, .remalloc = name##_remalloc, .mfree = name##_mfree

static struct subject subject;

#define COMMON_THREADS 8
#define COMMON_HELD 64

static const size_t sizes[] = {1,    7,	   15,	 16,	17,    64,    100,    1000,
			       4080, 4096, 4097, 16384, 20000, 65536, 200000, 3000000};

START_TEST(blocks_are_aligned_and_apart)
{
	size_t align = (size_t)1 << _i;
	ValueMutPtr blocks[ARRAY_LENGTH(sizes)];

	for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
		blocks[i] = subject.alloc(subject.ctx, sizes[i], align);
		ck_assert_ptr_nonnull(blocks[i].ptr);
		memset(blocks[i].ptr, (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
		ck_assert(is_aligned(blocks[i].ptr, larger(align, CHIC_MALLOC_ALIGN)));
		ck_assert(all_are(blocks[i].ptr, (unsigned char)(i + 1), sizes[i]));
		ck_assert_uint_ge(subject.usable_size(subject.ctx, blocks[i].ptr), sizes[i]);
		ck_assert_uint_eq(blocks[i].size, sizes[i]);
		ck_assert_uint_eq(blocks[i].align, align);
		subject.free(subject.ctx, blocks[i]);
	}
	ck_assert_int_eq(lower_live, 0);
}
END_TEST

START_TEST(twins_align)
{
	size_t align = (size_t)1 << _i;
	char *p = subject.memalign(subject.ctx, align, 100);
	char *q = subject.malloc(subject.ctx, 3);

	ck_assert(is_aligned(p, align));
	ck_assert(is_aligned(q, CHIC_MALLOC_ALIGN));
	memset(p, 1, 100);
	subject.mfree(subject.ctx, p);
	subject.mfree(subject.ctx, q);
}
END_TEST

/* Dirty memory goes back and comes again: zero must not depend on its history. */
START_TEST(zeroed_is_zero)
{
	for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
		void *dirty = subject.malloc(subject.ctx, sizes[i]);
		ValueMutPtr block;
		void *p;

		memset(dirty, 0xff, sizes[i]);
		subject.mfree(subject.ctx, dirty);
		block = subject.alloc_zeroed(subject.ctx, sizes[i], 8);
		ck_assert(all_are(block.ptr, 0, sizes[i]));
		memset(block.ptr, 0xff, sizes[i]);
		subject.free(subject.ctx, block);
		p = subject.calloc(subject.ctx, 1, sizes[i]);
		ck_assert(all_are(p, 0, sizes[i]));
		memset(p, 0xff, sizes[i]);
		subject.mfree(subject.ctx, p);
	}
}
END_TEST

static void check_pattern(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		MUST(p[i] == (unsigned char)(i * 7));
}

static void put_pattern(unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(i * 7);
}

START_TEST(realloc_keeps_contents)
{
	size_t from = sizes[_i];

	for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
		size_t to = sizes[i];
		ValueMutPtr block = subject.alloc(subject.ctx, from, 1);
		void *p = subject.malloc(subject.ctx, from);

		put_pattern(block.ptr, from);
		put_pattern(p, from);
		block = subject.realloc(subject.ctx, block, from, to, 1);
		p = subject.remalloc(subject.ctx, p, to);
		check_pattern(block.ptr, smaller(from, to));
		check_pattern(p, smaller(from, to));
		memset(block.ptr, 1, to);
		memset(p, 2, to);
		ck_assert(all_are(block.ptr, 1, to));
		subject.free(subject.ctx, block);
		ck_assert_uint_ge(subject.mfree(subject.ctx, p), to);
	}
	ck_assert_int_eq(lower_live, 0);
}
END_TEST

START_TEST(realloc_to_a_larger_alignment)
{
	ValueMutPtr block = subject.alloc(subject.ctx, 100, 1);

	put_pattern(block.ptr, 100);
	block = subject.realloc(subject.ctx, block, 100, 150, 8192);
	ck_assert(is_aligned(block.ptr, 8192));
	check_pattern(block.ptr, 100);
	subject.free(subject.ctx, block);
}
END_TEST

START_TEST(realloc_of_null_is_alloc)
{
	ValueMutPtr block = subject.realloc(subject.ctx, handle(NULL, 0, 8), 0, 100, 8);

	ck_assert_ptr_nonnull(block.ptr);
	memset(block.ptr, 1, 100);
	subject.free(subject.ctx, block);
}
END_TEST

START_TEST(hooks_and_twins_take_each_others_blocks)
{
	ValueMutPtr block = subject.alloc(subject.ctx, 100, 8);
	void *p = subject.malloc(subject.ctx, 100);

	put_pattern(block.ptr, 100);
	put_pattern(p, 100);
	block.ptr = subject.remalloc(subject.ctx, block.ptr, 5000);
	p = subject.realloc(subject.ctx, handle(p, 100, 0), 100, 5000, 16).ptr;
	check_pattern(block.ptr, 100);
	check_pattern(p, 100);
	ck_assert_uint_ge(subject.mfree(subject.ctx, block.ptr), 5000);
	subject.free(subject.ctx, handle(p, 5000, 0));
	ck_assert_int_eq(lower_live, 0);
}
END_TEST

START_TEST(errno_is_left_alone)
{
	ValueMutPtr block;
	void *p;

	errno = EDOM;
	block = subject.alloc(subject.ctx, 200000, 8);
	block = subject.realloc(subject.ctx, block, 200000, 300000, 8);
	subject.free(subject.ctx, block);
	p = subject.calloc(subject.ctx, 10, 20000);
	p = subject.remalloc(subject.ctx, p, 10);
	subject.mfree(subject.ctx, p);
	ck_assert_int_eq(errno, EDOM);
}
END_TEST

START_TEST(impossible_sizes_fail)
{
	ValueMutPtr block = subject.alloc(subject.ctx, SIZE_MAX - 4096, 8);

	ck_assert_ptr_null(block.ptr);
	ck_assert_ptr_null(subject.malloc(subject.ctx, IMPOSSIBLE_SIZE));
	/* with 32 bits there is one such address */
	if (sizeof(void *) == 8)
		ck_assert_ptr_null(subject.memalign(subject.ctx, (SIZE_MAX >> 1) + 1, 1));
}
END_TEST

/* ------------------------------------------------------------- threads -- */

/* Where threads leave blocks for each other to free. */
static void *_Atomic held[COMMON_HELD];

static void fill(size_t *p, size_t size)
{
	p[0] = size;
	memset(p + 1, (int)size, size - sizeof(*p));
}

static void check_and_free(size_t *p)
{
	MUST(all_are(p + 1, (unsigned char)p[0], p[0] - sizeof(*p)));
	subject.mfree(subject.ctx, p);
}

static void *churn(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	for (int i = 0; i < 2000; i++) {
		size_t size = sizeof(size_t) + (size_t)rand_r(&seed) % 900;
		size_t *p = subject.malloc(subject.ctx, size);

		fill(p, size);
		if (rand_r(&seed) % 4 == 0) {
			size += 200;
			p = subject.remalloc(subject.ctx, p, size);
			fill(p, size);
		}
		p = atomic_exchange(&held[rand_r(&seed) % COMMON_HELD], p);
		if (p)
			check_and_free(p);
	}
	return NULL;
}

static void run_threads(void *(*fn)(void *))
{
	pthread_t threads[COMMON_THREADS];

	for (uintptr_t i = 0; i < COMMON_THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, fn, (void *)(i + 1)), 0);
	for (size_t i = 0; i < COMMON_THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void free_held(void)
{
	for (size_t i = 0; i < COMMON_HELD; i++) {
		size_t *p = atomic_exchange(&held[i], NULL);

		if (p)
			check_and_free(p);
	}
}

START_TEST(threads_share_and_end)
{
	run_threads(churn);
	run_threads(churn);
	free_held();
	ck_assert_int_eq(lower_live, 0);
}
END_TEST

START_TEST(threads_without_a_word)
{
	words_fail = true;
	run_threads(churn);
	free_held();
	ck_assert_int_eq(lower_live, 0);
}
END_TEST

static atomic_bool stop_churning;

static void *churn_until_stopped(void *arg)
{
	while (!stop_churning)
		churn(arg);
	return NULL;
}

/* What the child leaves behind is its own business: it ends without exit handlers. */
static void fork_once(void)
{
	int status;
	pid_t pid;

	if (subject.prefork)
		subject.prefork(subject.ctx);
	pid = fork();
	if (pid == 0) {
		if (subject.postfork_child)
			subject.postfork_child(subject.ctx);
		alarm(60);
		churn((void *)99);
		_exit(0);
	}
	if (subject.postfork_parent)
		subject.postfork_parent(subject.ctx);
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(status == 0, "the child ended with status 0x%x", status);
}

START_TEST(fork_while_others_allocate)
{
	pthread_t threads[2];

	stop_churning = false;
	for (uintptr_t i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, churn_until_stopped, (void *)(i + 1));
	for (int i = 0; i < 10; i++)
		fork_once();
	stop_churning = true;
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	free_held();
}
END_TEST

/*
 * A signal handler that forks may have interrupted whoever holds the lock: with one
 * thread the C library's heap allows that.
 */
START_TEST(only_thread_takes_no_lock_to_fork)
{
	void *p;

	if (!subject.prefork)
		return;
	subject.prefork(subject.ctx);
	p = subject.malloc(subject.ctx, 100);
	subject.mfree(subject.ctx, p);
	subject.postfork_parent(subject.ctx);
	ck_assert_ptr_nonnull(p);
}
END_TEST

static inline TCase *common_tests(const char *name, void (*setup)(void), void (*teardown)(void))
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, blocks_are_aligned_and_apart, 0, 22);
	tcase_add_loop_test(tc, twins_align, 4, 22);
	tcase_add_test(tc, zeroed_is_zero);
	tcase_add_loop_test(tc, realloc_keeps_contents, 0, (int)ARRAY_LENGTH(sizes));
	tcase_add_test(tc, realloc_to_a_larger_alignment);
	tcase_add_test(tc, realloc_of_null_is_alloc);
	tcase_add_test(tc, hooks_and_twins_take_each_others_blocks);
	tcase_add_test(tc, errno_is_left_alone);
	tcase_add_test(tc, impossible_sizes_fail);
	tcase_add_test(tc, threads_share_and_end);
	tcase_add_test(tc, threads_without_a_word);
	/* The sanitizers' own heap, here the lower layer, does not survive such a fork. */
	if (CHECK_SANITIZED)
		return tc;
	tcase_add_test(tc, fork_while_others_allocate);
	tcase_add_test(tc, only_thread_takes_no_lock_to_fork);
	return tc;
}

#endif /* MODULE_COMMON_H */
