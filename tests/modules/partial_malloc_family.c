// SPDX-License-Identifier: BSD-2-Clause
/* malloc and free are not a malloc family. */
#include "bump.h"
#include "must_not_run.h"

#define EXPORT __attribute__((visibility("default")))

static struct bump bump = {.lock = ATOMIC_FLAG_INIT};

EXPORT void *malloc(size_t size)
{
	return bump.start || bump_open(&bump) ? bump_get(&bump, size, BUMP_ALIGN) : NULL;
}

EXPORT void free(void *p)
{
	if (p)
		bump_put(&bump, p);
}
