// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stacks: layers put on each other, from the innermost outward.
 *
 * Each layer is checked against what lies below it, gets its parameters, is
 * initialised with its lower, and is completed.  If one of them fails, those
 * below are taken down again in the opposite order and nothing remains.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The stack as it is asked for, outermost first. */
struct entries {
	struct entry {
		char *name;
		const struct setting *from; /* null: nobody asked in writing */
	} list[STACK_MAX];
	unsigned n;
};

static void entries_free(struct entries *e)
{
	while (e->n)
		free(e->list[--e->n].name);
}

static int no_memory(void)
{
	return message_set(-ENOMEM, "no memory for a stack");
}

static int blame(int err, const struct setting *from)
{
	return from ? settings_blame(err, from->file, from->line) : err;
}

static int entries_add(struct entries *e, const char *list, const struct setting *from)
{
	char name[PATH_MAX];
	int more;

	while ((more = name_next(&list, name, sizeof(name))) > 0) {
		if (e->n == STACK_MAX)
			return blame(message_set(-E2BIG, "more than %d layers in the stack",
						 STACK_MAX),
				     from);
		e->list[e->n] = (struct entry){strdup(name), from};
		if (!e->list[e->n].name)
			return no_memory();
		e->n++;
	}
	return more ? blame(more, from) : 0;
}

static int entries_unique(const struct entries *e)
{
	for (unsigned i = 0; i < e->n; i++)
		for (unsigned k = 0; k < i; k++)
			if (name_equal(e->list[i].name, e->list[k].name))
				return blame(message_set(-EINVAL,
							 "%.80s is in the stack twice, "
							 "expected once",
							 e->list[i].name),
					     e->list[i].from);
	return 0;
}

/* Filters come in front of the stack; "default" at its end is what is below anyway. */
static int entries_read(const struct config *config, struct entries *e)
{
	int err;

	e->n = 0;
	err = entries_add(e, config->filters, config->filters_from);
	if (!err)
		err = entries_add(e, config->stack, config->stack_from);
	if (!err)
		err = entries_unique(e);
	if (err)
		entries_free(e);
	else if (e->n && strcmp(e->list[e->n - 1].name, "default") == 0)
		free(e->list[--e->n].name);
	return err;
}

bool stack_is_platform(const struct config *config)
{
	return !*config->filters && (!*config->stack || strcmp(config->stack, "default") == 0);
}

enum chic_telemetry stack_telemetry(const struct config *config)
{
	if (stack_is_platform(config) && !config->telemetry_from)
		return CHIC_TELEMETRY_OFF;
	return config->telemetry;
}

/* ---- the key: the same text for stacks that would be the same ---- */

static int key_append(char **key, char *text)
{
	char *longer = NULL;

	if (text && asprintf(&longer, "%s%s\n", *key, text) < 0)
		longer = NULL;
	free(text);
	if (!longer)
		return -ENOMEM;
	free(*key);
	*key = longer;
	return 0;
}

/* In names '-' and '_' are the same, in values not. */
static char *folded(char *text)
{
	for (char *p = text; p && *p && *p != '='; p++)
		if (*p == '-')
			*p = '_';
	return text;
}

static char *setting_text(const struct setting *s)
{
	char *text;

	if (asprintf(&text, "%s.%s=%s", s->section, s->key, s->value) < 0)
		return NULL;
	return folded(text);
}

/* What a library's section is called is known only when it is located. */
static bool is_of(const struct setting *s, const char *entry)
{
	return settings_is(s, "module") &&
	       (name_is_library(entry) || name_equal(s->section + strlen("module "), entry));
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The settings of an entry's module, in an order that no file decides. */
static int key_settings(const struct config *config, const char *entry, char **key)
{
	char **texts = calloc(config->n_settings + 1, sizeof(*texts));
	size_t i, n = 0;
	int err = texts ? 0 : -ENOMEM;

	for (i = 0; i < config->n_settings && !err; i++) {
		if (!is_of(&config->settings[i], entry))
			continue;
		texts[n] = setting_text(&config->settings[i]);
		err = texts[n] ? 0 : -ENOMEM;
		n += !err;
	}
	if (n)
		qsort(texts, n, sizeof(*texts), compare);
	for (i = 0; i < n && !err; i++) {
		err = key_append(key, texts[i]);
		texts[i] = NULL;
	}
	while (n)
		free(texts[--n]);
	free(texts);
	return err;
}

static int key_entry(const struct config *config, const char *entry, char **key)
{
	char *name = strdup(entry);
	int err;

	if (!name_is_library(entry))
		folded(name);
	err = key_append(key, name);
	return err ? err : key_settings(config, entry, key);
}

int stack_key(const struct config *config, char **out)
{
	struct entries entries;
	char *key;
	int err;

	err = entries_read(config, &entries);
	if (err)
		return err;
	key = strdup("");
	err = key ? 0 : -ENOMEM;
	for (unsigned i = 0; i < entries.n && !err; i++)
		err = key_entry(config, entries.list[i].name, &key);
	entries_free(&entries);
	if (!err) {
		*out = key;
		return 0;
	}
	free(key);
	return no_memory();
}

/* ---- layers ---- */

static void module_fails(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message_vset(0, format, args);
	va_end(args);
}

static void module_warns(const char *format, ...)
{
	char text[MESSAGE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_line("%s", text);
}

static int layer_init(struct layer *layer, const struct chic_layer *lower)
{
	struct module *m = layer->module;
	int err;

	if (!m->exports.init)
		return 0;
	message_clear();
	err = m->exports.init(&layer->args, lower, &layer->ctx);
	if (!err)
		return 0;
	if (err > 0 || err < -4095)
		return message_set(-EINVAL, "%s: its init answered %d, expected 0 or -errno",
				   m->path, err);
	if (!*message_get())
		message_set(err, "%s", strerror(-err));
	return message_prefix(err, "%s: its init failed", m->path);
}

/* A stock library is a heap. */
static int layer_refused(const struct layer *layer, const struct chic_layer *lower, bool last)
{
	const struct module *m = layer->module;
	const char *why;

	if ((!m->native || m->info.kind == KIND_HEAP) && !last)
		return message_set(-EINVAL,
				   "%s is a heap and must be the last of the stack: nothing "
				   "below it would ever be asked",
				   m->name);
	if (!m->native)
		return 0;
	why = vtable_refusal(&m->exports, m->info.kind, m->info.frees_no, lower);
	return why ? message_set(-EINVAL, "%s: %s", m->path, why) : 0;
}

static int layer_serves_malloc(const struct layer *layer)
{
	if (layer->completion.ops.usable_size.fn)
		return 0;
	return message_set(-EINVAL,
			   "%s: exports no usable_size, which unmodified programs need",
			   layer->module->path);
}

static int layer_native(struct layer *layer, const struct chic_layer *lower)
{
	struct module *m = layer->module;
	int err, slot;

	slot = thread_word_get();
	if (slot < 0)
		return message_set(slot, "more than %d layers in this process", WORDS_MAX);
	layer->word = slot;
	layer->args = (struct chic_module_args){
		.size = sizeof(layer->args),
		.name = m->name,
		.params = layer->params,
		.n_params = m->info.n_params,
		.fail = module_fails,
		.warn = module_warns,
		.thread_word = thread_word,
		.slot = layer->word,
		.fault_handler = fault_handler,
		.leaves = &layer->leaves,
	};
	err = layer_init(layer, lower);
	if (err) {
		thread_word_put(layer->word);
		return err;
	}
	if (vtable_is_empty_heap(&m->exports, m->info.kind))
		log_line("%s: a heap that exports no hook; what is below it serves", m->path);
	vtable_complete(&m->exports, m->info.kind, layer->ctx, lower, &layer->completion);
	return 0;
}

static void layer_down(struct layer *layer)
{
	if (layer->module->native) {
		if (layer->module->exports.exit)
			layer->module->exports.exit(layer->ctx);
		thread_word_put(layer->word);
	}
	module_put(layer->module);
}

static int layer_up(struct layer *layer, const struct config *config, const struct entry *entry,
		    bool secure, const struct chic_layer *lower, bool last)
{
	struct module *m;
	int err;

	err = module_get(config, entry->name, secure, &layer->module);
	if (err)
		return blame(err, entry->from);
	m = layer->module;
	err = layer_refused(layer, lower, last);
	if (err)
		goto put_module;
	if (m->native) {
		err = param_fill(&m->info, config, m->name, layer->params);
		if (err) { /* whose message has a place already */
			module_put(m);
			return err;
		}
		err = layer_native(layer, lower);
	} else {
		family_layer(&m->family, &layer->completion.ops);
	}
	if (!err)
		return 0;
put_module:
	module_put(m);
	return blame(err, entry->from);
}

static int layers_up(struct stack *stack, const struct config *config,
		     const struct entries *entries, bool secure)
{
	while (stack->n_layers < entries->n) {
		struct layer *layer = &stack->layers[stack->n_layers];
		const struct entry *entry = &entries->list[entries->n - 1 - stack->n_layers];
		int err = layer_up(layer, config, entry, secure, stack->top,
				   stack->n_layers == 0);

		if (err)
			return err;
		stack->n_layers++;
		stack->top = &layer->completion.ops;
	}
	return 0;
}

static void layers_down(struct stack *stack)
{
	while (stack->n_layers > 0)
		layer_down(&stack->layers[--stack->n_layers]);
}

int stack_build(struct config *config, bool secure, bool malloc_family, struct stack **out)
{
	struct entries entries;
	struct stack *stack;
	int err;

	err = entries_read(config, &entries);
	if (err)
		return err;
	stack = calloc(1, sizeof(*stack));
	if (!stack) {
		err = no_memory();
		goto free_entries;
	}
	stack->top = platform_layer();
	err = stack_key(config, &stack->key);
	if (err)
		goto free_stack;
	err = layers_up(stack, config, &entries, secure);
	if (!err && malloc_family && stack->n_layers)
		err = layer_serves_malloc(&stack->layers[stack->n_layers - 1]);
	if (err)
		goto take_layers_down;
	stack->counted = true;
	stack->config = *config;
	memset(config, 0, sizeof(*config));
	entries_free(&entries);
	*out = stack;
	return 0;

take_layers_down:
	layers_down(stack);
	free(stack->key);
free_stack:
	free(stack);
free_entries:
	entries_free(&entries);
	return err;
}

void stack_destroy(struct stack *stack)
{
	layers_down(stack);
	config_free(&stack->config);
	free(stack->key);
	free(stack);
}
