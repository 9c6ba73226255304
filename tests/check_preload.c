// SPDX-License-Identifier: BSD-2-Clause
/*
 * The preload library, as it is built, in programs of our own: preload_program.c
 * and its kin.  Each case is one program under one configuration.
 */
#include <check.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_support.h"

#define PRELOAD TEST_BUILDDIR "/.libs/libchic_alloc_preload.so"
#define PROGRAM TEST_BUILDDIR "/tests/preload_program"
#define OWN_MALLOC TEST_BUILDDIR "/tests/preload_own_malloc"
#define OPERATORS TEST_BUILDDIR "/tests/preload_operators"
#define FORWARD TEST_MODULE_DIR "/forward.so"

static const char forward[] = "module = forward\n"
			      "[module forward]\n"
			      "path = " FORWARD "\n";

/* How a program is started; null and 0 are the usual. */
struct start {
	const char *telemetry; /* off */
	const char *stack; /* rest of [allocator] and more; null: the platform heap */
	const char *argv[5];
	const char *environment; /* one more NAME=VALUE */
	rlim_t address_space;
	bool closed; /* without stdin, stdout and stderr */
};

static char folder[] = "/tmp/check_preload.XXXXXX";
static char conf[sizeof(folder) + 16];

static void setup(void)
{
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(conf, sizeof(conf), "%s/conf", folder);
}

static void teardown(void)
{
	unlink(conf);
	rmdir(folder);
}

static void write_conf(const struct start *start)
{
	FILE *file = fopen(conf, "we");

	ck_assert_ptr_nonnull(file);
	fprintf(file, "[allocator]\non_error = fail\nlog = stderr\ntelemetry = %s\n%s",
		start->telemetry ? start->telemetry : "off", start->stack ? start->stack : "");
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(conf, 0644), 0);
}

static _Noreturn void child(const struct start *start)
{
	char conf_entry[sizeof(conf) + 32];
	char *env[] = {"LD_PRELOAD=" PRELOAD, conf_entry, (char *)start->environment, NULL};
	struct rlimit limit = {start->address_space, start->address_space};

	snprintf(conf_entry, sizeof(conf_entry), "CHIC_ALLOC_CONF=%s", conf);
	if (start->address_space && setrlimit(RLIMIT_AS, &limit))
		_exit(126);
	for (int fd = 0; start->closed && fd < 3; fd++)
		close(fd);
	execve(start->argv[0], (char **)start->argv, env);
	_exit(127);
}

/* The exit status, or 128 + the signal. */
static int run(const struct start *start)
{
	int status = -1;
	pid_t pid;

	write_conf(start);
	pid = fork();
	if (pid == 0)
		child(start);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define RUN(...)                                                                               \
	do {                                                                                   \
		int status = run(&(struct start){__VA_ARGS__});                                \
		ck_assert_int_eq(status, 0);                                                   \
	} while (0)

/* Everything below happens over these: what is configured, and what to find mapped. */
static const struct heap {
	const char *stack;
	const char *mapped;
} heaps[] = {
	{NULL, "libchic_alloc_preload.so"},
	{forward, "/forward.so"},
	{"module = libmimalloc.so.2\n", "libmimalloc.so.2"},
	{"module = sized\n[module sized]\npath = " TEST_MODULE_DIR "/sized.so\n", "/sized.so"},
};

/* Vendors' libraries are tried where they are installed. */
static bool is_installed(const struct heap *heap)
{
	return strncmp(heap->mapped, "libmimalloc", 11) != 0 ||
	       dlopen(heap->mapped, RTLD_LAZY | RTLD_LOCAL);
}

static void run_over(const struct heap *heap, const char *telemetry, const char *action)
{
	if (is_installed(heap))
		RUN(.telemetry = telemetry, .stack = heap->stack,
		    .argv = {PROGRAM, action, heap->mapped});
}

START_TEST(family_behaves_the_same_over_every_heap)
{
	run_over(&heaps[_i], "off", "family");
	run_over(&heaps[_i], "calls", "family");
	run_over(&heaps[_i], "full", "family");
}
END_TEST

START_TEST(calls_are_counted_exactly)
{
	run_over(&heaps[_i], "calls", "counted");
	run_over(&heaps[_i], "calls", "threads_counted");
}
END_TEST

START_TEST(bytes_are_counted_exactly)
{
	run_over(&heaps[_i], "full", "counted_fully");
	run_over(&heaps[_i], "full", "threads_counted");
}
END_TEST

#define SIZED TEST_MODULE_DIR "/sized_malloc_family.so"
#define OVERRUN TEST_MODULE_DIR "/overrun_malloc_family.so"

START_TEST(sizes_are_known_only_where_they_are_true)
{
	for (size_t i = 0; i < sizeof(heaps) / sizeof(heaps[0]); i++)
		run_over(&heaps[i], "full", "counted_sizes");
	RUN(.telemetry = "full", .argv = {PROGRAM, "counted_sizes", SIZED},
	    .stack = "module = sized\n[module sized]\npath = " SIZED "\nprefix = sz_\n",
	    .environment = "SIZED_FAMILY=" SIZED);
	RUN(.telemetry = "full", .argv = {PROGRAM, "counted_sizes", OVERRUN},
	    .stack = "module = overrun\n[module overrun]\npath = " OVERRUN "\nprefix = ov_\n");
}
END_TEST

START_TEST(failures_are_not_counted_in_full)
{
	run_over(&heaps[_i], "full", "exhausted_fully");
}
END_TEST

START_TEST(blocks_from_before_environ_live_on)
{
	run_over(&heaps[_i], "off", "early");
	run_over(&heaps[_i], "full", "early");
}
END_TEST

START_TEST(constructors_may_use_much)
{
	run_over(&heaps[_i], "off", "hungry");
	run_over(&heaps[_i], "full", "hungry");
}
END_TEST

START_TEST(not_all_between_the_ranges_is_the_boot_arenas)
{
	run_over(&heaps[0], "calls", "between_ranges");
	run_over(&heaps[1], "calls", "between_ranges");
}
END_TEST

START_TEST(threads_come_and_go)
{
	run_over(&heaps[_i], "off", "threads");
	run_over(&heaps[_i], "calls", "threads");
}
END_TEST

START_TEST(threads_and_forks_mix)
{
	run_over(&heaps[_i], "calls", "forks");
}
END_TEST

START_TEST(early_fork_handlers_may_allocate)
{
	run_over(&heaps[_i], "calls", "early_fork");
	run_over(&heaps[_i], "off", "early_fork");
}
END_TEST

START_TEST(deeply_bound_libraries_use_the_same_heap)
{
	run_over(&heaps[_i], "calls", "deep");
	run_over(&heaps[_i], "calls", "deep_in_namespace");
}
END_TEST

START_TEST(operators_are_counted_and_throw)
{
	if (access(OPERATORS, X_OK) != 0)
		return; /* built without a C++ compiler */
	if (is_installed(&heaps[_i]))
		RUN(.telemetry = "calls", .stack = heaps[_i].stack, .argv = {OPERATORS});
}
END_TEST

START_TEST(little_address_space_suffices)
{
	RUN(.stack = heaps[_i].stack, .argv = {PROGRAM, "early"},
	    .address_space = (rlim_t)60000 << 10);
}
END_TEST

START_TEST(closed_descriptors_are_no_matter)
{
	if (is_installed(&heaps[_i]))
		RUN(.stack = heaps[_i].stack, .argv = {PROGRAM, "family", heaps[_i].mapped},
		    .closed = true);
}
END_TEST

START_TEST(disabled_by_the_environment)
{
	RUN(.stack = forward, .argv = {PROGRAM, "family", "!/forward.so"},
	    .environment = "CHIC_ALLOC_DISABLE=1");
	RUN(.stack = forward, .argv = {PROGRAM, "family", "/forward.so"},
	    .environment = "CHIC_ALLOC_DISABLE=0");
}
END_TEST

START_TEST(program_with_its_own_malloc_is_left_alone)
{
	RUN(.stack = forward, .argv = {OWN_MALLOC});
}
END_TEST

static Suite *preload_suite(void)
{
	const struct {
		const char *name;
		const TTest *test;
		int heaps; /* how many of heaps[] it is run over; 0: once */
	} cases[] = {
		{"family", family_behaves_the_same_over_every_heap, 4},
		{"calls", calls_are_counted_exactly, 4},
		{"bytes", bytes_are_counted_exactly, 4},
		{"sizes", sizes_are_known_only_where_they_are_true, 0},
		{"exhausted", failures_are_not_counted_in_full, 2},
		{"early", blocks_from_before_environ_live_on, 3},
		{"hungry constructors", constructors_may_use_much, 3},
		{"ranges", not_all_between_the_ranges_is_the_boot_arenas, 0},
		{"threads", threads_come_and_go, 4},
		{"forks", threads_and_forks_mix, 4},
		{"early forks", early_fork_handlers_may_allocate, 3},
		{"deep binding", deeply_bound_libraries_use_the_same_heap, 3},
		{"operators", operators_are_counted_and_throw, 4},
		{"address space", little_address_space_suffices, 2},
		{"closed", closed_descriptors_are_no_matter, 3},
		{"disabled", disabled_by_the_environment, 0},
		{"own malloc", program_with_its_own_malloc_is_left_alone, 0},
	};
	Suite *suite = suite_create("preload");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		TCase *tcase = tcase_create(cases[i].name);

		tcase_set_timeout(tcase, CHECK_TIMEOUT);
		tcase_add_checked_fixture(tcase, setup, teardown);
		tcase_add_loop_test(tcase, cases[i].test, 0,
				    cases[i].heaps ? cases[i].heaps : 1);
		suite_add_tcase(suite, tcase);
	}
	return suite;
}

CHECK_MAIN(preload_suite)
