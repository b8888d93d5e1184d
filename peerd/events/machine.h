/*
 * machine.h - state machines as tables: rows of (state, happening) -> (next state, action), from which code, documentation
 * and tests follow. A pair that has no row is a protocol fault, found in one place.
 */
#ifndef PEERD_EVENTS_MACHINE_H
#define PEERD_EVENTS_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

struct live;

struct machine_state {
	int number;		/* stable: stands in the store */
	const char *name;
	bool ended;
	const char *text;	/* in plain words */
};

/* keep: nothing durable changes, the action runs at once; otherwise the row is saved first and the action follows. */
struct machine_row {
	int from, happening, to;
	bool keep;
	void (*action)(struct live *l);		/* NULL: only move */
	const char *action_name;
};

struct machine {
	const char *name;
	int restart;		/* the happening with which a start of peerd, or an order, sets an event going */
	int heard;		/* the happening that a letter of the other station is; -1: none */
	int started;		/* the one that its start is; -1: no other than heard */
	void (*ending)(struct live *l);		/* once an ended state is on the disk; NULL: nothing */
	const struct machine_state *states;
	size_t nstates;
	const struct machine_row *rows;
	size_t nrows;
	const char *const *happenings;
	size_t nhappenings;
};

/* An event's own machine; its kind says which. */
extern const struct machine send_machine, receive_machine, credit_machine, postmark_machine, lodge_machine;

/* NULL if there is no such row or state. */
const struct machine_row *machine_find(const struct machine *m, int state, int happening);
const struct machine_state *machine_state(const struct machine *m, int number);

#endif
