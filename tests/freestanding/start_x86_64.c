// SPDX-License-Identifier: BSD-2-Clause
/* Linux on x86-64 without a C library. */
#include "machine.h"

__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tand $-16, %rsp\n\tcall machine_main\n");

static long system_call(long number, long a, long b, long c)
{
	long answer;

	__asm__ volatile("syscall"
			 : "=a"(answer)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return answer;
}

void machine_write(const char *text, size_t len)
{
	system_call(1, 1, (long)text, (long)len);
}

void machine_exit(int status)
{
	for (;;)
		system_call(231, status, 0, 0);
}

void machine_interrupts(void (*fn)(void))
{
	(void)fn;
}
