# SPDX-License-Identifier: BSD-2-Clause
#
# What whole programs do in the measurements, by size; sourced by those scripts.

# work_sql ROWS [TIMES]: a table made, searched, indexed and cut down, for sqlite3
work_sql()
{
	for time in $(seq "${2:-1}")
	do
		cat <<-SQL
		CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c REAL);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
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
		for my \$i (1 .. $1) { push @{\$h{\$i % 5000}}, "value \$i" }
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
