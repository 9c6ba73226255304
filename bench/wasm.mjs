// SPDX-License-Identifier: BSD-2-Clause
//
// Allocators compiled to WebAssembly beside each other.
//
//	node wasm.mjs ROUNDS NAME=FILE...
//
// The files are those of wasm_heap.c, the first is the reference.  Each round runs every
// candidate once, in random order, in an instance of its own.  What comes out are the
// ratios to the reference's time in the same round, the median with its 95% interval,
// and the pages of memory at the end.
import { appendFileSync, readFileSync } from 'node:fs';

const [rounds, ...files] = process.argv.slice(2);
const steps = 2e6 / (process.env.BENCH_SCALE || 1); // half of them take a block, half give one back
const loads = [
	['sizes to 1000, 1000 blocks', 2000, 1000, 1],
	['sizes to 1000, 10000 blocks', 20000, 1000, 1],
	['sizes to 256, 1000 blocks', 2000, 256, 1],
	['sizes to 32768 by powers of two, 2000 blocks', 4000, 32768, 0],
];

const candidates = files.map((arg) => {
	const [name, file] = arg.split('=');
	return { name, module: new WebAssembly.Module(readFileSync(file)) };
});
candidates.push({ name: 'again', module: candidates[0].module });

const nothing = () => 0;

function instance(module) {
	const imports = {};
	for (const { module: from, name } of WebAssembly.Module.imports(module))
		(imports[from] ??= {})[name] = nothing;
	return new WebAssembly.Instance(module, imports).exports;
}

function measure(candidate, load, seed) {
	const { run, memory } = instance(candidate.module);
	const [, slots, max, uniform] = load;
	run(steps / 10, slots, max, uniform, seed); // compiled by the second compiler then
	const begin = process.hrtime.bigint();
	const refused = run(steps, slots, max, uniform, seed);
	const ms = Number(process.hrtime.bigint() - begin) / 1e6;
	if (refused)
		throw new Error(`${candidate.name}: ${refused} requests were refused`);
	return { ms, pages: memory.buffer.byteLength / 65536 };
}

const quantile = (sorted, q) => sorted[Math.round(q * (sorted.length - 1))];
const half = Math.min(0.5, 0.98 / Math.sqrt(rounds));

// A line of results, see README.md.
function emit(subject, candidate, reference, unit, low, median, high) {
	const fields = ['wasm', subject, candidate, reference, unit, median, low, high, ''];
	if (process.env.BENCH_RESULTS)
		appendFileSync(process.env.BENCH_RESULTS, fields.join('\t') + '\n');
}

function report(load, results) {
	console.log(load[0]);
	const reference = results.get(candidates[0]);
	for (const c of candidates) {
		const all = results.get(c);
		const ratios = all.map((r, i) => r.ms / reference[i].ms).sort((a, b) => a - b);
		const ms = all.map((r) => r.ms).sort((a, b) => a - b);
		const [low, mid, high] = [0.5 - half, 0.5, 0.5 + half].map((q) => quantile(ratios, q));
		console.log(`  ${c.name.padEnd(12)} ${quantile(ms, 0.5).toFixed(1).padStart(7)} ms  ` +
			`${mid.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]  ` +
			`${Math.max(...all.map((r) => r.pages))} pages`);
		const pages = Math.max(...all.map((r) => r.pages));
		emit(load[0], c.name, '', 'ms', ...[0.5 - half, 0.5, 0.5 + half].map((q) => quantile(ms, q)));
		emit(load[0], c.name, '', 'pages', pages, pages, pages);
		if (c !== candidates[0])
			emit(load[0], c.name, candidates[0].name, 'ratio', low, mid, high);
	}
}

for (const load of loads) {
	const results = new Map(candidates.map((c) => [c, []]));
	for (let round = 0; round < rounds; round++) {
		const seed = 1 + Math.floor(Math.random() * 2 ** 31);
		const order = [...candidates].sort(() => Math.random() - 0.5);
		for (const c of order)
			results.get(c).push(measure(c, load, seed));
	}
	report(load, results);
}
