// SPDX-License-Identifier: BSD-2-Clause
/*
 * A report of counting for flame graphs: a stack a line, outermost first and its
 * frames separated by semicolons, then the bytes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "counting.h"

static const char *basename_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Nothing that separates frames, or the stack from its number. */
static void put_word(struct writer *w, const char *text)
{
	for (; *text; text++)
		put_bytes(w, *text == ';' || (unsigned char)*text <= ' ' ? "_" : text, 1);
}

/* The function, or else where in which file. */
void counting_collapsed_name(struct writer *w, const struct stacktrace_place *place)
{
	if (*place->symbol) {
		put_word(w, place->symbol);
		return;
	}
	put_word(w, basename_of(place->object));
	put_text(w, *place->object ? "+0x" : "0x");
	put_hex(w, place->object_offset, 0);
}

static void put_site(struct counting *c, uint32_t stack)
{
	struct counting_sum sum = counting_site_sum(counting_site_of(c->sites, stack));
	size_t bytes = c->output->total ? sum.bytes : sum.bytes - sum.freed_bytes;
	struct writer *w = &c->output->writer;
	const uintptr_t *pcs = NULL;
	size_t n;

	if (!bytes)
		return;
	put_word(w, program_invocation_short_name);
	for (n = stacktrace_get(&c->sites->stacks, stack, &pcs); n; n--) {
		put_text(w, ";");
		put_text(w, counting_name(c->output->names, pcs[n - 1]));
	}
	put_text(w, stack ? " " : ";[unknown] ");
	put_number(w, bytes, 0);
	put_text(w, "\n");
}

static bool put_stack(uint32_t stack, void *arg)
{
	put_site(arg, stack);
	return true;
}

void counting_collapsed(struct counting *c)
{
	put_site(c, 0);
	stacktrace_each(&c->sites->stacks, put_stack, c);
}
