/*
 * settings.c - the rows of conf.def and the checks between them.
 */
#include "keyd/settings.h"

#include "common/base/text.h"
#include "common/net/addr.h"

#define SP_CONF_STRUCT struct settings
const struct sp_conf_key settings_keys[SETTINGS_KEYS] = {
#define CONF SP_CONF_ROW
#include "keyd/conf.def"
#undef CONF
};

/* The domain and the service's name have the forms that names in certificates have. */
static enum sp_status
check_names(const struct settings *s, struct sp_why *why)
{
	SP_AUTO_DONE(sp_buf) text = { 0 };
	struct sp_name name;

	sp_buf_addf(&text, "x@%s", s->domain);
	if (sp_name_parse(sp_buf_span(&text), &name) != SP_OK)
		return sp_fail(SP_E_CONFIG, why, "domain \"%s\" is not a domain name in lower case", s->domain);
	sp_buf_clear(&text);
	sp_buf_addf(&text, "x/%s@%s", s->name, s->domain);
	if (sp_name_parse(sp_buf_span(&text), &name) != SP_OK)
		return sp_fail(SP_E_CONFIG, why, "name \"%s\": only a-z 0-9 . _ -, beginning with a letter or digit",
		    s->name);
	return SP_OK;
}

/* One HOST:PORT of the token's form: lower case, nothing that would need escaping. */
static enum sp_status
check_address(const char *text, struct sp_why *why)
{
	char host[SP_HOST_MAX + 1];
	uint16_t port;

	if (strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") != strlen(text) ||
	    sp_hostport_split(sp_span_str(text), 0, host, &port) != SP_OK)
		return sp_fail(SP_E_CONFIG, why, "address \"%s\" is not HOST:PORT in lower case", text);
	return SP_OK;
}

enum sp_status
settings_check(const void *settings, struct sp_why *why)
{
	const struct settings *s = settings;
	struct sp_addr addr;
	enum sp_status st = check_names(s, why);

	for (size_t i = 0; st == SP_OK && i < s->address.count; i++)
		st = check_address(s->address.items[i], why);
	for (size_t i = 0; st == SP_OK && i < s->listen.count; i++)
		if (sp_addr_parse(sp_span_str(s->listen.items[i]), SP_PORT_KEYD, &addr) != SP_OK)
			st = sp_fail(SP_E_CONFIG, why, "listen \"%s\" is not a numeric ADDRESS:PORT",
			    s->listen.items[i]);
	return st;
}

void
settings_addresses(const struct settings *s, struct sp_buf *out)
{
	for (size_t i = 0; i < s->address.count; i++)
		sp_buf_addf(out, "%s%s", i > 0 ? "," : "", s->address.items[i]);
}
