// SPDX-License-Identifier: BSD-2-Clause
/*
 * The module among others: whose blocks it hands out, what it does as the lower of
 * the shipped modules, over other layers, and over one that fails.
 */
#define _GNU_SOURCE
#include "conform.h"

#include <errno.h>
#include <string.h>

/* --------------------------------------------------------------- kind --- */

static void check_whose(const struct subject *s, const struct block *b)
{
	bool lowers = spy_has(b->p);
	bool filter = strcmp(s->spec->kind, "filter") == 0;
	char text[BLOCK_TEXT];

	if (filter && !lowers)
		case_fail("%s: not a block of the lower layer, expected one at this address: "
			  "it is a filter",
			  block_text(b, text));
	if (!filter && owns(s, b->p) == lowers)
		case_fail("%s: owns answers %s and it %s a block of the lower layer, expected "
			  "one of the two",
			  block_text(b, text), lowers ? "true" : "false",
			  lowers ? "is" : "is not");
}

static void blocks_of_each_kind(const struct subject *s)
{
	static struct blocks set;
	struct block *b;

	for (unsigned i = 0; i < 300; i++) {
		size_t size = i % 50 ? 1 + (size_t)i * i : (size_t)4 << 20;

		b = blocks_get(s, &set, i % ways_of(s), size, i % 7 ? 16 : 512);
		check_whose(s, b);
		if (i % 3 == 0 && block_resize(s, b, size * 2, b->align))
			check_whose(s, b);
	}
	blocks_put_all(s, &set);
}

void case_kind(struct subject *s)
{
	size_t before;

	if (subject_is_heap(s))
		case_skip("a heap's blocks are its own");
	spy_install(false);
	before = spy_live();
	subject_load(s, NULL, NULL, NULL);
	blocks_of_each_kind(s);
	subject_unload(s);
	if (spy_live() != before)
		case_fail("after exit %zu blocks of the lower layer were not given back",
			  spy_live() - before);
}

/* ----------------------------------------------------------- as_lower --- */

struct place {
	const char *above;
	const char *below;
	const char *option;
	bool twins; /* asks for a lower layer that has usable_size */
};

static bool names(const char *list, const char *name)
{
	return list && name_in_list(name, list);
}

static void serve_there(struct subject *s, void *arg)
{
	const struct place *place = arg;

	subject_load(s, place->above, place->below, place->option);
	for (unsigned i = 1; i <= 3; i++)
		churn_serve(s, i);
	subject_unload(s);
}

static void try_place(struct subject *s, const struct place *place)
{
	/* none is put on itself */
	if (names(place->above, s->spec->name) || names(place->below, s->spec->name))
		return;
	case_stage("in the stack '%s%s%s%s%s'", place->above ? place->above : "",
		   place->above ? ", " : "", s->spec->entry, place->below ? ", " : "",
		   place->below ? place->below : "");
	case_apart(s, serve_there, (void *)place);
}

void case_as_lower(struct subject *s)
{
	static const struct place places[] = {
		{.above = "counting"},
		{.above = "guard", .option = "guard.sample=3", .twins = true},
		{.above = "arena", .option = "arena.cap=64K", .twins = true},
		{.above = "counting,guard,arena", .option = "guard.sample=2", .twins = true},
	};

	bool twins;

	subject_load(s, NULL, NULL, NULL);
	twins = has_twins(s);
	subject_unload(s);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (!places[i].twins || twins)
			try_place(s, &places[i]);
}

/* ------------------------------------------------------------- on_top --- */

/*
 * A layer below that cannot tell sizes.  The loader keeps mixed modules off it; a
 * filter may say that it needs more.
 */
static void over_one_without_usable_size(struct subject *s, void *arg)
{
	(void)arg;
	spy_install(true);
	if (subject_try(s, NULL, NULL, NULL) == 0) {
		churn_serve(s, 1);
		subject_unload(s);
	}
	if (spy_live())
		case_fail("after exit %zu blocks of the lower layer were not given back",
			  spy_live());
}

/* "a filter owns none and answers what its lower answers" */
static void owns_what_its_lower_owns(struct subject *s, void *arg)
{
	const struct place *place = arg;
	const struct chic_layer *lower;
	static struct blocks set;
	char text[BLOCK_TEXT];

	subject_load(s, NULL, place->below, place->option);
	lower = &(s->layer - 1)->completion.ops;
	for (unsigned i = 0; i < 100; i++) {
		struct block *b = blocks_get(s, &set, i % ways_of(s), 1 + i * i, 16);

		if (owns(s, b->p) != lower->owns.fn(lower->owns.ctx, b->p))
			case_fail("%s: owns does not answer what the lower layer's does",
				  block_text(b, text));
	}
	blocks_put_all(s, &set);
}

void case_on_top(struct subject *s)
{
	static const struct place places[] = {
		{.below = "counting"},
		{.below = "arena"},
		{.below = "guard", .option = "guard.sample=3"},
		{.below = "guard,counting,arena", .option = "guard.sample=2"},
	};
	/* which leaves some blocks to the platform heap */
	static const struct place over_arena = {.below = "arena", .option = "arena.cap=64K"};

	if (subject_is_heap(s))
		case_skip("a heap stands on nothing");
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		try_place(s, &places[i]);
	if (strcmp(s->spec->kind, "filter") != 0)
		return;
	case_stage("over arena");
	case_apart(s, owns_what_its_lower_owns, (void *)&over_arena);
	case_stage("over a layer without usable_size, owns and twins");
	case_apart(s, over_one_without_usable_size, NULL);
}

/* -------------------------------------------------------- lower_fails --- */

/* For each request of a walk in turn: this one fails below.  Then a little over. */
#define WALK 60

static void walk(const struct subject *s, struct churn *c, size_t failing)
{
	churn_begin(c, s, 1);
	c->may_fail = true;
	c->live = 30;
	c->max = 20000;
	spy_fail_at(failing);
	for (unsigned i = 0; i < 3 * WALK; i++)
		churn_step(c);
	spy_fail_at(0);
	churn_end(c);
}

/* init may ask its lower as well, and then may fail. */
static void load_over_failing(struct subject *s, size_t failing)
{
	spy_fail_at(failing);
	if (subject_try(s, NULL, NULL, NULL) == 0 || !spy_failed())
		return;
	spy_fail_at(0);
	if (spy_live())
		case_fail("an init that failed left %zu blocks of the lower layer", spy_live());
	subject_load(s, NULL, NULL, NULL);
}

static void fail_in_turn(struct subject *s, void *arg)
{
	static struct churn c;

	(void)arg;
	spy_install(false);
	for (size_t n = 1; n <= WALK; n++) {
		case_stage("while request %zu to the lower layer fails", n);
		load_over_failing(s, n);
		walk(s, &c, n);
		subject_unload(s);
		if (spy_live())
			case_fail("after exit %zu blocks of the lower layer were not given "
				  "back",
				  spy_live());
	}
}

void case_lower_fails(struct subject *s)
{
	if (subject_is_heap(s))
		case_skip("a heap asks nobody");
	case_apart(s, fail_in_turn, NULL);
}
