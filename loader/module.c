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

/* Defined where this file is part of the preload library. */
extern const char loader_is_preload __attribute__((weak));

static struct module *modules;

/*
 * A symbol of a later release must be asked for only in modules whose metadata say
 * that they know it (the ABI promise in chic_module.h): an older one may use the name
 * for something of its own.
 */
/* clang-format off */
#define EXPORT(field) { #field, offsetof(struct module_exports, field) }

const struct module_symbol module_symbols[] = {
	EXPORT(alloc), EXPORT(alloc_zeroed), EXPORT(realloc), EXPORT(free),
	EXPORT(init), EXPORT(exit), EXPORT(usable_size), EXPORT(owns), EXPORT(reset),
	EXPORT(prefork), EXPORT(postfork_parent), EXPORT(postfork_child),
	EXPORT(thread_exit),
	EXPORT(malloc), EXPORT(calloc), EXPORT(memalign), EXPORT(remalloc), EXPORT(mfree),
	{ NULL, 0 },
};
/* clang-format on */

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
	for (const struct module_symbol *s = module_symbols; s->suffix; s++) {
		void *symbol = own_symbol_of(m->handle, m->info.name, "_", s->suffix);

		memcpy((char *)&m->exports + s->offset, &symbol, sizeof(symbol));
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

/*
 * memalign of libraries that have posix_memalign alone: a family's functions have
 * no context, so each such library gets a function of its own.
 */
#define VIA_POSIX(n)                                                                           \
	static void *memalign_##n(size_t align, size_t size)                                   \
	{                                                                                      \
		return via_posix(posix_memaligns[n], align, size);                             \
	}

typedef int (*posix_memalign_fn)(void **, size_t, size_t);

static posix_memalign_fn posix_memaligns[4];

static void *via_posix(posix_memalign_fn fn, size_t align, size_t size)
{
	void *p = NULL;
	int err = fn(&p, align < sizeof(void *) ? sizeof(void *) : align, size);

	if (!err)
		return p;
	errno = err;
	return NULL;
}

VIA_POSIX(0)
VIA_POSIX(1)
VIA_POSIX(2)
VIA_POSIX(3)

static void *(*memalign_via(posix_memalign_fn fn))(size_t, size_t)
{
	static void *(*const functions[])(size_t, size_t) = {memalign_0, memalign_1, memalign_2,
							     memalign_3};

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		if (posix_memaligns[i] && posix_memaligns[i] != fn)
			continue;
		posix_memaligns[i] = fn;
		return functions[i];
	}
	return NULL;
}

static int resolve_memalign(struct module *m, const char *prefix)
{
	static const char *const aligned[] = {"memalign", "aligned_alloc", NULL};
	posix_memalign_fn posix;

	m->family.memalign =
		(void *(*)(size_t, size_t))first_symbol(m->handle, prefix, aligned);
	if (m->family.memalign)
		return 0;
	posix = (posix_memalign_fn)own_symbol_of(m->handle, prefix, "", "posix_memalign");
	if (!posix)
		return 0;
	m->family.memalign = memalign_via(posix);
	if (m->family.memalign)
		return 0;
	return message_set(
		-ENOSPC,
		"%s: found posix_memalign alone, expected memalign or aligned_alloc: "
		"there is room for %zu libraries that have neither",
		m->path, ARRAY_SIZE(posix_memaligns));
}

const char *const module_usable_sizes[] = {"malloc_usable_size", "usable_size", "malloc_size",
					   "msize", NULL};

static int resolve_family(struct module *m, const char *prefix)
{
	struct chic_malloc_family *f = &m->family;
	int err;

	f->malloc = (void *(*)(size_t))own_symbol_of(m->handle, prefix, "", "malloc");
	f->free = (void (*)(void *))own_symbol_of(m->handle, prefix, "", "free");
	f->calloc = (void *(*)(size_t, size_t))own_symbol_of(m->handle, prefix, "", "calloc");
	f->realloc = (void *(*)(void *, size_t))own_symbol_of(m->handle, prefix, "", "realloc");
	f->usable_size =
		(size_t(*)(void *))first_symbol(m->handle, prefix, module_usable_sizes);
	err = resolve_memalign(m, prefix);
	if (err || (f->malloc && f->free && f->calloc && f->realloc && f->memalign))
		return err;
	return message_set(-EINVAL,
			   "%s: no .modinfo section and no malloc family: expected %smalloc, "
			   "%sfree, %scalloc, %srealloc and one of %smemalign, "
			   "%saligned_alloc, %sposix_memalign",
			   m->path, prefix, prefix, prefix, prefix, prefix, prefix, prefix);
}

/* Another library's nallocx, that has no mallocx, does not tell what sampling takes. */
void module_sizes(const struct module *m, struct chic_interposed *answer)
{
	static const char *const good_sizes[] = {"malloc_good_size", "good_size", NULL};

	answer->good_size = (size_t(*)(size_t))first_symbol(m->handle, m->prefix, good_sizes);
	if (own_symbol_of(m->handle, m->prefix, "", "mallocx"))
		answer->nallocx = (size_t(*)(size_t, int))own_symbol_of(m->handle, m->prefix,
									"", "nallocx");
}

static const char *family_prefix(const char *name, const struct config *config)
{
	const struct setting *prefix = config_module_setting(config, name, "prefix");

	return prefix ? prefix->value : "";
}

/*
 * The linker's message begins with the library that it is about: the one that is
 * opened, for which chic-alloc run would have made room, or one that this needs.
 */
static int tls_error(const char *why)
{
	const char *before = getenv("GLIBC_TUNABLES"), *run = getenv("CHIC_ALLOC_RUN");
	char *path = strndup(why, strcspn(why, ":"));
	size_t need = path ? tls_of_file(path) : 0;
	char *tunables = tls_tunables(before, need + tls_room(before));
	int err;

	err = message_set(-ENOMEM, "%s (%zu bytes): start the program%s with GLIBC_TUNABLES=%s",
			  why, need, run ? "" : " by chic-alloc run, or",
			  tunables ? tunables : "");
	free(tunables);
	free(path);
	return err;
}

static int open_error(const char *path)
{
	const char *why = dlerror();

	if (!why)
		why = "unknown error";
	if (strstr(why, "static TLS"))
		return tls_error(why);
	return message_set(-EINVAL, "%s: cannot be loaded: %s", path, why);
}

static int open_library(struct module *m)
{
	m->handle = dlopen(m->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	return m->handle ? 0 : open_error(m->path);
}

/* Whose malloc is the preload library's own would ask itself for ever. */
static int check_not_us(const struct module *m)
{
	if (!&loader_is_preload || (void *)m->family.malloc != (void *)malloc)
		return 0;
	return message_set(-EINVAL, "%s: is the library that asks a heap, expected a heap",
			   m->path);
}

/*
 * Many start at the first request only, read options then, and ask for memory
 * themselves: that must not be the program's first request, and not be counted.
 */
static int open_stock(struct module *m)
{
	int err = open_library(m);

	if (!err)
		err = resolve_family(m, m->prefix);
	if (!err)
		err = check_not_us(m);
	if (!err)
		m->family.free(m->family.malloc(1));
	return err;
}

/* A library that the program is linked with has perhaps been started before us. */
static void warn_of_early(const struct module *m)
{
	void *handle = dlopen(m->path, RTLD_LAZY | RTLD_NOLOAD);

	if (!handle)
		return;
	dlclose(handle);
	log_line("%s: is in the program already, which may make its options come too late: "
		 "%s",
		 m->path, m->options.variables[0]);
}

static int open_with_options(struct module *m)
{
	int err;

	warn_of_early(m);
	err = stock_options_enter(&m->options);
	if (err)
		return err;
	err = open_stock(m);
	stock_options_leave();
	return err;
}

static int module_open(struct module *m)
{
	int err;

	if (!m->native)
		return m->options.n ? open_with_options(m) : open_stock(m);
	err = open_library(m);
	return err ? err : resolve_native(m);
}

/*
 * What can be told without running it.  Of a soname the file that the linker will
 * find, for a damaged one would be the end of every program; if there is none, that
 * is for the linker to say.
 */
static int module_check(struct module *m, const struct location *where)
{
	const char *path = where->file ? where->file : m->path;
	int err;

	if (where->fd < 0)
		return 0;
	err = modinfo_read_prefixed(where->fd, path, m->prefix, &m->info);
	if (err)
		return err;
	m->native = m->info.found;
	return m->native ? modinfo_check(&m->info, m->name, path) : 0;
}

static void module_free(struct module *m)
{
	stock_options_free(&m->options);
	modinfo_free(&m->info);
	free(m->prefix);
	free(m->path);
	free(m->name);
	free(m);
}

static struct module *module_new(struct location *where, const char *prefix)
{
	struct module *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->prefix = strdup(prefix);
	if (!m->prefix) {
		free(m);
		return NULL;
	}
	m->name = where->name;
	m->path = where->path;
	where->name = where->path = NULL;
	return m;
}

/* The same file under another name or prefix was not checked for that one. */
static struct module *module_find(const struct location *where, const char *prefix)
{
	struct module *m;

	for (m = modules; m; m = m->next)
		if (strcmp(m->path, where->path) == 0 && name_equal(m->name, where->name) &&
		    (m->native || strcmp(m->prefix, prefix) == 0))
			return m;
	return NULL;
}

/* A stock library has read its options, and will not do so again. */
static int module_again(const struct module *m, const struct config *config)
{
	struct stock_options options;
	int err;

	if (m->native)
		return 0;
	err = stock_options_read(config, m->name, &options);
	if (err)
		return err;
	if (!stock_options_equal(&options, &m->options))
		err = message_set(-EBUSY,
				  "%s: is loaded with other options, and reads them only once",
				  m->path);
	stock_options_free(&options);
	return err;
}

static int module_load(const struct config *config, struct location *where, const char *prefix,
		       struct module **out)
{
	struct module *m = module_new(where, prefix);
	int err;

	if (!m)
		return message_set(-ENOMEM, "no memory for a module");
	err = module_check(m, where);
	if (!err && !m->native)
		err = stock_options_read(config, m->name, &m->options);
	if (!err)
		err = module_open(m);
	if (err) {
		module_free(m);
		return err;
	}
	m->next = modules;
	modules = m;
	*out = m;
	return 0;
}

int module_get(const struct config *config, const char *entry, bool secure, struct module **out)
{
	struct location where = {.fd = -1};
	const char *prefix;
	struct module *m;
	int err;

	err = locate_module(config, entry, secure, &where);
	if (err)
		return err;
	prefix = family_prefix(where.name, config);
	m = module_find(&where, prefix);
	err = m ? module_again(m, config) : module_load(config, &where, prefix, &m);
	if (!err) {
		m->uses++;
		*out = m;
	}
	locate_free(&where);
	return err;
}

/* The record stays with the code, which cannot be unmapped. */
void module_put(struct module *m)
{
	m->uses--;
}
