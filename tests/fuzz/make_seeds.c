/*
 * make_seeds.c - the first inputs of the targets that read bytes rather than text: it writes them below $FUZZ_SEEDS, a folder a
 * target. They are made by the code under test and from the samples of messages.def, and kept in tests/fuzz/corpus.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/crypto/cms.h"
#include "common/crypto/hash.h"
#include "common/crypto/tsa.h"
#include "common/packet/layout.h"
#include "common/statements/accept.h"
#include "common/statements/frank.h"
#include "common/statements/offer.h"
#include "common/statements/receipt_file.h"
#include "common/wire/channel.h"
#include "common/wire/cookie.h"
#include "common/wire/frame.h"
#include "common/wire/letter.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"
#include "tests/unit/wire_sample.h"

#define SEED_MAX 3000		/* longer samples would only make the corpus large */

static const char *folder;

static void
put(const char *target, const char *name, struct sp_span bytes)
{
	char path[1024];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, target);
	fuzz_must(mkdir(path, 0777) == 0 || errno == EEXIST);
	snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
	fuzz_must((f = fopen(path, "wb")) != NULL && fwrite(bytes.p, 1, bytes.n, f) == bytes.n && fclose(f) == 0);
}

static void
put_buf(const char *target, const char *name, const struct sp_buf *b)
{
	fuzz_ok(sp_buf_status(b));
	put(target, name, sp_buf_span(b));
}

/* ---- every message, at its least and at its most ---- */
static void
put_row(const struct sp_desc *desc, size_t number, const struct sp_buf *body, const char *size)
{
	SP_AUTO_DONE(sp_buf) codec = { 0 }, framed = { 0 }, inner = { 0 };
	char name[100];

	snprintf(name, sizeof(name), "%s-%s", desc->name, size);
	sp_buf_add_u16(&codec, (uint16_t)number);
	sp_buf_add_span(&codec, sp_buf_span(body));
	put_buf("codec", name, &codec);
	if (desc->transport == SP_TRANSPORT_SERVICE) {
		sp_buf_add_u32(&framed, (uint32_t)(SP_FRAME_HEAD - 4 + body->len));
		sp_buf_add_u16(&framed, (uint16_t)desc->number);
		sp_buf_add(&framed, "0123456789abcdef", 16);
		sp_buf_add_span(&framed, sp_buf_span(body));
		put_buf("frame", name, &framed);
	}
	if (desc->transport == SP_TRANSPORT_LETTER) {
		sp_buf_add(&inner, "0123456789abcdef0123456789abcdef", 32);
		sp_buf_add_u64(&inner, FUZZ_NOW_MS);
		sp_buf_add_u16(&inner, (uint16_t)desc->number);
		sp_buf_add_span(&inner, sp_buf_span(body));
		put_buf("letter_text", name, &inner);
	}
}

static void
messages(void)
{
	for (size_t i = 0; i < sample_rows(); i++)
		for (enum sample_size size = SAMPLE_LOW; size <= SAMPLE_HIGH; size++) {
			SP_AUTO_DONE(sp_buf) body = { 0 };
			struct sample s;

			sample_init(&s, sample_row(i), size);
			sample_bytes(&s, &body);
			if (body.len <= SEED_MAX)
				put_row(sample_row(i), i, &body, size == SAMPLE_LOW ? "low" : "high");
			sample_done(&s);
		}
}

/* ---- letters and statements ---- */
static void
letter(const char *name, unsigned type, const void *msg)
{
	SP_AUTO_DONE(sp_buf) out = { 0 }, inner = { 0 };
	const struct fuzz_person *alice = fuzz_person(FUZZ_ALICE), *bob = fuzz_person(FUZZ_BOB);
	struct sp_letter_head head = { .id = { "0123456789abcde" }, .time_ms = FUZZ_NOW_MS };
	struct sp_letter_key to;

	sp_letter_key_init(&to, bob->letter.public_key);
	fuzz_ok(sp_letter_seal(&alice->letter, &to, &head, sp_desc_msg(type), msg, &out, NULL));
	put_buf("letter", name, &out);
	sp_buf_add(&inner, head.id.b, 16);
	sp_buf_add(&inner, head.answers.b, 16);
	sp_buf_add_u64(&inner, head.time_ms);
	sp_buf_add_u16(&inner, (uint16_t)type);
	fuzz_ok(sp_encode(sp_desc_msg(type), msg, &inner, NULL));
	put_buf("letter_text", name, &inner);
}

static void
offer(const char *name, struct sp_stmt_offer stmt)
{
	SP_AUTO_DONE(sp_buf) bytes = { 0 }, body = { 0 };
	const struct fuzz_person *alice = fuzz_person(FUZZ_ALICE), *bob = fuzz_person(FUZZ_BOB);
	static const uint8_t salt[SP_TITLE_SALT] = "salted";
	uint8_t signature[SP_SIGNATURE];
	struct sp_msg_offer_letter msg;

	memcpy(stmt.transfer.b, "fedcba9876543210", 16);
	stmt.sender = sp_span_str("alice/laptop@" FUZZ_DOMAIN);
	stmt.recipient = sp_span_str("bob/desk@" FUZZ_DOMAIN);
	stmt.recipient_cert = bob->identity.hash;
	stmt.time_ms = FUZZ_NOW_MS;
	stmt.manifest_length = 300;
	sp_offer_title_hash(salt, sp_span_str("holiday"), &stmt.title_hash);
	fuzz_ok(sp_offer_check(&stmt, NULL));
	fuzz_ok(sp_statement_sign(SP_STMT_OFFER, &stmt, alice->key, &bytes, signature, NULL, NULL));
	msg = (struct sp_msg_offer_letter){ .statement = sp_buf_span(&bytes), .signature = sp_span(signature, SP_SIGNATURE),
		.title = sp_span_str("holiday"), .title_salt = sp_span(salt, sizeof(salt)) };
	fuzz_ok(sp_encode(sp_desc_msg(SP_MSG_OFFER_LETTER), &msg, &body, NULL));
	put_buf("offer", name, &body);
	letter(name, SP_MSG_OFFER_LETTER, &msg);
}

static void
accept(const char *name, size_t ranges)
{
	SP_AUTO_DONE(sp_buf) bytes = { 0 }, body = { 0 }, packed = { 0 };
	struct sp_accept a = { .number = 1, .port = 21000, .key = { 9 }, .token = { 3 }, .held_count = ranges };
	const struct sp_hash of = { { 7 } };
	uint8_t signature[SP_SIGNATURE];
	struct sp_msg_accept_letter msg;

	for (size_t i = 0; i < ranges; i++)
		a.held[i] = (struct sp_range){ i << 20, (i << 20) + 512 };
	fuzz_ok(sp_accept_sign(&a, &of, fuzz_person(FUZZ_BOB)->key, &bytes, signature, NULL, NULL));
	msg = (struct sp_msg_accept_letter){ .statement = sp_buf_span(&bytes), .signature = sp_span(signature, SP_SIGNATURE),
		.token = sp_span(a.token, 32) };
	fuzz_ok(sp_encode(sp_desc_msg(SP_MSG_ACCEPT_LETTER), &msg, &body, NULL));
	put_buf("accept", name, &body);
	fuzz_ok(sp_ranges_pack(a.held, ranges, &packed));
	if (ranges > 0)
		put_buf("accept", "ranges", &packed);
}

static void
ending(const char *name, enum sp_purpose purpose, const void *fields)
{
	SP_AUTO_DONE(sp_buf) bytes = { 0 };

	fuzz_ok(sp_statement_encode(purpose, fields, &bytes, NULL));
	put_buf("ending", name, &bytes);
}

static void
endings(void)
{
	const struct sp_hash of = { { 7 } }, manifest = { { 8 } }, receipt = { { 9 } };

	ending("refuse", SP_STMT_REFUSE, &(struct sp_stmt_refuse){ .offer = of, .reason = SP_E_NOTINBOOK });
	ending("refuse-later", SP_STMT_REFUSE, &(struct sp_stmt_refuse){ .offer = of, .reason = 999 });
	ending("cancel", SP_STMT_CANCEL, &(struct sp_stmt_cancel){ .offer = of, .reason = SP_E_SPACE });
	ending("done", SP_STMT_DONE, &(struct sp_stmt_done){ .offer = of, .result = 1, .receipt = receipt,
	    .certd = sp_span_str("one") });
	ending("done-direct", SP_STMT_DONE, &(struct sp_stmt_done){ .offer = of, .result = 2, .receipt = receipt });
	ending("done-none", SP_STMT_DONE, &(struct sp_stmt_done){ .offer = of, .result = 1 });
	ending("trailer", SP_STMT_TRAILER, &(struct sp_stmt_trailer){ .offer = of, .manifest = manifest, .changed = 1 });
	ending("other", SP_STMT_TRAILER, &(struct sp_stmt_trailer){ .offer = manifest, .manifest = of });
}

static void
money(void)
{
	const struct fuzz_person *alice = fuzz_person(FUZZ_ALICE), *creditd = fuzz_person(FUZZ_CREDITD);
	SP_AUTO_DONE(sp_buf) frank = { 0 }, many = { 0 }, serials = { 0 }, sheet = { 0 }, denial = { 0 }, tariff = { 0 };
	struct sp_frank f = { .offer = { { 7 } }, .sheet = { { 8 } }, .recipient_cert = { { 9 } }, .bytes = 5, .price = 1,
		.serials = { { 100, 1 } }, .count = 1, .valid_until_ms = FUZZ_NOW_MS + 500 };
	struct sp_sheet s = { .request = { "r" }, .sheet = { "s" }, .station = alice->identity.name, .domain = FUZZ_DOMAIN,
		.first = 1, .count = 100, .epoch = 1, .offline = 10, .tariff = { { { 0, 1 }, { 1000000, 2 } }, 2 },
		.issued_ms = FUZZ_NOW_MS, .valid_until_ms = FUZZ_NOW_MS + 1000 };
	uint8_t signature[SP_SIGNATURE];
	struct sp_hash hash;

	fuzz_ok(sp_frank_sign(&f, alice->key, &frank, signature, NULL));
	put_buf("frank", "one", &frank);
	f.bytes = 1000000;
	f.price = 8;
	for (f.count = 0; f.count < SP_FRANK_RANGES; f.count++)
		f.serials[f.count] = (struct sp_serials){ (uint32_t)(101 + 2 * f.count), 1 };
	fuzz_ok(sp_frank_sign(&f, alice->key, &many, signature, NULL));
	put_buf("frank", "many", &many);
	fuzz_ok(sp_serials_pack(f.serials, f.count, &serials));
	put_buf("frank", "serials", &serials);
	fuzz_ok(sp_sheet_sign(&s, creditd->key, &sheet, signature, &hash, NULL));
	put_buf("sheet", "sheet", &sheet);
	fuzz_ok(sp_statement_encode(SP_STMT_DENIAL, &(struct sp_stmt_denial){ .request = s.request, .reason = SP_E_BALANCE },
	    &denial, NULL));
	put_buf("sheet", "denial", &denial);
	fuzz_ok(sp_tariff_pack(&s.tariff, &tariff));
	put_buf("sheet", "tariff", &tariff);
}

/* ---- the data connection ---- */
static void
record(struct sp_buf *out, uint8_t type, const void *msg)
{
	size_t at = out->len, n;

	sp_buf_add_u16(out, 0);
	sp_buf_add_u8(out, type);
	if (msg != NULL) {
		fuzz_ok(sp_encode(sp_desc_msg(type), msg, out, NULL));
	} else {
		sp_buf_add_u64(out, 512);
		sp_buf_add_text(out, "bytes of a file");
	}
	n = out->len - at - 2;
	out->data[at] = (uint8_t)(n >> 8);
	out->data[at + 1] = (uint8_t)n;
}

static void
connection(void)
{
	SP_AUTO_DONE(sp_buf) opening = { 0 }, all = { 0 }, ended = { 0 };
	struct sp_x25519_pair own = fuzz_pair(10);
	static const uint8_t signature[64] = { 1 }, statement[20] = "SPSTMT";
	static const uint8_t accept_start[16] = { 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2 };
	struct sp_msg_data_open open = { .statement = sp_span(statement, sizeof(statement)),
		.signature = sp_span(signature, sizeof(signature)) };
	struct sp_msg_data_trailer trailer = { .statement = open.statement, .signature = open.signature };

	sp_buf_add_text(&opening, "SPD1");
	sp_buf_add(&opening, accept_start, sizeof(accept_start));
	sp_buf_add_u8(&opening, 1);
	sp_buf_add(&opening, own.public_key, SP_X25519);
	put_buf("opening", "right", &opening);
	sp_buf_add(&opening, signature, 32);
	put_buf("opening", "and-confirmation", &opening);
	record(&all, SP_MSG_DATA_OPEN, &open);
	record(&all, SP_RECORD_TAR, NULL);
	record(&all, SP_RECORD_PRINTS, NULL);
	record(&all, SP_MSG_DATA_TRAILER, &trailer);
	record(&all, SP_MSG_DATA_END, &(struct sp_msg_data_end){ 0 });
	put_buf("record", "all", &all);
	record(&ended, SP_MSG_DATA_OPEN, &open);
	record(&ended, SP_MSG_DATA_ABORT, &(struct sp_msg_data_abort){ .reason = SP_E_SPACE });
	put_buf("record", "aborted", &ended);
}

/* ---- receipts and certificates ---- */
#define LIST "sealpost-files 1\nsalt 0101010101010101010101010101010101010101010101010101010101010101\n\n" \
	"a%20file 5 sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 1764040000.000000000\n"

static struct sp_hash
hash_of(const struct sp_buf *b)
{
	struct sp_hash hash;

	sp_sha256(sp_buf_span(b), &hash);
	return hash;
}

/* The .receipt of one delivery, postmarked or not. */
static void
receipt(bool postmarked)
{
	const struct fuzz_person *bob = fuzz_person(FUZZ_BOB), *certd = fuzz_person(FUZZ_CERTD), *tsa = fuzz_person(FUZZ_TSA);
	SP_AUTO_DONE(sp_buf) text = { 0 }, p7m = { 0 }, mark_text = { 0 }, mark = { 0 }, tsr = { 0 }, chain = { 0 }, file = { 0 };
	SP_AUTO(sp_tsa) *hand = NULL;
	struct sp_receipt r = { .klass = postmarked ? SP_RECEIPT_POSTMARKED : SP_RECEIPT_DIRECT, .transfer = { "transfer" },
		.sender = fuzz_person(FUZZ_ALICE)->identity.name, .recipient = bob->identity.name, .received_s = FUZZ_NOW_S,
		.files = 1, .bytes = 5 };
	struct sp_postmark p = { .number = { "A number" }, .certd = { "certd", "main", FUZZ_DOMAIN }, .klass = SP_RECEIPT_POSTMARKED,
		.transfer = r.transfer, .sender = r.sender, .recipient = r.recipient, .received_s = FUZZ_NOW_S,
		.payment = SP_PAYMENT_PAID };
	struct sp_receipt_parts parts = { .time_s = FUZZ_NOW_S, .files_txt = sp_span_str(LIST) };
	struct sp_receipt_proof proof;

	r.recipient_cert = hash_of(&bob->cert);
	sp_sha256(sp_span_str(LIST), &r.files_txt);
	fuzz_ok(sp_receipt_encode(&r, &text, NULL));
	fuzz_ok(sp_cms_sign(bob->key, sp_buf_span(&bob->cert), sp_buf_span(&text), &p7m, NULL));
	p.receipt = hash_of(&p7m);
	fuzz_ok(sp_postmark_encode(&p, &mark_text, NULL));
	fuzz_ok(sp_cms_sign(certd->key, sp_buf_span(&certd->cert), sp_buf_span(&mark_text), &mark, NULL));
	fuzz_ok(sp_tsa_new(tsa->key, sp_buf_span(&tsa->cert), &hand, NULL));
	fuzz_ok(sp_tsa_stamp(hand, sp_buf_span(&mark), FUZZ_NOW_MS, p.number.b, &tsr, NULL));
	fuzz_ok(sp_receipt_chain((const struct sp_span[]){ fuzz_root(), fuzz_issuer(), sp_buf_span(&bob->cert),
	    sp_buf_span(&certd->cert), sp_buf_span(&tsa->cert) }, postmarked ? 5 : 3, &chain, NULL));
	parts.receipt_p7m = sp_buf_span(&p7m);
	parts.chain_pem = sp_buf_span(&chain);
	if (postmarked) {
		parts.postmark_p7m = sp_buf_span(&mark);
		parts.postmark_tsr = sp_buf_span(&tsr);
	}
	fuzz_ok(sp_receipt_file_write(&parts, &file, NULL));
	fuzz_ok(sp_receipt_verify(sp_buf_span(&file), NULL, 0, &proof, NULL));
	put_buf("receipt_file", postmarked ? "postmarked" : "direct", &file);
	put_buf("receipt_text", postmarked ? "receipt-postmarked" : "receipt", &text);
	put_buf("receipt_text", "postmark", &mark_text);
	put_buf("cms", postmarked ? "receipt-postmarked" : "receipt", &p7m);
	put_buf("cms", "postmark", &mark);
	put_buf("der", "cms", &mark);
	put_buf("der", "tsr", &tsr);
}

static void
stamp(void)
{
	const struct fuzz_person *tsa = fuzz_person(FUZZ_TSA);
	SP_AUTO_DONE(sp_buf) tsr = { 0 };
	SP_AUTO(sp_tsa) *hand = NULL;

	fuzz_ok(sp_tsa_new(tsa->key, sp_buf_span(&tsa->cert), &hand, NULL));
	fuzz_ok(sp_tsa_stamp(hand, sp_span_str("stamped"), FUZZ_NOW_MS, (const uint8_t *)"AAAAAAAAAAAAAAAA", &tsr, NULL));
	put_buf("tsa", "stamp", &tsr);
}

static void
certificates(void)
{
	static const char *const names[FUZZ_PEOPLE] = { "alice", "bob", "creditd", "certd", "tsa" };
	SP_AUTO_DONE(sp_buf) pem = { 0 }, key = { 0 }, small = { 0 };
	uint8_t number[3] = { 1, 0, 1 };

	for (int who = 0; who < FUZZ_PEOPLE; who++)
		put_buf("x509", names[who], &fuzz_person((enum fuzz_who)who)->cert);
	put("x509", "root", fuzz_root());
	put("x509", "issuer", fuzz_issuer());
	fuzz_ok(sp_x509_to_pem(sp_buf_span(&fuzz_person(FUZZ_BOB)->cert), &pem));
	put_buf("x509", "bob.pem", &pem);
	fuzz_ok(sp_key_to_pem(fuzz_person(FUZZ_BOB)->key, &key));
	put_buf("x509", "key.pem", &key);
	put_buf("der", "cert", &fuzz_person(FUZZ_BOB)->cert);
	put("der", "time", sp_span("\x17\x0d" "260102030405Z", 15));
	put("der", "later", sp_span("\x18\x0f" "20510102030405Z", 17));
	sp_buf_add(&small, "\x02\x03", 2);
	sp_buf_add(&small, number, sizeof(number));
	put_buf("der", "number", &small);
}

static void
cookies(void)
{
	const struct fuzz_person *bob = fuzz_person(FUZZ_BOB);
	static const uint8_t given[SP_COOKIE] = "a cookie of bob";
	uint8_t letter[SP_LETTER_OVER], sealed[SP_COOKIE_LETTER];
	struct sp_letter_key key;

	for (size_t i = 0; i < sizeof(letter); i++)
		letter[i] = (uint8_t)(i * 7);
	letter[0] = SP_LETTER_VERSION;
	letter[1] = SP_LETTER_SEALED;
	sp_letter_key_init(&key, bob->letter.public_key);
	sp_cookie_seal(&key, sp_span(letter, sizeof(letter)), given, sealed);
	put("cookie", "right", sp_span(sealed, sizeof(sealed)));
	put("cookie", "address", sp_span("\0" "192.0.2.1", 10));
}

/* ---- pieces of a tar: of the manifest in tar_fuzz.c ---- */
static void
tars(void)
{
	uint8_t header[SP_TAR_BLOCK], zeroes[2 + SP_TAR_END] = { 0x84, 0x00 };

	sp_layout_manifest_header(300, header);
	put("tar", "manifest", sp_span(header, sizeof(header)));
	put("tar", "end", sp_span(zeroes, sizeof(zeroes)));
}

START_TEST(make)
{
	struct sp_msg_ping ping = { 0 };

	ck_assert_msg((folder = getenv("FUZZ_SEEDS")) != NULL, "FUZZ_SEEDS is not set");
	messages();
	letter("ping", SP_MSG_PING, &ping);
	offer("offer", (struct sp_stmt_offer){ .klass = SP_RECEIPT_DIRECT, .files = 1, .bytes = 5, .packet = 5120 });
	offer("offer-whole", (struct sp_stmt_offer){ .klass = SP_RECEIPT_POSTMARKED, .files = 3, .bytes = 1000, .packet = 10240,
	    .price = 1, .return_host = sp_span_str("host.example"), .return_port = 7325, .certds = sp_span_str("one,two"),
	    .creditds = sp_span_str("main") });
	accept("accept", 0);
	accept("accept-held", SP_RANGES_MAX);
	endings();
	money();
	connection();
	receipt(false);
	receipt(true);
	stamp();
	certificates();
	cookies();
	tars();
}
END_TEST

UNIT_MAIN("fuzz/seeds", make)
