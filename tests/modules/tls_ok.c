// SPDX-License-Identifier: BSD-2-Clause
/* Good: two words of TLS by the initial-exec model. */
#include "fixture.h"

CHIC_MODULE("tls_ok", "heap");

static __thread volatile uint64_t words[2] __attribute__((tls_model("initial-exec")));

FIXTURE_FREE(tls_ok)
FIXTURE_USABLE_SIZE(tls_ok)

EXPORT ValueMutPtr tls_ok_alloc(void *ctx, size_t size, size_t align);
EXPORT ValueMutPtr tls_ok_alloc(void *ctx, size_t size, size_t align)
{
	struct bump *b = fixture_bump();

	(void)ctx;
	words[0]++;
	words[1] += size;
	return fixture_handle(b ? bump_get(b, size, align) : NULL, size, align);
}
