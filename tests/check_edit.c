// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_edit.c - what enable does to texts and files: the syntax of units, the
 * block put in and taken out of any text, files below a root, and all of it with
 * each allocation failing in turn.  check_enable.sh has the command.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "cli_enable.h"
#include "fault.h"
#include "tmproot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* What cli.c has for the rest of the command. */
int cli_error(const char *format, ...)
{
	(void)format;
	return CLI_NO;
}

char *cli_absolute(const char *path)
{
	return strdup(path);
}

/* ---------------------------------------------------------------- syntax --- */

static const struct {
	const char *value, *words; /* those joined by '|' */
} good_words[] = {
	{"", ""},
	{"  ", ""},
	{"a", "a"},
	{" a\tb ", "a|b"},
	{"'a b' \"c d\"", "a b|c d"},
	{"a'b'c", "abc"},
	{"'' x", "|x"},
	{"'\"' \"'\"", "\"|'"},
	{"\\x41\\101\\t\\s\\\\ b", "AA\t \\|b"},
	{"\"a\\\"b\"", "a\"b"},
	{"%i %%", "%i|%%"},
	/* the rest is ignored from where it cannot be understood */
	{"a 'b", "a"},
	{"a \\q b", "a"},
	{"a \\x4 b", "a"},
	{"a \\x00 b", "a"},
	{"a \\9 b", "a"},
	{"a b\\", "a"},
};

START_TEST(words)
{
	char *copy = strdup(good_words[_i].value), *value = copy, *word;
	char all[256] = "";
	bool first = true;

	while ((word = unitfile_word(&value))) {
		strcat(strcat(all, first ? "" : "|"), word);
		first = false;
	}
	ck_assert_str_eq(all, good_words[_i].words);
	free(copy);
}
END_TEST

START_TEST(quoted_word_is_itself)
{
	static const char *const texts[] = {"", "a b", "\"\\'", "\t\n\x01\x1f", "%i\x80\xff"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char *quoted = unitfile_quote(texts[i]), *rest = quoted, *word;

		word = unitfile_word(&rest);
		ck_assert_ptr_nonnull(word);
		ck_assert_str_eq(word, texts[i]);
		ck_assert_str_eq(rest, "");
		free(quoted);
	}
}
END_TEST

static int note(void *arg, const char *section, const char *key, char *value, const char *file,
		unsigned line)
{
	char *text = arg;

	(void)file;
	sprintf(text + strlen(text), "%u [%s]%s=%s;", line, section, key, value);
	return 0;
}

static const struct {
	const char *text, *settings;
} good_units[] = {
	{"", ""},
	{"a=b", "1 []a=b;"},
	{"[S]\na=b", "2 [S]a=b;"},
	{"[S]\n a \t= b  \n\n[T]\nc=", "2 [S]a=b;5 [T]c=;"},
	{"#a=b\n;a=b\n  # a=b\na=#b\n", "4 []a=#b;"},
	{"a=b\\\nc\nd=e", "1 []a=b c;3 []d=e;"},
	{"a=b\\\n#x\\\n;y\n  c\\\n\nd=e", "1 []a=b c;6 []d=e;"},
	{"a=b\\\\\nc=d", "1 []a=b\\\\;2 []c=d;"},
	{"a=b\\", "1 []a=b;"},
	{"a=b\\\n", "1 []a=b;"},
	{"no setting\na=b=c", "2 []a=b=c;"},
	{"[S]\r\na=b\\\r\nc\r\n", "2 [S]a=b c;"},
	{"[S\na=b", "2 [S]a=b;"},
	{"[]\na=b", "2 []a=b;"},
	{"=b", "1 []=b;"},
};

START_TEST(units)
{
	char settings[256] = "";

	ck_assert_int_eq(unitfile_parse("u", good_units[_i].text, note, settings), 0);
	ck_assert_str_eq(settings, good_units[_i].settings);
}
END_TEST

START_TEST(unit_of_any_bytes)
{
	static const char alphabet[] = "[]a=\\\n\r\t #;'\"%x0";
	char text[64], settings[4096];

	srand(1);
	for (unsigned i = 0; i < 20000; i++) {
		unsigned n = (unsigned)rand() % (sizeof(text) - 1);
		char *copy;

		for (unsigned k = 0; k < n; k++)
			text[k] = alphabet[(unsigned)rand() % (sizeof(alphabet) - 1)];
		text[n] = '\0';
		copy = strdup(text);
		*settings = '\0';
		ck_assert_int_eq(unitfile_parse("u", copy, note, settings), 0);
		for (char *value = copy; unitfile_word(&value);)
			;
		free(copy);
	}
}
END_TEST

static int note_variable(void *arg, const char *name, size_t len, const char *value,
			 unsigned line)
{
	char *text = arg;

	sprintf(text + strlen(text), "%u %.*s=%s;", line, (int)len, name, value);
	return 0;
}

static const struct {
	const char *text, *variables;
} env_files[] = {
	{"", ""},
	{"A=b", "1 A=b;"},
	{"\n \t A \t=  b c \t\nB=", "2 A=b c;3 B=;"},
	{"# A=b\n;A=b\n #\\\nA=b\nA=#b", "5 A=#b;"},
	{"#c \\\n#\nA=b", "3 A=b;"},
	{"export A=b\nA\nB=c", "1 export A=b;3 B=c;"},
	{"A=\"b c \" \t'd\\'e\"f\"", "1 A=b c d\\e\"f\";"},
	{"A=\"b\nC=d\\\ne\\\"\\q\" \nF=", "1 A=b\nC=de\"\\q;4 F=;"},
	{"A=b\\\nC=d\nE=\\ f\\ \\\\", "1 A=bC=d;3 E= f \\;"},
	{"A=b\r\nC=d\r\n", "1 A=b;2 C=d;"},
	{"A='b", "1 A=b;"},
	{"A=\"b\\", "1 A=b;"},
	{"A=b\\", "1 A=b;"},
	{"A=b  ", "1 A=b;"},
	{"A", ""},
	{"#\\", ""},
};

START_TEST(variables_of_a_file)
{
	char all[256] = "";

	ck_assert_int_eq(envfile_parse(env_files[_i].text, note_variable, all), 0);
	ck_assert_str_eq(all, env_files[_i].variables);
}
END_TEST

START_TEST(variables_of_any_bytes)
{
	static const char alphabet[] = "A==\\\n\r\t #;'\"$`";
	char text[64], all[4096];

	srand(1);
	for (unsigned i = 0; i < 20000; i++) {
		unsigned n = (unsigned)rand() % (sizeof(text) - 1);
		char *copy;

		for (unsigned k = 0; k < n; k++)
			text[k] = alphabet[(unsigned)rand() % (sizeof(alphabet) - 1)];
		text[n] = '\0';
		copy = strdup(text);
		*all = '\0';
		ck_assert_int_eq(envfile_parse(copy, note_variable, all), 0);
		free(copy);
	}
}
END_TEST

/* ----------------------------------------------------------------- files --- */

static struct tree tree;

static void setup(void)
{
	root_setup();
	setenv("CHIC_ALLOC_PRELOAD", "/usr/lib/libchic_alloc_preload.so", 1);
	ck_assert_int_eq(tree_open(&tree, root), 0);
}

static void teardown(void)
{
	tree_close(&tree);
	root_teardown();
}

/* The file's bytes as one string for comparison; null if it is not there. */
static char *bytes_of(const char *path, size_t *len)
{
	char *text;

	return tree_read(&tree, path, &text, len) ? NULL : text;
}

static void check_bytes(const char *path, const char *text, size_t len)
{
	size_t n = 0;
	char *now = bytes_of(path, &n);

	ck_assert_ptr_nonnull(now);
	ck_assert_uint_eq(n, len);
	ck_assert_int_eq(memcmp(now, text, len), 0);
	free(now);
}

typedef int (*change_fn)(struct edits *edits);

/* With faults: what libcheck asks for would be refused as well. */
static int try_change(change_fn fn)
{
	struct edits edits = {.tree = &tree};
	int err = fn(&edits);

	if (!err)
		err = edits_apply(&edits);
	edits_free(&edits);
	return err;
}

/* 0, or the error; nothing may be left beside the files. */
static int change(change_fn fn)
{
	struct file_list left;
	int err = try_change(fn);

	ck_assert_int_eq(tree_list(&tree, "/etc", ".chic-alloc*", &left), 0);
	ck_assert_uint_eq(left.n, 0);
	conffiles_free(&left);
	return err;
}

static int put_last(struct edits *edits)
{
	struct edit *edit = edits_add(edits, "/etc/file");

	return edit ? marked_put(edit, BLOCK_LAST, "x", "line\n") : -EIO;
}

static int take_last(struct edits *edits)
{
	struct edit *edit = edits_add(edits, "/etc/file");

	return edit ? marked_remove(edit, BLOCK_LAST) : -EIO;
}

static int put_whole(struct edits *edits)
{
	struct edit *edit = edits_add(edits, "/etc/new/file");

	return edit ? marked_put(edit, BLOCK_WHOLE, "x", "line\n") : -EIO;
}

static int take_whole(struct edits *edits)
{
	struct edit *edit = edits_add(edits, "/etc/new/file");

	return edit ? marked_remove(edit, BLOCK_WHOLE) : -EIO;
}

static int ldso_on(struct edits *edits)
{
	bool by_hand;

	return ldso_enable(edits, &by_hand);
}

/* Any bytes: put in, put in again, taken out, there they are. */
START_TEST(block_in_any_text)
{
	static const char alphabet[] = "a#\n\0 ";
	char text[40];

	srand(2);
	for (unsigned i = 0; i < 60; i++) {
		unsigned n = (unsigned)rand() % sizeof(text);
		size_t once_len;
		char *once;

		for (unsigned k = 0; k < n; k++)
			text[k] = alphabet[(unsigned)rand() % (sizeof(alphabet) - 1)];
		put_bytes("etc/file", text, n);
		ck_assert_int_eq(change(put_last), 0);
		once = bytes_of("/etc/file", &once_len);
		ck_assert_int_eq(marked_there(once, once_len), 1);
		ck_assert_int_eq(change(put_last), 0);
		check_bytes("/etc/file", once, once_len);
		free(once);
		ck_assert_int_eq(change(take_last), 0);
		check_bytes("/etc/file", text, n);
		ck_assert_int_eq(change(take_last), 0);
		check_bytes("/etc/file", text, n);
	}
}
END_TEST

START_TEST(ldso_in_any_text)
{
	static const char alphabet[] = "ab#\n :/";
	char text[24];
	unsigned refused = 0;

	srand(3);
	for (unsigned i = 0; i < 100; i++) {
		unsigned n = (unsigned)rand() % sizeof(text);

		for (unsigned k = 0; k < n; k++)
			text[k] = alphabet[(unsigned)rand() % (sizeof(alphabet) - 1)];
		put_bytes("etc/ld.so.preload", text, n);
		if (change(ldso_on)) {
			refused++;
			ck_assert_ptr_nonnull(strstr(message_get(), "comments"));
		} else {
			ck_assert(ldso_is_enabled(&tree));
			ck_assert_int_eq(change(ldso_disable), 0);
		}
		check_bytes("/etc/ld.so.preload", text, n);
	}
	/* both must have been met */
	ck_assert_uint_gt(refused, 0);
	ck_assert_uint_lt(refused, 70);
}
END_TEST

/* One byte of the block changed anywhere: it is noticed, or is not the block's. */
START_TEST(edited_block)
{
	size_t len;
	char *text;

	put("etc/file", "before\n");
	ck_assert_int_eq(change(put_last), 0);
	text = bytes_of("/etc/file", &len);
	for (size_t i = strlen("before\n"); i < len; i++) {
		text[i] ^= 1;
		put_bytes("etc/file", text, len);
		if (change(take_last) == 0) {
			/* the mark is gone, so that nothing is known of a block */
			ck_assert_int_eq(marked_there(text, len), 0);
			check_bytes("/etc/file", text, len);
		}
		text[i] ^= 1;
	}
	free(text);
}
END_TEST

START_TEST(folder_comes_and_goes)
{
	put("etc/x", "");
	ck_assert_int_eq(change(put_whole), 0);
	ck_assert(tree_has(&tree, "/etc/new/file"));
	ck_assert_int_eq(change(take_whole), 0);
	ck_assert(!tree_has(&tree, "/etc/new"));
}
END_TEST

static int two_files(struct edits *edits)
{
	int err = put_last(edits);

	return err ? err : put_whole(edits);
}

static int two_files_back(struct edits *edits)
{
	int err = take_last(edits);

	return err ? err : take_whole(edits);
}

/* Somebody else changes the second file after it was read. */
static int two_files_disturbed(struct edits *edits)
{
	int err = put_whole(edits);

	if (!err)
		err = put_last(edits);
	put("etc/file", "somebody\n");
	return err;
}

START_TEST(all_or_nothing)
{
	put("etc/file", "a\n");
	ck_assert_int_eq(change(two_files_disturbed), -EAGAIN);
	check_bytes("/etc/file", "somebody\n", 9);
	ck_assert(!tree_has(&tree, "/etc/new"));
}
END_TEST

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
static int signal_in_the_middle;

/* The C library's is not needed here. */
int fsync(int fd)
{
	(void)fd;
	if (signal_in_the_middle)
		raise(signal_in_the_middle);
	return 0;
}

START_TEST(signals_wait_until_all_is_done)
{
	int status;
	pid_t child;

	put("etc/file", "a\n");
	child = fork();
	if (child == 0) {
		signal_in_the_middle = signals[_i];
		signal(signal_in_the_middle, SIG_DFL);
		try_change(two_files);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), signals[_i]);
	ck_assert(tree_has(&tree, "/etc/new/file"));
	ck_assert_int_eq(change(two_files_back), 0);
	check_bytes("/etc/file", "a\n", 2);
	ck_assert(!tree_has(&tree, "/etc/new"));
}
END_TEST

START_TEST(faults_of_files)
{
	unsigned n;
	int err;

	put("etc/file", "a");
	for (n = 1;; n++) {
		fault_start(n);
		err = try_change(two_files);
		if (!fault_stop())
			break;
		ck_assert(tree_has(&tree, "/etc/new") == !err);
		ck_assert_int_eq(change(two_files_back), 0);
		check_bytes("/etc/file", "a", 1);
		ck_assert(!tree_has(&tree, "/etc/new"));
	}
	ck_assert_uint_gt(n, 8);
}
END_TEST

/* ------------------------------------------------------- units, clusters --- */

static int on(struct edits *edits)
{
	struct unit unit;
	int err = unit_read(&tree, "foo-bar@x", &unit);

	if (err)
		return err;
	err = unit_enable(edits, &unit, 3000);
	unit_free(&unit);
	if (!err)
		err = cluster_enable(edits, "15/main", 3000);
	if (!err)
		err = mariadb_enable(edits, 3000);
	return err ? err : ldso_on(edits);
}

static int off(struct edits *edits)
{
	int err = unit_disable(edits, "foo-bar@x.service");

	if (!err)
		err = cluster_disable(edits, "15/main");
	if (!err)
		err = mariadb_disable(edits);
	return err ? err : ldso_disable(edits);
}

static const char *const written[] = {
	"/etc/systemd/system/foo-bar@x.service.d/zz-chic-alloc.conf",
	"/etc/mysql/mariadb.conf.d/zz-chic-alloc.cnf",
	"/etc/default/mariadb",
	"/etc/ld.so.preload",
};

/* What was written is the same with and without memory that was short. */
static void check_same(char *const texts[])
{
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(written); i++) {
		char *text = bytes_of(written[i], &len);

		ck_assert_str_eq(text, texts[i]);
		free(text);
	}
}

START_TEST(faults_of_everything)
{
	char *texts[ARRAY_SIZE(written)];
	size_t len;
	unsigned n, i;
	int err;

	put("etc/systemd/system/foo-.service.d/10.conf",
	    "[Service]\nEnvironment=LD_PRELOAD=a\n");
	put("etc/systemd/system/al@.service.d/20.conf",
	    "[Service]\nEnvironment=LD_PRELOAD=of-alias\n");
	put("etc/systemd/system/x", "");
	put("etc/systemd/system.conf", "[Manager]\nDefaultEnvironment=GLIBC_TUNABLES=b\n");
	put("etc/env", "A=1\n");
	put("usr/lib/systemd/system/foo-bar@.service",
	    "[Service]\nEnvironmentFile=/etc/env\nExecStart=/bin/x\nRootDirectory=/r\n");
	put_link("etc/systemd/system/al@.service", "/usr/lib/systemd/system/foo-bar@.service");
	put("etc/postgresql/15/main/environment", "LD_PRELOAD = 'c'");
	put("etc/postgresql-common/environment", "");
	put("etc/mysql/mariadb.conf.d/x", "");
	put("etc/init.d/mariadb", "");
	put("etc/default/x", "");
	ck_assert_int_eq(change(on), 0);
	for (i = 0; i < ARRAY_SIZE(written); i++)
		texts[i] = bytes_of(written[i], &len);
	ck_assert_ptr_nonnull(strstr(texts[0], "preload.so:of-alias\""));
	ck_assert_int_eq(change(off), 0);
	for (n = 1;; n++) {
		fault_start(n);
		err = try_change(on);
		if (!fault_stop())
			break;
		for (i = 0; i < ARRAY_SIZE(written); i++)
			ck_assert_msg(tree_has(&tree, written[i]) == !err, "%u: %s", n,
				      written[i]);
		ck_assert_msg(!err || *message_get(), "%u: no message", n);
		if (!err)
			check_same(texts);
		ck_assert_int_eq(change(off), 0);
		check_bytes("/etc/postgresql/15/main/environment", "LD_PRELOAD = 'c'", 16);
	}
	ck_assert_int_eq(err, 0);
	ck_assert_uint_gt(n, 100);
	for (n = 1;; n++) {
		fault_start(n);
		err = try_change(off);
		if (!fault_stop())
			break;
		for (i = 0; i < ARRAY_SIZE(written); i++)
			ck_assert(tree_has(&tree, written[i]) == !!err);
		ck_assert_int_eq(change(on), 0);
	}
	ck_assert_int_eq(err, 0);
	for (i = 0; i < ARRAY_SIZE(written); i++)
		free(texts[i]);
}
END_TEST

/* ------------------------------------------------------------------ trees --- */

START_TEST(links_stay_below)
{
	static const struct {
		const char *link, *target;
		bool there;
	} links[] = {
		{"etc/a", "/etc/file", true},
		{"etc/b", "../../../etc/file", true},
		{"etc/c", "./././file", true},
		{"etc/d", "/proc/self/exe", false},
		{"etc/e", "e", false},
		{"etc/f", "/etc/a", true},
		{"etc/g", "../etc/../etc/b", true},
		{"etc/h", "/", true},
		{"etc/i", "", false},
		{"etc/j", "..", true},
	};
	char path[64];

	put("etc/file", "x");
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		if (!*links[i].target)
			continue;
		put_link(links[i].link, links[i].target);
		snprintf(path, sizeof(path), "/%s", links[i].link);
		ck_assert_msg(tree_has(&tree, path) == links[i].there, "%s", path);
	}
	ck_assert(tree_has(&tree, "/"));
	ck_assert(tree_has(&tree, "/.."));
	ck_assert(tree_has(&tree, "/../../etc/h/etc/file"));
	ck_assert(!tree_has(&tree, "/etc/file/x"));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("enable");
	TCase *syntax = tcase_create("syntax"), *files = tcase_create("files");

	tcase_add_loop_test(syntax, words, 0, ARRAY_SIZE(good_words));
	tcase_add_loop_test(syntax, units, 0, ARRAY_SIZE(good_units));
	tcase_add_loop_test(syntax, variables_of_a_file, 0, ARRAY_SIZE(env_files));
	tcase_add_test(syntax, variables_of_any_bytes);
	tcase_add_test(syntax, quoted_word_is_itself);
	tcase_add_test(syntax, unit_of_any_bytes);
	tcase_add_checked_fixture(files, setup, teardown);
	tcase_set_timeout(files, CHECK_TIMEOUT);
	tcase_add_test(files, block_in_any_text);
	tcase_add_test(files, ldso_in_any_text);
	tcase_add_test(files, edited_block);
	tcase_add_test(files, folder_comes_and_goes);
	tcase_add_test(files, all_or_nothing);
	tcase_add_loop_test(files, signals_wait_until_all_is_done, 0, ARRAY_SIZE(signals));
	tcase_add_test(files, faults_of_files);
	tcase_add_test(files, faults_of_everything);
	tcase_add_test(files, links_stay_below);
	suite_add_tcase(suite, syntax);
	suite_add_tcase(suite, files);
	return suite;
}

CHECK_MAIN(make_suite)
