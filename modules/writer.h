/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text and numbers on their way to a descriptor, for modules' reports.
 */
#ifndef CHIC_MODULES_WRITER_H
#define CHIC_MODULES_WRITER_H

#include <stddef.h>
#include <stdint.h>

struct writer {
	int fd;
	int err; /* of the first write that failed */
	size_t len;
	char bytes[8192];
};

/* write(2), but no signal says that nobody reads or the file is too long. */
long write_quietly(int fd, const char *bytes, size_t n);
void put_bytes(struct writer *w, const char *bytes, size_t n);
void put_text(struct writer *w, const char *text);
/* Filled up with blanks on its right, or on its left. */
void put_name(struct writer *w, const char *text, size_t width);
void put_number(struct writer *w, uint64_t n, size_t width);
void put_hex(struct writer *w, uint64_t n, size_t width);
/* 0, or what went wrong since the last flush, which begins anew. */
int put_flush(struct writer *w);

#endif /* CHIC_MODULES_WRITER_H */
