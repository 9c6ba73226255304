/* SPDX-License-Identifier: BSD-2-Clause */
/* What a machine without a C library does for the tests; one start_*.c per machine. */
#ifndef FREESTANDING_MACHINE_H
#define FREESTANDING_MACHINE_H

#include <stddef.h>

void machine_write(const char *text, size_t len);
_Noreturn void machine_exit(int status);
/* Interrupts that call fn from now on, as often as the machine can; null: none. */
void machine_interrupts(void (*fn)(void));

/* Called by the machine's start. */
_Noreturn void machine_main(void);

#endif /* FREESTANDING_MACHINE_H */
