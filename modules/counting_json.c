// SPDX-License-Identifier: BSD-2-Clause
/*
 * A report of counting for programs: one object of JSON.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../runtime/utf8.h"
#include "counting.h"

static void put_ascii(struct writer *w, unsigned char c)
{
	if (c == '"' || c == '\\')
		put_text(w, "\\");
	if (c >= 0x20 && c != 0x7f) {
		put_bytes(w, (const char *)&c, 1);
		return;
	}
	put_text(w, "\\u");
	put_hex(w, c, 4);
}

static void put_string(struct writer *w, const char *text)
{
	size_t length;

	put_text(w, "\"");
	for (; *text; text += length ? length : 1) {
		length = utf8_length(text);
		if (length == 1)
			put_ascii(w, (unsigned char)*text);
		else if (length)
			put_bytes(w, text, length);
		else
			put_text(w, "\\ufffd");
	}
	put_text(w, "\"");
}

/* The comma is what the caller puts before all but the first. */
static void put_key(struct writer *w, const char *before, const char *key)
{
	put_text(w, before);
	put_text(w, "\"");
	put_text(w, key);
	put_text(w, "\": ");
}

static void put_member(struct writer *w, const char *before, const char *key, uint64_t n)
{
	put_key(w, before, key);
	put_number(w, n, 0);
}

/* Its braces are the caller's. */
static void put_sum(struct writer *w, const char *before, const struct counting_sum *sum)
{
	put_member(w, before, "blocks", sum->blocks);
	put_member(w, ", ", "bytes", sum->bytes);
	put_member(w, ", ", "freed_blocks", sum->freed_blocks);
	put_member(w, ", ", "freed_bytes", sum->freed_bytes);
}

static void put_pair(struct writer *w, const char *key, size_t blocks, size_t bytes)
{
	put_key(w, ",\n  ", key);
	put_member(w, "{", "blocks", blocks);
	put_member(w, ", ", "bytes", bytes);
	put_text(w, "}");
}

/* The last class has no bound that a number could say. */
static void put_classes(struct writer *w, const struct counting_sums *sums)
{
	const char *before = "\n    ";

	put_key(w, ",\n  ", "sizes");
	put_text(w, "[");
	for (unsigned k = 0; k < COUNTING_CLASSES; k++) {
		if (!sums->classes[k].blocks && !sums->classes[k].freed_blocks)
			continue;
		put_text(w, before);
		put_member(w, "{", "up_to", UINT64_C(1) << k);
		put_sum(w, ", ", &sums->classes[k]);
		put_text(w, "}");
		before = ",\n    ";
	}
	put_text(w, "\n  ]");
}

static void put_threads(struct writer *w, const struct counting_sums *sums)
{
	put_key(w, ",\n  ", "threads");
	put_text(w, "[");
	for (size_t i = 0; i < sums->n_threads; i++) {
		put_text(w, i ? ",\n    " : "\n    ");
		put_member(w, "{", "id", (uint64_t)sums->threads[i].tid);
		put_sum(w, ", ", &sums->threads[i].sum);
		put_text(w, "}");
	}
	put_text(w, "\n  ]");
	put_key(w, ",\n  ", "other_threads");
	put_member(w, "{", "threads", sums->n_others);
	put_sum(w, ", ", &sums->others);
	put_text(w, "}");
	put_key(w, ",\n  ", "ended_threads");
	put_sum(w, "{", &sums->ended);
	put_text(w, "}");
}

/* --------------------------------------------------------------- sites -- */

static void put_lifetimes(struct writer *w, const struct counting_sites *s)
{
	uint64_t most = 1000;

	put_key(w, ",\n    ", "lifetimes");
	put_text(w, "[");
	for (unsigned k = 0; k < COUNTING_LIFETIMES; k++, most *= 10) {
		struct counting_sum sum = counting_site_sum(&s->lifetimes[k]);

		put_key(w, k ? ",\n      {" : "\n      {", "up_to_ns");
		if (k == COUNTING_LIFETIMES - 1)
			put_text(w, "null");
		else
			put_number(w, most, 0);
		put_member(w, ", ", "blocks", sum.blocks);
		put_member(w, ", ", "bytes", sum.bytes);
		put_text(w, "}");
	}
	put_text(w, "\n    ]");
}

void counting_json_name(struct writer *w, const struct stacktrace_place *place)
{
	put_key(w, "{", "object");
	put_string(w, place->object);
	put_member(w, ", ", "offset", place->object_offset);
	put_key(w, ", ", "symbol");
	if (*place->symbol)
		put_string(w, place->symbol);
	else
		put_text(w, "null");
	put_text(w, "}");
}

static void put_top(struct counting *c, const char *key, enum counting_order order)
{
	const struct counting_top *top = &c->output->tops.by[order];
	struct writer *w = &c->output->writer;
	const uintptr_t *pcs = NULL;

	put_key(w, ",\n    ", key);
	put_text(w, "[");
	for (size_t i = 0; i < top->n; i++) {
		size_t n = stacktrace_get(&c->sites->stacks, top->sites[i].stack, &pcs);

		put_text(w, i ? ",\n      " : "\n      ");
		put_sum(w, "{", &top->sites[i].sum);
		put_key(w, ", ", "stack");
		put_text(w, "[");
		for (size_t k = 0; k < n; k++) {
			put_text(w, k ? ",\n        " : "\n        ");
			put_text(w, counting_name(c->output->names, pcs[k]));
		}
		put_text(w, "]}");
	}
	put_text(w, "\n    ]");
}

static void put_sites(struct counting *c)
{
	struct writer *w = &c->output->writer;

	put_key(w, ",\n  ", "sites");
	put_member(w, "{\n    ", "sampled_every", c->sites->period);
	put_member(w, ",\n    ", "samples", atomic_load(&c->sites->samples));
	put_member(w, ",\n    ", "samples_lost", atomic_load(&c->sites->lost));
	put_member(w, ",\n    ", "sites", c->output->tops.n_sites);
	put_lifetimes(w, c->sites);
	put_top(c, "by_live_bytes", COUNTING_LIVE_BYTES);
	put_top(c, "by_total_bytes", COUNTING_TOTAL_BYTES);
	put_top(c, "by_total_blocks", COUNTING_TOTAL_BLOCKS);
	put_text(w, "\n  }");
}

void counting_json(struct counting *c)
{
	const struct counting_sums *sums = &c->output->sums;
	struct writer *w = &c->output->writer;
	const struct counting_sum *all = &sums->all;

	put_member(w, "{\n  ", "pid", (uint64_t)getpid());
	put_key(w, ",\n  ", "program");
	put_string(w, program_invocation_short_name);
	put_pair(w, "live", all->blocks - all->freed_blocks, all->bytes - all->freed_bytes);
	put_key(w, ",\n  ", "peak");
	put_member(w, "{", "bytes", sums->peak_bytes);
	put_member(w, ", ", "within", sums->peak_within);
	put_text(w, "}");
	put_pair(w, "total", all->blocks, all->bytes);
	put_classes(w, sums);
	put_threads(w, sums);
	if (c->sites)
		put_sites(c);
	put_text(w, "\n}\n");
}
