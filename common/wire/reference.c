/*
 * reference.c - the rows of messages.def as Markdown. tests/tools/protocol_reference prints it into
 * docs/protocol-reference.md; the lint compares them.
 */
#include "common/wire/msg.h"

#include "common/base/limits.h"

static const char intro[] =
	"# Sealpost protocol reference\n"
	"\n"
	"Printed from `common/wire/messages.def`; don't edit. How the messages work together is told in `protocol.md`.\n"
	"\n"
	"A body is a row of fields: tag (2 bytes), length (4 bytes), value; integers are big-endian. Tags ascend and none comes\n"
	"twice. An unknown field with an odd tag is skipped, one with an even tag refuses the message; a statement with any\n"
	"unknown field is refused. Each value has one form: an optional field that would be zero or empty is left out, and\n"
	"refused when it is there all the same. Bounds of integers are values, bounds of bytes, texts and lists are lengths in\n"
	"bytes. Text is UTF-8 without control characters.\n"
	"A list is its elements one after the other, each as length (4 bytes) and body.\n";

/* "1 to 5", "at least 1", "any"; lengths that can't vary as one number. */
static void
add_bounds(struct sp_buf *out, const struct sp_field *f)
{
	unsigned long long min = f->min, max = f->max;

	if (f->kind == SP_KIND_ID || f->kind == SP_KIND_HASH || (min == 0 && max == 0))
		sp_buf_add_text(out, "any");
	else if (max == 0)
		sp_buf_addf(out, "at least %llu", min);
	else if (min == max)
		sp_buf_addf(out, "%llu", min);
	else
		sp_buf_addf(out, "%llu to %llu", min, max);
}

static const char *
kind_text(const struct sp_field *f)
{
	static const char *const texts[] = { [SP_KIND_U8] = "u8", [SP_KIND_U16] = "u16", [SP_KIND_U32] = "u32",
		[SP_KIND_U64] = "u64", [SP_KIND_ID] = "id, 16 bytes", [SP_KIND_HASH] = "hash, 32 bytes",
		[SP_KIND_BYTES] = "bytes", [SP_KIND_TEXT] = "text", [SP_KIND_LIST] = "list" };

	return texts[f->kind];
}

static void
add_row(struct sp_buf *out, const struct sp_desc *d)
{
	bool statement = d->transport == SP_TRANSPORT_STATEMENT;

	sp_buf_addf(out, statement ? "\n### %s (%u)\n\n" : "\n### %s (0x%02x)\n\n", d->name, d->number);
	sp_buf_addf(out, "%s.", d->text);
	if (statement && strcmp(d->role, "NONE") != 0)
		sp_buf_addf(out, " Signed by: %s.", d->role);
	sp_buf_add_text(out, "\n");
	if (d->nfields == 0) {
		sp_buf_add_text(out, "No fields.\n");
		return;
	}
	sp_buf_add_text(out, "\n| tag | field | kind | bounds | needed | meaning |\n|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < d->nfields; i++) {
		const struct sp_field *f = &d->fields[i];

		sp_buf_addf(out, "| %u | `%s` | %s | ", f->tag, f->name, kind_text(f));
		add_bounds(out, f);
		sp_buf_addf(out, " | %s%s | %s%s |\n", f->required ? "yes" : "no", f->hidden ? ", secret" : "",
		    f->kind == SP_KIND_LIST ? "elements: " : "", f->text);
	}
}

void
sp_wire_reference(struct sp_buf *out)
{
	static const struct {
		enum sp_transport transport;
		const char *title, *text;
	} parts[] = {
		{ SP_TRANSPORT_STATEMENT, "Statements", "What is signed: `SPSTMT`, the purpose (2 bytes), the fields. The "
		  "signature is ECDSA P-256 over SHA-256, r and s in 32 bytes each; the hash of a statement is the SHA-256 of "
		  "these bytes without the signature." },
		{ SP_TRANSPORT_LETTER, "Letters", "Messages of the command channel; those marked \"TCP form\" don't fit a "
		  "datagram." },
		{ SP_TRANSPORT_RECORD, "Data records", "Records of the data channel with a body of fields." },
		{ SP_TRANSPORT_SERVICE, "Services", "Bodies of frames between peers and services." },
		{ SP_TRANSPORT_PART, "Elements of lists", "They never travel alone." },
	};
	size_t n;
	const struct sp_desc *all = sp_desc_all(&n);

	sp_buf_add_text(out, intro);
	sp_buf_addf(out, "A message may carry at most %d bytes of fields that are not listed here.\n", SP_FRAME_SLACK);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		sp_buf_addf(out, "\n## %s\n\n%s\n", parts[i].title, parts[i].text);
		for (size_t k = 0; k < n; k++)
			if (all[k].transport == parts[i].transport)
				add_row(out, &all[k]);
	}
}
