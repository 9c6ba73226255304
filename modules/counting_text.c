// SPDX-License-Identifier: BSD-2-Clause
/*
 * A report of counting to be read: one figure a line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "counting.h"

static void put_figure(struct writer *w, const char *name, size_t n)
{
	put_name(w, name, 15);
	put_text(w, " ");
	put_number(w, n, 20);
	put_text(w, "\n");
}

static void put_columns(struct writer *w, const size_t columns[4])
{
	for (size_t i = 0; i < 4; i++) {
		put_text(w, " ");
		put_number(w, columns[i], 16);
	}
	put_text(w, "\n");
}

static void put_heading(struct writer *w, const char *name, const char *third,
			const char *fourth)
{
	put_name(w, name, 15);
	put_text(w, "           blocks            bytes");
	put_text(w, third);
	put_text(w, fourth);
	put_text(w, "\n");
}

/* name and n, to the width of the first column */
static void put_label(struct writer *w, const char *name, size_t n)
{
	size_t width = 14, rest;

	for (rest = n; rest >= 10; rest /= 10)
		width--;
	width -= strlen(name);
	put_text(w, name);
	put_number(w, n, 0);
	put_name(w, "", width);
}

static void put_live(struct writer *w, const struct counting_sum *sum)
{
	put_columns(w,
		    (const size_t[]){sum->blocks, sum->bytes, sum->blocks - sum->freed_blocks,
				     sum->bytes - sum->freed_bytes});
}

static void put_classes(struct writer *w, const struct counting_sums *sums)
{
	put_heading(w, "sizes", "      live-blocks", "       live-bytes");
	for (unsigned k = 0; k < COUNTING_CLASSES; k++) {
		const struct counting_sum *sum = &sums->classes[k];

		if (!sum->blocks && !sum->freed_blocks)
			continue;
		put_label(w, "up-to 2^", k);
		put_live(w, sum);
	}
}

static void put_sum(struct writer *w, const struct counting_sum *sum)
{
	put_columns(w, (const size_t[]){sum->blocks, sum->bytes, sum->freed_blocks,
					sum->freed_bytes});
}

static void put_threads(struct writer *w, const struct counting_sums *sums)
{
	put_heading(w, "threads", "     freed-blocks", "      freed-bytes");
	for (size_t i = 0; i < sums->n_threads; i++) {
		put_label(w, "thread ", (size_t)sums->threads[i].tid);
		put_sum(w, &sums->threads[i].sum);
	}
	if (sums->n_others) {
		put_label(w, "others ", sums->n_others);
		put_sum(w, &sums->others);
	}
	if (sums->ended.blocks || sums->ended.freed_blocks) {
		put_name(w, "ended", 15);
		put_sum(w, &sums->ended);
	}
}

/* --------------------------------------------------------------- sites -- */

static void put_lifetimes(struct writer *w, const struct counting_sites *s)
{
	static const char names[COUNTING_LIFETIMES][12] = {
		"up-to 1us",  "up-to 10us",  "up-to 100us", "up-to 1ms",
		"up-to 10ms", "up-to 100ms", "up-to 1s",    "up-to 10s",
		"up-to 100s", "up-to 1000s", "longer",
	};

	put_heading(w, "lifetimes", "", "");
	for (unsigned k = 0; k < COUNTING_LIFETIMES; k++) {
		struct counting_sum sum = counting_site_sum(&s->lifetimes[k]);

		if (!sum.blocks)
			continue;
		put_name(w, names[k], 15);
		put_text(w, " ");
		put_number(w, sum.blocks, 16);
		put_text(w, " ");
		put_number(w, sum.bytes, 16);
		put_text(w, "\n");
	}
}

/* As addr2line wants it, and the function where it has a name. */
void counting_text_name(struct writer *w, const struct stacktrace_place *place)
{
	put_text(w, place->object);
	put_text(w, *place->object ? "+0x" : "0x");
	put_hex(w, place->object_offset, 0);
	if (!*place->symbol)
		return;
	put_text(w, " (");
	put_text(w, place->symbol);
	put_text(w, "+0x");
	put_hex(w, place->symbol_offset, 0);
	put_text(w, ")");
}

static void put_stack(struct counting *c, uint32_t stack)
{
	struct writer *w = &c->output->writer;
	const uintptr_t *pcs = NULL;
	size_t n = stacktrace_get(&c->sites->stacks, stack, &pcs);

	if (!n)
		put_text(w, "    (stack unknown)\n");
	for (size_t i = 0; i < n; i++) {
		put_text(w, "    ");
		put_text(w, counting_name(c->output->names, pcs[i]));
		put_text(w, "\n");
	}
}

static void put_top(struct counting *c, const char *title, enum counting_order order)
{
	const struct counting_top *top = &c->output->tops.by[order];
	struct writer *w = &c->output->writer;

	if (!top->n)
		return;
	put_text(w, title);
	put_text(w, "\n");
	put_heading(w, "", "      live-blocks", "       live-bytes");
	for (size_t i = 0; i < top->n; i++) {
		put_label(w, "site ", i + 1);
		put_live(w, &top->sites[i].sum);
		put_stack(c, top->sites[i].stack);
	}
}

static void put_sites(struct counting *c)
{
	struct writer *w = &c->output->writer;
	const struct counting_tops *tops = &c->output->tops;

	put_figure(w, "sampled-every", c->sites->period);
	put_figure(w, "samples", atomic_load(&c->sites->samples));
	put_figure(w, "samples-lost", atomic_load(&c->sites->lost));
	put_figure(w, "sites", tops->n_sites);
	put_lifetimes(w, c->sites);
	put_top(c,
		c->output->last ? "sites by live bytes, which were never freed"
				: "sites by live bytes",
		COUNTING_LIVE_BYTES);
	put_top(c, "sites by total bytes", COUNTING_TOTAL_BYTES);
	put_top(c, "sites by total blocks", COUNTING_TOTAL_BLOCKS);
}

void counting_text(struct counting *c)
{
	const struct counting_sums *sums = &c->output->sums;
	struct writer *w = &c->output->writer;
	const struct counting_sum *all = &sums->all;

	put_text(w, "chic-alloc: counting: pid ");
	put_number(w, (uint64_t)getpid(), 0);
	put_text(w, ", ");
	put_text(w, program_invocation_short_name);
	put_text(w, "\n");
	put_figure(w, "live-blocks", all->blocks - all->freed_blocks);
	put_figure(w, "live-bytes", all->bytes - all->freed_bytes);
	put_figure(w, "peak-bytes", sums->peak_bytes);
	put_figure(w, "peak-within", sums->peak_within);
	put_figure(w, "total-blocks", all->blocks);
	put_figure(w, "total-bytes", all->bytes);
	put_classes(w, sums);
	put_threads(w, sums);
	if (c->sites)
		put_sites(c);
}
