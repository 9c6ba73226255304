#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Programs that link libchic_rt: in C++ and Rust, structs by value and hooks of their own;
# a host with hooks of its own; the stacks of a configuration.

set -u
: "${top_srcdir:?}" "${CHIC_ALLOC_LIBDIR:?}" "${CC:=cc}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
export LD_LIBRARY_PATH="$CHIC_ALLOC_LIBDIR"

# expect NAME WANTED GOT
expect()
{
	if [ "$2" = "$3" ]; then
		echo "ok - $1"
	else
		printf 'not ok - %s\n# expected:\n%s\n# got:\n%s\n' "$1" "$2" "$3"
		failed=1
	fi
}

printf '[allocator]\nmodule = counting, guard\n' >"$work/conf"

$CC -Wall -Wextra -Werror -I"$top_srcdir/include" "$top_srcdir/tests/linked/rt_host.c" \
	-o "$work/host" -L"$CHIC_ALLOC_LIBDIR" -Wl,--as-needed -lchic_rt -lchic_alloc || exit 1
expect "a host with hooks of its own links without clash, and they serve" \
	"layer counting
layer guard
layer default
own calls 5, the library's 0" "$(CHIC_ALLOC_CONF=$work/conf "$work/host" 2>&1)"

stacks='arena
guard
counting
counting,guard
counting,arena
guard,arena'

# under_modules NAME PROGRAM WANTED: the stack comes from the configuration
under_modules()
{
	printf '[allocator]\nmodule = %s\n' "$stack" >"$work/stack"
	expect "$1 under $stack" "$3" \
		"$(CHIC_ALLOC_CONF=$work/stack "$2" "$work/stack" 2>&1 | tail -n 1)"
}

if [ -x tests/rt_client ]; then
	for stack in $stacks; do
		under_modules "a client in C++" tests/rt_client \
			"layer $(echo "$stack" | sed 's/,/, layer /'), layer default, all is well"
	done
fi

if ! command -v rustc >/dev/null; then
	echo "SKIP: no rustc, the client in Rust was not tried"
	[ $failed = 0 ] && exit 77
	exit 1
fi
if rustc --edition 2021 -O "$top_srcdir/tests/rt_client.rs" -o "$work/client" \
	-L "$CHIC_ALLOC_LIBDIR" -l chic_rt -l chic_alloc >"$work/rustc" 2>&1
then
	expect "a client in Rust" "rust: all is well" "$("$work/client" 2>&1)"
	for stack in $stacks; do
		under_modules "a client in Rust" "$work/client" "rust: all is well"
	done
else
	expect "rustc compiles the client" "" "$(cat "$work/rustc")"
fi
exit $failed
