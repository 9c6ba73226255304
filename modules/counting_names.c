// SPDX-License-Identifier: BSD-2-Clause
/*
 * What reports of counting say of an address in a stack, each made once: a program
 * has far more frames than calls, and to find a function reads its whole file's
 * symbols.
 */
#include <string.h>

#include "counting.h"

/* Addresses, of which those pages count that are used. */
#define NAMES_MAX (32 * 1024)
#define TEXT_MAX (4 * 1024 * 1024)

struct counting_names {
	counting_namer *make;
	struct writer line; /* never writes: it is longer than what is made in it */
	struct stacktrace_place place;
	size_t n, used;
	struct {
		uintptr_t pc;
		uint32_t text;
	} names[NAMES_MAX]; /* by hash, in the next free place */
	char text[TEXT_MAX];
};

struct counting_names *counting_names_new(counting_namer *make)
{
	struct counting_names *names = pages_new(sizeof(*names));

	if (names)
		names->make = make;
	return names;
}

void counting_names_free(struct counting_names *names)
{
	if (names)
		munmap(names, sizeof(*names));
}

static size_t place_of(const struct counting_names *names, uintptr_t pc)
{
	size_t i = ((uint64_t)pc * UINT64_C(0x9e3779b97f4a7c15) >> 40) % NAMES_MAX;

	while (names->names[i].pc && names->names[i].pc != pc)
		i = (i + 1) % NAMES_MAX;
	return i;
}

static const char *make(struct counting_names *names, uintptr_t pc)
{
	names->line.len = 0;
	stacktrace_place(&names->place, pc);
	names->make(&names->line, &names->place);
	put_bytes(&names->line, "", 1);
	return names->line.bytes;
}

const char *counting_name(struct counting_names *names, uintptr_t pc)
{
	size_t i = place_of(names, pc), len;
	const char *name;

	if (names->names[i].pc)
		return names->text + names->names[i].text;
	name = make(names, pc);
	len = strlen(name) + 1;
	/* what does not fit is made each time */
	if (names->n + 1 == NAMES_MAX || TEXT_MAX - names->used < len)
		return name;
	names->names[i].text = (uint32_t)names->used;
	names->used += len;
	names->n++;
	memcpy(names->text + names->names[i].text, name, len);
	/* at the end: a child may be forked before, in which there is no such name */
	names->names[i].pc = pc;
	return names->text + names->names[i].text;
}
