// SPDX-License-Identifier: BSD-2-Clause
/*
 * Would the stacks of a configuration load?  Everything that can be found out
 * without running a module's code is: its file, metadata and parameters, and
 * whether the layers fit on each other.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A stack's text with the place it comes from. */
struct source {
	const char *text;
	const struct setting *from;
};

/* What is known of a stack while it is walked from the outermost layer inward. */
struct walk {
	char heap[NAME_MAX_LEN + 1]; /* a heap that was met, "" before */
	unsigned layers;
	bool malloc_family; /* for an unmodified program */
	size_t static_tls;
};

static int at_place(int err, const struct setting *from)
{
	return from ? settings_blame(err, from->file, from->line) : err;
}

static int check_params(struct cli_module *module, const struct config *config)
{
	struct chic_module_param *values;

	if (!module->info.found)
		return cli_module_options(module, config);
	values = cli_module_params(module, config);
	if (!values)
		return -EINVAL;
	free(values);
	return 0;
}

/* A heap never asks its lower, so what stands below one would never be asked. */
static int check_order(struct walk *walk, const struct cli_module *module)
{
	if (*walk->heap)
		return message_set(-EINVAL,
				   "module '%s' below '%s', which is a heap and never asks it, "
				   "expected the heap last",
				   module->where.name, walk->heap);
	if (++walk->layers > STACK_MAX)
		return message_set(-EINVAL, "%u modules in one stack, expected at most %d",
				   walk->layers, STACK_MAX);
	if (strcmp(module->kind, "heap") == 0)
		snprintf(walk->heap, sizeof(walk->heap), "%s", module->where.name);
	return 0;
}

static int check_usable_size(const struct walk *walk, const struct cli_module *module)
{
	if (!walk->malloc_family || module->tells_size)
		return 0;
	return message_set(-EINVAL,
			   "%s: exports no usable_size, expected one for unmodified programs",
			   module->where.path);
}

static int check_entry(const struct config *config, const char *entry,
		       const struct setting *from, struct walk *walk)
{
	struct cli_module module;
	int err;

	if (strcmp(entry, "default") == 0)
		return 0;
	err = cli_module_open(config, entry, &module);
	if (err)
		return at_place(err, from);
	err = check_order(walk, &module);
	if (!err)
		err = check_usable_size(walk, &module);
	if (err)
		at_place(err, from);
	else
		err = check_params(&module, config);
	walk->static_tls += module.static_tls;
	cli_module_close(&module);
	return err;
}

static int check_source(const struct config *config, struct source source, struct walk *walk)
{
	const char *list = source.text;
	char entry[4096];
	int more, err;

	while ((more = name_next(&list, entry, sizeof(entry))) > 0) {
		err = check_entry(config, entry, source.from, walk);
		if (err)
			return err;
	}
	return more ? at_place(more, source.from) : 0;
}

static int check_both(const struct config *config, struct source filters, struct source stack,
		      struct walk *walk)
{
	int err = check_source(config, filters, walk);

	return err ? err : check_source(config, stack, walk);
}

int cli_check_stack(const struct config *config, bool malloc_family, size_t *static_tls)
{
	struct source filters = {config->filters, config->filters_from};
	struct source stack = {config->stack, config->stack_from};
	struct walk walk = {.heap = "", .malloc_family = malloc_family};
	int err = check_both(config, filters, stack, &walk);

	*static_tls = walk.static_tls;
	return err;
}

/* A key of a rule, else of [allocator], else nothing. */
static struct source rule_source(const struct config *config, const char *section,
				 const char *key)
{
	const struct setting *from = settings_find(config, section, key);

	if (!from)
		from = settings_find(config, "allocator", key);
	return (struct source){from ? from->value : "", from};
}

static int check_rule(const struct config *config, const char *section, struct walk *walk)
{
	*walk = (struct walk){.heap = ""};
	return check_both(config, rule_source(config, section, "filters"),
			  rule_source(config, section, "module"), walk);
}

/* A preset may speak of a module that is not installed; that harms nobody. */
static int check_module_section(const struct config *config, const char *name)
{
	struct cli_module module;
	int err;

	if (cli_module_open(config, name, &module))
		return 0;
	err = check_params(&module, config);
	cli_module_close(&module);
	return err;
}

static int check_section(const struct config *config, const struct setting *first)
{
	struct walk walk;

	if (settings_is(first, "program"))
		return check_rule(config, first->section, &walk);
	if (settings_is(first, "module"))
		return check_module_section(config, first->section + strlen("module "));
	return 0;
}

bool cli_begins_section(const struct config *config, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(config->settings[k].section, config->settings[i].section) == 0)
			return false;
	return true;
}

int cli_check_all(const struct config *config)
{
	size_t static_tls;
	int err = cli_check_stack(config, false, &static_tls);

	for (size_t i = 0; !err && i < config->n_settings; i++)
		if (cli_begins_section(config, i))
			err = check_section(config, &config->settings[i]);
	return err;
}

/* Only what a program gets counts: a rule's stack, or the one for all others. */
int cli_check_greediest(const struct config *config, size_t *static_tls, const char **stack)
{
	const struct setting *first;
	struct walk walk;
	int err = cli_check_stack(config, true, static_tls);

	*stack = config->stack;
	for (size_t i = 0; !err && i < config->n_settings; i++) {
		first = &config->settings[i];
		if (!settings_is(first, "program") || !cli_begins_section(config, i))
			continue;
		err = check_rule(config, first->section, &walk);
		if (walk.static_tls > *static_tls) {
			*static_tls = walk.static_tls;
			*stack = rule_source(config, first->section, "module").text;
		}
	}
	return err;
}
