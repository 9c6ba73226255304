// SPDX-License-Identifier: BSD-2-Clause
/* Twice the static TLS that a module may have. */
#include "fixture.h"
#include "must_not_run.h"

CHIC_MODULE("large_static_tls", "heap");

static __thread volatile char buffer[128] __attribute__((tls_model("initial-exec")));

EXPORT char large_static_tls_first(void);
EXPORT char large_static_tls_first(void)
{
	return buffer[0]++;
}

FIXTURE_HEAP(large_static_tls)
