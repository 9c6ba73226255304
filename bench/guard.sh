#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What guarding every block costs, without stacks but for one line, beside the peers that
# are installed; and what a guard costs whole programs that guards one block in 5,000.
#
#	bench/guard.sh [ROUNDS [pairs] [memory] [programs]]
#
# Run in the build tree; CHIC_ALLOC_PRELOAD and CHIC_ALLOC_MODULEDIR name installed
# ones.  The first table has medians; then, per peer, medians of the ratio of guard to
# the peer within one round.  "again" is guard a second time: what it is off from 1 is
# noise.  A back end that the system has not is skipped.

rounds=${1:-9}
[ $# -eq 0 ] || shift
parts=${*:-pairs memory programs}
srcdir=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd)
preload=${CHIC_ALLOC_PRELOAD:-$PWD/.libs/libchic_alloc_preload.so}
modules=${CHIC_ALLOC_MODULEDIR:-$PWD/modules/.libs}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. "$srcdir/bench/lib.sh"
. "$srcdir/bench/workloads.sh"

must_exist "$preload" "$modules/guard.so"
compile guard interleave

# ---------------------------------------------------------- candidates ----

# ours NAME [KEY=VALUE...]
ours()
{
	printf '[allocator]\nlog = %s/log\nmodule = guard\n[module guard]\npath = %s\n' \
		"$tmp" "$modules/guard.so" >"$tmp/$1.conf"
	candidate=$1=LD_PRELOAD=$preload\|CHIC_ALLOC_CONF=$tmp/$1.conf
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" >>"$tmp/${candidate%%=*}.conf"
	env LD_PRELOAD="$preload" CHIC_ALLOC_CONF="$tmp/${candidate%%=*}.conf" true
	if [ -s "$tmp/log" ]; then
		echo "${candidate%%=*}: skipped: $(head -n 1 "$tmp/log")" >&2
		rm "$tmp/log"
	else
		echo "$candidate"
	fi
}

# peer NAME LIBRARY [ENVIRONMENT]: if the dynamic linker finds that
peer()
{
	if [ "$2" ] && has_library "$2"; then
		echo "$1=LD_PRELOAD=$2${3+|$3}"
	else
		echo "$1: skipped, not installed" >&2
	fi
}

scudo=$(find /usr/lib/llvm-*/lib/clang -name "libclang_rt.scudo_standalone-$(uname -m).so" \
	2>/dev/null | tail -n 1)
dislocator=$(find /usr/lib -name libdislocator.so 2>/dev/null | head -n 1)
gwp=GWP_ASAN_Enabled=true:GWP_ASAN_SampleRate=1:GWP_ASAN_MaxSimultaneousAllocations=65536
{
	ours guard stacks=off
	ours again stacks=off
	ours userfaultfd stacks=off backend=userfaultfd
	ours madvise stacks=off backend=madvise
	ours mprotect stacks=off backend=mprotect
	ours with-stacks
	peer electric-fence libefence.so.0 EF_DISABLE_BANNER=1
	peer duma libduma.so.0 DUMA_DISABLE_BANNER=1
	peer gwp-asan "$scudo" "SCUDO_OPTIONS=$gwp"
	peer libdislocator "$dislocator"
} >"$tmp/guards"
candidates=$(sed 's/=.*//' "$tmp/guards")
all_ours=$(echo "$candidates" | grep -xE 'guard|userfaultfd|madvise|mprotect|with-stacks')

# under NAME COMMAND...: in the environment of a candidate, what it writes last
under()
{
	environment=$(sed -n "s/^$1=//p" "$tmp/guards" | tr '|' '\n')
	shift
	# shellcheck disable=SC2086
	env $environment timeout 60 "$@" 2>"$tmp/err" | tail -n 1
}

# --------------------------------------------------------------- pairs ----

time_rounds()
{
	for round in $(seq "$rounds")
	do
		for who in $(echo "$candidates" | shuf)
		do
			for what in pair batch threads
			do
				echo "$round $who $what $(under "$who" "$tmp/guard" $what)"
			done
		done
	done
}

medians()
{
	awk -v order="$(echo "$candidates" | tr '\n' ' ')" "$statistics"'
	function cell(who, what, ratio,		i, k) {
		k = 0
		for (i = 1; i <= rounds; i++)
			if ((i, who, what) in value && (i, "guard", what) in value)
				list[++k] = (ratio ? value[i, "guard", what] : 1) / value[i, who, what]
		if (!k)
			return "-"
		m = median(list, k)
		low = list[low_of(k)]
		high = list[k + 1 - low_of(k)]
		if (!ratio)
			emit("64 bytes, " what, who, "", "ns", 1 / m, 1 / high, 1 / low)
		else if (who != "guard")
			emit("64 bytes, " what, "guard", who, "ratio", m, low, high)
		return ratio ? sprintf("%.3f", m) : sprintf("%.0f", 1 / m)
	}
	function table(title, ratio,	i) {
		printf "%-15s %9s %9s %9s\n", title, "pair", "batch", "2 threads"
		for (i = 1; i <= n; i++)
			printf "%-15s %9s %9s %9s\n", names[i], cell(names[i], "pair", ratio),
				cell(names[i], "batch", ratio), cell(names[i], "threads", ratio)
	}
	NF == 4 { value[$1, $2, $3] = $4; rounds = $1 }
	END {
		n = split(order, names, " ")
		table("nanoseconds", 0)
		table("guard to", 1)
	}'
}

measure_pairs()
{
	echo "== malloc, touch and free of 64 bytes"
	time_rounds >"$tmp/all"
	medians <"$tmp/all"
	echo "== ms for reallocs of 17 bytes more: 100,000, of peers 2,000 and what these are of ours"
	for who in $candidates
	do
		case $who in
		guard | again | userfaultfd | madvise | mprotect | with-stacks) n=100000 ;;
		*) n=2000 ;;
		esac
		echo "$who $n $(under "$who" "$tmp/guard" realloc $n)"
	done
	echo "guard 2000 $(under guard "$tmp/guard" realloc 2000)"
}

# -------------------------------------------------------------- memory ----

# least COMMAND...: of three runs
least()
{
	for _ in 1 2 3
	do
		"$@"
	done | sort -n | head -n 1
}

measure_memory()
{
	echo "== KiB of memory with 20,000 blocks of 64 bytes, and of this what is no file's"
	for who in $candidates
	do
		echo "$who $(least under "$who" "$tmp/guard" rss 20000)" |
			awk "$statistics"'NF == 2 { emit("20,000 live blocks", $1, "", "KiB", $2, $2, $2) }
				{ print }'
	done
	echo "== KiB with 20,000 blocks live, and with all of them freed and inaccessible"
	for who in $all_ours
	do
		echo "$who $(under "$who" "$tmp/guard" freed 20000)"
	done
	echo "== blocks that can be live of a million, and mappings then"
	for who in $candidates
	do
		! echo summary=yes >>"$tmp/$who.conf"
		echo "$who $(under "$who" "$tmp/guard" live 1000000)$(sed -n 's/^.*pid.*: /; /p' "$tmp/err")"
	done 2>/dev/null
	echo "vm.max_map_count $(cat /proc/sys/vm/max_map_count)"
}

# ------------------------------------------------------------ programs ----

# Without a module, nothing is counted; so neither with it.
configure()
{
	printf '[allocator]\nlog = none\ntelemetry = off\n' >"$tmp/$1.conf"
	printf '%s\n' "$2" >>"$tmp/$1.conf"
	echo "$1=LD_PRELOAD=$preload|CHIC_ALLOC_CONF=$tmp/$1.conf"
}

# sampled NAME N: none of a billion is what the module costs that guards nothing
sampled()
{
	configure "$1" "module = guard
[module guard]
path = $modules/guard.so
sample = $2"
}

measure_programs()
{
	# short runs and many of them: what a machine does meanwhile is then the same for all
	work_sql 100000 1 >"$tmp/sql"
	work_perl 300000 1 >"$tmp/hash.pl"
	work_c "$srcdir" >"$tmp/elf.i"
	cat >"$tmp/tables.lua" <<-LUA
		for n = 1, 6 do
			local t = {}
			for i = 1, $(scaled 60000) do t[i % 5000 + 1] = {i, tostring(i), {i}} end
			print(#t)
		end
	LUA
	PERL_HASH_SEED=0
	export PERL_HASH_SEED
	echo "== one block in 5,000 guarded"
	candidates "$(configure heap 'module = default')" "$(configure again 'module = default')" \
		"$(sampled sampled 5000)" "$(sampled never 1000000000)"
	time_command sqlite3 sqlite3 :memory: ".read $tmp/sql"
	time_command perl perl "$tmp/hash.pl"
	time_command lua lua5.4 "$tmp/tables.lua"
	time_command gcc "$(gcc -print-prog-name=cc1)" -quiet "$(optimised 2)" \
		-fpreprocessed "$tmp/elf.i" -o "$tmp/elf.s"
	[ ! -e "$srcdir/.git" ] || time_command git git -C "$srcdir" log -p --stat -n "$(scaled 100)"
}

for part in $parts
do
	"measure_$part"
done
