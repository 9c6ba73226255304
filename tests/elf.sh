# SPDX-License-Identifier: BSD-2-Clause
#
# What is asked of every program and shared object that is installed.
# shellcheck shell=sh

# The ELF files below folder $1, one a line; not those of debug information alone.
elf_files()
{
	find "$1" -type f ! -name '*.debug' -exec sh -c \
		'head -c 4 "$1" | grep -aq "^.ELF" && echo "$1"' - {} \; | sort
}

# Of readelf's words about file $1, on stdin: what is wrong.
elf_faults()
{
	awk -v file="$1" '
		/GNU_RELRO/ { relro = 1 }
		/BIND_NOW|FLAGS_1.*NOW/ { now = 1 }
		/GNU_STACK.* RWE / { print file ": an executable stack" }
		/\((RPATH|RUNPATH|TEXTREL)\)/ { print file ": " $2 }
		/^ *Type: +EXEC/ { print file ": at a fixed address" }
		END {
			if (!relro) print file ": not linked with -z relro"
			if (!now) print file ": not linked with -z now"
		}'
}

# hardened FOLDER: no ELF file there lacks anything
hardened()
{
	elf_files "$1" | while read -r file; do
		readelf -hldW "$file" | elf_faults "$file"
	done
	[ "$(elf_files "$1" | wc -l)" -ge 4 ] || { echo "$1: where are the files?"; return 1; }
}
