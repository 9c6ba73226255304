#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# chic-alloc enable and disable with the real things: the dynamic linker, systemd,
# postgresql's and mariadb's own ways of starting.  Every program that is meant must
# have the preload library and the configured heap mapped while it is enabled, and
# neither before nor after.
#
# CHIC_ALLOC is the command under test, installed.  All happens in a machine of its
# own, see machine.sh, for which one must be root here.  mariadb's scripts are taken
# from its package, which is not installed: that would start a server here.  Works
# in a folder below $ACCEPTANCE_DIR (default: the current folder).

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/results.sh
. "$here/results.sh"

# =============================================================== outside ====

# The scripts, units and settings of a package that is not to be installed.
unpack()
{
	(cd "$work" && apt-get -q download "$@" && for deb in *.deb; do
		dpkg -x "$deb" deb || exit
	done) >"$work/apt.log" 2>&1 || return
	# what is /lib here is a link there
	[ ! -d "$work/deb/lib" ] || { cp -a "$work/deb/lib/." "$work/deb/usr/lib" &&
		rm -r "$work/deb/lib"; }
}

outside()
{
	chic=$(command -v "${CHIC_ALLOC:-chic-alloc}") || { echo "no chic-alloc" >&2; exit 2; }
	prefix=$(cd "$(dirname "$chic")/.." && pwd)
	if [ "$(id -u)" != 0 ] || ! unshare -m -p -f -u -i -n -C true 2>/dev/null; then
		skip "enable with real programs" "needs root and namespaces"
		end
	fi
	work=$(mktemp -d "${ACCEPTANCE_DIR:-$PWD}/enable.XXXXXX") || exit 2
	trap 'rm -rf "$work"' EXIT
	chmod 755 "$work"
	cp "$here/acceptance_enable.sh" "$here/results.sh" "$work"
	mkdir "$work/shared"
	unpack mariadb-server mariadb-client || rm -rf "$work/deb"
	unshare -m -p -f --mount-proc --kill-child -u -i -n -C \
		sh "$here/machine.sh" "$work" "$prefix" >"$work/machine.log" 2>&1 </dev/null &
	machine=$!
	trap 'kill -9 $machine; wait $machine 2>/dev/null; rm -rf "$work"' EXIT
	for _ in $(seq 100); do
		first=$(pgrep -P $machine) && in_machine test -e /run/chic/ready 2>/dev/null &&
			break
		sleep 0.1
	done
	if [ -z "$first" ] || ! in_machine test -e /run/chic/ready; then
		cat "$work/machine.log"
		skip "enable with real programs" "cannot make a machine here"
		end
	fi
	in_machine sh /run/chic/acceptance_enable.sh inside "$prefix"
}

in_machine()
{
	nsenter -t "$first" -m -p -u -i -n -C env -i PATH="$PATH" USER=root HOME=/root \
		LC_ALL=C.UTF-8 "$@"
}

# ================================================================ inside ====

# refuses NAME PATTERN COMMAND...
refuses()
{
	name=$1 pattern=$2
	shift 2
	if ! "$@" >"$said" 2>&1 </dev/null && said_that "$pattern"; then
		pass "$name"
	else
		fail "$name" "$said"
	fi
}

# configure HEAP [PROGRAM]: for that one, or for all
configure()
{
	mkdir -p "$confdir"
	printf '[%s]\nmodule = %s\n' "${2:+program }${2:-allocator}" "$1" \
		>"$confdir/chic-alloc.conf"
}

# of_program NAME: the oldest process of that name
of_program()
{
	pid=$(pgrep -o -x "$1") || { echo "no $1 runs"; return 1; }
	of_maps "/proc/$pid/maps"
}

snapshot()
{
	(find /etc -xdev -type f -exec cksum {} +
	find /etc -xdev -printf '%p %y %m %U %G %l\n'
	find /etc/systemd -printf '%p %y %m %l\n') 2>/dev/null | sort
}

# unchanged NAME: /etc is what it was at the last "snapshot >/tmp/before"
unchanged()
{
	snapshot >/tmp/after
	expect "$1" '' cmp /tmp/before /tmp/after
}

# ------------------------------------------------------- every program ------

here_maps()
{
	cat /proc/self/maps >/tmp/maps && of_maps /tmp/maps
}

test_linker()
{
	configure mimalloc
	snapshot >/tmp/before
	expect "system: nothing is there before" '^$' here_maps
	expect "system: enable" '^/etc/ld.so.preload: written$' "$chic" enable --system
	expect "system: a program has it" '^chic_alloc_preload mimalloc $' here_maps
	expect "system: nothing is said at a start" - sh -c 'true; true'
	for program in perl python3 ls git; do
		command -v $program >/dev/null &&
			expect "system: $program" '' $program --version
	done
	expect "system: again" 'already enabled' "$chic" enable --system
	touch "$confdir/chic-alloc.disable"
	expect "system: the kill switch" '^chic_alloc_preload $' here_maps
	rm "$confdir/chic-alloc.disable"

	# a program that gains privileges: modules of root's folder alone
	cp "$(command -v cat)" /usr/bin/setuid-cat
	chmod 4755 /usr/bin/setuid-cat
	configure counting
	setpriv --reuid=65534 --regid=65534 --clear-groups env CHIC_ALLOC_MODULE= \
		/usr/bin/setuid-cat /proc/self/maps >/tmp/maps 2>/tmp/said
	expect "system: a setuid program" '^chic_alloc_preload counting $' of_maps /tmp/maps
	expect "system: su" '^65534$' su nobody -s /bin/sh -c 'id -u'

	configure jemalloc
	expect "system: jemalloc cannot have its TLS" "'jemalloc' needs [0-9]+ bytes" \
		"$chic" enable --system
	expect "system: programs start on the platform heap then" '^chic_alloc_preload $' here_maps
	GLIBC_TUNABLES=glibc.rtld.optional_static_tls=4096
	export GLIBC_TUNABLES
	expect "system: with the tunable it serves" '^chic_alloc_preload jemalloc $' here_maps
	unset GLIBC_TUNABLES
	expect "system: disable" '^/etc/ld.so.preload: removed$' "$chic" disable --system
	expect "system: nothing is there after" '^$' here_maps
	rm /usr/bin/setuid-cat
	unchanged "system: all is as it was"

	# the linker's own reading of a file with comments
	text=0
	for comments in '# a\n' '/lib/none.so # a\n' '# a\n# b\n' '# long comment here\n\n#b\n'; do
		text=$((text + 1))
		printf "$comments" >/etc/ld.so.preload
		true 2>/tmp/linker.before
		cat /dev/null 2>/tmp/linker.before
		"$chic" enable --system >/tmp/said 2>&1
		cat /dev/null 2>/tmp/linker.after
		expect "system: of comments the linker says no more than before, $text" '' \
			cmp /tmp/linker.before /tmp/linker.after
		"$chic" disable --system >/tmp/said 2>&1
	done
	rm -f /etc/ld.so.preload 2>/tmp/said
	if command -v gcc >/dev/null && echo 'int main(void) { return 0; }' >/tmp/a.c &&
		gcc -fsanitize=address -o /tmp/asan /tmp/a.c 2>/dev/null; then
		"$chic" enable --system >/tmp/said 2>&1
		refuses "system: a sanitizer's program dies, as was told" 'does not come first' \
			/tmp/asan
		expect "system: but not with the option that was told" '' \
			env ASAN_OPTIONS=verify_asan_link_order=0 /tmp/asan
		"$chic" disable --system >/tmp/said 2>&1
	else
		skip "system: a sanitizer's program" "cannot build one"
	fi
	unchanged "system: all is as it was, again"
}

# -------------------------------------------------------------- systemd -----

# A service that says what it has mapped; more lines of its unit as arguments.
service()
{
	cat >/etc/systemd/system/acceptance.service <<-'UNIT'
		[Unit]
		DefaultDependencies=no
		[Service]
		Type=oneshot
		ExecStart=/bin/cat /proc/self/maps
		StandardOutput=truncate:/run/acceptance.maps
	UNIT
	printf '%s\n' "$@" >>/etc/systemd/system/acceptance.service
}

# What enable says is to be done, is done as it says.
follow()
{
	command=$(grep '^  systemctl' /tmp/said) || { echo "no command is told"; return 1; }
	sh -c "$command"
}

# served NAME HEAP LINE...: a unit with these lines is served by the heap
served()
{
	name=$1 heap=$2
	shift 2
	service "$@"
	"$chic" enable acceptance >/tmp/said 2>&1 && follow >>/tmp/said 2>&1
	expect "systemd: $name" "^chic_alloc_preload $heap \$" of_maps /run/acceptance.maps
	"$chic" disable acceptance >/tmp/said 2>&1
}

test_systemd()
{
	configure jemalloc
	served "a unit" jemalloc
	served "its own preload" jemalloc 'Environment=LD_PRELOAD=libm.so.6'
	expect "systemd: and that is kept" /libm.so.6 cat /run/acceptance.maps
	served "its own tunable" jemalloc 'Environment=GLIBC_TUNABLES=glibc.malloc.check=0'
	served "odd quotes" jemalloc 'Environment="A=\"x" '\''LD_PRELOAD=libm.so.6'\'' \' \
		'# comment' 'B=%%i'
	expect "systemd: also" /libm.so.6 cat /run/acceptance.maps
	for heap in jemalloc mimalloc counting; do
		configure $heap
		for option in MemoryDenyWriteExecute=yes ProtectSystem=strict ProtectHome=yes \
			PrivateTmp=yes ProtectProc=invisible ProcSubset=pid NoNewPrivileges=yes \
			RestrictAddressFamilies=none User=nobody DynamicUser=yes PrivateUsers=yes \
			ProtectKernelTunables=yes RestrictNamespaces=yes LockPersonality=yes \
			SystemCallFilter=@system-service 'SystemCallFilter=~@resources @privileged' \
			LimitAS=2G LimitMEMLOCK=64K TasksMax=1 UMask=0777 \
			AmbientCapabilities=CAP_NET_BIND_SERVICE; do
			served "$heap under $option" $heap "$option"
		done
	done
	configure jemalloc

	# what systemd makes of the files is what enable makes of them
	service 'Environment=LD_PRELOAD=libm.so.6'
	ln -s acceptance.service /etc/systemd/system/another.service
	for folder in another acceptance; do
		mkdir /etc/systemd/system/$folder.service.d
		printf '[Service]\nEnvironment=LD_PRELOAD=libdl.so.2\n' \
			>/etc/systemd/system/$folder.service.d/override.conf
	done
	snapshot >/tmp/before
	"$chic" enable another >/tmp/said 2>&1 && follow
	expect "systemd: the environment is what was meant" \
		'LD_PRELOAD=/.*libchic_alloc_preload.so:libdl.so.2' \
		systemctl show -p Environment acceptance
	expect "systemd: ours comes last" 'zz-chic-alloc.conf$' \
		systemctl show -p DropInPaths acceptance
	expect "systemd: verify" '' systemd-analyze verify acceptance.service
	"$chic" disable another >/tmp/said 2>&1
	unchanged "systemd: all is as it was"
	rm -r /etc/systemd/system/a*
	systemctl daemon-reload
}

# ----------------------------------------------------------- postgresql -----

test_postgresql()
{
	if ! command -v pg_createcluster >/dev/null; then
		skip postgresql "no pg_createcluster (package postgresql)"
		return
	fi
	version=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' | tail -n 1)
	rm -rf /etc/postgresql/* /var/lib/postgresql/*
	mkdir -p /var/log/postgresql /run/postgresql
	chown postgres:postgres /var/log/postgresql /run/postgresql /etc/postgresql \
		/var/lib/postgresql
	configure jemalloc postgres
	if ! pg_createcluster "$version" acc -- --no-sync >/tmp/said 2>&1; then
		fail "postgresql: a cluster"
		return
	fi
	unit=postgresql@$version-acc
	echo "TZ = 'Europe/Berlin'" >>"/etc/postgresql/$version/acc/environment"
	snapshot >/tmp/before
	postgres_has "before" '^$'
	expect "postgresql: enable" 'environment: changed$' "$chic" enable "$unit"
	postgres_has "enabled" '^chic_alloc_preload jemalloc $'
	expect "postgresql: enable all" 'already enabled' "$chic" enable postgresql
	expect "postgresql: disable" 'environment: changed$' "$chic" disable postgresql
	unchanged "postgresql: all is as it was"
	postgres_has "after" '^$'
	pg_dropcluster "$version" acc >/tmp/said 2>&1
}

# postgres_has NAME PATTERN: by pg_ctlcluster itself, and by systemd if that runs
postgres_has()
{
	pg_ctlcluster --skip-systemctl-redirect "$version" acc start >/tmp/said 2>&1 &&
		su postgres -c "psql -p $(pg_conftool -s "$version" acc show port) -Atc 'select 6 * 7'" \
			>/tmp/answer 2>&1
	expect "postgresql, pg_ctlcluster: $1" "$2" of_program postgres
	expect "postgresql, pg_ctlcluster: it answers" '^42$' cat /tmp/answer
	pg_ctlcluster --skip-systemctl-redirect "$version" acc stop >/tmp/said 2>&1
	if [ $systemd = yes ]; then
		systemctl daemon-reload
		systemctl start "$unit" >/tmp/said 2>&1
		expect "postgresql, systemd: $1" "$2" of_program postgres
		systemctl stop "$unit"
	fi
}

# -------------------------------------------------------------- mariadb -----

mariadb_answers()
{
	for _ in $(seq 150); do
		mariadb-admin ping >/dev/null 2>&1 && return
		sleep 0.2
	done
	return 1
}

# mariadb_has NAME PATTERN [FOR THE ONE STARTED BY HAND]
mariadb_has()
{
	if [ $systemd = yes ]; then
		systemctl daemon-reload
		systemctl start mariadb >/tmp/said 2>&1
		expect "mariadb, systemd: $1" "$2" of_program mariadbd
		systemctl stop mariadb
	fi
	mariadbd-safe >/dev/null 2>&1 &
	mariadb_answers
	expect "mariadb, mariadbd-safe: $1" "${3:-$2}" of_program mariadbd
	mariadb_stop
	_SYSTEMCTL_SKIP_REDIRECT=1 /etc/init.d/mariadb start >/tmp/said 2>&1
	mariadb_answers
	expect "mariadb, init script: $1" "$2" of_program mariadbd
	mariadb_stop
}

mariadb_stop()
{
	mariadb-admin shutdown
	for _ in $(seq 100); do
		pgrep -x mariadbd >/dev/null || break
		sleep 0.1
	done
	sleep 0.5
}

test_mariadb()
{
	if [ ! -x /usr/bin/mariadbd-safe ] || ! command -v mariadbd >/dev/null; then
		skip mariadb "no mariadbd-safe (packages mariadb-server, to be downloaded, and mariadb-server-core)"
		return
	fi
	id mysql >/dev/null 2>&1 || useradd -r -s /usr/sbin/nologin -d /nonexistent mysql
	mkdir -p /var/lib/mysql /var/log/mysql /run/mysqld
	chown mysql:mysql /var/lib/mysql /var/log/mysql /run/mysqld
	[ -e /etc/mysql/my.cnf ] || ln -s mariadb.cnf /etc/mysql/my.cnf
	# what postinst would make, and a log that takes what it is given
	touch /etc/mysql/debian.cnf
	printf '#!/bin/sh\n' >/etc/mysql/debian-start
	printf '#!/bin/sh\nexec cat >/dev/null\n' >/run/logger
	chmod 755 /run/logger
	mount --bind /run/logger /usr/bin/logger
	if ! mariadb-install-db --user=mysql --datadir=/var/lib/mysql >/tmp/said 2>&1; then
		fail "mariadb: a database"
		return
	fi
	configure mimalloc mariadbd
	snapshot >/tmp/before
	mariadb_has "before" '^$'
	expect "mariadb: enable" 'zz-chic-alloc.cnf: written$' "$chic" enable mariadb
	mariadb_has "mimalloc" '^chic_alloc_preload mimalloc $'
	configure jemalloc mariadbd
	expect "mariadb: by hand it wants a tunable" 'by hand needs GLIBC_TUNABLES' \
		"$chic" enable mariadb
	mariadb_has "jemalloc" '^chic_alloc_preload jemalloc $' '^chic_alloc_preload $'
	expect "mariadb: disable" 'zz-chic-alloc.cnf: removed$' "$chic" disable mariadb
	mariadb_has "after" '^$'
	unchanged "mariadb: all is as it was"
}

inside()
{
	chic=$prefix/bin/chic-alloc
	confdir=$(sed -n 's/^confdir=//p' "$prefix/lib/pkgconfig/chic-alloc.pc" |
		sed "s|\${prefix}|$prefix|")
	confdir=${confdir%/*}
	rm -f "$confdir/chic-alloc.conf"
	# where the whole machine may have it
	mkdir -p /usr/lib/chic-alloc-test
	cp "$prefix/lib/libchic_alloc_preload.so" /usr/lib/chic-alloc-test
	CHIC_ALLOC_PRELOAD=/usr/lib/chic-alloc-test/libchic_alloc_preload.so
	export CHIC_ALLOC_PRELOAD
	umask 022
	cd /
	systemd=no
	for _ in $(seq 50); do
		systemctl list-units >/dev/null 2>&1 && systemd=yes && break
		[ -e /lib/systemd/systemd ] || break
		sleep 0.1
	done
	for heap in mimalloc jemalloc; do
		CHIC_ALLOC_MODULE=$heap "$chic" config >/tmp/said 2>&1 && continue
		skip "enable with real programs" "no $heap (packages libmimalloc2.0 libjemalloc2)"
		end
	done
	test_linker
	if [ $systemd = yes ]; then
		test_systemd
	else
		skip systemd "it does not run here (package systemd)"
	fi
	test_postgresql
	test_mariadb
	end
}

if [ "${1:-}" = inside ]; then
	prefix=$2
	inside
fi
outside
