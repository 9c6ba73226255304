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
. "$srcdir/bench/workloads.sh"

for file in "$preload" "$module"
do
	[ -r "$file" ] || { echo "counting.sh: $file is missing, expected a build" >&2; exit 1; }
done
for program in interleave threads
do
	${CC:-cc} -O2 -fno-builtin -pthread -o "$tmp/$program" "$srcdir/bench/$program.c" || exit 1
done

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
	if LD_PRELOAD=$2 ldd /bin/true 2>&1 | grep -q "$(basename "$2") \|$2"; then
		echo "$1=LD_PRELOAD=$2$3"
	else
		echo "$1: skipped, no $2" >&2
	fi
}

heaptrack=$(ls /usr/lib/heaptrack/libheaptrack_preload.so \
	/usr/lib/*/heaptrack/libheaptrack_preload.so 2>/dev/null | head -n 1)
set -- none= again= "$(configure counting)" "$(configure "sites-512K" "sites = 512K")" \
	"$(configure "interval" "sites = 512K" "interval = 1" "output = $tmp/report.%p")" \
	"$(peer memusage libmemusage.so "")" \
	"$(peer jemalloc libjemalloc.so.2 "")" \
	"$(peer jemalloc-prof libjemalloc.so.2 "|MALLOC_CONF=prof:true,lg_prof_sample:19")" \
	"$(peer heaptrack "${heaptrack:-libheaptrack_preload.so}" "|DUMP_HEAPTRACK_OUTPUT=/dev/null")"

# time_command NAME COMMAND...
time_command()
{
	name=$1
	shift
	command -v "$1" >/dev/null || { echo "== $name: skipped, $1 is not installed"; return; }
	echo "== $name"
	printf '%s\n' "$@" >"$tmp/command"
	xargs -a "$tmp/candidates" -d '\n' sh -c 'command=$1 rounds=$2 interleave=$3; shift 3
		xargs -a "$command" -d "\n" "$interleave" "$rounds" "$@" --' \
		sh "$tmp/command" "$rounds" "$tmp/interleave" 2>"$tmp/err" ||
		tail -n 3 "$tmp/err"
	rm -f "$tmp"/report.*
}
printf '%s\n' "$@" | grep . >"$tmp/candidates"

work_sql 200000 >"$tmp/sql"
work_perl 300000 >"$tmp/hash.pl"
cat >"$tmp/tables.lua" <<'LUA'
local t = {}
for i = 1, 300000 do t[i % 5000 + 1] = {i, tostring(i), {i}} end
print(#t)
LUA

time_command sqlite3 sqlite3 :memory: ".read $tmp/sql"
PERL_HASH_SEED=0; export PERL_HASH_SEED
time_command perl perl "$tmp/hash.pl"
time_command lua lua "$tmp/tables.lua"
work_c "$srcdir" >"$tmp/elf.i" &&
	time_command gcc "$(gcc -print-prog-name=cc1)" -quiet -O2 -fpreprocessed "$tmp/elf.i" \
		-o "$tmp/elf.s"
[ ! -e "$srcdir/.git" ] || time_command git git -C "$srcdir" log -p --stat -n 100

# ---------------------------------------------------------- memory, threads ----

# under NAME COMMAND...: in the environment of a candidate
under()
{
	environment=$(sed -n "s/^$1=//p" "$tmp/candidates" | tr '|' '\n')
	shift
	# shellcheck disable=SC2086
	env $environment "$@" 2>/dev/null
}

echo "== KiB of memory, 100 MB of blocks of 100 bytes in one thread; the smallest of three"
for name in $(sed 's/=.*//' "$tmp/candidates")
do
	for i in 1 2 3
	do
		under "$name" "$tmp/threads" memory 1000000
	done | sort -n | head -n 1 | sed "s/^/$name	/"
done
echo "== pairs of malloc and free a microsecond, one thread and two; the best of five"
for name in $(sed 's/=.*//' "$tmp/candidates")
do
	for i in 1 2 3 4 5
	do
		echo "$(under "$name" "$tmp/threads" 1 300000) $(under "$name" "$tmp/threads" 2 300000)"
	done | awk -v name="$name" '{ if ($1 > one) one = $1; if ($2 > two) two = $2 }
		END { printf "%s\t%.1f\t%.1f\t%.2f\n", name, one, two, two / one }'
done
