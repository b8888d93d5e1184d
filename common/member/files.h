/*
 * files.h - inside common/member: the files of its folder. Everything here blocks: a worker's thread calls it,
 * or the start of the program.
 */
#ifndef SP_MEMBER_FILES_H
#define SP_MEMBER_FILES_H

#include "common/base/buf.h"
#include "common/crypto/sign.h"
#include "common/crypto/x25519.h"

/* The private keys of a station, and the hash of the invitation that they were made for. */
struct member_keys {
	struct sp_key *sign;			/* owned */
	struct sp_x25519_pair letter, age;
	struct sp_hash token;
};
void member_keys_done(struct member_keys *keys);	/* wipes; safe on zeroes */
SP_AUTO_DONE_DEFINE(member_keys);

/* SP_E_NOTFOUND if there are none, or not all of them. */
SP_MUST_CHECK enum sp_status files_read_keys(const char *dir, struct member_keys *ret_keys, struct sp_why *why);

/* Makes new keys for an invitation; those that were there before are gone. */
SP_MUST_CHECK enum sp_status files_make_keys(const char *dir, const struct sp_hash *token,
    struct member_keys *ret_keys, struct sp_why *why);

/* What one enrolment brings. Borrowed; the certificate is written last. */
struct station_papers {
	struct sp_span root, issuers, cert;	/* DER; issuers one behind the other */
	struct sp_span keyd;			/* "host:port,…": where the directory was reached */
};
SP_MUST_CHECK enum sp_status files_write_papers(const char *dir, const struct station_papers *papers,
    struct sp_why *why);

/* One file of the folder. files_read: appended to out; SP_E_NOTFOUND. */
SP_MUST_CHECK enum sp_status files_read(const char *dir, const char *name, size_t max, struct sp_buf *out,
    struct sp_why *why);
SP_MUST_CHECK enum sp_status files_write(const char *dir, const char *name, struct sp_span bytes, struct sp_why *why);

/* The first of several DER certificates that stand one behind the other, taken off the front of rest. SP_E_FORMAT. */
SP_MUST_CHECK enum sp_status files_next_der(struct sp_span *rest, struct sp_span *ret_der);

#define FILES_ISSUERS_MAX 32768
#define FILES_ROSTER_MAX (1024 * 1024)

#endif
