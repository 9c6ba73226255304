/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One configuration file in a folder of the test's own, for the loader of this process.
 */
#ifndef CONF_SUPPORT_H
#define CONF_SUPPORT_H

#include "check_support.h"
#include "internal.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[32], conf[64];

/* Start-up is over, nothing is said, and names of modules are those in moduledir. */
static inline void conf_begin(const char *moduledir)
{
	strcpy(dir, "/tmp/chic-alloc.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(conf, sizeof(conf), "%s/conf", dir);
	locate_set_moduledir(moduledir);
	chic_rt_allocator_reset();
	log_open(LOG_TO_NONE, NULL, false);
}

static inline void conf_end(void)
{
	unlink(conf);
	rmdir(dir);
}

static inline CHIC_PRINTF(1, 2) void conf_write(const char *format, ...)
{
	FILE *f = fopen(conf, "we");
	va_list args;

	ck_assert_ptr_nonnull(f);
	va_start(args, format);
	vfprintf(f, format, args);
	va_end(args);
	fputc('\n', f);
	fclose(f);
	chmod(conf, 0644);
}

#endif /* CONF_SUPPORT_H */
