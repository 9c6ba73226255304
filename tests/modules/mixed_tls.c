// SPDX-License-Identifier: BSD-2-Clause
/*
 * One variable by the initial-exec model, which marks the file as static TLS, and
 * one that is not.
 */
#include "fixture.h"
#include "must_not_run.h"

CHIC_MODULE("mixed_tls", "heap");

EXPORT __thread size_t mixed_tls_static __attribute__((tls_model("initial-exec")));
EXPORT __thread size_t mixed_tls_dynamic __attribute__((tls_model("global-dynamic")));

EXPORT size_t mixed_tls_count(void);
EXPORT size_t mixed_tls_count(void)
{
	return ++mixed_tls_static + ++mixed_tls_dynamic;
}

FIXTURE_HEAP(mixed_tls)
