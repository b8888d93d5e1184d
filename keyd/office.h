/*
 * office.h - the keys and certificates that make a domain: root, issuing CA, keyd's own. They are files of one
 * folder:
 *
 *   root.key  root.pem       made by --init-root; the key belongs offline, keyd never reads it
 *   issuing.key  issuing.pem signs stations and services
 *   keyd.key  keyd.pem       this keyd on TLS; renewed by itself under the same key
 *
 * Issuing does not change the office, so threads may do it at once.
 */
#ifndef KEYD_OFFICE_H
#define KEYD_OFFICE_H

#include "common/crypto/x509.h"

struct office {
	char folder[4000];
	struct sp_key *issuer_key, *own_key;	/* owned */
	struct sp_buf root, issuer, own;	/* DER */
	struct sp_hash root_hash;
	struct sp_identity own_id;
	struct sp_trust *trust;			/* owned */
};

/* Makes all six files. Nothing is ever overwritten: SP_E_EXISTS naming the file that is there. */
SP_MUST_CHECK enum sp_status office_make(const char *folder, const char *domain, const char *name, uint64_t wall_ms,
    struct sp_why *why);

/* Reads them and checks that they belong together, to this domain and this name; keyd's own certificate may have
 * ended (office_renew). */
SP_MUST_CHECK enum sp_status office_open(const char *folder, const char *domain, const char *name,
    struct office **ret_office, struct sp_why *why);
void office_free(struct office *o);
SP_AUTO_DEFINE(office);

/* A new certificate of its own when two thirds of the life of the old one have passed: in force here and on the disk.
 * *ret_renewed says whether. */
SP_MUST_CHECK enum sp_status office_renew(struct office *o, uint64_t wall_ms, bool *ret_renewed, struct sp_why *why);

/* Certifies id (role, names, keys, serial as the caller filled them in; the domain is the office's): gives it a
 * number and a life of SP_CERT_DAYS from wall_ms. DER appended to out, the finished identity written back. */
SP_MUST_CHECK enum sp_status office_issue(const struct office *o, struct sp_identity *id, uint64_t wall_ms,
    struct sp_buf *out, struct sp_why *why);

#endif
