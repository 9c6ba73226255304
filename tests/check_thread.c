// SPDX-License-Identifier: BSD-2-Clause
/* What is kept per thread: structs taken and given back, layers' words. */
#define _GNU_SOURCE
#include "check_support.h"
#include "fault.h"
#include "internal.h"

#include <errno.h>
#include <pthread.h>

CHIC_ALLOC_MANUAL();

static void *attach(void *arg)
{
	(void)arg;
	return thread_attach();
}

static struct thread *attached_by_a_thread(void)
{
	pthread_t thread;
	void *t;

	ck_assert_int_eq(pthread_create(&thread, NULL, attach, NULL), 0);
	pthread_join(thread, &t);
	return t;
}

START_TEST(a_thread_gets_one_struct_and_keeps_it)
{
	struct thread *t = thread_attach();

	ck_assert_ptr_nonnull(t);
	ck_assert_ptr_eq(thread_attach(), t);
	ck_assert_ptr_eq(thread_self, t);
	ck_assert_uint_eq((uintptr_t)t % 64, 0);
}
END_TEST

START_TEST(the_struct_of_a_thread_that_ended_is_used_again)
{
	struct thread *own = thread_attach(), *first = attached_by_a_thread();

	ck_assert_ptr_ne(first, own);
	ck_assert_ptr_eq(attached_by_a_thread(), first);
}
END_TEST

/* Some key is the library's; programs have set keys that they had forgotten to make. */
static void *attach_and_set_foreign_keys(void *arg)
{
	struct thread *t = thread_attach();

	for (pthread_key_t key = 0; key < 32; key++)
		if (pthread_getspecific(key) == t)
			pthread_setspecific(key, arg);
	return t;
}

START_TEST(the_struct_of_a_thread_survives_its_keys)
{
	struct thread *t = attached_by_a_thread();
	pthread_t thread;
	void *same;

	pthread_create(&thread, NULL, attach_and_set_foreign_keys, (void *)1);
	pthread_join(thread, &same);

	ck_assert_ptr_eq(same, t);
	ck_assert_ptr_eq(attached_by_a_thread(), t);
}
END_TEST

START_TEST(counts_of_a_thread_that_ended_stay)
{
	struct counters before, after;
	struct thread *t = attached_by_a_thread();

	thread_sum(OWNER_CUSTOM, &before);
	t->owner[OWNER_CUSTOM].t.alloc_calls += 5;
	thread_shared[OWNER_CUSTOM].t.alloc_calls += 2;
	attached_by_a_thread();
	thread_sum(OWNER_CUSTOM, &after);

	ck_assert_uint_eq(after.t.alloc_calls - before.t.alloc_calls, 7);
}
END_TEST

static pthread_key_t late_key;
static struct thread *seen_late = (void *)1;
static void **word_late = (void *)1;

static void look_late(void *arg)
{
	/* again and again, so that the last look is after the library's own end */
	if (arg != (void *)1)
		pthread_setspecific(late_key, (void *)((uintptr_t)arg - 1));
	seen_late = thread_attach();
	word_late = thread_word(0);
}

static void *ends_late(void *arg)
{
	pthread_setspecific(late_key, (void *)3);
	return attach(arg);
}

START_TEST(an_ending_thread_gets_none)
{
	pthread_t thread;

	pthread_key_create(&late_key, look_late);
	pthread_create(&thread, NULL, ends_late, NULL);
	pthread_join(thread, NULL);

	ck_assert_ptr_null(seen_late);
	ck_assert_ptr_null(word_late);
}
END_TEST

START_TEST(words_run_out_and_come_back_null)
{
	int slots[WORDS_MAX];

	for (int i = 0; i < WORDS_MAX; i++) {
		slots[i] = thread_word_get();
		ck_assert_int_ge(slots[i], 0);
		*thread_word(slots[i]) = &slots[i];
	}
	ck_assert_int_eq(thread_word_get(), -ENOSPC);
	for (int i = 0; i < WORDS_MAX; i++)
		ck_assert_ptr_eq(*thread_word(slots[i]), &slots[i]);
	thread_word_put(slots[3]);

	ck_assert_int_eq(thread_word_get(), slots[3]);
	ck_assert_ptr_null(*thread_word(slots[3]));
	for (int i = 0; i < WORDS_MAX; i++)
		thread_word_put(slots[i]);
}
END_TEST

START_TEST(no_memory_means_no_struct_and_no_crash)
{
	AllocationTelemetry t;
	ValueMutPtr h;

	chic_rt_allocator_reset(); /* start-up is over */
	fault_start(1);
	h = chic_rt_alloc(10, 1);
	ck_assert(fault_stop());
	/* the first mmap was the pool's: counted in the shared slot */
	if (h.ptr)
		ck_assert_uint_eq(thread_shared[OWNER_PLATFORM].t.alloc_calls, 1);
	t = chic_rt_alloc_stats();
	ck_assert_uint_eq(t.alloc_calls, h.ptr != NULL);
	chic_rt_free(h);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("thread");
	TCase *t = tcase_create("thread");

	tcase_add_test(t, a_thread_gets_one_struct_and_keeps_it);
	tcase_add_test(t, the_struct_of_a_thread_that_ended_is_used_again);
	tcase_add_test(t, the_struct_of_a_thread_survives_its_keys);
	tcase_add_test(t, counts_of_a_thread_that_ended_stay);
	tcase_add_test(t, an_ending_thread_gets_none);
	tcase_add_test(t, words_run_out_and_come_back_null);
	tcase_add_test(t, no_memory_means_no_struct_and_no_crash);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(make_suite)
