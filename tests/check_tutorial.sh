#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# doc/writing-a-module.md says what is true.  Its blocks of C that are marked acme.c
# are the template's source, whole and in order, and the filter in chic-module(7)
# compiles and serves a program.  What both tell to type is check_docs.sh's.

set -u
umask 022
top_srcdir=$(cd "${top_srcdir:-.}" && pwd)
page=$top_srcdir/doc/writing-a-module.md
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
steps=$tmp/steps work=$tmp/me
mkdir "$work"
passed=0 failed=0

pass()
{
	passed=$((passed + 1))
	echo "ok - $1"
}

fail()
{
	failed=$((failed + 1))
	echo "not ok - $1"
	sed 's/^/# /' "$2"
}

# The blocks marked acme.c, less empty lines, are the file less empty lines.
check_source()
{
	for name in "$steps"/*.name
	do
		[ "$(cat "$name")" != acme.c ] || cat "${name%.name}.file"
	done | sed '/^$/d' >"$tmp/said"
	sed '/^$/d' "$top_srcdir/modules/template/acme.c" >"$tmp/is"
	if [ -s "$tmp/is" ] && diff "$tmp/is" "$tmp/said" >"$tmp/diff"; then
		pass "the tutorial shows the whole of acme.c"
	else
		fail "the tutorial shows the whole of acme.c (< the file, > the tutorial)" "$tmp/diff"
	fi
}

check_filter()
{
	sed -n '/^\.Sh EXAMPLES/,/^\.Ed/p' "$top_srcdir/man/chic-module.7" |
		sed -n '/^#include/,/^\.Ed/p' | sed '/^\.Ed/d; s/\\e/\\/g' >"$work/tally.c"
	if ${CC:-cc} -O2 -Wall -Wextra -Werror -fPIC -shared -I"$top_srcdir/include" \
		-o "$work/tally.so" "$work/tally.c" >"$tmp/output" 2>&1 &&
		CHIC_ALLOC_CONF='' "$CHIC_ALLOC" run -m "$work/tally.so" -o allocator.on_error=fail \
			grep -om1 'tally\.so' /proc/self/maps >"$tmp/output" 2>&1 &&
		[ "$(cat "$tmp/output")" = tally.so ]
	then
		pass "the filter in chic-module(7) works"
	else
		fail "the filter in chic-module(7) works" "$tmp/output"
	fi
}

mkdir "$steps"
awk -v page=0 -v steps="$steps" -f "$top_srcdir/tests/docs/cut.awk" "$page" || exit 99
check_source
[ -z "${CHIC_ALLOC:-}" ] || check_filter
echo "$passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
