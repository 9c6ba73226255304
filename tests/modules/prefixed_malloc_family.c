// SPDX-License-Identifier: BSD-2-Clause
/* A vendor's allocator whose functions begin with px_. */
#define FAMILY(x) px_##x
#include "plain_malloc_family.c"
