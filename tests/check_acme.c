// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tests of modules/template/acme.c, the model for vendors: what holds for the shipped
 * modules holds for it, also under the sanitizers, which the template's own suite
 * cannot use.
 */
#define _GNU_SOURCE
#include "fault.h"
#include "module_common.h"

CHIC_MODULE_EXPORTS(acme);

#define K 1024ul
#define M (K * K)
#define SLAB (100 * K) /* not a power of two */

static struct chic_module_param params[] = {{.name = "slab"}};
static struct chic_module_args args;

/* What the template leaves to the loader, in small. */
ValueMutPtr acme_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size, size_t align)
{
	ValueMutPtr block = acme_alloc(ctx, size, align);

	if (block.ptr && old.ptr) {
		memcpy(block.ptr, old.ptr, smaller(old_size, size));
		acme_free(ctx, old);
	}
	return block;
}

void *acme_calloc(void *ctx, size_t n, size_t size)
{
	return acme_alloc_zeroed(ctx, n * size, CHIC_MALLOC_ALIGN).ptr;
}

void *acme_memalign(void *ctx, size_t align, size_t size)
{
	return acme_alloc(ctx, size, align).ptr;
}

void *acme_remalloc(void *ctx, void *p, size_t size)
{
	size_t old = acme_usable_size(ctx, p);

	return acme_realloc(ctx, handle(p, old, 0), old, size, CHIC_MALLOC_ALIGN).ptr;
}

static void start(void)
{
	params[0].number = SLAB;
	support_args(&args, params, ARRAY_LENGTH(params));
	subject = (struct subject){
		SUBJECT(acme),
		.usable_size = acme_usable_size,
		.prefork = acme_prefork,
		.postfork_parent = acme_postfork_parent,
		.postfork_child = acme_postfork_child,
	};
	ck_assert_int_eq(acme_init(&args, &libc_layer, &subject.ctx), 0);
}

static void stop(void)
{
	acme_exit(subject.ctx);
}

START_TEST(freed_chunks_are_used_again)
{
	void *p = acme_malloc(subject.ctx, 100), *q;

	acme_mfree(subject.ctx, p);
	q = acme_malloc(subject.ctx, 128);
	ck_assert_ptr_eq(p, q);
	ck_assert_uint_eq(acme_usable_size(subject.ctx, q), 128);
}
END_TEST

/* One size after the other, in an order that leaves no slab as it was. */
START_TEST(memory_does_not_grow_with_time)
{
	long before = 0;

	for (int round = 0; round < 200; round++) {
		void *blocks[100];

		if (round == 20)
			before = resident_pages();
		for (size_t i = 0; i < 100; i++) {
			size_t size = (i * 7919 + round * 104729) % (40 * K) + 1;

			blocks[i] = acme_memalign(subject.ctx, (size_t)16 << i % 6, size);
			memset(blocks[i], round, size);
		}
		for (size_t i = 0; i < 100; i++)
			acme_mfree(subject.ctx, blocks[(i * 37) % 100]);
	}
	if (!CHECK_SANITIZED)
		ck_assert_int_lt(resident_pages() - before, (long)(8 * M / 4096));
}
END_TEST

START_TEST(large_blocks_go_back_to_the_system)
{
	long before = resident_pages();
	void *p = acme_malloc(subject.ctx, 64 * M);

	memset(p, 1, 64 * M);
	ck_assert_uint_ge(acme_mfree(subject.ctx, p), 64 * M);
	ck_assert_int_lt(resident_pages() - before, (long)(M / 4096));
}
END_TEST

START_TEST(sums_that_overflow_fail)
{
	static const size_t aligns[] = {1, 16, 32, 4096, (SIZE_MAX >> 1) + 1};

	for (size_t i = 0; i < ARRAY_LENGTH(aligns); i++)
		for (size_t less = 0; less < 10000; less += 7) {
			ValueMutPtr block = acme_alloc(subject.ctx, SIZE_MAX - less, aligns[i]);

			ck_assert_ptr_null(block.ptr);
		}
}
END_TEST

static void run_out(void *arg)
{
	size_t n = 0;
	void *p, *first = NULL;

	(void)arg;
	limit_addresses(16 * M);
	errno = 0;
	while ((p = acme_malloc(subject.ctx, 500))) {
		memset(p, 1, 500);
		first = first ? first : p;
		n++;
	}
	if (errno != ENOMEM || n < 1000 || acme_malloc(subject.ctx, M))
		_exit(1);
	acme_mfree(subject.ctx, first);
	if (acme_malloc(subject.ctx, 500) != first)
		_exit(2);
	_exit(0);
}

START_TEST(no_memory_leaves_the_heap_sound)
{
	struct child child;

	run_child(&child, run_out, NULL);
	ck_assert_int_eq(child.status, 0);
}
END_TEST

START_TEST(every_mapping_failing_in_turn)
{
	unsigned n;

	for (n = 1;; n++) {
		void *small, *large;
		bool reached;

		fault_start(n);
		small = acme_malloc(subject.ctx, 12 * K);
		large = acme_malloc(subject.ctx, M);
		reached = fault_stop();
		if (small)
			acme_mfree(subject.ctx, small);
		if (large)
			acme_mfree(subject.ctx, large);
		if (!reached)
			break;
		ck_assert(!small || !large);
	}
	ck_assert_uint_gt(n, 1);
}
END_TEST

START_TEST(no_memory_for_its_state)
{
	void *ctx = NULL;
	int err;

	fault_start(1);
	err = acme_init(&args, &libc_layer, &ctx);
	ck_assert(fault_stop());
	ck_assert_int_eq(err, -ENOMEM);
	ck_assert_ptr_nonnull(strstr(last_fail, "no memory"));
	ck_assert_ptr_null(ctx);
}
END_TEST

START_TEST(instances_are_apart_and_unmapped)
{
	long before = resident_pages();

	for (int i = 0; i < 200; i++) {
		void *ctx, *p;

		ck_assert_int_eq(acme_init(&args, &libc_layer, &ctx), 0);
		p = acme_malloc(ctx, 10 * K);
		memset(p, 1, 10 * K);
		acme_mfree(ctx, p);
		acme_exit(ctx);
	}
	if (!CHECK_SANITIZED)
		ck_assert_int_lt(resident_pages() - before, 100);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("acme");
	TCase *t = tcase_create("acme");

	tcase_add_checked_fixture(t, start, stop);
	tcase_set_timeout(t, CHECK_TIMEOUT);
	tcase_add_test(t, freed_chunks_are_used_again);
	tcase_add_test(t, memory_does_not_grow_with_time);
	tcase_add_test(t, large_blocks_go_back_to_the_system);
	tcase_add_test(t, sums_that_overflow_fail);
	/* a sanitizer's shadow is beyond any limit of addresses, valgrind needs its own */
	if (!CHECK_SANITIZED && !getenv("CHECK_VALGRIND"))
		tcase_add_test(t, no_memory_leaves_the_heap_sound);
	tcase_add_test(t, every_mapping_failing_in_turn);
	tcase_add_test(t, no_memory_for_its_state);
	tcase_add_test(t, instances_are_apart_and_unmapped);
	suite_add_tcase(s, t);
	suite_add_tcase(s, common_tests("common", start, stop));
	return s;
}

CHECK_MAIN(make_suite)
