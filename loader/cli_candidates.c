// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who takes part in a comparison: the default twice, and the stacks that were asked
 * for or all installed heaps, each with what starts the command under it.
 */
#define _GNU_SOURCE
#include "cli_compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int out_of_memory(void)
{
	return message_set(-ENOMEM, "compare: out of memory");
}

static struct candidate *add(struct comparison *c)
{
	struct candidate *more = reallocarray(c->candidates, c->n + 1, sizeof(*more));

	if (!more) {
		out_of_memory();
		return NULL;
	}
	c->candidates = more;
	more[c->n] = (struct candidate){.name = NULL};
	return &more[c->n++];
}

static int add_default(struct comparison *c, const char *name)
{
	struct candidate *candidate = add(c);

	if (!candidate)
		return -ENOMEM;
	candidate->name = name;
	return cli_changes_without(environ, &candidate->changes);
}

/* A stack that cannot be loaded must not pass for the platform heap: it fails. */
static int failing_options(const char *inherited, char **out)
{
	if (asprintf(out, "%s%sallocator.on_error=fail", inherited ? inherited : "",
		     inherited ? "\n" : "") < 0)
		return out_of_memory();
	return 0;
}

/* What `run -m STACK` does. */
static int changes_of(const char *stack, const struct compare_options *o,
		      const struct cli_program *program, struct cli_changes *out)
{
	struct cli_request request = {.named = o->request.named, .stack = stack};
	struct config_request inherited;
	int err;

	config_request_from_process(&inherited, NULL);
	if (inherited.options && strstr(inherited.options, "allocator.on_error="))
		return cli_changes_for(&request, program, environ, out);
	err = failing_options(inherited.options, &request.options);
	if (!err)
		err = cli_changes_for(&request, program, environ, out);
	free(request.options);
	return err;
}

static bool is_platform(const char *stack)
{
	return !*stack || strcmp(stack, "default") == 0;
}

static int add_stack(struct comparison *c, const char *stack, const struct compare_options *o,
		     const struct cli_program *program)
{
	struct cli_changes changes;
	struct candidate *candidate;
	int err = changes_of(stack, o, program, &changes);

	if (err)
		return err;
	candidate = add(c);
	if (!candidate) {
		cli_changes_free(&changes);
		return -ENOMEM;
	}
	*candidate = (struct candidate){
		.name = is_platform(stack) ? "default, preloaded" : stack,
		.stack = stack,
		.changes = changes,
	};
	return 0;
}

static void tell_refused(const char *name)
{
	cli_error("compare: %s is left out: %s", name, message_get());
}

static int add_heaps(struct comparison *c, const struct compare_options *o,
		     const struct cli_program *program)
{
	for (size_t i = 0; i < c->heaps.n; i++) {
		int err = add_stack(c, c->heaps.names[i], o, program);

		if (err == -ENOMEM)
			return err;
		if (err)
			tell_refused(c->heaps.names[i]);
	}
	if (c->n > CANDIDATE_HEAPS)
		return 0;
	return message_set(-ENOENT,
			   "compare: found no heap in %s or the configuration, expected one, "
			   "or -m STACK",
			   locate_moduledir());
}

static int find_heaps(const struct compare_options *o, struct cli_heaps *out)
{
	struct config_request request;
	struct config config;
	int err;

	cli_request_fill(&o->request, &request);
	request.presets = true;
	err = config_read(&request, &config);
	if (err)
		return err;
	err = cli_heaps_find(&config, tell_refused, out);
	config_free(&config);
	return err;
}

/* What would be wrong with every heap is the fault of none. */
static int check_without_heap(const struct compare_options *o,
			      const struct cli_program *program)
{
	struct cli_changes changes;
	int err = changes_of("", o, program, &changes);

	if (!err)
		cli_changes_free(&changes);
	return err;
}

int candidates_find(struct comparison *c, const struct compare_options *o,
		    const struct cli_program *program)
{
	int err = add_default(c, "default");

	if (!err)
		err = add_default(c, "default again");
	for (size_t i = 0; !err && i < o->n_stacks; i++)
		err = add_stack(c, o->stacks[i], o, program);
	if (err || o->n_stacks)
		return err;
	err = check_without_heap(o, program);
	if (!err)
		err = find_heaps(o, &c->heaps);
	return err ? err : add_heaps(c, o, program);
}

void candidates_free(struct comparison *c)
{
	for (size_t i = 0; i < c->n; i++) {
		cli_changes_free(&c->candidates[i].changes);
		free(c->candidates[i].samples);
		free(c->candidates[i].failure);
	}
	free(c->candidates);
	cli_heaps_free(&c->heaps);
}
