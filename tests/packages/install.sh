#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# In a machine of its own, see packages.sh: packages are installed, replaced by newer
# ones while all programs are under them, removed and purged, and leave nothing.

cd /tmp || exit 2
. /shared/results.sh

# The same packages with an older version, and an older conffile in one.
make_older()
{
	mkdir /tmp/old
	for deb in /shared/new/*.deb; do
		folder=/tmp/older/$(basename "$deb" .deb)
		mkdir -p /tmp/older
		dpkg-deb -R "$deb" "$folder" || return
		version=$(dpkg-deb -f "$deb" Version)
		sed -i "s/$version/0.0.9-1/g; s/(>= ${version%-*})/(>= 0.0.9)/g" "$folder/DEBIAN/control"
		if [ -e "$folder/etc/chic-alloc.conf" ]; then
			echo "# older" >>"$folder/etc/chic-alloc.conf"
			(cd "$folder" && find . -path ./DEBIAN -prune -o -type f -printf '%P\n' |
				sort | xargs md5sum >DEBIAN/md5sums)
		fi
		dpkg-deb -b "$folder" /tmp/old >/dev/null || return
	done
	rm -r /tmp/older
}

# All but what changes by itself, or is dpkg's and the linker's own.
snapshot()
{
	find / -xdev \( -path /tmp -o -path /shared -o -path /run -o -path /proc -o -path /sys \
		-o -path /dev -o -path /var/lib/dpkg -o -path /var/log -o -path /var/cache/ldconfig \
		-o -path /var/lib/mysql -o -path /var/lib/postgresql -o -path /var/lib/systemd \
		-o -path /var/tmp \) -prune -o \
		-printf '%p %y %m %U %G %l\n' | sort
	find /etc -xdev -type f ! -name ld.so.cache -exec cksum {} + | sort
}

versions()
{
	dpkg-query -W -f '${Version}\n' 'chic-alloc*' 'libchic-*' | sort -u
}

names()
{
	for deb in /shared/new/*.deb; do
		dpkg-deb -f "$deb" Package
	done
}

writable_files()
{
	for name in $(names); do
		dpkg -L "$name"
	done | sort -u | xargs -I '{}' find '{}' -maxdepth 0 ! -type l \
		\( ! -user root -o -perm /022 \)
}

ldso_lines()
{
	cat /etc/ld.so.preload 2>/dev/null
	true
}

new=$(dpkg-deb -f "$(ls /shared/new/chic-alloc_*.deb)" Version)
make_older || exit 2
snapshot >before

# ------------------------------------------------------------- installing ---

expect "install: older packages" '' dpkg -i /tmp/old/*.deb
expect "install: they are there" '^0.0.9-1$' versions
expect "install: the command" '^chic-alloc [0-9]' chic-alloc --version
expect "install: modules" '^arena .*' chic-alloc list
expect "install: the presets" '^jemalloc .*' chic-alloc list
expect "install: nothing changes for a program" '^ *$' of_maps /proc/self/maps
expect "install: the configuration is good" '^module = default +; built-in' chic-alloc config
expect "install: every file belongs to root, is writable for nobody else" - \
	writable_files

# ---------------------------------------------------- upgrade, while in use ---

printf '[allocator]\nmodule = counting\n' >/etc/chic-alloc.conf.d/mine.conf
expect "upgrade: the whole machine is switched on" 'ld.so.preload: written' \
	chic-alloc enable --system
sleep 1000 &
sleeper=$!
expect "upgrade: newer packages" '' dpkg -i /shared/new/*.deb
cp "$said" said.upgrade
expect "upgrade: no program complained" - not grep -E "ld\.so:|chic-alloc: " said.upgrade
expect "upgrade: they are there" "^$new\$" versions
expect "upgrade: a program that was running runs" '' kill -0 $sleeper
expect "upgrade: a new one is served" 'chic_alloc_preload counting' of_maps /proc/self/maps
expect "upgrade: the newer conffile" - not grep '^# older' /etc/chic-alloc.conf
expect "upgrade: a file of the administrator's is kept" counting \
	cat /etc/chic-alloc.conf.d/mine.conf
kill $sleeper

# a conffile that was changed
expect "upgrade: back to older packages" '' dpkg -i --force-downgrade /tmp/old/*.deb
echo '# mine' >>/etc/chic-alloc.conf
expect "upgrade: with a changed conffile" '' dpkg -i --force-confdef --force-confold \
	/shared/new/*.deb
expect "upgrade: it is kept" '^# mine$' cat /etc/chic-alloc.conf
rm -f /etc/chic-alloc.conf.dpkg-*

# ---------------------------------------------- a vendor's package goes away ---

# on_terminal COMMAND...: where a message is for someone who sits there
on_terminal()
{
	script -qec "$*" /dev/null
}

printf '[allocator]\nmodule = mimalloc\n' >/etc/chic-alloc.conf.d/mine.conf
sleep 1000 &
sleeper=$!
for tenth in $(seq 100); do # it takes a moment to start
	! grep -q mimalloc "/proc/$sleeper/maps" || break
	sleep 0.1
done
expect "vendor: a program has its heap" mimalloc of_maps /proc/$sleeper/maps
expect "vendor: its package is removed" '' dpkg -r libmimalloc2.0
sed -i '/libmimalloc/d' before
expect "vendor: what was running runs" '' kill -0 $sleeper
kill $sleeper
expect "vendor: a new program runs on the platform heap" '^chic_alloc_preload *$' \
	of_maps /proc/self/maps
expect "vendor: the message" 'mine.conf:2: .*mimalloc.*; the platform heap serves' \
	on_terminal /bin/true
expect "vendor: config says where" 'mine.conf:2: .*mimalloc' not chic-alloc config
printf '[allocator]\nmodule = counting\n' >/etc/chic-alloc.conf.d/mine.conf

# ------------------------------------------------------- removal and purge ---

printf '[Service]\nExecStart=/bin/true\n' >/etc/systemd/system/some.service
expect "remove: a unit is on" 'zz-chic-alloc.conf: written' chic-alloc enable some
expect "remove: all packages" '' dpkg -r $(names)
expect "remove: the linker is told nothing any more" - ldso_lines
expect "remove: the unit is off" - sh -c 'ls -d /etc/systemd/system/some.service.d 2>/dev/null; true'
expect "remove: a program starts, and nobody complains" - /bin/true
expect "remove: the configuration stays" '^# mine$' cat /etc/chic-alloc.conf
rm -f /etc/systemd/system/some.service /etc/chic-alloc.conf.d/mine.conf
expect "purge" '' dpkg -P $(names)
snapshot >after
expect "purge: nothing is left" - diff before after

# the preload library alone, when someone else put it there
expect "the preload library alone: installed" '' dpkg -i /shared/new/libchic-alloc-preload0_*.deb
readlink -f /usr/lib/*/libchic_alloc_preload.so >/etc/ld.so.preload
expect "the preload library alone: is in a program" chic_alloc_preload of_maps /proc/self/maps
expect "the preload library alone: without presets or modules nothing is said" - /bin/true
expect "the preload library alone: purged" 'taken out' dpkg -P libchic-alloc-preload0
snapshot >after
expect "the preload library alone: nothing is left" - diff before after
end
