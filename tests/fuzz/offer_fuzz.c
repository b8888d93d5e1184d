/*
 * offer_fuzz.c - OFFER: the input is the letter that carries it. Its statement is taken as if alice had signed it, so that the
 * rules behind the signature are reached; bob opens it.
 */
#include "common/statements/offer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

static void
services(struct sp_span list)
{
	struct sp_span first = sp_offer_service(list, 0), second = sp_offer_service(list, 1);

	fuzz_must(list.n == 0 || first.n > 0);
	fuzz_must(second.n == 0 || first.n + 1 + second.n == list.n);
	fuzz_must(sp_offer_service(list, 2).n == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fuzz_person *alice = fuzz_person(FUZZ_ALICE), *bob = fuzz_person(FUZZ_BOB);
	struct sp_msg_offer_letter letter;
	struct sp_stmt_offer offer;
	struct sp_hash hash, title;
	struct sp_why why = { "" };
	uint8_t signature[SP_SIGNATURE];

	if (!fuzz_decode(sp_desc_msg(SP_MSG_OFFER_LETTER), sp_span(data, size), &letter))
		return 0;
	fuzz_ok(sp_sign(alice->key, letter.statement, signature));
	if (sp_offer_open(&letter, alice->letter.public_key, &alice->identity, &bob->identity, &offer, &hash, &why) == SP_OK)
		fuzz_must(sp_verify(alice->identity.public_key, letter.statement, letter.signature.p) == SP_OK);
	letter.signature = sp_span(signature, sizeof(signature));
	if (sp_offer_open(&letter, alice->letter.public_key, &alice->identity, &bob->identity, &offer, &hash, &why) != SP_OK) {
		fuzz_reason(&why);
		return 0;
	}
	fuzz_accept();
	fuzz_ok(sp_offer_check(&offer, NULL));
	fuzz_must(offer.packet % 512 == 0 && offer.bytes <= offer.packet && offer.manifest_length < offer.packet);
	fuzz_must((offer.return_host.n > 0) == (offer.return_port > 0));
	sp_offer_title_hash(letter.title_salt.p, letter.title, &title);
	fuzz_must(sp_hash_eq(&title, &offer.title_hash));
	services(offer.certds);
	services(offer.creditds);
	return 0;
}
