#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# chic-alloc enable and disable on trees of files that the test makes: what is
# written, that it is undone to the byte, that nothing is half done, and what is
# refused.  tests/acceptance/enable.sh has the programs to it.  Prints TAP.

set -u
umask 022
here=$(cd "$(dirname "$0")" && pwd)
chic=${CHIC_ALLOC:-chic-alloc}
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
if [ -n "${CHIC_ALLOC_LIBDIR:-}" ]; then
	LD_LIBRARY_PATH=$CHIC_ALLOC_LIBDIR${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
	export LD_LIBRARY_PATH
fi
unset CHIC_ALLOC_CONF CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS CHIC_ALLOC_RUN
unset CHIC_ALLOC_DISABLE CHIC_ALLOC_PRESETDIR GLIBC_TUNABLES LD_PRELOAD
. "$here/lib.sh"
cd "$tmp" || exit 99

library=$CHIC_ALLOC_PRELOAD
# as it is called in the trees: below a folder where all programs may see it
CHIC_ALLOC_PRELOAD=/usr/lib/libchic_alloc_preload.so
lib=$CHIC_ALLOC_PRELOAD
root=$tmp/root
units=$root/etc/systemd/system
sorted=zz-chic-alloc.conf

# ---------------------------------------------------------------- helpers ---

# A small system: the preload library, a program to try it with, a configuration.
new_tree()
{
	rm -rf "$root"
	mkdir -p "$units" "$root/usr/lib/systemd/system" "$root/usr/bin" "$root/bin" \
		"$root$CHIC_ALLOC_CONFDIR" "$root/etc/init.d" "$root/etc/default"
	cp "$library" "$root$lib"
	cp /bin/true "$root/bin/true"
	for file in $(ldd /bin/true | grep -oE '/[^ ]+'); do
		mkdir -p "$root${file%/*}"
		cp -L "$file" "$root$file"
	done
	configure 'module = libc.so.6'
	unit plain.service 'ExecStart=/bin/true'
}

configure()
{
	printf '[allocator]\n%s\n' "$1" >"$root$CHIC_ALLOC_CONFDIR/chic-alloc.conf"
}

# unit NAME LINE...: a unit of a package
unit()
{
	file=$root/usr/lib/systemd/system/$1
	shift
	printf '[Unit]\nDescription=test\n\n[Service]\n' >"$file"
	printf '%s\n' "$@" >>"$file"
}

# drop_in FOLDER FILE LINE...: an administrator's
drop_in()
{
	mkdir -p "$units/$1.d"
	file=$units/$1.d/$2
	shift 2
	printf '%s\n' '[Service]' "$@" >"$file"
}

# All that matters about a tree: names, types, modes, owners, links and contents.
snapshot()
{
	(cd "$root" && find . -printf '%p %y %m %U %G %n %l\n' | grep -v ' d ' | sort
	find . -type d -printf '%p %m %U %G\n' | sort
	find . -type f -exec cksum {} + | sort -k 3) >"$1"
}

enable()
{
	"$chic" enable --root "$root" "$@"
}

disable()
{
	"$chic" disable --root "$root" "$@"
}

# same NAME FILE FILE
same()
{
	if cmp -s "$2" "$3"; then
		ok "$1"
	else
		diff "$2" "$3" >out
		not_ok "$1" "something differs"
	fi
}

# undone NAME TARGET: on, on again, off, off again; then all is as it was before
undone()
{
	snapshot before
	expect "$1: enable" 0 '(written|changed)$' '' enable "$2"
	snapshot between
	expect "$1: enable again" 0 'already enabled, nothing was changed$' '' enable "$2"
	snapshot after
	same "$1: the second time changes nothing" between after
	expect "$1: it is listed" 0 ' enabled ' - enable --list
	expect "$1: disable" 0 '(removed|changed)$' - disable "$2"
	snapshot after
	same "$1: all is as it was" before after
	expect "$1: disable again" 0 'not enabled, nothing was changed$' - disable "$2"
	expect "$1: it is not listed" 0 '^WHAT' - enable --list
	snapshot after
	same "$1: and stays so" before after
}

# not_enabled NAME PATTERN TARGET: one line says why, and nothing was written
not_enabled()
{
	snapshot before
	refused "$1" "$2" enable "$3"
	snapshot after
	same "$1: nothing was written" before after
}

# drop_in_sets NAME UNIT LINE...: these lines and no others are in the drop-in
drop_in_sets()
{
	name=$1 it=$2
	shift 2
	printf '%s\n' '[Service]' "$@" >want
	enable "$it" >out 2>err
	sed '/^#/d' "$units/$it.d/$sorted" >got 2>>err
	same "$name" want got
	disable "$it" >out 2>err || not_ok "$name: disable" "status not 0"
}

am_root()
{
	[ "$(id -u)" = 0 ]
}

# Whether this user can look at a tree from inside.
new_tree
if ! enable plain >out 2>err; then
	cat err
	if ! am_root && grep -q 'from inside' err; then
		echo "SKIP: neither root nor allowed to have a user namespace"
		exit 77
	fi
	exit 99
fi
disable plain >out 2>err || exit 99

# ------------------------------------------------------------------ usage ---

for command in enable disable; do
	expect "$command --help" 0 "^usage: chic-alloc $command" - "$chic" $command --help
	expect "$command of nothing" 2 - 'got 0 arguments' "$chic" $command
	expect "$command of two" 2 - 'got 2 arguments' "$chic" $command a b
	expect "$command of a unit and --system" 2 - 'got 2' "$chic" $command a --system
	expect "$command with an unknown option" 2 - "unknown option '--all'" \
		"$chic" $command --all
done
expect "--list with a unit" 2 - 'takes no unit' "$chic" enable --list plain
expect "--json without --list" 2 - 'goes with --list' "$chic" enable --json plain
expect "disable --list" 2 - "unknown option" "$chic" disable --list
refused "a root that is not there" "$tmp/no: .*expected a folder" \
	"$chic" enable --root "$tmp/no" plain
expect "an empty list" 0 '^WHAT +STATE +FILE$' - enable --list
equal "an empty list as JSON" '[]' enable --list --json

# ------------------------------------------------------------------ units ---

undone "a unit" plain
undone "a unit by its whole name" plain.service
expect "the file, the command" 0 "^$units/plain.service.d/$sorted: written$" - enable plain
if grep -q systemctl out; then
	not_ok "no command for a tree" "there is one"
else
	ok "no command for a tree"
fi
json_valid "--list --json" enable --list --json
expect "--list --json has the unit" 0 '"what": "plain.service"' - enable --list --json
equal "modes of the drop-in and its folder" "644
755" stat -c %a "$units/plain.service.d/$sorted" "$units/plain.service.d"
disable plain >out 2>err
(umask 077 && enable plain >out 2>err)
expect "the umask does not matter" 0 '^644$' - stat -c %a "$units/plain.service.d/$sorted"
disable plain >out 2>err

expect_childless "started where children are ignored" 0 'written$' '' \
	"$chic" enable --root "$root" plain
disable plain >out 2>err

# at_once COMMAND: three of them, ten times; all of them are good
at_once()
{
	for round in 1 2 3 4 5 6 7 8 9 10; do
		for i in 1 2; do
			("$1" plain >out.$i 2>&1 || echo "round $round" >>failed) &
		done
		"$1" plain >out 2>err || echo "round $round" >>failed
		wait
		[ "$1" = disable ] || disable plain >out.3 2>&1
		[ "$1" = enable ] || enable plain >out.3 2>&1
	done
}

snapshot before
: >failed
at_once enable
at_once disable
disable plain >out 2>err
expect "several at once" 0 - - cat failed
snapshot after
same "several at once: all is as it was" before after

mkdir "$units/plain.service.d"
undone "a folder that was there" plain
drop_in plain.service 10.conf 'Environment=A=1'
undone "a folder with a drop-in" plain
rm -r "$units/plain.service.d"

printf '#!/bin/sh\n' >"$root/etc/init.d/script"
undone "a script of init.d" script
rm "$root/usr/lib/systemd/system/plain.service"
expect "a unit that has gone" 0 'not enabled' - disable plain
unit plain.service 'ExecStart=/bin/true'
enable plain >out 2>err
rm "$root/usr/lib/systemd/system/plain.service"
expect "a unit that went while enabled" 0 'removed$' - disable plain

unit plain.service 'ExecStart=/bin/true'
not_enabled "a unit that is not there" "other.service: not found below $root" other
for name in '' ../plain /etc/passwd a/b -x .hidden 'a b' "$(printf %300s x | tr ' ' x)"; do
	expect "no name of a unit: '$(printf %.20s "$name")'" 1 - 'expected the name|expected one' \
		enable -- "$name"
done
not_enabled "a socket" 'plain.socket: starts no program' plain.socket
ln -s /dev/null "$units/masked.service"
not_enabled "a masked unit" 'masked.service: is masked by /etc/systemd/system/masked' masked
rm "$units/masked.service"

# ------------------------------------------------------ what a unit has set ---

is="Environment=\"LD_PRELOAD=$lib"
drop_in_sets "nothing" plain.service "$is\""
unit plain.service 'Environment=LD_PRELOAD=/a.so'
drop_in_sets "a library" plain.service "$is:/a.so\""
unit plain.service "Environment=A=1 'LD_PRELOAD=/a.so /b.so' B=2"
drop_in_sets "two in quotes" plain.service "$is:/a.so /b.so\""
unit plain.service 'Environment=A="x LD_PRELOAD=/no.so" LD_"PRELOAD"=/a.so'
drop_in_sets "quotes inside words" plain.service "$is:/a.so\""
unit plain.service 'Environment="LD_PRELOAD=/a\x20\"\\b.so"'
drop_in_sets "escapes" plain.service "$is:/a \\\"\\\\b.so\""
unit plain.service 'Environment=LD_PRELOAD=/%i/%%.so'
drop_in_sets "specifiers stay what they are" plain.service "$is:/%i/%%.so\""
unit plain.service 'Environment=A=1 \' '# a comment' '; another' ' LD_PRELOAD=/a.so \' '' \
	'Environment=B=2'
drop_in_sets "a line that goes on" plain.service "$is:/a.so\""
unit plain.service 'Environment=LD_PRELOAD=/a.so' 'Environment=LD_PRELOAD=/b.so'
drop_in_sets "the last one counts" plain.service "$is:/b.so\""
unit plain.service 'Environment=LD_PRELOAD=/a.so' 'Environment=' 'Environment=B=2'
drop_in_sets "an empty one takes all away" plain.service "$is\""
unit plain.service 'Environment=LD_PRELOAD=/a.so "open'
drop_in_sets "what systemd cannot understand" plain.service "$is:/a.so\""
unit plain.service '[Other]' 'Environment=LD_PRELOAD=/no.so'
drop_in_sets "another section" plain.service "$is\""
unit plain.service '  Environment  =  LD_PRELOAD=/a.so  '
drop_in_sets "blanks" plain.service "$is:/a.so\""
printf '[Service]\r\nEnvironment=LD_PRELOAD=/a.so\r\n' >"$root/usr/lib/systemd/system/plain.service"
drop_in_sets "lines of another system" plain.service "$is:/a.so\""
unit plain.service "Environment=LD_PRELOAD=$lib:/a.so"
drop_in_sets "ours by hand" plain.service "$is:/a.so\""

unit plain.service 'Environment=LD_PRELOAD=/a.so'
drop_in plain.service override.conf 'Environment=LD_PRELOAD=/b.so'
drop_in_sets "a drop-in of systemctl edit" plain.service "$is:/b.so\""
drop_in plain.service 90.conf 'Environment=LD_PRELOAD=/c.so'
drop_in_sets "drop-ins by their names" plain.service "$is:/b.so\""
mkdir -p "$root/run/systemd/system/plain.service.d"
printf '[Service]\nEnvironment=LD_PRELOAD=/d.so\n' \
	>"$root/run/systemd/system/plain.service.d/20.conf"
drop_in_sets "by their names, not by their folders" plain.service "$is:/b.so\""
rm -r "$root/run"
mkdir -p "$root/usr/lib/systemd/system/plain.service.d"
printf '[Service]\nEnvironment=LD_PRELOAD=/no.so\n' \
	>"$root/usr/lib/systemd/system/plain.service.d/override.conf"
drop_in_sets "a drop-in hides its namesake" plain.service "$is:/b.so\""
ln -sf /dev/null "$units/plain.service.d/override.conf"
drop_in_sets "a link to nothing hides it, too" plain.service "$is:/c.so\""
rm -r "$units/plain.service.d" "$root/usr/lib/systemd/system/plain.service.d"
drop_in service 10.conf 'Environment=LD_PRELOAD=/all.so'
drop_in_sets "a drop-in of the type" plain.service "$is:/all.so\""
rm -r "$units/service.d"
unit plain.service 'ExecStart=/bin/true'
printf '[Manager]\nDefaultEnvironment=LD_PRELOAD=/m.so\n' >"$root/etc/systemd/system.conf"
drop_in_sets "the manager's environment" plain.service "$is:/m.so\""
rm "$root/etc/systemd/system.conf"

unit a-b@.service 'Environment=LD_PRELOAD=/t.so'
drop_in_sets "a template" a-b@.service "$is:/t.so\""
drop_in_sets "an instance" a-b@x.service "$is:/t.so\""
drop_in a-b@.service 10.conf 'Environment=LD_PRELOAD=/of-template.so'
drop_in_sets "an instance has its template's drop-ins" a-b@x.service "$is:/of-template.so\""
drop_in a- 20.conf 'Environment=LD_PRELOAD=/no.so'
drop_in a-.service 20.conf 'Environment=LD_PRELOAD=/of-prefix.so'
drop_in_sets "and those of its prefix" a-b@x.service "$is:/of-prefix.so\""
rm -r "$units"/a-*
ln -s ../../../usr/lib/systemd/system/plain.service "$units/other.service"
ln -s other.service "$units/third.service"
drop_in other.service 10.conf 'Environment=LD_PRELOAD=/alias.so'
expect "an alias is its unit" 0 "^$units/plain.service.d/$sorted: written$" '' enable third
expect "by another name" 0 '^plain.service: already' '' enable other
expect "an alias' drop-ins are its unit's" 0 "LD_PRELOAD=$lib:/alias.so" - \
	cat "$units/plain.service.d/$sorted"
expect "off by an alias" 0 "^$units/plain.service.d/$sorted: removed$" - disable other
rm -r "$units"/other* "$units"/third*
ln -s /usr/lib/systemd/system/a-b@.service "$units/c@.service"
expect "an instance of an alias" 0 "^$units/a-b@x.service.d/$sorted: written$" '' enable c@x
disable c@x >out 2>err
rm "$units/c@.service"

# what would come after the drop-in
printf 'A=1\n LD_PRELOAD="/f.so"\n' >"$root/etc/default/plain"
unit plain.service 'EnvironmentFile=-/etc/default/plain'
not_enabled "an environment file that sets it" \
	'/etc/default/plain:2: sets LD_PRELOAD.*expected' plain
printf 'A=1\nLD_PRELOAD="%s:/f.so"\n' $lib >"$root/etc/default/plain"
undone "an environment file that has ours" plain
printf 'A=1\nNO_LD_PRELOAD="/f.so"\n' >"$root/etc/default/plain"
undone "an environment file that does not" plain
printf 'A=\\\nLD_PRELOAD=/f.so\n' >"$root/etc/default/plain"
undone "an environment file in which it is a value" plain
printf 'LD_PRELOAD = /f.so\n' >"$root/etc/default/plain"
not_enabled "an environment file with blanks" '/plain:1: sets LD_PRELOAD.*expected' plain
unit plain.service 'EnvironmentFile=/etc/default/plain' 'EnvironmentFile=' \
	'EnvironmentFile=-/etc/none'
undone "an environment file that is taken back" plain
unit plain.service 'UnsetEnvironment=A LD_PRELOAD'
not_enabled "a unit that takes it away" \
	'/plain.service:5: takes LD_PRELOAD away, expected it to stay' plain
unit plain.service 'ExecStart=/bin/true'
drop_in plain.service zzz.conf 'Environment=LD_PRELOAD=/z.so'
not_enabled "a drop-in that sorts after ours" '/zzz.conf:2: sets LD_PRELOAD after' plain
drop_in plain.service zzz.conf 'Environment='
not_enabled "one that empties all" '/zzz.conf:2: empties the environment after' plain
drop_in plain.service zzz.conf 'Environment=A=1'
undone "one that sets something else" plain
rm -r "$units/plain.service.d"

# --------------------------------------------------------- what was edited ---

ours=$units/plain.service.d/$sorted
enable plain >out 2>err
sed -i 's/^Environment=.*/Environment=LD_PRELOAD=\/mine.so/' "$ours"
snapshot before
refused "an edited drop-in stays" 'was edited since.*by hand' disable plain
refused "and is not written over" 'was edited since.*by hand' enable plain
expect "it is listed as edited" 0 'plain.service +edited ' - enable --list
snapshot after
same "nothing was changed" before after
rm "$ours"
rmdir "$units/plain.service.d"
enable plain >out 2>err
echo '# my note' >>"$ours"
refused "a drop-in with a line more stays" 'has lines that enable did not write' disable plain
rm "$ours"
drop_in plain.service $sorted 'Environment=A=1'
not_enabled "a foreign file of that name" 'has lines that enable did not write' plain
refused "it is not removed either" 'has lines that enable did not write' disable plain
rm -r "$units/plain.service.d"
enable plain >out 2>err
sed -i '/^# end/d' "$ours"
refused "half of what was written" 'was edited since' disable plain
rm "$ours"
rmdir "$units/plain.service.d"
enable plain >out 2>err
echo '[Service]' >"$units/plain.service.d/mine.conf"
expect "a folder that is used meanwhile stays" 0 'removed$' - disable plain
expect "with what is in it" 0 - - test -e "$units/plain.service.d/mine.conf"
rm -r "$units/plain.service.d"

# a unit that changed since: enable brings it up to date
enable plain >out 2>err
unit plain.service 'Environment=LD_PRELOAD=/new.so'
expect "what the unit sets now is joined" 0 "$sorted: changed$" '' enable plain
expect "and is there" 0 ":/new.so\"$" - cat "$ours"
expect "the folder still goes with it" 0 'removed' - disable plain
expect "and has gone" 1 - - test -e "$units/plain.service.d"

# ---------------------------------------------------------- configuration ---

unit plain.service 'ExecStart=/bin/true'
configure 'modul = arena'
not_enabled "a configuration that is not good" 'chic-alloc.conf:2: .*modul.*expected' plain
not_enabled "the same for the machine" 'chic-alloc.conf:2: ' --system
configure 'module = /usr/lib/none.so'
not_enabled "a module that is not there" 'chic-alloc.conf:2: .*none.so' plain
printf '[program x]\nmodule = /usr/lib/none.so\n' >>"$root$CHIC_ALLOC_CONFDIR/chic-alloc.conf"
configure 'telemetry = off'
expect "no module at all is said" 0 'written$' 'names no module' enable plain
disable plain >out 2>err
unit plain.service 'Environment=CHIC_ALLOC_MODULE=/usr/lib/none.so'
not_enabled "the unit's own module" 'CHIC_ALLOC_MODULE: .*none.so' plain
unit plain.service 'Environment=CHIC_ALLOC_CONF=/etc/own.conf'
not_enabled "the unit's own configuration" '/etc/own.conf: ' plain
unit plain.service 'EnvironmentFile=/etc/default/plain'
echo 'CHIC_ALLOC_MODULE="/usr/lib/none.so"' >"$root/etc/default/plain"
not_enabled "the module of its environment file" 'CHIC_ALLOC_MODULE: .*none.so' plain
echo ' CHIC_ALLOC_DISABLE = 1' >"$root/etc/default/plain"
expect "a unit that its environment file switches off" 0 'written$' \
	'sets CHIC_ALLOC_DISABLE=1' enable plain
disable plain >out 2>err
unit plain.service 'Environment=CHIC_ALLOC_DISABLE=1'
expect "a unit that is switched off" 0 'written$' 'sets CHIC_ALLOC_DISABLE=1' enable plain
disable plain >out 2>err
unit plain.service 'ExecStart=/bin/true'
touch "$root$CHIC_ALLOC_CONFDIR/chic-alloc.disable"
expect "the kill switch is told" 0 'written$' 'chic-alloc.disable exists' enable plain
disable plain >out 2>err
rm "$root$CHIC_ALLOC_CONFDIR/chic-alloc.disable"
export CHIC_ALLOC_MODULE=/none.so CHIC_ALLOC_CONF=/none CHIC_ALLOC_DISABLE=1
configure 'module = libc.so.6'
undone "the caller's environment is his own" plain
unset CHIC_ALLOC_MODULE CHIC_ALLOC_CONF CHIC_ALLOC_DISABLE

# thread-local storage: what a heap needs, the unit provides
cat >greedy.c <<'C'
#include <stddef.h>
__thread char words[3000] = {1};
void *malloc(size_t n) { return words + n; }
void free(void *p) { words[0] = !p; }
void *calloc(size_t n, size_t m) { return words + n * m; }
void *realloc(void *p, size_t n) { return p ? p : words + n; }
void *memalign(size_t a, size_t n) { return words + n + a; }
size_t malloc_usable_size(void *p) { return !p; }
C
tunable=glibc.rtld.optional_static_tls=4096
if ${CC:-cc} -shared -fPIC -fno-builtin -ftls-model=initial-exec -o "$root/usr/lib/greedy.so" \
	greedy.c 2>err; then
	configure 'module = /usr/lib/greedy.so'
	drop_in_sets "a tunable" plain.service "$is\"" "Environment=\"GLIBC_TUNABLES=$tunable\""
	unit plain.service 'Environment=GLIBC_TUNABLES=glibc.malloc.check=1'
	drop_in_sets "a tunable joined" plain.service "$is\"" \
		"Environment=\"GLIBC_TUNABLES=glibc.malloc.check=1:$tunable\""
	unit plain.service "Environment=GLIBC_TUNABLES=glibc.rtld.optional_static_tls=9000"
	drop_in_sets "a tunable that is there" plain.service "$is\""
	unit plain.service 'EnvironmentFile=/etc/default/plain'
	echo 'GLIBC_TUNABLES=glibc.malloc.check=1' >"$root/etc/default/plain"
	not_enabled "a tunable in its environment file" "/plain:1: sets GLIBC_TUNABLES, \
which no drop-in changes, expected it to be glibc.malloc.check=1:$tunable: .* 3[0-9]+ bytes" plain
	echo "GLIBC_TUNABLES=$tunable" >"$root/etc/default/plain"
	undone "a tunable there that is enough" plain
	unit plain.service 'UnsetEnvironment=GLIBC_TUNABLES'
	not_enabled "tunables taken away" '/plain.service:5: takes GLIBC_TUNABLES away, expected' \
		plain
	unit plain.service 'ExecStart=/bin/true'
	drop_in plain.service zzz.conf 'Environment=A=1 GLIBC_TUNABLES=glibc.malloc.check=1'
	not_enabled "a tunable behind ours" '/zzz.conf:2: sets GLIBC_TUNABLES after .*expected' plain
	configure 'module = libc.so.6'
	undone "where nothing needs one" plain
	rm -r "$units/plain.service.d"
	printf '[allocator]\n[program x]\nmodule = /usr/lib/greedy.so\n' \
		>"$root$CHIC_ALLOC_CONFDIR/chic-alloc.conf"
	drop_in_sets "a rule's need" plain.service "$is\"" \
		"Environment=\"GLIBC_TUNABLES=$tunable\""
	mkdir "$root/usr/lib/presets"
	printf '[module named]\npath = /usr/lib/greedy.so\n' >"$root/usr/lib/presets/named.conf"
	printf '[allocator]\n[program x]\nmodule = named\n' \
		>"$root$CHIC_ALLOC_CONFDIR/chic-alloc.conf"
	CHIC_ALLOC_PRESETDIR=/usr/lib/presets
	export CHIC_ALLOC_PRESETDIR
	drop_in_sets "a rule's need, by a package's preset" plain.service "$is\"" \
		"Environment=\"GLIBC_TUNABLES=$tunable\""
	unset CHIC_ALLOC_PRESETDIR
	printf '[allocator]\n[program x]\nmodule = /usr/lib/greedy.so\n' \
		>"$root$CHIC_ALLOC_CONFDIR/chic-alloc.conf"
	expect "the machine cannot have it" 0 'written$' \
		"stack '/usr/lib/greedy.so' needs 3[0-9]+ bytes .*GLIBC_TUNABLES=$tunable" \
		enable --system
	disable --system >out 2>err
else
	skip "thread-local storage" "cannot build a library"
fi
configure 'module = libc.so.6'

# ------------------------------------------------------------- the library ---

mv "$root$lib" "$root$lib.away"
not_enabled "no library" "$lib: .*expected the preload library" plain
echo text >"$root$lib"
not_enabled "a library that is none" "$lib: .*(invalid ELF|file too short)" plain
mv "$root$lib.away" "$root$lib"
for path in relative.so '/usr/lib/a b.so' /usr/lib/a:b.so '/usr/lib/$LIB.so' '/usr/lib/%i.so'; do
	expect "a path of its own meaning: $path" 1 - 'expected a plain path' \
		env CHIC_ALLOC_PRELOAD="$path" "$chic" enable --root "$root" plain
done
mv "$root/bin/true" "$root/bin/false"
expect "nothing to try it with" 0 'written$' 'was not tried' enable plain
disable plain >out 2>err
mv "$root/bin/false" "$root/bin/true"
expect "no other warnings" 0 'written$' - enable plain
disable plain >out 2>err

unit plain.service 'ExecStart=-@/usr/bin/static argument'
echo 'int main(void) { return 3; }' >static.c
if ${CC:-cc} -static -o "$root/usr/bin/static" static.c 2>err; then
	expect "a static program is told" 0 'written$' \
		'warning: /usr/bin/static stays on the platform heap: .*static' enable plain
	disable plain >out 2>err
else
	skip "a static program is told" "cannot link one"
fi
rm -f "$root/usr/bin/static"
expect "a program that is not there is told" 0 'written$' 'static: No such file' enable plain
disable plain >out 2>err
unit plain.service 'RootDirectory=/srv/x'
expect "a root of its own is told" 0 'written$' 'has a root of its own, /srv/x' enable plain
disable plain >out 2>err
unit plain.service 'SystemCallFilter=@basic-io @file-system'
expect "a filter without madvise is told" 0 'written$' 'lets no madvise through' enable plain
disable plain >out 2>err
unit plain.service 'SystemCallFilter=@basic-io' 'SystemCallFilter=@system-service:EPERM'
expect "one with it is not" 0 'written$' - enable plain
disable plain >out 2>err
unit plain.service 'SystemCallFilter=~@clock @mount'
expect "nor a list of what is forbidden" 0 'written$' - enable plain
disable plain >out 2>err
unit plain.service 'Environment=LD_PRELOAD=/usr/lib/heap.so'
if [ -e "$root/usr/lib/greedy.so" ]; then
	cp "$root/usr/lib/greedy.so" "$root/usr/lib/heap.so"
	expect "another heap is told" 0 'written$' 'also has /usr/lib/heap.so, a heap' \
		enable plain
	disable plain >out 2>err
fi
unit plain.service 'ExecStart=/bin/true'
unit private.service 'PrivateTmp=yes' 'ProtectHome=yes' 'ExecStart=/bin/true'
for folder in home tmp; do
	mkdir -p "$root/$folder"
	cp "$library" "$root/$folder/lib.so"
	expect "a library that a unit does not see: /$folder" 1 - \
		'private.service: has .*=yes and cannot see the preload' \
		env CHIC_ALLOC_PRELOAD=/$folder/lib.so "$chic" enable --root "$root" private
	expect "one that sees it: /$folder" 0 'written' '' \
		env CHIC_ALLOC_PRELOAD=/$folder/lib.so "$chic" enable --root "$root" plain
	disable plain >out 2>err
	expect "not for all programs: /$folder" 1 - "is below /$folder, expected" \
		env CHIC_ALLOC_PRELOAD=/$folder/lib.so "$chic" enable --root "$root" --system
done
drop_in private.service 10.conf 'PrivateTmp=no' 'ProtectHome=read-only'
expect "read-only is to be seen" 0 'written' '' \
	env CHIC_ALLOC_PRELOAD=/home/lib.so "$chic" enable --root "$root" private
disable private >out 2>err
rm -r "$root/home" "$root/tmp" "$units/private.service.d"

# ------------------------------------------------------------- postgresql ---

touch "$root/usr/bin/pg_ctlcluster"
unit postgresql.service 'ExecStart=/bin/true'
unit postgresql@.service 'ExecStart=-/usr/bin/pg_ctlcluster %i start'
not_enabled "no cluster" 'postgresql.service: no such cluster' postgresql

# cluster VERSION NAME TEXT: with that environment
cluster()
{
	mkdir -p "$root/etc/postgresql/$1/$2"
	touch "$root/etc/postgresql/$1/$2/postgresql.conf"
	printf "$3" >"$root/etc/postgresql/$1/$2/environment"
}

main=$root/etc/postgresql/15/main/environment
is="LD_PRELOAD = '$lib"

# cluster_sets NAME TEXT LINE...: behind that text stand these lines
cluster_sets()
{
	name=$1
	cluster 15 main "$2"
	cp "$main" original
	shift 2
	(cat original
	[ -z "$(tail -c 1 original)" ] || echo
	printf '%s\n' "$@") >want
	enable postgresql@15-main >out 2>err
	grep -vE '^# (begin|end|Taken)' "$main" >got
	same "$name" want got
	disable postgresql@15-main >out 2>err
	same "$name, undone" original "$main"
}

cluster 15 main '# comment\n'
undone "a cluster" postgresql@15-main
cluster_sets "an empty file" '' "$is'"
cluster_sets "no newline at the end" "A = 'x'" "$is'"
cluster_sets "a library" "LD_PRELOAD = '/a.so'\n" "$is:/a.so'"
cluster_sets "without =" "  LD_PRELOAD '/a.so' # x\n" "$is:/a.so'"
cluster_sets "without blanks" "LD_PRELOAD='/a.so'" "$is:/a.so'"
cluster_sets "quotes in quotes" "LD_PRELOAD = '/a''b\\\\'c.so'\n" "$is:/a''b''c.so'"
cluster_sets "a plain value" "LD_PRELOAD = a.so#x\n" "$is:a.so'"
cluster_sets "the last one counts" "LD_PRELOAD='/a.so'\nLD_PRELOAD='/b.so'\n" "$is:/b.so'"
cluster_sets "another name" "LD_PRELOADS='/a.so'\n#LD_PRELOAD='/b.so'\nXLD_PRELOAD='c'\n" "$is'"
if [ -e "$root/usr/lib/greedy.so" ]; then
	configure 'module = /usr/lib/greedy.so'
	cluster_sets "a tunable joined" "GLIBC_TUNABLES = 'glibc.malloc.check=1'\n" "$is'" \
		"GLIBC_TUNABLES = 'glibc.malloc.check=1:$tunable'"
	configure 'module = libc.so.6'
fi
chmod 640 "$main"
undone "a mode of its own" postgresql@15-main
rm "$main"
undone "no file" postgresql@15-main
mkdir "$root/etc/postgresql-common"
printf "A = 'b'\nLD_PRELOAD = '/common.so'" >"$root/etc/postgresql-common/environment"
undone "no file, but a common one" postgresql@15-main
enable postgresql@15-main >out 2>err
expect "the common settings are kept" 0 "^A = 'b'$" - cat "$main"
expect "and joined" 0 "^$is:/common.so'$" - cat "$main"
disable postgresql@15-main >out 2>err
rm -r "$root/etc/postgresql-common"

cluster 15 main "A = 'b'\n"
enable postgresql@15-main >out 2>err
printf "LD_PRELOAD = '/later.so'\n" >>"$main"
expect "a setting behind ours is joined again" 0 'changed$' '' enable postgresql@15-main
expect "ours is the last" 0 "^$is:/later.so'$" - tail -n 2 "$main"
expect "only ours is taken out" 0 'changed$' - disable postgresql@15-main
printf "A = 'b'\nLD_PRELOAD = '/later.so'\n" >want
same "the other stays" want "$main"
enable postgresql@15-main >out 2>err
sed -i 's/later/earlier/' "$main"
refused "an edited block stays" 'was edited since' disable postgresql@15-main

rm "$main"
cluster 15 main "A = 'b'\n"
cluster 9.6 old-er ''
cluster 15 two "B = 'c'\n"
mkdir -p "$root/etc/postgresql/15/none"
undone "all clusters" postgresql
undone "all clusters by the template" postgresql@.service
undone "a cluster with a dash" postgresql@9.6-old-er
enable postgresql >out 2>err
expect "three files" 0 '^3$' - sh -c "grep -rl 'begin chic-alloc' '$root/etc/postgresql' | wc -l"
expect "one of them" 0 'two/environment: changed' - disable postgresql@15-two
expect "the others are left" 0 '^2$' - \
	sh -c "grep -rl 'begin chic-alloc' '$root/etc/postgresql' | wc -l"
expect "the rest is enabled" 0 'two/environment: changed' '' enable postgresql
disable postgresql >out 2>err
not_enabled "a cluster that is not there" 'postgresql@15-three.service: no such cluster' \
	postgresql@15-three
not_enabled "no version" 'no such cluster' postgresql@main
rm "$root/usr/bin/pg_ctlcluster"
undone "a postgresql that Debian does not start" postgresql

# ---------------------------------------------------------------- mariadb ---

unit mariadb.service 'ExecStart=/bin/sh -c "exec /usr/sbin/mariadbd"'
ln -s mariadb.service "$root/usr/lib/systemd/system/mysql.service"
undone "mariadb without its scripts" mariadb
touch "$root/usr/bin/mariadbd-safe" "$root/etc/init.d/mariadb"
mkdir -p "$root/etc/mysql/mariadb.conf.d" "$root/etc/mysql/conf.d"
undone "mariadb" mariadb
undone "mariadb by another name" mysql
cnf=$root/etc/mysql/mariadb.conf.d/zz-chic-alloc.cnf
enable mariadb >out 2>err
printf '[mysqld_safe]\nmalloc-lib = %s\n' $lib >want
sed '/^#/d' "$cnf" >got
same "the option of mariadbd-safe" want got
expect "both are listed" 0 '^mariadbd-safe +enabled' - enable --list
disable mariadb >out 2>err
printf '[mysqld]\nmalloc-lib=/no.so\n[mysqld_safe]\n# x\nmalloc_lib=/other.so\n' \
	>"$root/etc/mysql/conf.d/mine.cnf"
expect "another heap in front" 0 'written$' '/mine.cnf:5: malloc-lib = /other.so: ' \
	enable mariadb
disable mariadb >out 2>err
rm "$root/etc/mysql/conf.d/mine.cnf"
if [ -e "$root/usr/lib/greedy.so" ]; then
	configure 'module = /usr/lib/greedy.so'
	undone "a tunable" mariadb
	printf 'MYSQLD_STARTUP_TIMEOUT=60' >"$root/etc/default/mariadb"
	undone "a tunable in a file that was there" mariadb
	enable mariadb >out 2>err
	expect "by hand it has to be given" 0 '' "by hand needs GLIBC_TUNABLES=$tunable" \
		enable mariadb
	# shellcheck disable=SC2016
	equal "a shell gets the tunable" "a=1:$tunable 60" sh -c \
		'GLIBC_TUNABLES=a=1; . "$1"; echo "$GLIBC_TUNABLES $MYSQLD_STARTUP_TIMEOUT"' \
		sh "$root/etc/default/mariadb"
	configure 'module = libc.so.6'
	expect "a tunable that is needed no more" 0 'default/mariadb: changed$' '' enable mariadb
	equal "goes" MYSQLD_STARTUP_TIMEOUT=60 cat "$root/etc/default/mariadb"
	disable mariadb >out 2>err
	rm "$root/etc/default/mariadb"
fi
enable mariadb >out 2>err
echo x >>"$cnf"
snapshot before
refused "one of two files was edited" 'did not write' disable mariadb
snapshot after
same "neither was changed" before after
rm "$cnf"
expect "the other" 0 'removed$' - disable mariadb

# ------------------------------------------------------------ the machine ---

undone "the machine" --system
preload=$root/etc/ld.so.preload
text=0
for words in '' '\n' '/a.so' '/a.so\n' '/a.so /b.so:/c.so\n\n' '# a comment\n/a.so\n' '/a.so # x'; do
	text=$((text + 1))
	printf "$words" >"$preload"
	undone "a file that is there, $text" --system
done
enable --system >out 2>err
equal "it is a line, the first" $lib sh -c "head -n 1 '$preload' | tr -d ' '"
expect "how to switch all off" 0 "touch $CHIC_ALLOC_CONFDIR/chic-alloc.disable" '' \
	sh -c "'$chic' disable --root '$root' --system && '$chic' enable --root '$root' --system"
disable --system >out 2>err
printf '/a.so' >"$preload"
chmod 600 "$preload"
undone "a mode of its own" --system
printf '# one\n# two\n' >"$preload"
not_enabled "comments that the linker takes for libraries" 'comments that the linker' --system
printf '/a.so\n/b.so # one\n/c.so # two' >"$preload"
cp "$preload" original
if enable --system >out 2>err; then
	disable --system >out 2>err
	same "comments that it does not" original "$preload"
else
	expect "comments, again" 1 - 'comments that the linker' enable --system
fi
printf '/a.so:%s\n' $lib >"$preload"
expect "a line by hand is enough" 0 'in a line that enable did not write' '' enable --system
refused "and is not taken out" 'take it out by hand' disable --system
printf '%s\n/a.so\n' /opt/lib/libchic_alloc_preload.so >"$preload"
expect "a library that has moved" 0 'changed$' '' enable --system
printf '%s\n/a.so\n' $lib >want
same "is where it is now" want "$preload"
printf '/b.so\n' >>"$preload"
expect "what came behind" 0 'changed$' - disable --system
printf '/a.so\n/b.so\n' >want
same "stays" want "$preload"
printf 'a\0b' >"$preload"
not_enabled "no text" 'NUL byte' --system
rm "$preload"

chmod 666 "$root$lib"
not_enabled "a library that others can write" 'has mode 0666' --system
chmod 644 "$root$lib"
chmod 1777 "$root/usr/lib"
not_enabled "a folder that others can write" '/usr/lib.* has mode 1777' --system
chmod 755 "$root/usr/lib"
mkdir -p "$root/opt/open"
mv "$root$lib" "$root/opt/open/lib.so"
chmod 777 "$root/opt/open"
ln -s /opt/open/lib.so "$root$lib"
not_enabled "a link to such a folder" '/opt/open.* has mode 0777' --system
chmod 755 "$root/opt/open"
undone "a link to a good one" --system
rm "$root$lib"
mv "$root/opt/open/lib.so" "$root$lib"
touch "$root/lib/ld-linux.so.2" 2>/dev/null || {
	mkdir -p "$root/lib"
	touch "$root/lib/ld-linux.so.2"
}
expect "programs of another class" 0 'written$' 'ld-linux.so.2 .*wrong ELF class' enable --system
disable --system >out 2>err
rm "$root/lib/ld-linux.so.2"
expect "sanitizers" 0 'written$' 'address sanitizer' enable --system
disable --system >out 2>err

# -------------------------------------------------------- links, odd files ---

mkdir "$root/real" outside
printf '/a.so\n' >"$root/real/preload"
ln -s /real/preload "$preload"
undone "a link stays below the root" --system
enable --system >out 2>err
expect "and stays a link" 0 '^symbolic link$' - stat -c %F "$preload"
expect "where it leads was changed" 0 "^$lib $" - cat "$root/real/preload"
disable --system >out 2>err
printf '/a.so\n' >outside/preload
ln -sf ../../../../outside/preload "$preload"
mkdir "$root/outside"
printf '/inner.so\n' >"$root/outside/preload"
undone "no dots lead out" --system
enable --system >out 2>err
equal "what is outside is as it was" /a.so cat outside/preload
disable --system >out 2>err
ln -sf loop "$root/etc/loop"
ln -sf loop "$preload"
not_enabled "a link to itself" 'Too many levels' --system
rm "$preload"
mkdir "$preload"
not_enabled "a folder" 'expected a regular file' --system
rmdir "$preload"
mkfifo "$units/plain.service.d"
not_enabled "a FIFO" 'Not a directory' plain
rm "$units/plain.service.d"
printf '/a.so\n' >"$preload"
ln "$preload" "$root/etc/second"
not_enabled "a file with two names" 'has 2 names, expected one' --system
rm "$preload" "$root/etc/second"
head -c 2000000 /dev/zero | tr '\0' '\n' >"$preload"
not_enabled "a file of two megabytes" 'found more than' --system
rm "$preload"
mv "$units" "$root/etc/systemd/real"
ln -s real "$units"
undone "the folder of units is a link" plain
rm "$units"
mv "$root/etc/systemd/real" "$units"
rm -rf "$units"
not_enabled "no folder of units" 'No such file or directory' plain
expect "nothing is enabled there" 0 'not enabled' - disable plain
mkdir "$units"

# --------------------------------------------------- permissions and room ---

# as USER, who is not root, if there is a way
nobody()
{
	if am_root; then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}

if ! am_root; then
	chmod 555 "$units"
	not_enabled "no permission" 'Permission denied, expected to be run by root' plain
	chmod 755 "$units"
	chmod 555 "$root/etc/mysql/mariadb.conf.d"
	not_enabled "one of two files" 'zz-chic-alloc.cnf: Permission denied' mariadb
	chmod 755 "$root/etc/mysql/mariadb.conf.d"
	skip "another's link" "not root"
	skip "a full disk" "not root"
	skip "a file that cannot be replaced" "not root"
elif ! command -v setpriv >/dev/null; then
	skip "no permission" "no setpriv"
else
	chmod 755 "$tmp"
	enable plain >out 2>err
	snapshot before
	cp -r "$(dirname "$chic")" bin 2>/dev/null
	if nobody test -x "$root"; then
		refused "no permission to disable" 'Permission denied, expected to be run by root' \
			nobody "$chic" disable --root "$root" plain
		snapshot after
		same "nothing was changed" before after
		expect "everybody may look" 0 'plain.service +enabled' - \
			nobody "$chic" enable --root "$root" --list
	else
		skip "no permission to disable, everybody may look" \
			"$root is in a folder of root's alone"
	fi
	disable plain >out 2>err

	# the cluster's owner swaps his file for a link
	cluster 15 main ''
	echo "A = 'secret'" >"$root/etc/target"
	cp "$root/etc/target" original
	ln -sf ../../../target "$main"
	touch "$root/usr/bin/pg_ctlcluster"
	chown -h 65534:65534 "$main" "${main%/*}"
	not_enabled "a link of another user" 'Too many levels' postgresql@15-main
	rm "$main"
	cluster 15 main ''
	chown 65534:65533 "$main"
	undone "a cluster of another user" postgresql@15-main
	enable postgresql@15-main >out 2>err
	equal "his file is still his" 65534:65533 stat -c %u:%g "$main"
	disable postgresql@15-main >out 2>err
	rm "$main"
	enable postgresql@15-main >out 2>err
	equal "a new file is the folder's owner's" 65534:65534 stat -c %u:%g "$main"
	disable postgresql@15-main >out 2>err

	if unshare -m true 2>err; then
		cat >full.sh <<-'SH'
			root=$1 chic=$2 folder=$3
			mount -t tmpfs -o size=64k tmpfs "$root$folder" || exit 9
			head -c 100000 /dev/zero >"$root$folder/fill" 2>/dev/null
			find "$root/etc" -type f -exec cksum {} + >before
			"$chic" enable --root "$root" mariadb >out 2>err
			status=$?
			find "$root/etc" -type f -exec cksum {} + >after
			cmp before after || status=8
			cat err >&2
			exit $status
		SH
		mkdir -p "$root/etc/mysql/mariadb.conf.d"
		expect "a full disk" 1 '' 'cnf: No space left on device$' \
			unshare -m sh full.sh "$root" "$chic" /etc/mysql/mariadb.conf.d
		cat >paste.sh <<-'SH'
			chic=$1 CHIC_ALLOC_PRELOAD=$2
			export CHIC_ALLOC_PRELOAD
			mount -t tmpfs tmpfs /etc/systemd/system || exit 9
			printf '[Service]\nExecStart=/bin/true\n' >'/etc/systemd/system/a@.service'
			"$chic" enable 'a@b\x2dc'
		SH
		if [ -d /etc/systemd/system ]; then
			expect "a command with a backslash can be pasted" 0 \
				" restart 'a@b.x2dc\\.service'\$" '' \
				unshare -m sh paste.sh "$chic" "$library"
		else
			skip "a command with a backslash can be pasted" "no systemd"
		fi
		cat >busy.sh <<-'SH'
			root=$1 chic=$2
			for cluster in a b c; do
				mkdir -p "$root/etc/postgresql/16/$cluster"
				touch "$root/etc/postgresql/16/$cluster/postgresql.conf"
				echo "A = '$cluster'" >"$root/etc/postgresql/16/$cluster/environment"
			done
			rm "$root/etc/postgresql/16/b/environment"
			mount --bind "$root/etc/postgresql/16/c/environment" \
				"$root/etc/postgresql/16/c/environment" || exit 9
			find "$root/etc" -type f -exec cksum {} + >before
			"$chic" enable --root "$root" postgresql >out 2>err
			status=$?
			find "$root/etc" -type f -exec cksum {} + >after
			cmp before after || status=8
			cat err >&2
			exit $status
		SH
		expect "a file that cannot be replaced: the others are put back" 1 '' \
			'c/environment: Device or resource busy$' \
			unshare -m sh busy.sh "$root" "$chic"
	else
		skip "a full disk" "no mount namespace"
		skip "a command with a backslash can be pasted" "no mount namespace"
		skip "a file that cannot be replaced" "no mount namespace"
	fi
fi
expect "nothing was left beside the files" 0 - - find "$root" -name '.chic-alloc*'

# what systemd itself says of it
new_tree
unit plain.service 'Environment="LD_PRELOAD=/a.so \"b"' 'ExecStart=/bin/true'
enable plain >out 2>err
if command -v systemd-analyze >/dev/null; then
	cp "$root/usr/lib/systemd/system/plain.service" "$root/etc/systemd/system"
	expect "systemd-analyze verify" 0 '' - env SYSTEMD_UNIT_PATH="$units:" \
		systemd-analyze verify --man=no "$units/plain.service"
else
	skip "systemd-analyze verify" "no systemd-analyze"
fi
finish
