/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A loader in small, for tests of the shipped modules: the C library's heap as
 * the lower layer, counting its live blocks and failing on demand; parameters;
 * per-thread words; and children whose end and stderr are looked at.
 */
#ifndef MODULE_SUPPORT_H
#define MODULE_SUPPORT_H

#include <check.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../modules/internal.h"
#include "check_support.h"

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* ck_assert for loops, threads and fault injection: says nothing when it holds. */
#define MUST(what)                                                                             \
	do {                                                                                   \
		if (!(what))                                                                   \
			ck_abort_msg("%s", #what);                                             \
	} while (0)

/*
 * Signals that tests wait for must not end in a sanitizer's report, and blocks
 * that a reset drops or a child leaves behind are no leaks.
 */
#define SANITIZER_OPTIONS                                                                      \
	"handle_segv=0:handle_sigbus=0:handle_abort=0:allocator_may_return_null=1:"            \
	"detect_leaks=0"

__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return SANITIZER_OPTIONS;
}

__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return SANITIZER_OPTIONS;
}

/* A case whose tests each begin with setup, if there is one, and end with teardown then. */
static inline TCase *case_with(const char *name, void (*setup)(void), void (*teardown)(void))
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	if (setup)
		tcase_add_checked_fixture(tc, setup, teardown);
	return tc;
}

/* ----------------------------------------------------- the lower layer -- */

static _Atomic long lower_live; /* blocks */
static atomic_bool lower_fails;

static void *lower_count(void *p)
{
	if (p)
		lower_live++;
	return p;
}

static void *libc_memalign(void *ctx, size_t align, size_t size)
{
	MUST(ctx == &lower_live);
	if (lower_fails || align > PTRDIFF_MAX || size > PTRDIFF_MAX - align)
		return NULL;
	return lower_count(memalign(align, size));
}

static void *libc_malloc(void *ctx, size_t size)
{
	return libc_memalign(ctx, CHIC_MALLOC_ALIGN, size);
}

static void *libc_calloc(void *ctx, size_t n, size_t size)
{
	void *p = libc_malloc(ctx, n * size);

	return p ? memset(p, 0, n * size) : NULL;
}

static void *libc_remalloc(void *ctx, void *p, size_t size)
{
	MUST(ctx == &lower_live);
	return lower_fails ? NULL : realloc(p, size);
}

static size_t libc_usable_size(void *ctx, const void *p)
{
	MUST(ctx == &lower_live);
	return malloc_usable_size((void *)p);
}

static size_t libc_mfree(void *ctx, void *p)
{
	size_t size = libc_usable_size(ctx, p);

	free(p);
	lower_live--;
	return size;
}

static ValueMutPtr libc_alloc(void *ctx, size_t size, size_t align)
{
	return handle(libc_memalign(ctx, larger(align, CHIC_MALLOC_ALIGN), size), size, align);
}

static ValueMutPtr libc_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	ValueMutPtr block = libc_alloc(ctx, size, align);

	if (block.ptr)
		memset(block.ptr, 0, size);
	return block;
}

static void libc_free(void *ctx, ValueMutPtr block)
{
	libc_mfree(ctx, block.ptr);
}

static ValueMutPtr libc_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
				size_t align)
{
	ValueMutPtr block = libc_alloc(ctx, size, align);

	if (!block.ptr || !old.ptr)
		return block;
	memcpy(block.ptr, old.ptr, smaller(old_size, size));
	libc_free(ctx, old);
	return block;
}

static const struct chic_layer libc_layer = {
	.size = sizeof(libc_layer),
	.alloc = {libc_alloc, &lower_live},
	.alloc_zeroed = {libc_alloc_zeroed, &lower_live},
	.realloc = {libc_realloc, &lower_live},
	.free = {libc_free, &lower_live},
	.usable_size = {libc_usable_size, &lower_live},
	.malloc = {libc_malloc, &lower_live},
	.calloc = {libc_calloc, &lower_live},
	.memalign = {libc_memalign, &lower_live},
	.remalloc = {libc_remalloc, &lower_live},
	.mfree = {libc_mfree, &lower_live},
};

/* ----------------------------------------------------------- arguments -- */

static char last_fail[256];
static char last_warn[256];

static void support_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last_fail, sizeof(last_fail), format, args);
	va_end(args);
}

static void support_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last_warn, sizeof(last_warn), format, args);
	va_end(args);
}

/* How the module under test wants to be told of a thread's end, and for which context. */
static void (*on_thread_exit)(void *ctx, void *word);
static void *on_thread_exit_ctx;
static atomic_bool words_fail;
static __thread void *support_word;
static pthread_key_t support_key;

static void support_thread_end(void *arg)
{
	void *word = support_word;

	(void)arg;
	support_word = NULL;
	if (word && on_thread_exit)
		on_thread_exit(on_thread_exit_ctx, word);
}

static void support_make_key(void)
{
	pthread_key_create(&support_key, support_thread_end);
}

static void **support_thread_word(unsigned slot)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	MUST(slot == 3);
	if (words_fail)
		return NULL;
	pthread_once(&once, support_make_key);
	pthread_setspecific(support_key, &support_word);
	return &support_word;
}

static struct chic_module_leaves support_leaves;

/* Fill args for a module with these parameters; what main() of the test resets. */
static inline void support_args(struct chic_module_args *args,
				const struct chic_module_param *params, size_t n)
{
	*args = (struct chic_module_args){
		.size = sizeof(*args),
		.name = "test",
		.params = params,
		.n_params = n,
		.fail = support_fail,
		.warn = support_warn,
		.thread_word = support_thread_word,
		.slot = 3,
		.leaves = &support_leaves,
	};
	support_leaves = (struct chic_module_leaves){0};
	last_fail[0] = last_warn[0] = '\0';
	support_word = NULL;
	lower_live = 0;
	lower_fails = words_fail = false;
}

/* ------------------------------------------------------------ children -- */

struct child {
	int status;
	char text[65536]; /* what it wrote to stderr */
};

/* Run fn in a forked child, which exits with 0 if fn returns. */
static inline void run_child(struct child *child, void (*fn)(void *arg), void *arg)
{
	size_t len = 0;
	int fds[2];
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		fn(arg);
		exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], child->text + len, sizeof(child->text) - 1 - len)) > 0)
		len += n;
	child->text[len] = '\0';
	close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &child->status, 0), pid);
}

/* Only so many bytes of addresses beyond what the process has; for use in a child. */
static inline void limit_addresses(size_t more)
{
	FILE *statm = fopen("/proc/self/statm", "r");
	struct rlimit limit;
	unsigned long pages;

	if (!statm || fscanf(statm, "%lu", &pages) != 1)
		_exit(99);
	limit.rlim_cur = limit.rlim_max = pages * (size_t)sysconf(_SC_PAGESIZE) + more;
	fclose(statm);
	if (setrlimit(RLIMIT_AS, &limit) != 0)
		_exit(99);
}

static inline void expect_signal(void (*fn)(void *arg), void *arg, int signal)
{
	struct child child;

	run_child(&child, fn, arg);
	ck_assert_msg(WIFSIGNALED(child.status) && WTERMSIG(child.status) == signal,
		      "status 0x%x, expected signal %d; stderr: %s", child.status, signal,
		      child.text);
}

static inline void expect_abort(void (*fn)(void *arg), void *arg, const char *text)
{
	struct child child;

	run_child(&child, fn, arg);
	ck_assert_msg(WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGABRT,
		      "status 0x%x, expected SIGABRT; stderr: %s", child.status, child.text);
	ck_assert_str_eq(child.text, text);
}

/* -------------------------------------------------------------- blocks -- */

static inline bool all_are(const void *p, unsigned char value, size_t n)
{
	const unsigned char *c = p;

	while (n > 0 && *c == value)
		c++, n--;
	return n == 0;
}

static inline bool is_aligned(const void *p, size_t align)
{
	return (uintptr_t)p % align == 0;
}

#endif /* MODULE_SUPPORT_H */
