/*
 * tls_conn.c - one TLS connection that carries frames: handshake, heads, bodies, out-queue and deadlines, on one
 * descriptor of the loop. Whose frames they are and what they mean is its owner's business.
 *
 * Nothing is closed inside a call from outside: what goes wrong there is kept and told from the loop.
 */
#include "common/net/tls_in.h"
#include "common/net/tls_ssl.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/crypto/evp.h"

#define READ_TURN (64 * 1024)		/* bytes read before the loop's others have their turn */
#define WRITE_SIZE (16 * 1024)		/* one TLS record */
#define OUT_MAX ((SP_FRAME_INFLIGHT + 2) * SP_FRAME_MAX)
#define LINGER_MS 2000			/* for the other side to read our last frame */

enum phase { SHAKING, OPEN, FLUSHING, LINGERING };

struct tls_conn {
	struct sp_watch *watch;		/* owned */
	struct sp_timer *timer;		/* owned: the next deadline, or a turn that was put off */
	SSL *ssl;			/* owned */
	int fd;				/* owned */
	struct tls_conn_conf conf;
	enum phase phase;
	bool want_write;		/* what OpenSSL waits for beside the obvious */
	bool again;			/* go on at the next turn without the descriptor being ready */
	bool in_turn;			/* the loop is in here: sending waits for the end of the turn */
	bool *gone;			/* set when it is freed during a turn */
	enum sp_status failed;		/* found outside a turn */
	unsigned extras;		/* handshake messages after the handshake */

	/* reading: a head, then a body that is kept or skipped */
	uint8_t head[SP_FRAME_HEAD];
	size_t head_n;
	struct sp_frame frame;
	uint8_t *body;			/* owned */
	size_t body_size, body_n;	/* of the frame whose head is whole */
	bool skip;
	bool paused;
	unsigned open;

	struct sp_buf out;
	size_t out_at;

	uint64_t active_ms;		/* handshake begun, frame come or gone */
	uint64_t half_ms;		/* when the first byte of a half frame came */
	uint64_t moved_ms;		/* when bytes last left */
};

const struct sp_id tls_no_id;

static void
body_drop(struct tls_conn *c)
{
	if (c->body != NULL)
		sp_wipe(c->body, c->body_size);
	free(c->body);
	c->body = NULL;
	c->head_n = c->body_n = c->body_size = 0;
}

void
tls_conn_free(struct tls_conn *c)
{
	if (c == NULL)
		return;
	if (c->gone != NULL)
		*c->gone = true;
	sp_watch_free(c->watch);
	sp_timer_free(c->timer);
	SSL_free(c->ssl);
	if (c->fd >= 0)
		close(c->fd);
	body_drop(c);
	sp_buf_done(&c->out);
	free(c);
}

static size_t
out_left(const struct tls_conn *c)
{
	return c->out.len - c->out_at;
}

/* Reading rests while the owner wishes it, and while the other side does not take its answers. */
static bool
may_read(const struct tls_conn *c)
{
	return c->phase == OPEN && !c->paused && out_left(c) <= SP_FRAME_MAX;
}

/* ---- deadlines ---- */

static uint64_t
deadline(const struct tls_conn *c, const char **ret_text)
{
	uint64_t idle = c->conf.idle_ms;
	bool half = c->head_n > 0 && may_read(c);

	if (c->phase == SHAKING) {
		*ret_text = "no TLS handshake in time";
		return c->active_ms + SP_SERVICE_REQUEST_MS;
	}
	if (c->phase == LINGERING) {
		*ret_text = "closed";
		return c->active_ms + LINGER_MS;
	}
	if (half && (out_left(c) == 0 || c->half_ms <= c->moved_ms)) {
		*ret_text = "a half-sent message";
		return c->half_ms + idle;
	}
	if (out_left(c) > 0) {
		*ret_text = "the other side takes no answers";
		return c->moved_ms + idle;
	}
	*ret_text = "idle";
	return c->open > 0 ? UINT64_MAX : c->active_ms + idle;
}

/* Watch and timer as the state wants them. */
static enum sp_status
arrange(struct tls_conn *c)
{
	unsigned want = 0;
	const char *text;
	uint64_t due = deadline(c, &text);

	if (c->phase == SHAKING || c->phase == LINGERING || may_read(c))
		want |= SP_READ;
	if (c->want_write || (c->phase != SHAKING && out_left(c) > 0))
		want |= SP_WRITE;
	if (c->again || c->failed != SP_OK)
		sp_timer_set(c->timer, 0);
	else if (due == UINT64_MAX)
		sp_timer_stop(c->timer);
	else
		sp_timer_set_at(c->timer, due);
	return sp_watch_set(c->watch, want);
}

/* ---- OpenSSL ---- */

/* Counts what TLS says to itself: each key update costs work and an answer, and would cost no length of ours. */
static void
on_message(int write_p, int version, int content_type, const void *bytes, size_t n, SSL *ssl, void *arg)
{
	struct tls_conn *c = arg;

	(void)version;
	(void)bytes;
	(void)n;
	(void)ssl;
	if (write_p == 0 && content_type == SSL3_RT_HANDSHAKE && c->phase != SHAKING)
		c->extras++;
}

/* What the return value of an SSL_ call means: SP_OK to wait, or the end. */
static enum sp_status
ssl_outcome(struct tls_conn *c, int ret, struct sp_why *why)
{
	switch (SSL_get_error(c->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		if (c->extras > SP_TLS_EXTRAS)
			return sp_fail(SP_E_FORMAT, why, "too many key updates");
		return SP_OK;
	case SSL_ERROR_WANT_WRITE:
		c->want_write = true;
		return SP_OK;
	case SSL_ERROR_ZERO_RETURN:
		return sp_fail(SP_E_CLOSED, why, "the other side closed the connection");
	case SSL_ERROR_SYSCALL:
		ERR_clear_error();
		return sp_fail(SP_E_CLOSED, why, "the connection broke");
	default:
		return sp_fail_openssl(c->phase == SHAKING ? SP_E_CONNECT : SP_E_CLOSED, why,
		    c->phase == SHAKING ? "the TLS handshake failed" : "TLS failed");
	}
}

static enum sp_status
flush(struct tls_conn *c, struct sp_why *why)
{
	while (out_left(c) > 0) {
		size_t n = out_left(c) < WRITE_SIZE ? out_left(c) : WRITE_SIZE;
		int ret;

		ERR_clear_error();
		ret = SSL_write(c->ssl, c->out.data + c->out_at, (int)n);
		if (ret <= 0)
			return ssl_outcome(c, ret, why);
		c->out_at += (size_t)ret;
		c->moved_ms = c->active_ms = sp_clock_boot_ms();
	}
	c->out_at = 0;
	if (c->out.cap > 4 * WRITE_SIZE)
		sp_buf_done(&c->out);
	else
		sp_buf_clear(&c->out);
	return SP_OK;
}

/* ---- frames ---- */

/* The head is whole: is the frame taken, skipped, or the end? */
static enum sp_status
on_head(struct tls_conn *c, const bool *gone, struct sp_why *why)
{
	struct sp_cursor cur = sp_cursor(sp_span(c->head, SP_FRAME_HEAD));
	size_t n = sp_cursor_u32(&cur), whole;
	enum tls_take take;
	enum sp_status st;

	/* Beyond these nothing is answered: there may not even be a type and an id. */
	if (n < SP_FRAME_HEAD - 4 || n > SP_FRAME_MAX - 4)
		return sp_fail(SP_E_FORMAT, why, "a message of a length that is not allowed");
	c->frame = (struct sp_frame){ .type = sp_cursor_u16(&cur) };
	sp_cursor_copy(&cur, c->frame.id.b, sizeof(c->frame.id.b));
	c->body_size = n - (SP_FRAME_HEAD - 4);
	st = sp_frame_parse(sp_span(c->head, SP_FRAME_HEAD), &c->frame, &whole, why);
	if (st == SP_E_SHORT) {
		c->frame.desc = sp_desc_msg(c->frame.type);
		st = SP_OK;
	}
	take = c->conf.calls->head(c->conf.arg, &c->frame, c->body_size, st);
	if (*gone)
		return SP_OK;
	if (take == TLS_FINISH) {
		body_drop(c);
		c->phase = FLUSHING;
		return SP_OK;
	}
	c->skip = take == TLS_SKIP || st != SP_OK;
	if (!c->skip && c->body_size > 0 && (c->body = malloc(c->body_size)) == NULL)
		return sp_fail(SP_E_NOMEM, why, "out of memory");
	return SP_OK;
}

/* The frame is whole. */
static void
on_whole(struct tls_conn *c)
{
	uint8_t *body = sp_take(&c->body);
	size_t n = c->body_size;

	c->head_n = c->body_n = c->body_size = 0;
	c->active_ms = sp_clock_boot_ms();
	if (!c->skip)
		c->conf.calls->frame(c->conf.arg, &c->frame, body, n);
}

/* Reads once. *ret_n is 0 when there is nothing more to read. */
static enum sp_status
read_some(struct tls_conn *c, const bool *gone, size_t *ret_n, struct sp_why *why)
{
	uint8_t waste[4096];
	bool in_head = c->head_n < SP_FRAME_HEAD;
	size_t want = in_head ? SP_FRAME_HEAD - c->head_n : c->body_size - c->body_n;
	uint8_t *to = in_head ? c->head + c->head_n : c->skip ? waste : c->body + c->body_n;
	enum sp_status st;
	int ret;

	*ret_n = 0;
	if (!in_head && c->skip && want > sizeof(waste))
		want = sizeof(waste);
	ERR_clear_error();
	ret = SSL_read(c->ssl, to, (int)want);
	if (ret <= 0)
		return ssl_outcome(c, ret, why);
	*ret_n = (size_t)ret;
	if (c->head_n == 0)
		c->half_ms = sp_clock_boot_ms();
	if (!in_head) {
		c->body_n += (size_t)ret;
	} else if ((c->head_n += (size_t)ret) == SP_FRAME_HEAD) {
		if ((st = on_head(c, gone, why)) != SP_OK || *gone || c->phase != OPEN)
			return st;
	}
	if (c->head_n == SP_FRAME_HEAD && c->body_n == c->body_size)
		on_whole(c);
	return SP_OK;
}

static enum sp_status
read_frames(struct tls_conn *c, const bool *gone, struct sp_why *why)
{
	size_t total = 0, n;
	enum sp_status st;

	while (may_read(c)) {
		if (total >= READ_TURN) {
			c->again = true;	/* OpenSSL may hold bytes that the descriptor no longer shows */
			return SP_OK;
		}
		if ((st = read_some(c, gone, &n, why)) != SP_OK || *gone || n == 0)
			return st;
		total += n + SP_FRAME_HEAD;
	}
	return SP_OK;
}

/* ---- turns ---- */

static enum sp_status
shake(struct tls_conn *c, const bool *gone, struct sp_why *why)
{
	enum sp_status st;
	int ret;

	ERR_clear_error();
	ret = SSL_do_handshake(c->ssl);
	if (ret != 1)
		return ssl_outcome(c, ret, why);
	c->phase = OPEN;
	c->active_ms = sp_clock_boot_ms();
	st = c->conf.calls->up(c->conf.arg, why);
	if (*gone || st == SP_OK || !c->conf.server)
		return st;
	tls_conn_send_error(c, &tls_no_id, st, why, 0);
	c->phase = FLUSHING;
	return SP_OK;
}

/* Our side is shut; the other side's bytes are thrown away until it shuts too, or they would kill our last frame
 * on its way. */
static enum sp_status
linger(struct tls_conn *c, struct sp_why *why)
{
	uint8_t waste[4096];

	for (size_t i = 0; i < READ_TURN / sizeof(waste); i++) {
		ssize_t n = recv(c->fd, waste, sizeof(waste), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return SP_OK;
		if (n <= 0)
			return sp_fail(SP_E_CLOSED, why, "closed");
	}
	return SP_OK;
}

static enum sp_status
turn(struct tls_conn *c, const bool *gone, struct sp_why *why)
{
	enum sp_status st = c->failed;

	c->want_write = c->again = false;
	if (st != SP_OK)
		return sp_fail(st, why, "the connection broke");
	if (c->phase == SHAKING && (st = shake(c, gone, why)) != SP_OK)
		return st;
	if (*gone || c->phase == SHAKING)
		return SP_OK;
	if ((st = flush(c, why)) != SP_OK)
		return st;
	if (c->phase == OPEN) {
		if ((st = read_frames(c, gone, why)) != SP_OK || *gone)
			return st;
		if ((st = flush(c, why)) != SP_OK)
			return st;
	}
	if (c->phase == FLUSHING && out_left(c) == 0) {
		c->phase = LINGERING;
		c->active_ms = sp_clock_boot_ms();
		(void)SSL_shutdown(c->ssl);
		shutdown(c->fd, SHUT_WR);
	}
	return c->phase == LINGERING ? linger(c, why) : SP_OK;
}

static void
run_turn(struct tls_conn *c)
{
	struct sp_why why = { 0 };
	bool gone = false;
	enum sp_status st;

	c->gone = &gone;
	c->in_turn = true;
	st = turn(c, &gone, &why);
	if (gone)
		return;
	c->gone = NULL;
	c->in_turn = false;
	if (st == SP_OK)
		st = arrange(c);
	if (st != SP_OK) {
		sp_watch_stop(c->watch);
		sp_timer_stop(c->timer);
		c->conf.calls->down(c->conf.arg, st, &why);
	}
}

static void
on_ready(void *arg, unsigned ready)
{
	(void)ready;
	run_turn(arg);
}

static void
on_timer(void *arg)
{
	struct tls_conn *c = arg;
	struct sp_why why;
	enum sp_status st;
	const char *text;

	if (c->again || c->failed != SP_OK || deadline(c, &text) > sp_clock_boot_ms()) {
		run_turn(c);
		return;
	}
	sp_watch_stop(c->watch);
	/* Idle and closed are no faults. */
	st = c->phase == LINGERING || (c->phase == OPEN && c->head_n == 0 && out_left(c) == 0) ? SP_E_CLOSED :
	    SP_E_TIMEOUT;
	c->conf.calls->down(c->conf.arg, sp_fail(st, &why, "%s", text), &why);
}

/* ---- for its owner ---- */

struct tls_conn *
tls_conn_new(struct sp_loop *loop, const struct tls_ctx *ctx, int fd_take, const struct tls_conn_conf *conf)
{
	SP_AUTO(tls_conn) *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd_take);
		return NULL;
	}
	c->fd = fd_take;
	c->conf = *conf;
	c->out.max = OUT_MAX;
	c->out.secret = true;	/* an invitation's secret passes through */
	c->active_ms = c->moved_ms = sp_clock_boot_ms();
	c->watch = sp_watch_new(loop, c->fd, on_ready, c);
	c->timer = sp_timer_new(loop, on_timer, c);
	c->ssl = SSL_new(ctx->ssl);
	if (c->watch == NULL || c->timer == NULL || c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1)
		return NULL;
	SSL_set_msg_callback(c->ssl, on_message);
	SSL_set_msg_callback_arg(c->ssl, c);
	if (conf->server)
		SSL_set_accept_state(c->ssl);
	else
		SSL_set_connect_state(c->ssl);
	c->again = true;
	if (arrange(c) != SP_OK)
		return NULL;
	return sp_take(&c);
}

/* Puts the rest of a call from outside off to the loop. */
static void
settle(struct tls_conn *c)
{
	if (c->in_turn)
		return;
	if (arrange(c) != SP_OK) {
		c->failed = SP_E_SYS;
		sp_timer_set(c->timer, 0);
	}
}

void
tls_conn_send(struct tls_conn *c, struct sp_span frame)
{
	enum sp_status st;

	if (c->phase != OPEN && c->phase != SHAKING)
		return;
	if (c->out_at > c->out.len / 2) {
		sp_buf_consume(&c->out, c->out_at);
		c->out_at = 0;
	}
	if (out_left(c) == 0)
		c->moved_ms = sp_clock_boot_ms();
	sp_buf_add_span(&c->out, frame);
	if ((st = sp_buf_status(&c->out)) == SP_OK && !c->in_turn && c->phase == OPEN)
		st = flush(c, NULL);
	if (st != SP_OK)
		c->failed = st;
	settle(c);
}

void
tls_conn_send_error(struct tls_conn *c, const struct sp_id *id, enum sp_status st, const struct sp_why *why,
    uint32_t retry_ms)
{
	SP_AUTO_DONE(sp_buf) frame = { 0 };
	struct sp_msg_error msg = { .status = (uint16_t)st, .retry_ms = retry_ms };

	if (why != NULL)
		msg.text = sp_span_str(why->text);
	/* A reason that does not fit the row is left out rather than the answer. */
	if (sp_frame_pack(sp_desc_msg(SP_MSG_ERROR), id, &msg, &frame, NULL) != SP_OK) {
		sp_buf_clear(&frame);
		msg.text = sp_span(NULL, 0);
		if (sp_frame_pack(sp_desc_msg(SP_MSG_ERROR), id, &msg, &frame, NULL) != SP_OK)
			return;
	}
	tls_conn_send(c, sp_buf_span(&frame));
}

void
tls_conn_set_open(struct tls_conn *c, unsigned open, bool read)
{
	if (c->open > 0 && open == 0)
		c->active_ms = sp_clock_boot_ms();
	if (c->paused && read) {
		c->again = true;	/* OpenSSL may hold bytes that the descriptor no longer shows */
		c->half_ms = sp_clock_boot_ms();
	}
	c->open = open;
	c->paused = !read;
	settle(c);
}

void
tls_conn_finish(struct tls_conn *c)
{
	if (c->phase == SHAKING)
		c->failed = SP_E_CLOSED;
	else if (c->phase == OPEN)
		c->phase = FLUSHING;
	c->again = true;
	settle(c);
}

bool
tls_conn_is_shaking(const struct tls_conn *c)
{
	return c->phase == SHAKING;
}

enum sp_status
tls_conn_peer(const struct tls_conn *c, struct tls_peer *ret_peer, struct sp_why *why)
{
	return tls_peer_read(c->ssl, ret_peer, why);
}
