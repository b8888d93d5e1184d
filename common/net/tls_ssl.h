/*
 * tls_ssl.h - what tls.c and tls_conn.c share of OpenSSL. No other file includes it.
 */
#ifndef SP_NET_TLS_SSL_H
#define SP_NET_TLS_SSL_H

#include <openssl/ssl.h>

#include "common/net/tls_in.h"

struct tls_ctx {
	SSL_CTX *ssl;	/* owned */
};

SP_MUST_CHECK enum sp_status tls_peer_read(SSL *ssl, struct tls_peer *ret_peer, struct sp_why *why);

#endif
