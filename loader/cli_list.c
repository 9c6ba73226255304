// SPDX-License-Identifier: BSD-2-Clause
/*
 * chic-alloc list: the modules in the module folder.  A file that would be
 * refused is shown with the reason and hides none of the others.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The entry of a stack that would mean this very file. */
static int open_file(const char *file, struct cli_module *out)
{
	static const struct config no_config;
	char *path;
	int err;

	if (asprintf(&path, "%s/%s", locate_moduledir(), file) < 0)
		return message_set(-ENOMEM, "%s: out of memory", file);
	err = cli_module_open(&no_config, path, out);
	free(path);
	return err;
}

static const char *or_dash(const char *text)
{
	return *text ? text : "-";
}

static void print_text(const char *name, const struct cli_module *module)
{
	const struct modinfo *info = &module->info;

	if (info->found)
		printf("%-16s %-10s %-8s %s\n", name, or_dash(info->version), module->kind,
		       or_dash(info->description));
	else
		printf("%-16s %-10s %-8s %s\n", name, "-", module->kind,
		       "exports a malloc family");
}

static void print_json(struct json *json, const char *name, const struct cli_module *module)
{
	const struct modinfo *info = &module->info;

	json_open(json, NULL, '{');
	json_string(json, "name", name);
	json_string(json, "file", module->where.path);
	json_string(json, "version", info->found ? info->version : "");
	json_string(json, "kind", module->kind);
	json_string(json, "description", info->found ? info->description : "");
	json_close(json, '}');
}

static void print_refused(struct json *json, const char *name, const char *file)
{
	if (!json) {
		printf("%-16s %-10s %-8s %s\n", name, "-", "refused", message_get());
		return;
	}
	json_open(json, NULL, '{');
	json_string(json, "name", name);
	json_string(json, "file", file);
	json_string(json, "error", message_get());
	json_close(json, '}');
}

static void print_one(struct json *json, const char *file)
{
	char *path, *name = strndup(file, strlen(file) - strlen(".so"));
	struct cli_module module;

	if (!name || asprintf(&path, "%s/%s", locate_moduledir(), file) < 0)
		goto out_name;
	if (open_file(file, &module)) {
		print_refused(json, name, path);
		goto out_path;
	}
	if (json)
		print_json(json, name, &module);
	else
		print_text(name, &module);
	cli_module_close(&module);
out_path:
	free(path);
out_name:
	free(name);
}

static int list(struct json *json)
{
	struct dirent **entries;
	int n = cli_module_files(&entries);

	if (n < 0)
		return cli_error("%s: %s, expected the folder of modules", locate_moduledir(),
				 strerror(errno));
	if (json)
		json_open(json, NULL, '[');
	else
		printf("%-16s %-10s %-8s %s\n", "NAME", "VERSION", "KIND", "DESCRIPTION");
	for (int i = 0; i < n; i++) {
		print_one(json, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (json)
		json_close(json, ']');
	return CLI_GOOD;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, CLI_OPT_JSON},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct json json = {.out = stdout}, *format = NULL;
	int opt;

	while ((opt = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
		switch (opt) {
		case CLI_OPT_JSON:
			format = &json;
			break;
		case 'h':
			return cli_help(&cli_list);
		default:
			return cli_bad_option(&cli_list, opt, argv);
		}
	}
	if (optind < argc)
		return cli_usage(&cli_list, "list: got '%s', expected no argument",
				 argv[optind]);
	return list(format);
}

const struct cli_command cli_list = {
	.name = "list",
	.run = run,
	.summary = "the modules that are installed",
	.help = "usage: chic-alloc list [--json]\n"
		"Print name, version, kind and description of every module in the module\n"
		"folder.  A file that would be refused is shown with the reason.\n\n"
		"  --json      an array of objects\n"
		"  -h, --help  this text\n",
};
