// SPDX-License-Identifier: BSD-2-Clause
/*
 * fuzz_config.c - libFuzzer harness of the configuration reader.
 *
 * The input is a file's text, then, each after a byte 0xfe, a second file's, the
 * options, the stack, the program's path and a preset's text; what is missing is not
 * given.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define SEPARATOR 0xfe

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *next;
	size_t left;
};

/* The next part as a string of its own size, so that reads beyond it show. */
static char *take_part(struct input *in, size_t *len)
{
	const uint8_t *end = in->left ? memchr(in->next, SEPARATOR, in->left) : NULL;
	char *part;

	if (!in->left)
		return NULL;
	*len = end ? (size_t)(end - in->next) : in->left;
	part = malloc(*len + 1);
	if (!part)
		abort();
	memcpy(part, in->next, *len);
	part[*len] = '\0';
	in->next += *len + !!end;
	in->left -= *len + !!end;
	return part;
}

static int take_file(struct input *in, const char *name, struct config *config)
{
	size_t len;
	char *text = take_part(in, &len), *exact;
	int err;

	if (!text)
		return 0;
	exact = malloc(len ? len : 1);
	if (!exact)
		abort();
	memcpy(exact, text, len);
	free(text);
	err = ini_text(name, exact, len, settings_take, config);
	free(exact);
	return err;
}

static const struct modinfo module = {
	.params = {{"flag", PARAM_BOOL, "no", "", ""},
		   {"count", PARAM_UINT, "1", "1-1M", ""},
		   {"chunk", PARAM_SIZE, "64K", "4K-1G", ""},
		   {"output", PARAM_STRING, "", "", ""},
		   {"align", PARAM_ENUM, "natural", "natural|byte", ""}},
	.n_params = 5,
};

/* What a good configuration promises. */
static void check(const struct config *config)
{
	struct chic_module_param values[PARAMS_MAX];

	if (name_check_list(config->stack, true) || name_check_list(config->filters, false))
		abort();
	if (config->log == LOG_TO_FILE && config->log_path[0] != '/')
		abort();
	if (param_fill(&module, config, "guard", values))
		return;
	if (values[1].number < 1 || values[1].number > 1048576 || values[2].number < 4096)
		abort();
}

/* Presets come last, but override nothing. */
static void take_preset(struct input *in, struct config *config)
{
	struct setting own[8];
	size_t n = config->n_settings < 8 ? config->n_settings : 8;

	if (n)
		memcpy(own, config->settings, n * sizeof(own[0]));
	config->presets = true;
	config->n_own = config->n_settings;
	if (take_file(in, "preset.conf", config) && !strstr(message_get(), "preset.conf:"))
		abort();
	if (n && memcmp(own, config->settings, n * sizeof(own[0])) != 0)
		abort();
	for (size_t i = config->n_own; i < config->n_settings; i++)
		if (!settings_is(&config->settings[i], "module"))
			abort();
}

static void settle(struct input *in, struct config *config)
{
	size_t len;
	char *options = take_part(in, &len);
	char *stack = take_part(in, &len);
	char *program = take_part(in, &len);
	struct config_request request = {
		.options = options,
		.stack = stack,
		.program = {.execfn = program ? program : "/usr/bin/java"},
	};

	if (config_settle(&request, config) == 0) {
		check(config);
		take_preset(in, config);
	} else if (strchr(message_get(), '\n') || !message_get()[0])
		abort();
	config_free(config);
	free(options);
	free(stack);
	free(program);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct config config = {0};

	if (take_file(&in, "first.conf", &config) || take_file(&in, "second.conf", &config)) {
		if (strchr(message_get(), '\n') || !strstr(message_get(), ".conf:"))
			abort();
		config_free(&config);
		return 0;
	}
	settle(&in, &config);
	return 0;
}
