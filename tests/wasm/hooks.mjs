// SPDX-License-Identifier: BSD-2-Clause
//
// Hooks that are written in JavaScript, or are another module's.
import { assert, done, none, test, ways } from './tap.mjs';

// A heap in JavaScript over one block of the module's, which remembers what it was asked.
function bump(chic) {
	const room = chic.alloc(4096);
	const calls = [];
	let used = 0;
	const take = (size, align) => {
		const ptr = Math.ceil((room.ptr + used) / align) * align;
		used = ptr - room.ptr + size;
		return used <= room.size ? ptr : 0;
	};
	return { calls, context: 77,
		alloc(size, align, context) {
			calls.push(['alloc', size, align, context]);
			return take(size, align);
		},
		allocZeroed(size, align, context) {
			calls.push(['allocZeroed', size, align, context]);
			const ptr = take(size, align);
			chic.bytes({ ptr, size }).fill(0);
			return ptr;
		},
		realloc(old, oldSize, size, align, context) {
			calls.push(['realloc', old, oldSize, size, align, context]);
			const ptr = take(size, align);
			chic.bytes({ ptr, size: Math.min(oldSize, size) })
				.set(chic.bytes(old).subarray(0, Math.min(oldSize, size)));
			return ptr;
		},
		free(block, context) {
			calls.push(['free', block, context]);
		},
	};
}

for (const [way, make] of Object.entries(ways)) {
	await test(`${way}: all four hooks get what they have to, and are counted`, async () => {
		const chic = await make();
		const hooks = bump(chic);
		chic.resetStats();
		chic.install(hooks);
		const a = chic.alloc(100, 64);
		assert.equal(a.ptr % 64, 0);
		chic.bytes(a).fill(5);
		const z = chic.allocZeroed(10, 1);
		const b = chic.realloc(a, 200);
		assert.equal(chic.bytes(b)[99], 5);
		chic.free(b);
		chic.free(z);
		assert.deepEqual(hooks.calls, [
			['alloc', 100, 64, 77],
			['allocZeroed', 10, 1, 77],
			['realloc', a, 100, 200, 64, 77],
			['free', b, 77],
			['free', z, 77],
		]);
		assert.deepEqual(chic.stats(), { ...none, allocCalls: 1, allocZeroedCalls: 1,
			reallocCalls: 1, freeCalls: 2, allocBytes: 100, allocZeroedBytes: 10,
			reallocBytes: 200, freedBytes: 310 });
		chic.reset();
		chic.free(chic.alloc(10));
		assert.equal(hooks.calls.length, 5);
		assert.equal(chic.stats().allocCalls, 2);
	});

	await test(`${way}: every subset of hooks`, async () => {
		const names = ['alloc', 'allocZeroed', 'realloc', 'free'];
		for (let set = 0; set < 16; set++) {
			const chic = await make();
			const called = [];
			const hooks = {};
			names.forEach((name, i) => {
				if (set >> i & 1)
					hooks[name] = () => (called.push(name), 0);
			});
			const block = chic.alloc(100);
			chic.install(hooks);
			const answers = [chic.alloc(10).ptr, chic.allocZeroed(10).ptr,
				chic.realloc(block, 200).ptr];
			chic.free(answers[2] ? { ptr: answers[2], size: 200, align: 16 } : block);
			assert.deepEqual(called, names.filter((name) => hooks[name]), `set ${set}`);
			assert.deepEqual(answers.map((ptr) => !ptr),
				names.slice(0, 3).map((name) => !!hooks[name]), `set ${set}`);
		}
	});

	await test(`${way}: a hook that fails, is not counted and answers the request`, async () => {
		const chic = await make();
		chic.install({ alloc: () => 0 });
		assert.deepEqual(chic.alloc(10, 8), { ptr: 0, size: 10, align: 8 });
		assert.equal(chic.stats().allocCalls, 0);
	});

	// More often than the module's stack has room for.
	await test(`${way}: a hook that throws, throws to the caller`, async () => {
		const chic = await make();
		const block = chic.alloc(10);
		const fail = () => {
			throw new Error('no');
		};
		chic.resetStats();
		chic.install({ alloc: fail, allocZeroed: fail, realloc: fail, free: fail });
		for (let i = 0; i < 2000; i++) {
			assert.throws(() => chic.alloc(10), /^Error: no$/);
			assert.throws(() => chic.allocZeroed(10), /^Error: no$/);
			assert.throws(() => chic.realloc(block, 20), /^Error: no$/);
			assert.throws(() => chic.free(block), /^Error: no$/);
		}
		assert.deepEqual(chic.stats(), { ...none, freeCalls: 2000, freedBytes: 20000 });
		chic.reset();
		assert.notEqual(chic.alloc(10).ptr, 0);
	});

	await test(`${way}: a hook that throws where a region asks, fails`, async () => {
		const chic = await make();
		const e = chic.exports;
		const out = e.chic_alloc_scratch() >>> 0;
		const region = e.chic_rt_region_enter(1n);
		const caught = [];
		const keep = (error) => caught.push(error.message);
		chic.install({ alloc() {
			throw new Error('no');
		}, free() {
			throw new Error('neither');
		} });
		process.on('uncaughtException', keep);
		e.chic_rt_region_alloc(out, region, 100000, 64);
		const words = [...new Uint32Array(chic.memory.buffer, out, 3)];
		e.chic_rt_region_exit(region);
		await new Promise((done) => setTimeout(done));
		process.off('uncaughtException', keep);
		assert.deepEqual(words, [0, 100000, 64]);
		assert.equal(caught[0], 'no');
	});

	await test(`${way}: what traps leaves the stack where it was`, async () => {
		const chic = await make();
		chic.install({ alloc: 9999 });
		for (let i = 0; i < 2000; i++)
			assert.throws(() => chic.alloc(10), WebAssembly.RuntimeError);
		chic.reset();
		assert.notEqual(chic.alloc(10).ptr, 0);
	});

	await test(`${way}: a hook without an end ends`, async () => {
		const chic = await make();
		chic.install({ alloc: (size) => chic.alloc(size).ptr });
		for (let i = 0; i < 10; i++)
			assert.throws(() => chic.alloc(10), RangeError);
		chic.reset();
		const block = chic.alloc(10);
		assert.notEqual(block.ptr, 0);
		chic.bytes(block).fill(1);
	});

	await test(`${way}: a hook may install hooks, and ask for what it does not serve`, async () => {
		const chic = await make();
		chic.install({ alloc: (size) => {
			const { ptr } = chic.allocZeroed(size + 1);
			chic.install({ alloc: () => 64 });
			return ptr;
		} });
		const first = chic.alloc(1000, 8);
		assert.deepEqual([first.size, first.align], [1000, 8]);
		assert(first.ptr > 64);
		assert.equal(chic.alloc(1).ptr, 64);
		assert.deepEqual(chic.stats(), { ...none, allocCalls: 2, allocBytes: 1001,
			allocZeroedCalls: 1, allocZeroedBytes: 1001 });
	});

	await test(`${way}: answers that are no addresses`, async () => {
		const chic = await make();
		for (const answer of [undefined, NaN, 1.5, 'x', 5n, {}, 2 ** 32, -(2 ** 31) - 1]) {
			chic.install({ alloc: () => answer });
			assert.throws(() => chic.alloc(10), /the hook alloc answered/);
		}
		chic.install({ alloc: async () => 16 });
		assert.throws(() => chic.alloc(10), /object \[object Promise\], expected an address or 0/);
		assert.deepEqual(chic.stats(), none);
		// an address as WebAssembly answers it, and one that is not aligned: the hook's affair
		chic.install({ alloc: () => -16, allocZeroed: () => 3 });
		assert.equal(chic.alloc(10).ptr, 2 ** 32 - 16);
		assert.deepEqual(chic.allocZeroed(10, 8), { ptr: 3, size: 10, align: 8 });
		assert.throws(() => chic.install({ alloc: 'x' }), /expected a function or an index/);
	});

	await test(`${way}: the context is the number that was given`, async () => {
		const chic = await make();
		const seen = [];
		chic.install({ alloc: (size, align, context) => (seen.push(context), 16),
			free: (block, context) => seen.push(context), context: 0xf0000000 });
		chic.free(chic.alloc(10));
		assert.deepEqual(seen, [0xf0000000, 0xf0000000]);
	});

	await test(`${way}: installing again and again takes no more of the table`, async () => {
		const chic = await make();
		chic.install({ alloc: () => 16 });
		const { length } = chic.table;
		for (let i = 0; i < 100; i++)
			chic.install({ alloc: () => 16 * i, free() {} });
		assert.equal(chic.table.length, length);
		assert.equal(chic.alloc(1).ptr, 16 * 99);
	});

	await test(`${way}: a hook may read the counters`, async () => {
		const chic = await make();
		const block = chic.alloc(100);
		chic.install({
			realloc: (old, oldSize, size) => (assert.equal(chic.stats().allocCalls, 1),
			assert.equal(old.ptr, block.ptr), size),
		});
		assert.deepEqual(chic.realloc(block, 300), { ptr: 300, size: 300, align: 16 });
	});
}

done();
