// SPDX-License-Identifier: BSD-2-Clause
/* An init that starts a process, as one that looks at the machine may. */
#include "fixture.h"

#include <sys/wait.h>
#include <unistd.h>

CHIC_MODULE("init_forks", "heap");

FIXTURE_HEAP(init_forks)

EXPORT int init_forks_init(const struct chic_module_args *args, const struct chic_layer *lower,
			   void **ctx);
EXPORT int init_forks_init(const struct chic_module_args *args, const struct chic_layer *lower,
			   void **ctx)
{
	int status = -1;
	pid_t pid = fork();

	(void)lower;
	(void)ctx;
	if (pid == 0)
		_exit(7);
	if (waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7)
		return 0;
	args->fail("the child ended with %#x", status);
	return -ECHILD;
}

EXPORT void init_forks_exit(void *ctx);
EXPORT void init_forks_exit(void *ctx)
{
	(void)ctx;
}
