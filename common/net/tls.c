/*
 * tls.c - OpenSSL contexts for exactly one protocol version and one kind of key. The verify callback lets every
 * certificate through: the owner of the connection judges it before a frame is read.
 */
#include "common/net/tls_in.h"
#include "common/net/tls_ssl.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "common/crypto/evp.h"

SP_OSSL_DEFINE(X509);

void
tls_ctx_free(struct tls_ctx *ctx)
{
	if (ctx == NULL)
		return;
	SSL_CTX_free(ctx->ssl);
	free(ctx);
}

static int
let_through(X509_STORE_CTX *store, void *arg)
{
	(void)store;
	(void)arg;
	return 1;
}

static enum sp_status
set_up(SSL_CTX *ssl, bool server, struct sp_why *why)
{
	if (SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_ciphersuites(ssl,
	    "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384") != 1 ||
	    SSL_CTX_set1_groups_list(ssl, "X25519:P-256") != 1 ||
	    SSL_CTX_set1_sigalgs_list(ssl, "ECDSA+SHA256") != 1 ||
	    SSL_CTX_set_num_tickets(ssl, 0) != 1)
		return sp_fail_openssl(SP_E_LIBRARY, why, "cannot set up TLS 1.3");
	SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
	/* Each message that is not ours ends the call: they are counted between calls. */
	SSL_CTX_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_max_cert_list(ssl, (long)(1 + SP_CHAIN_MAX) * 4096);
	/* A server asks for a certificate and takes none for an answer: handlers say who may do without. */
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ssl, let_through, NULL);
	if (server)
		SSL_CTX_set_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
	return SP_OK;
}

/* NULL unless the bytes are one certificate and nothing else. */
static X509 *
read_cert(struct sp_span der)
{
	const unsigned char *p = der.p;
	X509 *cert = der.n > 0 && der.n <= 65536 ? d2i_X509(NULL, &p, (long)der.n) : NULL;

	if (cert != NULL && p != der.p + der.n) {
		X509_free(cert);
		return NULL;
	}
	return cert;
}

static enum sp_status
use_identity(SSL_CTX *ssl, const struct sp_tls_identity *identity, struct sp_why *why)
{
	SP_OSSL(X509) *cert = read_cert(identity->cert);

	if (cert == NULL)
		return sp_fail_openssl(SP_E_CERT, why, "our certificate cannot be read");
	if (SSL_CTX_use_certificate(ssl, cert) != 1 || SSL_CTX_use_PrivateKey(ssl, sp_key_evp(identity->key)) != 1 ||
	    SSL_CTX_check_private_key(ssl) != 1)
		return sp_fail_openssl(SP_E_CERT, why, "our key and certificate do not belong together");
	if (identity->nchain > SP_CHAIN_MAX)
		return sp_fail(SP_E_CERT, why, "our certificate chain is too long");
	for (size_t i = 0; i < identity->nchain; i++) {
		SP_OSSL(X509) *next = read_cert(identity->chain[i]);

		if (next == NULL || SSL_CTX_add1_chain_cert(ssl, next) != 1)
			return sp_fail_openssl(SP_E_CERT, why, "our certificate chain cannot be read");
	}
	return SP_OK;
}

enum sp_status
tls_ctx_new(const struct sp_tls_identity *identity, bool server, struct tls_ctx **ret_ctx, struct sp_why *why)
{
	SP_AUTO(tls_ctx) *ctx = calloc(1, sizeof(*ctx));
	enum sp_status st;

	if (ctx == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	ctx->ssl = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	if (ctx->ssl == NULL)
		return sp_fail_openssl(SP_E_LIBRARY, why, "cannot set up TLS");
	if ((st = set_up(ctx->ssl, server, why)) != SP_OK)
		return st;
	if (identity != NULL && (st = use_identity(ctx->ssl, identity, why)) != SP_OK)
		return st;
	*ret_ctx = sp_take(&ctx);
	return SP_OK;
}

/* ---- what the other side showed ---- */

void
tls_peer_done(struct tls_peer *peer)
{
	for (size_t i = 0; i < 1 + SP_CHAIN_MAX; i++)
		sp_buf_done(&peer->certs[i]);
	sp_wipe(peer->exporter, sizeof(peer->exporter));
	peer->ncerts = 0;
}

static enum sp_status
add_cert(struct tls_peer *peer, X509 *cert, struct sp_why *why)
{
	unsigned char *der = NULL;
	int n;

	if (peer->ncerts == 1 + SP_CHAIN_MAX)
		return sp_fail(SP_E_CERT, why, "the other side sent too many certificates");
	n = i2d_X509(cert, &der);
	if (n <= 0)
		return sp_fail_openssl(SP_E_CERT, why, "the certificate of the other side cannot be read");
	sp_buf_add(&peer->certs[peer->ncerts], der, (size_t)n);
	OPENSSL_free(der);
	return sp_buf_status(&peer->certs[peer->ncerts++]);
}

enum sp_status
tls_peer_read(SSL *ssl, struct tls_peer *ret_peer, struct sp_why *why)
{
	X509 *own = SSL_get0_peer_certificate(ssl);
	const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	struct tls_peer peer = { 0 };
	enum sp_status st = SP_OK;

	if (SSL_export_keying_material(ssl, peer.exporter, sizeof(peer.exporter), SP_EXPORTER_LABEL,
	    strlen(SP_EXPORTER_LABEL), NULL, 0, 0) != 1)
		return sp_fail_openssl(SP_E_LIBRARY, why, "no TLS exporter");
	if (own != NULL)
		st = add_cert(&peer, own, why);
	/* On a client the chain begins with the server's own certificate, on a server it doesn't. */
	for (int i = SSL_is_server(ssl) ? 0 : 1; st == SP_OK && i < sk_X509_num(chain); i++)
		st = add_cert(&peer, sk_X509_value(chain, i), why);
	if (st != SP_OK) {
		tls_peer_done(&peer);
		return st;
	}
	*ret_peer = peer;
	return SP_OK;
}
