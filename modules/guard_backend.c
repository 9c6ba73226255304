// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which back end makes pages inaccessible, and what is done for a slot where it
 * cannot.
 *
 * The choice is made by trying, but for one thing: under a filter of system calls a
 * trial may be the process's end, so that there only those are tried that every
 * allocator makes.  A filter may also come later; where only some blocks are guarded,
 * to be left on, it counts more that nothing can go wrong then than how long a block
 * takes.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "guard.h"

#define MAX_MAP_COUNT "/proc/sys/vm/max_map_count"
#define MAX_MAP_COUNT_DEFAULT 65530
#define MAPS_PER_SLOT 2
/* Of the data that a process may have, this part is for slots of either kind. */
#define DATA_SHARE 8

static const struct guard_backend *const backends[] = {
	&guard_uffd,
	&guard_madvise,
	&guard_mprotect,
};
#define BACKENDS (sizeof(backends) / sizeof(backends[0]))

/* ------------------------------------------------------------- choosing -- */

/* The beginning of a file as text; empty if it cannot be read. */
static void read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

/* Also where it cannot be told. */
static bool system_calls_are_filtered(void)
{
	char text[4096];
	const char *line;

	read_text("/proc/self/status", text, sizeof(text));
	line = strstr(text, "\nSeccomp:");
	return !line || strtoul(line + strlen("\nSeccomp:"), NULL, 10) != 0;
}

/* A quarter of the mappings stays with the program. */
static size_t maps_allowed(const struct guard *g)
{
	uint64_t limit = chic_param_number(g->args, "limit");
	char text[32];
	size_t maps, most;

	read_text(MAX_MAP_COUNT, text, sizeof(text));
	maps = strtoul(text, NULL, 10);
	if (!maps)
		maps = MAX_MAP_COUNT_DEFAULT;
	most = (maps - maps / 4) / MAPS_PER_SLOT;
	if (g->backend == &guard_mprotect && limit > most)
		g->args->warn("%s: limit = %llu: vm.max_map_count = %zu allows %zu",
			      g->args->name, (unsigned long long)limit, maps, most);
	return most;
}

/*
 * What is armed is data to the system, used or not, of which a process may have been
 * given so much: most of it stays with the program.
 */
static size_t data_allowed(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return SIZE_MAX;
	return limit.rlim_cur / DATA_SHARE;
}

static size_t first_choice(const struct guard *g, const char *name)
{
	for (size_t i = 0; i < BACKENDS; i++)
		if (strcmp(backends[i]->name, name) == 0)
			return i;
	return g->sample > 1 || system_calls_are_filtered();
}

static void start_from(struct guard *g, size_t i, const char *wanted)
{
	int err, first_err = 0;

	while ((err = backends[i]->start(g)) != 0) {
		first_err = first_err ? first_err : err;
		i++;
	}
	g->backend = backends[i];
	if (first_err && strcmp(wanted, "auto") != 0)
		g->args->warn("%s: backend = %s: %s; %s serves", g->args->name, wanted,
			      strerror(-first_err), backends[i]->name);
}

void guard_backend_start(struct guard *g)
{
	const char *wanted = chic_param_text(g->args, "backend");

	g->backend = &guard_mprotect;
	if (g->range)
		start_from(g, first_choice(g, wanted), wanted);
	g->data = data_allowed();
	g->maps = smaller(maps_allowed(g), g->data / g->page);
}

void guard_backend_stop(struct guard *g)
{
	g->backend->stop(g);
}

/* ---------------------------------------------------- opening and closing -- */

static bool apart(const struct guard_record *r)
{
	return r->tie != GUARD_TIED;
}

enum guard_content guard_pages_open(struct guard *g, struct guard_record *r, char *p,
				    size_t size, bool pattern)
{
	const struct guard_backend *backend = g->backend;
	enum guard_content content;
	int saved = errno;

	if (apart(r))
		content = addresses_open(p, size) ? GUARD_ZERO : GUARD_NOT_OPEN;
	else
		content = backend->open(g, p, size, pattern);
	if (content == GUARD_NOT_OPEN && backend != g->backend && !apart(r))
		content = g->backend->open(g, p, size, pattern);
	errno = saved;
	return content == GUARD_NOT_OPEN || !r->dirty ? content : GUARD_ANY;
}

bool guard_pages_close(struct guard *g, struct guard_record *r, char *p, size_t size)
{
	int saved = errno;
	bool closed = apart(r) ? addresses_close(p, size) : g->backend->close(g, p, size);

	errno = saved;
	return closed;
}

static bool tear_out(struct guard *g, struct guard_record *r)
{
	bool allowed, torn;

	pthread_mutex_lock(&g->lock);
	allowed = g->mapped < g->maps;
	g->mapped += allowed;
	pthread_mutex_unlock(&g->lock);
	if (!allowed)
		return false;
	torn = addresses_close(guard_slot_start(g, r), guard_slot_bytes(g, r));
	if (torn)
		r->tie = GUARD_TORN;
	return torn;
}

/* Memory may be locked or mappings short: at least nobody gets at it. */
static void close_somehow(struct guard *g, char *p, size_t size, bool *dirty)
{
	int saved = errno;

	if (mprotect(p, size, PROT_NONE) != 0)
		g->unclosed++;
	*dirty = madvise(p, size, MADV_DONTNEED) != 0;
	errno = saved;
}

void guard_slot_close(struct guard *g, struct guard_record *r)
{
	char *start = guard_block_start(g, r);
	size_t size = guard_block_end(g, r) - start;

	r->dirty = false;
	if (guard_pages_close(g, r, start, size) || (!apart(r) && tear_out(g, r)))
		return;
	if (apart(r)) {
		close_somehow(g, start, size, &r->dirty);
		return;
	}
	g->unclosed++;
	r->dirty = true;
}

/* --------------------------------------------------------------- falling -- */

/* What no block is in: the successor closes it, as far as it can. */
static void close_around(struct guard *g, struct guard_record *r)
{
	char *slot = guard_slot_start(g, r), *end = slot + guard_slot_bytes(g, r);

	if (r->state != GUARD_LIVE) {
		g->backend->close(g, slot, end - slot);
		return;
	}
	if (guard_block_start(g, r) > slot)
		g->backend->close(g, slot, guard_block_start(g, r) - slot);
	g->backend->close(g, guard_block_end(g, r), end - guard_block_end(g, r));
}

/* What is armed and not yet cut; apart, if that is how it can be closed. */
static void close_rest(struct guard *g)
{
	char *rest = g->base + g->cut * guard_granule(g);
	size_t size = (g->armed - g->cut) * guard_granule(g);

	if (size && !g->armed_apart && !g->backend->close(g, rest, size))
		g->armed_apart = addresses_close(rest, size);
}

static void close_all(struct guard *g)
{
	while (g->n_ready)
		guard_slot_put(g, &g->records[g->ready[--g->n_ready]]);
	for (size_t at = 1; at < g->cut;) {
		struct guard_record *r = &g->records[at];

		if (r->tie == GUARD_TIED)
			close_around(g, r);
		at += guard_slot_bytes(g, r) / guard_granule(g);
	}
	close_rest(g);
}

/*
 * What has been armed is readable and writable, and open unless the successor
 * closes it: with markers that is possible.  Mappings are short, and for what is
 * freed from now on.
 */
static void take_over(struct guard *g)
{
	size_t i = 0;

	while (backends[i] != g->backend)
		i++;
	g->fallen = true;
	if (g->backend->leave)
		g->backend->leave(g);
	do
		i++;
	while (backends[i]->start(g) != 0);
	g->backend = backends[i];
	close_all(g);
}

void guard_backend_fall(struct guard *g, const struct guard_backend *from)
{
	pthread_mutex_lock(&g->lock);
	if (g->backend == from)
		take_over(g);
	pthread_mutex_unlock(&g->lock);
}

void guard_backend_child(struct guard *g)
{
	const struct guard_backend *backend = g->backend;

	g->getting_ready = 0;
	if (backend->child && !backend->child(g))
		take_over(g);
}
