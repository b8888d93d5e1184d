/*
 * frank_client.c - a sender that pays oddly: letters to a real recipient without a peerd of its own, and without any data.
 *
 * frank_client pay DIR RECIPIENTDIR PORT SHEETFILE [WORD[=VALUE]]…
 *	DIR: of the sender, as credit_client enrols it. RECIPIENTDIR: for the recipient's certificate. SHEETFILE.stmt, .sig,
 *	.der: as credit_client or the verb sheet writes them.
 *	Of the offer: transfer=ID bytes=N price=N. offer=HASH: no offer is sent, the frank is for that one. stop: no frank follows.
 *	Of the frank: serial=N frank-price=N frank-bytes=N bad-signature other-offer other-recipient ended wrong-sum touching
 *	truncated trailing oversized. twice: the same letter again, then the same frank in another one. then=N: afterwards a
 *	frank with that serial.
 *	What GET is answered with: give=FILE (another sheet) nothing certificate bad-sheet (its signature) silent.
 *	break: the first time not at all, but all begins again with the offer.
 *	letter=receipt or letter=files: nothing of all that, but this question about the transfer.
 * frank_client sheet DIR SIGNERDIR ROLE FILE [station=NAME] [first=N] [count=N] [ended]
 *	A sheet of DIR's station, signed by whoever is there.
 *
 * Prints one line: what the offer was answered with, each answer to a frank, "gets=N offer=HASH transfer=ID". An answer is
 * accept, wait, "refuse STATUS", "answer STATUS" or silence.
 */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/member/member.h"
#include "common/net/letterbox.h"
#include "common/statements/ending.h"
#include "common/statements/frank.h"
#include "common/statements/offer.h"
#include "common/wire/letter.h"

#define LIFE_MS (24ull * 3600 * 1000)
#define AGAIN_MS 400
#define TRIES 20
#define TITLE "odd"

struct sheet_file {
	struct sp_buf stmt, sig, der;
};

struct tool {
	char **word;
	struct sp_loop *loop;
	struct member *member, *recipient;
	struct sp_letterbox *box;
	struct sp_timer *timer;
	struct sp_addr to;
	struct sp_letter_key receiver;
	struct sheet_file sheet, given;
	struct sp_id transfer, open;	/* open: the letter that waits for its answer */
	struct sp_buf letter;
	unsigned tries, gets, franks;
	bool offering;
	struct sp_hash offer;
	struct sp_buf offer_stmt, frank;
	uint8_t offer_signature[SP_SIGNATURE], frank_signature[SP_SIGNATURE];
	struct sp_why why;
};

static void
must(const struct tool *t, enum sp_status st)
{
	if (st == SP_OK)
		return;
	printf("%s %s\n", sp_status_name(st), t->why.text);
	exit(2);
}

static const char *
word(const struct tool *t, const char *name)
{
	size_t n = strlen(name);

	for (char **w = t->word; *w != NULL; w++)
		if (strncmp(*w, name, n) == 0 && ((*w)[n] == '\0' || (*w)[n] == '='))
			return (*w)[n] == '=' ? *w + n + 1 : *w + n;
	return NULL;
}

static uint64_t
number(const struct tool *t, const char *name, uint64_t otherwise)
{
	const char *text = word(t, name);
	uint64_t n = otherwise;

	if (text != NULL)
		must(t, sp_parse_u64(sp_span_str(text), UINT64_MAX, &n));
	return n;
}

static void
sheet_read(struct tool *t, const char *base, struct sheet_file *f)
{
	const struct { const char *end; struct sp_buf *to; } parts[] = { { "stmt", &f->stmt }, { "sig", &f->sig }, { "der", &f->der } };
	char path[1024];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s.%s", base, parts[i].end);
		must(t, sp_file_read(path, 4096, parts[i].to, &t->why));
	}
}

static void
sheet_free(struct sheet_file *f)
{
	sp_buf_done(&f->stmt);
	sp_buf_done(&f->sig);
	sp_buf_done(&f->der);
}

/* ---- letters ---- */

static void
seal(struct tool *t, const struct sp_id *answers, const struct sp_desc *desc, const void *msg, struct sp_id *ret_id,
    struct sp_buf *out)
{
	struct sp_letter_head head = { .id = sp_id_new(), .time_ms = sp_clock_wall_ms() };

	if (answers != NULL)
		head.answers = *answers;
	sp_buf_clear(out);
	must(t, sp_letter_seal(member_letter_pair(t->member), &t->receiver, &head, desc, msg, out, &t->why));
	if (ret_id != NULL)
		*ret_id = head.id;
}

static void
post(struct tool *t)
{
	must(t, sp_letterbox_send(t->box, &t->to, sp_buf_span(&t->letter)));
	sp_timer_set(t->timer, AGAIN_MS);
}

static void
ask(struct tool *t, const struct sp_desc *desc, const void *msg)
{
	t->tries = 0;
	seal(t, NULL, desc, msg, &t->open, &t->letter);
	post(t);
}

static void
end(struct tool *t)
{
	char hash[65], id[SP_ID_TEXT];

	printf("gets=%u offer=%s transfer=%s\n", t->gets, sp_hex(t->offer.b, 32, hash), sp_id_text(&t->transfer, id));
	sp_timer_stop(t->timer);
	sp_loop_stop(t->loop);
}

static void answered(struct tool *t, const struct sp_letter *letter);

static void
on_timer(void *arg)
{
	struct tool *t = arg;

	if (++t->tries < TRIES)
		post(t);
	else
		answered(t, NULL);
}

/* ---- the offer ---- */

static const uint8_t title_salt[SP_TITLE_SALT] = { 1, 2, 3 };

static void
make_offer(struct tool *t)
{
	char sender[SP_NAME_TEXT], recipient[SP_NAME_TEXT];
	struct sp_stmt_offer o = { .transfer = t->transfer, .klass = SP_RECEIPT_DIRECT, .files = 1,
		.bytes = number(t, "bytes", 10), .manifest_length = 100, .manifest = { { 1 } }, .time_ms = sp_clock_wall_ms() };

	o.price = (uint32_t)number(t, "price", o.bytes < 1000000 ? 1 : 2);
	o.packet = (o.bytes + 511) / 512 * 512 + 4096;
	o.sender = sp_span_str(sp_identity_text(member_identity(t->member), sender));
	o.recipient = sp_span_str(sp_identity_text(member_identity(t->recipient), recipient));
	o.recipient_cert = member_identity(t->recipient)->hash;
	sp_offer_title_hash(title_salt, sp_span_str(TITLE), &o.title_hash);
	must(t, sp_offer_check(&o, &t->why));
	must(t, sp_statement_sign(SP_STMT_OFFER, &o, member_key(t->member), &t->offer_stmt, t->offer_signature, &t->offer, &t->why));
}

static void
send_offer(struct tool *t)
{
	struct sp_msg_offer_letter m = { .statement = sp_buf_span(&t->offer_stmt),
		.signature = sp_span(t->offer_signature, SP_SIGNATURE), .title = sp_span_str(TITLE),
		.title_salt = sp_span(title_salt, sizeof(title_salt)) };

	t->offering = true;
	ask(t, sp_desc_msg(SP_MSG_OFFER_LETTER), &m);
}

/* ---- the frank ---- */

/* The serials as a frank carries them, or as none may. */
static void
serials(struct tool *t, uint32_t first, uint32_t count, struct sp_buf *out)
{
	struct sp_serials r[2] = { { first, count }, { first + count, 1 } };

	if (word(t, "wrong-sum") != NULL)
		r[0].count++;
	if (word(t, "touching") != NULL)
		r[0].count--;
	r[1].first = r[0].first + r[0].count;
	for (size_t i = 0; i < (word(t, "touching") != NULL ? 2 : 1); i++) {
		sp_buf_add_u32(out, r[i].first);
		sp_buf_add_u32(out, r[i].count);
	}
}

static void
make_frank(struct tool *t, uint32_t serial)
{
	uint64_t bytes = number(t, "bytes", 10), price = number(t, "price", bytes < 1000000 ? 1 : 2);
	SP_AUTO_DONE(sp_buf) ranges = { 0 };
	struct sp_stmt_frank f = { .offer = t->offer, .recipient_cert = member_identity(t->recipient)->hash,
		.bytes = number(t, "frank-bytes", bytes), .price = (uint32_t)number(t, "frank-price", price),
		.valid_until_ms = sp_clock_wall_ms() + LIFE_MS };

	serials(t, serial, f.price, &ranges);
	f.serials = sp_buf_span(&ranges);
	sp_statement_hash(sp_buf_span(&t->sheet.stmt), &f.sheet);
	f.offer.b[0] ^= word(t, "other-offer") != NULL;
	f.recipient_cert.b[0] ^= word(t, "other-recipient") != NULL;
	if (word(t, "ended") != NULL)
		f.valid_until_ms = sp_clock_wall_ms() - 1000;
	sp_buf_clear(&t->frank);
	must(t, sp_statement_sign(SP_STMT_FRANK, &f, member_key(t->member), &t->frank, t->frank_signature, NULL, &t->why));
	t->frank_signature[9] ^= word(t, "bad-signature") != NULL;
	if (word(t, "truncated") != NULL)
		t->frank.len -= 3;
	for (size_t to = word(t, "trailing") != NULL ? 400 : word(t, "oversized") != NULL ? 900 : 0; t->frank.len < to;)
		sp_buf_add_u8(&t->frank, 0);
}

/* By the row of the table, but for a statement that is longer than it allows. */
static void
send_frank(struct tool *t)
{
	struct sp_msg_frank_letter m = { .statement = sp_buf_span(&t->frank),
		.signature = sp_span(t->frank_signature, SP_SIGNATURE) };
	struct sp_desc desc = *sp_desc_msg(SP_MSG_FRANK_LETTER);
	struct sp_field fields[2];

	memcpy(fields, desc.fields, sizeof(fields));
	fields[0].max = 1000;
	desc.fields = fields;
	t->franks++;
	ask(t, word(t, "oversized") != NULL ? &desc : sp_desc_msg(SP_MSG_FRANK_LETTER), &m);
}

/* After an answer to a frank: another one, or the end. */
static void
go_on(struct tool *t)
{
	if (word(t, "twice") != NULL && t->franks == 1) {
		t->franks++;
		t->tries = 0;
		post(t);		/* the same bytes */
	} else if (word(t, "twice") != NULL && t->franks == 2) {
		send_frank(t);
	} else if (word(t, "then") != NULL && t->franks == 1) {
		make_frank(t, (uint32_t)number(t, "then", 0));
		send_frank(t);
	} else {
		end(t);
	}
}

/* ---- what comes ---- */

static void
print_refuse(struct tool *t, const struct sp_letter *letter)
{
	struct sp_msg_refuse_letter m;
	enum sp_status reason;

	must(t, sp_decode(letter->desc, letter->body, &m, &t->why));
	must(t, sp_refuse_open(m.statement, m.signature, member_identity(t->recipient), &t->offer, &reason, &t->why));
	printf("refuse %s ", sp_status_name(reason));
}

/* letter: NULL if none came. */
static void
answered(struct tool *t, const struct sp_letter *letter)
{
	struct sp_msg_answer plain;
	bool accepted = false;

	sp_timer_stop(t->timer);
	if (letter == NULL) {
		printf("silence ");
	} else if (letter->type == SP_MSG_REFUSE_LETTER) {
		print_refuse(t, letter);
	} else if (letter->type == SP_MSG_ANSWER) {
		must(t, sp_decode(letter->desc, letter->body, &plain, &t->why));
		printf("answer %s ", sp_status_name(sp_status_from_number(plain.status)));
	} else {
		accepted = letter->type == SP_MSG_ACCEPT_LETTER;
		printf("%s ", accepted ? "accept" : letter->type == SP_MSG_WAIT ? "wait" : "other");
	}
	if (!t->offering) {
		go_on(t);
		return;
	}
	t->offering = false;
	if (!accepted || word(t, "stop") != NULL) {
		end(t);
		return;
	}
	make_frank(t, (uint32_t)number(t, "serial", 1));
	send_frank(t);
}

static void
give(struct tool *t, const struct sp_return *from, const struct sp_letter *letter)
{
	const struct sheet_file *f = word(t, "give") != NULL ? &t->given : &t->sheet;
	struct sp_msg_answer no = { .status = SP_E_NOTFOUND };
	struct sp_msg_thing thing = { .kind = 2, .bytes = sp_buf_span(&f->stmt), .signature = sp_buf_span(&f->sig) };
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_msg_get get;
	struct sp_hash zero = { { 0 } };
	bool own;

	must(t, sp_decode(letter->desc, letter->body, &get, &t->why));
	own = sp_hash_eq(&get.hash, &zero) || sp_hash_eq(&get.hash, &member_identity(t->member)->hash);
	t->gets += !own;
	if (!own && word(t, "break") != NULL && t->gets == 1) {
		send_offer(t);
		return;
	}
	if (!own && word(t, "silent") != NULL)
		return;
	sp_sha256(sp_buf_span(&f->der), &thing.signer);
	if (own || word(t, "certificate") != NULL)
		thing = (struct sp_msg_thing){ .kind = 1, .bytes = member_cert(t->member) };
	if (!own && word(t, "nothing") != NULL)
		seal(t, &letter->head.id, sp_desc_msg(SP_MSG_ANSWER), &no, NULL, &out);
	else
		seal(t, &letter->head.id, sp_desc_msg(SP_MSG_THING), &thing, NULL, &out);
	must(t, sp_letterbox_reply(t->box, from, sp_buf_span(&out)));
}

static void
on_letter(void *arg, const struct sp_return *from, struct sp_span bytes)
{
	struct tool *t = arg;
	SP_AUTO_DONE(sp_buf) text = { .secret = true };
	struct sp_letter letter;

	if (sp_letter_open(member_letter_pair(t->member), bytes, &text, &letter) != SP_OK || letter.desc == NULL)
		return;
	if (letter.type == SP_MSG_GET)
		give(t, from, &letter);
	else if (sp_id_eq(&letter.head.answers, &t->open) && sp_timer_is_set(t->timer))
		answered(t, &letter);
}

/* What only a sender may ask for. */
static void
send_question(struct tool *t, const char *what)
{
	struct sp_msg_receipt receipt = { .transfer = t->transfer };
	struct sp_msg_files files = { .transfer = t->transfer };
	bool is_files = strcmp(what, "files") == 0;

	t->offering = true;		/* no frank follows */
	ask(t, sp_desc_msg(is_files ? SP_MSG_FILES : SP_MSG_RECEIPT), is_files ? (void *)&files : (void *)&receipt);
}

/* ---- verbs ---- */

static int
pay(struct tool *t, char **argv)
{
	struct sp_letterbox_conf conf = { .on_letter = on_letter, .arg = t };
	const char *text;
	uint64_t port;

	must(t, member_open(t->loop, argv[1], SP_ROLE_STATION, &t->recipient, &t->why));
	must(t, sp_parse_u64(sp_span_str(argv[2]), UINT16_MAX, &port));
	sheet_read(t, argv[3], &t->sheet);
	t->sheet.sig.data[9] ^= word(t, "bad-sheet") != NULL;
	if (word(t, "give") != NULL)
		sheet_read(t, word(t, "give"), &t->given);
	t->transfer = sp_id_new();
	if ((text = word(t, "transfer")) != NULL)
		must(t, sp_id_parse(text, &t->transfer));
	if ((text = word(t, "offer")) != NULL)
		must(t, sp_unhex(text, strlen(text), t->offer.b, sizeof(t->offer.b)));
	sp_letter_key_init(&t->receiver, member_identity(t->recipient)->letter_key);
	must(t, sp_addr_parse(sp_span_str("127.0.0.1"), (uint16_t)port, &t->to));
	conf.bind[0] = t->to;
	conf.bind[0].port = 0;
	must(t, sp_letterbox_new(t->loop, &conf, &t->box, &t->why));
	if ((t->timer = sp_timer_new(t->loop, on_timer, t)) == NULL)
		return 2;
	if (word(t, "letter") != NULL) {
		send_question(t, word(t, "letter"));
	} else if (text == NULL) {
		make_offer(t);
		send_offer(t);
	} else {
		make_frank(t, (uint32_t)number(t, "serial", 1));
		send_frank(t);
	}
	return sp_loop_run(t->loop) == SP_OK ? 0 : 2;
}

static void
sheet_write(struct tool *t, const char *base, const char *end, struct sp_span bytes)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s.%s", base, end);
	must(t, sp_file_write(path, bytes, 0600, &t->why));
}

static int
sheet(struct tool *t, char **argv)
{
	uint64_t now = sp_clock_wall_ms();
	struct sp_sheet s = { .request = sp_id_new(), .sheet = sp_id_new(), .station = member_identity(t->member)->name,
		.first = (uint32_t)number(t, "first", 1), .count = (uint32_t)number(t, "count", 25), .epoch = 1, .offline = 7,
		.tariff = { { { 0, 1 }, { 1000000, 2 } }, 2 }, .issued_ms = now - 2 * LIFE_MS,
		.valid_until_ms = word(t, "ended") != NULL ? now - 1000 : now + LIFE_MS };
	SP_AUTO(member) *signer = NULL;
	SP_AUTO_DONE(sp_buf) statement = { 0 };
	uint8_t signature[SP_SIGNATURE];

	must(t, member_open(t->loop, argv[1], strcmp(argv[2], "creditd") == 0 ? SP_ROLE_CREDITD : SP_ROLE_STATION, &signer, &t->why));
	snprintf(s.domain, sizeof(s.domain), "%s", s.station.domain);
	if (word(t, "station") != NULL)
		must(t, sp_name_parse(sp_span_str(word(t, "station")), &s.station));
	must(t, sp_sheet_sign(&s, member_key(signer), &statement, signature, NULL, &t->why));
	sheet_write(t, argv[3], "stmt", sp_buf_span(&statement));
	sheet_write(t, argv[3], "sig", sp_span(signature, sizeof(signature)));
	sheet_write(t, argv[3], "der", member_cert(signer));
	return 0;
}

int
main(int argc, char **argv)
{
	struct tool t = { .word = argv + 6 };
	int status = 2;

	if (argc < 6 || sp_loop_new(&t.loop, &t.why) != SP_OK)
		return 2;
	must(&t, member_open(t.loop, argv[2], SP_ROLE_STATION, &t.member, &t.why));
	if (strcmp(argv[1], "pay") == 0)
		status = pay(&t, argv + 2);
	else if (strcmp(argv[1], "sheet") == 0)
		status = sheet(&t, argv + 2);
	sp_letterbox_free(t.box);
	sp_timer_free(t.timer);
	sheet_free(&t.sheet);
	sheet_free(&t.given);
	sp_buf_done(&t.letter);
	sp_buf_done(&t.frank);
	sp_buf_done(&t.offer_stmt);
	member_free(t.recipient);
	member_free(t.member);
	sp_loop_free(t.loop);
	return status;
}
