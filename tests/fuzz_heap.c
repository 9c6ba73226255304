// SPDX-License-Identifier: BSD-2-Clause
/*
 * libFuzzer harness of the heap of WebAssembly builds: five bytes are an operation, the
 * first two say what memory there is.
 */
#include "heap_support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Most blocks are small, some have pages. */
static size_t size_of(const uint8_t *op)
{
	size_t n = (size_t)op[2] << 8 | op[3];

	return op[1] & 2 ? n * 5 : n % 1024;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	fake_begin(8 + data[0] % 64, data[1] & 1);
	for (size_t i = 2; i + 5 <= size; i += 5) {
		const uint8_t *op = data + i;

		model_step(op[0], op[1], size_of(op), op[4] % 18);
		if (i % 64 < 5)
			heap_walk();
	}
	model_end();
	heap_walk();
	return 0;
}
