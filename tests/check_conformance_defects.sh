#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Modules of which each has one defect: chic-alloc test finds it, and finds nothing
# else.

# shellcheck source=tests/conformance.sh
. "$(dirname "$0")/conformance.sh"

modules=${TEST_MODULE_DIR:-}
if [ -z "$modules" ]; then
	echo "SKIP: TEST_MODULE_DIR: the fixtures are not installed"
	exit 77
fi

# is_in WORD WORDS
is_in()
{
	case " $2 " in
	*" $1 "*) return 0 ;;
	esac
	return 1
}

# defect NAME FAILS MAY_FAIL PATTERN [ARGUMENT...]: the cases that must fail, those
# that chance decides about, and what the diagnostics say
defect()
{
	name=$1 must=$2 may=$3 pattern=$4
	shift 4
	run_test --work 0.05 "$@" "$modules/conform_$name.so"
	if [ $status -ne 1 ]; then
		not_ok "$name" "status $status, expected 1"
		return
	fi
	if ! whole; then
		not_ok "$name" "not whole TAP"
		return
	fi
	for line in $must; do
		if ! is_in "$line" "$(failed)"; then
			not_ok "$name" "failed '$(failed)', expected '$must'"
			return
		fi
	done
	for line in $(failed); do
		if ! is_in "$line" "$must $may"; then
			not_ok "$name" "failed '$(failed)', expected '$must' and at most '$may'"
			return
		fi
	done
	if grep -Eq "^# $pattern" out; then
		ok "$name"
	else
		not_ok "$name" "no diagnostic matches '$pattern'"
	fi
}

passes "nothing is wrong" "kind on_top lower_fails" --work 0.05 "$modules/conform_sound.so"
passes "nor with a filter" "owns reset params" --work 0.05 "$modules/good_filter.so"

run_test "$modules/wrong_abi.so"
if [ $status -eq 1 ] && grep -q '^not ok 1 - metadata$' out &&
	grep -q '^Bail out! .*found abi 2, expected 1$' out && ! grep -q '^ok ' out; then
	ok "wrong_abi: nothing of it is run"
else
	not_ok "wrong_abi: nothing of it is run" "status $status"
fi

defect misaligned "alignment" "" "block of .* with align 131072: expected a multiple of 131072"
defect hangs "sizes" "" "not done after 15 seconds" --timeout 15
defect huge_succeeds "overflow" "" "alloc.size 184467.*: answered 0x.*, expected null"
defect overlaps "lifetimes as_lower program" \
	"overflow threads cross_free thread_exit fork memory_limit lifecycle reset" \
	"block of .*: lies over a live block of"
defect realloc_loses "realloc" "lifetimes program" "block of .*: realloc did not keep it"
defect realloc_frees "overflow realloc twins memory_limit program" "" \
	"block of .*: it was changed by a realloc that failed"
defect zeroed_dirty "zeroed program" "" \
	"alloc_zeroed of .*: it is what an earlier block left there"
defect usable_lies "usable_size" "" ""
defect owns_everything "owns" "" "owns answered true for a block of the platform heap"
defect filter_moves "kind" "" "block of .*: not a block of the lower layer"
defect no_errno "twins" "" "malloc.PTRDIFF_MAX.: errno is 0, expected 12"
defect not_thread_safe "threads cross_free program" "thread_exit fork" "seed 1"
defect thread_exit_frees "thread_exit" "threads cross_free fork program" \
	"block of .*: it was changed by somebody else"
defect fork_deadlocks "fork" "program" "the forked child was not done after" --timeout 20
defect limit_crashes "memory_limit" "" "the process died of SIGSEGV"
defect leaks "memory_limit growth" "" "medium blocks: memory grew by"
defect exit_crashes "lifecycle as_lower" "" "in the main thread: exit"
defect one_instance "lifecycle" "" "two instances at the same time"
defect reset_miscounts "reset" "" "reset answered 1, expected"
defect range_too_wide "params" "" "with conform_range_too_wide.slab=1G"
defect lower_unchecked "memory_limit lower_fails" "" "while request .* to the lower layer fails"
defect mallocs "program" "" "the process died of SIGSEGV"

finish
