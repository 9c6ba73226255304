#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What counting costs whole programs, over the C library's heap, beside others that
# count or profile.
#
#	bench/counting.sh [ROUNDS]
#
# Run in the build tree; CHIC_ALLOC_PRELOAD and CHIC_ALLOC_MODULEDIR name installed
# ones.  Prints per program the medians of ratios to no preload at all, paired within a
# round, with their 95% intervals; "again" is no preload a second time, the noise.
# Then memory: what a program of 100 MB of small blocks takes more, and two threads
# beside one.

rounds=${1:-15}
srcdir=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd)
preload=${CHIC_ALLOC_PRELOAD:-$PWD/.libs/libchic_alloc_preload.so}
module=${CHIC_ALLOC_MODULEDIR:-$PWD/modules/.libs}/counting.so
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. "$srcdir/bench/lib.sh"
. "$srcdir/bench/workloads.sh"

must_exist "$preload" "$module"
compile interleave threads

# configure NAME KEY=VALUE...
configure()
{
	name=$1
	shift
	printf '[allocator]\nmodule = counting\n[module counting]\npath = %s\n' "$module" \
		>"$tmp/$name.conf"
	[ $# -eq 0 ] || printf '%s\n' "$@" >>"$tmp/$name.conf"
	echo "$name=LD_PRELOAD=$preload|CHIC_ALLOC_CONF=$tmp/$name.conf"
}

# peer NAME LIBRARY ENVIRONMENT: if the dynamic linker finds that
peer()
{
	if has_library "$2"; then
		echo "$1=LD_PRELOAD=$2$3"
	else
		echo "$1: skipped, no $2" >&2
	fi
}

heaptrack=$(ls /usr/lib/heaptrack/libheaptrack_preload.so \
	/usr/lib/*/heaptrack/libheaptrack_preload.so 2>/dev/null | head -n 1)
candidates none= again= "$(configure counting)" "$(configure "sites-512K" "sites = 512K")" \
	"$(configure "interval" "sites = 512K" "interval = 1" "output = $tmp/report.%p")" \
	"$(peer memusage libmemusage.so "")" \
	"$(peer jemalloc libjemalloc.so.2 "")" \
	"$(peer jemalloc-prof libjemalloc.so.2 "|MALLOC_CONF=prof:true,lg_prof_sample:19")" \
	"$(peer heaptrack "${heaptrack:-libheaptrack_preload.so}" "|DUMP_HEAPTRACK_OUTPUT=/dev/null")"

work_sql 200000 >"$tmp/sql"
work_perl 300000 >"$tmp/hash.pl"
work_lua 300000 >"$tmp/tables.lua"

time_command sqlite3 sqlite3 :memory: ".read $tmp/sql"
PERL_HASH_SEED=0; export PERL_HASH_SEED
time_command perl perl "$tmp/hash.pl"
time_command lua lua5.4 "$tmp/tables.lua"
work_c "$srcdir" >"$tmp/elf.i" &&
	time_command gcc "$(gcc -print-prog-name=cc1)" -quiet "$(optimised 2)" \
		-fpreprocessed "$tmp/elf.i" -o "$tmp/elf.s"
[ ! -e "$srcdir/.git" ] || time_command git git -C "$srcdir" log -p --stat -n "$(scaled 100)"

# ---------------------------------------------------------- memory, threads ----

# under NAME COMMAND...: in the environment of a candidate
under()
{
	environment=$(sed -n "s/^$1=//p" "$tmp/candidates" | tr '|' '\n')
	shift
	# shellcheck disable=SC2086
	env $environment "$@" 2>/dev/null
}

tries=$((rounds < 5 ? rounds : 5))
echo "== KiB of memory, 100 MB of blocks of 100 bytes in one thread; the smallest of $tries"
for name in $(sed 's/=.*//' "$tmp/candidates")
do
	for i in $(seq $tries)
	do
		under "$name" "$tmp/threads" memory "$(scaled 1000000)"
	done | sort -n | head -n 1 | awk -v name="$name" "$statistics"'{
		printf "%s\t%d\n", name, $1
		emit("a million blocks of 100 bytes", name, "", "KiB", $1)
	}'
done
echo "== pairs of malloc and free a microsecond, one thread and two; the best of $tries"
pairs=$(scaled 300000)
for name in $(sed 's/=.*//' "$tmp/candidates")
do
	for i in $(seq $tries)
	do
		echo "$(under "$name" "$tmp/threads" 1 "$pairs") $(under "$name" "$tmp/threads" 2 "$pairs")"
	done | awk -v name="$name" "$statistics"'
		{ if ($1 > one) one = $1; if ($2 > two) two = $2 }
		END {
			printf "%s\t%.1f\t%.1f\t%.2f\n", name, one, two, two / one
			emit("two threads", name, "one thread", "ratio", two / one)
		}'
done
