// SPDX-License-Identifier: BSD-2-Clause
/*
 * Another process's record: the library found in its maps, the record in its memory,
 * and neither believed.  The memory here is a file with the library that was built
 * laid out in it, which is then damaged at random.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "cli_process.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BASE 0x10000
#define IMAGE_MAX (1u << 20)
#define ROUNDS 5000

/* ------------------------------------------------------------- maps --- */

static int find(const char *text, uint64_t above, struct cli_library *out)
{
	FILE *maps = fmemopen((void *)text, strlen(text), "r");
	int err;

	ck_assert_ptr_nonnull(maps);
	err = cli_library_find(maps, above, out);
	fclose(maps);
	return err;
}

#define LINE(start, mode, offset, path)                                                        \
	start "-7fffffffffff " mode " " offset " 08:01 1234                       " path "\n"

static const struct {
	const char *maps;
	uint64_t base; /* 0: none */
	bool preload, gone;
	const char *path;
} maps_cases[] = {
	{LINE("1000", "r-xp", "00000000", "/usr/bin/sleep"), 0, false, false, NULL},
	{LINE("1000", "r-xp", "00000000", "/lib/libchic_alloc_preload.so"), 0x1000, true, false,
	 "/lib/libchic_alloc_preload.so"},
	{LINE("1000", "r--p", "00000000", "/lib/libchic_alloc_preload.so")
		 LINE("2000", "r-xp", "00001000", "/lib/libchic_alloc_preload.so"),
	 0x1000, true, false, "/lib/libchic_alloc_preload.so"},
	/* a file that somebody reads by mmap() */
	{LINE("1000", "r--p", "00000000", "/lib/libchic_alloc_preload.so"), 0, false, false,
	 NULL},
	{LINE("1000", "r-xp", "00000000", "/lib/libchic_alloc.so.0.0.0"), 0x1000, false, false,
	 "/lib/libchic_alloc.so.0.0.0"},
	/* the preload library decides, wherever it stands */
	{LINE("1000", "r-xp", "00000000", "/lib/libchic_alloc.so.0.0.0")
		 LINE("9000", "r-xp", "00000000", "/lib/libchic_alloc_preload.so"),
	 0x9000, true, false, "/lib/libchic_alloc_preload.so"},
	{LINE("1000", "r-xp", "00000000", "/lib/libchic_alloc_preload.so")
		 LINE("9000", "r-xp", "00000000", "/lib/libchic_alloc.so.0.0.0"),
	 0x1000, true, false, "/lib/libchic_alloc_preload.so"},
	/* the first of two */
	{LINE("1000", "r-xp", "00000000", "/a/libchic_alloc_preload.so")
		 LINE("9000", "r-xp", "00000000", "/b/libchic_alloc_preload.so"),
	 0x1000, true, false, "/a/libchic_alloc_preload.so"},
	{LINE("1000", "r-xp", "00000000", "/l i b/libchic_alloc_preload.so (deleted)"), 0x1000,
	 true, true, "/l i b/libchic_alloc_preload.so"},
	{LINE("1000", "r-xp", "00000000", "/lib/libchic_alloc_preload.so.dpkg-tmp (deleted)"),
	 0x1000, true, true, "/lib/libchic_alloc_preload.so.dpkg-tmp"},
	{LINE("1000", "r-xp", "00000000", "/lib/libchic_alloc_preload.so/x"), 0, false, false,
	 NULL},
	{LINE("1000", "r-xp", "00000000", "/lib/my_libchic_alloc_preload.so"), 0, false, false,
	 NULL},
	{"1000-2000 /libchic_alloc_preload.so\n", 0, false, false, NULL},
	{"/libchic_alloc_preload.so\n\n-\nx", 0, false, false, NULL},
	{"1000-2000 r-xp 0 08:01 1 libchic/libchic_alloc_preload.so", 0, false, false, NULL},
};

START_TEST(maps)
{
	struct cli_library library;

	ck_assert_int_eq(find(maps_cases[_i].maps, 0, &library), 0);
	if (!maps_cases[_i].path) {
		ck_assert_ptr_null(library.path);
		return;
	}
	ck_assert_str_eq(library.path, maps_cases[_i].path);
	ck_assert_uint_eq(library.base, maps_cases[_i].base);
	ck_assert_int_eq(library.preload, maps_cases[_i].preload);
	ck_assert_int_eq(library.gone, maps_cases[_i].gone);
	cli_library_free(&library);
}
END_TEST

START_TEST(further_copies)
{
	static const char text[] =
		LINE("1000", "r-xp", "00000000", "/a/libchic_alloc_preload.so")
			LINE("8000", "r--p", "00000000", "/b/libchic_alloc_preload.so")
				LINE("9000", "r-xp", "00001000", "/b/libchic_alloc_preload.so");
	struct cli_library library;

	ck_assert_int_eq(find(text, 0x1000, &library), 0);
	ck_assert_str_eq(library.path, "/b/libchic_alloc_preload.so");
	ck_assert_uint_eq(library.base, 0x8000);
	cli_library_free(&library);
	ck_assert_int_eq(find(text, 0x8000, &library), 0);
	ck_assert_ptr_null(library.path);
}
END_TEST

/* ------------------------------------------------------------ image --- */

static unsigned char good[IMAGE_MAX];
static size_t good_size;
static uint64_t record_at;
static struct cli_library library = {.path = "library", .base = BASE, .preload = true};

/* As the dynamic linker lays it out. */
static void lay_out(const struct elf *elf)
{
	for (unsigned i = 0; i < elf->n_segments; i++) {
		const struct elf_segment *s = &elf->segments[i];

		if (s->type != PT_LOAD)
			continue;
		ck_assert_uint_lt(s->vaddr + s->memsz, IMAGE_MAX);
		ck_assert_int_eq(
			elf_read(elf, "segment", s->offset, good + s->vaddr, s->filesz), 0);
		good_size = s->vaddr + s->memsz;
	}
}

static void setup(void)
{
	int fd = open(TEST_LIBRARY, O_RDONLY | O_CLOEXEC);
	uint64_t size;
	struct elf elf;

	ck_assert_msg(fd >= 0, "%s: %s", TEST_LIBRARY, strerror(errno));
	ck_assert_int_eq(elf_open(&elf, fd, TEST_LIBRARY), 0);
	lay_out(&elf);
	ck_assert_int_eq(elf_object(&elf, "chic_alloc_status", &record_at, &size), 1);
	ck_assert_uint_eq(size, sizeof(struct status));
	close(fd);
}

static struct status *record_in(unsigned char *image)
{
	return (struct status *)(image + record_at);
}

/* A process's memory with that image at BASE. */
static int memory(const unsigned char *image)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("memory", MFD_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, image, good_size, BASE), (ssize_t)good_size);
	return fd;
}

START_TEST(a_record)
{
	struct cli_record record;
	struct status *head = record_in(good);
	struct status_texts texts = {.stack = "counting", .from = {.line = 3, .file = "/f"}};

	ck_assert_int_eq(cli_record_read(memory(good), &library, &record), 0);
	ck_assert_uint_eq(record.head.state, STATUS_STARTING);
	ck_assert_str_eq(record.texts.stack, "");
	head->state = STATUS_SERVES;
	head->texts = 256;
	memcpy((char *)head + head->texts, &texts, sizeof(texts));
	ck_assert_int_eq(cli_record_read(memory(good), &library, &record), 0);
	ck_assert_uint_eq(record.head.state, STATUS_SERVES);
	ck_assert_mem_eq(&record.texts, &texts, sizeof(texts));
}
END_TEST

START_TEST(texts_without_an_end)
{
	static unsigned char image[IMAGE_MAX];
	static struct cli_record record;
	const struct status_texts *t = &record.texts;

	memcpy(image, good, good_size);
	record_in(image)->texts = 256;
	memset(image + record_at + 256, 'x', sizeof(struct status_texts));
	ck_assert_int_eq(cli_record_read(memory(image), &library, &record), 0);
	ck_assert_uint_eq(strlen(t->stack), sizeof(t->stack) - 1);
	ck_assert_uint_eq(strlen(t->why), sizeof(t->why) - 1);
	ck_assert_uint_eq(strlen(t->from.section), sizeof(t->from.section) - 1);
	ck_assert_uint_eq(strlen(t->from.file), sizeof(t->from.file) - 1);
	ck_assert_uint_eq(strlen(t->rule.section), sizeof(t->rule.section) - 1);
	ck_assert_uint_eq(strlen(t->rule.file), sizeof(t->rule.file) - 1);
	ck_assert_uint_eq(strlen(t->asked.named), sizeof(t->asked.named) - 1);
	ck_assert_uint_eq(strlen(t->asked.stack), sizeof(t->asked.stack) - 1);
	ck_assert_uint_eq(strlen(t->asked.options), sizeof(t->asked.options) - 1);
}
END_TEST

START_TEST(addresses_that_the_dynamic_linker_has_made)
{
	static unsigned char image[IMAGE_MAX];
	struct cli_record record;
	struct elf elf;
	Elf64_Dyn *dyn;

	if (sizeof(void *) != 8)
		return;
	memcpy(image, good, good_size);
	ck_assert_int_eq(elf_open_mapped(&elf, memory(good), BASE, "library"), 0);
	dyn = (Elf64_Dyn *)(image + elf_segment(&elf, PT_DYNAMIC)->vaddr);
	for (; dyn->d_tag != DT_NULL; dyn++)
		if (dyn->d_tag == DT_STRTAB || dyn->d_tag == DT_SYMTAB ||
		    dyn->d_tag == DT_GNU_HASH || dyn->d_tag == DT_HASH)
			dyn->d_un.d_ptr += BASE;
	ck_assert_int_eq(cli_record_read(memory(image), &library, &record), 0);
}
END_TEST

START_TEST(a_record_that_never_rests)
{
	static unsigned char image[IMAGE_MAX];
	struct cli_record record;

	memcpy(image, good, good_size);
	record_in(image)->sequence = 7;
	ck_assert_int_eq(cli_record_read(memory(image), &library, &record), -EAGAIN);
}
END_TEST

/* Small, fast, the same numbers every time. */
static uint64_t random_next(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Mostly where something is read: headers, symbols, the record and its texts. */
static size_t random_place(void)
{
	switch (random_next() % 4) {
	case 0:
		return random_next() % 1024;
	case 1:
		return random_next() % (16 * 1024) % good_size;
	case 2:
		return record_at + random_next() % sizeof(struct cli_record);
	default:
		return random_next() % good_size;
	}
}

static void use(const struct cli_record *record)
{
	char text[128];
	struct cli_process process = {.record = *record, .recorded = true};

	cli_shown_stack(text, sizeof(text), record);
	cli_shown_place(text, sizeof(text), record);
	ck_assert_ptr_nonnull(cli_state_name(&process));
	ck_assert_ptr_nonnull(cli_telemetry_name(record->head.telemetry));
	ck_assert_uint_lt(strlen(record->texts.why), sizeof(record->texts.why));
	ck_assert_uint_lt(strlen(record->texts.asked.options),
			  sizeof(record->texts.asked.options));
}

START_TEST(damaged_at_random)
{
	static unsigned char image[IMAGE_MAX];
	static struct cli_record record;
	unsigned good_ones = 0;

	for (int round = 0; round < ROUNDS; round++) {
		memcpy(image, good, good_size);
		record_in(image)->texts = 256;
		record_in(image)->state = round % 6;
		for (unsigned n = random_next() % 8 + 1; n; n--)
			image[random_place()] = random_next();
		if (cli_record_read(memory(image), &library, &record))
			continue;
		use(&record);
		good_ones++;
	}
	/* neither all refused nor none */
	ck_assert_uint_gt(good_ones, ROUNDS / 100);
	ck_assert_uint_lt(good_ones, ROUNDS);
}
END_TEST

START_TEST(nothing_but_noise)
{
	static unsigned char image[IMAGE_MAX];
	static struct cli_record record;

	for (int round = 0; round < 100; round++) {
		for (size_t i = 0; i < good_size; i += sizeof(uint64_t)) {
			uint64_t noise = random_next();

			memcpy(image + i, &noise, sizeof(noise));
		}
		if (round % 2)
			memcpy(image, good, 64);
		ck_assert_int_ne(cli_record_read(memory(image), &library, &record), 0);
	}
}
END_TEST

/* ------------------------------------------------------------- show --- */

static const struct {
	const char *text, *shown;
} shown_cases[] = {
	{"", ""},
	{"/usr/bin/sleep", "/usr/bin/sleep"},
	{"a\033[31mb\n\177", "a?[31mb??"},
	{"\xc3\xa9\xc3\x80", "\xc3\xa9\xc3\x80"},
	{"\xc2\x9b"
	 "31m\xc2\xa0",
	 "?31m\xc2\xa0"},
	{"\xc2", "\xc2"},
};

START_TEST(shown)
{
	char out[64], small[4];

	ck_assert_str_eq(cli_shown(out, sizeof(out), shown_cases[_i].text),
			 shown_cases[_i].shown);
	ck_assert_uint_lt(strlen(cli_shown(small, sizeof(small), shown_cases[_i].text)),
			  sizeof(small));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("record");
	TCase *texts = tcase_create("texts");
	TCase *memories = tcase_create("memories");

	tcase_add_loop_test(texts, maps, 0, ARRAY_SIZE(maps_cases));
	tcase_add_test(texts, further_copies);
	tcase_add_loop_test(texts, shown, 0, ARRAY_SIZE(shown_cases));
	suite_add_tcase(suite, texts);
	tcase_set_timeout(memories, CHECK_TIMEOUT);
	tcase_add_checked_fixture(memories, setup, NULL);
	tcase_add_test(memories, a_record);
	tcase_add_test(memories, texts_without_an_end);
	tcase_add_test(memories, addresses_that_the_dynamic_linker_has_made);
	tcase_add_test(memories, a_record_that_never_rests);
	tcase_add_test(memories, damaged_at_random);
	tcase_add_test(memories, nothing_but_noise);
	suite_add_tcase(suite, memories);
	return suite;
}

CHECK_MAIN(make_suite)
