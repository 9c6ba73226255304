// SPDX-License-Identifier: BSD-2-Clause
/*
 * What allocators are measured by since there are any: a few shapes of work that do
 * nothing but allocate and free.
 *
 *	classic exchange	one thread allocates, another frees
 *	classic server		threads replace blocks at random, and each hands
 *				its blocks to the next thread when it ends
 *	classic shuffle		many blocks, freed in another order than they came
 *	classic fragment	every other block freed, larger ones put between
 *
 * BENCH_SCALE divides what they do.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 1000
#define SERVERS 2
#define MANY 100000

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Mostly small: 16 to 4096 bytes, each power of two as often as the others. */
static size_t random_size(uint32_t *state)
{
	uint32_t r = next_random(state);
	size_t most = 32u << (r & 7);

	return most / 2 + (r >> 8) % (most / 2);
}

static void *get(size_t size)
{
	char *p = malloc(size);

	if (!p) {
		fprintf(stderr, "classic: no memory\n");
		exit(EXIT_FAILURE);
	}
	p[0] = 1;
	p[size - 1] = 1;
	return p;
}

/* --------------------------------------------------- producer, consumer ---- */

/* Blocks travel by the hundred, so that it is not the lock that is measured. */
#define LOAD 100
#define QUEUE 16

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	void *loads[QUEUE][LOAD];
	unsigned in, out;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static unsigned n_loads;

static void *consume(void *arg)
{
	void *load[LOAD];

	for (unsigned i = 0; i < n_loads; i++) {
		pthread_mutex_lock(&queue.lock);
		while (queue.in == queue.out)
			pthread_cond_wait(&queue.changed, &queue.lock);
		memcpy(load, queue.loads[queue.out++ % QUEUE], sizeof(load));
		pthread_cond_signal(&queue.changed);
		pthread_mutex_unlock(&queue.lock);
		for (unsigned j = 0; j < LOAD; j++)
			free(load[j]);
	}
	return arg;
}

static void produce(void)
{
	uint32_t state = 1;
	void *load[LOAD];

	for (unsigned i = 0; i < n_loads; i++) {
		for (unsigned j = 0; j < LOAD; j++)
			load[j] = get(random_size(&state));
		pthread_mutex_lock(&queue.lock);
		while (queue.in - queue.out == QUEUE)
			pthread_cond_wait(&queue.changed, &queue.lock);
		memcpy(queue.loads[queue.in++ % QUEUE], load, sizeof(load));
		pthread_cond_signal(&queue.changed);
		pthread_mutex_unlock(&queue.lock);
	}
}

static void exchange(unsigned turns)
{
	pthread_t consumer;

	n_loads = turns * 100;
	if (pthread_create(&consumer, NULL, consume, NULL) != 0)
		abort();
	produce();
	pthread_join(consumer, NULL);
}

/* --------------------------------------------------------------- server ---- */

struct server {
	void *blocks[SLOTS];
	uint32_t state;
};

static void *serve(void *arg)
{
	struct server *s = arg;

	for (unsigned i = 0; i < 5 * SLOTS; i++) {
		void **slot = &s->blocks[next_random(&s->state) % SLOTS];

		free(*slot);
		*slot = get(random_size(&s->state));
	}
	return NULL;
}

static void server(unsigned turns)
{
	static struct server servers[SERVERS];
	pthread_t threads[SERVERS];

	for (unsigned i = 0; i < SERVERS; i++)
		servers[i].state = i + 1;
	while (turns--) {
		for (unsigned i = 0; i < SERVERS; i++)
			if (pthread_create(&threads[i], NULL, serve, &servers[i]) != 0)
				abort();
		for (unsigned i = 0; i < SERVERS; i++)
			pthread_join(threads[i], NULL);
	}
}

/* ------------------------------------------------------ shuffle, fragment ---- */

static void *blocks[MANY];

static void shuffle(unsigned turns)
{
	uint32_t state = 1;

	while (turns--) {
		for (unsigned i = 0; i < MANY; i++)
			blocks[i] = get(16 + next_random(&state) % 240);
		for (unsigned i = MANY; i > 0; i--) {
			unsigned k = next_random(&state) % i;
			void *p = blocks[k];

			blocks[k] = blocks[i - 1];
			free(p);
		}
	}
}

static void fragment(unsigned turns)
{
	uint32_t state = 1;

	for (unsigned turn = 0; turn < turns; turn++) {
		for (unsigned i = 0; i < MANY; i++)
			blocks[i] = get(16 + next_random(&state) % 112);
		for (unsigned half = 0; half < 2; half++)
			for (unsigned i = half; i < MANY; i += 2) {
				free(blocks[i]);
				blocks[i] = get(150 << half);
			}
		for (unsigned i = 0; i < MANY; i++)
			free(blocks[i]);
	}
}

static unsigned scale(void)
{
	const char *text = getenv("BENCH_SCALE");
	unsigned n = text ? strtoul(text, NULL, 10) : 1;

	return n ? n : 1;
}

static const struct {
	const char *name;
	void (*run)(unsigned turns);
	unsigned turns;
} modes[] = {
	{"exchange", exchange, 300},
	{"server", server, 150},
	{"shuffle", shuffle, 50},
	{"fragment", fragment, 50},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argv[1], modes[i].name) != 0)
			continue;
		modes[i].run(modes[i].turns / scale() + 1);
		return 0;
	}
	fprintf(stderr, "usage: classic exchange|server|shuffle|fragment\n");
	return 2;
}
