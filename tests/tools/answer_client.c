/*
 * answer_client.c - calls a station back as a creditd would, or as somebody would like to: for the tests of what stations book.
 *
 * answer_client DIR STATIONDIR HOST:PORT REQUEST NUMBER [HOW]
 *	DIR: folder of the creditd that writes and signs; STATIONDIR: the station's. Grants NUMBER credits, 0: denies.
 *	HOW: another (sheet of the same request), other-station, other-key, changed, station (DIR is one, not a creditd's)
 *
 * Prints the status that the station answered with, TIMEOUT if it did not.
 */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/daemon/caller.h"
#include "common/statements/sheet.h"

static struct sp_loop *loop;

static void
called(void *arg, enum sp_status st)
{
	(void)arg;
	printf("%s\n", sp_status_name(st));
	sp_loop_stop(loop);
}

static enum sp_status
sign(const struct member *station, const struct sp_key *key, const struct sp_id *request, uint32_t count, const char *how,
    struct sp_buf *out, uint8_t signature[SP_SIGNATURE])
{
	struct sp_sheet sheet = { .request = *request, .sheet = *request, .first = 1, .count = count, .epoch = 1, .offline = count,
		.issued_ms = sp_id_ms(request), .valid_until_ms = sp_id_ms(request) + 86400000,
		.tariff = { { { 0, 1 }, { 1000000, 2 } }, 2 } };
	struct sp_stmt_denial denial = { .request = *request, .reason = SP_E_ACCOUNT };

	if (count == 0)
		return sp_statement_sign(SP_STMT_DENIAL, &denial, key, out, signature, NULL, NULL);
	sheet.station = member_identity(station)->name;
	memcpy(sheet.domain, sheet.station.domain, sizeof(sheet.domain));
	sheet.sheet.b[0] ^= strcmp(how, "another") == 0 ? 0xf0 : 0x0f;
	if (strcmp(how, "other-station") == 0)
		strcpy(sheet.station.station, "elsewhere");
	return sp_sheet_sign(&sheet, key, out, signature, NULL, NULL);
}

static enum sp_status
call(char **word, const char *how, struct member *writer, struct member *station, struct sp_caller *caller, struct sp_why *why)
{
	SP_AUTO(sp_key) *other = NULL;
	SP_AUTO_DONE(sp_buf) statement = { 0 };
	uint8_t signature[SP_SIGNATURE];
	struct sp_msg_credit_answer m = { .signer = member_identity(writer)->hash };
	struct sp_id request;
	uint64_t count;
	enum sp_status st;

	if ((st = sp_id_parse(word[1], &request)) != SP_OK || (st = sp_parse_u64(sp_span_str(word[2]), 1024, &count)) != SP_OK ||
	    (st = sp_key_new(&other)) != SP_OK ||
	    (st = sign(station, strcmp(how, "other-key") == 0 ? other : member_key(writer), &request, (uint32_t)count, how,
	    &statement, signature)) != SP_OK)
		return st;
	signature[20] ^= strcmp(how, "changed") == 0;
	m.statement = sp_buf_span(&statement);
	m.signature = sp_span(signature, sizeof(signature));
	return sp_call(caller, member_identity(station)->letter_key, word[0], SP_MSG_CREDIT_ANSWER, &m, called, NULL, why);
}

int
main(int argc, char **argv)
{
	const char *how = argc > 6 ? argv[6] : "";
	SP_AUTO(member) *writer = NULL, *station = NULL;
	SP_AUTO(sp_caller) *caller = NULL;
	struct sp_why why = { "" };
	enum sp_status st;

	if (argc < 6)
		return 2;
	if ((st = sp_loop_new(&loop, &why)) == SP_OK &&
	    (st = member_open(loop, argv[1], strcmp(how, "station") == 0 ? SP_ROLE_STATION : SP_ROLE_CREDITD, &writer,
	    &why)) == SP_OK && (st = member_open(loop, argv[2], SP_ROLE_STATION, &station, &why)) == SP_OK &&
	    (st = sp_caller_new(loop, writer, &caller, &why)) == SP_OK)
		st = call(argv + 3, how, writer, station, caller, &why);
	if (st == SP_OK)
		st = sp_loop_run(loop);
	if (st != SP_OK)
		fprintf(stderr, "%s %s\n", sp_status_name(st), why.text);
	sp_caller_free(sp_take(&caller));
	member_free(sp_take(&writer));
	member_free(sp_take(&station));
	sp_loop_free(loop);
	return st == SP_OK ? 0 : 1;
}
