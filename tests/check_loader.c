// SPDX-License-Identifier: BSD-2-Clause
/*
 * chic_alloc_load and its kin on real module files: good ones stacked in every
 * order that makes sense, each bad one refused with the reason and nothing
 * changed, in-use ones refused to go, every allocation failing in turn.
 */
#define _GNU_SOURCE
#include "conf_support.h"
#include "fault.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

CHIC_ALLOC_MANUAL();

static void setup(void)
{
	conf_begin(TEST_MODULE_DIR);
}

static int load_stack(const char *stack)
{
	conf_write("[allocator]\nlog = none\nmodule = %s", stack);
	return chic_alloc_load(conf);
}

static void load_ok(const char *stack)
{
	ck_assert_msg(load_stack(stack) == 0, "%s: %s", stack, chic_alloc_message());
}

static int append_name(const struct chic_alloc_info *info, void *arg)
{
	if (info->is_default) {
		strcat(arg, info->name);
		strcat(arg, " ");
	}
	return 0;
}

/* Names of the default's layers, outermost first. */
static const char *layers(void)
{
	static char names[512];

	names[0] = '\0';
	ck_assert_int_eq(chic_alloc_each(append_name, names), 0);
	return names;
}

static void exercise(size_t size)
{
	ValueMutPtr a = chic_rt_alloc(size, 8);
	ValueMutPtr z = chic_rt_alloc_zeroed(size, 64);

	ck_assert_ptr_nonnull(a.ptr);
	ck_assert_uint_eq((uintptr_t)z.ptr % 64, 0);
	for (size_t i = 0; i < size; i++)
		ck_assert_uint_eq(z.ptr[i], 0);
	memset(a.ptr, 0x7e, size);
	memset(z.ptr, 0x7f, size);
	a = chic_rt_realloc(a, size, 3 * size, 8);
	z = chic_rt_realloc(z, size, size / 2 + 1, 64);
	for (size_t i = 0; i < size; i++)
		ck_assert_uint_eq(a.ptr[i], 0x7e);
	for (size_t i = 0; i < size / 2 + 1; i++)
		ck_assert_uint_eq(z.ptr[i], 0x7f);
	chic_rt_free(a);
	chic_rt_free(z);
}

static const char *const good_stacks[] = {
	"default",
	"good_filter",
	"good_filter, default",
	"good_heap",
	"good_mixed",
	"good_filter, good_heap",
	"good_mixed, good_heap",
	"good_filter, good_mixed",
	"good_mixed, good_filter",
	"good_filter, good_mixed, good_heap",
	"good_mixed, good_filter, plain_malloc_family",
	"plain_malloc_family",
};

START_TEST(good_stacks_serve_and_go)
{
	char want[256] = "";
	const char *list = good_stacks[_i];
	char entry[64];

	while (name_next(&list, entry, sizeof(entry)) > 0)
		if (strcmp(entry, "default") != 0)
			sprintf(want + strlen(want), "%s ", entry);
	strcat(want, "default ");
	load_ok(good_stacks[_i]);
	ck_assert_str_eq(layers(), want);
	for (size_t size = 1; size < 100000; size *= 3)
		exercise(size);
	ck_assert_msg(chic_alloc_unload() == 0, "%s", chic_alloc_message());
	ck_assert_str_eq(layers(), "default ");
	exercise(100);
}
END_TEST

static void *exercise_much(void *arg)
{
	for (int i = 0; i < 3000; i++) {
		ValueMutPtr h = chic_rt_alloc(16 + i % 100, 8);

		h = chic_rt_realloc(h, h.size, 200, 8);
		chic_rt_free(chic_rt_alloc_zeroed(7, 1));
		chic_rt_free(h);
	}
	return arg;
}

START_TEST(counters_are_exact_in_every_stack_with_eight_threads)
{
	pthread_t threads[8];
	AllocationTelemetry t;
	size_t bytes = 0;

	load_ok(good_stacks[_i]);
	chic_rt_reset_alloc_stats();
	for (int i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, exercise_much, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 3000; i++)
		bytes += 16 + i % 100;

	t = chic_rt_alloc_stats();
	ck_assert_uint_eq(t.alloc_calls, 8 * 3000);
	ck_assert_uint_eq(t.alloc_zeroed_calls, 8 * 3000);
	ck_assert_uint_eq(t.realloc_calls, 8 * 3000);
	ck_assert_uint_eq(t.free_calls, 2 * 8 * 3000);
	ck_assert_uint_eq(t.alloc_bytes, 8 * bytes);
	ck_assert_uint_eq(t.alloc_zeroed_bytes, 8 * 3000 * 7);
	ck_assert_uint_eq(t.realloc_bytes, 8 * 3000 * 200);
	ck_assert_uint_eq(t.freed_bytes, 8 * (bytes + 3000 * 207));
	ck_assert_msg(chic_alloc_unload() == 0, "%s", chic_alloc_message());
}
END_TEST

START_TEST(fork_while_threads_use_the_stack)
{
	pthread_t threads[2];
	int status;

	load_ok(good_stacks[_i]);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, exercise_much, NULL);
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			exercise_much(NULL);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		ck_assert_int_eq(status, 0);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

/* ---- in use ---- */

static ValueMutPtr toy_alloc_16(void *ctx, size_t size, size_t align)
{
	static uint8_t block[16];

	(void)ctx;
	return (ValueMutPtr){block, size, align};
}

START_TEST(in_use_refuses_to_go)
{
	ValueMutPtr a, b;

	load_ok("good_heap");
	a = chic_rt_alloc(100, 8);
	b = chic_rt_alloc(28, 8);
	ck_assert_int_eq(chic_alloc_unload(), -EBUSY);
	ck_assert_str_eq(chic_alloc_message(), "good_heap is in use: 2 live blocks, 128 bytes");
	ck_assert_int_eq(load_stack("good_filter"), -EBUSY);
	ck_assert_str_eq(layers(), "good_heap default ");
	chic_rt_free(a);
	chic_rt_free(b);
	load_ok("good_filter");
	ck_assert_str_eq(layers(), "good_filter default ");
}
END_TEST

START_TEST(live_blocks_of_the_platform_count_as_well)
{
	ValueMutPtr a = chic_rt_alloc(10, 1);

	ck_assert_int_eq(load_stack("good_heap"), -EBUSY);
	ck_assert_str_eq(chic_alloc_message(),
			 "the platform heap is in use: 1 live blocks, 10 bytes");
	ck_assert_str_eq(layers(), "default ");
	chic_rt_free(a);
	load_ok("good_heap");
}
END_TEST

START_TEST(blocks_of_an_installed_table_do_not_hold_the_default)
{
	ChicAllocatorVTable table;
	ValueMutPtr h;

	load_ok("good_heap");
	conf_write("[allocator]\nmodule = good_mixed");
	ck_assert_int_eq(chic_alloc_table(conf, &table), 0);
	chic_rt_allocator_install(table);
	h = chic_rt_alloc(50, 8);
	ck_assert_msg(chic_alloc_unload() == 0, "%s", chic_alloc_message());
	chic_rt_free(h);
}
END_TEST

START_TEST(loading_what_is_loaded_changes_nothing)
{
	const struct stack *before;
	ValueMutPtr h;

	load_ok("good_filter, good_heap");
	before = hooks_default();
	h = chic_rt_alloc(1, 1);
	load_ok("good_filter, good_heap");
	ck_assert_ptr_eq(hooks_default(), before);
	chic_rt_free(h);
}
END_TEST

START_TEST(the_platform_by_name_is_the_platform)
{
	ValueMutPtr a = chic_rt_alloc(10, 1);

	load_ok("default");
	ck_assert_ptr_null(hooks_default());
	chic_rt_free(a);
}
END_TEST

START_TEST(more_freed_than_handed_out_is_said)
{
	const ChicAllocatorVTable table = {.alloc = toy_alloc_16};
	ValueMutPtr h;

	load_ok("heap_frees_no");
	chic_rt_allocator_install(table);
	h = chic_rt_alloc(16, 1);
	chic_rt_free(h);
	ck_assert_int_eq(chic_alloc_unload(), -EBUSY);
	ck_assert_ptr_nonnull(strstr(chic_alloc_message(), "1 blocks more than it handed out"));
}
END_TEST

static int live_bytes_of_default(const struct chic_alloc_info *info, void *arg)
{
	if (info->is_default && info->depth == 0)
		*(size_t *)arg = info->live_bytes;
	return 0;
}

START_TEST(wrong_sizes_do_not_pass_to_the_next_stack)
{
	size_t bytes = 1;
	ValueMutPtr h;

	load_ok("good_heap");
	h = chic_rt_alloc(100, 1);
	h.size = 60;
	chic_rt_free(h);
	ck_assert_int_eq(chic_alloc_unload(), 0);
	load_ok("good_mixed");
	chic_alloc_each(live_bytes_of_default, &bytes);
	ck_assert_uint_eq(bytes, 0);
}
END_TEST

START_TEST(a_load_that_is_refused_leaves_the_log)
{
	char file[64], text[256];

	snprintf(file, sizeof(file), "%s/log", dir);
	snprintf(text, sizeof(text), "[allocator]\nlog = %s\nmodule = heap_empty", file);
	load_ok("good_filter");
	conf_write("%s", text);
	ck_assert_int_eq(chic_alloc_load(conf), 0);
	ck_assert_int_eq(unlink(file), 0); /* a heap without hooks is warned about */

	load_ok("good_filter");
	snprintf(text, sizeof(text), "[allocator]\nlog = %s\nmodule = no_such_module", file);
	conf_write("%s", text);
	ck_assert_int_eq(chic_alloc_load(conf), -ENOENT);
	log_line("goes where it went before");
	ck_assert_int_ne(access(file, F_OK), 0);
}
END_TEST

static void *load_and_unload(void *arg)
{
	for (int i = 0; i < 50; i++) {
		int err = chic_alloc_load(conf);

		if (!err)
			err = chic_alloc_unload();
		if (err)
			return (void *)chic_alloc_message();
	}
	return arg;
}

START_TEST(loads_from_several_threads)
{
	pthread_t threads[4];
	void *message;

	conf_write("[allocator]\nlog = none\nmodule = good_filter, good_heap");
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, load_and_unload, NULL);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &message);
		ck_assert_ptr_null(message);
	}
	ck_assert_str_eq(layers(), "default ");
}
END_TEST

START_TEST(null_arguments)
{
	ck_assert_int_eq(chic_alloc_each(NULL, NULL), -EINVAL);
	ck_assert_str_ne(chic_alloc_message(), "");
	chic_alloc_malloc_stats(NULL);
	chic_rt_alloc_stats_fill(NULL);
}
END_TEST

static int unload_from_inside(const struct chic_alloc_info *info, void *arg)
{
	ChicAllocatorVTable table;

	(void)info;
	(void)arg;
	ck_assert_int_eq(chic_alloc_load(NULL), -EDEADLK);
	ck_assert_int_eq(chic_alloc_table(NULL, &table), -EDEADLK);
	ck_assert_int_eq(chic_alloc_each(unload_from_inside, NULL), -EDEADLK);
	return chic_alloc_unload();
}

START_TEST(calls_from_inside_are_refused)
{
	ck_assert_int_eq(chic_alloc_each(unload_from_inside, NULL), -EDEADLK);
	ck_assert_ptr_nonnull(strstr(chic_alloc_message(), "from inside a module"));
	ck_assert_int_eq(chic_alloc_unload(), 0);
}
END_TEST

START_TEST(null_entries_and_reset_go_to_the_stack)
{
	const ChicAllocatorVTable none = {0};
	size_t blocks, bytes;
	ValueMutPtr h;

	load_ok("good_heap");
	chic_rt_allocator_install(none);
	h = chic_rt_alloc(33, 1);
	telemetry_live(hooks_default()->owner, &blocks, &bytes);
	ck_assert_uint_eq(blocks, 1);
	ck_assert_uint_eq(bytes, 33);
	chic_rt_allocator_reset();
	chic_rt_free(h);
	ck_assert_int_eq(chic_alloc_unload(), 0);
}
END_TEST

static void load_often(int n)
{
	for (int i = 0; i < n; i++) {
		load_ok(i & 1 ? "good_filter, good_heap" : "good_mixed");
		exercise(64);
	}
}

START_TEST(many_loads_and_unloads_do_not_grow)
{
	long before;

	load_often(200);
	before = resident_pages();
	load_often(CHECK_SANITIZED ? 200 : 2000);
	if (!CHECK_SANITIZED && !getenv("CHECK_VALGRIND"))
		ck_assert_int_lt(resident_pages() - before, 32);
	ck_assert_int_eq(chic_alloc_unload(), 0);
	ck_assert_int_eq(chic_alloc_unload(), 0);
	ck_assert_str_eq(layers(), "default ");
}
END_TEST

/* ---- tables for hosts ---- */

START_TEST(a_table_serves_without_being_the_default)
{
	ChicAllocatorVTable t;
	ValueMutPtr h;

	conf_write("[allocator]\nmodule = good_filter, good_heap");
	ck_assert_msg(chic_alloc_table(conf, &t) == 0, "%s", chic_alloc_message());
	h = t.alloc(t.context, 100, 16);
	ck_assert_ptr_nonnull(h.ptr);
	memset(h.ptr, 1, 100);
	h = t.realloc(t.context, h, 100, 200, 16);
	ck_assert_uint_eq(h.ptr[99], 1);
	t.free(t.context, h);
	h = t.alloc_zeroed(t.context, 10, 1);
	ck_assert_uint_eq(h.ptr[9], 0);
	t.free(t.context, h);
	ck_assert_str_eq(layers(), "default ");
	ck_assert_uint_eq(chic_rt_alloc_stats().alloc_calls, 0);
}
END_TEST

START_TEST(a_stack_with_a_table_out_cannot_be_unloaded)
{
	ChicAllocatorVTable t;

	load_ok("good_heap");
	ck_assert_int_eq(chic_alloc_table(conf, &t), 0);
	ck_assert_int_eq(chic_alloc_unload(), -EBUSY);
	ck_assert_ptr_nonnull(strstr(chic_alloc_message(), "not counted"));
}
END_TEST

START_TEST(a_table_of_the_platform)
{
	ChicAllocatorVTable t;
	ValueMutPtr h;

	conf_write("; nothing");
	ck_assert_int_eq(chic_alloc_table(conf, &t), 0);
	h = t.alloc(t.context, 100, 4096);
	ck_assert_uint_eq((uintptr_t)h.ptr % 4096, 0);
	t.free(t.context, h);
	ck_assert_int_eq(chic_alloc_table(conf, NULL), -EINVAL);
}
END_TEST

/* ---- refusals ---- */

static const struct {
	const char *stack;
	const char *text; /* what the message must contain */
} bad_stacks[] = {
	{"no_such_module", "no_such_module.so"},
	{"good_heap, good_filter", "good_heap is a heap and must be the last"},
	{"good_filter, plain_malloc_family, good_heap", "must be the last"},
	{"good_filter, good_filter", "good_filter"},
	{"good_filter, good-filter", "good"},
	{"default, good_filter", "default"},
	{"good_filter,, good_heap", "empty"},
	{"wrong_abi", "abi"},
	{"wrong_name", "name"},
	{"no_modinfo", "no .modinfo"},
	{"unterminated_modinfo", "modinfo"},
	{"oversized_modinfo", "modinfo"},
	{"duplicate_key", "twice"},
	{"bad_parm", "parm"},
	{"bad_kind", "kind"},
	{"dynamic_tls", "TLS"},
	{"large_static_tls", "at most 64"},
	{"init_fails", "init failed: no device"},
	{"good_filter, init_fails", "init failed: no device"},
	{"init_without_exit", "init without exit"},
	{"exit_without_init", "exit without init"},
	{"heap_without_free", "must export free"},
	{"mixed_incomplete", "mixed module must export"},
	{"twins_without_hooks", "must export alloc"},
	{"/etc/passwd", "/etc/passwd"},
	{"/nonexistent/x.so", "/nonexistent/x.so"},
	{"libnonexistent.so.9", "libnonexistent.so.9"},
};

START_TEST(a_bad_stack_is_refused_and_changes_nothing)
{
	load_ok("good_filter");
	ck_assert_int_lt(load_stack(bad_stacks[_i].stack), 0);
	ck_assert_msg(strstr(chic_alloc_message(), bad_stacks[_i].text), "%s: %s",
		      bad_stacks[_i].stack, chic_alloc_message());
	ck_assert_ptr_null(strchr(chic_alloc_message(), '\n'));
	ck_assert_str_eq(layers(), "good_filter default ");
	exercise(100);
	ck_assert_int_eq(chic_alloc_unload(), 0);
}
END_TEST

START_TEST(a_missing_file_that_was_named_is_an_error)
{
	ck_assert_int_eq(chic_alloc_load("/nonexistent/chic.conf"), -ENOENT);
	ck_assert_ptr_nonnull(strstr(chic_alloc_message(), "/nonexistent/chic.conf"));
}
END_TEST

START_TEST(an_empty_heap_lets_the_default_serve)
{
	load_ok("heap_empty");
	exercise(50);
	ck_assert_int_eq(chic_alloc_unload(), 0);
}
END_TEST

START_TEST(a_heap_that_never_frees_only_counts)
{
	AllocationTelemetry t;

	load_ok("heap_frees_no");
	chic_rt_reset_alloc_stats();
	exercise(50);
	t = chic_rt_alloc_stats();
	ck_assert_uint_eq(t.free_calls, 2);
	ck_assert_int_eq(chic_alloc_unload(), 0);
}
END_TEST

START_TEST(every_allocation_failing_in_turn)
{
	unsigned n;

	for (n = 1;; n++) {
		int err;

		load_ok("good_filter");
		ck_assert_int_eq(chic_alloc_unload(), 0);
		conf_write("[allocator]\nmodule = good_filter, good_mixed, good_heap");
		fault_start(n);
		err = chic_alloc_load(conf);
		if (!fault_stop())
			break;
		if (err == 0) { /* an allocation that may fail, such as a terminal's buffer */
			ck_assert_int_eq(chic_alloc_unload(), 0);
			continue;
		}
		ck_assert_str_ne(chic_alloc_message(), "");
		ck_assert_str_eq(layers(), "default ");
		exercise(64);
	}
	ck_assert_uint_gt(n, 10);
	ck_assert_str_eq(layers(), "good_filter good_mixed good_heap default ");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("loader");
	TCase *t = tcase_create("load");

	tcase_add_checked_fixture(t, setup, conf_end);
	tcase_set_timeout(t, CHECK_TIMEOUT);
	tcase_add_loop_test(t, good_stacks_serve_and_go, 0, ARRAY_SIZE(good_stacks));
	tcase_add_loop_test(t, counters_are_exact_in_every_stack_with_eight_threads, 0,
			    ARRAY_SIZE(good_stacks));
	if (!CHECK_SANITIZED)
		tcase_add_loop_test(t, fork_while_threads_use_the_stack, 0,
				    ARRAY_SIZE(good_stacks));
	tcase_add_test(t, in_use_refuses_to_go);
	tcase_add_test(t, live_blocks_of_the_platform_count_as_well);
	tcase_add_test(t, blocks_of_an_installed_table_do_not_hold_the_default);
	tcase_add_test(t, loading_what_is_loaded_changes_nothing);
	tcase_add_test(t, the_platform_by_name_is_the_platform);
	tcase_add_test(t, more_freed_than_handed_out_is_said);
	tcase_add_test(t, wrong_sizes_do_not_pass_to_the_next_stack);
	tcase_add_test(t, a_load_that_is_refused_leaves_the_log);
	tcase_add_test(t, loads_from_several_threads);
	tcase_add_test(t, null_arguments);
	tcase_add_test(t, calls_from_inside_are_refused);
	tcase_add_test(t, null_entries_and_reset_go_to_the_stack);
	tcase_add_test(t, many_loads_and_unloads_do_not_grow);
	tcase_add_test(t, a_table_serves_without_being_the_default);
	tcase_add_test(t, a_stack_with_a_table_out_cannot_be_unloaded);
	tcase_add_test(t, a_table_of_the_platform);
	tcase_add_loop_test(t, a_bad_stack_is_refused_and_changes_nothing, 0,
			    ARRAY_SIZE(bad_stacks));
	tcase_add_test(t, a_missing_file_that_was_named_is_an_error);
	tcase_add_test(t, an_empty_heap_lets_the_default_serve);
	tcase_add_test(t, a_heap_that_never_frees_only_counts);
	tcase_add_test(t, every_allocation_failing_in_turn);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(make_suite)
