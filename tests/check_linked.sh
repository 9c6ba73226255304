#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Programs that link the shared library: the configuration applied without a
# line of code, the program that says no, the host with hooks of its own; by the
# C compiler of the build, against the headers as they are installed.

set -u
: "${top_srcdir:?}" "${top_builddir:?}" "${CHIC_ALLOC_LIBDIR:?}" "${CC:=cc}"
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

for program in auto manual host; do
	$CC -Wall -Wextra -Werror -I"$top_srcdir/include" \
		"$top_srcdir/tests/linked/$program.c" -o "$work/$program" \
		-L"$CHIC_ALLOC_LIBDIR" -lchic_alloc || exit 1
done

conf=$work/conf
printf '[allocator]\nmodule = counting, guard\n' >"$conf"
export CHIC_ALLOC_CONF="$conf"

counters='alloc 1/100 realloc 1/300 free 1/400'
expect "a linked program gets the stack without a line of code" \
	"layer counting
layer guard
layer default
$counters" "$("$work/auto" 2>&1)"

expect "a program that says no gets the platform heap until it loads" \
	"before default
after counting
after guard
after default" "$("$work/manual" 2>&1)"

expect "a host with hooks of its own keeps them" \
	"layer counting
layer guard
layer default
own calls 3" "$("$work/host" 2>&1)"

expect "the environment overrides the stack" \
	"layer arena
layer default
$counters" "$(CHIC_ALLOC_MODULE=arena "$work/auto" 2>&1)"

expect "an empty stack in the environment is the platform heap" \
	"layer default
$counters" "$(CHIC_ALLOC_MODULE='' "$work/auto" 2>&1)"

printf '[allocator]\nmodule = nothing-of-that-name\nlog = stderr\n' >"$conf"
out=$("$work/auto" 2>"$work/err")
expect "a bad configuration leaves the platform heap" "layer default
$counters" "$out"
expect "and says so in one line" 1 "$(wc -l <"$work/err")"

expect "an explicit load is refused with the reason" 1 \
	"$("$work/manual" 2>&1 | grep -c 'refused: .*nothing-of-that-name')"

rm "$conf"
expect "a configuration that is gone leaves the platform heap" "layer default
$counters" "$("$work/auto" 2>/dev/null)"

expect "under the preload library one state serves both" \
	"layer counting
layer default
$counters" "$(CHIC_ALLOC_CONF='' CHIC_ALLOC_MODULE=counting \
	LD_PRELOAD="$CHIC_ALLOC_PRELOAD" "$work/auto" 2>&1)"

exit $failed
