// SPDX-License-Identifier: BSD-2-Clause
//
// chic-alloc for JavaScript: chic_alloc.wasm, or chic_alloc_shared.wasm in a memory of
// yours.
//
//	import { load } from './chic_alloc.mjs';
//
//	const chic = await load();
//	const block = chic.alloc(1000, 8);	// { ptr, size, align }
//	chic.bytes(block).fill(1);
//	chic.free(block);
//	chic.stats().allocBytes;		// 1000
//
// load(options): all are optional.
//	memory	 a WebAssembly.Memory that others use as well.  Then the module works in
//		 there, and takes what it needs by growing that memory
//	heapBase with memory: the bytes from here to the memory's end are nobody's, so
//		 that the module and its heap begin there
//	heapEnd	 with heapBase: where that ends, if not with the memory
//	table	 with memory: a WebAssembly.Table whose indices others use as hooks
//	module	 a WebAssembly.Module, or bytes, instead of the file beside this one
//
// A handle is { ptr, size, align }; ptr 0 is failure.  Sizes and alignments are bytes,
// an alignment is a power of two; what does not fit 32 bits fails.  chic.exports are the
// functions of chic_rt.h as they are, see libchic_alloc_wasm(3).

const PAGE = 65536;
const STACK = 16384;
const REQUEST = 1024; // of the stack, more than one request needs
const WORD = 4;
// Where in the module's scratch words things go.  A hook may call stats() while an
// alloc is under way, so that nothing may share a place.
const OUT = 0, IN = 16, STATS = 32, TABLE = 64;
const COUNTERS = ['allocCalls', 'allocZeroedCalls', 'reallocCalls', 'freeCalls',
	'allocBytes', 'allocZeroedBytes', 'reallocBytes', 'freedBytes'];

// ------------------------------------------------------------------ modules ---

async function bytesOf(name) {
	const url = new URL(name, import.meta.url);
	if (url.protocol !== 'file:')
		return (await fetch(url)).arrayBuffer();
	const { readFile } = await import('node:fs/promises');
	return readFile(url);
}

async function compile(given, name) { // name: of a file, where nothing is given
	const source = given ?? await bytesOf(name);
	return source instanceof WebAssembly.Module ? source : WebAssembly.compile(source);
}

// What a relocatable module wants: the first entry of its section dylink.0.
function wants(module) {
	const [section] = WebAssembly.Module.customSections(module, 'dylink.0');
	if (!section)
		throw new TypeError('chic_alloc: the module is not one that shares a memory');
	const bytes = new Uint8Array(section);
	let at = 0;
	const number = () => {
		let n = 0, shift = 0, byte;
		do {
			byte = bytes[at++];
			n |= (byte & 127) << shift;
			shift += 7;
		} while (byte & 128);
		return n;
	};
	number(); // kind of the entry: 1
	number(); // its size
	const [data, , entries] = [number(), number(), number()];
	return { data, entries };
}

const aligned = (n) => Math.ceil(n / 16) * 16;

// An address that the caller names.
function address(name, n, memory) {
	const { byteLength } = memory.buffer;
	if (!Number.isInteger(n) || n < 0 || n > byteLength)
		throw new RangeError(`chic_alloc: ${name} is ${n}, expected an address in the ` +
			`memory's ${byteLength} bytes`);
	return n;
}

// Room for data and stack: where it begins, and what is left behind it for the heap.
// Nothing is at address 0, which is the null pointer.
function place(memory, size, { heapBase, heapEnd }) {
	if (heapBase === undefined) {
		if (heapEnd !== undefined)
			throw new TypeError('chic_alloc: heapEnd without heapBase');
		const base = memory.grow(Math.ceil(size / PAGE)) * PAGE || 16;
		return { base, end: memory.buffer.byteLength };
	}
	const base = aligned(address('heapBase', heapBase, memory)) || 16;
	const end = address('heapEnd', heapEnd ?? memory.buffer.byteLength, memory);
	if (end - base < size)
		throw new RangeError(`chic_alloc: ${end - base} bytes from heapBase to heapEnd, ` +
			`expected ${size} or more`);
	return { base, end };
}

async function loadShared(options) {
	const { memory } = options;
	const module = await compile(options.module, 'chic_alloc_shared.wasm');
	const { data, entries } = wants(module);
	const { base, end } = place(memory, aligned(data) + STACK, options);
	const stack = base + aligned(data) + STACK;
	const table = options.table ?? new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
	if (table.length === 0)
		table.grow(1); // index 0 is no hook
	const pointer = new WebAssembly.Global({ value: 'i32', mutable: true }, stack);
	const { exports } = await WebAssembly.instantiate(module, { env: {
		memory,
		__indirect_function_table: table,
		__memory_base: new WebAssembly.Global({ value: 'i32' }, base),
		__table_base: new WebAssembly.Global({ value: 'i32' }, table.grow(entries)),
		__stack_pointer: pointer,
	} });
	exports.chic_alloc_heap(stack, end - stack);
	return new ChicAlloc(exports, memory, table, pointer);
}

async function loadOwn(options) {
	const module = await compile(options.module, 'chic_alloc.wasm');
	const { exports } = await WebAssembly.instantiate(module, {});
	return new ChicAlloc(exports, exports.memory, exports.__indirect_function_table,
		exports.__stack_pointer);
}

export async function load(options = {}) {
	if (options.memory)
		return loadShared(options);
	const [alone] = ['heapBase', 'heapEnd', 'table'].filter((name) => name in options);
	if (alone)
		throw new TypeError(`chic_alloc: ${alone} without memory`);
	return loadOwn(options);
}

// -------------------------------------------------------------------- hooks ---

// A function of JavaScript as one of WebAssembly with n numbers for parameters and no
// result: only such a one can be in a table.  This is a whole module that imports f and
// exports it again.
function inWasm(f, n) {
	const bytes = new Uint8Array([
		0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
		1, 4 + n, 1, 0x60, n, ...Array(n).fill(0x7f), 0,
		2, 6, 1, 0, 1, 0x66, 0, 0,
		7, 5, 1, 1, 0x66, 0, 0,
	]);
	const module = new WebAssembly.Module(bytes);
	return new WebAssembly.Instance(module, { '': { f } }).exports.f;
}

// What can be a word.
const isWord = (n) => n >= 0 && n <= 0xffffffff && n % 1 === 0;

// What a hook answers, as a word: what comes from WebAssembly may be negative.
function pointer(answer, name) {
	if (!Number.isInteger(answer) || answer < -(2 ** 31) || answer >= 2 ** 32)
		throw new TypeError(`chic_alloc: the hook ${name} answered ` +
			`${typeof answer} ${String(answer)}, expected an address or 0`);
	return answer >>> 0;
}

class ChicAlloc {
	#scratch;
	#slots; // of the table, for hooks written in JavaScript
	#stack; // the module's stack pointer, and how far down a hook may find it
	#stackEnd;
	#thrown; // by hooks during the call that is under way, if it is one of ours

	constructor(exports, memory, table, stack) {
		this.exports = exports;
		this.memory = memory;
		this.table = table;
		this.#stack = stack;
		this.#stackEnd = (stack.value >>> 0) - STACK + REQUEST;
		this.#scratch = exports.chic_alloc_scratch() >>> 0;
	}

	#words(at, n) {
		return new Uint32Array(this.memory.buffer, at, n);
	}

	#read(at) {
		const [ptr, size, align] = this.#words(at, 3);
		return { ptr, size, align };
	}

	#write(at, { ptr, size, align }) {
		this.#words(at, 3).set([ptr, size, align]);
		return at;
	}

	// Of an export that calls hooks.  A hook does not throw through WebAssembly, which
	// would leave the stack pointer, and a region, half way: it fails, and what it threw
	// is thrown from here.
	#call(f, ...parameters) {
		const stack = this.#stack.value, outer = this.#thrown, thrown = [];
		this.#thrown = thrown;
		try {
			f(...parameters);
		} catch (trap) {
			this.#stack.value = stack;
			throw trap;
		} finally {
			this.#thrown = outer;
		}
		if (thrown.length)
			throw thrown[0];
	}

	// A hook of JavaScript; 0 where it throws.  Nobody is there to throw to where another
	// module asked: then it is an error that was not caught.
	#hook(f, ...parameters) {
		const stack = this.#stack.value;
		try {
			if (stack >>> 0 < this.#stackEnd)
				throw new RangeError('chic_alloc: hooks that call one another too often');
			return f(...parameters);
		} catch (error) {
			this.#stack.value = stack;
			if (this.#thrown)
				this.#thrown.push(error);
			else
				queueMicrotask(() => {
					throw error;
				});
			return 0;
		}
	}

	// ---- memory ----

	#request(f, size, align, ...before) {
		if (!isWord(size) || !isWord(align))
			return { ptr: 0, size, align };
		const out = this.#scratch + OUT;
		this.#call(f, out, ...before, size, align);
		return this.#read(out);
	}

	alloc(size, align = 16) {
		return this.#request(this.exports.alloc, size, align);
	}

	allocZeroed(size, align = 16) {
		return this.#request(this.exports.alloc_zeroed, size, align);
	}

	// ptr 0: there is no room, and block is what it was.
	realloc(block, size, align = block.align) {
		const old = this.#write(this.#scratch + IN, block);
		return this.#request(this.exports.realloc, size, align, old, block.size);
	}

	free(block) {
		this.#call(this.exports.free, this.#write(this.#scratch + IN, block));
	}

	// The block's bytes, none of a failed one.  Not to be kept: a memory that grows leaves
	// them behind.
	bytes({ ptr, size }) {
		return new Uint8Array(this.memory.buffer, ptr, ptr ? size : 0);
	}

	// ---- counters ----

	stats() {
		const at = this.#scratch + STATS;
		this.exports.chic_rt_alloc_stats_fill(at);
		const words = this.#words(at, COUNTERS.length);
		return Object.fromEntries(COUNTERS.map((name, i) => [name, words[i]]));
	}

	resetStats() {
		this.exports.chic_rt_reset_alloc_stats();
	}

	// ---- hooks ----

	// What WebAssembly calls, around a hook that takes and gives handles.
	#wrap(name, hook) {
		const get = (...parameters) => this.#hook(() => pointer(hook(...parameters), name));
		if (name === 'free')
			return (context, block) => this.#hook(hook, this.#read(block >>> 0), context >>> 0);
		if (name === 'realloc')
			return (out, context, old, oldSize, size, align) => this.#write(out >>> 0, {
				ptr: get(this.#read(old >>> 0), oldSize >>> 0, size >>> 0, align >>> 0,
					context >>> 0),
				size, align });
		return (out, context, size, align) => this.#write(out >>> 0, {
			ptr: get(size >>> 0, align >>> 0, context >>> 0), size, align });
	}

	#index(name, hook, i) {
		const parameters = { alloc: 4, allocZeroed: 4, realloc: 6, free: 2 };
		if (typeof hook !== 'function') {
			if (!Number.isInteger(hook ?? 0))
				throw new TypeError(`chic_alloc: the hook ${name} is a ${typeof hook}, ` +
					'expected a function or an index');
			return hook ?? 0;
		}
		this.#slots ??= this.table.grow(4);
		const f = this.#wrap(name, hook);
		this.table.set(this.#slots + i, inWasm((...a) => void f(...a), parameters[name]));
		return this.#slots + i;
	}

	// Each hook is a function, or an index of the table; one that is missing is the
	// default's.
	//	alloc(size, align, context) and allocZeroed answer an address, 0 is failure
	//	realloc(old, oldSize, size, align, context) too; old stays what it is at 0
	//	free(block, context)
	// One that throws has failed; what it threw is thrown by the function of this object
	// that led to it.  A hook must not call alloc, allocZeroed, realloc or free of this object.
	install({ alloc, allocZeroed, realloc, free, context = 0 }) {
		const hooks = Object.entries({ alloc, allocZeroed, realloc, free });
		const words = hooks.map(([name, hook], i) => this.#index(name, hook, i));
		this.#words(this.#scratch + TABLE, 5).set([context, ...words]);
		this.exports.chic_rt_allocator_install(this.#scratch + TABLE);
	}

	reset() {
		this.exports.chic_rt_allocator_reset();
	}

	// ---- other modules ----

	// What a module imports that allocates from here.  Those of Chic's compiler import
	// from chic_rt, where what answers a handle has a result; those of C compilers import
	// from env, where it has none.
	get imports() {
		const { exports, memory, table } = this;
		const short = {};
		for (const name in exports)
			if (name.startsWith('chic_rt_'))
				short[name.slice('chic_rt_'.length)] = exports[name];
		const long = Object.fromEntries(
			Object.entries(exports).filter(([name]) => name.startsWith('chic_')));
		return {
			chic_rt: { ...short, ...exports, chic_rt_alloc: exports.alloc,
				chic_rt_alloc_zeroed: exports.alloc_zeroed,
				chic_rt_realloc: exports.realloc },
			env: { ...long, memory, __indirect_function_table: table },
		};
	}

	// An instance of a module that allocates from here; others says what else it imports.
	// Some import the long names from chic_rt as C compilers have them: a second try.
	async instantiate(source, others = {}) {
		const module = await compile(source);
		const { chic_rt, env } = this.imports;
		const link = (names) => WebAssembly.instantiate(module, { ...others,
			chic_rt: { ...names, ...others.chic_rt }, env: { ...env, ...others.env } });
		try {
			return await link(chic_rt);
		} catch (error) {
			if (!(error instanceof WebAssembly.LinkError))
				throw error;
			return link({ ...chic_rt, ...this.exports }).catch(() => {
				throw error;
			});
		}
	}
}
