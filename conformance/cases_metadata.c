// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the file says of itself, without being run, and whether it is true: exports,
 * and every parameter at the ends of its range.
 */
#define _GNU_SOURCE
#include "conform.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* ----------------------------------------------------------- metadata --- */

/* What the reader of the file finds and what the dynamic linker does are the same. */
static void check_exports(const struct cli_module *file, const struct module_exports *loaded)
{
	for (const struct module_symbol *sym = module_symbols; sym->suffix; sym++) {
		void *in_file, *in_memory;

		memcpy(&in_file, (const char *)&file->exports + sym->offset, sizeof(in_file));
		memcpy(&in_memory, (const char *)loaded + sym->offset, sizeof(in_memory));
		if (!in_file != !in_memory)
			case_fail("%s_%s: found %s the file and %s in memory", file->where.name,
				  sym->suffix, in_file ? "in" : "not in",
				  in_memory ? "there" : "not");
	}
}

static int read_file(const struct conform_spec *spec, struct cli_module *out)
{
	struct config_request request;
	struct config config;
	int err;

	config_request_from_process(&request, spec->conf);
	err = config_read(&request, &config);
	if (err)
		return err;
	err = cli_module_open(&config, spec->entry, out);
	config_free(&config);
	return err;
}

void case_metadata(struct subject *s)
{
	struct cli_module file;

	if (!s->spec->info)
		case_skip("the platform heap has no file");
	if (read_file(s->spec, &file))
		case_fail("%s", message_get());
	subject_load(s, NULL, NULL, NULL);
	if (subject_is_native(s))
		check_exports(&file, subject_exports(s));
	cli_module_close(&file);
}

/* ------------------------------------------------------------- params --- */

/* In a process of its own.  A parameter may say that malloc's alignment is not kept. */
static void serve_with(struct subject *s, void *option)
{
	s->any_align = true;
	subject_load(s, NULL, NULL, option);
	churn_serve(s, 1);
	subject_unload(s);
}

static void try_value(struct subject *s, const struct modinfo_param *param, const char *value,
		      size_t len)
{
	char option[512];

	snprintf(option, sizeof(option), "%s.%s=%.*s", s->spec->name, param->name, (int)len,
		 value);
	case_stage("with %s", option);
	case_apart(s, serve_with, option);
}

/* "one|two|three" or "4K-1G": each word of it, or both ends. */
static void try_words(struct subject *s, const struct modinfo_param *param, char separator)
{
	const char *word = param->range;

	while (*word) {
		const char *end = strchrnul(word, separator);

		try_value(s, param, word, end - word);
		word = *end ? end + 1 : end;
	}
}

static void try_param(struct subject *s, const struct modinfo_param *param)
{
	switch (param->type) {
	case PARAM_BOOL:
		try_value(s, param, "no", strlen("no"));
		try_value(s, param, "yes", strlen("yes"));
		break;
	case PARAM_ENUM:
		try_words(s, param, '|');
		break;
	case PARAM_UINT:
	case PARAM_SIZE:
		try_words(s, param, '-');
		break;
	case PARAM_STRING:
		break;
	}
	try_value(s, param, param->def, strlen(param->def));
}

void case_params(struct subject *s)
{
	const struct modinfo *info = s->spec->info;

	if (!info || !info->n_params)
		case_skip("it has no parameters");
	for (size_t i = 0; i < info->n_params; i++)
		try_param(s, &info->params[i]);
}
