// SPDX-License-Identifier: BSD-2-Clause
/*
 * Threads that ask at the same time get the same block.
 */
#include <unistd.h>

#include "sound.h"

CHIC_MODULE("conform_not_thread_safe", "heap");
CHIC_MODULE_VERSION("1.0");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *under_way;

/* One that was handed out twice is marked, so as not to go on a list twice. */
static void *swap_under_way(void *p)
{
	void *theirs;

	pthread_mutex_lock(&lock);
	theirs = under_way;
	if (theirs && p)
		sound_header(theirs)->next = sound_header(theirs);
	else
		under_way = p;
	pthread_mutex_unlock(&lock);
	return theirs;
}

/* Long enough for another thread to come by, whatever the machine does. */
static void *race(struct sound *s, size_t size, size_t align)
{
	void *p = sound_get(s, size > 4096 ? size : 4096, align), *theirs;

	if (!p || size > 4096 || align > 16)
		return p;
	theirs = swap_under_way(p);
	if (theirs) {
		sound_put(s, p);
		return theirs;
	}
	usleep(20);
	swap_under_way(NULL);
	return p;
}

static void put_once(struct sound *s, void *p)
{
	if (!sound_header(p)->next)
		sound_put(s, p);
}

/* What is handed out twice is torn in a fork as well; that is not to hang. */
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
	.get = race, .put = put_once, .lock = lock_both, .unlock = unlock_both};

SOUND_MODULE(conform_not_thread_safe, ops);
