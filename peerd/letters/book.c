/*
 * book.c - the book in memory: loading, looking up, what letters teach. Adding and removing entries is in
 * book_change.c.
 */
#include "peerd/letters/book.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "peerd/letters/book_in.h"

#define SAVE_SEEN_MS (3600u * 1000)	/* an address that stays is written no more often */

/* ---- entries ---- */
static size_t
place_of(const struct book *b, const char *name)
{
	size_t low = 0, high = b->nentries;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (strcmp(b->entries[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct book_row *
entries_find(const struct book *b, const char *name)
{
	size_t at = place_of(b, name);

	return at < b->nentries && strcmp(b->entries[at].name, name) == 0 ? &b->entries[at] : NULL;
}

enum sp_status
entries_put(struct book *b, const struct book_row *entry)
{
	struct book_row *same = entries_find(b, entry->name);
	size_t at = place_of(b, entry->name);

	if (same != NULL) {
		*same = *entry;
		return SP_OK;
	}
	if (b->nentries == b->room) {
		size_t room = b->room == 0 ? 16 : 2 * b->room;
		struct book_row *entries = reallocarray(b->entries, room, sizeof(*entries));

		if (entries == NULL)
			return SP_E_NOMEM;
		b->entries = entries;
		b->room = room;
	}
	memmove(b->entries + at + 1, b->entries + at, (b->nentries - at) * sizeof(*entry));
	b->entries[at] = *entry;
	b->nentries++;
	return SP_OK;
}

void
entries_remove(struct book *b, const char *name)
{
	struct book_row *entry = entries_find(b, name);

	if (entry == NULL)
		return;
	b->nentries--;
	memmove(entry, entry + 1, (size_t)(b->entries + b->nentries - entry) * sizeof(*entry));
}

size_t
book_count(const struct book *b)
{
	return b->nentries;
}

const struct book_row *
book_entry(const struct book *b, size_t number)
{
	return number < b->nentries ? &b->entries[number] : NULL;
}

void
book_refresh(struct book *b, struct known *k)
{
	struct sp_name person = k->c.identity.name;
	const struct book_row *own = NULL, *whole = NULL;
	char name[SP_NAME_TEXT];

	if (k->c.identity.role == SP_ROLE_STATION) {
		person.station[0] = '\0';
		own = entries_find(b, k->name);
		whole = entries_find(b, sp_name_text(&person, name));
	}
	known_set_in_book(&b->known, k, own != NULL || whole != NULL);
	if (own == NULL || own->address[0] == '\0')
		own = whole;
	strcpy(k->c.address, own != NULL ? own->address : "");
}

void
book_refresh_all(struct book *b, const struct sp_name *name)
{
	for (struct known *k = b->known.newest; k != NULL; k = k->older)
		if (name == NULL || identity_is_of(&k->c.identity, name))
			book_refresh(b, k);
}

struct station_row
book_station_row(const struct known *k)
{
	struct station_row row = { .cert = k->c.cert, .seen_ms = k->c.seen_ms };

	strcpy(row.name, k->name);
	strcpy(row.address, k->c.address);
	strcpy(row.seen, k->c.seen);
	return row;
}

/* ---- loading ---- */
static enum sp_status
take_station(struct book *b, const struct station_row *row)
{
	struct sp_identity identity;
	struct sp_why why = { "" };
	struct known *k;

	/* They were checked before they were stored; whether they still hold is asked at each use. */
	if (sp_identity_read(sp_buf_span(&row->cert), &identity, &why) != SP_OK) {
		sp_log(SP_LOG_ERR, "book-certificate", "name=%s reason=\"%s\"", row->name, why.text);
		return SP_OK;
	}
	if ((k = known_put(&b->known, &identity, sp_buf_span(&row->cert))) == NULL)
		return SP_E_NOMEM;
	strcpy(k->c.seen, row->seen);
	k->c.seen_ms = row->seen_ms < b->start_ms ? row->seen_ms : b->start_ms;
	return SP_OK;
}

static void
loaded(void *arg, enum sp_status st, const struct book_row *entries, size_t nentries,
    const struct station_row *stations, size_t nstations)
{
	struct book *b = arg;
	struct sp_why why = { "" };

	for (size_t i = 0; i < nentries && st == SP_OK; i++)
		st = entries_put(b, &entries[i]);
	for (size_t i = 0; i < nstations && st == SP_OK; i++)
		st = take_station(b, &stations[i]);
	book_refresh_all(b, NULL);
	if (st != SP_OK)
		sp_fail(st, &why, "the book cannot be read: %s", sp_status_text(st));
	if (b->ready != NULL)
		b->ready(b->ready_arg, st, &why);
}

struct book *
book_new(struct store *store, struct member *station, book_done_fn *ready, void *arg)
{
	SP_AUTO(book) *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->store = store;
	b->station = station;
	b->start_ms = sp_clock_wall_ms();
	b->ready = ready;
	b->ready_arg = arg;
	if (store_book_load(store, loaded, b) != SP_OK)
		return NULL;
	return sp_take(&b);
}

/* ---- looking up ---- */
static const struct correspondent *
public_of(const struct known *k)
{
	return k != NULL ? &k->c : NULL;
}

const struct correspondent *
book_by_key(const struct book *b, const uint8_t letter_key[SP_X25519])
{
	return public_of(known_by_key(&b->known, letter_key));
}

const struct correspondent *
book_by_cert(const struct book *b, const struct sp_hash *cert_hash)
{
	return public_of(known_by_cert(&b->known, cert_hash));
}

const struct correspondent *
book_by_name(const struct book *b, const char *name)
{
	const struct correspondent *one[1];
	const struct known *k = known_by_name(&b->known, name);

	if (k != NULL)
		return &k->c;
	return book_stations(b, name, one, 1) == 1 ? one[0] : NULL;
}

size_t
book_stations(const struct book *b, const char *name, const struct correspondent **out, size_t max)
{
	struct sp_name parsed;
	size_t n = 0;

	if (sp_name_parse(sp_span_str(name), &parsed) != SP_OK)
		return 0;
	for (const struct known *k = b->known.oldest; k != NULL; k = k->newer) {
		if (!identity_is_of(&k->c.identity, &parsed))
			continue;
		if (n < max)
			out[n] = &k->c;
		n++;
	}
	return n;
}

void
book_each(const struct book *b, void (*fn)(void *arg, const struct correspondent *c), void *arg)
{
	for (const struct known *k = b->known.oldest; k != NULL; k = k->newer)
		if (k->c.in_book)
			fn(arg, &k->c);
}

bool
correspondent_holds(const struct correspondent *c, uint64_t wall_ms)
{
	int64_t now = (int64_t)(wall_ms / 1000);

	return c->identity.not_before <= now && now <= c->identity.not_after;
}

const char *
correspondent_clock(const struct correspondent *c, char out[CORRESPONDENT_CLOCK])
{
	uint64_t minutes = c != NULL ? (uint64_t)llabs(c->offset_ms) / 60000 : 0;
	char name[SP_NAME_TEXT];

	out[0] = 0;
	if (minutes > 0)
		snprintf(out, CORRESPONDENT_CLOCK, "the clock of %s is %llu minutes %s this one",
		    sp_identity_text(&c->identity, name), (unsigned long long)minutes,
		    c->offset_ms > 0 ? "ahead of" : "behind");
	return out;
}

/* ---- what letters teach ---- */
static void
forget_oldest_stranger(struct known_table *t)
{
	struct known *k = t->oldest;

	while (k != NULL && k->c.in_book)
		k = k->newer;
	if (k != NULL)
		known_remove(t, k);
}

static void
save_station(struct book *b, struct known *k)
{
	struct station_row row = book_station_row(k);
	enum sp_status st = store_station_put(b->store, &row, NULL, NULL);

	if (st != SP_OK)
		sp_log(SP_LOG_WARN, "station-not-stored", "name=%s status=%s", k->name, sp_status_name(st));
	k->saved_ms = sp_clock_boot_ms();
}

enum sp_status
book_learn_cert(struct book *b, struct sp_span der, const struct correspondent **ret, struct sp_why *why)
{
	struct sp_identity identity;
	char name[SP_NAME_TEXT];
	enum sp_status st;
	struct known *k;

	if (!member_is_enrolled(b->station))
		return sp_fail(SP_E_NOTENROLLED, why, "this station is not enrolled yet");
	if ((st = sp_trust_check(member_trust(b->station), der, sp_clock_end_ms(), &identity, why)) != SP_OK)
		return st;
	if (!identity.has_keys)
		return sp_fail(SP_E_CERT, why, "the certificate holds no letter key");
	k = known_by_name(&b->known, sp_identity_text(&identity, name));
	if (k != NULL && !sp_hash_eq(&k->c.identity.hash, &identity.hash) && k->c.in_book)
		return sp_fail(SP_E_MISMATCH, why, "%s has another certificate now; \"sealpost book add\" takes it",
		    name);
	if (k == NULL || !sp_hash_eq(&k->c.identity.hash, &identity.hash)) {
		if (k == NULL && b->known.strangers >= SP_KNOWN_STRANGERS)
			forget_oldest_stranger(&b->known);
		if ((k = known_put(&b->known, &identity, der)) == NULL)
			return SP_E_NOMEM;
		book_refresh(b, k);
		if (k->c.in_book)
			save_station(b, k);
	}
	*ret = &k->c;
	return SP_OK;
}

void
book_seen(struct book *b, const struct sp_hash *cert_hash, const struct sp_addr *from, uint64_t letter_ms)
{
	struct known *k = known_by_cert(&b->known, cert_hash);
	char text[SP_ADDR_TEXT];

	if (k == NULL || letter_ms <= k->c.seen_ms || letter_ms <= b->start_ms)
		return;
	k->c.seen_ms = letter_ms;
	k->c.fresh = *from;
	sp_addr_text(from, text);
	if (strcmp(text, k->c.seen) == 0 && sp_clock_boot_ms() - k->saved_ms < SAVE_SEEN_MS)
		return;
	strcpy(k->c.seen, text);
	if (k->c.in_book)
		save_station(b, k);
}

void
book_proved(struct book *b, const struct sp_hash *cert_hash, const struct sp_addr *from)
{
	struct known *k = known_by_cert(&b->known, cert_hash);

	if (k != NULL)
		k->c.proved = k->c.fresh = *from;
}

void
book_offset(struct book *b, const struct sp_hash *cert_hash, int64_t offset_ms)
{
	struct known *k = known_by_cert(&b->known, cert_hash);

	if (k != NULL)
		k->c.offset_ms = offset_ms;
}
