# SPDX-License-Identifier: BSD-2-Clause
"""A batch job for python3: json, threads, subprocesses and forks, told as text.

With PYTHONMALLOC=malloc every object passes through malloc.
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading

rounds = int(sys.argv[1])


def documents():
    tree = {"key%d" % i: [i, str(i) * (i % 50), {"nested": [None, True, i / 7]}]
            for i in range(rounds)}
    text = json.dumps(tree, sort_keys=True)
    assert json.loads(text) == tree
    return hashlib.sha256(text.encode()).hexdigest()


def threads():
    sums = [0] * 8

    def work(n):
        for i in range(rounds):
            sums[n] += len([str(j) for j in range(i % 100)])

    workers = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sums


def subprocesses():
    code = "import sys; print(len([bytearray(i) for i in range(1000)]), sys.argv[1])"
    return [subprocess.run([sys.executable, "-c", code, str(n)], check=True,
                           capture_output=True, text=True).stdout for n in range(3)]


def forks():
    """Children of a process whose threads allocate all the time."""
    stop = threading.Event()

    def churn():
        while not stop.is_set():
            [bytearray(n) for n in range(200)]

    noise = [threading.Thread(target=churn) for _ in range(2)]
    for thread in noise:
        thread.start()
    answers = []
    for n in range(20):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writer, hashlib.sha256(bytes(bytearray(n * 1000))).digest())
            os._exit(n)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            digest = pipe.read().hex()
        answers.append((digest, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
    stop.set()
    for thread in noise:
        thread.join()
    return answers


shutil.copyfile("/proc/self/maps", "maps.batch")
for job in documents, threads, subprocesses, forks:
    print(job.__name__, job())
sys.exit(3)
