// SPDX-License-Identifier: BSD-2-Clause
/*
 * As many blocks by new as the argument says, in all its forms in turn; a tenth of
 * them lives on.
 */
#include <cstdlib>
#include <new>

struct alignas(128) wide {
	char bytes[200];
};

/* Seen by nobody else, so that the compiler must keep what it is given. */
static void *volatile sink;

template <class T> static void one(T *p, bool keep, bool array)
{
	sink = p;
	if (keep)
		return;
	if (array)
		delete[] p;
	else
		delete p;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? std::atol(argv[1]) : 0;

	for (long i = 0; i < n; i++) {
		bool keep = i % 10 == 9;

		switch (i % 5) {
		case 0:
			one(new int(1), keep, false);
			break;
		case 1:
			one(new char[i % 3000 + 1], keep, true);
			break;
		case 2:
			one(new (std::nothrow) long(2), keep, false);
			break;
		case 3:
			one(new wide, keep, false);
			break;
		default:
			one(new wide[2], keep, true);
			break;
		}
	}
	return 0;
}
