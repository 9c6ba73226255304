// SPDX-License-Identifier: BSD-2-Clause
/*
 * chic-alloc config: validate, then print the effective settings, each with the
 * place it comes from, as INI text that may be pasted back.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One printer for people and one for machines; both get the same calls. */
struct printer {
	struct json *json; /* null: INI text */
	bool later; /* a section stands before */
};

static void section(struct printer *printer, const char *name)
{
	if (!printer->json)
		printf("%s[%s]\n", printer->later ? "\n" : "", name);
	printer->later = true;
}

static void json_setting(struct json *json, const char *section_name, const char *key,
			 const char *value, const struct setting *from)
{
	json_open(json, NULL, '{');
	json_string(json, "section", section_name);
	json_string(json, "key", key);
	json_string(json, "value", value);
	json_string(json, "file", from ? from->file : NULL);
	if (from && from->line)
		json_number(json, "line", from->line);
	else
		json_string(json, "line", NULL);
	json_close(json, '}');
}

/* "FILE:LINE" */
static const char *origin(const struct setting *from, char *out, size_t size)
{
	if (!from)
		return "built-in";
	if (!from->line)
		return from->file;
	snprintf(out, size, "%s:%u", from->file, from->line);
	return out;
}

/* Not more than can be read again: the origin may stand above, blanks may be left out. */
static void setting(struct printer *printer, const char *section_name, const char *key,
		    const char *value, const struct setting *from)
{
	char text[PATH_MAX], buffer[PATH_MAX + 16];
	const char *where = origin(from, buffer, sizeof(buffer));

	if (printer->json) {
		json_setting(printer->json, section_name, key, value, from);
		return;
	}
	if (snprintf(text, sizeof(text), "%s = %s", key, value) > INI_LINE_MAX)
		snprintf(text, sizeof(text), "%s=%s", key, value);
	if (strlen(text) + strlen(where) + strlen(" ; ") > INI_LINE_MAX)
		printf("; %s\n%s\n", where, text);
	else
		printf("%-39s ; %s\n", text, where);
}

static const char *log_value(const struct config *config)
{
	static const char *const names[] = {
		[LOG_TO_AUTO] = "auto",
		[LOG_TO_STDERR] = "stderr",
		[LOG_TO_SYSLOG] = "syslog",
		[LOG_TO_NONE] = "none",
	};

	return config->log == LOG_TO_FILE ? config->log_path : names[config->log];
}

static void print_allocator(struct printer *printer, const struct config *config)
{
	static const char *const telemetry[] = {
		[CHIC_TELEMETRY_OFF] = "off",
		[CHIC_TELEMETRY_CALLS] = "calls",
		[CHIC_TELEMETRY_FULL] = "full",
	};
	const char *on_error = config->on_error == ON_ERROR_FAIL ? "fail" : "default";
	/* an empty stack has a name */
	const char *stack = *config->stack ? config->stack : "default";

	section(printer, "allocator");
	setting(printer, "allocator", "module", stack, config->stack_from);
	setting(printer, "allocator", "filters", config->filters, config->filters_from);
	setting(printer, "allocator", "on_error", on_error, config->on_error_from);
	setting(printer, "allocator", "telemetry", telemetry[config->telemetry],
		config->telemetry_from);
	setting(printer, "allocator", "log", log_value(config), config->log_from);
}

/* The settings of one section as they were written. */
static void print_written(struct printer *printer, const struct config *config,
			  const char *name)
{
	const struct setting *s = config->settings;

	section(printer, name);
	for (size_t i = 0; i < config->n_settings; i++)
		if (strcmp(s[i].section, name) == 0)
			setting(printer, name, s[i].key, s[i].value, &s[i]);
}

/* The keys of a module's section that speak to the loader, not to the module. */
static void print_loader_keys(struct printer *printer, const struct config *config,
			      const char *section_name, const char *module)
{
	static const char *const keys[] = {"path", "prefix", "env"};
	const struct setting *from;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		from = config_module_setting(config, module, keys[i]);
		if (from)
			setting(printer, section_name, keys[i], from->value, from);
	}
}

/* A module that is there: every parameter with its value, set or not. */
static int print_module(struct printer *printer, const struct config *config,
			const struct cli_module *module)
{
	const struct modinfo *info = &module->info;
	struct chic_module_param *values = cli_module_params(module, config);
	char name[NAME_MAX_LEN + sizeof("module ")];

	if (!values)
		return -EINVAL;
	snprintf(name, sizeof(name), "module %s", module->where.name);
	section(printer, name);
	print_loader_keys(printer, config, name, module->where.name);
	for (size_t i = 0; i < info->n_params; i++)
		setting(printer, name, info->params[i].name, values[i].text,
			config_module_setting(config, module->where.name,
					      info->params[i].name));
	free(values);
	return 0;
}

/* What becomes of a stock library's options, in words that are no setting. */
static void print_environment(struct printer *printer, const struct stock_options *options)
{
	for (size_t i = 0; !printer->json && i < options->n; i++)
		printf("; passed as %s\n", options->variables[i]);
}

/* A stock library has a section if one was written. */
static int print_stock(struct printer *printer, const struct config *config,
		       struct cli_module *module)
{
	char name[NAME_MAX_LEN + sizeof("module ")];
	int err = cli_module_options(module, config);

	snprintf(name, sizeof(name), "module %s", module->where.name);
	if (err || !settings_find(config, name, NULL))
		return err;
	section(printer, name);
	for (size_t i = 0; i < config->n_settings; i++) {
		const struct setting *s = &config->settings[i];

		if (settings_is(s, "module") &&
		    name_equal(s->section + strlen("module "), module->where.name))
			setting(printer, name, s->key, s->value, s);
	}
	print_environment(printer, &module->options);
	return 0;
}

static int print_stack(struct printer *printer, const struct config *config, const char *list)
{
	struct cli_module module;
	char entry[4096];
	int err = 0;

	while (!err && name_next(&list, entry, sizeof(entry)) > 0) {
		if (strcmp(entry, "default") == 0)
			continue;
		err = cli_module_open(config, entry, &module);
		if (err)
			break;
		if (!module.info.found)
			err = print_stock(printer, config, &module);
		else if (module.info.n_params)
			err = print_module(printer, config, &module);
		cli_module_close(&module);
	}
	return err;
}

static bool in_list(const char *list, const char *module)
{
	char entry[4096];

	while (name_next(&list, entry, sizeof(entry)) > 0)
		if (name_equal(entry, module))
			return true;
	return false;
}

/* Whether print_stack() has shown, or will show, the section. */
static bool is_shown(const struct config *config, const char *name)
{
	struct cli_module module;
	bool shown;

	if (!in_list(config->filters, name) && !in_list(config->stack, name))
		return false;
	if (cli_module_open(config, name, &module))
		return false;
	shown = !module.info.found || module.info.n_params > 0;
	cli_module_close(&module);
	return shown;
}

/* Presets speak of whatever may be installed some day. */
static bool is_preset(const struct config *config, size_t i)
{
	return config->presets && i >= config->n_own;
}

/* Sections beside the effective stack: of other modules, and the rules. */
static void print_others(struct printer *printer, const struct config *config, bool rules)
{
	for (size_t i = 0; i < config->n_settings; i++) {
		const struct setting *first = &config->settings[i];
		const char *module = first->section + strlen("module ");

		if (!cli_begins_section(config, i) || is_preset(config, i))
			continue;
		if (settings_is(first, "module") ? !is_shown(config, module)
						 : rules && settings_is(first, "program"))
			print_written(printer, config, first->section);
	}
}

static int print_settings(struct printer *printer, const struct config *config, bool rules)
{
	int err;

	print_allocator(printer, config);
	err = print_stack(printer, config, config->filters);
	if (!err)
		err = print_stack(printer, config, config->stack);
	if (!err)
		print_others(printer, config, rules);
	return err;
}

static int print_text(const struct config *config, bool rules)
{
	struct printer printer = {.json = NULL};
	const struct setting *rule = config->rule;

	if (rule)
		printf("; rule: [%s], %s:%u\n", rule->section, rule->file, rule->line);
	return print_settings(&printer, config, rules);
}

static int print_json(const struct config *config, bool rules)
{
	struct json json = {.out = stdout};
	struct printer printer = {.json = &json};
	int err;

	json_open(&json, NULL, '{');
	json_open(&json, "files", '[');
	for (size_t i = 0; i < config->files.n; i++)
		json_string(&json, NULL, config->files.paths[i]);
	json_close(&json, ']');
	json_string(&json, "rule", config->rule ? config->rule->section : NULL);
	json_open(&json, "settings", '[');
	err = print_settings(&printer, config, rules);
	json_close(&json, ']');
	json_close(&json, '}');
	return err;
}

struct options {
	struct cli_request request;
	const char *program;
	bool json;
};

static int print_checked(const struct config *config, const struct options *options)
{
	int err = cli_check_all(config);

	if (err)
		return err;
	/* for one program its rule has been applied: the rules say nothing more */
	if (options->json)
		return print_json(config, !options->program);
	return print_text(config, !options->program);
}

static int read_and_print(const struct options *options)
{
	struct config_request request;
	struct cli_program program = {.path = NULL};
	struct config config;
	int err;

	cli_request_fill(&options->request, &request);
	request.presets = true;
	if (options->program) {
		if (cli_program_find(options->program, &program) != CLI_GOOD)
			return -ENOENT;
		request.program = (struct program){.execfn = program.path, .exe = program.exe};
	}
	err = config_read(&request, &config);
	if (!err) {
		err = print_checked(&config, options);
		config_free(&config);
	}
	cli_program_free(&program);
	return err;
}

static int parse(int argc, char **argv, struct options *out)
{
	static const struct option options[] = {
		CLI_REQUEST_LONG,
		{"program", required_argument, NULL, 'p'},
		{"json", no_argument, NULL, CLI_OPT_JSON},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "+:" CLI_REQUEST_OPTIONS "p:h", options, NULL)) !=
	       -1) {
		switch (opt) {
		case 'c':
		case 'm':
		case 'o':
			if (cli_request_option(&out->request, opt, optarg))
				return cli_usage(&cli_config, "config: %s", message_get());
			break;
		case 'p':
			out->program = optarg;
			break;
		case CLI_OPT_JSON:
			out->json = true;
			break;
		case 'h':
			cli_help(&cli_config);
			return -1;
		default:
			return cli_bad_option(&cli_config, opt, argv);
		}
	}
	if (optind < argc)
		return cli_usage(&cli_config, "config: got '%s', expected no argument",
				 argv[optind]);
	return CLI_GOOD;
}

static int run(int argc, char **argv)
{
	struct options options = {.program = NULL};
	int status = parse(argc, argv, &options);

	if (status == CLI_GOOD && read_and_print(&options))
		status = cli_failed();
	cli_request_free(&options.request);
	return status < 0 ? CLI_GOOD : status;
}

const struct cli_command cli_config = {
	.name = "config",
	.run = run,
	.summary = "check the configuration, print what it comes to and from where",
	.help = "usage: chic-alloc config [-c FILE] [-m STACK] [-o SECTION.KEY=VALUE]...\n"
		"                         [-p PROGRAM] [--json]\n"
		"Check the configuration and every module it names, then print the effective\n"
		"settings, each with the file and line it comes from.\n\n"
		"  -c, --config FILE   this file instead of the system's\n"
		"  -m, --module STACK  this stack instead of the configured one\n"
		"  -o, --option SECTION.KEY=VALUE\n"
		"                      one setting; SECTION is allocator or a module's name\n"
		"  -p, --program PROGRAM\n"
		"                      what this program would get\n"
		"  --json              one object\n"
		"  -h, --help          this text\n",
};
