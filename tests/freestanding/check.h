/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As much of libcheck as the sources need that run where there is no C library: tests
 * one after the other in the one process there is, and the first failed check ends it.
 */
#ifndef FREESTANDING_CHECK_H
#define FREESTANDING_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
	const char *name;
	void (*fn)(int _i);
} TTest;

typedef struct TCase TCase;
typedef struct Suite Suite;

Suite *suite_create(const char *name);
TCase *tcase_create(const char *name);
void suite_add_tcase(Suite *suite, TCase *tcase);
void tcase_add_checked_fixture(TCase *tcase, void (*setup)(void), void (*teardown)(void));
void tcase_add_loop_test(TCase *tcase, const TTest *test, int from, int to);
/* Run all; answers how many tests there were. */
unsigned suite_run(Suite *suite);

#define tcase_add_test(tcase, test) tcase_add_loop_test(tcase, test, 0, 1)
#define tcase_set_timeout(tcase, seconds) ((void)(tcase))

#define START_TEST(test)                                                                       \
	static void test##_fn(int _i);                                                         \
	static const TTest test##_ttest = {#test, test##_fn};                                  \
	static const TTest *const test = &test##_ttest;                                        \
	static void test##_fn(int _i __attribute__((unused)))
#define END_TEST

/* The format knows %s, %d, %u, %zu. */
_Noreturn void check_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define ck_abort_msg(...) check_fail(__FILE__, __LINE__, __VA_ARGS__)
#define ck_assert_msg(condition, ...)                                                          \
	do {                                                                                   \
		if (!(condition))                                                              \
			ck_abort_msg(__VA_ARGS__);                                             \
	} while (0)
#define ck_assert(condition) ck_assert_msg(condition, "expected %s", #condition)

#define CHECK_NUMBERS(type, a, op, b)                                                          \
	do {                                                                                   \
		const type a_ = (a), b_ = (b);                                                 \
		ck_assert_msg(a_ op b_, "expected %s %s %s: found %zu, %zu", #a, #op, #b,      \
			      (size_t)a_, (size_t)b_);                                         \
	} while (0)
#define ck_assert_int_eq(a, b) CHECK_NUMBERS(intmax_t, a, ==, b)
#define ck_assert_uint_eq(a, b) CHECK_NUMBERS(uintmax_t, a, ==, b)
#define ck_assert_uint_gt(a, b) CHECK_NUMBERS(uintmax_t, a, >, b)
#define ck_assert_uint_ge(a, b) CHECK_NUMBERS(uintmax_t, a, >=, b)
#define ck_assert_ptr_eq(a, b) ck_assert((const void *)(a) == (const void *)(b))
#define ck_assert_ptr_ne(a, b) ck_assert((const void *)(a) != (const void *)(b))
#define ck_assert_ptr_null(a) ck_assert_ptr_eq(a, NULL)
#define ck_assert_ptr_nonnull(a) ck_assert_ptr_ne(a, NULL)
#define ck_assert_mem_eq(a, b, n) ck_assert(memcmp(a, b, n) == 0)

#endif /* FREESTANDING_CHECK_H */
