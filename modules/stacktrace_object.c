// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which file is mapped at an address, by the C library's own table: no lock, and
 * fit for signal handlers (glibc 2.35 and later).
 */
#include <dlfcn.h>
#include <link.h>

#include "stacktrace_internal.h"

void stacktrace_objects_note(void)
{
}

bool stacktrace_object_find(uintptr_t pc, struct stacktrace_object *out)
{
	struct dl_find_object found;

	if (_dl_find_object((void *)pc, &found) != 0)
		return false;
	*out = (struct stacktrace_object){
		.start = (uintptr_t)found.dlfo_map_start,
		.end = (uintptr_t)found.dlfo_map_end,
		.bias = found.dlfo_link_map->l_addr,
		.dynamic = found.dlfo_link_map->l_ld,
		.unwind = found.dlfo_eh_frame,
		.path = found.dlfo_link_map->l_name,
	};
	return true;
}
