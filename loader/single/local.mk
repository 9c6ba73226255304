# SPDX-License-Identifier: BSD-2-Clause
#
# What platforms of one processor have in common: the core, the one struct of counters
# and the one table, and what of runtime/ is not panic.c, which each platform has of
# its own.

core_c = \
	loader/hooks.c \
	loader/vtable.c \
	loader/memops.c
single_c = \
	loader/single/builtins.c \
	loader/single/publish.c \
	loader/single/stack.c \
	loader/single/telemetry.c
single_h = \
	loader/single/single.h
arena_fixed_c = modules/arena_fixed.c

EXTRA_DIST += $(single_c) $(single_h) $(arena_fixed_c)
