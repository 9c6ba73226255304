#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What guard finds: one bug per process, under each back end that works here; that the
# others are replaced, and what it must live through.  Prints TAP.

: "${top_srcdir:?}" "${CC:=cc}"
# shellcheck source=tests/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

compiled $CC -O0 -fno-builtin -w "$top_srcdir/tests/guard_bugs.c" -o bugs

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

# innermost DID: the function of the innermost frame below the line of the report that says who did it
innermost()
{
	awk -v did="  $1 by thread " '
		found { sub(/.*\(/, ""); sub(/\+0x.*/, ""); print; exit }
		index($0, did) == 1 && /:$/ { found = 1 }' err
}

# found NAME STATUS KIND PLACE DID BY ALLOCATED FREED COMMAND...: how it ends, what the
# report's first line says, who did it, and who had the block before, by function; "-"
# for a block that was not freed
found()
{
	name=$1 want=$2 headline="$3: .*$4\$" did=$5 by=$6 allocated=$7 freed=${8#-}
	shift 8
	"$@" >out 2>err </dev/null
	status=$?
	if grep -q missed out; then
		not_ok "$name" "the bug was missed"
	elif [ $status -ne "$want" ]; then
		not_ok "$name" "status $status, expected $want"
	elif ! head -n 1 err | grep -Eq "^chic-alloc: guard: $headline"; then
		not_ok "$name" "first line does not match '$headline'"
	elif [ "$(innermost "$did")" != "$by" ]; then
		not_ok "$name" "$did by '$(innermost "$did")', expected '$by'"
	elif [ "$(innermost allocated)" != "$allocated" ]; then
		not_ok "$name" "allocated by '$(innermost allocated)', expected '$allocated'"
	elif [ "$(innermost freed)" != "$freed" ]; then
		not_ok "$name" "freed by '$(innermost freed)', expected '$freed'"
	elif [ "$(grep -c 'guard: ' err)" -ne 1 ]; then
		not_ok "$name" "not one report"
	else
		ok "$name"
	fi
}

# An access that faults: SIGSEGV, whatever the back end.  An abort when it is freed.
fault=139 abort=134
read=access write=access
case $(uname -m) in
x86_64 | i?86) read=read write=write ;;
esac
at='at 0x[0-9a-f]+'

# The rows of the table, with no parameter but the back end.
find_all()
{
	found "$1: write 1 past 64" $fault overflow ", 1 byte past the block of 64 bytes $at" \
		"$write" touch block - under "$2" ./bugs write_1_past_64
	found "$1: read 1 past 64" $fault overflow ", 1 byte past the block of 64 bytes $at" \
		"$read" touch block - under "$2" ./bugs read_1_past_64
	found "$1: write 16 past 64" $fault overflow ", 16 bytes past the block of 64 bytes $at" \
		"$write" touch block - under "$2" ./bugs write_16_past_64
	found "$1: write 1 before" $abort underflow \
		"by free of the block of 64 bytes $at: offset -1 is 0x02, expected 0xc5" \
		free touch block - under "$2" ./bugs write_1_before
	found "$1: write 17 before" $abort underflow \
		"by free of the block of 64 bytes $at: offset -17 is 0x02, expected 0xc5" \
		free touch block - under "$2" ./bugs write_17_before
	found "$1: read after free" $fault 'use after free' \
		"at offset 8 of the freed block of 64 bytes $at" "$read" use_after_free \
		block use_after_free under "$2" ./bugs read_after_free
	found "$1: write after free" $fault 'use after free' \
		"at offset 8 of the freed block of 64 bytes $at" "$write" use_after_free \
		block use_after_free under "$2" ./bugs write_after_free
	found "$1: read after free, late" $fault 'use after free' \
		"at offset 8 of the freed block of 64 bytes $at" "$read" use_after_free \
		block use_after_free under "$2" ./bugs read_after_free_late
	found "$1: write after free, late" $fault 'use after free' \
		"at offset 8 of the freed block of 64 bytes $at" "$write" use_after_free \
		block use_after_free under "$2" ./bugs write_after_free_late
	found "$1: double free" $abort 'double free' \
		"at offset 0 of the freed block of 64 bytes $at" free double_free \
		block double_free under "$2" ./bugs double_free_at_once
	found "$1: double free, late" $abort 'double free' \
		"at offset 0 of the freed block of 64 bytes $at" free double_free \
		block double_free under "$2" ./bugs double_free_late
	found "$1: free inside" $abort 'invalid free' \
		"at offset 16 of the block of 64 bytes $at" free free_interior \
		block - under "$2" ./bugs free_interior
	expect "$1: free of the stack" $abort - 'invalid pointer' under "$2" ./bugs free_stack
	found "$1: write 1 past 61" $abort overflow \
		"by free of the block of 61 bytes $at: offset 61 is 0x02, expected 0xc5" \
		free touch block - under "$2" ./bugs write_1_past_61
	found "$1: write 1 past 13" $abort overflow \
		"by free of the block of 13 bytes $at: offset 13 is 0x02, expected 0xc5" \
		free touch block - under "$2" ./bugs write_1_past_13
	found "$1: write 5,000 past" $fault overflow \
		", 5001 bytes past the block of 64 bytes $at" \
		"$write" touch block - under "$2" ./bugs write_5000_past
	found "$1: write 1 past 4,096" $fault overflow \
		", 1 byte past the block of 4096 bytes $at" \
		"$write" touch block - under "$2" ./bugs write_1_past_4096
	found "$1: write 1 past 200,000" $fault overflow \
		", 1 byte past the block of 200000 bytes $at" \
		"$write" touch block - under "$2" ./bugs write_1_past_200000
	found "$1: read 1 past 61, aligned to bytes" $fault overflow \
		", 1 byte past the block of 61 bytes $at" \
		"$read" touch block - under "$2" align=byte ./bugs read_1_past_61
	found "$1: write 1 before, on the left" $fault underflow \
		", 1 byte before the block of 64 bytes $at" \
		"$write" touch block - under "$2" side=left ./bugs write_1_before
	found "$1: write 17 before, on the left" $fault underflow \
		", 17 bytes before the block of 64 bytes $at" \
		"$write" touch block - under "$2" side=left ./bugs write_17_before
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

expect "a program that survives its faults" 0 '^well$' \
	'guard: faults from here on are not reported$' under ./bugs guarded
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
	for scenario in guarded locked forked closed split crowd given_back calls few_files
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
