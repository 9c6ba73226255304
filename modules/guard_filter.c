// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which allocations are guarded: one in so many, of some sizes, asked for by one object.
 *
 * Sampling counts down per thread, over a gap that is random so that no rhythm of
 * the program keeps a block from ever being guarded.  The countdown is the module's,
 * not an instance's: with several in a process each may get more or less than its
 * share.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "guard.h"

#define TLS __thread __attribute__((tls_model("initial-exec")))

TLS uint32_t guard_countdown;
static TLS uint32_t random_state;
static TLS int32_t tid;

/* ------------------------------------------------------------- sampling -- */

static uint32_t random_seed(void)
{
	struct timespec now = {0};
	uint64_t seed;

	clock_gettime(CLOCK_MONOTONIC, &now);
	seed = (uintptr_t)&random_state ^ (uint64_t)now.tv_nsec << 20 ^ now.tv_sec;
	seed *= 0x9e3779b97f4a7c15;
	return seed >> 32 ? seed >> 32 : 1;
}

/* Marsaglia's xorshift: never 0. */
static uint32_t random_next(void)
{
	uint32_t x = random_state ? random_state : random_seed();

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	random_state = x;
	return x;
}

/* From 1 to 2 * sample - 1, on average sample. */
static uint32_t random_gap(uint32_t sample)
{
	return 1 +
	       (uint64_t)random_next() * (2ull * sample - 1) / UINT32_MAX % (2ull * sample - 1);
}

/* Called when the countdown is at its end, or has not begun: then not every first one. */
static bool is_sampled(struct guard *g)
{
	bool began = guard_countdown != 0;
	uint32_t gap;

	if (g->sample == 1)
		return true;
	gap = random_gap(g->sample);
	if (began || gap == 1) {
		guard_countdown = gap;
		return true;
	}
	guard_countdown = gap - 1;
	return false;
}

bool guard_chooses(struct guard *g, size_t size)
{
	return is_sampled(g) && size >= g->size_min && size <= g->size_max &&
	       (!*g->dso || guard_asked_by(g->dso));
}

/* -------------------------------------------------------------- threads -- */

int32_t guard_tid(void)
{
	if (!tid)
		tid = syscall(SYS_gettid);
	return tid;
}

void guard_thread_forked(void)
{
	tid = 0;
	random_state = 0;
	guard_countdown = 0;
}

/* ---------------------------------------------------------------- sizes -- */

static bool read_size(const char **text, size_t *size)
{
	static const char units[] = "KMGT";
	char *end;
	const char *unit;
	unsigned shift = 0;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*size = strtoull(*text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		shift = 10 * (unit - units + 1);
		end++;
	}
	*text = end;
	if (errno || *size > SIZE_MAX >> shift)
		return false;
	*size <<= shift;
	return true;
}

int guard_read_sizes(struct guard *g, const char *text)
{
	const char *at = text;

	g->size_min = 0;
	g->size_max = SIZE_MAX;
	if (!*text)
		return 0;
	if (read_size(&at, &g->size_min) && *at++ == '-' && read_size(&at, &g->size_max) &&
	    !*at && g->size_min <= g->size_max)
		return 0;
	g->args->fail("size = %s: expected MIN-MAX in bytes, such as 1-4K", text);
	return -EINVAL;
}
