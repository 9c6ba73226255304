/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of the core and of the runtime that need no C library, so that the same sources
 * run hosted, in a static program of nothing but themselves, and in firmware.  They
 * print counters, which are compared between these.
 */
#ifndef CORE_H
#define CORE_H

#include <check.h>

/* Of core_hooks.c and core_paths.c. */
TCase *hooks_tcase(void);
TCase *paths_tcase(void);

Suite *make_suite(void);

/* ---- what a platform has of its own ---- */

/* Tests that come before and after those. */
void core_first(Suite *suite);
void core_last(Suite *suite);
/* As printf, to where the output of the program goes; %s, %u, %d and %zu. */
void core_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Lines "NAME calls ..." and "NAME bytes ..." of the eight counters.  Bytes depend on
 * the size of a word where containers are involved.
 */
void core_counters(const char *name);

#endif /* CORE_H */
