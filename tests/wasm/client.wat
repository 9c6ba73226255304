;; SPDX-License-Identifier: BSD-2-Clause
;;
;; A module of somebody else, in a memory that it shares with ours.  It allocates by
;; every convention that there is: short names and long ones as Chic's compiler imports
;; them, and long ones as C compilers do.
(module
  (import "env" "memory" (memory 1))
  (import "env" "__indirect_function_table" (table $table 1 funcref))
  (import "chic_rt" "alloc" (func $alloc (param i32 i32 i32) (result i32)))
  (import "chic_rt" "alloc_zeroed" (func $zeroed (param i32 i32 i32) (result i32)))
  (import "chic_rt" "realloc" (func $realloc (param i32 i32 i32 i32 i32) (result i32)))
  (import "chic_rt" "free" (func $free (param i32)))
  (import "chic_rt" "memcpy" (func $memcpy (param i32 i32 i32)))
  (import "chic_rt" "memset" (func $memset (param i32 i32 i32)))
  (import "chic_rt" "chic_rt_alloc" (func $long_alloc (param i32 i32 i32) (result i32)))
  (import "chic_rt" "chic_rt_free" (func $long_free (param i32)))
  (import "chic_rt" "chic_rt_memcpy" (func $long_memcpy (param i32 i32 i32)))
  (import "env" "chic_rt_alloc" (func $c_alloc (param i32 i32 i32)))
  (import "env" "chic_rt_free" (func $c_free (param i32)))
  (import "chic_rt" "allocator_install" (func $install (param i32)))

  ;; Handles of 12 bytes, in this module's own first page.
  (global $a i32 (i32.const 1024))
  (global $b i32 (i32.const 1040))
  (global $c i32 (i32.const 1056))

  (func (export "addresses") (param $which i32) (result i32)
    (i32.load (i32.add (global.get $a) (i32.mul (local.get $which) (i32.const 16)))))

  ;; Three blocks, one by each convention; the answer is 1 if the places of the handles
  ;; came back as they have to.
  (func (export "take") (param $size i32) (param $align i32) (result i32)
    (call $c_alloc (global.get $c) (local.get $size) (local.get $align))
    (i32.and
      (i32.eq (call $alloc (global.get $a) (local.get $size) (local.get $align))
              (global.get $a))
      (i32.eq (call $long_alloc (global.get $b) (local.get $size) (local.get $align))
              (global.get $b))))

  ;; $byte into the first, by address to the second, by handles on to the third; the
  ;; answer is the last byte there.
  (func (export "copy") (param $byte i32) (result i32)
    (local $size i32)
    (local.set $size (i32.load offset=4 (global.get $a)))
    (call $memset (i32.load (global.get $a)) (local.get $byte) (local.get $size))
    (call $memcpy (i32.load (global.get $b)) (i32.load (global.get $a)) (local.get $size))
    (call $long_memcpy (global.get $c) (global.get $b) (local.get $size))
    (i32.load8_u (i32.add (i32.load (global.get $c))
                          (i32.sub (local.get $size) (i32.const 1)))))

  (func (export "grow") (param $size i32) (result i32)
    (i32.load (call $realloc (global.get $a) (global.get $a)
      (i32.load offset=4 (global.get $a)) (local.get $size)
      (i32.load offset=8 (global.get $a)))))

  (func (export "give") 
    (call $free (global.get $a))
    (call $long_free (global.get $b))
    (call $c_free (global.get $c)))

  ;; Somebody else's pages, between those of the heap.
  (func (export "pages") (param $n i32) (result i32)
    (memory.grow (local.get $n)))

  (func (export "zeroed") (param $size i32) (result i32)
    (i32.load (call $zeroed (global.get $a) (local.get $size) (i32.const 8))))

  ;; Hooks of this module: blocks one behind the other from 2048 on.  What they were
  ;; called with is at 1072: how often, the context, and the last block given back.
  (func $hook_alloc (param $out i32) (param $context i32) (param $size i32)
      (param $align i32)
    (i32.store (i32.const 1072) (i32.add (i32.load (i32.const 1072)) (i32.const 1)))
    (i32.store (i32.const 1076) (local.get $context))
    (i32.store (local.get $out) (global.get $next))
    (global.set $next (i32.add (global.get $next) (local.get $size))))
  (func $hook_free (param $context i32) (param $block i32)
    (i32.store (i32.const 1072) (i32.add (i32.load (i32.const 1072)) (i32.const 1)))
    (i32.store (i32.const 1080) (i32.load (local.get $block))))
  (global $next (mut i32) (i32.const 2048))
  (elem declare func $hook_alloc $hook_free)

  ;; A table of five words at 1088.
  (func (export "install") (param $context i32)
    (i32.store (i32.const 1088) (local.get $context))
    (i32.store (i32.const 1092) (table.grow $table (ref.func $hook_alloc) (i32.const 1)))
    (i64.store (i32.const 1096) (i64.const 0))
    (i32.store (i32.const 1104) (table.grow $table (ref.func $hook_free) (i32.const 1)))
    (call $install (i32.const 1088)))
  (func (export "word") (param $at i32) (result i32)
    (i32.load (local.get $at)))
)
