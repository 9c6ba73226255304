/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to types.c and object.c: what is known of a type.
 */
#ifndef CHIC_RUNTIME_TYPES_H
#define CHIC_RUNTIME_TYPES_H

#include "internal.h"

#pragma GCC visibility push(hidden)

/* False for a type that was not registered. */
bool type_find(uint64_t type_id, RuntimeTypeMetadata *out);

#pragma GCC visibility pop

#endif /* CHIC_RUNTIME_TYPES_H */
