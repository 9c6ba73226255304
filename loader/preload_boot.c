// SPDX-License-Identifier: BSD-2-Clause
/*
 * The boot arena: serves requests until it is decided which heap serves.
 *
 * Constructors of other libraries run before ours, and loading a module
 * allocates as well (libstdc++ alone asks for 72,704 bytes at once).  Bump
 * pointers take all that: no locks, no thread-local storage, no environment.
 * Nothing is given back; memory is fresh, hence zero.
 *
 * Most programs need a few kilobytes, which are in this library and cost no
 * system call; behind them stands a large range of addresses.
 */
#include "preload.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FIRST_BYTES ((size_t)256 << 10)
#define ARENA_BYTES ((size_t)256 << 20)
#define ARENA_LEAST ((size_t)1 << 20)
/* Pages become usable by so many bytes at once: a few system calls in all. */
#define STEP_BYTES ((size_t)256 << 10)

/* Before each block, which is aligned to CHIC_MALLOC_ALIGN. */
struct header {
	_Alignas(16) size_t size;
};

/* At the start of the range that it describes. */
struct arena {
	_Alignas(16) size_t size;
	_Atomic size_t used; /* bytes behind this struct */
	_Atomic size_t committed; /* all below is usable; only grows */
};

/*
 * A common symbol, which linkers put behind all other variables: these then share
 * the few pages that every start writes to.
 */
union first {
	struct arena arena;
	char bytes[FIRST_BYTES];
};

__attribute__((common)) union first boot_first;

static _Atomic(struct arena *) second;

static size_t round_up(size_t n, size_t power)
{
	return (n + power - 1) & ~(power - 1);
}

static void *reserve(size_t size)
{
	void *p =
		mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/*
 * Where addresses are limited, half of the largest range that fits: loading
 * modules needs the other half.
 */
static void *reserve_what_fits(size_t *size)
{
	char *p = reserve(*size);

	if (p)
		return p;
	while (!p && *size > ARENA_LEAST)
		p = reserve(*size /= 2);
	if (!p || *size == ARENA_LEAST)
		return p;
	*size /= 2;
	munmap(p + *size, *size);
	return p;
}

static struct arena *second_make(void)
{
	size_t size = ARENA_BYTES;
	struct arena *arena = reserve_what_fits(&size), *other = NULL;

	if (!arena)
		return NULL;
	if (mprotect(arena, STEP_BYTES, PROT_READ | PROT_WRITE))
		goto err_unmap;
	arena->size = size;
	atomic_init(&arena->committed, STEP_BYTES);
	if (!atomic_compare_exchange_strong(&second, &other, arena))
		goto err_unmap;
	return arena;

err_unmap: /* no memory, or another thread came first */
	munmap(arena, size);
	return other;
}

static struct arena *second_get(void)
{
	struct arena *arena = atomic_load(&second);

	return arena ? arena : second_make();
}

/* Make all below end usable; threads may do the same work at the same time. */
static bool commit(struct arena *arena, size_t end)
{
	size_t from = atomic_load(&arena->committed);
	size_t to = round_up(end, STEP_BYTES);

	if (end <= from)
		return true;
	if (mprotect((char *)arena + from, to - from, PROT_READ | PROT_WRITE))
		return false;
	while (from < to && !atomic_compare_exchange_weak(&arena->committed, &from, to))
		;
	return true;
}

/* The first arena is zero bytes of this library when it is loaded. */
static size_t size_of(const struct arena *arena)
{
	return arena == &boot_first.arena ? sizeof(boot_first) : arena->size;
}

/* Where the aligned block would begin after so many used bytes; 0: no room. */
static size_t place(const struct arena *arena, size_t used, size_t align, size_t size)
{
	uintptr_t base = (uintptr_t)arena;
	size_t whole = size_of(arena);
	size_t at =
		round_up(base + sizeof(*arena) + used + sizeof(struct header), align) - base;

	return at < used || at > whole || size > whole - at ? 0 : at;
}

static void *take(struct arena *arena, size_t align, size_t size)
{
	size_t used = atomic_load(&arena->used), at, end;
	struct header *header;

	do {
		at = place(arena, used, align, size);
		end = round_up(at + size + !size, sizeof(struct header));
		if (!at || end > size_of(arena))
			return NULL;
		if (arena != &boot_first.arena && !commit(arena, end))
			return NULL;
	} while (!atomic_compare_exchange_weak(&arena->used, &used, end - sizeof(*arena)));
	header = (struct header *)((char *)arena + at) - 1;
	header->size = size;
	return header + 1;
}

void *boot_memalign(size_t align, size_t size)
{
	struct arena *arena;
	void *p;

	if (size > ARENA_BYTES)
		return no_memory();
	p = take(&boot_first.arena, align, size);
	if (p)
		return p;
	arena = second_get();
	p = arena ? take(arena, align, size) : NULL;
	return p ? p : no_memory();
}

void *boot_malloc(size_t size)
{
	return boot_memalign(sizeof(struct header), size);
}

size_t boot_usable_size(const void *p)
{
	return ((const struct header *)p - 1)->size;
}

void *boot_realloc(void *p, size_t size)
{
	size_t old = boot_usable_size(p);
	void *now;

	if (size <= old)
		return p;
	now = malloc(size);
	if (now)
		memcpy(now, p, old);
	return now;
}

/*
 * A thread that is between reading the null dispatch and taking its block keeps
 * the whole range in place.  Symbol of glibc 2.32; without it, who knows.
 */
static bool other_threads(void)
{
	extern const char __libc_single_threaded __attribute__((weak));

	return !&__libc_single_threaded || !__libc_single_threaded;
}

static bool in_arena(const struct arena *arena, const void *p)
{
	return (uintptr_t)p - (uintptr_t)arena < size_of(arena);
}

bool boot_owns(const void *p)
{
	const struct arena *arena = atomic_load(&second);

	return in_arena(&boot_first.arena, p) || (arena && in_arena(arena, p));
}

/* No other thread is there: give back what is not used. */
static void trim(struct arena *arena)
{
	size_t kept = round_up(sizeof(*arena) + atomic_load(&arena->used), STEP_BYTES);

	if (munmap((char *)arena + kept, arena->size - kept) == 0)
		arena->size = kept;
}

void boot_close(uintptr_t *base, size_t *len)
{
	uintptr_t from = (uintptr_t)&boot_first, to = from + sizeof(boot_first);
	struct arena *arena = other_threads() ? second_get() : atomic_load(&second);

	if (arena && !other_threads())
		trim(arena);
	if (arena && (uintptr_t)arena < from)
		from = (uintptr_t)arena;
	if (arena && (uintptr_t)arena + arena->size > to)
		to = (uintptr_t)arena + arena->size;
	*base = from;
	*len = to - from;
}
