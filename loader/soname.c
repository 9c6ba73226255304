// SPDX-License-Identifier: BSD-2-Clause
/*
 * A soname to the file that the dynamic linker would take for it: the folders of
 * LD_LIBRARY_PATH and run paths first, then its cache, then its own folders.  What
 * the program is linked with may come from elsewhere, and is looked at last because
 * that costs most.
 *
 * As the linker does, this passes over libraries for other machines.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINKER_CACHE "/etc/ld.so.cache"
#define LINKER_CACHE_MAX (64u << 20)

struct search {
	const char *soname;
	int fd; /* negative: not found yet, or a negative errno */
	char *path;
	char *foreign; /* one for another machine that was passed over */
};

static int out_of_memory(const char *soname)
{
	return message_set(-ENOMEM, "%s: out of memory", soname);
}

/* Take path over.  Whether the search is at its end. */
static bool try_path(struct search *s, char *path)
{
	if (!path) {
		s->fd = out_of_memory(s->soname);
		return true;
	}
	s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (s->fd < 0) {
		s->fd = -ENOENT;
		free(path);
		return false;
	}
	if (!elf_is_foreign(s->fd)) {
		s->path = path;
		return true;
	}
	close(s->fd);
	s->fd = -ENOENT;
	free(s->foreign);
	s->foreign = path;
	return false;
}

static bool try_folder(struct search *s, const char *folder)
{
	char *path;

	if (asprintf(&path, "%s/%s", folder, s->soname) < 0)
		path = NULL;
	return try_path(s, path);
}

static bool search_folders(struct search *s, const Dl_serinfo *folders, bool linkers_own)
{
	for (unsigned i = 0; i < folders->dls_cnt; i++) {
		const Dl_serpath *folder = &folders->dls_serpath[i];

		if (!(folder->dls_flags & LA_SER_DEFAULT) == !linkers_own &&
		    try_folder(s, folder->dls_name))
			return true;
	}
	return false;
}

/* Every path in the cache's table of strings that ends in /SONAME. */
static bool search_text(struct search *s, const char *text, size_t len)
{
	size_t n = strlen(s->soname) + 1;
	const char *p = text, *start;

	while ((p = memmem(p, text + len - p, s->soname, n))) {
		for (start = p; start > text && start[-1];)
			start--;
		if (*start == '/' && start < p && p[-1] == '/' && try_path(s, strdup(start)))
			return true;
		p += n;
	}
	return false;
}

static bool search_cache(struct search *s)
{
	int cache = open(LINKER_CACHE, O_RDONLY | O_CLOEXEC);
	bool end = false;
	char *text;
	size_t len;
	int err;

	if (cache < 0)
		return false;
	err = trust_read(cache, LINKER_CACHE, LINKER_CACHE_MAX, &text, &len);
	close(cache);
	if (err == -ENOMEM)
		s->fd = out_of_memory(s->soname);
	if (err)
		return err == -ENOMEM;
	end = search_text(s, text, len);
	free(text);
	return end;
}

/* Under that name in this process: a program is linked with it. */
static bool search_process(struct search *s)
{
	void *handle = dlopen(s->soname, RTLD_LAZY | RTLD_NOLOAD);
	struct link_map *map;
	bool end = false;

	if (!handle)
		return false;
	if (dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map->l_name[0] == '/')
		end = try_path(s, strdup(map->l_name));
	dlclose(handle);
	return end;
}

static void search_all(struct search *s, void *program)
{
	Dl_serinfo head, *folders;

	if (dlinfo(program, RTLD_DI_SERINFOSIZE, &head))
		return;
	folders = malloc(head.dls_size);
	if (!folders) {
		s->fd = out_of_memory(s->soname);
		return;
	}
	if (dlinfo(program, RTLD_DI_SERINFOSIZE, folders) == 0 &&
	    dlinfo(program, RTLD_DI_SERINFO, folders) == 0)
		(void)(search_folders(s, folders, false) || search_cache(s) ||
		       search_folders(s, folders, true) || search_process(s));
	free(folders);
}

static int not_found(const struct search *s)
{
	if (s->foreign)
		return message_set(-ENOENT,
				   "%s: found for another machine only (%s), expected a "
				   "library for this one",
				   s->soname, s->foreign);
	return message_set(-ENOENT,
			   "%s: not found, expected a library in the dynamic linker's "
			   "search path",
			   s->soname);
}

int soname_open(const char *soname, char **path)
{
	struct search s = {.soname = soname, .fd = -ENOENT};
	void *program = dlopen(NULL, RTLD_LAZY);

	if (!program)
		return out_of_memory(soname);
	search_all(&s, program);
	dlclose(program);
	if (s.fd == -ENOENT)
		not_found(&s);
	free(s.foreign);
	*path = s.path;
	return s.fd;
}
