#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What the preload library and its modules take: memory of a program that does nothing,
# of one with a million blocks, and of whole programs; and what the dynamic linker has to
# relocate.
#
#	bench/memory.sh [ROUNDS]
#
# Run in the build tree; CHIC_ALLOC_PRELOAD and CHIC_ALLOC_MODULEDIR name installed ones.
# KiB; "again" is the reference a second time, the noise.

rounds=${1:-9}
srcdir=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd)
preload=${CHIC_ALLOC_PRELOAD:-$PWD/.libs/libchic_alloc_preload.so}
modules=${CHIC_ALLOC_MODULEDIR:-$PWD/modules/.libs}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. "$srcdir/bench/lib.sh"
. "$srcdir/bench/workloads.sh"

must_exist "$preload" "$modules/arena.so" "$modules/counting.so"
compile interleave memory

# ours NAME SECTION STACK
ours()
{
	printf '[%s]\nmodule = %s\non_error = fail\n' "$2" "$3" >"$tmp/$1.conf"
	for module in arena counting
	do
		printf '[module %s]\npath = %s/%s.so\n' $module "$modules" $module
	done >>"$tmp/$1.conf"
	echo "$1=LD_PRELOAD=$preload|CHIC_ALLOC_CONF=$tmp/$1.conf|$tls"
}

# jemalloc wants more static TLS than there is when it is opened later
tls=GLIBC_TUNABLES=glibc.rtld.optional_static_tls=4096

# peer NAME LIBRARY: it alone, and through us
peer()
{
	if has_library "$2"; then
		echo "$1=LD_PRELOAD=$2"
		ours "$1-by-us" allocator "$2"
	else
		echo "$1: skipped, no $2" >&2
	fi
}

candidates none= again= "$(ours no-rule 'program nobody' counting)" \
	"$(ours counting allocator counting)" "$(ours arena allocator arena)" \
	"$(peer mimalloc libmimalloc.so.2)" "$(peer jemalloc libjemalloc.so.2)"

# blocks NAME BLOCKS
blocks()
{
	BENCH_SUBJECT=$1
	export BENCH_SUBJECT
	echo "== $1"
	run_interleaved "-v KiB $rounds" -- "$tmp/memory" "$2" || exit 1
}

blocks nothing 0
blocks "a million blocks" "$(scaled 1000000)"

measure=-m
work_sql 200000 >"$tmp/sql"
work_perl 300000 >"$tmp/hash.pl"
time_command sqlite3 sqlite3 :memory: ".read $tmp/sql"
time_command perl perl "$tmp/hash.pl"

# ------------------------------------------------------------- relocations ----

# where_is LIBRARY: the file that the dynamic linker takes
where_is()
{
	LD_TRACE_LOADED_OBJECTS=1 LD_PRELOAD=$1 /bin/true | awk -v name="$1" '$1 == name { print $3 }'
}

# relocations NAME FILE: all of them, and those that a symbol must be looked up for
relocations()
{
	[ -r "$2" ] || return
	readelf -rW "$2" | awk -v name="$1" "$statistics"'
		$3 ~ /^R_/ { all++ }
		$3 ~ /^R_/ && $5 { named++ }
		END {
			printf "%-20s %6d, by symbol %d\n", name, all, named
			emit("relocations", name, "", "count", all, all, all)
			emit("relocations by symbol", name, "", "count", named, named, named)
		}'
}

echo "== relocations"
relocations preload "$preload"
for module in arena counting guard
do
	relocations $module "$modules/$module.so"
done
relocations mimalloc "$(where_is libmimalloc.so.2)"
relocations jemalloc "$(where_is libjemalloc.so.2)"
