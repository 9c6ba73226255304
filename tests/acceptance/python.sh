# SPDX-License-Identifier: BSD-2-Clause
#
# Python's own test-suite, result by result.  With PYTHONMALLOC=malloc every object
# passes through malloc.
#
# Debian leaves test_sqlite3 out.  With a copy of its package test to which that of
# Python's source was added, PYTHONPATH=FOLDER acceptance.sh full py_sqlite3 finds it.

# py_test MODULE PREFIX...
py_test()
{
	module=$1
	shift
	"$@" python3 -m test --timeout 600 --junit-xml results.xml "$module" >log.suite 2>&1
	echo "status $?" >output
	python3 "$here/results.py" results.xml >>output
}

job_py_json()    { py_test test_json "$@"; }
job_py_zlib()    { py_test test_zlib "$@"; }
job_py_sqlite3() { py_test test_sqlite3 "$@"; }
job_py_mmap()    { py_test test_mmap "$@"; }
job_py_ctypes()  { py_test test_ctypes "$@"; }
job_py_thread()  { py_test test_threading "$@"; }
job_py_process() { py_test test_subprocess "$@"; }
job_py_multi()   { py_test test_multiprocessing_fork "$@"; }
