/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks from a library whose constructor runs before all others, the C
 * library's included: there is no environ yet.
 */
#ifndef PRELOAD_EARLY_H
#define PRELOAD_EARLY_H

/* No heap's usable size for it but the boot arena's. */
#define EARLY_ODD 1001
#define EARLY_LARGE 400000
/* Much more than the boot arena begins with. */
#define EARLY_HUGE ((size_t)300 << 20)

struct early_blocks {
	unsigned char *malloced;
	unsigned char *zeroed;
	void *aligned;
	int environ_was_null;
	int fork_handlers_ran;
	/* only for a program whose first argument is "hungry" */
	unsigned char *huge;
	unsigned failed; /* the line that found something wrong */
};

extern struct early_blocks early_blocks;

#endif /* PRELOAD_EARLY_H */
