/*
 * store_book_test.c - the destination book and the known stations at rest.
 */
#include "tests/unit/store_in_test.h"

static struct book_row entries[4];
static struct station_row stations[4];
static size_t nentries, nstations;

static void
loaded(void *arg, enum sp_status st, const struct book_row *e, size_t ne, const struct station_row *s, size_t ns)
{
	(void)arg;
	answer_status = st;
	nentries = ne;
	nstations = ns;
	for (size_t i = 0; i < ne && i < 4; i++)
		entries[i] = e[i];
	for (size_t i = 0; i < ns && i < 4; i++) {
		sp_buf_done(&stations[i].cert);
		stations[i] = s[i];
		stations[i].cert = (struct sp_buf){ 0 };
		sp_buf_add_span(&stations[i].cert, sp_buf_span(&s[i].cert));
	}
	sp_loop_stop(loop);
}

static void
load(void)
{
	ck_status(store_book_load(store, loaded, NULL), SP_OK);
	run_loop();
	ck_status(answer_status, SP_OK);
}

START_TEST(bk01_entries_are_put_replaced_and_removed)
{
	struct book_row bob = { .name = "bob@post.example", .address = "host:7325", .added_ms = 5 };
	struct book_row alice = { .name = "alice@post.example", .added_ms = 6 };

	fresh_store();
	load();
	ck_assert_uint_eq(nentries, 0);
	ck_status(store_book_put(store, &bob, answered, NULL), SP_OK);
	ck_status(store_book_put(store, &alice, NULL, NULL), SP_OK);
	strcpy(bob.address, "other:1");
	ck_status(store_book_put(store, &bob, NULL, NULL), SP_OK);
	run_loop();
	close_store();
	open_store();
	load();
	ck_assert_uint_eq(nentries, 2);
	ck_assert_str_eq(entries[0].name, "alice@post.example");
	ck_assert_str_eq(entries[1].address, "other:1");
	ck_assert_uint_eq(entries[1].added_ms, 5);
	ck_status(store_book_remove(store, "bob@post.example", NULL, NULL), SP_OK);
	load();
	ck_assert_uint_eq(nentries, 1);
	remove_store();
}
END_TEST

START_TEST(a_renewed_certificate_replaces_the_old_one)
{
	struct station_row row = { .name = "bob/desktop@post.example", .seen = "10.0.0.1:7325", .seen_ms = 77 };

	fresh_store();
	sp_buf_add_text(&row.cert, "old certificate");
	ck_status(store_station_put(store, &row, NULL, NULL), SP_OK);
	sp_buf_clear(&row.cert);
	sp_buf_add_text(&row.cert, "new");
	ck_status(store_station_put(store, &row, NULL, NULL), SP_OK);
	load();
	ck_assert_uint_eq(nstations, 1);
	ck_assert(sp_span_eq(sp_buf_span(&stations[0].cert), sp_span_str("new")));
	ck_assert_str_eq(stations[0].seen, "10.0.0.1:7325");
	ck_assert_uint_eq(stations[0].seen_ms, 77);
	sp_buf_done(&row.cert);
	sp_buf_done(&stations[0].cert);
	remove_store();
}
END_TEST

UNIT_MAIN("store/book", bk01_entries_are_put_replaced_and_removed, a_renewed_certificate_replaces_the_old_one)
