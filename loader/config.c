// SPDX-License-Identifier: BSD-2-Clause
/*
 * config.c - the configuration of one program: all files read, the rule that
 * applies found, what the request asks put on top.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define CONFIG_SIZE_MAX (1024 * 1024)

/* ----------------------------------------------------------- files --- */

static int read_file(struct config *config, const char *path, bool secure)
{
	size_t len;
	char *text;
	int fd, err;

	fd = trust_open(path, secure, NULL);
	if (fd < 0)
		return fd;
	err = trust_read(fd, path, CONFIG_SIZE_MAX, &text, &len);
	if (err)
		goto close_file;
	err = ini_text(path, text, len, settings_take, config);
	free(text);
close_file:
	close(fd);
	return err;
}

static int read_list(struct config *config, const struct file_list *files, bool secure)
{
	int err = 0;
	size_t i;

	for (i = 0; i < files->n && !err; i++)
		err = read_file(config, files->paths[i], secure);
	return err;
}

static int read_files(const struct config_request *request, struct config *config)
{
	int err = conffiles_find(request->named, request->secure, &config->files);

	return err ? err : read_list(config, &config->files, request->secure);
}

/* Put in front of what was read before: they are less important. */
static int read_presets(const struct config_request *request, struct config *config)
{
	struct file_list own = config->files;
	int err;

	err = conffiles_presets(request->named, request->secure, &config->files);
	if (!err) {
		config->presets = true;
		config->n_own = config->n_settings;
		err = read_list(config, &config->files, request->secure);
	}
	if (!err)
		err = conffiles_join(&config->files, &own);
	conffiles_free(&own);
	return err;
}

/* --------------------------------------------------------- request --- */

static int refuse_option(const char *option, const char *origin)
{
	char shown[SHOWN_MAX];

	return message_set(-EINVAL, "%s: bad option, got '%s', expected SECTION.KEY=VALUE",
			   origin, ini_shown(shown, option, strlen(option)));
}

/* option is cut to pieces. */
static int take_option(struct config *config, char *option, const char *origin)
{
	char *value = option, *key, *name = strsep(&value, "=");
	char *section;
	int err;

	key = value ? strchr(name, '.') : NULL;
	if (!key || key == name || !key[1])
		return refuse_option(name, origin);
	*key++ = '\0';
	if (strcmp(name, "allocator") == 0)
		return settings_take(config, name, key, value, origin, 0);
	if (asprintf(&section, "module %s", name) < 0)
		return message_set(-ENOMEM, "%s: out of memory", origin);
	err = settings_take(config, section, key, value, origin, 0);
	free(section);
	return err;
}

static int take_options(struct config *config, const char *options, const char *origin)
{
	char *copy = strdup(options);
	char *rest = copy, *option;
	int err = 0;

	if (!copy)
		return message_set(-ENOMEM, "%s: out of memory", origin);
	while (!err && (option = strsep(&rest, "\n"))) {
		if (*option)
			err = take_option(config, option, origin);
	}
	free(copy);
	return err;
}

/* Who asks for a stack wants that stack, without the system's filters. */
static int take_stack(struct config *config, const char *stack, const char *origin)
{
	int err = settings_take(config, "allocator", "module", stack, origin, 0);

	return err ?: settings_take(config, "allocator", "filters", "", origin, 0);
}

static int take_request(const struct config_request *request, struct config *config)
{
	int err = 0;

	if (request->secure)
		return 0;
	if (request->options)
		err = take_options(config, request->options,
				   request->options_origin ?: "CHIC_ALLOC_OPTIONS");
	if (!err && request->stack)
		err = take_stack(config, request->stack,
				 request->stack_origin ?: "CHIC_ALLOC_MODULE");
	return err;
}

/* ------------------------------------------------------- effective --- */

/* Costs a tenth of the start of a program: only asked where there are rules. */
static const char *executable(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (n <= 0)
		return NULL;
	path[n] = '\0';
	return path;
}

/* Without `match` the label of a [program] section is the glob. */
static const char *rule_globs(const struct config *config, const struct setting *s)
{
	const struct setting *match = settings_find(config, s->section, "match");

	return match ? match->value : s->section + strlen("program ");
}

/* What rules are held against; path is room for its executable. */
static struct program with_executable(const struct program *program, char path[PATH_MAX])
{
	struct program who = *program;

	if (who.self && !who.exe)
		who.exe = executable(path);
	return who;
}

/* Settings are in the order of reading, so that among equals the later wins. */
static const struct setting *find_rule(const struct config *config,
				       const struct program *program)
{
	const struct setting *best = NULL;
	struct program who = *program;
	char exe[PATH_MAX];
	int best_score = 1;
	size_t i;

	for (i = 0; i < config->n_settings; i++) {
		const struct setting *s = &config->settings[i];
		int score;

		if (!settings_is(s, "program"))
			continue;
		who = with_executable(&who, exe);
		score = match_program(rule_globs(config, s), &who);
		if (score >= best_score) {
			best = s;
			best_score = score;
		}
	}
	return best;
}

/* The setting that holds: the request's, else the rule's, else [allocator]'s. */
static const struct setting *pick(const struct config *config, const char *key)
{
	const struct setting *general = settings_find(config, "allocator", key);
	const struct setting *rule = NULL;

	if (general && general->line == 0)
		return general;
	if (config->rule)
		rule = settings_find(config, config->rule->section, key);
	return rule ?: general;
}

/* A rule that has a program's name or path is about that one and not about the system. */
static bool rule_names_program(const struct config_request *request,
			       const struct config *config)
{
	char exe[PATH_MAX];
	struct program who = with_executable(&request->program, exe);

	return match_names(rule_globs(config, config->rule), &who);
}

/* on_error = fail in a file of the whole system would make it unbootable. */
static bool fail_counts(const struct config_request *request, const struct config *config)
{
	const struct setting *from = config->on_error_from;

	if (config->on_error != ON_ERROR_FAIL)
		return false;
	if (request->run)
		return true;
	if (settings_is(from, "program") && rule_names_program(request, config))
		return true;
	return request->named && !request->secure && from->line &&
	       strcmp(from->file, request->named) == 0;
}

static int refuse_repeated(const struct config *config, const char *entry)
{
	const struct setting *filters = config->filters_from, *stack = config->stack_from;

	message_set(-EINVAL,
		    "repeated module, got '%.80s' in filters and in module of [%s] (%s), "
		    "expected it once",
		    entry, stack->section, stack->file);
	return settings_blame(-EINVAL, filters->file, filters->line);
}

static unsigned count_entries(const char *list)
{
	char entry[PATH_MAX];
	unsigned n = 0;

	while (name_next(&list, entry, sizeof(entry)) == 1)
		n++;
	return n;
}

/* Each list is good by itself; together they may repeat a module or be too deep. */
static int check_whole(const struct config *config)
{
	unsigned n = count_entries(config->filters) + count_entries(config->stack);
	const char *rest = config->filters;
	char entry[PATH_MAX];

	while (name_next(&rest, entry, sizeof(entry)) == 1) {
		if (name_in_list(entry, config->stack))
			return refuse_repeated(config, entry);
	}
	if (n <= STACK_MAX)
		return 0;
	message_set(-EINVAL, "stack too deep, got %u modules with filters, expected at most %d",
		    n, STACK_MAX);
	return settings_blame(-EINVAL, config->stack_from->file, config->stack_from->line);
}

static void set_effective(struct config *config)
{
	config->stack_from = pick(config, "module");
	config->stack = config->stack_from ? config->stack_from->value : "";
	config->filters_from = pick(config, "filters");
	config->filters = config->filters_from ? config->filters_from->value : "";

	config->on_error_from = pick(config, "on_error");
	config->on_error = ON_ERROR_DEFAULT;
	if (config->on_error_from)
		config->on_error = settings_word(config->on_error_from);
	config->telemetry_from = pick(config, "telemetry");
	config->telemetry = CHIC_TELEMETRY_CALLS;
	if (config->telemetry_from)
		config->telemetry = settings_word(config->telemetry_from);
	config->log_from = pick(config, "log");
	config->log = LOG_TO_AUTO;
	if (config->log_from)
		config->log = settings_word(config->log_from);
	config->log_path = config->log == LOG_TO_FILE ? config->log_from->value : NULL;
}

int config_settle(const struct config_request *request, struct config *config)
{
	int err = take_request(request, config);

	if (err)
		return err;
	config->rule = find_rule(config, &request->program);
	set_effective(config);
	config->fail_counts = fail_counts(request, config);
	return check_whole(config);
}

/* What presets add may move the settings that were read before. */
static int add_presets(const struct config_request *request, struct config *config)
{
	const char *rule = config->rule ? config->rule->section : NULL;
	int err = read_presets(request, config);

	config->rule = rule ? settings_find(config, rule, NULL) : NULL;
	set_effective(config);
	return err;
}

/* ------------------------------------------------------------ whole --- */

/* An error stops the program as well, if what was read before it says so. */
static bool fails_already(const struct config_request *request, struct config *config)
{
	config->rule = find_rule(config, &request->program);
	set_effective(config);
	return fail_counts(request, config);
}

/* All but the presets, which have no say in whether an error is fatal. */
static int read_own(const struct config_request *request, struct config *config)
{
	int err = read_files(request, config);

	if (!err)
		err = config_settle(request, config);
	if (err)
		config->fail_counts = fails_already(request, config);
	return err;
}

int config_read(const struct config_request *request, struct config *out)
{
	bool fails;
	int err;

	*out = (struct config){0};
	err = read_own(request, out);
	if (!err && (request->presets || !stack_is_platform(out)))
		err = add_presets(request, out);
	if (!err)
		return 0;
	fails = out->fail_counts;
	config_free(out);
	out->fail_counts = fails;
	return err;
}

void config_free(struct config *config)
{
	settings_free(config);
	conffiles_free(&config->files);
	*config = (struct config){0};
}

const struct setting *config_module_setting(const struct config *config, const char *module,
					    const char *key)
{
	size_t i;

	for (i = 0; i < config->n_settings; i++) {
		const struct setting *s = &config->settings[i];

		if (settings_is(s, "module") && name_equal(s->key, key) &&
		    name_equal(s->section + strlen("module "), module))
			return s;
	}
	return NULL;
}

/* An empty value is as good as none, but for the stack: there it is the platform. */
static const char *environment(const char *name)
{
	const char *value = secure_getenv(name);

	return value && *value ? value : NULL;
}

void config_request_from_process(struct config_request *request, const char *named)
{
	const char *run = environment("CHIC_ALLOC_RUN");

	*request = (struct config_request){
		.named = named ?: environment("CHIC_ALLOC_CONF"),
		.stack = secure_getenv("CHIC_ALLOC_MODULE"),
		.options = environment("CHIC_ALLOC_OPTIONS"),
		.stack_origin = "CHIC_ALLOC_MODULE",
		.options_origin = "CHIC_ALLOC_OPTIONS",
		.secure = getauxval(AT_SECURE) != 0,
		.run = run && strcmp(run, "1") == 0,
		.program.execfn = (const char *)getauxval(AT_EXECFN),
		.program.self = true,
	};
}
