#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The completion for bash, with the package bash-completion loaded: commands, options,
# modules, their parameters, units, arguments of other programs.  Prints TAP.

: "${top_srcdir:?}" "${CHIC_ALLOC:?}"
# shellcheck source=tests/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
no_conf
completion=$top_srcdir/conf/bash-completion/chic-alloc
if ! command -v bash >/dev/null || [ ! -e /usr/share/bash-completion/bash_completion ]; then
	echo "SKIP: no bash or no bash-completion"
	echo "1..0 # SKIP no bash or no bash-completion"
	exit 77
fi

# offers NAME LINES WORD... LAST: all of these are offered; "-" is nothing is
offers()
{
	name=$1 want=$2
	shift 2
	bash "$top_srcdir/tests/complete.bash" "$completion" "$chic" "$@" >out 2>err </dev/null
	missing=
	for line in $want; do
		[ "$line" != - ] || { ! grep -q . out || missing=nothing; break; }
		grep -qxF -e "$line" out || missing="$missing $line"
	done
	if [ -n "$missing" ] || [ -s err ]; then
		not_ok "$name" "missing:$missing"
	else
		ok "$name"
	fi
}

# withholds NAME PATTERN WORD... LAST: nothing like that is offered
withholds()
{
	name=$1 pattern=$2
	shift 2
	bash "$top_srcdir/tests/complete.bash" "$completion" "$chic" "$@" >out 2>err </dev/null
	if grep -Eq -e "$pattern" out; then
		not_ok "$name" "offered: $(grep -E -e "$pattern" out | head -n 1)"
	else
		ok "$name"
	fi
}

commands=$("$chic" --help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
offers "the commands" "$commands --help --version" ''
offers "those that begin so" "explain enable" e
withholds "and no others" '^(run|ps)$' e

# Whatever a command says of its options is offered.
for command in $commands; do
	options=$("$chic" "$command" --help | sed '/^Exit status/,$d' |
		grep -oE -- '(^|[ [|])--[a-z][a-z-]*' | tr -d ' [|' | sort -u)
	expect "$command has options" 0 . '' printf '%s\n' "$options"
	offers "$command's options" "$options" "$command" --
done

offers "run -m" "default arena counting guard" run -m ''
offers "the last of a stack" "counting,guard" run -m counting,g
offers "run --module" "arena" run --module a
offers "info" "arena counting guard" info ''
offers "test" "counting" test co
offers "fields of info" "parm version" info -F ''
offers "run -o: sections" "allocator. guard." run -o ''
offers "run -o: a module's parameters" "guard.sample= guard.quarantine=" run -o guard.
offers "run -o: settings" "allocator.telemetry=" run -o allocator.t
offers "run -o: a value is anybody's" - run -o guard.sample=1
offers "a case of test" "$("$chic" test --list | awk 'NR == 2 { print $1 }')" test --case ''
: >mine.conf
offers "a file" "mine.conf" run -c mi
mkdir -p folder
: >folder/mine.so
offers "a module's file" "folder/mine.so" info folder/m
offers "enable" "postgresql mariadb" enable ''
offers "a program to run" "cat" run ca
offers "behind --" "cat" run -m arena -- ca
offers "a program to explain" "cat" explain ca
offers "compare" "cat" compare ca
offers "sorted by" "wall cpu rss" compare --by ''
offers "an argument of the program's" "mine.conf" run -m arena -- cat mi
offers "also where a value had an =" "mine.conf" run -o guard.sample=7 -- cat mi
offers "no command of that name" - nonesuch ''

# As a shell loads it by itself: on the first use, from where it is installed.
mkdir -p data/bash-completion/completions bin
cp "$completion" data/bash-completion/completions/chic-alloc
ln -s "$chic" bin/chic-alloc
cat >load.bash <<'BASH'
. /usr/share/bash-completion/bash_completion
_completion_loader chic-alloc
complete -p chic-alloc
BASH
expect "bash-completion finds it" 0 '-F _chic_alloc chic-alloc' '' \
	env BASH_COMPLETION_USER_DIR="$tmp/data/bash-completion" PATH="$tmp/bin:$PATH" bash load.bash

if command -v shellcheck >/dev/null; then
	expect "shellcheck has no complaint" 0 - - shellcheck "$completion"
else
	skip "shellcheck has no complaint" "no shellcheck"
fi
finish
