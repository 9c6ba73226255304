// SPDX-License-Identifier: BSD-2-Clause
/*
 * check.h here, and the main function of programs that use it.
 */
#include <check.h>
#include <stdarg.h>

#include "../core.h"
#include "machine.h"

#define TESTS_MAX 24
#define TCASES_MAX 6

struct TCase {
	void (*setup)(void);
	void (*teardown)(void);
	struct {
		const TTest *test;
		int from, to;
	} tests[TESTS_MAX];
	size_t n;
};

struct Suite {
	const char *name;
	TCase *tcases[TCASES_MAX];
	size_t n;
};

static Suite the_suite;
static TCase all_tcases[TCASES_MAX];
static size_t n_tcases;

/* ---- output ---- */

static void put(const char *text)
{
	machine_write(text, strlen(text));
}

static void put_number(size_t n)
{
	char digits[24], *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do
		*--at = (char)('0' + n % 10);
	while (n /= 10);
	put(at);
}

static void put_argument(const char **at, va_list *args)
{
	if (**at == 'z')
		++*at;
	switch (*(*at)++) {
	case 's':
		put(va_arg(*args, const char *));
		break;
	case 'd':
		put_number((size_t)va_arg(*args, int));
		break;
	default:
		put_number((*at)[-2] == 'z' ? va_arg(*args, size_t) : va_arg(*args, unsigned));
	}
}

static void put_all(const char *format, va_list *args)
{
	while (*format) {
		if (*format == '%') {
			format++;
			put_argument(&format, args);
		} else {
			machine_write(format++, 1);
		}
	}
}

void core_print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_all(format, &args);
	va_end(args);
}

void check_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	core_print("%s:%d: ", file, line);
	va_start(args, format);
	put_all(format, &args);
	va_end(args);
	put("\n");
	machine_exit(1);
}

/* ---- suites ---- */

Suite *suite_create(const char *name)
{
	the_suite = (Suite){.name = name};
	return &the_suite;
}

TCase *tcase_create(const char *name)
{
	(void)name;
	ck_assert(n_tcases < TCASES_MAX);
	return &all_tcases[n_tcases++];
}

void suite_add_tcase(Suite *suite, TCase *tcase)
{
	suite->tcases[suite->n++] = tcase;
}

void tcase_add_checked_fixture(TCase *tcase, void (*setup)(void), void (*teardown)(void))
{
	tcase->setup = setup;
	tcase->teardown = teardown;
}

void tcase_add_loop_test(TCase *tcase, const TTest *test, int from, int to)
{
	ck_assert(tcase->n < TESTS_MAX);
	tcase->tests[tcase->n].test = test;
	tcase->tests[tcase->n].from = from;
	tcase->tests[tcase->n++].to = to;
}

static void run_one(const TCase *tcase, const TTest *test, int i)
{
	if (tcase->setup)
		tcase->setup();
	test->fn(i);
	if (tcase->teardown)
		tcase->teardown();
}

static unsigned run_tcase(const TCase *tcase)
{
	unsigned n = 0;

	for (size_t t = 0; t < tcase->n; t++)
		for (int i = tcase->tests[t].from; i < tcase->tests[t].to; i++, n++)
			run_one(tcase, tcase->tests[t].test, i);
	return n;
}

unsigned suite_run(Suite *suite)
{
	unsigned n = 0;

	for (size_t i = 0; i < suite->n; i++)
		n += run_tcase(suite->tcases[i]);
	return n;
}

void machine_main(void)
{
	unsigned n = suite_run(make_suite());

	core_print("%u tests passed\n", n);
	machine_exit(0);
}
