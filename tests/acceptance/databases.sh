# SPDX-License-Identifier: BSD-2-Clause
#
# Database servers under load.  What is compared is what is in them, also after a restart.

case $size in
full) requests=100000 transactions=2000 ;;
small) requests=2000 transactions=100 ;;
esac

# ----------------------------------------------------------------- redis ----

# Debian's redis-server package only adds a service to what redis-tools brings.
make_redis()
{
	ln -s "$(command -v redis-check-rdb)" "$work/redis-server"
	awk 'BEGIN {
		for (i = 0; i < 5000; i++)
			printf "SET stable:%d value-%d-%0*d\r\nRPUSH list:%d a b %d\r\n",
				i, i * i, i % 90 + 1, i, i % 100, i
	}' >"$work/commands"
}

redis_cli()
{
	redis-cli -s redis.sock "$@"
}

redis_answers()
{
	[ "$(redis_cli ping)" = PONG ]
}

# redis_start PREFIX...: a server in this folder
redis_start()
{
	serve "$@" "$work/redis-server" --port 0 --unixsocket redis.sock --save '' \
		--enable-debug-command yes --daemonize no
	await redis_answers && server_maps redis-server
}

redis_stop()
{
	redis_cli shutdown save >/dev/null
	ended
}

redis_saved()
{
	for _ in $(seq 300)
	do
		redis_cli info persistence | tr -d '\r' >info
		grep -q '^rdb_bgsave_in_progress:0' info && break
		sleep 0.1
	done
	grep '^rdb_last_bgsave_status' info
}

job_redis()
{
	redis_start "$@" >output || return
	redis_cli --pipe <"$work/commands" >/dev/null
	redis-benchmark -s redis.sock -q -n "$requests" \
		-t set,get,incr,lpush,rpop,sadd,hset,zadd,mset >/dev/null &
	benchmark=$!
	sleep 0.2
	redis_cli bgsave >/dev/null
	wait $benchmark || echo "redis-benchmark: $?" >>output
	redis_saved >>output
	redis_cli debug digest >>output
	redis_stop || return
	redis_start "$@" >>output || return
	redis_cli debug digest >>output
	redis_cli get stable:4711 >>output
	redis_cli lrange list:42 0 -1 >>output
	redis_cli dbsize >>output
	redis_stop
}

# ------------------------------------------------------------ postgresql ----

# postgres refuses root, so nobody runs all of it.
as_user()
{
	if [ "$(id -u)" = 0 ]
	then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}

# Clients find the socket in their own folder, whose name may be too long for one.
postgresql_()
{
	as_user psql -h /proc/self/cwd -U tester -d postgres -X -q -A -t "$@"
}

postgresql_answers()
{
	postgresql_ -c 'SELECT 1'
}

postgresql_start()
{
	serve as_user "$@" postgres -D . -k . -c listen_addresses= -c fsync=off \
		-c shared_buffers=32MB
	await postgresql_answers && server_maps postgres
}

# INT: whoever is connected is sent away.
postgresql_stop()
{
	kill -INT "$(head -n 1 postmaster.pid)"
	ended
}

# Sorts, hashes, aggregates, JSON, regular expressions, and an error that is caught.
postgresql_queries()
{
	postgresql_ <<-'SQL'
		CREATE TABLE things AS SELECT n, 'name ' || n * 7919 % 10007 AS name,
			json_build_object('n', n, 'list', ARRAY[n, n + 1], 'text', repeat('x', n % 90)) AS doc
			FROM generate_series(1, 50000) n;
		CREATE INDEX ON things(name);
		ANALYZE things;
		SELECT md5(string_agg(name, ',' ORDER BY name, n)) FROM things;
		SELECT count(DISTINCT a.name), sum(b.n) FROM things a JOIN things b USING (name);
		SELECT sum((doc->>'n')::int), max(length(doc->>'text')) FROM things;
		SELECT count(*) FROM things WHERE name ~ '^name 1.*[37]$';
		SELECT n, rank() OVER (ORDER BY name DESC, n) FROM things ORDER BY 2 LIMIT 3;
		DO $$ BEGIN PERFORM repeat('x', 1000000000) || repeat('y', 1000000000);
		EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'caught %', SQLSTATE; END $$;
		WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 20000)
			SELECT sum(n) FROM t;
	SQL
}

postgresql_contents()
{
	postgresql_ <<-'SQL'
		SELECT 'accounts', count(*), sum(abalance) FROM pgbench_accounts;
		SELECT 'tellers', count(*), sum(tbalance) FROM pgbench_tellers;
		SELECT 'branches', count(*), sum(bbalance) FROM pgbench_branches;
		SELECT 'history', count(*), sum(delta) FROM pgbench_history;
		SELECT name, n, length(doc::text) FROM things WHERE n % 1000 = 7 ORDER BY n;
	SQL
}

# What each of pgbench's clients does is decided by the seed, whoever comes first.
postgresql_bench()
{
	as_user "$@" pgbench -h /proc/self/cwd -U tester -i -s 2 -q postgres \
		>../bench.log 2>&1 || return
	as_user "$@" pgbench -h /proc/self/cwd -U tester -c 4 -j 2 -t "$transactions" \
		--random-seed=42 postgres >>../bench.log 2>&1 || return
	grep -E '^number of|failed' ../bench.log
}

# In the folder of its data.
postgresql_session()
{
	cd data || return
	postgresql_start "$@" || return
	postgresql_bench "$@" || return
	postgresql_queries || return
	postgresql_stop || return
	postgresql_start "$@" || return
	postgresql_contents || return
	as_user "$@" pg_dump -h /proc/self/cwd -U tester -t things postgres |
		grep -v restrict | cksum
	mv maps.server ..
	postgresql_stop
}

job_postgresql()
{
	as_user mkdir data || return
	as_user "$@" initdb -D data -A trust -U tester --no-sync >init.log 2>&1 || return
	postgresql_session "$@" >output 2>&1
}

# --------------------------------------------------------------- mariadb ----

mariadb_()
{
	mariadb --no-defaults -S data/socket -u root "$@"
}

mariadb_start()
{
	serve "$@" mariadbd --no-defaults --datadir="$PWD/data" --socket=socket \
		--pid-file=pid --skip-networking --user="$(id -un)" \
		--innodb-buffer-pool-size=64M --innodb-flush-log-at-trx-commit=0
	await mariadb_ -e 'SELECT 1' && server_maps mariadbd
}

mariadb_stop()
{
	mariadb_ -e SHUTDOWN
	ended
}

# Sorts, joins, JSON, stored procedures, several engines, and an error that is caught.
make_mariadb()
{
	cat >"$work/queries.sql" <<-'SQL'
		CREATE TABLE things(n INT PRIMARY KEY, name VARCHAR(40), doc TEXT, KEY(name));
		INSERT INTO things SELECT seq, CONCAT('name ', seq * 7919 % 10007),
			JSON_OBJECT('n', seq, 'text', REPEAT('x', seq % 90)) FROM seq_1_to_50000;
		SET SESSION group_concat_max_len = 10000000;
		SELECT MD5(GROUP_CONCAT(name ORDER BY name, n)) FROM things;
		SELECT COUNT(DISTINCT a.name), SUM(b.n) FROM things a JOIN things b USING (name);
		SELECT SUM(JSON_VALUE(doc, '$.n')), MAX(LENGTH(JSON_VALUE(doc, '$.text'))) FROM things;
		SELECT COUNT(*) FROM things WHERE name REGEXP '^name 1.*[37]$';
		SELECT n, RANK() OVER (ORDER BY name DESC, n) AS r FROM things ORDER BY r LIMIT 3;
		ALTER TABLE things ADD COLUMN extra INT DEFAULT 7, ADD KEY(extra, n);
		CREATE TABLE kept ENGINE=Aria SELECT * FROM things WHERE n % 3;
		CREATE TEMPORARY TABLE fast(n INT, KEY(n)) ENGINE=MEMORY SELECT n FROM things;
		DELIMITER //
		CREATE PROCEDURE fill(most INT)
		BEGIN
			DECLARE i INT DEFAULT 0;
			DECLARE CONTINUE HANDLER FOR SQLEXCEPTION SET @caught = CONCAT('caught ', i);
			WHILE i < most DO
				INSERT INTO things VALUES(i, 'doubled', '{}', 8);
				SET i = i + 1;
			END WHILE;
		END //
		CREATE PROCEDURE load_(client INT, most INT)
		BEGIN
			DECLARE i INT DEFAULT 0;
			WHILE i < most DO
				START TRANSACTION;
				INSERT INTO shared VALUES(client * 1000000 + i, REPEAT('y', i % 2000), i);
				UPDATE shared SET n = n + 1 WHERE id = client * 1000000 + i DIV 2;
				DELETE FROM shared WHERE id = client * 1000000 + i DIV 3 * 2 + 1 AND i % 3 = 0;
				COMMIT;
				SET i = i + 1;
			END WHILE;
			SELECT client, COUNT(*) FROM shared WHERE id DIV 1000000 = client;
		END //
		DELIMITER ;
		CALL fill(1000);
		SELECT @caught, COUNT(*) FROM things;
		CREATE TABLE shared(id INT PRIMARY KEY, text TEXT, n INT, KEY(n));
	SQL
}

# Its transactions differ from run to run, their number does not.
mariadb_sysbench()
{
	mariadb_ -e 'CREATE DATABASE bench'
	for phase in prepare run
	do
		"$@" sysbench oltp_read_write --db-driver=mysql --mysql-socket=data/socket \
			--mysql-user=root --mysql-db=bench --tables=2 --table-size=10000 \
			--threads=4 --events="$transactions" --time=0 $phase >sysbench.$phase || return
	done
	grep -E 'transactions:|reconnects:|number of events' sysbench.run | sed 's/(.*//'
}

# Clients at the same time, each with rows of its own.
mariadb_clients()
{
	clients=
	for client in 1 2 3 4
	do
		"$@" mariadb --no-defaults -S data/socket -u root -N own \
			-e "CALL load_($client, $transactions)" >client.$client 2>&1 &
		clients="$clients $!"
	done
	for client in $clients
	do
		wait "$client" || echo "a client ended with $?"
	done
	cat client.*
}

mariadb_contents()
{
	mariadb_ -N <<-'SQL'
		CHECK TABLE bench.sbtest1, bench.sbtest2, own.things, own.kept, own.shared;
		SELECT COUNT(*) FROM bench.sbtest1;
		SELECT COUNT(*) FROM bench.sbtest2;
		CHECKSUM TABLE own.things, own.kept, own.shared;
	SQL
}

job_mariadb()
{
	mkdir data
	"$@" mariadb-install-db --no-defaults --datadir="$PWD/data" --skip-test-db \
		--auth-root-authentication-method=normal --user="$(id -un)" \
		>install.log 2>&1 || return
	mariadb_start "$@" >output || return
	mariadb_sysbench "$@" >>output || return
	mariadb_ -e 'CREATE DATABASE own'
	mariadb_ own <"$work/queries.sql" >>output 2>&1 || return
	mariadb_clients "$@" >>output
	mariadb_stop || return
	mariadb_start "$@" >>output || return
	mariadb_contents >>output
	mariadb_stop
}
