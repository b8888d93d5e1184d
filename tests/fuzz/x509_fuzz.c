/*
 * x509_fuzz.c - certificates: of stations and services, issuing ones and roots; in DER and in PEM; and private keys in PEM.
 */
#include "common/crypto/x509.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

/* A certificate that is read says the same when it is looked at again, and is trusted only if it was made by our issuer. */
static void
leaf(struct sp_span in)
{
	struct sp_identity id, checked;
	struct sp_why why = { "" };
	char name[SP_NAME_TEXT];
	enum sp_status st;

	if (sp_identity_read(in, &id, &why) != SP_OK) {
		fuzz_must(why.text[0] != 0);
		fuzz_reason(&why);
		fuzz_must(sp_trust_check(fuzz_trust(), in, FUZZ_NOW_MS, &checked, &why) != SP_OK);
		return;
	}
	fuzz_accept();
	fuzz_must(id.role != SP_ROLE_NONE && id.not_before <= id.not_after && strlen(id.serial) <= 32);
	fuzz_must(strlen(sp_identity_text(&id, name)) < sizeof(name));
	st = sp_trust_check(fuzz_trust(), in, FUZZ_NOW_MS, &checked, &why);
	fuzz_reason(&why);
	if (st == SP_OK)
		fuzz_must(checked.role == id.role && sp_hash_eq(&checked.hash, &id.hash) &&
		    strcmp(id.name.domain, FUZZ_DOMAIN) == 0);
}

static void
above(struct sp_span in)
{
	SP_AUTO(sp_trust) *t = NULL;
	struct sp_why why = { "" };

	fuzz_ok(sp_trust_new(FUZZ_DOMAIN, &t));
	(void)!sp_trust_add_root(t, in, &why);
	fuzz_reason(&why);
	(void)!sp_trust_add_issuer(t, in, &why);
	fuzz_reason(&why);
	/* whatever was let in, it does not vouch for alice */
}

static void
pem(struct sp_span in)
{
	SP_AUTO_DONE(sp_buf) der = { 0 }, text = { 0 }, again = { .secret = true };
	SP_AUTO(sp_key) *key = NULL;

	if (sp_x509_from_pem(in, &der) == SP_OK) {
		SP_AUTO_DONE(sp_buf) back = { 0 };

		fuzz_ok(sp_x509_to_pem(sp_buf_span(&der), &text));
		fuzz_ok(sp_x509_from_pem(sp_buf_span(&text), &back));
		fuzz_same(sp_buf_span(&back), sp_buf_span(&der));
		leaf(sp_buf_span(&der));
	}
	if (sp_key_from_pem(in, &key, NULL) == SP_OK)
		fuzz_ok(sp_key_to_pem(key, &again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sp_span in = sp_span(data, size);

	leaf(in);
	above(in);
	pem(in);
	return 0;
}
