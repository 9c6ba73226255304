// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tests of modules/guard*.c: slots, limits, sampling, and how a guard begins and ends.
 */
#define _GNU_SOURCE
#include "guard_support.h"

/* ------------------------------------------------------- slots and limits -- */

START_TEST(only_some_sizes)
{
	static const size_t in[] = {100, 101, 4096}, out[] = {1, 99, 4097, 100000};

	for (size_t i = 0; i < ARRAY_LENGTH(in); i++)
		guarded(in[i]);
	for (size_t i = 0; i < ARRAY_LENGTH(out); i++)
		ck_assert(!guard_owns(subject.ctx, guard_malloc(subject.ctx, out[i])));
}
END_TEST

START_TEST(large_blocks_grow_and_shrink_where_they_are)
{
	size_t size = 40000, moves = 0;
	char *p = guarded(size), *q;

	put_pattern((unsigned char *)p, size);
	for (size += 1777; size < 4 * M; size += 1777, p = q) {
		q = guard_remalloc(subject.ctx, p, size);
		MUST(guard_owns(subject.ctx, q));
		moves += q != p;
		MUST(all_are(q + size - 10, 0, 10));
		memset(q + size - 10, 0, 10);
	}
	ck_assert_uint_lt(moves, 12);
	check_pattern((unsigned char *)p, 40000);
	expect_fault(write_byte, p + round_up(size - 1777, PAGE) + PAGE);
	for (; size > 50000; size -= 1777) {
		q = guard_remalloc(subject.ctx, p, size);
		ck_assert_ptr_eq(q, p);
		ck_assert_uint_eq(guard_usable_size(subject.ctx, q), size);
	}
	expect_fault(write_byte, p + size + 1777 + PAGE);
	check_pattern((unsigned char *)p, 40000);
	p[size + 1777] = 1;
	expect_line(
		do_free, p,
		"overflow: found by free of the block of %zu bytes at %p: offset %zu is 0x01, "
		"expected 0xc5\n",
		size + 1777, p, size + 1777);
}
END_TEST

START_TEST(usable_size_is_what_was_asked)
{
	char *p = guarded(61);

	ck_assert_uint_eq(guard_usable_size(subject.ctx, p), 61);
	ck_assert_uint_eq(guard_mfree(subject.ctx, p), 61);
	ck_assert_uint_eq(guard_usable_size(subject.ctx, p), 0);
}
END_TEST

START_TEST(owns_only_its_range)
{
	int local = 0;

	ck_assert(!guard_owns(subject.ctx, &local));
	ck_assert(!guard_owns(subject.ctx, NULL));
	ck_assert(!guard_owns(subject.ctx, (void *)UINTPTR_MAX));
}
END_TEST

START_TEST(quarantine_is_first_in_first_out)
{
	char *p[6];

	for (int i = 0; i < 6; i++)
		p[i] = guarded(100);
	for (int i = 0; i < 6; i++)
		guard_mfree(subject.ctx, p[i]);
	/* four slots fit in: the first two may be used again, the last freed first */
	ck_assert_ptr_eq(guarded(100), p[1]);
	ck_assert_ptr_eq(guarded(100), p[0]);
	expect_fault(read_byte, p[2]);
	guard_mfree(subject.ctx, guarded(200));
	ck_assert_ptr_eq(guarded(100), p[2]);
}
END_TEST

START_TEST(used_again_memory_is_zero)
{
	char *p;

	for (int i = 0; i < 20; i++) {
		p = guard_calloc(subject.ctx, 1, 3000);
		ck_assert(all_are(p, 0, 3000));
		memset(p, 0xff, 3000);
		guard_mfree(subject.ctx, p);
	}
}
END_TEST

START_TEST(quarantine_gives_way_when_addresses_run_out)
{
	for (int i = 0; i < 1000; i++) {
		char *p = guard_malloc(subject.ctx, 5000);

		MUST(guard_owns(subject.ctx, p));
		memset(p, 1, 5000);
		guard_mfree(subject.ctx, p);
	}
}
END_TEST

START_TEST(past_the_range_lower_serves)
{
	void *p[200];

	for (int i = 0; i < 200; i++) {
		p[i] = guard_malloc(subject.ctx, 5000);
		MUST(p[i]);
		memset(p[i], i, 5000);
	}
	ck_assert_int_gt(lower_live, 0);
	for (int i = 0; i < 200; i++) {
		MUST(all_are(p[i], (unsigned char)i, 5000));
		guard_mfree(subject.ctx, p[i]);
	}
	ck_assert_int_eq(lower_live, 0);
}
END_TEST

START_TEST(past_the_limit_lower_serves)
{
	void *p[11];

	for (int i = 0; i < 11; i++)
		p[i] = guard_malloc(subject.ctx, 100);
	ck_assert(guard_owns(subject.ctx, p[9]));
	ck_assert(!guard_owns(subject.ctx, p[10]));
	ck_assert_int_eq(lower_live, 1);
	guard_mfree(subject.ctx, p[0]);
	guarded(100);
	guard_mfree(subject.ctx, p[10]);
	ck_assert_int_eq(lower_live, 0);
}
END_TEST

static size_t maps(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	size_t n = 0;
	int c;

	while ((c = fgetc(file)) != EOF)
		n += c == '\n';
	fclose(file);
	return n;
}

static size_t max_map_count(void)
{
	FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
	size_t n = 0;

	ck_assert_int_eq(fscanf(file, "%zu", &n), 1);
	fclose(file);
	return n;
}

/* Touched and freed in any order: what is freed must cost no mappings. */
START_TEST(live_blocks_leave_a_quarter_of_the_mappings)
{
	size_t most = max_map_count(), n = most / 2 + 1000, before = maps(), at_most;
	char **p = calloc(n, sizeof(*p));

	for (size_t i = 0; i < n; i++) {
		p[i] = guard_malloc(subject.ctx, 64);
		MUST(p[i]);
		p[i][0] = 1;
	}
	at_most = maps();
	ck_assert_uint_le(at_most, most - most / 4 + before + 64);
	ck_assert_uint_gt(at_most, most / 2);
	ck_assert_int_gt(lower_live, 0);
	for (size_t i = 0; i < n; i += 2)
		guard_mfree(subject.ctx, p[i]);
	for (size_t i = 1; i < n; i += 2)
		guard_mfree(subject.ctx, p[i]);
	ck_assert_int_eq(lower_live, 0);
	ck_assert_uint_le(maps(), before + 64);
	free(p);
}
END_TEST

START_TEST(sampling_guards_one_in_so_many)
{
	int own = 0;

	for (int i = 0; i < 30000; i++)
		own += guard_owns(subject.ctx, guard_malloc(subject.ctx, 8));
	ck_assert_int_gt(own, 9000);
	ck_assert_int_lt(own, 11000);
	ck_assert_int_eq(lower_live, 30000 - own);
}
END_TEST

static void *first_is_own(void *arg)
{
	void *p = guard_malloc(subject.ctx, 8);

	atomic_fetch_add((atomic_int *)arg, guard_owns(subject.ctx, p));
	return NULL;
}

/* Nor is a thread's first one guarded more often than others. */
/* Who goes by what it says, without asking, does as it does. */
START_TEST(sampling_says_what_it_leaves)
{
	const struct chic_module_leaves *leaves = args.leaves;
	unsigned guarded = 0;

	ck_assert_ptr_nonnull(leaves->countdown);
	for (int i = 0; i < 30000; i++) {
		void *p = NULL;

		if (*leaves->countdown > 1)
			--*leaves->countdown;
		else
			p = guard_malloc(subject.ctx, 64);
		if (!p || !guard_owns(subject.ctx, p))
			continue;
		MUST((uintptr_t)p - (uintptr_t)leaves->base < leaves->bytes);
		guarded++;
		guard_mfree(subject.ctx, p);
	}
	ck_assert_uint_gt(guarded, 9000);
	ck_assert_uint_lt(guarded, 11000);
}
END_TEST

START_TEST(sampling_does_not_begin_anew_with_each_thread)
{
	atomic_int own = 0;
	pthread_t thread;

	for (int i = 0; i < 900; i++) {
		pthread_create(&thread, NULL, first_is_own, &own);
		pthread_join(thread, NULL);
	}
	ck_assert_int_gt(own, 100);
	ck_assert_int_lt(own, 500);
}
END_TEST

/* ---------------------------------------------------------- life cycle -- */

static void start_summary(void *arg)
{
	(void)arg;
	set_defaults();
	params[LIMIT].number = 10;
	params[BACKEND].text = "mprotect";
	params[SUMMARY].number = 1;
	if (start() != 0)
		_exit(1);
	for (int i = 0; i < 12; i++)
		guard_malloc(subject.ctx, 100);
}

START_TEST(summary_at_exit)
{
	struct child child;

	run_child(&child, start_summary, NULL);
	ck_assert_int_eq(child.status, 0);
	ck_assert_ptr_nonnull(
		strstr(child.text, ": 10 blocks guarded, 2 unguarded; back end mprotect\n"));
}
END_TEST

static void bad_sizes(const char *text)
{
	char expected[100];

	snprintf(expected, sizeof(expected),
		 "size = %s: expected MIN-MAX in bytes, such as 1-4K", text);
	set_defaults();
	params[SIZE].text = text;
	ck_assert_int_eq(start(), -EINVAL);
	ck_assert_str_eq(last_fail, expected);
}

START_TEST(sizes_are_checked)
{
	bad_sizes("100");
	bad_sizes("100-");
	bad_sizes("-100");
	bad_sizes("100-99");
	bad_sizes("1-2X");
	bad_sizes("1-2K3");
	bad_sizes("1-99999999999999999999");
	bad_sizes("1-99999999T");
	bad_sizes("1--2");
}
END_TEST

START_TEST(limit_beyond_the_systems_is_warned_of)
{
	set_defaults();
	params[LIMIT].number = 1000000000;
	params[BACKEND].text = "mprotect";
	ck_assert_int_eq(start(), 0);
	ck_assert_int_eq(
		strncmp(last_warn, "test: limit = 1000000000: vm.max_map_count = ", 45), 0);
	stop();
}
END_TEST

static void start_with_few_addresses(void *arg)
{
	(void)arg;
	set_defaults();
	limit_addresses(64 * M);
	if (start() != 0 || !strstr(last_warn, "test: range = ") ||
	    !strstr(last_warn, ": only "))
		_exit(1);
	_exit(guard_owns(subject.ctx, guard_malloc(subject.ctx, 100)) ? 0 : 2);
}

static void start_without_addresses(void *arg)
{
	void *p;

	(void)arg;
	set_defaults();
	limit_addresses(256 * K);
	if (start() != 0 || !strstr(last_warn, "nothing is guarded"))
		_exit(1);
	p = guard_malloc(subject.ctx, 100);
	_exit(p && lower_live == 1 && guard_mfree(subject.ctx, p) ? 0 : 2);
}

START_TEST(fewer_addresses_than_range_will_do)
{
	struct child child;

	run_child(&child, start_with_few_addresses, NULL);
	ck_assert_int_eq(child.status, 0);
	run_child(&child, start_without_addresses, NULL);
	ck_assert_int_eq(child.status, 0);
}
END_TEST

/* Lack of memory takes nothing away but, at worst, the guard. */
START_TEST(every_allocation_may_fail)
{
	unsigned n, failed = 0;

	for (n = 1;; n++) {
		void *p = NULL;
		int err;

		set_defaults();
		fault_start(n);
		err = start();
		if (!err)
			p = guard_malloc(subject.ctx, 100);
		if (p)
			guard_mfree(subject.ctx, p);
		if (!fault_stop())
			break;
		failed += err != 0;
		ck_assert_int_eq(err, err ? -ENOMEM : 0);
		ck_assert_int_eq(lower_live, 0);
		if (!err)
			stop();
	}
	ck_assert_uint_eq(failed, 2);
	ck_assert_uint_gt(n, 3);
	stop();
}
END_TEST

static TCase *slots_case(const char *name, void (*setup)(void))
{
	TCase *tc = case_with(name, setup, stop);

	tcase_add_test(tc, large_blocks_grow_and_shrink_where_they_are);
	tcase_add_test(tc, usable_size_is_what_was_asked);
	tcase_add_test(tc, owns_only_its_range);
	tcase_add_test(tc, used_again_memory_is_zero);
	return tc;
}

static TCase *init_case(void)
{
	TCase *tc = case_with("init", NULL, stop);

	tcase_add_test(tc, summary_at_exit);
	tcase_add_test(tc, sizes_are_checked);
	tcase_add_test(tc, limit_beyond_the_systems_is_warned_of);
	tcase_add_test(tc, fewer_addresses_than_range_will_do);
	tcase_add_test(tc, every_allocation_may_fail);
	return tc;
}

static void add_one(Suite *suite, const char *name, void (*setup)(void), const TTest *test)
{
	TCase *tc = case_with(name, setup, stop);

	tcase_add_test(tc, test);
	suite_add_tcase(suite, tc);
}

static void add_native(Suite *suite)
{
	suite_add_tcase(suite, slots_case("userfaultfd", start_userfaultfd));
	suite_add_tcase(suite, slots_case("madvise", start_madvise));
	add_one(suite, "mappings", start_mprotect, live_blocks_leave_a_quarter_of_the_mappings);
}

static Suite *make_suite(void)
{
	Suite *suite = suite_create("guard_slots");

	suite_add_tcase(suite, slots_case("mprotect", start_mprotect));
	/* valgrind knows one back end, and takes a second for each test */
	if (!getenv("CHECK_VALGRIND"))
		add_native(suite);
	add_one(suite, "sizes", start_sizes, only_some_sizes);
	add_one(suite, "sampled threads", start_sampled,
		sampling_does_not_begin_anew_with_each_thread);
	add_one(suite, "quarantine", start_short_quarantine, quarantine_is_first_in_first_out);
	add_one(suite, "zero", start_short_quarantine, used_again_memory_is_zero);
	add_one(suite, "range", start_small_range, quarantine_gives_way_when_addresses_run_out);
	add_one(suite, "range full", start_small_range, past_the_range_lower_serves);
	add_one(suite, "limit", start_limited, past_the_limit_lower_serves);
	add_one(suite, "sample", start_sampled, sampling_guards_one_in_so_many);
	add_one(suite, "leaves", start_sampled, sampling_says_what_it_leaves);
	suite_add_tcase(suite, init_case());
	return suite;
}

CHECK_MAIN(make_suite)
