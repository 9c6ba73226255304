/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every way of the runtime to memory, one entry point in one situation each.  What
 * all of them must hold is in check_paths.c; a family's ways are in paths_FAMILY.c.
 */
#ifndef PATHS_H
#define PATHS_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

#include "chic_rt.h"
#include "ledger.h"

struct path {
	const char *name;
	/* What was there before; may be null. */
	void (*prepare)(void);
	/*
	 * The call.  True: it succeeded, and what it answered is right.  False: it was
	 * refused memory, and said so as its contract has it, and all is as before.
	 */
	bool (*run)(void);
	/* Give everything back, after either. */
	void (*clean)(void);
};

struct path_family {
	const char *name;
	const struct path *path; /* ends with one without a name */
};

extern const struct path_family vec_paths, region_paths, object_paths;
extern const struct path_family string_paths;
extern const struct path_family map_paths, shared_paths;
/* Megabytes; not for every machine. */
extern const struct path_family large_paths;

#endif /* PATHS_H */
