// SPDX-License-Identifier: BSD-2-Clause
/*
 * The memory of the boot arena: two ranges that blocks are cut from in a row.
 *
 * Most programs need a few kilobytes, which are in this library and cost no
 * system call; behind them stands a large range of addresses.  A fresh block is
 * zero.  No locks: a thread may be stopped anywhere, and the process be forked.
 */
#include "preload.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIRST_BYTES ((size_t)256 << 10)
/* Addresses cost nothing where there are many. */
#define SECOND_BYTES ((size_t)(sizeof(void *) > 4 ? UINT64_C(64) << 30 : 512 << 20))
#define SECOND_LEAST ((size_t)1 << 20)
/* Pages become usable by so many bytes at once: a few system calls in all. */
#define STEP_BYTES ((size_t)256 << 10)
/* The memory of freed blocks of this size goes back to the system. */
#define LARGE_BYTES ((size_t)128 << 10)

/* At the start of the range that it describes. */
struct range {
	_Alignas(16) size_t size;
	_Atomic size_t used; /* bytes behind this struct */
	_Atomic size_t committed; /* all below is usable; only grows */
};

/*
 * A common symbol, which linkers put behind all other variables: these then share
 * the few pages that every start writes to.
 */
union boot_first {
	struct range range;
	char bytes[FIRST_BYTES];
};

__attribute__((common)) union boot_first boot_first;

/* closed: none was made, and none will be. */
static struct range closed;
static struct range *_Atomic second;

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
	while (!p && *size > SECOND_LEAST)
		p = reserve(*size /= 2);
	if (!p || *size == SECOND_LEAST)
		return p;
	*size /= 2;
	munmap(p + *size, *size);
	return p;
}

static struct range *second_make(void)
{
	size_t size = SECOND_BYTES;
	struct range *range = reserve_what_fits(&size), *other = NULL;

	if (!range)
		return NULL;
	if (mprotect(range, STEP_BYTES, PROT_READ | PROT_WRITE))
		goto err_unmap;
	range->size = size;
	atomic_init(&range->committed, STEP_BYTES);
	if (!atomic_compare_exchange_strong(&second, &other, range))
		goto err_unmap;
	return range;

err_unmap: /* no memory, or another thread came first */
	munmap(range, size);
	return other == &closed ? NULL : other;
}

/* Null if there is none. */
static struct range *second_range(void)
{
	struct range *range = atomic_load(&second);

	return range == &closed ? NULL : range;
}

static struct range *second_get(void)
{
	struct range *range = atomic_load(&second);

	return range ? second_range() : second_make();
}

/* Make all below end usable; threads may do the same work at the same time. */
static bool commit(struct range *range, size_t end)
{
	size_t from = atomic_load(&range->committed);
	size_t to = round_up(end, STEP_BYTES);

	if (range == &boot_first.range || end <= from)
		return true;
	if (mprotect((char *)range + from, to - from, PROT_READ | PROT_WRITE))
		return false;
	while (from < to && !atomic_compare_exchange_weak(&range->committed, &from, to))
		;
	return true;
}

/* The first range is zero bytes of this library when it is loaded. */
static size_t size_of(const struct range *range)
{
	return range == &boot_first.range ? sizeof(boot_first) : range->size;
}

static bool in_range(const struct range *range, const void *p)
{
	return range && (uintptr_t)p - (uintptr_t)range < size_of(range);
}

/* Where the aligned block would begin after so many used bytes; 0: no room. */
static size_t place(const struct range *range, size_t used, size_t align, size_t size)
{
	uintptr_t base = (uintptr_t)range;
	size_t whole = size_of(range);
	size_t at = round_up(base + sizeof(*range) + used + sizeof(struct boot_header), align) -
		    base;

	return at < used || at > whole || size > whole - at ? 0 : at;
}

/* A whole number of headers, and at least one: something must be there to be reused. */
static size_t room_for(size_t size)
{
	return round_up(size + !size, sizeof(struct boot_header));
}

static void *take(struct range *range, size_t align, size_t size)
{
	size_t used = atomic_load(&range->used), room = room_for(size), at;
	struct boot_header *header;

	do {
		at = place(range, used, align, room);
		if (!at || !commit(range, at + room))
			return NULL;
	} while (
		!atomic_compare_exchange_weak(&range->used, &used, at + room - sizeof(*range)));
	header = (struct boot_header *)((char *)range + at) - 1;
	header->size = size;
	header->room = room;
	return header + 1;
}

void *boot_cut(size_t align, size_t size)
{
	struct range *range;
	void *p;

	if (size > SECOND_BYTES)
		return NULL;
	p = take(&boot_first.range, align, size);
	if (p)
		return p;
	range = second_get();
	return range ? take(range, align, size) : NULL;
}

static struct range *range_of(const void *p)
{
	struct range *range = second_range();

	if (in_range(&boot_first.range, p))
		return &boot_first.range;
	return in_range(range, p) ? range : NULL;
}

bool boot_extend(void *p, size_t size)
{
	struct range *range = range_of(p);
	struct boot_header *header = boot_header_of(p);
	size_t at = (char *)p - (char *)range, room = room_for(size);
	size_t used = at + header->room - sizeof(*range);

	if (!range || atomic_load(&range->used) != used)
		return false;
	if (size > SECOND_BYTES || room > size_of(range) - at || !commit(range, at + room))
		return false;
	if (!atomic_compare_exchange_strong(&range->used, &used, at + room - sizeof(*range)))
		return false;
	header->room = room;
	return true;
}

void boot_give_back(void *p)
{
	size_t page = sysconf(_SC_PAGESIZE), room = boot_header_of(p)->room;
	uintptr_t from = round_up((uintptr_t)p, page);
	uintptr_t to = ((uintptr_t)p + room) & ~(page - 1);
	int saved = errno;

	if (room >= LARGE_BYTES && !in_range(&boot_first.range, p))
		madvise((void *)from, to - from, MADV_DONTNEED);
	errno = saved;
}

bool boot_owns(const void *p)
{
	return range_of(p);
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

/* No other thread is there: give back what is not used. */
static void trim(struct range *range)
{
	size_t kept = round_up(sizeof(*range) + atomic_load(&range->used), STEP_BYTES);

	if (munmap((char *)range + kept, range->size - kept) == 0)
		range->size = kept;
}

bool boot_closed(void)
{
	return atomic_load(&second) == &closed;
}

void boot_close(uintptr_t *base, size_t *len)
{
	uintptr_t from = (uintptr_t)&boot_first, to = from + sizeof(boot_first);
	struct range *range = NULL;

	atomic_compare_exchange_strong(&second, &range, &closed);
	if (range && !other_threads())
		trim(range);
	if (range && (uintptr_t)range < from)
		from = (uintptr_t)range;
	if (range && (uintptr_t)range + range->size > to)
		to = (uintptr_t)range + range->size;
	*base = from;
	*len = to - from;
}
