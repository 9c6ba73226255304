// SPDX-License-Identifier: BSD-2-Clause
/*
 * Limits: the system's, that a module runs into, and its own, that it keeps.
 */
#include "conform.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

/* ------------------------------------------------------- memory_limit --- */

#define ROOM ((size_t)256 << 20)
#define ROOM_MAX ((size_t)(sizeof(size_t) > 4 ? UINT64_C(1) << 46 : UINT64_C(1) << 31))
#define PER_SIZE 40
#define SMALLEST 4096

static void limit_to(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	if (setrlimit(RLIMIT_AS, &limit))
		case_fail("setrlimit(RLIMIT_AS): %s", strerror(errno));
}

static void limit_to_room(size_t room)
{
	limit_to(memory_now().addresses + room);
}

static bool serves_in(struct subject *s, size_t room)
{
	void *p;

	limit_to_room(room);
	if (subject_try(s, NULL, NULL, NULL))
		return false;
	p = hook_alloc(s, SMALLEST, 16);
	if (p)
		hook_free(s, p, SMALLEST, 16);
	else
		subject_unload(s);
	return p;
}

/*
 * A module that reserves addresses may refuse a small room, when it starts or by
 * null, which is as good an answer; it gets a larger one then.  Answers the room.
 */
static size_t load_in_room(struct subject *s)
{
	size_t room;

	for (room = ROOM; room < ROOM_MAX; room *= 8)
		if (serves_in(s, room))
			return room;
	limit_to(RLIM_INFINITY);
	subject_load(s, NULL, NULL, NULL);
	limit_to_room(ROOM);
	return ROOM;
}

/* Large blocks, then smaller ones into what is left; answers whether null was met. */
static bool exhaust(const struct subject *s, struct blocks *set, size_t room)
{
	bool met = false;

	for (size_t size = room / 16; size >= SMALLEST; size /= 4) {
		for (unsigned i = 0; i < PER_SIZE && set->n < BLOCKS_MAX; i++) {
			enum way way = i % ways_of(s);

			/* which would be in memory as a whole */
			if (size > 65536 && (way == WAY_ALLOC_ZEROED || way == WAY_CALLOC))
				way = WAY_ALLOC;
			if (blocks_try(s, set, way, size, 16))
				continue;
			met = true;
			break;
		}
	}
	return met;
}

/* block_resize() makes sure that what cannot grow stays as it is. */
static void grow_at_the_limit(const struct subject *s, struct blocks *set, size_t room)
{
	for (size_t i = 0; i < set->n; i += 7)
		if (block_resize(s, &set->list[i], 2 * room, set->list[i].align))
			case_fail("realloc to %zu bytes in a room of %zu: answered a block, "
				  "expected null",
				  2 * room, room);
}

static void churn_at_the_limit(const struct subject *s)
{
	static struct churn c;

	churn_begin(&c, s, 1);
	c.may_fail = true;
	c.live = 100;
	churn_for(&c, 0.1, 300);
}

void case_memory_limit(struct subject *s)
{
	static struct blocks set;
	size_t room = load_in_room(s);
	bool met = exhaust(s, &set, room);
	size_t largest;

	if (!set.n)
		case_fail("in %zu bytes of addresses: not one block of %d bytes was served",
			  room, SMALLEST);
	blocks_check(&set);
	if (met)
		grow_at_the_limit(s, &set, room);
	churn_at_the_limit(s);
	blocks_check(&set);
	while (set.n > 10)
		blocks_put(s, &set, set.n / 2);
	largest = set.list[0].size;
	blocks_put(s, &set, 0);
	if (subject_frees(s)) /* what was just given back can be had again */
		blocks_get(s, &set, WAY_ALLOC, largest, 16);
	churn_at_the_limit(s);
	limit_to(RLIM_INFINITY);
	churn_at_the_limit(s);
	blocks_put_all(s, &set);
}

/* ------------------------------------------------------------- growth --- */

/* A kind of load: so many live blocks of such sizes. */
static const struct load {
	const char *what;
	size_t least, most;
	size_t live;
	size_t volume; /* bytes that are asked for at least, however long it takes */
} loads[] = {
	{"small blocks", 8, 256, 400, (size_t)1 << 20},
	{"medium blocks", 1024, 32768, 200, (size_t)64 << 20},
	{"large blocks", 65536, 2 << 20, 8, (size_t)128 << 20},
};

/* A byte of each page, as a program would sooner or later. */
static void touch(unsigned char *p, size_t size)
{
	for (size_t i = 0; i < size; i += 4096)
		p[i] = 1;
}

static size_t one_more(const struct subject *s, const struct load *load, struct block *b,
		       struct rng *rng)
{
	size_t size = load->least + rng_below(rng, load->most - load->least);

	if (b->p && way_is_twin(b->way))
		twin_mfree(s, b->p);
	else if (b->p)
		hook_free(s, b->p, b->size, 8);
	*b = (struct block){.size = size, .way = rng_below(rng, 4) ? WAY_MALLOC : WAY_ALLOC};
	if (!has_twins(s))
		b->way = WAY_ALLOC;
	b->p = b->way == WAY_ALLOC ? hook_alloc(s, size, 8) : twin_malloc(s, size);
	if (!b->p)
		case_fail("a request of %zu bytes: answered null", size);
	touch(b->p, size);
	return size;
}

/* Answers the bytes that were asked for. */
static size_t load_for(const struct subject *s, const struct load *load, struct blocks *set,
		       struct rng *rng)
{
	size_t asked = 0;
	struct work w;

	work_begin(&w, s, 1. / 6, 5 * load->live);
	while (work_left(&w, 0) || asked < load->volume)
		asked += one_more(s, load, &set->list[rng_below(rng, load->live)], rng);
	return asked;
}

static void give_all_back(const struct subject *s, struct blocks *set)
{
	for (size_t i = 0; i < BLOCKS_MAX; i++) {
		struct block *b = &set->list[i];

		if (b->p && way_is_twin(b->way))
			twin_mfree(s, b->p);
		else if (b->p)
			hook_free(s, b->p, b->size, 8);
		b->p = NULL;
	}
}

void case_growth(struct subject *s)
{
	static struct blocks set;
	struct rng rng;

	if (!subject_frees(s))
		case_skip("it says frees=no: single blocks do not come back");
	rng_begin(&rng, s, 1);
	for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
		struct memory before;
		size_t asked;

		load_for(s, &loads[i], &set, &rng);
		before = memory_now();
		asked = load_for(s, &loads[i], &set, &rng);
		memory_check(before, asked, loads[i].what);
		give_all_back(s, &set);
	}
}
