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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entries {
	char names[STACK_MAX + 1][MESSAGE_MAX / 2]; /* outermost first */
	unsigned n;
};

static int entries_add(struct entries *e, const char *list)
{
	int more;

	while ((more = name_next(&list, e->names[e->n], sizeof(e->names[0]))) > 0) {
		if (e->n == STACK_MAX)
			return message_set(-E2BIG, "more than %d layers in the stack", STACK_MAX);
		e->n++;
	}
	return more;
}

/* Filters come in front of the stack; "default" at its end is what is below anyway. */
static int entries_read(const struct config *config, struct entries *e)
{
	int err;

	e->n = 0;
	err = entries_add(e, config->filters);
	if (!err)
		err = entries_add(e, config->stack);
	if (err)
		return err;
	for (unsigned i = 0; i < e->n; i++)
		for (unsigned k = 0; k < i; k++)
			if (name_equal(e->names[i], e->names[k]))
				return message_set(-EINVAL, "%s is in the stack twice",
						   e->names[i]);
	if (e->n && strcmp(e->names[e->n - 1], "default") == 0)
		e->n--;
	return 0;
}

static int key_append(char **key, const char *text, const char *more)
{
	char *longer;

	if (asprintf(&longer, "%s%s%s", *key, text, more) < 0)
		return -ENOMEM;
	free(*key);
	*key = longer;
	return 0;
}

char *stack_key(const struct config *config)
{
	char *key = strdup("");
	int err = key ? 0 : -ENOMEM;

	if (!err)
		err = key_append(&key, config->filters, "|");
	if (!err)
		err = key_append(&key, config->stack, "\n");
	for (size_t i = 0; i < config->n_settings && !err; i++) {
		const struct setting *s = &config->settings[i];

		if (strncmp(s->section, "module ", 7) != 0)
			continue;
		err = key_append(&key, s->section, ".");
		if (!err)
			err = key_append(&key, s->key, "=");
		if (!err)
			err = key_append(&key, s->value, "\n");
	}
	if (!err)
		return key;
	free(key);
	return NULL;
}

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

static int layer_refused(const struct layer *layer, const struct chic_layer *lower, bool last)
{
	const struct module *m = layer->module;
	const char *why;

	if (m->info.kind == KIND_HEAP && !last)
		return message_set(-EINVAL,
				   "%s is a heap and must be the last of the stack: nothing "
				   "below it would ever be asked",
				   m->name);
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

static int layer_native(struct layer *layer, const struct config *config,
			const struct chic_layer *lower, bool last)
{
	struct module *m = layer->module;
	int err, slot;

	err = layer_refused(layer, lower, last);
	if (err)
		return err;
	err = param_fill(&m->info, config, m->name, layer->params);
	if (err)
		return err;
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

/* A stock library is a heap; it takes no parameters of ours. */
static int layer_family(struct layer *layer, bool last)
{
	struct module *m = layer->module;

	if (!last)
		return message_set(-EINVAL,
				   "%s is a heap and must be the last of the stack: nothing "
				   "below it would ever be asked",
				   m->name);
	family_layer(&m->family, &layer->completion.ops);
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

static int layer_up(struct layer *layer, const struct config *config, const char *entry,
		    bool secure, const struct chic_layer *lower, bool last)
{
	int err = module_get(config, entry, secure, &layer->module);

	if (err)
		return err;
	if (layer->module->native)
		err = layer_native(layer, config, lower, last);
	else
		err = layer_family(layer, last);
	if (err)
		module_put(layer->module);
	return err;
}

static int layers_up(struct stack *stack, const struct config *config,
		     const struct entries *entries, bool secure)
{
	while (stack->n_layers < entries->n) {
		struct layer *layer = &stack->layers[stack->n_layers];
		const char *entry = entries->names[entries->n - 1 - stack->n_layers];
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

/* A lone malloc family is called without a layer in between. */
static const struct chic_malloc_family *stack_direct(const struct stack *stack)
{
	if (stack->n_layers == 0)
		return platform_family();
	if (stack->n_layers == 1 && !stack->layers[0].module->native)
		return &stack->layers[0].module->family;
	return NULL;
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
	if (!stack)
		return message_set(-ENOMEM, "no memory for a stack");
	stack->top = platform_layer();
	stack->key = stack_key(config);
	if (!stack->key) {
		err = message_set(-ENOMEM, "no memory for a stack");
		goto free_stack;
	}
	err = layers_up(stack, config, &entries, secure);
	if (!err && malloc_family && stack->n_layers)
		err = layer_serves_malloc(&stack->layers[stack->n_layers - 1]);
	if (err)
		goto take_layers_down;
	stack->direct = stack_direct(stack);
	stack->counted = true;
	stack->config = *config;
	memset(config, 0, sizeof(*config));
	*out = stack;
	return 0;

take_layers_down:
	layers_down(stack);
	free(stack->key);
free_stack:
	free(stack);
	return err;
}

void stack_destroy(struct stack *stack)
{
	layers_down(stack);
	table_forget_stack(stack);
	config_free(&stack->config);
	free(stack->key);
	free(stack);
}
