/*
 * tariff.c - the domain's prices as a statement, which the operator loads into keyd with the line printed here.
 */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/statements/statement.h"
#include "creditd/creditd.h"

static void
print_hex(struct sp_span bytes)
{
	for (size_t i = 0; i < bytes.n; i++)
		printf("%02x", bytes.p[i]);
}

static void
print_call(struct sp_span statement, struct sp_span signature, struct sp_span signer)
{
	fputs("SELECT key.admin_tariff('\\x", stdout);
	print_hex(statement);
	fputs("', '\\x", stdout);
	print_hex(signature);
	fputs("', '\\x", stdout);
	print_hex(signer);
	puts("');");
}

/* Prices that stations are told must be those that stand in the sheets. */
static enum sp_status
read_steps(const struct settings *s, const char *text, struct sp_buf *packed, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) own = { 0 };
	struct sp_tariff told, set;
	enum sp_status st;

	if ((st = settings_steps(text, &told, why)) != SP_OK || (st = settings_tariff(s, &set, why)) != SP_OK ||
	    (st = sp_tariff_pack(&told, packed)) != SP_OK || (st = sp_tariff_pack(&set, &own)) != SP_OK)
		return st;
	if (!sp_span_eq(sp_buf_span(packed), sp_buf_span(&own)))
		return sp_fail(SP_E_CONFIG, why, "these are not the steps of the setting \"tariff\", which sheets carry: change "
		    "that first, and restart creditd");
	return SP_OK;
}

static enum sp_status
sign(const struct settings *s, const char *text, struct sp_loop *loop, struct sp_why *why)
{
	SP_AUTO(member) *member = NULL;
	SP_AUTO_DONE(sp_buf) steps = { 0 }, statement = { 0 };
	uint64_t now = sp_clock_wall_ms();
	/* seconds as the number: it rises without anybody keeping count */
	struct sp_stmt_tariff t = { .number = (uint32_t)(now / 1000), .valid_from_ms = now };
	uint8_t signature[SP_SIGNATURE];
	enum sp_status st;

	if ((st = read_steps(s, text, &steps, why)) != SP_OK ||
	    (st = member_open(loop, s->state, SP_ROLE_CREDITD, &member, why)) != SP_OK)
		return st;
	if (!member_is_enrolled(member))
		return sp_fail(SP_E_NOTENROLLED, why, "creditd has no certificate yet: creditd --enrol TOKEN");
	t.domain = sp_span_str(member_identity(member)->name.domain);
	t.steps = sp_buf_span(&steps);
	st = sp_statement_sign(SP_STMT_TARIFF, &t, member_key(member), &statement, signature, NULL, why);
	if (st == SP_OK)
		print_call(sp_buf_span(&statement), sp_span(signature, sizeof(signature)), member_cert(member));
	return st;
}

int
tariff_print(const struct settings *s, const char *text)
{
	SP_AUTO(sp_loop) *loop = NULL;
	struct sp_why why = { "" };
	enum sp_status st = sp_loop_new(&loop, &why);

	if (st == SP_OK)
		st = sign(s, text, loop, &why);
	if (st != SP_OK)
		fprintf(stderr, "creditd: %s\n", why.text[0] != 0 ? why.text : sp_status_text(st));
	return st == SP_OK ? 0 : 1;
}
