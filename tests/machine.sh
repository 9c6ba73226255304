#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# A machine of one's own inside this one, to change at will: systemd runs there as
# process 1, or sleep(1) where it is not installed.
#
#	machine.sh FOLDER PREFIX	inside fresh mount, PID, UTS, IPC, network and
#					cgroup namespaces, as root
#
# /etc, /usr and /var are this machine's with a layer above that takes what is
# written, FOLDER/deb, if it is there, between them; /run and /tmp are empty, all
# else cannot be written.  PREFIX is a copy that belongs to root.  FOLDER is
# /run/chic there.  Of this machine's units only those of the databases are left,
# so that starting one starts nothing else.

set -e
from=$1 prefix=$2

# everything that is needed later, before what it is in is hidden
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/chic /run/dev /run/prefix
cp -a "$from/." /run/chic
cp -a "$prefix/." /run/prefix
cd /run

for folder in etc usr var; do
	mkdir $folder $folder.work
	lower=/$folder
	[ ! -d "chic/deb/$folder" ] || lower=/run/chic/deb/$folder:/$folder
	mount -t overlay -o "lowerdir=$lower,upperdir=/run/$folder,workdir=/run/$folder.work" \
		overlay /$folder
done
mkdir units
cp -a /usr/lib/systemd/system/mariadb*.service /usr/lib/systemd/system/postgresql* units \
	2>/dev/null || :
for folder in /tmp /var/tmp /var/log /etc/systemd /usr/lib/systemd/system \
		/usr/lib/systemd/system-generators; do
	mkdir -p $folder
	mount -t tmpfs -o mode=755 tmpfs $folder
done
chmod 1777 /tmp /var/tmp
cp -a units/. /usr/lib/systemd/system
for target in sysinit basic network shutdown multi-user; do
	printf '[Unit]\nDefaultDependencies=no\n' >/usr/lib/systemd/system/$target.target
done
mkdir /etc/systemd/system

for node in null zero full random urandom tty; do
	: >dev/$node
	mount --bind /dev/$node dev/$node
done
mkdir dev/shm dev/pts
ln -s /proc/self/fd dev/fd
: >dev/console
: >chic/console
mount --bind chic/console dev/console
mount --rbind dev /dev

top=/$(echo "$prefix" | cut -d / -f 2)
case $top in
/usr | /etc | /var) ;;
*) mount -t tmpfs -o mode=755 tmpfs "$top" ;;
esac
mkdir -p "$prefix"
cp -a prefix/. "$prefix"
chown -R 0:0 "$prefix"

umount -R -l /sys/fs/cgroup 2>/dev/null || :
mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null || mount -t tmpfs none /sys/fs/cgroup
mount -o remount,bind,ro /
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
echo 1234567890abcdef1234567890abcdef >/etc/machine-id
cd /
unset TMPDIR
export container=chic HOME=/root
: >/run/chic/ready
if [ -x /lib/systemd/systemd ]; then
	exec setpriv --bounding-set -sys_boot,-sys_time,-sys_module,-sys_rawio,-mknod \
		/lib/systemd/systemd --system --unit=basic.target --log-target=console \
		--show-status=0
fi
exec sleep infinity
