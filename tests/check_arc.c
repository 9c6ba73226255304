// SPDX-License-Identifier: BSD-2-Clause
/*
 * Arc: what Rc promises, and that it holds where threads clone, drop, upgrade and look
 * whether they are alone at once.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "ledger.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "../runtime/shared.h"
#include "chic_alloc.h"

CHIC_ALLOC_MANUAL();

enum { THREADS = 4, ROUNDS = 3000, RACES = 500 };

static atomic_size_t drops;

/* Written by one owner at a time; a sanitizer sees when it is not. */
struct counters {
	uint64_t plain, same;
};

static void end_counters(uint8_t *value)
{
	struct counters *c = (struct counters *)value;

	if (c->plain != c->same)
		abort();
	c->plain = UINT64_MAX;
	atomic_fetch_add(&drops, 1);
}

static void setup(void)
{
	chic_rt_allocator_reset(); /* start-up is over */
	ledger_install();
	drops = 0;
}

static ChicArc make(void)
{
	struct counters zero = {0, 0};
	ChicArc arc = {NULL};

	MUST(chic_rt_arc_new(&arc, (const uint8_t *)&zero, sizeof(zero), 8,
			     (uintptr_t)end_counters, 1) == ChicShared_Success);
	return arc;
}

/* ---- one thread ---- */

START_TEST(owners_of_both_kinds)
{
	ChicArc a = make(), b, again;
	ChicWeak weak, other;

	ck_assert_ptr_eq(chic_rt_arc_get_mut(&a), chic_rt_arc_get_data(&a));
	ck_assert_int_eq(chic_rt_arc_clone(&b, &a), 0);
	ck_assert_ptr_null(chic_rt_arc_get_mut(&a));
	ck_assert_ptr_eq(chic_rt_arc_get(&a), chic_rt_arc_get(&b));
	ck_assert_int_eq(chic_rt_arc_downgrade(&weak, &a), 0);
	ck_assert_int_eq(chic_rt_weak_clone(&other, &weak), 0);
	ck_assert_uint_eq(chic_rt_arc_strong_count(&a), 2);
	ck_assert_uint_eq(chic_rt_arc_weak_count(&a), 3);
	chic_rt_arc_drop(&a);
	ck_assert_ptr_null(chic_rt_arc_get_mut(&b)); /* weak owners */
	ck_assert_int_eq(chic_rt_weak_upgrade(&again, &other), 0);
	chic_rt_arc_drop(&b);
	ck_assert_uint_eq(drops, 0);
	chic_rt_arc_drop(&again);
	chic_rt_arc_drop(&again);
	ck_assert_uint_eq(drops, 1);
	again.ptr = &again;
	ck_assert_int_eq(chic_rt_weak_upgrade(&again, &other), ChicShared_InvalidPointer);
	ck_assert_ptr_null(again.ptr);
	chic_rt_weak_drop(&weak);
	ck_assert_uint_eq(ledger_live_blocks(), 1);
	chic_rt_weak_drop(&other);
	chic_rt_weak_drop(&other);
	ledger_nothing_left();
}
END_TEST

START_TEST(counts_do_not_overflow)
{
	ChicArc arc = make(), other = {NULL};
	ChicWeak weak = {NULL}, more = {NULL};
	struct shared *block = arc.ptr;

	ck_assert_int_eq(chic_rt_arc_downgrade(&weak, &arc), 0);
	block->strong = OWNERS_MAX;
	block->weak = OWNERS_MAX;
	ck_assert_int_eq(chic_rt_arc_clone(&other, &arc), ChicShared_Overflow);
	ck_assert_int_eq(chic_rt_weak_upgrade(&other, &weak), ChicShared_Overflow);
	ck_assert_int_eq(chic_rt_arc_downgrade(&more, &arc), ChicShared_Overflow);
	ck_assert_int_eq(chic_rt_weak_clone(&more, &weak), ChicShared_Overflow);
	ck_assert_ptr_null(other.ptr);
	ck_assert_ptr_null(more.ptr);
	ck_assert_uint_eq(chic_rt_arc_strong_count(&arc), OWNERS_MAX);
	ck_assert_uint_eq(chic_rt_arc_weak_count(&arc), OWNERS_MAX);
	block->strong = 1;
	block->weak = 2;
	chic_rt_arc_drop(&arc);
	chic_rt_weak_drop(&weak);
	ck_assert_uint_eq(drops, 1);
	ledger_nothing_left();
}
END_TEST

START_TEST(bad_arguments_are_answered)
{
	uint8_t bytes[8] = {0};
	ChicArc arc = {NULL}, none = {NULL};
	ChicWeak weak = {NULL}, no_weak = {NULL};

	ck_assert_int_eq(chic_rt_arc_new(NULL, bytes, 8, 8, 0, 0), -1);
	ck_assert_int_eq(chic_rt_arc_new(&arc, NULL, 8, 8, 0, 0), -1);
	ck_assert_int_eq(chic_rt_arc_new(&arc, bytes, 8, 24, 0, 0), -2);
	ck_assert_int_eq(chic_rt_arc_new(&arc, bytes, SIZE_MAX - 8, 8, 0, 0), -3);
	ck_assert_ptr_null(arc.ptr);
	arc = make();
	ck_assert_int_eq(chic_rt_arc_clone(NULL, &arc), -1);
	ck_assert_int_eq(chic_rt_arc_clone(&arc, NULL), -1);
	ck_assert_int_eq(chic_rt_arc_clone(&arc, &none), -1);
	ck_assert_int_eq(chic_rt_arc_clone(&arc, &arc), 0); /* no owner more */
	ck_assert_int_eq(chic_rt_arc_downgrade(NULL, &arc), -1);
	ck_assert_int_eq(chic_rt_arc_downgrade(&weak, &none), -1);
	ck_assert_int_eq(chic_rt_weak_clone(&weak, &no_weak), -1);
	ck_assert_int_eq(chic_rt_weak_clone(NULL, NULL), -1);
	ck_assert_int_eq(chic_rt_weak_upgrade(&arc, &no_weak), -1);
	ck_assert_int_eq(chic_rt_weak_upgrade(NULL, NULL), -1);
	ck_assert_ptr_null(chic_rt_arc_get(&none));
	ck_assert_ptr_null(chic_rt_arc_get_data(NULL));
	ck_assert_ptr_null(chic_rt_arc_get_mut(&none));
	ck_assert_ptr_null(chic_rt_arc_get_mut(NULL));
	ck_assert_uint_eq(chic_rt_arc_strong_count(&none) + chic_rt_arc_weak_count(NULL), 0);
	chic_rt_arc_drop(NULL);
	chic_rt_weak_drop(NULL);
	chic_rt_arc_drop(&arc);
	ck_assert_uint_eq(drops, 1);
	ledger_nothing_left();
}
END_TEST

/* ---- threads ---- */

static pthread_barrier_t start_line;

static void run_threads(void *(*run)(void *), void *arguments, size_t size)
{
	pthread_t threads[THREADS];

	pthread_barrier_init(&start_line, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, run, (uint8_t *)arguments + i * size),
			0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&start_line);
}

/* Clones that are dropped, and weak owners upgraded, of what the thread owns itself. */
static void *use_owner(void *own)
{
	ChicArc *arc = own, clone, again;
	ChicWeak weak, other;

	pthread_barrier_wait(&start_line);
	for (int i = 0; i < ROUNDS; i++) {
		MUST(chic_rt_arc_clone(&clone, arc) == 0);
		MUST(chic_rt_arc_downgrade(&weak, &clone) == 0);
		chic_rt_arc_drop(&clone);
		MUST(chic_rt_weak_clone(&other, &weak) == 0);
		MUST(chic_rt_weak_upgrade(&again, &weak) == 0);
		MUST(chic_rt_arc_get(&again) == chic_rt_arc_get(arc));
		chic_rt_weak_drop(&weak);
		chic_rt_arc_drop(&again);
		chic_rt_weak_drop(&other);
	}
	chic_rt_arc_drop(arc);
	return NULL;
}

START_TEST(threads_share_owners)
{
	ChicArc own[THREADS];

	own[0] = make();
	for (int i = 1; i < THREADS; i++)
		ck_assert_int_eq(chic_rt_arc_clone(&own[i], &own[0]), 0);
	run_threads(use_owner, own, sizeof(own[0]));
	ck_assert_uint_eq(drops, 1);
	ledger_nothing_left();
}
END_TEST

/* The last strong owner goes while others upgrade. */
struct racer {
	ChicArc arc;
	ChicWeak weak;
	size_t upgraded;
};

static void *race_upgrade(void *of)
{
	struct racer *racer = of;
	ChicArc arc;

	pthread_barrier_wait(&start_line);
	if (racer->arc.ptr)
		chic_rt_arc_drop(&racer->arc);
	for (int i = 0; i < 20; i++) {
		if (chic_rt_weak_upgrade(&arc, &racer->weak) != 0) {
			MUST(arc.ptr == NULL);
			continue;
		}
		MUST(((const struct counters *)chic_rt_arc_get(&arc))->plain == 0);
		racer->upgraded++;
		chic_rt_arc_drop(&arc);
	}
	MUST(racer->upgraded == 20 || chic_rt_weak_upgrade(&arc, &racer->weak) == -1);
	chic_rt_weak_drop(&racer->weak);
	return NULL;
}

START_TEST(upgrades_race_with_the_last_drop)
{
	for (int race = 0; race < RACES; race++) {
		struct racer racers[THREADS] = {0};

		drops = 0;
		racers[0].arc = make();
		for (int i = 0; i < THREADS; i++)
			MUST(chic_rt_arc_downgrade(&racers[i].weak, &racers[0].arc) == 0);
		run_threads(race_upgrade, racers, sizeof(racers[0]));
		MUST(drops == 1);
		MUST(ledger_live_blocks() == 0);
	}
	ledger_nothing_left();
}
END_TEST

/* Who finds itself alone writes without any lock. */
static void *write_alone(void *own)
{
	ChicArc *arc = own, again;
	ChicWeak weak;

	pthread_barrier_wait(&start_line);
	for (int i = 0; i < ROUNDS && arc->ptr; i++) {
		struct counters *c = (struct counters *)chic_rt_arc_get_mut(arc);

		if (c) {
			c->plain++;
			c->same++;
		}
		MUST(chic_rt_arc_downgrade(&weak, arc) == 0);
		MUST(chic_rt_arc_get_mut(arc) == NULL);
		chic_rt_arc_drop(arc);
		/* of two that are left the one upgrades what the other would write */
		if (chic_rt_weak_upgrade(&again, &weak) == 0)
			*arc = again;
		chic_rt_weak_drop(&weak);
	}
	chic_rt_arc_drop(arc);
	return NULL;
}

START_TEST(only_one_alone_may_write)
{
	for (int race = 0; race < RACES / 10; race++) {
		ChicArc own[THREADS];

		drops = 0;
		own[0] = make();
		for (int i = 1; i < THREADS; i++)
			MUST(chic_rt_arc_clone(&own[i], &own[0]) == 0);
		run_threads(write_alone, own, sizeof(own[0]));
		MUST(drops == 1);
		MUST(ledger_live_blocks() == 0);
	}
	ledger_nothing_left();
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("arc");
	TCase *tcase = tcase_create("arc");

	tcase_add_checked_fixture(tcase, setup, ledger_remove);
	tcase_set_timeout(tcase, CHECK_TIMEOUT);
	tcase_add_test(tcase, owners_of_both_kinds);
	tcase_add_test(tcase, counts_do_not_overflow);
	tcase_add_test(tcase, bad_arguments_are_answered);
	tcase_add_test(tcase, threads_share_owners);
	tcase_add_test(tcase, upgrades_race_with_the_last_drop);
	tcase_add_test(tcase, only_one_alone_may_write);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
