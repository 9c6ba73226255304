// SPDX-License-Identifier: BSD-2-Clause
/* Thread-local storage whose access allocates, and so calls itself. */
#include "fixture.h"
#include "must_not_run.h"

CHIC_MODULE("dynamic_tls", "heap");

EXPORT __thread size_t dynamic_tls_calls __attribute__((tls_model("global-dynamic")));

EXPORT size_t dynamic_tls_count(void);
EXPORT size_t dynamic_tls_count(void)
{
	return ++dynamic_tls_calls;
}

FIXTURE_HEAP(dynamic_tls)
