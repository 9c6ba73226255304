// SPDX-License-Identifier: BSD-2-Clause
/*
 * The entry points: chic_alloc_load and its kin.
 *
 * Downward from here: config.c reads settings, stack.c builds layers of them
 * (module.c, vtable.c), publish.c puts the stack in force.  Everything here runs
 * under one lock, which no request for memory ever takes.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* A module's init that forks, or calls us, is in a thread that has the lock already. */
static __thread bool has_lock __attribute__((tls_model("initial-exec")));
static struct stack *stacks; /* last loaded first */
static unsigned owners_used;
static unsigned stacks_loaded;
static bool interposed; /* a malloc family goes through the default for good */
static enum chic_telemetry interposed_telemetry;

bool loader_lock(void)
{
	if (has_lock)
		return false;
	pthread_mutex_lock(&lock);
	has_lock = true;
	return true;
}

void loader_unlock(void)
{
	has_lock = false;
	pthread_mutex_unlock(&lock);
}

/* How the entry points begin, which loader_unlock() ends. */
static int enter(void)
{
	start_once();
	message_clear();
	if (loader_lock())
		return 0;
	return message_set(-EDEADLK, "found a call from inside a module or chic_alloc_each, "
				     "expected none there");
}

static int owner_get(unsigned *out)
{
	for (unsigned owner = OWNER_FIRST_STACK; owner < OWNER_COUNT; owner++) {
		if (owners_used & (1u << owner))
			continue;
		owners_used |= 1u << owner;
		*out = owner;
		return 0;
	}
	return message_set(-ENOSPC, "more than %d stacks in this process",
			   OWNER_COUNT - OWNER_FIRST_STACK);
}

static struct stack *stack_find(const char *key)
{
	struct stack *s;

	for (s = stacks; s; s = s->next)
		if (strcmp(s->key, key) == 0)
			return s;
	return NULL;
}

static int stack_new(struct config *config, bool secure, bool malloc_family, struct stack **out)
{
	struct stack *stack = NULL;
	unsigned owner = 0;
	int err;

	err = owner_get(&owner);
	if (err)
		return err;
	err = stack_build(config, secure, malloc_family, &stack);
	if (err) {
		owners_used &= ~(1u << owner);
		return err;
	}
	telemetry_begin(owner);
	stack->owner = owner;
	stack->number = ++stacks_loaded;
	stack->next = stacks;
	stacks = stack;
	*out = stack;
	return 0;
}

/* The stack that config asks for: one that is loaded already, or a new one. */
static int stack_get(struct config *config, bool secure, struct stack **out)
{
	struct stack *found;
	char *key;
	int err;

	err = stack_key(config, &key);
	if (err)
		return err;
	found = stack_find(key);
	free(key);
	if (!found)
		return stack_new(config, secure, interposed, out);
	*out = found;
	return 0;
}

static void stack_drop(struct stack *stack)
{
	struct stack **p;

	if (stack->uses)
		return;
	for (p = &stacks; *p != stack; p = &(*p)->next)
		;
	*p = stack->next;
	owners_used &= ~(1u << stack->owner);
	stack_destroy(stack);
}

/* No heap is swapped under live blocks. */
static int default_idle(const struct stack *stack)
{
	const char *what = stack ? stack->config.stack : "the platform heap";
	size_t blocks, bytes;

	if (interposed)
		return message_set(-EBUSY, "%s serves this program's malloc for good", what);
	if (stack && !stack->counted)
		return message_set(-EBUSY,
				   "%s is in use: a table of it was given out, whose blocks "
				   "are not counted",
				   what);
	telemetry_live(stack ? stack->owner : (unsigned)OWNER_PLATFORM, &blocks, &bytes);
	if (!blocks)
		return 0;
	if (blocks > SIZE_MAX / 2)
		return message_set(-EBUSY,
				   "%s cannot go: it was given %zu blocks more than it handed "
				   "out, through an installed table",
				   what, -blocks);
	return message_set(-EBUSY, "%s is in use: %zu live blocks, %zu bytes", what, blocks,
			   bytes);
}

static struct stack *current_default(void)
{
	return (struct stack *)hooks_default();
}

/* The lock is held.  stack is null for the platform heap. */
static int switch_default(struct stack *stack)
{
	struct stack *old = current_default();
	int err;

	if (stack == old)
		return 0;
	err = default_idle(old);
	if (!err)
		err = hooks_set_default(stack);
	if (err)
		return err;
	if (stack)
		stack->uses++;
	if (old) {
		old->uses--;
		stack_drop(old);
	}
	return 0;
}

/* What the program itself names may be refused, but not passed over. */
static int request_of(const char *conf, struct config_request *request)
{
	config_request_from_process(request, conf);
	if (!conf || !request->secure)
		return 0;
	return message_set(-EACCES,
			   "%s: found a file that the program names, expected null: in secure "
			   "execution only the system's files are read",
			   conf);
}

/*
 * The lock is held.  *out is null where the platform heap is asked for; config is
 * the caller's to free, unless a new stack has taken it over.
 */
static int load(const struct config_request *request, struct config *config, struct stack **out)
{
	int err = config_read(request, config);

	*out = NULL;
	if (err)
		return err;
	log_open(config->log, config->log_path, request->run);
	if (!stack_is_platform(config))
		err = stack_get(config, request->secure, out);
	if (err)
		log_reopen();
	return err;
}

static int switch_to(const struct config_request *request, const struct config *config,
		     struct stack *stack)
{
	int err = switch_default(stack);

	if (!err) {
		status_served(request, config, stack);
		return 0;
	}
	if (stack)
		stack_drop(stack);
	log_reopen();
	return err;
}

static int load_default(const char *conf)
{
	struct config_request request;
	struct config config;
	struct stack *stack;
	int err;

	err = request_of(conf, &request);
	if (err)
		return err;
	err = load(&request, &config, &stack);
	if (!err)
		err = switch_to(&request, &config, stack);
	config_free(&config);
	return err;
}

static int unload_default(void)
{
	const struct config_request request = {.named = NULL};
	const struct config config = {.stack = "", .filters = ""};
	int err = switch_default(NULL);

	if (!err)
		status_served(&request, &config, NULL);
	return err;
}

CHIC_EXPORT int chic_alloc_load(const char *conf)
{
	int err = enter();

	if (err)
		return err;
	err = load_default(conf);
	loader_unlock();
	return err;
}

CHIC_EXPORT int chic_alloc_unload(void)
{
	int err = enter();

	if (err)
		return err;
	err = unload_default();
	loader_unlock();
	return err;
}

static int reset_default(size_t *dropped)
{
	struct stack *stack = current_default();

	if (interposed)
		return message_set(-EPERM, "found an unmodified program's malloc, expected "
					   "a program that links the library: its blocks "
					   "are not its own to drop");
	if (stack && !stack->counted)
		return default_idle(stack);
	return stack_reset(stack, dropped);
}

CHIC_EXPORT int chic_alloc_reset(size_t *dropped)
{
	size_t blocks = 0;
	int err = enter();

	if (err)
		return err;
	err = reset_default(&blocks);
	loader_unlock();
	if (!err && dropped)
		*dropped = blocks;
	return err;
}

/* ---- tables for hosts with a runtime of their own; context is the layer ---- */

static ValueMutPtr table_alloc(void *ctx, size_t size, size_t align)
{
	const struct chic_layer *top = ctx;

	return top->alloc.fn(top->alloc.ctx, size, align);
}

static ValueMutPtr table_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	const struct chic_layer *top = ctx;

	return top->alloc_zeroed.fn(top->alloc_zeroed.ctx, size, align);
}

static ValueMutPtr table_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
				 size_t align)
{
	const struct chic_layer *top = ctx;

	return top->realloc.fn(top->realloc.ctx, old, old_size, size, align);
}

static void table_free(void *ctx, ValueMutPtr block)
{
	const struct chic_layer *top = ctx;

	top->free.fn(top->free.ctx, block);
}

/* A vtable has one context; a stack's entries may have four. */
static void fill_vtable(const struct chic_layer *top, ChicAllocatorVTable *out)
{
	void *ctx = top->alloc.ctx;

	if (ctx == top->alloc_zeroed.ctx && ctx == top->realloc.ctx && ctx == top->free.ctx)
		*out = (ChicAllocatorVTable){ctx, top->alloc.fn, top->alloc_zeroed.fn,
					     top->realloc.fn, top->free.fn};
	else
		*out = (ChicAllocatorVTable){(void *)top, table_alloc, table_alloc_zeroed,
					     table_realloc, table_free};
}

static int load_table(const char *conf, ChicAllocatorVTable *out)
{
	struct config_request request;
	struct config config;
	struct stack *stack;
	int err;

	err = request_of(conf, &request);
	if (err)
		return err;
	err = load(&request, &config, &stack);
	config_free(&config);
	if (err)
		return err;
	if (stack) {
		stack->uses++;
		stack->counted = false;
	}
	fill_vtable(stack ? stack->top : platform_layer(), out);
	return 0;
}

CHIC_EXPORT int chic_alloc_table(const char *conf, ChicAllocatorVTable *out)
{
	int err;

	if (!out)
		return message_set(
			-EINVAL,
			"chic_alloc_table: out is null, expected where to put a table");
	err = enter();
	if (err)
		return err;
	err = load_table(conf, out);
	loader_unlock();
	return err;
}

/* ---- telling what is loaded ---- */

static void info_fill(const struct stack *stack, const struct layer *layer,
		      struct chic_alloc_info *info)
{
	const struct module *m = layer->module;

	info->depth = stack->n_layers - 1 - (layer - stack->layers);
	info->name = m->name;
	info->kind = m->native ? module_kind_name(m->info.kind) : "heap";
	info->version = m->native ? m->info.version : "";
	info->path = m->path;
}

static int each_of_stack(const struct stack *stack,
			 int (*fn)(const struct chic_alloc_info *, void *arg), void *arg)
{
	struct chic_alloc_info info = {
		.size = sizeof(info),
		.stack = stack->number,
		.is_default = stack == hooks_default(),
		.counted = stack->counted && !interposed,
	};
	int err = 0;

	if (info.counted)
		telemetry_live(stack->owner, &info.live_blocks, &info.live_bytes);
	for (unsigned i = stack->n_layers; i-- > 0 && !err;) {
		info_fill(stack, &stack->layers[i], &info);
		err = fn(&info, arg);
	}
	if (err)
		return err;
	info.depth = stack->n_layers;
	info.name = "default";
	info.kind = "platform";
	info.version = "";
	info.path = "";
	return fn(&info, arg);
}

static int each_platform(int (*fn)(const struct chic_alloc_info *, void *arg), void *arg)
{
	struct chic_alloc_info info = {
		.size = sizeof(info),
		.is_default = true,
		.name = "default",
		.kind = "platform",
		.version = "",
		.path = "",
		.counted = !interposed,
	};

	if (info.counted)
		telemetry_live(OWNER_PLATFORM, &info.live_blocks, &info.live_bytes);
	return fn(&info, arg);
}

CHIC_EXPORT int chic_alloc_each(int (*fn)(const struct chic_alloc_info *, void *arg), void *arg)
{
	const struct stack *stack;
	int err;

	if (!fn)
		return message_set(-EINVAL, "chic_alloc_each: fn is null, expected a function");
	err = enter();
	if (err)
		return err;
	if (!hooks_default())
		err = each_platform(fn, arg);
	for (stack = stacks; stack && !err; stack = stack->next)
		err = each_of_stack(stack, fn, arg);
	loader_unlock();
	return err;
}

void loader_each_layer(void (*fn)(struct layer *, void *arg), void *arg, bool innermost_first)
{
	for (struct stack *s = stacks; s; s = s->next) {
		for (unsigned i = 0; i < s->n_layers; i++) {
			unsigned at = innermost_first ? i : s->n_layers - 1 - i;

			if (s->layers[at].module->native)
				fn(&s->layers[at], arg);
		}
	}
}

/* ---- interposers ---- */

static AllocationTelemetry *malloc_counters(AllocationTelemetry **cache)
{
	struct thread *t = thread_self ? thread_self : thread_attach();

	*cache = t ? &t->owner[OWNER_MALLOC].t : NULL;
	if (t)
		t->malloc_cache = cache;
	return *cache;
}

/* A twin of the module's own, or one that was made of hooks, which know no errno. */
static bool sets_errno(const struct stack *stack)
{
	for (unsigned i = 0; stack && i < stack->n_layers; i++)
		if (stack->top->malloc.ctx == &stack->layers[i].completion)
			return false;
	return true;
}

/* What the outermost layer leaves to a malloc family below it, if there is such. */
static void leaves_answer(const struct stack *stack, struct chic_interposed *answer)
{
	const struct layer *outermost = &stack->layers[stack->n_layers - 1];
	const struct chic_layer *lower = stack->n_layers > 1 ? &outermost[-1].completion.ops
							     : platform_layer();

	if (!outermost->leaves.countdown || !lower->family)
		return;
	answer->leaves = &outermost->leaves;
	answer->below = lower->family;
}

/* What the library says whose family serves alone, for whom it makes a difference. */
static void sizes_answer(const struct stack *stack, struct chic_interposed *answer)
{
	if (!answer->direct || answer->telemetry != CHIC_TELEMETRY_FULL)
		return;
	for (unsigned i = 0; i < stack->n_layers; i++)
		if (answer->direct == &stack->layers[i].module->family)
			module_sizes(stack->layers[i].module, answer);
}

static void interpose_answer(const struct stack *stack, struct chic_interposed *out)
{
	struct chic_interposed answer = {
		.size = out->size,
		.direct = stack ? stack->top->family : platform_family(),
		.top = stack ? stack->top : platform_layer(),
		.sets_errno = sets_errno(stack),
		.telemetry = interposed_telemetry,
		.counters = malloc_counters,
		.shared = &thread_shared[OWNER_MALLOC].t,
	};

	if (stack && stack->n_layers) {
		leaves_answer(stack, &answer);
		sizes_answer(stack, &answer);
	}
	memcpy(out, &answer, out->size < sizeof(answer) ? out->size : sizeof(answer));
}

static int start_stack(struct config *config, const struct config_request *request,
		       bool malloc_family)
{
	struct stack *stack = NULL;
	int err = 0;

	log_open(config->log, config->log_path, request->run);
	interposed_telemetry = stack_telemetry(config);
	if (!stack_is_platform(config))
		err = stack_new(config, request->secure, malloc_family, &stack);
	if (err)
		return err;
	if (stack)
		stack->uses++;
	err = hooks_set_default(stack);
	if (!err)
		status_served(request, config, stack);
	return err;
}

/* Nothing was served yet, so whatever goes wrong costs the program nothing. */
void loader_start(bool malloc_family)
{
	struct config_request request;
	struct config config;
	char folder[PATH_MAX];
	bool fatal;
	int err;

	config_request_from_process(&request, NULL);
	log_open(LOG_TO_AUTO, NULL, request.run);
	trust_begin(folder);
	err = config_read(&request, &config);
	fatal = config.fail_counts;
	if (!err)
		err = start_stack(&config, &request, malloc_family);
	if (err)
		status_refused(&request, &config);
	config_free(&config);
	trust_end();
	if (!err)
		return;
	interposed_telemetry = CHIC_TELEMETRY_OFF;
	if (!fatal) {
		log_line("%s; the platform heap serves", message_get());
		return;
	}
	log_line("%s; on_error = fail: not started", message_get());
	_exit(EXIT_FAILURE);
}

/* This copy of the loader decides nothing: the process's malloc is its platform. */
void loader_behind_preload(void)
{
	loader_lock();
	interposed = true;
	hooks_set_default(NULL);
	loader_unlock();
}

void loader_interpose(const struct chic_malloc_family *family, const char *standdown,
		      struct chic_interposed *out)
{
	loader_lock();
	platform_set_family(family);
	if (standdown)
		status_alone(STATUS_STOOD_DOWN, standdown);
	else
		loader_start(true);
	if (!hooks_table)
		hooks_set_default(NULL);
	interposed = true;
	interpose_answer(hooks_default(), out);
	loader_unlock();
}

CHIC_EXPORT void chic_alloc_interpose(const struct chic_malloc_family *family,
				      const char *standdown, struct chic_interposed *out)
{
	loader_interpose(family, standdown, out);
}
