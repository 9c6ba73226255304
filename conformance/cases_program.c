// SPDX-License-Identifier: BSD-2-Clause
/*
 * An unmodified program under the module, by way of the preload library: this very
 * command, testing the malloc that it was given.  A module that calls malloc from
 * inside a hook meets itself here.
 */
#define _GNU_SOURCE
#include "conform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* Where the module cannot be loaded the program is not to run without it. */
static void insist(const struct conform_spec *spec)
{
	static const char fail[] = "allocator.on_error=fail";
	char *options;

	if (asprintf(&options, "%s%s%s", spec->options ? spec->options : "",
		     spec->options ? "\n" : "", fail) < 0 ||
	    setenv("CHIC_ALLOC_OPTIONS", options, 1))
		case_fail("CHIC_ALLOC_OPTIONS: %s", strerror(errno));
	free(options);
}

static void become_program(struct subject *s, void *arg)
{
	const struct conform_spec *spec = s->spec;
	const char *self = arg;
	/* two that look at how the memory of the process grows */
	bool frees = subject_frees(s);
	char seed[32], timeout[32], work[32];

	snprintf(seed, sizeof(seed), "%lu", spec->seed);
	snprintf(timeout, sizeof(timeout), "%u", spec->timeout);
	snprintf(work, sizeof(work), "%g", spec->work / 4);
	insist(spec);
	execl(self, "chic-alloc", "run", "--", self, "test", "--seed", seed, "--timeout",
	      timeout, "--work", work, "--case", "lifetimes", "--case", "realloc", "--case",
	      "zeroed", "--case", "fork", "--case", frees ? "cross_free" : "threads", "--case",
	      frees ? "thread_exit" : "threads", "default", (char *)NULL);
	case_fail("%s: %s", self, strerror(errno));
}

void case_program(struct subject *s)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (!s->ops->usable_size.fn)
		case_skip("it exports no usable_size and serves linked programs only");
	if (n <= 0)
		case_skip("/proc/self/exe cannot be read");
	if (cli_preload_check(cli_preload_path()))
		case_skip("%s", message_get());
	self[n] = '\0';
	case_apart(s, become_program, self);
}
