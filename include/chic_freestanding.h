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

#ifdef __cplusplus
}
#endif

#endif /* CHIC_FREESTANDING_H */
