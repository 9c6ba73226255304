// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_name.c - names are compared and validated, lists taken apart.
 */
#include "check_support.h"
#include "internal.h"

#include <errno.h>
#include <string.h>

#define FORTY "abcdefghijabcdefghijabcdefghijabcdefghij"

static const struct {
	const char *a, *b;
	bool equal;
} pairs[] = {
	{"guard", "guard", true},   {"my-heap", "my_heap", true},
	{"a-b_c", "a_b-c", true},   {"guard", "guards", false},
	{"guards", "guard", false}, {"my-heap", "myheap", false},
	{"guard", "Guard", false},  {"", "", true},
};

START_TEST(equality)
{
	ck_assert_int_eq(name_equal(pairs[_i].a, pairs[_i].b), pairs[_i].equal);
}
END_TEST

static const struct {
	const char *name;
	bool valid;
} names[] = {
	{"guard", true},      {"my-heap_2", true}, {"A", true},	   {FORTY, true},
	{FORTY "x", false},   {"", false},	   {"a b", false}, {"a.so", false},
	{"allocator", false}, {"default", false},  {"a/b", false}, {"h\xc3\xb6he", false},
};

START_TEST(validity)
{
	ck_assert_int_eq(name_valid(names[_i].name), names[_i].valid);
}
END_TEST

START_TEST(next_takes_trimmed_entries_in_order)
{
	const char *list = "  counting,guard ,\tlibmimalloc.so.2, /opt/my heap/x.so, default ";
	static const char *const expected[] = {
		"counting", "guard", "libmimalloc.so.2", "/opt/my heap/x.so", "default",
	};
	char out[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		ck_assert_int_eq(name_next(&list, out, sizeof(out)), 1);
		ck_assert_str_eq(out, expected[i]);
	}

	ck_assert_int_eq(name_next(&list, out, sizeof(out)), 0);
}
END_TEST

START_TEST(next_of_a_blank_list_is_the_end)
{
	const char *list = " \t ";
	char out[8];

	ck_assert_int_eq(name_next(&list, out, sizeof(out)), 0);
}
END_TEST

START_TEST(next_refuses_what_does_not_fit)
{
	const char *list = "counting";
	char out[8];

	ck_assert_int_eq(name_next(&list, out, sizeof(out)), -EINVAL);
	ck_assert_ptr_nonnull(
		strstr(message_get(), "got 'counting', expected at most 7 bytes"));
}
END_TEST

static const struct {
	const char *entry;
	bool library;
} libraries[] = {
	{"libx.so", true},     {"libx.so.2", true}, {"libx.so.2.1", true}, {"/a/b.so", true},
	{"libx.sound", false}, {"libx", false},	    {".so", false},	   {"libx.so.", false},
	{"a/b.so", false},     {"./b.so", false},   {"/a.so/b", false},	   {"/", false},
	{"a.sox.so", true},    {"", false},	    {"libx.so.b", false},  {"/a.so/.so", false},
	{"libx.so.2b", false}, {"a.so.so.1", true},
};

START_TEST(libraries_are_sonames_and_absolute_paths)
{
	ck_assert_int_eq(name_is_library(libraries[_i].entry), libraries[_i].library);
}
END_TEST

static const struct {
	const char *list;
	const char *message; /* null if good */
	bool no_default;
} lists[] = {
	{"", NULL, false},
	{"guard", NULL, false},
	{"counting, guard, default", NULL, false},
	{"default", NULL, false},
	{"a,b,c,d,e,f,g,h", NULL, false},
	{"/a-b.so, /a_b.so", NULL, false},
	{"a,b,c,d,e,f,g,h,i", "stack too deep, got 'i' as the 9th entry, expected at most 8",
	 false},
	{",guard", "empty entry, got ',guard', expected one module between commas", false},
	{"guard,", "empty entry", false},
	{"guard, ,a", "empty entry", false},
	{",", "empty entry", false},
	{"guard, counting, guard", "repeated module, got 'guard' again", false},
	{"my-heap, my_heap", "repeated module, got 'my-heap' again", false},
	{"/x.so, /x.so", "repeated module", false},
	{"default,guard", "'default' before 'guard', expected it last", false},
	{"default,\n", "'default' before '\\x0a', expected it last", false},
	{"/a\nb.so", "bad entry, got '/a\\x0ab.so'", false},
	{"default", "'default' among filters", true},
	{"guard counting", "bad entry, got 'guard counting', expected a module's name", false},
	{"allocator", "reserved name, got 'allocator'", false},
	{"lib/x.so", "bad entry, got 'lib/x.so'", false},
	{"guard\n", "got 'guard\\x0a'", false},
};

START_TEST(whole_lists)
{
	int err = name_check_list(lists[_i].list, !lists[_i].no_default);

	if (!lists[_i].message) {
		ck_assert_int_eq(err, 0);
		return;
	}
	ck_assert_int_eq(err, -EINVAL);
	ck_assert_msg(strstr(message_get(), lists[_i].message), "%s", message_get());
}
END_TEST

START_TEST(membership_folds_names_but_not_files)
{
	ck_assert(name_in_list("my-heap", "guard, my_heap"));
	ck_assert(name_in_list("/a-b.so", "guard, /a-b.so"));
	ck_assert(!name_in_list("/a-b.so", "guard, /a_b.so"));
	ck_assert(!name_in_list("heap", "guard, my_heap"));
	ck_assert(!name_in_list("guard", ""));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("name");
	TCase *t = tcase_create("name");

	tcase_set_timeout(t, CHECK_TIMEOUT);
	tcase_add_loop_test(t, equality, 0, ARRAY_SIZE(pairs));
	tcase_add_loop_test(t, validity, 0, ARRAY_SIZE(names));
	tcase_add_test(t, next_takes_trimmed_entries_in_order);
	tcase_add_test(t, next_of_a_blank_list_is_the_end);
	tcase_add_test(t, next_refuses_what_does_not_fit);
	tcase_add_loop_test(t, libraries_are_sonames_and_absolute_paths, 0,
			    ARRAY_SIZE(libraries));
	tcase_add_loop_test(t, whole_lists, 0, ARRAY_SIZE(lists));
	tcase_add_test(t, membership_folds_names_but_not_files);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
