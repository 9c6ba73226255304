// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which heaps are installed: modules of kind heap in the module folder, and those
 * that a [module NAME] section with a path names and whose library is there.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_known(const struct cli_heaps *heaps, const char *name)
{
	for (size_t i = 0; i < heaps->n; i++)
		if (name_equal(heaps->names[i], name))
			return true;
	return false;
}

static int add(struct cli_heaps *heaps, const char *name)
{
	char **more = reallocarray(heaps->names, heaps->n + 1, sizeof(*more));

	if (more)
		heaps->names = more;
	if (!more || !(more[heaps->n] = strdup(name)))
		return message_set(-ENOMEM, "module %s: out of memory", name);
	heaps->n++;
	return 0;
}

/* A module that is refused hides no other; one that is not there is nobody's fault. */
static int consider(const struct config *config, const char *name, struct cli_heaps *heaps,
		    cli_refused_fn refused)
{
	struct cli_module module;
	int err;

	if (is_known(heaps, name))
		return 0;
	err = cli_module_open(config, name, &module);
	if (err) {
		if (err != -ENOENT)
			refused(name);
		return err == -ENOMEM ? err : 0;
	}
	if (strcmp(module.kind, module_kind_name(KIND_HEAP)) == 0)
		err = add(heaps, name);
	cli_module_close(&module);
	return err;
}

/* No folder is one without modules. */
static int find_in_folder(const struct config *config, struct cli_heaps *heaps,
			  cli_refused_fn refused)
{
	struct dirent **entries;
	int n = cli_module_files(&entries), err = 0;

	for (int i = 0; i < n; i++) {
		entries[i]->d_name[strlen(entries[i]->d_name) - strlen(".so")] = '\0';
		if (!err)
			err = consider(config, entries[i]->d_name, heaps, refused);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return err;
}

static int find_in_config(const struct config *config, struct cli_heaps *heaps,
			  cli_refused_fn refused)
{
	int err = 0;

	for (size_t i = 0; !err && i < config->n_settings; i++) {
		const struct setting *s = &config->settings[i];

		if (settings_is(s, "module") && strcmp(s->key, "path") == 0)
			err = consider(config, s->section + strlen("module "), heaps, refused);
	}
	return err;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int cli_heaps_find(const struct config *config, cli_refused_fn refused, struct cli_heaps *out)
{
	int err;

	*out = (struct cli_heaps){.names = NULL};
	err = find_in_folder(config, out, refused);
	if (!err)
		err = find_in_config(config, out, refused);
	if (err)
		cli_heaps_free(out);
	else if (out->n)
		qsort(out->names, out->n, sizeof(*out->names), compare_names);
	return err;
}

void cli_heaps_free(struct cli_heaps *heaps)
{
	for (size_t i = 0; i < heaps->n; i++)
		free(heaps->names[i]);
	free(heaps->names);
	*heaps = (struct cli_heaps){.names = NULL};
}
