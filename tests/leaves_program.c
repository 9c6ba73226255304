// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two threads that ask for 100,000 blocks each, by malloc, calloc and realloc, fill them
 * and look at them before they free them.  Ends with 3 if one was not what it should be.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LIVE 200
#define ROUNDS 500

static void wrong(void)
{
	_Exit(3);
}

static char *get(int i)
{
	size_t size = i % 61 + 9;
	char *p = i % 3 ? malloc(size) : calloc(1, size);

	if (!p || (uintptr_t)p % 16)
		wrong();
	for (size_t k = 0; i % 3 == 0 && k < size; k++)
		if (p[k])
			wrong();
	memset(p, i, size);
	if (i % 7)
		return p;
	p = realloc(p, size + 200);
	if (!p)
		wrong();
	return p;
}

static void *work(void *arg)
{
	char *p[LIVE];

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < LIVE; i++)
			p[i] = get(i);
		for (int i = 0; i < LIVE; i++) {
			for (int k = 0; k < i % 61 + 9; k++)
				if (p[i][k] != (char)i)
					wrong();
			free(p[i]);
		}
		free(NULL);
	}
	return arg;
}

int main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, work, NULL) != 0)
		wrong();
	work(NULL);
	pthread_join(thread, NULL);
	return 0;
}
