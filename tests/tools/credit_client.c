/*
 * credit_client.c - creditd seen from a station, for its tests.
 *
 * credit_client enrol DIR TOKEN
 * credit_client roster DIR now				fetches the roster, which says where creditd is; "ok tariff STEP…"
 * credit_client topup DIR ID ACCOUNT NUMBER [PORT]	"ok ok": taken; PORT: to be called back at on 127.0.0.1
 * credit_client get DIR ID FILE			"ok sheet …" or "ok denial STATUS"; FILE.stmt, FILE.sig, FILE.der
 * credit_client called DIR PORT			waits for creditd's call, answers it; prints as get does. certd's: "ok ready
 *							TRANSFER NUMBER"
 * credit_client state DIR SHEET EPOCH NEXT START	"ok state EPOCH CLOSED"
 * credit_client lodge DIR SENDERDIR SHEETFILE TRANSFER FIRST COUNT [HOW]
 *	as the recipient DIR, a frank by SENDERDIR; HOW: other-offer, other-recipient, other-price, other-size, bad-done, no-done,
 *	bad-frank, certified
 * credit_client give DIR SHEET EPOCH FIRST COUNT [HOW]	VOID; COUNT 0: CLOSE from FIRST on; HOW: forged
 *
 * Prints "ok …" and ends with 0, or "STATUS reason" and ends with 1.
 */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/daemon/daemon.h"
#include "common/net/letterbox.h"
#include "common/statements/ending.h"
#include "common/statements/frank.h"
#include "common/statements/offer.h"
#include "common/statements/sheet.h"
#include "common/wire/letter.h"

struct tool {
	char **word;		/* of the command, after DIR */
	struct sp_loop *loop;
	struct member *member;
	struct sp_letterbox *box;
	enum sp_status st;
	struct sp_why why;
};

static void
finish(struct tool *t, enum sp_status st)
{
	t->st = st;
	sp_loop_stop(t->loop);
}

static uint32_t
number(const char *text)
{
	uint64_t n = 0;

	if (sp_parse_u64(sp_span_str(text), UINT32_MAX, &n) != SP_OK)
		fprintf(stderr, "%s is no number\n", text);
	return (uint32_t)n;
}

static enum sp_status
write_as(struct tool *t, const char *base, const char *end, struct sp_span bytes)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s%s", base, end);
	return sp_file_write(path, bytes, 0600, &t->why);
}

/* ---- top-ups ---- */

static void
asked(void *arg, const struct sp_answer *answer)
{
	struct tool *t = arg;

	t->why = answer->why;
	if (answer->status == SP_OK)
		printf("ok %s\n", answer->type->name);
	finish(t, answer->status);
}

static enum sp_status
topup(struct tool *t, struct sp_client *client)
{
	struct sp_msg_topup m = { .account = sp_span_str(t->word[1]), .number = number(t->word[2]) };
	struct sp_id id;
	enum sp_status st = sp_id_parse(t->word[0], &id);

	if (t->word[3] != NULL) {
		m.return_host = sp_span_str("127.0.0.1");
		m.return_port = (uint16_t)number(t->word[3]);
	}
	return st != SP_OK ? st : sp_client_ask(client, &id, SP_MSG_TOPUP, &m, asked, t, &t->why);
}

static enum sp_status
show(struct tool *t, struct sp_span statement, struct sp_span signature, const struct sp_identity *signer)
{
	struct sp_credit_answer a;
	char id[SP_ID_TEXT], hash[65];
	enum sp_status st = sp_credit_answer_open(statement, signature, signer, &a, &t->why);

	if (st == SP_OK && a.granted)
		printf("ok sheet %s %s %u %u %u %u\n", sp_id_text(&a.sheet.sheet, id), sp_hex(a.sheet.hash.b, 32, hash),
		    a.sheet.first, a.sheet.count, a.sheet.epoch, a.sheet.offline);
	else if (st == SP_OK)
		printf("ok denial %s\n", sp_status_name(a.reason));
	return st;
}

static void
got(void *arg, const struct sp_answer *answer)
{
	struct tool *t = arg;
	struct sp_msg_topup_is m;
	struct sp_identity signer;
	enum sp_status st = sp_answer_read(answer, SP_MSG_TOPUP_IS, &m, &t->why);

	if (st == SP_OK &&
	    (st = sp_trust_check(member_trust(t->member), m.signer, sp_clock_wall_ms(), &signer, &t->why)) == SP_OK &&
	    (st = write_as(t, t->word[1], ".stmt", m.statement)) == SP_OK &&
	    (st = write_as(t, t->word[1], ".sig", m.signature)) == SP_OK &&
	    (st = write_as(t, t->word[1], ".der", m.signer)) == SP_OK)
		st = show(t, m.statement, m.signature, &signer);
	finish(t, st);
}

static enum sp_status
get(struct tool *t, struct sp_client *client)
{
	struct sp_msg_topup_get m;
	struct sp_id id = sp_id_new();
	enum sp_status st = sp_id_parse(t->word[0], &m.request);

	return st != SP_OK ? st : sp_client_ask(client, &id, SP_MSG_TOPUP_GET, &m, got, t, &t->why);
}

/* ---- the call ---- */

/* A credit answer, signed by who wrote the letter. */
static enum sp_status
read_credit(struct tool *t, const struct sp_letter *letter)
{
	const struct member_service *service;
	struct sp_msg_credit_answer m;
	enum sp_status st = sp_decode(letter->desc, letter->body, &m, &t->why);

	if (st == SP_OK && ((service = member_service_by_cert(t->member, &m.signer)) == NULL ||
	    service != member_service_by_key(t->member, letter->sender_key)))
		st = SP_E_IDENTITY;
	return st == SP_OK ? show(t, m.statement, m.signature, &service->identity) : st;
}

static enum sp_status
read_ready(struct tool *t, const struct sp_letter *letter)
{
	const struct member_service *service = member_service_by_key(t->member, letter->sender_key);
	struct sp_msg_receipt_ready m;
	char transfer[SP_ID_TEXT], postmark[SP_ID_TEXT];
	enum sp_status st = sp_decode(letter->desc, letter->body, &m, &t->why);

	if (st == SP_OK && (service == NULL || service->identity.role != SP_ROLE_CERTD))
		st = SP_E_IDENTITY;
	if (st == SP_OK)
		printf("ok ready %s %s\n", sp_id_text(&m.transfer, transfer), sp_id_text(&m.number, postmark));
	return st;
}

static void
on_letter(void *arg, const struct sp_return *from, struct sp_span bytes)
{
	struct tool *t = arg;
	SP_AUTO_DONE(sp_buf) text = { .secret = true }, out = { 0 };
	struct sp_msg_answer answer = { .status = 0 };
	struct sp_letter_head head = { .id = sp_id_new(), .time_ms = sp_clock_wall_ms() };
	struct sp_letter_key receiver;
	struct sp_letter letter;
	enum sp_status st = sp_letter_open(member_letter_pair(t->member), bytes, &text, &letter);

	if (st == SP_OK && letter.type == SP_MSG_CREDIT_ANSWER)
		st = read_credit(t, &letter);
	else if (st == SP_OK)
		st = letter.type == SP_MSG_RECEIPT_READY ? read_ready(t, &letter) : SP_E_REPLY;
	if (st == SP_OK) {
		head.answers = letter.head.id;
		sp_letter_key_init(&receiver, letter.sender_key);
		st = sp_letter_seal(member_letter_pair(t->member), &receiver, &head, sp_desc_msg(SP_MSG_ANSWER), &answer, &out,
		    &t->why);
	}
	if (st == SP_OK)
		st = sp_letterbox_reply(t->box, from, sp_buf_span(&out));
	finish(t, st);
}

static enum sp_status
called(struct tool *t)
{
	struct sp_letterbox_conf conf = { .on_letter = on_letter, .arg = t };
	enum sp_status st = sp_addr_parse(sp_span_str("127.0.0.1"), (uint16_t)number(t->word[0]), &conf.bind[0]);

	if (st == SP_OK && (st = sp_letterbox_new(t->loop, &conf, &t->box, &t->why)) == SP_OK) {
		puts("ok listening");
		fflush(stdout);
	}
	return st;
}

/* ---- the sheet's state ---- */

static void
stated(void *arg, const struct sp_answer *answer)
{
	struct tool *t = arg;
	struct sp_msg_sheet_state_is m;
	enum sp_status st = sp_answer_read(answer, SP_MSG_SHEET_STATE_IS, &m, &t->why);

	if (st == SP_OK)
		printf("ok state %u %u\n", m.epoch, m.closed);
	finish(t, st);
}

static enum sp_status
state(struct tool *t, struct sp_client *client)
{
	struct sp_msg_sheet_state m = { .epoch = number(t->word[1]), .next = number(t->word[2]), .start =
	    (uint8_t)number(t->word[3]) };
	struct sp_id id = sp_id_new();
	enum sp_status st = sp_id_parse(t->word[0], &m.sheet);

	return st != SP_OK ? st : sp_client_ask(client, &id, SP_MSG_SHEET_STATE, &m, stated, t, &t->why);
}

/* ---- giving back ---- */

static enum sp_status
give(struct tool *t, struct sp_client *client)
{
	SP_AUTO_DONE(sp_buf) serials = { 0 }, statement = { 0 };
	const struct sp_serials range = { number(t->word[2]), number(t->word[3]) };
	struct sp_stmt_void v = { .epoch = number(t->word[1]) };
	struct sp_stmt_close c = { .epoch = v.epoch, .next = range.first };
	uint8_t signature[SP_SIGNATURE];
	struct sp_id id = sp_id_new();
	struct sp_msg_give_back m;
	enum sp_status st;

	if ((st = sp_id_parse(t->word[0], &v.sheet)) != SP_OK)
		return st;
	c.sheet = v.sheet;
	if (range.count == 0) {
		st = sp_statement_sign(SP_STMT_CLOSE, &c, member_key(t->member), &statement, signature, NULL, &t->why);
	} else if ((st = sp_serials_pack(&range, 1, &serials)) == SP_OK) {
		v.serials = sp_buf_span(&serials);
		st = sp_statement_sign(SP_STMT_VOID, &v, member_key(t->member), &statement, signature, NULL, &t->why);
	}
	if (st != SP_OK)
		return st;
	signature[7] ^= t->word[4] != NULL;
	m = (struct sp_msg_give_back){ .statement = sp_buf_span(&statement), .signature = sp_span(signature, SP_SIGNATURE) };
	return sp_client_ask(client, &id, SP_MSG_GIVE_BACK, &m, asked, t, &t->why);
}

/* ---- lodging ---- */

static enum sp_status
lodge(struct tool *t, struct sp_client *client)
{
	SP_AUTO(member) *sender = NULL;
	SP_AUTO_DONE(sp_buf) sheet = { 0 }, offer = { 0 }, frank = { 0 }, done = { 0 };
	const char *how = t->word[5] != NULL ? t->word[5] : "";
	char sender_name[SP_NAME_TEXT], recipient_name[SP_NAME_TEXT], path[1024];
	uint8_t offer_signature[SP_SIGNATURE], frank_signature[SP_SIGNATURE], done_signature[SP_SIGNATURE];
	struct sp_hash offer_hash;
	struct sp_stmt_offer o = { .klass = SP_RECEIPT_NONE, .price = number(t->word[4]), .files = 1,
		.bytes = number(t->word[4]) == 1 ? 10 : 1000000, .packet = 4096 * 512,
		.time_ms = sp_clock_wall_ms(), .manifest_length = 100, .recipient_cert = member_identity(t->member)->hash };
	struct sp_frank f = { .recipient_cert = o.recipient_cert, .bytes = o.bytes, .price = o.price, .count = 1,
		.serials = { { number(t->word[3]), o.price } }, .valid_until_ms = o.time_ms + 72ull * 3600 * 1000 };
	struct sp_stmt_done d = { .result = 1 };
	struct sp_id id = sp_id_new();
	struct sp_msg_lodge m;
	enum sp_status st;

	snprintf(path, sizeof(path), "%s.stmt", t->word[1]);
	if ((st = member_open(t->loop, t->word[0], SP_ROLE_STATION, &sender, &t->why)) != SP_OK ||
	    (st = sp_file_read(path, 1000, &sheet, &t->why)) != SP_OK || (st = sp_id_parse(t->word[2], &o.transfer)) != SP_OK)
		return st;
	sp_statement_hash(sp_buf_span(&sheet), &f.sheet);
	o.sender = sp_span_str(sp_identity_text(member_identity(sender), sender_name));
	o.recipient = sp_span_str(sp_identity_text(member_identity(t->member), recipient_name));
	if (strcmp(how, "other-recipient") == 0)
		o.recipient = sp_span_str("carol/pc@post.example");
	if (strcmp(how, "other-price") == 0)
		o.price++;
	if (strcmp(how, "other-size") == 0)
		f.bytes = o.bytes = 1000010 - o.bytes;
	if (strcmp(how, "certified") == 0)
		o.klass = SP_RECEIPT_CERTIFIED;
	if ((st = sp_statement_sign(SP_STMT_OFFER, &o, member_key(sender), &offer, offer_signature, &offer_hash, &t->why)) != SP_OK)
		return st;
	f.offer = d.offer = offer_hash;
	if (strcmp(how, "other-offer") == 0)
		f.offer.b[0] ^= 1;
	if ((st = sp_frank_sign(&f, member_key(sender), &frank, frank_signature, &t->why)) != SP_OK ||
	    (st = sp_statement_sign(SP_STMT_DONE, &d, member_key(t->member), &done, done_signature, NULL, &t->why)) != SP_OK)
		return st;
	done_signature[9] ^= strcmp(how, "bad-done") == 0;
	frank_signature[9] ^= strcmp(how, "bad-frank") == 0;
	m = (struct sp_msg_lodge){ .offer = sp_buf_span(&offer), .offer_signature = sp_span(offer_signature, SP_SIGNATURE),
		.frank = sp_buf_span(&frank), .frank_signature = sp_span(frank_signature, SP_SIGNATURE), .done = sp_buf_span(&done),
		.done_signature = sp_span(done_signature, SP_SIGNATURE), .sender_cert = member_cert(sender) };
	if (strcmp(how, "no-done") == 0)
		m.done = m.done_signature = sp_span(NULL, 0);
	return sp_client_ask(client, &id, SP_MSG_LODGE, &m, asked, t, &t->why);
}

static void
refreshed(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct tool *t = arg;

	if (why != NULL)
		t->why = *why;
	if (st == SP_OK) {
		const struct sp_tariff *tariff = member_tariff(t->member);

		printf("ok tariff");
		for (size_t i = 0; i < tariff->count; i++)
			printf(" %llu:%u", (unsigned long long)tariff->steps[i].from_bytes, (unsigned)tariff->steps[i].price);
		printf("\n");
	}
	finish(t, st);
}

/* ---- what is asked ---- */

static const struct verb {
	const char *name;
	int words;		/* after DIR, at least */
	enum sp_status (*run)(struct tool *t, struct sp_client *client);
} verbs[] = {
	{ "topup", 3, topup }, { "get", 2, get }, { "state", 4, state }, { "lodge", 5, lodge }, { "give", 4, give },
};

static enum sp_status
ask(struct tool *t, const char *verb, int words)
{
	struct sp_client *client = member_client(t->member, SP_ROLE_CREDITD, &t->why);

	if (strcmp(verb, "called") == 0)
		return called(t);
	if (strcmp(verb, "roster") == 0) {
		member_refresh(t->member, refreshed, t);
		return SP_OK;
	}
	if (client == NULL)
		return SP_E_NOTFOUND;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verb, verbs[i].name) == 0 && words >= verbs[i].words)
			return verbs[i].run(t, client);
	return SP_E_ARGUMENT;
}

int
main(int argc, char **argv)
{
	struct tool t = { .word = argv + 3 };
	enum sp_status st;

	if (argc < 4)
		return 2;
	if (strcmp(argv[1], "enrol") == 0)
		return sp_daemon_enrol("credit_client", SP_ROLE_STATION, argv[2], argv[3]);
	if ((st = sp_loop_new(&t.loop, &t.why)) == SP_OK &&
	    (st = member_open(t.loop, argv[2], SP_ROLE_STATION, &t.member, &t.why)) == SP_OK)
		st = ask(&t, argv[1], argc - 3);
	if (st == SP_OK && (st = sp_loop_run(t.loop)) == SP_OK)
		st = t.st;
	if (st != SP_OK)
		printf("%s %s\n", sp_status_name(st), t.why.text[0] != 0 ? t.why.text : sp_status_text(st));
	sp_letterbox_free(t.box);
	member_free(t.member);
	sp_loop_free(t.loop);
	return st == SP_OK ? 0 : 1;
}
