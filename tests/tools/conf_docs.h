/*
 * conf_docs.h - what is written out of a daemon's settings: its sample file, and the block of its manual page between
 * the marks. Used by a daemon's docs program and by the test that compares the committed files.
 */
#ifndef SP_TOOLS_CONF_DOCS_H
#define SP_TOOLS_CONF_DOCS_H

#include <stdio.h>

#include "common/base/file.h"
#include "common/conf/conf.h"

#define CONF_DOCS_BEGIN ".\\\" Written from the settings' table; see \"make docs-fresh\".\n"
#define CONF_DOCS_END ".\\\" The end of what is written from the table.\n"

/* The text of the manual page with its block made new. SP_E_FORMAT if the marks are not there. */
static inline enum sp_status
conf_docs_man(const struct sp_conf_key *keys, size_t n, struct sp_buf *page, struct sp_buf *out)
{
	const char *text = sp_buf_cstr(page), *begin = strstr(text, CONF_DOCS_BEGIN), *end = strstr(text,
	    CONF_DOCS_END);

	if (begin == NULL || end == NULL || end < begin)
		return SP_E_FORMAT;
	begin += sizeof(CONF_DOCS_BEGIN) - 1;
	sp_buf_add(out, text, (size_t)(begin - text));
	sp_conf_man(keys, n, out);
	sp_buf_add_text(out, end);
	return sp_buf_status(out);
}

/* PROGRAM SAMPLE_FILE MAN_FILE: writes both anew. */
static inline int
conf_docs_main(const struct sp_conf_key *keys, size_t n, char **argv)
{
	SP_AUTO_DONE(sp_buf) sample = { 0 }, page = { 0 }, fresh = { 0 };
	struct sp_why why = { "" };
	enum sp_status st;

	sp_conf_sample(keys, n, &sample);
	if ((st = sp_file_write(argv[1], sp_buf_span(&sample), 0644, &why)) != SP_OK ||
	    (st = sp_file_read(argv[2], 1 << 20, &page, &why)) != SP_OK ||
	    (st = conf_docs_man(keys, n, &page, &fresh)) != SP_OK ||
	    (st = sp_file_write(argv[2], sp_buf_span(&fresh), 0644, &why)) != SP_OK)
		fprintf(stderr, "%s: %s %s\n", argv[0], sp_status_text(st), why.text);
	return st == SP_OK ? 0 : 1;
}

#endif
