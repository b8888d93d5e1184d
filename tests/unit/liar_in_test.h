/*
 * liar_in_test.h - a sender that lies, for tests of peerd/data: a blocking socket with a channel of its own, and records that
 * nobody honest would send. What it is to do wrong is one field of struct lie.
 */
#ifndef SP_TESTS_LIAR_IN_TEST_H
#define SP_TESTS_LIAR_IN_TEST_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "common/crypto/hash.h"
#include "common/statements/open.h"
#include "tests/unit/data_in_test.h"

struct lie {
	bool wrong_token, wrong_number, wrong_accept, wrong_mac;
	bool open_by_other, open_of_other_accept;
	uint64_t skip_at, flip_at;		/* offset + 1 of the tar to leave a byte out, to change one */
	bool extra_tar, short_tar, garbage, tar_again;
	bool wrong_print, no_prints, prints_gap, wrong_prints_hash, extra_prints;
	bool trailer_by_other, trailer_of_other_offer, trailer_changed;
	bool prints_first, end_first;
	enum sp_status abort_with;
	enum { NO_FRAMES, HONEST, TAR_WITHIN, BEYOND, CUT, BOMB, ELSEWHERE, MIXED } frames;
};

struct liar {
	struct pair *p;
	int fd;
	struct sp_channel *ch;
	struct sp_key *other_key;
	bool heard_abort;
	enum sp_status abort_reason;
};

static inline void
put(struct liar *l, const void *bytes, size_t n)
{
	const uint8_t *b = bytes;
	ssize_t did;

	for (; n > 0; b += did, n -= (size_t)did)
		if ((did = send(l->fd, b, n, MSG_NOSIGNAL)) <= 0)
			return;
}

static inline bool
get(struct liar *l, void *bytes, size_t n)
{
	return recv(l->fd, bytes, n, MSG_WAITALL) == (ssize_t)n;
}

static inline void
put_msg(struct liar *l, unsigned number, const void *msg)
{
	SP_AUTO_DONE(sp_buf) out = { 0 };

	ck_status(sp_channel_seal(l->ch, sp_desc_msg(number), msg, &out, NULL), SP_OK);
	put(l, out.data, out.len);
}

static inline void
put_raw(struct liar *l, uint8_t type, uint64_t offset, const void *bytes, size_t n)
{
	SP_AUTO_MEM uint8_t *record = malloc(n + SP_RECORD_RAW_OVER);

	memcpy(sp_record_raw_place(record), bytes, n);
	ck_status(sp_channel_seal_raw(l->ch, type, offset, record, n), SP_OK);
	put(l, record, n + SP_RECORD_RAW_OVER);
}

/* Opens the connection as the lie says; false if it was not admitted. */
static inline bool
say_hello(struct liar *l, const struct lie *lie)
{
	struct sp_channel_terms terms = { .offer = l->p->receive.offer, .accept = l->p->accept, .number = 1 };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(l->p->send.addr.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint8_t opening[SP_CHANNEL_OPENING], reply[SP_CHANNEL_REPLY], mac[SP_CHANNEL_CONFIRM],
	    signature[SP_SIGNATURE];
	SP_AUTO_DONE(sp_buf) statement = { 0 };
	struct sp_msg_data_open m;

	l->fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(l->fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	memcpy(terms.token, l->p->receive.token, 32);
	memcpy(terms.recipient_key, l->p->receive.one_time.public_key, SP_X25519);
	terms.token[0] ^= lie->wrong_token;
	terms.number += lie->wrong_number;
	terms.accept.b[0] ^= lie->wrong_accept;
	terms.accept.b[31] ^= lie->open_of_other_accept;
	ck_status(sp_channel_sender_begin(&terms, opening, &l->ch), SP_OK);
	put(l, opening, sizeof(opening));
	if (!get(l, reply, sizeof(reply)))
		return false;
	if (lie->wrong_token || lie->wrong_mac || lie->open_of_other_accept) {
		/* Not knowing the token it cannot make the MAC: it guesses. */
		memset(mac, 7, sizeof(mac));
		put(l, mac, sizeof(mac));
		return false;
	}
	ck_status(sp_channel_sender_confirm(l->ch, reply, mac), SP_OK);
	put(l, mac, sizeof(mac));
	ck_status(sp_open_sign(l->ch, lie->open_by_other ? l->other_key : alice_key, &statement, signature, NULL),
	    SP_OK);
	m = (struct sp_msg_data_open){ .statement = sp_buf_span(&statement),
		.signature = sp_span(signature, sizeof(signature)) };
	put_msg(l, SP_MSG_DATA_OPEN, &m);
	return !lie->open_by_other;
}

/* What the recipient says until it closes: heart-beats, END, or why not. */
static inline void
listen_to(struct liar *l)
{
	uint8_t record[SP_RECORD_BYTES_MAX];
	struct sp_msg_data_abort m;
	struct sp_record r;
	size_t n;

	while (get(l, record, SP_RECORD_HEAD) && sp_record_bytes(record, &n) == SP_OK &&
	    get(l, record + SP_RECORD_HEAD, n - SP_RECORD_HEAD) && sp_channel_open(l->ch, record, n, &r) == SP_OK)
		if (r.type == SP_MSG_DATA_ABORT) {
			ck_status(sp_decode(r.desc, r.body, &m, NULL), SP_OK);
			l->heard_abort = true;
			l->abort_reason = sp_status_from_number(m.reason);
		}
}

/* Only the receiving folder was touched, and in it only what is incoming. */
static inline void
check_outside(void)
{
	char command[512];

	snprintf(command, sizeof(command),
	    "cd '%s' && test -z \"$(find . -path ./t -prune -o -path ./received/.incoming -prune "
	    "-o ! -name . ! -name received -print)\"", tree_dir);
	ck_assert_int_eq(system(command), 0);
}

#endif
