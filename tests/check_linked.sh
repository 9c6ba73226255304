#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Programs that link the shared library: the configuration applied without a
# line of code, the program that says no, the host with hooks of its own; by the
# C compiler of the build, against the headers as they are installed.

set -u
: "${CHIC_ALLOC_CONFDIR:=/nonexistent}" "${top_srcdir:?}" "${top_builddir:?}" "${CHIC_ALLOC_LIBDIR:?}" "${CC:=cc}"
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

for program in auto manual host secure dlopened reset; do
	$CC -Wall -Wextra -Werror -I"$top_srcdir/include" \
		"$top_srcdir/tests/linked/$program.c" -o "$work/$program" \
		-L"$CHIC_ALLOC_LIBDIR" -Wl,--as-needed -lchic_alloc -pthread -ldl || exit 1
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

# However the program that says no is compiled and linked.
for flags in -fvisibility=hidden '-fvisibility=hidden -fPIE -pie -Wl,-z,now -Wl,--as-needed' \
	'-no-pie -fno-pie' '-fdata-sections -ffunction-sections -Wl,--gc-sections' \
	'-O2 -flto' '-fuse-ld=lld -fvisibility=hidden -fdata-sections -Wl,--gc-sections'
do
	# shellcheck disable=SC2086
	if ! $CC $flags -I"$top_srcdir/include" "$top_srcdir/tests/linked/manual.c" \
		-o "$work/manual-flags" -L"$CHIC_ALLOC_LIBDIR" -lchic_alloc 2>/dev/null
	then
		echo "ok - # SKIP the compiler does not know $flags"
		continue
	fi
	expect "saying no, compiled with $flags" "before default" \
		"$("$work/manual-flags" 2>&1 | head -n 1)"
done

expect "a program opens the library in a thread that ends" "layer counting
layer guard
layer default
alloc 2/111" "$("$work/dlopened" "$CHIC_ALLOC_LIBDIR/libchic_alloc.so.0" 2>&1)"

expect "switched off by the environment" "layer default
$counters" "$(CHIC_ALLOC_DISABLE=1 "$work/auto" 2>&1)"

# Whoever starts a program that gains privileges says nothing about its allocator.
as_nobody()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups env "$@" 2>&1
}

secure_execution()
{
	chmod 755 "$work"
	$CC -I"$top_srcdir/include" "$top_srcdir/tests/linked/secure.c" -o "$work/gains" \
		-L"$CHIC_ALLOC_LIBDIR" -Wl,-rpath,"$(realpath "$CHIC_ALLOC_LIBDIR")" \
		-lchic_alloc || exit 1
	expect "nobody's program takes nobody's configuration" "secure 0
layer counting
layer guard
layer default" "$(as_nobody "$work/gains")"
	chown 1000 "$work/gains" && chmod 4755 "$work/gains"
	if [ "$(as_nobody "$work/gains" | head -n 1)" != "secure 1" ]; then
		echo "ok - # SKIP secure execution: setuid has no effect here"
		return
	fi
	[ ! -e "$CHIC_ALLOC_CONFDIR/chic-alloc.conf" ] || {
		echo "ok - # SKIP secure execution: this system has a configuration"
		return
	}
	expect "secure execution ignores CHIC_ALLOC_CONF and names from the program" "secure 1
layer default
named -13" "$(as_nobody "$work/gains" "$conf")"
	expect "secure execution ignores all other variables" "secure 1
layer default" "$(as_nobody -u CHIC_ALLOC_CONF CHIC_ALLOC_MODULE=arena CHIC_ALLOC_RUN=1 \
		CHIC_ALLOC_OPTIONS=allocator.module=counting "$work/gains")"
}

if [ "$(id -u)" != 0 ] || ! as_nobody true >"$work/err"; then
	echo "ok - # SKIP secure execution: not root, or no setpriv"
elif ! as_nobody test -x "$(realpath "$CHIC_ALLOC_LIBDIR")/libchic_alloc.so.0"; then
	echo "ok - # SKIP secure execution: the build folder is closed to others"
else
	secure_execution
fi

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

expect "a linked program drops what it has" "0, dropped 1000" \
	"$(CHIC_ALLOC_CONF='' CHIC_ALLOC_MODULE=arena "$work/reset" 2>&1)"
expect "which counting above forgets" "0, dropped 1000
live-blocks 0
live-bytes 0
total-bytes 100000" "$(CHIC_ALLOC_CONF='' CHIC_ALLOC_MODULE=counting,arena \
	CHIC_ALLOC_OPTIONS=counting.summary=yes "$work/reset" 2>"$work/report"
	tr -s ' ' <"$work/report" | grep -E '^(live|total)-b(lock|yte)s [0-9]' |
		grep -v total-blocks)"
expect "but not where its malloc goes through the stack as well" \
	"-1, dropped 0
found an unmodified program's malloc, expected a program that links the library: \
its blocks are not its own to drop" "$(CHIC_ALLOC_CONF='' CHIC_ALLOC_MODULE=arena \
	LD_PRELOAD="$CHIC_ALLOC_PRELOAD" "$work/reset" 2>&1)"

$CC -shared -fPIC -DRUNTIME -I"$top_srcdir/include" "$top_srcdir/tests/linked/runtime.c" \
	-o "$work/libruntime.so" &&
	$CC -I"$top_srcdir/include" "$top_srcdir/tests/linked/runtime.c" -o "$work/runtime" \
		-L"$work" -lruntime -Wl,-rpath,"$work" || exit 1
expect "a host's runtime in a library keeps its hooks under the preload library" \
	"runtime's calls 2" "$(CHIC_ALLOC_CONF='' CHIC_ALLOC_MODULE=counting \
	LD_PRELOAD="$CHIC_ALLOC_PRELOAD" "$work/runtime" 2>&1)"

exit $failed
