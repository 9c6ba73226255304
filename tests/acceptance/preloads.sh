# SPDX-License-Identifier: BSD-2-Clause
#
# Programs that are preloads themselves, with their library before ours in LD_PRELOAD and
# then behind it.

# Inside of their program: puts its library aside and goes on.
aside='theirs=$LD_PRELOAD; export theirs; unset LD_PRELOAD; exec "$@"'
# Inside of ours: both libraries, in the order that is asked for.
together='case $1 in
before) LD_PRELOAD=$theirs${LD_PRELOAD:+:$LD_PRELOAD} ;;
behind) LD_PRELOAD=${LD_PRELOAD:+$LD_PRELOAD:}$theirs ;;
esac
export LD_PRELOAD
cat /proc/self/maps >"maps.$1"
shift
exec "$@"'

# both_orders "THEIR PROGRAM" COMMAND PREFIX...
both_orders()
{
	wrapper=$1 command=$2
	shift 2
	for order in before behind
	do
		echo "their library $order ours" >>output
		$wrapper sh -c "$aside" sh "$@" sh -c "$together" sh $order \
			sh -c "$command" >>output 2>&1 || return
		for file in maps.*
		do
			grep -q 'lib\(fakeroot\|faketime\|eatmydata\).*\.so' "$file" ||
				{ echo "their library is not in $file"; return 1; }
		done
	done
}

# Owners and devices that are not on the disk, also in forked children and archives.
job_fakeroot()
{
	both_orders "fakeroot --" 'set -e
		rm -rf tree && mkdir tree && cd tree
		echo text >file && chown 12:34 file && mknod null c 1 3
		stat -c "%n %u:%g %F" file null
		id -u
		tar --mtime=@0 -cf ../tree.tar file null && tar -tvf ../tree.tar
		sort ../tree.tar | cksum
		python3 -c "import os; os.chown(\"file\", 56, 78); print(os.stat(\"file\").st_uid)"
		stat -c "%n %u:%g %F" file' "$@"
}

# A clock that stands still, in C and in the threads and children of a real batch.
job_faketime()
{
	both_orders "env FAKETIME_FMT=%s faketime -f 1577934245" 'set -e
		date "+%F %T"
		python3 -c "import time; print(time.time(), time.localtime()[:6])"
		perl -e "print time, qq(\n)"' "$@"
}

# With it, fsync succeeds where it cannot.
job_eatmydata()
{
	both_orders "eatmydata --" 'set -e
		python3 -c "import os; print(os.fsync(os.pipe()[1]))"
		rm -f data.db
		seq 2000 | sed "1i CREATE TABLE t(n PRIMARY KEY);
			s/.*/INSERT INTO t VALUES(&);/" | sqlite3 data.db
		sqlite3 data.db .dump | cksum' "$@"
}
