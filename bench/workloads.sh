# SPDX-License-Identifier: BSD-2-Clause
#
# What whole programs do in the measurements, by size; sourced by those scripts.
# BENCH_SCALE divides all sizes, for a run that only shows that all runs.
# shellcheck shell=sh

# scaled NUMBER
scaled()
{
	echo $((($1 + ${BENCH_SCALE:-1} - 1) / ${BENCH_SCALE:-1}))
}

# work_sql ROWS [TIMES]: a table made, searched, indexed and cut down, for sqlite3
work_sql()
{
	for time in $(seq "${2:-1}")
	do
		cat <<-SQL
		CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c REAL);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $(scaled $1))
		INSERT INTO t SELECT i, 'row ' || i, i * 0.5 FROM n;
		SELECT count(*), sum(length(b)) FROM t WHERE b LIKE '%7%';
		CREATE INDEX x ON t(b);
		DELETE FROM t WHERE a % 3 = 0;
		SELECT max(b) FROM t;
		DROP TABLE t;
		SQL
	done
}

# work_perl STRINGS [TIMES]: a hash of arrays of strings, which are sorted
work_perl()
{
	cat <<-PERL
	for (1 .. ${2:-1}) {
		my %h;
		for my \$i (1 .. $(scaled $1)) { push @{\$h{\$i % 5000}}, "value \$i" }
		print scalar(map { sort @\$_ } values %h), "\\n";
	}
	PERL
}

# work_c TREE: one of its sources, preprocessed, for the compiler proper: what gcc starts
# for each source would be start-up three times
work_c()
{
	gcc -E -I"$1/include" -I"$1/loader" "$1/loader/elf.c"
}

# optimised LEVEL: the compiler's option
optimised()
{
	if [ "${BENCH_SCALE:-1}" = 1 ]; then echo "-O$1"; else echo -O0; fi
}

# work_lua TABLES: small tables and strings, most of which are dropped soon
work_lua()
{
	cat <<-LUA
	local t = {}
	for i = 1, $(scaled $1) do t[i % 5000 + 1] = {i, tostring(i), {i}} end
	print(#t)
	LUA
}

# work_mariadb ROWS: a table made, searched, grouped and sorted, for a server in bootstrap
work_mariadb()
{
	cat <<-SQL
	CREATE DATABASE IF NOT EXISTS bench;
	USE bench;
	CREATE OR REPLACE TABLE t (a INT PRIMARY KEY, b VARCHAR(40), c DOUBLE) ENGINE=Aria
		AS SELECT seq AS a, CONCAT('row ', seq) AS b, seq * 0.5 AS c FROM seq_1_to_$(scaled $1);
	SELECT COUNT(*), SUM(LENGTH(b)) FROM t WHERE b LIKE '%7%';
	SELECT LENGTH(GROUP_CONCAT(b ORDER BY c DESC)) FROM t;
	SELECT SUBSTR(b, 1, 8), COUNT(*) FROM t GROUP BY 1 ORDER BY 2 DESC LIMIT 3;
	DROP TABLE t;
	SQL
}
