// SPDX-License-Identifier: BSD-2-Clause
/*
 * Everything that a stack has handed out back at once.
 *
 * The outermost layer that has memory of its own drops the blocks; the filters above
 * it forget what they knew of them.  Below it nothing of the stack's is left: a mixed
 * module that has its lower's blocks among its own refuses.
 */
#include "internal.h"

#include <errno.h>
#include <string.h>

static bool is_filter(const struct layer *layer)
{
	return layer->module->native && layer->module->info.kind == KIND_FILTER;
}

/* What sees no block go has nothing to forget. */
static bool must_forget(const struct module_exports *e)
{
	return e->free || e->mfree;
}

static int no_reset(const struct module *m)
{
	return message_set(-ENOTSUP, "%s exports no reset, expected one", m->path);
}

static struct layer *holder_of(struct stack *stack)
{
	unsigned i = stack->n_layers;

	while (i-- > 0)
		if (!is_filter(&stack->layers[i]))
			return &stack->layers[i];
	return NULL;
}

static int check_filters(const struct stack *stack, const struct layer *holder)
{
	for (unsigned i = holder - stack->layers + 1; i < stack->n_layers; i++) {
		const struct module *m = stack->layers[i].module;

		if (must_forget(&m->exports) && !m->exports.reset)
			return no_reset(m);
	}
	return 0;
}

static void reset_filters(struct stack *stack, const struct layer *holder)
{
	for (unsigned i = holder - stack->layers + 1; i < stack->n_layers; i++) {
		struct layer *layer = &stack->layers[i];

		if (layer->module->exports.reset)
			layer->module->exports.reset(layer->ctx);
	}
}

int stack_reset(struct stack *stack, size_t *dropped)
{
	struct layer *holder = stack ? holder_of(stack) : NULL;
	int err;

	if (!holder)
		return message_set(-ENOTSUP, "found the platform heap, which cannot drop its "
					     "blocks, expected a module that exports reset");
	if (!holder->module->native || !holder->module->exports.reset)
		return no_reset(holder->module);
	err = check_filters(stack, holder);
	if (err)
		return err;
	*dropped = holder->module->exports.reset(holder->ctx);
	if (*dropped == SIZE_MAX)
		return message_set(-EBUSY,
				   "%s: live blocks are those of the layer below, expected "
				   "none: they cannot be dropped",
				   holder->module->name);
	reset_filters(stack, holder);
	telemetry_drop(stack->owner);
	return 0;
}
