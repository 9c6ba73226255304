// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the dynamic segment of a shared object leads to: symbols and relocations.
 *
 * Symbols are found as the dynamic linker finds them, by their hash tables, so
 * that what is said here holds for dlopen too, and for files whose section
 * headers were stripped.  Addresses are looked up in the file; every loop has a
 * bound that does not come from it.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>

#define CHAIN_MAX 4096
#define SYMBOL_MAX 128
/* One read of relocations: small enough for the stack. */
#define CHUNK 4096

#if __ELF_NATIVE_CLASS == 64
#define NATIVE_R_TYPE(info) ELF64_R_TYPE(info)
#define DTPMOD_RISCV R_RISCV_TLS_DTPMOD64
#else
#define NATIVE_R_TYPE(info) ELF32_R_TYPE(info)
#define DTPMOD_RISCV R_RISCV_TLS_DTPMOD32
#endif

/* Where in the file the bytes of a virtual address are. */
static bool file_offset(const struct elf *elf, uint64_t vaddr, uint64_t *offset)
{
	for (unsigned i = 0; i < elf->n_segments; i++) {
		const struct elf_segment *s = &elf->segments[i];

		if (s->type == PT_LOAD && vaddr >= s->vaddr && vaddr - s->vaddr < s->filesz) {
			*offset = s->offset + (vaddr - s->vaddr);
			return true;
		}
	}
	return false;
}

/* Read part of a table that begins at a virtual address. */
static int read_table(const struct elf *elf, const char *what, uint64_t table, uint64_t skip,
		      void *buf, size_t len)
{
	uint64_t offset;

	if (!file_offset(elf, table, &offset) || skip > elf->size)
		return message_set(-EINVAL,
				   "%s: %s: found address %#llx, which is not in the file",
				   elf->path, what, (unsigned long long)table);
	return elf_read(elf, what, offset + skip, buf, len);
}

/* ----------------------------------------------------------- symbols --- */

static bool is_exported_function(const ElfW(Sym) * sym)
{
	unsigned type = ELF64_ST_TYPE(sym->st_info), bind = ELF64_ST_BIND(sym->st_info);

	return sym->st_shndx != SHN_UNDEF && (type == STT_FUNC || type == STT_GNU_IFUNC) &&
	       (bind == STB_GLOBAL || bind == STB_WEAK);
}

/* Whether the symbol of that index is it: 1, 0 or an error. */
static int symbol_is(const struct elf *elf, uint32_t index, const char *name)
{
	size_t len = strlen(name) + 1;
	char found[SYMBOL_MAX];
	ElfW(Sym) sym;
	int err;

	err = read_table(elf, "dynamic symbols", elf->dynamic.symtab,
			 (uint64_t)index * sizeof(sym), &sym, sizeof(sym));
	if (err)
		return err;
	if (!is_exported_function(&sym) || elf->dynamic.strsz < len ||
	    sym.st_name > elf->dynamic.strsz - len)
		return 0;
	err = read_table(elf, "symbol names", elf->dynamic.strtab, sym.st_name, found, len);
	return err ? err : memcmp(found, name, len) == 0;
}

static uint32_t hash_gnu(const char *name)
{
	uint32_t h = 5381;

	for (; *name; name++)
		h = h * 33 + (unsigned char)*name;
	return h;
}

static int defines_gnu(const struct elf *elf, const char *name)
{
	struct {
		uint32_t n_buckets, first, bloom_words, bloom_shift;
	} head;
	uint32_t hash = hash_gnu(name), index, entry;
	uint64_t buckets, chain;
	int ret;

	ret = read_table(elf, "hash table", elf->dynamic.gnu_hash, 0, &head, sizeof(head));
	if (ret || head.n_buckets == 0)
		return ret;
	buckets = sizeof(head) + (uint64_t)head.bloom_words * sizeof(ElfW(Addr));
	chain = buckets + (uint64_t)head.n_buckets * sizeof(entry);
	ret = read_table(elf, "hash table", elf->dynamic.gnu_hash,
			 buckets + (uint64_t)(hash % head.n_buckets) * sizeof(index), &index,
			 sizeof(index));
	if (ret || index < head.first)
		return ret;
	for (unsigned i = 0; i < CHAIN_MAX; i++, index++) {
		ret = read_table(elf, "hash table", elf->dynamic.gnu_hash,
				 chain + (uint64_t)(index - head.first) * sizeof(entry), &entry,
				 sizeof(entry));
		if (!ret && (entry | 1) == (hash | 1))
			ret = symbol_is(elf, index, name);
		if (ret || (entry & 1)) /* the lowest bit ends the chain */
			return ret;
	}
	return 0;
}

static uint32_t hash_sysv(const char *name)
{
	uint32_t h = 0;

	for (; *name; name++) {
		h = (h << 4) + (unsigned char)*name;
		h ^= (h >> 24) & 0xf0;
		h &= 0x0fffffff;
	}
	return h;
}

static int defines_sysv(const struct elf *elf, const char *name)
{
	uint32_t head[2], index; /* numbers of buckets and of chain entries */
	uint64_t at;
	int ret;

	ret = read_table(elf, "hash table", elf->dynamic.hash, 0, head, sizeof(head));
	if (ret || head[0] == 0)
		return ret;
	at = 2 + hash_sysv(name) % head[0];
	for (unsigned i = 0; i < CHAIN_MAX; i++) {
		ret = read_table(elf, "hash table", elf->dynamic.hash, at * sizeof(index),
				 &index, sizeof(index));
		if (ret || index == STN_UNDEF)
			return ret;
		ret = symbol_is(elf, index, name);
		if (ret)
			return ret;
		at = 2 + (uint64_t)head[0] + index;
	}
	return 0;
}

int elf_defines(const struct elf *elf, const char *symbol)
{
	if (strlen(symbol) >= SYMBOL_MAX || !elf->dynamic.symtab || !elf->dynamic.strtab)
		return 0;
	if (elf->dynamic.gnu_hash)
		return defines_gnu(elf, symbol);
	if (elf->dynamic.hash)
		return defines_sysv(elf, symbol);
	return 0;
}

/* ------------------------------------------------ thread-local storage --- */

uint64_t elf_tls_size(const struct elf *elf)
{
	const struct elf_segment *segment = elf_segment(elf, PT_TLS);

	return segment ? segment->memsz : 0;
}

bool elf_tls_is_static(const struct elf *elf)
{
	return elf->dynamic.flags & DF_STATIC_TLS;
}

/* Relocations that make __tls_get_addr, or its like, be called; 0: unknown. */
static const struct tls_relocs {
	unsigned machine;
	unsigned dtpmod;
	unsigned tlsdesc;
} tls_relocs[] = {
	{EM_386, R_386_TLS_DTPMOD32, R_386_TLS_DESC},
	{EM_ARM, R_ARM_TLS_DTPMOD32, R_ARM_TLS_DESC},
	{EM_X86_64, R_X86_64_DTPMOD64, R_X86_64_TLSDESC},
	{EM_AARCH64, R_AARCH64_TLS_DTPMOD, R_AARCH64_TLSDESC},
	{EM_RISCV, DTPMOD_RISCV, 0},
};

static const struct tls_relocs *find_tls_relocs(unsigned machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(tls_relocs); i++)
		if (tls_relocs[i].machine == machine)
			return &tls_relocs[i];
	return NULL;
}

/* r_info lies at the same place in entries with and without an addend. */
static bool is_dynamic_tls(const struct tls_relocs *known, const char *entry)
{
	ElfW(Rel) rel;
	unsigned type;

	memcpy(&rel, entry, sizeof(rel));
	type = NATIVE_R_TYPE(rel.r_info);
	return type && (type == known->dtpmod || type == known->tlsdesc);
}

static int scan_relocs(const struct elf *elf, const struct tls_relocs *known, uint64_t table,
		       uint64_t size, size_t entry)
{
	char buf[CHUNK];
	size_t step = sizeof(buf) / entry * entry;
	int err;

	for (uint64_t at = 0; at < size; at += step) {
		size_t len = size - at < step ? size - at : step;

		err = read_table(elf, "relocations", table, at, buf, len);
		if (err)
			return err;
		for (size_t i = 0; i + entry <= len; i += entry)
			if (is_dynamic_tls(known, buf + i))
				return 1;
	}
	return 0;
}

int elf_needs_tls_get_addr(const struct elf *elf)
{
	const struct elf_dynamic *d = &elf->dynamic;
	const struct tls_relocs *known = find_tls_relocs(elf->machine);
	int ret;

	if (!known)
		return 0;
	ret = scan_relocs(elf, known, d->rela, d->relasz, sizeof(ElfW(Rela)));
	if (!ret)
		ret = scan_relocs(elf, known, d->rel, d->relsz, sizeof(ElfW(Rel)));
	if (!ret)
		ret = scan_relocs(elf, known, d->jmprel, d->pltrelsz,
				  d->pltrel == DT_REL ? sizeof(ElfW(Rel)) : sizeof(ElfW(Rela)));
	return ret;
}
