/*
 * link.c - bytes between a socket and a channel, in turns.
 */
#include "peerd/data/link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "common/base/clock.h"

void
data_link_init(struct data_link *k)
{
	*k = (struct data_link){ .fd = -1, .most = SP_SEND_BATCH };
}

void
data_link_done(struct data_link *k)
{
	sp_watch_free(k->watch);
	sp_channel_free(k->channel);
	sp_buf_done(&k->out);
	sp_buf_done(&k->rest);
	if (k->fd >= 0)
		close(k->fd);
	data_link_init(k);
}

/* The buffers are left to the kernel: setting them would switch its tuning off. What fails only costs speed. */
void
data_link_tune(int fd, uint32_t idle_ms)
{
	int on = 1, unsent = SP_DATA_UNSENT;
	unsigned timeout = idle_ms;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

enum sp_status
data_link_want(struct data_link *k, unsigned what)
{
	enum sp_status st;

	if (what == k->watching)
		return SP_OK;
	if ((st = sp_watch_set(k->watch, what)) == SP_OK)
		k->watching = what;
	return st;
}

enum sp_status
data_link_seal(struct data_link *k, unsigned number, const void *msg, struct sp_why *why)
{
	return sp_channel_seal(k->channel, sp_desc_msg(number), msg, &k->out, why);
}

static enum sp_status
closed(struct sp_why *why)
{
	if (errno != 0)
		return sp_fail_errno(SP_E_CLOSED, why, "the connection broke");
	return sp_fail(SP_E_CLOSED, why, "the other side closed the connection");
}

enum sp_status
data_link_flush(struct data_link *k, struct sp_why *why)
{
	size_t left = 2 * k->most;	/* what is sealed for a turn may be more than it */
	ssize_t n;

	if (sp_buf_status(&k->out) != SP_OK)
		return sp_buf_status(&k->out);
	while (data_link_waiting(k) > 0) {
		if (left == 0)
			return SP_OK;
		n = send(k->fd, k->out.data + k->out_at, data_link_waiting(k) < left ? data_link_waiting(k) : left, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return SP_OK;
		if (n < 0)
			return closed(why);
		k->out_at += (size_t)n;
		k->sent += (uint64_t)n;
		left -= (size_t)n;
		k->sent_ms = sp_clock_boot_ms();
	}
	sp_buf_clear(&k->out);
	k->out_at = 0;
	return SP_OK;
}

/* A record in the clear: its length is nobody's word until it opens. */
static enum sp_status
disturbed(struct sp_why *why)
{
	return sp_fail(SP_E_CLOSED, why, "what came does not open: the connection was disturbed");
}

/* Hands on the whole records of [at, end); how far it came is left in *at. */
static enum sp_status
records(struct data_link *k, uint8_t **at, uint8_t *end, data_record_fn *fn, void *arg, struct sp_why *why)
{
	struct sp_record record;
	enum sp_status st = SP_OK;
	size_t n;

	k->enough = false;
	while (st == SP_OK && !k->enough && end - *at >= SP_RECORD_HEAD) {
		if (sp_record_bytes(*at, &n) != SP_OK || n > k->record_max)
			return disturbed(why);
		if ((size_t)(end - *at) < n)
			break;
		st = sp_channel_open(k->channel, *at, n, &record);
		if (st == SP_E_SEAL)
			return disturbed(why);
		if (st == SP_OK)
			st = fn(arg, &record, why);
		*at += n;
	}
	return st;
}

bool
data_link_left(const struct data_link *k)
{
	size_t n;

	return k->rest.len >= SP_RECORD_HEAD && (sp_record_bytes(k->rest.data, &n) != SP_OK || n <= k->rest.len);
}

enum sp_status
data_link_read(struct data_link *k, uint8_t *scratch, data_record_fn *fn, void *arg, struct sp_why *why)
{
	uint8_t *at = scratch, *end = scratch + k->rest.len;
	enum sp_status st;
	ssize_t n = 0;

	if (!data_link_left(k)) {
		do
			n = recv(k->fd, end, k->most, 0);
		while (n < 0 && errno == EINTR);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return SP_OK;
		if (n == 0)
			errno = 0;
		if (n <= 0)
			return closed(why);
		k->heard_ms = sp_clock_boot_ms();
		k->got += (uint64_t)n;
	}
	if (k->rest.len > 0)
		memcpy(scratch, k->rest.data, k->rest.len);
	end += n;
	if ((st = records(k, &at, end, fn, arg, why)) != SP_OK)
		return st;
	sp_buf_clear(&k->rest);
	sp_buf_add(&k->rest, at, (size_t)(end - at));
	return sp_buf_status(&k->rest);
}
