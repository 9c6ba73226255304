#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# doc/writing-a-module.md says what is true.  Its blocks of C that are marked acme.c
# are the template's source, whole and in order, and the filter in chic-module(7)
# compiles and serves a program.  What both tell to type is check_docs.sh's.

set -u
umask 022
top_srcdir=$(cd "${top_srcdir:-.}" && pwd)
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 99
: >out
: >err
# shellcheck source=tests/lib.sh
. "$top_srcdir/tests/lib.sh"

# The blocks marked acme.c, less empty lines, are the file less empty lines.
mkdir steps
awk -v page=0 -v steps=steps -f "$top_srcdir/tests/docs/cut.awk" \
	"$top_srcdir/doc/writing-a-module.md" || exit 99
for name in steps/*.name
do
	[ "$(cat "$name")" != acme.c ] || cat "${name%.name}.file"
done | sed '/^$/d' >told
sed '/^$/d' "$top_srcdir/modules/template/acme.c" >is
expect "the tutorial shows the whole of acme.c (> the tutorial)" 0 - - diff is told

if [ -n "${CHIC_ALLOC:-}" ]; then
	sed -n '/^\.Sh EXAMPLES/,/^\.Ed/p' "$top_srcdir/man/chic-module.7" |
		sed -n '/^#include/,/^\.Ed/p' | sed '/^\.Ed/d; s/\\e/\\/g' >tally.c
	expect "the filter in chic-module(7) compiles" 0 - - ${CC:-cc} -O2 -Wall -Wextra -Werror \
		-fPIC -shared -I"$top_srcdir/include" -o tally.so tally.c
	expect "and serves a program" 0 '^tally\.so$' - env CHIC_ALLOC_CONF= "$CHIC_ALLOC" \
		run -m "$tmp/tally.so" -o allocator.on_error=fail grep -om1 'tally\.so' /proc/self/maps
fi
finish
