// SPDX-License-Identifier: BSD-2-Clause
/*
 * What must hold for every way of the runtime to memory (paths.h): it reaches the
 * hooks, it leaves nothing behind, every request may be refused, and the counters are
 * the same whoever serves: the default, tables of any of the four hooks, and the
 * modules that a configuration names.
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

static void nothing_left(const struct path *p)
{
	if (ledger_live_blocks())
		ck_abort_msg("%s leaves %zu blocks, %zu bytes", p->name, ledger_live_blocks(),
			     ledger_live_bytes());
	ledger_nothing_left();
}

static void reach_hooks(const struct path *p)
{
	size_t requests;

	ledger_install();
	if (p->prepare)
		p->prepare();
	requests = ledger_requests();
	ck_assert_msg(p->run(), "%s failed", p->name);
	ck_assert_msg(ledger_requests() > requests, "%s reached no hook", p->name);
	p->clean();
	nothing_left(p);
}

START_TEST(each_reaches_the_hooks_and_leaves_nothing)
{
	each_path(reach_hooks);
}
END_TEST

/* The nth request of the call is refused; false: it has fewer. */
static bool refuse(const struct path *p, size_t n, bool for_good)
{
	bool done, failed;

	ledger_install();
	if (p->prepare)
		p->prepare();
	ledger_fail(n, for_good);
	done = p->run();
	failed = ledger_failed();
	ck_assert_msg(done || failed, "%s failed without a cause", p->name);
	ck_assert_msg(!done || !failed || !for_good, "%s did not see the refusal", p->name);
	p->clean();
	nothing_left(p);
	return failed;
}

static void refuse_each(const struct path *p)
{
	for (size_t n = 1; refuse(p, n, false); n++)
		;
	for (size_t n = 1; refuse(p, n, true); n++)
		;
}

START_TEST(each_request_may_be_refused)
{
	each_path(refuse_each);
}
END_TEST

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
	tcase_add_test(tcase, each_reaches_the_hooks_and_leaves_nothing);
	tcase_add_test(tcase, each_request_may_be_refused);
	tcase_add_test(tcase, counters_are_the_same_with_every_table);
	tcase_add_loop_test(tcase, counters_are_the_same_under_modules, 0, STACKS);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
