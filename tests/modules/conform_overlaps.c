// SPDX-License-Identifier: BSD-2-Clause
/*
 * Blocks of some sizes are handed out while another one still lies there.
 */
#include "sound.h"

CHIC_MODULE("conform_overlaps", "heap");
CHIC_MODULE_VERSION("1.0");

#define LEAST 1100
#define MOST 1500

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *last; /* a live block of such a size */

/* One that was handed out twice is marked, so as not to go on a list twice. */
static void *overlapping(struct sound *s, size_t size, size_t align)
{
	char *p;

	if (size < LEAST || size > MOST)
		return sound_get(s, size, align);
	pthread_mutex_lock(&lock);
	p = last;
	last = NULL;
	if (p && !((uintptr_t)p & (align - 1)))
		sound_header(p)->next = sound_header(p);
	else
		p = last = sound_get(s, MOST, align);
	pthread_mutex_unlock(&lock);
	return p;
}

static void put_once(struct sound *s, void *p)
{
	struct sound_header *h = sound_header(p);
	bool twice;

	pthread_mutex_lock(&lock);
	if (p == last)
		last = NULL;
	twice = h->next;
	h->next = NULL;
	pthread_mutex_unlock(&lock);
	if (!twice)
		sound_put(s, p);
}

/* A fork is not what is wrong here. */
static void lock_both(struct sound *s)
{
	pthread_mutex_lock(&lock);
	sound_lock(s);
}

static void unlock_both(struct sound *s)
{
	sound_unlock(s);
	pthread_mutex_unlock(&lock);
}

static const struct sound_ops ops = {
	.get = overlapping, .put = put_once, .lock = lock_both, .unlock = unlock_both};

SOUND_MODULE(conform_overlaps, ops);
