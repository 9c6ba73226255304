// SPDX-License-Identifier: BSD-2-Clause
/*
 * Time, memory and chance: how long to go on, what the process holds, what comes
 * next.  None of it asks for memory from a heap.
 */
#define _GNU_SOURCE
#include "conform.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------- chance --- */

void rng_begin(struct rng *r, const struct subject *s, unsigned stream)
{
	unsigned long seed = s->spec->seed;

	case_is_random();
	*r = (struct rng){{(unsigned short)(seed ^ 0x330e), (unsigned short)(seed >> 16),
			   (unsigned short)(stream * 40503u)}};
	nrand48(r->state);
}

size_t rng_below(struct rng *r, size_t n)
{
	return (size_t)nrand48(r->state) % n;
}

size_t rng_size(struct rng *r, size_t max)
{
	size_t bits = 0, size;

	while (((size_t)1 << bits) < max)
		bits++;
	size = 1 + rng_below(r, (size_t)1 << rng_below(r, bits + 1));
	return size < max ? size : max;
}

/* --------------------------------------------------------------- time --- */

/* Bytes that what never gives single blocks back is asked for at most. */
#define BYTES_WITHOUT_FREE ((size_t)64 << 20)
#define ROUNDS_BETWEEN_LOOKS 16

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void work_begin(struct work *w, const struct subject *s, double share, size_t least)
{
	*w = (struct work){
		.until = now_ns() + (uint64_t)(s->spec->work * share * 1e9),
		.least = least,
		.bytes = subject_frees(s) ? SIZE_MAX : BYTES_WITHOUT_FREE,
	};
}

bool work_left(struct work *w, size_t bytes)
{
	w->rounds++;
	if (w->bytes != SIZE_MAX)
		w->bytes -= bytes < w->bytes ? bytes : w->bytes;
	if (w->rounds <= w->least)
		return true;
	if (!w->bytes)
		return false;
	return w->rounds % ROUNDS_BETWEEN_LOOKS || now_ns() < w->until;
}

/* ------------------------------------------------------------- memory --- */

/* Caches and tables of a heap that is in use may come to this. */
#define RESIDENT_SLACK ((size_t)16 << 20)
#define ADDRESSES_SLACK ((size_t)512 << 20)

struct memory memory_now(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t addresses = 0, resident = 0;
	char text[128] = "";
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 ||
	    sscanf(text, "%zu %zu", &addresses, &resident) != 2)
		case_fail("/proc/self/statm: cannot be read");
	close(fd);
	return (struct memory){.resident = resident * page, .addresses = addresses * page};
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

void memory_check(struct memory before, size_t asked, const char *what)
{
	struct memory now = memory_now();
	size_t resident = larger(RESIDENT_SLACK, asked / 8);
	size_t addresses = larger(ADDRESSES_SLACK, asked / 2);

	if (now.resident > before.resident + resident)
		case_fail("%s: memory grew by %zu KiB while %zu KiB were asked for and given "
			  "back, expected at most %zu",
			  what, (now.resident - before.resident) / 1024, asked / 1024,
			  resident / 1024);
	if (now.addresses > before.addresses + addresses)
		case_fail("%s: the address space grew by %zu MiB while %zu MiB were asked for "
			  "and given back, expected at most %zu",
			  what, (now.addresses - before.addresses) >> 20, asked >> 20,
			  addresses >> 20);
}

size_t open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	if (!dir)
		case_fail("/proc/self/fd: cannot be read");
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}
