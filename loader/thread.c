// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the library keeps per thread: counters by owner, the layers' words, the
 * last message.
 *
 * The structs live in a pool of their own, are never unmapped and never zeroed:
 * a reader may walk the list of all of them at any time, and the counts of a
 * thread that ended simply stay, its struct going on with the next thread.  So
 * nothing has to be folded, and nothing can be lost between two sums.
 *
 * A thread's end is seen by a key's destructor.  What the thread does after it
 * (later destructors allocate and free) is counted in thread_shared.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#define POOL_BYTES (64 * 1024)
#define CACHE_LINE 64

__thread struct thread *thread_self __attribute__((tls_model("initial-exec")));
static __thread bool thread_ended __attribute__((tls_model("initial-exec")));

struct counters thread_shared[OWNER_COUNT];

static pthread_mutex_t thread_lock = PTHREAD_MUTEX_INITIALIZER;
static struct thread *all_threads;
static struct thread *free_threads;
static char *pool, *pool_end;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool key_made;
static uint32_t words_used;

static struct thread *pool_take(void)
{
	const size_t size = (sizeof(struct thread) + CACHE_LINE - 1) &
			    ~(size_t)(CACHE_LINE - 1);
	struct thread *t;

	if ((size_t)(pool_end - pool) < size) {
		void *p = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return NULL;
		pool = p;
		pool_end = pool + POOL_BYTES;
	}
	t = (struct thread *)pool;
	pool += size;
	t->next = all_threads;
	__atomic_store_n(&all_threads, t, __ATOMIC_RELEASE);
	return t;
}

static struct thread *thread_take(void)
{
	struct thread *t;

	pthread_mutex_lock(&thread_lock);
	t = free_threads;
	if (t)
		free_threads = t->next_free;
	else
		t = pool_take();
	if (t)
		t->used = true;
	pthread_mutex_unlock(&thread_lock);
	return t;
}

/* Its counters stay; everything else begins anew. */
static void thread_recycle(struct thread *t)
{
	memset(t->words, 0, sizeof(t->words));
	t->malloc_cache = NULL;
	t->message[0] = '\0';
	t->used = false;
	t->next_free = free_threads;
	free_threads = t;
}

static void thread_give_back(struct thread *t)
{
	pthread_mutex_lock(&thread_lock);
	thread_recycle(t);
	pthread_mutex_unlock(&thread_lock);
}

static void layer_thread_exit(struct layer *layer, void *arg)
{
	struct thread *t = arg;
	void *word = t->words[layer->word];

	if (!word || !layer->module->exports.thread_exit)
		return;
	t->words[layer->word] = NULL;
	layer->module->exports.thread_exit(layer->ctx, word);
}

static bool any_word(const struct thread *t)
{
	for (size_t i = 0; i < WORDS_MAX; i++)
		if (__atomic_load_n(&t->words[i], __ATOMIC_RELAXED))
			return true;
	return false;
}

/* Not the key's value, which a program may overwrite that has forgotten to make its own. */
static void thread_end(void *arg)
{
	struct thread *t = thread_self;

	(void)arg;
	if (!t)
		return;
	thread_ended = true;
	thread_self = NULL;
	if (t->malloc_cache)
		*t->malloc_cache = NULL;
	if (any_word(t)) {
		loader_lock();
		loader_each_layer(layer_thread_exit, t, false);
		loader_unlock();
	}
	fault_stack_end(t);
	thread_give_back(t);
}

static void make_key(void)
{
	key_made = pthread_key_create(&key, thread_end) == 0;
}

struct thread *thread_attach(void)
{
	int saved = errno;
	struct thread *t;

	if (thread_self || thread_ended)
		return thread_self;
	pthread_once(&key_once, make_key);
	t = key_made ? thread_take() : NULL;
	if (!t)
		goto out;
	/* Before setspecific, which may allocate and so come here again. */
	thread_self = t;
	if (pthread_setspecific(key, t) != 0) {
		thread_self = NULL;
		thread_give_back(t);
		t = NULL;
	}
	if (unlikely(fault_handlers))
		fault_stack_begin(t);
out:
	errno = saved;
	return t;
}

static void add_counters(struct counters *sum, const struct counters *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(sum->word); i++)
		sum->word[i] += __atomic_load_n(&c->word[i], __ATOMIC_RELAXED);
	sum->realloc_fresh += __atomic_load_n(&c->realloc_fresh, __ATOMIC_RELAXED);
}

void thread_sum(unsigned owner, struct counters *out)
{
	const struct thread *t;

	memset(out, 0, sizeof(*out));
	add_counters(out, &thread_shared[owner]);
	for (t = __atomic_load_n(&all_threads, __ATOMIC_ACQUIRE); t; t = t->next)
		add_counters(out, &t->owner[owner]);
}

void **thread_word(unsigned slot)
{
	struct thread *t = thread_self;

	if (unlikely(!t))
		t = thread_attach();
	return t ? &t->words[slot] : NULL;
}

int thread_word_get(void)
{
	int slot = -ENOSPC;

	pthread_mutex_lock(&thread_lock);
	for (unsigned i = 0; i < WORDS_MAX && slot < 0; i++)
		if (!(words_used & (1u << i)))
			slot = i;
	if (slot >= 0)
		words_used |= 1u << slot;
	pthread_mutex_unlock(&thread_lock);
	return slot;
}

/* The layer is gone; what threads still have in its word means nothing now. */
void thread_word_put(unsigned slot)
{
	pthread_mutex_lock(&thread_lock);
	for (struct thread *t = all_threads; t; t = t->next)
		__atomic_store_n(&t->words[slot], NULL, __ATOMIC_RELAXED);
	words_used &= ~(1u << slot);
	pthread_mutex_unlock(&thread_lock);
}

void thread_prefork(void)
{
	pthread_mutex_lock(&thread_lock);
}

void thread_postfork_parent(void)
{
	pthread_mutex_unlock(&thread_lock);
}

/* Only the thread that forked is left; the others' structs are free again. */
void thread_postfork_child(void)
{
	for (struct thread *t = all_threads; t; t = t->next)
		if (t->used && t != thread_self)
			thread_recycle(t);
	pthread_mutex_unlock(&thread_lock);
}
