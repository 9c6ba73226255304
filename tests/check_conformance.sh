#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# chic-alloc test from its user's side, and the shipped modules under it.

# shellcheck source=tests/conformance.sh
. "$(dirname "$0")/conformance.sh"

# ----------------------------------------------------------- the command ---

expect "--help" 0 '^usage: chic-alloc test' - "$chic" test --help
expect "no module" 2 - 'got 0 arguments, expected one NAME, FILE or SONAME' "$chic" test
expect "two modules" 2 - 'got 2 arguments' "$chic" test arena guard
expect "a stack" 2 - "got 'counting,guard', expected one module" "$chic" test counting,guard
expect "an unknown option" 2 - "unknown option '--nonsense'" "$chic" test --nonsense
expect "an unknown case" 2 - "--case: got 'flying', expected the name of a case" "$chic" test \
	--case flying arena
expect "a timeout of nothing" 2 - "--timeout: got '0', expected 1 to 86400" "$chic" test --timeout 0 arena
expect "work that is no number" 2 - "--work: got 'much', expected 0 to 86400" "$chic" test \
	--work much arena
expect "a seed that is no number" 2 - "--seed: got '-1', expected a number" "$chic" test --seed -1 arena
expect "an option without '='" 2 - "got 'guard.sample', expected SECTION.KEY=VALUE" "$chic" test \
	-o guard.sample guard
expect "--json alone" 2 - '--json goes with --list' "$chic" test --json arena
expect "--list with a module" 2 - "got 'arena', expected nothing" "$chic" test --list arena
expect "--list" 0 '^metadata +the file says' - "$chic" test --list
expect "--list of some" 0 '^usable_size ' - "$chic" test --list --case 'u*'
expect "--list --json" 0 '"name": "metadata"' - "$chic" test --list --json
json_valid "--list --json is JSON" "$chic" test --list --json

run_test --case sizes --case 'o*' --work 0 arena
if [ $status -eq 0 ] && whole && [ "$(sed -n 's/^ok [0-9]* - //p' out | sed 's/ .*//' |
	tr '\n' ' ')" = "sizes overflow owns on_top " ]; then
	ok "--case chooses"
else
	not_ok "--case chooses" "status $status, expected sizes overflow owns on_top"
fi

expect "a module that is not there" 1 '^Bail out! .*nowhere' - "$chic" test nowhere
expect "a file that is no module" 1 '^not ok 1 - metadata$' - "$chic" test ./none.so
printf '[module arena]\ncap = much\n' >bad.conf
expect "a configuration with a mistake" 1 '^Bail out! .*bad.conf:2: ' - "$chic" test -c bad.conf arena
printf '[module arena]\ncap = 128K\n' >small.conf
expect "-c" 0 '^ok 1 - lifetimes' - "$chic" test -c small.conf --case lifetimes --work 0 arena
expect "-o" 1 '^Bail out! .*cap, got .3K.' - "$chic" test -o arena.cap=3K --case lifetimes arena

expect_childless "started where children are ignored" 0 '^ok 2 - growth' - "$chic" test \
	--case lifetimes --case growth --timeout 20 --work 0 arena

# ---------------------------------------------------- the shipped modules ---

passes "default" "metadata owns kind lifecycle reset params on_top lower_fails" \
	--work 0.2 default
passes "arena" "growth" --work 0.2 arena
passes "counting" "owns reset" --work 0.2 counting
passes "guard" "reset" --work 0.2 guard
passes "guard, small quarantine" "reset" --work 0.1 -o guard.quarantine=1M guard
moduledir=$(dirname "$("$chic" info -F file arena)")
passes "a file" "growth" --work 0.05 "$moduledir/arena.so"

finish
