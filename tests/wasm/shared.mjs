// SPDX-License-Identifier: BSD-2-Clause
//
// Two modules in one memory: client.wat, which imports chic_rt.alloc and chic_rt_alloc,
// and ours.
import { readFileSync } from 'node:fs';
import { assert, done, load, test } from './tap.mjs';

const client = new WebAssembly.Module(readFileSync(process.argv[2]));

async function pair(options = {}) {
	const memory = new WebAssembly.Memory({ initial: 2 });
	const chic = await load({ memory, ...options });
	const { exports } = await chic.instantiate(client);
	return { memory, chic, exports };
}

for (const options of [{}, { heapBase: 0x1000 }]) {
	const where = options.heapBase ? 'from a heap base' : 'in pages of its own';

	await test(`${where}: every convention is served`, async () => {
		const { chic, exports: e } = await pair(options);
		assert.equal(e.take(1000, 32), 1);
		const places = [0, 1, 2].map((i) => e.addresses(i));
		for (const ptr of places)
			assert.equal(ptr % 32, 0);
		assert.equal(new Set(places).size, 3);
		assert.equal(e.copy(200), 200);
		assert.notEqual(e.grow(50000), 0);
		e.give();
		const t = chic.stats();
		assert.equal(t.allocCalls, 3);
		assert.equal(t.freeCalls, 3);
		assert.equal(t.reallocCalls, 1);
		assert.equal(t.allocBytes + t.reallocBytes, t.freedBytes);
		const zeroed = e.zeroed(100000);
		assert(chic.bytes({ ptr: zeroed, size: 100000 }).every((byte) => byte === 0));
	});

	await test(`${where}: nobody writes where the other is`, async () => {
		const { memory, chic, exports: e } = await pair(options);
		new Uint8Array(memory.buffer, 0, 0x1000).fill(0xa5);
		const foreign = [];
		for (let i = 0; i < 50; i++) {
			assert.equal(e.take(20000, 16), 1);
			assert.equal(e.copy(i), i);
			const page = e.pages(1) * 65536;
			new Uint8Array(memory.buffer, page, 65536).fill(0x5a);
			foreign.push(page);
		}
		const bytes = new Uint8Array(memory.buffer);
		assert(bytes.subarray(0, 0x400).every((byte) => byte === 0xa5));
		assert(bytes.subarray(0x430, 0x1000).every((byte) => byte === 0xa5));
		for (const page of foreign)
			assert(bytes.subarray(page, page + 65536).every((byte) => byte === 0x5a));
		assert.equal(chic.stats().allocCalls, 150);
	});
}

await test('a hook of JavaScript serves the other module', async () => {
	const { chic, exports: e } = await pair();
	const room = chic.alloc(10000);
	let next = room.ptr;
	chic.install({ alloc: (size) => (next += size) - size, free() {} });
	assert.equal(e.take(1000, 1), 1);
	assert.equal(next, room.ptr + 3000);
	e.give();
	assert.equal(chic.stats().freeCalls, 3);
});

await test('hooks of the other module serve JavaScript, and both', async () => {
	const { chic, exports: e } = await pair();
	e.install(4711);
	assert.deepEqual(chic.alloc(100, 4), { ptr: 2048, size: 100, align: 4 });
	assert.equal(e.word(1076), 4711);
	assert.equal(e.take(10, 1), 1);
	assert.deepEqual([0, 1, 2].map((i) => e.addresses(i)), [2158, 2168, 2148]);
	chic.free({ ptr: 2048, size: 100, align: 4 });
	assert.equal(e.word(1080), 2048);
	assert.equal(e.word(1072), 5);
	assert.notEqual(chic.allocZeroed(100).ptr, 0); // the heap's: the table has none
	assert.equal(e.word(1072), 5);
	chic.reset();
	assert(chic.alloc(100).ptr > 4096);
	assert.equal(e.word(1072), 5);
});

await test('a hook that throws fails for the other module, whose next requests are served', async () => {
	const { chic, exports: e } = await pair();
	const caught = [];
	const keep = (error) => caught.push(error.message);
	chic.install({ alloc() {
		throw new Error('no');
	} });
	process.on('uncaughtException', keep);
	for (let i = 0; i < 1000; i++)
		e.take(1000, 1);
	await new Promise((done) => setTimeout(done));
	process.off('uncaughtException', keep);
	assert.deepEqual([0, 1, 2].map((i) => e.addresses(i)), [0, 0, 0]);
	assert.equal(caught.length, 3000);
	assert.equal(chic.stats().allocCalls, 0);
	chic.reset();
	assert.equal(e.take(1000, 1), 1);
	assert.notEqual(e.addresses(0), 0);
});

await test('from env come the long names alone', async () => {
	const { imports } = await load();
	for (const name of ['free', 'memcpy', 'realloc', 'alloc'])
		assert(!(name in imports.env));
	assert.equal(typeof imports.env.chic_rt_free, 'function');
});

await test('two heaps in one memory and one table', async () => {
	const memory = new WebAssembly.Memory({ initial: 4 });
	const table = new WebAssembly.Table({ element: 'anyfunc', initial: 0 });
	const both = [await load({ memory, table, heapBase: 4096, heapEnd: 131073 }),
		await load({ memory, table, heapBase: 131073 })];
	const blocks = [];
	for (let i = 0; i < 2000; i++) {
		const block = both[i % 2].alloc(300);
		both[i % 2].bytes(block).fill(i % 2 + 1);
		blocks.push(block);
	}
	blocks.forEach((block, i) =>
		assert(both[i % 2].bytes(block).every((byte) => byte === i % 2 + 1)));
	both.forEach((chic, i) => chic.install({ alloc: () => 16 * (i + 1) }));
	assert.deepEqual(both.map((chic) => chic.alloc(1).ptr), [16, 32]);
});

// (module (import "chic_rt" "chic_rt_alloc" (func (param i32 i32 i32))))
await test('long names of chic_rt without a result', async () => {
	const { chic } = await pair();
	const bytes = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
		1, 7, 1, 0x60, 3, 0x7f, 0x7f, 0x7f, 0,
		2, 25, 1, 7, ...Buffer.from('chic_rt'), 13, ...Buffer.from('chic_rt_alloc'), 0, 0]);
	assert(await chic.instantiate(bytes) instanceof WebAssembly.Instance);
	bytes[bytes.length - 3] = 0x6d; // chic_rt_allom, which nobody has
	await assert.rejects(chic.instantiate(bytes), WebAssembly.LinkError);
});

done();
