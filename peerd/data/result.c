/*
 * result.c - the outcome of a transfer as the main loop gets it.
 */
#include "peerd/data/result.h"

#include "common/crypto/hash.h"
#include "common/packet/files_txt.h"
#include "common/packet/path.h"
#include "common/wire/msg.h"

void
data_result_free(struct data_result *r)
{
	if (r == NULL)
		return;
	/* The place borrows the manifest, prints do too. */
	place_free(r->place);
	sp_prints_free(r->prints);
	sp_manifest_free(r->manifest);
	source_free(r->source);
	sp_buf_done(&r->files_txt);
	sp_buf_done(&r->notes);
	free(r);
}

enum sp_status
data_result_files(struct data_result *r, const struct sp_manifest *manifest, const struct sp_prints *prints)
{
	enum sp_status st = sp_files_encode(manifest, prints, &r->files_txt);

	if (st == SP_OK)
		sp_sha256(sp_buf_span(&r->files_txt), &r->files_hash);
	return st;
}

enum sp_status
data_result_links(struct data_result *r, const struct sp_manifest *manifest, bool kept)
{
	if (!kept)
		return sp_links_outside(manifest, &r->links_out, &r->links_hash);
	r->links_out = 0;
	sp_sha256(sp_span(NULL, 0), &r->links_hash);
	return SP_OK;
}

enum sp_status
data_abort_read(struct sp_span body, const char *who, struct sp_why *why)
{
	struct sp_msg_data_abort m;
	enum sp_status st = sp_decode(sp_desc_msg(SP_MSG_DATA_ABORT), body, &m, why);

	if (st != SP_OK)
		return st;
	st = sp_status_from_number(m.reason);
	if (st == SP_OK)
		st = SP_E_UNKNOWN;
	return sp_fail(st, why, "%s ended the transfer: %s", who, sp_status_text(st));
}
