// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stack traces: taken through frames without frame pointers, named, kept; and that
 * no stack, whatever is in it, makes the walker fault (TEST_FRAMES: where that is
 * the one under test).
 */
#include <check.h>
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "../modules/stacktrace.h"
#include "check_support.h"
#include "fault.h"

#define DEPTH STACKTRACE_DEPTH
/* A call that is not the last thing its function does. */
#define AFTERWARDS __asm__ volatile("" ::: "memory")

static uintptr_t trace[DEPTH];
static size_t length;

static void **no_word(unsigned slot)
{
	(void)slot;
	return NULL;
}

static void start(void)
{
	static const struct chic_module_args args = {.size = sizeof(args),
						     .thread_word = no_word};

	stacktrace_start(&args);
	length = 0;
}

static const char *name_of(uintptr_t pc)
{
	static struct stacktrace_place place;

	stacktrace_place(&place, pc);
	/* what optimisers make of a function has a suffix */
	place.symbol[strcspn(place.symbol, ".")] = '\0';
	return place.symbol;
}

/* ------------------------------------------------- functions to be found -- */

__attribute__((noinline)) static void innermost(void)
{
	length = stacktrace_capture(trace, DEPTH);
	AFTERWARDS;
}

__attribute__((noinline)) static void with_variable_frame(size_t n)
{
	char *p = __builtin_alloca(n);

	innermost();
	__asm__ volatile("" ::"r"(p) : "memory");
}

/* Both together, and arguments on the stack: what a compiler has to be told the most for. */
__attribute__((noinline)) static void with_aligned_frame(size_t n, long a, long b, long c,
							 long d, long e, long f, long g)
{
	_Alignas(64) char big[100];
	char *p = __builtin_alloca(n);

	with_variable_frame(500 + a + b + c + d + e + f + g);
	__asm__ volatile("" ::"r"(big), "r"(p) : "memory");
}

/* Needs its frame pointer to be found again. */
__attribute__((noinline)) static void with_large_frame(size_t n)
{
	char *big = __builtin_alloca(n);

	with_aligned_frame(100, 1, 2, 3, 4, 5, 6, 7);
	__asm__ volatile("" ::"r"(big) : "memory");
}

__attribute__((noinline, visibility("default"))) void stacktrace_test_exported(void);
void stacktrace_test_exported(void)
{
	with_large_frame(40000);
	AFTERWARDS;
}

static const char *const expected[] = {"innermost", "with_variable_frame", "with_aligned_frame",
				       "with_large_frame", "stacktrace_test_exported"};
#define N_EXPECTED (sizeof(expected) / sizeof(*expected))

static void check_expected(const uintptr_t *pcs, size_t n)
{
	ck_assert_uint_gt(n, N_EXPECTED);
	for (size_t i = 0; i < N_EXPECTED; i++)
		ck_assert_str_eq(name_of(pcs[i]), expected[i]);
}

/* -------------------------------------------------------------- taking -- */

START_TEST(frames_of_all_kinds)
{
	stacktrace_test_exported();
	check_expected(trace, length);
}
END_TEST

static int sort_order(const void *a, const void *b)
{
	innermost();
	return *(const int *)a - *(const int *)b;
}

/* The C library's code is in the middle, and that of libcheck at the end. */
START_TEST(through_libraries)
{
	int numbers[2] = {2, 1};
	struct stacktrace_place place;
	bool libc = false;

	qsort(numbers, 2, sizeof(*numbers), sort_order);
	ck_assert_str_eq(name_of(trace[1]), "sort_order");
	for (size_t i = 2; i < length; i++) {
		stacktrace_place(&place, trace[i]);
		libc = libc || strstr(place.object, "libc.so");
		ck_assert_str_ne(place.object, "");
	}
	ck_assert(libc);
}
END_TEST

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *arg)
{
	uintptr_t **at = arg;

	*(*at)++ = _Unwind_GetIP(context);
	return _URC_NO_REASON;
}

__attribute__((noinline)) static size_t both(uintptr_t *other)
{
	uintptr_t *end = other;

	_Unwind_Backtrace(note, &end);
	length = stacktrace_capture(trace, DEPTH);
	return end - other;
}

START_TEST(as_the_compilers_unwinder)
{
	static uintptr_t other[1000];
	size_t n = both(other);

	/* the innermost are two calls in one function; the last is its end */
	while (n && !other[n - 1])
		n--;
	ck_assert_uint_eq(length, n);
	for (size_t i = 1; i < n; i++)
		ck_assert_uint_eq(trace[i], other[i]);
}
END_TEST

__attribute__((noinline)) static void deep(int n)
{
	if (n)
		deep(n - 1);
	else
		innermost();
	AFTERWARDS;
}

START_TEST(no_more_than_asked)
{
	uintptr_t some[DEPTH + 1];

	deep(1000);
	ck_assert_uint_eq(length, DEPTH);
	for (size_t i = 1; i < DEPTH; i++)
		ck_assert_str_eq(name_of(trace[i]), "deep");
	for (size_t max = 0; max <= DEPTH; max++) {
		memset(some, 0x55, sizeof(some));
		ck_assert_uint_le(stacktrace_capture(some, max), max);
		ck_assert_uint_eq(some[max], (uintptr_t)0x5555555555555555);
	}
}
END_TEST

static void *thread(void *arg)
{
	stacktrace_test_exported();
	return arg;
}

START_TEST(in_a_thread)
{
	pthread_t id;

	ck_assert_int_eq(pthread_create(&id, NULL, thread, NULL), 0);
	pthread_join(id, NULL);
	check_expected(trace, length);
	ck_assert_str_eq(name_of(trace[N_EXPECTED]), "thread");
}
END_TEST

/* Two stacks that the program made, one after the other, the first one unmapped. */
START_TEST(on_stacks_of_the_programs_own)
{
	const size_t size = 128 * 1024;
	ucontext_t here, there;
	void *stack;

	for (volatile int i = 0; i < 3; i++) {
		stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
		ck_assert_ptr_ne(stack, MAP_FAILED);
		ck_assert_int_eq(getcontext(&there), 0);
		there.uc_stack = (stack_t){.ss_sp = stack, .ss_size = size};
		there.uc_link = &here;
		makecontext(&there, stacktrace_test_exported, 0);
		length = 0;
		ck_assert_int_eq(swapcontext(&here, &there), 0);
		check_expected(trace, length);
		munmap(stack, size);
	}
}
END_TEST

START_TEST(takes_no_memory_and_leaves_errno)
{
	int now;

	fault_start(1);
	errno = 4711;
	stacktrace_test_exported();
	now = errno;
	ck_assert(!fault_stop());
	ck_assert_int_eq(now, 4711);
	check_expected(trace, length);
}
END_TEST

/* ------------------------------------------------------------ contexts -- */

static uintptr_t context_trace[DEPTH];
static size_t context_length;
static sigjmp_buf *way_out;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	context_length = stacktrace_capture_context(context_trace, DEPTH, context);
	length = stacktrace_capture(trace, DEPTH);
	siglongjmp(*way_out, 1);
}

static void handle_faults(void)
{
	struct sigaction action = {.sa_sigaction = on_signal,
				   .sa_flags = SA_SIGINFO | SA_ONSTACK};
	static char stack[64 * 1024];

	ck_assert_int_eq(
		sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof(stack)}, NULL), 0);
	ck_assert_int_eq(sigaction(SIGSEGV, &action, NULL), 0);
	ck_assert_int_eq(sigaction(SIGBUS, &action, NULL), 0);
}

__attribute__((noinline)) static int reads(volatile int *p)
{
	return *p;
}

__attribute__((noinline)) static void reads_nothing(void)
{
	uintptr_t nowhere = 16;

	/* the compiler is not to know */
	__asm__("" : "+r"(nowhere));
	reads((int *)nowhere);
	AFTERWARDS;
}

#define WITH_FAULT(statement)                                                                  \
	do {                                                                                   \
		sigjmp_buf out;                                                                \
		way_out = &out;                                                                \
		handle_faults();                                                               \
		if (!sigsetjmp(out, 1)) {                                                      \
			statement;                                                             \
			ck_abort_msg("no fault");                                              \
		}                                                                              \
	} while (0)

/* The fault is in a function's first instruction: the one before is another's. */
START_TEST(what_a_signal_interrupted)
{
	WITH_FAULT(reads_nothing());
	ck_assert_uint_gt(context_length, 2);
	ck_assert_str_eq(name_of(context_trace[0]), "reads");
	ck_assert_str_eq(name_of(context_trace[1]), "reads_nothing");
}
END_TEST

/* From another stack into the handler's, and on into what it interrupted. */
START_TEST(through_a_signal)
{
	size_t i;

	WITH_FAULT(reads_nothing());
	ck_assert_str_eq(name_of(trace[0]), "on_signal");
	for (i = 0; i < length && strcmp(name_of(trace[i]), "reads") != 0; i++)
		;
	ck_assert_uint_lt(i + 1, length);
	ck_assert_str_eq(name_of(trace[i + 1]), "reads_nothing");
}
END_TEST

#if TEST_FRAMES

__attribute__((noinline)) static void calls_nothing(void (*volatile nothing)(void))
{
	nothing();
	AFTERWARDS;
}

START_TEST(a_call_to_nothing)
{
	WITH_FAULT(calls_nothing((void (*)(void))16));
	ck_assert_uint_gt(context_length, 2);
	ck_assert_uint_eq(context_trace[0], 17);
	ck_assert_str_eq(name_of(context_trace[1]), "calls_nothing");
}
END_TEST

/* A context that says what it likes about the stack. */
static size_t from_registers(uintptr_t pc, uintptr_t sp, uintptr_t fp)
{
	ucontext_t context = {0};

	context.uc_mcontext.gregs[REG_RIP] = pc;
	context.uc_mcontext.gregs[REG_RSP] = sp;
	context.uc_mcontext.gregs[REG_RBP] = fp;
	return stacktrace_capture_context(trace, DEPTH, &context);
}

/* Somewhere in the middle of a function that has a frame. */
static const uintptr_t bad_words[] = {
	0,
	1,
	8,
	0x7fff,
	(uintptr_t)-1,
	(uintptr_t)-8,
	(uintptr_t)1 << 47,
	((uintptr_t)1 << 47) - 8,
	(uintptr_t)0xffff800000000000,
	(uintptr_t)0xdeadbeefdeadbee8,
};
#define N_BAD (sizeof(bad_words) / sizeof(*bad_words))

START_TEST(registers_that_lie)
{
	const uintptr_t code[] = {(uintptr_t)with_variable_frame + 30,
				  (uintptr_t)with_aligned_frame + 20, (uintptr_t)innermost + 8,
				  (uintptr_t)qsort + 40};

	for (size_t i = 0; i < sizeof(code) / sizeof(*code); i++)
		for (size_t sp = 0; sp < N_BAD; sp++)
			for (size_t fp = 0; fp < N_BAD; fp++)
				ck_assert_uint_le(
					from_registers(code[i], bad_words[sp], bad_words[fp]),
					2);
}
END_TEST

/* All words of a stack the same, a pointer into itself, or random. */
START_TEST(a_stack_that_was_written_over)
{
	enum { WORDS = 4 * 512 };
	uintptr_t *stack = mmap(NULL, (WORDS + 512) * 8, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t code = (uintptr_t)with_variable_frame + 30;
	unsigned seed = 1;

	ck_assert_int_eq(mprotect(stack + WORDS, 4096, PROT_NONE), 0);
	for (int round = 0; round < 2000; round++) {
		for (size_t i = 0; i < WORDS; i++)
			switch (round % 4) {
			case 0:
				stack[i] = bad_words[round / 4 % N_BAD];
				break;
			case 1:
				stack[i] = (uintptr_t)&stack[rand_r(&seed) % WORDS];
				break;
			case 2:
				stack[i] = (uintptr_t)stacktrace_test_exported +
					   rand_r(&seed) % 64;
				break;
			default:
				stack[i] = i % 2 ? (uintptr_t)&stack[(i + 2) % WORDS] : code;
			}
		size_t at = rand_r(&seed) % WORDS;

		ck_assert_uint_le(from_registers(code, (uintptr_t)&stack[at],
						 (uintptr_t)&stack[rand_r(&seed) % WORDS]),
				  DEPTH);
	}
	munmap(stack, (WORDS + 512) * 8);
}
END_TEST

#endif

START_TEST(readable_or_not)
{
	char *p = mmap(NULL, 3 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	ck_assert_int_eq(mprotect(p + 2 * 4096, 4096, PROT_NONE), 0);
	errno = 4711;
	ck_assert(stacktrace_readable(p, 1));
	ck_assert(stacktrace_readable(p + 1, 8191));
	ck_assert(stacktrace_readable(p + 8191, 1));
	ck_assert(stacktrace_readable(NULL, 0));
	ck_assert(!stacktrace_readable(p + 8191, 2));
	ck_assert(!stacktrace_readable(p, 3 * 4096));
	ck_assert(!stacktrace_readable(p + 8192, 1));
	ck_assert(!stacktrace_readable(NULL, 1));
	ck_assert(!stacktrace_readable((void *)-8, 8));
	ck_assert(!stacktrace_readable(p, (size_t)-1));
	ck_assert_int_eq(errno, 4711);
	munmap(p, 3 * 4096);
}
END_TEST

/* ------------------------------------------------------------ printing -- */

START_TEST(a_line_as_addr2line_wants_it)
{
	char line[STACKTRACE_LINE], want[64], *end;
	Dl_info info;
	size_t n;

	stacktrace_test_exported();
	n = stacktrace_name(line, sizeof(line), trace[N_EXPECTED - 1]);
	ck_assert_uint_eq(n, strlen(line));
	ck_assert_int_ne(dladdr((void *)stacktrace_test_exported, &info), 0);
	end = strstr(line, "check_stacktrace");
	ck_assert_msg(end && line[0] == '/', "%s", line);
	end = strchr(end, '+');
	snprintf(want, sizeof(want), "+0x%zx (stacktrace_test_exported+0x%zx)",
		 trace[N_EXPECTED - 1] - 1 - (uintptr_t)info.dli_fbase,
		 trace[N_EXPECTED - 1] - 1 - (uintptr_t)stacktrace_test_exported);
	ck_assert_str_eq(end, want);
}
END_TEST

START_TEST(names_of_libraries_functions)
{
	struct stacktrace_place place;

	/* a sanitizer has functions of many names itself */
	void *libc = dlopen("libc.so.6", RTLD_NOLOAD | RTLD_LAZY);

	ck_assert_ptr_nonnull(libc);
	stacktrace_place(&place, (uintptr_t)dlsym(libc, "qsort") + 1);
	ck_assert_str_eq(place.symbol, "qsort");
	ck_assert_uint_eq(place.symbol_offset, 0);
	ck_assert_ptr_nonnull(strstr(place.object, "/libc.so.6"));
}
END_TEST

START_TEST(an_address_in_nothing)
{
	char line[STACKTRACE_LINE];

	ck_assert_uint_eq(stacktrace_name(line, sizeof(line), 0x1001), strlen("0x1000"));
	ck_assert_str_eq(line, "0x1000");
}
END_TEST

START_TEST(a_line_that_does_not_fit)
{
	char line[STACKTRACE_LINE], whole[STACKTRACE_LINE];

	stacktrace_test_exported();
	stacktrace_name(whole, sizeof(whole), trace[0]);
	for (size_t size = 1; size < sizeof(line); size++) {
		memset(line, 0x55, sizeof(line));
		ck_assert_uint_lt(stacktrace_name(line, size, trace[0]), size);
		ck_assert_int_eq(strncmp(line, whole, strlen(line)), 0);
		ck_assert_int_eq(line[size], 0x55);
	}
}
END_TEST

/* Without the file the exported functions are still known. */
START_TEST(names_where_files_cannot_be_mapped)
{
	struct stacktrace_place of_static, of_exported;
	bool failed;

	stacktrace_test_exported();
	fault_start(1);
	stacktrace_place(&of_static, trace[0]);
	failed = fault_stop();
	ck_assert(failed);
	ck_assert_str_ne(of_static.symbol, "innermost");
	ck_assert_str_ne(of_static.object, "");
	ck_assert_str_eq(name_of(trace[0]), "innermost");
	fault_start(1);
	stacktrace_place(&of_exported, trace[N_EXPECTED - 1]);
	failed = fault_stop();
	ck_assert(!failed);
	ck_assert_str_eq(of_exported.symbol, "stacktrace_test_exported");
}
END_TEST

/* ------------------------------------------------------------- keeping -- */

START_TEST(each_trace_once)
{
	struct stacktrace_table t;
	uintptr_t pcs[DEPTH];
	const uintptr_t *got;
	uint32_t ids[DEPTH + 1];

	ck_assert_int_eq(stacktrace_table_open(&t, 1 << 20, 12), 0);
	for (size_t i = 0; i < DEPTH; i++)
		pcs[i] = 0x1000 + i;
	ck_assert_uint_eq(stacktrace_intern(&t, pcs, 0), 0);
	ck_assert_uint_eq(stacktrace_get(&t, 0, &got), 0);
	ck_assert_ptr_null(stacktrace_extra(&t, 0));
	for (size_t n = 1; n <= DEPTH; n++) {
		ids[n] = stacktrace_intern(&t, pcs, n);
		ck_assert_uint_ne(ids[n], 0);
		ck_assert_mem_eq(stacktrace_extra(&t, ids[n]), "\0\0\0\0\0\0\0\0\0\0\0", 12);
		memset(stacktrace_extra(&t, ids[n]), n, 12);
	}
	for (size_t n = 1; n <= DEPTH; n++) {
		ck_assert_uint_eq(stacktrace_intern(&t, pcs, n), ids[n]);
		ck_assert_uint_eq(stacktrace_get(&t, ids[n], &got), n);
		ck_assert_mem_eq(got, pcs, n * sizeof(*pcs));
		ck_assert_int_eq(((char *)stacktrace_extra(&t, ids[n]))[11], (int)n);
	}
	ck_assert_uint_eq(t.lost, 0);
	stacktrace_table_close(&t);
}
END_TEST

static bool count_one(uint32_t id, void *arg)
{
	ck_assert_uint_ne(id, 0);
	return --*(size_t *)arg != 0;
}

/* What the system says of the mapping that has this address. */
static bool mapping_has(const void *p, const char *flag)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	bool here = false, has = false;
	unsigned long from, to;
	char line[512];

	ck_assert_ptr_nonnull(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = (uintptr_t)p >= from && (uintptr_t)p < to;
		if (here && strncmp(line, "VmFlags:", 8) == 0)
			has = strstr(line, flag);
	}
	fclose(maps);
	return has;
}

/* One stack is a page of memory and not two megabytes. */
START_TEST(no_huge_pages)
{
	struct stacktrace_table t;

	if (access("/sys/kernel/mm/transparent_hugepage", F_OK) != 0)
		return;
	ck_assert_int_eq(stacktrace_table_open(&t, 8 << 20, 0), 0);
	ck_assert(mapping_has(t.words, " nh"));
	stacktrace_table_close(&t);
}
END_TEST

START_TEST(a_full_table_says_so)
{
	struct stacktrace_table t;
	size_t kept = 0, left;

	ck_assert_int_eq(stacktrace_table_open(&t, 4096, 0), 0);
	for (uintptr_t pc = 1; pc <= 1000; pc++)
		kept += stacktrace_intern(&t, &pc, 1) != 0;
	ck_assert_uint_eq(t.lost, 1000 - kept);
	ck_assert_uint_eq(kept, 511 / 3);
	left = kept + 1;
	stacktrace_each(&t, count_one, &left);
	ck_assert_uint_eq(left, 1);
	left = 5;
	stacktrace_each(&t, count_one, &left);
	ck_assert_uint_eq(left, 0);
	stacktrace_table_close(&t);
}
END_TEST

START_TEST(without_memory_nothing_is_kept)
{
	struct stacktrace_table t;
	uintptr_t pc = 1;
	size_t left = 1;

	for (unsigned n = 1;; n++) {
		fault_start(n);
		int err = stacktrace_table_open(&t, 1 << 20, 8);

		if (!fault_stop()) {
			ck_assert_uint_eq(n, 3);
			ck_assert_int_eq(err, 0);
			break;
		}
		ck_assert_int_eq(err, -ENOMEM);
		ck_assert_uint_eq(stacktrace_intern(&t, &pc, 1), 0);
		stacktrace_each(&t, count_one, &left);
		ck_assert_uint_eq(left, 1);
		stacktrace_table_close(&t);
	}
	ck_assert_uint_ne(stacktrace_intern(&t, &pc, 1), 0);
	stacktrace_table_close(&t);
	stacktrace_table_close(&t);
}
END_TEST

#define N_THREADS 4
#define N_TRACES 2000

static struct stacktrace_table shared;
static uint32_t shared_ids[N_THREADS][N_TRACES];

static void *intern_all(void *arg)
{
	uint32_t *ids = arg;

	for (uintptr_t i = 0; i < N_TRACES; i++) {
		uintptr_t pcs[3] = {i, i * i, 3};

		ids[i] = stacktrace_intern(&shared, pcs, 3);
	}
	return NULL;
}

START_TEST(many_threads_agree)
{
	pthread_t threads[N_THREADS];
	size_t left = N_TRACES + 1;

	/* few heads, long chains */
	ck_assert_int_eq(stacktrace_table_open(&shared, 1 << 20, 0), 0);
	shared.n_heads = 4;
	for (size_t i = 0; i < N_THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, intern_all, shared_ids[i]),
				 0);
	for (size_t i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < N_TRACES; i++)
		for (size_t k = 1; k < N_THREADS; k++)
			ck_assert_uint_eq(shared_ids[k][i], shared_ids[0][i]);
	stacktrace_each(&shared, count_one, &left);
	ck_assert_uint_eq(left, 1);
	shared.n_heads = 4096;
	stacktrace_table_close(&shared);
}
END_TEST

/* To valgrind a fault that is wanted is one too. */
static void add_contexts(TCase *tc)
{
	bool faults = !getenv("CHECK_VALGRIND");

#if TEST_FRAMES
	tcase_add_test(tc, registers_that_lie);
	tcase_add_test(tc, a_stack_that_was_written_over);
	if (faults)
		tcase_add_test(tc, a_call_to_nothing);
#endif
	if (faults) {
		tcase_add_test(tc, what_a_signal_interrupted);
		tcase_add_test(tc, through_a_signal);
	}
	tcase_add_test(tc, readable_or_not);
}

static Suite *stacktrace_suite(void)
{
	Suite *suite = suite_create("stacktrace");
	TCase *tc = tcase_create("taking");

	tcase_add_checked_fixture(tc, start, NULL);
	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_test(tc, frames_of_all_kinds);
	tcase_add_test(tc, through_libraries);
	tcase_add_test(tc, as_the_compilers_unwinder);
	tcase_add_test(tc, no_more_than_asked);
	tcase_add_test(tc, in_a_thread);
	tcase_add_test(tc, on_stacks_of_the_programs_own);
	tcase_add_test(tc, takes_no_memory_and_leaves_errno);
	add_contexts(tc);
	suite_add_tcase(suite, tc);
	tc = tcase_create("printing");
	tcase_add_checked_fixture(tc, start, NULL);
	tcase_add_test(tc, a_line_as_addr2line_wants_it);
	tcase_add_test(tc, names_of_libraries_functions);
	tcase_add_test(tc, an_address_in_nothing);
	tcase_add_test(tc, a_line_that_does_not_fit);
	tcase_add_test(tc, names_where_files_cannot_be_mapped);
	suite_add_tcase(suite, tc);
	tc = tcase_create("keeping");
	tcase_add_test(tc, each_trace_once);
	tcase_add_test(tc, no_huge_pages);
	tcase_add_test(tc, a_full_table_says_so);
	tcase_add_test(tc, without_memory_nothing_is_kept);
	tcase_add_test(tc, many_threads_agree);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(stacktrace_suite)
