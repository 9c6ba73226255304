// SPDX-License-Identifier: BSD-2-Clause
/*
 * A job of C++ containers: every allocator-facing part of the standard library
 * that programs use daily, in threads too, with a checksum at the end.
 */
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

namespace
{

struct alignas(128) Wide {
	std::uint64_t value[16];
};

std::uint64_t mix(std::uint64_t sum, std::uint64_t value)
{
	return (sum ^ value) * 1099511628211u;
}

std::uint64_t maps(unsigned rounds)
{
	std::map<std::string, std::vector<unsigned>> ordered;
	std::unordered_map<unsigned, std::string> hashed;
	std::uint64_t sum = 1;

	for (unsigned i = 0; i < rounds; i++) {
		ordered["key " + std::to_string(i % 977)].push_back(i);
		hashed[i * 2654435761u] = std::string(i % 70, 'x');
		if (i % 3 == 0)
			hashed.erase((i / 2) * 2654435761u);
	}
	for (const auto &[key, values] : ordered)
		sum = mix(sum, key.size() + values.size() * values.back());
	return mix(sum, hashed.size());
}

std::uint64_t sequences(unsigned rounds)
{
	std::list<std::string> list;
	std::deque<std::unique_ptr<int>> deque;
	std::multiset<std::string> set;
	std::uint64_t sum = 2;

	for (unsigned i = 0; i < rounds; i++) {
		list.push_front(std::to_string(i * 7919));
		deque.push_back(std::make_unique<int>(i));
		if (i % 2)
			deque.pop_front();
		set.insert(list.front().substr(0, 3));
	}
	list.sort();
	list.unique();
	for (const auto &text : list)
		sum = mix(sum, text.back());
	return mix(mix(sum, set.size()), *deque.front());
}

std::uint64_t aligned(unsigned rounds)
{
	std::vector<std::unique_ptr<Wide>> blocks;
	std::uint64_t wrong = 0;

	for (unsigned i = 0; i < rounds / 16 + 1; i++) {
		blocks.push_back(std::make_unique<Wide>());
		wrong += reinterpret_cast<std::uintptr_t>(blocks.back().get()) % alignof(Wide);
	}
	return wrong;
}

std::uint64_t failures()
{
	volatile std::size_t huge = PTRDIFF_MAX;
	std::uint64_t sum = 0;

	try {
		delete[] new char[huge];
	} catch (const std::bad_alloc &) {
		sum += 1;
	}
	if (!new (std::nothrow) char[huge])
		sum += 2;
	try {
		throw std::runtime_error(std::string(1000, 'e'));
	} catch (const std::exception &e) {
		sum += std::string(e.what()).size();
	}
	return sum;
}

} // namespace

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1000;
	std::vector<std::future<std::uint64_t>> parts;
	std::ostringstream out;

	std::ofstream("maps.batch") << std::ifstream("/proc/self/maps").rdbuf();
	for (unsigned n = 0; n < 4; n++)
		parts.push_back(std::async(std::launch::async, n % 2 ? maps : sequences,
					   rounds + n));
	for (auto &part : parts)
		out << part.get() << '\n';
	out << aligned(rounds) << '\n' << failures() << '\n';
	std::puts(out.str().c_str());
	return 6;
}
