// SPDX-License-Identifier: BSD-2-Clause
/*
 * Options of stock libraries: what env may say, the variables that come of a
 * section, and the environment while they are in it and afterwards.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "fault.h"
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

CHIC_ALLOC_MANUAL();

static struct config config;
static struct stock_options options;

static void setup(void)
{
	config = (struct config){0};
}

static void teardown(void)
{
	stock_options_free(&options);
	config_free(&config);
}

/* [module heap] KEY = VALUE, each on a line of its own */
static void set(const char *key, const char *value)
{
	unsigned line = config.n_settings + 1;

	ck_assert_msg(settings_take(&config, "module heap", key, value, "f", line) == 0, "%s",
		      message_get());
}

static int read_options(void)
{
	return stock_options_read(&config, "heap", &options);
}

static void assert_says(const char *text)
{
	ck_assert_msg(strstr(message_get(), text) != NULL, "'%s' lacks '%s'", message_get(),
		      text);
}

/* ------------------------------------------------------------ the key --- */

static const char *const good_forms[] = {
	"MIMALLOC_*", "X*", "_x1*", "MALLOC_CONF key:value,", "A \t key=value:", "A key%value%",
};

START_TEST(good_form)
{
	ck_assert_int_eq(stock_options_check_form(good_forms[_i]), 0);
}
END_TEST

static const char *const bad_forms[] = {
	"",
	"*",
	"1X*",
	"X**",
	"X *",
	"X",
	"X-Y*",
	"X key",
	"X key:value",
	"X key:value,key",
	"X keyvalue,",
	"X key:valuex",
	"Xkey:value,",
	"X key:value, ",
	"X KEY:VALUE,",
	"X=1*",
};

START_TEST(bad_form)
{
	ck_assert_int_eq(stock_options_check_form(bad_forms[_i]), -EINVAL);
	assert_says("expected a variable's name as in NAME_* or NAME key:value,");
	ck_assert_int_eq(settings_take(&config, "module x", "env", bad_forms[_i], "f", 3),
			 -EINVAL);
	assert_says("f:3: env: ");
}
END_TEST

/* ------------------------------------------------------- to variables --- */

START_TEST(each_in_a_variable)
{
	set("path", "libheap.so.1");
	set("prefix", "h_");
	set("purge-delay", "0");
	set("env", "HEAP_*");
	set("show_Errors", "yes, all");
	set("empty", "");
	ck_assert_int_eq(settings_take(&config, "module other", "x", "y", "f", 9), 0);
	ck_assert_int_eq(read_options(), 0);
	ck_assert_uint_eq(options.n, 3);
	ck_assert_int_eq(options.separate, 0);
	ck_assert_str_eq(options.variables[0], "HEAP_PURGE_DELAY=0");
	ck_assert_str_eq(options.variables[1], "HEAP_SHOW_ERRORS=yes, all");
	ck_assert_str_eq(options.variables[2], "HEAP_EMPTY=");
}
END_TEST

START_TEST(all_in_one_variable)
{
	set("narenas", "2");
	set("env", "MALLOC_CONF key:value,");
	set("prof-x", "a=b");
	ck_assert_int_eq(read_options(), 0);
	ck_assert_uint_eq(options.n, 1);
	ck_assert_int_eq(options.separate, ',');
	ck_assert_str_eq(options.variables[0], "MALLOC_CONF=narenas:2,prof-x:a=b");
}
END_TEST

START_TEST(nothing_to_pass)
{
	ck_assert_int_eq(read_options(), 0);
	ck_assert_uint_eq(options.n, 0);
	set("path", "libheap.so.1");
	set("env", "HEAP_*");
	ck_assert_int_eq(read_options(), 0);
	ck_assert_uint_eq(options.n, 0);
}
END_TEST

static const struct {
	const char *env, *key, *value, *says;
} bad[] = {
	{NULL, "a", "b", "f:1: unknown parameter of [module heap], got 'a', expected one of"},
	{"X key:value,", "a", "b,c", "f:2: a: bad value, got 'b,c', expected no ','"},
	{"X key:value,", "a:b", "c", "f:2: unknown parameter of [module heap], got 'a:b'"},
	{"X key:value,", "a,b", "c", "f:2: unknown parameter of [module heap], got 'a,b'"},
	{"X_*", "a b", "c", "f:2: unknown parameter of [module heap], got 'a b'"},
	{"X_*", "a.b", "c", "letters, digits"},
};

START_TEST(refused)
{
	if (bad[_i].env)
		set("env", bad[_i].env);
	set(bad[_i].key, bad[_i].value);
	ck_assert_int_eq(read_options(), -EINVAL);
	assert_says(bad[_i].says);
	ck_assert_uint_eq(options.n, 0);
}
END_TEST

START_TEST(equality)
{
	struct stock_options other;

	set("env", "HEAP_*");
	set("a", "1");
	ck_assert_int_eq(read_options(), 0);
	ck_assert_int_eq(stock_options_read(&config, "heap", &other), 0);
	ck_assert(stock_options_equal(&options, &other));
	other.variables[0][strlen(other.variables[0]) - 1] = '2';
	ck_assert(!stock_options_equal(&options, &other));
	stock_options_free(&other);
	ck_assert(!stock_options_equal(&options, &other));
}
END_TEST

static const char *const forms[] = {"HEAP_*", "HEAP key:value,"};

START_TEST(without_memory)
{
	unsigned n;
	int err;

	message_set(0, "a message has memory already");
	set("env", forms[_i]);
	set("a", "1");
	set("b", "2");
	for (n = 1;; n++) {
		fault_start(n);
		err = read_options();
		if (!fault_stop())
			break;
		ck_assert_int_eq(err, -ENOMEM);
		ck_assert_uint_eq(options.n, 0);
	}
	ck_assert_int_eq(err, 0);
	ck_assert_uint_gt(n, 3);
	for (n = 1;; n++) {
		char **before = environ;

		fault_start(n);
		err = stock_options_enter(&options);
		if (!fault_stop())
			break;
		ck_assert_int_eq(err, -ENOMEM);
		ck_assert_ptr_eq(environ, before);
	}
	ck_assert_int_eq(err, 0);
	ck_assert_uint_gt(n, 1);
	stock_options_leave();
}
END_TEST

/* -------------------------------------------------------- environment --- */

START_TEST(in_and_out_again)
{
	char **before = environ;

	set("env", "HEAP_*");
	set("a", "1");
	set("b", "2");
	ck_assert_int_eq(read_options(), 0);
	ck_assert_int_eq(setenv("HEAP_A", "mine", 1), 0);
	ck_assert_int_eq(setenv("HEAP_BB", "untouched", 1), 0);
	before = environ;
	ck_assert_int_eq(stock_options_enter(&options), 0);
	ck_assert_str_eq(getenv("HEAP_A"), "mine"); /* the user's comes first */
	ck_assert_str_eq(getenv("HEAP_B"), "2");
	ck_assert_str_eq(getenv("HEAP_BB"), "untouched");
	ck_assert_ptr_nonnull(getenv("PATH"));
	stock_options_leave();
	ck_assert_ptr_eq(environ, before);
	ck_assert_ptr_null(getenv("HEAP_B"));
	ck_assert_str_eq(getenv("HEAP_A"), "mine");
}
END_TEST

START_TEST(joined_with_the_users)
{
	set("env", "HEAP key:value,");
	set("a", "1");
	set("b", "2");
	ck_assert_int_eq(read_options(), 0);
	ck_assert_int_eq(stock_options_enter(&options), 0);
	ck_assert_str_eq(getenv("HEAP"), "a:1,b:2");
	stock_options_leave();
	ck_assert_ptr_null(getenv("HEAP"));
	ck_assert_int_eq(setenv("HEAP", "b:3", 1), 0);
	ck_assert_int_eq(stock_options_enter(&options), 0);
	ck_assert_str_eq(getenv("HEAP"), "a:1,b:2,b:3");
	stock_options_leave();
	ck_assert_str_eq(getenv("HEAP"), "b:3");
	ck_assert_int_eq(setenv("HEAP", "", 1), 0);
	ck_assert_int_eq(stock_options_enter(&options), 0);
	ck_assert_str_eq(getenv("HEAP"), "a:1,b:2"); /* no mark at the end */
	stock_options_leave();
	ck_assert_str_eq(getenv("HEAP"), "");
}
END_TEST

START_TEST(no_environment_at_all)
{
	set("env", "HEAP_*");
	set("a", "1");
	ck_assert_int_eq(read_options(), 0);
	environ = NULL;
	ck_assert_int_eq(stock_options_enter(&options), 0);
	ck_assert_str_eq(getenv("HEAP_A"), "1");
	stock_options_leave();
	ck_assert_ptr_null(environ);
}
END_TEST

START_TEST(somebody_sets_a_variable_beside_a_joined_one)
{
	set("env", "HEAP key:value,");
	set("a", "1");
	ck_assert_int_eq(read_options(), 0);
	ck_assert_int_eq(setenv("HEAP", "b:3", 1), 0);
	ck_assert_int_eq(stock_options_enter(&options), 0);
	ck_assert_int_eq(setenv("MEANWHILE", "2", 1), 0);
	ck_assert_str_eq(getenv("HEAP"), "a:1,b:3");
	stock_options_leave();
	ck_assert_str_eq(getenv("HEAP"), "b:3");
	ck_assert_str_eq(getenv("MEANWHILE"), "2");
}
END_TEST

/* The C library makes an array of its own then, and frees the one it had. */
START_TEST(somebody_sets_a_variable_meanwhile)
{
	set("env", "HEAP_*");
	set("a", "1");
	ck_assert_int_eq(read_options(), 0);
	ck_assert_int_eq(setenv("BEFORE", "1", 1), 0);
	ck_assert_int_eq(stock_options_enter(&options), 0);
	ck_assert_int_eq(setenv("MEANWHILE", "2", 1), 0);
	stock_options_leave();
	ck_assert_str_eq(getenv("BEFORE"), "1");
	ck_assert_str_eq(getenv("MEANWHILE"), "2");
	ck_assert_ptr_null(getenv("HEAP_A"));
	ck_assert_int_eq(setenv("AFTER", "3", 1), 0);
	ck_assert_str_eq(getenv("AFTER"), "3");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("stock_options");
	TCase *t = tcase_create("stock_options");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, CHECK_TIMEOUT);
	tcase_add_loop_test(t, good_form, 0, ARRAY_SIZE(good_forms));
	tcase_add_loop_test(t, bad_form, 0, ARRAY_SIZE(bad_forms));
	tcase_add_test(t, each_in_a_variable);
	tcase_add_test(t, all_in_one_variable);
	tcase_add_test(t, nothing_to_pass);
	tcase_add_loop_test(t, refused, 0, ARRAY_SIZE(bad));
	tcase_add_test(t, equality);
	tcase_add_loop_test(t, without_memory, 0, ARRAY_SIZE(forms));
	tcase_add_test(t, in_and_out_again);
	tcase_add_test(t, joined_with_the_users);
	tcase_add_test(t, no_environment_at_all);
	tcase_add_test(t, somebody_sets_a_variable_meanwhile);
	tcase_add_test(t, somebody_sets_a_variable_beside_a_joined_one);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(make_suite)
