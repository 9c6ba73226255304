// SPDX-License-Identifier: BSD-2-Clause
/*
 * fork() while other threads are in the middle of something: in the child they are
 * gone, and what they held must not stay held.
 */
#include "conform.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 3

static _Atomic bool stop;

static void churn_until_stopped(struct worker *w)
{
	static struct churn churns[THREADS];
	struct churn *c = &churns[w->number - 1];
	struct work volume;

	churn_begin(c, w->s, w->number);
	c->max = 2048;
	work_begin(&volume, w->s, 1000, 0);
	while (!stop) {
		if (work_left(&volume, c->max / 8))
			churn_step(c);
		else
			usleep(1000);
	}
	churn_end(c);
}

static void serve(struct worker *w)
{
	churn_serve(w->s, 50 + w->number);
}

/* Reads what was there before the fork, serves, makes a thread, and ends at once. */
_Noreturn static void child(const struct subject *s, struct blocks *held, unsigned seconds)
{
	struct worker thread;

	signal(SIGALRM, SIG_DFL);
	alarm(seconds);
	churn_serve(s, 40);
	blocks_check(held);
	blocks_put_all(s, held);
	workers_start(&thread, 1, s, serve, NULL);
	workers_join(&thread, 1);
	_exit(EXIT_SUCCESS);
}

static void wait_for(pid_t pid, unsigned seconds)
{
	char text[STATUS_TEXT];
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			case_fail("waitpid: %s", strerror(errno));
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		case_fail("the forked child was not done after %u seconds: most likely it "
			  "waits for a lock that a thread of its parent held",
			  seconds);
	if (status)
		case_fail("the forked child %s", status_text(status, text));
}

static void fork_once(const struct subject *s, struct blocks *held)
{
	unsigned seconds = s->spec->timeout > 8 ? s->spec->timeout / 4 : 2;
	pid_t pid = fork();

	if (pid < 0)
		case_fail("fork: %s", strerror(errno));
	if (pid == 0)
		child(s, held, seconds);
	wait_for(pid, seconds);
	blocks_check(held);
}

void case_fork(struct subject *s)
{
	static struct blocks held;
	struct worker list[THREADS];
	struct work w;

	for (unsigned i = 0; i < 40; i++)
		blocks_get(s, &held, i % ways_of(s), 1 + i * i, 16);
	workers_start(list, THREADS, s, churn_until_stopped, NULL);
	work_begin(&w, s, 1, 12);
	for (unsigned n = 1; work_left(&w, 1); n++) {
		case_stage("fork number %u", n);
		fork_once(s, &held);
	}
	stop = true;
	workers_join(list, THREADS);
	blocks_put_all(s, &held);
}
