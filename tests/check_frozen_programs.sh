#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Modules as release 0.1 built them (tests/abi) under programs: an unmodified one
# with the preload library, one that links the library, and the command.

set -u
: "${top_srcdir:?}" "${top_builddir:?}" "${CHIC_ALLOC:?}" "${CHIC_ALLOC_LIBDIR:?}" "${CC:=cc}"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
modules=$top_builddir/tests/abi/.libs
filter=$modules/release_0_1_filter.so
failed=0
unset CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS CHIC_ALLOC_RUN CHIC_ALLOC_DISABLE LD_PRELOAD
export LD_LIBRARY_PATH="$CHIC_ALLOC_LIBDIR"
export CHIC_ALLOC_CONF="$work/conf" CHIC_ALLOC_MODULEDIR="$modules"

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

# The files that stand for old binaries know nothing of today's headers.
for file in frozen.h release_0_1_heap.c release_0_1_filter.c; do
	expect "$file includes no header of the project" "" \
		"$(grep -E '#include.*(chic|internal)' "$top_srcdir/tests/abi/$file")"
done

probe=$top_srcdir/tests/abi/probe.c
$CC -Wall -Wextra -Werror -fno-builtin "$probe" -o "$work/plain" -pthread -ldl || exit 1
$CC -Wall -Wextra -Werror -DLINKED -I"$top_srcdir/include" "$probe" -o "$work/linked" \
	-L"$CHIC_ALLOC_LIBDIR" -lchic_alloc -pthread -ldl || exit 1

cat >"$work/conf" <<'INI'
[allocator]
module = release_0_1_filter, release_0_1_heap
on_error = fail
log = stderr

[module release_0_1_filter]
on = no
count = 42
bytes = 8K
output = some text
mode = slow
INI

forks='prefork 1
postfork_parent 1'
for telemetry in full calls off; do
	expect "an unmodified program, telemetry = $telemetry" "malloc 1
calloc 1
memalign 1
remalloc 1
mfree 3
$forks
good" "$("$CHIC_ALLOC" run -o allocator.telemetry=$telemetry -- "$work/plain" "$filter" 2>&1)"
done

expect "a linked program" "alloc 1
alloc_zeroed 1
realloc 1
free 2
$forks
good" "$("$work/linked" "$filter" 2>&1)"

# The oldest module on top of today's, and below them.
today=$top_builddir/modules/.libs
for stack in "$filter, $today/arena.so" "$today/counting.so, $today/guard.so, $filter"; do
	expect "in the stack of $(echo "$stack" | sed "s|[^ ]*/||g; s/\.so//g")" good \
		"$("$CHIC_ALLOC" run -m "$stack" -- "$work/plain" "$filter" 2>&1 | tail -n 1)"
done

expect "what the old filter says of itself" "1
filter
0.1.0
filter of release 0.1" "$(for field in abi kind version description; do
	"$CHIC_ALLOC" info -F $field "$filter"
done 2>&1)"

# A module of a later release that needs what is not there.
"$CHIC_ALLOC" run -m newer_needs echo started >"$work/out" 2>"$work/err"
expect "a module that needs more is refused" "1 0 1" \
	"$? $(wc -l <"$work/out") $(grep -c "needs the symbol 'future_hook'" "$work/err")"
expect "one that can do without is not" "started" \
	"$("$CHIC_ALLOC" run -m newer_heap echo started 2>&1)"

exit $failed
