// SPDX-License-Identifier: BSD-2-Clause
/*
 * A library and a program that ask for blocks in the same ways, and tell which of them
 * are guarded: those that have a page behind them that cannot be read.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <unistd.h>

#define SIZE 112

/* Kept, and so never given back. */
static std::string *kept;

static char *ask(const char *way)
{
	std::string is = way;

	if (is == "calloc")
		return (char *)calloc(1, SIZE);
	if (is == "realloc")
		return (char *)realloc(malloc(SIZE / 2), SIZE);
	if (is == "memalign")
		return (char *)memalign(16, SIZE);
	if (is == "strdup")
		return strdup(std::string(SIZE - 1, 'x').c_str());
	if (is == "new")
		return new char[SIZE];
	if (is == "string") {
		kept = new std::string(SIZE - 1, 'x');
		return &(*kept)[0];
	}
	return (char *)malloc(SIZE);
}

#ifdef LIBRARY
char *library_ask(const char *way)
{
	return ask(way);
}
#else
char *library_ask(const char *way);

/* The system looks for us: a read into a pipe from there fails. */
static bool is_guarded(char *p)
{
	int fds[2];
	bool guarded;

	if (pipe(fds) != 0)
		exit(99);
	guarded = write(fds[1], p + SIZE, 1) < 0;
	close(fds[0]);
	close(fds[1]);
	return guarded;
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "malloc";
	bool library = is_guarded(library_ask(way)), program = is_guarded(ask(way));

	puts(library && program ? "both"
	     : library		? "library guarded, program not"
	     : program		? "program guarded, library not"
				: "neither");
	return 0;
}
#endif
