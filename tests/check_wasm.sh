#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What ./configure --enable-wasm builds, under Node.js.

: "${top_srcdir:?}" "${top_builddir:?}"
tests=$top_srcdir/tests/wasm
WASM_DIR=$top_builddir/wasm
export WASM_DIR
[ -n "${NODE:-}" ] || { echo "SKIP: no node (Debian: nodejs)"; exit 77; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
. "$top_srcdir/tests/lib.sh"

# script NAME ARGUMENTS...: a file of tests that says TAP itself
script()
{
	name=$1
	shift
	if "$NODE" "$tests/$name.mjs" "$@" >out 2>err
	then
		sed "s/^/# /" out
		ok "$name"
	else
		not_ok "$name" "see above"
	fi
}

# The tests of core.h, which hosted and in firmware are the same, on the archive.
core="$top_srcdir/tests/core_hooks.c $top_srcdir/tests/core_paths.c
	$top_srcdir/tests/core_suite.c $top_srcdir/tests/ledger.c
	$top_srcdir/tests/paths_map.c $top_srcdir/tests/paths_object.c
	$top_srcdir/tests/paths_region.c $top_srcdir/tests/paths_shared.c
	$top_srcdir/tests/paths_string.c $top_srcdir/tests/paths_vec.c
	$top_srcdir/tests/freestanding/check.c $top_srcdir/tests/freestanding/libc.c
	$tests/default_heap.c $tests/start_wasm32.c"

# compile [FLAG] FILE...
compile()
{
	case $1 in
	-*) flag=$1 && shift ;;
	*) flag= ;;
	esac
	for source in "$@"
	do
		# shellcheck disable=SC2086
		$WASM_COMPILE $flag -DHEAP_BYTES=3145728 -I"$top_srcdir/tests/freestanding" \
			-I"$top_srcdir/tests" -c "$source" -o "$(basename "$source" .c).o" || return
	done
}

# shellcheck disable=SC2086
expect "the tests of the core compile" 0 - - compile $core
expect "and link" 0 - - $WASM_LD --no-entry --gc-sections --export=machine_main \
	-z stack-size=131072 --stack-first ./*.o "$WASM_DIR/libchic_alloc_wasm32.a" -o core.wasm
expect "and pass" 0 '^[0-9]+ tests passed' - "$NODE" "$tests/core.mjs" core.wasm
grep -E ' (calls|bytes) ' out | grep -v '^default ' >"$WASM_DIR/counters"
expect "the layouts are as asserted" 0 - - compile "$top_srcdir/tests/abi_runtime.c"

link="$WASM_LD --no-entry --gc-sections --export=machine_main"
for malloc in '' -DNO_MALLOC
do
	# shellcheck disable=SC2086
	expect "beside a malloc: compiled ${malloc:-with one}" 0 - - \
		compile $malloc "$tests/beside_malloc.c" "$tests/start_wasm32.c"
	# shellcheck disable=SC2086
	expect "beside a malloc: linked" 0 - - $link beside_malloc.o start_wasm32.o \
		"$WASM_DIR/libchic_alloc_wasm32.a" -o beside.wasm
	expect "beside a malloc: the first pages are whose they are" 0 - - \
		"$NODE" "$tests/core.mjs" beside.wasm
done

script memory
script hooks
if command -v wat2wasm >/dev/null
then
	expect "client.wat is assembled" 0 - - wat2wasm "$tests/client.wat" -o client.wasm
	script shared client.wasm
else
	echo "SKIP: no wat2wasm (Debian: wabt)"
	skipped=yes
fi

# The lines of doc/other-machines.md: what its comment says is what they print.
sed -n '/^## WebAssembly/,/^## /{/^```js/,/^```/p}' "$top_srcdir/doc/other-machines.md" | grep -v '^```' |
	sed "s|'./chic_alloc.mjs'|'$WASM_DIR/chic_alloc.mjs'|" >example.mjs
equal "the lines of doc/other-machines.md" "$(sed -n 's|.*// ||p' example.mjs)" "$NODE" example.mjs
expect "they are not empty" 0 '' '' test "$(wc -l <example.mjs)" -eq 7

size=$(wc -c <"$WASM_DIR/chic_alloc.wasm")
expect "the module has $size bytes, less than 14 KiB" 0 '' '' test "$size" -lt 14336

finish || exit 1
[ -z "${skipped:-}" ] || exit 77
