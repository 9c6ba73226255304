// SPDX-License-Identifier: BSD-2-Clause
/*
 * Clusters of postgresql as Debian starts them: pg_ctlcluster(1) gives the server
 * no environment but what the cluster's own file says,
 * /etc/postgresql/VERSION/CLUSTER/environment, whether systemd called it or not.
 *
 *	NAME = 'any value, with '' for a quote'
 */
#define _GNU_SOURCE
#include "cli_enable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CLUSTERS "/etc/postgresql"
#define SERVERS "/usr/lib/postgresql"
#define CONTROLLER "/usr/bin/pg_ctlcluster"
/* Read for a cluster that has no file of its own. */
#define COMMON_FILE "/etc/postgresql-common/environment"
#define INSTANCE "postgresql@"
#define SUFFIX ".service"

static int out_of_memory(const char *what)
{
	return message_set(-ENOMEM, "%s: out of memory", what);
}

static bool is_all(const char *name)
{
	return strcmp(name, "postgresql" SUFFIX) == 0 || strcmp(name, INSTANCE SUFFIX) == 0;
}

bool cluster_is(const struct tree *tree, const char *name)
{
	return (is_all(name) || strncmp(name, INSTANCE, strlen(INSTANCE)) == 0) &&
	       tree_has(tree, CONTROLLER);
}

/* ---------------------------------------------------- which clusters --- */

static bool is_cluster(const struct tree *tree, const char *version, const char *name)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), CLUSTERS "/%s/%s/postgresql.conf", version, name);

	return n < (int)sizeof(path) && tree_has(tree, path);
}

static int add_cluster(struct file_list *list, const char *version, const char *name)
{
	char cluster[PATH_MAX];

	if (snprintf(cluster, sizeof(cluster), "%s/%s", version, name) >= (int)sizeof(cluster))
		return 0;
	return tree_list_add(list, cluster);
}

static int add_version(const struct tree *tree, const char *version, struct file_list *list)
{
	struct file_list names;
	char *folder;
	int err;

	if (asprintf(&folder, CLUSTERS "/%s", version) < 0)
		return -ENOMEM;
	err = tree_list(tree, folder, "*", &names);
	free(folder);
	for (size_t i = 0; i < names.n && !err; i++)
		if (is_cluster(tree, version, names.paths[i]))
			err = add_cluster(list, version, names.paths[i]);
	conffiles_free(&names);
	return err;
}

static int add_all(const struct tree *tree, struct file_list *list)
{
	struct file_list versions;
	int err = tree_list(tree, CLUSTERS, "[0-9]*", &versions);

	for (size_t i = 0; i < versions.n && !err; i++)
		err = add_version(tree, versions.paths[i], list);
	conffiles_free(&versions);
	return err;
}

/* "15-main": the first dash ends the version. */
static int add_instance(const struct tree *tree, const char *name, struct file_list *list)
{
	const char *version = name + strlen(INSTANCE), *dash = strchr(version, '-');
	char *cluster = NULL, *end;
	int err = 0;

	if (!dash)
		return 0;
	end = strndup(version, (size_t)(dash - version));
	cluster = strndup(dash + 1, strlen(dash + 1) - strlen(SUFFIX));
	if (!end || !cluster)
		err = -ENOMEM;
	else if (is_cluster(tree, end, cluster))
		err = add_cluster(list, end, cluster);
	free(cluster);
	free(end);
	return err;
}

int cluster_list(const struct tree *tree, const char *name, struct file_list *out)
{
	int err;

	*out = (struct file_list){.n = 0};
	err = is_all(name) ? add_all(tree, out) : add_instance(tree, name, out);
	if (err) {
		conffiles_free(out);
		return out_of_memory(name);
	}
	if (out->n)
		return 0;
	return message_set(-ENOENT, "%s: no such cluster below %s" CLUSTERS ", expected %s",
			   name, tree->root,
			   is_all(name) ? "one" : "postgresql@VERSION-CLUSTER");
}

int cluster_programs(const struct tree *tree, const struct file_list *clusters,
		     struct file_list *out)
{
	char path[PATH_MAX];
	int err = 0;

	*out = (struct file_list){.n = 0};
	for (size_t i = 0; i < clusters->n && !err; i++) {
		snprintf(path, sizeof(path), SERVERS "/%.*s/bin/postgres",
			 (int)strcspn(clusters->paths[i], "/"), clusters->paths[i]);
		/* clusters of one version stand together */
		if (tree_has(tree, path) &&
		    !(out->n && strcmp(out->paths[out->n - 1], path) == 0))
			err = tree_list_add(out, path);
	}
	if (err)
		conffiles_free(out);
	return err ? out_of_memory(CLUSTERS) : 0;
}

char *cluster_file(const char *cluster)
{
	char *path;

	return asprintf(&path, CLUSTERS "/%s/environment", cluster) < 0 ? NULL : path;
}

char *cluster_unit(const char *cluster)
{
	size_t version = strcspn(cluster, "/");
	char *unit;

	if (asprintf(&unit, INSTANCE "%.*s-%s" SUFFIX, (int)version, cluster,
		     cluster + version + 1) < 0)
		return NULL;
	return unit;
}

/* ------------------------------------------------- the file's syntax --- */

/* Behind the value's last byte; the value begins at p. */
static const char *value_end(const char *p)
{
	if (*p != '\'')
		return p + strcspn(p, " \t\r\n#");
	for (p++; *p && *p != '\n'; p++) {
		if (*p != '\'' || p[-1] == '\\')
			continue;
		if (p[1] != '\'')
			return p + 1;
		p++;
	}
	return p;
}

/* Quotes and escapes undone; to be freed. */
static char *unquote(const char *p, const char *end)
{
	char *value = malloc((size_t)(end - p) + 1), *out = value;

	if (!value)
		return NULL;
	if (*p == '\'' && end - p >= 2) {
		p++;
		end--;
	}
	for (; p < end; p++) {
		if (p + 1 < end && (*p == '\\' || (*p == '\'' && p[1] == '\'')))
			p++;
		*out++ = *p;
	}
	*out = '\0';
	return value;
}

/* The value's first byte if the line sets that variable, else null. */
static const char *line_value(const char *line, const char *name)
{
	size_t len = strlen(name);

	line += strspn(line, " \t");
	if (strncmp(line, name, len) != 0 || !strchr(" \t=", line[len]))
		return NULL;
	line += len;
	line += strspn(line, " \t");
	line += *line == '=';
	return line + strspn(line, " \t");
}

/* The last value of a variable; *value is null if there is none. */
static int find_value(const char *text, const char *name, char **value)
{
	const char *line, *at;

	*value = NULL;
	for (line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		at = line_value(line, name);
		if (!at)
			continue;
		free(*value);
		*value = unquote(at, value_end(at));
		if (!*value)
			return out_of_memory(name);
	}
	return 0;
}

/* "NAME = 'VALUE'", to be freed, as value is. */
static char *setting(const char *name, char *value)
{
	char *line = NULL, *out;

	if (!value)
		return NULL;
	line = malloc(strlen(name) + 2 * strlen(value) + 8);
	if (line) {
		out = line + sprintf(line, "%s = '", name);
		for (const char *p = value; *p; p++) {
			if (*p == '\'' || *p == '\\')
				*out++ = *p;
			*out++ = *p;
		}
		strcpy(out, "'\n");
	}
	free(value);
	return line;
}

/* --------------------------------------------------- enable, disable --- */

/* The last value of common's settings, which come behind the file's, else of those. */
static int find_either(const char *base, const char *common, const char *name, char **value)
{
	int err = find_value(common, name, value);

	return err || *value ? err : find_value(base, name, value);
}

static char *tunables_line(const char *before, size_t static_tls)
{
	if (!cli_needs_tunables(before, static_tls))
		return strdup("");
	return setting("GLIBC_TUNABLES", cli_join_tunables(before, static_tls));
}

/* What the server's environment is to be made of: common settings, then ours. */
static char *make_lines(const char *base, const char *common, size_t static_tls)
{
	const char *newline = *common && common[strlen(common) - 1] != '\n' ? "\n" : "";
	char *preload = NULL, *tunables = NULL, *first, *second, *lines = NULL;

	if (find_either(base, common, "LD_PRELOAD", &preload) ||
	    find_either(base, common, "GLIBC_TUNABLES", &tunables))
		goto out_values;
	first = setting("LD_PRELOAD", cli_join_preload(preload));
	second = tunables_line(tunables, static_tls);
	if (first && second && asprintf(&lines, "%s%s%s%s", common, newline, first, second) < 0)
		lines = NULL;
	free(second);
	free(first);
out_values:
	free(tunables);
	free(preload);
	return lines;
}

/* What pg_ctlcluster reads in place of a file that is not there, "" if nothing. */
static char *read_common(const struct edits *edits, const struct edit *edit)
{
	char *text = NULL;
	size_t len;
	int err = -ENOENT;

	if (!edit->existed || marked_made_file(edit))
		err = tree_read(edits->tree, COMMON_FILE, &text, &len);
	return err && err != -ENOMEM ? strdup("") : text;
}

static int put_block(struct edits *edits, struct edit *edit, const char *unit,
		     size_t static_tls)
{
	char *base, *common, *lines = NULL;
	int err = marked_base(edit, &base);

	if (err)
		return err;
	common = read_common(edits, edit);
	if (common)
		lines = make_lines(base, common, static_tls);
	err = lines ? marked_put(edit, BLOCK_LAST, unit, lines) : out_of_memory(edit->path);
	free(lines);
	free(common);
	free(base);
	return err;
}

int cluster_enable(struct edits *edits, const char *cluster, size_t static_tls)
{
	char *path = cluster_file(cluster), *unit = cluster_unit(cluster);
	struct edit *edit;
	int err;

	if (path && unit) {
		edit = edits_add(edits, path);
		err = edit ? put_block(edits, edit, unit, static_tls) : -EIO;
	} else {
		err = out_of_memory(cluster);
	}
	free(unit);
	free(path);
	return err;
}

int cluster_disable(struct edits *edits, const char *cluster)
{
	char *path = cluster_file(cluster);
	struct edit *edit;

	if (!path)
		return out_of_memory(cluster);
	edit = edits_add(edits, path);
	free(path);
	return edit ? marked_remove(edit, BLOCK_LAST) : -EIO;
}
