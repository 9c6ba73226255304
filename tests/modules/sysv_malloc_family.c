// SPDX-License-Identifier: BSD-2-Clause
/* A vendor's allocator linked with the older kind of symbol hash table. */
#include "plain_malloc_family.c"
