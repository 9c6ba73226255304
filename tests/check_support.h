/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every check_*.c shares: main() runs the one suite that make_suite()
 * answers.  Options for each test case are set where it is made.
 */
#ifndef CHECK_SUPPORT_H
#define CHECK_SUPPORT_H

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What no heap has.  With 32 bits there may be room for PTRDIFF_MAX and a little more. */
#define IMPOSSIBLE_SIZE (sizeof(void *) < 8 ? SIZE_MAX / 4 * 3 : (size_t)PTRDIFF_MAX)

/* The slowest builds (valgrind, sanitizers) get this many seconds a test. */
#define CHECK_TIMEOUT 120

/*
 * In these builds the platform heap is the sanitizer's: it keeps freed blocks,
 * and a child forked while another thread holds one of its locks hangs.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHECK_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CHECK_SANITIZED 1
#endif
#endif
#ifndef CHECK_SANITIZED
#define CHECK_SANITIZED 0
#endif

/* Not those of files, of which the system maps more or fewer around a fault. */
static inline long resident_pages(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long pages = 0, shared = 0;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%*d %ld %ld", &pages, &shared), 2);
	fclose(f);
	return pages - shared;
}

static inline int check_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define CHECK_MAIN(make_suite)                                                                 \
	int main(void)                                                                         \
	{                                                                                      \
		return check_run(make_suite());                                                \
	}

#endif /* CHECK_SUPPORT_H */
