// SPDX-License-Identifier: BSD-2-Clause
//
// Blocks, counters, and requests that cannot be served, through the wrapper and past it.
import { assert, done, limited, load, none, test, ways } from './tap.mjs';

for (const [way, make] of Object.entries(ways)) {
	await test(`${way}: blocks have their bytes, all of it is counted`, async () => {
		const chic = await make();
		const a = chic.alloc(1000, 8);
		assert.equal(a.size, 1000);
		assert.equal(a.align, 8);
		assert.notEqual(a.ptr, 0);
		chic.bytes(a).fill(7);
		const z = chic.allocZeroed(500);
		assert(chic.bytes(z).every((byte) => byte === 0));
		const b = chic.realloc(a, 100000);
		assert(chic.bytes(b).subarray(0, 1000).every((byte) => byte === 7));
		chic.free(z);
		chic.free(b);
		assert.deepEqual(chic.stats(), { ...none, allocCalls: 1, allocZeroedCalls: 1,
			reallocCalls: 1, freeCalls: 2, allocBytes: 1000, allocZeroedBytes: 500,
			reallocBytes: 100000, freedBytes: 101500 });
		chic.resetStats();
		assert.deepEqual(chic.stats(), none);
	});

	await test(`${way}: alignments beyond the page`, async () => {
		const chic = await make();
		for (let align = 1; align <= 1 << 20; align *= 2) {
			const block = chic.alloc(100, align);
			assert.notEqual(block.ptr, 0);
			assert.equal(block.ptr % align, 0);
			assert.equal(block.align, align);
			chic.bytes(block).fill(1);
			const more = chic.realloc(block, 70000);
			assert.equal(more.ptr % align, 0);
			chic.free(more);
		}
		const { freeCalls, allocBytes, reallocBytes, freedBytes } = chic.stats();
		assert.equal(freeCalls, 21);
		assert.equal(allocBytes + reallocBytes, freedBytes);
	});

	await test(`${way}: what cannot be served is a typed null, uncounted`, async () => {
		const chic = await make();
		const block = chic.alloc(16, 16);
		chic.bytes(block).fill(9);
		chic.resetStats();
		assert.deepEqual(chic.alloc(10, 3), { ptr: 0, size: 10, align: 3 });
		assert.deepEqual(chic.alloc(0, 8), { ptr: 0, size: 0, align: 8 });
		assert.deepEqual(chic.alloc(2 ** 31, 8), { ptr: 0, size: 2 ** 31, align: 8 });
		assert.deepEqual(chic.allocZeroed(2 ** 32 - 1, 1),
			{ ptr: 0, size: 2 ** 32 - 1, align: 1 });
		assert.deepEqual(chic.alloc(1, 2 ** 31), { ptr: 0, size: 1, align: 2 ** 31 });
		assert.deepEqual(chic.realloc(block, 2 ** 32 - 4, 8),
			{ ptr: 0, size: 2 ** 32 - 4, align: 8 });
		assert.deepEqual(chic.realloc(block, 100, 12), { ptr: 0, size: 100, align: 12 });
		assert(chic.bytes(block).every((byte) => byte === 9));
		assert.deepEqual(chic.stats(), none);
	});

	await test(`${way}: numbers that are no words are typed nulls, and not their last bits`, async () => {
		const chic = await make();
		const block = chic.alloc(16);
		chic.resetStats();
		for (const n of [2 ** 32, 2 ** 32 + 16, 2 ** 53, 1e300, Infinity, -1, -16, 1.5, NaN]) {
			assert.deepEqual(chic.alloc(n, 8), { ptr: 0, size: n, align: 8 });
			assert.deepEqual(chic.allocZeroed(n, 8), { ptr: 0, size: n, align: 8 });
			assert.deepEqual(chic.realloc(block, n, 8), { ptr: 0, size: n, align: 8 });
			assert.deepEqual(chic.alloc(8, n), { ptr: 0, size: 8, align: n });
		}
		assert.deepEqual(chic.stats(), none);
	});

	await test(`${way}: a failed block has no bytes`, async () => {
		const chic = await make();
		assert.equal(chic.bytes(chic.alloc(2 ** 31)).length, 0);
		assert.equal(chic.bytes({ ptr: 0, size: 100, align: 1 }).length, 0);
	});

	await test(`${way}: objects by their type`, async () => {
		const chic = await make();
		const e = chic.exports;
		const [at] = new Uint32Array([chic.alloc(64).ptr]);
		assert.equal(e.chic_rt_object_new(7n), 0);
		new Uint32Array(chic.memory.buffer, at, 16).set([24, 8]);
		assert.equal(e.chic_rt_type_register(7n, at), 0);
		chic.resetStats();
		const ptr = e.chic_rt_object_new(7n) >>> 0;
		assert(ptr && ptr % 8 === 0);
		assert(chic.bytes({ ptr, size: 24 }).every((byte) => byte === 0));
		e.chic_rt_object_drop(ptr, 7n);
		const { freeCalls, freedBytes } = chic.stats();
		assert.deepEqual([freeCalls, freedBytes], [1, 24]);
	});

	await test(`${way}: null handles`, async () => {
		const chic = await make();
		const nothing = { ptr: 0, size: 100, align: 8 };
		chic.free(nothing);
		assert.deepEqual(chic.stats(), none);
		const block = chic.realloc({ ptr: 0, size: 0, align: 8 }, 100);
		assert.notEqual(block.ptr, 0);
		assert.deepEqual(chic.realloc(block, 0), { ptr: 0, size: 0, align: 8 });
		assert.deepEqual(chic.stats(), { ...none, reallocCalls: 1, reallocBytes: 100,
			freeCalls: 1, freedBytes: 100 });
		chic.exports.memcpy(0, 100, 10);
		chic.exports.memset(0, 1, 10);
		chic.exports.chic_rt_alloc_stats_fill(0);
		chic.exports.chic_rt_zero_init(0, 10);
	});

	await test(`${way}: regions give back all they took`, async () => {
		const chic = await make();
		const e = chic.exports;
		const region = e.chic_rt_region_enter(7n);
		const out = e.chic_alloc_scratch() >>> 0;
		assert.notEqual(region, 0);
		let last = 0;
		for (let i = 0; i < 100; i++) {
			e.chic_rt_region_alloc(out, region, 1000, 64);
			const [ptr, size, align] = new Uint32Array(chic.memory.buffer, out, 3);
			assert(ptr && ptr % 64 === 0 && ptr !== last);
			assert.deepEqual([size, align], [1000, 64]);
			chic.bytes({ ptr, size }).fill(i);
			last = ptr;
		}
		e.chic_rt_region_telemetry(out, region);
		const [calls, , bytes] = new BigUint64Array(chic.memory.buffer, out, 5);
		assert.deepEqual([calls, bytes], [100n, 100000n]);
		e.chic_rt_region_exit(region);
		e.chic_rt_region_alloc(out, region, 1000, 64);
		assert.equal(new Uint32Array(chic.memory.buffer, out, 3)[0], 0);
		const t = chic.stats();
		assert(t.allocCalls + t.allocZeroedCalls > 0);
		assert.equal(t.allocCalls + t.allocZeroedCalls, t.freeCalls);
		assert.equal(t.allocBytes + t.allocZeroedBytes, t.freedBytes);
	});
}

await test('a full memory answers null, and serves again when something is free', async () => {
	const chic = await limited(20);
	const blocks = [];
	for (let b = chic.alloc(3000); b.ptr; b = chic.alloc(3000))
		blocks.push(b);
	assert.equal(chic.memory.buffer.byteLength, 20 * 65536);
	assert(blocks.length > 18 * 65536 / 3020);
	assert.deepEqual(chic.realloc(blocks[0], 100000), { ptr: 0, size: 100000, align: 16 });
	assert.equal(chic.stats().allocCalls, blocks.length);
	chic.free(blocks.pop());
	assert.notEqual(chic.alloc(2000).ptr, 0);
	for (const b of blocks)
		chic.free(b);
	assert.notEqual(chic.alloc(1000000).ptr, 0);
});

await test('the last page of a memory of 4 GiB', async () => {
	let memory;
	try {
		memory = new WebAssembly.Memory({ initial: 65535, maximum: 65536 });
	} catch {
		console.log('# no room for a memory of 4 GiB');
		return;
	}
	const chic = await load({ memory });
	const block = chic.alloc(30000);
	assert.notEqual(block.ptr, 0);
	assert(block.ptr > 0xffff0000);
	chic.bytes(block).fill(1);
	assert.equal(chic.alloc(30000).ptr, 0);
	chic.free(block);
	assert.equal(chic.alloc(30000).ptr, block.ptr);
});

await test('blocks beyond 2 GiB', async () => {
	let memory;
	try {
		memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
		memory.grow(33000);
	} catch {
		console.log('# no room for a memory of 2 GiB');
		return;
	}
	const chic = await load({ memory });
	const a = chic.alloc(100), b = chic.realloc(a, 200000);
	assert(a.ptr > 2 ** 31);
	assert(b.ptr > 2 ** 31);
	chic.bytes(b).fill(1);
	chic.free(b);
	assert.equal(chic.stats().freeCalls, 1);
});

const beyond = 2 ** 31;

await test('a heap base beyond 2 GiB', async () => {
	const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
	try {
		memory.grow(32768);
	} catch {
		console.log('# no room for a memory of 2 GiB');
		return;
	}
	await assert.rejects(load({ memory, heapBase: beyond + 65000 }), /: 528 bytes from heapBase/);
	await assert.rejects(load({ memory, heapBase: beyond - 100, heapEnd: beyond }),
		/: 96 bytes from heapBase/);
	const chic = await load({ memory, heapBase: beyond + 1 });
	const block = chic.alloc(1000);
	assert(block.ptr > beyond);
	chic.bytes(block).fill(1);
	const moved = chic.realloc(block, 100000);
	assert(chic.bytes(moved).subarray(0, 1000).every((byte) => byte === 1));
	let old;
	chic.install({ free: (block) => {
		old = block;
	} });
	chic.free(moved);
	assert.deepEqual(old, moved);
});

await test('a heap base that is no address of the memory', async () => {
	const memory = new WebAssembly.Memory({ initial: 4 });
	for (const heapBase of [-1, NaN, 4096.5, '4096', 2 ** 32 - 5, 2 ** 32 + 4096, 4 * 65536 + 1])
		await assert.rejects(load({ memory, heapBase }), /RangeError: chic_alloc: heapBase is /);
	for (const heapEnd of [-1, NaN, 4 * 65536 + 1, 2 ** 32])
		await assert.rejects(load({ memory, heapBase: 4096, heapEnd }),
			/RangeError: chic_alloc: heapEnd is /);
	await assert.rejects(load({ memory, heapBase: 65536, heapEnd: 4096 }), /: -61440 bytes/);
	await assert.rejects(load({ memory, heapEnd: 65536 }), TypeError);
	await assert.rejects(load({ heapBase: 65536 }), /TypeError: chic_alloc: heapBase without memory/);
	assert(new Uint8Array(memory.buffer).every((byte) => byte === 0));
	assert.equal(memory.buffer.byteLength, 4 * 65536);
});

await test('from address 0 on, but nothing at it', async () => {
	const memory = new WebAssembly.Memory({ initial: 2 });
	const chic = await load({ memory, heapBase: 0 });
	for (let i = 0; i < 100; i++)
		chic.bytes(chic.alloc(1000)).fill(1);
	assert.equal(chic.stats().allocCalls, 100);
	assert(new Uint8Array(memory.buffer, 0, 16).every((byte) => byte === 0));
});

await test('memory for the heap that is not there', async () => {
	const memory = new WebAssembly.Memory({ initial: 2 });
	const { exports } = await load({ memory, heapBase: 4096, heapEnd: 65536 });
	assert.equal(exports.chic_alloc_heap(65536, 65537), 0);
	assert.equal(exports.chic_alloc_heap(0xfffff000, 0x100000), 0);
	assert.equal(exports.chic_alloc_heap(2 ** 32 - 16, 16), 0);
	assert.equal(exports.chic_alloc_heap(70000, 30), 0);
	assert.equal(exports.chic_alloc_heap(65537, 65535), 1);
});

await test('no room for the module itself', async () => {
	await assert.rejects(limited(1), RangeError);
	await assert.rejects(load({ memory: new WebAssembly.Memory({ initial: 1 }),
		heapBase: 60000 }), /expected \d+ or more/);
	await assert.rejects(load({ memory: new WebAssembly.Memory({ initial: 1 }),
		module: new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) }), TypeError);
});

done();
