// SPDX-License-Identifier: BSD-2-Clause
/*
 * libFuzzer harness of the reader of modules' files.  Give it the fixtures of
 * tests/modules as a first corpus: nothing random becomes an ELF file.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile size_t touched;

static void touch(const char *text)
{
	touched += strlen(text);
}

/* What was read is looked at as a user of it would. */
static void use(const struct modinfo *info)
{
	modinfo_check(info, "fuzzed", "fuzzed");
	touch(info->name);
	touch(info->version);
	touch(info->license);
	touch(info->description);
	touch(info->author);
	for (size_t i = 0; i < info->n_params; i++) {
		const struct modinfo_param *param = &info->params[i];
		struct chic_module_param value;

		touch(param->help);
		param_parse(param, param->def, param->name, &value);
	}
}

/* One file for all inputs. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct modinfo info;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	if (modinfo_read(fd, "fuzzed", &info) < 0)
		return 0;
	use(&info);
	modinfo_free(&info);
	return 0;
}
