#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What a program costs that no rule names, under a preload meant for the whole
# machine: instructions of whole programs, counted by valgrind's callgrind, over
# the same without a preload.  They repeat, so that one run each is enough.
#
#	bench/norule.sh [SECONDS]
#
# SECONDS is about how long each program runs natively; callgrind takes some fifty
# times as long.  CHIC_ALLOC_PRELOAD names an installed library.

seconds=${1:-1}
srcdir=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd)
preload=${CHIC_ALLOC_PRELOAD:-$PWD/.libs/libchic_alloc_preload.so}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

[ -r "$preload" ] || { echo "norule.sh: $preload is missing, expected a build" >&2; exit 1; }
command -v valgrind >/dev/null || { echo "norule.sh: valgrind is not installed" >&2; exit 77; }
printf '[program nobody]\nmodule = counting\n' >"$tmp/norule.conf"

# compare NAME COMMAND...
compare()
{
	name=$1
	shift
	command -v "$1" >/dev/null || { echo "$name: skipped, $1 is not installed"; return; }
	{
		env LD_PRELOAD= valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@"
		env "LD_PRELOAD=$preload" "CHIC_ALLOC_CONF=$tmp/norule.conf" \
			valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@"
	} 2>&1 >/dev/null | awk -v name="$name" '/Collected/ { n[++i] = $NF }
		END { printf "%-10s %14.0f  %14.0f  %.4f\n", name, n[1], n[2], n[2] / n[1] }' |
		tee -a "$tmp/ratios"
}

rows=$((seconds * 300000))
cat >"$tmp/sql" <<SQL
CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c REAL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $rows)
INSERT INTO t SELECT i, 'row ' || i, i * 0.5 FROM n;
SELECT count(*), sum(length(b)) FROM t WHERE b LIKE '%7%';
CREATE INDEX x ON t(b);
DELETE FROM t WHERE a % 3 = 0;
SELECT max(b) FROM t;
SQL
cat >"$tmp/hash.pl" <<PERL
my %h;
for my \$i (1 .. $((seconds * 900000))) { push @{\$h{\$i % 5000}}, "value \$i" }
print scalar(map { sort @\$_ } values %h), "\n";
PERL
cat >"$tmp/json.py" <<PYTHON
import json
d = {str(i): [i] * 5 for i in range($((seconds * 150000)))}
print(len(json.dumps(json.loads(json.dumps(d)), indent=1)))
PYTHON

printf '%-10s %14s  %14s\n' program 'no preload' 'no rule'
compare sqlite3 sqlite3 :memory: ".read $tmp/sql"
compare perl perl "$tmp/hash.pl"
compare python3 /usr/bin/python3 "$tmp/json.py"
PYTHONMALLOC=malloc
export PYTHONMALLOC
compare python3-malloc /usr/bin/python3 "$tmp/json.py"
unset PYTHONMALLOC
gcc -E -I"$srcdir/include" -I"$srcdir/loader" "$srcdir"/loader/elf.c \
	-o "$tmp/elf.i" && compare gcc "$(gcc -print-prog-name=cc1)" -quiet -O3 -fpreprocessed "$tmp/elf.i" -o "$tmp/elf.s"
[ ! -e "$srcdir/.git" ] || compare git git -C "$srcdir" log -p --stat -C -C -n $((seconds * 60))
awk '{ sum += log($NF); n++ } END { printf "%-10s %14s  %14s  %.4f\n", "geomean", "", "", exp(sum / n) }' \
	"$tmp/ratios"
