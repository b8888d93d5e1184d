/*
 * store_store_test.c - the store thread: answers after the commit, jobs that fail alone, a full queue, a full disk, a
 * crash, databases of other programs.
 */
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "tests/unit/store_in_test.h"

struct plain_job {
	struct store_job job;
	const char *text;
	enum sp_status fails;
	int *dropped;
};

static int pending;
static enum sp_status statuses[8];

static enum sp_status
plain_run(struct sqlite3 *db, struct store_job *job)
{
	struct plain_job *p = (struct plain_job *)job;

	if (p->text != NULL && sqlite3_exec(db, p->text, NULL, NULL, NULL) != SQLITE_OK)
		return sqlite3_errcode(db) == SQLITE_FULL ? SP_E_SPACE : SP_E_IO;
	return p->fails;
}

static void
plain_done(struct store_job *job)
{
	if (answers < 8)
		statuses[answers] = job->status;
	answers++;
	if (--pending == 0)
		sp_loop_stop(loop);
	free(job);
}

static void
plain_dropped(struct store_job *job)
{
	struct plain_job *p = (struct plain_job *)job;

	if (p->dropped != NULL)
		++*p->dropped;
	free(p);
}

static struct plain_job *
plain(const char *text, enum sp_status fails)
{
	struct plain_job *p = calloc(1, sizeof(*p));

	p->job = (struct store_job){ .run = plain_run, .done = plain_done, .dropped = plain_dropped };
	p->text = text;
	p->fails = fails;
	return p;
}

static void
submit(const char *text, enum sp_status fails)
{
	ck_status(store_submit(store, &plain(text, fails)->job), SP_OK);
	pending++;
}

static int
count_of(const char *question)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	int n;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, question, -1, &stmt, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

static void
change(const char *text)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

START_TEST(the_file_is_private)
{
	struct stat st;

	fresh_store();
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	close_store();
	ck_assert_int_eq(chmod(path, 0644), 0);
	open_store();
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	remove_store();
}
END_TEST

START_TEST(a_job_that_fails_takes_nothing_else_along)
{
	fresh_store();
	submit("CREATE TABLE t (x)", SP_OK);
	submit("INSERT INTO t VALUES (1)", SP_OK);
	submit("INSERT INTO t VALUES (2)", SP_E_REFUSED);
	submit("INSERT INTO t VALUES (3); syntax error", SP_OK);
	submit("INSERT INTO t VALUES (4)", SP_OK);
	run_loop();
	ck_status(statuses[1], SP_OK);
	ck_status(statuses[2], SP_E_REFUSED);
	ck_status(statuses[3], SP_E_IO);
	ck_status(statuses[4], SP_OK);
	ck_assert_int_eq(count_of("SELECT sum(x) FROM t"), 5);
	remove_store();
}
END_TEST

/* What SQLite rolls back as a whole is answered as failed, whoever was to blame; what comes after goes on. */
START_TEST(a_lost_transaction_spoils_all_before_it)
{
	fresh_store();
	submit("CREATE TABLE t (x)", SP_OK);
	run_loop();
	answers = 0;
	submit("INSERT INTO t VALUES (1)", SP_OK);
	submit("ROLLBACK; syntax error", SP_OK);
	submit("INSERT INTO t VALUES (4)", SP_OK);
	run_loop();
	ck_status(statuses[1], SP_E_IO);
	ck_status(statuses[2], SP_OK);
	/* Either in one batch with what was lost, or committed before. */
	ck_assert_int_eq(count_of("SELECT sum(x) FROM t"), statuses[0] == SP_OK ? 5 : 4);
	remove_store();
}
END_TEST

START_TEST(a_full_queue_is_said)
{
	struct plain_job *extra = plain(NULL, SP_OK);

	fresh_store();
	for (int i = 0; i < SP_STORE_QUEUE; i++)
		submit(NULL, SP_OK);
	ck_status(store_submit(store, &extra->job), SP_E_FULL);
	run_loop();
	ck_assert_int_eq(answers, SP_STORE_QUEUE);
	ck_status(store_submit(store, &extra->job), SP_OK);
	pending = 1;
	run_loop();
	ck_assert_int_eq(answers, SP_STORE_QUEUE + 1);
	remove_store();
}
END_TEST

START_TEST(freeing_finishes_what_is_queued_without_answers)
{
	int dropped = 0;

	fresh_store();
	submit("CREATE TABLE t (x)", SP_OK);
	run_loop();
	answers = 0;
	for (int i = 0; i < 20; i++) {
		struct plain_job *p = plain("INSERT INTO t VALUES (1)", SP_OK);

		p->dropped = &dropped;
		ck_status(store_submit(store, &p->job), SP_OK);
	}
	close_store();
	ck_assert_int_eq(dropped, 20);
	ck_assert_int_eq(answers, 0);
	ck_assert_int_eq(count_of("SELECT count(*) FROM t"), 20);
	remove_store();
}
END_TEST

/* The write-ahead log may not grow: every job of the batch hears it, and later ones go on when there is room
 * again. */
START_TEST(a_full_disk_is_each_jobs_status)
{
	struct rlimit before, none;
	struct stat st;
	char wal[100];

	fresh_store();
	submit("CREATE TABLE t (x)", SP_OK);
	run_loop();
	snprintf(wal, sizeof(wal), "%s-wal", path);
	ck_assert_int_eq(stat(wal, &st), 0);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)st.st_size;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	answers = 0;
	submit("INSERT INTO t VALUES (1)", SP_OK);
	submit("INSERT INTO t VALUES (2)", SP_OK);
	run_loop();
	ck_assert(statuses[0] == SP_E_IO || statuses[0] == SP_E_SPACE);
	ck_assert(statuses[1] == SP_E_IO || statuses[1] == SP_E_SPACE);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	answers = 0;
	submit("INSERT INTO t VALUES (4)", SP_OK);
	run_loop();
	ck_status(statuses[0], SP_OK);
	ck_assert_int_eq(count_of("SELECT sum(x) FROM t"), 4);
	remove_store();
}
END_TEST

/* Dies in the moment when the answer comes: what was answered is there. */
static void
die_when_saved(void *arg, enum sp_status st, const struct sp_why *reason)
{
	(void)arg;
	(void)reason;
	if (st == SP_OK)
		kill(getpid(), SIGKILL);
	_exit(1);
}

static void
child_saves(int last)
{
	SP_AUTO(event_row) *row = NULL;

	open_store();
	for (int i = 1; i <= last; i++) {
		event_row_free(row);
		row = make_event((uint8_t)i, EVENT_SEND, 1);
		if (store_event_save(store, row, "made", i == last ? die_when_saved : NULL, NULL) != SP_OK)
			_exit(1);
	}
	run_loop();
}

static int
killed_child(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		child_saves(5);
		_exit(2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

START_TEST(log08_what_was_answered_outlives_a_crash)
{
	fresh_store();
	close_store();
	ck_assert_int_eq(killed_child(), SIGKILL);
	open_store();
	close_store();
	ck_assert_int_eq(count_of("SELECT count(*) FROM event"), 5);
	ck_assert_int_eq(count_of("SELECT count(*) FROM history"), 5);
	remove_store();
}
END_TEST

#ifdef SP_FAULTS
START_TEST(nothing_is_answered_before_the_commit)
{
	fresh_store();
	close_store();
	setenv("SEALPOST_FAULT", "store-commit-before=kill", 1);
	ck_assert_int_eq(killed_child(), SIGKILL);
	unsetenv("SEALPOST_FAULT");
	open_store();
	close_store();
	ck_assert_int_eq(count_of("SELECT count(*) FROM event"), 0);
	remove_store();
}
END_TEST
#endif

/* It goes along with changes, not each time, and is all there after a stop. */
START_TEST(wal09_the_mark_of_the_clock_is_kept)
{
	const uint64_t then = 1000ull * SP_CLOCK_KEEP_MS;

	fresh_store();
	sp_clock_remember(then);
	close_store();
	sp_clock_remember(0);
	ck_assert_int_eq(killed_child(), SIGKILL);	/* in which it stays as it was */
	open_store();
	ck_assert_uint_eq(sp_clock_mark_ms(), then);
	sp_clock_remember(then + SP_CLOCK_KEEP_MS - 1);
	submit("CREATE TABLE t (x)", SP_OK);
	run_loop();
	ck_assert_int_eq(count_of("SELECT mark_ms / 1000 FROM clock"), then / 1000);
	sp_clock_remember(then + SP_CLOCK_KEEP_MS);
	submit("SELECT 1", SP_OK);			/* changes nothing: nothing is written */
	run_loop();
	ck_assert_int_eq(count_of("SELECT mark_ms / 1000 FROM clock"), then / 1000);
	submit("INSERT INTO t VALUES (1)", SP_OK);
	run_loop();
	ck_assert_int_eq(count_of("SELECT mark_ms / 1000 FROM clock"), (then + SP_CLOCK_KEEP_MS) / 1000);
	sp_clock_remember(then + SP_CLOCK_KEEP_MS + 1000);
	close_store();
	ck_assert_int_eq(count_of("SELECT mark_ms / 1000 FROM clock"), (then + SP_CLOCK_KEEP_MS) / 1000 + 1);
	open_store();
	sp_clock_remember(then);			/* brought back */
	submit("INSERT INTO t VALUES (2)", SP_OK);
	run_loop();
	ck_assert_int_eq(count_of("SELECT mark_ms / 1000 FROM clock"), then / 1000);
	remove_store();
}
END_TEST

static void
refused(enum sp_status want)
{
	ck_status(sp_loop_new(&loop, &why), SP_OK);
	ck_status(store_new(loop, path, &store, &why), want);
	ck_assert_str_ne(why.text, "");
	sp_loop_free(loop);
	loop = NULL;
	ck_status(sp_rmtree(folder, NULL), SP_OK);
}

START_TEST(a_newer_schema_is_refused)
{
	fresh_store();
	close_store();
	change("PRAGMA user_version = 1000");
	refused(SP_E_SCHEMA);
}
END_TEST

START_TEST(another_programs_database_is_refused)
{
	fresh_store();
	close_store();
	change("PRAGMA application_id = 7");
	refused(SP_E_SCHEMA);
}
END_TEST

START_TEST(what_is_no_database_is_refused)
{
	fresh_store();
	close_store();
	ck_status(sp_file_write(path, sp_span_str("this is a text and no database, however long it may be"), 0600,
	    &why),
	    SP_OK);
	refused(SP_E_DATABASE);
}
END_TEST

START_TEST(a_table_that_lacks_a_column_is_refused)
{
	fresh_store();
	close_store();
	change("ALTER TABLE event DROP COLUMN notes");
	refused(SP_E_DATABASE);
}
END_TEST

UNIT_MAIN("store/store", the_file_is_private, a_job_that_fails_takes_nothing_else_along,
    a_lost_transaction_spoils_all_before_it, a_full_queue_is_said, freeing_finishes_what_is_queued_without_answers,
    a_full_disk_is_each_jobs_status, log08_what_was_answered_outlives_a_crash,
#ifdef SP_FAULTS
    nothing_is_answered_before_the_commit,
#endif
    wal09_the_mark_of_the_clock_is_kept, a_newer_schema_is_refused, another_programs_database_is_refused, what_is_no_database_is_refused,
    a_table_that_lacks_a_column_is_refused)
