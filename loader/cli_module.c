// SPDX-License-Identifier: BSD-2-Clause
/*
 * A module's file, looked at without running it: where it is, what its metadata
 * says, how much thread-local storage it brings.
 *
 * A bare soname is the dynamic linker's to find.  It is looked for here where the
 * linker would look, so that a library that is not there is found out before the
 * program starts.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Put the file that the linker would take in place of the soname. */
static int resolve_soname(struct location *where)
{
	char *file;
	int fd;

	if (where->fd < 0) { /* for the message */
		fd = soname_open(where->path, &file);
		if (fd < 0)
			return fd;
		where->fd = fd;
		where->file = file;
	}
	free(where->path);
	where->path = where->file;
	where->file = NULL;
	return 0;
}

static void exported(void)
{
}

/* NAME_SUFFIX as a symbol has it: '-' is '_' there. */
static int has_export(const struct elf *elf, const char *name, const char *suffix)
{
	char symbol[NAME_MAX_LEN + 32];

	snprintf(symbol, sizeof(symbol), "%s_%s", name, suffix);
	for (char *p = symbol; *p; p++)
		if (*p == '-')
			*p = '_';
	return elf_defines(elf, symbol);
}

/* A stand-in for each function that the file exports: it is there, nobody calls it. */
static int read_exports(const struct elf *elf, struct cli_module *out)
{
	void (*const stand_in)(void) = exported;
	int there;

	for (const struct module_symbol *s = module_symbols; s->suffix; s++) {
		there = has_export(elf, out->info.name, s->suffix);
		if (there < 0)
			return there;
		if (there)
			memcpy((char *)&out->exports + s->offset, &stand_in, sizeof(stand_in));
	}
	return 0;
}

static int check_exports(const struct elf *elf, struct cli_module *out)
{
	const char *why;
	int err = read_exports(elf, out);

	if (err)
		return err;
	why = vtable_refusal(&out->exports, out->info.kind, out->info.frees_no,
			     platform_layer());
	return why ? message_set(-EINVAL, "%s: %s", out->where.path, why) : 0;
}

static int check_native(const struct elf *elf, struct cli_module *out)
{
	int err = modinfo_check(&out->info, out->where.name, out->where.path);

	if (!err)
		err = check_exports(elf, out);
	/* all but a heap hand on what their lower says; without alloc it is none */
	out->tells_size = out->info.kind != KIND_HEAP || !out->exports.alloc ||
			  out->exports.usable_size;
	return err;
}

/* Whether a stock library has one of the functions: 1, 0 or an error. */
static int has_one_of(const struct elf *elf, const char *prefix, const char *const *names)
{
	char symbol[NAME_MAX_LEN + 32];
	int there = 0;

	for (; *names && !there; names++) {
		snprintf(symbol, sizeof(symbol), "%s%s", prefix, *names);
		there = elf_defines(elf, symbol);
	}
	return there;
}

/* What else the loader asks of a malloc family, once it has the library open. */
static int check_family(const struct elf *elf, const char *prefix, struct cli_module *out)
{
	static const char *const aligned[] = {"memalign", "aligned_alloc", "posix_memalign",
					      NULL};
	int there = has_one_of(elf, prefix, aligned);

	if (!there)
		return message_set(-EINVAL,
				   "%s: found no function %smemalign, expected that, "
				   "%saligned_alloc or %sposix_memalign",
				   out->where.path, prefix, prefix, prefix);
	if (there > 0)
		there = has_one_of(elf, prefix, module_usable_sizes);
	out->tells_size = there > 0;
	return there < 0 ? there : 0;
}

static int compare_params(const void *a, const void *b)
{
	const struct modinfo_param *left = a, *right = b;

	return strcmp(left->name, right->name);
}

/* Compilers differ in the order in which they write them down. */
static void sort_params(struct modinfo *info)
{
	qsort(info->params, info->n_params, sizeof(info->params[0]), compare_params);
}

static int read_info(const struct config *config, struct cli_module *out)
{
	const struct setting *set = config_module_setting(config, out->where.name, "prefix");
	const char *prefix = set ? set->value : "";
	struct location *where = &out->where;
	struct elf elf;
	int err = elf_open(&elf, where->fd, where->path);

	if (!err)
		err = modinfo_read_prefixed(where->fd, where->path, prefix, &out->info);
	if (err)
		return err;
	err = out->info.found ? check_native(&elf, out) : check_family(&elf, prefix, out);
	if (err) {
		modinfo_free(&out->info);
		return err;
	}
	out->kind = module_kind_name(out->info.found ? out->info.kind : KIND_HEAP);
	out->static_tls = elf_tls_size(&elf);
	sort_params(&out->info);
	return 0;
}

int cli_module_open(const struct config *config, const char *entry, struct cli_module *out)
{
	int err;

	*out = (struct cli_module){.where = {.fd = -1}};
	err = locate_module(config, entry, false, &out->where);
	if (err)
		return err;
	if (out->where.path[0] != '/')
		err = resolve_soname(&out->where);
	if (!err)
		err = read_info(config, out);
	if (err)
		locate_free(&out->where);
	return err;
}

void cli_module_close(struct cli_module *module)
{
	stock_options_free(&module->options);
	modinfo_free(&module->info);
	locate_free(&module->where);
}

static int is_module(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 3 &&
	       strcmp(entry->d_name + len - 3, ".so") == 0;
}

int cli_module_files(struct dirent ***out)
{
	return scandir(locate_moduledir(), out, is_module, alphasort);
}

int cli_module_options(struct cli_module *module, const struct config *config)
{
	if (module->info.found)
		return 0;
	stock_options_free(&module->options);
	return stock_options_read(config, module->where.name, &module->options);
}

struct chic_module_param *cli_module_params(const struct cli_module *module,
					    const struct config *config)
{
	struct chic_module_param *values = calloc(PARAMS_MAX, sizeof(*values));

	if (!values) {
		message_set(-ENOMEM, "module %s: out of memory", module->where.name);
		return NULL;
	}
	if (param_fill(&module->info, config, module->where.name, values)) {
		free(values);
		return NULL;
	}
	return values;
}

void cli_param_print(FILE *out, const struct modinfo_param *param)
{
	fprintf(out, "%s (%s, default %s", param->name, param_type_name(param->type),
		*param->def ? param->def : "empty");
	if (*param->range)
		fprintf(out, ", %s", param->range);
	fprintf(out, "): %s\n", param->help);
}
