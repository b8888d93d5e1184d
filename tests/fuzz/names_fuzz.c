/*
 * names_fuzz.c - short texts that name things: stations, services, hosts, addresses, ids, numbers, hex and base64url.
 */
#include "common/base/text.h"
#include "common/net/addr.h"
#include "common/statements/enrol.h"
#include "common/statements/host.h"
#include "tests/fuzz/fuzz.h"

static void
names(struct sp_span in)
{
	char text[SP_NAME_TEXT];
	struct sp_name name;

	if (sp_name_parse(in, &name) != SP_OK)
		return;
	fuzz_accept();
	fuzz_same(in, sp_span_str(sp_name_text(&name, text)));
}

static void
addresses(struct sp_span in)
{
	char text[SP_ADDR_TEXT], host[SP_HOST_MAX + 1], both[SP_HOSTPORT_TEXT];
	struct sp_addr addr, again;
	uint16_t port;

	if (sp_addr_parse(in, 7325, &addr) == SP_OK) {
		fuzz_ok(sp_addr_parse(sp_span_str(sp_addr_text(&addr, text)), 1, &again));
		fuzz_must(sp_addr_eq(&addr, &again) && addr.family != 0);
	}
	if (sp_hostport_split(in, 7325, host, &port) == SP_OK) {
		char twice[SP_HOST_MAX + 1];
		uint16_t port_twice;

		sp_hostport_text(sp_span_str(host), port, both);
		fuzz_ok(sp_hostport_split(sp_span_str(both), 1, twice, &port_twice));
		fuzz_must(strcmp(host, twice) == 0 && port == port_twice);
	}
	if (sp_host_ok(in)) {
		fuzz_must(in.n > 0 && in.n <= SP_HOST_MAX);
		if (sp_host_is_v6(in)) {
			fuzz_ok(sp_addr_parse(in, 1, &addr));
			fuzz_same(in, sp_span_str(sp_addr_host(&addr, text)));
		}
	}
	fuzz_must(!sp_service_name_ok(in) || (in.n > 0 && in.n <= SP_SERVICE_MAX));
}

static void
codes(struct sp_span in)
{
	SP_AUTO_DONE(sp_buf) raw = { 0 }, text = { 0 };
	SP_AUTO_MEM char *copy = strndup((const char *)in.p, in.n);
	char id_text[SP_ID_TEXT], hex[65];
	uint8_t bytes[32];
	struct sp_id id;
	uint64_t n;

	if (sp_base64url_read(in, &raw) == SP_OK) {
		sp_base64url_add(&text, sp_buf_span(&raw));
		fuzz_same(in, sp_buf_span(&text));
	}
	if (sp_parse_u64(in, UINT64_MAX, &n) == SP_OK) {
		sp_buf_clear(&text);
		sp_buf_addf(&text, "%llu", (unsigned long long)n);
		fuzz_same(in, sp_buf_span(&text));
		fuzz_must(n == 0 || sp_parse_u64(in, n - 1, &n) == SP_E_RANGE);
	}
	if (in.n % 2 == 0 && in.n <= 64 && sp_unhex((const char *)in.p, in.n, bytes, in.n / 2) == SP_OK)
		fuzz_same(in, sp_span_str(sp_hex(bytes, in.n / 2, hex)));
	if (copy != NULL && sp_id_parse(copy, &id) == SP_OK)
		fuzz_must(strcmp(copy, sp_id_text(&id, id_text)) == 0);
}

/* The request of a name says that name again. */
static void
request(struct sp_span in)
{
	static const struct sp_enrol_keys keys = { .sign_key = { 4 } };
	SP_AUTO_DONE(sp_buf) out = { 0 };
	struct sp_stmt_enrol_request stmt;
	struct sp_why why = { "" };
	struct sp_hash hash;

	if (sp_enrol_request(in, &keys, &out, &hash, &why) != SP_OK) {
		fuzz_reason(&why);
		return;
	}
	fuzz_ok(sp_statement_read(SP_STMT_ENROL_REQUEST, sp_buf_span(&out), &stmt, NULL));
	fuzz_same(stmt.name, in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sp_span in = sp_span(data, size);

	names(in);
	addresses(in);
	codes(in);
	request(in);
	return 0;
}
