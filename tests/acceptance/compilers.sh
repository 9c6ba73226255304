# SPDX-License-Identifier: BSD-2-Clause
#
# gcc and g++ on real source, and a C++ program of containers that was compiled without us.

# The loader itself, all of it in one unit per compiler.
make_gcc()
{
	mkdir "$work/src"
	cp "$top"/loader/*.[ch] "$top"/include/*.h "$work/src"
	rm -f "$work/src"/cli* "$work/src"/preload*
	[ "$size" = full ] || rm -f "$work"/src/[d-z]*.c
}

job_gcc()
{
	for source in "$work"/src/*.c
	do
		"$@" gcc -std=gnu11 -O2 -fPIC -I"$work/src" -DCHIC_ALLOC_VERSION='"0"' \
			-DCHIC_ALLOC_MODULEDIR='"/m"' -DCHIC_ALLOC_SYSCONFDIR='"/e"' \
			-DCHIC_ALLOC_PRESETDIR='"/p"' -DCHIC_ALLOC_RUNDIR='"/r"' \
			-DCHIC_ALLOC_PRELOAD='"/l"' -c "$source" \
			-o "output.$(basename "$source" .c)" >>output 2>&1 || return
	done
}

job_gxx()
{
	"$@" g++ -std=c++17 -O2 -c "$here/containers.cc" -o output.object >output 2>&1
}

make_stl()
{
	g++ -std=c++17 -O2 -pthread "$here/containers.cc" -o "$work/containers"
}

job_stl()
{
	"$@" "$work/containers" "$((rounds * 5))" >output 2>&1
	expect_status $? 6
}

# A million live blocks.
make_live()
{
	cat >"$work/live.c" <<-'END'
		#include <stdio.h>
		#include <stdlib.h>
		#define N 1000000
		int main(void)
		{
			size_t **p = calloc(N, sizeof(*p)), sum = 0;
			for (size_t i = 0; i < N; i++) {
				p[i] = malloc(64);
				*p[i] = i;
			}
			for (size_t i = 0; i < N; i++) {
				sum += *p[i];
				free(p[i]);
			}
			free(p);
			printf("a million blocks of 64 bytes, whose numbers sum to %zu\n", sum);
			return 3;
		}
	END
	gcc -O1 -fno-builtin "$work/live.c" -o "$work/live"
}

job_live()
{
	"$@" "$work/live" >output 2>&1
	expect_status $? 3
}
