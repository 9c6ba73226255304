// SPDX-License-Identifier: BSD-2-Clause
/*
 * chic-alloc info: what one module says of itself, as modinfo(8) does for the
 * kernel's.  The file is read; no code of it runs.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a field's text is; for parm one of each parameter. */
static const char *get_file(const struct cli_module *m)
{
	return m->where.path;
}

static const char *get_name(const struct cli_module *m)
{
	return m->where.name;
}

static const char *get_kind(const struct cli_module *m)
{
	return m->kind;
}

static const char *get_version(const struct cli_module *m)
{
	return m->info.version;
}

static const char *get_license(const struct cli_module *m)
{
	return m->info.license;
}

static const char *get_description(const struct cli_module *m)
{
	return m->info.found ? m->info.description : "library that exports a malloc family";
}

static const char *get_author(const struct cli_module *m)
{
	return m->info.author;
}

static const char *get_abi(const struct cli_module *m)
{
	return m->info.abi;
}

static const struct field {
	const char *name;
	const char *(*get)(const struct cli_module *); /* null: the parameters */
} fields[] = {
	{"file", get_file},	{"name", get_name},	  {"version", get_version},
	{"kind", get_kind},	{"license", get_license}, {"description", get_description},
	{"author", get_author}, {"abi", get_abi},	  {"parm", NULL},
};

static const struct field *find_field(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

/* Every line of a field, with its label unless it was asked for by name. */
static void print_field(const struct field *field, const struct cli_module *module, bool label)
{
	const char *text = field->get ? field->get(module) : NULL;

	if (text && *text)
		printf("%s%s%.*s%s\n", label ? field->name : "", label ? ":" : "",
		       label ? 15 - (int)strlen(field->name) : 0, "                ", text);
	if (field->get)
		return;
	for (size_t i = 0; i < module->info.n_params; i++) {
		if (label)
			printf("%-16s", "parm:");
		cli_param_print(stdout, &module->info.params[i]);
	}
}

static void print_text(const struct cli_module *module)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		print_field(&fields[i], module, true);
}

static void print_json_params(struct json *json, const struct modinfo *info)
{
	json_open(json, "parm", '[');
	for (size_t i = 0; i < info->n_params; i++) {
		json_open(json, NULL, '{');
		json_string(json, "name", info->params[i].name);
		json_string(json, "type", param_type_name(info->params[i].type));
		json_string(json, "default", info->params[i].def);
		json_string(json, "range", info->params[i].range);
		json_string(json, "help", info->params[i].help);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void print_json(const struct cli_module *module)
{
	struct json json = {.out = stdout};
	const char *text;

	json_open(&json, NULL, '{');
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!fields[i].get) {
			print_json_params(&json, &module->info);
			continue;
		}
		text = fields[i].get(module);
		json_string(&json, fields[i].name, text ? text : "");
	}
	json_close(&json, '}');
}

/* A path, also a relative one, or a file of this folder: not a name. */
static bool is_file(const char *arg)
{
	return strchr(arg, '/') || (strstr(arg, ".so") && access(arg, F_OK) == 0);
}

static int open_file(const char *arg, struct cli_module *out)
{
	static const struct config no_config;
	char *path = cli_absolute(arg);
	int err;

	if (!path)
		return -ENOMEM;
	err = cli_module_open(&no_config, path, out);
	free(path);
	return err;
}

/*
 * A name may be mapped to a path by the configuration.  A broken one must not
 * keep anybody from reading about the module he is about to configure.
 */
static int open_name(const char *name, struct cli_module *out)
{
	struct cli_request none = {.named = NULL};
	struct config_request request;
	struct config config;
	int err;

	cli_request_fill(&none, &request);
	request.presets = true;
	if (config_read(&request, &config))
		config = (struct config){.settings = NULL};
	err = cli_module_open(&config, name, out);
	config_free(&config);
	return err;
}

static int info(const char *arg, const struct field *field, bool json)
{
	struct cli_module module;

	if (is_file(arg) ? open_file(arg, &module) : open_name(arg, &module))
		return cli_failed();
	if (field)
		print_field(field, &module, false);
	else if (json)
		print_json(&module);
	else
		print_text(&module);
	cli_module_close(&module);
	return CLI_GOOD;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{"field", required_argument, NULL, 'F'},
		{"json", no_argument, NULL, CLI_OPT_JSON},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const struct field *field = NULL;
	bool json = false;
	int opt;

	while ((opt = getopt_long(argc, argv, ":F:h", options, NULL)) != -1) {
		switch (opt) {
		case 'F':
			field = find_field(optarg);
			if (!field)
				return cli_usage(
					&cli_info,
					"info: unknown field '%s', expected file, name, "
					"version, kind, license, description, author, "
					"abi or parm",
					optarg);
			break;
		case CLI_OPT_JSON:
			json = true;
			break;
		case 'h':
			return cli_help(&cli_info);
		default:
			return cli_bad_option(&cli_info, opt, argv);
		}
	}
	if (field && json)
		return cli_usage(&cli_info, "info: -F and --json exclude each other");
	if (optind + 1 != argc)
		return cli_usage(&cli_info, "info: got %d arguments, expected one NAME or FILE",
				 argc - optind);
	return info(argv[optind], field, json);
}

const struct cli_command cli_info = {
	.name = "info",
	.run = run,
	.summary = "what a module says of itself, its parameters first of all",
	.help = "usage: chic-alloc info [-F FIELD | --json] NAME|FILE\n"
		"Print the metadata of a module without running it.  An argument with a '/'\n"
		"is a file, any other one the entry of a stack.\n\n"
		"  -F, --field FIELD  only this field's values, one a line: file, name,\n"
		"                     version, kind, license, description, author, abi, parm\n"
		"  --json             one object\n"
		"  -h, --help         this text\n",
};
