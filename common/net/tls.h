/*
 * tls.h - who this program is on a TLS connection. TLS 1.3 only, no tickets, no early data, no resumption: each
 * connection is checked whole. Certificates are judged by common/crypto/x509.h, never by OpenSSL's own store.
 */
#ifndef SP_NET_TLS_H
#define SP_NET_TLS_H

#include "common/crypto/x509.h"

/* All borrowed for the call that takes it (the key and the certificates are copied). */
struct sp_tls_identity {
	const struct sp_key *key;
	struct sp_span cert;		/* DER */
	const struct sp_span *chain;	/* DER of what is sent beside it: the issuing CA; keyd sends its root too */
	size_t nchain;
};

#define SP_EXPORTER_LABEL "EXPORTER-sealpost"
#define SP_EXPORTER 32		/* bytes; no context */
#define SP_CHAIN_MAX 4		/* certificates of a peer beside its own */

#endif
