// SPDX-License-Identifier: BSD-2-Clause
/*
 * A Cortex-M3 without anything, under an emulator that answers semihosting: vectors,
 * memory as the linker script has it, SysTick as the interrupt.
 */
#include <stdint.h>
#include <string.h>

#include "chic_freestanding.h"
#include "machine.h"

enum {
	SYS_WRITE = 0x05,
	SYS_OPEN = 0x01,
	SYS_EXIT_EXTENDED = 0x20,
	APPLICATION_EXIT = 0x20026
};

#define SYSTICK ((volatile uint32_t *)0xe000e010)

extern char data_from[], data_begin[], data_end[], bss_begin[], bss_end[], stack_top[];

static void (*interrupt)(void);

static uintptr_t host(uintptr_t operation, const void *arguments)
{
	register uintptr_t r0 __asm__("r0") = operation;
	register const void *r1 __asm__("r1") = arguments;

	__asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
	return r0;
}

void machine_write(const char *text, size_t len)
{
	static const char console[] = ":tt";
	static uintptr_t out;
	const uintptr_t open[] = {(uintptr_t)console, 4 /* "w" */, sizeof(console) - 1};
	uintptr_t write[] = {0, (uintptr_t)text, len};

	if (!out)
		out = host(SYS_OPEN, open);
	write[0] = out;
	host(SYS_WRITE, write);
}

void machine_exit(int status)
{
	const uintptr_t arguments[] = {APPLICATION_EXIT, (uintptr_t)status};

	for (;;)
		host(SYS_EXIT_EXTENDED, arguments);
}

void machine_interrupts(void (*fn)(void))
{
	interrupt = fn;
	SYSTICK[1] = 37;
	SYSTICK[2] = 0;
	SYSTICK[0] = fn ? 7 : 0;
}

uintptr_t chic_irq_save(void)
{
	uintptr_t state;

	__asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(state) : : "memory");
	return state;
}

void chic_irq_restore(uintptr_t state)
{
	__asm__ volatile("msr primask, %0" : : "r"(state) : "memory");
}

void machine_reset(void);

void machine_reset(void)
{
	memcpy(data_begin, data_from, (size_t)(data_end - data_begin));
	memset(bss_begin, 0, (size_t)(bss_end - bss_begin));
	machine_main();
}

static void fault(void)
{
	machine_write("fault\n", 6);
	machine_exit(2);
}

static void systick(void)
{
	if (interrupt)
		interrupt();
}

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
	stack_top, machine_reset, fault, fault, fault, fault, fault, NULL,
	NULL,	   NULL,	  NULL,	 fault, fault, NULL,  fault, systick,
};
