// SPDX-License-Identifier: BSD-2-Clause
/*
 * Nothing is done about a fork: in the child the lock stays with a thread that is
 * not there.
 */
#include <unistd.h>

#include "sound.h"

CHIC_MODULE("conform_fork_deadlocks", "heap");
CHIC_MODULE_VERSION("1.0");

/* Held most of the time, so that a fork meets it soon. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *locked(struct sound *s, size_t size, size_t align)
{
	void *p;

	pthread_mutex_lock(&lock);
	if (size >= 1024)
		usleep(10);
	p = sound_get(s, size, align);
	pthread_mutex_unlock(&lock);
	return p;
}

static const struct sound_ops ops = {.get = locked};

SOUND_MODULE(conform_fork_deadlocks, ops);
