/*
 * door.c - letters before they are opened: which station they may be from, whether they get a cookie instead, and the
 * cookies that our own letters get.
 */
#include "common/base/clock.h"
#include "peerd/letters/post_in.h"

/* The letter names a station of the book and comes from where that is known to be: an answer came from there, its last
 * fresh letter did, or the user said so. Over TCP its port says nothing. */
static bool
is_at_home(const struct correspondent *c, const struct sp_return *from)
{
	const char *const texts[] = { c->seen, c->address };
	struct sp_addr known[3] = { c->proved };

	for (size_t i = 0; i < 2; i++)
		if (texts[i][0] == '\0' || sp_addr_parse(sp_span_str(texts[i]), SP_PORT_COMMAND, &known[1 + i]) != SP_OK)
			known[1 + i] = (struct sp_addr){ 0 };
	for (size_t i = 0; i < 3; i++)
		if (known[i].family != 0 && (from->conn != 0 ? sp_addr_eq_host(&known[i], &from->addr) :
		    sp_addr_eq(&known[i], &from->addr)))
			return true;
	return false;
}

static void
give_cookie(struct post *p, const struct sp_guard_case *c, uint64_t now)
{
	uint8_t bytes[SP_COOKIE_LETTER];

	POST_DROP(p, cookies);
	sp_guard_cookie(p->guard, &p->own, c, now, bytes);
	if (sp_letterbox_send(p->box, &c->from->addr, sp_span(bytes, sizeof(bytes))) == SP_OK)
		p->counts.out++;
}

bool
door_admits(struct post *p, const struct sp_return *from, struct sp_span bytes, const uint8_t key[SP_X25519])
{
	const struct correspondent *named = book_by_key(p->book, key);
	struct sp_guard_case c = { .from = from, .letter = bytes, .crowded = p->counts.open_in > SP_LETTER_OPEN / 2 };
	uint64_t now = sp_clock_boot_ms();

	if (named != NULL && named->in_book && is_at_home(named, from))
		c.station = key;
	switch (sp_guard_letter(p->guard, &c, now)) {
	case SP_GUARD_OPEN:
		return true;
	case SP_GUARD_COOKIE:
		give_cookie(p, &c, now);
		return false;
	case SP_GUARD_LIMITED:
		POST_DROP(p, limited);
		return false;
	case SP_GUARD_BUSY:
		break;
	}
	POST_DROP(p, busy);
	return false;
}

void
door_cookie_came(struct post *p, const struct sp_return *from, struct sp_span bytes)
{
	uint8_t cookie[SP_COOKIE];
	const uint8_t *ref;
	struct out *o = NULL;

	if (sp_cookie_peek(bytes, &ref) != SP_OK) {
		POST_DROP(p, malformed);
		return;
	}
	if ((o = out_by_ref(p, ref, &from->addr)) == NULL ||
	    sp_cookie_open(&o->to, sp_buf_span(&o->letter), bytes, cookie) != SP_OK) {
		POST_DROP(p, unmatched);
		return;
	}
	p->counts.cookies_taken++;
	sp_guard_keep(p->guard, &o->to, &from->addr, cookie, sp_clock_boot_ms());
	out_with_cookie(o, &from->addr);
}

bool
door_send(struct post *p, const struct sp_addr *to, struct sp_span letter)
{
	uint8_t bytes[SP_LETTER_MAX];

	if (letter.n > sizeof(bytes))
		return false;
	memcpy(bytes, letter.p, letter.n);
	sp_guard_stamp(p->guard, to, bytes, letter.n, sp_clock_boot_ms());
	if (sp_letterbox_send(p->box, to, sp_span(bytes, letter.n)) != SP_OK)
		return false;
	p->counts.out++;
	return true;
}
