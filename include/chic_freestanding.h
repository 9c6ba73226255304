/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chic_freestanding.h - the hooks and the runtime without an operating system
 *
 * libchic_alloc_freestanding.a serves the functions of chic_rt.h in firmware.  There
 * is no heap: until something is installed every request is answered by a typed null
 * and counted nowhere.  An arena over a buffer of the firmware's own is the usual
 * thing to install, early, before anything allocates:
 *
 *	static uint8_t pool[16384];
 *
 *	if (chic_arena_install(pool, sizeof(pool)) != 0)
 *		...
 *
 * Link with --gc-sections, so that what is not used takes no room.
 *
 * One processor.  Nothing here waits for another processor.  Interrupt handlers, or
 * the tasks of a kernel, may call every function of chic_rt.h if chic_irq_save() and
 * chic_irq_restore() are defined; they must not share one container or region.
 */
#ifndef CHIC_FREESTANDING_H
#define CHIC_FREESTANDING_H

#include "chic_module.h"
#include "chic_rt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Errors as Linux numbers them; functions answer 0 or one of these, negative. */
enum { CHIC_ENOENT = 2, CHIC_ENOMEM = 12, CHIC_EBUSY = 16, CHIC_EINVAL = 22 };

/* ------------------------------------------ what the firmware may define --- */

/*
 * Keep interrupts, and other tasks, out until chic_irq_restore() gets what this
 * answered.  What lies in between is a few loads and stores, never a hook.  Both must
 * be barriers to the compiler ("memory").  For a Cortex-M:
 *
 *	uintptr_t chic_irq_save(void)
 *	{
 *		uintptr_t state;
 *
 *		__asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(state) :: "memory");
 *		return state;
 *	}
 *
 *	void chic_irq_restore(uintptr_t state)
 *	{
 *		__asm__ volatile("msr primask, %0" :: "r"(state) : "memory");
 *	}
 *
 * The library's own, which are weak, do nothing: no interrupt handler allocates then.
 */
uintptr_t chic_irq_save(void);
void chic_irq_restore(uintptr_t state);

/* Called in a loop by a task that waits for another; weak, does nothing. */
void chic_yield(void);

/* A failed chic_rt_telemetry_assert(); weak, ends in __builtin_trap(). */
void chic_panic(const char *message) __attribute__((noreturn));

/* ----------------------------------------------------------- the arena --- */

/*
 * Make an arena over buffer and install it.  The arena keeps its state, a few words,
 * at the buffer's begin.  A buffer that is not aligned loses its first bytes; nothing
 * more is asked of it, and what is in it does not matter.
 *
 * -CHIC_EINVAL	buffer is null, or too small for one block
 *
 * Blocks are cut from the buffer one behind the other.  The one that was cut last
 * grows, shrinks and goes back in place; when none is left all of the buffer is free
 * again; anything else that is freed stays where it is.
 */
int chic_arena_install(void *buffer, size_t size);

/* --------------------------------------------------------- modules --- */

/*
 * A module that is linked in: its functions by their prefixed names, null where it
 * has none.  What is missing is completed as for modules that are loaded, see
 * chic_module.h; nothing forks here, and no thread ends.
 *
 *	CHIC_MODULE_EXPORTS(pool);
 *
 *	const struct chic_builtin chic_builtin_pool = {
 *		.name = "pool",
 *		.kind = "heap",
 *		.alloc = pool_alloc,
 *		.free = pool_free,
 *	};
 */
struct chic_builtin {
	const char *name;
	const char *kind; /* "heap", "filter", "mixed" */
	bool frees_no; /* CHIC_MODULE_FREES_NO() */
	chic_alloc_fn alloc;
	chic_alloc_fn alloc_zeroed;
	chic_realloc_fn realloc;
	chic_free_fn free;
	int (*init)(const struct chic_module_args *, const struct chic_layer *, void **);
	void (*exit)(void *ctx);
	chic_usable_size_fn usable_size;
	chic_owns_fn owns;
};

/* The arena: a heap with the parameters buffer, its address as a number, and size. */
extern const struct chic_builtin chic_builtin_arena;

/*
 * The modules that there are, ended by a null.  The library's own, which is weak, has
 * the arena alone; firmware with modules of its own defines another.
 */
extern const struct chic_builtin *const chic_builtins[];

/* One layer: the module's name in chic_builtins, and its parameters. */
struct chic_stack_layer {
	const char *module;
	const struct chic_module_param *params;
	size_t n_params;
};

/* Most layers of a stack. */
#define CHIC_STACK_MAX 4

/*
 * Build a stack and make it the default: what null entries of installed tables fall
 * back to, and what chic_rt_allocator_reset returns to.  layers[0] is the outermost,
 * asked first.  Names and parameters must stay valid.
 *
 * -CHIC_EBUSY	there is one already: blocks of it may be live
 * -CHIC_ENOENT	no module of that name in chic_builtins
 * -CHIC_EINVAL	no layer or too many, or a module that cannot serve
 * others	what a module's init answered
 *
 * After an error everything is as it was, and chic_alloc_message() says why.
 */
int chic_alloc_stack(const struct chic_stack_layer *layers, size_t n);

/* Why chic_alloc_stack() refused; "" at first. */
const char *chic_alloc_message(void);

#ifdef __cplusplus
}
#endif

#endif /* CHIC_FREESTANDING_H */
