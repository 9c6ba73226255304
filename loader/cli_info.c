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

static void print_params(const struct cli_module *m, const char *label)
{
	for (size_t i = 0; i < m->info.n_params; i++) {
		printf("%s", label);
		cli_param_print(stdout, &m->info.params[i]);
	}
}

static void print_options(const struct cli_module *m, const char *label)
{
	for (size_t i = 0; i < m->options.n; i++)
		printf("%s%s\n", label, m->options.variables[i]);
}

static void print_json_params(struct json *json, const struct cli_module *m)
{
	const struct modinfo *info = &m->info;

	for (size_t i = 0; i < info->n_params; i++) {
		json_open(json, NULL, '{');
		json_string(json, "name", info->params[i].name);
		json_string(json, "type", param_type_name(info->params[i].type));
		json_string(json, "default", info->params[i].def);
		json_string(json, "range", info->params[i].range);
		json_string(json, "help", info->params[i].help);
		json_close(json, '}');
	}
}

static void print_json_options(struct json *json, const struct cli_module *m)
{
	for (size_t i = 0; i < m->options.n; i++)
		json_string(json, NULL, m->options.variables[i]);
}

/* One text, or several lines: then both functions to print these are there. */
static const struct field {
	const char *name;
	const char *(*get)(const struct cli_module *);
	void (*print)(const struct cli_module *, const char *label);
	void (*print_json)(struct json *json, const struct cli_module *);
} fields[] = {
	{.name = "file", .get = get_file},
	{.name = "name", .get = get_name},
	{.name = "version", .get = get_version},
	{.name = "kind", .get = get_kind},
	{.name = "license", .get = get_license},
	{.name = "description", .get = get_description},
	{.name = "author", .get = get_author},
	{.name = "abi", .get = get_abi},
	{.name = "parm", .print = print_params, .print_json = print_json_params},
	{.name = "env", .print = print_options, .print_json = print_json_options},
};

static const struct field *find_field(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

/* Every line of a field, with its label unless it was asked for by name. */
static void print_field(const struct field *field, const struct cli_module *module, bool labels)
{
	const char *text = field->get ? field->get(module) : NULL;
	char label[24] = "";

	if (labels)
		snprintf(label, sizeof(label), "%s:%*s", field->name,
			 15 - (int)strlen(field->name), "");
	if (field->print)
		field->print(module, label);
	else if (*text)
		printf("%s%s\n", label, text);
}

static void print_text(const struct cli_module *module)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		print_field(&fields[i], module, true);
}

static void print_json(const struct cli_module *module)
{
	struct json json = {.out = stdout};

	json_open(&json, NULL, '{');
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (fields[i].get) {
			json_string(&json, fields[i].name, fields[i].get(module));
			continue;
		}
		json_open(&json, fields[i].name, '[');
		fields[i].print_json(&json, module);
		json_close(&json, ']');
	}
	json_close(&json, '}');
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
	if (!err) {
		err = cli_module_options(out, &config);
		if (err)
			cli_module_close(out);
	}
	config_free(&config);
	return err;
}

static int info(const char *arg, const struct field *field, bool json)
{
	struct cli_module module;

	if (cli_is_file(arg) ? open_file(arg, &module) : open_name(arg, &module))
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
					"abi, parm or env",
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
		"                     version, kind, license, description, author, abi,\n"
		"                     parm (of a module), env (of a stock library)\n"
		"  --json             one object\n"
		"  -h, --help         this text\n",
};
