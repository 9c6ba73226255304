// SPDX-License-Identifier: BSD-2-Clause
/*
 * chic-alloc list: the modules in the module folder, then those that a section of
 * the configuration or a preset gives a path, as far as they are installed.  A
 * file that would be refused is shown with the reason and hides none of the others.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
		printf("%-16s %-10s %-8s malloc family of %s\n", name, "-", module->kind,
		       module->where.path);
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

/* By an entry that means this very file. */
static void print_one(struct json *json, const char *file)
{
	static const struct config no_config;
	char *path, *name = strndup(file, strlen(file) - strlen(".so"));
	struct cli_module module;

	if (!name || asprintf(&path, "%s/%s", locate_moduledir(), file) < 0)
		goto out_name;
	if (cli_module_open(&no_config, path, &module)) {
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

static void print_folder(struct json *json, struct dirent **entries, int n)
{
	for (int i = 0; i < n; i++) {
		print_one(json, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

static void print_configured(struct json *json, const struct config *config,
			     const struct setting *path)
{
	const char *name = path->section + strlen("module ");
	struct cli_module module;
	int err = cli_module_open(config, name, &module);

	if (err == -ENOENT)
		return;
	if (err) {
		print_refused(json, name, path->value);
		return;
	}
	if (json)
		print_json(json, name, &module);
	else
		print_text(name, &module);
	cli_module_close(&module);
}

/* A broken configuration must not keep anybody from seeing what there is. */
static void print_sections(struct json *json)
{
	struct cli_request none = {.named = NULL};
	struct config_request request;
	struct config config;

	cli_request_fill(&none, &request);
	request.presets = true;
	if (config_read(&request, &config))
		return;
	for (size_t i = 0; i < config.n_settings; i++) {
		const struct setting *s = &config.settings[i];

		if (settings_is(s, "module") && strcmp(s->key, "path") == 0)
			print_configured(json, &config, s);
	}
	config_free(&config);
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
	print_folder(json, entries, n);
	print_sections(json);
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
		"folder, and of those that a preset or the configuration gives a path, as far\n"
		"as they are installed.  A file that would be refused is shown with the "
		"reason.\n\n"
		"  --json      an array of objects\n"
		"  -h, --help  this text\n",
};
