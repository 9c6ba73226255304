// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which file is mapped at an address, for C libraries that cannot be asked without
 * a lock: as it was when a module was started.  What is loaded later is unknown, and
 * a trace ends there.
 */
#include <link.h>

#include "stacktrace_internal.h"

#define OBJECTS_MAX 256

static struct stacktrace_object objects[OBJECTS_MAX];
static char paths[OBJECTS_MAX][256];
static _Atomic size_t n_objects;

static bool is_noted(uintptr_t bias)
{
	size_t n = atomic_load(&n_objects);

	for (size_t i = 0; i < n; i++)
		if (objects[i].bias == bias)
			return true;
	return false;
}

/* Appends, and then says so: others may be reading. */
static int note(struct dl_phdr_info *info, size_t size, void *arg)
{
	size_t n = atomic_load(&n_objects);
	struct stacktrace_object *object = &objects[n];

	(void)size;
	(void)arg;
	if (n == OBJECTS_MAX || is_noted(info->dlpi_addr))
		return 0;
	*object = (struct stacktrace_object){.start = UINTPTR_MAX, .bias = info->dlpi_addr};
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t at = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD) {
			object->start = smaller(object->start, at);
			object->end = larger(object->end, at + segment->p_memsz);
		} else if (segment->p_type == PT_DYNAMIC) {
			object->dynamic = (const void *)at;
		} else if (segment->p_type == PT_GNU_EH_FRAME) {
			object->unwind = (const void *)at;
		}
	}
	strncat(paths[n], info->dlpi_name ? info->dlpi_name : "", sizeof(paths[n]) - 1);
	object->path = paths[n];
	atomic_store(&n_objects, n + 1);
	return 0;
}

void stacktrace_objects_note(void)
{
	dl_iterate_phdr(note, NULL);
}

bool stacktrace_object_find(uintptr_t pc, struct stacktrace_object *out)
{
	size_t n = atomic_load(&n_objects);

	for (size_t i = 0; i < n; i++)
		if (pc >= objects[i].start && pc < objects[i].end) {
			*out = objects[i];
			return true;
		}
	return false;
}
