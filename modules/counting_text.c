// SPDX-License-Identifier: BSD-2-Clause
/*
 * A report of counting to be read: one figure a line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "counting.h"

static void put_figure(struct counting_writer *w, const char *name, size_t n)
{
	put_name(w, name, 15);
	put_text(w, " ");
	put_number(w, n, 20);
	put_text(w, "\n");
}

static void put_columns(struct counting_writer *w, const size_t columns[4])
{
	for (size_t i = 0; i < 4; i++) {
		put_text(w, " ");
		put_number(w, columns[i], 16);
	}
	put_text(w, "\n");
}

static void put_heading(struct counting_writer *w, const char *name, const char *third,
			const char *fourth)
{
	put_name(w, name, 15);
	put_text(w, "           blocks            bytes");
	put_text(w, third);
	put_text(w, fourth);
	put_text(w, "\n");
}

/* name and n, to the width of the first column */
static void put_label(struct counting_writer *w, const char *name, size_t n)
{
	size_t width = 14, rest;

	for (rest = n; rest >= 10; rest /= 10)
		width--;
	width -= strlen(name);
	put_text(w, name);
	put_number(w, n, 0);
	put_name(w, "", width);
}

static void put_classes(struct counting_writer *w, const struct counting_sums *sums)
{
	put_heading(w, "sizes", "      live-blocks", "       live-bytes");
	for (unsigned k = 0; k < COUNTING_CLASSES; k++) {
		const struct counting_sum *sum = &sums->classes[k];

		if (!sum->blocks && !sum->freed_blocks)
			continue;
		put_label(w, "up-to 2^", k);
		put_columns(w, (const size_t[]){sum->blocks, sum->bytes,
						sum->blocks - sum->freed_blocks,
						sum->bytes - sum->freed_bytes});
	}
}

static void put_sum(struct counting_writer *w, const struct counting_sum *sum)
{
	put_columns(w, (const size_t[]){sum->blocks, sum->bytes, sum->freed_blocks,
					sum->freed_bytes});
}

static void put_threads(struct counting_writer *w, const struct counting_sums *sums)
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

void counting_text(struct counting *c)
{
	const struct counting_sums *sums = &c->output->sums;
	struct counting_writer *w = &c->output->writer;
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
}
