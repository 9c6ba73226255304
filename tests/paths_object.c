// SPDX-License-Identifier: BSD-2-Clause
/*
 * Objects' and closures' ways to memory, and that of the table of types.
 */
#include "paths.h"

#include <stdint.h>
#include <string.h>

enum { TYPE = 0x7159, OBJECT = 120, MORE_TYPES = 2000 };

static uint8_t *object, *copy;
static size_t refused_types;
static const uint8_t environment[48] = "what a closure closes over";

static void know_type(void)
{
	RuntimeTypeMetadata type = {.size = OBJECT, .align = 32};

	ck_assert_int_eq(chic_rt_type_register(TYPE, &type), 0);
}

static void forget(void)
{
	chic_rt_object_drop(object, TYPE);
	object = NULL;
	chic_rt_type_forget_all();
}

static bool object_new(void)
{
	object = chic_rt_object_new(TYPE);
	for (size_t i = 0; object && i < OBJECT; i++)
		ck_assert_uint_eq(object[i], 0);
	ck_assert_uint_eq((uintptr_t)object % 32, 0);
	return object != NULL;
}

/* So many that the static table does not hold them. */
static bool type_register(void)
{
	RuntimeTypeMetadata type = {.size = 8, .align = 8}, known;

	refused_types = 0;
	for (uint64_t id = 1; id <= MORE_TYPES; id++) {
		type.size = id;
		if (chic_rt_type_register(id, &type) == 0) {
			ck_assert_int_eq(chic_rt_type_metadata(id, &known), 1);
			ck_assert_uint_eq(known.size, id);
		} else {
			refused_types++;
			ck_assert_int_eq(chic_rt_type_metadata(id, &known), 0);
		}
	}
	return refused_types == 0;
}

static bool closure_env_alloc(void)
{
	object = chic_rt_closure_env_alloc(sizeof(environment), 16);
	return object != NULL;
}

static bool closure_env_clone(void)
{
	copy = chic_rt_closure_env_clone(environment, sizeof(environment), 16);
	ck_assert(!copy || memcmp(copy, environment, sizeof(environment)) == 0);
	return copy != NULL;
}

static void free_env(void)
{
	chic_rt_closure_env_free(object, sizeof(environment), 16);
	chic_rt_closure_env_free(copy, sizeof(environment), 16);
	object = copy = NULL;
}

static const struct path paths[] = {
	{"object_new", know_type, object_new, forget},
	{"type_register", NULL, type_register, forget},
	{"closure_env_alloc", NULL, closure_env_alloc, free_env},
	{"closure_env_clone", NULL, closure_env_clone, free_env},
	{NULL, NULL, NULL, NULL},
};

const struct path_family object_paths = {"object", paths};
