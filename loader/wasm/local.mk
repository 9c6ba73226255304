# SPDX-License-Identifier: BSD-2-Clause
#
# ./configure --enable-wasm: by clang and wasm-ld, into wasm/ of the build tree
#
#	libchic_alloc_wasm32.a	 hooks, heap and runtime, to be linked into a module
#	chic_alloc.wasm		 hooks, heap, regions and objects as a module with a memory of its own
#	chic_alloc_shared.wasm	 the same, relocatable, in a memory that it imports
#	chic_alloc.mjs		 what loads the last two from JavaScript
#
# What is in the archive is in objects of its own, so that nobody links what he does not
# use.  Relocatable code there is in LLVM for Emscripten's target only; nothing of
# Emscripten is in it.

WASM_CPPFLAGS = \
	-nostdlibinc -I$(srcdir)/include -I$(srcdir)/loader -I$(srcdir)/loader/wasm \
	-I$(srcdir)/loader/single -isystem $(srcdir)/loader/freestanding/include \
	-I$(srcdir)/modules -I$(srcdir)/runtime \
	-DREGION_SLOT_BITS=6 -DPROFILES=16 -DTYPES_FIRST=16
WASM_COMPILE = $(WASM_CC) --target=wasm32 $(WASM_CPPFLAGS) $(CHIC_WASM_CFLAGS)
WASM_PIC_COMPILE = $(WASM_CC) --target=wasm32-unknown-emscripten -fPIC $(WASM_CPPFLAGS) \
	$(CHIC_WASM_CFLAGS)
WASM_TEST_COMPILE = $(WASM_CC) --target=wasm32 -nostdlibinc -I$(abs_top_srcdir)/include \
	-isystem $(abs_top_srcdir)/loader/freestanding/include $(CHIC_WASM_CFLAGS) -O2
WASM_MODULE = $(WASM_LD) --no-entry --gc-sections --export-dynamic --strip-all

# core.c has hooks.c, publish.c and telemetry.c in it
wasm_core_c = loader/wasm/core.c loader/memops.c
wasm_region_c = runtime/region.c runtime/region_profile.c runtime/counts.c \
	runtime/closure.c runtime/object.c runtime/types.c loader/freestanding/irq.c
wasm_runtime_c = $(filter-out runtime/panic.c, \
	$(filter %.c,$(libchic_runtime_la_SOURCES) $(libchic_utf8_la_SOURCES)))
wasm_freestanding_c = loader/freestanding/irq.c \
	loader/freestanding/memory.c loader/freestanding/panic.c
wasm_modules_c = loader/vtable.c $(arena_fixed_c) \
	$(filter-out loader/single/publish.c loader/single/telemetry.c,$(single_c))

wasm_archive_c = $(wasm_core_c) loader/wasm/grow.c $(wasm_runtime_c) \
	$(wasm_freestanding_c) $(wasm_modules_c)
wasm_own_c = $(wasm_core_c) loader/wasm/grow.c \
	loader/wasm/scratch.c loader/wasm/short.c $(wasm_region_c)
wasm_shared_c = $(wasm_core_c) loader/wasm/grow_shared.c \
	loader/wasm/scratch.c loader/wasm/short.c $(wasm_region_c)

wasm_archive_o = $(wasm_archive_c:%.c=wasm/obj/%.o)
wasm_own_o = $(wasm_own_c:%.c=wasm/obj/%.o)
wasm_shared_o = $(wasm_shared_c:%.c=wasm/pic/%.o)

# -O2, and -Os where little time is spent
wasm/obj/runtime/%.o: $(srcdir)/runtime/%.c Makefile
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(WASM_COMPILE) -Os -MMD -MP -c $< -o $@
wasm/obj/%.o: $(srcdir)/%.c Makefile
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(WASM_COMPILE) -O2 -MMD -MP -c $< -o $@
wasm/pic/runtime/%.o: $(srcdir)/runtime/%.c Makefile
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(WASM_PIC_COMPILE) -Os -MMD -MP -c $< -o $@
wasm/pic/%.o: $(srcdir)/%.c Makefile
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(WASM_PIC_COMPILE) -O2 -MMD -MP -c $< -o $@

wasm/libchic_alloc_wasm32.a: $(wasm_archive_o)
	$(AM_V_AR)rm -f $@ && $(WASM_AR) rcs $@ $(wasm_archive_o)

# The stack first: what overflows it traps and does not write into data.
wasm/chic_alloc.wasm: $(wasm_own_o)
	$(AM_V_CCLD)$(WASM_MODULE) --stack-first -z stack-size=16384 --export-table \
		--growable-table --export=__stack_pointer $(wasm_own_o) -o $@

wasm/chic_alloc_shared.wasm: $(wasm_shared_o)
	$(AM_V_CCLD)$(WASM_MODULE) -shared --experimental-pic $(wasm_shared_o) -o $@ \
		2>wasm/warnings || { cat wasm/warnings >&2; exit 1; }

wasm/chic_alloc.mjs: $(srcdir)/loader/wasm/chic_alloc.mjs
	$(AM_V_GEN)$(MKDIR_P) wasm && cp $(srcdir)/loader/wasm/chic_alloc.mjs $@

WASM_FILES = wasm/libchic_alloc_wasm32.a wasm/chic_alloc.wasm wasm/chic_alloc_shared.wasm \
	wasm/chic_alloc.mjs

.PHONY: wasm
wasm: $(WASM_FILES)

if WASM
wasmlibdir = $(libdir)
nodist_wasmlib_DATA = wasm/libchic_alloc_wasm32.a
wasmdir = $(datadir)/chic-alloc
nodist_wasm_DATA = wasm/chic_alloc.wasm wasm/chic_alloc_shared.wasm wasm/chic_alloc.mjs
-include $(wasm_archive_o:.o=.d) $(wasm_own_o:.o=.d) $(wasm_shared_o:.o=.d)
endif

if WASM
TESTS += tests/check_wasm.sh
endif

clean-local: clean-wasm
.PHONY: clean-wasm
clean-wasm:
	rm -rf wasm

EXTRA_DIST += \
	loader/wasm/chic_alloc.mjs \
	loader/wasm/core.c \
	loader/wasm/default.c \
	loader/wasm/grow.c \
	loader/wasm/grow.h \
	loader/wasm/grow_shared.c \
	loader/wasm/platform.h \
	loader/wasm/scratch.c loader/wasm/short.c \
	tests/check_wasm.sh \
	tests/wasm/beside_malloc.c \
	tests/wasm/client.wat \
	tests/wasm/core.mjs \
	tests/wasm/default_heap.c \
	tests/wasm/start_wasm32.c \
	tests/wasm/hooks.mjs \
	tests/wasm/memory.mjs \
	tests/wasm/shared.mjs \
	tests/wasm/tap.mjs
