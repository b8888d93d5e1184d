/*
 * offer.c - what an OFFER must be by itself, and together with the letter that brought it.
 */
#include "common/statements/offer.h"

#include <string.h>

#include "common/base/limits.h"
#include "common/statements/host.h"

#define TAR_BLOCK 512
#define TAR_END 1024

static const char *const class_texts[] = { NULL, "none", "direct", "postmarked", "certified" };
#define CLASSES (sizeof(class_texts) / sizeof(class_texts[0]))

const char *
sp_receipt_class_text(unsigned klass)
{
	return klass > 0 && klass < CLASSES ? class_texts[klass] : "unknown";
}

unsigned
sp_receipt_class_from_text(struct sp_span text)
{
	for (unsigned i = 1; i < CLASSES; i++)
		if (sp_span_eq(text, sp_span_str(class_texts[i])))
			return i;
	return 0;
}

void
sp_offer_title_hash(const uint8_t salt[SP_TITLE_SALT], struct sp_span title, struct sp_hash *ret_hash)
{
	const struct sp_span parts[] = { sp_span(salt, SP_TITLE_SALT), title };

	sp_sha256_parts(parts, 2, ret_hash);
}

struct sp_span
sp_offer_service(struct sp_span list, unsigned number)
{
	const uint8_t *comma = list.n > 0 ? memchr(list.p, ',', list.n) : NULL;
	size_t first = comma != NULL ? (size_t)(comma - list.p) : list.n;

	if (number == 0)
		return sp_span(list.p, first);
	if (number > 1 || comma == NULL)
		return sp_span(NULL, 0);
	return sp_span(comma + 1, list.n - first - 1);
}

/* Absent, or one or two names of services. */
static bool
services_ok(struct sp_span list)
{
	struct sp_span first = sp_offer_service(list, 0), second = sp_offer_service(list, 1);

	if (list.n == 0)
		return true;
	if (!sp_service_name_ok(first))
		return false;
	return first.n == list.n || (sp_service_name_ok(second) && !sp_span_eq(first, second));
}

static bool
is_station(struct sp_span text)
{
	struct sp_name name;

	return sp_name_parse(text, &name) == SP_OK && name.station[0] != '\0';
}

/* Do the sizes fit each other and what a packet may be? */
static bool
sizes_ok(const struct sp_stmt_offer *o)
{
	/* the least: the manifest's header and text, the files' bytes, the end */
	uint64_t least = TAR_BLOCK + (o->manifest_length + TAR_BLOCK - 1) / TAR_BLOCK * (uint64_t)TAR_BLOCK + TAR_END;

	if (o->files > SP_ENTRIES_MAX || o->bytes > SP_PACKET_MAX || o->manifest_length > SP_MANIFEST_MAX ||
	    (o->files == 0 && o->bytes > 0))
		return false;
	return o->packet % TAR_BLOCK == 0 && o->packet <= INT64_MAX && o->packet >= least + o->bytes;
}

enum sp_status
sp_offer_check(const struct sp_stmt_offer *offer, struct sp_why *why)
{
	if (!is_station(offer->sender) || !is_station(offer->recipient))
		return sp_fail(SP_E_FORMAT, why, "an offer goes from one station to one station, by full names");
	if (sp_span_eq(offer->sender, offer->recipient))
		return sp_fail(SP_E_FORMAT, why, "an offer from a station to itself");
	if (!sizes_ok(offer))
		return sp_fail(SP_E_SIZE, why, "the offer's sizes do not fit each other or are over the limits");
	if ((offer->return_host.n > 0) != (offer->return_port > 0) ||
	    (offer->return_host.n > 0 && !sp_host_ok(offer->return_host)))
		return sp_fail(SP_E_FORMAT, why, "the offer's return address is not HOST and port");
	if (!services_ok(offer->certds) || !services_ok(offer->creditds))
		return sp_fail(SP_E_FORMAT, why, "the offer's services are not one or two names");
	return SP_OK;
}

/* Are sender, signer and letter one, and is it for us? */
static enum sp_status
check_parties(const struct sp_stmt_offer *offer, const uint8_t letter_key[SP_X25519],
    const struct sp_identity *sender, const struct sp_identity *own, struct sp_why *why)
{
	char name[SP_NAME_TEXT];

	if (!sender->has_keys || memcmp(letter_key, sender->letter_key, SP_X25519) != 0)
		return sp_fail(SP_E_IDENTITY, why, "the letter's key is not that of %s",
		    sp_identity_text(sender, name));
	if (!sp_span_eq(offer->sender, sp_span_str(sp_identity_text(sender, name))))
		return sp_fail(SP_E_IDENTITY, why, "%s offers in another's name", name);
	if (!sp_span_eq(offer->recipient, sp_span_str(sp_identity_text(own, name))))
		return sp_fail(SP_E_IDENTITY, why, "the offer is not for %s", name);
	if (!sp_hash_eq(&offer->recipient_cert, &own->hash))
		return sp_fail(SP_E_MISMATCH, why, "the offer names another certificate of %s than the present one",
		    name);
	return SP_OK;
}

enum sp_status
sp_offer_open(const struct sp_msg_offer_letter *letter, const uint8_t letter_key[SP_X25519],
    const struct sp_identity *sender, const struct sp_identity *own, struct sp_stmt_offer *ret_offer,
    struct sp_hash *ret_hash, struct sp_why *why)
{
	struct sp_stmt_offer offer;
	struct sp_hash title;
	enum sp_status st;

	st = sp_statement_open(SP_STMT_OFFER, letter->statement, letter->signature, sender, NULL, &offer, why);
	if (st != SP_OK || (st = check_parties(&offer, letter_key, sender, own, why)) != SP_OK ||
	    (st = sp_offer_check(&offer, why)) != SP_OK)
		return st;
	if (letter->title.n == 0 || letter->title.n > SP_TITLE_MAX || letter->title_salt.n != SP_TITLE_SALT)
		return sp_fail(SP_E_FORMAT, why, "the offer's title is not 1 to %d bytes", SP_TITLE_MAX);
	sp_offer_title_hash(letter->title_salt.p, letter->title, &title);
	if (!sp_hash_eq(&title, &offer.title_hash))
		return sp_fail(SP_E_MISMATCH, why, "the letter's title is not the one that was signed");
	*ret_offer = offer;
	sp_statement_hash(letter->statement, ret_hash);
	return SP_OK;
}
