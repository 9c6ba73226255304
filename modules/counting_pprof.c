// SPDX-License-Identifier: BSD-2-Clause
/*
 * A report of counting for pprof, in the text format that all of its versions read
 * (google-pprof, go tool pprof): each stack as addresses, then the process's
 * mappings.  The figures are scaled already, which "heapprofile" says.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "counting.h"

/* "live blocks: live bytes [all blocks: all bytes] @" */
static void put_sum(struct writer *w, const struct counting_sum *sum)
{
	put_number(w, sum->blocks - sum->freed_blocks, 0);
	put_text(w, ": ");
	put_number(w, sum->bytes - sum->freed_bytes, 0);
	put_text(w, " [");
	put_number(w, sum->blocks, 0);
	put_text(w, ": ");
	put_number(w, sum->bytes, 0);
	put_text(w, "] @");
}

/* The first is taken as an instruction, the others as what calls return to. */
static bool put_stack(uint32_t stack, void *arg)
{
	struct counting *c = arg;
	struct counting_sum sum = counting_site_sum(counting_site_of(c->sites, stack));
	struct writer *w = &c->output->writer;
	const uintptr_t *pcs = NULL;
	size_t n = stacktrace_get(&c->sites->stacks, stack, &pcs);

	if (!sum.blocks)
		return true;
	put_sum(w, &sum);
	for (size_t i = 0; i < n; i++) {
		put_text(w, " 0x");
		put_hex(w, pcs[i] - !i, 0);
	}
	put_text(w, "\n");
	return true;
}

static void put_mappings(struct writer *w)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC);
	char part[512];
	long n;

	if (fd < 0)
		return;
	while ((n = syscall(SYS_read, fd, part, sizeof(part))) > 0)
		put_bytes(w, part, (size_t)n);
	syscall(SYS_close, fd);
}

void counting_pprof(struct counting *c)
{
	struct writer *w = &c->output->writer;

	put_text(w, "heap profile: ");
	put_sum(w, &c->output->tops.all);
	put_text(w, " heapprofile\n");
	put_stack(0, c);
	stacktrace_each(&c->sites->stacks, put_stack, c);
	put_text(w, "\nMAPPED_LIBRARIES:\n");
	put_mappings(w);
}
