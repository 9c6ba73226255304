// SPDX-License-Identifier: BSD-2-Clause
/*
 * A filter as release 0.1 built it, with every symbol and every type of parameter.
 * It refuses to start unless it is told exactly what it expects, and counts the
 * calls of each of its functions.  FROZEN, see frozen.h.
 *
 * Its section in the configuration has to be
 *
 *	[module release_0_1_filter]
 *	on = no
 *	count = 42
 *	bytes = 8K
 *	output = some text
 *	mode = slow
 */
#include "frozen.h"

FROZEN_INFO("name=release_0_1_filter");
FROZEN_INFO("abi=1");
FROZEN_INFO("kind=filter");
FROZEN_INFO("version=0.1.0");
FROZEN_INFO("license=BSD-2-Clause");
FROZEN_INFO("description=filter of release 0.1");
FROZEN_INFO("author=The tests <tests@example.org>");
FROZEN_INFO("parm=on:bool:yes::a truth value");
FROZEN_INFO("parm=count:uint:7:1-100:a number");
FROZEN_INFO("parm=bytes:size:64K:4K-1G:a size: of nothing");
FROZEN_INFO("parm=output:string:::any text");
FROZEN_INFO("parm=mode:enum:fast:fast|slow:one of two");

FROZEN_EXPORT atomic_uint release_0_1_filter_seen[SEEN_COUNT];

FROZEN_EXPORT int release_0_1_filter_init(const struct frozen_args *args,
					  const struct frozen_layer *lower, void **ctx);
FROZEN_EXPORT void release_0_1_filter_exit(void *ctx);
FROZEN_EXPORT struct frozen_block release_0_1_filter_alloc(void *ctx, size_t size,
							   size_t align);
FROZEN_EXPORT struct frozen_block release_0_1_filter_alloc_zeroed(void *ctx, size_t size,
								  size_t align);
FROZEN_EXPORT struct frozen_block release_0_1_filter_realloc(void *ctx, struct frozen_block old,
							     size_t old_size, size_t size,
							     size_t align);
FROZEN_EXPORT void release_0_1_filter_free(void *ctx, struct frozen_block block);
FROZEN_EXPORT size_t release_0_1_filter_usable_size(void *ctx, const void *p);
FROZEN_EXPORT bool release_0_1_filter_owns(void *ctx, const void *p);
FROZEN_EXPORT size_t release_0_1_filter_reset(void *ctx);
FROZEN_EXPORT void release_0_1_filter_prefork(void *ctx);
FROZEN_EXPORT void release_0_1_filter_postfork_parent(void *ctx);
FROZEN_EXPORT void release_0_1_filter_postfork_child(void *ctx);
FROZEN_EXPORT void release_0_1_filter_thread_exit(void *ctx, void *word);
FROZEN_EXPORT void *release_0_1_filter_malloc(void *ctx, size_t size);
FROZEN_EXPORT void *release_0_1_filter_calloc(void *ctx, size_t n, size_t size);
FROZEN_EXPORT void *release_0_1_filter_memalign(void *ctx, size_t align, size_t size);
FROZEN_EXPORT void *release_0_1_filter_remalloc(void *ctx, void *p, size_t size);
FROZEN_EXPORT size_t release_0_1_filter_mfree(void *ctx, void *p);

static struct filter {
	const struct frozen_args *args;
	const struct frozen_layer *lower;
} filter;

/* ------------------------------------------------------------- what it is told --- */

static const struct frozen_param expected[] = {
	{"on", 0, "no"},       {"count", 42, "42"},
	{"bytes", 8192, "8K"}, {"output", 0, "some text"},
	{"mode", 0, "slow"},
};

static bool param_is(const struct frozen_args *args, const struct frozen_param *want)
{
	for (size_t i = 0; i < args->n_params; i++)
		if (strcmp(args->params[i].name, want->name) == 0)
			return args->params[i].number == want->number &&
			       strcmp(args->params[i].text, want->text) == 0;
	return false;
}

static const char *wrong_args(const struct frozen_args *args)
{
	if (args->size < sizeof(*args))
		return "args->size";
	if (strcmp(args->name, "release_0_1_filter") != 0)
		return "args->name";
	if (args->n_params != sizeof(expected) / sizeof(*expected))
		return "args->n_params";
	for (size_t i = 0; i < args->n_params; i++)
		if (!param_is(args, &expected[i]))
			return expected[i].name;
	if (!args->warn || !args->thread_word || !args->thread_word(args->slot))
		return "warn, thread_word or slot";
	return NULL;
}

static const char *wrong_lower(const struct frozen_layer *l)
{
	if (l->size < sizeof(*l))
		return "lower->size";
	if (!l->alloc || !l->alloc_zeroed || !l->realloc || !l->free || !l->usable_size)
		return "a hook of lower";
	if (!l->malloc || !l->calloc || !l->memalign || !l->remalloc || !l->mfree)
		return "a twin of lower";
	return NULL;
}

/* Every entry of lower, with the context beside it, on a block of the others. */
static const char *wrong_calls(const struct frozen_layer *l)
{
	struct frozen_block block = l->alloc(l->alloc_ctx, 100, 64);
	unsigned char *p, *q;

	if (!block.ptr || (uintptr_t)block.ptr % 64 || block.size != 100 || block.align != 64)
		return "lower->alloc";
	memset(block.ptr, 7, 100);
	if (l->owns)
		l->owns(l->owns_ctx, block.ptr);
	block = l->realloc(l->realloc_ctx, block, 100, 3000, 64);
	if (!block.ptr || block.ptr[0] != 7 || block.ptr[99] != 7 || block.size != 3000)
		return "lower->realloc";
	p = l->remalloc(l->remalloc_ctx, block.ptr, 5000);
	if (!p || p[99] != 7 || l->usable_size(l->usable_size_ctx, p) < 5000)
		return "lower->remalloc or usable_size";
	q = l->calloc(l->calloc_ctx, 10, 10);
	if (!q || q[0] || q[99] || l->mfree(l->mfree_ctx, q) < 100)
		return "lower->calloc or mfree";
	block.ptr = p;
	block.size = 5000;
	l->free(l->free_ctx, block);
	p = l->memalign(l->memalign_ctx, 4096, 10);
	q = l->malloc(l->malloc_ctx, 10);
	if (!p || (uintptr_t)p % 4096 || !q || (uintptr_t)q % (2 * sizeof(void *)))
		return "lower->memalign or malloc";
	block = l->alloc_zeroed(l->alloc_zeroed_ctx, 50, 8);
	if (!block.ptr || block.ptr[0] || block.ptr[49])
		return "lower->alloc_zeroed";
	l->free(l->free_ctx, block);
	l->mfree(l->mfree_ctx, p);
	l->mfree(l->mfree_ctx, q);
	return NULL;
}

int release_0_1_filter_init(const struct frozen_args *args, const struct frozen_layer *lower,
			    void **ctx)
{
	const char *wrong = wrong_args(args);

	release_0_1_filter_seen[SEEN_INIT]++;
	if (!wrong)
		wrong = wrong_lower(lower);
	if (!wrong)
		wrong = wrong_calls(lower);
	if (wrong) {
		args->fail("a module of release %d.%d finds %s to be wrong", 0, 1, wrong);
		return -22; /* EINVAL */
	}
	filter.args = args;
	filter.lower = lower;
	*ctx = &filter;
	return 0;
}

/* -------------------------------------------------------- counted and passed on --- */

static const struct frozen_layer *seen(void *ctx, unsigned which)
{
	struct filter *f = ctx;

	atomic_fetch_add(&release_0_1_filter_seen[which], 1);
	return f->lower;
}

/* The same, and the thread's word gets a value that thread_exit must see again. */
static const struct frozen_layer *seen_with_word(void *ctx, unsigned which)
{
	struct filter *f = ctx;
	void **word = f->args->thread_word(f->args->slot);

	if (word)
		*word = &release_0_1_filter_seen;
	return seen(ctx, which);
}

void release_0_1_filter_exit(void *ctx)
{
	seen(ctx, SEEN_EXIT);
}

struct frozen_block release_0_1_filter_alloc(void *ctx, size_t size, size_t align)
{
	const struct frozen_layer *l = seen_with_word(ctx, SEEN_ALLOC);

	return l->alloc(l->alloc_ctx, size, align);
}

struct frozen_block release_0_1_filter_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	const struct frozen_layer *l = seen(ctx, SEEN_ALLOC_ZEROED);

	return l->alloc_zeroed(l->alloc_zeroed_ctx, size, align);
}

struct frozen_block release_0_1_filter_realloc(void *ctx, struct frozen_block old,
					       size_t old_size, size_t size, size_t align)
{
	const struct frozen_layer *l = seen(ctx, SEEN_REALLOC);

	return l->realloc(l->realloc_ctx, old, old_size, size, align);
}

void release_0_1_filter_free(void *ctx, struct frozen_block block)
{
	const struct frozen_layer *l = seen(ctx, SEEN_FREE);

	l->free(l->free_ctx, block);
}

size_t release_0_1_filter_usable_size(void *ctx, const void *p)
{
	const struct frozen_layer *l = seen(ctx, SEEN_USABLE_SIZE);

	return l->usable_size(l->usable_size_ctx, p);
}

bool release_0_1_filter_owns(void *ctx, const void *p)
{
	const struct frozen_layer *l = seen(ctx, SEEN_OWNS);

	return l->owns && l->owns(l->owns_ctx, p);
}

size_t release_0_1_filter_reset(void *ctx)
{
	seen(ctx, SEEN_RESET);
	return 0;
}

void release_0_1_filter_prefork(void *ctx)
{
	seen(ctx, SEEN_PREFORK);
}

void release_0_1_filter_postfork_parent(void *ctx)
{
	seen(ctx, SEEN_POSTFORK_PARENT);
}

void release_0_1_filter_postfork_child(void *ctx)
{
	seen(ctx, SEEN_POSTFORK_CHILD);
}

void release_0_1_filter_thread_exit(void *ctx, void *word)
{
	if (word == &release_0_1_filter_seen)
		seen(ctx, SEEN_THREAD_EXIT);
}

void *release_0_1_filter_malloc(void *ctx, size_t size)
{
	const struct frozen_layer *l = seen_with_word(ctx, SEEN_MALLOC);

	return l->malloc(l->malloc_ctx, size);
}

void *release_0_1_filter_calloc(void *ctx, size_t n, size_t size)
{
	const struct frozen_layer *l = seen(ctx, SEEN_CALLOC);

	return l->calloc(l->calloc_ctx, n, size);
}

void *release_0_1_filter_memalign(void *ctx, size_t align, size_t size)
{
	const struct frozen_layer *l = seen(ctx, SEEN_MEMALIGN);

	return l->memalign(l->memalign_ctx, align, size);
}

void *release_0_1_filter_remalloc(void *ctx, void *p, size_t size)
{
	const struct frozen_layer *l = seen(ctx, SEEN_REMALLOC);

	return l->remalloc(l->remalloc_ctx, p, size);
}

size_t release_0_1_filter_mfree(void *ctx, void *p)
{
	const struct frozen_layer *l = seen(ctx, SEEN_MFREE);

	return l->mfree(l->mfree_ctx, p);
}
