/*
 * half.c - incoming data connections until they have proved themselves: opening, reply, confirmation, OPEN, within a
 * deadline. Anybody can connect, so there are only so many, small, and what does not fit is closed and counted; what guesses
 * is first kept waiting.
 * Whoever has confirmed knew the token: from there on a failure is the transfer's.
 */
#include "peerd/data/half.h"

#include <errno.h>
#include <sys/socket.h>

#define RECORD_MAX 512		/* a record with OPEN and its signature has about 400 bytes */

struct data_half {
	TAILQ_ENTRY(data_half) list;
	struct data_thread *thread;
	struct data_transfer *x;	/* borrowed; NULL until the opening was read */
	struct sp_addr from, network;	/* where and what it comes from */
	int fd;				/* owned */
	struct sp_watch *watch;		/* owned */
	struct sp_timer *timer;		/* owned */
	struct sp_channel *channel;	/* owned */
	bool parked;			/* its opening names a transfer that is not there, or not yet */
	bool used;			/* the confirmation was right */
	enum sp_status wrong;		/* why it will be refused; SP_OK while nothing is wrong */
	enum sp_status (*next)(struct data_half *h, struct sp_why *why);	/* when want bytes are there */
	size_t have, want;
	uint8_t buf[RECORD_MAX];
};

static void
drop(struct data_half *h)
{
	TAILQ_REMOVE(&h->thread->halves, h, list);
	h->thread->nhalves--;
	sp_watch_free(h->watch);
	sp_timer_free(h->timer);
	sp_channel_free(h->channel);
	if (h->fd >= 0)
		close(h->fd);
	free(h);
}

static void
refuse(struct data_half *h, enum sp_status st, const struct sp_why *why)
{
	struct data_transfer *x = h->used ? h->x : NULL;
	char from[SP_ADDR_TEXT];
	unsigned held;

	if (sp_log_pass(&h->thread->refusals, &held))
		sp_log(SP_LOG_INFO, "connection-refused", "from=%s status=%s held=%u", sp_addr_text(&h->from, from), sp_status_name(st), held);
	atomic_fetch_add(h->thread->refused, 1);
	drop(h);
	if (x != NULL)
		data_transfer_broken(x, st, why, true, NULL);
}

/* ---- the steps ---- */

static enum sp_status
read_record(struct data_half *h, struct sp_why *why)
{
	struct sp_record record;
	enum sp_status st = sp_channel_open(h->channel, h->buf, h->want, &record);

	if (st == SP_E_SEAL)
		return sp_fail(SP_E_CLOSED, why, "what came does not open: the connection was disturbed");
	if (st == SP_OK)
		st = data_receiver_admit(h->x, h->channel, &record, why);
	h->next = NULL;
	return st;
}

static enum sp_status
read_length(struct data_half *h, struct sp_why *why)
{
	size_t n = 0;

	if (sp_record_bytes(h->buf, &n) != SP_OK || n > sizeof(h->buf))
		return sp_fail(SP_E_CLOSED, why, "what came is no opening record: the connection was disturbed");
	h->want = n;
	h->next = read_record;
	return SP_OK;
}

static enum sp_status
read_confirm(struct data_half *h, struct sp_why *why)
{
	struct data_half *other, *after;
	enum sp_status st = sp_channel_recipient_confirm(h->channel, h->buf);

	(void)why;
	if (st != SP_OK)
		return st;
	h->used = true;
	data_receiver_used(h->x);
	for (other = TAILQ_FIRST(&h->thread->halves); other != NULL; other = after) {
		after = TAILQ_NEXT(other, list);
		if (other != h && other->x == h->x)
			drop(other);
	}
	h->have = 0;
	h->want = SP_RECORD_HEAD;
	h->next = read_length;
	return SP_OK;
}

/* The sender may be faster than the order that its transfer waits for: a little patience. */
static enum sp_status
park(struct data_half *h)
{
	if (!h->parked)
		sp_timer_set(h->timer, SP_DATA_PARK_MS);
	h->parked = true;
	return sp_watch_set(h->watch, 0) == SP_OK ? SP_E_BUSY : SP_E_SYS;
}

static enum sp_status
read_opening(struct data_half *h, struct sp_why *why)
{
	struct sp_channel_opening opening;
	uint8_t reply[SP_CHANNEL_REPLY];
	enum sp_status st;

	(void)why;
	if ((st = sp_channel_opening_parse(h->buf, &opening)) != SP_OK)
		return st;
	h->x = data_receiver_find(h->thread, &opening);
	if (h->x == NULL)
		return park(h);
	if ((st = data_receiver_reply(h->x, h->buf, reply, &h->channel)) != SP_OK)
		return st;
	/* The first bytes on a new connection always find room. */
	if (send(h->fd, reply, sizeof(reply), MSG_NOSIGNAL) != (ssize_t)sizeof(reply))
		return SP_E_CLOSED;
	h->have = 0;
	h->want = SP_CHANNEL_CONFIRM;
	h->next = read_confirm;
	return SP_OK;
}

/* ---- the connection ---- */

/* Exactly the bytes of the step, so that nothing need be handed on to the transfer. */
static enum sp_status
step(struct data_half *h, struct sp_why *why)
{
	ssize_t n = recv(h->fd, h->buf + h->have, h->want - h->have, 0);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return SP_E_BUSY;
	if (n <= 0)
		return sp_fail(SP_E_CLOSED, why, "the connection was closed before it was proved");
	h->have += (size_t)n;
	return h->have == h->want ? h->next(h, why) : SP_OK;
}

/* What came is wrong: the next guess waits, in a place that its network has few of. */
static void
punish(struct data_half *h, enum sp_status st)
{
	h->wrong = st;
	if (sp_watch_set(h->watch, 0) != SP_OK)
		refuse(h, st, NULL);
	else
		sp_timer_set(h->timer, SP_DATA_PARK_MS);
}

static void
on_ready(void *arg, unsigned ready)
{
	struct data_half *h = arg;
	struct sp_why why = { "" };
	enum sp_status st = SP_OK;
	struct sp_channel *channel;
	struct data_transfer *x;
	int fd;

	(void)ready;
	while (st == SP_OK && h->next != NULL)
		st = step(h, &why);
	if (st == SP_E_BUSY)
		return;
	if (st != SP_OK && st != SP_E_CLOSED && !h->used) {
		punish(h, st);
		return;
	}
	if (st != SP_OK) {
		refuse(h, st, &why);
		return;
	}
	fd = sp_take_fd(&h->fd);
	channel = sp_take(&h->channel);
	x = h->x;
	sp_watch_free(sp_take(&h->watch));
	drop(h);
	data_receiver_connected(x, fd, channel);
}

static void
on_timer(void *arg)
{
	struct sp_why why = { "the connection was opened but not proved in time" };
	struct data_half *h = arg;

	refuse(h, h->wrong != SP_OK ? h->wrong : SP_E_TIMEOUT, &why);
}

/* Whose place the next connection takes: the oldest of its own network if that has its share, else the oldest of all if
 * all are taken; never one that is proved. A flood then costs others a new attempt, not ten seconds each. NULL: there is
 * room. */
static struct data_half *
who_makes_way(const struct data_thread *t, const struct sp_addr *network)
{
	struct data_half *h, *oldest = NULL, *own = NULL;
	size_t same = 0;

	TAILQ_FOREACH(h, &t->halves, list) {
		if (h->used)
			continue;
		if (oldest == NULL)
			oldest = h;
		if (!sp_addr_eq(&h->network, network))
			continue;
		if (own == NULL)
			own = h;
		same++;
	}
	if (same >= SP_DATA_HALF_OPEN_PREFIX)
		return own;
	return t->nhalves >= SP_DATA_HALF_OPEN ? oldest : NULL;
}

void
data_half_accept(void *thread, int fd, const struct sp_addr *from)
{
	struct data_thread *t = thread;
	struct sp_addr network = sp_addr_prefix(from, 32, 64);
	struct data_half *h = calloc(1, sizeof(*h)), *other = who_makes_way(t, &network);

	if (other != NULL)
		refuse(other, SP_E_FULL, NULL);
	if (h == NULL) {
		close(fd);
		return;
	}
	h->thread = t;
	h->from = *from;
	h->network = network;
	h->fd = fd;
	h->want = SP_CHANNEL_OPENING;
	h->next = read_opening;
	TAILQ_INSERT_TAIL(&t->halves, h, list);
	t->nhalves++;
	data_link_tune(fd, t->idle_ms);
	h->watch = sp_watch_new(t->loop, fd, on_ready, h);
	h->timer = sp_timer_new(t->loop, on_timer, h);
	if (h->watch == NULL || h->timer == NULL || sp_watch_set(h->watch, SP_READ) != SP_OK) {
		drop(h);
		return;
	}
	sp_timer_set(h->timer, SP_DATA_HANDSHAKE_MS);
}

void
data_half_retry(struct data_thread *t)
{
	struct data_half *h, *after;
	enum sp_status st;

	for (h = TAILQ_FIRST(&t->halves); h != NULL; h = after) {
		after = TAILQ_NEXT(h, list);
		if (!h->parked || h->wrong != SP_OK || (st = read_opening(h, NULL)) == SP_E_BUSY)
			continue;
		h->parked = false;
		sp_timer_set(h->timer, SP_DATA_HANDSHAKE_MS);
		if (st != SP_OK || sp_watch_set(h->watch, SP_READ) != SP_OK)
			refuse(h, st, NULL);
	}
}

void
data_half_forget(struct data_thread *t, const struct data_transfer *x)
{
	struct data_half *h, *after;

	for (h = TAILQ_FIRST(&t->halves); h != NULL; h = after) {
		after = TAILQ_NEXT(h, list);
		if (h->x == x)
			drop(h);
	}
}

void
data_half_drop_all(struct data_thread *t)
{
	struct data_half *h;

	while ((h = TAILQ_FIRST(&t->halves)) != NULL)
		drop(h);
}
