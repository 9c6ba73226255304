// SPDX-License-Identifier: BSD-2-Clause
/*
 * Metadata of a module, read from its file without running any of it: strings
 * KEY=VALUE in the section .modinfo, as the macros of chic_module.h write them.
 * Whether a vendor's library that has none is a malloc family is decided here
 * as well, and whether the file's thread-local storage can be served.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MODINFO_SECTION ".modinfo"
#define MODINFO_MAX (64 * 1024)

/* What the strings say, before it is understood; all point into modinfo.text. */
struct fields {
	const char *path; /* for messages */
	char *name;
	char *abi;
	char *kind;
	char *frees;
	char *window;
	char *version;
	char *license;
	char *description;
	char *author;
	char *needs; /* a symbol it relies on that is not known here */
	char *parms[PARAMS_MAX];
	size_t n_parms;
};

/* once: a second one is an error; of the others the first counts. */
static const struct {
	const char *key;
	size_t offset;
	bool once;
} keys[] = {
	{"name", offsetof(struct fields, name), true},
	{"abi", offsetof(struct fields, abi), true},
	{"kind", offsetof(struct fields, kind), true},
	{"frees", offsetof(struct fields, frees), true},
	{"window", offsetof(struct fields, window), true},
	{"version", offsetof(struct fields, version), false},
	{"license", offsetof(struct fields, license), false},
	{"description", offsetof(struct fields, description), false},
	{"author", offsetof(struct fields, author), false},
};

static const char *const kind_names[] = {
	[KIND_HEAP] = "heap",
	[KIND_FILTER] = "filter",
	[KIND_MIXED] = "mixed",
};

static const char *const type_names[] = {
	[PARAM_BOOL] = "bool",	   [PARAM_UINT] = "uint", [PARAM_SIZE] = "size",
	[PARAM_STRING] = "string", [PARAM_ENUM] = "enum",
};

const char *module_kind_name(enum module_kind kind)
{
	return kind_names[kind];
}

const char *param_type_name(enum param_type type)
{
	return type_names[type];
}

static int index_of(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

/* ------------------------------------------------------------ strings --- */

static int add_parm(struct fields *fields, char *value)
{
	if (fields->n_parms == PARAMS_MAX)
		return message_set(-EINVAL,
				   "%s: .modinfo: found parameter '%s', expected at most %d",
				   fields->path, value, PARAMS_MAX);
	fields->parms[fields->n_parms++] = value;
	return 0;
}

static bool symbol_known(const char *suffix)
{
	for (const struct module_symbol *s = module_symbols; s->suffix; s++)
		if (strcmp(s->suffix, suffix) == 0)
			return true;
	return false;
}

/*
 * Keys that are not known here come from a later release and are for it: a module
 * that cannot do without says so by needs=, which every release knows.
 */
static int add_field(struct fields *fields, const char *key, char *value)
{
	if (strcmp(key, "parm") == 0)
		return add_parm(fields, value);
	if (strcmp(key, "needs") == 0 && !symbol_known(value))
		fields->needs = value;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		char **field = (char **)((char *)fields + keys[i].offset);

		if (strcmp(keys[i].key, key) != 0)
			continue;
		if (*field && keys[i].once)
			return message_set(-EINVAL,
					   "%s: .modinfo: found %s= twice ('%s' and '%s')",
					   fields->path, key, *field, value);
		if (!*field)
			*field = value;
		break;
	}
	return 0;
}

/* A control character would break messages, logs and tables that show it. */
static int check_string(const struct fields *fields, const char *string)
{
	for (const char *p = string; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return message_set(-EINVAL,
					   "%s: .modinfo: found a control character (%#04x), "
					   "expected text",
					   fields->path, (unsigned char)*p);
	return 0;
}

static int split_string(struct fields *fields, char *string)
{
	int err = check_string(fields, string);
	char *value;

	if (err)
		return err;
	value = strchr(string, '=');
	if (!value || value == string)
		return message_set(-EINVAL, "%s: .modinfo: found '%.64s', expected KEY=VALUE",
				   fields->path, string);
	*value++ = '\0';
	return add_field(fields, string, value);
}

/* Runs of NULs between the strings are padding that sanitizers put there. */
static int split(struct fields *fields, char *text, size_t len)
{
	char *end = text + len;
	int err;

	if (len && end[-1] != '\0')
		return message_set(-EINVAL, "%s: .modinfo: the last string has no end (NUL)",
				   fields->path);
	while (text < end) {
		char *next = text + strlen(text) + 1;

		err = *text ? split_string(fields, text) : 0;
		if (err)
			return err;
		text = next;
	}
	return 0;
}

/* --------------------------------------------------------- parameters --- */

static bool parm_name_valid(const char *name)
{
	static const char chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return *name && strlen(name) <= NAME_MAX_LEN && name[strspn(name, chars)] == '\0' &&
	       !name_equal(name, "path") && !name_equal(name, "prefix") &&
	       !name_equal(name, "env");
}

static bool number_valid(enum param_type type, const char *text, uint64_t *out)
{
	if (type == PARAM_UINT && text[strspn(text, "0123456789")] != '\0')
		return false;
	return param_parse_size(text, out) == 0;
}

/* MIN-MAX; cuts range in two for the while. */
static bool min_max_valid(enum param_type type, char *range)
{
	char *dash = strchr(range, '-');
	uint64_t min, max;
	bool valid;

	if (!dash)
		return false;
	*dash = '\0';
	valid = number_valid(type, range, &min) && number_valid(type, dash + 1, &max) &&
		min <= max;
	*dash = '-';
	return valid;
}

static bool range_valid(const struct modinfo_param *param)
{
	switch (param->type) {
	case PARAM_UINT:
	case PARAM_SIZE:
		return !*param->range || min_max_valid(param->type, param->range);
	case PARAM_ENUM:
		return *param->range;
	default:
		return !*param->range;
	}
}

/* Cut text at the next ':' and answer what follows; null if there is none. */
static char *cut(char *text)
{
	char *colon = text ? strchr(text, ':') : NULL;

	if (!colon)
		return NULL;
	*colon = '\0';
	return colon + 1;
}

/* NAME:TYPE:DEFAULT:RANGE:HELP */
static int parse_parm(const char *path, char *text, struct modinfo_param *out)
{
	char *type = cut(text), *def = cut(type), *range = cut(def), *help = cut(range);
	int index;

	if (!help)
		return message_set(-EINVAL,
				   "%s: parameter '%.64s': found too few ':', "
				   "expected NAME:TYPE:DEFAULT:RANGE:HELP",
				   path, text);
	if (!parm_name_valid(text))
		return message_set(
			-EINVAL,
			"%s: parameter '%.64s': expected a name of letters, digits, '-', '_' "
			"that is not path, prefix or env",
			path, text);
	index = index_of(type_names, ARRAY_SIZE(type_names), type);
	if (index < 0)
		return message_set(-EINVAL,
				   "%s: parameter %s: found type '%.64s', "
				   "expected bool, uint, size, string or enum",
				   path, text, type);
	*out = (struct modinfo_param){
		.name = text, .type = index, .def = def, .range = range, .help = help};
	if (!range_valid(out))
		return message_set(
			-EINVAL,
			"%s: parameter %s: found range '%.64s' for type %s, expected %s", path,
			text, range, type,
			index == PARAM_ENUM			     ? "ONE|TWO..."
			: index == PARAM_UINT || index == PARAM_SIZE ? "MIN-MAX or none"
								     : "none");
	return 0;
}

static int parse_parms(const struct fields *fields, struct modinfo *info)
{
	int err;

	for (size_t i = 0; i < fields->n_parms; i++) {
		struct modinfo_param *param = &info->params[i];

		err = parse_parm(fields->path, fields->parms[i], param);
		if (err)
			return err;
		for (size_t j = 0; j < i; j++)
			if (name_equal(info->params[j].name, param->name))
				return message_set(-EINVAL, "%s: found two parameters named %s",
						   fields->path, param->name);
		info->n_params++;
	}
	return 0;
}

/* ------------------------------------------------------- whole module --- */

static int parse_kind(const struct fields *fields, struct modinfo *info)
{
	int index =
		index_of(kind_names, ARRAY_SIZE(kind_names), fields->kind ? fields->kind : "");

	if (index < 0)
		return message_set(-EINVAL,
				   "%s: found kind '%.64s', expected heap, filter or mixed",
				   fields->path, fields->kind ? fields->kind : "");
	info->kind = index;
	return 0;
}

static int parse_frees(const struct fields *fields, struct modinfo *info)
{
	if (!fields->frees)
		return 0;
	if (strcmp(fields->frees, "no") != 0 && strcmp(fields->frees, "yes") != 0)
		return message_set(-EINVAL, "%s: found frees '%.64s', expected yes or no",
				   fields->path, fields->frees);
	info->frees_no = fields->frees[0] == 'n';
	return 0;
}

/* A window of another form, of a later release, is none: its heap can be asked. */
static void parse_window(const struct fields *fields, struct modinfo *info)
{
	info->window = fields->window && strcmp(fields->window, "yes") == 0 &&
		       info->kind != KIND_FILTER;
}

static int check_needs(const struct fields *fields)
{
	if (!fields->needs)
		return 0;
	return message_set(-EINVAL,
			   "%s: found that it needs the symbol '%.64s', expected one that "
			   "release " CHIC_ALLOC_VERSION " calls: it is for a later one",
			   fields->path, fields->needs);
}

static bool abi_is_ours(const char *abi)
{
	return strcmp(abi, CHIC_MODINFO_STRING(CHIC_MODULE_ABI)) == 0;
}

/* What another ABI means by kinds and parameters cannot be known here. */
static int understand(const struct fields *fields, struct modinfo *info)
{
	int err;

	if (!fields->abi)
		return message_set(-EINVAL, "%s: .modinfo: found no abi=, expected %d",
				   fields->path, CHIC_MODULE_ABI);
	if (!fields->name)
		return message_set(-EINVAL, "%s: .modinfo: found no name=", fields->path);
	info->found = true;
	info->name = fields->name;
	info->abi = fields->abi;
	info->version = fields->version ? fields->version : "";
	info->license = fields->license ? fields->license : "";
	info->description = fields->description ? fields->description : "";
	info->author = fields->author ? fields->author : "";
	if (!abi_is_ours(info->abi))
		return 0;
	err = check_needs(fields);
	if (!err)
		err = parse_kind(fields, info);
	if (!err)
		parse_window(fields, info);
	if (!err)
		err = parse_frees(fields, info);
	if (!err)
		err = parse_parms(fields, info);
	return err;
}

/* __tls_get_addr allocates, which in an allocator calls itself. */
static int check_tls(const struct elf *elf)
{
	uint64_t size = elf_tls_size(elf);
	int ret = elf_needs_tls_get_addr(elf);

	if (ret < 0)
		return ret;
	if (ret || (size && !elf_tls_is_static(elf)))
		return message_set(
			-EINVAL,
			"%s: found dynamic TLS, expected none or -ftls-model=initial-exec",
			elf->path);
	if (size > CHIC_MODULE_TLS_MAX)
		return message_set(-EINVAL,
				   "%s: found %llu bytes of static TLS, expected at most %d",
				   elf->path, (unsigned long long)size, CHIC_MODULE_TLS_MAX);
	return 0;
}

static int read_native(const struct elf *elf, char *text, size_t len, struct modinfo *out)
{
	struct fields fields = {.path = elf->path};
	int err;

	err = split(&fields, text, len);
	if (!err)
		err = understand(&fields, out);
	if (!err && abi_is_ours(out->abi))
		err = check_tls(elf);
	return err;
}

static int read_family(const struct elf *elf, const char *prefix, struct modinfo *out)
{
	static const char *const family[] = {"malloc", "free", "calloc", "realloc"};
	char symbol[NAME_MAX_LEN + sizeof("realloc")];
	int ret;

	if (strlen(prefix) > NAME_MAX_LEN)
		return message_set(-EINVAL,
				   "%s: found prefix '%.64s', expected at most %d bytes",
				   elf->path, prefix, NAME_MAX_LEN);
	for (size_t i = 0; i < ARRAY_SIZE(family); i++) {
		strcpy(stpcpy(symbol, prefix), family[i]);
		ret = elf_defines(elf, symbol);
		if (ret < 0)
			return ret;
		if (ret == 0)
			return message_set(-EINVAL,
					   "%s: no .modinfo section and no malloc family: "
					   "found no function %s",
					   elf->path, symbol);
	}
	out->name = out->abi = "";
	out->version = out->license = out->description = out->author = "";
	out->malloc_family = true;
	return 0;
}

int modinfo_read_prefixed(int fd, const char *path, const char *prefix, struct modinfo *out)
{
	struct elf elf;
	size_t len = 0;
	int ret;

	*out = (struct modinfo){0};
	ret = elf_open(&elf, fd, path);
	if (ret)
		return ret;
	ret = elf_section(&elf, MODINFO_SECTION, MODINFO_MAX, &out->text, &len);
	if (ret > 0)
		ret = read_native(&elf, out->text, len, out);
	else if (ret == 0)
		ret = read_family(&elf, prefix, out);
	if (ret)
		modinfo_free(out);
	return ret;
}

int modinfo_read(int fd, const char *path, struct modinfo *out)
{
	return modinfo_read_prefixed(fd, path, "", out);
}

void modinfo_free(struct modinfo *info)
{
	free(info->text);
	*info = (struct modinfo){0};
}

int modinfo_check(const struct modinfo *info, const char *name, const char *path)
{
	if (!info->found)
		return 0;
	if (!abi_is_ours(info->abi))
		return message_set(-EINVAL, "%s: found abi %.64s, expected %d", path, info->abi,
				   CHIC_MODULE_ABI);
	if (!name_equal(info->name, name))
		return message_set(-EINVAL, "%s: found module name '%.64s', expected '%s'",
				   path, info->name, name);
	return 0;
}
