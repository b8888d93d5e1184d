/*
 * stamp.c - a tsa for each hand, lent out one at a time.
 */
#include "certd/stamp.h"

#include <pthread.h>
#include <stdio.h>

#include "common/crypto/cms.h"
#include "common/crypto/tsa.h"

struct stamp {
	struct stamp_conf conf;
	struct sp_name certd;
	pthread_mutex_t lock;
	pthread_cond_t back;
	struct sp_tsa **idle;		/* owned; nidle of conf.hands are not lent out */
	unsigned nidle;
};

enum sp_status
stamp_new(const struct stamp_conf *conf, struct stamp **ret_stamp, struct sp_why *why)
{
	struct stamp *fresh = calloc(1, sizeof(*fresh));
	enum sp_status st = SP_OK;

	if (fresh == NULL)
		return SP_E_NOMEM;
	fresh->conf = *conf;
	fresh->certd = (struct sp_name){ .person = "certd" };
	(void)snprintf(fresh->certd.station, sizeof(fresh->certd.station), "%s", conf->id->service);
	(void)snprintf(fresh->certd.domain, sizeof(fresh->certd.domain), "%s", conf->id->name.domain);
	pthread_mutex_init(&fresh->lock, NULL);
	pthread_cond_init(&fresh->back, NULL);
	if ((fresh->idle = calloc(conf->hands, sizeof(*fresh->idle))) == NULL)
		st = SP_E_NOMEM;
	while (st == SP_OK && fresh->nidle < conf->hands)
		if ((st = sp_tsa_new(conf->tsa_key, conf->tsa_cert, &fresh->idle[fresh->nidle], why)) == SP_OK)
			fresh->nidle++;
	if (st != SP_OK)
		stamp_free(fresh);
	else
		*ret_stamp = fresh;
	return st;
}

void
stamp_free(struct stamp *s)
{
	if (s == NULL)
		return;
	while (s->nidle > 0)
		sp_tsa_free(s->idle[--s->nidle]);
	free(s->idle);
	pthread_cond_destroy(&s->back);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct sp_tsa *
borrow(struct stamp *s)
{
	struct sp_tsa *tsa;

	pthread_mutex_lock(&s->lock);
	while (s->nidle == 0)
		pthread_cond_wait(&s->back, &s->lock);
	tsa = s->idle[--s->nidle];
	pthread_mutex_unlock(&s->lock);
	return tsa;
}

static void
give_back(struct stamp *s, struct sp_tsa *tsa)
{
	pthread_mutex_lock(&s->lock);
	s->idle[s->nidle++] = tsa;
	pthread_cond_signal(&s->back);
	pthread_mutex_unlock(&s->lock);
}

/* What an ended certificate signs proves nothing. */
static enum sp_status
check_life(const struct sp_identity *id, uint64_t wall_ms, struct sp_why *why)
{
	int64_t now = (int64_t)(wall_ms / 1000);
	char name[SP_NAME_TEXT];

	if (now < id->not_before)
		return sp_fail(SP_E_CERT_EXPIRED, why, "the certificate of %s has not begun: is the clock right?",
		    sp_identity_text(id, name));
	if (now >= id->not_after)
		return sp_fail(SP_E_CERT_EXPIRED, why, "the certificate of %s has ended: enrol it anew, if the clock is right",
		    sp_identity_text(id, name));
	return SP_OK;
}

enum sp_status
stamp_check(const struct stamp *s, uint64_t wall_ms, struct sp_why *why)
{
	enum sp_status st = check_life(s->conf.id, wall_ms, why);

	return st != SP_OK ? st : check_life(s->conf.tsa_id, wall_ms, why);
}

enum sp_status
stamp_sign(struct stamp *s, const struct sp_postmark *postmark, uint64_t wall_ms, struct sp_buf *out_p7m,
    struct sp_buf *out_tsr, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	struct sp_postmark own = *postmark;
	struct sp_tsa *tsa;
	enum sp_status st;

	own.certd = s->certd;
	if ((st = stamp_check(s, wall_ms, why)) != SP_OK)
		return st;
	/* the clock was set back: the time-stamp must not be older than what it stamps */
	if (wall_ms < own.received_s * 1000)
		wall_ms = own.received_s * 1000;
	if ((st = sp_postmark_encode(&own, &text, why)) != SP_OK ||
	    (st = sp_cms_sign(s->conf.key, s->conf.cert, sp_buf_span(&text), out_p7m, why)) != SP_OK)
		return st;
	tsa = borrow(s);
	st = sp_tsa_stamp(tsa, sp_buf_span(out_p7m), wall_ms, own.number.b, out_tsr, why);
	give_back(s, tsa);
	return st;
}
