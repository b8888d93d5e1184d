/*
 * become.c - enrolment of the certd and of its tsa: two members of the domain, each with a folder of its own.
 */
#include <stdio.h>

#include "certd/certd.h"
#include "common/base/file.h"

struct becoming {
	struct sp_loop *loop;	/* borrowed */
	enum sp_status st;
	struct sp_why why;
};

void
become_folder(const struct settings *settings, enum sp_role role, struct sp_buf *out)
{
	sp_buf_addf(out, "%s/%s", settings->state, sp_role_text(role));
}

static void
on_done(void *arg, enum sp_status st, const struct sp_why *why)
{
	struct becoming *b = arg;

	b->st = st;
	if (why != NULL)
		b->why = *why;
	sp_loop_stop(b->loop);
}

/* Everything but the words at its end. */
static enum sp_status
enrol(const struct settings *settings, enum sp_role role, const char *token, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) folder = { 0 };
	SP_AUTO(sp_loop) *loop = NULL;
	SP_AUTO(member) *m = NULL;
	struct becoming b = { .st = SP_E_STATE };
	char name[SP_NAME_TEXT];
	enum sp_status st;

	become_folder(settings, role, &folder);
	if ((st = sp_buf_status(&folder)) != SP_OK ||
	    (st = sp_mkdirs(sp_buf_cstr(&folder), 0700, why)) != SP_OK ||
	    (st = sp_loop_new(&loop, why)) != SP_OK ||
	    (st = member_open(loop, sp_buf_cstr(&folder), role, &m, why)) != SP_OK)
		return st;
	b.loop = loop;
	member_enrol(m, token, on_done, &b);
	if ((st = sp_loop_run(loop)) != SP_OK)
		return st;
	*why = b.why;
	if (b.st == SP_OK)
		printf("%s is enrolled; its keys and its certificate are in %s\n",
		    sp_identity_text(member_identity(m), name), sp_buf_cstr(&folder));
	return b.st;
}

int
become(const struct settings *settings, enum sp_role role, const char *token)
{
	struct sp_why why = { "" };
	enum sp_status st = enrol(settings, role, token, &why);

	if (st != SP_OK)
		fprintf(stderr, "certd: %s\n", why.text[0] != '\0' ? why.text : sp_status_text(st));
	return st == SP_OK ? 0 : 1;
}
