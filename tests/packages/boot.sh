#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# In a machine of its own, see packages.sh: the preload library is in /etc/ld.so.preload
# and something is wrong with the configuration, or nothing.
#
#	boot.sh cases		their names
#	boot.sh prepare		once, in a running machine
#	boot.sh case NAME	before a machine's first process: make it so
#	boot.sh look NAME	in the running machine: whether all is well

PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
conf=/etc/chic-alloc.conf.d/boot.conf
modules=$(ls -d /usr/lib/*/chic-alloc/modules 2>/dev/null)

list_cases()
{
	sed -n 's/^case_\([a-z_]*\)()$/\1/p' "$0"
}

configure()
{
	printf '[allocator]\nmodule = %s\n' "$1" >$conf
}

# ----------------------------------------------------------------- cases ----
# What is expected: serves, what programs have besides the preload library, others,
# what those have that are not root's; says, a pattern of the line that a program's
# start puts into the journal, "-" is none, ld.so is one of the linker's.

expects()
{
	for word in "$@"; do
		echo "${word%%=*}='$(echo "${word#*=}" | sed "s/'/./g")'"
	done >/shared/expected
}

case_no_config()
{
	rm -r /etc/chic-alloc.conf*
	expects says=-
}

case_good_config()
{
	configure 'counting, mimalloc'
	expects serves='counting mimalloc' says=-
}

# The linker has no cache, and the library is in a folder that it would not search.
case_prefix_without_ldconfig()
{
	mkdir -p /opt/prefix/lib
	mv /usr/lib/*/libchic_alloc_preload.so /opt/prefix/lib
	echo /opt/prefix/lib/libchic_alloc_preload.so >/etc/ld.so.preload
	rm /etc/ld.so.cache
	configure 'counting, mimalloc'
	expects serves='counting mimalloc' says=-
}

case_syntax_error()
{
	printf '[allocator\nmodule mimalloc\n' >$conf
	expects says="$conf:1: .*expected"
}

case_unknown_key()
{
	printf '[allocator]\nmodul = mimalloc\n' >$conf
	expects says="$conf:2: .*'modul'.*expected"
}

case_module_missing()
{
	configure nonesuch
	expects says="$conf:2: .*nonesuch"
}

case_module_corrupt()
{
	mkdir -p /opt/corrupt
	head -c 3000 "$modules/arena.so" >/opt/corrupt/arena.so
	configure /opt/corrupt/arena.so
	expects says="/opt/corrupt/arena.so"
}

case_module_is_noise()
{
	mkdir -p /opt/corrupt
	yes noise | head -c 100000 >/opt/corrupt/noise.so
	configure /opt/corrupt/noise.so
	expects says="noise.so: .*expected .*ELF"
}

case_module_of_others()
{
	mkdir -p /opt/others
	cp "$modules/arena.so" /opt/others
	chmod 666 /opt/others/arena.so
	configure /opt/others/arena.so
	expects says="/opt/others/arena.so: .*write permission"
}

case_config_is_unreadable()
{
	configure mimalloc
	chmod 0 $conf
	# root reads it all the same
	expects serves=mimalloc says=- others=
}

case_config_of_others()
{
	configure mimalloc
	chmod 666 $conf
	expects says="$conf: .*write permission"
}

case_config_is_a_folder()
{
	mkdir $conf
	expects says="$conf"
}

case_config_is_a_pipe()
{
	mkfifo $conf
	expects says="$conf: .*regular file"
}

case_config_is_a_loop()
{
	ln -s boot.conf $conf
	expects says="$conf"
}

case_config_is_huge()
{
	yes 'module = mimalloc' | head -c 30000000 >$conf
	expects says="$conf"
}

case_folder_is_unreadable()
{
	configure mimalloc
	chmod 0 /etc/chic-alloc.conf.d
	expects serves=mimalloc says=- others=
}

case_vendor_removed()
{
	configure mimalloc
	dpkg -r libmimalloc2.0 >/dev/null || exit
	expects says="$conf:2: .*mimalloc.*; the platform heap serves"
}

case_fail_is_asked_for()
{
	printf '[allocator]\nmodule = nonesuch\non_error = fail\n' >$conf
	expects says="$conf:2: .*nonesuch"
}

case_kill_switch()
{
	printf '[allocator\n' >$conf
	: >/etc/chic-alloc.disable
	expects says=-
}

case_library_missing()
{
	rm /usr/lib/*/libchic_alloc_preload.so
	expects preload= says=ld.so
}

case_library_corrupt()
{
	# the linker reads the first page and gives up; a library that ends behind it is
	# beyond anybody's help
	yes noise | head -c 100000 >/usr/lib/noise
	mv /usr/lib/noise "$(ls /usr/lib/*/libchic_alloc_preload.so)"
	expects preload= says=ld.so
}

# ----------------------------------------------------------------- steps ----

prepare()
{
	systemctl mask console-getty
	dpkg -i /shared/new/chic-alloc_*.deb /shared/new/chic-alloc-modules_*.deb \
		/shared/new/libchic-alloc-preload0_*.deb &&
		chic-alloc enable --system
}

# of_unit UNIT: its main process has what is expected
of_unit()
{
	of_maps "/proc/$(systemctl show -P MainPID "$1")/maps"
}

as_other()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups sh -c \
		'grep -oE "chic_alloc_preload|counting|mimalloc" /proc/self/maps | sort -u | tr "\n" " "; echo'
}

# one_message PATTERN: of a program's start, one line
one_message()
{
	journalctl -q --no-pager -n 0 --show-cursor | sed -n 's/^-- cursor: //p' >/tmp/cursor
	/bin/true
	journalctl --sync
	# not with a match, which journalctl takes for one entry to be skipped
	journalctl -q --no-pager -o short --after-cursor "$(cat /tmp/cursor)" |
		grep ' true\[' >/tmp/lines
	cat /tmp/lines
	[ "$(wc -l </tmp/lines)" -eq 1 ] && grep -Eq "$1" /tmp/lines
}

look()
{
	. /shared/results.sh
	preload=chic_alloc_preload serves='' says=-
	. /shared/expected
	others=${others-$serves}
	here=$(echo $preload $serves)
	there=$(echo $preload $others)
	expect "boot: $1: nothing failed" '^running$' systemctl is-system-running
	expect "boot: $1: process 1 has '$here'" "^$here *\$" of_maps /proc/1/maps
	expect "boot: $1: the journal has '$here'" "^$here *\$" of_unit systemd-journald
	expect "boot: $1: someone else has '$there'" "^$there *\$" as_other
	expect "boot: $1: mariadb starts" '' systemctl start mariadb
	expect "boot: $1: and answers" '^42$' mariadb -Ne 'select 6 * 7'
	case $says in
	-) expect "boot: $1: a start says nothing" - not one_message . ;;
	ld.so) expect "boot: $1: only the linker complains" '^ERROR: ld.so: ' /bin/true ;;
	*) expect "boot: $1: a start says one thing: $says" "$says" one_message "$says" ;;
	esac
	end
}

case ${1:-} in
cases) list_cases ;;
prepare) prepare ;;
case)
	rm -f $conf && expects says=- && case_"$2"
	;;
look) look "$2" ;;
*) exit 2 ;;
esac
