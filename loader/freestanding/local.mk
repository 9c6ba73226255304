# SPDX-License-Identifier: BSD-2-Clause
#
# The core as firmware has it.

freestanding_c = \
	loader/freestanding/atomic.c \
	loader/freestanding/heap.c \
	loader/freestanding/irq.c \
	loader/freestanding/memory.c \
	loader/freestanding/panic.c
freestanding_h = \
	loader/freestanding/include/endian.h \
	loader/freestanding/include/sched.h \
	loader/freestanding/include/string.h \
	loader/freestanding/platform.h

EXTRA_DIST += $(freestanding_c) $(freestanding_h)
