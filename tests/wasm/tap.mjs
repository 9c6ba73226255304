// SPDX-License-Identifier: BSD-2-Clause
//
// What the tests of what is built for WebAssembly share: results as TAP, and where the
// files are.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

export const built = process.env.WASM_DIR;
export const { load } = await import(pathToFileURL(`${built}/chic_alloc.mjs`));
export { assert };

let n = 0;
let failures = 0;

export async function test(name, f) {
	n++;
	try {
		await f();
		console.log(`ok ${n} - ${name}`);
	} catch (e) {
		failures++;
		console.log(`not ok ${n} - ${name}\n# ${String(e.stack).replaceAll('\n', '\n# ')}`);
	}
}

export function done() {
	console.log(`1..${n}`);
	process.exitCode = failures ? 1 : 0;
}

export const file = (name) => readFileSync(`${built}/${name}`);

// The two ways to be loaded, each with at most so many pages.
export const ways = {
	'a memory of its own': () => load(),
	'a memory that is shared': () => load({ memory: new WebAssembly.Memory({ initial: 1 }) }),
	'a part of a memory': () => load({ memory: new WebAssembly.Memory({ initial: 4 }),
		heapBase: 0x1001, heapEnd: 0x28001 }),
};

export const limited = (maximum) =>
	load({ memory: new WebAssembly.Memory({ initial: 1, maximum }) });

export const none = { allocCalls: 0, allocZeroedCalls: 0, reallocCalls: 0, freeCalls: 0,
	allocBytes: 0, allocZeroedBytes: 0, reallocBytes: 0, freedBytes: 0 };
