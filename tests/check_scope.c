// SPDX-License-Identifier: BSD-2-Clause
/*
 * Telemetry scopes: what they let pass, and what they say of the first difference.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "ledger.h"

#include <string.h>
#include <unistd.h>
#include <signal.h>
#include <sys/wait.h>

#include "chic_alloc.h"

CHIC_ALLOC_MANUAL();

static char message[200];

static void setup(void)
{
	chic_rt_allocator_reset(); /* start-up is over */
	ledger_install();
}

static int32_t end(const ChicTelemetryScope *scope, const ChicTelemetryBudget *budget)
{
	memset(message, 'x', sizeof(message));
	return chic_rt_telemetry_end(scope, budget, message, sizeof(message));
}

START_TEST(balanced_work_passes)
{
	ValueMutPtr before = chic_rt_alloc(50, 8);
	ChicTelemetryScope scope = chic_rt_telemetry_begin("balanced");
	ValueMutPtr block = chic_rt_alloc(10, 8);
	RegionHandle region = chic_rt_region_enter(1);

	block = chic_rt_realloc(block, 10, 1000, 8);
	chic_rt_region_alloc(region, 100, 8);
	chic_rt_region_exit(region);
	chic_rt_free(block);
	ck_assert_int_eq(end(&scope, NULL), 0);
	ck_assert_str_eq(message, "");
	chic_rt_free(before); /* less than at the start is no leak */
	ck_assert_int_eq(end(&scope, NULL), 0);
	ck_assert_int_eq(chic_rt_telemetry_end(&scope, NULL, NULL, 0), 0);
	chic_rt_telemetry_assert(&scope, NULL);
}
END_TEST

START_TEST(the_first_difference_is_named)
{
	ChicTelemetryScope scope = chic_rt_telemetry_begin("importer");
	ValueMutPtr block = chic_rt_alloc(10, 8), other = chic_rt_alloc_zeroed(20, 8);
	ChicTelemetryBudget budget = {2, 30, SIZE_MAX, SIZE_MAX};

	ck_assert_int_eq(end(&scope, NULL), -1);
	ck_assert_str_eq(message, "scope importer: live blocks more than at its start: "
				  "found 2, allowed 0");
	ck_assert_int_eq(end(&scope, &budget), 0);
	budget.live_bytes = 29;
	ck_assert_int_eq(end(&scope, &budget), -1);
	ck_assert_str_eq(message, "scope importer: live bytes more than at its start: "
				  "found 30, allowed 29");
	chic_rt_free(block);
	block = chic_rt_alloc(40, 8);
	chic_rt_free(block);
	chic_rt_free(other);
	budget = (ChicTelemetryBudget){0, 0, 3, 70};
	ck_assert_int_eq(end(&scope, &budget), 0);
	budget.calls = 2;
	ck_assert_int_eq(end(&scope, &budget), -1);
	ck_assert_str_eq(message, "scope importer: calls that allocate: found 3, allowed 2");
	budget = (ChicTelemetryBudget){0, 0, SIZE_MAX, 69};
	ck_assert_int_eq(end(&scope, &budget), -1);
	ck_assert_str_eq(message, "scope importer: bytes allocated: found 70, allowed 69");
}
END_TEST

START_TEST(growth_of_one_block_is_seen_in_bytes)
{
	ValueMutPtr block = chic_rt_alloc(10, 8);
	ChicTelemetryScope scope = chic_rt_telemetry_begin(NULL);

	block = chic_rt_realloc(block, 10, 15, 8);
	ck_assert_int_eq(end(&scope, NULL), -1);
	ck_assert_str_eq(message, "scope unnamed: live bytes more than at its start: "
				  "found 5, allowed 0");
	chic_rt_free(block);
}
END_TEST

START_TEST(a_reset_within_is_a_difference)
{
	ChicTelemetryScope scope;

	chic_rt_free(chic_rt_alloc(10, 8));
	scope = chic_rt_telemetry_begin("reset");
	chic_rt_reset_alloc_stats();
	ck_assert_int_eq(end(&scope, NULL), -1);
	ck_assert_str_eq(message, "scope reset: the counters were reset within it");
}
END_TEST

START_TEST(a_message_is_cut_to_fit)
{
	ChicTelemetryScope scope = chic_rt_telemetry_begin("cut");
	ValueMutPtr block = chic_rt_alloc(10, 8);

	memset(message, 'x', sizeof(message));
	ck_assert_int_eq(chic_rt_telemetry_end(&scope, NULL, message, 10), -1);
	ck_assert_str_eq(message, "scope cut");
	ck_assert_int_eq(chic_rt_telemetry_end(&scope, NULL, message, 0), -1);
	ck_assert_int_eq(chic_rt_telemetry_end(&scope, NULL, NULL, 10), -1);
	ck_assert_int_eq(chic_rt_telemetry_end(NULL, NULL, message, 10), -1);
	ck_assert_str_eq(message, "");
	chic_rt_free(block);
}
END_TEST

/* What the child that ends itself writes to standard error. */
static void words_of_the_aborted(int fd)
{
	ChicTelemetryScope scope = chic_rt_telemetry_begin("service");

	dup2(fd, STDERR_FILENO);
	chic_rt_alloc(64, 8);
	chic_rt_telemetry_assert(&scope, NULL);
	_exit(0);
}

START_TEST(an_assertion_that_fails_says_so_and_aborts)
{
	char words[200] = "";
	int fds[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0)
		words_of_the_aborted(fds[1]);
	ck_assert_int_gt(pid, 0);
	close(fds[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	ck_assert_int_gt(read(fds[0], words, sizeof(words) - 1), 0);
	ck_assert_str_eq(words, "chic-alloc: scope service: live blocks more than at its "
				"start: found 1, allowed 0\n");
	close(fds[0]);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("scope");
	TCase *tcase = tcase_create("scope");

	tcase_add_checked_fixture(tcase, setup, ledger_remove);
	tcase_add_test(tcase, balanced_work_passes);
	tcase_add_test(tcase, the_first_difference_is_named);
	tcase_add_test(tcase, growth_of_one_block_is_seen_in_bytes);
	tcase_add_test(tcase, a_reset_within_is_a_difference);
	tcase_add_test(tcase, a_message_is_cut_to_fit);
	tcase_add_test(tcase, an_assertion_that_fails_says_so_and_aborts);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
