// SPDX-License-Identifier: BSD-2-Clause
/*
 * The counters of every way of the runtime to memory (paths.h) are the same whoever
 * serves: the default, tables of any of the four hooks, and the modules that a
 * configuration names.  What else must hold of each is in core_paths.c.
 */
#include "check_support.h"
#include "paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chic_alloc.h"

CHIC_ALLOC_MANUAL();

static const struct path_family *const families[] = {
	&vec_paths,    &region_paths, &object_paths, &map_paths,
	&shared_paths, &string_paths, &large_paths,
};

enum { FAMILIES = sizeof(families) / sizeof(families[0]) };

static void setup(void)
{
	chic_rt_allocator_reset(); /* start-up is over */
}

static void each_path(void (*fn)(const struct path *))
{
	for (size_t f = 0; f < FAMILIES; f++)
		for (const struct path *p = families[f]->path; p->name; p++)
			fn(p);
}

static bool run(const struct path *p)
{
	bool done;

	if (p->prepare)
		p->prepare();
	done = p->run();
	p->clean();
	return done;
}

/* ---- counters ---- */

static void run_well(const struct path *p)
{
	ck_assert_msg(run(p), "%s failed", p->name);
}

static AllocationTelemetry telemetry_of_all(void)
{
	chic_rt_reset_alloc_stats();
	each_path(run_well);
	return chic_rt_alloc_stats();
}

static void check_same(AllocationTelemetry got, AllocationTelemetry want)
{
	ck_assert_uint_eq(got.alloc_calls, want.alloc_calls);
	ck_assert_uint_eq(got.alloc_zeroed_calls, want.alloc_zeroed_calls);
	ck_assert_uint_eq(got.realloc_calls, want.realloc_calls);
	ck_assert_uint_eq(got.free_calls, want.free_calls);
	ck_assert_uint_eq(got.alloc_bytes, want.alloc_bytes);
	ck_assert_uint_eq(got.alloc_zeroed_bytes, want.alloc_zeroed_bytes);
	ck_assert_uint_eq(got.realloc_bytes, want.realloc_bytes);
	ck_assert_uint_eq(got.freed_bytes, want.freed_bytes);
}

START_TEST(counters_are_the_same_with_every_table)
{
	AllocationTelemetry want = telemetry_of_all();

	ck_assert_uint_gt(want.alloc_calls, 0);
	ck_assert_uint_gt(want.realloc_calls, 0);
	ck_assert_uint_eq(want.alloc_calls + want.alloc_zeroed_calls, want.free_calls);
	ck_assert_uint_eq(want.alloc_bytes + want.alloc_zeroed_bytes + want.realloc_bytes,
			  want.freed_bytes);
	for (unsigned hooks = 0; hooks <= LEDGER_ALL; hooks++) {
		ledger_install_partial(hooks);
		check_same(telemetry_of_all(), want);
		ledger_remove();
	}
	ledger_install();
	check_same(telemetry_of_all(), want);
}
END_TEST

/* ---- modules by configuration ---- */

static const char *const stacks[] = {
	"arena", "guard", "counting", "counting, guard", "counting, arena", "guard, arena",
};

enum { STACKS = sizeof(stacks) / sizeof(stacks[0]) };

static void write_conf(const char *conf, const char *stack)
{
	FILE *f = fopen(conf, "we");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "[allocator]\nlog = none\nmodule = %s\n", stack);
	fclose(f);
	ck_assert_int_eq(chmod(conf, 0644), 0);
}

START_TEST(counters_are_the_same_under_modules)
{
	char dir[] = "/tmp/check_paths.XXXXXX", conf[sizeof(dir) + 5];
	AllocationTelemetry want = telemetry_of_all();

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(conf, sizeof(conf), "%s/conf", dir);
	write_conf(conf, stacks[_i]);
	ck_assert_msg(chic_alloc_load(conf) == 0, "%s: %s", stacks[_i], chic_alloc_message());
	unlink(conf);
	rmdir(dir);
	check_same(telemetry_of_all(), want);
	ck_assert_msg(chic_alloc_unload() == 0, "%s: %s", stacks[_i], chic_alloc_message());
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("paths");
	TCase *tcase = tcase_create("paths");

	tcase_add_checked_fixture(tcase, setup, ledger_remove);
	tcase_set_timeout(tcase, CHECK_TIMEOUT);
	tcase_add_test(tcase, counters_are_the_same_with_every_table);
	tcase_add_loop_test(tcase, counters_are_the_same_under_modules, 0, STACKS);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
