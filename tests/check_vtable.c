// SPDX-License-Identifier: BSD-2-Clause
/*
 * The completion table: all 16 subsets of the four hooks times heap, filter and
 * mixed, for refusal, content, alignment, ownership and who was asked.
 */
#include "check_support.h"
#include "toy.h"

CHIC_ALLOC_MANUAL();

enum { HAS_ALLOC = 1, HAS_ZEROED = 2, HAS_REALLOC = 4, HAS_FREE = 8, SUBSETS = 16 };

static struct toy own, low;
static struct completion lower;

static void setup(void)
{
	toy_init(&own);
	toy_init(&low);
	toy_layer(&low, &lower);
	own.lower = &lower.ops;
}

static struct module_exports heap_exports(unsigned subset)
{
	return (struct module_exports){
		.alloc = subset & HAS_ALLOC ? toy_alloc : NULL,
		.alloc_zeroed = subset & HAS_ZEROED ? toy_alloc_zeroed : NULL,
		.realloc = subset & HAS_REALLOC ? toy_realloc : NULL,
		.free = subset & HAS_FREE ? toy_free : NULL,
		.usable_size = toy_usable_size,
		.owns = toy_owns,
	};
}

static struct module_exports filter_exports(unsigned subset)
{
	return (struct module_exports){
		.alloc = subset & HAS_ALLOC ? sieve_alloc : NULL,
		.alloc_zeroed = subset & HAS_ZEROED ? sieve_alloc_zeroed : NULL,
		.realloc = subset & HAS_REALLOC ? sieve_realloc : NULL,
		.free = subset & HAS_FREE ? sieve_free : NULL,
	};
}

static void check_bytes(const uint8_t *p, uint8_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(p[i], value);
}

static void check_aligned(const void *p, size_t align)
{
	ck_assert_uint_eq((uintptr_t)p % align, 0);
}

/* alloc, zeroed, grow, shrink, free by the hooks; every block belongs to home. */
static void exercise_hooks(const struct chic_layer *l, const struct toy *home)
{
	for (size_t align = 1; align <= 512; align *= 2) {
		ValueMutPtr a = l->alloc.fn(l->alloc.ctx, 100, align);
		ValueMutPtr z = l->alloc_zeroed.fn(l->alloc_zeroed.ctx, 70, align);

		ck_assert(toy_has(home, a.ptr) && toy_has(home, z.ptr));
		check_aligned(a.ptr, align);
		check_aligned(z.ptr, align);
		check_bytes(z.ptr, 0, 70);
		memset(a.ptr, 0x5a, 100);
		a = l->realloc.fn(l->realloc.ctx, a, 100, 300, align);
		ck_assert(toy_has(home, a.ptr));
		check_aligned(a.ptr, align);
		check_bytes(a.ptr, 0x5a, 100);
		a = l->realloc.fn(l->realloc.ctx, a, 300, 40, align);
		check_bytes(a.ptr, 0x5a, 40);
		a.size = 40;
		l->free.fn(l->free.ctx, a);
		l->free.fn(l->free.ctx, z);
	}
}

static void exercise_twins(const struct chic_layer *l, const struct toy *home)
{
	char *p = l->malloc.fn(l->malloc.ctx, 60);
	char *z = l->calloc.fn(l->calloc.ctx, 7, 11);
	char *m = l->memalign.fn(l->memalign.ctx, 256, 50);

	ck_assert(toy_has(home, p) && toy_has(home, z) && toy_has(home, m));
	check_aligned(p, CHIC_MALLOC_ALIGN);
	check_aligned(z, CHIC_MALLOC_ALIGN);
	check_aligned(m, 256);
	check_bytes((uint8_t *)z, 0, 77);
	memset(p, 0x33, 60);
	p = l->remalloc.fn(l->remalloc.ctx, p, 500);
	ck_assert(toy_has(home, p));
	check_bytes((uint8_t *)p, 0x33, 60);
	ck_assert_uint_eq(l->usable_size.fn(l->usable_size.ctx, p), 500);
	ck_assert_uint_eq(l->mfree.fn(l->mfree.ctx, p), 500);
	ck_assert_uint_eq(l->mfree.fn(l->mfree.ctx, z), 77);
	ck_assert_uint_eq(l->mfree.fn(l->mfree.ctx, m), 50);
}

START_TEST(heap_subset)
{
	unsigned subset = _i;
	struct module_exports e = heap_exports(subset);
	bool accepted = subset == 0 || ((subset & HAS_ALLOC) && (subset & HAS_FREE));
	const char *why = vtable_refusal(&e, KIND_HEAP, false, &lower.ops);
	struct completion c;

	ck_assert_msg(!why == accepted, "subset %u: %s", subset, why ? why : "accepted");
	ck_assert_int_eq(vtable_is_empty_heap(&e, KIND_HEAP), subset == 0);
	if (!accepted)
		return;
	vtable_complete(&e, KIND_HEAP, &own, &lower.ops, &c);
	exercise_hooks(&c.ops, subset ? &own : &low);
	exercise_twins(&c.ops, subset ? &own : &low);
	ck_assert_int_eq(own.live, 0);
	ck_assert_int_eq(low.live, 0);
	/* what is exported is asked, and nothing of the lower when it is a heap */
	ck_assert(!(subset & HAS_ZEROED) || own.calls[OP_ALLOC_ZEROED]);
	ck_assert(!(subset & HAS_REALLOC) || own.calls[OP_REALLOC]);
	ck_assert(!subset || !low.used);
}
END_TEST

START_TEST(heap_that_never_frees)
{
	unsigned subset = _i;
	struct module_exports e = heap_exports(subset);
	bool accepted = subset == 0 || (subset & HAS_ALLOC);
	const char *why = vtable_refusal(&e, KIND_HEAP, true, &lower.ops);
	struct completion c;

	ck_assert_msg(!why == accepted, "subset %u: %s", subset, why ? why : "accepted");
	if (!accepted || subset == 0)
		return;
	vtable_complete(&e, KIND_HEAP, &own, &lower.ops, &c);
	exercise_hooks(&c.ops, &own);
	exercise_twins(&c.ops, &own);
	ck_assert_int_eq(own.live > 0, !(subset & HAS_FREE));
	ck_assert_uint_eq(low.used, 0);
}
END_TEST

START_TEST(filter_subset)
{
	unsigned subset = _i;
	struct module_exports e = filter_exports(subset);
	struct completion c;

	ck_assert_ptr_null(vtable_refusal(&e, KIND_FILTER, false, &lower.ops));
	vtable_complete(&e, KIND_FILTER, &own, &lower.ops, &c);
	exercise_hooks(&c.ops, &low);
	exercise_twins(&c.ops, &low);
	ck_assert_int_eq(low.live, 0);
	ck_assert_uint_eq(own.used, 0);
	/* 10 rounds of hooks: one alloc, one zeroed, two reallocs, two frees;
	 * then by twins: two allocs, one zeroed, one realloc, three frees */
	ck_assert_uint_eq(own.calls[OP_ALLOC], subset & HAS_ALLOC ? 12 : 0);
	ck_assert_uint_eq(own.calls[OP_ALLOC_ZEROED], subset & HAS_ZEROED ? 11 : 0);
	ck_assert_uint_eq(own.calls[OP_REALLOC], subset & HAS_REALLOC ? 21 : 0);
	ck_assert_uint_eq(own.calls[OP_FREE], subset & HAS_FREE ? 23 : 0);
	ck_assert_uint_eq(low.calls[OP_ALLOC], 12);
	ck_assert_uint_eq(low.calls[OP_ALLOC_ZEROED], 11);
	ck_assert_uint_eq(low.calls[OP_REALLOC], 21);
	ck_assert_uint_eq(low.calls[OP_FREE], 23);
}
END_TEST

/* Nobody may go round a filter that wants to see anything at all. */
START_TEST(family_is_told_through_what_leaves_all)
{
	static const struct chic_malloc_family some;
	struct module_exports none = {0}, e;
	struct chic_layer family = lower.ops;
	struct completion c;

	family.family = &some;
	vtable_complete(&none, KIND_FILTER, &own, &family, &c);
	ck_assert_ptr_eq(c.ops.family, &some);
	vtable_complete(&none, KIND_HEAP, &own, &family, &c);
	ck_assert_ptr_eq(c.ops.family, &some);
	for (unsigned subset = 1; subset < SUBSETS; subset++) {
		e = filter_exports(subset);
		vtable_complete(&e, KIND_FILTER, &own, &family, &c);
		ck_assert_ptr_null(c.ops.family);
	}
	none.usable_size = toy_usable_size;
	vtable_complete(&none, KIND_FILTER, &own, &family, &c);
	ck_assert_ptr_null(c.ops.family);
	e = heap_exports(SUBSETS - 1);
	vtable_complete(&e, KIND_MIXED, &own, &family, &c);
	ck_assert_ptr_null(c.ops.family);
	vtable_complete(&e, KIND_HEAP, &own, &family, &c);
	ck_assert_ptr_null(c.ops.family);
}
END_TEST

START_TEST(mixed_subset)
{
	unsigned subset = _i;
	struct module_exports e = heap_exports(subset);
	const char *why = vtable_refusal(&e, KIND_MIXED, false, &lower.ops);
	struct completion c;

	ck_assert_int_eq(!why, subset == SUBSETS - 1);
	if (why)
		return;
	vtable_complete(&e, KIND_MIXED, &own, &lower.ops, &c);
	exercise_hooks(&c.ops, &own);
	exercise_twins(&c.ops, &own);
	ck_assert_int_eq(own.live, 0);
}
END_TEST

START_TEST(mixed_needs_owns_and_usable_size)
{
	struct module_exports e = heap_exports(SUBSETS - 1);
	struct chic_layer blind = lower.ops;

	e.owns = NULL;
	ck_assert_ptr_nonnull(vtable_refusal(&e, KIND_MIXED, false, &lower.ops));
	e = heap_exports(SUBSETS - 1);
	e.usable_size = NULL;
	ck_assert_ptr_nonnull(vtable_refusal(&e, KIND_MIXED, false, &lower.ops));
	e = heap_exports(SUBSETS - 1);
	blind.usable_size.fn = NULL;
	ck_assert_ptr_nonnull(vtable_refusal(&e, KIND_MIXED, false, &blind));
}
END_TEST

static int some_init(const struct chic_module_args *args, const struct chic_layer *l,
		     void **ctx)
{
	(void)args;
	(void)l;
	(void)ctx;
	return 0;
}

static void some_exit(void *ctx)
{
	(void)ctx;
}

START_TEST(init_and_exit_are_a_pair)
{
	struct module_exports e = heap_exports(SUBSETS - 1);

	e.init = some_init;
	ck_assert_str_eq(vtable_refusal(&e, KIND_HEAP, false, &lower.ops),
			 "it exports init without exit");
	e.exit = some_exit;
	ck_assert_ptr_null(vtable_refusal(&e, KIND_HEAP, false, &lower.ops));
	e.init = NULL;
	ck_assert_str_eq(vtable_refusal(&e, KIND_HEAP, false, &lower.ops),
			 "it exports exit without init");
}
END_TEST

START_TEST(twins_without_hooks_are_refused)
{
	struct module_exports heap = {.malloc = toy_malloc, .mfree = toy_mfree};
	struct module_exports filter = {.alloc = sieve_alloc, .mfree = toy_mfree};

	ck_assert_ptr_nonnull(vtable_refusal(&heap, KIND_HEAP, false, &lower.ops));
	ck_assert_ptr_nonnull(vtable_refusal(&filter, KIND_FILTER, false, &lower.ops));
	filter = (struct module_exports){.free = sieve_free, .malloc = toy_malloc};
	ck_assert_ptr_nonnull(vtable_refusal(&filter, KIND_FILTER, false, &lower.ops));
}
END_TEST

START_TEST(own_twins_are_used)
{
	struct module_exports e = heap_exports(SUBSETS - 1);
	struct completion c;

	e.malloc = toy_malloc;
	e.mfree = toy_mfree;
	ck_assert_ptr_null(vtable_refusal(&e, KIND_HEAP, false, &lower.ops));
	vtable_complete(&e, KIND_HEAP, &own, &lower.ops, &c);
	exercise_twins(&c.ops, &own);
	ck_assert_uint_eq(own.twin_calls, 4);
	ck_assert_uint_eq(own.calls[OP_FREE], 0);
}
END_TEST

START_TEST(heap_without_usable_size_has_no_twins)
{
	struct module_exports e = heap_exports(SUBSETS - 1);
	struct completion c;

	e.usable_size = NULL;
	vtable_complete(&e, KIND_HEAP, &own, &lower.ops, &c);
	ck_assert_ptr_null(c.ops.usable_size.fn);
	ck_assert_ptr_null(c.ops.malloc.fn);
	exercise_hooks(&c.ops, &own);
}
END_TEST

/* So a filter need not ask whether its lower has them before it calls them. */
START_TEST(filter_tells_no_more_than_its_lower)
{
	struct module_exports e = filter_exports(SUBSETS - 1);
	struct chic_layer mute = lower.ops;
	struct completion c;

	e.usable_size = toy_usable_size;
	e.owns = toy_owns;
	vtable_complete(&e, KIND_FILTER, &own, &lower.ops, &c);
	ck_assert_ptr_eq(c.ops.usable_size.fn, toy_usable_size);
	ck_assert_ptr_eq(c.ops.usable_size.ctx, &own);
	ck_assert_ptr_eq(c.ops.owns.fn, toy_owns);
	ck_assert_ptr_eq(c.ops.owns.ctx, &own);

	mute.usable_size.fn = NULL;
	mute.owns.fn = NULL;
	vtable_complete(&e, KIND_FILTER, &own, &mute, &c);
	ck_assert_ptr_null(c.ops.usable_size.fn);
	ck_assert_ptr_null(c.ops.owns.fn);
	ck_assert_ptr_null(c.ops.malloc.fn);
	exercise_hooks(&c.ops, &low);
}
END_TEST

START_TEST(made_realloc_keeps_the_old_block_on_failure)
{
	struct module_exports e = heap_exports(HAS_ALLOC | HAS_FREE);
	ValueMutPtr old, new;
	struct completion c;

	vtable_complete(&e, KIND_HEAP, &own, &lower.ops, &c);
	old = c.ops.alloc.fn(c.ops.alloc.ctx, 32, 8);
	memset(old.ptr, 0x77, 32);
	own.fails = true;
	new = c.ops.realloc.fn(c.ops.realloc.ctx, old, 32, 64, 8);

	ck_assert_ptr_null(new.ptr);
	check_bytes(old.ptr, 0x77, 32);
	ck_assert_int_eq(own.live, 1);
	ck_assert_uint_eq(own.calls[OP_FREE], 0);
}
END_TEST

START_TEST(filter_on_filter_on_heap)
{
	static struct toy outer;
	struct module_exports e = filter_exports(SUBSETS - 1);
	struct completion middle, top;

	vtable_complete(&e, KIND_FILTER, &own, &lower.ops, &middle);
	toy_init(&outer);
	outer.lower = &middle.ops;
	vtable_complete(&e, KIND_FILTER, &outer, &middle.ops, &top);
	exercise_hooks(&top.ops, &low);

	for (unsigned op = 0; op < OP_COUNT; op++) {
		ck_assert_uint_eq(outer.calls[op], own.calls[op]);
		ck_assert_uint_eq(outer.calls[op], low.calls[op]);
	}
	ck_assert_int_eq(low.live, 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("vtable");
	TCase *t = tcase_create("completion");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, heap_subset, 0, SUBSETS);
	tcase_add_loop_test(t, heap_that_never_frees, 0, SUBSETS);
	tcase_add_loop_test(t, filter_subset, 0, SUBSETS);
	tcase_add_test(t, family_is_told_through_what_leaves_all);
	tcase_add_loop_test(t, mixed_subset, 0, SUBSETS);
	tcase_add_test(t, mixed_needs_owns_and_usable_size);
	tcase_add_test(t, init_and_exit_are_a_pair);
	tcase_add_test(t, twins_without_hooks_are_refused);
	tcase_add_test(t, own_twins_are_used);
	tcase_add_test(t, heap_without_usable_size_has_no_twins);
	tcase_add_test(t, filter_tells_no_more_than_its_lower);
	tcase_add_test(t, made_realloc_keeps_the_old_block_on_failure);
	tcase_add_test(t, filter_on_filter_on_heap);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(make_suite)
