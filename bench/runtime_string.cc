// SPDX-License-Identifier: BSD-2-Clause
/*
 * Text put together: pieces of ten bytes to sixteen megabytes, lines of 26 bytes that
 * stay inside the struct, and numbers, beside std::string and printf.
 */
#include "runtime.h"

#include <string>

#include <chic_rt.h>

enum { PIECES = 1600000, LINES = 1000000, NUMBERS = 300000 };

static const char piece[] = "0123456789";

static ChicStr slice(const char *text, size_t n)
{
	return {reinterpret_cast<const uint8_t *>(text), n};
}

static double std_append()
{
	double start = bench_now();
	std::string s;

	for (int i = 0; i < PIECES; i++) {
		s.append(piece, 10);
		bench_keep(&s);
	}
	bench_keep(s.data());
	return (bench_now() - start) / PIECES;
}

static double chic_append()
{
	double start = bench_now();
	ChicString s = chic_rt_string_new();

	for (int i = 0; i < PIECES; i++)
		if (chic_rt_string_push_slice(&s, slice(piece, 10)))
			abort();
	bench_keep(chic_rt_string_as_slice(&s).ptr);
	start = (bench_now() - start) / PIECES;
	chic_rt_string_drop(&s);
	return start;
}

static double std_lines()
{
	double start = bench_now();

	for (int i = 0; i < LINES; i++) {
		std::string s;

		s.append(piece, 10);
		s.append(piece, 6);
		s.append(piece, 10);
		bench_keep(s.data());
	}
	return (bench_now() - start) / LINES;
}

static double chic_lines()
{
	double start = bench_now();

	for (int i = 0; i < LINES; i++) {
		ChicString s = chic_rt_string_new();

		chic_rt_string_push_slice(&s, slice(piece, 10));
		chic_rt_string_push_slice(&s, slice(piece, 6));
		chic_rt_string_push_slice(&s, slice(piece, 10));
		bench_keep(&s);
		chic_rt_string_drop(&s);
	}
	return (bench_now() - start) / LINES;
}

static double number(int i)
{
	return i * 1.0001 - 7;
}

/* The digits that read back, which printf can only be asked for one by one. */
static double printf_numbers()
{
	double start = bench_now();
	std::string s;

	for (int i = 0; i < NUMBERS; i++) {
		char text[40];

		s.append(text, snprintf(text, sizeof(text), "%.17g", number(i)));
	}
	bench_keep(s.data());
	return (bench_now() - start) / NUMBERS;
}

static double append_numbers(const char *format)
{
	double start = bench_now();
	ChicString s = chic_rt_string_new();

	for (int i = 0; i < NUMBERS; i++)
		if (chic_rt_string_append_f64(&s, number(i), 0, 0,
					      slice(format, strlen(format))))
			abort();
	bench_keep(chic_rt_string_as_slice(&s).ptr);
	start = (bench_now() - start) / NUMBERS;
	chic_rt_string_drop(&s);
	return start;
}

static double append_shortest()
{
	return append_numbers("");
}

static double append_e16()
{
	return append_numbers("e16");
}

static double printf_integers()
{
	double start = bench_now();
	std::string s;

	for (int i = 0; i < NUMBERS; i++) {
		char text[40];

		s.append(text, snprintf(text, sizeof(text), "%d", i));
	}
	bench_keep(s.data());
	return (bench_now() - start) / NUMBERS;
}

static double append_integers()
{
	double start = bench_now();
	ChicString s = chic_rt_string_new();

	for (int i = 0; i < NUMBERS; i++)
		if (chic_rt_string_append_signed(&s, i, 0, 32, 0, 0, slice("", 0)))
			abort();
	bench_keep(chic_rt_string_as_slice(&s).ptr);
	start = (bench_now() - start) / NUMBERS;
	chic_rt_string_drop(&s);
	return start;
}

int main(int argc, char **argv)
{
	const candidate append[] = {
		{"std::string", std_append},
		{"again", std_append},
		{"chic_rt_string_push_slice", chic_append},
	};
	const candidate lines[] = {
		{"std::string", std_lines},
		{"again", std_lines},
		{"chic_rt_string_push_slice", chic_lines},
	};
	const candidate floats[] = {
		{"snprintf %.17g", printf_numbers},
		{"again", printf_numbers},
		{"chic_rt_string_append_f64 e16", append_e16},
		{"chic_rt_string_append_f64 shortest", append_shortest},
	};
	const candidate integers[] = {
		{"snprintf %d", printf_integers},
		{"again", printf_integers},
		{"chic_rt_string_append_signed", append_integers},
	};
	unsigned rounds = bench_rounds(argc, argv);

	bench_run("1.6 million pieces of ten bytes", append, 3, rounds);
	bench_run("lines of three pieces", lines, 3, rounds);
	bench_run("doubles", floats, 4, rounds);
	bench_run("integers", integers, 3, rounds);
	return 0;
}
