#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Names in documents: links lead to files of the tree; commands, options, parameters of
# modules and keys of the configuration are in their manual pages if and only if they are
# there; what is mentioned elsewhere exists.  CHIC_ALLOC is the command.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/sandbox.sh
. "$here/sandbox.sh"
top=$(cd "$here/.." && pwd)
no_conf
markdown=$(cd "$top" && echo ./*.md bench/README.md doc/*.md modules/template/README.md)
pages=$(cd "$top" && echo man/*.[1-9])

# same NAME EXPECTED FOUND: two files with a name a line
same()
{
	sort -u "$2" >want
	sort -u "$3" >out
	: >err
	if [ -s want ] && diff want out >err; then
		ok "$1"
	else
		not_ok "$1" "< there, > in the document"
	fi
}

# empty NAME WHY: whether nothing was found to be wrong, in the file wrong
empty()
{
	cp wrong out
	: >err
	if [ -s wrong ]; then
		not_ok "$1" "$2"
	else
		ok "$1"
	fi
}

# ------------------------------------------------------------------- links ---

: >wrong
for file in $markdown
do
	grep -oE '\]\([^)]+\)' "$top/$file" | sed 's/^](//; s/)$//; s/#.*//' >links
	while read -r link
	do
		case $link in
		'' | http://* | https://*) continue ;;
		esac
		[ -e "$top/$(dirname "$file")/$link" ] || echo "$file: $link" >>wrong
	done <links
done
empty "links of Markdown lead to files" "files that are not there"

: >wrong
sed -n 's/^[ 	]*\(chic[-a-z_.]*\)\.\([1-9]\)=.*/\1 \2/p' "$top/Makefile.am" >names
for page in $pages
do
	name=${page#man/}
	echo "${name%.*} ${name##*.}" >>names
done
for page in $pages
do
	sed -n 's/^\.Xr \([^ ]*\) \([1-9]\).*/\1 \2/p' "$top/$page" | grep -E '^(lib)?chic' |
		while read -r name section
		do
			grep -qx -- "$name $section" names || echo "$page: $name($section)"
		done >>wrong
done
empty "pages name pages that there are" "pages that are not there"

: >wrong
for page in $pages
do
	grep -qF "]($page)" "$top/README.md" || echo "$page" >>wrong
done
empty "README.md leads to every page" "pages without a link"

# ---------------------------------------------------- commands and options ---

"$chic" --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' >commands
: >options
while read -r command
do
	echo "$command" >>options
	"$chic" "$command" --help | awk -v command="$command" '
		/^ +(-[a-zA-Z], )?--[a-z]/ {
			takes = $0 ~ /--[a-z-]+ [A-Z]/ ? "yes" : "no"
			for (i = 1; $i ~ /^-/; i++) {
				sub(/,$/, "", $i)
				print command, $i, takes
			}
		}' >>options
done <commands

# in_page PAGE: the options that its lists of options have
in_page()
{
	awk '/^\.It Fl / {
		sub(/^\.It /, "")
		gsub(/ (Ar|Cm) [^ ]+/, "")
		gsub(/ ,/, "")
		for (i = 1; i <= NF; i++)
			if ($i != "Fl")
				print "-" $i
	}' "$1"
}

while read -r command
do
	page=$(grep -lE "^\.Nm chic-alloc-$command( ,)?\$" "$top"/man/*.1)
	of=$command
	: >err
	: >out
	[ -e "$page" ] || { not_ok "$command has a page" "no page has its name"; continue; }
	[ "$command" != enable ] || of='enable|disable'
	[ "$command" != disable ] || continue
	awk -v of="^($of)\$" '$1 ~ of && NF == 3 { print $2 }' options >there
	in_page "$page" >found
	same "options of $command are those of its page" there found
done <commands
grep -oE '^\.It Cm .*' "$top/man/chic-alloc.1" | sed 's/^\.It Cm //; s/ , Cm /\n/g' >found
same "chic-alloc(1) has every command" commands found

# What stands in code, a line each with its place: spans and blocks of Markdown, literal
# words, examples and synopses of pages.
for file in $markdown
do
	grep -oE '`chic-alloc [^`]*`' "$top/$file" | sed 's/`//g' |
		sed "s|^|$file	|"
	awk '/^```/ { open = !open } open' "$top/$file" |
		sed -nE 's/^([$#] )?(sudo )?chic-alloc /chic-alloc /p' | sed "s|^|$file	|"
done >mentions
for page in $pages
do
	sed -nE 's/^\.Ql (.*)$/\1/; s/^\.Dl [$#] //; s/ [.,;:]$//; /^([$#] )?chic-alloc [a-z]/p' \
		"$top/$page" | sed 's/^[$#] //' | grep -vE '^chic-alloc: |\.conf' | sed "s|^|$page	|"
done >>mentions
awk -f "$here/docs/mentions.awk" options mentions >wrong
empty "commands and options that are mentioned exist" "what is not in --help"
: >err
if [ "$(wc -l <mentions)" -gt 40 ]; then
	ok "many were found"
else
	not_ok "many were found" "too few"
fi

# -------------------------------------------------------------- functions ---

echo '#include <chic_alloc.h>' | ${CC:-cc} -E -P -I"$top/include" - 2>err |
	grep -oE '\bchic_(rt|alloc)_[a-z0-9_]+ ?\(' | tr -d ' (' >there
for page in libchic_alloc libchic_rt
do
	sed -nE 's/^\.F[no] (chic_(rt|alloc)_[a-z0-9_]+).*/\1/p' "$top/man/$page.3"
done >found
same "functions of the headers are those of libchic_alloc(3) and libchic_rt(3)" there found

# --------------------------------------------------- parameters of modules ---

# terms PAGE SECTION: what the list in a section is about
terms()
{
	awk -v section="$2" '/^\.S[hs] / { here = substr($0, 5) == section; next }
		here && /^\.It Cm / { sub(/^\.It Cm /, ""); gsub(/ ,/, ""); print }' "$1"
}

for module in arena counting guard
do
	"$chic" info -F parm $module | sed 's/ .*//' >there
	terms "$top/man/chic-alloc-$module.7" PARAMETERS | tr ' ' '\n' >found
	# The values that one of them can have are listed as well.
	if [ $module = guard ]; then
		grep -vx "userfaultfd\|madvise\|mprotect" found >names && mv names found
	fi
	same "parameters of $module are those of its page" there found
	sed -n '/^\.Sh SYNOPSIS/,/^\.Ed/p' "$top/man/chic-alloc-$module.7" |
		sed -n 's/^\([a-z]*\) =.*/\1/p' | grep -vx module | sort -u >found
	sort -u there | comm -13 - found >wrong
	empty "what $module's synopsis sets are parameters" "what is none"
done

# ------------------------------------------------- keys of the configuration ---

# keys_of SECTION: what the reader of configurations says it expects
keys_of()
{
	printf '[%s]\nno_such_key = 1\n' "$1" >keys.conf
	"$chic" config -c keys.conf 2>&1 | sed -n 's/.*expected one of //p' | tr -d ' ' | tr ',' '\n'
}

page=$top/man/chic-alloc.conf.5
keys_of allocator >there
terms "$page" "The section allocator" >found
same "keys of [allocator] are those of chic-alloc.conf(5)" there found
keys_of 'program x' | sort >program
sort there >shared
comm -13 shared program >there
terms "$page" "Sections program LABEL" >found
same "further keys of [program] are those of chic-alloc.conf(5)" there found
"$chic" info -F parm arena | sed 's/ .*//' | sort >parameters
{
	keys_of 'module arena' | sort | comm -23 - parameters
	echo env	# of stock libraries, which may have any key
} >there
terms "$page" "Sections module NAME" >found
same "the loader's keys of [module] are those of chic-alloc.conf(5)" there found
finish
