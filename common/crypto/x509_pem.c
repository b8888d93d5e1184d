/*
 * x509_pem.c - certificates as PEM and back.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/crypto/evp.h"
#include "common/crypto/x509.h"

#define PEM_MAX (1 << 20)	/* a file of many certificates; ours are under 1 KiB each */

enum sp_status
sp_x509_to_pem(struct sp_span der, struct sp_buf *out)
{
	SP_OSSL(BIO) *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	if (der.n == 0 || der.n > PEM_MAX)
		return SP_E_ARGUMENT;
	if (bio == NULL || PEM_write_bio(bio, PEM_STRING_X509, "", der.p, (long)der.n) <= 0 ||
	    (n = BIO_get_mem_data(bio, &text)) <= 0) {
		ERR_clear_error();
		return SP_E_LIBRARY;
	}
	sp_buf_add(out, text, (size_t)n);
	return sp_buf_status(out);
}

enum sp_status
sp_x509_from_pem(struct sp_span pem, struct sp_buf *out_der)
{
	SP_OSSL(BIO) *bio = NULL;
	uint8_t *data = NULL;
	long n;

	if (pem.n == 0 || pem.n > PEM_MAX)
		return SP_E_FORMAT;
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (bio == NULL || PEM_bytes_read_bio(&data, &n, NULL, PEM_STRING_X509, bio, NULL, NULL) != 1) {
		ERR_clear_error();
		return SP_E_FORMAT;
	}
	sp_buf_add(out_der, data, (size_t)n);
	OPENSSL_free(data);
	return sp_buf_status(out_der);
}
