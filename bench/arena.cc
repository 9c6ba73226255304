// SPDX-License-Identifier: BSD-2-Clause
/*
 * A block of the arena, through the hooks with counters on, beside those of others of
 * its kind, in memory that was used before; and the end of a million blocks.
 *
 * WITH_APR and WITH_TALLOC say what is installed.
 */
#include "runtime.h"

#include <memory_resource>
#include <obstack.h>

#include <chic_alloc.h>
#ifdef WITH_APR
#include <apr_pools.h>
#endif
#ifdef WITH_TALLOC
#include <talloc.h>
#endif

#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

namespace
{

enum { BLOCKS = 4000, TURNS = 100, MANY = 1000000 };

size_t size;
void *block[MANY];

void touch(void *p)
{
	bench_must(p != NULL, "no memory");
	*static_cast<volatile char *>(p) = 1;
}

/* Each kind: get() a block, end() all of them. */
struct arena {
	static void *get()
	{
		return chic_rt_alloc(size, 8).ptr;
	}
	static void end(int)
	{
		bench_must(chic_alloc_reset(NULL) == 0, chic_alloc_message());
	}
};

struct pmr {
	static std::pmr::monotonic_buffer_resource *resource()
	{
		static char first[BLOCKS * 300];
		static std::pmr::monotonic_buffer_resource r(first, sizeof(first));

		return &r;
	}
	static void *get()
	{
		return resource()->allocate(size, 16);
	}
	static void end(int)
	{
		resource()->release();
	}
};

struct obstacks {
	static struct obstack *stack()
	{
		static struct obstack s;
		static bool begun = (obstack_begin(&s, 65536), true);

		bench_must(begun, "obstack");
		return &s;
	}
	static void *get()
	{
		void *p = obstack_alloc(stack(), size);

		if (!first)
			first = p;
		return p;
	}
	static void end(int)
	{
		obstack_free(stack(), first);
		first = NULL;
	}
	static void *first;
};

void *obstacks::first;

struct glibc {
	static void *get()
	{
		block[n] = malloc(size);
		return block[n++];
	}
	static void end(int)
	{
		while (n)
			free(block[--n]);
	}
	static int n;
};

int glibc::n;

/* One after the other: each block is freed before the next is asked for. */
struct glibc_pair {
	static void *get()
	{
		free(block[0]);
		block[0] = malloc(size);
		return block[0];
	}
	static void end(int)
	{
	}
};

#ifdef WITH_APR
struct apr {
	static apr_pool_t *pool()
	{
		static apr_pool_t *p;

		if (!p) {
			apr_initialize();
			apr_pool_create(&p, NULL);
		}
		return p;
	}
	static void *get()
	{
		return apr_palloc(pool(), size);
	}
	static void end(int)
	{
		apr_pool_clear(pool());
	}
};
#endif

#ifdef WITH_TALLOC
struct talloc {
	static void *get()
	{
		if (!pool)
			pool = talloc_pool(NULL, BLOCKS * 400);
		return talloc_size(pool, size);
	}
	static void end(int)
	{
		talloc_free_children(pool);
	}
	static void *pool;
};

void *talloc::pool;
#endif

/* The best of many turns, for what disturbs one makes it longer. */
template <class kind> double blocks()
{
	double best = 0;

	for (int turn = 0; turn < TURNS; turn++) {
		double start = bench_now(), took;

		for (int i = 0; i < BLOCKS; i++)
			touch(kind::get());
		took = (bench_now() - start) / BLOCKS;
		kind::end(BLOCKS);
		if (turn == 0 || took < best)
			best = took;
	}
	return best;
}

/* The second time, as the third and all that follow. */
template <class kind> double end_of_many()
{
	double start = 0;

	for (int turn = 0; turn < 2; turn++) {
		for (int i = 0; i < MANY; i++)
			touch(kind::get());
		start = bench_now();
		kind::end(MANY);
	}
	return bench_now() - start;
}

#ifdef WITH_APR
#define APR(shape) {"apr pool", shape<apr>}, {"again", shape<apr>},
#else
#define APR(shape)
#endif
#ifdef WITH_TALLOC
#define TALLOC(shape) {"talloc pool", shape<talloc>},
#else
#define TALLOC(shape)
#endif

/* clang-format off */
#define KINDS(shape)                                                                           \
	APR(shape) {"arena, hooks and counters", shape<arena>},                                \
	{"std::pmr monotonic", shape<pmr>}, {"obstack", shape<obstacks>},                      \
	TALLOC(shape) {"glibc", shape<glibc>},
/* clang-format on */

} // namespace

int main(int argc, char **argv)
{
	static const struct candidate get[] = {
		KINDS(blocks){"glibc, malloc and free in turn", blocks<glibc_pair>},
	};
	static const struct candidate end[] = {KINDS(end_of_many)};
	static const size_t sizes[] = {16, 64, 256};
	unsigned n = sizeof(get) / sizeof(get[0]);
	unsigned rounds = bench_rounds(argc, argv);

	for (size_t i = 0; i < 3; i++) {
		char title[64];

		size = sizes[i];
		snprintf(title, sizeof(title), "a block of %zu bytes", size);
		bench_run(title, get, n, rounds);
	}
	size = 64;
	bench_run("the end of a million blocks of 64 bytes", end, n - 1, rounds);
	return 0;
}
