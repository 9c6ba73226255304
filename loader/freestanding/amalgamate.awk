# SPDX-License-Identifier: BSD-2-Clause
#
# awk -v srcdir=DIR -v folders='DIR...' -v header=NAME -f amalgamate.awk FILE.c...
#
# One source of many.  Headers that are found in the folders are put where they are
# first asked for; those that the public header has in it are left out.  What two files
# both have for themselves gets the file's name behind it: this reads the sources'
# own style, in which what begins at the left edge is a definition.

function read_file(path,    line, n)
{
	n = 0
	while ((getline line < path) > 0)
		text[path, ++n] = line
	close(path)
	lines[path] = n
}

# From a file's own folder on, as compilers do.
function find(name, from,    i, path, line, n)
{
	path = from
	sub(/[^\/]*$/, name, path)
	if ((path in lines))
		return path
	if ((getline line < path) >= 0) {
		close(path)
		return path
	}
	n = split(folders, folder, " ")
	for (i = 1; i <= n; i++) {
		path = srcdir "/" folder[i] "/" name
		if ((path in lines))
			return path
		if ((getline line < path) >= 0) {
			close(path)
			return path
		}
	}
	return ""
}

function included(line)
{
	if (line !~ /^#[ \t]*include/)
		return ""
	sub(/^#[ \t]*include[ \t]*["<]/, "", line)
	sub(/[">].*/, "", line)
	sub(/^\.\.\/[a-z]+\//, "", line)
	return line
}

# ---- which names a file has ----

function has(path, name)
{
	if (name !~ /^[A-Za-z_][A-Za-z_0-9]*$/ || (path, name) in defines)
		return
	defines[path, name] = 1
	names[path] = names[path] " " name
	if (!((name, path) in seen)) {
		seen[name, path] = 1
		owners[name]++
	}
}

function last_word(s)
{
	sub(/[^A-Za-z_0-9]+$/, "", s)
	sub(/.*[^A-Za-z_0-9]/, "", s)
	return s
}

function enumerators(path, s,    n, i, part)
{
	gsub(/\/\*[^*]*\*\//, "", s)
	sub(/.*\{/, "", s)
	sub(/\}.*/, "", s)
	n = split(s, part, ",")
	for (i = 1; i <= n; i++) {
		sub(/=.*/, "", part[i])
		gsub(/[ \t]/, "", part[i])
		has(path, part[i])
	}
}

function variables(path, s,    n, i, part)
{
	sub(/=.*/, "", s)
	n = split(s, part, ",")
	for (i = 1; i <= n; i++) {
		gsub(/\[[^\]]*\]/, "", part[i])
		has(path, last_word(part[i]))
	}
}

# A line at the left edge, without attributes.
function definition(path, line,    s)
{
	if (match(line, /^(struct|union|enum) [A-Za-z_0-9]+ \{/)) {
		s = line
		sub(/ \{.*/, "", s)
		has(path, last_word(s))
	}
	if (line ~ /^(typedef|_Static_assert|extern|\}|#|\/|\*|__asm__)/ || line ~ /;$/ && line !~ /^static/)
		return
	if (line ~ /^(struct|union|enum)( [A-Za-z_0-9]+)? \{/)
		return
	if (line ~ /^static/ && (line !~ /\(/ || line ~ /^[^(]*=/) && line ~ /[;={]/)
		variables(path, line)
	else if (line ~ /^static.*\(/) {
		s = line
		sub(/\(.*/, "", s)
		has(path, last_word(s))
	}
}

function scan(path,    i, line, in_enum, body)
{
	for (i = 1; i <= lines[path]; i++) {
		line = text[path, i]
		gsub(/__attribute__ ?\(\([^)]*\([^)]*\)[^)]*\)\)|__attribute__ ?\(\([^)]*\)\)/, "", line)
		sub(/^ +/, "", line)
		if (line ~ /^#define [A-Za-z_]/ && path ~ /\.c$/) {
			sub(/^#define /, "", line)
			sub(/[^A-Za-z_0-9].*/, "", line)
			macros[path] = macros[path] " " line
			continue
		}
		if (line ~ /^enum( [A-Za-z_0-9]+)? \{/)
			in_enum = 1
		if (in_enum) {
			body = body line
			if (line ~ /\}/) {
				enumerators(path, body)
				in_enum = 0
				body = ""
			}
		}
		if (line ~ /^[A-Za-z_]/)
			definition(path, line)
	}
}

# ---- reading all, then writing all ----

function gather(path,    i, name, other)
{
	if (path in lines)
		return
	read_file(path)
	for (i = 1; i <= lines[path]; i++) {
		name = included(text[path, i])
		if (name == "" || name in public)
			continue
		other = find(name, path)
		if (other != "")
			gather(other)
	}
	scan(path)
}

function short(path,    s)
{
	s = path
	sub(/.*\//, "", s)
	sub(/\.[ch]$/, "", s)
	return s
}

# Of the names that others have as well, every file after the first gets its own.
function rename(path,    n, i, word, done)
{
	n = split(names[path], word, " ")
	for (i = 1; i <= n; i++) {
		if (owners[word[i]] < 2)
			continue
		if (path ~ /\.c$/ || word[i] in taken)
			printf "#undef %s\n#define %s %s_of_%s\n", word[i], word[i], word[i], short(path)
		taken[word[i]] = 1
	}
}

function forget(path,    n, i, word)
{
	n = split(macros[path], word, " ")
	for (i = 1; i <= n; i++)
		printf "#undef %s\n", word[i]
	n = split(names[path], word, " ")
	for (i = 1; i <= n; i++)
		if (owners[word[i]] >= 2)
			printf "#undef %s\n", word[i]
}

function write(path,    i, name, other, last)
{
	if (path in written)
		return
	written[path] = 1
	for (i = 1; i <= lines[path]; i++)
		if (included(text[path, i]) != "")
			last = i
	printf "\n/* ---- %s ---- */\n\n", substr(path, length(srcdir) + 2)
	for (i = 1; i <= lines[path]; i++) {
		name = included(text[path, i])
		if (name in public && name != "")
			continue
		other = name == "" ? "" : find(name, path)
		if (other != "")
			write(other)
		else
			print text[path, i]
		if (i == last || (!last && i == 1))
			rename(path)
	}
	if (path ~ /\.c$/)
		forget(path)
}

# Warnings of a tree that are not the sources' own style.
function quiet(options,    n, i, option)
{
	n = split(options, option, " ")
	for (i = 1; i <= n; i++)
		printf "#pragma GCC diagnostic ignored \"%s\"\n", option[i]
}

BEGIN {
	public["chic_rt.h"] = public["chic_module.h"] = public["chic_freestanding.h"] = 1
	for (i = 1; i < ARGC; i++)
		gather(srcdir "/" ARGV[i])
	printf "/* Made by `make amalgamation'; compile it, and use %s. */\n", header
	printf "#include \"%s\"\n\n", header
	quiet("-Wunused-function -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual")
	quiet("-Wcast-align -Wredundant-decls -Wbad-function-cast -Wswitch-enum")
	quiet("-Wunused-macros -Wpadded")
	print ""
	print "#ifndef REGION_SLOT_BITS\n#define REGION_SLOT_BITS 4\n#endif"
	print "#ifndef TYPES_FIRST\n#define TYPES_FIRST 16\n#endif"
	print "#ifndef PROFILES\n#define PROFILES 16\n#endif"
	for (i = 1; i < ARGC; i++)
		write(srcdir "/" ARGV[i])
	exit
}
