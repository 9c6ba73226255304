// SPDX-License-Identifier: BSD-2-Clause
/*
 * A vendor's allocator like TBB's: a prefix, msize, and no other aligned
 * allocation than posix_memalign.
 */
#include <errno.h>
#include <pthread.h>

#include "bump.h"

#define PASTE(x) po_##x
#define FAMILY(x) PASTE(x)
#define memalign not_memalign
#define aligned_alloc not_aligned_alloc
#define malloc_usable_size msize
#include "plain_malloc_family.c"
