// SPDX-License-Identifier: BSD-2-Clause
/* Linux on i386 without a C library. */
#include "machine.h"

__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tand $-16, %esp\n\tcall machine_main\n");

static long system_call(long number, long a, long b, long c)
{
	long answer;

	__asm__ volatile("int $0x80"
			 : "=a"(answer)
			 : "a"(number), "b"(a), "c"(b), "d"(c)
			 : "memory");
	return answer;
}

void machine_write(const char *text, size_t len)
{
	system_call(4, 1, (long)text, (long)len);
}

void machine_exit(int status)
{
	for (;;)
		system_call(252, status, 0, 0);
}

void machine_interrupts(void (*fn)(void))
{
	(void)fn;
}
