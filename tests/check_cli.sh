#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The command chic-alloc from its user's side: what it prints, how it ends, and
# that whatever is wrong with a configuration or a module is one line that says
# where, and no program started.  Prints TAP.
#
# Works on the tree that was built (the variables CHIC_ALLOC_* say where things
# are) or, without them, on what is installed.

set -u
umask 022
chic=${CHIC_ALLOC:-chic-alloc}
lib=$(cd "$(dirname "$0")" && pwd)/lib.sh
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
if [ -n "${CHIC_ALLOC_LIBDIR:-}" ]; then
	LD_LIBRARY_PATH=$CHIC_ALLOC_LIBDIR${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
	export LD_LIBRARY_PATH
fi
unset CHIC_ALLOC_CONF CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS CHIC_ALLOC_RUN
unset CHIC_ALLOC_DISABLE GLIBC_TUNABLES LD_PRELOAD
: >"$tmp/none.conf"
CHIC_ALLOC_CONF=$tmp/none.conf
export CHIC_ALLOC_CONF
cd "$tmp" || exit 99
# shellcheck source=tests/lib.sh
. "$lib"

moduledir=$(dirname "$("$chic" info -F file arena)")

# ------------------------------------------------------- the command itself ---

expect "--version" 0 '^chic-alloc [0-9]+\.[0-9]+\.[0-9]+$' - "$chic" --version
expect "--help names the commands" 0 '^  config ' - "$chic" --help
for command in run list info config; do
	expect "$command --help" 0 "^usage: chic-alloc $command" - "$chic" $command --help
	expect "$command with an unknown option" 2 - "unknown option '--nonsense'" \
		"$chic" $command --nonsense
	expect "$command with an unknown letter" 2 - "unknown option '-x'" "$chic" $command -x
done
expect "no command" 2 - "no command given" "$chic"
expect "unknown command" 2 - "unknown command 'jump', expected one of run" "$chic" jump
expect "run without a program" 2 - "no program given" "$chic" run
expect "an option without its value" 2 - "'-m' needs a value" "$chic" run -m
expect "info without a name" 2 - "got 0 arguments, expected one" "$chic" info
expect "info with two names" 2 - "got 2 arguments, expected one" "$chic" info arena guard
expect "an unknown field" 2 - "unknown field 'colour', expected file" \
	"$chic" info -F colour arena
expect "list with an argument" 2 - "got 'arena'" "$chic" list arena
expect "config with an argument" 2 - "got 'arena'" "$chic" config arena
expect "an option without '='" 2 - "got 'guard.sample', expected SECTION.KEY=VALUE" \
	"$chic" run -o guard.sample true
expect "an option without a section" 2 - "expected SECTION.KEY=VALUE" "$chic" run -o a=b true
if [ -w /dev/full ]; then
	expect "no room for the output" 1 '' "cannot write the output" \
		sh -c "'$chic' list >/dev/full"
fi

# ------------------------------------------------------------ list and info ---

for module in arena counting guard; do
	expect "list shows $module" 0 "^$module +[0-9.]+ +(mixed|filter) " - "$chic" list
	equal "info -F name $module" $module "$chic" info -F name $module
	equal "info -F abi $module" 1 "$chic" info -F abi $module
done
equal "info -F kind" filter "$chic" info -F kind counting
equal "info by file" "$moduledir/guard.so" "$chic" info -F file "$moduledir/guard.so"
expect "info shows a parameter" 0 '^parm: +chunk \(size, default 64K, 4K-1G\): ' - \
	"$chic" info arena
expect "info -F parm shows it without a label" 0 '^chunk \(size, default 64K' - \
	"$chic" info -F parm arena
expect "an option after the name" 0 '^chunk ' - "$chic" info arena -F parm
json_valid "list --json" "$chic" list --json
json_valid "info --json" "$chic" info --json arena
json_valid "config --json" "$chic" config --json -m 'counting, guard'
cp "$moduledir/arena.so" .
equal "info of a file in this folder" "$tmp/arena.so" "$chic" info -F file arena.so
equal "info of a relative path" "$tmp/arena.so" "$chic" info -F file ./arena.so

mkdir folder
cp "$moduledir/counting.so" folder/
echo "no module" >folder/broken.so
printf 'x' >"folder/quote\"d.so"
printf 'x' >"$(printf 'folder/byte\377\001.so')"
expect "list shows a refused file with the reason" 0 "^broken +- +refused .*broken.so" - \
	env CHIC_ALLOC_MODULEDIR="$tmp/folder" "$chic" list
expect "list shows what is behind it" 0 "^counting " - \
	env CHIC_ALLOC_MODULEDIR="$tmp/folder" "$chic" list
json_valid "list --json of refused files" \
	env CHIC_ALLOC_MODULEDIR="$tmp/folder" "$chic" list --json
expect "a byte that is no text and a control character" 0 'byte\\ufffd\\u0001' - \
	env CHIC_ALLOC_MODULEDIR="$tmp/folder" "$chic" list --json
refused "list of a folder that is not there" "$tmp/nowhere: .*expected" \
	env CHIC_ALLOC_MODULEDIR="$tmp/nowhere" "$chic" list

# ------------------------------------------------------------------- config ---

cat >good.conf <<CONF
[allocator]
module = counting, guard
telemetry = full

[module counting]
summary = yes

[program sort]
module = arena
CONF
expect "a setting with its place" 0 "^telemetry = full +; $tmp/good.conf:3$" - \
	"$chic" config -c good.conf
expect "a built-in setting" 0 "^log = auto +; built-in$" - "$chic" config -c good.conf
expect "a module's setting" 0 "^summary = yes +; $tmp/good.conf:6$" - \
	"$chic" config -c good.conf
expect "a module's default" 0 "^sample = 1 +; built-in$" - "$chic" config -c good.conf
expect "a rule as it was written" 0 "^module = arena +; $tmp/good.conf:9$" - \
	"$chic" config -c good.conf
expect "the rule of a program" 0 "^; rule: \[program sort\], $tmp/good.conf:9$" - \
	"$chic" config -c good.conf -p sort
expect "a rule's stack is the effective one" 0 "^module = arena +; $tmp/good.conf:9$" - \
	"$chic" config -c good.conf -p "$(command -v sort)"
expect "-m overrides" 0 "^module = arena +; -m$" - "$chic" config -c good.conf -m arena
expect "-o overrides" 0 "^summary = no +; -o$" - \
	"$chic" config -c good.conf -o counting.summary=no
expect "the environment overrides" 0 "^module = arena +; CHIC_ALLOC_MODULE$" - \
	env CHIC_ALLOC_MODULE=arena "$chic" config -c good.conf
expect "-m comes before the environment" 0 "^module = guard +; -m$" - \
	env CHIC_ALLOC_MODULE=arena "$chic" config -c good.conf -m guard
expect "an empty stack" 0 "^module = default +; -m$" - "$chic" config -m ''
refused "an unknown program" "no-such-program: .*expected a program" \
	"$chic" config -p no-such-program

# what config prints is a configuration that means the same
same_again()
{
	"$chic" config -c "$2" >again.conf
	"$chic" config -c again.conf >out 2>err
	sed -n 's/ *;.*//; /./p' again.conf >a
	sed -n 's/ *;.*//; /./p' out >b
	if [ -s a ] && cmp -s a b; then
		ok "$1"
	else
		not_ok "$1" "$(diff a b | head -5)"
	fi
}
same_again "the output of config is a configuration" good.conf
for digits in 140 150 160 170 180 193; do
	printf '[program x]\nmatch=%s\n' "$(printf "%0${digits}d" 1)" >long.conf
	same_again "with a line of $((digits + 6)) bytes" long.conf
done

# ---------------------------------------------------------------------- run ---

# What is mapped in a program shows what it runs under.
maps()
{
	"$chic" run "$@" cat /proc/self/maps
}

for stack in arena guard counting 'counting, guard'; do
	echo "[allocator]" >stack.conf
	echo "module = $stack" >>stack.conf
	for module in $(echo "$stack" | tr -d ,); do
		expect "run by a file: $module of '$stack' is mapped" 0 "/$module\.so$" - \
			maps -c stack.conf
		expect "run -m: $module of '$stack' is mapped" 0 "/$module\.so$" - \
			maps -m "$stack"
	done
done
expect "the preload library is mapped without a stack" 0 "libchic_alloc_preload\.so$" - maps
expect "a module's parameters arrive" 0 - - "$chic" run -m counting \
	-o counting.summary=yes -o "counting.output=$tmp/summary" -- sort /dev/null
expect "and do what they say" 0 '^total-blocks +[1-9]' - cat summary
equal "standard output is the program's" "a b" "$chic" run -m counting echo a b
expect "the status is the program's" 7 - - "$chic" run -m arena sh -c 'exit 7'
expect "a program's options are its own" 0 '^-m$' - "$chic" run -m arena printf '%s\n' -m
equal "the program's name is as given" sh "$chic" run -- sh -c "echo \$0"
expect "not found" 127 - "no-such-program: .*expected a program" "$chic" run no-such-program
expect "not found by path" 127 - "/no/such: .*expected a program" "$chic" run /no/such
expect "a folder" 126 - "/tmp: .*expected a program" "$chic" run /tmp
: >plain
expect "not executable" 126 - "./plain: .*expected a program" "$chic" run ./plain
printf '#!/bin/sh\necho "script $1"\n' >script
chmod +x script
equal "a script" "script x" "$chic" run -m arena ./script x
printf 'echo "no interpreter"\n' >bare
chmod +x bare
equal "a script without an interpreter line" "no interpreter" "$chic" run -m arena ./bare

# shellcheck disable=SC2016
environment='echo "$CHIC_ALLOC_CONF|${CHIC_ALLOC_MODULE-unset}|$CHIC_ALLOC_OPTIONS|$CHIC_ALLOC_RUN"'
equal "the environment of the program" "$tmp/good.conf|arena|arena.chunk=8K
arena.cap=1M|1" "$chic" run -c good.conf -m arena -o arena.chunk=8K -o arena.cap=1M \
	sh -c "$environment"
equal "what is not given is inherited" "$tmp/none.conf|counting||1" \
	env CHIC_ALLOC_MODULE=counting "$chic" run sh -c "$environment"
equal "an empty stack is given on" "$tmp/none.conf|||1" "$chic" run -m '' sh -c "$environment"
# shellcheck disable=SC2016
expect "LD_PRELOAD keeps what it had" 0 '^/[^:]*libchic_alloc_preload.so:/dev/null$' '' \
	env LD_PRELOAD=/dev/null "$chic" run sh -c 'echo "$LD_PRELOAD"'
# shellcheck disable=SC2016
expect "one run inside another" 0 '^/[^:]*libchic_alloc_preload.so$' - \
	"$chic" run "$chic" run sh -c 'echo "$LD_PRELOAD"'
refused "a preload library with a space in its path" "a b/x.so: .*space or a colon" \
	env CHIC_ALLOC_PRELOAD="/a b/x.so" "$chic" run touch started
refused "a preload library that is not there" "/nowhere/x.so: .*expected the preload" \
	env CHIC_ALLOC_PRELOAD=/nowhere/x.so "$chic" run touch started
expect "switched off by the environment" 0 '^x$' 'platform heap: CHIC_ALLOC_DISABLE is 1$' \
	env CHIC_ALLOC_DISABLE=1 "$chic" run -m arena echo x
echo 'int main(void) { return 3; }' >static.c
if ${CC:-cc} -static -o static static.c 2>err; then
	expect "a static program" 3 - 'static: runs on the platform heap: .*statically linked$' \
		"$chic" run -m arena ./static
else
	skip "a static program" "cannot link one"
fi

mkdir bin
printf '#!/bin/sh\necho mine\n' >bin/sort
chmod +x bin/sort
expect "a rule by path means that path only" 0 '^; rule: \[program mine\]' - \
	env PATH="$tmp/bin:$PATH" sh -c "printf '[program mine]\nmatch = $tmp/bin/*\nmodule = arena\n' >rule.conf
	'$chic' config -c rule.conf -p sort"
expect "and no other" 0 '^module = default' - "$chic" config -c rule.conf -p /bin/cat

for library in libmimalloc.so.2 libjemalloc.so.2 libtcmalloc_minimal.so.4; do
	if ! ldconfig -p 2>/dev/null | grep -q "$library" &&
		! /sbin/ldconfig -p | grep -q "$library"; then
		skip "a vendor's library: $library" "not installed"
		continue
	fi
	expect "a vendor's library: $library" 0 "/$library" - maps -m "$library"
	expect "info of $library" 0 "^kind: +heap$" - "$chic" info "$library"
done

# ---------------------------------------------------- bad configurations ---

# bad_config NAME TEXT PATTERN: config and run both refuse the file
bad_config()
{
	printf "$2" >bad.conf
	refused "config: $1" "$3" "$chic" config -c bad.conf
	refused "run: $1" "$3" "$chic" run -c bad.conf touch started
}

bad=$tmp/bad.conf
bad_config "unknown section" '[allocater]\nmodule = arena\n' "$bad:1: .*allocater.*expected"
bad_config "unknown key" '[allocator]\nmodul = arena\n' "$bad:2: .*modul.*expected"
bad_config "unknown parameter" '[allocator]\nmodule = arena\n[module arena]\nchunks = 8K\n' \
	"$bad:4: .*chunks.*expected"
bad_config "a key twice" '[allocator]\nmodule = arena\nmodule = guard\n' "$bad:3: .*module"
bad_config "a value out of range" '[allocator]\nmodule = arena\n[module arena]\nchunk = 1\n' \
	"$bad:4: .*chunk.*'1'.*expected.*4K-1G"
bad_config "a value of the wrong type" \
	'[allocator]\nmodule = counting\n[module counting]\nsummary = perhaps\n' \
	"$bad:4: .*summary.*'perhaps'.*expected"
bad_config "a bad word" '[allocator]\ntelemetry = loud\n' "$bad:2: .*'loud'.*expected full"
bad_config "a module that is not there" '[allocator]\nmodule = nothing\n' \
	"$bad:2: .*nothing.so"
bad_config "a library that is not there" '[allocator]\nmodule = libnothing.so.7\n' \
	"$bad:2: .*libnothing.so.7.*expected"
bad_config "a repeated module" '[allocator]\nmodule = counting, guard, counting\n' \
	"$bad:2: .*counting"
bad_config "a module repeated with the other dash" '[allocator]\nmodule = a-b, a_b\n' \
	"$bad:2: .*a-b.*expected"
bad_config "an empty entry" '[allocator]\nmodule = counting,, guard\n' "$bad:2: .*expected"
bad_config "a relative path" '[allocator]\nmodule = lib/x.so\n' "$bad:2: .*lib/x.so.*expected"
bad_config "text after the bracket" '[allocator] x\nmodule = arena\n' "$bad:1: .*expected"
bad_config "a line without a value" '[allocator]\nmodule\n' "$bad:2: .*expected"
bad_config "a key before any section" 'module = arena\n' "$bad:1: .*expected"
bad_config "a NUL byte" '[allocator]\nmodule = ar\0ena\n' "$bad:2: .*expected"
long=$(head -c 1000000 /dev/zero | tr '\0' x)
bad_config "a line of a megabyte" "[allocator]\nmodule = $long\n" "$bad:2: .*expected"
bad_config "a long section name" "[module $(printf %.60s "$long")]\nx = y\n" \
	"$bad:1: .*expected"
refused "config: a file that is not there" "$tmp/missing.conf" "$chic" config -c missing.conf
refused "run: a file that is not there" "$tmp/missing.conf" \
	"$chic" run -c missing.conf touch started
refused "config: a folder" "$tmp/folder" "$chic" config -c folder
refused "run: a folder" "$tmp/folder" "$chic" run -c folder touch started
cp good.conf open.conf
chmod 666 open.conf
refused "config: a file that others may write" "$tmp/open.conf: .*expected" \
	"$chic" config -c open.conf
refused "run: a stack on the command line" "-m: .*nothing.so" \
	"$chic" run -m nothing touch started
refused "run: an option on the command line" "-o: .*chunk.*'1'.*expected" \
	"$chic" run -m arena -o arena.chunk=1 touch started
refused "run: an unknown parameter on the command line" "-o: .*chunks.*expected" \
	"$chic" run -m arena -o arena.chunks=8K touch started

# -------------------------------------------------------- bad module files ---

# bad_module NAME FILE PATTERN: info, config and run refuse the file, list shows it
bad_module()
{
	refused "info: $1" "$3" "$chic" info "$2"
	refused "config: $1" "$3" "$chic" config -m "$2"
	refused "run: $1" "$3" "$chic" run -m "$2" touch started
}

# patch FILE OFFSET BYTE: one byte of a copy of the arena, as three octal digits
patch()
{
	cp "$moduledir/arena.so" "$1"
	printf "\\$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# rewrite FILE MODULE FROM TO: a text of the same length in a copy of a module
rewrite()
{
	LC_ALL=C sed "s/$3/$4/" "$moduledir/$2.so" >"$1"
}

m=$tmp/modules
mkdir modules
bad_module "a file that is not there" "$m/missing.so" "$m/missing.so: "
: >"$m/empty.so"
bad_module "an empty file" "$m/empty.so" "$m/empty.so: .*expected"
echo "this is text, and quite a lot of it, more than an ELF header would have" >"$m/text.so"
bad_module "a text" "$m/text.so" "$m/text.so: .*expected"
for size in 4 40 64 200 4000; do
	head -c $size "$moduledir/arena.so" >"$m/cut.so"
	bad_module "cut to $size bytes" "$m/cut.so" "$m/cut.so: "
done
mkdir "$m/folder.so"
bad_module "a folder" "$m/folder.so" "$m/folder.so: .*expected"
patch "$m/arena.so" 4 001
bad_module "the wrong class" "$m/arena.so" "$m/arena.so: .*32.*expected.*64"
patch "$m/arena.so" 18 267
bad_module "the wrong machine" "$m/arena.so" "$m/arena.so: .*expected"
rewrite "$m/arena.so" arena abi=1 abi=9
bad_module "the wrong abi" "$m/arena.so" "$m/arena.so: .*9.*expected.*1"
rewrite "$m/arena.so" arena kind=mixed kind=mixer
bad_module "an unknown kind" "$m/arena.so" "$m/arena.so: .*mixer.*expected"
rewrite "$m/arena.so" arena chunk:size chunk:sizf
bad_module "a parameter of unknown type" "$m/arena.so" "$m/arena.so: .*sizf.*expected"
rewrite "$m/arena.so" arena '\.modinfo' '.modinfx'
bad_module "neither .modinfo nor a malloc family" "$m/arena.so" "$m/arena.so: .*modinfo"
cp "$moduledir/arena.so" "$m/other.so"
bad_module "a name that is not the file's" "$m/other.so" "$m/other.so: .*arena.*other"
rewrite "$m/arena.so" arena arena_owns arena_0wns
bad_module "a mixed module without owns" "$m/arena.so" "$m/arena.so: .*owns"
rewrite "$m/arena.so" arena arena_exit arena_ex1t
bad_module "init without exit" "$m/arena.so" "$m/arena.so: .*exit"
cp "$moduledir/arena.so" "$m/arena.so"
chmod 666 "$m/arena.so"
bad_module "a file that others may write" "$m/arena.so" "$m/arena.so: .*666.*expected"
chmod 644 "$m/arena.so"
chmod 777 "$m"
bad_module "a folder that others may write" "$m/arena.so" "$m: .*777.*expected"
chmod 755 "$m"
if [ "$(id -u)" = 0 ]; then
	chown 12345 "$m/arena.so"
	bad_module "a foreign owner" "$m/arena.so" "$m/arena.so: .*12345.*expected"
	chown 0 "$m/arena.so"
else
	skip "a foreign owner" "needs root"
fi
ln -s "$tmp/nowhere.so" "$m/link.so"
bad_module "a link to nowhere" "$m/link.so" "$m/link.so: "
expect "and a good copy is taken" 0 "$m/arena.so" - maps -m "$m/arena.so"

# --------------------------------------------- what only start-up can tell ---

# compile NAME: NAME.c to NAME.so with the headers of the tree or the installed ones
compile()
{
	if [ -n "${top_srcdir:-}" ]; then
		flags=-I$top_srcdir/include
	else
		flags=$(pkg-config --cflags chic-alloc 2>/dev/null)
	fi
	# shellcheck disable=SC2086
	${CC:-cc} -fPIC -shared -DEXPORT='__attribute__((visibility("default")))' \
		$flags -o "$1.so" "$1.c" 2>err
}

cat >unlucky.c <<'C'
#include <chic_module.h>

CHIC_MODULE("unlucky", "filter");

EXPORT int unlucky_init(const struct chic_module_args *args, const struct chic_layer *lower,
			void **ctx)
{
	(void)lower;
	(void)ctx;
	args->fail("no luck today");
	return -12;
}

EXPORT void unlucky_exit(void *ctx)
{
	(void)ctx;
}
C
if compile unlucky; then
	expect "a module whose init fails: the program starts all the same" 0 '^started$' \
		"^chic-alloc: .*unlucky.so: .*no luck today" \
		"$chic" run -m "$tmp/unlucky.so" echo started
	refused "unless on_error says fail" "unlucky.so: .*no luck today" \
		"$chic" run -m "$tmp/unlucky.so" -o allocator.on_error=fail touch started
	expect "info reads it without running it" 0 '^name: +unlucky$' - \
		"$chic" info ./unlucky.so
else
	skip "a module whose init fails" "cannot compile one"
fi

finish
