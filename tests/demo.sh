#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The main job, to be watched: an INI file decides which allocator sqlite3 and
# python3 use, and neither is rebuilt.  CHIC_ALLOC is the command to show; the
# folder for the demo's files is the first argument.
# Exits 1 as soon as something is not as it says.

set -u
chic=${CHIC_ALLOC:-chic-alloc}
work=$1
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 2

bold='' normal=''
[ ! -t 1 ] || bold=$(printf '\033[1m') normal=$(printf '\033[0m')

say()
{
	printf '\n%s# %s%s\n' "$bold" "$*" "$normal"
}

# Show a command, then run it.
show()
{
	printf '$ %s\n' "$*"
	"$@" || die "that was exit status $?"
}

die()
{
	echo "demo.sh: $*" >&2
	exit 1
}

say "The modules that are installed"
show "$chic" list

say "An INI file: count what the program does, and put guard pages behind its blocks"
cat >stack.ini <<INI
[allocator]
module = counting, guard
on_error = fail

[module counting]
summary = yes
output = $work/summary.%p
INI
cat stack.ini

say "What it means, with the origin of each setting"
show "$chic" config -c stack.ini

say "sqlite3 without us, and under that stack: the same answer"
cat >script.sql <<'SQL'
CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
INSERT INTO t SELECT i, 'name ' || (i * 7919 % 10007) FROM n;
DELETE FROM t WHERE id % 3 = 0;
SELECT count(*), min(name), max(name), sum(id) FROM t;
SQL
printf '$ sqlite3 <script.sql\n'
sqlite3 <script.sql | tee plain || die "sqlite3 failed without us"
printf '$ %s run -c stack.ini -- sqlite3 <script.sql\n' "$chic"
"$chic" run -c stack.ini -- sqlite3 <script.sql | tee output || die "sqlite3 failed under us"
cmp plain output || die "the answers differ"

say "What counting saw"
cat summary.* || die "no summary was written"
rm -f summary.*

say "python3 (PYTHONMALLOC=malloc) shows what is mapped into it, and its result"
cat >job.py <<'PY'
import json
print(sum(len(json.dumps({"n": list(range(i))})) for i in range(1000)))
for line in open("/proc/self/maps"):
    if "r-xp" in line and "chic" in line or "/modules/" in line and "r-xp" in line:
        print(line.split()[-1])
PY
printf '$ %s run -c stack.ini -- python3 job.py\n' "$chic"
PYTHONMALLOC=malloc "$chic" run -c stack.ini -- python3 job.py | tee output ||
	die "python3 failed under us"
for file in libchic_alloc_preload counting guard
do
	grep -q "/$file\.so" output || die "$file.so is not mapped"
done

say "One word changed in the INI file: another allocator"
sed 's/^module = .*/module = arena/' stack.ini >arena.ini
printf '$ %s run -c arena.ini -- python3 job.py\n' "$chic"
PYTHONMALLOC=malloc "$chic" run -c arena.ini -- python3 job.py | tee output ||
	die "python3 failed under arena"
grep -q '/arena\.so' output || die "arena.so is not mapped"

say "A typing error is told, and the program is not started"
sed 's/^module = .*/module = gaurd/' stack.ini >wrong.ini
printf '$ %s run -c wrong.ini -- echo started\n' "$chic"
"$chic" run -c wrong.ini -- echo started && die "it was started all the same"

say "Done: everything is in $work"
