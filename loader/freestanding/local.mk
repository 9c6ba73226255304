# SPDX-License-Identifier: BSD-2-Clause
#
# ./configure --enable-freestanding: the core, the arena and the runtime for firmware,
# by $(FREESTANDING_CC), which may be a compiler for another machine than the one that
# everything else is built for.  Objects are in freestanding/ of the build tree.

# Of the tests: those that run in any of these machines as in a process.
CORE_TESTS = \
	tests/core.h \
	tests/core_hooks.c \
	tests/core_paths.c \
	tests/core_suite.c \
	tests/paths.h \
	tests/paths_map.c \
	tests/paths_object.c \
	tests/paths_region.c \
	tests/paths_shared.c \
	tests/paths_string.c \
	tests/paths_vec.c

# What is there with and without a heap, and what is the heap.
freestanding_plain_c = \
	loader/memops.c \
	loader/freestanding/irq.c \
	loader/freestanding/memory.c \
	loader/freestanding/panic.c \
	runtime/char.c \
	runtime/char_table.c \
	runtime/handle.c \
	runtime/invoke.c \
	runtime/span.c
freestanding_heap_c = \
	$(core_c) \
	$(single_c) \
	$(arena_fixed_c) \
	$(filter %.c,$(libchic_runtime_la_SOURCES) $(libchic_utf8_la_SOURCES)) \
	loader/freestanding/atomic.c \
	loader/freestanding/heap.c
# sorted: what is in both lists is built once
freestanding_all_c = $(sort $(filter-out runtime/panic.c, \
	$(freestanding_plain_c) $(freestanding_heap_c)))
freestanding_h = \
	loader/freestanding/include/endian.h \
	loader/freestanding/include/sched.h \
	loader/freestanding/include/string.h \
	loader/freestanding/platform.h

freestanding_public_h = include/chic_rt.h include/chic_module.h include/chic_freestanding.h
freestanding_all_h = $(freestanding_h) $(freestanding_public_h) $(single_h) \
	include/chic_alloc.h loader/core.h loader/handle.h modules/arena_chunk.h modules/sizes.h \
	$(filter %.h,$(libchic_runtime_la_SOURCES) $(libchic_utf8_la_SOURCES))

if FREESTANDING_HEAP
freestanding_c = $(freestanding_all_c)
else
freestanding_c = $(freestanding_plain_c)
endif

FREESTANDING_ARCHIVE = libchic_alloc_freestanding.a
# Tables of a size that a microcontroller has room for; FREESTANDING_CFLAGS may say others.
FREESTANDING_CPPFLAGS = \
	-I$(srcdir)/include -I$(srcdir)/loader -I$(srcdir)/loader/freestanding \
	-I$(srcdir)/loader/single -I$(srcdir)/loader/freestanding/include \
	-I$(srcdir)/modules -I$(srcdir)/runtime \
	-DREGION_SLOT_BITS=4 -DTYPES_FIRST=16 -DPROFILES=16
FREESTANDING_COMPILE = $(FREESTANDING_CC) $(FREESTANDING_CPPFLAGS) $(CHIC_FREESTANDING_CFLAGS) \
	$(FREESTANDING_CFLAGS)
FREESTANDING_TEST_COMPILE = $(FREESTANDING_CC) -I$(abs_top_srcdir)/include \
	$(CHIC_FREESTANDING_CFLAGS) $(FREESTANDING_CFLAGS)
freestanding_o = $(freestanding_c:%.c=freestanding/%.o)

freestanding/%.o: $(srcdir)/%.c
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(FREESTANDING_COMPILE) -MMD -MP -c $< -o $@

$(FREESTANDING_ARCHIVE): $(freestanding_o) freestanding/list
	$(AM_V_AR)rm -f $@ && $(FREESTANDING_AR) rc $@ $(freestanding_o) && \
		$(FREESTANDING_RANLIB) $@

# What was built before, with a heap or without, is another archive.
freestanding/list: Makefile
	@$(MKDIR_P) $(@D) && echo $(freestanding_o) >$@

-include $(freestanding_all_c:%.c=freestanding/%.d)

# For firmware whose sources are compiled from a tree of its own: one file and one header.
AMALGAMATION = chic_alloc_freestanding.c chic_alloc_freestanding.h

chic_alloc_freestanding.h: $(freestanding_public_h:%=$(srcdir)/%)
	$(AM_V_GEN)(echo '/* Made by `make amalgamation'\'' of chic-alloc $(PACKAGE_VERSION). */' && \
		cd $(srcdir) && grep -hv '^#include "' $(freestanding_public_h)) >$@-t && mv $@-t $@

chic_alloc_freestanding.c: $(freestanding_all_c:%=$(srcdir)/%) $(freestanding_all_h:%=$(srcdir)/%) \
		$(srcdir)/loader/freestanding/amalgamate.awk
	$(AM_V_GEN)awk -v srcdir=$(srcdir) -v header=chic_alloc_freestanding.h \
		-v folders='loader/freestanding loader/single loader/freestanding/include loader include modules runtime' \
		-f $(srcdir)/loader/freestanding/amalgamate.awk $(freestanding_all_c) >$@-t && \
		mv $@-t $@

.PHONY: amalgamation
amalgamation: $(AMALGAMATION)

.PHONY: freestanding install-freestanding uninstall-freestanding check-freestanding \
	clean-freestanding
freestanding: $(FREESTANDING_ARCHIVE)

install-freestanding: $(FREESTANDING_ARCHIVE)
	$(MKDIR_P) $(DESTDIR)$(libdir) $(DESTDIR)$(pkgincludedir)
	$(INSTALL_DATA) $(FREESTANDING_ARCHIVE) $(DESTDIR)$(libdir)
	$(INSTALL_DATA) $(srcdir)/include/chic_freestanding.h \
		$(srcdir)/include/chic_module.h $(srcdir)/include/chic_rt.h \
		$(DESTDIR)$(pkgincludedir)

uninstall-freestanding:
	rm -f $(DESTDIR)$(libdir)/$(FREESTANDING_ARCHIVE) \
		$(DESTDIR)$(pkgincludedir)/chic_freestanding.h \
		$(DESTDIR)$(pkgincludedir)/chic_module.h $(DESTDIR)$(pkgincludedir)/chic_rt.h

check-freestanding: $(FREESTANDING_ARCHIVE) $(AMALGAMATION)
	@top_srcdir=$(abs_top_srcdir) ARCHIVE=$(FREESTANDING_ARCHIVE) HEAP=$(freestanding_heap) \
		COMPILE='$(FREESTANDING_TEST_COMPILE)' sh $(srcdir)/tests/freestanding.sh

clean-freestanding:
	rm -rf freestanding $(FREESTANDING_ARCHIVE) $(AMALGAMATION)

if FREESTANDING
all-local: freestanding
check-local: check-freestanding
install-exec-local: install-freestanding
uninstall-local:
	rm -f $(DESTDIR)$(libdir)/$(FREESTANDING_ARCHIVE)
endif
clean-local: clean-freestanding

EXTRA_DIST += \
	$(freestanding_h) \
	loader/freestanding/GNUmakefile.in \
	loader/freestanding/amalgamate.awk \
	loader/freestanding/atomic.c \
	loader/freestanding/heap.c \
	loader/freestanding/irq.c \
	loader/freestanding/memory.c \
	loader/freestanding/panic.c \
	tests/freestanding.sh \
	tests/freestanding/arithmetic.c \
	tests/freestanding/armv7m.ld \
	tests/freestanding/check.c \
	tests/freestanding/check.h \
	tests/freestanding/firmware.c \
	tests/freestanding/libc.c \
	tests/freestanding/machine.h \
	tests/freestanding/riscv.ld \
	tests/freestanding/start_armv7m.c \
	tests/freestanding/start_i386.c \
	tests/freestanding/start_riscv.c \
	tests/freestanding/start_x86_64.c \
	tests/freestanding/stdlib.h
