#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# In a machine of its own, see packages.sh: someone with nothing but the packages
# switches mariadb to jemalloc, sees it, and switches back.

cd /tmp || exit 2
. /shared/results.sh

# What is told is done as it is told.
follow()
{
	sh -c "$(sed -n 's/^  \(systemctl .*\)/\1/p' told)"
}

mariadb_has()
{
	pid=$(systemctl show -P MainPID mariadb)
	[ "${pid:-0}" != 0 ] || { echo "mariadb does not run"; return 1; }
	of_maps "/proc/$pid/maps"
}

ps_of_mariadb()
{
	chic-alloc ps >ps || [ ! -s ps ] || return
	grep mariadbd ps
	true
}

answers()
{
	mariadb -Ne 'select 6 * 7'
}

# readme N: the Nth command of README.md about mariadb, as the package has it
readme()
{
	awk -v n="$1" '/^## / { here = /mariadb/ } here && /^# / && ++k == n { print substr($0, 3) }' \
		/usr/share/doc/chic-alloc/README.md >typed && [ -s typed ] && sh -e typed
}

expect "newcomer: mariadb runs" '' systemctl start mariadb
expect "newcomer: the packages" '' dpkg -i /shared/new/chic-alloc_*.deb \
	/shared/new/chic-alloc-modules_*.deb /shared/new/libchic-alloc-preload0_*.deb
expect "newcomer: it has the C library's heap" '^ *$' mariadb_has
expect "newcomer: ps does not know it" - ps_of_mariadb

expect "newcomer: two lines of configuration" - readme 1
expect "newcomer: enable" 'mariadb.service.d/zz-chic-alloc.conf: written' readme 2
cp "$said" told
expect "newcomer: nothing has happened to what runs" '^ *$' mariadb_has
expect "newcomer: what README tells" '' readme 3
expect "newcomer: enable told the same" '' grep -Fx "  $(cat typed)" told
expect "newcomer: it has jemalloc" '^chic_alloc_preload jemalloc $' mariadb_has
expect "newcomer: ps shows it" \
	'mariadbd .*jemalloc .*no .*/etc/chic-alloc.conf.d/mariadb.conf:2' ps_of_mariadb
expect "newcomer: it answers" '^42$' answers
expect "newcomer: explain" '^works +yes' chic-alloc explain \
	"$(systemctl show -P MainPID mariadb)"
expect "newcomer: nothing else has it" '^ *$' of_maps /proc/1/maps

expect "newcomer: disable" 'zz-chic-alloc.conf: removed' chic-alloc disable mariadb
cp "$said" told
expect "newcomer: what is told then" '' follow
expect "newcomer: it has the C library's heap again" '^ *$' mariadb_has
expect "newcomer: ps does not know it any more" - ps_of_mariadb
expect "newcomer: it still answers" '^42$' answers
end
