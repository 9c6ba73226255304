// SPDX-License-Identifier: BSD-2-Clause
/*
 * Names of the functions in stacks, each looked up once: a program has far more
 * frames than functions, and to find one reads its whole file's symbols.
 */
#include <string.h>

#include "counting.h"

/* Addresses, of which those pages count that are used. */
#define NAMES_MAX (32 * 1024)
#define TEXT_MAX (4 * 1024 * 1024)

struct counting_names {
	size_t n, used;
	struct {
		uintptr_t pc;
		uint32_t text;
	} names[NAMES_MAX]; /* by hash, in the next free place */
	char text[TEXT_MAX];
};

struct counting_names *counting_names_new(void)
{
	return pages_new(sizeof(struct counting_names));
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

static const char *basename_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A function, or else where in which file; nothing that separates frames. */
static void name_make(uintptr_t pc, char *name, size_t size)
{
	struct stacktrace_place place;
	size_t len, i;

	stacktrace_place(&place, pc);
	if (*place.symbol) {
		len = smaller(strlen(place.symbol), size - 1);
		memcpy(name, place.symbol, len);
		name[len] = '\0';
	} else {
		len = smaller(strlen(basename_of(place.object)), size - 20);
		memcpy(name, basename_of(place.object), len);
		name[len] = '\0';
		counting_hex_append(name, size, len ? "+0x" : "0x", place.object_offset);
	}
	for (i = 0; name[i]; i++)
		if (name[i] == ';' || (unsigned char)name[i] <= ' ')
			name[i] = '_';
}

const char *counting_name(struct counting_names *names, uintptr_t pc, char *buffer, size_t size)
{
	size_t i = place_of(names, pc), len;

	if (names->names[i].pc)
		return names->text + names->names[i].text;
	name_make(pc, buffer, size);
	len = strlen(buffer) + 1;
	if (names->n + 1 == NAMES_MAX || TEXT_MAX - names->used < len)
		return buffer;
	memcpy(names->text + names->used, buffer, len);
	names->names[i].text = (uint32_t)names->used;
	names->names[i].pc = pc;
	names->used += len;
	names->n++;
	return names->text + names->names[i].text;
}
