# SPDX-License-Identifier: BSD-2-Clause
#
# Programs of every day: sqlite3, git, sort, man.

case $size in
full) statements=100000 commits=1000 lines=1000000 ;;
small) statements=5000 commits=100 lines=100000 ;;
esac

# A script of inserts, selects and deletes, one statement each.
make_sqlite3()
{
	awk -v n="$statements" 'BEGIN {
		print "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, body BLOB);"
		print "CREATE INDEX names ON t(name); BEGIN;"
		for (i = 1; i <= n; i++) {
			if (i % 10 < 7)
				printf "INSERT INTO t VALUES(%d, %cname %d%c, zeroblob(%d) || %d);\n",
					i, 39, i * 7919 % 10007, 39, i % 300, i
			else if (i % 10 < 9)
				printf "SELECT count(*), max(name) FROM t WHERE name > %cname %d%c AND id > %d;\n",
					39, i * 31 % 10000, 39, i - 50
			else
				printf "DELETE FROM t WHERE id = %d;\n", i - 5
		}
		print "COMMIT; SELECT count(*), sum(length(body)), min(name), max(name) FROM t;"
		print "PRAGMA integrity_check;"
	}' >"$work/script.sql"
}

job_sqlite3()
{
	"$@" sqlite3 data.db <"$work/script.sql" >output 2>&1 || return
	sqlite3 data.db .dump >output.dump
}

# A history of small changes in forty files.
make_git()
{
	awk -v n="$commits" 'BEGIN {
		for (i = 1; i <= n; i++) {
			text = ""
			for (j = 0; j < 40; j++)
				text = text "line " j " of revision " (j % 5 ? i - i % (j + 1) : i) "\n"
			printf "commit refs/heads/main\nmark :%d\n", i
			printf "author A U Thor <author@example.org> %d +0000\n", 1600000000 + i * 60
			printf "committer A U Thor <author@example.org> %d +0000\n", 1600000000 + i * 60
			message = "change " i "\n"
			printf "data %d\n%s\n", length(message), message
			printf "M 100644 inline folder%d/file%d\ndata %d\n%s\n",
				i % 4, i % 40, length(text), text
		}
	}' >"$work/history"
	git init -q -b main "$work/repo" && git -C "$work/repo" fast-import --quiet <"$work/history"
}

job_git_log()
{
	"$@" git -C "$work/repo" log -p >output 2>&1
}

job_git_gc()
{
	cp -r "$work/repo" repo
	"$@" git -C repo gc --quiet >output 2>&1 || return
	git -C repo fsck --full >output.fsck 2>&1
	git -C repo log -p >output.log 2>&1
	git -C repo count-objects -v | grep -E '^(count|in-pack|packs):' >output.count
}

make_sort()
{
	awk -v n="$lines" 'BEGIN {
		for (x = i = 1; i <= n; i++) {
			x = (x * 16807) % 2147483647
			print x, "line", i
		}
	}' >"$work/lines"
}

job_sort()
{
	"$@" sort --parallel=2 "$work/lines" >output 2>&1
}

# Its filters run in a sandbox of system calls, where counting cannot make a file for
# its summary and says so on stderr.
job_man()
{
	"$@" man -P cat -l "$top/man/chic-module.7" >output 2>errors
}
