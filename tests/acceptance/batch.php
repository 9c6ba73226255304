<?php
// SPDX-License-Identifier: BSD-2-Clause
// A batch job for php: JSON, strings, sorting, regular expressions, objects in cycles, its
// extensions (which are opened with RTLD_DEEPBIND) and subprocesses, told as text.

$rounds = (int)$argv[1];
ini_set('memory_limit', '-1');
file_put_contents('maps.batch', file_get_contents('/proc/self/maps'));

class Node
{
	public $other, $text;
}

$tree = [];
for ($i = 0; $i < $rounds; $i++)
	$tree["key$i"] = [$i, str_repeat((string)$i, $i % 50), ['nested' => [null, true, $i / 8]]];
$text = json_encode($tree);
if (json_decode($text, true) != $tree)
	exit(1);
echo 'json ', hash('sha256', $text), "\n";
echo 'serialized ', hash('sha256', serialize(unserialize(serialize($tree)))), "\n";

preg_match_all('/[a-z]+[0-9]+/', $text, $words);
$words = preg_replace('/([a-z]+)([0-9]+)/', '$2$1', $words[0]);
sort($words, SORT_STRING);
echo 'words ', count($words), ' ', hash('sha256', implode(' ', $words)), "\n";

for ($i = 0; $i < $rounds; $i++) {
	$a = new Node;
	$a->other = new Node;
	$a->other->other = $a;
	$a->text = str_repeat('x', $i % 1000);
}
echo 'cycles ', gc_collect_cycles() >= 0 ? 'collected' : 'left', "\n";

$stream = fopen('php://temp', 'w+');
for ($i = 0; $i < $rounds; $i++)
	fwrite($stream, md5((string)$i));
rewind($stream);
echo 'stream ', hash('sha256', stream_get_contents($stream)), "\n";

echo 'iconv ', iconv('UTF-8', 'ISO-8859-1', "\u{e9}t\u{e9}") === "\xe9t\xe9" ? 'right' : 'wrong', "\n";
echo 'ctype ', ctype_alpha('abc') ? 'right' : 'wrong', "\n";
echo 'tokens ', count(token_get_all(file_get_contents(__FILE__))), "\n";
echo 'type ', (new finfo(FILEINFO_MIME_TYPE))->buffer(gzencode_or_text()), "\n";
$pid = posix_getpid();
echo 'posix ', $pid === getmypid() ? 'right' : 'wrong', "\n";

function gzencode_or_text()
{
	return function_exists('gzencode') ? gzencode('text') : "\x1f\x8b\x08\0";
}

for ($n = 0; $n < 3; $n++)
	echo 'child ', shell_exec(PHP_BINARY . " -r 'echo strlen(str_repeat(\"x\", $n * 1000000));'"), "\n";
exit(9);
