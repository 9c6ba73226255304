// SPDX-License-Identifier: BSD-2-Clause
/*
 * guard - each block at the end of its page, with a page without access behind
 *
 * An access past the block or to a freed block faults where it happens.  What
 * cannot be guarded (too many live blocks for the system's limit of mappings, no
 * addresses left) is the lower layer's, and counted: never a failure.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "guard.h"

CHIC_MODULE("guard", "mixed");
CHIC_MODULE_VERSION("1.0");
CHIC_MODULE_LICENSE("BSD-2-Clause");
CHIC_MODULE_DESCRIPTION("a guard page behind each block, freed blocks inaccessible");
CHIC_MODULE_AUTHOR("chic-alloc");
CHIC_MODULE_PARM("align", "enum", "natural", "natural|byte",
		 "natural: as malloc promises; byte: the block's last byte is the page's");
CHIC_MODULE_PARM("quarantine", "size", "256M", "0-1T",
		 "bytes of addresses of freed blocks that are not used again");
CHIC_MODULE_PARM("limit", "uint", "0", "",
		 "most live guarded blocks, 0: as many as vm.max_map_count allows");
CHIC_MODULE_PARM("range", "size", "64G", "1M-8T", "bytes of addresses reserved");
CHIC_MODULE_PARM("sample", "uint", "1", "1-1000000000", "guard one allocation in so many");
CHIC_MODULE_PARM("summary", "bool", "no", "",
		 "say on stderr at exit how many blocks were guarded");

#define MAX_MAP_COUNT "/proc/sys/vm/max_map_count"
#define MAX_MAP_COUNT_DEFAULT 65530
#define MAPS_PER_BLOCK 2

/* A guarded block, or null: then the lower layer serves. */
static void *own_alloc(struct guard *g, size_t size, size_t align, bool zeroed)
{
	void *p;

	if (g->sample > 1 && atomic_fetch_add(&g->turn, 1) % g->sample != 0)
		return NULL;
	p = guard_block_new(g, size, align, zeroed);
	atomic_fetch_add(p ? &g->guarded : &g->unguarded, 1);
	return p;
}

/* --------------------------------------------------------------- hooks -- */

static ValueMutPtr hook_alloc(struct guard *g, size_t size, size_t align, bool zeroed)
{
	void *p = own_alloc(g, size, align, zeroed);

	return p ? handle(p, size, align) : lower_alloc(g->lower, size, align, zeroed);
}

ValueMutPtr guard_alloc(void *ctx, size_t size, size_t align)
{
	return hook_alloc(ctx, size, align, false);
}

ValueMutPtr guard_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	return hook_alloc(ctx, size, align, true);
}

/* A guarded block always moves, so that pointers into the old one are found out. */
ValueMutPtr guard_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
			  size_t align)
{
	struct guard *g = ctx;
	ValueMutPtr block;
	size_t have;

	if (!old.ptr)
		return hook_alloc(g, size, align, false);
	if (!guard_has(g, old.ptr))
		return lower_realloc(g->lower, old, old_size, size, align);
	have = guard_block_size(g, old.ptr);
	block = handle(NULL, size, align);
	if (have)
		block = hook_alloc(g, size, align, false);
	if (block.ptr)
		memcpy(block.ptr, old.ptr, smaller(smaller(old_size, have), size));
	if (block.ptr || !have)
		guard_block_free(g, old.ptr, "realloc");
	return block;
}

void guard_free(void *ctx, ValueMutPtr block)
{
	struct guard *g = ctx;

	if (guard_has(g, block.ptr))
		guard_block_free(g, block.ptr, "free");
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

void *guard_malloc(void *ctx, size_t size)
{
	struct guard *g = ctx;
	void *p = own_alloc(g, size, malloc_align(g), false);

	return p ? p : lower_malloc(g->lower, size);
}

void *guard_calloc(void *ctx, size_t n, size_t size)
{
	struct guard *g = ctx;
	void *p = own_alloc(g, n * size, malloc_align(g), true);

	return p ? p : lower_calloc(g->lower, n, size);
}

void *guard_memalign(void *ctx, size_t align, size_t size)
{
	struct guard *g = ctx;
	void *p = own_alloc(g, size, align, false);

	return p ? p : lower_memalign(g->lower, align, size);
}

void *guard_remalloc(void *ctx, void *p, size_t size)
{
	struct guard *g = ctx;
	size_t have;
	void *q = NULL;

	if (!guard_has(g, p))
		return lower_remalloc(g->lower, p, size);
	have = guard_block_size(g, p);
	if (have)
		q = guard_malloc(g, size);
	if (q)
		memcpy(q, p, smaller(have, size));
	if (q || !have)
		guard_block_free(g, p, "realloc");
	return q;
}

size_t guard_mfree(void *ctx, void *p)
{
	struct guard *g = ctx;

	return guard_has(g, p) ? guard_block_free(g, p, "free") : lower_mfree(g->lower, p);
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
	guard_postfork_parent(ctx);
}

/* ---------------------------------------------------------- life cycle -- */

static size_t max_map_count(void)
{
	char text[32] = "";
	int fd = open(MAX_MAP_COUNT, O_RDONLY | O_CLOEXEC);
	size_t count = 0;

	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) > 0)
			count = strtoul(text, NULL, 10);
		close(fd);
	}
	return count ? count : MAX_MAP_COUNT_DEFAULT;
}

/* A quarter of the mappings stays with the program. */
static size_t read_limit(const struct guard *g)
{
	size_t maps = max_map_count();
	size_t most = (maps - maps / 4) / MAPS_PER_BLOCK;
	uint64_t limit = chic_param_number(g->args, "limit");

	if (limit > most)
		g->args->warn("%s: limit = %llu: vm.max_map_count = %zu allows %zu",
			      g->args->name, (unsigned long long)limit, maps, most);
	return limit && limit < most ? limit : most;
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
	g->quarantine = param_size(args, "quarantine");
	g->sample = chic_param_number(args, "sample");
	g->byte_aligned = strcmp(chic_param_text(args, "align"), "byte") == 0;
	g->limit = read_limit(g);
	pthread_mutex_init(&g->lock, NULL);
	if (chic_param_number(args, "summary"))
		err = guard_summary_start(g);
	if (err)
		goto err_unmap_state;
	guard_reserve(g, param_size(args, "range") & ~(g->page - 1));
	*ctx = g;
	return 0;

err_unmap_state:
	munmap(g, sizeof(*g));
	return err;
}

void guard_exit(void *ctx)
{
	struct guard *g = ctx;

	guard_summary_stop(g);
	guard_unreserve(g);
	munmap(g, sizeof(*g));
}
