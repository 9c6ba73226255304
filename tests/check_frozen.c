// SPDX-License-Identifier: BSD-2-Clause
/*
 * The ABI promise of chic_module.h: modules as release 0.1 built them (tests/abi)
 * load, are told what they were told then, and serve; a module of a later release
 * loads if it can do without what is new, and is refused by name if it cannot; the
 * macros still write what they wrote.
 */
#define _GNU_SOURCE
#include "abi/frozen.h"
#include "conf_support.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

CHIC_ALLOC_MANUAL();

#define OLD_FILTER "release_0_1_filter"
#define OLD_HEAP "release_0_1_heap"
#define GOOD_HEAP TEST_MODULE_DIR "/good_heap.so"

static void setup(void)
{
	conf_begin(TEST_ABI_DIR);
}

/* Fixtures of today, which are in another folder. */
static const char *const today[] = {"good_filter", "good_heap", "good_mixed", "wrong_abi"};

static int load_with(const char *stack, const char *on)
{
	FILE *f = fopen(conf, "we");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "[allocator]\nlog = none\nmodule = %s\n[module " OLD_FILTER "]\n", stack);
	fprintf(f, "on = %s\ncount = 42\nbytes = 8K\noutput = some text\nmode = slow\n", on);
	for (size_t i = 0; i < ARRAY_SIZE(today); i++)
		fprintf(f, "[module %s]\npath = " TEST_MODULE_DIR "/%s.so\n", today[i],
			today[i]);
	fclose(f);
	chmod(conf, 0644);
	return chic_alloc_load(conf);
}

static void load_ok(const char *stack)
{
	ck_assert_msg(load_with(stack, "no") == 0, "%s: %s", stack, chic_alloc_message());
}

/* The counters that the filter exports, of the file that is loaded. */
static atomic_uint *seen_counters(void)
{
	void *handle = dlopen(TEST_ABI_DIR "/" OLD_FILTER ".so", RTLD_NOW | RTLD_NOLOAD);
	atomic_uint *seen;

	ck_assert_ptr_nonnull(handle);
	seen = dlsym(handle, OLD_FILTER "_seen");
	ck_assert_ptr_nonnull(seen);
	dlclose(handle);
	return seen;
}

static ValueMutPtr checked(ValueMutPtr block, size_t size, size_t align)
{
	ck_assert_ptr_nonnull(block.ptr);
	ck_assert_uint_eq((uintptr_t)block.ptr % align, 0);
	ck_assert_uint_eq(block.size, size);
	ck_assert_uint_eq(block.align, align);
	return block;
}

static void *exercise(void *arg)
{
	ValueMutPtr a = checked(chic_rt_alloc(100, 8), 100, 8);
	ValueMutPtr z = checked(chic_rt_alloc_zeroed(1000, 64), 1000, 64);

	for (size_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(z.ptr[i], 0);
	memset(a.ptr, 0x7e, 100);
	a = checked(chic_rt_realloc(a, 100, 5000, 8), 5000, 8);
	for (size_t i = 0; i < 100; i++)
		ck_assert_uint_eq(a.ptr[i], 0x7e);
	chic_rt_free(a);
	chic_rt_free(z);
	return arg;
}

/* ----------------------------------------------- modules of release 0.1 --- */

static const char *const stacks[] = {
	OLD_HEAP,
	OLD_FILTER,
	OLD_FILTER ", " OLD_HEAP,
	OLD_FILTER ", good_heap",
	OLD_FILTER ", good_filter, " OLD_HEAP,
	"good_filter, " OLD_FILTER ", good_mixed, " OLD_HEAP,
};

START_TEST(loads_serves_and_goes)
{
	load_ok(stacks[_i]);
	exercise(NULL);
	ck_assert_msg(chic_alloc_unload() == 0, "%s", chic_alloc_message());
}
END_TEST

START_TEST(every_hook_is_called_with_its_context)
{
	atomic_uint *seen;

	load_ok(OLD_FILTER ", " OLD_HEAP);
	seen = seen_counters();
	exercise(NULL);
	exercise(NULL);
	ck_assert_uint_eq(seen[SEEN_INIT], 1);
	ck_assert_uint_eq(seen[SEEN_ALLOC], 2);
	ck_assert_uint_eq(seen[SEEN_ALLOC_ZEROED], 2);
	ck_assert_uint_eq(seen[SEEN_REALLOC], 2);
	ck_assert_uint_eq(seen[SEEN_FREE], 4);
	ck_assert_uint_eq(seen[SEEN_EXIT], 0);
	ck_assert_int_eq(chic_alloc_unload(), 0);
	ck_assert_uint_eq(seen[SEEN_EXIT], 1);
}
END_TEST

static void take_top(struct layer *layer, void *arg)
{
	const struct chic_layer **top = arg;

	*top = &layer->completion.ops;
}

/* What the malloc family of an unmodified program is served by. */
START_TEST(every_twin_is_called_with_its_context)
{
	const struct chic_layer *top = NULL;
	atomic_uint *seen;
	void *p, *q;

	load_ok(OLD_FILTER ", " OLD_HEAP);
	seen = seen_counters();
	loader_each_layer(take_top, &top, true);
	p = top->malloc.fn(top->malloc.ctx, 10);
	p = top->remalloc.fn(top->remalloc.ctx, p, 1000);
	q = top->calloc.fn(top->calloc.ctx, 10, 10);
	ck_assert_uint_ge(top->usable_size.fn(top->usable_size.ctx, p), 1000);
	ck_assert_uint_ge(top->mfree.fn(top->mfree.ctx, p), 1000);
	ck_assert_uint_ge(top->mfree.fn(top->mfree.ctx, q), 100);
	p = top->memalign.fn(top->memalign.ctx, 4096, 10);
	ck_assert_uint_eq((uintptr_t)p % 4096, 0);
	ck_assert_ptr_null(top->owns.fn); /* the heap below cannot tell */
	top->mfree.fn(top->mfree.ctx, p);
	ck_assert_uint_eq(seen[SEEN_MALLOC], 1);
	ck_assert_uint_eq(seen[SEEN_REMALLOC], 1);
	ck_assert_uint_eq(seen[SEEN_CALLOC], 1);
	ck_assert_uint_eq(seen[SEEN_MEMALIGN], 1);
	ck_assert_uint_eq(seen[SEEN_USABLE_SIZE], 1);
	ck_assert_uint_eq(seen[SEEN_OWNS], 0);
	ck_assert_uint_eq(seen[SEEN_MFREE], 3);
}
END_TEST

START_TEST(owns_is_asked_where_the_heap_below_can_tell)
{
	const struct chic_layer *top = NULL;
	atomic_uint *seen;
	int local;

	load_ok(OLD_FILTER ", good_heap");
	seen = seen_counters();
	loader_each_layer(take_top, &top, true);
	ck_assert(!top->owns.fn(top->owns.ctx, &local));
	ck_assert_uint_eq(seen[SEEN_OWNS], 1);
}
END_TEST

START_TEST(threads_and_forks_are_told)
{
	atomic_uint *seen;
	pthread_t thread;
	int status;
	pid_t pid;

	load_ok(OLD_FILTER ", " OLD_HEAP);
	seen = seen_counters();
	ck_assert_int_eq(pthread_create(&thread, NULL, exercise, NULL), 0);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(seen[SEEN_THREAD_EXIT], 1);
	pid = fork();
	if (pid == 0)
		_exit(seen[SEEN_POSTFORK_CHILD] == 1 ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(seen[SEEN_PREFORK], 1);
	ck_assert_uint_eq(seen[SEEN_POSTFORK_PARENT], 1);
	ck_assert_uint_eq(seen[SEEN_POSTFORK_CHILD], 0);
}
END_TEST

/* That the filter looks at what it is told, and that fail() still works. */
START_TEST(the_old_filter_can_refuse)
{
	ck_assert_int_eq(load_with(OLD_FILTER, "yes"), -EINVAL);
	ck_assert_ptr_nonnull(
		strstr(chic_alloc_message(), "a module of release 0.1 finds on to be wrong"));
}
END_TEST

/* --------------------------------------------- modules of a later release --- */

START_TEST(what_is_not_known_is_passed_over)
{
	load_ok("newer_heap");
	ck_assert_uint_eq(hooks_table->window_sizes, 0);
	exercise(NULL);
	ck_assert_msg(chic_alloc_unload() == 0, "%s", chic_alloc_message());
	load_ok(OLD_FILTER ", newer_heap");
	exercise(NULL);
	ck_assert_msg(chic_alloc_unload() == 0, "%s", chic_alloc_message());
}
END_TEST

START_TEST(a_symbol_that_is_needed_and_not_known_refuses)
{
	ck_assert_int_eq(load_with("newer_needs", "no"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(chic_alloc_message(), "newer_needs.so: "));
	ck_assert_ptr_nonnull(strstr(chic_alloc_message(), "the symbol 'future_hook'"));
	ck_assert_ptr_nonnull(strstr(chic_alloc_message(), CHIC_ALLOC_VERSION));
	exercise(NULL);
}
END_TEST

START_TEST(another_abi_is_refused_with_both_numbers)
{
	ck_assert_int_eq(load_with("wrong_abi", "no"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(chic_alloc_message(), "found abi 2, expected 1"));
}
END_TEST

START_TEST(fields_beyond_size_are_not_there)
{
	struct chic_layer layer = {.size = offsetof(struct chic_layer, remalloc)};
	struct chic_module_args args = {.size = sizeof(args)};

	ck_assert(CHIC_HAS(&layer, alloc));
	ck_assert(CHIC_HAS(&layer, memalign));
	ck_assert(!CHIC_HAS(&layer, remalloc));
	ck_assert(!CHIC_HAS(&layer, mfree));
	layer.size += sizeof(void *); /* half of it is none of it */
	ck_assert(!CHIC_HAS(&layer, remalloc));
	layer.size = sizeof(layer);
	ck_assert(CHIC_HAS(&layer, mfree));
	ck_assert(CHIC_HAS(&layer, family));
	layer.size = 23 * sizeof(void *); /* of the first release */
	ck_assert(CHIC_HAS(&layer, mfree));
	ck_assert(!CHIC_HAS(&layer, family));
	ck_assert(CHIC_HAS(&args, slot));
	args.size = offsetof(struct chic_module_args, slot);
	ck_assert(!CHIC_HAS(&args, slot));
	ck_assert(CHIC_HAS(&args, thread_word));
}
END_TEST

/* ------------------------------------------------------------- .modinfo --- */

/* What the macros made of good_heap.c in release 0.1; FROZEN, see abi/frozen.h. */
static const char *const good_heap_strings[] = {
	"name=good_heap",
	"abi=1",
	"kind=heap",
	"version=1.2.3",
	"license=BSD-2-Clause",
	"description=heap of the tests",
	"author=The tests <tests@example.org>",
	"parm=on:bool:yes::a truth value",
	"parm=count:uint:7:1-100:a number",
	"parm=bytes:size:64K:4K-1G:a size: of nothing",
	"parm=output:string:::any text",
	"parm=mode:enum:fast:fast|slow:one of two",
};

static bool section_has(const char *text, size_t len, const char *string)
{
	for (const char *p = text; p < text + len; p += strlen(p) + 1)
		if (strcmp(p, string) == 0)
			return true;
	return false;
}

START_TEST(the_macros_write_what_they_wrote)
{
	int fd = open(GOOD_HEAP, O_RDONLY | O_CLOEXEC);
	struct elf elf;
	char *text;
	size_t len;

	ck_assert_int_eq(elf_open(&elf, fd, GOOD_HEAP), 0);
	ck_assert_int_eq(elf_section(&elf, ".modinfo", 65536, &text, &len), 1);
	for (size_t i = 0; i < ARRAY_SIZE(good_heap_strings); i++)
		ck_assert_msg(section_has(text, len, good_heap_strings[i]), "%s",
			      good_heap_strings[i]);
	free(text);
	close(fd);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("frozen");
	TCase *t = tcase_create("frozen");

	tcase_add_checked_fixture(t, setup, conf_end);
	tcase_set_timeout(t, CHECK_TIMEOUT);
	tcase_add_loop_test(t, loads_serves_and_goes, 0, ARRAY_SIZE(stacks));
	tcase_add_test(t, every_hook_is_called_with_its_context);
	tcase_add_test(t, every_twin_is_called_with_its_context);
	tcase_add_test(t, owns_is_asked_where_the_heap_below_can_tell);
	tcase_add_test(t, threads_and_forks_are_told);
	tcase_add_test(t, the_old_filter_can_refuse);
	tcase_add_test(t, what_is_not_known_is_passed_over);
	tcase_add_test(t, a_symbol_that_is_needed_and_not_known_refuses);
	tcase_add_test(t, another_abi_is_refused_with_both_numbers);
	tcase_add_test(t, fields_beyond_size_are_not_there);
	tcase_add_test(t, the_macros_write_what_they_wrote);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(make_suite)
