/*
 * net_raw.h - a foreign TLS client for tests: it sends whatever bytes it is told, while the loop of the test runs.
 */
#ifndef SP_TESTS_NET_RAW_H
#define SP_TESTS_NET_RAW_H

#include <fcntl.h>
#include <openssl/ssl.h>

#include "common/crypto/evp.h"
#include "common/wire/frame.h"
#include "tests/unit/net_unit.h"

struct raw {
	struct unit_loop *u;
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
};

/* Waits for what OpenSSL waits for; false when the connection is over. */
static inline bool
raw_wait(struct raw *r, int ret, uint64_t end_ms)
{
	int error = SSL_get_error(r->ssl, ret);

	if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		return false;
	ck_assert_msg(sp_clock_boot_ms() <= end_ms, "nothing came");
	unit_loop_run_ms(r->u, 1);
	return true;
}

/* key NULL: without a certificate. False when the handshake fails. */
static inline bool
raw_open(struct raw *r, struct unit_loop *u, uint16_t port, const struct sp_key *key, struct sp_span cert,
    int version)
{
	struct sp_addr to = unit_addr("127.0.0.1:0");
	uint64_t end = sp_clock_boot_ms() + UNIT_PATIENCE_MS;
	struct sockaddr_storage ss;
	socklen_t len;
	int ret;

	*r = (struct raw){ .u = u, .fd = socket(AF_INET, SOCK_STREAM, 0), .ctx = SSL_CTX_new(TLS_client_method()) };
	to.port = port;
	len = sp_addr_to_sockaddr(&to, &ss);
	ck_assert_int_eq(connect(r->fd, (struct sockaddr *)&ss, len), 0);
	fcntl(r->fd, F_SETFL, O_NONBLOCK);
	SSL_CTX_set_max_proto_version(r->ctx, version);
	SSL_CTX_set_verify(r->ctx, SSL_VERIFY_NONE, NULL);
	if (key != NULL) {
		ck_assert_int_eq(SSL_CTX_use_certificate_ASN1(r->ctx, (int)cert.n, cert.p), 1);
		ck_assert_int_eq(SSL_CTX_use_PrivateKey(r->ctx, sp_key_evp(key)), 1);
	}
	r->ssl = SSL_new(r->ctx);
	SSL_set_fd(r->ssl, r->fd);
	while ((ret = SSL_connect(r->ssl)) != 1)
		if (!raw_wait(r, ret, end))
			return false;
	return true;
}

static inline void
raw_close(struct raw *r)
{
	SSL_free(r->ssl);
	SSL_CTX_free(r->ctx);
	close(r->fd);
}

/* False when the other side has closed. */
static inline bool
raw_send(struct raw *r, struct sp_span bytes)
{
	uint64_t end = sp_clock_boot_ms() + UNIT_PATIENCE_MS;
	int ret;

	while ((ret = SSL_write(r->ssl, bytes.p, (int)bytes.n)) <= 0)
		if (!raw_wait(r, ret, end))
			return false;
	return true;
}

/* One whole frame into bytes (emptied first); false when the connection is over. */
static inline bool
raw_get(struct raw *r, struct sp_buf *bytes, struct sp_frame *ret_frame)
{
	uint64_t end = sp_clock_boot_ms() + UNIT_PATIENCE_MS;
	size_t need = SP_FRAME_HEAD;

	sp_buf_clear(bytes);
	for (;;) {
		uint8_t part[16384];
		int n;
		enum sp_status st;

		if (bytes->len == need) {
			st = sp_frame_parse(sp_buf_span(bytes), ret_frame, &need, NULL);
			if (st == SP_OK)
				return true;
			ck_status(st, SP_E_SHORT);
		}
		n = SSL_read(r->ssl, part, (int)(need - bytes->len < sizeof(part) ? need - bytes->len :
		    sizeof(part)));
		if (n > 0)
			sp_buf_add(bytes, part, (size_t)n);
		else if (!raw_wait(r, n, end))
			return false;
	}
}

/* A frame of any type, id and claimed length. */
static inline void
raw_frame(struct sp_buf *out, uint32_t length, unsigned type, const struct sp_id *id, struct sp_span body)
{
	sp_buf_add_u32(out, length);
	sp_buf_add_u16(out, (uint16_t)type);
	sp_buf_add(out, id->b, sizeof(id->b));
	sp_buf_add_span(out, body);
}

/* The ERROR that comes next: its status; SP_OK if the connection ends instead. */
static inline enum sp_status
raw_error(struct raw *r, struct sp_id *ret_id)
{
	SP_AUTO_DONE(sp_buf) bytes = { 0 };
	struct sp_frame frame;
	struct sp_msg_error error;

	if (!raw_get(r, &bytes, &frame))
		return SP_OK;
	ck_assert_uint_eq(frame.type, SP_MSG_ERROR);
	ck_status(sp_decode(frame.desc, frame.body, &error, NULL), SP_OK);
	*ret_id = frame.id;
	return sp_status_from_number(error.status);
}

#endif
