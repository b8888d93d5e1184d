/*
 * stamp.h - the certd's hand: signs a postmark and the time-stamp over it. Any thread; a tsa of ours is used by one thread at
 * a time.
 */
#ifndef CERTD_STAMP_H
#define CERTD_STAMP_H

#include "common/statements/postmark.h"

struct stamp;

/* The certd's key and certificate and the tsa's; all copied or borrowed for the stamp's life. hands: threads that will use
 * it. */
struct stamp_conf {
	const struct sp_key *key, *tsa_key;		/* borrowed */
	struct sp_span cert, tsa_cert;			/* DER, borrowed */
	const struct sp_identity *id, *tsa_id;		/* borrowed */
	unsigned hands;
};
SP_MUST_CHECK enum sp_status stamp_new(const struct stamp_conf *conf, struct stamp **ret_stamp, struct sp_why *why);
void stamp_free(struct stamp *s);
SP_AUTO_DEFINE(stamp);

/* Could it sign at this time? SP_E_CERT_EXPIRED when a certificate of ours has ended or not begun, perhaps by a wrong clock only:
 * then nothing may get a postmark's time. */
SP_MUST_CHECK enum sp_status stamp_check(const struct stamp *s, uint64_t wall_ms, struct sp_why *why);

/* Fills in who signs, and appends postmark.p7m and postmark.tsr. The number of the postmark is the serial number of the
 * time-stamp. SP_E_CERT_EXPIRED when a certificate of ours has ended. */
SP_MUST_CHECK enum sp_status stamp_sign(struct stamp *s, const struct sp_postmark *postmark, uint64_t wall_ms,
    struct sp_buf *out_p7m, struct sp_buf *out_tsr, struct sp_why *why);

#endif
