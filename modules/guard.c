// SPDX-License-Identifier: BSD-2-Clause
/*
 * guard - each block at the end of its page, with pages without access around it
 *
 * An access past the block or to a freed block faults where it happens; what is
 * written beside it in its own page is found when it is freed.  What cannot be
 * guarded (no addresses or mappings left) is the lower layer's, and counted: never a
 * failure.  Each bug that is found is reported, with stacks.
 */
#include <unistd.h>

#include "guard.h"

/* Addresses cost nothing where there are many. */
#if UINTPTR_MAX > UINT32_MAX
#define RANGE_DEFAULT "64G"
#else
#define RANGE_DEFAULT "512M"
#endif

CHIC_MODULE("guard", "mixed");
CHIC_MODULE_VERSION("1.0");
CHIC_MODULE_LICENSE("BSD-2-Clause");
CHIC_MODULE_DESCRIPTION("guard pages around each block, freed blocks inaccessible");
CHIC_MODULE_AUTHOR("chic-alloc");
CHIC_MODULE_PARM("align", "enum", "natural", "natural|byte",
		 "natural: as malloc promises; byte: the block's last byte is the page's");
CHIC_MODULE_PARM("quarantine", "size", "256M", "0-1T",
		 "bytes of addresses of freed blocks that are not used again");
CHIC_MODULE_PARM("side", "enum", "right", "right|left",
		 "end of its pages that a block lies at, where an access past it faults");
CHIC_MODULE_PARM("limit", "uint", "0", "",
		 "most live guarded blocks, 0: as many as the back end can guard");
CHIC_MODULE_PARM("range", "size", RANGE_DEFAULT, "1M-8T", "bytes of addresses reserved");
CHIC_MODULE_PARM("sample", "uint", "1", "1-1000000000", "guard one allocation in so many");
CHIC_MODULE_PARM("size", "string", "", "",
		 "guard blocks of these sizes: MIN-MAX, such as 1-4K");
CHIC_MODULE_PARM("dso", "string", "", "",
		 "guard what this object asks for, such as libfoo.so or the program's name");
CHIC_MODULE_PARM("backend", "enum", "auto", "auto|userfaultfd|madvise|mprotect",
		 "what makes pages inaccessible");
CHIC_MODULE_PARM("stacks", "bool", "yes", "",
		 "keep where blocks were allocated and freed, for reports");
CHIC_MODULE_PARM("output", "string", "", "",
		 "file that reports go to, %p is the process id; stderr by default");
CHIC_MODULE_PARM("summary", "bool", "no", "",
		 "say on stderr at exit how many blocks were guarded");

/* A guarded block, or null: then the lower layer serves. */
static void *own_alloc(struct guard *g, size_t size, size_t align, bool room)
{
	void *p;

	if (!guard_chooses(g, size))
		return NULL;
	p = guard_block_new(g, size, align, room);
	atomic_fetch_add(p ? &g->guarded : &g->unguarded, 1);
	return p;
}

/* Takes the place of a guarded block that cannot be changed where it is. */
static void *own_instead(struct guard *g, void *p, size_t size, size_t align)
{
	if (guard_passes())
		return NULL;
	return own_alloc(g, size, align, size > guard_block_size(g, p));
}

/* The content of a guarded block goes over to another, and then it goes. */
static void move_content(struct guard *g, void *to, void *from, size_t size)
{
	memcpy(to, from, smaller(size, guard_block_size(g, from)));
	guard_block_free(g, from, "realloc");
}

/* --------------------------------------------------------------- hooks -- */

__attribute__((noinline)) static ValueMutPtr alloc_chosen(struct guard *g, size_t size,
							  size_t align, bool zeroed)
{
	void *p = own_alloc(g, size, align, false);

	return p ? handle(p, size, align) : lower_alloc(g->lower, size, align, zeroed);
}

ValueMutPtr guard_alloc(void *ctx, size_t size, size_t align)
{
	struct guard *g = ctx;

	if (likely(guard_passes()))
		return lower_alloc(g->lower, size, align, false);
	return alloc_chosen(g, size, align, false);
}

ValueMutPtr guard_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	struct guard *g = ctx;

	if (likely(guard_passes()))
		return lower_alloc(g->lower, size, align, true);
	return alloc_chosen(g, size, align, true);
}

ValueMutPtr guard_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
			  size_t align)
{
	struct guard *g = ctx;
	ValueMutPtr block = handle(NULL, size, align);

	if (!old.ptr)
		return alloc_chosen(g, size, align, false);
	if (!guard_has(g, old.ptr))
		return lower_realloc(g->lower, old, old_size, size, align);
	if (guard_block_resize(g, old.ptr, size, align))
		return handle(old.ptr, size, align);
	block.ptr = own_instead(g, old.ptr, size, align);
	if (!block.ptr)
		block = lower_alloc(g->lower, size, align, false);
	if (block.ptr)
		move_content(g, block.ptr, old.ptr, smaller(old_size, size));
	return block;
}

__attribute__((noinline)) static void free_own(struct guard *g, void *p)
{
	guard_block_free(g, p, "free");
}

void guard_free(void *ctx, ValueMutPtr block)
{
	struct guard *g = ctx;

	if (guard_has(g, block.ptr))
		free_own(g, block.ptr);
	else
		lower_free(g->lower, block);
}

size_t guard_usable_size(void *ctx, const void *p)
{
	struct guard *g = ctx;

	return guard_has(g, p) ? guard_block_size(g, p) : lower_usable_size(g->lower, p);
}

bool guard_owns(void *ctx, const void *p)
{
	return guard_has(ctx, p);
}

/* --------------------------------------------------------------- twins -- */

static size_t malloc_align(const struct guard *g)
{
	return g->byte_aligned ? 1 : GUARD_ALIGN;
}

__attribute__((noinline)) static void *malloc_chosen(struct guard *g, size_t size)
{
	void *p = own_alloc(g, size, malloc_align(g), false);

	return p ? p : lower_malloc(g->lower, size);
}

void *guard_malloc(void *ctx, size_t size)
{
	struct guard *g = ctx;

	if (likely(guard_passes()))
		return lower_malloc(g->lower, size);
	return malloc_chosen(g, size);
}

__attribute__((noinline)) static void *calloc_chosen(struct guard *g, size_t n, size_t size)
{
	void *p = own_alloc(g, n * size, malloc_align(g), false);

	return p ? p : lower_calloc(g->lower, n, size);
}

void *guard_calloc(void *ctx, size_t n, size_t size)
{
	struct guard *g = ctx;

	if (likely(guard_passes()))
		return lower_calloc(g->lower, n, size);
	return calloc_chosen(g, n, size);
}

__attribute__((noinline)) static void *memalign_chosen(struct guard *g, size_t align,
						       size_t size)
{
	void *p = own_alloc(g, size, align, false);

	return p ? p : lower_memalign(g->lower, align, size);
}

void *guard_memalign(void *ctx, size_t align, size_t size)
{
	struct guard *g = ctx;

	if (likely(guard_passes()))
		return lower_memalign(g->lower, align, size);
	return memalign_chosen(g, align, size);
}

__attribute__((noinline)) static void *remalloc_own(struct guard *g, void *p, size_t size)
{
	void *q;

	if (guard_block_resize(g, p, size, malloc_align(g)))
		return p;
	q = own_instead(g, p, size, malloc_align(g));
	if (!q)
		q = lower_malloc(g->lower, size);
	if (q)
		move_content(g, q, p, size);
	return q;
}

void *guard_remalloc(void *ctx, void *p, size_t size)
{
	struct guard *g = ctx;

	if (likely(!guard_has(g, p)))
		return lower_remalloc(g->lower, p, size);
	return remalloc_own(g, p, size);
}

__attribute__((noinline)) static size_t mfree_own(struct guard *g, void *p)
{
	return guard_block_free(g, p, "free");
}

size_t guard_mfree(void *ctx, void *p)
{
	struct guard *g = ctx;

	if (likely(!guard_has(g, p)))
		return lower_mfree(g->lower, p);
	return mfree_own(g, p);
}

/* --------------------------------------------------------------- forks -- */

void guard_prefork(void *ctx)
{
	struct guard *g = ctx;

	if (chic_only_thread())
		return;
	pthread_mutex_lock(&g->lock);
	g->locked_to_fork = true;
}

void guard_postfork_parent(void *ctx)
{
	struct guard *g = ctx;

	if (!g->locked_to_fork)
		return;
	g->locked_to_fork = false;
	pthread_mutex_unlock(&g->lock);
}

/* The child's only thread is the copy of the one that took the lock. */
void guard_postfork_child(void *ctx)
{
	struct guard *g = ctx;
	int saved = errno;

	guard_thread_forked();
	guard_report_forked();
	guard_backend_child(g);
	guard_postfork_parent(g);
	errno = saved;
}

/* ---------------------------------------------------------- life cycle -- */

static unsigned char *pattern_new(const struct guard *g)
{
	unsigned char *pattern = pages_new(GUARD_PATTERN * g->page);

	if (pattern)
		memset(pattern, GUARD_CANARY, g->page);
	return pattern;
}

static int read_params(struct guard *g)
{
	const struct chic_module_args *args = g->args;
	uint64_t limit = chic_param_number(args, "limit");

	g->quarantine = param_size(args, "quarantine");
	g->sample = chic_param_number(args, "sample");
	g->byte_aligned = strcmp(chic_param_text(args, "align"), "byte") == 0;
	g->left = strcmp(chic_param_text(args, "side"), "left") == 0;
	g->limit = limit ? limit : SIZE_MAX;
	g->dso = chic_param_text(args, "dso");
	stacktrace_start(args);
	return guard_read_sizes(g, chic_param_text(args, "size"));
}

/* What sampling passes over need not come here to be passed over. */
static void tell_what_is_left(const struct guard *g)
{
	if (g->sample > 1 && CHIC_HAS(g->args, leaves))
		*g->args->leaves = (struct chic_module_leaves){
			.countdown = &guard_countdown,
			.base = g->base,
			.bytes = g->range,
		};
}

int guard_init(const struct chic_module_args *args, const struct chic_layer *lower, void **ctx)
{
	struct guard *g = pages_new(sizeof(*g));
	int err = 0;

	if (!g) {
		args->fail("no memory for the guard's %zu bytes of state", sizeof(*g));
		return -ENOMEM;
	}
	g->args = args;
	g->lower = lower;
	g->page = sysconf(_SC_PAGESIZE);
	pthread_mutex_init(&g->lock, NULL);
	err = read_params(g);
	if (!err)
		err = guard_report_start(g);
	if (err)
		goto err_unmap_state;
	g->pattern = pattern_new(g);
	if (!g->pattern) {
		args->fail("no memory for the guard's pattern");
		err = -ENOMEM;
		goto err_unmap_state;
	}
	if (chic_param_number(args, "summary"))
		err = guard_summary_start(g);
	if (err)
		goto err_unmap_pattern;
	guard_reserve(g, param_size(args, "range") & ~(g->page - 1));
	guard_backend_start(g);
	guard_stacks_start(g);
	guard_instance_add(g);
	guard_signal_start(g);
	tell_what_is_left(g);
	*ctx = g;
	return 0;

err_unmap_pattern:
	munmap((void *)g->pattern, GUARD_PATTERN * g->page);
err_unmap_state:
	munmap(g, sizeof(*g));
	return err;
}

void guard_exit(void *ctx)
{
	struct guard *g = ctx;

	guard_summary_stop(g);
	guard_signal_stop(g);
	guard_instance_remove(g);
	guard_backend_stop(g);
	guard_stacks_stop(g);
	guard_unreserve(g);
	munmap((void *)g->pattern, GUARD_PATTERN * g->page);
	munmap(g, sizeof(*g));
}
