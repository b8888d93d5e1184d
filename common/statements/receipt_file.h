/*
 * receipt_file.h - the .receipt container, form 1: a ustar of README, files.txt, receipt.p7m, if postmarked
 * postmark.p7m and postmark.tsr, then chain.pem; written and read in one form only, and verified offline.
 */
#ifndef SP_STATEMENTS_RECEIPT_FILE_H
#define SP_STATEMENTS_RECEIPT_FILE_H

#include "common/statements/postmark.h"

#define SP_RECEIPT_CERTS 6	/* most certificates in chain.pem */

/* The members; everything is borrowed. README is made and checked by this file. */
struct sp_receipt_parts {
	uint64_t time_s;		/* -attime of the commands: time of receipt, or the token's */
	struct sp_span files_txt;
	struct sp_span receipt_p7m;
	struct sp_span postmark_p7m;	/* both or none */
	struct sp_span postmark_tsr;
	struct sp_span chain_pem;
};

/* chain.pem: root, issuing certificate, then the leaves that the checks use (recipient, certd, tsa), DER each.
 * Appended to out. */
SP_MUST_CHECK enum sp_status sp_receipt_chain(const struct sp_span *certs, size_t count, struct sp_buf *out,
    struct sp_why *why);

/* Appends the whole file. */
SP_MUST_CHECK enum sp_status sp_receipt_file_write(const struct sp_receipt_parts *parts, struct sp_buf *out,
    struct sp_why *why);

/* Splits a file into its members, byte-exact as the writer makes it; nothing is verified yet. SP_E_FORMAT,
 * SP_E_VERSION, SP_E_LONG with what is wrong. */
SP_MUST_CHECK enum sp_status sp_receipt_file_read(struct sp_span file, struct sp_receipt_parts *ret_parts,
    struct sp_why *why);

/* What a verified .receipt proves. */
struct sp_receipt_proof {
	struct sp_receipt receipt;		/* what the recipient signed */
	struct sp_identity recipient;		/* who signed it */
	struct sp_hash root;			/* the root that vouches for it: compare it if no pin was given */
	bool root_pinned;			/* it is one of the roots that the caller gave */
	char domain[SP_DOMAIN_MAX + 1];		/* of that root */
	bool postmarked;			/* then also: */
	struct sp_postmark postmark;
	struct sp_identity certd, tsa;		/* who signed it, and the time-stamp over it */
	uint64_t time_s;			/* -attime of the openssl commands: time of receipt, or the token's */
};

/*
 * Verifies a .receipt offline, strictly: form, chain, CMS signature at the time of receipt (or, postmarked, all that
 * sp_postmark_verify() says), receipt.txt against its signer and against files.txt. roots: SHA-256 of the roots that the caller trusts for the signer's domain;
 * with none, the root in the file is taken and root_pinned is false. SP_E_FORMAT, SP_E_CERT, SP_E_SIGNATURE,
 * SP_E_RECEIPT, SP_E_IDENTITY …
 */
SP_MUST_CHECK enum sp_status sp_receipt_verify(struct sp_span file, const struct sp_hash *roots, size_t root_count,
    struct sp_receipt_proof *ret_proof, struct sp_why *why);

/* The openssl commands that README prints, with these parts' time; FILE is the name to unpack. Appended to out. */
SP_MUST_CHECK enum sp_status sp_receipt_commands(const char *file, bool postmarked, uint64_t time_s,
    struct sp_buf *out);

#endif
