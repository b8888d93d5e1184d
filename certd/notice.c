/*
 * notice.c - telling senders that their postmark is there. No letter is sent yet: the database keeps which are due
 * (cert.notice_due, three at most), and senders ask by themselves.
 */
#include "certd/certd.h"
#include "certd/db.h"

struct notices {
	struct certd *certd;	/* borrowed */
};

enum sp_status
notices_new(struct certd *c, struct notices **ret_notices, struct sp_why *why)
{
	struct notices *n = calloc(1, sizeof(*n));

	(void)why;
	if (n == NULL)
		return SP_E_NOMEM;
	n->certd = c;
	*ret_notices = n;
	return SP_OK;
}

void
notices_free(struct notices *n)
{
	free(n);
}

void
notices_kick(struct notices *n)
{
	(void)n;
}
