/*
 * statement.h - what is signed: canonical bytes "SPSTMT", purpose u16, encoded fields; and 64 bytes of signature
 * over them.
 *
 * A statement counts only when its purpose, its signer's role and domain and the signature are right, in this
 * order. What it is hashed for (names, references) is the canonical bytes without the signature: ECDSA can be
 * signed anew. Rules between a statement and the rest of the world stand in files of their own (offer.h, accept.h,
 * …).
 */
#ifndef SP_STATEMENTS_STATEMENT_H
#define SP_STATEMENTS_STATEMENT_H

#include "common/crypto/hash.h"
#include "common/crypto/x509.h"
#include "common/wire/msg.h"

#define SP_STATEMENT_HEAD 8	/* "SPSTMT" and the purpose */
#define SP_STATEMENT_MAX 1024

/* Appends the canonical bytes of struct sp_stmt_… at fields. What sp_encode() says. */
SP_MUST_CHECK enum sp_status sp_statement_encode(enum sp_purpose purpose, const void *fields, struct sp_buf *out,
    struct sp_why *why);

/* Encodes (appended to out), signs, and gives the hash of the canonical bytes (ret_hash may be NULL). The
 * caller signs only what its role may sign. */
SP_MUST_CHECK enum sp_status sp_statement_sign(enum sp_purpose purpose, const void *fields, const struct sp_key *key,
    struct sp_buf *out, uint8_t ret_signature[SP_SIGNATURE], struct sp_hash *ret_hash, struct sp_why *why);

/*
 * Opens a statement of exactly this purpose. signer: the identity of a certificate that the caller has checked.
 * domain: the domain that the signer must belong to, or NULL. Fields borrow from bytes. SP_E_FORMAT (no
 * statement), SP_E_MISMATCH (another purpose), SP_E_ROLE, SP_E_DOMAIN, SP_E_SIGNATURE, or what sp_decode() says.
 */
SP_MUST_CHECK enum sp_status sp_statement_open(enum sp_purpose purpose, struct sp_span bytes,
    struct sp_span signature, const struct sp_identity *signer, const char *domain,
    void *ret_fields, struct sp_why *why);

/* Reads the fields of a statement whose signature was checked before (or is checked elsewhere): stored ones,
 * ENROL_REQUEST. */
SP_MUST_CHECK enum sp_status sp_statement_read(enum sp_purpose purpose, struct sp_span bytes, void *ret_fields,
    struct sp_why *why);

/* The purpose that the bytes state, SP_STMT_NONE if they are no statement. */
enum sp_purpose sp_statement_purpose(struct sp_span bytes);

/* SHA-256 of the canonical bytes: the statement's name. */
static inline void
sp_statement_hash(struct sp_span bytes, struct sp_hash *ret_hash)
{
	sp_sha256(bytes, ret_hash);
}

#endif
