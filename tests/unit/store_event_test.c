/*
 * store_event_test.c - events and history: every column comes back, filters, finding by a beginning, history only
 * grows.
 */
#include <sqlite3.h>

#include "common/base/limits.h"
#include "peerd/store/columns.h"
#include "tests/unit/store_in_test.h"

static struct event_row **found;
static size_t nfound;
static char said[8][40];
static uint64_t seqs[8];

static void
got_rows(void *arg, enum sp_status st, struct event_row **rows, size_t count)
{
	(void)arg;
	answer_status = st;
	event_rows_free(found, nfound);
	found = rows;
	nfound = count;
	sp_loop_stop(loop);
}

static void
got_history(void *arg, enum sp_status st, const struct history_row *rows, size_t count)
{
	(void)arg;
	answer_status = st;
	nfound = count;
	for (size_t i = 0; i < count && i < 8; i++) {
		snprintf(said[i], sizeof(said[i]), "%s", rows[i].what);
		seqs[i] = rows[i].seq;
	}
	sp_loop_stop(loop);
}

static void
forget_rows(void)
{
	event_rows_free(found, nfound);
	found = NULL;
	nfound = 0;
}

/* Fills every member by its kind, so that a column that is lost or mixed up shows. */
static void
fill(struct event_row *row)
{
	for (size_t i = 0; i < event_columns.count; i++) {
		const struct column *col = &event_columns.list[i];
		uint8_t *member = (uint8_t *)row + col->offset;
		int number = 40 + (int)i;
		uint64_t wide = UINT64_MAX - i;
		char *text;

		switch (col->kind) {
		case COLUMN_INT:
			memcpy(member, &number, sizeof(number));
			break;
		case COLUMN_BOOL:
			*member = 1;
			break;
		case COLUMN_U8:
			*member = 200;
			break;
		case COLUMN_U32:
			memcpy(member, &(uint32_t){ UINT32_MAX - (uint32_t)i }, 4);
			break;
		case COLUMN_U64:
			memcpy(member, &wide, sizeof(wide));
			break;
		case COLUMN_KEY:
		case COLUMN_TEXT:
			ck_assert_int_gt(asprintf(&text, "%s é", col->name), 0);
			memcpy(member, &text, sizeof(text));
			break;
		case COLUMN_BYTES:
			sp_buf_addf((struct sp_buf *)(void *)member, "bytes%c of %s", 0, col->name);
			break;
		default:
			memset(member, (int)i + 1, col->size);
		}
	}
}

static void
same(const struct event_row *a, const struct event_row *b)
{
	for (size_t i = 0; i < event_columns.count; i++) {
		const struct column *col = &event_columns.list[i];
		const uint8_t *x = (const uint8_t *)a + col->offset, *y = (const uint8_t *)b + col->offset;
		const struct sp_buf *bx = (const void *)x, *by = (const void *)y;
		char *tx, *ty;

		if (col->kind == COLUMN_BYTES) {
			ck_assert_msg(sp_span_eq(sp_buf_span(bx), sp_buf_span(by)), "%s", col->name);
		} else if (col->kind == COLUMN_KEY || col->kind == COLUMN_TEXT) {
			memcpy(&tx, x, sizeof(tx));
			memcpy(&ty, y, sizeof(ty));
			ck_assert_str_eq(tx, ty);
		} else {
			ck_assert_msg(memcmp(x, y, col->size) == 0, "%s", col->name);
		}
	}
}

START_TEST(log01_every_column_comes_back)
{
	SP_AUTO(event_row) *row = event_row_new(), *copy = NULL;

	fresh_store();
	fill(row);
	row->ended = false;
	copy = event_row_copy(row);
	same(row, copy);
	save(row, "made");
	close_store();
	open_store();
	ck_status(store_events_open(store, got_rows, NULL), SP_OK);
	run_loop();
	ck_assert_uint_eq(nfound, 1);
	same(row, found[0]);
	forget_rows();
	remove_store();
}
END_TEST

START_TEST(texts_and_bytes_may_be_absent)
{
	SP_AUTO(event_row) *row = make_event(7, EVENT_RECEIVE, 1);

	fresh_store();
	save(row, NULL);
	ck_status(store_events_open(store, got_rows, NULL), SP_OK);
	run_loop();
	ck_assert_uint_eq(nfound, 1);
	ck_assert_ptr_null(found[0]->title);
	ck_assert_uint_eq(found[0]->offer.len, 0);
	forget_rows();
	remove_store();
}
END_TEST

/* The same id of another station, or of the other direction, is another event. */
START_TEST(rows_are_keyed_by_id_kind_and_peer)
{
	SP_AUTO(event_row) *row = make_event(7, EVENT_SEND, 1);

	fresh_store();
	save(row, "one");
	row->state = 3;
	save(row, "two");
	row->kind = EVENT_RECEIVE;
	save(row, "three");
	free(row->peer);
	row->peer = strdup("eve/phone@post.example");
	save(row, "four");
	ck_status(store_event_find(store, "0707", got_rows, NULL), SP_OK);
	run_loop();
	ck_status(answer_status, SP_OK);
	ck_assert_uint_eq(nfound, 3);
	ck_assert_int_eq(found[0]->state, 3);
	ck_assert_str_eq(found[2]->peer, "eve/phone@post.example");
	forget_rows();
	remove_store();
}
END_TEST

static void
list(enum event_filter filter, uint64_t before, uint32_t limit, const char *want)
{
	char got[16] = "";

	ck_status(store_events_list(store, filter, before, limit, got_rows, NULL), SP_OK);
	run_loop();
	ck_status(answer_status, SP_OK);
	for (size_t i = 0; i < nfound; i++)
		got[i] = (char)('0' + found[i]->id.b[0]);
	ck_assert_str_eq(got, want);
}

START_TEST(log02_filters_newest_first)
{
	fresh_store();
	for (uint8_t i = 1; i <= 6; i++) {
		SP_AUTO(event_row) *row = make_event(i, i % 2 == 0 ? EVENT_SEND : EVENT_RECEIVE, 100 * i);

		row->ended = i <= 4;
		row->reason = i == 2 ? SP_E_TIMEOUT : SP_OK;
		save(row, NULL);
	}
	list(EVENTS_ALL, 0, 100, "654321");
	list(EVENTS_ALL, 0, 2, "65");
	list(EVENTS_ALL, 500, 2, "43");
	list(EVENTS_PENDING, 0, 100, "65");
	list(EVENTS_SENT, 0, 100, "642");
	list(EVENTS_RECEIVED, 0, UINT32_MAX, "531");
	list(EVENTS_FAILED, 0, 100, "2");
	list(EVENTS_FAILED, 200, 100, "");
	forget_rows();
	remove_store();
}
END_TEST

static void
find(const char *prefix, enum sp_status want, size_t count)
{
	ck_status(store_event_find(store, prefix, got_rows, NULL), SP_OK);
	run_loop();
	ck_status(answer_status, want);
	ck_assert_uint_eq(nfound, count);
}

/* What is handed in belongs to a receiving: it stands in the log only while it is pending, or if it fails. */
START_TEST(log02_what_is_handed_in_is_no_entry_of_its_own)
{
	static const enum event_kind kinds[] = { EVENT_RECEIVE, EVENT_POSTMARK, EVENT_LODGE, EVENT_POSTMARK, EVENT_LODGE };

	fresh_store();
	for (uint8_t i = 1; i <= 5; i++) {
		SP_AUTO(event_row) *row = make_event(i, kinds[i - 1], 100 * i);

		row->ended = i != 2;
		row->reason = i == 3 ? SP_E_SPENT : SP_OK;
		save(row, NULL);
	}
	list(EVENTS_ALL, 0, 100, "31");
	list(EVENTS_PENDING, 0, 100, "2");
	list(EVENTS_FAILED, 0, 100, "3");
	forget_rows();
	remove_store();
}
END_TEST

START_TEST(rc10_a_payment_is_noted_in_the_receiving_of_the_same_peer)
{
	SP_AUTO(event_row) *row = make_event(7, EVENT_RECEIVE, 1), *mark = make_event(7, EVENT_POSTMARK, 2);

	fresh_store();
	row->receipt = strdup("/before");
	row->state = 20;
	save(row, "received");
	mark->payment = 2;
	ck_status(store_event_payment(store, mark, EVENT_RECEIVE, "paid"), SP_OK);
	find("0707", SP_OK, 1);
	ck_assert_uint_eq(found[0]->payment, 2);
	ck_assert_str_eq(found[0]->receipt, "/before");
	ck_assert_int_eq(found[0]->state, 20);
	mark->receipt = strdup("/after");
	ck_status(store_event_payment(store, mark, EVENT_RECEIVE, "again"), SP_OK);
	find("0707", SP_OK, 1);
	ck_assert_str_eq(found[0]->receipt, "/after");
	forget_rows();
	/* another station's is not touched */
	free(mark->peer);
	mark->peer = strdup("eve/phone@post.example");
	mark->payment = 4;
	ck_status(store_event_payment(store, mark, EVENT_RECEIVE, "not here"), SP_OK);
	find("0707", SP_OK, 1);
	ck_assert_uint_eq(found[0]->payment, 2);
	forget_rows();
	ck_status(store_history(store, 0, NULL, 100, got_history, NULL), SP_OK);
	run_loop();
	ck_assert_uint_eq(nfound, 3);
	ck_assert_str_eq(said[1], "paid");
	nfound = 0;
	remove_store();
}
END_TEST

static void
filter_uses(const char *where, const char *index)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	char question[200];

	snprintf(question, sizeof(question), "EXPLAIN QUERY PLAN SELECT * FROM event WHERE %s created_ms < 9"
	    " ORDER BY created_ms DESC, number DESC LIMIT 5", where);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, question, -1, &stmt, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	ck_assert_ptr_nonnull(strstr((const char *)sqlite3_column_text(stmt, 3), index));
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_DONE);	/* no sorting beside it */
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

START_TEST(filters_go_by_index)
{
	fresh_store();
	filter_uses("", "event_created");
	filter_uses("kind = 1 AND", "event_kind");
	filter_uses("ended = 0 AND", "event_pending");
	filter_uses("ended = 1 AND reason <> 0 AND", "event_failed");
	remove_store();
}
END_TEST

START_TEST(an_event_is_found_by_a_unique_beginning)
{
	SP_AUTO(event_row) *row = make_event(7, EVENT_SEND, 1), *other = make_event(7, EVENT_SEND, 1);

	fresh_store();
	other->id.b[15] = 8;
	save(row, NULL);
	save(other, NULL);
	find("0707", SP_E_ARGUMENT, 0);
	find("07070707-0707-0707-0707-070707070707", SP_OK, 1);
	find("07070707-0707-0707-0707-07070707070", SP_E_ARGUMENT, 0);
	find("07070707-0707-0707-0707-070707070708", SP_OK, 1);
	find("08070707", SP_OK, 0);
	ck_status(store_event_find(store, "070", got_rows, NULL), SP_E_FORMAT);
	ck_status(store_event_find(store, "07070707x", got_rows, NULL), SP_E_FORMAT);
	ck_status(store_event_find(store, "0707%", got_rows, NULL), SP_E_FORMAT);
	ck_status(store_event_find(store, "07070707-0707-0707-0707-0707070707070", got_rows, NULL), SP_E_FORMAT);
	forget_rows();
	remove_store();
}
END_TEST

START_TEST(log07_history_is_numbered_and_read_on)
{
	SP_AUTO(event_row) *a = make_event(1, EVENT_SEND, 1), *b = make_event(2, EVENT_SEND, 1);

	fresh_store();
	save(a, "first");
	save(b, "second");
	save(a, "third");
	save(a, NULL);
	ck_status(store_history(store, 0, NULL, 100, got_history, NULL), SP_OK);
	run_loop();
	ck_assert_uint_eq(nfound, 3);
	ck_assert_uint_eq(seqs[0], 1);
	ck_assert_uint_eq(seqs[2], 3);
	ck_assert_str_eq(said[1], "second");
	ck_status(store_history(store, 1, &a->id, 100, got_history, NULL), SP_OK);
	run_loop();
	ck_assert_uint_eq(nfound, 1);
	ck_assert_str_eq(said[0], "third");
	ck_status(store_history(store, 0, NULL, 2, got_history, NULL), SP_OK);
	run_loop();
	ck_assert_uint_eq(nfound, 2);
	ck_status(store_history(store, UINT64_MAX, NULL, 2, got_history, NULL), SP_OK);
	run_loop();
	ck_assert_uint_eq(nfound, 0);
	remove_store();
}
END_TEST

START_TEST(history_is_only_added_to)
{
	SP_AUTO(event_row) *row = make_event(1, EVENT_SEND, 1);
	sqlite3 *db;

	fresh_store();
	save(row, "first");
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "DELETE FROM history", NULL, NULL, NULL), SQLITE_CONSTRAINT);
	ck_assert_int_eq(sqlite3_exec(db, "UPDATE history SET what = 'x'", NULL, NULL, NULL), SQLITE_CONSTRAINT);
	sqlite3_close(db);
	remove_store();
}
END_TEST

UNIT_MAIN("store/event", log01_every_column_comes_back, texts_and_bytes_may_be_absent,
    rows_are_keyed_by_id_kind_and_peer,
    log02_filters_newest_first, filters_go_by_index, log02_what_is_handed_in_is_no_entry_of_its_own,
    rc10_a_payment_is_noted_in_the_receiving_of_the_same_peer, an_event_is_found_by_a_unique_beginning,
    log07_history_is_numbered_and_read_on, history_is_only_added_to)
