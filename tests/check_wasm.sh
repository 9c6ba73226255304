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

# The lines of README.md: what its comment says is what they print.
sed -n '/^## WebAssembly/,/^## /{/^```js/,/^```/p}' "$top_srcdir/README.md" | grep -v '^```' |
	sed "s|'./chic_alloc.mjs'|'$WASM_DIR/chic_alloc.mjs'|" >readme.mjs
equal "the lines of README.md" "$(sed -n 's|.*// ||p' readme.mjs)" "$NODE" readme.mjs
expect "they are not empty" 0 '' '' test "$(wc -l <readme.mjs)" -eq 7

size=$(wc -c <"$WASM_DIR/chic_alloc.wasm")
expect "the module has $size bytes, less than 14 KiB" 0 '' '' test "$size" -lt 14336

finish || exit 1
[ -z "${skipped:-}" ] || exit 77
