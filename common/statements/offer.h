/*
 * offer.h - OFFER and the letter that carries it: what must hold between the two, the sender and the recipient.
 */
#ifndef SP_STATEMENTS_OFFER_H
#define SP_STATEMENTS_OFFER_H

#include "common/statements/statement.h"

enum sp_receipt_class { SP_RECEIPT_NONE = 1, SP_RECEIPT_DIRECT, SP_RECEIPT_POSTMARKED, SP_RECEIPT_CERTIFIED };

/* "none", "direct", "postmarked", "certified"; and back (0 if it is none of them). */
const char *sp_receipt_class_text(unsigned klass);
unsigned sp_receipt_class_from_text(struct sp_span text);

#define SP_TITLE_SALT 16

/* SHA-256 of salt and title. */
void sp_offer_title_hash(const uint8_t salt[SP_TITLE_SALT], struct sp_span title, struct sp_hash *ret_hash);

/* The rules that an offer keeps by itself: names of stations, sizes that fit each other, return address whole
 * or absent, one or two services a list. For the sender before signing, and part of sp_offer_open(). */
SP_MUST_CHECK enum sp_status sp_offer_check(const struct sp_stmt_offer *offer, struct sp_why *why);

/*
 * Recipient: opens the offer of a letter. sender: the identity (checked) whose letter key sealed the letter, given
 * as letter_key. own: the recipient's own identity. Fields borrow from the letter; ret_hash is the offer's name.
 * SP_E_IDENTITY: letter key, signer and sender's name are not one, or it is not for us; SP_E_MISMATCH: for a
 * certificate of ours that is not the present one, or the title is another; else as sp_offer_check() and
 * sp_statement_open().
 */
SP_MUST_CHECK enum sp_status sp_offer_open(const struct sp_msg_offer_letter *letter,
    const uint8_t letter_key[SP_X25519], const struct sp_identity *sender, const struct sp_identity *own,
    struct sp_stmt_offer *ret_offer, struct sp_hash *ret_hash, struct sp_why *why);

/* The number-th (0, 1) name of certds or creditds; empty if there is none. */
struct sp_span sp_offer_service(struct sp_span list, unsigned number);

#endif
