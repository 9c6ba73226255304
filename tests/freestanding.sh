#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# make check-freestanding: what the archive holds, that it needs no C library, how large
# it is, and the tests of core.h in a program of its machine that has none either:
# static, with its own _start, or an image that boots in an emulator.  Their counters
# are left in freestanding/counters, to be compared with those of other machines.

: "${top_srcdir:?}" "${COMPILE:?}" "${ARCHIVE:?}" "${HEAP:?}"
builddir=$PWD
tests=$top_srcdir/tests
archive=$builddir/$ARCHIVE
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 99
# shellcheck source=tests/lib.sh
. "$tests/lib.sh"

nm=$(command -v llvm-nm || command -v nm) || { echo "SKIP: no nm (Debian: llvm)"; exit 77; }

# ---- the machine ------------------------------------------------------------

# What the compiler makes programs for, by the macros that it defines.
machine_of()
{
	$COMPILE -dM -E -x c /dev/null >macros
	if defines __x86_64__ && defines __linux__ && ! defines __ILP32__
	then
		echo x86_64
	elif defines __i386__ && defines __linux__
	then
		echo i386
	elif defines __ARM_ARCH_7M__
	then
		echo armv7m
	elif defines __ARM_ARCH_6M__
	then
		echo armv6m
	elif defines __riscv && ! defines __linux__ && grep -q '^#define __riscv_xlen 32$' macros
	then
		echo riscv32
	elif defines __riscv && ! defines __linux__
	then
		echo riscv64
	else
		echo other
	fi
}

defines()
{
	grep -q "^#define $1 " macros
}

machine=$(machine_of)
start=$machine emulator=
case $machine in
x86_64 | i386)
	link='-static -fno-pic -nostdlib -Wl,--gc-sections'
	run=
	;;
armv*)
	start=armv7m emulator=qemu-system-arm package=qemu-system-arm
	link="-nostdlib -Wl,--gc-sections -Wl,-T,$tests/freestanding/armv7m.ld"
	run="timeout 120 $emulator -M mps2-an385 -icount shift=0 -nographic -semihosting -kernel"
	;;
riscv*)
	start=riscv emulator=qemu-system-$machine package=qemu-system-misc
	link="-static -nostdlib -Wl,--gc-sections -Wl,-T,$tests/freestanding/riscv.ld"
	run="timeout 120 $emulator -M virt -bios none -icount shift=0 -nographic -kernel"
	! defines __clang__ || link="$link -fuse-ld=lld"
	;;
esac

# The compiler's own library of arithmetic, where it has one for the machine.
helpers=$($COMPILE -print-libgcc-file-name 2>/dev/null)
[ -f "$helpers" ] || helpers=

# compile FILE...: of the tests, with what they have in place of a C library
compile()
{
	for source in "$@"
	do
		# shellcheck disable=SC2086
		$COMPILE -fno-pic -DHEAP_BYTES=3145728 -I"$tests/freestanding" -I"$tests" \
			-I"$top_srcdir/loader/freestanding/include" -c "$source" \
			-o "$(basename "$source" .c).o" || return
	done
}

# link OUTPUT OBJECT...
link()
{
	output=$1
	shift
	# shellcheck disable=SC2086
	$COMPILE $link -o "$output" "$@" $helpers
}

# ---- what the archive holds --------------------------------------------------

defined()
{
	"$nm" --defined-only "$archive" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u
}

undefined()
{
	"$nm" -u "$archive" 2>/dev/null | awk '$1 == "U" || $1 == "w" { print $2 }' | sort -u
}

# What is there for compilers' arithmetic is their library's, not the C library's.
arithmetic='^(__(u?(div|mod|divmod)|mul|ash[lr]|lshr|clz|ctz|popcount)[dst]i[0-9]?|__aeabi_(u?(i|l)div(mod)?|l(mul|ls[lr]|asr)|u?idiv(mod)?)|__udivmoddi4|_GLOBAL_OFFSET_TABLE_|__x86\..*)$'

defined >defined
undefined | comm -23 - defined | grep -vE "$arithmetic" >foreign
expect 'no symbol of a C library is asked for' 1 - '' grep . foreign

# Whatever may ask for memory, or install what serves.
heap='^(chic_rt_(alloc|realloc|free|reset_alloc|region|vec|array|string|str_as|hash(map|set)|rc_|arc_|weak|object|closure|shared|type|telemetry)|chic_(arena|alloc)_|arena_|hooks_|table_|telemetry)'
if [ "$HEAP" = yes ]
then
	expect 'with a heap the archive has it' 0 . '' grep -E "$heap" defined
	for symbol in chic_rt_alloc chic_rt_alloc_zeroed chic_rt_realloc chic_rt_free \
		chic_rt_allocator_install chic_rt_allocator_reset chic_rt_alloc_stats \
		chic_rt_alloc_stats_fill chic_rt_reset_alloc_stats chic_rt_region_enter \
		chic_arena_install chic_alloc_stack
	do
		grep -qx $symbol defined || echo $symbol
	done >missing
	expect 'and all of it' 1 - '' grep . missing
else
	expect 'without a heap the archive has no symbol of one' 1 - '' grep -E "$heap" defined
	expect 'and has the copies over handles' 0 . '' grep -x chic_rt_memcpy defined
fi

# ---- programs ----------------------------------------------------------------

if [ "$machine" = other ]
then
	skip 'programs of this machine' 'no start of one for it in tests/freestanding'
	finish
	exit
fi

cat >uses_heap.c <<'C'
#include "chic_rt.h"
#include "machine.h"
void machine_main(void)
{
	ValueMutPtr h = chic_rt_alloc(8, 8);

	machine_exit(h.ptr || h.size != 8);
}
C
cat >uses_none.c <<'C'
#include "chic_rt.h"
#include "machine.h"
void machine_main(void)
{
	uint8_t to[4] = {0};

	chic_rt_memset(chic_rt_stack_buffer(to, 1, 1), 7, 4);
	machine_exit(to[3] != 7);
}
C
cat >fails.c <<'C'
#include "machine.h"
void machine_main(void)
{
	machine_exit(3);
}
C
expect 'the start of a program compiles' 0 '' - \
	compile uses_heap.c uses_none.c fails.c "$tests/freestanding/start_$start.c"
expect 'a program without a heap links' 0 '' '' link none uses_none.o start_$start.o "$archive"
if [ "$HEAP" != yes ]
then
	expect 'one with a heap does not' 1 '' 'chic_rt_alloc' \
		link heap uses_heap.o start_$start.o "$archive"
	finish
	exit
fi

if [ -n "$emulator" ] && ! command -v "$emulator" >/dev/null
then
	skip 'an image in an emulator' "no $emulator (Debian: $package)"
	finish
	exit
fi
expect 'a program with a heap links' 0 '' '' link heap uses_heap.o start_$start.o "$archive"
expect 'a program runs' 0 '' '' $run ./none
expect 'one that fails links' 0 '' '' link fails fails.o start_$start.o "$archive"
expect 'and its status arrives' 3 '' '' $run ./fails
expect 'before anything is installed its requests are typed nulls' 0 '' '' $run ./heap

core="$tests/core_hooks.c $tests/core_paths.c $tests/core_suite.c $tests/ledger.c
	$tests/paths_map.c $tests/paths_object.c $tests/paths_region.c $tests/paths_shared.c
	$tests/paths_string.c $tests/paths_vec.c $tests/freestanding/arithmetic.c
	$tests/freestanding/check.c $tests/freestanding/firmware.c $tests/freestanding/libc.c"
objects=$(for source in $core; do echo "$(basename "$source" .c).o"; done)
# shellcheck disable=SC2086
expect 'the tests of the core compile' 0 '' - compile $core
# shellcheck disable=SC2086
expect 'and link' 0 '' '' link core $objects start_$start.o "$archive"
expect 'and pass' 0 '^[0-9]+ tests passed' '' $run ./core
cp out told
grep -E ' (calls|bytes) ' told | grep -v '^arena ' >"$builddir/freestanding/counters"
[ -z "$emulator" ] ||
	expect 'and interrupts came in between' 0 '^# [1-9][0-9]+ interrupts' '' cat told

# The layouts of the ABI as this machine has them.
expect 'the layouts are as asserted' 0 '' - compile "$tests/abi_runtime.c"
# shellcheck disable=SC2086
expect 'and with short enums' 0 '' '' $COMPILE -fshort-enums -fsyntax-only -I"$tests" \
	"$tests/abi_runtime.c"

# ---- one source and one header ----

cat >header.c <<'C'
#include "chic_alloc_freestanding.h"
#ifdef __cplusplus
extern "C"
#endif
int serves(void);
int serves(void)
{
	static uint8_t room[1024];

	return chic_arena_install(room, sizeof(room)) == 0 && chic_rt_alloc(8, 8).ptr;
}
C
expect 'the header of the amalgamation stands alone' 0 '' '' \
	$COMPILE -I"$builddir" -fsyntax-only header.c
strict='-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wcast-align
	-Wundef -Wredundant-decls -Wmissing-prototypes -Wswitch-enum -Werror'
for options in '-O0 -std=c11' '-O3 -std=gnu17 -fshort-enums -funsigned-char'
do
	# shellcheck disable=SC2086
	expect "its source compiles with $options and what a tree may be strict about" 0 '' '' \
		$COMPILE $strict $options -I"$builddir" -c "$builddir/chic_alloc_freestanding.c" \
		-o strict.o
done
cxx="${COMPILE%% -I*} -x c++ -std=c++11 -ffreestanding -fsyntax-only"
if $cxx /dev/null 2>/dev/null
then
	# shellcheck disable=SC2086
	expect 'its header is one of C++' 0 '' '' $cxx -Wall -Wextra -Wpedantic -Wshadow \
		-Wconversion -Werror -I"$builddir" header.c
else
	skip 'its header is one of C++' "no C++ of $cxx"
fi
expect 'its source compiles' 0 '' '' \
	$COMPILE -fno-pic -I"$builddir" -c "$builddir/chic_alloc_freestanding.c" -o one.o
# shellcheck disable=SC2086
expect 'the tests link with it in place of the archive' 0 '' '' \
	link core_one $objects start_$start.o one.o
expect 'and pass' 0 '^[0-9]+ tests passed' '' $run ./core_one
grep -v '^#' out >one
grep -v '^#' told >many
expect 'and count the same' 0 - '' diff many one

# ---- size --------------------------------------------------------------------

# Hot path, counters and arena, with all that they need.
if [ $machine = armv7m ] && ! command -v llvm-size >/dev/null
then
	skip 'hot path, counters and arena in 2048 bytes' 'no llvm-size (Debian: llvm)'
elif [ $machine = armv7m ]
then
	roots=
	for symbol in chic_rt_alloc chic_rt_alloc_zeroed chic_rt_realloc chic_rt_free \
		chic_rt_alloc_stats chic_rt_reset_alloc_stats chic_rt_allocator_install \
		chic_rt_allocator_reset chic_arena_install
	do
		roots="$roots -Wl,-u,$symbol"
	done
	: >nothing.c
	compile nothing.c
	# shellcheck disable=SC2086
	expect 'hot path, counters and arena link alone' 0 '' '' \
		$COMPILE -nostdlib -Wl,--gc-sections -Wl,-e,chic_rt_alloc $roots -o small nothing.o "$archive"
	size=$(llvm-size small | awk 'END { print $1 }')
	echo "# $size bytes of text"
	expect 'in at most 2048 bytes of text' 0 '' '' test "$size" -le 2048
fi
finish
