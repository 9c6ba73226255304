#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Boot a Debian system that stands in a folder, as a container: its systemd is process
# 1 there, without a network.
#
#	container.sh ROOT UPPER [HOOK]	inside fresh mount, PID, UTS, IPC, network and
#					cgroup namespaces, as root
#
# ROOT is not changed: what is written goes to UPPER, which is the same for all boots
# of one machine.  UPPER/shared is /shared there.  HOOK is a command that is run in the
# machine before its first process, which has the machine's root for its own.

set -e
root=$1 upper=$2 hook=${3:-}

mount --make-rprivate /
mkdir -p "$upper/root" "$upper/work" "$upper/shared" "$upper/mount"
new=$upper/mount
mount -t overlay -o "lowerdir=$root,upperdir=$upper/root,workdir=$upper/work" overlay "$new"
cd "$new"

mkdir -p shared
mount --bind "$upper/shared" shared
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec none sys/fs/cgroup 2>/dev/null ||
	mount -t tmpfs none sys/fs/cgroup
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs tmp
mount -t tmpfs -o mode=755,nosuid tmpfs dev
for node in null zero full random urandom tty; do
	: >dev/$node
	mount --bind /dev/$node dev/$node
done
mkdir dev/shm dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
: >dev/console
: >shared/console
mount --bind shared/console dev/console

mkdir -p .old
pivot_root . .old
cd /
umount -l /.old
rmdir /.old 2>/dev/null || :
unset TMPDIR LD_LIBRARY_PATH
export container=chic HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin
[ -z "$hook" ] || sh -c "$hook"
exec setpriv --bounding-set -sys_boot,-sys_time,-sys_module,-sys_rawio,-mknod \
	/lib/systemd/systemd --system --log-target=console --show-status=1 \
	>/dev/console 2>&1 </dev/null
