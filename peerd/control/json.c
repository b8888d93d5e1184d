/*
 * json.c - the objects of the API, made from rows.
 */
#include "peerd/control/json.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/statements/offer.h"
#include "common/statements/postmark.h"
#include "common/statements/statement.h"
#include "peerd/events/paths.h"

json_t *
json_safe_text(const char *foreign)
{
	SP_AUTO_DONE(sp_buf) safe = { 0 };

	if (foreign == NULL)
		return json_null();
	/* newlines are harmless in JSON and wanted in messages */
	for (const char *p = foreign; *p != 0;) {
		size_t n = strcspn(p, "\n");

		sp_printable_add(&safe, sp_span(p, n));
		if (p[n] == '\n')
			sp_buf_add_u8(&safe, '\n');
		p += n + (p[n] == '\n');
	}
	return json_stringn((const char *)sp_buf_cstr(&safe), safe.len);
}

json_t *
json_time(uint64_t wall_ms)
{
	char text[SP_TIME_TEXT];

	return wall_ms == 0 ? json_null() : json_string(sp_clock_text(wall_ms, text));
}

static const struct advice {
	enum sp_status st;
	const char *text;
} advices[] = {
	{ SP_E_NOKEY, "enter it first: sealpost book add NAME" },
	{ SP_E_NOTENROLLED, "enrol first: sealpost enrol TOKEN" },
	{ SP_E_NOTINBOOK, "ask the recipient to enter you: sealpost book add YOUR-NAME" },
	{ SP_E_CONNECT, "is the other machine on, peerd running there, and its address right? try sealpost who NAME" },
	{ SP_E_TIMEOUT, "is the other machine on, peerd running there, and its address right? try sealpost who NAME" },
	{ SP_E_TOKEN, "ask your operator for a new invitation" },
	{ SP_E_DUPLICATE, "rename one of them, or send them one after the other" },
	{ SP_E_SPACE, "free some space and try again" },
	{ SP_E_CHANGED, "send again when nobody writes to the files" },
	{ SP_E_CLOCK, "set the clock of the machine that is wrong" },
	{ SP_E_CREDITS, "get more: sealpost credits add 25" },
	{ SP_E_ACCOUNT, "ask your operator which account you may draw on, and name it: sealpost credits add --account NUMBER" },
	{ SP_E_BALANCE, "ask your operator to have the account filled" },
	{ SP_E_LIMIT, "the recipient can raise the setting largest" },
	{ SP_E_FULL, "try again in a moment" },
};

const char *
json_advice(enum sp_status st)
{
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		if (advices[i].st == st)
			return advices[i].text;
	return NULL;
}

json_t *
json_reason(enum sp_status st, const char *text)
{
	json_t *o;

	if (st == SP_OK)
		return json_null();
	o = json_pack("{s:s, s:i, s:o}", "name", sp_status_name(st), "number", (int)st, "text",
	    json_safe_text(text != NULL && text[0] != 0 ? text : sp_status_text(st)));
	if (o != NULL && json_advice(st) != NULL)
		json_object_set_new(o, "advice", json_string(json_advice(st)));
	return o;
}

/* The word for how it ended: the same for all kinds. */
static json_t *
result(const struct event_row *row, const struct machine_state *s)
{
	if (!row->ended || s == NULL)
		return json_null();
	if (strcmp(s->name, "DELIVERED") == 0 || strcmp(s->name, "RECEIVED") == 0)
		return json_string("delivered");
	if (strcmp(s->name, "DONE") == 0)
		return json_string("done");
	if (strcmp(s->name, "GRANTED") == 0 || strcmp(s->name, "DENIED") == 0)
		return json_string(s->name[0] == 'G' ? "granted" : "denied");
	if (strcmp(s->name, "GIVEN_UP") == 0)
		return json_string(row->reason == SP_E_CANCELLED ? "cancelled" : "failed");
	return strcmp(s->name, "INCOMPLETE") == 0 ? json_string("incomplete") :
	    strcmp(s->name, "REFUSED") == 0 ? json_string("refused") :
	    strcmp(s->name, "CANCELLED") == 0 ? json_string("cancelled") : json_string("failed");
}

/* The recipient's signed word on what was sent, which may come long before the end. */
static json_t *
delivered(const struct event_row *row)
{
	struct sp_stmt_done done;

	if (row->kind != EVENT_SEND || sp_statement_read(SP_STMT_DONE, sp_buf_span(&row->done), &done, NULL) != SP_OK)
		return json_null();
	return json_string(done.result == 2 ? "incomplete" : "whole");
}

static json_t *
proof(const struct event_row *row)
{
	return json_pack("{s:o, s:b, s:o}", "delivered", delivered(row),
	    "postmarked", row->klass == SP_RECEIPT_POSTMARKED && row->payment != 0,
	    "payment", row->payment != 0 ? json_string(sp_payment_text(row->payment)) : json_null());
}

/* Of a top-up: what was asked for, and what its sheet says; null for other kinds. */
static json_t *
credits(const struct event_row *row, const struct machine_state *s)
{
	struct sp_stmt_sheet sheet;
	bool granted = s != NULL && strcmp(s->name, "GRANTED") == 0;

	if (row->kind != EVENT_CREDIT)
		return json_null();
	granted = granted && sp_statement_read(SP_STMT_SHEET, sp_buf_span(&row->done), &sheet, NULL) == SP_OK;
	return json_pack("{s:I, s:o, s:o}", "asked", (json_int_t)row->price, "granted",
	    granted ? json_integer((json_int_t)sheet.count) : json_null(), "account", json_safe_text(row->message));
}

/* Some advice is about packets, and about those that the recipient refused. */
static json_t *
reason(const struct event_row *row)
{
	json_t *o = json_reason(row->reason, row->reason_text);

	if (row->reason == SP_E_LIMIT && (row->kind == EVENT_CREDIT || (row->kind == EVENT_SEND && row->final.len == 0)))
		json_object_del(o, "advice");
	return o;
}

json_t *
json_event(const struct event_row *row)
{
	const struct machine *m = events_machine(row->kind);
	const struct machine_state *s = m != NULL ? machine_state(m, row->state) : NULL;
	bool receive = row->kind == EVENT_RECEIVE;
	char id[SP_ID_TEXT];
	json_t *o, *more = proof(row);

	o = json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:s, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:I, s:o, s:o, s:o, s:b, s:o}",
	    "id", sp_id_text(&row->id, id), "kind", m != NULL ? m->name : "other", "state", s != NULL ? s->name : "?",
	    "doing", s != NULL ? s->text : "", "ended", row->ended, "result", result(row, s),
	    "peer", row->peer != NULL ? row->peer : "", "title", json_safe_text(row->title),
	    "receipt", sp_receipt_class_text(row->klass), "price", (json_int_t)row->price, "files", (json_int_t)row->files,
	    "bytes", (json_int_t)row->bytes, "packet", (json_int_t)row->packet, "done", (json_int_t)row->done_bytes,
	    "created", json_time(row->created_ms), "ended_at", json_time(row->ended_ms), "attempts",
	    (json_int_t)row->attempts, "reason", reason(row),
	    "placed", receive && row->ended && row->reason == SP_OK ? json_safe_text(row->paths) : json_null(),
	    "receipt_file", json_safe_text(row->receipt), "unread", row->unread, "credits", credits(row, s));
	json_object_update(o, more);
	json_object_set_new(o, "next_try", row->kind == EVENT_SEND && !row->ended ? json_time(row->due_ms) : json_null());
	json_decref(more);
	return o;
}

/* REFUSE or CANCEL: whoever signed it that nothing more comes of the transfer. */
static json_t *
signed_end(const struct event_row *row)
{
	struct sp_stmt_refuse refuse;
	const struct machine *m = events_machine(row->kind);
	const struct machine_state *s = m != NULL ? machine_state(m, row->state) : NULL;
	bool refused, theirs = row->kind == EVENT_SEND && s != NULL &&
	    (strcmp(s->name, "REFUSED") == 0 || strcmp(s->name, "GIVEN_UP") == 0);

	if (row->final.len == 0)
		return json_null();
	refused = sp_statement_read(SP_STMT_REFUSE, sp_buf_span(&row->final), &refuse, NULL) == SP_OK;
	return json_pack("{s:s, s:s}", "what", refused ? "REFUSE" : "CANCEL", "by", theirs ? row->peer : "this station");
}

json_t *
json_event_whole(const struct event_row *row)
{
	json_t *o = json_event(row), *paths = json_array();
	SP_AUTO(path_list) *list = row->kind == EVENT_SEND ? path_list_parse(row->paths) : NULL;

	for (size_t i = 0; list != NULL && i < list->count; i++)
		json_array_append_new(paths, json_safe_text(list->items[i]));
	if (o == NULL || json_object_set_new(o, "paths", paths) != 0 ||
	    json_object_set_new(o, "message", json_safe_text(row->message)) != 0 ||
	    json_object_set_new(o, "signed_end", signed_end(row)) != 0 ||
	    json_object_set_new(o, "notes", json_safe_text(row->notes)) != 0) {
		json_decref(o);
		return NULL;
	}
	return o;
}
