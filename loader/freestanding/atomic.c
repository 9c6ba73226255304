// SPDX-License-Identifier: BSD-2-Clause
/*
 * Atomic operations that the processor lacks, by the names under which compilers call
 * them: 64 bits wide on most microcontrollers, any width on the smallest.  They keep
 * interrupts out for a moment, which is enough on one processor.  Weak: a libatomic's
 * are taken where there is one.
 */
#include <stdbool.h>
#include <stdint.h>

#include "chic_freestanding.h"

#define WEAK(name, bytes) __asm__("__atomic_" #name "_" #bytes) __attribute__((weak, used))

#define ATOMIC(type, bytes)                                                                    \
	type chic_load_##bytes(const type *at, int order) WEAK(load, bytes);                   \
	void chic_store_##bytes(type *at, type value, int order) WEAK(store, bytes);           \
	type chic_exchange_##bytes(type *at, type value, int order) WEAK(exchange, bytes);     \
	type chic_fetch_add_##bytes(type *at, type n, int order) WEAK(fetch_add, bytes);       \
	type chic_fetch_sub_##bytes(type *at, type n, int order) WEAK(fetch_sub, bytes);       \
	bool chic_compare_exchange_##bytes(type *at, type *wanted, type value, int good,       \
					   int bad) WEAK(compare_exchange, bytes);             \
                                                                                               \
	type chic_load_##bytes(const type *at, int order)                                      \
	{                                                                                      \
		uintptr_t irq = chic_irq_save();                                               \
		type value = *(const volatile type *)at;                                       \
                                                                                               \
		(void)order;                                                                   \
		chic_irq_restore(irq);                                                         \
		return value;                                                                  \
	}                                                                                      \
                                                                                               \
	type chic_exchange_##bytes(type *at, type value, int order)                            \
	{                                                                                      \
		uintptr_t irq = chic_irq_save();                                               \
		type before = *(volatile type *)at;                                            \
                                                                                               \
		(void)order;                                                                   \
		*(volatile type *)at = value;                                                  \
		chic_irq_restore(irq);                                                         \
		return before;                                                                 \
	}                                                                                      \
                                                                                               \
	void chic_store_##bytes(type *at, type value, int order)                               \
	{                                                                                      \
		chic_exchange_##bytes(at, value, order);                                       \
	}                                                                                      \
                                                                                               \
	type chic_fetch_add_##bytes(type *at, type n, int order)                               \
	{                                                                                      \
		uintptr_t irq = chic_irq_save();                                               \
		type before = *(volatile type *)at;                                            \
                                                                                               \
		(void)order;                                                                   \
		*(volatile type *)at = before + n;                                             \
		chic_irq_restore(irq);                                                         \
		return before;                                                                 \
	}                                                                                      \
                                                                                               \
	type chic_fetch_sub_##bytes(type *at, type n, int order)                               \
	{                                                                                      \
		return chic_fetch_add_##bytes(at, -n, order);                                  \
	}                                                                                      \
                                                                                               \
	bool chic_compare_exchange_##bytes(type *at, type *wanted, type value, int good,       \
					   int bad)                                            \
	{                                                                                      \
		uintptr_t irq = chic_irq_save();                                               \
		type there = *(volatile type *)at;                                             \
		bool same = there == *wanted;                                                  \
                                                                                               \
		(void)good;                                                                    \
		(void)bad;                                                                     \
		if (same)                                                                      \
			*(volatile type *)at = value;                                          \
		else                                                                           \
			*wanted = there;                                                       \
		chic_irq_restore(irq);                                                         \
		return same;                                                                   \
	}

/* On one processor nothing but the compiler's own order counts. */
void chic_synchronize(void) __asm__("__sync_synchronize") __attribute__((weak, used));

void chic_synchronize(void)
{
	__asm__ volatile("" : : : "memory");
}

ATOMIC(uint32_t, 4)
ATOMIC(uint64_t, 8)
