// SPDX-License-Identifier: BSD-2-Clause
/*
 * Calls that look into the C library's heap or tune it.
 *
 * They are passed on where that heap serves.  Elsewhere they are answered from
 * our counters or do nothing: the C library would set up an arena of its own
 * that nobody uses, or report one.
 */
#include "preload.h"

#include <dlfcn.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

/* mallinfo2 is younger than some C libraries, so its struct is not used here. */
struct heap_info {
	size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks,
		keepcost;
};

CHIC_EXPORT struct heap_info heap_info(void) __asm__("mallinfo2");

/* What the program would call without us, where that heap serves, else null. */
static void *passed_on(const char *name)
{
	const struct dispatch *d = dispatch();

	return d->platform_serves ? dlsym(RTLD_NEXT, name) : NULL;
}

/* Blocks in use can be told where calls are counted, bytes where bytes are. */
static struct heap_info counted_info(void)
{
	AllocationTelemetry t = {0};
	size_t bytes;

	chic_alloc_malloc_stats(&t);
	bytes = t.alloc_bytes + t.alloc_zeroed_bytes + t.realloc_bytes - t.freed_bytes;
	return (struct heap_info){.arena = bytes, .uordblks = bytes};
}

struct heap_info heap_info(void)
{
	struct heap_info (*libc)(void) = (struct heap_info(*)(void))passed_on("mallinfo2");

	return libc ? libc() : counted_info();
}

static int saturated(size_t n)
{
	return n > INT_MAX ? INT_MAX : (int)n;
}

CHIC_EXPORT struct mallinfo mallinfo(void)
{
	struct mallinfo (*libc)(void) = (struct mallinfo(*)(void))passed_on("mallinfo");
	struct heap_info info;

	if (libc)
		return libc();
	info = counted_info();
	return (struct mallinfo){
		.arena = saturated(info.arena),
		.uordblks = saturated(info.uordblks),
	};
}

CHIC_EXPORT int malloc_trim(size_t pad)
{
	int (*libc)(size_t) = (int (*)(size_t))passed_on("malloc_trim");

	return libc ? libc(pad) : 0;
}

/* 1 is success: tuning is a wish, and some programs stop when it is refused. */
CHIC_EXPORT int mallopt(int param, int value)
{
	int (*libc)(int, int) = (int (*)(int, int))passed_on("mallopt");

	return libc ? libc(param, value) : 1;
}

CHIC_EXPORT void malloc_stats(void)
{
	void (*libc)(void) = (void (*)(void))passed_on("malloc_stats");
	AllocationTelemetry t = {0};
	char line[200];
	int n;

	if (libc) {
		libc();
		return;
	}
	chic_alloc_malloc_stats(&t);
	n = snprintf(line, sizeof(line),
		     "chic-alloc: %zu malloc, %zu calloc, %zu realloc, %zu free; "
		     "%zu bytes freed\n",
		     t.alloc_calls, t.alloc_zeroed_calls, t.realloc_calls, t.free_calls,
		     t.freed_bytes);
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* closed: nobody wants to know */
}

CHIC_EXPORT int malloc_info(int options, FILE *out)
{
	int (*libc)(int, FILE *) = (int (*)(int, FILE *))passed_on("malloc_info");
	struct heap_info info;

	if (libc)
		return libc(options, out);
	if (options != 0) {
		errno = EINVAL;
		return -1;
	}
	info = counted_info();
	return fprintf(out,
		       "<malloc version=\"1\">\n<system type=\"current\" size=\"%zu\"/>\n"
		       "</malloc>\n",
		       info.uordblks) < 0
		       ? -1
		       : 0;
}
