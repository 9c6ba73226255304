// SPDX-License-Identifier: BSD-2-Clause
/*
 * A program that defines malloc itself: the preload library must leave it alone,
 * and what the library exports beyond must serve it from the program's heap.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Alignas(16) unsigned char heap[1 << 20];
static size_t used;

static int is_own(const void *p)
{
	return (uintptr_t)p - (uintptr_t)heap < sizeof(heap);
}

void *malloc(size_t size)
{
	size_t *p = (size_t *)(heap + used);

	if (size > sizeof(heap) - used - 32)
		return NULL;
	used += (size + 31) & ~(size_t)15;
	*p = size;
	return p + 2;
}

void free(void *p)
{
	if (p && !is_own(p))
		abort();
}

void *calloc(size_t n, size_t size)
{
	return malloc(n * size); /* never reused, hence zero */
}

void *realloc(void *p, size_t size)
{
	void *now = malloc(size);

	if (p && !is_own(p))
		abort();
	if (p && now)
		memcpy(now, p, ((size_t *)p)[-2] < size ? ((size_t *)p)[-2] : size);
	return now;
}

int main(void)
{
	void *(*new_operator)(size_t) = NULL;
	void (*delete_operator)(void *) = NULL;
	char *p = strdup("text");

	*(void **)&new_operator = dlsym(RTLD_DEFAULT, sizeof(size_t) == 8 ? "_Znwm" : "_Znwj");
	*(void **)&delete_operator = dlsym(RTLD_DEFAULT, "_ZdlPv");
	if (!is_own(p) || !new_operator || !delete_operator)
		return 1;
	p = reallocarray(p, 10, 10);
	if (!is_own(p) || strcmp(p, "text") != 0)
		return 2;
	free(p);
	p = new_operator(10);
	if (!is_own(p))
		return 3;
	delete_operator(p);
	return 0;
}
