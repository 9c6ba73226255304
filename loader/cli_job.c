// SPDX-License-Identifier: BSD-2-Clause
/*
 * One thing that is switched on or off: what is looked at, what is written, and what
 * is said about it.
 */
#define _GNU_SOURCE
#include "cli_enable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------- answers --- */

static bool changes(const struct job *job)
{
	for (size_t i = 0; i < job->edits.n; i++)
		if (job->edits.all[i].changed)
			return true;
	return false;
}

static void print_changes(const struct job *job)
{
	for (size_t i = 0; i < job->edits.n; i++) {
		const struct edit *edit = &job->edits.all[i];
		const char *what = !edit->text	   ? "removed"
				   : edit->existed ? "changed"
						   : "written";

		if (edit->changed)
			printf("%s%s: %s\n", job->tree.root, edit->path, what);
	}
}

/* Write it, or say that there is nothing to write: 1, 0, or an error with a message. */
static int apply(struct job *job)
{
	int err;

	if (!changes(job)) {
		printf("%s: %s, nothing was changed\n", job->name ? job->name : job->target,
		       job->enable ? "already enabled" : "not enabled");
		return 0;
	}
	err = edits_apply(&job->edits);
	if (err)
		return err;
	print_changes(job);
	return 1;
}

static bool systemd_runs(void)
{
	struct stat st;

	return lstat("/run/systemd/system", &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_template(const char *name)
{
	return strstr(name, "@.service");
}

/* An image's programs are not running. */
static bool is_machine(const struct job *job)
{
	return !*job->tree.root;
}

static void print_unit_restart(const struct job *job)
{
	const char *at = strchr(job->name, '@');

	if (!is_machine(job))
		return;
	printf("To make it count:\n  systemctl daemon-reload && systemctl restart ");
	if (is_template(job->name))
		printf("'%.*s@*.service'\n", (int)(at - job->name), job->name);
	else if (strchr(job->name, '\\'))
		printf("'%s'\n", job->name);
	else
		printf("%s\n", job->name);
	if (mariadb_is(&job->tree, job->name))
		printf("or, where mariadbd-safe starts it:\n  service mariadb restart\n");
}

static void print_cluster_restart(const struct job *job, const struct file_list *clusters)
{
	const char *cluster;
	int version;

	if (!is_machine(job))
		return;
	puts("To make it count:");
	for (size_t i = 0; i < clusters->n; i++) {
		cluster = clusters->paths[i];
		version = (int)strcspn(cluster, "/");
		if (!job->edits.all[i].changed)
			continue;
		if (systemd_runs())
			printf("  systemctl restart postgresql@%.*s-%s\n", version, cluster,
			       cluster + version + 1);
		else
			printf("  pg_ctlcluster %.*s %s restart\n", version, cluster,
			       cluster + version + 1);
	}
}

/* --------------------------------------------------------------- units --- */

/* What the unit does not let its program see. */
static int check_sight(const struct unit *unit)
{
	static const struct {
		const char *folder;
		bool home;
	} hidden[] = {
		{"/home/", true}, {"/root/", true},	{"/run/user/", true},
		{"/tmp/", false}, {"/var/tmp/", false},
	};
	const char *path = cli_preload_path();

	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if ((hidden[i].home ? unit->hides_home : unit->hides_tmp) &&
		    strncmp(path, hidden[i].folder, strlen(hidden[i].folder)) == 0)
			return message_set(
				-EACCES, "%s: has %s=yes and cannot see the preload library %s",
				unit->files.name, hidden[i].home ? "ProtectHome" : "PrivateTmp",
				path);
	return 0;
}

/* What the unit sets behind our drop-in, and a heap needs otherwise. */
static int check_tunables(const struct unit *unit, size_t static_tls)
{
	char *tunables;

	if (!unit->late_place || !cli_needs_tunables(unit->late_tunables, static_tls))
		return 0;
	tunables = cli_join_tunables(unit->late_tunables, static_tls);
	message_set(-EEXIST, "%s, expected it to be %s: a heap needs %zu bytes of static TLS",
		    unit->late_place, tunables ? tunables : "", static_tls);
	free(tunables);
	return -EEXIST;
}

static int check_unit(struct job *job, const struct unit *unit)
{
	char *paths[] = {unit->program};
	const struct file_list programs = {.paths = paths, .n = unit->program ? 1 : 0};
	const struct facts_request request = {
		.conf = unit->conf, .module = unit->module, .programs = &programs};
	int err;

	if (unit->obstacle)
		return message_set(-EEXIST, "%s", unit->obstacle);
	err = check_sight(unit);
	if (!err)
		err = facts_find(&job->tree, &request, &job->facts);
	return err ? err : check_tunables(unit, job->facts.static_tls);
}

static int enable_unit(struct job *job, const struct unit *unit)
{
	bool mariadb = mariadb_is(&job->tree, unit->files.name);
	int err = check_unit(job, unit);

	if (!err)
		err = unit_enable(&job->edits, unit, job->facts.static_tls);
	if (!err && mariadb)
		err = mariadb_enable(&job->edits, job->facts.static_tls);
	if (err)
		return err;
	err = apply(job);
	if (err < 0)
		return err;
	warn_unit(&job->tree, unit, &job->facts);
	if (mariadb)
		warn_mariadb(&job->tree, &job->facts);
	if (err)
		print_unit_restart(job);
	return 0;
}

static int disable_unit(struct job *job)
{
	int err = unit_disable(&job->edits, job->name);

	if (!err && strcmp(job->name, "mariadb.service") == 0)
		err = mariadb_disable(&job->edits);
	if (!err)
		err = apply(job);
	if (err > 0)
		print_unit_restart(job);
	return err < 0 ? err : 0;
}

static int take_name(struct job *job, const char *name)
{
	char *copy = strdup(name);

	if (!copy)
		return message_set(-ENOMEM, "%s: out of memory", name);
	free(job->name);
	job->name = copy;
	return 0;
}

/* A unit whose package has gone can still be disabled, by its name. */
static int do_unit(struct job *job)
{
	struct unit unit;
	int err = unit_read(&job->tree, job->name, &unit);

	if (err && (job->enable || err == -ENOMEM))
		return err;
	if (err)
		return disable_unit(job);
	err = take_name(job, unit.files.name);
	if (!err)
		err = job->enable ? enable_unit(job, &unit) : disable_unit(job);
	unit_free(&unit);
	return err;
}

/* ------------------------------------------------------------ clusters --- */

static int edit_clusters(struct job *job, const struct file_list *clusters)
{
	int err = 0;

	for (size_t i = 0; i < clusters->n && !err; i++)
		err = job->enable ? cluster_enable(&job->edits, clusters->paths[i],
						   job->facts.static_tls)
				  : cluster_disable(&job->edits, clusters->paths[i]);
	return err;
}

static int find_cluster_facts(struct job *job, const struct file_list *clusters)
{
	struct file_list programs = {.n = 0};
	const struct facts_request request = {.programs = &programs};
	int err = cluster_programs(&job->tree, clusters, &programs);

	if (!err)
		err = facts_find(&job->tree, &request, &job->facts);
	conffiles_free(&programs);
	return err;
}

static int do_clusters(struct job *job)
{
	struct file_list clusters;
	int err = cluster_list(&job->tree, job->name, &clusters);

	if (err)
		return err;
	if (job->enable)
		err = find_cluster_facts(job, &clusters);
	if (!err)
		err = edit_clusters(job, &clusters);
	if (!err)
		err = apply(job);
	if (err >= 0 && job->enable)
		warn_common(&job->tree, &job->facts);
	if (err > 0)
		print_cluster_restart(job, &clusters);
	conffiles_free(&clusters);
	return err < 0 ? err : 0;
}

/* -------------------------------------------------------------- system --- */

static void print_emergency(const struct job *job)
{
	printf("Programs that are started from now on use it; but those in containers and "
	       "chroots\n"
	       "have an " LDSO_FILE
	       " of their own, and those that gain privileges take modules\n"
	       "from " CHIC_ALLOC_MODULEDIR " alone.\n"
	       "To switch all off at once:\n"
	       "  touch " CHIC_ALLOC_SYSCONFDIR "/chic-alloc.disable\n"
	       "From a rescue system: take the line with %s out of %s" LDSO_FILE "\n",
	       cli_preload_path(), is_machine(job) ? "the machine's " : job->tree.root);
}

static int enable_system(struct job *job)
{
	static const struct facts_request request = {.system = true};
	bool by_hand;
	int err = facts_find(&job->tree, &request, &job->facts);

	if (!err)
		err = ldso_enable(&job->edits, &by_hand);
	if (err)
		return err;
	err = apply(job);
	if (err < 0)
		return err;
	if (by_hand)
		printf("%s%s names the library in a line that enable did not write\n",
		       job->tree.root, LDSO_FILE);
	warn_system(&job->tree, &job->facts);
	if (err)
		print_emergency(job);
	return 0;
}

static int disable_system(struct job *job)
{
	int err = ldso_disable(&job->edits);

	if (!err)
		err = apply(job);
	if (err > 0 && is_machine(job))
		puts("Programs that run keep it until they are restarted.");
	return err < 0 ? err : 0;
}

int job_do(struct job *job, bool system)
{
	if (system)
		return job->enable ? enable_system(job) : disable_system(job);
	job->name = unit_full_name(job->target);
	if (!job->name)
		return -EINVAL;
	return cluster_is(&job->tree, job->name) ? do_clusters(job) : do_unit(job);
}
