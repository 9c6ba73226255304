/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests that do random operations to an object and to a plain model beside it:
 * numbers that repeat, operations by weight, and the suite of such a test.
 */
#ifndef MODEL_SUPPORT_H
#define MODEL_SUPPORT_H

#include "check_support.h"
#include "ledger.h"

enum { OPERATIONS = 100000 };

static uint64_t random_state;

static inline void random_begin(int seed)
{
	random_state = UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)(1 + seed);
}

static inline uint64_t random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static inline size_t random_below(size_t n)
{
	return (random_bits() >> 11) % n;
}

struct operation {
	void (*run)(void);
	unsigned weight;
};

static inline void operate(const struct operation *operations, size_t count)
{
	unsigned total = 0, n;

	for (size_t i = 0; i < count; i++)
		total += operations[i].weight;
	n = random_below(total);
	while (n >= operations->weight)
		n -= operations++->weight;
	operations->run();
}

/* Whether the next operation's requests are refused: one in ten. */
static inline bool refuse_some(void)
{
	bool refuse = random_below(10) == 0;

	ledger_fail(refuse ? 1 : 0, true);
	return refuse;
}

static inline void model_setup(void)
{
	chic_rt_allocator_reset(); /* start-up is over */
	ledger_install();
}

/* A test that loops over its seeds. */
static inline Suite *model_suite(const char *name, const TTest *test, int seeds)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create("model");

	tcase_add_checked_fixture(tcase, model_setup, ledger_remove);
	tcase_set_timeout(tcase, CHECK_TIMEOUT);
	tcase_add_loop_test(tcase, test, 0, seeds);
	suite_add_tcase(suite, tcase);
	return suite;
}

#endif /* MODEL_SUPPORT_H */
