// SPDX-License-Identifier: BSD-2-Clause
/*
 * modinfo.c and elf.c: what a module's file says of itself.
 *
 * Works on the fixtures of tests/modules and on damaged copies of them in memory
 * (memfd), where writing is cheap.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "fault.h"
#include "internal.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *module_dir(void)
{
	const char *dir = getenv("TEST_MODULE_DIR");

	return dir ? dir : TEST_MODULE_DIR;
}

static const char *fixture_path(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.so", module_dir(), name);
	return path;
}

static int open_fixture(const char *name)
{
	int fd = open(fixture_path(name), O_RDONLY | O_CLOEXEC);

	ck_assert_msg(fd >= 0, "%s: %s", fixture_path(name), strerror(errno));
	return fd;
}

static int read_fixture(const char *name, struct modinfo *info)
{
	int fd = open_fixture(name), err = modinfo_read(fd, fixture_path(name), info);

	close(fd);
	return err;
}

static void assert_says(const char *text)
{
	ck_assert_msg(strstr(message_get(), text), "message \"%s\" lacks \"%s\"", message_get(),
		      text);
	ck_assert_msg(!strpbrk(message_get(), "\n\r\t"), "message is not one line");
}

/* The bytes of a fixture, to be freed. */
static char *load(const char *name, size_t *len)
{
	int fd = open_fixture(name);
	char *bytes;

	ck_assert_int_eq(trust_read(fd, name, 16 << 20, &bytes, len), 0);
	close(fd);
	return bytes;
}

/* A file that nobody has to delete. */
static int file_of(const void *bytes, size_t len)
{
	int fd = memfd_create("damaged", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, len), len);
	return fd;
}

static int read_bytes(const void *bytes, size_t len)
{
	struct modinfo info;
	int fd = file_of(bytes, len), err = modinfo_read(fd, "damaged", &info);

	if (err == 0)
		modinfo_free(&info);
	close(fd);
	return err;
}

/* --------------------------------------------------------- good modules --- */

START_TEST(texts)
{
	struct modinfo info;

	ck_assert_int_eq(read_fixture("good_heap", &info), 0);
	ck_assert(info.found);
	ck_assert(!info.malloc_family);
	ck_assert_str_eq(info.name, "good_heap");
	ck_assert_str_eq(info.abi, "1");
	ck_assert_str_eq(info.version, "1.2.3");
	ck_assert_str_eq(info.license, "BSD-2-Clause");
	ck_assert_str_eq(info.description, "heap of the tests");
	ck_assert_str_eq(info.author, "The tests <tests@example.org>");
	modinfo_free(&info);
	ck_assert_ptr_null(info.text);
}
END_TEST

static const struct {
	const char *name, *def, *range, *help;
	enum param_type type;
} params[] = {
	{"on", "yes", "", "a truth value", PARAM_BOOL},
	{"count", "7", "1-100", "a number", PARAM_UINT},
	{"bytes", "64K", "4K-1G", "a size: of nothing", PARAM_SIZE},
	{"output", "", "", "any text", PARAM_STRING},
	{"mode", "fast", "fast|slow", "one of two", PARAM_ENUM},
};

static const struct modinfo_param *find_param(const struct modinfo *info, const char *name)
{
	for (size_t i = 0; i < info->n_params; i++)
		if (strcmp(info->params[i].name, name) == 0)
			return &info->params[i];
	ck_abort_msg("no parameter %s", name);
}

START_TEST(parameters)
{
	struct modinfo info;

	ck_assert_int_eq(read_fixture("good_heap", &info), 0);
	ck_assert_uint_eq(info.n_params, ARRAY_SIZE(params));
	for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
		const struct modinfo_param *found = find_param(&info, params[i].name);

		ck_assert_int_eq(found->type, params[i].type);
		ck_assert_str_eq(found->def, params[i].def);
		ck_assert_str_eq(found->range, params[i].range);
		ck_assert_str_eq(found->help, params[i].help);
	}
	modinfo_free(&info);
}
END_TEST

static const struct {
	const char *fixture;
	enum module_kind kind;
	bool frees_no;
} good[] = {
	{"good_heap", KIND_HEAP, false},	   {"good_filter", KIND_FILTER, false},
	{"good_mixed", KIND_MIXED, false},	   {"heap_frees_no", KIND_HEAP, true},
	{"padded_modinfo", KIND_HEAP, false},	   {"tls_ok", KIND_HEAP, false},
	{"init_fails", KIND_HEAP, false},	   {"init_without_exit", KIND_HEAP, false},
	{"exit_without_init", KIND_HEAP, false},   {"heap_without_free", KIND_HEAP, false},
	{"heap_empty", KIND_HEAP, false},	   {"mixed_incomplete", KIND_MIXED, false},
	{"twins_without_hooks", KIND_HEAP, false},
};

/* Those whose hooks are wrong too: that is not for the file to tell. */
START_TEST(good_metadata)
{
	const char *name = good[_i].fixture;
	struct modinfo info;

	ck_assert_msg(read_fixture(name, &info) == 0, "%s", message_get());
	ck_assert_int_eq(info.kind, good[_i].kind);
	ck_assert_int_eq(info.frees_no, good[_i].frees_no);
	ck_assert_int_eq(modinfo_check(&info, name, fixture_path(name)), 0);
	modinfo_free(&info);
}
END_TEST

START_TEST(absent_texts_are_empty)
{
	struct modinfo info;

	ck_assert_int_eq(read_fixture("heap_empty", &info), 0);
	ck_assert_str_eq(info.version, "");
	ck_assert_str_eq(info.license, "");
	ck_assert_str_eq(info.description, "");
	ck_assert_str_eq(info.author, "");
	modinfo_free(&info);
}
END_TEST

START_TEST(dash_is_underscore)
{
	struct modinfo info;

	ck_assert_int_eq(read_fixture("good_heap", &info), 0);
	ck_assert_int_eq(modinfo_check(&info, "good-heap", "x"), 0);
	modinfo_free(&info);
}
END_TEST

START_TEST(names_of_enums)
{
	ck_assert_str_eq(module_kind_name(KIND_HEAP), "heap");
	ck_assert_str_eq(module_kind_name(KIND_FILTER), "filter");
	ck_assert_str_eq(module_kind_name(KIND_MIXED), "mixed");
	ck_assert_str_eq(param_type_name(PARAM_BOOL), "bool");
	ck_assert_str_eq(param_type_name(PARAM_UINT), "uint");
	ck_assert_str_eq(param_type_name(PARAM_SIZE), "size");
	ck_assert_str_eq(param_type_name(PARAM_STRING), "string");
	ck_assert_str_eq(param_type_name(PARAM_ENUM), "enum");
}
END_TEST

/* ---------------------------------------------------------- bad modules --- */

static const struct {
	const char *fixture;
	const char *found;
	const char *expected;
} bad[] = {
	{"no_abi", "found no abi=", "expected 1"},
	{"no_modinfo", "no .modinfo section and no malloc family", "found no function malloc"},
	{"partial_malloc_family", "no malloc family", "found no function calloc"},
	{"imported_malloc_family", "no malloc family", "found no function malloc"},
	{"unterminated_modinfo", ".modinfo: the last string has no end", "NUL"},
	{"oversized_modinfo", ".modinfo: found ", "expected at most 65536"},
	{"control_modinfo", "found a control character (0x0a)", "expected text"},
	{"no_value_modinfo", "found 'stray'", "expected KEY=VALUE"},
	{"duplicate_key", "found kind= twice", "'filter'"},
	{"duplicate_parm", "found two parameters named", "two"},
	{"bad_parm", "parameter 'half", "expected NAME:TYPE:DEFAULT:RANGE:HELP"},
	{"bad_parm_type", "parameter ratio: found type 'float'", "expected bool, uint"},
	{"bad_parm_range", "parameter count: found range '100-1'", "expected MIN-MAX"},
	{"too_many_parms", "found parameter '", "expected at most 32"},
	{"bad_kind", "found kind 'sponge'", "expected heap, filter or mixed"},
	{"dynamic_tls", "found dynamic TLS", "expected none or -ftls-model=initial-exec"},
	{"mixed_tls", "found dynamic TLS", "expected none or -ftls-model=initial-exec"},
	{"large_static_tls", "found 128 bytes of static TLS", "expected at most 64"},
};

START_TEST(refused)
{
	const char *name = bad[_i].fixture;
	struct modinfo info = {.found = true};

	ck_assert_int_eq(read_fixture(name, &info), -EINVAL);
	assert_says(fixture_path(name));
	assert_says(bad[_i].found);
	assert_says(bad[_i].expected);
	ck_assert(!info.found);
	ck_assert_ptr_null(info.text);
}
END_TEST

/* Its kind means nothing here, and its texts can be shown. */
START_TEST(wrong_abi)
{
	struct modinfo info;

	ck_assert_int_eq(read_fixture("wrong_abi", &info), 0);
	ck_assert_int_eq(modinfo_check(&info, "wrong_abi", "/x/wrong_abi.so"), -EINVAL);
	assert_says("/x/wrong_abi.so: found abi 2, expected 1");
	modinfo_free(&info);
}
END_TEST

START_TEST(wrong_name)
{
	struct modinfo info;

	ck_assert_int_eq(read_fixture("wrong_name", &info), 0);
	ck_assert_int_eq(modinfo_check(&info, "wrong_name", "/x/wrong_name.so"), -EINVAL);
	assert_says("/x/wrong_name.so: found module name 'other_name', expected 'wrong_name'");
	modinfo_free(&info);
}
END_TEST

/* ------------------------------------------------------- malloc families --- */

START_TEST(malloc_family)
{
	static const char *const names[] = {"plain_malloc_family", "sysv_malloc_family"};
	struct modinfo info;

	ck_assert_msg(read_fixture(names[_i], &info) == 0, "%s", message_get());
	ck_assert(!info.found);
	ck_assert(info.malloc_family);
	ck_assert_str_eq(info.name, "");
	ck_assert_str_eq(info.version, "");
	ck_assert_int_eq(modinfo_check(&info, "anything", "x"), 0);
	modinfo_free(&info);
}
END_TEST

static int read_prefixed(const char *name, const char *prefix)
{
	int fd = open_fixture(name), err;
	struct modinfo info;

	err = modinfo_read_prefixed(fd, name, prefix, &info);
	if (err == 0)
		modinfo_free(&info);
	close(fd);
	return err;
}

START_TEST(prefixed_malloc_family)
{
	char longest[NAME_MAX_LEN + 2];

	memset(longest, 'p', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';

	ck_assert_int_eq(read_prefixed("prefixed_malloc_family", "px_"), 0);
	ck_assert_int_eq(read_prefixed("prefixed_malloc_family", ""), -EINVAL);
	assert_says("found no function malloc");
	ck_assert_int_eq(read_prefixed("plain_malloc_family", "px_"), -EINVAL);
	assert_says("found no function px_malloc");
	ck_assert_int_eq(read_prefixed("plain_malloc_family", longest), -EINVAL);
	assert_says("found prefix");
}
END_TEST

/* A library whose section headers were stripped still has its hash table. */
START_TEST(family_without_sections)
{
	size_t len;
	char *bytes = load("plain_malloc_family", &len);
	ElfW(Ehdr) *ehdr = (ElfW(Ehdr) *)bytes;

	ehdr->e_shoff = ehdr->e_shnum = ehdr->e_shstrndx = 0;
	ck_assert_int_eq(read_bytes(bytes, len), 0);
	free(bytes);
}
END_TEST

START_TEST(module_without_sections)
{
	size_t len;
	char *bytes = load("good_heap", &len);
	ElfW(Ehdr) *ehdr = (ElfW(Ehdr) *)bytes;

	ehdr->e_shoff = ehdr->e_shnum = ehdr->e_shstrndx = 0;
	ck_assert_int_eq(read_bytes(bytes, len), -EINVAL);
	assert_says("no .modinfo section and no malloc family");
	free(bytes);
}
END_TEST

/* --------------------------------------------------------- not a module --- */

START_TEST(empty_file)
{
	ck_assert_int_eq(read_bytes("", 0), -EINVAL);
	assert_says("damaged: found 0 bytes, expected an ELF shared object");
}
END_TEST

START_TEST(text_file)
{
	static const char text[] = "/* GNU ld script */\nINPUT(-lx)\n";

	ck_assert_int_eq(read_bytes(text, sizeof(text) - 1), -EINVAL);
	assert_says("damaged: found bytes 2f 2a 20 47, expected 7f 45 4c 46 (ELF)");
}
END_TEST

START_TEST(directory)
{
	int fd = open("/tmp", O_RDONLY | O_CLOEXEC);
	struct modinfo info;

	ck_assert_int_lt(modinfo_read(fd, "/tmp", &info), 0);
	assert_says("/tmp: ");
	close(fd);
}
END_TEST

/* Patch one field of the header and read. */
#define READ_PATCHED(field, value)                                                             \
	({                                                                                     \
		size_t len_;                                                                   \
		char *bytes_ = load("good_heap", &len_);                                       \
		int err_;                                                                      \
                                                                                               \
		((ElfW(Ehdr) *)bytes_)->field = (value);                                       \
		err_ = read_bytes(bytes_, len_);                                               \
		free(bytes_);                                                                  \
		err_;                                                                          \
	})

START_TEST(wrong_class)
{
	bool wide = sizeof(void *) == 8;

	ck_assert_int_eq(READ_PATCHED(e_ident[EI_CLASS], wide ? ELFCLASS32 : ELFCLASS64),
			 -EINVAL);
	assert_says(wide ? "found class 1 (ELFCLASS32), expected ELFCLASS64"
			 : "found class 2 (ELFCLASS64), expected ELFCLASS32");
}
END_TEST

START_TEST(wrong_byte_order)
{
	bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

	ck_assert_int_eq(READ_PATCHED(e_ident[EI_DATA], little ? ELFDATA2MSB : ELFDATA2LSB),
			 -EINVAL);
	assert_says(little ? "found byte order 2 (big-endian), expected little-endian"
			   : "found byte order 1 (little-endian), expected big-endian");
}
END_TEST

START_TEST(wrong_machine)
{
#if defined(__x86_64__)
	ck_assert_int_eq(READ_PATCHED(e_machine, EM_AARCH64), -EINVAL);
	assert_says("found machine 183 (AArch64), expected 62 (x86-64)");
#else
	ck_assert_int_eq(READ_PATCHED(e_machine, EM_X86_64), -EINVAL);
	assert_says("found machine 62 (x86-64), expected ");
#endif
	ck_assert_int_eq(READ_PATCHED(e_machine, 9999), -EINVAL);
	assert_says("found machine 9999 (unknown)");
}
END_TEST

START_TEST(wrong_type)
{
	ck_assert_int_eq(READ_PATCHED(e_type, ET_REL), -EINVAL);
	assert_says("found ELF type 1, expected 3 (shared object)");
}
END_TEST

START_TEST(wrong_layout)
{
	ck_assert_int_eq(READ_PATCHED(e_phnum, 0), -EINVAL);
	assert_says("found 0 program headers");
	ck_assert_int_eq(READ_PATCHED(e_phnum, PN_XNUM), -EINVAL);
	assert_says("found 65535 program headers");
	ck_assert_int_eq(READ_PATCHED(e_phentsize, 8), -EINVAL);
	assert_says("found program headers of 8 bytes");
	ck_assert_int_eq(READ_PATCHED(e_shentsize, 8), -EINVAL);
	assert_says("found section headers of 8 bytes");
	ck_assert_int_eq(READ_PATCHED(e_shnum, 0), -EINVAL);
	assert_says("found 0 section headers");
	ck_assert_int_eq(READ_PATCHED(e_shnum, 60000), -EINVAL);
	assert_says("found 60000 section headers");
	ck_assert_int_eq(READ_PATCHED(e_shstrndx, SHN_XINDEX), -EINVAL);
	assert_says("found section 65535");
	ck_assert_int_eq(READ_PATCHED(e_shoff, (ElfW(Off)) - 64), -EINVAL);
	assert_says("section headers");
	ck_assert_int_eq(READ_PATCHED(e_phoff, (ElfW(Off)) - 8), -EINVAL);
	assert_says("program headers");
	ck_assert_int_eq(READ_PATCHED(e_ident[EI_VERSION], 7), -EINVAL);
	assert_says("found ELF version 7");
}
END_TEST

/* --------------------------------------------- thread-local storage --- */

static const ElfW(Phdr) * segment_of(const char *bytes, unsigned type)
{
	const ElfW(Ehdr) *ehdr = (const ElfW(Ehdr) *)bytes;
	const ElfW(Phdr) *phdrs = (const ElfW(Phdr) *)(bytes + ehdr->e_phoff);

	for (unsigned i = 0; i < ehdr->e_phnum; i++)
		if (phdrs[i].p_type == type)
			return &phdrs[i];
	ck_abort_msg("no segment of type %u", type);
}

/* Without the flag nobody has promised a place in the static block. */
START_TEST(tls_not_marked_static)
{
	size_t len;
	char *bytes = load("tls_ok", &len);
	ElfW(Dyn) *dyn = (ElfW(Dyn) *)(bytes + segment_of(bytes, PT_DYNAMIC)->p_offset);

	if (((ElfW(Ehdr) *)bytes)->e_machine == EM_AARCH64)
		return; /* where there is no such flag */
	while (dyn->d_tag != DT_FLAGS)
		ck_assert_int_ne((dyn++)->d_tag, DT_NULL);
	dyn->d_un.d_val &= ~DF_STATIC_TLS;
	ck_assert_int_eq(read_bytes(bytes, len), -EINVAL);
	assert_says("found dynamic TLS");
	free(bytes);
}
END_TEST

#if defined(__x86_64__)
/* The first relocation for a module's number becomes one for a descriptor. */
START_TEST(tls_descriptor)
{
	size_t len;
	char *bytes = load("mixed_tls", &len);
	const Elf64_Ehdr *ehdr = (const Elf64_Ehdr *)bytes;
	const Elf64_Shdr *shdr = (const Elf64_Shdr *)(bytes + ehdr->e_shoff);
	unsigned changed = 0;

	for (; shdr < (const Elf64_Shdr *)(bytes + ehdr->e_shoff) + ehdr->e_shnum; shdr++) {
		Elf64_Rela *rela = (Elf64_Rela *)(bytes + shdr->sh_offset);

		if (shdr->sh_type != SHT_RELA)
			continue;
		for (size_t i = 0; i < shdr->sh_size / sizeof(*rela); i++) {
			if (ELF64_R_TYPE(rela[i].r_info) != R_X86_64_DTPMOD64)
				continue;
			rela[i].r_info =
				ELF64_R_INFO(ELF64_R_SYM(rela[i].r_info), R_X86_64_TLSDESC);
			changed++;
		}
	}
	ck_assert_uint_gt(changed, 0);
	ck_assert_int_eq(read_bytes(bytes, len), -EINVAL);
	assert_says("found dynamic TLS");
	free(bytes);
}
END_TEST
#endif

/* ----------------------------------------------------------- damaged --- */

/* The section headers come last: whatever is cut off, something is missing. */
START_TEST(truncated_at_every_length)
{
	static const char *const names[] = {"good_heap", "plain_malloc_family", "tls_ok"};
	struct modinfo info;
	size_t len;
	char *bytes = load(names[_i], &len);
	int fd = file_of(bytes, len);

	ck_assert_int_eq(modinfo_read(fd, "damaged", &info), 0);
	modinfo_free(&info);
	while (len-- > 0) {
		ck_assert_int_eq(ftruncate(fd, len), 0);
		ck_assert_msg(modinfo_read(fd, "damaged", &info) == -EINVAL, "%zu bytes", len);
		assert_says("damaged: ");
	}
	close(fd);
	free(bytes);
}
END_TEST

static unsigned random_below(unsigned *seed, unsigned limit)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 8) % limit;
}

/* Mostly in the parts that say where everything else is. */
static size_t random_place(unsigned *seed, size_t len)
{
	const size_t parts[][2] = {
		{0, sizeof(ElfW(Ehdr))},
		{sizeof(ElfW(Ehdr)), 12 * sizeof(ElfW(Phdr))},
		{0, len < 4096 ? len : 4096},
		{len - 2500, 2500},
		{0, len},
	};
	unsigned part = random_below(seed, ARRAY_SIZE(parts));

	return parts[part][0] + random_below(seed, parts[part][1]);
}

static void corrupt(char *bytes, size_t len, unsigned *seed)
{
	static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
	unsigned n = 1 + random_below(seed, 8);

	while (n--) {
		size_t at = random_place(seed, len);

		bytes[at] = random_below(seed, 2) ? values[random_below(seed, sizeof(values))]
						  : random_below(seed, 256);
	}
}

/* Any answer is good that does not kill the program, and errors have messages. */
START_TEST(corrupted)
{
	static const char *const names[] = {"good_heap", "plain_malloc_family", "tls_ok",
					    "sysv_malloc_family"};
	unsigned seed = 20240 + _i, refusals = 0;
	size_t len;
	char *bytes = load(names[_i % 4], &len), *copy = malloc(len);
	int fd = file_of(bytes, len);

	for (unsigned i = 0; i < 5000; i++) {
		struct modinfo info;

		memcpy(copy, bytes, len);
		corrupt(copy, len, &seed);
		ck_assert_int_eq(pwrite(fd, copy, len, 0), len);
		message_clear();
		if (modinfo_read(fd, "damaged", &info) == 0) {
			modinfo_free(&info);
			continue;
		}
		assert_says("damaged: ");
		refusals++;
	}
	ck_assert_uint_gt(refusals, 1000);
	close(fd);
	free(copy);
	free(bytes);
}
END_TEST

/* ---------------------------------------------------------- no memory --- */

START_TEST(without_memory)
{
	int fd = open_fixture("good_heap");
	bool reached = true;
	unsigned n;

	message_set(0, "a message has memory already");
	for (n = 1; reached; n++) {
		struct modinfo info;
		int err;

		fault_start(n);
		err = modinfo_read(fd, "good_heap", &info);
		reached = fault_stop();
		ck_assert_int_eq(err, reached ? -ENOMEM : 0);
		ck_assert_int_eq(!info.text, reached);
		modinfo_free(&info);
	}
	ck_assert_uint_gt(n, 3);
	close(fd);
}
END_TEST

static TCase *make_case(const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	return tc;
}

static TCase *good_case(void)
{
	TCase *tc = make_case("good");

	tcase_add_test(tc, texts);
	tcase_add_test(tc, parameters);
	tcase_add_loop_test(tc, good_metadata, 0, ARRAY_SIZE(good));
	tcase_add_test(tc, absent_texts_are_empty);
	tcase_add_test(tc, dash_is_underscore);
	tcase_add_test(tc, names_of_enums);
	tcase_add_loop_test(tc, malloc_family, 0, 2);
	tcase_add_test(tc, prefixed_malloc_family);
	tcase_add_test(tc, family_without_sections);
	return tc;
}

static TCase *bad_case(void)
{
	TCase *tc = make_case("bad");

	tcase_add_loop_test(tc, refused, 0, ARRAY_SIZE(bad));
	tcase_add_test(tc, wrong_abi);
	tcase_add_test(tc, wrong_name);
	tcase_add_test(tc, module_without_sections);
	tcase_add_test(tc, empty_file);
	tcase_add_test(tc, text_file);
	tcase_add_test(tc, directory);
	tcase_add_test(tc, wrong_class);
	tcase_add_test(tc, wrong_byte_order);
	tcase_add_test(tc, wrong_machine);
	tcase_add_test(tc, wrong_type);
	tcase_add_test(tc, wrong_layout);
	tcase_add_test(tc, tls_not_marked_static);
#if defined(__x86_64__)
	tcase_add_test(tc, tls_descriptor);
#endif
	tcase_add_test(tc, without_memory);
	return tc;
}

static TCase *damaged_case(void)
{
	TCase *tc = make_case("damaged");

	tcase_add_loop_test(tc, truncated_at_every_length, 0, 3);
	tcase_add_loop_test(tc, corrupted, 0, 8);
	return tc;
}

static Suite *modinfo_suite(void)
{
	Suite *suite = suite_create("modinfo");

	suite_add_tcase(suite, good_case());
	suite_add_tcase(suite, bad_case());
	suite_add_tcase(suite, damaged_case());
	return suite;
}

CHECK_MAIN(modinfo_suite)
