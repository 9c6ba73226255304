#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What guard finds: one bug per process, under each back end that works here; that the
# others are replaced, and what it must live through.  Prints TAP.

set -u
umask 022
: "${top_srcdir:?}" "${CC:=cc}"
lib=$(cd "$(dirname "$0")" && pwd)/lib.sh
chic=${CHIC_ALLOC:-chic-alloc}
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
unset CHIC_ALLOC_CONF CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS CHIC_ALLOC_RUN
unset CHIC_ALLOC_DISABLE GLIBC_TUNABLES LD_PRELOAD
ulimit -c 0
cd "$tmp" || exit 99
# shellcheck source=tests/lib.sh
. "$lib"

$CC -O0 -fno-builtin -w "$top_srcdir/tests/guard_bugs.c" -o bugs 2>err || {
	echo "1..0 # SKIP cannot compile: $(head -n 1 err)"
	exit 77
}

# under OPTIONS... PROGRAM...: options of guard, as KEY=VALUE
under()
{
	while :
	do
		case $1 in
		*=*)
			options="${options:-} -o guard.$1"
			shift
			;;
		*) break ;;
		esac
	done
	# shellcheck disable=SC2086
	"$chic" run -m guard ${options:-} -- "$@"
	status=$?
	options=
	return $status
}

# dies NAME KIND COMMAND...: of an access, or with guard's or the lower heap's words
dies()
{
	name=$1 kind=$2
	shift 2
	"$@" >out 2>err </dev/null
	status=$?
	case $kind in
	access) expected='135 or 139' words= ;;
	*) expected=134 words=$kind ;;
	esac
	if grep -q missed out; then
		not_ok "$name" "the bug was missed"
	elif [ "$kind" = access ] && [ $status -ne 135 ] && [ $status -ne 139 ]; then
		not_ok "$name" "status $status, expected $expected"
	elif [ "$kind" != access ] && [ $status -ne 134 ]; then
		not_ok "$name" "status $status, expected $expected"
	elif [ "$words" ] && ! grep -Eq "$words" err; then
		not_ok "$name" "stderr does not match '$words'"
	else
		ok "$name"
	fi
}

past='guard: write past the block of'
before='guard: write before the block of'

# The rows of the table, with no parameter but the back end.
find_all()
{
	dies "$1: write 1 past 64" access under "$2" ./bugs write_1_past_64
	dies "$1: read 1 past 64" access under "$2" ./bugs read_1_past_64
	dies "$1: write 16 past 64" access under "$2" ./bugs write_16_past_64
	dies "$1: write 1 before" "$before 64 bytes at .*: offset -1 is 0x02, expected" \
		under "$2" ./bugs write_1_before
	dies "$1: write 17 before" "$before 64 bytes at .*: offset -17 is 0x02, expected" \
		under "$2" ./bugs write_17_before
	dies "$1: read after free" access under "$2" ./bugs read_after_free
	dies "$1: write after free" access under "$2" ./bugs write_after_free
	dies "$1: read after free, late" access under "$2" ./bugs read_after_free_late
	dies "$1: write after free, late" access under "$2" ./bugs write_after_free_late
	dies "$1: double free" 'guard: double free of .*, block of 64 bytes' \
		under "$2" ./bugs double_free_at_once
	dies "$1: double free, late" 'guard: double free of .*, block of 64 bytes' \
		under "$2" ./bugs double_free_late
	dies "$1: free inside" 'guard: free of .*, inside the block of 64 bytes' \
		under "$2" ./bugs free_interior
	dies "$1: free of the stack" 'invalid pointer' under "$2" ./bugs free_stack
	dies "$1: write 1 past 61" "$past 61 bytes at .*: offset 61 is 0x02, expected" \
		under "$2" ./bugs write_1_past_61
	dies "$1: write 1 past 13" "$past 13 bytes at .*: offset 13 is 0x02, expected" \
		under "$2" ./bugs write_1_past_13
	dies "$1: write 5,000 past" access under "$2" ./bugs write_5000_past
	dies "$1: write 1 past 4,096" access under "$2" ./bugs write_1_past_4096
	dies "$1: write 1 past 200,000" access under "$2" ./bugs write_1_past_200000
	dies "$1: read 1 past 61, aligned to bytes" access \
		under "$2" align=byte ./bugs read_1_past_61
	dies "$1: write 1 before, on the left" access under "$2" side=left ./bugs write_1_before
	dies "$1: write 17 before, on the left" access \
		under "$2" side=left ./bugs write_17_before
}

# lives BACK-END SCENARIO [COMMAND...]: well, and under which back end
lives()
{
	by=$1 scenario=$2
	shift 2
	expect "$by: $scenario" 0 '^(well|not permitted)$' "; back end ($by)\$" \
		"$@" "$chic" run -m guard ${backend:+-o guard.backend=$backend} \
		-o guard.summary=yes -- ./bugs "$scenario"
}

expect "a program without a bug" 0 '^well$' - under ./bugs guarded
find_all "by itself" sample=1
works=
for backend in userfaultfd madvise mprotect
do
	under backend=$backend summary=yes ./bugs guarded >out 2>err
	serves=$(sed -n 's/.*; back end //p' err)
	if [ "$serves" != $backend ]; then
		expect "$backend does not work here, and says so" 0 '^well$' \
			"backend = $backend: .*; $serves serves" under backend=$backend ./bugs guarded
		continue
	fi
	works="$works $backend"
	find_all $backend backend=$backend
	for scenario in guarded locked forked closed split crowd
	do
		lives $backend $scenario
	done
	[ $backend = mprotect ] || lives $backend live_100000
done
backend=mprotect
expect "mprotect: beyond the mappings blocks are unguarded" 0 '^well$' \
	' [1-9][0-9]* unguarded; back end mprotect$' \
	under backend=mprotect summary=yes ./bugs crowd

# Whose blocks: the library's, the program's, however they are asked for.
if ${CXX:-c++} -O1 -fno-builtin -fPIC -shared -DLIBRARY "$top_srcdir/tests/guard_library.cc" \
	-o libasks.so.1 2>err &&
	${CXX:-c++} -O1 -fno-builtin "$top_srcdir/tests/guard_library.cc" -o asks ./libasks.so.1 \
		2>>err
then
	for way in malloc calloc realloc memalign strdup new string
	do
		expect "dso = libasks.so, its $way" 0 '^library guarded, program not$' - \
			under dso=libasks.so ./asks $way
		expect "dso = asks, its $way" 0 '^program guarded, library not$' - \
			under dso=asks ./asks $way
	done
	expect "dso = of nobody" 0 '^neither$' - under dso=libask.so ./asks malloc
else
	skip "dso" "no C++ compiler: $(head -n 1 err)"
fi

# What the system forbids, from the start or later.
case $works in
*madvise*) second=madvise ;;
*) second=mprotect ;;
esac
backend=
lives $second guarded ./bugs kill
lives $second forked ./bugs kill
lives mprotect guarded ./bugs deny-all
expect "a back end that is forbidden says so" 0 '^well$' \
	"backend = userfaultfd: Operation not permitted; $second serves" \
	./bugs deny "$chic" run -m guard -o guard.backend=userfaultfd -- ./bugs guarded
expect "both" 0 '^well$' "backend = userfaultfd: Operation not permitted; mprotect serves" \
	./bugs deny-all "$chic" run -m guard -o guard.backend=userfaultfd -- ./bugs guarded
lives "$second|mprotect" forbidden
lives mprotect forbidden_all

finish
