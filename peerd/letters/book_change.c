/*
 * book_change.c - entries added and removed: looked up at keyd, checked, stored, and only then in memory.
 */
#include <stdio.h>

#include "common/base/clock.h"
#include "peerd/letters/book_in.h"

/* A station's certificate that is being taken. */
struct taken {
	struct sp_identity identity;
	struct station_row row;		/* cert owned */
};

/* One change under way; in the book's list, freed by the book if it does not come to its end. */
struct book_op {
	struct book *book;
	struct book_op *next;
	bool removes;
	struct sp_name name;
	struct book_row entry;
	struct taken *taken;		/* owned */
	size_t ntaken;
	size_t waiting;			/* answers of the store */
	enum sp_status st;		/* first failure */
	struct sp_why why;
	book_done_fn *fn;
	void *arg;
};

static void
op_free(struct book_op *op)
{
	struct book_op **at = &op->book->ops;

	while (*at != op)
		at = &(*at)->next;
	*at = op->next;
	for (size_t i = 0; i < op->ntaken; i++)
		sp_buf_done(&op->taken[i].row.cert);
	free(op->taken);
	free(op);
}

void
book_free(struct book *b)
{
	if (b == NULL)
		return;
	while (b->ops != NULL)
		op_free(b->ops);
	known_clear(&b->known);
	free(b->entries);
	free(b);
}

static void
op_end(struct book_op *op, enum sp_status st, const struct sp_why *why)
{
	book_done_fn *fn = op->fn;
	void *arg = op->arg;
	struct sp_why words = *why;

	op_free(op);
	if (fn != NULL)
		fn(arg, st, &words);
}

/* The store has it all: now it counts. */
static enum sp_status
apply(struct book_op *op)
{
	struct book *b = op->book;
	enum sp_status st;

	if (op->removes) {
		entries_remove(b, op->entry.name);
	} else {
		if ((st = entries_put(b, &op->entry)) != SP_OK)
			return st;
		for (size_t i = 0; i < op->ntaken; i++)
			if (known_put(&b->known, &op->taken[i].identity, sp_buf_span(&op->taken[i].row.cert)) == NULL)
				return SP_E_NOMEM;
	}
	book_refresh_all(b, &op->name);
	return SP_OK;
}

static void
stored(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct book_op *op = arg;

	if (op->st == SP_OK && st != SP_OK) {
		op->st = st;
		op->why = *why;
	}
	if (--op->waiting > 0)
		return;
	if (op->st == SP_OK)
		op->st = apply(op);
	op_end(op, op->st, &op->why);
}

/* What could not even be queued; what is queued already is waited for. */
static void
not_queued(struct book_op *op, enum sp_status st)
{
	if (op->st == SP_OK)
		op->st = sp_fail(st, &op->why, "the book cannot be written now: %s", sp_status_text(st));
	if (op->waiting == 0)
		op_end(op, op->st, &op->why);
}

static bool
queued(struct book_op *op, enum sp_status st)
{
	if (st == SP_OK)
		op->waiting++;
	else
		not_queued(op, st);
	return st == SP_OK;
}

/* Stations first: an entry never stands there without them. */
static void
store_all(struct book_op *op)
{
	struct store *s = op->book->store;

	for (size_t i = 0; i < op->ntaken; i++)
		if (!queued(op, store_station_put(s, &op->taken[i].row, stored, op)))
			return;
	queued(op, store_book_put(s, &op->entry, stored, op));
}

/* Keeps a certificate that is right; of two for one station the younger. */
static enum sp_status
take(struct book_op *op, struct sp_span der, struct sp_why *why)
{
	struct book *b = op->book;
	struct taken new = { 0 }, *old = NULL;
	const struct known *k;
	enum sp_status st;

	if ((st = sp_trust_check(member_trust(b->station), der, sp_clock_end_ms(), &new.identity, why)) != SP_OK)
		return st;
	if (!new.identity.has_keys || !identity_is_of(&new.identity, &op->name))
		return sp_fail(SP_E_IDENTITY, why, "the directory gave the certificate of somebody else");
	sp_identity_text(&new.identity, new.row.name);
	for (size_t i = 0; i < op->ntaken && old == NULL; i++)
		if (strcmp(op->taken[i].row.name, new.row.name) == 0)
			old = &op->taken[i];
	if (old != NULL && old->identity.not_before > new.identity.not_before)
		return SP_OK;
	if ((k = known_by_name(&b->known, new.row.name)) != NULL) {
		strcpy(new.row.seen, k->c.seen);
		new.row.seen_ms = k->c.seen_ms;
	}
	strcpy(new.row.address, op->entry.address);
	sp_buf_add_span(&new.row.cert, der);
	if ((st = sp_buf_status(&new.row.cert)) != SP_OK)
		return st;
	if (old == NULL)
		old = &op->taken[op->ntaken++];
	sp_buf_done(&old->row.cert);
	*old = new;
	return SP_OK;
}

static void
looked_up(void *arg, enum sp_status st, const struct sp_why *why, const struct sp_span *certs, size_t count)
{
	struct book_op *op = arg;
	struct sp_why words = { "" };
	enum sp_status bad = SP_OK;

	if (st == SP_OK && count == 0)
		st = SP_E_NOTFOUND;
	if (st == SP_E_NOTFOUND) {
		sp_fail(st, &words, "no station of %s is known at the directory", op->entry.name);
		op_end(op, st, &words);
		return;
	}
	if (st == SP_OK && (op->taken = calloc(count, sizeof(*op->taken))) == NULL) {
		st = SP_E_NOMEM;
		why = &words;
	}
	if (st != SP_OK) {
		op_end(op, st, why);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if ((st = take(op, certs[i], &words)) != SP_OK)
			bad = st;
	if (op->ntaken == 0)
		op_end(op, bad, &words);
	else
		store_all(op);
}

static struct book_op *
op_new(struct book *b, bool removes, const char *name, book_done_fn *fn, void *arg)
{
	struct book_op *op = calloc(1, sizeof(*op));

	if (op == NULL)
		return NULL;
	*op = (struct book_op){ .book = b, .next = b->ops, .removes = removes, .fn = fn, .arg = arg };
	b->ops = op;
	op->entry.added_ms = sp_clock_wall_ms();
	op->st = sp_name_parse(sp_span_str(name), &op->name);
	if (op->st != SP_OK)
		sp_fail(op->st, &op->why, "a name is person@domain or person/station@domain, in lower case");
	else
		sp_name_text(&op->name, op->entry.name);
	return op;
}

enum sp_status
book_address(const char *address, char out[BOOK_ADDRESS], struct sp_why *why)
{
	char host[SP_HOST_MAX + 1];
	struct sp_addr numeric;
	uint16_t port;
	enum sp_status st;

	out[0] = '\0';
	if (address == NULL || address[0] == '\0')
		return SP_OK;
	st = sp_hostport_split(sp_span_str(address), SP_PORT_COMMAND, host, &port);
	if (st == SP_OK && strchr(host, ':') != NULL)
		st = sp_addr_parse(sp_span_str(host), port, &numeric);
	if (st != SP_OK || port == 0)
		return sp_fail(SP_E_FORMAT, why, "an address is HOST or HOST:PORT (IPv6: [ADDRESS]:PORT)");
	snprintf(out, BOOK_ADDRESS, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
	return SP_OK;
}

void
book_add(struct book *b, const char *name, const char *address, book_done_fn *fn, void *arg)
{
	struct book_op *op = op_new(b, false, name, fn, arg);
	char own[SP_NAME_TEXT];

	if (op == NULL) {
		fn(arg, SP_E_NOMEM, &(struct sp_why){ "" });
		return;
	}
	if (op->st == SP_OK)
		op->st = book_address(address, op->entry.address, &op->why);
	if (op->st == SP_OK && !member_is_enrolled(b->station))
		op->st = sp_fail(SP_E_NOTENROLLED, &op->why,
		    "this station is not enrolled yet: \"sealpost enrol TOKEN\"");
	if (op->st == SP_OK && strcmp(op->entry.name, sp_identity_text(member_identity(b->station), own)) == 0)
		op->st = sp_fail(SP_E_ARGUMENT, &op->why, "%s is this station itself", own);
	if (op->st != SP_OK)
		op_end(op, op->st, &op->why);
	else
		member_lookup(b->station, op->entry.name, looked_up, op);
}

void
book_remove(struct book *b, const char *name, book_done_fn *fn, void *arg)
{
	struct book_op *op = op_new(b, true, name, fn, arg);

	if (op == NULL) {
		fn(arg, SP_E_NOMEM, &(struct sp_why){ "" });
		return;
	}
	if (op->st == SP_OK && entries_find(b, op->entry.name) == NULL)
		op->st = sp_fail(SP_E_NOTFOUND, &op->why, "%s is not in the book", op->entry.name);
	if (op->st != SP_OK)
		op_end(op, op->st, &op->why);
	else
		queued(op, store_book_remove(b->store, op->entry.name, stored, op));
}
