// SPDX-License-Identifier: BSD-2-Clause
/*
 * When the configuration is applied, and what happens around fork().
 *
 * The library's constructor applies it, or an earlier request from another
 * constructor.  Where the preload library is present it decides instead, since
 * the platform heap must be known before anything is loaded.  That library has
 * the loader in it as well, and its chic_alloc_* come before those of libchic_alloc,
 * so that a process has one loader state.  libchic_alloc's own hooks are then
 * clients of the preloaded malloc like the rest of the program.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Weak, so that a program which links the loader statically may say no as well. */
CHIC_EXPORT __attribute__((weak)) int chic_alloc_autoload = 1;

/* Defined by libchic_alloc_preload.so, if that is in the process. */
extern void chic_alloc_preload_start(void) __attribute__((weak, visibility("default")));

/* Defined where this file is part of that library. */
extern const char loader_is_preload __attribute__((weak));

static pthread_mutex_t start_lock = PTHREAD_MUTEX_INITIALIZER;
static bool started;
static bool starting;
static pthread_t starter;

static void layer_prefork(struct layer *layer, void *arg)
{
	(void)arg;
	if (layer->module->exports.prefork)
		layer->module->exports.prefork(layer->ctx);
}

static void layer_postfork_parent(struct layer *layer, void *arg)
{
	(void)arg;
	if (layer->module->exports.postfork_parent)
		layer->module->exports.postfork_parent(layer->ctx);
}

static void layer_postfork_child(struct layer *layer, void *arg)
{
	(void)arg;
	if (layer->module->exports.postfork_child)
		layer->module->exports.postfork_child(layer->ctx);
}

/* Not where a module's init forks; who has the loader's lock writes it. */
static bool locked_to_fork;

/* Outermost locks first, the order in which they are taken otherwise. */
static void prefork(void)
{
	bool locked = loader_lock();

	locked_to_fork = locked;
	publish_prefork();
	table_prefork();
	telemetry_prefork();
	loader_each_layer(layer_prefork, NULL, false);
	thread_prefork();
}

static void postfork(void)
{
	telemetry_postfork();
	table_postfork();
	publish_postfork();
	if (locked_to_fork)
		loader_unlock();
}

static void postfork_parent(void)
{
	thread_postfork_parent();
	loader_each_layer(layer_postfork_parent, NULL, true);
	postfork();
}

static void postfork_child(void)
{
	thread_postfork_child();
	fault_postfork_child();
	loader_each_layer(layer_postfork_child, NULL, true);
	postfork();
}

/* Comes back here where an interposer makes sure that these are the first handlers. */
static void register_fork_handlers(void)
{
	static bool registered;

	if (!__atomic_exchange_n(&registered, true, __ATOMIC_ACQ_REL))
		pthread_atfork(prefork, postfork_parent, postfork_child);
}

CHIC_EXPORT void chic_alloc_atfork(void)
{
	register_fork_handlers();
}

const char *start_switched_off(void)
{
	const char *value = secure_getenv("CHIC_ALLOC_DISABLE");

	if (value && strcmp(value, "1") == 0)
		return "CHIC_ALLOC_DISABLE is 1";
	if (access(CHIC_ALLOC_SYSCONFDIR "/chic-alloc.disable", F_OK) == 0)
		return CHIC_ALLOC_SYSCONFDIR "/chic-alloc.disable exists";
	return NULL;
}

/* The start lock is held, and this is the first time. */
static void start(void)
{
	const char *off;

	register_fork_handlers();
	if (chic_alloc_preload_start) {
		chic_alloc_preload_start();
		if (!&loader_is_preload)
			loader_behind_preload();
		return;
	}
	off = chic_alloc_autoload ? start_switched_off() : NULL;
	loader_lock();
	if (!chic_alloc_autoload)
		status_alone(STATUS_MANUAL, NULL);
	else if (off)
		status_alone(STATUS_STOOD_DOWN, off);
	else
		loader_start(false);
	if (!hooks_table)
		hooks_set_default(NULL);
	loader_unlock();
}

/* A module that asks for memory while it is being loaded comes back here. */
static bool is_starter(void)
{
	return __atomic_load_n(&starting, __ATOMIC_ACQUIRE) &&
	       pthread_equal(starter, pthread_self());
}

void start_once(void)
{
	if (__atomic_load_n(&started, __ATOMIC_ACQUIRE) || is_starter())
		return;
	pthread_mutex_lock(&start_lock);
	if (!started) {
		starter = pthread_self();
		__atomic_store_n(&starting, true, __ATOMIC_RELEASE);
		start();
		__atomic_store_n(&starting, false, __ATOMIC_RELEASE);
		__atomic_store_n(&started, true, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&start_lock);
}

__attribute__((constructor)) static void at_start(void)
{
	start_once();
}
