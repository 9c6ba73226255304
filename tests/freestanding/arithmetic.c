// SPDX-License-Identifier: BSD-2-Clause
/*
 * What compilers call for arithmetic that the processor lacks, where there is no library
 * of theirs: as little of it as the tests need, one bit after the other.
 */
#include <stdint.h>

#define HELPER __attribute__((weak, used))

struct quotient {
	uint64_t quotient, rest;
};

void divide(struct quotient *out, uint64_t n, uint64_t by);

void divide(struct quotient *out, uint64_t n, uint64_t by)
{
	uint64_t quotient = 0, rest = 0;

	for (int i = 0; i < 64; i++) {
		rest = rest << 1 | n >> 63;
		n <<= 1;
		quotient <<= 1;
		if (rest >= by) {
			rest -= by;
			quotient |= 1;
		}
	}
	*out = (struct quotient){quotient, rest};
}

#if defined(__riscv) && __riscv_xlen == 32

uint64_t __udivdi3(uint64_t n, uint64_t by);
uint64_t __umoddi3(uint64_t n, uint64_t by);

HELPER uint64_t __udivdi3(uint64_t n, uint64_t by)
{
	struct quotient q;

	divide(&q, n, by);
	return q.quotient;
}

HELPER uint64_t __umoddi3(uint64_t n, uint64_t by)
{
	struct quotient q;

	divide(&q, n, by);
	return q.rest;
}

#elif defined(__arm__)

/* Answers the quotient in r0 and r1, the rest in r2 and r3. */
__asm__(".weak __aeabi_uldivmod\n"
	".type __aeabi_uldivmod, %function\n"
	".thumb_func\n"
	"__aeabi_uldivmod:\n"
	"	push {r4, lr}\n"
	"	sub sp, #24\n"
	"	str r2, [sp]\n"
	"	str r3, [sp, #4]\n"
	"	mov r2, r0\n"
	"	mov r3, r1\n"
	"	add r0, sp, #8\n"
	"	bl divide\n"
	"	ldr r0, [sp, #8]\n"
	"	ldr r1, [sp, #12]\n"
	"	ldr r2, [sp, #16]\n"
	"	ldr r3, [sp, #20]\n"
	"	add sp, #24\n"
	"	pop {r4, pc}\n");

/* A Cortex-M0 divides nothing, and neither multiplies nor shifts 64 bits. */
#if __ARM_ARCH < 7

uint64_t __aeabi_uidivmod(uint32_t n, uint32_t by);
uint32_t __aeabi_uidiv(uint32_t n, uint32_t by);
uint64_t __aeabi_idivmod(int32_t n, int32_t by);
uint64_t __aeabi_lmul(uint64_t a, uint64_t b);
uint64_t __aeabi_llsl(uint64_t n, int bits);
uint64_t __aeabi_llsr(uint64_t n, int bits);

/* The quotient in r0, the rest in r1. */
static uint64_t pair(uint32_t quotient, uint32_t rest)
{
	return quotient | (uint64_t)rest << 32;
}

HELPER uint64_t __aeabi_uidivmod(uint32_t n, uint32_t by)
{
	struct quotient q;

	divide(&q, n, by);
	return pair((uint32_t)q.quotient, (uint32_t)q.rest);
}

HELPER uint32_t __aeabi_uidiv(uint32_t n, uint32_t by)
{
	return (uint32_t)__aeabi_uidivmod(n, by);
}

HELPER uint64_t __aeabi_idivmod(int32_t n, int32_t by)
{
	uint32_t low = n < 0 ? -(uint32_t)n : (uint32_t)n;
	struct quotient q;

	divide(&q, low, by < 0 ? -(uint32_t)by : (uint32_t)by);
	return pair((n < 0) != (by < 0) ? -(uint32_t)q.quotient : (uint32_t)q.quotient,
		    n < 0 ? -(uint32_t)q.rest : (uint32_t)q.rest);
}

HELPER uint64_t __aeabi_lmul(uint64_t a, uint64_t b)
{
	uint64_t sum = 0;

	for (; b; b >>= 1, a += a)
		if (b & 1)
			sum += a;
	return sum;
}

HELPER uint64_t __aeabi_llsl(uint64_t n, int bits)
{
	while (bits--)
		n += n;
	return n;
}

HELPER uint64_t __aeabi_llsr(uint64_t n, int bits)
{
	while (bits--)
		n >>= 1;
	return n;
}

#endif
#endif
