#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Time and pages of a million allocations of random sizes in WebAssembly: wasi-libc's
# dlmalloc, the heap of libchic_alloc_wasm32.a through the hooks with counters on, and
# without them.
#
#	bench/wasm.sh [ROUNDS]
#
# Run in the build tree of a ./configure --enable-wasm, or with CHIC_ALLOC_WASM naming
# the archive.

rounds=${1:-11}
srcdir=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
archive=${CHIC_ALLOC_WASM:-$PWD/wasm/libchic_alloc_wasm32.a}
clang=${WASM_CC:-clang}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' INT TERM HUP

[ -r "$archive" ] || {
	echo "wasm.sh: $archive is missing, expected a build with --enable-wasm" >&2
	exit 77
}

# module NAME FLAGS...
module()
{
	out=$tmp/$1.wasm
	shift
	$clang -O2 -Wall "$srcdir/bench/wasm_heap.c" -nostartfiles -Wl,--no-entry \
		-Wl,--gc-sections -Wl,-s "$@" -o "$out"
}

module dlmalloc --target=wasm32-wasi -mexec-model=reactor -DBENCH_LIBC || {
	echo "wasm.sh: no wasi-libc (Debian: wasi-libc)" >&2
	exit 77
}
module hooks --target=wasm32 -nostdlib -I"$srcdir/include" "$archive" &&
	module heap --target=wasm32 -nostdlib -mbulk-memory -DBENCH_HEAP \
		-I"$srcdir/loader/wasm" "$srcdir/loader/wasm/heap.c" \
		"$srcdir/loader/wasm/grow.c" || exit
wc -c "$tmp"/*.wasm | sed "s|$tmp/||"
"${NODE:-node}" "$srcdir/bench/wasm.mjs" "$rounds" dlmalloc="$tmp/dlmalloc.wasm" \
	hooks="$tmp/hooks.wasm" heap="$tmp/heap.wasm"
