// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every way of the runtime to memory (paths.h): it reaches the hooks, it leaves nothing
 * behind, and every request may be refused.
 */
#include "core.h"
#include "paths.h"

static const struct path_family *const families[] = {
	&vec_paths,   &region_paths, &object_paths, &map_paths, &shared_paths, &string_paths,
#ifndef HEAP_BYTES
	&large_paths,
#endif
};

static void setup(void)
{
	chic_rt_allocator_reset(); /* start-up is over */
}

static void each_path(void (*fn)(const struct path *))
{
	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++)
		for (const struct path *p = families[f]->path; p->name; p++)
			fn(p);
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
	core_counters(p->name);
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

TCase *paths_tcase(void)
{
	TCase *tcase = tcase_create("paths");

	tcase_add_checked_fixture(tcase, setup, ledger_remove);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, each_reaches_the_hooks_and_leaves_nothing);
	tcase_add_test(tcase, each_request_may_be_refused);
	return tcase;
}
