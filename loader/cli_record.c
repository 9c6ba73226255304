// SPDX-License-Identifier: BSD-2-Clause
/*
 * The library in a process, and the record that its loader left there.
 *
 * The library's symbols are read from the process's memory and not from a file: a
 * file may be in another mount namespace, be deleted, or be another one by now.
 */
#define _GNU_SOURCE
#include "cli_process.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DELETED " (deleted)"
/* A record that is being written is looked at again this often. */
#define TRIES 16

/* ------------------------------------------------------------- maps --- */

/* Deciding ones last: of two that are there, the later of these counts. */
static const struct {
	const char *name; /* what the file's name begins with */
	bool preload;
} libraries[] = {
	{"libchic_alloc.so", false},
	{"libchic_alloc_preload.so", true},
};

struct mapping {
	uint64_t start, offset;
	bool code;
	char *path;
};

bool cli_cut_deleted(char *path)
{
	size_t len = strlen(path), cut = strlen(DELETED);

	if (len < cut || strcmp(path + len - cut, DELETED) != 0)
		return false;
	path[len - cut] = '\0';
	return true;
}

static bool parse_mapping(char *line, struct mapping *out)
{
	char mode[5];
	int path = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNx64 "-%*x %4s %" SCNx64 " %*s %*u %n", &out->start, mode,
		   &out->offset, &path) < 3 ||
	    !path)
		return false;
	out->code = mode[2] == 'x';
	out->path = line + path;
	return out->path[0] == '/';
}

/* Which of the libraries a path is; -1: none. */
static int library_of(const char *path)
{
	const char *base = strrchr(path, '/') + 1;

	for (size_t i = ARRAY_SIZE(libraries); i-- > 0;)
		if (strncmp(base, libraries[i].name, strlen(libraries[i].name)) == 0)
			return i;
	return -1;
}

/* A library as it is met: it counts when its code is mapped, not just its file. */
struct search {
	struct cli_library best;
	struct cli_library now;
	int best_rank, now_rank;
	uint64_t above;
};

static int take_first(struct search *search, const struct mapping *mapping, int rank)
{
	free(search->now.path);
	search->now_rank = rank;
	search->now = (struct cli_library){
		.path = strdup(mapping->path),
		.base = mapping->start,
		.preload = libraries[rank].preload,
	};
	if (!search->now.path)
		return -ENOMEM;
	search->now.gone = cli_cut_deleted(search->now.path);
	return 0;
}

static int take_mapping(struct search *search, const struct mapping *mapping)
{
	int rank = library_of(mapping->path);
	int err = 0;

	if (rank < 0 || mapping->start <= search->above)
		return 0;
	if (mapping->offset == 0 && rank != search->best_rank)
		err = take_first(search, mapping, rank);
	if (err || !mapping->code || rank != search->now_rank || rank <= search->best_rank)
		return err;
	free(search->best.path);
	search->best = search->now;
	search->best_rank = rank;
	search->now.path = NULL;
	search->now_rank = -1;
	return 0;
}

int cli_library_find(FILE *maps, uint64_t above, struct cli_library *out)
{
	struct search search = {.best_rank = -1, .now_rank = -1, .above = above};
	struct mapping mapping;
	bool empty = true;
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	while (!err && getline(&line, &size, maps) > 0) {
		empty = false;
		if (strstr(line, "/libchic_alloc") && parse_mapping(line, &mapping))
			err = take_mapping(&search, &mapping);
	}
	if (!err && empty)
		err = -ESRCH;
	free(line);
	free(search.now.path);
	*out = search.best;
	if (err)
		cli_library_free(out);
	return err;
}

void cli_library_free(struct cli_library *library)
{
	free(library->path);
	*library = (struct cli_library){.path = NULL};
}

/* ----------------------------------------------------------- record --- */

static int read_memory(int mem, const char *what, uint64_t at, void *buf, size_t len)
{
	ssize_t n = pread64(mem, buf, len, at);

	if (n == (ssize_t)len)
		return 0;
	return message_set(n < 0 ? -errno : -EIO, "%s: found %zd of %zu bytes at %#" PRIx64,
			   what, n < 0 ? 0 : n, len, at);
}

static int check_head(const struct status *head)
{
	if (head->magic != STATUS_MAGIC)
		return message_set(-EINVAL, "record: found magic number %#x, expected %#x",
				   head->magic, STATUS_MAGIC);
	if (head->version != STATUS_VERSION || head->size < sizeof(*head))
		return message_set(-EINVAL,
				   "record: found version %u of %u bytes, expected %d of %zu: "
				   "another release of chic-alloc is in the process",
				   head->version, head->size, STATUS_VERSION, sizeof(*head));
	if (head->state > STATUS_STOOD_DOWN)
		return message_set(-EINVAL, "record: found state %u, expected at most %d",
				   head->state, STATUS_STOOD_DOWN);
	if (head->telemetry > CHIC_TELEMETRY_FULL)
		return message_set(-EINVAL, "record: found telemetry %u, expected at most %d",
				   head->telemetry, CHIC_TELEMETRY_FULL);
	return 0;
}

static void end_texts(struct status_texts *texts)
{
	texts->from.section[sizeof(texts->from.section) - 1] = '\0';
	texts->from.file[sizeof(texts->from.file) - 1] = '\0';
	texts->rule.section[sizeof(texts->rule.section) - 1] = '\0';
	texts->rule.file[sizeof(texts->rule.file) - 1] = '\0';
	texts->stack[sizeof(texts->stack) - 1] = '\0';
	texts->why[sizeof(texts->why) - 1] = '\0';
	texts->asked.named[sizeof(texts->asked.named) - 1] = '\0';
	texts->asked.stack[sizeof(texts->asked.stack) - 1] = '\0';
	texts->asked.options[sizeof(texts->asked.options) - 1] = '\0';
}

/* Read both parts; -EAGAIN if they were written meanwhile. */
static int read_once(int mem, uint64_t at, struct cli_record *out)
{
	struct status after;
	int err = read_memory(mem, "record", at, &out->head, sizeof(out->head));

	if (!err)
		err = check_head(&out->head);
	if (err)
		return err;
	memset(&out->texts, 0, sizeof(out->texts));
	if (out->head.texts)
		err = read_memory(mem, "record's texts", at + (int64_t)out->head.texts,
				  &out->texts, sizeof(out->texts));
	end_texts(&out->texts);
	if (!err)
		err = read_memory(mem, "record", at, &after, sizeof(after));
	if (!err && (out->head.sequence % 2 || out->head.sequence != after.sequence))
		return message_set(-EAGAIN, "record: it is being written");
	return err;
}

int cli_record_read(int mem, const struct cli_library *library, struct cli_record *out)
{
	uint64_t vaddr = 0, size = 0;
	struct elf elf;
	int err = elf_open_mapped(&elf, mem, library->base, library->path);

	if (!err)
		err = elf_object(&elf, "chic_alloc_status", &vaddr, &size);
	if (err < 0)
		return err;
	if (err == 0 || size < sizeof(out->head))
		return message_set(-EINVAL,
				   "%s: has no record: another release of chic-alloc is in the "
				   "process",
				   library->path);
	err = -EAGAIN;
	for (int i = 0; i < TRIES && err == -EAGAIN; i++)
		err = read_once(mem, library->base + vaddr, out);
	return err;
}
