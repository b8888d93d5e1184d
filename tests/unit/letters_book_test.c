/*
 * letters_book_test.c - the book: who is in it, what a look-up may bring, what letters teach, what comes back after a
 * restart.
 */
#include "tests/unit/letters_in_test.h"

static void
restart(struct party *p)
{
	stop_party(p);
	start_party(p);
}

START_TEST(bk01_a_person_stands_for_all_its_stations)
{
	struct party *alice;
	const struct correspondent *c, *two[4];

	set_up();
	alice = make_party("alice/laptop@" DOMAIN, &office);
	make_party("bob/desktop@" DOMAIN, &office);
	make_party("bob/phone@" DOMAIN, &office);
	ck_status(add_to_book(alice, "bob@" DOMAIN, "bobs.example:7000"), SP_OK);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(book_count(alice->book), 1);
		ck_assert_str_eq(book_entry(alice->book, 0)->address, "bobs.example:7000");
		ck_assert_uint_eq(book_stations(alice->book, "bob@" DOMAIN, two, 4), 2);
		ck_assert(two[0]->in_book && two[1]->in_book);
		c = book_by_name(alice->book, "bob/phone@" DOMAIN);
		ck_assert_ptr_nonnull(c);
		ck_assert_str_eq(c->address, "bobs.example:7000");
		ck_assert_ptr_eq(book_by_key(alice->book, parties[2]->station.letter.public_key), c);
		ck_assert_ptr_eq(book_by_cert(alice->book, &parties[2]->station.identity.hash), c);
		ck_assert_ptr_null(book_by_name(alice->book, "bob@" DOMAIN));	/* two: which? */
		ck_assert_ptr_null(book_by_name(alice->book, "alice/laptop@" DOMAIN));
		restart(alice);
	}
	tear_down();
}
END_TEST

START_TEST(one_station_may_be_an_entry)
{
	struct party *alice;

	set_up();
	alice = make_party("alice/laptop@" DOMAIN, &office);
	make_party("bob/desktop@" DOMAIN, &office);
	make_party("bob/phone@" DOMAIN, &office);
	ck_status(add_to_book(alice, "bob/phone@" DOMAIN, NULL), SP_OK);
	ck_assert_ptr_null(book_by_name(alice->book, "bob/desktop@" DOMAIN));
	ck_assert(book_by_name(alice->book, "bob@" DOMAIN)->in_book);
	/* its own address goes before the person's */
	ck_status(add_to_book(alice, "bob@" DOMAIN, "10.0.0.1"), SP_OK);
	ck_status(add_to_book(alice, "bob/phone@" DOMAIN, "10.0.0.2"), SP_OK);
	ck_assert_str_eq(book_by_name(alice->book, "bob/phone@" DOMAIN)->address, "10.0.0.2:7325");
	ck_assert_str_eq(book_by_name(alice->book, "bob/desktop@" DOMAIN)->address, "10.0.0.1:7325");
	tear_down();
}
END_TEST

START_TEST(bk02_what_is_removed_is_not_in_the_book)
{
	struct party *alice;

	set_up();
	alice = make_party("alice/laptop@" DOMAIN, &office);
	make_party("bob/desktop@" DOMAIN, &office);
	ck_status(add_to_book(alice, "bob@" DOMAIN, NULL), SP_OK);
	book_remove(alice->book, "carol@" DOMAIN, book_answered, NULL);
	run_loop();
	ck_status(book_status, SP_E_NOTFOUND);
	book_remove(alice->book, "bob@" DOMAIN, book_answered, NULL);
	run_loop();
	ck_status(book_status, SP_OK);
	ck_assert_uint_eq(book_count(alice->book), 0);
	ck_assert(!book_by_name(alice->book, "bob/desktop@" DOMAIN)->in_book);
	restart(alice);
	ck_assert_uint_eq(book_count(alice->book), 0);
	tear_down();
}
END_TEST

START_TEST(names_and_addresses_are_checked)
{
	static const char *const names[] = { "bob", "Bob@post.example", "bob@", "@post.example",
	    "bob/x/y@post.example", "" };
	static const char *const addresses[] = { "host:0", "host:65536", "ho st", "host:7325:1", ":7325" };
	struct party *alice;

	set_up();
	alice = make_party("alice/laptop@" DOMAIN, &office);
	make_party("bob/desktop@" DOMAIN, &office);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		book_status = SP_OK;
		book_add(alice->book, names[i], NULL, book_answered, NULL);
		run_loop();
		ck_status(book_status, SP_E_FORMAT);
		ck_assert_str_ne(book_why.text, "");
	}
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		book_status = SP_OK;
		book_add(alice->book, "bob@" DOMAIN, addresses[i], book_answered, NULL);
		run_loop();
		ck_assert_msg(book_status == SP_E_FORMAT || book_status == SP_E_RANGE, "%s", addresses[i]);
	}
	ck_status(add_to_book(alice, "bob@" DOMAIN, "::1"), SP_OK);
	ck_assert_str_eq(book_entry(alice->book, 0)->address, "[::1]:7325");
	tear_down();
}
END_TEST

START_TEST(what_the_directory_brings_is_checked)
{
	struct party *alice, *mallory;

	set_up();
	alice = make_party("alice/laptop@" DOMAIN, &office);
	ck_status(add_to_book(alice, "bob@" DOMAIN, NULL), SP_E_IDENTITY);	/* that is alice */
	lookup_parties = 0;
	book_add(alice->book, "bob@" DOMAIN, NULL, book_answered, NULL);
	run_loop();
	ck_status(book_status, SP_E_NOTFOUND);
	lookup_status = SP_E_CONNECT;
	ck_status(add_to_book(alice, "bob@" DOMAIN, NULL), SP_E_CONNECT);
	lookup_status = SP_OK;
	mallory = make_party("mallory/desktop@" DOMAIN, &liars);
	ck_status(add_to_book(alice, "mallory@" DOMAIN, NULL), SP_E_CERT);	/* under another root */
	ck_assert_ptr_null(book_by_key(alice->book, mallory->station.letter.public_key));
	ck_assert_uint_eq(book_count(alice->book), 0);
	alice->station.enrolled = false;
	book_add(alice->book, "bob@" DOMAIN, NULL, book_answered, NULL);
	ck_status(book_status, SP_E_NOTENROLLED);
	tear_down();
}
END_TEST

START_TEST(a_delivered_certificate_is_learnt_if_it_is_right)
{
	struct party *alice, *bob, *mallory;
	const struct correspondent *c = NULL;
	struct member ended = { 0 };

	set_up();
	alice = make_party("alice/laptop@" DOMAIN, &office);
	bob = make_party("bob/desktop@" DOMAIN, &office);
	mallory = make_party("mallory/desktop@" DOMAIN, &liars);
	ck_status(book_learn_cert(alice->book, sp_buf_span(&bob->station.cert), &c, NULL), SP_OK);
	ck_assert_ptr_eq(book_by_name(alice->book, "bob/desktop@" DOMAIN), c);
	ck_assert(!c->in_book);
	ck_assert_int_ne(book_learn_cert(alice->book, sp_buf_span(&mallory->station.cert), &c, NULL), SP_OK);
	make_station(&ended, &office, "carol/old@" DOMAIN, -100, -10);
	ck_status(book_learn_cert(alice->book, sp_buf_span(&ended.cert), &c, NULL), SP_E_CERT_EXPIRED);
	free_station(&ended);
	restart(alice);
	ck_assert_ptr_null(book_by_name(alice->book, "bob/desktop@" DOMAIN));	/* a stranger: for this run only */
	tear_down();
}
END_TEST

/* A new station of a person in the book is known for good; a changed certificate needs the user. */
START_TEST(stations_of_the_book_keep_their_certificate)
{
	struct party *alice, *bob;
	const struct correspondent *c = NULL;
	struct member phone = { 0 }, changed = { 0 };

	set_up();
	alice = make_party("alice/laptop@" DOMAIN, &office);
	bob = make_party("bob/desktop@" DOMAIN, &office);
	ck_status(add_to_book(alice, "bob@" DOMAIN, NULL), SP_OK);
	make_station(&phone, &office, "bob/phone@" DOMAIN, -1, 90);
	ck_status(book_learn_cert(alice->book, sp_buf_span(&phone.cert), &c, NULL), SP_OK);
	ck_assert(c->in_book);
	make_station(&changed, &office, "bob/desktop@" DOMAIN, 0, 90);
	ck_status(book_learn_cert(alice->book, sp_buf_span(&changed.cert), &c, NULL), SP_E_MISMATCH);
	ck_assert_ptr_nonnull(book_by_key(alice->book, bob->station.letter.public_key));
	restart(alice);
	ck_assert_ptr_nonnull(book_by_name(alice->book, "bob/phone@" DOMAIN));
	/* added again, the younger one counts */
	sp_buf_done(&bob->station.cert);
	bob->station.cert = changed.cert;
	changed.cert = (struct sp_buf){ 0 };
	ck_status(add_to_book(alice, "bob@" DOMAIN, NULL), SP_OK);
	ck_assert_ptr_nonnull(book_by_key(alice->book, changed.letter.public_key));
	ck_assert_ptr_null(book_by_key(alice->book, bob->station.letter.public_key));
	free_station(&phone);
	free_station(&changed);
	tear_down();
}
END_TEST

START_TEST(addresses_follow_fresh_letters_only)
{
	const struct sp_addr one = { .family = 4, .ip = { 10, 0, 0, 1 }, .port = 7325 };
	const struct sp_addr two = { .family = 4, .ip = { 10, 0, 0, 2 }, .port = 7325 };
	const struct correspondent *c;
	const struct sp_hash *hash;
	struct party *alice;
	uint64_t now;

	set_up();
	alice = make_party("alice/laptop@" DOMAIN, &office);
	hash = &make_party("bob/desktop@" DOMAIN, &office)->station.identity.hash;
	ck_status(add_to_book(alice, "bob@" DOMAIN, NULL), SP_OK);
	c = book_by_cert(alice->book, hash);
	now = sp_clock_wall_ms() + 1;
	book_seen(alice->book, hash, &two, now - 60000);	/* from before this start */
	ck_assert_str_eq(c->seen, "");
	book_seen(alice->book, hash, &one, now + 5);
	book_seen(alice->book, hash, &two, now + 5);		/* the same letter from elsewhere */
	book_seen(alice->book, hash, &two, now + 4);
	ck_assert_str_eq(c->seen, "10.0.0.1:7325");
	book_seen(alice->book, hash, &two, now + 6);
	ck_assert_str_eq(c->seen, "10.0.0.2:7325");
	restart(alice);
	ck_assert_str_eq(book_by_cert(alice->book, hash)->seen, "10.0.0.2:7325");
	tear_down();
}
END_TEST

UNIT_MAIN("letters/book", bk01_a_person_stands_for_all_its_stations, one_station_may_be_an_entry,
    bk02_what_is_removed_is_not_in_the_book, names_and_addresses_are_checked, what_the_directory_brings_is_checked,
    a_delivered_certificate_is_learnt_if_it_is_right, stations_of_the_book_keep_their_certificate,
    addresses_follow_fresh_letters_only)
