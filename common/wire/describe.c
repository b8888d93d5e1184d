/*
 * describe.c - a decoded struct as one line for people and logs. Secrets are hidden, foreign text is made printable.
 */
#include "common/wire/msg.h"

#include "common/base/text.h"

#define HEX_MAX 32	/* longer bytes are shown as their length */

static void
add_quoted(struct sp_buf *out, struct sp_span text)
{
	size_t from = 0;

	sp_buf_add_u8(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '"')
			continue;
		sp_printable_add(out, sp_span(text.p + from, i - from));
		sp_buf_add_text(out, "\\\"");
		from = i + 1;
	}
	if (from < text.n)
		sp_printable_add(out, sp_span(text.p + from, text.n - from));
	sp_buf_add_u8(out, '"');
}

static void
add_list(struct sp_buf *out, const struct sp_field *f, struct sp_span bytes)
{
	struct sp_cursor c = sp_cursor(bytes);
	size_t n = 0;

	while (sp_list_next(&c, sp_desc_part(f), NULL))
		n++;
	sp_buf_addf(out, "<%zu of %s>", n, f->text);
}

static void
add_value(struct sp_buf *out, const struct sp_field *f, const struct sp_value *v)
{
	char hex[2 * HEX_MAX + 1], id[SP_ID_TEXT];
	struct sp_id copy;

	if (f->hidden) {
		sp_buf_add_text(out, "<hidden>");
		return;
	}
	switch (f->kind) {
	case SP_KIND_ID:
		memcpy(copy.b, v->bytes.p, sizeof(copy.b));
		sp_buf_add_text(out, sp_id_text(&copy, id));
		break;
	case SP_KIND_TEXT:
		add_quoted(out, v->bytes);
		break;
	case SP_KIND_LIST:
		add_list(out, f, v->bytes);
		break;
	case SP_KIND_HASH:
	case SP_KIND_BYTES:
		if (v->bytes.n <= HEX_MAX)
			sp_buf_add_text(out, sp_hex(v->bytes.p, v->bytes.n, hex));
		else
			sp_buf_addf(out, "<%zu bytes>", v->bytes.n);
		break;
	default:
		sp_buf_addf(out, "%llu", (unsigned long long)v->number);
	}
}

void
sp_describe(const struct sp_desc *desc, const void *msg, struct sp_buf *out)
{
	const char *between = "";

	sp_buf_addf(out, "%s{", desc->name);
	for (size_t i = 0; i < desc->nfields; i++) {
		const struct sp_field *f = &desc->fields[i];
		struct sp_value v = sp_field_get(f, msg);

		if (v.empty && !f->required)
			continue;
		sp_buf_addf(out, "%s%s=", between, f->name);
		add_value(out, f, &v);
		between = " ";
	}
	sp_buf_add_u8(out, '}');
}
