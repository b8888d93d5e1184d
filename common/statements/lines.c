/*
 * lines.c - texts of one word and one value a line.
 */
#include "common/statements/lines.h"

#include <inttypes.h>
#include <time.h>

#include "common/base/clock.h"

void
lines_add_hash(struct sp_buf *out, const char *word, const struct sp_hash *hash)
{
	char hex[65];

	sp_buf_addf(out, "%s %s\n", word, sp_hex(hash->b, sizeof(hash->b), hex));
}

void
lines_add_number(struct sp_buf *out, const char *word, uint64_t number)
{
	sp_buf_addf(out, "%s %" PRIu64 "\n", word, number);
}

bool
lines_is_station(const struct sp_name *name)
{
	char text[SP_NAME_TEXT];
	struct sp_name again;

	return sp_name_parse(sp_span_str(sp_name_text(name, text)), &again) == SP_OK && again.station[0] != '\0';
}

struct sp_span
lines_take(struct lines *in, const char *word)
{
	const uint8_t *end = !in->bad && in->left.n > 0 ? memchr(in->left.p, '\n', in->left.n) : NULL;
	size_t n = strlen(word);
	struct sp_span line;

	if (in->bad)
		return sp_span(NULL, 0);
	in->number++;
	line = sp_span(in->left.p, end != NULL ? (size_t)(end - in->left.p) : 0);
	if (end == NULL || line.n <= n || memcmp(line.p, word, n) != 0 || line.p[n] != ' ') {
		in->bad = true;
		return sp_span(NULL, 0);
	}
	in->left = sp_span(end + 1, in->left.n - line.n - 1);
	return sp_span(line.p + n + 1, line.n - n - 1);
}

void
lines_must(struct lines *in, bool holds)
{
	in->bad = in->bad || !holds;
}

void
lines_take_hash(struct lines *in, const char *word, struct sp_hash *out)
{
	struct sp_span text = lines_take(in, word);

	lines_must(in, sp_unhex((const char *)text.p, text.n, out->b, sizeof(out->b)) == SP_OK);
}

void
lines_take_name(struct lines *in, const char *word, struct sp_name *out)
{
	lines_must(in, sp_name_parse(lines_take(in, word), out) == SP_OK);
}

void
lines_take_number(struct lines *in, const char *word, uint64_t max, uint64_t *out)
{
	lines_must(in, sp_parse_u64(lines_take(in, word), max, out) == SP_OK);
}

void
lines_take_id(struct lines *in, const char *word, struct sp_id *out)
{
	struct sp_span text = lines_take(in, word);
	char copy[SP_ID_TEXT];

	lines_must(in, text.n == SP_ID_TEXT - 1);
	if (in->bad)
		return;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	lines_must(in, sp_id_parse(copy, out) == SP_OK);
}

void
lines_take_time(struct lines *in, const char *word, uint64_t *out_s)
{
	struct sp_span text = lines_take(in, word);
	char copy[SP_TIME_TEXT];
	struct tm tm = { 0 };
	const char *end;
	time_t t;

	lines_must(in, text.n == SP_TIME_TEXT - 1 && memchr(text.p, 0, text.n) == NULL);
	if (in->bad)
		return;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	end = strptime(copy, "%Y-%m-%dT%H:%M:%SZ", &tm);
	lines_must(in, end != NULL && *end == '\0');
	if (in->bad)
		return;
	t = timegm(&tm);
	lines_must(in, t >= 0 && (uint64_t)t <= LINES_LAST_SECOND);
	*out_s = (uint64_t)t;
}
