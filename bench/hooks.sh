#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What the hooks cost over the platform heap: a pair through them against a pair of malloc
# and free, in several processes, because where a process has its code decides much.
#
#	bench/hooks.sh [PROCESSES]
#
# Run in the build tree.  Prints medians over the processes, and the geometric mean of the
# ratios.

processes=${1:-15}
srcdir=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd)
libdir=${CHIC_ALLOC_LIBDIR:-$PWD/.libs}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

${CC:-cc} -O2 -fno-builtin -I"$srcdir/include" "$srcdir/bench/hooks.c" -o "$tmp/hooks" \
	-L"$libdir" -lchic_alloc || exit 1
echo '[allocator]' >"$tmp/conf"
for i in $(seq "$processes")
do
	LD_LIBRARY_PATH=$libdir CHIC_ALLOC_CONF=$tmp/conf "$tmp/hooks" || exit 1
done >"$tmp/all"

# median WORDS COLUMN
median()
{
	grep "^$1 " "$tmp/all" | cut -d' ' -f"$2" | sort -n | sed -n "$(((processes + 1) / 2))p"
}
for size in 16 64 256 1024
do
	echo "pair $size: malloc and free $(median "pair $size" 3) ns, hooks" \
		"$(median "pair $size" 4) ns, ratio $(median "pair $size" 5)"
done
awk '/^pair/ { log_sum += log($5); n++ } END { printf "all pairs: ratio %.3f\n", exp(log_sum / n) }' \
	"$tmp/all"
echo "install: $(median install 2) ns"
