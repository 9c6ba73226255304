/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to counting: its counters, and the summary made of them.
 */
#ifndef CHIC_MODULES_COUNTING_H
#define CHIC_MODULES_COUNTING_H

#include <limits.h>
#include <sys/types.h>

#include "internal.h"

/* Class k holds sizes above 2^(k-1) and up to 2^k. */
#define COUNTING_CLASSES (8 * sizeof(size_t))

struct counting_class {
	_Atomic size_t calls;
	_Atomic size_t bytes;
};

/* Totals of one thread at a time; outlives it, and the next thread goes on. */
struct counting_tally {
	struct counting_tally *next;
	atomic_bool used;
	struct counting_class classes[COUNTING_CLASSES];
};

struct counting {
	const struct chic_module_args *args;
	const struct chic_layer *lower;
	_Atomic size_t live_blocks;
	_Atomic size_t live_bytes;
	_Atomic size_t peak_bytes;
	struct counting_tally *_Atomic tallies; /* grows only, so that no lock is needed */
	struct counting_tally shared; /* of threads without a word */
	struct counting *next_reporting;
	pid_t pid; /* of the process that started */
	int stderr_copy; /* -1: none; and which file it was */
	dev_t stderr_dev;
	ino_t stderr_ino;
	char output[PATH_MAX];
};

/* Have a summary written when the process exits: 0, or -errno and fail() called. */
int counting_summary_start(struct counting *c);
/* A summary that was not started may be stopped. */
void counting_summary_stop(const struct counting *c);

#endif /* CHIC_MODULES_COUNTING_H */
