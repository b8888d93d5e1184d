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

/* But for the user's wish to try a sending again, which no letter can bring about. */
START_TEST(nothing_follows_an_end_and_everything_else_survives_a_restart)
{
	for (size_t k = 0; k < MACHINES; k++)
		for (size_t s = 0; s < machines[k]->nstates; s++) {
			const struct machine_state *state = &machines[k]->states[s];
			size_t rows = 0;

			for (size_t h = 0; h < machines[k]->nhappenings; h++)
				rows += machine_find(machines[k], state->number, (int)h) != NULL &&
				    !(machines[k] == &send_machine && h == SEND_ON_RETRY);
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
    wal01_no_way_from_delivered_to_free, paths_of_any_bytes_come_back)
