// SPDX-License-Identifier: BSD-2-Clause
/*
 * A host's runtime as a shared library of its own, which defines chic_rt_alloc and
 * chic_rt_free (built with -DRUNTIME), and the program that uses it.
 */
#include <chic_rt.h>
#include <stdio.h>
#include <stdlib.h>

unsigned runtime_calls(void);

#ifdef RUNTIME

static unsigned calls;

unsigned runtime_calls(void)
{
	return calls;
}

ValueMutPtr chic_rt_alloc(size_t size, size_t align)
{
	calls++;
	return (ValueMutPtr){malloc(size), size, align};
}

void chic_rt_free(ValueMutPtr block)
{
	calls++;
	free(block.ptr);
}

#else

int main(void)
{
	chic_rt_free(chic_rt_alloc(100, 8));
	printf("runtime's calls %u\n", runtime_calls());
	return 0;
}

#endif
