// SPDX-License-Identifier: BSD-2-Clause
/*
 * A process for each case: what its end means, and what is said about it.  And the
 * known contents by which cases find out who wrote where.
 */
#include "check_support.h"
#include "conform.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

CHIC_ALLOC_MANUAL();

static const struct conform_spec spec = {
	.entry = "default",
	.name = "default",
	.kind = "platform",
	.timeout = 2,
	.work = 0,
	.seed = 42,
};

static struct conform_result result;

static void run_one(void (*fn)(struct subject *))
{
	const struct conform_case c = {.name = "one", .demand = "", .run = fn, .loads = true};

	ck_assert_int_eq(conform_run(&c, &spec, &result), 0);
}

static void expect(enum conform_verdict verdict, const char *text)
{
	ck_assert_int_eq(result.verdict, verdict);
	if (text)
		ck_assert_str_eq(result.text, text);
	free(result.text);
}

/* ------------------------------------------------------------ verdicts --- */

static void pass(struct subject *s)
{
	(void)s;
	puts("nobody wants to know");
}

START_TEST(returning_is_passing)
{
	run_one(pass);
	expect(CONFORM_PASSED, NULL);
}
END_TEST

static void fails(struct subject *s)
{
	(void)s;
	case_fail("found %d, expected %d", 1, 2);
}

START_TEST(a_failure_says_why)
{
	run_one(fails);
	expect(CONFORM_FAILED, "found 1, expected 2\n");
}
END_TEST

static void skip(struct subject *s)
{
	(void)s;
	case_skip("it has no %s", "wings");
}

START_TEST(a_skip_says_why)
{
	run_one(skip);
	expect(CONFORM_SKIPPED, "it has no wings");
}
END_TEST

static void fail_on_stage(struct subject *s)
{
	struct rng rng;

	rng_begin(&rng, s, 1);
	case_stage("with %s", "gusto");
	case_fail("a mistake");
}

START_TEST(stage_and_seed_are_told)
{
	run_one(fail_on_stage);
	expect(CONFORM_FAILED, "a mistake\nwith gusto\nseed 42\n");
	run_one(fails);
	expect(CONFORM_FAILED, "found 1, expected 2\n");
}
END_TEST

static void crash(struct subject *s)
{
	(void)s;
	fputs("last words", stderr);
	case_doing("alloc(size %zu, align %zu)", 100, 16, 0);
	abort();
}

START_TEST(a_crash_is_told_by_its_signal)
{
	run_one(crash);
	expect(CONFORM_FAILED, "last words\nthe process died of SIGABRT\n"
			       "in the main thread: alloc(size 100, align 16)\n");
}
END_TEST

static void leave(struct subject *s)
{
	(void)s;
	_exit(0);
}

START_TEST(a_module_that_ends_the_process_does_not_pass)
{
	run_one(leave);
	expect(CONFORM_FAILED, "the process ended with status 0\n");
}
END_TEST

static void hang(struct subject *s)
{
	(void)s;
	case_thread(3);
	case_doing("mfree(block at %#zx)", 0x1000, 0, 0);
	for (;;)
		pause();
}

/* Its output is closed, so that only the clock tells. */
static void hang_silently(struct subject *s)
{
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	for (;;)
		pause();
	(void)s;
}

START_TEST(a_case_has_its_time)
{
	run_one(hang);
	expect(CONFORM_FAILED,
	       "not done after 2 seconds\nin thread 3: mfree(block at 0x1000)\n");
	run_one(hang_silently);
	expect(CONFORM_FAILED, "not done after 2 seconds\n");
}
END_TEST

/* What it leaves running holds the pipe and is not waited for. */
static void leave_one_behind(struct subject *s)
{
	(void)s;
	if (fork() == 0)
		for (;;)
			pause();
}

START_TEST(what_is_left_behind_is_not_waited_for)
{
	run_one(leave_one_behind);
	expect(CONFORM_PASSED, NULL);
}
END_TEST

static void die_at_exit(void)
{
	abort();
}

static void pass_then_die(struct subject *s)
{
	(void)s;
	atexit(die_at_exit);
}

START_TEST(exit_handlers_are_part_of_it)
{
	run_one(pass_then_die);
	expect(CONFORM_FAILED, "all was well, then exit() died of SIGABRT\n");
}
END_TEST

static void fail_apart(struct subject *s, void *arg)
{
	(void)s;
	case_fail("%s", (char *)arg);
}

static void crash_apart(struct subject *s, void *arg)
{
	(void)s;
	(void)arg;
	abort();
}

static void nothing_apart(struct subject *s, void *arg)
{
	(void)s;
	(void)arg;
}

static void with_one_apart(struct subject *s)
{
	case_apart(s, nothing_apart, NULL);
	case_apart(s, fail_apart, "far away");
}

static void with_a_crash_apart(struct subject *s)
{
	case_apart(s, crash_apart, NULL);
}

START_TEST(a_process_apart_takes_part)
{
	run_one(with_one_apart);
	expect(CONFORM_FAILED, "far away\n");
	run_one(with_a_crash_apart);
	expect(CONFORM_FAILED, "the process died of SIGABRT\n");
}
END_TEST

static void talk(struct subject *s)
{
	(void)s;
	for (int i = 0; i < 100000; i++)
		puts("and another thing");
	case_fail("enough");
}

START_TEST(of_much_talk_the_end_is_kept)
{
	run_one(talk);
	ck_assert_uint_lt(strlen(result.text), 5000);
	ck_assert_ptr_eq(strstr(result.text, "...\nand another thing\n"), result.text);
	ck_assert_str_eq(strchr(result.text, '\0') - strlen("\nenough\n"), "\nenough\n");
	expect(CONFORM_FAILED, NULL);
}
END_TEST

/* ------------------------------------------------------------ contents --- */

static const size_t sizes[] = {1, 100, 65536, 65537, 300000, 1 << 22};

START_TEST(contents_are_found_again)
{
	size_t size = sizes[_i];
	unsigned char *p = calloc(1, size);

	contents_put(p, size, 7);
	ck_assert_uint_eq(contents_differ(p, size, 7, size), size);
	p[size - 1]++;
	ck_assert_uint_eq(contents_differ(p, size, 7, size), size - 1);
	ck_assert_uint_eq(contents_differ(p, size, 7, size - 1), size - 1);
	p[0]++;
	ck_assert_uint_eq(contents_differ(p, size, 7, size), 0);
	free(p);
}
END_TEST

START_TEST(a_large_block_is_touched_in_part)
{
	size_t size = (size_t)1 << 30;
	unsigned char *p = malloc(size);
	struct memory before = memory_now();

	ck_assert_ptr_nonnull(p);
	contents_put(p, size, 7);
	ck_assert_uint_lt(memory_now().resident, before.resident + (4 << 20));
	ck_assert_uint_eq(contents_differ(p, size, 7, size), size);
	free(p);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("conform");
	TCase *t = tcase_create("verdicts");

	tcase_set_timeout(t, CHECK_TIMEOUT);
	tcase_add_test(t, returning_is_passing);
	tcase_add_test(t, a_failure_says_why);
	tcase_add_test(t, a_skip_says_why);
	tcase_add_test(t, stage_and_seed_are_told);
	tcase_add_test(t, a_crash_is_told_by_its_signal);
	tcase_add_test(t, a_module_that_ends_the_process_does_not_pass);
	tcase_add_test(t, a_case_has_its_time);
	tcase_add_test(t, what_is_left_behind_is_not_waited_for);
	tcase_add_test(t, exit_handlers_are_part_of_it);
	tcase_add_test(t, a_process_apart_takes_part);
	tcase_add_test(t, of_much_talk_the_end_is_kept);
	suite_add_tcase(s, t);
	t = tcase_create("contents");
	tcase_add_loop_test(t, contents_are_found_again, 0, (int)ARRAY_SIZE(sizes));
	if (!CHECK_SANITIZED)
		tcase_add_test(t, a_large_block_is_touched_in_part);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(make_suite)
