/*
 * status.c - texts, classes and reasons of statuses, all from status.def.
 */
#include "common/base/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct row {
	unsigned number;
	const char *name;
	enum sp_class cls;
	const char *text;
} rows[] = {
#define SP_STATUS(number, NAME, CLASS, text) { number, #NAME, SP_CLASS_##CLASS, text },
#include "common/base/status.def"
#undef SP_STATUS
};

static const struct row *
find(unsigned number)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].number == number)
			return &rows[i];
	return NULL;
}

const char *
sp_status_text(enum sp_status st)
{
	const struct row *r = find((unsigned)st);

	return r != NULL ? r->text : "unknown status";
}

const char *
sp_status_name(enum sp_status st)
{
	const struct row *r = find((unsigned)st);

	if (r == NULL)
		return "unknown-status";
	return strncmp(r->name, "E_", 2) == 0 ? r->name + 2 : r->name;
}

enum sp_class
sp_status_class(enum sp_status st)
{
	const struct row *r = find((unsigned)st);

	return r != NULL ? r->cls : SP_CLASS_PEER;
}

enum sp_status
sp_status_from_number(unsigned number)
{
	return find(number) != NULL ? (enum sp_status)number : SP_E_UNKNOWN;
}

/* The arguments may point into why itself: "cannot load: %s", why->text. */
static void
write_reason(struct sp_why *why, const char *more, const char *fmt, va_list ap)
{
	struct sp_why fresh;
	size_t used;

	if (why == NULL)
		return;
	vsnprintf(fresh.text, sizeof(fresh.text), fmt, ap);
	used = strlen(fresh.text);
	if (more != NULL)
		snprintf(fresh.text + used, sizeof(fresh.text) - used, ": %s", more);
	*why = fresh;
}

void
sp_why_set(struct sp_why *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_reason(why, NULL, fmt, ap);
	va_end(ap);
}

enum sp_status
sp_fail_errno(enum sp_status st, struct sp_why *why, const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	write_reason(why, strerror(err), fmt, ap);
	va_end(ap);
	if (err == ENOSPC || err == EDQUOT)
		return SP_E_SPACE;
	if (err == EMFILE || err == ENFILE)	/* until others are closed */
		return SP_E_FULL;
	return err == ENOMEM ? SP_E_NOMEM : st;
}
