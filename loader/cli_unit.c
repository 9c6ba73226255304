// SPDX-License-Identifier: BSD-2-Clause
/*
 * A systemd unit's drop-in, which joins the preload library to whatever the unit's
 * own files say of LD_PRELOAD: of several settings of a variable the last counts.
 */
#define _GNU_SOURCE
#include "cli_enable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

char *unit_drop_in(const char *name)
{
	char *path;

	if (asprintf(&path, UNIT_FOLDER "/%s.d/" UNIT_DROP_IN, name) >= 0)
		return path;
	message_set(-ENOMEM, "%s: out of memory", name);
	return NULL;
}

/* Environment="NAME=VALUE", to be freed. */
static char *environment_line(const char *name, char *value)
{
	char *word = NULL, *quoted = NULL, *line = NULL;

	if (value && asprintf(&word, "%s=%s", name, value) >= 0)
		quoted = unitfile_quote(word);
	if (quoted && asprintf(&line, "Environment=%s\n", quoted) < 0)
		line = NULL;
	free(quoted);
	free(word);
	free(value);
	return line;
}

static char *drop_in_lines(const struct unit *unit, size_t static_tls)
{
	char *preload = environment_line("LD_PRELOAD", cli_join_preload(unit->preload));
	char *tunables = NULL, *lines = NULL;

	if (cli_needs_tunables(unit->tunables, static_tls))
		tunables = environment_line("GLIBC_TUNABLES",
					    cli_join_tunables(unit->tunables, static_tls));
	else
		tunables = strdup("");
	if (preload && tunables && asprintf(&lines, "[Service]\n%s%s", preload, tunables) < 0)
		lines = NULL;
	free(preload);
	free(tunables);
	return lines;
}

int unit_enable(struct edits *edits, const struct unit *unit, size_t static_tls)
{
	char *path = unit_drop_in(unit->files.name), *lines = drop_in_lines(unit, static_tls);
	struct edit *edit;
	int err = -ENOMEM;

	if (path && !lines)
		message_set(err, "%s: out of memory", unit->files.name);
	if (path && lines) {
		edit = edits_add(edits, path);
		err = edit ? marked_put(edit, BLOCK_WHOLE, unit->files.name, lines) : -EIO;
	}
	free(lines);
	free(path);
	return err;
}

int unit_disable(struct edits *edits, const char *name)
{
	char *path = unit_drop_in(name);
	struct edit *edit = path ? edits_add(edits, path) : NULL;

	free(path);
	return edit ? marked_remove(edit, BLOCK_WHOLE) : -EIO;
}
