/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For programs that shell tests start, each with many things that it can do: what is
 * asked for by name.
 */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(what)                                                                             \
	do {                                                                                   \
		if (!(what)) {                                                                 \
			printf("line %d: not %s\n", __LINE__, #what);                          \
			exit(1);                                                               \
		}                                                                              \
	} while (0)

struct scenario {
	const char *name;
	void (*fn)(void);
};

/* clang-format off */
#define SCENARIO(fn) {#fn, fn}
/* clang-format on */

/* False: it is none of these, of which the last has no name. */
static bool scenario_run(const struct scenario *s, const char *name)
{
	for (; s->name; s++)
		if (strcmp(s->name, name) == 0) {
			s->fn();
			return true;
		}
	return false;
}

#endif /* SCENARIO_H */
