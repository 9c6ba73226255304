#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# arena, guard and counting on each other in every order, alone and over every stock
# heap that is installed: an unmodified program and a linked one do under each what they
# do without, and the layers are those that were asked for.  What makes no sense is
# refused, and says why.  Prints TAP.

: "${top_srcdir:?}" "${CHIC_ALLOC_LIBDIR:?}" "${CC:=cc}"
# shellcheck source=tests/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
CHIC_ALLOC_PRESETDIR=${top_builddir:?}/conf/presets
export CHIC_ALLOC_PRESETDIR
no_conf

compiled $CC -I"$top_srcdir/include" "$top_srcdir/tests/linked/auto.c" -o auto \
	-L"$CHIC_ALLOC_LIBDIR" -lchic_alloc

orders='arena
guard
counting
arena, guard
guard, arena
arena, counting
counting, arena
guard, counting
counting, guard
arena, guard, counting
arena, counting, guard
guard, arena, counting
guard, counting, arena
counting, arena, guard
counting, guard, arena'

# linked STACK...: the layers that a linked program sees, and its counters
linked()
{
	LD_LIBRARY_PATH=$CHIC_ALLOC_LIBDIR CHIC_ALLOC_MODULE=$1 ./auto
}

expected()
{
	echo "$1" | tr -d ' ' | tr ',' '\n' | sed 's/^/layer /'
	printf 'layer default\nalloc 1/100 realloc 1/300 free 1/400\n'
}

# Many blocks of many sizes, in an order that is always the same.
cat >words.awk <<'AWK'
BEGIN {
	srand(1)
	for (i = 0; i < 3000; i++)
		word[int(rand() * 1000)] = word[int(rand() * 1000)] i
	for (i = 0; i < 1000; i++)
		sum += length(word[i]) * i
	print sum
}
AWK
plain=$(awk -f words.awk)

# serve STACK
serve()
{
	equal "linked: $1" "$(expected "$1")" linked "$1"
	equal "unmodified: $1" "$plain" "$chic" run -m "$1" awk -f words.awk
}

heaps=
for heap in jemalloc mimalloc tcmalloc tbbmalloc
do
	if "$chic" run -m $heap true 2>err
	then
		heaps="$heaps $heap"
	else
		skip "$heap below" "not installed"
	fi
done

printf '%s\n' "$orders" >orders
while read -r order <&3
do
	serve "$order"
	for heap in $heaps
	do
		equal "unmodified: $order, $heap" "$plain" \
			"$chic" run -m "$order, $heap" awk -f words.awk
	done
done 3<orders

# ---- what makes no sense ----

# A stock heap asks nobody, whatever it is called.
for module in arena guard counting
do
	for heap in $heaps
	do
		refused "$heap over $module" \
			"module '$module' below '$heap', which is a heap and never asks it, expected the heap last$" \
			"$chic" run -m "$heap, $module" sh -c ': >started'
	done
	refused "$module twice" \
		"repeated module, got '$module' again, expected each module once in a stack$" \
		"$chic" run -m "$module, $module" sh -c ': >started'
	refused "the platform heap over $module" "'default' before '$module', expected it last: the platform heap has nothing below it$" \
		"$chic" run -m "default, $module" sh -c ': >started'
done
refused "counting twice, with another between" \
	"repeated module, got 'counting' again, expected each module once in a stack$" \
	"$chic" run -m "counting, guard, counting" sh -c ': >started'
finish
