// SPDX-License-Identifier: BSD-2-Clause
//
// Runs a program of tests/freestanding: node core.mjs FILE.  Its memory has an end.
import { readFileSync, writeSync } from 'node:fs';

const module = new WebAssembly.Module(readFileSync(process.argv[2]));
const { exports } = new WebAssembly.Instance(module, { host: {
	write(at, length) {
		writeSync(1, new Uint8Array(exports.memory.buffer, at, length));
	},
	exit(status) {
		process.exit(status);
	},
} });
exports.machine_main();
