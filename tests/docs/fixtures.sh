# SPDX-License-Identifier: BSD-2-Clause
#
# fixtures.sh SOURCES FOLDER: the files that documents speak of and do not show.
# shellcheck shell=sh

set -eu
top_srcdir=$1
cc=${CC:-cc}
cd "$2"

# a program that reads lines and keeps them
cat >program.c <<'C'
#include <stdlib.h>
#include <string.h>

static char *lines[500];

__attribute__((noinline)) static char *read_line(int i)
{
	return memset(malloc(1000 + i), 'x', 1000 + i);
}

int main(void)
{
	for (int i = 0; i < 500; i++)
		lines[i] = read_line(i);
	for (int i = 0; i < 250; i++)
		free(lines[i]);
	return 0;
}
C
$cc -O1 -g program.c -o program

# a worker frees what the queue still uses
cat >queue.c <<'C'
#include <pthread.h>
#include <stdlib.h>

__attribute__((noinline)) static char *job_new(void)
{
	char *volatile job = calloc(1, 48);

	return job;
}

static void *worker(void *job)
{
	free(job);
	return NULL;
}

int main(void)
{
	char *volatile job = job_new();
	pthread_t thread;

	pthread_create(&thread, NULL, worker, job);
	pthread_join(thread, NULL);
	return job[40];
}
C
$cc -O0 -g -rdynamic queue.c -o queue -pthread

# somebody's heap
sed 's/acme/pool/g' "$top_srcdir/modules/template/acme.c" >pool.c
$cc -O2 -fPIC -shared -ftls-model=initial-exec -I"$top_srcdir/include" pool.c -o pool.so

cat >report.pl <<'PERL'
my %lists;
push @{$lists{$_ % 97}}, "word $_" for 1 .. 20000;
print scalar(keys %lists), "\n";
PERL
printf '[program redis*]\nmodule = counting, mimalloc\n' >redis.conf
awk 'BEGIN { for (i = 0; i < 5000; i++) print i * 7919 % 5003 }' >words
