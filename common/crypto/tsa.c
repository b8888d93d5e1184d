/*
 * tsa.c - RFC 3161 time-stamps in one form: status granted, and a token whose TSTInfo has our policy, SHA-256, whole seconds,
 * an accuracy of one second and nothing optional besides. Read by writing it again.
 */
#include "common/crypto/tsa.h"

#include "common/crypto/hash.h"
#include "common/crypto/signed.h"

#define OID_TST_INFO DER_LITERAL("\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x04")
/* our arc (that of the private extension), 1: times of postmarks */
#define OID_POLICY DER_LITERAL("\x06\x15\x69\x81\xbb\xdf\x94\xd4\x96\x87\xc2\xb8\xef\x97\xfc\xeb\x93\xa2\xf3\x95\xb4\x5b\x01")
#define STATUS_GRANTED DER_LITERAL("\x30\x03\x02\x01\x00")
#define ACCURACY DER_LITERAL("\x30\x03\x02\x01\x01")

struct sp_tsa {
	const struct sp_key *key;	/* borrowed */
	struct sp_buf cert;
};

enum sp_status
sp_tsa_new(const struct sp_key *key, struct sp_span cert_der, struct sp_tsa **ret_tsa, struct sp_why *why)
{
	SP_AUTO(sp_tsa) *tsa = calloc(1, sizeof(*tsa));
	struct sp_identity id;
	uint8_t public_key[SP_P256_PUBLIC];
	enum sp_status st;

	if (tsa == NULL)
		return SP_E_NOMEM;
	if ((st = sp_identity_read(cert_der, &id, why)) != SP_OK)
		return st;
	sp_key_public(key, public_key);
	if (id.role != SP_ROLE_TSA || memcmp(public_key, id.public_key, sizeof(public_key)) != 0)
		return sp_fail(SP_E_ROLE, why, "the certificate is not the tsa's of this key");
	tsa->key = key;
	sp_buf_add_span(&tsa->cert, cert_der);
	if ((st = sp_buf_status(&tsa->cert)) == SP_OK)
		*ret_tsa = sp_take(&tsa);
	return st;
}

void
sp_tsa_free(struct sp_tsa *tsa)
{
	if (tsa == NULL)
		return;
	sp_buf_done(&tsa->cert);
	free(tsa);
}

/* The time in a TSTInfo is a GeneralizedTime in every year. */
static void
add_general_time(struct sp_buf *b, int64_t seconds)
{
	SP_AUTO_DONE(sp_buf) one = { 0 };
	size_t mark;

	sp_der_add_time(&one, seconds);
	if (sp_buf_status(&one) != SP_OK || one.len < 2) {
		b->error = SP_E_RANGE;
		return;
	}
	if (one.data[0] == DER_TIME) {
		sp_buf_add_span(b, sp_buf_span(&one));
		return;
	}
	mark = sp_der_open(b, DER_TIME);
	sp_buf_add_text(b, one.data[2] >= '5' ? "19" : "20");
	sp_buf_add(b, one.data + 2, one.len - 2);
	sp_der_close(b, mark);
}

static void
add_info(struct sp_buf *b, const struct sp_hash *imprint, const uint8_t serial[16], int64_t seconds)
{
	size_t info = sp_der_open(b, DER_SEQUENCE), mark;

	sp_buf_add_span(b, DER_LITERAL("\x02\x01\x01"));
	sp_buf_add_span(b, OID_POLICY);
	mark = sp_der_open(b, DER_SEQUENCE);
	sp_buf_add_span(b, DER_ALG_SHA256);
	sp_der_add(b, DER_OCTETS, sp_span(imprint->b, sizeof(imprint->b)));
	sp_der_close(b, mark);
	sp_der_add_uint(b, serial, 16);
	add_general_time(b, seconds);
	sp_buf_add_span(b, ACCURACY);
	sp_der_close(b, info);
}

enum sp_status
sp_tsa_stamp(struct sp_tsa *tsa, struct sp_span bytes, uint64_t wall_ms, const uint8_t serial[16], struct sp_buf *out,
    struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) info = { 0 };
	struct signed_form form = { .type = OID_TST_INFO, .version = 3, .cert = sp_buf_span(&tsa->cert) };
	struct sp_hash imprint;
	size_t whole;
	enum sp_status st;

	sp_sha256(bytes, &imprint);
	add_info(&info, &imprint, serial, (int64_t)(wall_ms / 1000));
	if ((st = sp_buf_status(&info)) != SP_OK)
		return sp_fail(st, why, "this time cannot be written");
	form.content = sp_buf_span(&info);
	whole = sp_der_open(out, DER_SEQUENCE);
	sp_buf_add_span(out, STATUS_GRANTED);
	if ((st = signed_make(&form, tsa->key, out, why)) != SP_OK)
		return st;
	sp_der_close(out, whole);
	return sp_buf_status(out);
}

/* Seconds of "YYYYMMDDHHMMSSZ", by the reader of times: written anew, the whole is compared. */
static enum sp_status
read_info(struct sp_span content, const struct sp_hash *imprint, int64_t *ret_seconds, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	SP_AUTO_DONE(sp_buf) time = { 0 };
	struct sp_cursor whole = sp_cursor(content), c = sp_der_enter(&whole, DER_SEQUENCE), in;
	struct sp_span text;
	uint8_t serial[16];
	int64_t seconds;

	(void)sp_der_read(&c, DER_INTEGER);
	(void)sp_der_read(&c, DER_OID);
	(void)sp_der_read(&c, DER_SEQUENCE);
	sp_der_read_uint(&c, serial, sizeof(serial));
	text = sp_der_read(&c, DER_TIME);
	if (c.error != SP_OK || text.n != 15)
		return sp_fail(SP_E_FORMAT, why, "it is not a time-stamp of our form");
	/* before 2050 the reader knows the short form only */
	if (memcmp(text.p, "2050", 4) < 0)
		sp_der_add(&time, DER_UTC_TIME, sp_span(text.p + 2, 13));
	else
		sp_der_add(&time, DER_TIME, text);
	in = sp_cursor(sp_buf_span(&time));
	seconds = sp_der_read_time(&in);
	add_info(&again, imprint, serial, seconds);
	if (in.error != SP_OK || sp_buf_status(&again) != SP_OK)
		return sp_fail(SP_E_FORMAT, why, "the time in the time-stamp is none");
	if (!sp_span_eq(sp_buf_span(&again), content))
		return sp_fail(SP_E_MISMATCH, why, "the time-stamp is not over these bytes, or not of our form");
	*ret_seconds = seconds;
	return SP_OK;
}

enum sp_status
sp_tsa_verify(struct sp_span der, struct sp_span bytes, const struct sp_trust *trust, uint64_t *ret_wall_ms,
    struct sp_buf *ret_cert, struct sp_identity *ret_signer, struct sp_why *why)
{
	struct sp_cursor whole = sp_cursor(der), c = sp_der_enter(&whole, DER_SEQUENCE);
	struct signed_form form;
	struct sp_hash imprint;
	struct sp_span token;
	int64_t seconds = 0;
	enum sp_status st;

	sp_der_expect(&c, STATUS_GRANTED);
	token = sp_der_read_whole(&c, DER_SEQUENCE);
	sp_der_leave(&whole, &c);
	if (sp_cursor_end(&whole) != SP_OK)
		return sp_fail(SP_E_FORMAT, why, "it is not a granted time-stamp of our form");
	sp_sha256(bytes, &imprint);
	if ((st = signed_read(token, OID_TST_INFO, 3, &form, why)) != SP_OK ||
	    (st = read_info(form.content, &imprint, &seconds, why)) != SP_OK ||
	    (st = sp_trust_check(trust, form.cert, (uint64_t)seconds * 1000, ret_signer, why)) != SP_OK)
		return st;
	if (ret_signer->role != SP_ROLE_TSA)
		return sp_fail(SP_E_ROLE, why, "the time-stamp is not signed by a tsa");
	sp_buf_add_span(ret_cert, form.cert);
	*ret_wall_ms = (uint64_t)seconds * 1000;
	return sp_buf_status(ret_cert);
}
