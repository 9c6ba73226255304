// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a program can observe of its malloc family, one line per fact: the test
 * runs it under every heap and compares what it prints.  Nothing is printed that
 * a heap may choose, as addresses and usable sizes are.
 *
 * Compiled with -fno-builtin: the compiler knows these functions too well.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define UNTOUCHED 77 /* what errno is before each call */

static const size_t sizes[] = {1,      7,     8,     9,	     15,      16,
			       17,     24,    32,    40,     48,      56,
			       100,    256,   1000,  4095,   4096,    4097,
			       10000,  32768, 65536, 100000, 1 << 20, (1 << 20) + 1,
			       3 << 20};
static const size_t impossible[] = {SIZE_MAX,	     SIZE_MAX - 8,
				    SIZE_MAX - 4096, (size_t)PTRDIFF_MAX + 1,
				    PTRDIFF_MAX,     (size_t)1 << 62};

static const char *error_name(int err)
{
	switch (err) {
	case 0:
		return "0";
	case UNTOUCHED:
		return "untouched";
	case ENOMEM:
		return "ENOMEM";
	case EINVAL:
		return "EINVAL";
	default:
		return strerror(err);
	}
}

/* The answer of a call just made, and what it did to errno; the block is freed. */
static void tell(const char *what, void *p)
{
	int err = errno;

	printf("%-40s %s, errno %s\n", what, p ? "block" : "null", error_name(err));
	free(p);
}

#define TELL(call) (errno = UNTOUCHED, tell(#call, call))

/* A fact that holds in all of many cases; else the first case that it fails in. */
static void fact(const char *what, bool holds, const char *other, size_t size, size_t align)
{
	if (holds)
		printf("%-40s yes\n", what);
	else
		printf("%-40s no: %s, size %zu, alignment %zu\n", what, other, size, align);
}

static bool aligned(const void *p, size_t align)
{
	return p && ((uintptr_t)p & (align - 1)) == 0;
}

/* What any object of that size may need. */
static size_t natural(size_t size)
{
	size_t align = _Alignof(max_align_t);

	while (align > size)
		align /= 2;
	return align;
}

/* ------------------------------------------------------- single calls --- */

static void zero_sizes(void)
{
	void *a = malloc(0), *b = malloc(0);

	fact("malloc(0) twice: two blocks", a && b && a != b, "the same", 0, 0);
	free(a);
	free(b);
	TELL(malloc(0));
	TELL(calloc(0, 8));
	TELL(calloc(8, 0));
	TELL(realloc(NULL, 0));
	TELL(realloc(NULL, 8));
	TELL(realloc(malloc(8), 0));
	TELL(realloc(malloc(3 << 20), 0));
	TELL(reallocarray(malloc(8), 0, 8));
	TELL(memalign(64, 0));
	TELL(aligned_alloc(64, 0));
	errno = UNTOUCHED;
	free(NULL);
	printf("%-40s errno %s\n", "free(NULL)", error_name(errno));
	printf("%-40s %zu\n", "malloc_usable_size(NULL)", malloc_usable_size(NULL));
}

static void too_much(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(impossible); i++) {
		size_t n = impossible[i];
		char *p = malloc(100);

		strcpy(p, "kept");
		printf("%zu bytes\n", n);
		TELL(malloc(n));
		TELL(calloc(1, n));
		TELL(calloc(n, 1));
		TELL(memalign(64, n));
		TELL(memalign(8, n));
		TELL(aligned_alloc(64, n));
		TELL(valloc(n));
		TELL(pvalloc(n));
		TELL(realloc(NULL, n));
		errno = UNTOUCHED;
		printf("%-40s %s", "realloc(p, n)", realloc(p, n) ? "block" : "null");
		printf(", errno %s, %s\n", error_name(errno), p);
		free(p);
	}
	TELL(calloc(SIZE_MAX / 2, 3));
	TELL(calloc((size_t)1 << 32, (size_t)1 << 32));
	TELL(calloc(SIZE_MAX, SIZE_MAX));
	TELL(reallocarray(NULL, SIZE_MAX / 2, 3));
}

static void bad_alignments(void)
{
	static const size_t aligns[] = {0,
					1,
					2,
					3,
					4,
					7,
					8,
					16,
					24,
					48,
					100,
					1000,
					3 << 20,
					SIZE_MAX,
					SIZE_MAX / 2 + 2,
					SIZE_MAX / 2 + 1,
					SIZE_MAX / 4 + 1};

	for (size_t i = 0; i < ARRAY_SIZE(aligns); i++) {
		size_t align = aligns[i];
		int mark, err;
		void *p = &mark;

		printf("alignment %zu\n", align);
		TELL(memalign(align, 40));
		TELL(aligned_alloc(align, 40));
		errno = UNTOUCHED;
		err = posix_memalign(&p, align, 40);
		printf("%-40s answers %s, errno %s, pointer %s\n", "posix_memalign",
		       error_name(err), error_name(errno), p == &mark ? "untouched" : "set");
		if (!err)
			free(p);
	}
	for (size_t i = 0; i < ARRAY_SIZE(impossible); i++) {
		int mark, err;
		void *p = &mark;

		errno = UNTOUCHED;
		err = posix_memalign(&p, 64, impossible[i]);
		printf("posix_memalign of %zu answers %s, errno %s, pointer %s\n",
		       impossible[i], error_name(err), error_name(errno),
		       p == &mark ? "untouched" : "set");
	}
}

/* ----------------------------------------------------------- all sizes --- */

enum call { MALLOC, CALLOC, REALLOC, CALLS };

static const char *const call_names[] = {"malloc", "calloc", "realloc"};

static void *request(enum call call, size_t size)
{
	switch (call) {
	case MALLOC:
		return malloc(size);
	case CALLOC:
		return calloc(1, size);
	default:
		return realloc(malloc(size / 2 + 1), size);
	}
}

static void success(enum call call)
{
	bool errnos = true, frees = true, aligns = true, usables = true;
	size_t errno_at = 0, free_at = 0, align_at = 0, usable_at = 0;
	char text[64];

	for (size_t round = 0; round < 8; round++)
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			size_t n = sizes[i];
			char *p;

			errno = UNTOUCHED;
			p = request(call, n);
			if (errno != UNTOUCHED && errnos) {
				errnos = false;
				errno_at = n;
			}
			if (!aligned(p, natural(n)) && aligns) {
				aligns = false;
				align_at = n;
			}
			if (malloc_usable_size(p) < n && usables) {
				usables = false;
				usable_at = n;
			}
			memset(p, 0x5a, malloc_usable_size(p));
			errno = UNTOUCHED;
			free(p);
			if (errno != UNTOUCHED && frees) {
				frees = false;
				free_at = n;
			}
		}
	snprintf(text, sizeof(text), "%s leaves errno alone", call_names[call]);
	fact(text, errnos, "changed", errno_at, 0);
	snprintf(text, sizeof(text), "free after %s leaves errno alone", call_names[call]);
	fact(text, frees, "changed", free_at, 0);
	snprintf(text, sizeof(text), "%s aligns for its size", call_names[call]);
	fact(text, aligns, "misaligned", align_at, natural(align_at));
	snprintf(text, sizeof(text), "%s: usable size is enough", call_names[call]);
	fact(text, usables, "less", usable_at, 0);
}

static void zeroed(void)
{
	for (size_t round = 0; round < 4; round++)
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			size_t n = sizes[i];
			char *p = malloc(n);

			memset(p, 0xa5, n);
			free(p);
			p = calloc(n, 1);
			for (size_t k = 0; k < n; k++)
				if (p[k]) {
					fact("calloc is zero", false, "dirty", n, 0);
					return;
				}
			memset(p, 0xa5, n);
			free(p);
		}
	fact("calloc is zero", true, "", 0, 0);
}

/* Several blocks of each kind are kept: heaps align the first by accident. */
static void alignments(void)
{
	enum { KEPT = 5, MOST = 21 };
	bool all = true;
	char text[64];

	for (unsigned log = 3; log <= MOST; log++) {
		size_t align = (size_t)1 << log, bad = 0;
		bool good = true;

		for (size_t n = 1; n <= 2 * align && n <= 1 << 21;
		     n += n < 64 ? 1 : n / 8 * 2) {
			/* the size itself, as multiples and just beside them */
			const size_t around[] = {n,	    n * 2,
						 align,	    align + 1,
						 align * 2, align > n ? align - n : n};

			for (size_t a = 0; a < ARRAY_SIZE(around); a++) {
				void *kept[KEPT];

				for (size_t k = 0; k < KEPT; k++) {
					kept[k] = memalign(align, around[a]);
					if (!aligned(kept[k], align) && good) {
						good = false;
						bad = around[a];
					}
					memset(kept[k], 0x33,
					       around[a] < 4096 ? around[a] : 4096);
				}
				for (size_t k = 0; k < KEPT; k++)
					free(kept[k]);
			}
		}
		snprintf(text, sizeof(text), "memalign(%zu, n) is aligned", align);
		fact(text, good, "misaligned", bad, align);
		all = all && good;
	}
	fact("every alignment", all, "see above", 0, 0);
}

static void page_aligned(void)
{
	size_t page = 4096;
	bool v = true, pv = true;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *a = valloc(sizes[i]), *b = pvalloc(sizes[i]);

		v = v && aligned(a, page);
		pv = pv && aligned(b, page) &&
		     malloc_usable_size(b) >= (sizes[i] + page - 1) / page * page;
		free(a);
		free(b);
	}
	fact("valloc is aligned to a page", v, "not", 0, page);
	fact("pvalloc is whole pages", pv, "not", 0, page);
}

/* Content is kept in growing and shrinking, also of blocks that were aligned. */
static void contents(void)
{
	bool kept = true, again = true;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (size_t j = 0; j < ARRAY_SIZE(sizes); j++) {
			size_t least = sizes[i] < sizes[j] ? sizes[i] : sizes[j];
			unsigned char *p = i & 1 ? memalign(64 << (i % 8), sizes[i])
						 : malloc(sizes[i]);

			if (least > 1 << 20)
				least = 1 << 20;
			memset(p, 7, least);
			p = realloc(p, sizes[j]);
			again = again && aligned(p, natural(sizes[j]));
			for (size_t k = 0; k < least; k++)
				kept = kept && p[k] == 7;
			free(p);
		}
	fact("realloc keeps content", kept, "lost", 0, 0);
	fact("realloc aligns for its size", again, "misaligned", 0, 0);
}

/* --------------------------------------------------- memory is out --- */

/* One more block of a list, whose first word leads to the one before. */
static void **take(enum call call, size_t size, void **list)
{
	void **p;

	errno = UNTOUCHED;
	p = request(call, size);
	if (p)
		*p = list;
	return p;
}

/* Whether it fails as it should, if it does, and all is well afterwards. */
static bool exhausts(enum call call, size_t size)
{
	void **list = NULL, **p;
	size_t most = ((size_t)96 << 20) / size;
	int err = ENOMEM;

	while (most-- && (p = take(call, size, list)))
		list = p;
	if (!p)
		err = errno;
	while (list) {
		p = *list;
		free(list);
		list = p;
	}
	p = request(call, size);
	free(p);
	return p && err == ENOMEM;
}

static size_t address_space(void)
{
	size_t pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%zu", &pages) != 1)
		exit(1);
	fclose(f);
	return pages * 4096;
}

/* Heaps reserve addresses before: when they fail is theirs, how is not. */
static void out_of_memory(void)
{
	static const size_t of[] = {48, 500, 20000, 1 << 20, 5 << 20};
	bool good[CALLS][ARRAY_SIZE(of)];
	struct rlimit limit, before;

	getrlimit(RLIMIT_AS, &before);
	for (enum call call = MALLOC; call < CALLS; call++)
		for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
			limit = before;
			limit.rlim_cur = address_space() + (48 << 20);
			if (setrlimit(RLIMIT_AS, &limit))
				exit(1);
			good[call][i] = exhausts(call, of[i]);
			setrlimit(RLIMIT_AS, &before);
		}
	for (enum call call = MALLOC; call < CALLS; call++)
		for (size_t i = 0; i < ARRAY_SIZE(of); i++)
			printf("%s until there is none: %s\n", call_names[call],
			       good[call][i] ? "ENOMEM" : "something else");
}

int main(void)
{
	/* its buffer is not to be asked for in the middle of a case */
	static char buffer[1 << 16];

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	zero_sizes();
	too_much();
	bad_alignments();
	for (enum call call = MALLOC; call < CALLS; call++)
		success(call);
	zeroed();
	page_aligned();
	contents();
	alignments();
	out_of_memory();
	return 0;
}
