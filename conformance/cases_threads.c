// SPDX-License-Identifier: BSD-2-Clause
/*
 * Threads: at the same time, with each other's blocks, and at their end.
 */
#include "conform.h"

#include <string.h>

/* ------------------------------------------------------------ threads --- */

#define THREADS 4

static void churn_alone(struct worker *w)
{
	static struct churn churns[THREADS];
	struct churn *c = &churns[w->number - 1];

	churn_begin(c, w->s, w->number);
	c->max = 8192;
	churn_for(c, 1, 500);
}

void case_threads(struct subject *s)
{
	struct worker list[THREADS];

	workers_start(list, THREADS, s, churn_alone, NULL);
	workers_join(list, THREADS);
}

/* --------------------------------------------------------- cross_free --- */

#define MAILBOXES 64

/* Where threads leave blocks for each other. */
static struct block *mailboxes[MAILBOXES];
static size_t bytes_sent;

/*
 * What is left for others: the handle travels in memory of its own, which the
 * subject serves as well.
 */
static struct block *parcel(struct worker *w, struct rng *rng)
{
	struct block handle, *b;
	enum way way = (enum way)rng_below(rng, ways_of(w->s));

	block_get(w->s, &handle, WAY_ALLOC, sizeof(*b), _Alignof(struct block));
	b = (struct block *)handle.p;
	block_get(w->s, b, way, rng_size(rng, 4096), 16);
	__atomic_fetch_add(&bytes_sent, b->size + sizeof(*b), __ATOMIC_RELAXED);
	return b;
}

static void open_parcel(const struct subject *s, struct block *b)
{
	block_put(s, b);
	hook_free(s, b, sizeof(*b), _Alignof(struct block));
}

static void post(struct worker *w)
{
	struct rng rng;
	struct work work;

	rng_begin(&rng, w->s, w->number);
	work_begin(&work, w->s, 0.5, 500);
	while (work_left(&work, 4096 / 8)) {
		struct block *b = parcel(w, &rng);
		size_t at = rng_below(&rng, MAILBOXES);

		b = __atomic_exchange_n(&mailboxes[at], b, __ATOMIC_ACQ_REL);
		/* by somebody else, seldom oneself; one in eight grows before it goes */
		if (b && !rng_below(&rng, 8))
			block_resize(w->s, b, b->size + 200, b->align);
		if (b)
			open_parcel(w->s, b);
	}
}

static void empty_mailboxes(const struct subject *s)
{
	for (size_t i = 0; i < MAILBOXES; i++) {
		struct block *b = __atomic_exchange_n(&mailboxes[i], NULL, __ATOMIC_ACQ_REL);

		if (b)
			open_parcel(s, b);
	}
}

/* Memory that only the owner could use again would pile up. */
void case_cross_free(struct subject *s)
{
	struct worker list[THREADS];
	struct memory before;

	workers_start(list, THREADS, s, post, NULL);
	workers_join(list, THREADS);
	empty_mailboxes(s);
	before = memory_now();
	bytes_sent = 0;
	workers_start(list, THREADS, s, post, NULL);
	workers_join(list, THREADS);
	empty_mailboxes(s);
	if (subject_frees(s))
		memory_check(before, bytes_sent, "blocks that other threads free");
}

/* -------------------------------------------------------- thread_exit --- */

#define LEFT_BEHIND 8
#define AT_THE_END 3

struct visit {
	const struct subject *s;
	struct block left[LEFT_BEHIND];
	unsigned again; /* rounds of destructors to come */
	pthread_key_t *key;
};

/* Two keys: one was made before the loader's own, one after it. */
static pthread_key_t early, late;

static void serve_a_little(const struct subject *s)
{
	struct block b[AT_THE_END];

	for (unsigned i = 0; i < AT_THE_END; i++)
		block_get(s, &b[i], i % ways_of(s), 50 + i * 300, 16);
	if (!block_resize(s, &b[0], 2000, 16))
		case_fail("realloc to 2000 bytes in a thread that ends: answered null");
	for (unsigned i = 0; i < AT_THE_END; i++)
		block_put(s, &b[i]);
}

/* Destructors go on with memory after the module was told of the thread's end. */
static void at_thread_end(void *arg)
{
	struct visit *v = arg;

	serve_a_little(v->s);
	if (v->again--)
		pthread_setspecific(*v->key, v);
}

static void visit(struct worker *w)
{
	struct visit *v = (struct visit *)w->arg + (w->number - 1);

	*v = (struct visit){.s = w->s, .again = 2, .key = w->number % 2 ? &early : &late};
	pthread_setspecific(*v->key, v);
	for (unsigned i = 0; i < LEFT_BEHIND; i++)
		block_get(w->s, &v->left[i], i % ways_of(w->s), 30 + i * 100, 16);
	serve_a_little(w->s);
}

/* What a thread leaves behind stays valid, and is anybody's to free. */
static void take_over(const struct subject *s, struct visit *v)
{
	for (unsigned i = 0; i < LEFT_BEHIND; i++)
		block_check(&v->left[i]);
	for (unsigned i = 0; i < LEFT_BEHIND; i++)
		block_put(s, &v->left[i]);
}

static size_t rounds(struct subject *s, double share, size_t least)
{
	static struct visit visits[THREADS];
	struct worker list[THREADS];
	struct work w;

	work_begin(&w, s, share, least);
	while (work_left(&w, THREADS * LEFT_BEHIND * 1024)) {
		workers_start(list, THREADS, s, visit, visits);
		workers_join(list, THREADS);
		for (unsigned i = 0; i < THREADS; i++)
			take_over(s, &visits[i]);
	}
	return w.rounds;
}

void case_thread_exit(struct subject *s)
{
	struct memory before;
	size_t n;

	if (pthread_key_create(&early, at_thread_end))
		case_fail("pthread_key_create failed");
	subject_load(s, NULL, NULL, NULL);
	hook_free(s, hook_alloc(s, 1, 1), 1, 1); /* the loader makes its key */
	if (pthread_key_create(&late, at_thread_end))
		case_fail("pthread_key_create failed");
	rounds(s, 0.2, 20);
	before = memory_now();
	n = rounds(s, 0.8, 60);
	if (subject_frees(s))
		memory_check(before, n * THREADS * LEFT_BEHIND * 1024,
			     "threads that come and go");
}
