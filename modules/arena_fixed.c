// SPDX-License-Identifier: BSD-2-Clause
/*
 * arena, where there are no pages: one chunk, over a buffer of the firmware's own.
 *
 * Its state is at the buffer's begin.  What is read and written of it lies between
 * irq_save() and irq_restore(); contents of blocks are theirs who have them.
 */
#include "arena_chunk.h"
#include "platform.h"

CHIC_MODULE_EXPORTS(arena);

static struct arena_slot *arena_make(void *buffer, size_t size)
{
	const size_t head = round_up(sizeof(struct arena_slot), ARENA_ALIGN);
	size_t lost = -(uintptr_t)buffer & (ARENA_ALIGN - 1);
	struct arena_slot *s;

	if (!buffer || size > -(uintptr_t)buffer - 1)
		return NULL;
	size = smaller(size, UINT32_MAX); /* a header holds no more */
	if (size < lost + head + ARENA_ALIGN + chic_window_step(1))
		return NULL;
	s = (void *)((char *)buffer + lost);
	*s = (struct arena_slot){
		.start = (char *)s + head,
		.window.next = (char *)s + head + ARENA_ALIGN,
		.window.end = (char *)buffer + size,
	};
	return s;
}

static bool owns(const struct arena_slot *s, const void *p)
{
	return (uintptr_t)p - (uintptr_t)s->start < (size_t)(s->window.end - s->start);
}

static char *cut(struct arena_slot *s, size_t size, size_t align)
{
	size_t step = chic_window_step(size);
	char *p;

	if (step < size || !arena_fits(s, step, align))
		return NULL;
	p = arena_cut_at(s, align);
	chic_window_mark(p, size, step);
	s->window.next = p + step;
	s->window.blocks++;
	return p;
}

ValueMutPtr arena_alloc(void *ctx, size_t size, size_t align)
{
	uintptr_t irq = irq_save();
	char *p = cut(ctx, size, larger(align, ARENA_ALIGN));

	irq_restore(irq);
	return handle(p, size, align);
}

ValueMutPtr arena_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	ValueMutPtr block = arena_alloc(ctx, size, align);

	if (block.ptr)
		memset(block.ptr, 0, size);
	return block;
}

/* A block that was never the arena's stays what it is. */
void arena_free(void *ctx, ValueMutPtr block)
{
	struct arena_slot *s = ctx;
	uintptr_t irq = irq_save();

	if (owns(s, block.ptr))
		arena_uncut(s, (char *)block.ptr);
	irq_restore(irq);
}

static bool resized(struct arena_slot *s, char *p, size_t size)
{
	struct chic_window_header *h = arena_header_of(p);

	if (size > (size_t)(s->window.end - p))
		return false;
	if (arena_is_top(s, p))
		return arena_resize_top(s, p, size);
	if (size > h->capacity)
		return false;
	h->size = (uint32_t)size;
	return true;
}

static bool resize(struct arena_slot *s, char *p, size_t size, size_t align)
{
	uintptr_t irq = irq_save();
	bool done = !((uintptr_t)p & (align - 1)) && resized(s, p, size);

	irq_restore(irq);
	return done;
}

/* What the arena knows of its own blocks goes before what it is told. */
static size_t known_size(const struct arena_slot *s, const void *p, size_t told)
{
	return owns(s, p) ? smaller(told, arena_header_of(p)->size) : told;
}

ValueMutPtr arena_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
			  size_t align)
{
	ValueMutPtr block;

	if (owns(ctx, old.ptr) && resize(ctx, (char *)old.ptr, size, align))
		return handle(old.ptr, size, align);
	block = arena_alloc(ctx, size, align);
	if (block.ptr && old.ptr) {
		memcpy(block.ptr, old.ptr, smaller(known_size(ctx, old.ptr, old_size), size));
		arena_free(ctx, old);
	}
	return block;
}

size_t arena_usable_size(void *ctx, const void *p)
{
	(void)ctx;
	return arena_header_of(p)->size;
}

bool arena_owns(void *ctx, const void *p)
{
	return owns(ctx, p);
}

size_t arena_reset(void *ctx)
{
	struct arena_slot *s = ctx;
	uintptr_t irq = irq_save();
	size_t live = s->window.blocks;

	s->window.next = s->start + ARENA_ALIGN;
	s->window.blocks = 0;
	irq_restore(irq);
	return live;
}

/* Parameters: buffer, its address as a number, and size. */
int arena_init(const struct chic_module_args *args, const struct chic_layer *lower, void **ctx)
{
	uintptr_t buffer = (uintptr_t)chic_param_number(args, "buffer");

	(void)lower;
	*ctx = arena_make((void *)buffer, (size_t)chic_param_number(args, "size"));
	if (*ctx)
		return 0;
	args->fail("arena: no buffer, or one too small for a block");
	return -CHIC_EINVAL;
}

void arena_exit(void *ctx)
{
	(void)ctx;
}

const struct chic_builtin chic_builtin_arena = {
	.name = "arena",
	.kind = "heap",
	.alloc = arena_alloc,
	.alloc_zeroed = arena_alloc_zeroed,
	.realloc = arena_realloc,
	.free = arena_free,
	.init = arena_init,
	.exit = arena_exit,
	.usable_size = arena_usable_size,
	.owns = arena_owns,
};

int chic_arena_install(void *buffer, size_t size)
{
	struct arena_slot *s = arena_make(buffer, size);

	if (!s)
		return -CHIC_EINVAL;
	chic_rt_allocator_install((ChicAllocatorVTable){
		.context = s,
		.alloc = arena_alloc,
		.alloc_zeroed = arena_alloc_zeroed,
		.realloc = arena_realloc,
		.free = arena_free,
	});
	return 0;
}
