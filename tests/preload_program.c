// SPDX-License-Identifier: BSD-2-Clause
/*
 * The program that check_preload starts under the preload library.  Its argument
 * says what to do; every expectation that fails is one line on stderr, and the
 * exit status is 1 then.
 */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chic_alloc.h"
#include "preload_early.h"

#define THREADS 8
#define ROUNDS 500
#define TOO_MUCH ((size_t)PTRDIFF_MAX + 1)

static unsigned failures;

static void expect(int good, const char *what, unsigned line)
{
	if (good)
		return;
	failures++;
	fprintf(stderr, "preload_program.c:%u: expected %s\n", line, what);
}

#define EXPECT(condition) expect(!!(condition), #condition, __LINE__)
/* The compiler knows malloc: these keep it from thinking ahead. */
#define HIDE(p) __asm__ volatile("" : "+r"(p) : : "memory")

/* C23; found at run time, because C libraries do not declare them yet. */
static void (*call_free_sized)(void *p, size_t size);
static void (*call_free_aligned_sized)(void *p, size_t align, size_t size);

static int aligned(const void *p, size_t align)
{
	return p && (uintptr_t)p % align == 0;
}

static int all_zero(const unsigned char *p, size_t n)
{
	while (n && *p == 0)
		p++, n--;
	return n == 0;
}

/* Whether call answered null and said ENOMEM. */
#define EXPECT_ENOMEM(call)                                                                    \
	do {                                                                                   \
		void *refused;                                                                 \
		errno = 0;                                                                     \
		refused = (call);                                                              \
		HIDE(refused);                                                                 \
		expect(!refused && errno == ENOMEM, #call ": null and ENOMEM", __LINE__);      \
	} while (0)

static void zero_sizes(void)
{
	void *a = malloc(0), *b = malloc(0), *c = calloc(0, 8), *d = calloc(8, 0);
	void *e = memalign(64, 0), *f = aligned_alloc(64, 0), *g = valloc(0);

	EXPECT(a && b && c && d && e && f && g);
	EXPECT(a != b && c != d && e != f);
	errno = 77;
	free(a), free(b), free(c), free(d), free(e), free(f), free(g);
	free(NULL);
	EXPECT(errno == 77);
	EXPECT(malloc_usable_size(NULL) == 0);
}

static void contents(void)
{
	unsigned char *p = calloc(100, 10);

	EXPECT(p && all_zero(p, 1000));
	EXPECT(malloc_usable_size(p) >= 1000);
	memset(p, 7, 1000);
	p = realloc(p, 200000);
	EXPECT(p && p[0] == 7 && p[999] == 7);
	p = reallocarray(p, 5, 2);
	EXPECT(p && p[0] == 7 && p[9] == 7);
	EXPECT(realloc(p, 0) == NULL);
	p = realloc(NULL, 10);
	EXPECT(aligned(p, sizeof(void *)));
	free(p);
}

static void too_much(void)
{
	volatile size_t huge = TOO_MUCH, half = SIZE_MAX / 2, all = SIZE_MAX;
	void *volatile p = malloc(10);
	void *out = p;

	EXPECT_ENOMEM(malloc(huge));
	EXPECT_ENOMEM(malloc(huge - 1));
	EXPECT_ENOMEM(malloc(all));
	EXPECT_ENOMEM(calloc(half, 3));
	EXPECT_ENOMEM(calloc(1, huge));
	EXPECT_ENOMEM(calloc(huge, 1));
	EXPECT_ENOMEM(realloc(p, huge));
	EXPECT_ENOMEM(realloc(p, huge - 1));
	EXPECT_ENOMEM(reallocarray(p, half, 3));
	EXPECT_ENOMEM(memalign(64, huge));
	EXPECT_ENOMEM(memalign(64, huge - 64));
	EXPECT_ENOMEM(memalign(huge, 1));
	EXPECT_ENOMEM(aligned_alloc(64, huge));
	EXPECT_ENOMEM(valloc(huge));
	EXPECT_ENOMEM(pvalloc(huge - 1));
	EXPECT_ENOMEM(pvalloc(all));
	errno = 77;
	EXPECT(posix_memalign(&out, 64, huge) == ENOMEM && out == p && errno == 77);
	free(p);
}

static void alignments(void)
{
	size_t page = sysconf(_SC_PAGESIZE);
	volatile size_t bad = 24, all = SIZE_MAX;
	void *p = NULL;

	errno = 77;
	EXPECT(posix_memalign(&p, bad, 8) == EINVAL && !p);
	EXPECT(posix_memalign(&p, bad - 24, 8) == EINVAL && !p);
	EXPECT(posix_memalign(&p, sizeof(void *) / 2, 8) == EINVAL && !p);
	EXPECT(errno == 77);
	for (size_t align = sizeof(void *); align <= 1 << 20; align *= 2) {
		EXPECT(posix_memalign(&p, align, 100) == 0 && aligned(p, align));
		memset(p, 1, 100);
		EXPECT(malloc_usable_size(p) >= 100);
		free(p);
	}
	p = memalign(bad, 8), EXPECT(aligned(p, 32)), free(p);
	p = memalign(bad - 24, 8), EXPECT(aligned(p, sizeof(void *))), free(p);
	p = aligned_alloc(bad - 21, 8), EXPECT(aligned(p, 4)), free(p);
	p = valloc(8), EXPECT(aligned(p, page)), free(p);
	p = pvalloc(1), EXPECT(aligned(p, page) && malloc_usable_size(p) >= page), free(p);
	errno = 0;
	p = memalign(all, 8);
	EXPECT(!p && errno == EINVAL);
}

static void sized_frees(void)
{
	*(void **)&call_free_sized = dlsym(RTLD_DEFAULT, "free_sized");
	*(void **)&call_free_aligned_sized = dlsym(RTLD_DEFAULT, "free_aligned_sized");
	EXPECT(call_free_sized && call_free_aligned_sized);
	if (!call_free_sized || !call_free_aligned_sized)
		return;
	call_free_sized(malloc(33), 33);
	call_free_aligned_sized(aligned_alloc(64, 128), 64, 128);
	call_free_sized(NULL, 0);
}

static void tuning(void)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	EXPECT(mallopt(M_MMAP_THRESHOLD, 1 << 20) == 1);
	EXPECT(malloc_trim(0) >= 0);
	EXPECT(malloc_info(0, out) == 0);
	fclose(out);
	EXPECT(strstr(text, "<malloc version=") && strstr(text, "</malloc>"));
	free(text);
	EXPECT(malloc_info(1, stderr) != 0);
	(void)mallinfo2();
}

static void family(void)
{
	zero_sizes();
	contents();
	too_much();
	alignments();
	sized_frees();
	tuning();
}

static AllocationTelemetry stats(void)
{
	AllocationTelemetry t = {0};
	void (*fill)(AllocationTelemetry *) = NULL;

	*(void **)&fill = dlsym(RTLD_DEFAULT, "chic_alloc_malloc_stats");
	EXPECT(fill);
	if (fill)
		fill(&t);
	return t;
}

static volatile size_t too_much_hidden = TOO_MUCH;

/* What a known amount of work adds to the counters, in the calling thread. */
static void work(void)
{
	void *p = malloc(100), *q = NULL;

	HIDE(p);
	p = realloc(p, 5000);
	free(p);
	p = calloc(3, 50);
	HIDE(p);
	EXPECT(posix_memalign(&q, 64, 640) == 0);
	p = realloc(p, 0);
	q = realloc(q, 10);
	free(q);
	free(realloc(NULL, 9));
	p = malloc(too_much_hidden);
	HIDE(p);
	free(p);
}

static void expect_work(const AllocationTelemetry *a, const AllocationTelemetry *b, size_t n)
{
	EXPECT(b->alloc_calls - a->alloc_calls == 3 * n);
	EXPECT(b->alloc_zeroed_calls - a->alloc_zeroed_calls == n);
	EXPECT(b->realloc_calls - a->realloc_calls == 2 * n);
	EXPECT(b->free_calls - a->free_calls == 4 * n);
}

static void counted(void)
{
	AllocationTelemetry a, b;

	stats();
	a = stats();
	for (int i = 0; i < 1000; i++)
		work();
	b = stats();
	expect_work(&a, &b, 1000);
	EXPECT(a.alloc_bytes == 0 && b.freed_bytes == 0);
}

/* With telemetry = full: after the same work live bytes are the same, and two
 * blocks of known usable size add exactly that.
 */
static void counted_fully(void)
{
	AllocationTelemetry a, b;
	void *p, *q;
	size_t usable;

	a = stats();
	work();
	b = stats();
	expect_work(&a, &b, 1);
	EXPECT(b.alloc_bytes + b.alloc_zeroed_bytes + b.realloc_bytes - b.freed_bytes ==
	       a.alloc_bytes + a.alloc_zeroed_bytes + a.realloc_bytes - a.freed_bytes);
	a = b;
	p = malloc(1000), q = calloc(7, 11);
	HIDE(p);
	HIDE(q);
	usable = malloc_usable_size(p);
	b = stats();
	EXPECT(b.alloc_bytes - a.alloc_bytes == usable);
	EXPECT(b.alloc_zeroed_bytes - a.alloc_zeroed_bytes == malloc_usable_size(q));
	a = b;
	free(q);
	free(p);
	b = stats();
	EXPECT(b.freed_bytes - a.freed_bytes >= usable + 77);
}

/* How often the heap was asked what a block holds, where it is one that knows. */
static size_t times_asked(void)
{
	const char *path = getenv("SIZED_FAMILY");
	void *library = path ? dlopen(path, RTLD_NOLOAD | RTLD_LAZY) : NULL;
	const size_t *asked = library ? dlsym(library, "sz_asked") : NULL;

	EXPECT(asked || !path);
	return asked ? *asked : 0;
}

/* Bytes of a block of that size, as counted when it comes and when it goes. */
static void expect_bytes(size_t size, const AllocationTelemetry *before)
{
	AllocationTelemetry after;
	size_t usable;
	void *p = malloc(size);

	HIDE(p);
	after = stats();
	usable = malloc_usable_size(p);
	EXPECT(usable >= size && after.alloc_bytes - before->alloc_bytes == usable);
	free(p);
	after = stats();
	EXPECT(after.freed_bytes - before->freed_bytes == usable);
}

/* Of every size, also when it is known already what a block of it holds. */
static void counted_sizes(void)
{
	AllocationTelemetry before;
	size_t asked, blocks = 0;

	for (int round = 0; round < 2; round++)
		for (size_t size = 1; size <= 1100; size += 1 + size % 2) {
			before = stats();
			expect_bytes(size, &before);
		}
	asked = times_asked();
	for (size_t size = 1; size <= 512; size++, blocks++)
		free(malloc(size));
	asked = times_asked() - asked;
	EXPECT(asked == 0 || asked == blocks);
	EXPECT(asked || !getenv("SIZED_FAMILY"));
}

/* A request that fails for want of memory counts nothing, small as it is. */
static void exhausted_fully(void)
{
	static void *blocks[100000];
	const size_t size = (size_t)512 << 10;
	struct rlimit limit = {(size_t)1 << 30, (size_t)1 << 30};
	AllocationTelemetry a, b;
	size_t n = 0, usable = 0;

	EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
	a = stats();
	errno = 0;
	while (n < 100000 && (blocks[n] = malloc(size)))
		usable += malloc_usable_size(blocks[n++]);
	EXPECT(errno == ENOMEM);
	b = stats();
	EXPECT(n > 100 && n < 100000);
	EXPECT(b.alloc_calls - a.alloc_calls == n);
	EXPECT(b.alloc_bytes - a.alloc_bytes == usable);
	while (n)
		free(blocks[--n]);
	b = stats();
	EXPECT(b.freed_bytes - a.freed_bytes == usable);
}

static void early(void)
{
	unsigned char *p = early_blocks.malloced, *q = early_blocks.zeroed;

	EXPECT(early_blocks.environ_was_null);
	/* the boot arena answers exactly what was asked, other heaps round up */
	EXPECT(malloc_usable_size(p) == EARLY_ODD);
	EXPECT(all_zero(q, EARLY_LARGE));
	EXPECT(aligned(early_blocks.aligned, 4096));
	EXPECT(p[0] == 5 && p[EARLY_ODD - 1] == 5);
	p = realloc(p, 50000);
	EXPECT(p[0] == 5 && p[EARLY_ODD - 1] == 5);
	EXPECT(malloc_usable_size(p) >= 50000);
	q = realloc(q, 10);
	EXPECT(all_zero(q, 10));
	free(p);
	free(q);
	free(early_blocks.aligned);
	p = malloc(EARLY_ODD);
	EXPECT(malloc_usable_size(p) != EARLY_ODD);
	free(p);
}

static void hungry(void)
{
	unsigned char *p = early_blocks.huge;

	if (early_blocks.failed)
		fprintf(stderr, "preload_early.c:%u: failed\n", early_blocks.failed);
	EXPECT(!early_blocks.failed);
	EXPECT(malloc_usable_size(p) == EARLY_HUGE);
	p = realloc(p, EARLY_HUGE + 1);
	EXPECT(p && p[0] == 5 && p[EARLY_HUGE - 1] == 5);
	free(p);
}

static int is_between(const void *p, const void *a, const void *b)
{
	return (a < p && p < b) || (b < p && p < a);
}

/* A block of the heap between the two ranges of the boot arena is the heap's. */
static void between_ranges(void)
{
	const size_t size = (size_t)64 << 20;
	AllocationTelemetry a = stats(), b;
	unsigned char *p = malloc(size);

	HIDE(p);
	EXPECT(is_between(p, early_blocks.malloced, early_blocks.zeroed));
	p[0] = p[size - 1] = 5;
	EXPECT(malloc_usable_size(p) >= size);
	p = realloc(p, 2 * size);
	EXPECT(p && p[0] == 5 && p[size - 1] == 5);
	free(p);
	b = stats();
	EXPECT(b.realloc_calls - a.realloc_calls == 1 && b.free_calls - a.free_calls == 1);
}

static void *churn(void *arg)
{
	void *blocks[64] = {0};
	unsigned n = (unsigned)(uintptr_t)arg;

	for (int i = 0; i < 20000; i++) {
		unsigned at = (n = n * 1103515245 + 12345) / 65536 % 64;

		free(blocks[at]);
		blocks[at] = malloc(n % 3000);
		if (blocks[at])
			memset(blocks[at], (int)n, n % 3000);
	}
	for (int i = 0; i < 64; i++)
		free(blocks[i]);
	return NULL;
}

static void start_threads(pthread_t *threads, void *(*fn)(void *))
{
	for (uintptr_t i = 0; i < THREADS; i++)
		EXPECT(pthread_create(&threads[i], NULL, fn, (void *)(i + 1)) == 0);
}

static void join_threads(pthread_t *threads)
{
	for (int i = 0; i < THREADS; i++)
		EXPECT(pthread_join(threads[i], NULL) == 0);
}

static void threads(void)
{
	pthread_t all[THREADS];

	for (int i = 0; i < 10; i++) {
		start_threads(all, churn);
		join_threads(all);
	}
}

static void *work_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++)
		work();
	return NULL;
}

/* pthread_create allocates as well; as much in each round once stacks are cached. */
static void threads_counted(void)
{
	pthread_t all[THREADS];
	AllocationTelemetry a, b;
	size_t first;

	for (int i = 0; i < 2; i++)
		start_threads(all, work_often), join_threads(all);
	a = stats();
	start_threads(all, work_often);
	join_threads(all);
	b = stats();
	first = b.realloc_calls - a.realloc_calls;
	EXPECT(first == (size_t)2 * ROUNDS * THREADS);
	EXPECT(b.alloc_calls - a.alloc_calls >= (size_t)3 * ROUNDS * THREADS);
	EXPECT(b.alloc_calls - a.alloc_calls < (size_t)3 * ROUNDS * THREADS + 10 * THREADS);
}

static void fork_child(void)
{
	churn((void *)1);
	_exit(failures ? 1 : 0);
}

static void forks(void)
{
	pthread_t all[THREADS];

	start_threads(all, churn);
	for (int i = 0; i < 30; i++) {
		int status = -1;
		pid_t pid = fork();

		if (pid == 0)
			fork_child();
		EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
	}
	join_threads(all);
}

/* In a thread that has not allocated: the handlers of the early library do so first. */
static void *fork_first(void *arg)
{
	int status = -1;
	pid_t pid = fork();

	(void)arg;
	if (pid == 0)
		fork_child();
	EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
	return NULL;
}

static void early_fork(void)
{
	pthread_t thread;

	EXPECT(pthread_create(&thread, NULL, fork_first, NULL) == 0);
	EXPECT(pthread_join(thread, NULL) == 0);
	EXPECT(early_blocks.fork_handlers_ran == 2);
}

static void frees_ours(void *library)
{
	void (*deep_free)(void *) = NULL;
	AllocationTelemetry a, b;
	void *p = malloc(100);

	HIDE(p);
	EXPECT(library);
	if (library)
		*(void **)&deep_free = dlsym(library, "deep_free");
	EXPECT(deep_free);
	a = stats();
	if (deep_free)
		deep_free(p);
	b = stats();
	EXPECT(b.free_calls - a.free_calls == 1);
}

/* The library is found by this program's own search path alone. */
static void deep(void)
{
	frees_ours(dlopen("libpreload_deep.so", RTLD_NOW | RTLD_DEEPBIND));
}

static void deep_in_namespace(void)
{
	frees_ours(dlmopen(LM_ID_BASE, "libpreload_deep.so", RTLD_NOW | RTLD_DEEPBIND));
}

/* Whether a file of that name is mapped into this process. */
static int is_mapped(const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[4096];
	int found = 0;

	while (maps && fgets(line, sizeof(line), maps))
		found |= strstr(line, name) != NULL;
	if (maps)
		fclose(maps);
	return found;
}

static const struct {
	const char *name;
	void (*run)(void);
} actions[] = {
	{"family", family},
	{"counted", counted},
	{"counted_fully", counted_fully},
	{"counted_sizes", counted_sizes},
	{"exhausted_fully", exhausted_fully},
	{"early", early},
	{"hungry", hungry},
	{"between_ranges", between_ranges},
	{"threads", threads},
	{"threads_counted", threads_counted},
	{"forks", forks},
	{"early_fork", early_fork},
	{"deep", deep},
	{"deep_in_namespace", deep_in_namespace},
};

/* preload_program ACTION [MAPPED | !NOT_MAPPED] */
int main(int argc, char **argv)
{
	const char *file = argc > 2 ? argv[2] : "libchic_alloc_preload.so";

	EXPECT(argc > 1);
	EXPECT(*file == '!' ? !is_mapped(file + 1) : is_mapped(file));
	for (size_t i = 0; argc > 1 && i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i].name, argv[1]) == 0) {
			actions[i].run();
			return failures ? 1 : 0;
		}
	fprintf(stderr, "preload_program: no such action\n");
	return 2;
}
