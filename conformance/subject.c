// SPDX-License-Identifier: BSD-2-Clause
/*
 * The stacks that a case is about, loaded by chic_alloc_load() from environment
 * variables as in any program.  Forks, threads and per-thread words are then the
 * loader's business here as they are there.
 */
#define _GNU_SOURCE
#include "conform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void set_env(const char *name, const char *value)
{
	if (value ? setenv(name, value, 1) : unsetenv(name))
		case_fail("%s: %s", name, strerror(errno));
}

void subject_environment(const struct conform_spec *spec)
{
	set_env("CHIC_ALLOC_RUN", "1"); /* what the loader has to say comes to stderr */
	set_env("CHIC_ALLOC_CONF", spec->conf);
	set_env("CHIC_ALLOC_OPTIONS", spec->options);
	set_env("CHIC_ALLOC_MODULE", spec->entry);
}

/* Answers what is to be freed. */
static char *join(const char *first, char separator, const char *second)
{
	char *text;
	int n = asprintf(&text, "%s%.*s%s", first ? first : "", first && second ? 1 : 0,
			 &separator, second ? second : "");

	if (n < 0)
		case_fail("no memory for a stack's name");
	return text;
}

static void ask_for(const struct conform_spec *spec, const char *above, const char *below,
		    const char *option)
{
	char *upper = join(above, ',', spec->entry);
	char *stack = join(upper, ',', below);
	char *options = join(spec->options, '\n', option);

	set_env("CHIC_ALLOC_MODULE", stack);
	set_env("CHIC_ALLOC_OPTIONS", *options ? options : NULL);
	free(options);
	free(stack);
	free(upper);
}

static unsigned count_entries(const char *list)
{
	unsigned n = list ? 1 : 0;

	for (; list && *list; list++)
		n += *list == ',';
	return n;
}

/* The layer that has `above` others above it. */
static const struct layer *layer_below(const struct stack *stack, unsigned above)
{
	if (!stack || above >= stack->n_layers)
		return NULL;
	return &stack->layers[stack->n_layers - 1 - above];
}

static void show(struct subject *s, const struct stack *stack, const char *above)
{
	s->ops = stack ? stack->top : platform_layer();
	s->layer = s->spec->info ? layer_below(stack, count_entries(above)) : NULL;
}

int subject_try(struct subject *s, const char *above, const char *below, const char *option)
{
	int err;

	ask_for(s->spec, above, below, option);
	err = chic_alloc_load(NULL);
	if (!err)
		show(s, hooks_default(), above);
	return err;
}

void subject_load(struct subject *s, const char *above, const char *below, const char *option)
{
	if (subject_try(s, above, below, option))
		case_fail("it does not load: %s", message_get());
}

void subject_unload(struct subject *s)
{
	int err;

	case_doing("exit", 0, 0, 0);
	err = chic_alloc_unload();
	case_done();
	if (err)
		case_fail("it does not unload: %s", message_get());
	s->ops = NULL;
	s->layer = NULL;
}

struct stack *subject_instance(const struct subject *s, struct subject *out)
{
	struct config_request request;
	struct config config;
	struct stack *stack;

	ask_for(s->spec, NULL, NULL, NULL);
	config_request_from_process(&request, NULL);
	if (config_read(&request, &config) || stack_build(&config, false, false, &stack))
		case_fail("one more instance of it does not load: %s", message_get());
	*out = *s;
	show(out, stack, NULL);
	return stack;
}

bool subject_is_heap(const struct subject *s)
{
	return !s->spec->info || strcmp(s->spec->kind, "heap") == 0;
}

bool subject_is_native(const struct subject *s)
{
	return s->spec->info && s->spec->info->found;
}

bool subject_frees(const struct subject *s)
{
	return !s->spec->info || !s->spec->info->frees_no;
}

const struct module_exports *subject_exports(const struct subject *s)
{
	static const struct module_exports none;

	return s->layer ? &s->layer->module->exports : &none;
}
