# SPDX-License-Identifier: BSD-2-Clause
#
# What the scripts here share; sourced by those that have set srcdir, tmp and rounds.
# shellcheck shell=sh

# An interrupted script ends by its trap for EXIT.
trap 'exit 143' INT TERM HUP

# must_exist FILE...: that a build has made
must_exist()
{
	for file in "$@"
	do
		[ -r "$file" ] || {
			echo "${0##*/}: $file is missing, expected a build" >&2
			exit 1
		}
	done
}

# compile NAME...: programs of one source in bench/, to $tmp
compile()
{
	for program in "$@"
	do
		${CC:-cc} -O2 -fno-builtin -pthread -I"$srcdir/include" -o "$tmp/$program" \
			"$srcdir/bench/$program.c" || exit 1
	done
}

# has_library SONAME-OR-PATH: whether the dynamic linker finds it
has_library()
{
	! LD_TRACE_LOADED_OBJECTS=1 LD_PRELOAD=$1 /bin/true 2>&1 | grep -q 'cannot be preloaded'
}

# candidates NAME=ENV...: whom time_command compares, the first is the reference
candidates()
{
	printf '%s\n' "$@" | grep . >"$tmp/candidates"
}

# run_interleaved OPTIONS -- COMMAND...: with these candidates
run_interleaved()
{
	tac "$tmp/candidates" >"$tmp/reversed"
	options=$1
	shift
	while IFS= read -r candidate
	do
		set -- "$candidate" "$@"
	done <"$tmp/reversed"
	# shellcheck disable=SC2086
	"$tmp/interleave" $options "$@"
}

# time_command NAME COMMAND...: by the clock; measure=-c or -m says otherwise
time_command()
{
	BENCH_SUBJECT=$1
	export BENCH_SUBJECT
	shift
	command -v "$1" >/dev/null || {
		echo "== $BENCH_SUBJECT: skipped, $1 is not installed"
		return
	}
	echo "== $BENCH_SUBJECT"
	[ ! -e "$tmp/raw" ] || echo "program $BENCH_SUBJECT" >>"$tmp/raw"
	run_interleaved "${measure:-} $rounds" -- "$@" 2>"$tmp/err" || tail -n 3 "$tmp/err"
}

# For awk: medians, which sort, and a line of results as bench/stats.h writes it.
# shellcheck disable=SC2034
statistics='
function median(list, n,	i, j, t) {
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
			t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
		}
	return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}
# where the 95% interval of a median begins in a sorted list
function low_of(n,	at) {
	at = int((n - 1) * 0.5 - 0.98 * sqrt(n) / 2 * (n - 1) / n + 1.5)
	return at < 1 ? 1 : at
}
function emit(subject, candidate, reference, unit, m, low, high) {
	if (ENVIRON["BENCH_RESULTS"])
		printf "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", ENVIRON["BENCH_GROUP"], subject,
			candidate, reference, unit, m, low, high >>ENVIRON["BENCH_RESULTS"]
}'
