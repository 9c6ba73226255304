// SPDX-License-Identifier: BSD-2-Clause
/*
 * Module files in memory: dlopen, exported symbols, use count.
 *
 * Everything that can be told from the file alone was checked before
 * (modinfo.c); dlopen is the first moment at which code of a module may run.
 * Modules are opened RTLD_NODELETE: a thread that ends after a dlclose would
 * run into unmapped code, so the code stays and only the use count falls.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct module *modules;

#define EXPORT(field)                                                                 \
	{                                                                             \
		#field, offsetof(struct module_exports, field)                        \
	}

static const struct {
	const char *suffix;
	size_t offset;
} exports[] = {
	EXPORT(alloc),	     EXPORT(alloc_zeroed),    EXPORT(realloc),	      EXPORT(free),
	EXPORT(init),	     EXPORT(exit),	      EXPORT(usable_size),    EXPORT(owns),
	EXPORT(reset),	     EXPORT(prefork),	      EXPORT(postfork_parent), EXPORT(postfork_child),
	EXPORT(thread_exit), EXPORT(malloc),	      EXPORT(calloc),	      EXPORT(memalign),
	EXPORT(remalloc),    EXPORT(mfree),
};

/* A symbol of the object itself: dlsym alone would find a dependency's as well. */
static void *own_symbol(void *handle, const char *symbol)
{
	struct link_map *own, *found;
	void *address = dlsym(handle, symbol);
	Dl_info info;

	if (!address || dlinfo(handle, RTLD_DI_LINKMAP, &own) != 0)
		return NULL;
	if (!dladdr1(address, &info, (void **)&found, RTLD_DL_LINKMAP) || found != own)
		return NULL;
	return address;
}

static void *own_symbol_of(void *handle, const char *prefix, const char *separator,
			   const char *suffix)
{
	char symbol[2 * NAME_MAX_LEN + 32];
	char *p;

	snprintf(symbol, sizeof(symbol), "%s%s%s", prefix, separator, suffix);
	for (p = symbol; *p; p++)
		if (*p == '-')
			*p = '_';
	return own_symbol(handle, symbol);
}

static int resolve_native(struct module *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(exports); i++) {
		void *symbol = own_symbol_of(m->handle, m->info.name, "_", exports[i].suffix);

		memcpy((char *)&m->exports + exports[i].offset, &symbol, sizeof(symbol));
	}
	return 0;
}

/* The first of several names that the library has. */
static void *first_symbol(void *handle, const char *prefix, const char *const *names)
{
	void *symbol = NULL;

	for (; *names && !symbol; names++)
		symbol = own_symbol_of(handle, prefix, "", *names);
	return symbol;
}

static int resolve_family(struct module *m, const char *prefix)
{
	static const char *const usable[] = {"malloc_usable_size", "usable_size", "malloc_size",
					     "msize", NULL};
	static const char *const aligned[] = {"memalign", "aligned_alloc", NULL};
	struct chic_malloc_family *f = &m->family;

	f->malloc = (void *(*)(size_t))own_symbol_of(m->handle, prefix, "", "malloc");
	f->free = (void (*)(void *))own_symbol_of(m->handle, prefix, "", "free");
	f->calloc = (void *(*)(size_t, size_t))own_symbol_of(m->handle, prefix, "", "calloc");
	f->realloc = (void *(*)(void *, size_t))own_symbol_of(m->handle, prefix, "", "realloc");
	f->memalign = (void *(*)(size_t, size_t))first_symbol(m->handle, prefix, aligned);
	f->usable_size = (size_t(*)(void *))first_symbol(m->handle, prefix, usable);
	if (f->malloc && f->free && f->calloc && f->realloc && f->memalign)
		return 0;
	return message_set(-EINVAL,
			   "%s: no .modinfo section and no malloc family: expected %smalloc, "
			   "%sfree, %scalloc, %srealloc and %smemalign or %saligned_alloc",
			   m->path, prefix, prefix, prefix, prefix, prefix, prefix);
}

static const char *family_prefix(const struct module *m, const struct config *config)
{
	const struct setting *prefix = config_module_setting(config, m->name, "prefix");

	return prefix ? prefix->value : "";
}

static int open_error(const char *path)
{
	const char *why = dlerror();

	if (!why)
		why = "unknown error";
	if (strstr(why, "static TLS"))
		return message_set(-ENOMEM,
				   "%s: %s: start the program with GLIBC_TUNABLES="
				   "glibc.rtld.optional_static_tls=4096",
				   path, why);
	return message_set(-EINVAL, "%s: cannot be loaded: %s", path, why);
}

static int module_open(struct module *m, const struct config *config)
{
	m->handle = dlopen(m->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!m->handle)
		return open_error(m->path);
	return m->native ? resolve_native(m) : resolve_family(m, family_prefix(m, config));
}

/* What can be told without running it; a bare soname has no file to look into. */
static int module_check(struct module *m, const struct config *config, int fd)
{
	int err;

	if (fd < 0)
		return 0;
	err = modinfo_read_prefixed(fd, m->path, family_prefix(m, config), &m->info);
	if (err)
		return err;
	m->native = m->info.found;
	return m->native ? modinfo_check(&m->info, m->name, m->path) : 0;
}

static void module_free(struct module *m)
{
	modinfo_free(&m->info);
	free(m->path);
	free(m->name);
	free(m);
}

static struct module *module_new(struct location *where)
{
	struct module *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->name = where->name;
	m->path = where->path;
	where->name = where->path = NULL;
	return m;
}

static struct module *module_find(const char *path)
{
	struct module *m;

	for (m = modules; m; m = m->next)
		if (strcmp(m->path, path) == 0)
			return m;
	return NULL;
}

int module_get(const struct config *config, const char *entry, bool secure, struct module **out)
{
	struct location where = {.fd = -1};
	struct module *m;
	int err;

	err = locate_module(config, entry, secure, &where);
	if (err)
		return err;
	m = module_find(where.path);
	if (m)
		goto found;
	m = module_new(&where);
	if (!m) {
		err = message_set(-ENOMEM, "%s: no memory", entry);
		goto free_where;
	}
	err = module_check(m, config, where.fd);
	if (!err)
		err = module_open(m, config);
	if (err) {
		module_free(m);
		goto free_where;
	}
	m->next = modules;
	modules = m;
found:
	m->uses++;
	*out = m;
free_where:
	locate_free(&where);
	return err;
}

/* The record stays with the code, which cannot be unmapped. */
void module_put(struct module *m)
{
	m->uses--;
}
