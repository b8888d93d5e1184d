/*
 * machine.c - looking rows up; the tables are made in send.c and its like by table.inc.
 */
#include "peerd/events/machine.h"

const struct machine_row *
machine_find(const struct machine *m, int state, int happening)
{
	for (size_t i = 0; i < m->nrows; i++)
		if (m->rows[i].from == state && m->rows[i].happening == happening)
			return &m->rows[i];
	return NULL;
}

const struct machine_state *
machine_state(const struct machine *m, int number)
{
	for (size_t i = 0; i < m->nstates; i++)
		if (m->states[i].number == number)
			return &m->states[i];
	return NULL;
}
