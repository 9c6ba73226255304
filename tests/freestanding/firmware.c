// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is so without an operating system alone: no heap until one is installed, the
 * arena over a buffer, interrupts that allocate, modules that are linked in.
 */
#include "chic_freestanding.h"

#include "../core.h"
#include "machine.h"

#define ROOM 4096

static _Alignas(16) uint8_t pool[ROOM + 16];

static void check_handle(ValueMutPtr h, bool served, size_t size, size_t align)
{
	ck_assert(!h.ptr == !served);
	ck_assert_uint_eq(h.size, size);
	ck_assert_uint_eq(h.align, align);
}

static void check_nothing_counted(void)
{
	const AllocationTelemetry none = {0};
	AllocationTelemetry t = chic_rt_alloc_stats();

	ck_assert_mem_eq(&t, &none, sizeof(t));
}

static size_t live_bytes(void)
{
	AllocationTelemetry t = chic_rt_alloc_stats();

	return t.alloc_bytes + t.alloc_zeroed_bytes + t.realloc_bytes - t.freed_bytes;
}

static bool inside(ValueMutPtr h)
{
	return h.ptr >= pool && h.ptr + h.size <= pool + sizeof(pool);
}

/* ---- without a heap ---- */

START_TEST(inert_until_something_is_installed)
{
	const ValueMutPtr none = {NULL, 8, 8};

	check_handle(chic_rt_alloc(8, 8), false, 8, 8);
	check_handle(chic_rt_alloc_zeroed(8, 0), false, 8, 1);
	check_handle(chic_rt_realloc(none, 0, 16, 8), false, 16, 8);
	chic_rt_free(none);
	ck_assert_ptr_null(chic_rt_region_alloc(chic_rt_region_enter(1), 8, 8).ptr);
	check_nothing_counted();
}
END_TEST

/* ---- the arena ---- */

static void arena(void)
{
	memset(pool, 0xa5, sizeof(pool));
	ck_assert_int_eq(chic_arena_install(pool, ROOM), 0);
	chic_rt_reset_alloc_stats();
}

START_TEST(bad_buffers_are_refused)
{
	ck_assert_int_eq(chic_arena_install(NULL, ROOM), -CHIC_EINVAL);
	ck_assert_int_eq(chic_arena_install(pool, 0), -CHIC_EINVAL);
	ck_assert_int_eq(chic_arena_install(pool, 40), -CHIC_EINVAL);
	ck_assert_int_eq(chic_arena_install(pool, SIZE_MAX), -CHIC_EINVAL);
	/* and what was installed stays */
	check_handle(chic_rt_alloc(8, 8), true, 8, 8);
}
END_TEST

/* The least buffer that is taken serves one block, wherever it begins. */
START_TEST(misaligned_buffers_lose_their_first_bytes)
{
	size_t least = 1;
	ValueMutPtr h;

	while (chic_arena_install(pool + _i, least) != 0)
		least++;
	ck_assert(least < 200);
	h = chic_rt_alloc(1, 1);
	check_handle(h, true, 1, 1);
	ck_assert(h.ptr >= pool + _i && h.ptr < pool + _i + least);
	check_handle(chic_rt_alloc(200, 1), false, 200, 1);
	chic_rt_free(h);
	ck_assert_int_eq(chic_arena_install(pool + _i, ROOM), 0);
	h = chic_rt_alloc(64, 16);
	check_handle(h, true, 64, 16);
	ck_assert(!((uintptr_t)h.ptr & 15));
}
END_TEST

START_TEST(the_last_block_grows_and_goes_back)
{
	ValueMutPtr first = chic_rt_alloc(32, 8), last = chic_rt_alloc(32, 8), again;

	ck_assert(inside(first) && inside(last));
	again = chic_rt_realloc(last, 32, 500, 8);
	ck_assert_ptr_eq(again.ptr, last.ptr);
	check_handle(again, true, 500, 8);
	again = chic_rt_realloc(again, 500, 16, 8);
	ck_assert_ptr_eq(again.ptr, last.ptr);
	chic_rt_free(again);
	again = chic_rt_alloc(32, 8);
	ck_assert_ptr_eq(again.ptr, last.ptr);

	/* another one moves when it grows, and not when it shrinks */
	memset(first.ptr, 0x11, 32);
	ck_assert_ptr_eq(chic_rt_realloc(first, 32, 20, 8).ptr, first.ptr);
	last = chic_rt_realloc(first, 20, 64, 8);
	ck_assert_ptr_ne(last.ptr, first.ptr);
	for (unsigned i = 0; i < 20; i++)
		ck_assert(last.ptr[i] == 0x11);
	chic_rt_free(again);
	chic_rt_free(last);
	ck_assert_uint_eq(live_bytes(), 0);

	/* none is left: all of it is free again */
	again = chic_rt_alloc(32, 8);
	ck_assert_ptr_eq(again.ptr, first.ptr);
	core_counters("arena");
}
END_TEST

START_TEST(zeroed_memory_is_zero_where_it_was_used)
{
	ValueMutPtr h = chic_rt_alloc(100, 1);

	memset(h.ptr, 0xff, 100);
	chic_rt_free(h);
	h = chic_rt_alloc_zeroed(300, 1);
	for (size_t i = 0; i < 300; i++)
		ck_assert(!h.ptr[i]);
}
END_TEST

START_TEST(exhausted_memory_is_a_typed_null)
{
	ValueMutPtr h, kept = chic_rt_alloc(16, 1);
	size_t n = 0;

	memset(kept.ptr, 0x33, 16);
	while ((h = chic_rt_alloc(48, 16)).ptr) {
		ck_assert(inside(h));
		memset(h.ptr, (int)++n, 48);
	}
	ck_assert(n > ROOM / 100);
	check_handle(h, false, 48, 16);
	ck_assert_uint_eq(chic_rt_alloc_stats().alloc_calls, n + 1);
	check_handle(chic_rt_realloc(kept, 16, ROOM, 1), false, ROOM, 1);
	for (unsigned i = 0; i < 16; i++)
		ck_assert(kept.ptr[i] == 0x33);
	ck_assert_uint_eq(chic_rt_alloc_stats().realloc_calls, 0);
}
END_TEST

START_TEST(sizes_that_overflow_are_typed_nulls)
{
	ValueMutPtr h = chic_rt_alloc(16, 8);

	for (size_t less = 0; less < 40; less++) {
		check_handle(chic_rt_alloc(SIZE_MAX - less, 1), false, SIZE_MAX - less, 1);
		check_handle(chic_rt_realloc(h, 16, SIZE_MAX - less, 8), false, SIZE_MAX - less,
			     8);
	}
	check_handle(chic_rt_alloc(PTRDIFF_MAX, 16), false, PTRDIFF_MAX, 16);
	chic_rt_free(h);
	ck_assert_uint_eq(live_bytes(), 0);
}
END_TEST

/* Served where the buffer has such an address with room behind it, else refused. */
START_TEST(alignments_up_to_the_greatest)
{
	for (size_t align = 1; align; align *= 2) {
		ValueMutPtr h = chic_rt_alloc(8, align);

		check_handle(h, h.ptr != NULL, 8, align);
		ck_assert(h.ptr || align > 1024);
		ck_assert(!h.ptr || (inside(h) && !((uintptr_t)h.ptr & (align - 1))));
		ck_assert(!h.ptr || align <= ROOM || align <= (uintptr_t)h.ptr);
		chic_rt_free(h);
	}
	check_handle(chic_rt_alloc(8, SIZE_MAX / 2 + 1), false, 8, SIZE_MAX / 2 + 1);
	ck_assert_uint_eq(live_bytes(), 0);
}
END_TEST

/* A block of another heap, and of none. */
START_TEST(foreign_blocks_and_nulls_are_left_alone)
{
	static uint8_t foreign[32] = {1};
	const ValueMutPtr none = {NULL, 32, 1};
	ValueMutPtr h = chic_rt_alloc(32, 8);

	chic_rt_free(none);
	ck_assert_uint_eq(chic_rt_alloc_stats().free_calls, 0);
	chic_rt_free((ValueMutPtr){foreign, 32, 1});
	ck_assert(chic_rt_alloc(32, 8).ptr > h.ptr);
	ck_assert_uint_eq(foreign[0], 1);
	h = chic_rt_realloc((ValueMutPtr){foreign, 32, 1}, 32, 64, 8);
	ck_assert(inside(h) && h.ptr[0] == 1);
}
END_TEST

START_TEST(regions_and_containers_over_the_arena)
{
	RegionHandle region = chic_rt_region_enter(7);
	ChicVec vec = chic_rt_vec_new(4, 4, 0);
	ChicString text = chic_rt_string_new();

	ck_assert(inside(chic_rt_region_alloc(region, 100, 8)));
	chic_rt_region_exit(region);
	ck_assert_uint_eq(chic_rt_region_telemetry(region).freed_bytes, 100);
	for (uint32_t i = 0; i < 40; i++)
		ck_assert_int_eq(chic_rt_vec_push(&vec, &(ValueConstPtr){(uint8_t *)&i, 4, 4}),
				 0);
	ck_assert_uint_eq(chic_rt_vec_len(&vec), 40);
	chic_rt_vec_drop(&vec);
	ck_assert_int_eq(chic_rt_string_append_unsigned(&text, 1234567890, 0, 64, 40, 1,
							(ChicStr){NULL, 0}),
			 0);
	ck_assert_mem_eq(chic_rt_string_as_slice(&text).ptr + 30, "1234567890", 10);
	chic_rt_string_drop(&text);
	ck_assert_uint_eq(live_bytes(), 0);
}
END_TEST

/* ---- interrupts ---- */

/* An interrupt has a block from one to the next, unless memory has run out. */
static volatile size_t interrupts;
static volatile bool run_out;
static volatile size_t got_by_interrupts, spoilt;
static ValueMutPtr held;

static bool is_full_of(ValueMutPtr h, size_t n, uint8_t value)
{
	for (size_t i = 0; i < n; i++)
		if (h.ptr[i] != value)
			return false;
	return true;
}

static void allocate_in_interrupt(void)
{
	interrupts++;
	if (held.ptr && !is_full_of(held, held.size, 0x1e))
		spoilt++;
	chic_rt_free(held);
	held.ptr = NULL;
	if (run_out)
		return;
	held = chic_rt_alloc(24, 8);
	if (!held.ptr)
		return;
	memset(held.ptr, 0x1e, held.size);
	got_by_interrupts++;
}

/* A block of 40 bytes that becomes one of 60; false where there was no memory. */
static bool round_of_main(void)
{
	ValueMutPtr h = chic_rt_alloc(40, 8), larger;

	if (!h.ptr)
		return false;
	memset(h.ptr, 0x77, 40);
	larger = chic_rt_realloc(h, 40, 60, 8);
	if (!larger.ptr) {
		chic_rt_free(h);
		return false;
	}
	if (!is_full_of(larger, 40, 0x77))
		spoilt++;
	chic_rt_free(larger);
	return true;
}

START_TEST(interrupts_may_allocate)
{
	size_t n = 0, rounds = 0, before = interrupts;
	AllocationTelemetry t;

	machine_interrupts(allocate_in_interrupt);
	for (; rounds < 20000 || (interrupts > before && interrupts < 1000); rounds++) {
		run_out = !round_of_main();
		n += !run_out;
	}
	machine_interrupts(NULL);
	chic_rt_free(held);
	t = chic_rt_alloc_stats();
	ck_assert_uint_eq(spoilt, 0);
	ck_assert_uint_eq(t.realloc_calls, n);
	ck_assert_uint_ge(t.alloc_calls, n + got_by_interrupts);
	ck_assert_uint_eq(t.free_calls, t.alloc_calls);
	ck_assert_uint_eq(live_bytes(), 0);
	/* none is left, so that all of the buffer is there again */
	ck_assert_ptr_nonnull(chic_rt_alloc(ROOM / 2, 8).ptr);
	core_print("# %zu interrupts allocated\n", (size_t)got_by_interrupts);
}
END_TEST

/* Either table as a whole, whenever another one is installed. */
static volatile size_t mixed;
static char first, second;

static ValueMutPtr first_alloc(void *ctx, size_t size, size_t align)
{
	mixed += ctx != &first;
	return (ValueMutPtr){pool, size, align};
}

static ValueMutPtr second_alloc(void *ctx, size_t size, size_t align)
{
	mixed += ctx != &second;
	return (ValueMutPtr){pool, size, align};
}

static void install_in_interrupt(void)
{
	chic_rt_allocator_install(
		interrupts++ & 1
			? (ChicAllocatorVTable){&first, first_alloc, NULL, NULL, NULL}
			: (ChicAllocatorVTable){&second, second_alloc, NULL, NULL, NULL});
}

START_TEST(interrupts_may_install)
{
	size_t before = interrupts;

	install_in_interrupt();
	machine_interrupts(install_in_interrupt);
	for (size_t i = 0; i < 20000 || (interrupts > before + 1 && interrupts < before + 500);
	     i++)
		ck_assert_ptr_eq(chic_rt_alloc(8, 8).ptr, pool);
	machine_interrupts(NULL);
	ck_assert_uint_eq(mixed, 0);
}
END_TEST

/* ---- modules that are linked in ---- */

/* A filter that counts what passes through it. */
struct tap {
	const struct chic_layer *lower;
	size_t blocks;
	bool fails;
};

CHIC_MODULE_EXPORTS(tap);

static struct tap the_tap;

int tap_init(const struct chic_module_args *args, const struct chic_layer *lower, void **ctx)
{
	the_tap = (struct tap){lower, 0, chic_param_number(args, "fails") != 0};
	if (the_tap.fails) {
		args->fail("told to fail");
		return -CHIC_ENOMEM;
	}
	*ctx = &the_tap;
	return 0;
}

void tap_exit(void *ctx)
{
	(void)ctx;
}

ValueMutPtr tap_alloc(void *ctx, size_t size, size_t align)
{
	struct tap *tap = ctx;

	tap->blocks++;
	return tap->lower->alloc.fn(tap->lower->alloc.ctx, size, align);
}

void tap_free(void *ctx, ValueMutPtr block)
{
	struct tap *tap = ctx;

	tap->blocks--;
	tap->lower->free.fn(tap->lower->free.ctx, block);
}

static const struct chic_builtin builtin_tap = {
	.name = "tap",
	.kind = "filter",
	.init = tap_init,
	.exit = tap_exit,
	.alloc = tap_alloc,
	.free = tap_free,
};

static const struct chic_builtin builtin_half = {
	.name = "half",
	.kind = "heap",
	.alloc = tap_alloc,
};

const struct chic_builtin *const chic_builtins[] = {
	&chic_builtin_arena,
	&builtin_tap,
	&builtin_half,
	NULL,
};

static void refused(const struct chic_stack_layer *layers, size_t n, int err, const char *why)
{
	const char *found;

	ck_assert_int_eq(chic_alloc_stack(layers, n), err);
	found = chic_alloc_message();
	ck_assert_msg(strlen(found) == strlen(why) && memcmp(found, why, strlen(why)) == 0,
		      "found '%s', expected '%s'", found, why);
}

START_TEST(a_stack_of_linked_modules)
{
	const struct chic_module_param buffer[] = {
		{.name = "buffer", .number = (uintptr_t)pool},
		{.name = "size", .number = ROOM},
	};
	const struct chic_module_param fails = {.name = "fails", .number = 1};
	const struct chic_stack_layer good[] = {{"tap", NULL, 0}, {"arena", buffer, 2}},
				      no_name[] = {{"tapp", NULL, 0}, {"arena", buffer, 2}},
				      no_buffer[] = {{"tap", NULL, 0}, {"arena", NULL, 0}},
				      half[] = {{"half", NULL, 0}},
				      failing[] = {{"tap", &fails, 1}, {"arena", buffer, 2}};
	ValueMutPtr h;

	refused(NULL, 1, -CHIC_EINVAL, "a stack has 1 to 4 layers");
	refused(good, 0, -CHIC_EINVAL, "a stack has 1 to 4 layers");
	refused(good, 5, -CHIC_EINVAL, "a stack has 1 to 4 layers");
	refused(no_name, 2, -CHIC_ENOENT, "no module of that name is linked in");
	refused(no_buffer, 2, -CHIC_EINVAL, "arena: no buffer, or one too small for a block");
	refused(half, 1, -CHIC_EINVAL,
		"a heap that exports alloc must export free, or say frees=no");
	refused(failing, 2, -CHIC_ENOMEM, "told to fail");
	chic_rt_allocator_reset();
	chic_rt_reset_alloc_stats();
	ck_assert_ptr_null(chic_rt_alloc(8, 8).ptr);

	ck_assert_int_eq(chic_alloc_stack(good, 2), 0);
	h = chic_rt_alloc(8, 8);
	ck_assert(inside(h));
	ck_assert_uint_eq(the_tap.blocks, 1);
	h = chic_rt_realloc(h, 8, 100, 8); /* the lower's */
	ck_assert(inside(h));
	/* an installed table falls back to it entry by entry, and a reset returns to it */
	chic_rt_allocator_install((ChicAllocatorVTable){.context = pool});
	chic_rt_free(h);
	ck_assert_uint_eq(the_tap.blocks, 0);
	chic_rt_allocator_reset();
	h = chic_rt_alloc_zeroed(8, 8);
	ck_assert(inside(h));
	chic_rt_free(h);
	ck_assert_uint_eq(live_bytes(), 0);
	refused(good, 2, -CHIC_EBUSY, "there is a stack already");
}
END_TEST

/* ---- suites ---- */

void core_first(Suite *suite)
{
	TCase *none = tcase_create("no heap"), *some = tcase_create("arena");

	tcase_add_test(none, inert_until_something_is_installed);
	suite_add_tcase(suite, none);
	tcase_add_checked_fixture(some, arena, chic_rt_allocator_reset);
	tcase_add_test(some, bad_buffers_are_refused);
	tcase_add_loop_test(some, misaligned_buffers_lose_their_first_bytes, 0, 16);
	tcase_add_test(some, the_last_block_grows_and_goes_back);
	tcase_add_test(some, zeroed_memory_is_zero_where_it_was_used);
	tcase_add_test(some, exhausted_memory_is_a_typed_null);
	tcase_add_test(some, sizes_that_overflow_are_typed_nulls);
	tcase_add_test(some, alignments_up_to_the_greatest);
	tcase_add_test(some, foreign_blocks_and_nulls_are_left_alone);
	tcase_add_test(some, regions_and_containers_over_the_arena);
	tcase_add_test(some, interrupts_may_allocate);
	tcase_add_test(some, interrupts_may_install);
	suite_add_tcase(suite, some);
}

void core_last(Suite *suite)
{
	TCase *tcase = tcase_create("stack");

	tcase_add_test(tcase, a_stack_of_linked_modules);
	suite_add_tcase(suite, tcase);
}
