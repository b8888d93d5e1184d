/*
 * postmark_client.c - certd seen from outside, for its tests: makes what a recipient hands in, right or wrong on demand, hands
 * it in, and fetches postmarks. Folders of stations are those of enrol_client or credit_client.
 *
 * postmark_client make SENDER RECIPIENT OUT [WORD…]     writes OUT/request (a POSTMARK), OUT/transfer, OUT/files.txt
 * WORD: price=N, frank (of a made-up sheet), sheet=FILE (the statement of a real one), serial=N, return=HOST:PORT, transfer=ID, class=CLASS; and wrong: frank-other-offer,
 * frank-other-recipient, frank-forged (signed by the recipient), frank-price, offer-forged, receipt-forged (a bit of it flipped),
 * receipt-other-offer, receipt-by-sender (the sender signs the receipt)
 * postmark_client hand DIR ADDRESS REQUEST OUT          as the station of DIR; OUT/receipt.p7m, postmark.p7m, postmark.tsr,
 * postmark_client get DIR ADDRESS TRANSFER OUT          certificates and postmark.txt, all verified
 * postmark_client ready DIR CERT PORT TRANSFER          a letter RECEIPT_READY from the member of DIR to the station of CERT on
 * a port of this machine; prints "ok"
 *
 * Prints "ok NUMBER PAYMENT CERTIFICATE RECEIVED_S" and ends with 0, or "STATUS reason" and ends with 1.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/crypto/cms.h"
#include "common/net/client.h"
#include "common/statements/frank.h"
#include "common/statements/receipt_file.h"
#include "common/wire/letter.h"

#define LIST "sealpost-files 1\nsalt 0101010101010101010101010101010101010101010101010101010101010101\n\n" \
	"a 5 sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 1764040000.000000000\n"

static struct sp_why why;

static void
must(enum sp_status st)
{
	if (st == SP_OK)
		return;
	printf("%s %s\n", sp_status_name(st), why.text[0] != '\0' ? why.text : sp_status_text(st));
	exit(1);
}

static void
file(const char *dir, const char *name, struct sp_buf *in, struct sp_span out)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	must(in != NULL ? sp_file_read(path, 1 << 20, in, &why) : sp_file_write(path, out, 0600, &why));
}

/* Of one name or the other. */
static void
file_of(const char *dir, const char *name, const char *other, struct sp_buf *in)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file(dir, access(path, R_OK) == 0 ? name : other, in, sp_span(NULL, 0));
}

/* A station's keys and papers. */
struct who {
	struct sp_key *key;
	struct sp_buf cert, issuer, root;
	struct sp_identity id;
	struct sp_trust *trust;
};

static void
who_read(struct who *w, const char *dir)
{
	SP_AUTO_DONE(sp_buf) pem = { 0 };

	memset(w, 0, sizeof(*w));
	file(dir, "sign.pem", &pem, sp_span(NULL, 0));
	must(sp_key_from_pem(sp_buf_span(&pem), &w->key, &why));
	file(dir, "cert.der", &w->cert, sp_span(NULL, 0));
	file_of(dir, "issuer.der", "issuers.der", &w->issuer);
	file(dir, "root.der", &w->root, sp_span(NULL, 0));
	must(sp_identity_read(sp_buf_span(&w->cert), &w->id, &why));
	must(sp_trust_new(w->id.name.domain, &w->trust));
	must(sp_trust_add_root(w->trust, sp_buf_span(&w->root), &why));
	must(sp_trust_add_issuer(w->trust, sp_buf_span(&w->issuer), &why));
}

static void
who_done(struct who *w)
{
	sp_key_free(w->key);
	sp_buf_done(&w->cert);
	sp_buf_done(&w->issuer);
	sp_buf_done(&w->root);
	sp_trust_free(w->trust);
}

/* The words behind OUT. */
static char **words;

static const char *
word(const char *name)
{
	size_t n = strlen(name);

	for (char **w = words; *w != NULL; w++)
		if (strncmp(*w, name, n) == 0 && ((*w)[n] == '\0' || (*w)[n] == '='))
			return (*w)[n] == '=' ? *w + n + 1 : *w + n;
	return NULL;
}

struct parts {
	struct sp_buf offer, frank, receipt;
	uint8_t offer_signature[SP_SIGNATURE], frank_signature[SP_SIGNATURE];
	struct sp_stmt_offer o;
	struct sp_hash offer_hash;
	char sender[SP_NAME_TEXT], recipient[SP_NAME_TEXT], host[SP_HOST_MAX + 1];
	struct sp_id transfer;
};

static void
make_offer(struct parts *p, const struct who *sender, const struct who *recipient)
{
	const char *price = word("price"), *back = word("return"), *transfer = word("transfer"), *klass = word("class");

	p->transfer = sp_id_new();
	if (transfer != NULL)
		must(sp_id_parse(transfer, &p->transfer));
	p->o = (struct sp_stmt_offer){ .transfer = p->transfer,
		.sender = sp_span_str(sp_identity_text(&sender->id, p->sender)),
		.recipient = sp_span_str(sp_identity_text(&recipient->id, p->recipient)), .recipient_cert = recipient->id.hash,
		.klass = klass != NULL ? (uint8_t)sp_receipt_class_from_text(sp_span_str(klass)) : SP_RECEIPT_POSTMARKED,
		.price = price != NULL ? (uint32_t)atoi(price) : 0, .files = 1, .bytes = 5, .packet = 1 << 20,
		.manifest = { { 1 } }, .title_hash = { { 2 } }, .time_ms = sp_clock_wall_ms(), .manifest_length = 100 };
	if (back != NULL) {
		must(sp_hostport_split(sp_span_str(back), 0, p->host, &p->o.return_port));
		p->o.return_host = sp_span_str(p->host);
	}
	must(sp_statement_sign(SP_STMT_OFFER, &p->o, word("offer-forged") != NULL ? recipient->key : sender->key, &p->offer,
	    p->offer_signature, &p->offer_hash, &why));
}

static void
make_frank(struct parts *p, const struct who *sender, const struct who *recipient)
{
	struct sp_frank f = { .offer = p->offer_hash, .sheet = { { 7 } }, .recipient_cert = recipient->id.hash,
		.bytes = p->o.bytes, .price = p->o.price, .serials = { { 5, p->o.price } }, .count = 1,
		.valid_until_ms = sp_clock_wall_ms() + SP_FRANK_LIFE_MS };

	if (word("serial") != NULL)
		f.serials[0].first = (uint32_t)atoi(word("serial"));
	if (word("sheet") != NULL) {
		SP_AUTO_DONE(sp_buf) sheet = { 0 };

		must(sp_file_read(word("sheet"), 1 << 20, &sheet, &why));
		sp_statement_hash(sp_buf_span(&sheet), &f.sheet);
	}
	if (word("frank-other-offer") != NULL)
		f.offer.b[0] ^= 1;
	if (word("frank-other-recipient") != NULL)
		f.recipient_cert.b[0] ^= 1;
	if (word("frank-price") != NULL)
		f.price = f.serials[0].count = p->o.price + 1;
	must(sp_frank_sign(&f, word("frank-forged") != NULL ? recipient->key : sender->key, &p->frank, p->frank_signature,
	    &why));
}

static void
make_receipt(struct parts *p, const struct who *sender, const struct who *recipient)
{
	const struct who *signer = word("receipt-by-sender") != NULL ? sender : recipient;
	SP_AUTO_DONE(sp_buf) text = { 0 };
	struct sp_receipt r = { .klass = p->o.klass, .transfer = p->transfer, .sender = sender->id.name,
		.recipient = recipient->id.name, .sender_cert = sender->id.hash, .recipient_cert = recipient->id.hash,
		.offer = p->offer_hash, .manifest = p->o.manifest, .received_s = sp_clock_wall_ms() / 1000, .files = 1,
		.bytes = 5 };

	sp_sha256(sp_span_str(LIST), &r.files_txt);
	if (word("receipt-other-offer") != NULL)
		r.offer.b[0] ^= 1;
	must(sp_receipt_encode(&r, &text, &why));
	must(sp_cms_sign(signer->key, sp_buf_span(&signer->cert), sp_buf_span(&text), &p->receipt, &why));
	if (word("receipt-forged") != NULL)
		p->receipt.data[p->receipt.len / 2] ^= 1;
}

static void
make(const char *sender_dir, const char *recipient_dir, const char *out)
{
	SP_AUTO_DONE(sp_buf) request = { 0 };
	struct who sender, recipient;
	struct parts p = { .o = { .price = 0 } };
	struct sp_msg_postmark msg;
	char id[SP_ID_TEXT];

	who_read(&sender, sender_dir);
	who_read(&recipient, recipient_dir);
	make_offer(&p, &sender, &recipient);
	make_receipt(&p, &sender, &recipient);
	msg = (struct sp_msg_postmark){ .receipt = sp_buf_span(&p.receipt), .offer = sp_buf_span(&p.offer),
		.offer_signature = sp_span(p.offer_signature, SP_SIGNATURE), .sender_cert = sp_buf_span(&sender.cert) };
	for (char **w = words; *w != NULL && p.frank.len == 0; w++)
		if (strncmp(*w, "frank", 5) == 0)
			make_frank(&p, &sender, &recipient);
	msg.frank = sp_buf_span(&p.frank);
	if (p.frank.len > 0)
		msg.frank_signature = sp_span(p.frank_signature, SP_SIGNATURE);
	must(sp_mkdirs(out, 0700, &why));
	must(sp_encode(sp_desc_msg(SP_MSG_POSTMARK), &msg, &request, &why));
	file(out, "request", NULL, sp_buf_span(&request));
	file(out, "files.txt", NULL, sp_span_str(LIST));
	file(out, "transfer", NULL, sp_span_str(sp_id_text(&p.transfer, id)));
	printf("ok %s\n", id);
	sp_buf_done(&p.offer);
	sp_buf_done(&p.frank);
	sp_buf_done(&p.receipt);
	who_done(&sender);
	who_done(&recipient);
}

/* ---- asking ---- */

struct asking {
	struct sp_loop *loop;
	const struct who *who;
	const char *out;
	enum sp_status st;
};

/* The .receipt too, as the sender would put it together. */
static void
write_receipt(const struct asking *a, const struct sp_postmark_parts *parts, const struct sp_postmark_proof *p)
{
	SP_AUTO_DONE(sp_buf) chain = { 0 }, whole = { 0 };
	const struct sp_span certs[] = { sp_buf_span(&a->who->root), sp_buf_span(&a->who->issuer),
	    sp_buf_span(&p->recipient_cert), sp_buf_span(&p->certd_cert), sp_buf_span(&p->tsa_cert) };
	const struct sp_receipt_parts all = { .time_s = p->token_s, .files_txt = sp_span_str(LIST),
		.receipt_p7m = parts->receipt_p7m, .postmark_p7m = parts->postmark_p7m, .postmark_tsr = parts->postmark_tsr,
		.chain_pem = { NULL, 0 } };
	struct sp_receipt_parts with_chain = all;
	struct sp_receipt_proof proof;

	must(sp_receipt_chain(certs, 5, &chain, &why));
	with_chain.chain_pem = sp_buf_span(&chain);
	must(sp_receipt_file_write(&with_chain, &whole, &why));
	must(sp_receipt_verify(sp_buf_span(&whole), NULL, 0, &proof, &why));
	file(a->out, "x.receipt", NULL, sp_buf_span(&whole));
}

static void
answered(void *arg, const struct sp_answer *answer)
{
	struct asking *a = arg;
	SP_AUTO_DONE(sp_postmark_proof) p = { .token_s = 0 };
	SP_AUTO_DONE(sp_buf) commands = { 0 };
	struct sp_msg_postmark_is is;
	struct sp_postmark_parts parts;
	char id[SP_ID_TEXT];

	sp_loop_stop(a->loop);
	if ((a->st = sp_answer_read(answer, SP_MSG_POSTMARK_IS, &is, &why)) != SP_OK)
		return;
	parts = (struct sp_postmark_parts){ is.receipt, is.postmark, is.tsr };
	if ((a->st = sp_postmark_verify(&parts, a->who->trust, &p, &why)) != SP_OK)
		return;
	if (!sp_id_eq(&is.number, &p.postmark.number)) {
		a->st = sp_fail(SP_E_MISMATCH, &why, "the answer has another number than its postmark");
		return;
	}
	file(a->out, "receipt.p7m", NULL, is.receipt);
	file(a->out, "postmark.p7m", NULL, is.postmark);
	file(a->out, "postmark.tsr", NULL, is.tsr);
	write_receipt(a, &parts, &p);
	must(sp_receipt_commands("x.receipt", true, p.token_s, &commands));
	file(a->out, "commands", NULL, sp_buf_span(&commands));
	printf("ok %s %s %s %llu\n", sp_id_text(&is.number, id), sp_payment_text(p.postmark.payment),
	    p.postmark.ended_s > 0 ? "ended" : "in-force", (unsigned long long)p.postmark.received_s);
}

static void
ask(const char *dir, const char *address, unsigned type, const void *msg, const char *out)
{
	struct sp_resolver *resolver;
	struct sp_client *client;
	struct who who;
	struct sp_span chain[1];
	struct sp_tls_identity tls = { .chain = chain, .nchain = 1 };
	struct sp_client_conf conf = { .role = SP_ROLE_CERTD, .addresses = &address, .naddresses = 1, .identity = &tls };
	struct asking a = { .who = &who, .out = out };
	struct sp_id id = sp_id_new();

	who_read(&who, dir);
	chain[0] = sp_buf_span(&who.issuer);
	tls.key = who.key;
	tls.cert = sp_buf_span(&who.cert);
	conf.trust = who.trust;
	must(sp_mkdirs(out, 0700, &why));
	must(sp_loop_new(&a.loop, &why));
	must(sp_resolver_new(a.loop, &resolver, &why));
	must(sp_client_new(a.loop, resolver, &conf, &client, &why));
	must(sp_client_ask(client, &id, type, msg, answered, &a, &why));
	must(sp_loop_run(a.loop));
	sp_client_free(client);
	sp_resolver_free(resolver);
	sp_loop_free(a.loop);
	who_done(&who);
	must(a.st);
}

static void
ready(const char *dir, const char *cert, unsigned port, const char *transfer)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sp_letter_head head = { .id = sp_id_new(), .time_ms = sp_clock_wall_ms(), .pad_to = 980 };
	struct sp_msg_receipt_ready m = { .number = sp_id_new() };
	SP_AUTO_DONE(sp_buf) hex = { 0 }, der = { 0 }, letter = { 0 };
	struct sp_x25519_pair pair;
	struct sp_letter_key receiver;
	struct sp_identity id;
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	must(sp_id_parse(transfer, &m.transfer));
	file(dir, "letter.key", &hex, sp_span(NULL, 0));
	must(sp_unhex(sp_buf_cstr(&hex), 64, pair.secret, sizeof(pair.secret)));
	must(sp_x25519_public(pair.secret, pair.public_key));
	must(sp_file_read(cert, 1 << 20, &der, &why));
	must(sp_identity_read(sp_buf_span(&der), &id, &why));
	sp_letter_key_init(&receiver, id.letter_key);
	must(sp_letter_seal(&pair, &receiver, &head, sp_desc_msg(SP_MSG_RECEIPT_READY), &m, &letter, &why));
	must(s >= 0 && sendto(s, letter.data, letter.len, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)letter.len ?
	    SP_OK : SP_E_SYS);
	close(s);
	puts("ok");
}

int
main(int argc, char **argv)
{
	SP_AUTO_DONE(sp_buf) bytes = { 0 };
	struct sp_msg_postmark postmark;
	struct sp_msg_postmark_get get = { .transfer = { { 0 } } };

	if (argc >= 5 && strcmp(argv[1], "make") == 0) {
		words = argv + 5;
		make(argv[2], argv[3], argv[4]);
	} else if (argc == 6 && strcmp(argv[1], "hand") == 0) {
		must(sp_file_read(argv[4], 1 << 20, &bytes, &why));
		must(sp_decode(sp_desc_msg(SP_MSG_POSTMARK), sp_buf_span(&bytes), &postmark, &why));
		ask(argv[2], argv[3], SP_MSG_POSTMARK, &postmark, argv[5]);
	} else if (argc == 6 && strcmp(argv[1], "get") == 0) {
		must(sp_id_parse(argv[4], &get.transfer));
		ask(argv[2], argv[3], SP_MSG_POSTMARK_GET, &get, argv[5]);
	} else if (argc == 6 && strcmp(argv[1], "ready") == 0) {
		ready(argv[2], argv[3], (unsigned)atoi(argv[4]), argv[5]);
	} else {
		return 2;
	}
	return 0;
}
