// SPDX-License-Identifier: BSD-2-Clause
/* WebAssembly under core.mjs. */
#include "machine.h"

#define FROM_HOST(name) __attribute__((import_module("host"), import_name(name)))

FROM_HOST("write") void host_write(const char *text, size_t len);
FROM_HOST("exit") _Noreturn void host_exit(int status);

void machine_write(const char *text, size_t len)
{
	host_write(text, len);
}

void machine_exit(int status)
{
	host_exit(status);
}

void machine_interrupts(void (*fn)(void))
{
	(void)fn;
}
