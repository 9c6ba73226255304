// SPDX-License-Identifier: BSD-2-Clause
// A batch job for node: JSON, buffers, compression, hashes, worker threads and
// subprocesses, told as text.
'use strict';
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const child = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const zlib = require('zlib');

const digest = data => crypto.createHash('sha256').update(data).digest('hex');

function documents(rounds) {
	const tree = {};
	for (let i = 0; i < rounds; i++)
		tree['key' + i] = [i, String(i).repeat(i % 50), { nested: [null, true, i / 8] }];
	const text = JSON.stringify(tree);
	if (JSON.stringify(JSON.parse(text)) !== text)
		throw new Error('json');
	return text;
}

function buffers(rounds, seed) {
	const kept = [];
	let sum = 0;
	for (let i = 0; i < rounds * 5; i++) {
		kept[i * 7919 % 1000] = Buffer.alloc(i * 31 % 20000, (i + seed) % 251);
		sum = (sum * 31 + (kept[i % 1000] || [1]).length) % 1000000007;
	}
	return sum + ' ' + digest(Buffer.concat(kept.filter(Boolean)));
}

async function workers(rounds) {
	const answers = [];
	for (let n = 0; n < 4; n++)
		answers.push(new Promise((resolve, reject) => {
			const worker = new Worker(__filename, { workerData: { rounds, n } });
			worker.on('message', resolve);
			worker.on('error', reject);
		}));
	return (await Promise.all(answers)).join('\n');
}

async function compressed(text) {
	const squeeze = (make, data) => new Promise((resolve, reject) =>
		make(data, (error, result) => error ? reject(error) : resolve(result)));
	let answer = '';
	for (const [there, back] of [[zlib.gzip, zlib.gunzip], [zlib.brotliCompress, zlib.brotliDecompress]])
		answer += digest(await squeeze(back, await squeeze(there, text.slice(0, 1000000)))) + '\n';
	return answer;
}

async function main(rounds) {
	fs.writeFileSync('maps.batch', fs.readFileSync('/proc/self/maps'));
	const text = documents(rounds);
	console.log('json', digest(text));
	console.log('buffers', buffers(rounds, 0));
	console.log('workers', await workers(rounds));
	console.log('compressed', await compressed(text));
	console.log('words', digest(text.match(/[a-z]+[0-9]+/g).sort().join(' ')));
	console.log('key', crypto.pbkdf2Sync('word', 'salt', 1000, 64, 'sha512').toString('hex'));
	for (let n = 0; n < 3; n++)
		console.log('child', child.execFileSync(process.execPath,
			['-e', 'console.log(Buffer.alloc(' + n + '000000, 1).length)']).toString());
	process.exitCode = 8;
}

if (isMainThread)
	main(Number(process.argv[2]));
else
	parentPort.postMessage(buffers(workerData.rounds, workerData.n));
