/*
 * events_machine_test.c - the tables of the lives of events: every state can be reached, left and resumed after a restart,
 * and nothing follows an end.
 */
#include <string.h>

#include "peerd/events/paths.h"
#include "peerd/events/receive.h"
#include "peerd/events/send.h"
#include "tests/unit/unit.h"

static const struct machine *const machines[] = { &send_machine, &receive_machine, &credit_machine, &postmark_machine,
    &lodge_machine };
#define MACHINES (sizeof(machines) / sizeof(machines[0]))

START_TEST(every_row_names_states_of_its_machine_once)
{
	for (size_t k = 0; k < MACHINES; k++)
		for (size_t i = 0; i < machines[k]->nrows; i++) {
			const struct machine_row *r = &machines[k]->rows[i];

			ck_assert_ptr_nonnull(machine_state(machines[k], r->from));
			ck_assert_ptr_nonnull(machine_state(machines[k], r->to));
			ck_assert_uint_lt((size_t)r->happening, machines[k]->nhappenings);
			ck_assert_ptr_eq(machine_find(machines[k], r->from, r->happening), r);
			ck_assert_msg(!r->keep || r->from == r->to, "a row that keeps everything moves");
		}
}
END_TEST

/* But for the user's wish to try a sending again, and for the recipient's signature under what was given up too late. */
static bool
may_follow_an_end(const struct machine *m, int happening)
{
	return m == &send_machine && (happening == SEND_ON_RETRY || happening == SEND_ON_DONE || happening == SEND_ON_SETTLED);
}

START_TEST(nothing_follows_an_end_and_everything_else_survives_a_restart)
{
	for (size_t k = 0; k < MACHINES; k++)
		for (size_t s = 0; s < machines[k]->nstates; s++) {
			const struct machine_state *state = &machines[k]->states[s];
			size_t rows = 0;

			for (size_t h = 0; h < machines[k]->nhappenings; h++)
				rows += machine_find(machines[k], state->number, (int)h) != NULL &&
				    !may_follow_an_end(machines[k], (int)h);
			if (state->ended)
				ck_assert_uint_eq(rows, 0);
			else
				ck_assert_msg(machine_find(machines[k], state->number, 0) != NULL,
				    "%s does not say what follows a restart in %s", machines[k]->name, state->name);
		}
	ck_assert_str_eq(send_machine.happenings[0], "RESTART");
	ck_assert_str_eq(receive_machine.happenings[0], "RESTART");
}
END_TEST

START_TEST(every_state_is_reached_from_the_first)
{
	for (size_t k = 0; k < MACHINES; k++) {
		bool reached[64] = { false };
		bool grew = true;

		reached[machines[k]->states[0].number] = true;
		while (grew) {
			grew = false;
			for (size_t i = 0; i < machines[k]->nrows; i++) {
				const struct machine_row *r = &machines[k]->rows[i];

				if (reached[r->from] && !reached[r->to])
					grew = reached[r->to] = true;
			}
		}
		for (size_t s = 0; s < machines[k]->nstates; s++)
			ck_assert_msg(reached[machines[k]->states[s].number], "%s never gets to %s", machines[k]->name,
			    machines[k]->states[s].name);
	}
}
END_TEST

/* After the recipient's signature nothing may lead to another end than that the packet was delivered, but a bad receipt. */
START_TEST(wal01_no_way_from_delivered_to_free)
{
	for (size_t h = 0; h < send_machine.nhappenings; h++) {
		const struct machine_row *r = machine_find(&send_machine, SEND_FETCHING, (int)h);

		if (r != NULL)
			ck_assert(r->to != SEND_CANCELLED && r->to != SEND_REFUSED && r->to != SEND_PAUSED &&
			    r->to != SEND_WALKING);
	}
	for (size_t h = 0; h < send_machine.nhappenings; h++)
		for (int state = SEND_POSTMARKING; state <= SEND_POSTMARK_LATE; state++) {
			const struct machine_row *r = machine_find(&send_machine, state, (int)h);

			if (r != NULL)
				ck_assert(r->to == SEND_POSTMARKING || r->to == SEND_POSTMARK_LATE || r->to == SEND_DELIVERED ||
				    r->to == SEND_INCOMPLETE);
		}
	for (size_t h = 0; h < receive_machine.nhappenings; h++) {
		const struct machine_row *r = machine_find(&receive_machine, RECEIVE_PLACED, (int)h);

		if (r != NULL)
			ck_assert(r->to == RECEIVE_PLACED || r->to == RECEIVE_RECEIVED || r->to == RECEIVE_INCOMPLETE);
	}
}
END_TEST

/* Every state x happening of the sender's and the recipient's machine is looked through: what a letter, the user or the clock can bring in
 * each state is either a row, or one of the pairs that cannot come or mean nothing. */
static void
heeds(const struct machine *m, int happening, const int *states, size_t n)
{
	for (size_t s = 0; s < m->nstates; s++) {
		bool listed = false;

		for (size_t i = 0; i < n; i++)
			listed = listed || states[i] == m->states[s].number;
		ck_assert_msg((machine_find(m, m->states[s].number, happening) != NULL) == listed, "%s: %s in %s", m->name,
		    m->happenings[happening], m->states[s].name);
	}
}
#define HEEDS(m, happening, ...) heeds(&(m), happening, (const int[]){ __VA_ARGS__ }, sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))

START_TEST(wal01_what_can_come_to_a_sending_and_when)
{
	HEEDS(send_machine, SEND_ON_WALKED, SEND_WALKING);
	HEEDS(send_machine, SEND_ON_NEED_SOURCE, SEND_OFFERING);
	HEEDS(send_machine, SEND_ON_ACCEPTED, SEND_OFFERING);
	HEEDS(send_machine, SEND_ON_ASKED_TO_WAIT, SEND_OFFERING, SEND_SENDING);
	HEEDS(send_machine, SEND_ON_REFUSED, SEND_OFFERING, SEND_SENDING, SEND_PAUSED, SEND_WAITING);
	HEEDS(send_machine, SEND_ON_SENT, SEND_SENDING);
	HEEDS(send_machine, SEND_ON_BROKEN, SEND_OFFERING, SEND_SENDING);
	HEEDS(send_machine, SEND_ON_AWAY, SEND_OFFERING, SEND_SENDING);
	HEEDS(send_machine, SEND_ON_AGAIN, SEND_WAITING);
	HEEDS(send_machine, SEND_ON_HEARD, SEND_WAITING);
	HEEDS(send_machine, SEND_ON_STARTED, SEND_CONFIRMING);
	/* only what ended without the recipient's signature can be tried again */
	HEEDS(send_machine, SEND_ON_RETRY, SEND_FAILED, SEND_CANCELLED);
	HEEDS(send_machine, SEND_ON_FAILURE, SEND_WALKING, SEND_OFFERING, SEND_SENDING, SEND_WAITING, SEND_FETCHING);
	HEEDS(send_machine, SEND_ON_DONE, SEND_OFFERING, SEND_CONFIRMING, SEND_PAUSED, SEND_WAITING, SEND_FAILED, SEND_CANCELLED);
	HEEDS(send_machine, SEND_ON_SETTLED, SEND_OFFERING, SEND_CONFIRMING, SEND_PAUSED, SEND_WAITING, SEND_FAILED,
	    SEND_CANCELLED);
	HEEDS(send_machine, SEND_ON_TIMER, SEND_WALKING, SEND_CONFIRMING, SEND_PAUSED, SEND_WAITING, SEND_FETCHING, SEND_POSTMARKING,
	    SEND_POSTMARK_LATE);
	HEEDS(send_machine, SEND_ON_CANCEL, SEND_WALKING, SEND_OFFERING, SEND_SENDING, SEND_CONFIRMING, SEND_PAUSED, SEND_WAITING);
	HEEDS(send_machine, SEND_ON_PEER_CANCEL, SEND_WALKING, SEND_OFFERING, SEND_SENDING, SEND_CONFIRMING, SEND_PAUSED,
	    SEND_WAITING);
	HEEDS(send_machine, SEND_ON_MARK_READY, SEND_POSTMARKING, SEND_POSTMARK_LATE);
}
END_TEST

START_TEST(rc13_what_can_come_to_a_receiving_and_when)
{
	HEEDS(receive_machine, RECEIVE_ON_OFFERED, RECEIVE_ASKED, RECEIVE_ALLOWED, RECEIVE_RECEIVING, RECEIVE_INTERRUPTED,
	    RECEIVE_CHECKED, RECEIVE_PLACING, RECEIVE_PLACED);
	HEEDS(receive_machine, RECEIVE_ON_ASK, RECEIVE_ASKED);
	HEEDS(receive_machine, RECEIVE_ON_ALLOW, RECEIVE_ASKED);
	HEEDS(receive_machine, RECEIVE_ON_DENY, RECEIVE_ASKED);
	HEEDS(receive_machine, RECEIVE_ON_UNWANTED, RECEIVE_ASKED, RECEIVE_ALLOWED, RECEIVE_RECEIVING, RECEIVE_INTERRUPTED);
	HEEDS(receive_machine, RECEIVE_ON_PAID, RECEIVE_RECEIVING, RECEIVE_INTERRUPTED);
	HEEDS(receive_machine, RECEIVE_ON_LOST, RECEIVE_CHECKED);
	HEEDS(receive_machine, RECEIVE_ON_CHECKED, RECEIVE_RECEIVING);
	HEEDS(receive_machine, RECEIVE_ON_BROKEN, RECEIVE_RECEIVING, RECEIVE_INTERRUPTED);
	HEEDS(receive_machine, RECEIVE_ON_FAILURE, RECEIVE_ALLOWED, RECEIVE_RECEIVING, RECEIVE_INTERRUPTED, RECEIVE_CHECKED,
	    RECEIVE_PLACING);
	HEEDS(receive_machine, RECEIVE_ON_SYNCED, RECEIVE_CHECKED);
	HEEDS(receive_machine, RECEIVE_ON_MOVED, RECEIVE_PLACING);
	HEEDS(receive_machine, RECEIVE_ON_ANSWERED, RECEIVE_PLACED);
	HEEDS(receive_machine, RECEIVE_ON_HEARD, RECEIVE_ALLOWED, RECEIVE_PLACED);
	HEEDS(receive_machine, RECEIVE_ON_EXPIRED, RECEIVE_ASKED, RECEIVE_ALLOWED, RECEIVE_INTERRUPTED, RECEIVE_PLACED);
	HEEDS(receive_machine, RECEIVE_ON_CANCEL, RECEIVE_ASKED, RECEIVE_ALLOWED, RECEIVE_RECEIVING, RECEIVE_INTERRUPTED);
	/* once it is being placed the sender hears DONE instead */
	HEEDS(receive_machine, RECEIVE_ON_PEER_CANCEL, RECEIVE_ASKED, RECEIVE_ALLOWED, RECEIVE_RECEIVING, RECEIVE_INTERRUPTED,
	    RECEIVE_CHECKED);
}
END_TEST

/* Whatever a machine waits for, there is a way to an end without anybody's help: the clock's, or its own failure. */
START_TEST(every_state_leads_to_an_end)
{
	for (size_t k = 0; k < MACHINES; k++) {
		bool ends[64] = { false };
		bool grew = true;

		for (size_t s = 0; s < machines[k]->nstates; s++)
			ends[machines[k]->states[s].number] = machines[k]->states[s].ended;
		while (grew) {
			grew = false;
			for (size_t i = 0; i < machines[k]->nrows; i++) {
				const struct machine_row *r = &machines[k]->rows[i];

				if (ends[r->to] && !ends[r->from])
					grew = ends[r->from] = true;
			}
		}
		for (size_t s = 0; s < machines[k]->nstates; s++)
			ck_assert_msg(ends[machines[k]->states[s].number], "%s: %s never ends", machines[k]->name,
			    machines[k]->states[s].name);
	}
}
END_TEST

START_TEST(paths_of_any_bytes_come_back)
{
	static const char *const paths[] = { "/a b/c%d", "/new\nline", "/\xff\xfe", "/plain" };
	SP_AUTO_DONE(sp_buf) text = { 0 };
	SP_AUTO(path_list) *list = NULL;

	path_list_print(paths, 4, &text);
	list = path_list_parse(sp_buf_cstr(&text));
	ck_assert_ptr_nonnull(list);
	ck_assert_uint_eq(list->count, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_eq(list->items[i], paths[i]);
}
END_TEST

UNIT_MAIN("events/machine", every_row_names_states_of_its_machine_once,
    nothing_follows_an_end_and_everything_else_survives_a_restart, every_state_is_reached_from_the_first,
    wal01_no_way_from_delivered_to_free, wal01_what_can_come_to_a_sending_and_when,
    rc13_what_can_come_to_a_receiving_and_when, every_state_leads_to_an_end, paths_of_any_bytes_come_back)
