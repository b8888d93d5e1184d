/*
 * receipt_record.c - makes a post office of two certificates and a recipient, and writes the .receipt of one delivery to
 * standard output, for programs that share no code with ours to read. The file "c" is a hard link of "a file"; with a number as
 * argument, the recipient signs for that many bytes, and the status is 2 if sp_receipt_verify() refuses it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/crypto/cms.h"
#include "common/crypto/rand.h"
#include "common/statements/receipt_file.h"

#define DOMAIN "post.example"
#define LIST "sealpost-files 1\nsalt 0101010101010101010101010101010101010101010101010101010101010101\n\n" \
	"a%20file 5 sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 1764040000.000000000\n" \
	"b 7 changed 1764040000.000000000\n" \
	"c 5 sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 1764040000.000000000\n"

#define must(call)                                                                                  \
	do {                                                                                        \
		enum sp_status st_ = (call);                                                        \
		if (st_ != SP_OK) {                                                                 \
			fprintf(stderr, "receipt_record: %s: %s\n", #call, sp_status_text(st_));    \
			exit(1);                                                                    \
		}                                                                                   \
	} while (0)

/* The recipient's key and certificate, and the certificates above it. */
struct office {
	struct sp_key *root_key, *issuer_key, *key;	/* owned */
	struct sp_buf root, issuer, cert;
	struct sp_identity bob;
};

static void
office_init(struct office *o, uint64_t now_ms)
{
	uint8_t issuer_public[SP_P256_PUBLIC];
	struct sp_x25519_pair pair;

	must(sp_key_new(&o->root_key));
	must(sp_key_new(&o->issuer_key));
	must(sp_key_new(&o->key));
	must(sp_x509_make_root(o->root_key, DOMAIN, now_ms, &o->root));
	sp_key_public(o->issuer_key, issuer_public);
	must(sp_x509_make_issuer(o->root_key, sp_buf_span(&o->root), issuer_public, DOMAIN, now_ms, &o->issuer));
	o->bob = (struct sp_identity){ .role = SP_ROLE_STATION, .name = { "bob", "desk", DOMAIN }, .has_keys = true,
		.not_before = (int64_t)(now_ms / 1000) - 60, .not_after = (int64_t)(now_ms / 1000) + 86400 };
	sp_key_public(o->key, o->bob.public_key);
	must(sp_x25519_new(&pair));
	memcpy(o->bob.letter_key, pair.public_key, SP_X25519);
	must(sp_x25519_new(&pair));
	memcpy(o->bob.age_key, pair.public_key, SP_X25519);
	sp_random(o->bob.cert_serial, sizeof(o->bob.cert_serial));
	o->bob.cert_serial[0] = 0x41;
	must(sp_x509_issue(o->issuer_key, sp_buf_span(&o->issuer), &o->bob, &o->cert, NULL));
	sp_sha256(sp_buf_span(&o->cert), &o->bob.hash);
}

static void
office_done(struct office *o)
{
	sp_key_free(o->root_key);
	sp_key_free(o->issuer_key);
	sp_key_free(o->key);
	sp_buf_done(&o->root);
	sp_buf_done(&o->issuer);
	sp_buf_done(&o->cert);
}

int
main(int argc, char **argv)
{
	SP_AUTO_DONE(sp_buf) text = { 0 }, p7m = { 0 }, chain = { 0 }, file = { 0 };
	const uint64_t now_ms = sp_clock_wall_ms();
	struct office o = { 0 };
	struct sp_receipt receipt = { .klass = SP_RECEIPT_DIRECT, .transfer = sp_id_new(),
		.sender = { "alice", "laptop", DOMAIN }, .recipient = { "bob", "desk", DOMAIN }, .received_s = now_ms / 1000,
		.files = 3, .bytes = argc > 1 ? strtoull(argv[1], NULL, 10) : 12, .changed = 1, .left_out = 1 };
	struct sp_receipt_parts parts = { .time_s = now_ms / 1000, .files_txt = sp_span_str(LIST) };
	struct sp_receipt_proof proof;
	struct sp_why why = { "" };
	enum sp_status st;

	office_init(&o, now_ms);
	receipt.recipient_cert = o.bob.hash;
	sp_sha256(sp_span_str(LIST), &receipt.files_txt);
	sp_sha256(sp_span_str("link%20out\n"), &receipt.left_out_paths);
	must(sp_receipt_encode(&receipt, &text, NULL));
	must(sp_cms_sign(o.key, sp_buf_span(&o.cert), sp_buf_span(&text), &p7m, NULL));
	must(sp_receipt_chain((const struct sp_span[]){ sp_buf_span(&o.root), sp_buf_span(&o.issuer),
	    sp_buf_span(&o.cert) }, 3, &chain, NULL));
	parts.receipt_p7m = sp_buf_span(&p7m);
	parts.chain_pem = sp_buf_span(&chain);
	must(sp_receipt_file_write(&parts, &file, NULL));
	st = sp_receipt_verify(sp_buf_span(&file), NULL, 0, &proof, &why);
	office_done(&o);
	if (fwrite(file.data, 1, file.len, stdout) != file.len || fflush(stdout) != 0)
		return 1;
	return st == SP_OK ? 0 : 2;
}
