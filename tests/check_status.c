// SPDX-License-Identifier: BSD-2-Clause
/*
 * The record that a process leaves for chic-alloc ps: what it says after each way
 * of starting, and that it fits the sizes of its texts.
 */
#define _GNU_SOURCE
#include "conf_support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

CHIC_ALLOC_MANUAL();

extern struct status chic_alloc_status;

static void setup(void)
{
	conf_begin(TEST_MODULE_DIR);
}

/* As another process finds them. */
static const struct status_texts *texts(void)
{
	volatile uintptr_t at = (uintptr_t)&status_record;

	return (const struct status_texts *)(at + (intptr_t)status_record.texts);
}

static void check_whole(enum status_state state)
{
	ck_assert_uint_eq(status_record.magic, STATUS_MAGIC);
	ck_assert_uint_eq(status_record.version, STATUS_VERSION);
	ck_assert_uint_eq(status_record.size, sizeof(struct status));
	ck_assert_uint_eq(status_record.sequence % 2, 0);
	ck_assert_uint_eq(status_record.state, state);
}

START_TEST(one_record_of_two_names)
{
	/* a compiler may know that two variables are not the same */
	volatile uintptr_t a = (uintptr_t)&chic_alloc_status, b = (uintptr_t)&status_record;

	ck_assert_uint_eq(a, b);
}
END_TEST

START_TEST(a_program_that_says_no)
{
	check_whole(STATUS_MANUAL);
	ck_assert_int_eq(status_record.texts, 0);
}
END_TEST

START_TEST(a_stack)
{
	conf_write("[allocator]\nmodule = good_filter, good_heap");
	ck_assert_int_eq(chic_alloc_load(conf), 0);
	check_whole(STATUS_SERVES);
	ck_assert_str_eq(texts()->stack, "good_filter, good_heap");
	ck_assert_str_eq(texts()->from.file, conf);
	ck_assert_uint_eq(texts()->from.line, 2);
	ck_assert_str_eq(texts()->from.section, "allocator");
	ck_assert_str_eq(texts()->rule.file, "");
	ck_assert_str_eq(texts()->why, "");
	ck_assert_uint_ne(status_record.key, 0);
	ck_assert_uint_ne(status_record.request, 0);
	ck_assert_uint_eq(texts()->asked.given, STATUS_GIVEN_NAMED);
	ck_assert_str_eq(texts()->asked.named, conf);
}
END_TEST

START_TEST(a_rule)
{
	conf_write("[allocator]\nfilters = good_filter\n"
		   "[program all]\nmatch = *\ntelemetry = off\nmodule = good_heap");
	ck_assert_int_eq(chic_alloc_load(conf), 0);
	ck_assert_str_eq(texts()->stack, "good_filter, good_heap");
	ck_assert_uint_eq(texts()->from.line, 6);
	ck_assert_str_eq(texts()->rule.section, "program all");
	ck_assert_uint_eq(texts()->rule.line, 6);
	ck_assert_uint_eq(status_record.telemetry, CHIC_TELEMETRY_OFF);
}
END_TEST

START_TEST(filters_alone)
{
	conf_write("[allocator]\nfilters = good_filter");
	ck_assert_int_eq(chic_alloc_load(conf), 0);
	ck_assert_str_eq(texts()->stack, "good_filter");
	ck_assert_uint_eq(texts()->from.line, 2);
}
END_TEST

START_TEST(the_platform_heap_that_nobody_set)
{
	conf_write("[allocator]\nfilters =\n[module x]\ny = z");
	ck_assert_int_eq(chic_alloc_load(conf), 0);
	check_whole(STATUS_PLATFORM);
	ck_assert_uint_eq(status_record.key, 0);
	ck_assert_str_eq(texts()->stack, "");
	ck_assert_str_eq(texts()->from.file, "");
}
END_TEST

START_TEST(back_to_the_platform_heap)
{
	conf_write("[allocator]\nmodule = good_heap");
	ck_assert_int_eq(chic_alloc_load(conf), 0);
	ck_assert_int_eq(chic_alloc_unload(), 0);
	check_whole(STATUS_PLATFORM);
	ck_assert_str_eq(texts()->stack, "");
	ck_assert_str_eq(texts()->from.file, "");
	ck_assert_uint_eq(status_record.request, 0);
}
END_TEST

START_TEST(a_load_that_fails_changes_nothing)
{
	struct status before;

	conf_write("[allocator]\nmodule = good_heap");
	ck_assert_int_eq(chic_alloc_load(conf), 0);
	before = status_record;
	conf_write("[allocator]\nmodule = nowhere");
	ck_assert_int_ne(chic_alloc_load(conf), 0);
	ck_assert_mem_eq(&before, &status_record, sizeof(before));
	ck_assert_str_eq(texts()->stack, "good_heap");
}
END_TEST

START_TEST(a_table_is_no_default)
{
	ChicAllocatorVTable table;

	conf_write("[allocator]\nmodule = good_heap");
	ck_assert_int_eq(chic_alloc_table(conf, &table), 0);
	check_whole(STATUS_MANUAL);
}
END_TEST

START_TEST(the_same_key_for_the_same_stack)
{
	uint64_t key;

	conf_write("[allocator]\nmodule = good_heap");
	ck_assert_int_eq(chic_alloc_load(conf), 0);
	key = status_record.key;
	conf_write("; a remark\n[allocator]\nmodule  =  good-heap");
	ck_assert_int_eq(chic_alloc_load(conf), 0);
	ck_assert_uint_eq(status_record.key, key);
	ck_assert_uint_eq(texts()->from.line, 3);
	conf_write("[allocator]\nmodule = good_filter, good_heap");
	ck_assert_int_eq(chic_alloc_load(conf), 0);
	ck_assert_uint_ne(status_record.key, key);
}
END_TEST

START_TEST(refused_with_and_without_a_configuration)
{
	const struct setting from = {"allocator", "module", "good_heap", "/some/file", 3};
	const struct config_request request = {.named = "/some/file"};
	struct config config = {.stack = NULL};

	message_set(-EINVAL, "%s", "why not");
	status_refused(&request, &config);
	check_whole(STATUS_REFUSED);
	ck_assert_str_eq(texts()->why, "why not");
	ck_assert_str_eq(texts()->asked.named, "/some/file");
	ck_assert_uint_eq(status_record.key, 0);
	config.stack = "good_heap";
	config.stack_from = &from;
	config.filters = "good_filter";
	message_set(-EINVAL, "%s", "why not again");
	status_refused(&request, &config);
	ck_assert_str_eq(texts()->why, "why not again");
	ck_assert_str_eq(texts()->stack, "good_filter, good_heap");
	ck_assert_uint_ne(status_record.key, 0);
}
END_TEST

START_TEST(left_alone)
{
	status_alone(STATUS_STOOD_DOWN, "a reason");
	check_whole(STATUS_STOOD_DOWN);
	ck_assert_str_eq(texts()->why, "a reason");
}
END_TEST

/* Longer than any text of the record. */
static const char *long_text(void)
{
	static char text[4096];

	memset(text, 'x', sizeof(text) - 1);
	return text;
}

START_TEST(texts_are_cut)
{
	struct setting from = {.section = (char *)long_text(),
			       .key = "module",
			       .value = (char *)long_text(),
			       .file = long_text(),
			       .line = 7};
	const struct config config = {
		.stack = long_text(), .filters = long_text(), .stack_from = &from};
	const struct config_request request = {
		.named = long_text(), .stack = long_text(), .options = long_text()};

	status_served(&request, &config, NULL);
	status_alone(STATUS_STOOD_DOWN, long_text());
	ck_assert_uint_eq(strlen(texts()->stack), sizeof(texts()->stack) - 1);
	ck_assert_uint_eq(strlen(texts()->from.file), sizeof(texts()->from.file) - 1);
	ck_assert_uint_eq(strlen(texts()->from.section), sizeof(texts()->from.section) - 1);
	ck_assert_uint_eq(strlen(texts()->why), sizeof(texts()->why) - 1);
	ck_assert_uint_eq(strlen(texts()->asked.named), sizeof(texts()->asked.named) - 1);
	ck_assert_uint_eq(strlen(texts()->asked.options), sizeof(texts()->asked.options) - 1);
}
END_TEST

START_TEST(requests_differ)
{
	const struct config_request requests[] = {
		{.named = "a"},
		{.stack = "a"},
		{.options = "a"},
		{.stack = ""},
		{.named = "a", .stack = ""},
		{.named = "a", .stack = "b"},
		{.named = "ab"},
		{.named = NULL},
	};
	const struct config_request secure = {.named = "a", .secure = true};

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		for (size_t k = 0; k < i; k++)
			ck_assert_uint_ne(status_request_hash(&requests[i]),
					  status_request_hash(&requests[k]));
	ck_assert_uint_eq(status_request_hash(&requests[7]), 0);
	ck_assert_uint_eq(status_request_hash(&secure), 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("status");
	TCase *tcase = tcase_create("status");

	tcase_add_checked_fixture(tcase, setup, conf_end);
	tcase_add_test(tcase, one_record_of_two_names);
	tcase_add_test(tcase, a_program_that_says_no);
	tcase_add_test(tcase, a_stack);
	tcase_add_test(tcase, a_rule);
	tcase_add_test(tcase, filters_alone);
	tcase_add_test(tcase, the_platform_heap_that_nobody_set);
	tcase_add_test(tcase, back_to_the_platform_heap);
	tcase_add_test(tcase, a_load_that_fails_changes_nothing);
	tcase_add_test(tcase, a_table_is_no_default);
	tcase_add_test(tcase, the_same_key_for_the_same_stack);
	tcase_add_test(tcase, refused_with_and_without_a_configuration);
	tcase_add_test(tcase, left_alone);
	tcase_add_test(tcase, texts_are_cut);
	tcase_add_test(tcase, requests_differ);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
