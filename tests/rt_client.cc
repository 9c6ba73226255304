// SPDX-License-Identifier: BSD-2-Clause
/*
 * A C++ program that links libchic_rt: structs by value both ways, hooks and
 * destructors of its own, values of C++ in vectors, objects and shared values.
 */
#include <chic_alloc.h>
#include <chic_rt.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <utility>

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

/* ---- hooks ---- */

struct Heap {
	size_t live_blocks = 0, live_bytes = 0, calls = 0;
};

static ValueMutPtr heap_alloc(void *context, size_t size, size_t align)
{
	Heap *heap = static_cast<Heap *>(context);
	void *p = ::operator new(size, std::align_val_t(align), std::nothrow);

	heap->live_blocks++, heap->live_bytes += size, heap->calls++;
	return {static_cast<uint8_t *>(p), size, align};
}

static ValueMutPtr heap_alloc_zeroed(void *context, size_t size, size_t align)
{
	ValueMutPtr h = heap_alloc(context, size, align);

	std::memset(h.ptr, 0, size);
	return h;
}

static void heap_free(void *context, ValueMutPtr block)
{
	Heap *heap = static_cast<Heap *>(context);

	heap->live_blocks--, heap->live_bytes -= block.size;
	::operator delete(block.ptr, std::align_val_t(block.align));
}

static ValueMutPtr heap_realloc(void *context, ValueMutPtr old, size_t old_size, size_t size,
				size_t align)
{
	ValueMutPtr h = heap_alloc(context, size, align);

	std::memcpy(h.ptr, old.ptr, old_size < size ? old_size : size);
	heap_free(context, {old.ptr, old_size, align});
	return h;
}

/* ---- what goes by value ---- */

static ValueConstPtr value_of(const int &n)
{
	return {reinterpret_cast<const uint8_t *>(&n), sizeof(n), alignof(int)};
}

static void vectors_come_by_value()
{
	ChicVec vec = chic_rt_vec_with_capacity(sizeof(int), alignof(int), 100, 0);
	ChicVecView view = chic_rt_array_view(&vec);

	EXPECT(vec.len == 0 && vec.cap == 100 && vec.elem_size == 4 && vec.elem_align == 4);
	for (int i = 0; i < 1000; i++) {
		ValueConstPtr value = value_of(i);

		EXPECT(chic_rt_vec_push(&vec, &value) == ChicVec_Success);
		EXPECT(chic_vec_push(&vec, &i, sizeof(i)) == ChicVec_Success);
	}
	view = chic_rt_array_view(&vec);
	EXPECT(view.len == 2000 && view.elem_size == 4 && view.elem_align == 4);
	EXPECT(reinterpret_cast<const int *>(view.data)[1999] == 999);

	ValueMutPtr at = chic_rt_vec_ptr_at(&vec, 7);
	EXPECT(*reinterpret_cast<int *>(at.ptr) == 3 && at.size == 4 && at.align == 4);
	ChicVecIter iter = chic_rt_vec_iter(&vec);
	int sum = 0;
	for (ValueConstPtr p = chic_rt_vec_iter_next_ptr(&iter); p.ptr;
	     p = chic_rt_vec_iter_next_ptr(&iter))
		sum += *reinterpret_cast<const int *>(p.ptr);
	EXPECT(sum == 999000);
	chic_rt_vec_drop(&vec);
}

static void regions_go_by_value()
{
	uint64_t profile =
		chic_rt_region_profile_of({reinterpret_cast<const uint8_t *>("foobar"), 6});
	RegionHandle region = chic_rt_region_enter(profile);
	ValueMutPtr block = chic_rt_region_alloc(region, 100, 64);

	EXPECT(profile == UINT64_C(0x85944171f73967e8));
	EXPECT(block.ptr && block.size == 100 && block.align == 64);
	EXPECT(reinterpret_cast<uintptr_t>(block.ptr) % 64 == 0);
	ChicVec vec = chic_rt_vec_new_in_region(200, 8, 0, region);
	EXPECT(chic_rt_vec_reserve(&vec, 10) == ChicVec_Success);
	RegionTelemetry t = chic_rt_region_telemetry(region);
	EXPECT(t.alloc_calls == 2 && t.alloc_bytes == 2100 && t.freed_bytes == 0);
	chic_rt_region_exit(region);
	EXPECT(chic_rt_vec_reserve(&vec, 1) == ChicVec_AllocationFailed);
	EXPECT(chic_rt_region_telemetry(region).freed_bytes == 2100);
}

static void spans_go_by_value()
{
	uint16_t numbers[] = {1, 2, 3, 4, 5};
	ValueMutPtr data = CHIC_STACK_BUFFER(uint16_t, numbers);
	ChicSpan span = chic_rt_span_from_raw_mut(&data, 5), slice;
	ValueMutPtr third = chic_rt_ptr_offset(data, 4);

	EXPECT(span.len == 5 && span.elem_size == 2 && span.elem_align == alignof(uint16_t));
	EXPECT(chic_rt_span_slice_mut(&span, 2, 3, &slice) == ChicSpan_Success);
	EXPECT(slice.data.ptr == third.ptr && third.size == 2);
	EXPECT(chic_rt_span_to_readonly(&slice).len == 3);
	ChicMaybeUninit cell = chic_rt_maybe_uninit_zeroed(third);
	EXPECT(cell.initialised && numbers[2] == 0);
}

static ChicStr slice_of(const char *text)
{
	return {reinterpret_cast<const uint8_t *>(text), std::strlen(text)};
}

static std::string text_of(const ChicString &s)
{
	ChicStr slice = chic_rt_string_as_slice(&s);

	return std::string(reinterpret_cast<const char *>(slice.ptr), slice.len);
}

static void strings_go_by_value()
{
	const char *text = "a text that is longer than what fits inside";
	ChicString s = chic_rt_string_from_slice(slice_of(text)), small, copy;

	EXPECT(text_of(s) == text && chic_rt_string_get_cap(&s) == 64);
	small = chic_rt_string_from_char(0x20ac);
	EXPECT(text_of(small) == "\xe2\x82\xac");
	EXPECT(chic_rt_string_append_signed(&small, -42ull, -1ull, 64, -6, 1, {nullptr, 0}) ==
	       ChicString_Success);
	EXPECT(chic_rt_string_append_f32(&small, 0.1f, 6, 1, {nullptr, 0}) == 0);
	EXPECT(chic_rt_string_append_f64(&small, 2.5, 8, 1, slice_of("F2")) == 0);
	EXPECT(text_of(small) == "\xe2\x82\xac-42      0.1    2.50");
	EXPECT(chic_rt_string_clone(&copy, &s) == ChicString_Success);
	chic_rt_string_drop(&s);
	ChicCharSpan chars = chic_rt_string_as_chars(&copy);
	EXPECT(chars.len == std::strlen(text) && chars.ptr[2] == 't');
	chic_rt_chars_drop(chars);
	ChicStr message = chic_rt_string_error_message(ChicString_OutOfBounds);
	EXPECT(message.len == 13 && std::memcmp(message.ptr, "out of bounds", 13) == 0);
	EXPECT(chic_rt_char_value(chic_rt_char_to_upper(0xe9)) == 0xc9);
	EXPECT(chic_rt_char_status(chic_rt_char_to_upper(0xdf)) == ChicChar_ComplexMapping);
	chic_rt_string_drop(&copy);
	chic_rt_string_drop(&small);
}

#ifdef __SIZEOF_INT128__
static void wide_numbers_go_by_value()
{
	ChicString s = chic_rt_string_new();
	unsigned __int128 three_halves = static_cast<unsigned __int128>(0x3fff8) << 108;

	EXPECT(chic_rt_string_append_f128(&s, three_halves, 5, 1, {nullptr, 0}) == 0);
	EXPECT(text_of(s) == "  1.5");
	chic_rt_string_drop(&s);
}
#else
static void wide_numbers_go_by_value()
{
}
#endif

static uint64_t hash_of(int n)
{
	return UINT64_C(0x9e3779b97f4a7c15) * static_cast<uint64_t>(n);
}

static void maps_come_by_value()
{
	ChicHashMap map = chic_rt_hashmap_with_capacity(4, 4, 4, 4, 100, 0, 0, 0);
	ChicHashSet set = chic_rt_hashset_new(4, 4, 0, 0);

	EXPECT(map.cap == 256 && map.len == 0 && map.entry_size == 8 && map.value_offset == 4);
	EXPECT(set.cap == 0 && set.elem_size == 4 && set.elem_align == 4);
	for (int i = 0; i < 1000; i++) {
		int twice = 2 * i, out = -1;
		ValueConstPtr key = value_of(i), value = value_of(twice);
		ValueMutPtr previous = {reinterpret_cast<uint8_t *>(&out), 4, 4};
		int32_t done = 7;

		EXPECT(chic_rt_hashmap_insert(&map, hash_of(i), &key, &value, &previous,
					      &done) == ChicHashMap_Success);
		EXPECT(done == 0 && out == -1);
		EXPECT(chic_rt_hashset_insert(&set, hash_of(i), &key, &done) ==
		       ChicHashSet_Success);
		EXPECT(done == 1);
	}
	for (int i = 0; i < 1000; i++) {
		ValueConstPtr key = value_of(i);
		ValueConstPtr at = chic_rt_hashmap_get_ptr(&map, hash_of(i), &key);

		EXPECT(at.size == 4 && at.align == 4);
		EXPECT(*reinterpret_cast<const int *>(at.ptr) == 2 * i);
		EXPECT(chic_hashmap_get(&map, hash_of(i), &i, sizeof(i)) == at.ptr);
		EXPECT(chic_rt_hashset_contains(&set, hash_of(i), &key) == 1);
	}
	ChicHashMapIter iter = chic_rt_hashmap_iter(&map);
	int entries = 0;
	for (ValueConstPtr p = chic_rt_hashmap_iter_next_ptr(&iter); p.ptr;
	     p = chic_rt_hashmap_iter_next_ptr(&iter), entries++)
		EXPECT(p.size == 8 && p.align == 4);
	EXPECT(entries == 1000 && iter.entry_size == 8);
	ChicHashSetIter elements = chic_rt_hashset_iter(&set);
	EXPECT(elements.cap == 2048 && elements.elem_size == 4);
	chic_rt_hashmap_drop(&map);
	chic_rt_hashset_drop(&set);
}

/* ---- values of C++ ---- */

static void end_string(uint8_t *value)
{
	std::launder(reinterpret_cast<std::string *>(value))->~basic_string();
}

/* Strings are long enough to lie outside themselves: they may be moved bytewise. */
static void destructors_run()
{
	ChicVec vec = chic_rt_vec_new(sizeof(std::string), alignof(std::string),
				      reinterpret_cast<uintptr_t>(end_string));
	alignas(std::string) unsigned char room[sizeof(std::string)];

	for (int i = 0; i < 100; i++) {
		new (room) std::string(100 + i, 'x');
		EXPECT(chic_vec_push(&vec, room, sizeof(room)) == ChicVec_Success);
	}
	EXPECT(chic_rt_vec_remove(&vec, 50, nullptr) == ChicVec_Success);
	auto *string =
		std::launder(reinterpret_cast<std::string *>(chic_rt_vec_ptr_at(&vec, 50).ptr));
	EXPECT(string->size() == 151);
	chic_rt_vec_drop(&vec);
}

static void objects_have_types()
{
	RuntimeTypeMetadata type = {sizeof(std::string),
				    alignof(std::string),
				    reinterpret_cast<uintptr_t>(end_string),
				    {nullptr, 0},
				    3};
	RuntimeTypeMetadata known;

	chic_rt_type_metadata_register(77, type);
	EXPECT(chic_rt_type_metadata(77, &known) == 1);
	EXPECT(known.size == sizeof(std::string) && known.flags == 3);
	uint8_t *object = chic_rt_object_new(77);
	new (object) std::string(1000, 'y');
	chic_rt_object_drop(object, 77);
}

static void values_have_owners()
{
	alignas(std::string) unsigned char room[sizeof(std::string)];
	ChicArc arc = {nullptr}, other = {nullptr};
	ChicWeak weak = {nullptr};

	new (room) std::string(200, 'z');
	EXPECT(chic_rt_arc_new(&arc, room, sizeof(room), alignof(std::string),
			       reinterpret_cast<uintptr_t>(end_string), 78) == 0);
	EXPECT(chic_rt_arc_downgrade(&weak, &arc) == 0);
	EXPECT(chic_rt_weak_upgrade(&other, &weak) == 0);
	auto *string =
		std::launder(reinterpret_cast<const std::string *>(chic_rt_arc_get(&other)));
	EXPECT(string->size() == 200);
	chic_rt_arc_drop(&arc);
	chic_rt_arc_drop(&other);
	EXPECT(chic_rt_weak_upgrade(&other, &weak) == ChicShared_InvalidPointer);
	chic_rt_weak_drop(&weak);
}

static int name_layer(const struct chic_alloc_info *info, void *)
{
	std::printf("layer %s, ", info->name);
	return 0;
}

/* The stack of a configuration, or hooks of its own. */
int main(int argc, char **argv)
{
	Heap heap;
	ChicTelemetryScope scope;
	char message[200];

	chic_rt_allocator_reset();
	if (argc > 1) {
		EXPECT(chic_alloc_load(argv[1]) == 0);
		chic_alloc_each(name_layer, nullptr);
	} else {
		chic_rt_allocator_install(
			{&heap, heap_alloc, heap_alloc_zeroed, heap_realloc, heap_free});
	}
	scope = chic_rt_telemetry_begin("client");
	vectors_come_by_value();
	regions_go_by_value();
	spans_go_by_value();
	strings_go_by_value();
	wide_numbers_go_by_value();
	maps_come_by_value();
	destructors_run();
	objects_have_types();
	values_have_owners();
	if (chic_rt_telemetry_end(&scope, nullptr, message, sizeof(message)) != 0) {
		std::fprintf(stderr, "%s\n", message);
		failures++;
	}
	EXPECT(heap.calls > 10 || argc > 1);
	EXPECT(heap.live_blocks == 0 && heap.live_bytes == 0);
	if (!failures)
		std::printf("all is well\n");
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
