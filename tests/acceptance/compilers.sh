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
