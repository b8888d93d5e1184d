/*
 * json.h - inside peerd/control: what the API's objects look like. Foreign texts are made printable here, and nowhere else.
 */
#ifndef PEERD_CONTROL_JSON_H
#define PEERD_CONTROL_JSON_H

#include <jansson.h>

#include "peerd/events/events.h"

/* New references; NULL when out of memory (jansson takes NULL members as errors, so one check at the end is enough). */
json_t *json_safe_text(const char *foreign);			/* NULL -> null */
json_t *json_time(uint64_t wall_ms);				/* 0 -> null */
json_t *json_reason(enum sp_status st, const char *text);	/* SP_OK -> null */
json_t *json_event(const struct event_row *row);
json_t *json_event_whole(const struct event_row *row);		/* with message, paths and notes */

/* What to do about a status, in plain words; NULL if there is nothing to say. */
const char *json_advice(enum sp_status st);

#endif
