// SPDX-License-Identifier: BSD-2-Clause
/*
 * From an address of a trace to file, offset and function, without a lock and
 * without an allocation: the dynamic symbols are in memory, the file's own table,
 * which has the static functions as well, is mapped and unmapped again.
 */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stacktrace_internal.h"

/* A function found for an address, as the file sees both. */
struct found {
	const char *name;
	size_t name_max; /* bytes at name that may be read */
	uintptr_t value;
	bool covers; /* the symbol's size says that it covers the address */
};

/* --------------------------------------------------------------- texts -- */

static void copy(char *out, size_t size, const char *from, size_t max)
{
	size_t i;

	for (i = 0; i + 1 < size && i < max && from[i]; i++)
		out[i] = from[i];
	out[i] = '\0';
}

static size_t put(char *out, size_t size, size_t at, const char *text)
{
	while (*text && at + 1 < size)
		out[at++] = *text++;
	out[at] = '\0';
	return at;
}

static size_t put_hex(char *out, size_t size, size_t at, const char *before, uintptr_t n)
{
	char text[2 * sizeof(n) + 1], *p = text + sizeof(text) - 1;

	*p = '\0';
	do
		*--p = "0123456789abcdef"[n & 15];
	while (n >>= 4);
	at = put(out, size, at, before);
	at = put(out, size, at, "0x");
	return put(out, size, at, p);
}

/* ------------------------------------------------------------- symbols -- */

/* Takes the symbol if it is a function nearer to the address than the one before. */
static void consider(struct found *found, const ElfW(Sym) * symbol, const char *names,
		     size_t names_size, uintptr_t at)
{
	unsigned type = symbol->st_info & 15;
	bool covers = at - symbol->st_value < symbol->st_size;

	if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol->st_shndx == SHN_UNDEF ||
	    symbol->st_value > at || symbol->st_name >= names_size)
		return;
	/* what ends before the address has another function, without a name, behind it */
	if (symbol->st_size && !covers)
		return;
	if (found->name && (found->covers > covers ||
			    (found->covers == covers && found->value >= symbol->st_value)))
		return;
	*found = (struct found){
		.name = names + symbol->st_name,
		.name_max = names_size - symbol->st_name,
		.value = symbol->st_value,
		.covers = covers,
	};
}

struct dynamic {
	const ElfW(Sym) * symbols;
	const char *names;
	size_t names_size;
	const uint32_t *hash, *gnu_hash;
};

/* Some linkers' loaders move these addresses, some do not. */
static const void *moved(const struct stacktrace_object *object, uintptr_t address)
{
	return (const void *)(address < object->bias ? address + object->bias : address);
}

static void dynamic_read(const struct stacktrace_object *object, struct dynamic *out)
{
	const ElfW(Dyn) *d = object->dynamic;

	*out = (struct dynamic){0};
	for (; d && d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_SYMTAB)
			out->symbols = moved(object, d->d_un.d_ptr);
		else if (d->d_tag == DT_STRTAB)
			out->names = moved(object, d->d_un.d_ptr);
		else if (d->d_tag == DT_STRSZ)
			out->names_size = d->d_un.d_val;
		else if (d->d_tag == DT_HASH)
			out->hash = moved(object, d->d_un.d_ptr);
		else if (d->d_tag == DT_GNU_HASH)
			out->gnu_hash = moved(object, d->d_un.d_ptr);
	}
}

/* The chain of the last bucket ends with the last symbol. */
static size_t gnu_symbols(const uint32_t *hash)
{
	uint32_t n_buckets = hash[0], first = hash[1], bloom = hash[2], last = 0;
	const uint32_t *buckets = hash + 4 + bloom * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
	const uint32_t *chain = buckets + n_buckets;

	for (uint32_t i = 0; i < n_buckets; i++)
		if (buckets[i] > last)
			last = buckets[i];
	if (last < first)
		return first;
	while (!(chain[last - first] & 1))
		last++;
	return last + 1;
}

static void dynamic_find(const struct stacktrace_object *object, uintptr_t at,
			 struct found *found)
{
	struct dynamic d;
	size_t n = 0;

	dynamic_read(object, &d);
	if (!d.symbols || !d.names)
		return;
	if (d.gnu_hash)
		n = gnu_symbols(d.gnu_hash);
	else if (d.hash)
		n = d.hash[1];
	for (size_t i = 0; i < n; i++)
		consider(found, &d.symbols[i], d.names, d.names_size, at);
}

/* ---------------------------------------------------------- the file's -- */

struct file {
	const char *data;
	size_t size;
};

static bool file_has(const struct file *f, uint64_t offset, uint64_t size)
{
	return offset <= f->size && size <= f->size - offset;
}

/* The file may have been replaced since it was mapped: its head must be the same. */
static bool file_is(const struct file *f, const struct stacktrace_object *object)
{
	const ElfW(Ehdr) *head = (const void *)f->data;

	return file_has(f, 0, sizeof(*head)) &&
	       stacktrace_readable((const void *)object->start, sizeof(*head)) &&
	       memcmp(head, (const void *)object->start, sizeof(*head)) == 0 &&
	       memcmp(head->e_ident, ELFMAG, SELFMAG) == 0;
}

static bool file_open(struct file *f, const struct stacktrace_object *object)
{
	const char *path = *object->path ? object->path : stacktrace_program();
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	*f = (struct file){.data = MAP_FAILED};
	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		f->size = st.st_size;
		f->data = mmap(NULL, f->size, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	close(fd);
	if (f->data == MAP_FAILED)
		return false;
	if (file_is(f, object))
		return true;
	munmap((void *)f->data, f->size);
	return false;
}

static const ElfW(Shdr) * section_at(const struct file *f, unsigned i)
{
	const ElfW(Ehdr) *head = (const void *)f->data;
	uint64_t at = head->e_shoff + (uint64_t)i * sizeof(ElfW(Shdr));

	if (i >= head->e_shnum || head->e_shentsize != sizeof(ElfW(Shdr)) ||
	    at % _Alignof(ElfW(Shdr)) != 0 || !file_has(f, at, sizeof(ElfW(Shdr))))
		return NULL;
	return (const void *)(f->data + at);
}

static void section_find(const struct file *f, const ElfW(Shdr) * table, uintptr_t at,
			 struct found *found)
{
	const ElfW(Shdr) *names = section_at(f, table->sh_link);
	size_t n = table->sh_size / sizeof(ElfW(Sym));

	if (!names || !file_has(f, table->sh_offset, table->sh_size) ||
	    !file_has(f, names->sh_offset, names->sh_size) ||
	    table->sh_offset % _Alignof(ElfW(Sym)) != 0)
		return;
	for (size_t i = 0; i < n; i++)
		consider(found, (const ElfW(Sym) *)(f->data + table->sh_offset) + i,
			 f->data + names->sh_offset, names->sh_size, at);
}

static void file_find(const struct file *f, uintptr_t at, struct found *found)
{
	const ElfW(Shdr) * section;

	for (unsigned i = 0; (section = section_at(f, i)); i++)
		if (section->sh_type == SHT_SYMTAB)
			section_find(f, section, at, found);
}

/* ----------------------------------------------------------- interface -- */

static void found_copy(struct stacktrace_place *out, const struct found *found, uintptr_t at)
{
	if (!found->name)
		return;
	copy(out->symbol, sizeof(out->symbol), found->name, found->name_max);
	out->symbol_offset = at - found->value;
}

void stacktrace_place(struct stacktrace_place *out, uintptr_t pc)
{
	uintptr_t at = pc - 1;
	struct stacktrace_object object;
	struct found found = {0};
	int saved = errno;
	struct file file;

	*out = (struct stacktrace_place){.object_offset = at};
	if (!stacktrace_object_find(at, &object))
		return;
	at -= object.bias;
	out->object_offset = at;
	copy(out->object, sizeof(out->object),
	     *object.path ? object.path : stacktrace_program(), SIZE_MAX);
	dynamic_find(&object, at, &found);
	found_copy(out, &found, at);
	if (!found.covers && file_open(&file, &object)) {
		file_find(&file, at, &found);
		found_copy(out, &found, at);
		munmap((void *)file.data, file.size);
	}
	errno = saved;
}

size_t stacktrace_name(char *out, size_t size, uintptr_t pc)
{
	struct stacktrace_place place;
	size_t at = 0;

	stacktrace_place(&place, pc);
	if (*place.object)
		at = put(out, size, at, place.object);
	at = put_hex(out, size, at, *place.object ? "+" : "", place.object_offset);
	if (*place.symbol) {
		at = put(out, size, at, " (");
		at = put(out, size, at, place.symbol);
		at = put_hex(out, size, at, "+", place.symbol_offset);
		at = put(out, size, at, ")");
	}
	return at;
}
