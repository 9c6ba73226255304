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

/*
 * Where in the file the bytes of a virtual address are.  In memory they are where it
 * says, and the dynamic linker may have made an address of it already.
 */
static bool file_offset(const struct elf *elf, uint64_t vaddr, uint64_t *offset)
{
	if (elf->mapped) {
		*offset = vaddr >= elf->base ? vaddr - elf->base : vaddr;
		return true;
	}
	for (unsigned i = 0; i < elf->n_segments; i++) {
		const struct elf_segment *s = &elf->segments[i];

		if (s->type == PT_LOAD && vaddr >= s->vaddr && vaddr - s->vaddr < s->filesz) {
			*offset = s->offset + (vaddr - s->vaddr);
			return true;
		}
	}
	return false;
}

int elf_read_at(const struct elf *elf, const char *what, uint64_t table, uint64_t skip,
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

static bool is_exported(const ElfW(Sym) * sym)
{
	unsigned bind = ELF64_ST_BIND(sym->st_info);

	return sym->st_shndx != SHN_UNDEF && (bind == STB_GLOBAL || bind == STB_WEAK);
}

static bool is_function(const ElfW(Sym) * sym)
{
	unsigned type = ELF64_ST_TYPE(sym->st_info);

	return type == STT_FUNC || type == STT_GNU_IFUNC;
}

/* Whether the symbol of that index is it, which is then in *sym: 1, 0 or an error. */
static int symbol_is(const struct elf *elf, uint32_t index, const char *name, ElfW(Sym) * sym)
{
	size_t len = strlen(name) + 1;
	char found[SYMBOL_MAX];
	int err;

	err = elf_read_at(elf, "dynamic symbols", elf->dynamic.symtab,
			  (uint64_t)index * sizeof(*sym), sym, sizeof(*sym));
	if (err)
		return err;
	if (!is_exported(sym) || elf->dynamic.strsz < len ||
	    sym->st_name > elf->dynamic.strsz - len)
		return 0;
	err = elf_read_at(elf, "symbol names", elf->dynamic.strtab, sym->st_name, found, len);
	return err ? err : memcmp(found, name, len) == 0;
}

static uint32_t hash_gnu(const char *name)
{
	uint32_t h = 5381;

	for (; *name; name++)
		h = h * 33 + (unsigned char)*name;
	return h;
}

static int find_gnu(const struct elf *elf, const char *name, ElfW(Sym) * sym)
{
	struct {
		uint32_t n_buckets, first, bloom_words, bloom_shift;
	} head;
	uint32_t hash = hash_gnu(name), index, entry;
	uint64_t buckets, chain;
	int ret;

	ret = elf_read_at(elf, "hash table", elf->dynamic.gnu_hash, 0, &head, sizeof(head));
	if (ret || head.n_buckets == 0)
		return ret;
	buckets = sizeof(head) + (uint64_t)head.bloom_words * sizeof(ElfW(Addr));
	chain = buckets + (uint64_t)head.n_buckets * sizeof(entry);
	ret = elf_read_at(elf, "hash table", elf->dynamic.gnu_hash,
			  buckets + (uint64_t)(hash % head.n_buckets) * sizeof(index), &index,
			  sizeof(index));
	if (ret || index < head.first)
		return ret;
	for (unsigned i = 0; i < CHAIN_MAX; i++, index++) {
		ret = elf_read_at(elf, "hash table", elf->dynamic.gnu_hash,
				  chain + (uint64_t)(index - head.first) * sizeof(entry),
				  &entry, sizeof(entry));
		if (!ret && (entry | 1) == (hash | 1))
			ret = symbol_is(elf, index, name, sym);
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

static int find_sysv(const struct elf *elf, const char *name, ElfW(Sym) * sym)
{
	uint32_t head[2], index; /* numbers of buckets and of chain entries */
	uint64_t at;
	int ret;

	ret = elf_read_at(elf, "hash table", elf->dynamic.hash, 0, head, sizeof(head));
	if (ret || head[0] == 0)
		return ret;
	at = 2 + hash_sysv(name) % head[0];
	for (unsigned i = 0; i < CHAIN_MAX; i++) {
		ret = elf_read_at(elf, "hash table", elf->dynamic.hash, at * sizeof(index),
				  &index, sizeof(index));
		if (ret || index == STN_UNDEF)
			return ret;
		ret = symbol_is(elf, index, name, sym);
		if (ret)
			return ret;
		at = 2 + (uint64_t)head[0] + index;
	}
	return 0;
}

static int find_symbol(const struct elf *elf, const char *name, ElfW(Sym) * sym)
{
	if (strlen(name) >= SYMBOL_MAX || !elf->dynamic.symtab || !elf->dynamic.strtab)
		return 0;
	if (elf->dynamic.gnu_hash)
		return find_gnu(elf, name, sym);
	if (elf->dynamic.hash)
		return find_sysv(elf, name, sym);
	return 0;
}

int elf_defines(const struct elf *elf, const char *symbol)
{
	ElfW(Sym) sym;
	int found = find_symbol(elf, symbol, &sym);

	return found > 0 ? is_function(&sym) : found;
}

int elf_object(const struct elf *elf, const char *symbol, uint64_t *vaddr, uint64_t *size)
{
	ElfW(Sym) sym;
	int found = find_symbol(elf, symbol, &sym);

	if (found <= 0 || ELF64_ST_TYPE(sym.st_info) != STT_OBJECT)
		return found < 0 ? found : 0;
	*vaddr = sym.st_value;
	*size = sym.st_size;
	return 1;
}

/* ------------------------------------------------ thread-local storage --- */

uint64_t elf_tls_size(const struct elf *elf)
{
	const struct elf_segment *segment = elf_segment(elf, PT_TLS);

	return segment ? segment->memsz : 0;
}

/* GNU ld marks nothing for AArch64, where the relocations alone tell the model. */
bool elf_tls_is_static(const struct elf *elf)
{
	return elf->dynamic.flags & DF_STATIC_TLS || elf->machine == EM_AARCH64;
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

		err = elf_read_at(elf, "relocations", table, at, buf, len);
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
