// SPDX-License-Identifier: BSD-2-Clause
/*
 * What will not work, or not as one may think, although nothing is wrong: warnings
 * on standard error, one a line.
 */
#define _GNU_SOURCE
#include "cli_enable.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KILL_SWITCH CHIC_ALLOC_SYSCONFDIR "/chic-alloc.disable"

/* Linkers of programs that cannot load our library; of 32 bits on a machine of 64. */
static const char *const other_linkers[] = {
	"/lib/ld-linux.so.2",
	"/libx32/ld-linux-x32.so.2",
	"/lib/ld-linux-armhf.so.3",
};

/* What a stack of the configuration is allowed to need by way of the tunable. */
static bool needs_tunables(const struct facts *facts)
{
	return cli_needs_tunables(NULL, facts->static_tls);
}

static void warn_lines(const char *text)
{
	int len;

	for (; *text; text += len + (text[len] == '\n')) {
		len = (int)strcspn(text, "\n");
		cli_error("warning: %.*s", len, text);
	}
}

/* What holds for all that can be enabled. */
void warn_common(const struct tree *tree, const struct facts *facts)
{
	if (*facts->not_tried)
		cli_error("warning: the preload library was not tried: %s", facts->not_tried);
	warn_lines(facts->programs);
	if (!facts->any_module)
		cli_error("warning: the configuration names no module: programs stay on the "
			  "platform heap until it does, see chic-alloc.conf(5)");
	if (tree_has(tree, KILL_SWITCH))
		cli_error("warning: %s%s exists: all is switched off until it is removed",
			  tree->root, KILL_SWITCH);
}

static bool is_heap(const struct tree *tree, const char *library)
{
	int fd = *library == '/' ? tree_open_file(tree, library, O_RDONLY) : -1;
	struct modinfo info;
	bool heap;

	if (fd < 0)
		return false;
	heap = modinfo_read_prefixed(fd, library, "", &info) == 0;
	if (heap) {
		heap = info.malloc_family;
		modinfo_free(&info);
	}
	close(fd);
	return heap;
}

/* Behind us it still gets what C++ operators ask for. */
static void warn_preloaded(const struct tree *tree, const char *list)
{
	char *copy = list ? strdup(list) : NULL, *rest = copy, *library;

	while (rest && (library = strsep(&rest, ": \t\n")))
		if (*library && strcmp(library, cli_preload_path()) != 0 &&
		    is_heap(tree, library))
			cli_error("warning: LD_PRELOAD also has %s, a heap: operator new and "
				  "delete of C++ programs will stay with it; name it in the "
				  "configuration instead",
				  library);
	free(copy);
}

void warn_unit(const struct tree *tree, const struct unit *unit, const struct facts *facts)
{
	warn_common(tree, facts);
	warn_preloaded(tree, unit->preload);
	if (unit->root)
		cli_error("warning: %s has a root of its own, %s: the library, the modules and "
			  "the configuration must be there as well",
			  unit->files.name, unit->root);
	if (unit->filters_calls && !unit->allows_madvise)
		cli_error(
			"warning: SystemCallFilter of %s lets no madvise through: a heap that "
			"calls it, as jemalloc does, ends the program",
			unit->files.name);
	if (unit->disable && strcmp(unit->disable, "1") == 0)
		cli_error(
			"warning: %s sets CHIC_ALLOC_DISABLE=1: it stays on the platform heap",
			unit->files.name);
}

void warn_mariadb(const struct tree *tree, const struct facts *facts)
{
	char *other = mariadb_other_heap(tree), *tunables;

	if (other)
		cli_error("warning: %s: mariadbd-safe preloads it before us, so that it serves "
			  "there: take the line out",
			  other);
	free(other);
	if (!needs_tunables(facts))
		return;
	tunables = cli_join_tunables(NULL, facts->static_tls);
	cli_error("warning: mariadbd-safe started by hand needs GLIBC_TUNABLES=%s in its "
		  "environment",
		  tunables ? tunables : "");
	free(tunables);
}

static void warn_other_classes(const struct tree *tree)
{
	for (size_t i = 0; i < ARRAY_SIZE(other_linkers); i++)
		if (tree_has(tree, other_linkers[i]))
			cli_error("warning: programs that %s starts print an error of ld.so, "
				  "wrong "
				  "ELF class, at every start, and go on without us",
				  other_linkers[i]);
}

static bool same_device(const char *a, const char *b)
{
	struct stat first, second;

	return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev;
}

/* On a file system of its own it is not there when the first programs start. */
static void warn_file_system(const struct tree *tree)
{
	char *folder = strdup(cli_preload_path());

	/* of the folder: an overlay shows files with the device of their layer */
	if (folder && !*tree->root) {
		*strrchr(folder, '/') = '\0';
		if (!same_device(folder, "/") && !same_device(folder, "/usr"))
			cli_error(
				"warning: %s is neither on the file system of / nor on that of "
				"/usr: programs that start before it is mounted print an error "
				"of ld.so",
				cli_preload_path());
	}
	free(folder);
}

static void warn_tls(const struct facts *facts)
{
	char *tunables;

	if (!needs_tunables(facts))
		return;
	tunables = cli_join_tunables(NULL, facts->static_tls);
	cli_error("warning: the stack '%s' needs %zu bytes of static TLS, which "
		  "/etc/ld.so.preload "
		  "cannot give: programs under it stay on the platform heap unless "
		  "GLIBC_TUNABLES=%s is in their environment (logins: /etc/environment; "
		  "services: DefaultEnvironment= in /etc/systemd/system.conf, or enable UNIT)",
		  facts->stack, facts->static_tls, tunables ? tunables : "");
	free(tunables);
}

void warn_system(const struct tree *tree, const struct facts *facts)
{
	warn_common(tree, facts);
	warn_tls(facts);
	warn_other_classes(tree);
	warn_file_system(tree);
	cli_error(
		"warning: programs built with the address sanitizer refuse to start under any "
		"preload, unless ASAN_OPTIONS=verify_asan_link_order=0");
}
