// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_match.c - globs of [program] sections against programs.
 */
#include "check_support.h"
#include "internal.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *globs, *execfn, *exe;
	int score;
} cases[] = {
	/* by basename of either */
	{"java", "/usr/bin/java", "/usr/lib/jvm/17/bin/java", 2},
	{"redis-server", "/usr/bin/redis-server", "/usr/bin/redis-check-rdb", 2},
	{"redis-check-rdb", "/usr/bin/redis-server", "/usr/bin/redis-check-rdb", 2},
	{"java", "java", NULL, 2},
	{"java", "./java", NULL, 2},
	{"java", NULL, "/usr/bin/java", 2},
	{"java", "/usr/bin/javac", "/usr/bin/javac", 0},
	{"jav", "/usr/bin/java", "/usr/bin/java", 0},
	{"python3*", "/usr/bin/python3.11", NULL, 1},
	{"*", "/usr/bin/x", NULL, 1},
	{"[jk]ava", "/usr/bin/java", NULL, 1},
	{"?ava", "/usr/bin/java", NULL, 1},
	/* by path of either; the started one only where it is absolute */
	{"/usr/bin/java", "/usr/bin/java", NULL, 4},
	{"/usr/bin/java", "/opt/java", "/usr/bin/java", 4},
	{"/usr/lib/jvm/*/bin/java", "/usr/bin/java", "/usr/lib/jvm/17/bin/java", 3},
	{"/usr/lib/*/java", "/usr/bin/java", "/usr/lib/jvm/17/bin/java", 0},
	{"/usr/bin/*", "bin/java", NULL, 0},
	{"bin/java", "bin/java", NULL, 0},
	{"/usr/bin/java", NULL, NULL, 0},
	/* lists: the best counts */
	{"ruby, java ,perl", "/usr/bin/java", NULL, 2},
	{"j*, java", "/usr/bin/java", NULL, 2},
	{"java, /usr/bin/java, *", "/usr/bin/java", NULL, 4},
	{"/usr/*/java,java", "/usr/bin/java", NULL, 3},
	{"", "/usr/bin/java", NULL, 0},
	{"java", "", "", 0},
	/* a file whose name looks like a glob is met literally first */
	{"a[b]", "/x/a[b]", NULL, 2},
};

START_TEST(scores)
{
	struct program program = {.execfn = cases[_i].execfn, .exe = cases[_i].exe};

	ck_assert_int_eq(match_program(cases[_i].globs, &program), cases[_i].score);
}
END_TEST

START_TEST(an_over_long_glob_is_cut_not_overrun)
{
	struct program program = {.execfn = "/usr/bin/java"};
	char *globs = malloc(100000);

	memset(globs, 'x', 99993);
	strcpy(globs + 99993, ", java");

	ck_assert_int_eq(match_program(globs, &program), 2);
	free(globs);
}
END_TEST

START_TEST(good_globs)
{
	ck_assert_int_eq(match_check("java, python3*, /usr/lib/jvm/*/bin/java"), 0);
}
END_TEST

static const struct {
	const char *globs, *message;
} bad[] = {
	{"", "empty glob, expected globs separated by commas"},
	{"java,", "empty glob"},
	{"java,,perl", "empty glob"},
	{"java, bin/perl", "relative path, got 'bin/perl', expected a basename or a path"},
	{"*/java", "relative path, got '*/java'"},
};

START_TEST(globs_that_can_meet_nothing)
{
	ck_assert_int_eq(match_check(bad[_i].globs), -EINVAL);
	ck_assert_msg(strstr(message_get(), bad[_i].message), "%s", message_get());
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("match");
	TCase *t = tcase_create("match");

	tcase_set_timeout(t, CHECK_TIMEOUT);
	tcase_add_loop_test(t, scores, 0, ARRAY_SIZE(cases));
	tcase_add_test(t, an_over_long_glob_is_cut_not_overrun);
	tcase_add_test(t, good_globs);
	tcase_add_loop_test(t, globs_that_can_meet_nothing, 0, ARRAY_SIZE(bad));
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
