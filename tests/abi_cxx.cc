// SPDX-License-Identifier: BSD-2-Clause
/*
 * The three headers in a C++ program that links the shared library: they
 * compile, names are C names, and handles and tables go by value both ways.
 */
#include "chic_alloc.h"
#include "chic_module.h"
#include "chic_rt.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

CHIC_ALLOC_MANUAL();

static int failures;

#define EXPECT(condition)                                                                      \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			std::fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__,       \
				     #condition);                                              \
			failures++;                                                            \
		}                                                                              \
	} while (0)

static struct {
	void *context;
	ValueMutPtr old;
	size_t old_size, size, align;
	unsigned calls;
} seen;

static unsigned char storage[256] __attribute__((aligned(64)));

static ValueMutPtr hook_alloc(void *context, size_t size, size_t align)
{
	seen = {context, {}, 0, size, align, seen.calls + 1};
	return {storage, size, align};
}

static ValueMutPtr hook_realloc(void *context, ValueMutPtr old, size_t old_size, size_t size,
				size_t align)
{
	seen = {context, old, old_size, size, align, seen.calls + 1};
	return {storage + 64, size, align};
}

static void hook_free(void *context, ValueMutPtr block)
{
	seen = {context, block, 0, block.size, block.align, seen.calls + 1};
}

static void default_heap_serves()
{
	ValueMutPtr block = chic_rt_alloc_zeroed(100, 64);

	EXPECT(block.ptr != nullptr);
	EXPECT(block.size == 100 && block.align == 64);
	EXPECT(reinterpret_cast<uintptr_t>(block.ptr) % 64 == 0);
	EXPECT(block.ptr[0] == 0 && block.ptr[99] == 0);
	chic_rt_free(block);
}

static void table_goes_by_value()
{
	int context = 0;
	ValueMutPtr block, grown;

	seen.calls = 0;
	chic_rt_allocator_install({&context, hook_alloc, nullptr, hook_realloc, hook_free});

	block = chic_rt_alloc(24, 8);
	EXPECT(seen.calls == 1 && seen.context == &context);
	EXPECT(seen.size == 24 && seen.align == 8);
	EXPECT(block.ptr == storage && block.size == 24 && block.align == 8);

	grown = chic_rt_realloc(block, 23, 48, 16);
	EXPECT(seen.calls == 2 && seen.context == &context && seen.old.ptr == storage);
	EXPECT(seen.old.size == 24 && seen.old.align == 8 && seen.old_size == 23);
	EXPECT(seen.size == 48 && seen.align == 16);
	EXPECT(grown.ptr == storage + 64 && grown.size == 48 && grown.align == 16);

	chic_rt_free(grown);
	EXPECT(seen.calls == 3 && seen.context == &context && seen.old.ptr == storage + 64);
	EXPECT(seen.size == 48 && seen.align == 16);
	chic_rt_allocator_reset();
}

static void counters_come_by_value()
{
	AllocationTelemetry by_value, filled;

	chic_rt_reset_alloc_stats();
	chic_rt_free(chic_rt_alloc(10, 1));
	by_value = chic_rt_alloc_stats();
	chic_rt_alloc_stats_fill(&filled);
	EXPECT(by_value.alloc_calls == 1 && by_value.alloc_bytes == 10);
	EXPECT(by_value.free_calls == 1 && by_value.freed_bytes == 10);
	EXPECT(by_value.alloc_zeroed_calls == 0 && by_value.realloc_calls == 0);
	EXPECT(std::memcmp(&by_value, &filled, sizeof filled) == 0);
}

static void copies_take_handles()
{
	uint8_t bytes[8] = {};
	const uint8_t text[8] = {'c', 'h', 'i', 'c'};
	ValueMutPtr whole = {bytes, sizeof bytes, 1};

	chic_rt_memcpy(whole, {text, sizeof text, 1}, 4);
	chic_rt_memmove({bytes + 1, 7, 1}, whole, 4);
	EXPECT(std::memcmp(bytes, "cchic\0\0", 8) == 0);
	chic_rt_memset(whole, 'x', 2);
	chic_rt_zero_init(bytes + 4, 1);
	EXPECT(std::memcmp(bytes, "xxhi\0\0\0", 8) == 0);
}

static void manual_means_nothing_is_loaded()
{
	int layers = 0;
	auto count = [](const chic_alloc_info *info, void *arg) {
		if (std::strcmp(info->kind, "platform") != 0)
			++*static_cast<int *>(arg);
		return 0;
	};

	EXPECT(chic_alloc_each(count, &layers) == 0);
	EXPECT(layers == 0);
}

int main()
{
	default_heap_serves();
	table_goes_by_value();
	counters_come_by_value();
	copies_take_handles();
	manual_means_nothing_is_loaded();
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
