// SPDX-License-Identifier: BSD-2-Clause
/*
 * Instances: made, used, undone, several at the same time, emptied at once.
 */
#include "conform.h"

#include <string.h>

/* ---------------------------------------------------------- lifecycle --- */

#define CYCLES 40
#define WARM_UP 8

static void end(struct stack *stack)
{
	case_doing("exit", 0, 0, 0);
	stack_destroy(stack);
	case_done();
}

static void cycle(const struct subject *s)
{
	struct subject instance;
	struct stack *stack = subject_instance(s, &instance);

	churn_serve(&instance, 1);
	end(stack);
}

/* An instance that served nobody ends as well. */
static void unused(const struct subject *s)
{
	struct subject instance;

	end(subject_instance(s, &instance));
}

/* The first of two ends while blocks of the second are live. */
static void two_at_a_time(const struct subject *s)
{
	static struct blocks one, two;
	struct subject first, second;
	struct stack *first_stack = subject_instance(s, &first);
	struct stack *second_stack = subject_instance(s, &second);

	case_stage("two instances at the same time");
	for (unsigned i = 0; i < 200; i++) {
		size_t size = 1 + i * 37 % 3000;

		blocks_get(&first, &one, i % ways_of(&first), size, 16);
		blocks_get(&second, &two, i % ways_of(&second), size, 16);
	}
	blocks_check(&one);
	blocks_check(&two);
	blocks_put_all(&first, &one);
	end(first_stack);
	blocks_check(&two);
	churn_serve(&second, 2);
	blocks_put_all(&second, &two);
	end(second_stack);
}

/* Files and addresses that exit forgets show after some pairs. */
static void many_in_turn(const struct subject *s)
{
	struct memory before;
	size_t files, now;

	for (unsigned i = 0; i < WARM_UP; i++)
		cycle(s);
	before = memory_now();
	files = open_files();
	for (unsigned i = 0; i < CYCLES; i++)
		cycle(s);
	/* what is not an instance's need not go with it */
	if (subject_exports(s)->init)
		memory_check(before, 0, "pairs of init and exit");
	now = open_files();
	if (now != files)
		case_fail("%d pairs of init and exit: found %zu open files before and %zu "
			  "after",
			  CYCLES, files, now);
}

void case_lifecycle(struct subject *s)
{
	if (!subject_is_native(s))
		case_skip("%s has no init and exit",
			  s->spec->info ? "a stock library" : "the platform heap");
	unused(s);
	many_in_turn(s);
	two_at_a_time(s);
}

/* -------------------------------------------------------------- reset --- */

/* A mixed module's blocks that are its lower's are no business of its reset. */
static size_t keep_own(const struct subject *s, struct blocks *set)
{
	for (size_t i = set->n; i-- > 0;)
		if (s->ops->owns.fn && !owns(s, set->list[i].p))
			blocks_put(s, set, i);
	return set->n;
}

static void fill(const struct subject *s, struct blocks *set, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		blocks_get(s, set, i % ways_of(s), 1 + (size_t)i * i * 3, 16);
	blocks_check(set);
}

static size_t reset(const struct subject *s)
{
	size_t dropped;

	case_doing("reset", 0, 0, 0);
	dropped = subject_exports(s)->reset(s->layer->ctx);
	case_done();
	return dropped;
}

static size_t reset_once(const struct subject *s, unsigned n)
{
	static struct blocks set;
	size_t own, dropped;

	fill(s, &set, n);
	own = keep_own(s, &set);
	dropped = reset(s);
	if (dropped != own)
		case_fail("reset answered %zu, expected the number of live blocks of its own, "
			  "%zu",
			  dropped, own);
	set.n = 0;
	return own;
}

void case_reset(struct subject *s)
{
	struct memory before;
	size_t i;

	if (!subject_exports(s)->reset)
		case_skip("%s",
			  subject_is_native(s) ? "it exports no reset" : "it has no reset");
	if (strcmp(s->spec->kind, "filter") == 0)
		case_skip("a filter has no block of its own to take back");
	if (reset(s))
		case_fail("reset without a live block: expected an answer of 0");
	for (i = 0; i < 15; i++)
		reset_once(s, 200);
	before = memory_now();
	for (i = 0; i < 30; i++)
		reset_once(s, 200);
	memory_check(before, 0, "live blocks and reset in turn");
	churn_serve(s, 1);
}
