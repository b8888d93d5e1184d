/*
 * store_wallet_test.c - serials are used once: reserved in order, given back only if no frank named them, and one frank of a
 * serial is all that a recipient takes.
 */
#include "tests/unit/store_in_test.h"

#include "common/statements/sheet.h"
#include "peerd/store/wallet.h"

#define NOW 1000000

static struct wallet_balance balance;
static struct wallet_spend spend;
static struct sp_id spend_sheet;
static uint32_t offline = 20;	/* of the sheets that are added */
static char spend_why[sizeof(struct sp_why)];

static void
on_balance(void *arg, enum sp_status st, const struct wallet_balance *b)
{
	(void)arg;
	ck_status(st, SP_OK);
	balance = *b;
	sp_loop_stop(loop);
}

static void
on_spend(void *arg, enum sp_status st, const struct sp_why *reason, const struct wallet_spend *s)
{
	(void)arg;
	answer_status = st;
	strcpy(spend_why, reason->text);
	if (st == SP_OK) {
		spend = *s;
		spend_sheet = s->sheet->id;
	}
	sp_loop_stop(loop);
}

static struct sp_id
number(uint8_t n)
{
	struct sp_id id = { { 0 } };

	id.b[15] = n;
	return id;
}

/* A sheet at which n bytes cost n credits. */
static void
sign_sheet(struct sheet_row *row)
{
	struct sp_sheet sheet = { .sheet = row->id, .request = row->id, .first = row->first, .count = row->count, .epoch = 1,
		.offline = offline, .issued_ms = 1, .valid_until_ms = row->valid_until_ms, .domain = "post.example",
		.tariff = { { { 0, 1 }, { 2, 2 }, { 3, 3 }, { 5, 5 }, { 100, 0 } }, 5 } };
	uint8_t signature[SP_SIGNATURE];
	SP_AUTO(sp_key) *key = NULL;

	ck_status(sp_name_parse(sp_span_str("alice/laptop@post.example"), &sheet.station), SP_OK);
	ck_status(sp_key_new(&key), SP_OK);
	ck_status(sp_sheet_sign(&sheet, key, &row->statement, signature, NULL, NULL), SP_OK);
}

static void
add_sheet(uint8_t n, uint32_t first, uint32_t count, uint64_t until)
{
	struct sheet_row row = { .id = number(n), .first = first, .count = count, .next = first, .epoch = 1,
		.offline = offline, .valid_until_ms = until };

	row.hash.b[0] = n;
	sign_sheet(&row);
	sp_buf_add_text(&row.signature, "signature");
	sp_buf_add_text(&row.signer, "signer");
	ck_status(store_sheet_add(store, &row, answered, NULL), SP_OK);
	run_loop();
	ck_status(answer_status, SP_OK);
	sheet_row_done(&row);
}

static enum sp_status
reserve(uint8_t transfer, uint64_t bytes)
{
	struct sp_id id = number(transfer);

	ck_status(store_serials_reserve(store, &id, bytes, NOW, on_spend, NULL), SP_OK);
	run_loop();
	return answer_status;
}

static void
mark(uint8_t transfer, enum serial_state state)
{
	struct sp_id id = number(transfer);

	ck_status(store_serials_mark(store, &id, state, answered, NULL), SP_OK);
	run_loop();
	ck_status(answer_status, SP_OK);
}

static uint64_t
free_now(void)
{
	ck_status(store_balance(store, NOW, on_balance, NULL), SP_OK);
	run_loop();
	return balance.free;
}

START_TEST(wal01_wal07_wal08_serials_are_reserved_once_and_spent_after_success)
{
	fresh_store();
	ck_assert_uint_eq(free_now(), 0);
	ck_status(reserve(1, 1), SP_E_CREDITS);
	add_sheet(1, 1, 25, NOW + 1);
	add_sheet(1, 1, 25, NOW + 1);		/* the same grant again is booked once */
	ck_assert_uint_eq(free_now(), 25);
	ck_status(reserve(1, 2), SP_OK);
	ck_assert_uint_eq(spend.count, 1);
	ck_assert_uint_eq(spend.ranges[0].first, 1);
	ck_assert_uint_eq(spend.ranges[0].count, 2);
	ck_assert_uint_eq(spend.price, 2);
	ck_status(reserve(1, 2), SP_OK);	/* a retry of one transfer uses the same serials */
	ck_assert_uint_eq(spend.ranges[0].first, 1);
	ck_assert_uint_eq(free_now(), 23);
	ck_assert_uint_eq(balance.reserved, 2);
	mark(1, SERIAL_FRANKED);
	mark(1, SERIAL_SPENT);
	ck_assert_uint_eq(free_now(), 23);
	ck_assert_uint_eq(balance.spent, 2);
	ck_status(reserve(2, 100), SP_OK);	/* a size that costs nothing */
	ck_assert_uint_eq(spend.price, 0);
	ck_assert_uint_eq(spend.count, 0);
	ck_assert_uint_eq(free_now(), 23);
	remove_store();
}
END_TEST

START_TEST(wal01_a_failure_before_the_frank_is_free_and_after_it_void)
{
	fresh_store();
	add_sheet(1, 10, 4, NOW + 1);
	ck_status(reserve(1, 3), SP_OK);
	mark(1, SERIAL_VOID);			/* only reserved: they come back */
	ck_assert_uint_eq(free_now(), 4);
	ck_status(reserve(2, 2), SP_OK);
	ck_assert_uint_eq(spend.ranges[0].first, 10);
	mark(2, SERIAL_FRANKED);
	mark(2, SERIAL_VOID);
	ck_assert_uint_eq(free_now(), 2);
	ck_assert_uint_eq(balance.voided, 2);
	mark(2, SERIAL_VOID);
	ck_assert_uint_eq(free_now(), 2);	/* never free again */
	ck_assert_uint_eq(balance.spent, 0);
	mark(2, SERIAL_SPENT);			/* the recipient had it after all */
	ck_assert_uint_eq(free_now(), 2);
	ck_assert_uint_eq(balance.voided, 0);
	ck_assert_uint_eq(balance.spent, 2);
	ck_status(reserve(3, 3), SP_E_CREDITS);
	ck_status(reserve(3, 1), SP_OK);
	ck_assert_uint_eq(spend.ranges[0].first, 12);
	ck_status(reserve(4, 1), SP_OK);
	ck_assert_uint_eq(spend.ranges[0].first, 13);
	ck_status(reserve(5, 1), SP_E_CREDITS);
	remove_store();
}
END_TEST

START_TEST(wal02_what_came_back_in_pieces_is_spent_together_with_the_rest)
{
	fresh_store();
	add_sheet(1, 10, 5, NOW + 1);
	ck_status(reserve(1, 1), SP_OK);
	ck_status(reserve(2, 1), SP_OK);
	ck_status(reserve(3, 1), SP_OK);
	mark(2, SERIAL_FRANKED);
	mark(1, SERIAL_VOID);
	ck_status(reserve(4, 1), SP_OK);	/* a whole piece whose neighbour is in use */
	ck_assert_uint_eq(spend.ranges[0].first, 10);
	mark(4, SERIAL_VOID);
	mark(3, SERIAL_VOID);
	ck_assert_uint_eq(free_now(), 4);	/* 10 and 12 that came back, 13 and 14 that were never used */
	ck_status(reserve(5, 5), SP_E_CREDITS);
	ck_status(reserve(5, 3), SP_OK);
	ck_assert_uint_eq(spend.price, 3);
	ck_assert_uint_eq(spend.count, 2);	/* the largest first, in a frank's order */
	ck_assert_uint_eq(spend.ranges[0].first, 10);
	ck_assert_uint_eq(spend.ranges[1].first, 13);
	ck_assert_uint_eq(spend.ranges[1].count, 2);
	ck_assert_uint_eq(free_now(), 1);
	mark(5, SERIAL_VOID);
	ck_status(reserve(6, 1), SP_OK);	/* the smallest that is enough */
	ck_assert_uint_eq(spend.ranges[0].first, 10);
	ck_status(reserve(7, 3), SP_OK);
	ck_assert_uint_eq(spend.count, 1);	/* what touches is one range */
	ck_assert_uint_eq(spend.ranges[0].first, 12);
	ck_assert_uint_eq(spend.ranges[0].count, 3);
	ck_assert_uint_eq(free_now(), 0);
	ck_status(reserve(7, 3), SP_OK);	/* and stays it */
	ck_assert_uint_eq(spend.count, 1);
	remove_store();
}
END_TEST

START_TEST(the_oldest_sheet_that_is_open_and_valid_is_spent_first)
{
	struct sp_id id = number(2);

	fresh_store();
	add_sheet(1, 1, 5, NOW);		/* has ended */
	add_sheet(2, 1, 5, NOW + 1);
	add_sheet(3, 1, 5, NOW + 1);
	ck_assert_uint_eq(free_now(), 10);
	ck_status(reserve(1, 5), SP_OK);
	ck_assert(sp_id_eq(&spend_sheet, &id));
	ck_status(store_sheet_state(store, &id, 2, true, 6, answered, NULL), SP_OK);
	run_loop();
	ck_assert_uint_eq(free_now(), 5);
	remove_store();
}
END_TEST

static void
report(uint8_t sheet, uint32_t epoch, bool closed, uint32_t next)
{
	struct sp_id id = number(sheet);

	ck_status(store_sheet_state(store, &id, epoch, closed, next, answered, NULL), SP_OK);
	run_loop();
	ck_status(answer_status, SP_OK);
}

START_TEST(wal09_what_creditd_was_not_told_of_is_spent_up_to_the_offline_limit)
{
	fresh_store();
	offline = 10;
	add_sheet(1, 1, 25, NOW + 1);
	offline = 20;
	ck_status(reserve(1, 5), SP_OK);
	ck_status(reserve(2, 3), SP_OK);
	ck_assert_uint_eq(free_now(), 17);
	ck_assert_uint_eq(balance.withheld, 15);
	ck_status(reserve(3, 3), SP_E_CREDITS);
	ck_assert_str_eq(spend_why, "creditd must be reached before more can be spent");
	ck_status(reserve(3, 2), SP_OK);
	ck_status(reserve(4, 1), SP_E_CREDITS);
	report(1, 1, false, 9);			/* an answer that comes after more was reserved */
	ck_assert_uint_eq(free_now(), 15);
	ck_assert_uint_eq(balance.withheld, 7);
	ck_status(reserve(4, 5), SP_OK);
	report(1, 1, false, 16);
	report(1, 1, false, 11);		/* late: it takes nothing back */
	ck_status(reserve(5, 5), SP_OK);
	ck_status(reserve(6, 5), SP_OK);
	ck_assert_uint_eq(free_now(), 0);
	ck_assert_uint_eq(balance.withheld, 0);
	ck_status(reserve(7, 1), SP_E_CREDITS);
	ck_assert_str_ne(spend_why, "creditd must be reached before more can be spent");
	remove_store();
}
END_TEST

START_TEST(wal09_a_sheet_that_was_closed_stays_so)
{
	fresh_store();
	add_sheet(1, 1, 5, NOW + 1);
	report(1, 1, true, 1);
	report(1, 2, false, 1);
	ck_assert_uint_eq(free_now(), 0);
	ck_status(reserve(1, 1), SP_E_CREDITS);
	remove_store();
}
END_TEST

static enum sp_status
take_up(uint8_t transfer)
{
	struct sp_id id = number(transfer);

	ck_status(store_serials_again(store, &id, NOW, answered, NULL), SP_OK);
	run_loop();
	return answer_status;
}

/* Void serials are the transfer's own again, but not when their sheet's rest has gone back to the account. */
START_TEST(wal01_a_retry_spends_its_own_serials_and_nothing_that_went_back)
{
	fresh_store();
	add_sheet(1, 1, 2, NOW + 1);
	add_sheet(2, 1, 25, NOW);		/* over */
	ck_status(reserve(1, 1), SP_OK);
	mark(1, SERIAL_FRANKED);
	mark(1, SERIAL_VOID);
	ck_assert_uint_eq((free_now(), balance.voided), 1);
	ck_status(take_up(1), SP_OK);
	ck_status(take_up(1), SP_OK);		/* twice is once */
	ck_assert_uint_eq((free_now(), balance.reserved), 1);
	ck_assert_uint_eq(balance.voided, 0);
	ck_status(reserve(1, 1), SP_OK);
	ck_assert_uint_eq(spend.ranges[0].first, 1);
	mark(1, SERIAL_SPENT);
	ck_status(take_up(1), SP_OK);		/* what is spent stays so */
	ck_assert_uint_eq((free_now(), balance.spent), 1);

	ck_status(reserve(2, 1), SP_OK);
	mark(2, SERIAL_FRANKED);
	mark(2, SERIAL_VOID);
	report(1, 2, true, 3);
	ck_status(take_up(2), SP_E_STATE);
	ck_assert_uint_eq((free_now(), balance.voided), 1);
	remove_store();
}
END_TEST

START_TEST(serials_survive_a_crash)
{
	fresh_store();
	add_sheet(1, 1, 5, NOW + 1);
	ck_status(reserve(1, 2), SP_OK);
	close_store();
	open_store();
	ck_status(reserve(1, 2), SP_OK);
	ck_assert_uint_eq(spend.ranges[0].first, 1);
	ck_status(reserve(2, 3), SP_OK);
	ck_assert_uint_eq(spend.ranges[0].first, 3);
	remove_store();
}
END_TEST

/* A sending as a crash may leave it: its end is on the disk, its serials say nothing of it. */
static void
save_event(uint8_t transfer, bool ended, bool delivered)
{
	SP_AUTO(event_row) *row = event_row_new();

	row->id = number(transfer);
	row->kind = EVENT_SEND;
	row->peer = strdup("bob/desk@post.example");
	row->ended = ended;
	if (delivered)
		sp_buf_add_text(&row->done, "signed");
	ck_status(store_event_save(store, row, NULL, answered, NULL), SP_OK);
	run_loop();
	ck_status(answer_status, SP_OK);
}

START_TEST(wal01_serials_of_what_has_ended_are_mended_at_a_start)
{
	fresh_store();
	add_sheet(1, 1, 20, NOW + 1);
	for (uint8_t n = 1; n <= 6; n++)
		ck_status(reserve(n, n == 1 ? 1 : 2), SP_OK);
	for (uint8_t n = 3; n <= 6; n++)
		mark(n, SERIAL_FRANKED);
	mark(6, SERIAL_VOID);
	save_event(1, true, false);		/* reserved, failed: free */
	save_event(2, false, false);		/* reserved, goes on */
	save_event(3, true, false);		/* franked, failed: void */
	save_event(4, true, true);		/* franked, delivered: spent */
	save_event(5, false, true);		/* franked, delivered, waits for its receipt */
	save_event(6, true, true);		/* void, but delivered after all: spent */
	for (int again = 0; again < 2; again++) {
		ck_status(store_serials_mend(store, answered, NULL), SP_OK);
		run_loop();
		ck_status(answer_status, SP_OK);
		ck_assert_uint_eq(free_now(), 20 - 10);
		ck_assert_uint_eq(balance.reserved, 4);
		ck_assert_uint_eq(balance.voided, 2);
		ck_assert_uint_eq(balance.spent, 4);
	}
	ck_status(reserve(7, 1), SP_OK);
	ck_assert_uint_eq(spend.ranges[0].first, 1);
	ck_status(reserve(2, 2), SP_OK);
	ck_assert_uint_eq(spend.ranges[0].first, 2);
	remove_store();
}
END_TEST

static enum sp_status
take(uint8_t transfer, uint32_t first, uint32_t count, const char *sender)
{
	struct sp_id id = number(transfer);
	struct sp_hash sheet = { { 7 } };
	struct sp_serials range = { first, count };

	ck_status(store_frank_take(store, &sheet, &range, 1, &id, sender, answered, NULL), SP_OK);
	run_loop();
	return answer_status;
}

START_TEST(a_serial_is_taken_for_one_delivery_only)
{
	fresh_store();
	ck_status(take(1, 5, 2, "alice/laptop@post.example"), SP_OK);
	ck_status(take(1, 5, 2, "alice/laptop@post.example"), SP_OK);
	ck_status(take(2, 6, 1, "alice/laptop@post.example"), SP_E_SPENT);
	ck_status(take(1, 5, 2, "mallory/x@post.example"), SP_E_SPENT);
	ck_status(take(3, 4, 2, "alice/laptop@post.example"), SP_E_SPENT);
	ck_status(take(3, 4, 1, "alice/laptop@post.example"), SP_OK);	/* what was refused left nothing behind */
	remove_store();
}
END_TEST

UNIT_MAIN("store/wallet", wal01_a_retry_spends_its_own_serials_and_nothing_that_went_back,
    wal01_wal07_wal08_serials_are_reserved_once_and_spent_after_success,
    wal01_a_failure_before_the_frank_is_free_and_after_it_void, wal02_what_came_back_in_pieces_is_spent_together_with_the_rest,
    the_oldest_sheet_that_is_open_and_valid_is_spent_first,
    wal09_what_creditd_was_not_told_of_is_spent_up_to_the_offline_limit, wal09_a_sheet_that_was_closed_stays_so,
    serials_survive_a_crash, wal01_serials_of_what_has_ended_are_mended_at_a_start,
    a_serial_is_taken_for_one_delivery_only)
