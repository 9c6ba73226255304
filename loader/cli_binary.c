// SPDX-License-Identifier: BSD-2-Clause
/*
 * The file of an executable: what kind it is, what it defines and needs.  It is read
 * and not run, and nothing it says is believed beyond its own bounds.
 */
#define _GNU_SOURCE
#include "cli_process.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NEEDED_MAX 256
#define NOTES_MAX (64u << 10)
/* A search through the whole file ends here. */
#define SEARCH_MAX (512u << 20)

/* ------------------------------------------------------------- kind --- */

static bool is_elf(int fd)
{
	char magic[SELFMAG];

	return pread(fd, magic, SELFMAG, 0) == SELFMAG && memcmp(magic, ELFMAG, SELFMAG) == 0;
}

static void read_interpreter(struct cli_binary *binary)
{
	const struct elf_segment *segment = elf_segment(&binary->elf, PT_INTERP);
	size_t len;

	if (!segment)
		return;
	len = segment->filesz < sizeof(binary->interpreter) ? segment->filesz
							    : sizeof(binary->interpreter) - 1;
	if (elf_read(&binary->elf, "interpreter", segment->offset, binary->interpreter, len))
		len = 0;
	binary->interpreter[len] = '\0';
}

static enum cli_binary_kind find_kind(struct cli_binary *binary, const char *path)
{
	int err;

	if (!is_elf(binary->fd))
		return CLI_BINARY_OTHER;
	err = elf_open_program(&binary->elf, binary->fd, path);
	if (err)
		snprintf(binary->why, sizeof(binary->why), "%s", message_get());
	/* the command was built with the libraries: what it is, they are */
	if (elf_is_foreign(binary->fd))
		return CLI_BINARY_FOREIGN;
	if (err)
		return CLI_BINARY_BROKEN;
	read_interpreter(binary);
	return elf_segment(&binary->elf, PT_INTERP) ? CLI_BINARY_DYNAMIC : CLI_BINARY_STATIC;
}

void cli_binary_open(struct cli_binary *binary, const char *open_as, const char *path)
{
	*binary = (struct cli_binary){.kind = CLI_BINARY_UNREADABLE};
	binary->fd = open(open_as, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (binary->fd >= 0)
		binary->kind = find_kind(binary, path);
	else
		snprintf(binary->why, sizeof(binary->why), "%s", strerror(errno));
}

void cli_binary_close(struct cli_binary *binary)
{
	if (binary->fd >= 0)
		close(binary->fd);
	binary->fd = -1;
}

/* ---------------------------------------------------------- symbols --- */

bool cli_binary_defines(const struct cli_binary *binary, const char *symbol)
{
	return binary->kind == CLI_BINARY_DYNAMIC && elf_defines(&binary->elf, symbol) > 0;
}

/* A library's name in the string table. */
static bool read_name(const struct elf *elf, uint64_t at, char *out, size_t size)
{
	size_t len = size - 1;

	if (at >= elf->dynamic.strsz)
		return false;
	if (len > elf->dynamic.strsz - at)
		len = elf->dynamic.strsz - at;
	out[len] = '\0';
	return elf_read_at(elf, "names", elf->dynamic.strtab, at, out, len) == 0;
}

bool cli_binary_needs(const struct cli_binary *binary, cli_needs_fn fn, void *arg)
{
	const struct elf_segment *segment = binary->kind == CLI_BINARY_DYNAMIC
						    ? elf_segment(&binary->elf, PT_DYNAMIC)
						    : NULL;
	size_t n = segment ? segment->filesz / sizeof(ElfW(Dyn)) : 0;
	char name[256];
	ElfW(Dyn) dyn;

	for (size_t i = 0; i < n && i < NEEDED_MAX; i++) {
		if (elf_read(&binary->elf, "dynamic segment", segment->offset + i * sizeof(dyn),
			     &dyn, sizeof(dyn)) ||
		    dyn.d_tag == DT_NULL)
			return false;
		if (dyn.d_tag == DT_NEEDED &&
		    read_name(&binary->elf, dyn.d_un.d_val, name, sizeof(name)) &&
		    fn(name, arg))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------ notes --- */

static size_t aligned(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* Whether a block of notes has one of that owner. */
static bool has_owner(const char *notes, size_t len, const char *owner)
{
	size_t name = strlen(owner) + 1, at = 0, step;
	ElfW(Nhdr) head;

	while (at <= len && len - at >= sizeof(head)) {
		memcpy(&head, notes + at, sizeof(head));
		at += sizeof(head);
		/* some pad the name */
		if (aligned(head.n_namesz) == aligned(name) && len - at >= name &&
		    memcmp(notes + at, owner, name) == 0)
			return true;
		step = aligned(head.n_namesz) + aligned(head.n_descsz);
		if (step > len - at)
			return false;
		at += step;
	}
	return false;
}

bool cli_binary_has_note(const struct cli_binary *binary, const char *owner)
{
	const struct elf *elf = &binary->elf;
	bool found = false;
	char *notes;

	for (unsigned i = 0; !found && i < elf->n_segments; i++) {
		size_t len = elf->segments[i].filesz;

		if (elf->segments[i].type != PT_NOTE || len > NOTES_MAX)
			continue;
		notes = malloc(len + 1);
		if (notes && !elf_read(elf, "notes", elf->segments[i].offset, notes, len))
			found = has_owner(notes, len, owner);
		free(notes);
	}
	return found;
}

/* ----------------------------------------------------------- search --- */

/* Blocks overlap by the length of the text, so that none is cut in two. */
bool cli_binary_contains(const struct cli_binary *binary, const char *text)
{
	const size_t size = 1 << 20, len = strlen(text);
	char *block = malloc(size);
	bool found = false;
	ssize_t n;

	for (off_t at = 0; block && !found && at < SEARCH_MAX; at += size - len) {
		n = pread(binary->fd, block, size, at);
		if (n < (ssize_t)len)
			break;
		found = memmem(block, n, text, len) != NULL;
	}
	free(block);
	return found;
}

/* ------------------------------------------------------- privileges --- */

static bool is_nosuid(int fd)
{
	struct statvfs fs;

	return (fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_NOSUID)) ||
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static bool has_capabilities(int fd)
{
	return fgetxattr(fd, "security.capability", NULL, 0) > 0;
}

/* As execve(2) decides what becomes AT_SECURE. */
enum cli_gains cli_binary_gains(const struct cli_binary *binary)
{
	bool user, group, capabilities;
	struct stat st;

	if (binary->fd < 0 || fstat(binary->fd, &st) || is_nosuid(binary->fd))
		return CLI_GAINS_NOTHING;
	user = st.st_mode & S_ISUID;
	group = (st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
	capabilities = has_capabilities(binary->fd);
	if (!user && !group && !capabilities)
		return CLI_GAINS_NOTHING;
	if ((user && st.st_uid != getuid()) || (group && st.st_gid != getgid()) ||
	    (capabilities && getuid() != 0))
		return CLI_GAINS_FOR_US;
	return CLI_GAINS_FOR_OTHERS;
}
