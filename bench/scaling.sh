#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What becomes of the costs when there is more of it: threads, live blocks, layers of a
# stack, installs.
#
#	bench/scaling.sh [ROUNDS [LIBRARY]]
#
# Run in the build tree; CHIC_ALLOC_PRELOAD, CHIC_ALLOC_MODULEDIR and CHIC_ALLOC_LIBDIR
# name installed ones.  Medians of paired ratios with their 95% intervals; "again" is the
# reference a second time, the noise.

rounds=${1:-9}
library=${2:-libmimalloc.so.2}
srcdir=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd)
libdir=${CHIC_ALLOC_LIBDIR:-$PWD/.libs}
modules=${CHIC_ALLOC_MODULEDIR:-$PWD/modules/.libs}
preload=${CHIC_ALLOC_PRELOAD:-$PWD/.libs/libchic_alloc_preload.so}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. "$srcdir/bench/lib.sh"
. "$srcdir/bench/workloads.sh"

must_exist "$preload" "$modules/counting.so" "$libdir/libchic_alloc.so"
compile interleave threads live
${CC:-cc} -O2 -pthread -I"$srcdir/include" "$srcdir/bench/installs.c" -o "$tmp/installs" \
	-L"$libdir" -lchic_alloc || exit 1

# ours NAME STACK [TELEMETRY]: the environment that makes a program use it
ours()
{
	printf '[allocator]\nlog = stderr\non_error = fail\nmodule = %s\n' "$2" >"$tmp/$1.conf"
	[ $# -lt 3 ] || echo "telemetry = $3" >>"$tmp/$1.conf"
	printf '[module counting]\npath = %s/counting.so\n' "$modules" >>"$tmp/$1.conf"
	for layer in layer1 layer2 layer3 layer4
	do
		printf '[module %s]\npath = %s/%s.so\n' $layer "$tmp" $layer
	done >>"$tmp/$1.conf"
	echo "LD_PRELOAD=$preload|CHIC_ALLOC_CONF=$tmp/$1.conf"
}

for layer in layer1 layer2 layer3 layer4
do
	${CC:-cc} -O2 -fPIC -shared -DLAYER=$layer -I"$srcdir/include" "$srcdir/bench/layer.c" \
		-o "$tmp/$layer.so" || exit 1
done
vendor=
if has_library "$library"
then
	vendor=yes
else
	echo "== $library: skipped, it is not installed"
fi

# ---------------------------------------------------------------- threads ----

# threads NAME ENVIRONMENT
threads()
{
	BENCH_SUBJECT="threads, $1"
	export BENCH_SUBJECT
	candidates "1 thread=N=1|$2" "again=N=1|$2" "2 threads=N=2|$2" "4 threads=N=4|$2" \
		"8 threads=N=8|$2"
	echo "== $BENCH_SUBJECT"
	# shellcheck disable=SC2016
	BENCH_CPU='' run_interleaved "-v pairs/us $rounds" -- sh -c 'exec "$0" $N "$1"' \
		"$tmp/threads" "$(scaled 1000000)" || exit 1
}

threads platform ''
threads "platform, calls" "$(ours calls default calls)"
threads "platform, full" "$(ours full default full)"
threads counting "$(ours counting counting)"
[ -z "$vendor" ] || threads "${library%%.so*}, calls" "$(ours vendor "$library" calls)"

# ------------------------------------------------------------ live blocks ----

candidates none= again= "calls=$(ours calls default calls)" "full=$(ours full default full)" \
	"counting=$(ours counting counting)" \
	"$([ -z "$vendor" ] || echo "${library%%.so*}=LD_PRELOAD=$library")" \
	"$([ -z "$vendor" ] || echo "${library%%.so*}-by-us=$(ours vendor "$library" calls)")"
BENCH_SUBJECT=live
export BENCH_SUBJECT
most=10000000
[ "${BENCH_SCALE:-1}" = 1 ] || most=100000
echo "== live blocks"
INTERLEAVE_RAW="$tmp/live.raw" run_interleaved "-v ns $(((rounds + 1) / 2))" -- \
	"$tmp/live" $most || exit 1
# What an operation costs with all of them to one with a hundredth, and that to the same
# without us: caches are in both.
awk -v most=$most "$statistics"'
	BEGIN { few = most / 100; what = "growth from " few " to " most " blocks" }
	{ ns[$1, $2, $4 == "live," ? $5 : $4] = $3; names[$1]; if ($2 > last) last = $2 }
	function growth(name, i) { return ns[name, i, most] / ns[name, i, few] }
	END {
		for (name in names) {
			for (i = 0; i <= last; i++)
				ratio[i + 1] = growth(name, i) / growth("none", i)
			m = median(ratio, last + 1)
			low = ratio[low_of(last + 1)]
			high = ratio[last + 2 - low_of(last + 1)]
			printf "%s: %s: %.3f [%.3f, %.3f]\n", what, name, m, low, high
			if (name != "none")
				emit("live, " what, name, "none", "ratio", m, low, high)
		}
	}' "$tmp/live.raw"

# ----------------------------------------------------------------- layers ----

candidates "0 layers=$(ours layers0 default off)" "again=$(ours layers0 default off)" \
	"1 layer=$(ours layers1 "layer1, default" off)" \
	"2 layers=$(ours layers2 "layer1, layer2, default" off)" \
	"3 layers=$(ours layers3 "layer1, layer2, layer3, default" off)" \
	"4 layers=$(ours layers4 "layer1, layer2, layer3, layer4, default" off)"
BENCH_SUBJECT=layers
echo "== layers that forward"
INTERLEAVE_RAW="$tmp/raw" run_interleaved "-v pairs/us $rounds" -- \
	"$tmp/threads" 1 "$(scaled 3000000)" || exit 1
awk "$statistics"'
	{ at = $1 == "again" ? 2 : 3; ns[$1, $at] = 1000 / $(at + 1); if ($at > last) last = $at }
	function tell(what, from, to,	i, m, low, high) {
		for (i = 0; i <= last; i++)
			each[i + 1] = (ns[to, i] - ns[from, i]) / (to - from)
		m = median(each, last + 1)
		low = each[low_of(last + 1)]
		high = each[last + 2 - low_of(last + 1)]
		printf "%s: %.2f ns a pair [%.2f, %.2f]\n", what, m, low, high
		emit("layers", what, "", "ns", m, low, high)
	}
	END {
		tell("the first layer", 0, 1)
		tell("each layer after the first", 1, 4)
	}' "$tmp/raw"

# --------------------------------------------------------------- installs ----

BENCH_SUBJECT="installs of a table"
echo "== $BENCH_SUBJECT"
where="LD_LIBRARY_PATH=$libdir|CHIC_ALLOC_CONF=/dev/null"
candidates "alone=$where" "again=$where" "beside a thread that allocates=$where|INSTALLS_BUSY=1"
BENCH_CPU='' run_interleaved "-v installs/us $rounds" -- "$tmp/installs" "$(scaled 3000000)"
