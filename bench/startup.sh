#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What the preload library adds to the start of a program that does nothing:
# exec to exit, interleaved, in microseconds over no preload at all.
#
#	bench/startup.sh [ROUNDS [PRELOAD]]
#
# PRELOAD is an installed libchic_alloc_preload.so.  In a build tree the dynamic
# linker searches folders that an installed library does not cost; so the
# figures that count are those of a library in a folder of the linker's cache.

rounds=${1:-2000}
preload=${2:-${CHIC_ALLOC_PRELOAD:-$PWD/.libs/libchic_alloc_preload.so}}
srcdir=${top_srcdir:-$(dirname "$0")/..}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. "$srcdir/bench/lib.sh"

must_exist "$preload"
compile interleave
echo 'int main(void) { return 0; }' >"$tmp/nothing.c"
${CC:-cc} -O2 -o "$tmp/nothing" "$tmp/nothing.c" || exit 1
for module in counting arena
do
	printf '[allocator]\nmodule = %s\nlog = stderr\non_error = fail\n' $module \
		>"$tmp/$module.conf"
done
printf '[program nobody]\nmodule = counting\n' >"$tmp/no-rule.conf"

echo 'int one = 1;' >"$tmp/one.c"
${CC:-cc} -O2 -fPIC -shared -o "$tmp/one.so" "$tmp/one.c" || exit 1

set -- none= again= "one=LD_PRELOAD=$tmp/one.so" \
	"disabled=LD_PRELOAD=$preload|CHIC_ALLOC_DISABLE=1"
for library in libmimalloc.so.2 libmimalloc.so.2.0 libmimalloc.so.3
do
	LD_PRELOAD=$library "$tmp/nothing" 2>&1 | grep -q . && continue
	set -- "$@" "mimalloc=LD_PRELOAD=$library"
	break
done
modules=${CHIC_ALLOC_MODULEDIR:+|CHIC_ALLOC_MODULEDIR=$CHIC_ALLOC_MODULEDIR}
for conf in no-rule counting arena
do
	set -- "$@" "$conf=LD_PRELOAD=$preload|CHIC_ALLOC_CONF=$tmp/$conf.conf$modules"
done
"$tmp/interleave" "$rounds" "$@" -- "$tmp/nothing" || exit 1

# Instructions repeat where times do not; the dynamic linker's are among them.
command -v valgrind >/dev/null || {
	echo "== instructions: skipped, valgrind is not installed"
	exit
}
candidates "$@"
while IFS="=" read -r name environment
do
	# shellcheck disable=SC2046
	(IFS='|'; exec env $environment valgrind --tool=callgrind \
		--callgrind-out-file=/dev/null "$tmp/nothing") 2>&1 </dev/null |
		awk -v name="$name" "$statistics"'/Collected/ {
			printf "%-20s %9d instructions\n", name, $NF
			emit("instructions", name, "", "instructions", $NF, $NF, $NF)
		}'
done <"$tmp/candidates"
