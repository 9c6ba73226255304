// SPDX-License-Identifier: BSD-2-Clause
/*
 * Threads that use the subject at the same time.
 */
#include "conform.h"

#include <string.h>

static void *begin(void *arg)
{
	struct worker *w = arg;

	case_thread(w->number);
	w->fn(w);
	return NULL;
}

void workers_start(struct worker *list, unsigned n, const struct subject *s,
		   void (*fn)(struct worker *), void *arg)
{
	for (unsigned i = 0; i < n; i++) {
		int err;

		list[i] = (struct worker){.s = s, .number = i + 1, .fn = fn, .arg = arg};
		err = pthread_create(&list[i].thread, NULL, begin, &list[i]);
		if (err)
			case_fail("pthread_create: %s", strerror(err));
	}
}

void workers_join(struct worker *list, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		pthread_join(list[i].thread, NULL);
}
