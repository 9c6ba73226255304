// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stacks built and taken down: order, what may lie on what, parameters, keys,
 * and nothing left behind when one layer fails.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "fault.h"
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

CHIC_ALLOC_MANUAL();

static void setup(void)
{
	locate_set_moduledir(TEST_MODULE_DIR);
	chic_rt_allocator_reset();
	log_open(LOG_TO_NONE, NULL, false);
}

/* What config_read() would make of `module = STACK` and nothing else. */
static void config_of(struct config *config, const char *stack)
{
	*config = (struct config){.stack = stack, .filters = "", .log_path = ""};
}

static int build(const char *stack, bool malloc_family, struct stack **out)
{
	struct config config;

	config_of(&config, stack);
	return stack_build(&config, false, malloc_family, out);
}

static unsigned uses_of(const char *entry)
{
	struct config config;
	struct module *m;
	unsigned uses;

	config_of(&config, entry);
	ck_assert_int_eq(module_get(&config, entry, false, &m), 0);
	uses = m->uses - 1;
	module_put(m);
	return uses;
}

START_TEST(layers_lie_in_the_order_written)
{
	struct stack *s;

	ck_assert_msg(build("good_filter, good_mixed, good_heap", true, &s) == 0, "%s",
		      message_get());
	ck_assert_uint_eq(s->n_layers, 3);
	ck_assert_str_eq(s->layers[0].module->name, "good_heap");
	ck_assert_str_eq(s->layers[1].module->name, "good_mixed");
	ck_assert_str_eq(s->layers[2].module->name, "good_filter");
	ck_assert_ptr_eq(s->top, &s->layers[2].completion.ops);
	ck_assert_ptr_null(s->top->family);
	stack_destroy(s);
	ck_assert_uint_eq(uses_of("good_heap"), 0);
	ck_assert_uint_eq(uses_of("good_filter"), 0);
}
END_TEST

START_TEST(one_module_in_two_stacks_has_two_contexts)
{
	struct stack *a, *b;

	ck_assert_int_eq(build("good_filter", false, &a), 0);
	ck_assert_int_eq(build("good_filter, good_mixed", false, &b), 0);
	ck_assert_uint_eq(uses_of("good_filter"), 2);
	ck_assert_ptr_ne(a->layers[0].ctx, b->layers[1].ctx);
	ck_assert_uint_ne(a->layers[0].word, b->layers[1].word);
	stack_destroy(a);
	stack_destroy(b);
	ck_assert_uint_eq(uses_of("good_filter"), 0);
}
END_TEST

START_TEST(a_layer_that_fails_takes_the_others_down)
{
	struct stack *s;
	int word = thread_word_get();

	thread_word_put(word);
	ck_assert_int_eq(
		build("mixed_incomplete, good_filter, good_mixed, good_heap", false, &s),
		-EINVAL);
	ck_assert_uint_eq(uses_of("good_heap"), 0);
	ck_assert_uint_eq(uses_of("good_mixed"), 0);
	ck_assert_uint_eq(uses_of("good_filter"), 0);
	ck_assert_int_eq(thread_word_get(), word);
}
END_TEST

START_TEST(a_bare_family_is_called_directly)
{
	struct stack *s;

	ck_assert_msg(build("plain_malloc_family", true, &s) == 0, "%s", message_get());
	ck_assert_ptr_eq(s->top->family, &s->layers[0].module->family);
	stack_destroy(s);
	ck_assert_int_eq(build("", true, &s), 0);
	ck_assert_ptr_eq(s->top->family, platform_family());
	stack_destroy(s);
}
END_TEST

START_TEST(a_family_below_an_empty_filter_is_called_directly)
{
	struct stack *s;

	ck_assert_msg(build("filter_empty, plain_malloc_family", true, &s) == 0, "%s",
		      message_get());
	ck_assert_ptr_eq(s->top->family, &s->layers[0].module->family);
	stack_destroy(s);
	ck_assert_msg(build("filter_empty", true, &s) == 0, "%s", message_get());
	ck_assert_ptr_eq(s->top->family, platform_family());
	stack_destroy(s);
	ck_assert_msg(build("good_filter, filter_empty", true, &s) == 0, "%s", message_get());
	ck_assert_ptr_null(s->top->family);
	stack_destroy(s);
}
END_TEST

/* Keys of two configurations are the same. */
static bool same_key(const struct config *a, const struct config *b)
{
	char *ka, *kb;
	bool same;

	ck_assert_int_eq(stack_key(a, &ka), 0);
	ck_assert_int_eq(stack_key(b, &kb), 0);
	same = strcmp(ka, kb) == 0;
	free(ka);
	free(kb);
	return same;
}

START_TEST(same_settings_same_key)
{
	struct setting a[] = {{"module m-n", "k", "1", "f", 1},
			      {"module m-n", "l-l", "a-b", "f", 2},
			      {"allocator", "log", "x", "f", 3}};
	struct setting b[] = {{"module other", "k", "3", "g", 1},
			      {"module m_n", "l_l", "a-b", "g", 2},
			      {"module m_n", "k", "1", "g", 3}};
	struct config one = {.stack = "f, m-n", .settings = a, .n_settings = 3};
	struct config two = {.stack = "m_n,default", .settings = b, .n_settings = 3};

	one.filters = "";
	two.filters = "f";
	ck_assert(same_key(&one, &two));
}
END_TEST

START_TEST(other_settings_other_key)
{
	struct setting a[] = {{"module m", "k", "a_b", "f", 1}};
	struct setting b[] = {{"module m", "k", "a-b", "f", 1}};
	struct config one = {.stack = "m", .filters = "", .settings = a, .n_settings = 1};
	struct config two = {.stack = "m", .filters = "", .settings = b, .n_settings = 1};
	struct config library = {
		.stack = "libm.so", .filters = "", .settings = a, .n_settings = 1};
	struct config no_setting = {.stack = "libm.so", .filters = ""};
	struct config order = {.stack = "m, n", .filters = ""},
		      other = {.stack = "n, m", .filters = ""};

	ck_assert(!same_key(&one, &two));
	ck_assert(!same_key(&library, &no_setting));
	ck_assert(!same_key(&order, &other));
}
END_TEST

START_TEST(a_refusal_names_who_asked_for_the_module)
{
	struct setting asked = {"allocator", "module", "", "/etc/conf", 7};
	struct config config = {.stack = "good_filter, mixed_incomplete", .filters = ""};
	struct stack *s;

	config.stack_from = &asked;
	ck_assert_int_eq(stack_build(&config, false, false, &s), -EINVAL);
	ck_assert_ptr_eq(strstr(message_get(), "/etc/conf:7: /"), message_get());
	config.stack = "no_such_module";
	ck_assert_int_eq(stack_build(&config, false, false, &s), -ENOENT);
	ck_assert_ptr_eq(strstr(message_get(), "/etc/conf:7: /"), message_get());
}
END_TEST

START_TEST(a_path_may_be_long)
{
	char path[1000], want[1000];
	struct stack *s;

	memset(path, 'd', sizeof(path));
	for (size_t i = 0; i < sizeof(path); i += 100)
		path[i] = '/';
	strcpy(path + sizeof(path) - 4, ".so");
	ck_assert_int_eq(build(path, false, &s), -ENOENT);
	snprintf(want, sizeof(want), "%.400s", path);
	ck_assert_ptr_nonnull(strstr(message_get(), want));
}
END_TEST

START_TEST(more_layers_than_fit_are_refused)
{
	struct stack *s;

	ck_assert_int_eq(build("a, b, c, d, e, f, g, h, i", false, &s), -E2BIG);
}
END_TEST

START_TEST(every_allocation_failing_in_turn)
{
	struct stack *s;
	unsigned n;
	int err;

	for (n = 1;; n++) {
		fault_start(n);
		err = build("good_filter, good_mixed, good_heap", true, &s);
		if (!fault_stop())
			break;
		if (err == 0)
			stack_destroy(s);
		ck_assert_uint_eq(uses_of("good_heap"), 0);
		ck_assert_uint_eq(uses_of("good_filter"), 0);
	}
	ck_assert_uint_gt(n, 3);
	ck_assert_int_eq(err, 0);
	stack_destroy(s);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("stack");
	TCase *t = tcase_create("stack");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, layers_lie_in_the_order_written);
	tcase_add_test(t, one_module_in_two_stacks_has_two_contexts);
	tcase_add_test(t, a_layer_that_fails_takes_the_others_down);
	tcase_add_test(t, a_bare_family_is_called_directly);
	tcase_add_test(t, a_family_below_an_empty_filter_is_called_directly);
	tcase_add_test(t, same_settings_same_key);
	tcase_add_test(t, other_settings_other_key);
	tcase_add_test(t, a_refusal_names_who_asked_for_the_module);
	tcase_add_test(t, a_path_may_be_long);
	tcase_add_test(t, more_layers_than_fit_are_refused);
	tcase_add_test(t, every_allocation_failing_in_turn);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(make_suite)
