// SPDX-License-Identifier: BSD-2-Clause
/*
 * Bounded reader of shared objects.
 *
 * Reads with pread and never maps: a mapped file that somebody truncates kills
 * the program with SIGBUS.  Every offset and size of the file is checked against
 * the file's size before use, every loop has a bound that does not come from the
 * file.  What the dynamic segment leads to is elf_dynamic.c's.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTIONS_MAX 1024
#define SECTION_NAMES_MAX (64 * 1024)
#define DYNAMIC_MAX 1024
/* One read of a table: small enough for the stack. */
#define CHUNK 4096
/* What a library in memory spans at most. */
#define MAPPED_MAX (1u << 30)

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE_DATA ELFDATA2LSB
#else
#define NATIVE_DATA ELFDATA2MSB
#endif

#define NATIVE_CLASS (__ELF_NATIVE_CLASS == 64 ? ELFCLASS64 : ELFCLASS32)

#if defined(__x86_64__)
#define NATIVE_MACHINE EM_X86_64
#elif defined(__i386__)
#define NATIVE_MACHINE EM_386
#elif defined(__aarch64__)
#define NATIVE_MACHINE EM_AARCH64
#elif defined(__arm__)
#define NATIVE_MACHINE EM_ARM
#elif defined(__riscv)
#define NATIVE_MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define NATIVE_MACHINE EM_PPC64
#elif defined(__s390__)
#define NATIVE_MACHINE EM_S390
#else
#define NATIVE_MACHINE EM_NONE /* not checked here: dlopen will */
#endif

static const struct {
	unsigned id;
	const char *name;
} machines[] = {
	{EM_386, "x86"},       {EM_PPC64, "PowerPC 64"}, {EM_S390, "S/390"},   {EM_ARM, "ARM"},
	{EM_X86_64, "x86-64"}, {EM_AARCH64, "AArch64"},	 {EM_RISCV, "RISC-V"},
};

static const char *machine_name(unsigned id)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i].id == id)
			return machines[i].name;
	return "unknown";
}

static const char *class_name(unsigned class)
{
	return class == ELFCLASS32   ? "ELFCLASS32"
	       : class == ELFCLASS64 ? "ELFCLASS64"
				     : "unknown";
}

static const char *data_name(unsigned data)
{
	return data == ELFDATA2LSB   ? "little-endian"
	       : data == ELFDATA2MSB ? "big-endian"
				     : "unknown";
}

/* ------------------------------------------------------------ bytes --- */

static int beyond(const struct elf *elf, const char *what, uint64_t offset, uint64_t len)
{
	return message_set(
		-EINVAL, "%s: truncated or damaged: %s: %llu bytes at %llu, the file has %llu",
		elf->path, what, (unsigned long long)len, (unsigned long long)offset,
		(unsigned long long)elf->size);
}

static bool in_file(const struct elf *elf, uint64_t offset, uint64_t len)
{
	return len <= elf->size && offset <= elf->size - len;
}

int elf_read(const struct elf *elf, const char *what, uint64_t offset, void *buf, size_t len)
{
	size_t done = 0;

	if (!in_file(elf, offset, len))
		return beyond(elf, what, offset, len);
	while (done < len) {
		ssize_t n = pread64(elf->fd, (char *)buf + done, len - done,
				    elf->base + offset + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return message_set(-errno, "%s: %s: %s", elf->path, what,
					   strerror(errno));
		if (n == 0) /* it shrank after fstat */
			return beyond(elf, what, offset, len);
		done += n;
	}
	return 0;
}

/* ------------------------------------------------- header, segments --- */

static int check_magic(const struct elf *elf, const unsigned char *ident)
{
	if (elf->size < EI_NIDENT)
		return message_set(-EINVAL,
				   "%s: found %llu bytes, expected an ELF shared object",
				   elf->path, (unsigned long long)elf->size);
	if (memcmp(ident, ELFMAG, SELFMAG) != 0)
		return message_set(
			-EINVAL,
			"%s: found bytes %02x %02x %02x %02x, expected 7f 45 4c 46 (ELF)",
			elf->path, ident[0], ident[1], ident[2], ident[3]);
	return 0;
}

static int check_ident(const struct elf *elf, const unsigned char *ident)
{
	unsigned class = ident[EI_CLASS], data = ident[EI_DATA], version = ident[EI_VERSION];

	if (class != NATIVE_CLASS)
		return message_set(-EINVAL, "%s: found class %u (%s), expected %s", elf->path,
				   class, class_name(class), class_name(NATIVE_CLASS));
	if (data != NATIVE_DATA)
		return message_set(-EINVAL, "%s: found byte order %u (%s), expected %s",
				   elf->path, data, data_name(data), data_name(NATIVE_DATA));
	if (version != EV_CURRENT)
		return message_set(-EINVAL, "%s: found ELF version %u, expected %d", elf->path,
				   version, EV_CURRENT);
	return 0;
}

static int check_machine(const struct elf *elf, unsigned machine)
{
	if (NATIVE_MACHINE == EM_NONE || machine == NATIVE_MACHINE)
		return 0;
	return message_set(-EINVAL, "%s: found machine %u (%s), expected %u (%s)", elf->path,
			   machine, machine_name(machine), NATIVE_MACHINE,
			   machine_name(NATIVE_MACHINE));
}

static int check_layout(const struct elf *elf, const ElfW(Ehdr) * ehdr)
{
	if (ehdr->e_type != ET_DYN && !(elf->program && ehdr->e_type == ET_EXEC))
		return message_set(-EINVAL,
				   "%s: found ELF type %u, expected %d (shared object)",
				   elf->path, ehdr->e_type, ET_DYN);
	if (ehdr->e_phnum == 0 || ehdr->e_phnum > ELF_SEGMENTS_MAX)
		return message_set(-EINVAL, "%s: found %u program headers, expected 1 to %d",
				   elf->path, ehdr->e_phnum, ELF_SEGMENTS_MAX);
	if (ehdr->e_phentsize != sizeof(ElfW(Phdr)))
		return message_set(-EINVAL,
				   "%s: found program headers of %u bytes, expected %zu",
				   elf->path, ehdr->e_phentsize, sizeof(ElfW(Phdr)));
	return 0;
}

/* A file without section headers, as sstrip leaves it, is good: it has no metadata. */
static int check_sections(struct elf *elf, const ElfW(Ehdr) * ehdr)
{
	if (ehdr->e_shoff == 0)
		return 0;
	if (ehdr->e_shnum == 0 || ehdr->e_shnum > SECTIONS_MAX)
		return message_set(-EINVAL, "%s: found %u section headers, expected 1 to %d",
				   elf->path, ehdr->e_shnum, SECTIONS_MAX);
	if (ehdr->e_shentsize != sizeof(ElfW(Shdr)))
		return message_set(-EINVAL,
				   "%s: found section headers of %u bytes, expected %zu",
				   elf->path, ehdr->e_shentsize, sizeof(ElfW(Shdr)));
	if (ehdr->e_shstrndx >= ehdr->e_shnum)
		return message_set(-EINVAL,
				   "%s: section names: found section %u, expected below %u",
				   elf->path, ehdr->e_shstrndx, ehdr->e_shnum);
	elf->sections = ehdr->e_shoff;
	elf->n_sections = ehdr->e_shnum;
	elf->section_names = ehdr->e_shstrndx;
	if (!in_file(elf, elf->sections, elf->n_sections * sizeof(ElfW(Shdr))))
		return beyond(elf, "section headers", elf->sections,
			      elf->n_sections * sizeof(ElfW(Shdr)));
	return 0;
}

/* Answers the file's first bytes in *ehdr, zeros where the file is shorter. */
static int read_header(struct elf *elf, ElfW(Ehdr) * ehdr)
{
	int err;

	memset(ehdr, 0, sizeof(*ehdr));
	err = elf_read(elf, "ELF header", 0, ehdr,
		       elf->size < sizeof(*ehdr) ? elf->size : sizeof(*ehdr));
	if (!err)
		err = check_magic(elf, ehdr->e_ident);
	if (!err)
		err = check_ident(elf, ehdr->e_ident);
	if (!err && elf->size < sizeof(*ehdr))
		err = beyond(elf, "ELF header", 0, sizeof(*ehdr));
	if (!err)
		err = check_machine(elf, ehdr->e_machine);
	if (!err)
		err = check_layout(elf, ehdr);
	return err;
}

/* A segment that ends beyond the file would kill the program when it is touched. */
static int read_segments(struct elf *elf, const ElfW(Ehdr) * ehdr)
{
	ElfW(Phdr) phdrs[ELF_SEGMENTS_MAX];
	int err;

	err = elf_read(elf, "program headers", ehdr->e_phoff, phdrs,
		       ehdr->e_phnum * sizeof(phdrs[0]));
	if (err)
		return err;
	for (unsigned i = 0; i < ehdr->e_phnum; i++) {
		elf->segments[i] = (struct elf_segment){
			.type = phdrs[i].p_type,
			.offset = phdrs[i].p_offset,
			.vaddr = phdrs[i].p_vaddr,
			.filesz = phdrs[i].p_filesz,
			.memsz = phdrs[i].p_memsz,
		};
		if (phdrs[i].p_type == PT_LOAD &&
		    !in_file(elf, phdrs[i].p_offset, phdrs[i].p_filesz))
			return beyond(elf, "segment", phdrs[i].p_offset, phdrs[i].p_filesz);
	}
	elf->n_segments = ehdr->e_phnum;
	return 0;
}

const struct elf_segment *elf_segment(const struct elf *elf, uint32_t type)
{
	for (unsigned i = 0; i < elf->n_segments; i++)
		if (elf->segments[i].type == type)
			return &elf->segments[i];
	return NULL;
}

/* ---------------------------------------------------- dynamic segment --- */

static const struct {
	int64_t tag;
	size_t offset;
} dynamic_tags[] = {
	{DT_STRTAB, offsetof(struct elf_dynamic, strtab)},
	{DT_STRSZ, offsetof(struct elf_dynamic, strsz)},
	{DT_SYMTAB, offsetof(struct elf_dynamic, symtab)},
	{DT_HASH, offsetof(struct elf_dynamic, hash)},
	{DT_GNU_HASH, offsetof(struct elf_dynamic, gnu_hash)},
	{DT_RELA, offsetof(struct elf_dynamic, rela)},
	{DT_RELASZ, offsetof(struct elf_dynamic, relasz)},
	{DT_REL, offsetof(struct elf_dynamic, rel)},
	{DT_RELSZ, offsetof(struct elf_dynamic, relsz)},
	{DT_JMPREL, offsetof(struct elf_dynamic, jmprel)},
	{DT_PLTRELSZ, offsetof(struct elf_dynamic, pltrelsz)},
	{DT_PLTREL, offsetof(struct elf_dynamic, pltrel)},
	{DT_FLAGS, offsetof(struct elf_dynamic, flags)},
};

static void set_dynamic(struct elf *elf, const ElfW(Dyn) * dyn)
{
	for (size_t i = 0; i < ARRAY_SIZE(dynamic_tags); i++)
		if (dynamic_tags[i].tag == dyn->d_tag)
			*(uint64_t *)((char *)&elf->dynamic + dynamic_tags[i].offset) =
				dyn->d_un.d_val;
}

static int read_dynamic(struct elf *elf)
{
	const struct elf_segment *segment = elf_segment(elf, PT_DYNAMIC);
	ElfW(Dyn) dyn[CHUNK / sizeof(ElfW(Dyn))];
	size_t left, n;
	uint64_t at;
	int err;

	if (!segment)
		return message_set(-EINVAL,
				   "%s: found no dynamic segment, expected a shared object",
				   elf->path);
	left = segment->filesz / sizeof(dyn[0]);
	if (left > DYNAMIC_MAX)
		return message_set(-EINVAL,
				   "%s: found %zu dynamic entries, expected at most %d",
				   elf->path, left, DYNAMIC_MAX);
	at = elf->mapped ? segment->vaddr : segment->offset;
	for (; left; left -= n, at += n * sizeof(dyn[0])) {
		n = left < ARRAY_SIZE(dyn) ? left : ARRAY_SIZE(dyn);
		err = elf_read(elf, "dynamic segment", at, dyn, n * sizeof(dyn[0]));
		if (err)
			return err;
		for (size_t i = 0; i < n; i++) {
			if (dyn[i].d_tag == DT_NULL)
				return 0;
			set_dynamic(elf, &dyn[i]);
		}
	}
	return 0;
}

bool elf_is_foreign(int fd)
{
	ElfW(Ehdr) ehdr;

	if (pread(fd, &ehdr, sizeof(ehdr), 0) != sizeof(ehdr) ||
	    memcmp(ehdr.e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	return ehdr.e_ident[EI_CLASS] != NATIVE_CLASS || ehdr.e_ident[EI_DATA] != NATIVE_DATA ||
	       (NATIVE_MACHINE != EM_NONE && ehdr.e_machine != NATIVE_MACHINE);
}

/* What every kind of file has; a program need not be linked dynamically. */
static int read_parts(struct elf *elf, ElfW(Ehdr) * ehdr)
{
	int err = read_header(elf, ehdr);

	elf->machine = ehdr->e_machine;
	if (!err)
		err = read_segments(elf, ehdr);
	if (!err && (!elf->program || elf_segment(elf, PT_DYNAMIC)))
		err = read_dynamic(elf);
	return err;
}

static int find_size(struct elf *elf)
{
	struct stat st;

	if (fstat(elf->fd, &st) < 0)
		return message_set(-errno, "%s: %s", elf->path, strerror(errno));
	elf->size = st.st_size;
	return 0;
}

int elf_open(struct elf *elf, int fd, const char *path)
{
	ElfW(Ehdr) ehdr;
	int err;

	*elf = (struct elf){.fd = fd, .path = path};
	err = find_size(elf);
	if (!err)
		err = read_parts(elf, &ehdr);
	return err ? err : check_sections(elf, &ehdr);
}

int elf_open_program(struct elf *elf, int fd, const char *path)
{
	ElfW(Ehdr) ehdr;
	int err;

	*elf = (struct elf){.fd = fd, .path = path, .program = true};
	err = find_size(elf);
	return err ? err : read_parts(elf, &ehdr);
}

int elf_open_mapped(struct elf *elf, int fd, uint64_t base, const char *path)
{
	ElfW(Ehdr) ehdr;

	*elf = (struct elf){
		.fd = fd, .path = path, .base = base, .mapped = true, .size = MAPPED_MAX};
	return read_parts(elf, &ehdr);
}

/* ---------------------------------------------------------- sections --- */

/* Read max bytes at most into a fresh buffer with a NUL behind it. */
static int read_fresh(const struct elf *elf, const char *what, const ElfW(Shdr) * shdr,
		      size_t max, char **data)
{
	char *buf;
	int err;

	if (shdr->sh_type == SHT_NOBITS)
		return message_set(-EINVAL, "%s: %s: found a section without contents",
				   elf->path, what);
	if (shdr->sh_size > max)
		return message_set(-EINVAL, "%s: %s: found %llu bytes, expected at most %zu",
				   elf->path, what, (unsigned long long)shdr->sh_size, max);
	buf = malloc(shdr->sh_size + 1);
	if (!buf)
		return message_set(-ENOMEM, "%s: %s: out of memory", elf->path, what);
	err = elf_read(elf, what, shdr->sh_offset, buf, shdr->sh_size);
	if (err) {
		free(buf);
		return err;
	}
	buf[shdr->sh_size] = '\0';
	*data = buf;
	return 0;
}

static const ElfW(Shdr) * find_section(const struct elf *elf, const ElfW(Shdr) * shdrs,
				       const char *names, const char *name)
{
	for (unsigned i = 0; i < elf->n_sections; i++)
		if (shdrs[i].sh_name < shdrs[elf->section_names].sh_size &&
		    strcmp(names + shdrs[i].sh_name, name) == 0)
			return &shdrs[i];
	return NULL;
}

int elf_section(const struct elf *elf, const char *name, size_t max, char **data, size_t *len)
{
	const ElfW(Shdr) * found;
	ElfW(Shdr) * shdrs;
	char *names;
	int err;

	if (!elf->n_sections)
		return 0;
	shdrs = malloc(elf->n_sections * sizeof(*shdrs));
	if (!shdrs)
		return message_set(-ENOMEM, "%s: section headers: out of memory", elf->path);
	err = elf_read(elf, "section headers", elf->sections, shdrs,
		       elf->n_sections * sizeof(*shdrs));
	if (err)
		goto free_shdrs;
	err = read_fresh(elf, "section names", &shdrs[elf->section_names], SECTION_NAMES_MAX,
			 &names);
	if (err)
		goto free_shdrs;
	found = find_section(elf, shdrs, names, name);
	if (!found)
		goto free_names;
	err = read_fresh(elf, name, found, max, data);
	if (!err) {
		*len = found->sh_size;
		err = 1;
	}
free_names:
	free(names);
free_shdrs:
	free(shdrs);
	return err;
}
