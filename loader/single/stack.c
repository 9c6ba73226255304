// SPDX-License-Identifier: BSD-2-Clause
/*
 * Modules that are linked in, put on each other: found by name, completed as loaded
 * ones are, and made the default.
 */
#include "chic_freestanding.h"
#include "platform.h"

#include <stdarg.h>
#include <string.h>

struct layer {
	struct completion completion;
	struct chic_module_args args;
	const struct chic_builtin *module;
	void *ctx;
	void *word;
};

static struct layer layers[CHIC_STACK_MAX]; /* 0 is the innermost */
static struct chic_layer platform;
static struct table outermost;
static bool built;
static const char *message = "";

const char *chic_alloc_message(void)
{
	return message;
}

static int refuse(int err, const char *why)
{
	message = why;
	return -err;
}

/* There is nothing that would put the values into the text. */
static void fail(const char *format, ...)
{
	message = format;
}

static void **thread_word(unsigned slot)
{
	return &layers[slot].word;
}

/* ---- one layer ---- */

static const struct chic_builtin *find(const char *name)
{
	const struct chic_builtin *const *m = chic_builtins;

	/* the firmware's may have more than a compiler sees here */
	__asm__("" : "+r"(m));
	for (; *m; m++)
		if (chic_same_text((*m)->name, name))
			return *m;
	return NULL;
}

static int kind_of(const struct chic_builtin *m)
{
	static const char *const kinds[] = {
		[KIND_HEAP] = "heap",
		[KIND_FILTER] = "filter",
		[KIND_MIXED] = "mixed",
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (chic_same_text(m->kind, kinds[i]))
			return (int)i;
	return -1;
}

static struct module_exports exports_of(const struct chic_builtin *m)
{
	return (struct module_exports){
		.alloc = m->alloc,
		.alloc_zeroed = m->alloc_zeroed,
		.realloc = m->realloc,
		.free = m->free,
		.init = m->init,
		.exit = m->exit,
		.usable_size = m->usable_size,
		.owns = m->owns,
	};
}

static int layer_begin(struct layer *layer, const struct chic_stack_layer *wanted,
		       const struct chic_layer *lower)
{
	const struct chic_builtin *m = find(wanted->module);
	struct module_exports exports;
	const char *why;
	int kind, err = 0;

	if (!m)
		return refuse(CHIC_ENOENT, "no module of that name is linked in");
	kind = kind_of(m);
	if (kind < 0)
		return refuse(CHIC_EINVAL, "its kind is not heap, filter or mixed");
	exports = exports_of(m);
	why = vtable_refusal(&exports, (enum module_kind)kind, m->frees_no, lower);
	if (why)
		return refuse(CHIC_EINVAL, why);
	*layer = (struct layer){.module = m};
	layer->args = (struct chic_module_args){
		.size = sizeof(layer->args),
		.name = m->name,
		.params = wanted->params,
		.n_params = wanted->n_params,
		.fail = fail,
		.warn = fail,
		.thread_word = thread_word,
		.slot = (unsigned)(layer - layers),
	};
	message = "its init failed";
	if (m->init)
		err = m->init(&layer->args, lower, &layer->ctx);
	if (!err)
		vtable_complete(&exports, (enum module_kind)kind, layer->ctx, lower,
				&layer->completion);
	return err;
}

/* ---- the stack ---- */

/* A layer begins with its size; then it has the entries of a table, in the same order. */
enum { ENTRIES = offsetof(struct chic_layer, alloc) };
_Static_assert(offsetof(struct chic_layer, usable_size) - ENTRIES == sizeof(struct table),
	       "a table is what comes first in a layer");

static void entries_to_layer(const struct table *from, struct chic_layer *to)
{
	*to = (struct chic_layer){.size = sizeof(*to)};
	memcpy((char *)to + ENTRIES, from, sizeof(*from));
}

static void entries_to_table(const struct chic_layer *from, struct table *to)
{
	memcpy(to, (const char *)from + ENTRIES, sizeof(*to));
}

static void layers_end(size_t n)
{
	while (n-- > 0)
		if (layers[n].module->exit)
			layers[n].module->exit(layers[n].ctx);
}

int chic_alloc_stack(const struct chic_stack_layer *wanted, size_t n)
{
	const struct chic_layer *lower = &platform;
	int err;

	if (built)
		return refuse(CHIC_EBUSY, "there is a stack already");
	if (!wanted || !n || n > CHIC_STACK_MAX)
		return refuse(CHIC_EINVAL, "a stack has 1 to 4 layers");
	entries_to_layer(&platform_table, &platform);
	for (size_t i = 0; i < n; i++) {
		err = layer_begin(&layers[i], &wanted[n - 1 - i], lower);
		if (err) {
			layers_end(i);
			return err;
		}
		lower = &layers[i].completion.ops;
	}
	message = "";
	built = true;
	entries_to_table(lower, &outermost);
	hooks_set_default(&outermost);
	return 0;
}
