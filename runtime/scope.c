// SPDX-License-Identifier: BSD-2-Clause
/*
 * Telemetry scopes: whether what was allocated in between was given back.
 */
#include "internal.h"

#define MESSAGE_MAX 256
/* Digits of the largest size_t, and a NUL. */
#define NUMBER_MAX (sizeof(size_t) * 5 / 2 + 2)

/* Counters wrap; what lies between two moments is the difference all the same. */
struct difference {
	ptrdiff_t live_blocks, live_bytes;
	size_t calls, bytes;
	bool reset;
};

static ptrdiff_t grown(size_t now, size_t then)
{
	return (ptrdiff_t)(now - then);
}

static size_t calls_of(const AllocationTelemetry *t)
{
	return t->alloc_calls + t->alloc_zeroed_calls + t->realloc_calls;
}

static size_t bytes_of(const AllocationTelemetry *t)
{
	return t->alloc_bytes + t->alloc_zeroed_bytes + t->realloc_bytes;
}

static size_t blocks_of(const AllocationTelemetry *t)
{
	return t->alloc_calls + t->alloc_zeroed_calls - t->free_calls;
}

/* Nothing else makes a counter of calls go back. */
static bool was_reset(const AllocationTelemetry *now, const AllocationTelemetry *then)
{
	return grown(now->alloc_calls, then->alloc_calls) < 0 ||
	       grown(now->alloc_zeroed_calls, then->alloc_zeroed_calls) < 0 ||
	       grown(now->realloc_calls, then->realloc_calls) < 0 ||
	       grown(now->free_calls, then->free_calls) < 0;
}

static struct difference since(const AllocationTelemetry *then)
{
	AllocationTelemetry now = chic_rt_alloc_stats();

	return (struct difference){
		.live_blocks = grown(blocks_of(&now), blocks_of(then)),
		.live_bytes = grown(bytes_of(&now) - now.freed_bytes,
				    bytes_of(then) - then->freed_bytes),
		.calls = calls_of(&now) - calls_of(then),
		.bytes = bytes_of(&now) - bytes_of(then),
		.reset = was_reset(&now, then),
	};
}

static size_t more_than_none(ptrdiff_t n)
{
	return n > 0 ? n : 0;
}

CHIC_EXPORT ChicTelemetryScope chic_rt_telemetry_begin(const char *name)
{
	return (ChicTelemetryScope){chic_rt_alloc_stats(), name};
}

/* ---- the message ---- */

struct line {
	char *at; /* null: nothing is kept */
	size_t room; /* the NUL's included */
};

static void put(struct line *line, const char *text)
{
	for (; *text && line->room > 1; text++, line->room--)
		*line->at++ = *text;
	if (line->room)
		*line->at = '\0';
}

static void put_number(struct line *line, size_t n)
{
	char digits[NUMBER_MAX], *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do
		*--at = (char)('0' + n % 10);
	while (n /= 10);
	put(line, at);
}

/* One line about the first difference; false where there is none. */
static bool tell(const ChicTelemetryScope *scope, const ChicTelemetryBudget *budget,
		 struct line *line)
{
	static const ChicTelemetryBudget no_leak = {0, 0, SIZE_MAX, SIZE_MAX};
	const ChicTelemetryBudget *b = budget ? budget : &no_leak;
	const char *name = scope->name ? scope->name : "unnamed";
	struct difference d = since(&scope->start);
	const struct {
		const char *what;
		size_t found, allowed;
	} rules[] = {
		{"live blocks more than at its start", more_than_none(d.live_blocks),
		 b->live_blocks},
		{"live bytes more than at its start", more_than_none(d.live_bytes),
		 b->live_bytes},
		{"calls that allocate", d.calls, b->calls},
		{"bytes allocated", d.bytes, b->bytes},
	};

	put(line, "scope ");
	put(line, name);
	if (d.reset) {
		put(line, ": the counters were reset within it");
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (rules[i].found <= rules[i].allowed)
			continue;
		put(line, ": ");
		put(line, rules[i].what);
		put(line, ": found ");
		put_number(line, rules[i].found);
		put(line, ", allowed ");
		put_number(line, rules[i].allowed);
		return true;
	}
	return false;
}

CHIC_EXPORT int32_t chic_rt_telemetry_end(const ChicTelemetryScope *scope,
					  const ChicTelemetryBudget *budget, char *message,
					  size_t size)
{
	struct line line = {message, message ? size : 0};

	if (scope && tell(scope, budget, &line))
		return -1;
	if (message && size)
		message[0] = '\0';
	return scope ? 0 : -1;
}

CHIC_EXPORT void chic_rt_telemetry_assert(const ChicTelemetryScope *scope,
					  const ChicTelemetryBudget *budget)
{
	char message[MESSAGE_MAX];

	if (chic_rt_telemetry_end(scope, budget, message, sizeof(message)) != 0)
		rt_panic(scope ? message : "no telemetry scope");
}
