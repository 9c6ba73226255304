# SPDX-License-Identifier: BSD-2-Clause
#
# Cuts a document into steps, files in the folder `steps` that are named NNNN.WHAT:
#
#	command, line, how, want	a command, its line in the document, how what it
#			prints is compared (exact, about, or not: status 0 is enough),
#			and what it prints
#	name, file	a file of that name and its content
#	ini, c		a configuration, a source, to be looked at only
#	error		what should not be in a document
#
# A document is Markdown, or a manual page (`page` is 1) in mdoc.  check_docs.sh says what
# the marks mean.

function path(what) { return sprintf("%s/%04d.%s", steps, n, what) }
function put(what, text) { print text >>path(what); close(path(what)) }
function touch(what) { printf "" >>path(what); close(path(what)) }
function complain(text) { n++; put("error", FILENAME ":" FNR ": " text) }

# Blocks: their lines are collected, and looked at when they end.
function begin(mode, arg) { block_mode = mode; block_arg = arg; lines = 0; first = FNR + 1 }
function take(text) { line[++lines] = text }

function command_begins(text, at, how)
{
	n++
	put("command", text)
	put("line", at)
	put("how", how)
	touch("want")
}

function end_console(prompt, how,   i, more)
{
	for (i = 1; i <= lines; i++) {
		if (more)
			put("command", line[i])
		else if (substr(line[i], 1, 2) == prompt)
			command_begins(substr(line[i], 3), first + i - 1, how)
		else {
			put("want", line[i])
			continue
		}
		if (prompt == "# ")
			touch("root")
		more = line[i] ~ /\\$/
	}
}

function end_shell(   i, more)
{
	for (i = 1; i <= lines; i++) {
		if (more)
			put("command", line[i])
		else if (line[i] !~ /^ *(#.*)?$/)
			command_begins(line[i], first + i - 1, "not")
		more = line[i] ~ /\\$/
	}
}

function end_text(what,   i)
{
	n++
	put("line", first)
	for (i = 1; i <= lines; i++)
		put(what, line[i])
}

function has(pattern,   i)
{
	for (i = 1; i <= lines; i++)
		if (line[i] ~ pattern)
			return 1
	return 0
}

function end_block(   prompt)
{
	prompt = substr(line[1], 1, 2)
	if (!lines)
		return
	if (block_mode == "sh")
		end_shell()
	else if (block_mode == "console" && (prompt == "$ " || prompt == "# "))
		end_console(prompt, block_arg == "~" ? "about" : "exact")
	else if (block_mode == "console")
		complain("a console block that begins with no command")
	else if (block_mode != "dl" && has("^\\$ "))
		complain("commands in a block that is not marked as such")
	else if (block_mode == "dl")
		end_console(prompt, "not")
	else if (block_arg != "") {
		end_text("file")
		put("name", block_arg)
	} else if (block_mode == "ini")
		end_text("ini")
	else if (block_mode == "c" && has("^#include"))
		end_text("c")
}

# What a line of a literal block is on paper.
function plain(text)
{
	gsub(/\\&/, "", text); gsub(/\\\(aq/, "'", text); gsub(/\\e/, "\\", text)
	gsub(/\\ /, " ", text); gsub(/\\-/, "-", text)
	return text
}

# What is in a page's block is seen from its first line.
function page_mode()
{
	if (line[1] ~ /^[$#] /)
		return "console"
	if (line[1] ~ /^\[/)
		return "ini"
	return has("^#include") ? "c" : "text"
}

page && /^\.Bd -literal/ { begin("", mark); open = 1; mark = ""; next }
page && /^\.\\" numbers differ$/ { mark = "~"; next }
page && /^\.\\" file / { mark = $3; next }
page && open && /^\.Ed/ {
	open = 0
	block_mode = page_mode()
	end_block()
	next
}
page && /^\.Dl / {
	text = plain(substr($0, 5))
	if (!continued && text ~ /^(chic-alloc|sudo|make|cc) [^:]/)
		complain("a command without a prompt")
	if (!continued && text !~ /^[$#] /)
		next
	if (!continued)
		begin("dl", "")
	first = continued ? first : FNR
	take(text)
	continued = text ~ /\\$/
	if (!continued)
		end_block()
	next
}
page && open { take(plain($0)) }
page { next }

/^```/ && !open { begin(substr($1, 4), $2); open = 1; next }
/^```/ { open = 0; end_block(); next }
open { take($0); next }
/^(    |\t)[$#] / { complain("a command in an indented block, expected a fence") }
END {
	if (open)
		complain("a block without an end")
}
