// SPDX-License-Identifier: BSD-2-Clause
/*
 * Objects: zeroed storage of a registered type.
 */
#include "types.h"

CHIC_EXPORT uint8_t *chic_rt_object_new(uint64_t type_id)
{
	RuntimeTypeMetadata type;
	uint8_t *object;

	if (!type_find(type_id, &type))
		return NULL;
	object = rt_get_zeroed(type.size, type.align);
	if (object)
		rt_count_taken();
	return object;
}

CHIC_EXPORT void chic_rt_object_drop(uint8_t *object, uint64_t type_id)
{
	RuntimeTypeMetadata type;

	if (!object || !type_find(type_id, &type))
		return;
	rt_drop(type.drop_fn, object);
	rt_put(object, type.size, type.align);
	rt_count_given_back();
}
