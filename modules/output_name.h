/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of modules' output files: %p is the process id, %% a percent sign.
 */
#ifndef CHIC_MODULES_OUTPUT_NAME_H
#define CHIC_MODULES_OUTPUT_NAME_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What output = says, made absolute: a relative name means the folder where the
 * program was started, not where it ends.  Empty stays empty.  0 or -errno.
 */
int output_pattern(char *pattern, size_t size, const char *output);
/* The name for this process: 0 or -ENAMETOOLONG.  A signal handler may ask. */
int output_expand(const char *pattern, char *path, size_t size);
bool output_has_pid(const char *pattern);
/* Room for a number, and the end of a name; what is longer does not fit anyway. */
size_t output_append_number(char *to, size_t size, unsigned long n);

#endif /* CHIC_MODULES_OUTPUT_NAME_H */
