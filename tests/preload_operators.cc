// SPDX-License-Identifier: BSD-2-Clause
//
// C++ operators under the preload library: each counted once, and out of memory
// as the standard says.  Exit status 0 if all is as expected.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <new>

#include "chic_alloc.h"

// clang declares them only with -fsized-deallocation.
void operator delete(void *p, std::size_t size) noexcept;
void operator delete(void *p, std::size_t size, std::align_val_t align) noexcept;

namespace
{

constexpr std::size_t blocks = 100000;
constexpr std::size_t too_much = PTRDIFF_MAX;

unsigned failures;
unsigned handler_calls;
void *kept[blocks];

void expect(bool good, const char *what, unsigned line)
{
	if (good)
		return;
	failures++;
	std::fprintf(stderr, "preload_operators.cc:%u: expected %s\n", line, what);
}

#define EXPECT(condition) expect(condition, #condition, __LINE__)

AllocationTelemetry stats()
{
	using Fill = void (*)(AllocationTelemetry *);
	static Fill fill =
		reinterpret_cast<Fill>(dlsym(RTLD_DEFAULT, "chic_alloc_malloc_stats"));
	AllocationTelemetry t{};

	EXPECT(fill != nullptr);
	if (fill)
		fill(&t);
	return t;
}

void *make(std::size_t i)
{
	switch (i % 5) {
	case 0:
		return ::operator new(i % 300);
	case 1:
		return ::operator new[](i % 300);
	case 2:
		return ::operator new(i % 300, std::nothrow);
	case 3:
		return ::operator new(i % 300, std::align_val_t(128));
	default:
		return ::operator new[](i % 300, std::align_val_t(128), std::nothrow);
	}
}

void unmake(void *p, std::size_t i)
{
	switch (i % 5) {
	case 0:
		return ::operator delete(p, i % 300);
	case 1:
		return ::operator delete[](p);
	case 2:
		return ::operator delete(p, std::nothrow);
	case 3:
		return ::operator delete(p, i % 300, std::align_val_t(128));
	default:
		return ::operator delete[](p, std::align_val_t(128));
	}
}

void counted_exactly()
{
	AllocationTelemetry a = stats(), b;

	a = stats();
	for (std::size_t i = 0; i < blocks; i++) {
		kept[i] = make(i);
		EXPECT(kept[i] &&
		       (i % 5 < 3 || reinterpret_cast<std::uintptr_t>(kept[i]) % 128 == 0));
	}
	b = stats();
	EXPECT(b.alloc_calls - a.alloc_calls == blocks && b.free_calls == a.free_calls);
	for (std::size_t i = 0; i < blocks; i++)
		unmake(kept[i], i);
	a = stats();
	EXPECT(a.free_calls - b.free_calls == blocks && b.alloc_calls == a.alloc_calls);
}

template <typename F> bool throws_bad_alloc(F f)
{
	try {
		f();
	} catch (const std::bad_alloc &) {
		return true;
	}
	return false;
}

void give_up_at_third()
{
	if (++handler_calls == 3)
		std::set_new_handler(nullptr);
}

void throwing_handler()
{
	handler_calls++;
	throw std::bad_alloc();
}

void out_of_memory()
{
	volatile std::size_t size = too_much;

	EXPECT(throws_bad_alloc([&] { kept[0] = ::operator new(size); }));
	EXPECT(throws_bad_alloc([&] { kept[0] = ::operator new[](size); }));
	EXPECT(throws_bad_alloc([&] { kept[0] = ::operator new(size, std::align_val_t(64)); }));
	EXPECT(::operator new(size, std::nothrow) == nullptr);
	EXPECT(::operator new[](size, std::align_val_t(64), std::nothrow) == nullptr);

	std::set_new_handler(give_up_at_third);
	EXPECT(throws_bad_alloc([&] { kept[0] = ::operator new(size); }));
	EXPECT(handler_calls == 3);

	handler_calls = 0;
	std::set_new_handler(throwing_handler);
	EXPECT(::operator new(size, std::nothrow) == nullptr);
	EXPECT(::operator new[](size, std::nothrow) == nullptr);
	EXPECT(::operator new(size, std::align_val_t(64), std::nothrow) == nullptr);
	EXPECT(handler_calls == 3);
	std::set_new_handler(nullptr);
}

} // namespace

int main()
{
	counted_exactly();
	out_of_memory();
	return failures ? 1 : 0;
}
