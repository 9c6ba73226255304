// SPDX-License-Identifier: BSD-2-Clause
/*
 * Slots: which one is the calling thread's, and what becomes of them when threads
 * end, everything is given back, or a process forks.
 */
#include "arena.h"

__thread struct arena_self arena_self __attribute__((tls_model("initial-exec")));

static struct arena_slot *slot_reuse(struct arena *a)
{
	struct arena_slot *s;

	for (s = a->slots; s; s = s->next)
		if (!s->used)
			return s;
	return NULL;
}

static struct arena_slot *slot_new(struct arena *a)
{
	struct arena_slot *s = pages_new(sizeof(*s));

	if (!s)
		return NULL;
	s->next = a->slots;
	a->slots = s;
	return s;
}

static struct arena_slot *slot_attach(struct arena *a)
{
	struct arena_slot *s;

	pthread_mutex_lock(&a->lock);
	s = slot_reuse(a);
	if (!s)
		s = slot_new(a);
	if (s)
		s->used = true;
	pthread_mutex_unlock(&a->lock);
	return s;
}

static struct arena_slot *slot_find(struct arena *a)
{
	void **word = chic_thread_word(a->args);

	if (word && !*word)
		*word = slot_attach(a);
	return word ? *word : NULL;
}

struct arena_slot *arena_slot_get(struct arena *a)
{
	struct arena_slot *s;

	if (arena_self.id == a->id)
		return arena_self.slot;
	s = slot_find(a);
	if (s) {
		arena_self = (struct arena_self){a->id, s};
		return s;
	}
	pthread_mutex_lock(&a->shared_lock);
	return &a->shared;
}

void arena_slot_put(struct arena *a, struct arena_slot *s)
{
	if (s == &a->shared)
		pthread_mutex_unlock(&a->shared_lock);
}

void arena_slot_release(struct arena *a, struct arena_slot *s)
{
	if (arena_self.slot == s)
		arena_self = (struct arena_self){0, NULL};
	pthread_mutex_lock(&a->lock);
	s->used = false;
	pthread_mutex_unlock(&a->lock);
}

static void slot_forget(struct arena_slot *s)
{
	s->window.next = s->window.end = s->start = s->dirty = NULL;
}

static size_t slot_reset(struct arena_slot *s)
{
	size_t live = s->window.blocks;

	slot_forget(s);
	s->window.blocks = s->others = 0;
	return live;
}

size_t arena_slots_reset(struct arena *a)
{
	size_t live = slot_reset(&a->shared);
	struct arena_slot *s;

	for (s = a->slots; s; s = s->next)
		live += slot_reset(s);
	return live;
}

/* A chunk that is never counted to its end is never used again, which is safe. */
void arena_slots_orphan(struct arena *a)
{
	struct arena_slot *own = arena_self.id == a->id ? arena_self.slot : NULL;
	struct arena_slot *s;

	for (s = a->slots; s; s = s->next) {
		if (s == own || !s->used)
			continue;
		slot_forget(s);
		s->used = false;
	}
}

void arena_slots_exit(struct arena *a)
{
	struct arena_slot *s, *next;

	for (s = a->slots; s; s = next) {
		next = s->next;
		munmap(s, sizeof(*s));
	}
}
