// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a process leaves in its own memory for `chic-alloc ps` and `explain`: which
 * stack serves it, where that was written, or why none does.
 *
 * Nothing here calls the system or, but after an error, asks for memory.  A program
 * without a stack pays a few stores: the head lies in a page that the dynamic linker
 * has written to already, the texts behind everything else, untouched where there
 * are none.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

struct status status_record = {
	.magic = STATUS_MAGIC,
	.version = STATUS_VERSION,
	.size = sizeof(struct status),
	.state = STATUS_STARTING,
};

/* By this name it is found; by the other it is reached without a relocation. */
extern struct status chic_alloc_status
	__attribute__((alias("status_record"), visibility("default")));

/* Tentative, so that the linker puts it behind what is written at every start. */
__attribute__((common)) struct status_texts status_texts;

static struct status_texts *texts(void)
{
	status_record.texts = (uintptr_t)&status_texts - (uintptr_t)&status_record;
	return &status_texts;
}

/* An odd number: somebody is writing.  Writers are serialised by the loader's lock. */
static void begin_writing(void)
{
	__atomic_store_n(&status_record.sequence, status_record.sequence + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static void end_writing(void)
{
	__atomic_store_n(&status_record.sequence, status_record.sequence + 1, __ATOMIC_RELEASE);
}

/* Answers where the copy ends, cut to size if need be. */
static char *copy(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len >= size)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
	return to + len;
}

uint64_t status_hash(uint64_t hash, const char *text)
{
	if (!hash)
		hash = 0xcbf29ce484222325; /* FNV-1a */
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	return (hash ^ '\n') * 0x100000001b3;
}

/* Null and empty are not the same: an empty stack is asked for, too. */
static uint64_t hash_optional(uint64_t hash, const char *text)
{
	return text ? status_hash(status_hash(hash, "set"), text) : status_hash(hash, "");
}

uint64_t status_request_hash(const struct config_request *request)
{
	uint64_t hash;

	if (request->secure || !(request->named || request->stack || request->options))
		return 0;
	hash = hash_optional(0, request->named);
	hash = hash_optional(hash, request->stack);
	return hash_optional(hash, request->options);
}

static void copy_given(struct status_texts *t, uint32_t bit, char *to, size_t size,
		       const char *from)
{
	if (!from)
		return;
	t->asked.given |= bit;
	copy(to, size, from);
}

static void keep_request(const struct config_request *request)
{
	struct status_texts *t;

	status_record.request = status_request_hash(request);
	if (!status_record.request)
		return;
	t = texts();
	copy_given(t, STATUS_GIVEN_NAMED, t->asked.named, sizeof(t->asked.named),
		   request->named);
	copy_given(t, STATUS_GIVEN_STACK, t->asked.stack, sizeof(t->asked.stack),
		   request->stack);
	copy_given(t, STATUS_GIVEN_OPTIONS, t->asked.options, sizeof(t->asked.options),
		   request->options);
}

static void copy_place(struct status_place *to, const struct setting *from)
{
	to->line = from->line;
	copy(to->section, sizeof(to->section), from->section);
	copy(to->file, sizeof(to->file), from->file);
}

/* Of a rule, the line that names the stack says more than the others. */
static const struct setting *rule_place(const struct config *config)
{
	const struct setting *rule = config->rule;
	const struct setting *module = rule ? settings_find(config, rule->section, "module")
					    : NULL;

	return module ? module : rule;
}

const struct setting *status_stack_from(const struct config *config)
{
	if (config->stack_from || !*config->filters)
		return config->stack_from;
	return config->filters_from;
}

void status_describe(struct status_texts *out, const struct config *config)
{
	const struct setting *from = status_stack_from(config);
	const struct setting *rule = rule_place(config);
	char *end = copy(out->stack, sizeof(out->stack), config->filters);

	if (*out->stack && *config->stack)
		end = copy(end, out->stack + sizeof(out->stack) - end, ", ");
	copy(end, out->stack + sizeof(out->stack) - end, config->stack);
	if (from)
		copy_place(&out->from, from);
	if (rule)
		copy_place(&out->rule, rule);
}

static void ask(const struct config_request *request, const struct config *config)
{
	status_record.telemetry = stack_telemetry(config);
	if (status_record.texts)
		*texts() = (struct status_texts){.stack = ""};
	keep_request(request);
	if (config->rule || status_stack_from(config))
		status_describe(texts(), config);
}

void status_served(const struct config_request *request, const struct config *config,
		   const struct stack *stack)
{
	begin_writing();
	ask(request, config->stack ? config : &stack->config);
	status_record.key = stack ? status_hash(0, stack->key) : 0;
	status_record.state = stack ? STATUS_SERVES : STATUS_PLATFORM;
	end_writing();
}

void status_refused(const struct config_request *request, const struct config *config)
{
	char why[MESSAGE_MAX], *key = NULL;

	copy(why, sizeof(why), message_get());
	if (config->stack)
		stack_key(config, &key);
	begin_writing();
	if (config->stack)
		ask(request, config);
	else
		keep_request(request);
	status_record.key = key ? status_hash(0, key) : 0;
	status_record.state = STATUS_REFUSED;
	copy(texts()->why, sizeof(why), why);
	end_writing();
	free(key);
}

void status_alone(enum status_state state, const char *why)
{
	begin_writing();
	status_record.state = state;
	if (why)
		copy(texts()->why, sizeof(status_texts.why), why);
	end_writing();
}
