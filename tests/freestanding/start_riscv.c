// SPDX-License-Identifier: BSD-2-Clause
/*
 * RISC-V of 32 or 64 bits without anything, on an emulator's virt machine: a serial
 * port, the device that ends it with a status, the timer as the interrupt.
 */
#include <stdint.h>
#include <string.h>

#include "chic_freestanding.h"
#include "machine.h"

#ifndef __clang__
__asm__(".option arch, +zicsr"); /* of newer assemblers */
#endif

#define SERIAL ((volatile uint8_t *)0x10000000)
#define FINISHER ((volatile uint32_t *)0x100000)
#define TIME_COMPARE ((volatile uint32_t *)0x2004000)
#define TIME ((volatile uint32_t *)0x200bff8)

enum { FINISH_FAIL = 0x3333, FINISH_PASS = 0x5555 };
enum { MSTATUS_MIE = 8, MIE_MTIE = 0x80, TIMER_CAUSE = 7, TICKS = 37 };

extern char bss_begin[], bss_end[];

static void (*interrupt)(void);

void machine_write(const char *text, size_t len)
{
	while (len--)
		*SERIAL = (uint8_t)*text++;
}

void machine_exit(int status)
{
	for (;;)
		*FINISHER = status ? (uint32_t)status << 16 | FINISH_FAIL : FINISH_PASS;
}

/* High word first all ones, so that no earlier time is there in between. */
static void next_interrupt(void)
{
	uint32_t low = TIME[0], high = TIME[1];

	TIME_COMPARE[1] = UINT32_MAX;
	TIME_COMPARE[0] = low + TICKS;
	TIME_COMPARE[1] = high + (low + TICKS < low);
}

__attribute__((interrupt("machine"), aligned(4))) static void trap(void)
{
	intptr_t cause;

	__asm__ volatile("csrr %0, mcause" : "=r"(cause));
	if (cause >= 0 || (cause & 0xff) != TIMER_CAUSE) {
		machine_write("fault\n", 6);
		machine_exit(2);
	}
	next_interrupt();
	if (interrupt)
		interrupt();
}

void machine_interrupts(void (*fn)(void))
{
	uintptr_t timer = MIE_MTIE;

	interrupt = fn;
	__asm__ volatile("csrc mie, %0" : : "r"(timer) : "memory");
	if (!fn)
		return;
	next_interrupt();
	__asm__ volatile("csrs mie, %0\n\tcsrsi mstatus, 8" : : "r"(timer) : "memory");
}

uintptr_t chic_irq_save(void)
{
	uintptr_t state;

	__asm__ volatile("csrrci %0, mstatus, 8" : "=r"(state) : : "memory");
	return state & MSTATUS_MIE;
}

void chic_irq_restore(uintptr_t state)
{
	__asm__ volatile("csrs mstatus, %0" : : "r"(state) : "memory");
}

__attribute__((used)) static void begin(void)
{
	memset(bss_begin, 0, (size_t)(bss_end - bss_begin));
	__asm__ volatile("csrw mtvec, %0" : : "r"(trap));
	machine_main();
}

__asm__(".section .start, \"ax\"\n"
	".globl machine_reset\n"
	"machine_reset:\n"
	"	la sp, stack_top\n"
	"	li t0, 0x6000\n" /* floating point, which may be in use */
	"	csrs mstatus, t0\n"
	"	tail begin\n");
