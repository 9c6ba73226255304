// SPDX-License-Identifier: BSD-2-Clause
/*
 * Ten million ints pushed, with and without room reserved: std::vector, and a vector
 * of the runtime by the header's inline push and by the function.
 */
#include "runtime.h"

#include <vector>

#include <chic_rt.h>

enum { N = 10000000 };

static double std_push(bool reserve)
{
	double start = bench_now();
	std::vector<int> v;

	if (reserve)
		v.reserve(N);
	for (int i = 0; i < N; i++)
		v.push_back(i);
	bench_keep(v.data());
	return (bench_now() - start) / N;
}

static double std_plain()
{
	return std_push(false);
}

static double std_reserved()
{
	return std_push(true);
}

static ChicVec make(bool reserve)
{
	return chic_rt_vec_with_capacity(sizeof(int), alignof(int), reserve ? N : 0, 0);
}

static double inline_push(bool reserve)
{
	double start = bench_now();
	ChicVec v = make(reserve);

	for (int i = 0; i < N; i++)
		if (chic_vec_push(&v, &i, sizeof(i)))
			abort();
	bench_keep(chic_rt_vec_data(&v).ptr);
	start = (bench_now() - start) / N;
	chic_rt_vec_drop(&v);
	return start;
}

static double inline_plain()
{
	return inline_push(false);
}

static double inline_reserved()
{
	return inline_push(true);
}

static double call_push(bool reserve)
{
	double start = bench_now();
	ChicVec v = make(reserve);

	for (int i = 0; i < N; i++) {
		ValueConstPtr value = {reinterpret_cast<uint8_t *>(&i), sizeof(i),
				       alignof(int)};

		if (chic_rt_vec_push(&v, &value))
			abort();
	}
	bench_keep(chic_rt_vec_data(&v).ptr);
	start = (bench_now() - start) / N;
	chic_rt_vec_drop(&v);
	return start;
}

static double call_plain()
{
	return call_push(false);
}

static double call_reserved()
{
	return call_push(true);
}

int main(int argc, char **argv)
{
	const candidate plain[] = {
		{"std::vector", std_plain},
		{"again", std_plain},
		{"chic_vec_push", inline_plain},
		{"chic_rt_vec_push", call_plain},
	};
	const candidate reserved[] = {
		{"std::vector", std_reserved},
		{"again", std_reserved},
		{"chic_vec_push", inline_reserved},
		{"chic_rt_vec_push", call_reserved},
	};
	unsigned rounds = bench_rounds(argc, argv);

	bench_run("10 million ints pushed, no reserve", plain, 4, rounds);
	bench_run("10 million ints pushed, reserved", reserved, 4, rounds);
	return 0;
}
