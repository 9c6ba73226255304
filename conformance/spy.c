// SPDX-License-Identifier: BSD-2-Clause
/*
 * The platform heap, watched: which of its blocks a module holds, and what a module
 * does when it fails.  Put in its place before the subject is loaded.
 */
#define _GNU_SOURCE
#include "conform.h"

#include <errno.h>
#include <malloc.h>
#include <search.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *blocks; /* tsearch()'s tree of addresses */
static size_t live;
static size_t countdown; /* requests up to the one that fails; 0: none does */
static bool failed;

static int compare(const void *a, const void *b)
{
	return (uintptr_t)a < (uintptr_t)b ? -1 : (uintptr_t)a > (uintptr_t)b;
}

/* The lock is held. */
static void add(void *p)
{
	if (!tsearch(p, &blocks, compare))
		case_fail("no memory to watch the lower layer's blocks");
	live++;
}

static void drop(void *p, const char *what)
{
	if (!tfind(p, &blocks, compare))
		case_fail("%s of %p by the module: expected a live block of its lower layer",
			  what, p);
	tdelete(p, &blocks, compare);
	live--;
}

static bool fails(void)
{
	if (!countdown || --countdown)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

static void *spy_malloc(size_t size)
{
	void *p;

	pthread_mutex_lock(&lock);
	p = fails() ? NULL : malloc(size);
	if (p)
		add(p);
	pthread_mutex_unlock(&lock);
	return p;
}

static void *spy_calloc(size_t n, size_t size)
{
	void *p;

	pthread_mutex_lock(&lock);
	p = fails() ? NULL : calloc(n, size);
	if (p)
		add(p);
	pthread_mutex_unlock(&lock);
	return p;
}

static void *spy_memalign(size_t align, size_t size)
{
	void *p = NULL;

	pthread_mutex_lock(&lock);
	if (!fails()) {
		p = memalign(align, size);
		if (p)
			add(p);
	}
	pthread_mutex_unlock(&lock);
	return p;
}

static void *spy_realloc(void *old, size_t size)
{
	void *p = NULL;

	pthread_mutex_lock(&lock);
	if (!fails()) {
		if (old)
			drop(old, "realloc");
		p = realloc(old, size);
		if (p || old)
			add(p ? p : old);
	}
	pthread_mutex_unlock(&lock);
	return p;
}

static void spy_free(void *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&lock);
	drop(p, "free");
	free(p);
	pthread_mutex_unlock(&lock);
}

void spy_install(bool without_usable_size)
{
	const struct chic_malloc_family spy = {
		.malloc = spy_malloc,
		.free = spy_free,
		.calloc = spy_calloc,
		.realloc = spy_realloc,
		.memalign = spy_memalign,
		.usable_size = without_usable_size ? NULL : malloc_usable_size,
	};

	platform_set_family(&spy);
}

bool spy_has(const void *p)
{
	bool has;

	pthread_mutex_lock(&lock);
	has = tfind(p, &blocks, compare);
	pthread_mutex_unlock(&lock);
	return has;
}

size_t spy_live(void)
{
	return live;
}

void spy_fail_at(size_t n)
{
	countdown = n;
	failed = false;
}

bool spy_failed(void)
{
	return failed;
}
