// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is enabled, by the files that say so.
 */
#define _GNU_SOURCE
#include "cli_enable.h"

#include <stdlib.h>
#include <string.h>

struct listing {
	const struct tree *tree;
	struct json *json; /* null: text */
};

static void print_row(const struct listing *listing, const char *what, const char *file,
		      const char *state)
{
	if (!listing->json) {
		printf("%-32s %-8s %s%s\n", what, state, listing->tree->root, file);
		return;
	}
	json_open(listing->json, NULL, '{');
	json_string(listing->json, "what", what);
	json_string(listing->json, "state", state);
	json_string(listing->json, "file", file);
	json_close(listing->json, '}');
}

static void look_at(const struct listing *listing, const char *what, const char *file)
{
	char *text;
	size_t len;
	int there;

	if (tree_read(listing->tree, file, &text, &len))
		return;
	there = marked_there(text, len);
	if (there)
		print_row(listing, what, file, there > 0 ? "enabled" : "edited");
	free(text);
}

static void list_units(const struct listing *listing)
{
	struct file_list folders;
	char *name, *path;

	if (tree_list(listing->tree, UNIT_FOLDER, "*.service.d", &folders))
		return;
	for (size_t i = 0; i < folders.n; i++) {
		name = folders.paths[i];
		name[strlen(name) - strlen(".d")] = '\0';
		path = unit_drop_in(name);
		if (path)
			look_at(listing, name, path);
		free(path);
	}
	conffiles_free(&folders);
}

static void list_clusters(const struct listing *listing)
{
	struct file_list clusters;
	char *unit, *path;

	if (cluster_list(listing->tree, "postgresql.service", &clusters))
		return;
	for (size_t i = 0; i < clusters.n; i++) {
		unit = cluster_unit(clusters.paths[i]);
		path = cluster_file(clusters.paths[i]);
		if (unit && path)
			look_at(listing, unit, path);
		free(path);
		free(unit);
	}
	conffiles_free(&clusters);
}

static void list_mariadb(const struct listing *listing)
{
	const char *path = mariadb_file(listing->tree);

	if (path)
		look_at(listing, "mariadbd-safe", path);
}

int enabled_list(const struct tree *tree, struct json *json)
{
	const struct listing listing = {.tree = tree, .json = json};

	if (json)
		json_open(json, NULL, '[');
	else
		printf("%-32s %-8s %s\n", "WHAT", "STATE", "FILE");
	if (ldso_is_enabled(tree))
		print_row(&listing, "--system", LDSO_FILE, "enabled");
	list_units(&listing);
	list_clusters(&listing);
	list_mariadb(&listing);
	if (json)
		json_close(json, ']');
	return CLI_GOOD;
}
