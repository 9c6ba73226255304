// SPDX-License-Identifier: BSD-2-Clause
//! A Rust program that links libchic_rt: structs by value both ways, and hooks in Rust
//! that libchic_rt calls.

use std::alloc::{alloc, dealloc, Layout};
use std::ffi::c_void;
use std::ptr::copy_nonoverlapping;

#[repr(C)]
#[derive(Clone, Copy)]
struct ValueMutPtr {
    ptr: *mut u8,
    size: usize,
    align: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct ValueConstPtr {
    ptr: *const u8,
    size: usize,
    align: usize,
}

type Alloc = extern "C" fn(*mut c_void, usize, usize) -> ValueMutPtr;
type Realloc = extern "C" fn(*mut c_void, ValueMutPtr, usize, usize, usize) -> ValueMutPtr;
type Free = extern "C" fn(*mut c_void, ValueMutPtr);

#[repr(C)]
struct ChicAllocatorVTable {
    context: *mut c_void,
    alloc: Option<Alloc>,
    alloc_zeroed: Option<Alloc>,
    realloc: Option<Realloc>,
    free: Option<Free>,
}

#[repr(C)]
#[derive(Clone, Copy, PartialEq, Debug)]
struct AllocationTelemetry {
    alloc_calls: usize,
    alloc_zeroed_calls: usize,
    realloc_calls: usize,
    free_calls: usize,
    alloc_bytes: usize,
    alloc_zeroed_bytes: usize,
    realloc_bytes: usize,
    freed_bytes: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct RegionHandle {
    ptr: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy, PartialEq, Debug)]
struct RegionTelemetry {
    alloc_calls: u64,
    alloc_zeroed_calls: u64,
    alloc_bytes: u64,
    alloc_zeroed_bytes: u64,
    freed_bytes: u64,
}

#[repr(C)]
struct ChicVec {
    ptr: *mut u8,
    len: usize,
    cap: usize,
    elem_size: usize,
    elem_align: usize,
    drop_fn: usize,
    region: RegionHandle,
    uses_inline: bool,
    pad: [u8; 3],
    inline_pad: u32,
    inline_storage: [u8; 64],
}

#[repr(C)]
struct ChicHashMap {
    entries: *mut u8,
    states: *mut u8,
    hashes: *mut u8,
    len: usize,
    cap: usize,
    tombstones: usize,
    key_size: usize,
    key_align: usize,
    value_size: usize,
    value_align: usize,
    entry_size: usize,
    value_offset: usize,
    key_drop_fn: usize,
    value_drop_fn: usize,
    key_eq_fn: usize,
}

#[repr(C)]
struct ChicHashSet {
    entries: *mut u8,
    states: *mut u8,
    hashes: *mut u8,
    len: usize,
    cap: usize,
    tombstones: usize,
    elem_size: usize,
    elem_align: usize,
    drop_fn: usize,
    eq_fn: usize,
}

#[repr(C)]
struct ChicArc {
    ptr: *mut c_void,
}

#[repr(C)]
struct ChicWeak {
    ptr: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct ChicStr {
    ptr: *const u8,
    len: usize,
}

#[repr(C)]
struct ChicString {
    ptr: *mut u8,
    len: usize,
    cap: usize,
    inline_data: [u8; 32],
}

#[repr(C)]
struct ChicCharSpan {
    ptr: *const u16,
    len: usize,
}

#[repr(C)]
struct ChicSpan {
    data: ValueMutPtr,
    len: usize,
    elem_size: usize,
    elem_align: usize,
}

extern "C" {
    fn chic_rt_allocator_install(table: ChicAllocatorVTable);
    fn chic_rt_allocator_reset();
    fn chic_rt_alloc_stats() -> AllocationTelemetry;
    fn chic_rt_reset_alloc_stats();
    fn chic_rt_region_enter(profile: u64) -> RegionHandle;
    fn chic_rt_region_exit(region: RegionHandle);
    fn chic_rt_region_alloc(region: RegionHandle, size: usize, align: usize) -> ValueMutPtr;
    fn chic_rt_region_telemetry(region: RegionHandle) -> RegionTelemetry;
    fn chic_rt_region_profile_of(name: ChicStr) -> u64;
    fn chic_rt_vec_with_capacity(size: usize, align: usize, n: usize, drop: usize) -> ChicVec;
    fn chic_rt_vec_new_in_region(
        size: usize,
        align: usize,
        drop: usize,
        region: RegionHandle,
    ) -> ChicVec;
    fn chic_rt_vec_push(vec: *mut ChicVec, value: *const ValueConstPtr) -> i32;
    fn chic_rt_vec_pop(vec: *mut ChicVec, out: *const ValueMutPtr) -> i32;
    fn chic_rt_vec_ptr_at(vec: *const ChicVec, index: usize) -> ValueMutPtr;
    fn chic_rt_vec_drop(vec: *mut ChicVec);
    fn chic_rt_string_new() -> ChicString;
    fn chic_rt_string_from_slice(slice: ChicStr) -> ChicString;
    fn chic_rt_string_push_slice(target: *mut ChicString, slice: ChicStr) -> i32;
    fn chic_rt_string_append_f64(
        target: *mut ChicString,
        value: f64,
        alignment: i32,
        has_alignment: i32,
        format: ChicStr,
    ) -> i32;
    fn chic_rt_string_append_unsigned(
        target: *mut ChicString,
        low: u64,
        high: u64,
        bits: u32,
        alignment: i32,
        has_alignment: i32,
        format: ChicStr,
    ) -> i32;
    fn chic_rt_string_as_slice(source: *const ChicString) -> ChicStr;
    fn chic_rt_string_as_chars(source: *const ChicString) -> ChicCharSpan;
    fn chic_rt_chars_drop(chars: ChicCharSpan);
    fn chic_rt_string_drop(target: *mut ChicString);
    fn chic_rt_char_to_upper(value: u16) -> u64;
    fn chic_rt_hashmap_with_capacity(
        key_size: usize,
        key_align: usize,
        value_size: usize,
        value_align: usize,
        capacity: usize,
        key_drop: usize,
        value_drop: usize,
        key_eq: usize,
    ) -> ChicHashMap;
    fn chic_rt_hashmap_insert(
        map: *mut ChicHashMap,
        hash: u64,
        key: *const ValueConstPtr,
        value: *const ValueConstPtr,
        previous: *const ValueMutPtr,
        replaced: *mut i32,
    ) -> i32;
    fn chic_rt_hashmap_get_ptr(
        map: *const ChicHashMap,
        hash: u64,
        key: *const ValueConstPtr,
    ) -> ValueConstPtr;
    fn chic_rt_hashmap_drop(map: *mut ChicHashMap);
    fn chic_rt_hashset_new(size: usize, align: usize, drop: usize, eq: usize) -> ChicHashSet;
    fn chic_rt_hashset_insert(
        set: *mut ChicHashSet,
        hash: u64,
        value: *const ValueConstPtr,
        inserted: *mut i32,
    ) -> i32;
    fn chic_rt_hashset_drop(set: *mut ChicHashSet);
    fn chic_rt_arc_new(
        dest: *mut ChicArc,
        src: *const u8,
        size: usize,
        align: usize,
        drop: usize,
        type_id: u64,
    ) -> i32;
    fn chic_rt_arc_get(arc: *const ChicArc) -> *const u8;
    fn chic_rt_arc_drop(arc: *mut ChicArc);
    fn chic_rt_arc_downgrade(dest: *mut ChicWeak, arc: *const ChicArc) -> i32;
    fn chic_rt_weak_upgrade(dest: *mut ChicArc, weak: *const ChicWeak) -> i32;
    fn chic_rt_weak_drop(weak: *mut ChicWeak);
    fn chic_rt_span_from_raw_mut(data: *const ValueMutPtr, len: usize) -> ChicSpan;
    fn chic_rt_ptr_offset(handle: ValueMutPtr, bytes: isize) -> ValueMutPtr;
}

#[derive(Default)]
struct Heap {
    live_blocks: isize,
    live_bytes: isize,
    calls: usize,
}

extern "C" fn heap_alloc(context: *mut c_void, size: usize, align: usize) -> ValueMutPtr {
    let heap = unsafe { &mut *(context as *mut Heap) };
    let ptr = unsafe { alloc(Layout::from_size_align(size, align).unwrap()) };

    heap.live_blocks += 1;
    heap.live_bytes += size as isize;
    heap.calls += 1;
    ValueMutPtr { ptr, size, align }
}

extern "C" fn heap_free(context: *mut c_void, block: ValueMutPtr) {
    let heap = unsafe { &mut *(context as *mut Heap) };

    heap.live_blocks -= 1;
    heap.live_bytes -= block.size as isize;
    unsafe { dealloc(block.ptr, Layout::from_size_align(block.size, block.align).unwrap()) }
}

extern "C" fn heap_realloc(
    context: *mut c_void,
    old: ValueMutPtr,
    old_size: usize,
    size: usize,
    align: usize,
) -> ValueMutPtr {
    let new = heap_alloc(context, size, align);

    assert_eq!((old.size, old.align), (old_size, align));
    unsafe { copy_nonoverlapping(old.ptr, new.ptr, old_size.min(size)) };
    heap_free(context, old);
    new
}

static mut DROPS: usize = 0;

extern "C" fn count_drop(_value: *mut u8) {
    unsafe { DROPS += 1 }
}

fn vectors() {
    let drop = count_drop as extern "C" fn(*mut u8) as usize;
    let mut vec = unsafe { chic_rt_vec_with_capacity(8, 8, 10, drop) };

    assert_eq!((vec.len, vec.cap, vec.elem_size, vec.elem_align), (0, 10, 8, 8));
    for i in 0..1000u64 {
        let value = ValueConstPtr { ptr: &i as *const u64 as *const u8, size: 8, align: 8 };

        assert_eq!(unsafe { chic_rt_vec_push(&mut vec, &value) }, 0);
    }
    let at = unsafe { chic_rt_vec_ptr_at(&vec, 500) };
    assert_eq!((unsafe { *(at.ptr as *const u64) }, at.size, at.align), (500, 8, 8));
    let mut last = 0u64;
    let out = ValueMutPtr { ptr: &mut last as *mut u64 as *mut u8, size: 8, align: 8 };
    assert_eq!(unsafe { chic_rt_vec_pop(&mut vec, &out) }, 0);
    assert_eq!(last, 999);
    unsafe { chic_rt_vec_drop(&mut vec) };
    assert_eq!(unsafe { DROPS }, 999);
    assert_eq!((vec.len, vec.cap), (0, 0));
}

/// Equal where they are the same modulo a million.
extern "C" fn same_rest(a: *const c_void, b: *const c_void) -> i32 {
    unsafe { (*(a as *const u64) % 1_000_000 == *(b as *const u64) % 1_000_000) as i32 }
}

fn number(n: &u64) -> ValueConstPtr {
    ValueConstPtr { ptr: n as *const u64 as *const u8, size: 8, align: 8 }
}

fn maps() {
    let drop = count_drop as extern "C" fn(*mut u8) as usize;
    let equal = same_rest as extern "C" fn(*const c_void, *const c_void) -> i32 as usize;
    let mut map = unsafe { chic_rt_hashmap_with_capacity(8, 8, 1, 1, 100, 0, drop, equal) };
    let before = unsafe { DROPS };

    assert_eq!((map.cap, map.len, map.entry_size, map.value_offset), (256, 0, 16, 8));
    for n in 0..1000u64 {
        let byte = n as u8;
        let value = ValueConstPtr { ptr: &byte, size: 1, align: 1 };
        let other = n + 5_000_000;
        let mut old = 0u8;
        let mut replaced = 7;
        let previous = ValueMutPtr { ptr: &mut old, size: 1, align: 1 };
        let put = |map: &mut ChicHashMap, key: &u64, replaced: *mut i32| unsafe {
            chic_rt_hashmap_insert(map, n << 7, &number(key), &value, &previous, replaced)
        };

        assert_eq!((put(&mut map, &n, &mut replaced), replaced), (0, 0));
        assert_eq!((put(&mut map, &other, &mut replaced), replaced), (0, 1));
        assert_eq!(old, byte);
    }
    for n in 0..1000u64 {
        let at = unsafe { chic_rt_hashmap_get_ptr(&map, n << 7, &number(&n)) };

        assert_eq!((unsafe { *at.ptr }, at.size, at.align), (n as u8, 1, 1));
    }
    unsafe { chic_rt_hashmap_drop(&mut map) };
    assert_eq!(unsafe { DROPS } - before, 1000);

    let mut set = unsafe { chic_rt_hashset_new(8, 8, drop, 0) };
    assert_eq!((set.cap, set.elem_size, set.elem_align, set.drop_fn), (0, 8, 8, drop));
    for n in 0..100u64 {
        let mut inserted = 7;

        assert_eq!(unsafe { chic_rt_hashset_insert(&mut set, n, &number(&n), &mut inserted) }, 0);
        assert_eq!(inserted, 1);
    }
    unsafe { chic_rt_hashset_drop(&mut set) };
    assert_eq!(unsafe { DROPS } - before, 1100);
}

fn owners() {
    let drop = count_drop as extern "C" fn(*mut u8) as usize;
    let value = 0x1234_5678_9abcu64;
    let mut arc = ChicArc { ptr: std::ptr::null_mut() };
    let mut other = ChicArc { ptr: std::ptr::null_mut() };
    let mut weak = ChicWeak { ptr: std::ptr::null_mut() };
    let before = unsafe { DROPS };

    unsafe {
        assert_eq!(chic_rt_arc_new(&mut arc, number(&value).ptr, 8, 64, drop, 1), 0);
        assert_eq!(*(chic_rt_arc_get(&arc) as *const u64), value);
        assert_eq!(chic_rt_arc_get(&arc) as usize % 64, 0);
        assert_eq!(chic_rt_arc_downgrade(&mut weak, &arc), 0);
        chic_rt_arc_drop(&mut arc);
        assert_eq!(DROPS - before, 1);
        assert_eq!(chic_rt_weak_upgrade(&mut other, &weak), -1);
        chic_rt_weak_drop(&mut weak);
    }
}

fn regions() {
    let name = ChicStr { ptr: b"foobar".as_ptr(), len: 6 };
    let profile = unsafe { chic_rt_region_profile_of(name) };
    let region = unsafe { chic_rt_region_enter(profile) };
    let block = unsafe { chic_rt_region_alloc(region, 100, 64) };
    let mut vec = unsafe { chic_rt_vec_new_in_region(4, 4, 0, region) };
    let one = 1u32;
    let value = ValueConstPtr { ptr: &one as *const u32 as *const u8, size: 4, align: 4 };

    assert_eq!(profile, 0x85944171f73967e8);
    assert_eq!((block.size, block.align, block.ptr as usize % 64), (100, 64, 0));
    assert!(vec.region.ptr == region.ptr);
    assert_eq!(unsafe { chic_rt_vec_push(&mut vec, &value) }, 0);
    assert!(vec.uses_inline);
    unsafe { chic_rt_region_exit(region) };
    let t = unsafe { chic_rt_region_telemetry(region) };
    assert_eq!((t.alloc_calls, t.alloc_bytes, t.freed_bytes), (1, 100, 100));
    assert!(unsafe { chic_rt_region_alloc(region, 8, 8) }.ptr.is_null());
}

fn spans() {
    let mut numbers = [1u16, 2, 3];
    let data = ValueMutPtr { ptr: numbers.as_mut_ptr() as *mut u8, size: 2, align: 2 };
    let span = unsafe { chic_rt_span_from_raw_mut(&data, 3) };
    let third = unsafe { chic_rt_ptr_offset(data, 4) };

    assert_eq!((span.len, span.elem_size, span.elem_align), (3, 2, 2));
    assert!(span.data.ptr == data.ptr);
    assert_eq!(unsafe { *(third.ptr as *const u16) }, 3);
}

fn chic(text: &str) -> ChicStr {
    ChicStr { ptr: text.as_ptr(), len: text.len() }
}

fn text_of(s: &ChicString) -> &str {
    let slice = unsafe { chic_rt_string_as_slice(s) };

    std::str::from_utf8(unsafe { std::slice::from_raw_parts(slice.ptr, slice.len) }).unwrap()
}

fn strings() {
    let long = "Ein längerer Text, der nicht hineinpaßt: 32 bytes";
    let mut s = unsafe { chic_rt_string_from_slice(chic(long)) };

    assert_eq!((text_of(&s), s.cap), (long, 64));
    assert_eq!(unsafe { chic_rt_string_push_slice(&mut s, chic(" €")) }, 0);
    assert_eq!(text_of(&s), long.to_owned() + " €");
    let bad = ChicStr { ptr: [0x61u8, 0xc3].as_ptr(), len: 2 };
    assert_eq!(unsafe { chic_rt_string_push_slice(&mut s, bad) }, 1);
    let chars = unsafe { chic_rt_string_as_chars(&s) };
    let units = unsafe { std::slice::from_raw_parts(chars.ptr, chars.len) };
    assert!(units.iter().copied().eq(text_of(&s).encode_utf16()));
    unsafe { chic_rt_chars_drop(chars) };
    unsafe { chic_rt_string_drop(&mut s) };
    for n in 0..1000 {
        let value = n as f64 * 0.37 - 5.0;
        let mut number = unsafe { chic_rt_string_new() };

        assert_eq!(unsafe { chic_rt_string_append_f64(&mut number, value, 0, 0, chic("")) }, 0);
        assert_eq!(text_of(&number), format!("{value:?}"));
        unsafe { chic_rt_string_drop(&mut number) };
    }
    let mut wide = unsafe { chic_rt_string_new() };
    assert_eq!(
        unsafe { chic_rt_string_append_unsigned(&mut wide, 0, 1, 128, -22, 1, chic("X")) },
        0
    );
    assert_eq!(text_of(&wide), format!("{:<22X}", 1u128 << 64));
    unsafe { chic_rt_string_drop(&mut wide) };
    assert_eq!(unsafe { chic_rt_char_to_upper('é' as u16) }, 'É' as u64);
}

fn main() {
    let mut heap = Heap::default();
    let own_hooks = std::env::args().len() == 1; // otherwise the configuration's stack

    unsafe {
        chic_rt_allocator_reset();
        if own_hooks {
            chic_rt_allocator_install(ChicAllocatorVTable {
                context: &mut heap as *mut Heap as *mut c_void,
                alloc: Some(heap_alloc),
                alloc_zeroed: None,
                realloc: Some(heap_realloc),
                free: Some(heap_free),
            });
        }
        chic_rt_reset_alloc_stats();
    }
    vectors();
    maps();
    owners();
    regions();
    spans();
    strings();
    let t = unsafe { chic_rt_alloc_stats() };
    assert_eq!(t.alloc_calls, t.free_calls);
    assert_eq!(t.alloc_bytes + t.realloc_bytes, t.freed_bytes);
    assert!(t.alloc_calls > 3);
    assert!(heap.calls > 3 || !own_hooks);
    assert_eq!((heap.live_blocks, heap.live_bytes), (0, 0));
    unsafe { chic_rt_allocator_reset() };
    println!("rust: all is well");
}
