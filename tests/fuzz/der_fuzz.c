/*
 * der_fuzz.c - the readers of DER that certificates, CMS and time-stamps share: whatever one of them accepts, the writer writes as
 * the same bytes.
 */
#include "common/crypto/der.h"
#include "tests/fuzz/fuzz.h"

/* The bytes of in that the cursor went over. */
static struct sp_span
read_part(struct sp_span in, const struct sp_cursor *c)
{
	return sp_span(in.p, (size_t)(c->p - in.p));
}

static void
numbers(struct sp_span in)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct sp_cursor c = sp_cursor(in);
	uint8_t number[20];

	sp_der_read_uint(&c, number, sizeof(number));
	if (c.error != SP_OK)
		return;
	fuzz_accept();
	sp_der_add_uint(&again, number, sizeof(number));
	fuzz_same(sp_buf_span(&again), read_part(in, &c));
}

static void
times(struct sp_span in)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct sp_cursor c = sp_cursor(in);
	int64_t seconds = sp_der_read_time(&c);

	if (c.error != SP_OK)
		return;
	fuzz_accept();
	/* a GeneralizedTime before 2050 is read, too: time-stamps have that */
	sp_der_add_time(&again, seconds);
	if (again.len == read_part(in, &c).n)
		fuzz_same(sp_buf_span(&again), read_part(in, &c));
}

static void
signatures(struct sp_span in)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct sp_cursor c = sp_cursor(in);
	uint8_t signature[SP_SIGNATURE];

	sp_der_read_signature(&c, signature);
	if (c.error != SP_OK)
		return;
	fuzz_accept();
	sp_der_add_signature(&again, signature);
	fuzz_same(sp_buf_span(&again), read_part(in, &c));
}

/* Elements in elements, as deep as they go. */
static void
tree(struct sp_cursor *c, int depth, struct sp_buf *again)
{
	while (c->error == SP_OK && sp_cursor_left(c) > 0) {
		uint8_t tag = c->p[0];

		if ((tag & 0x20) != 0 && depth < 32) {
			struct sp_cursor in = sp_der_enter(c, tag);
			size_t mark = sp_der_open(again, tag);

			tree(&in, depth + 1, again);
			sp_der_close(again, mark);
			sp_der_leave(c, &in);
		} else {
			sp_der_add(again, tag, sp_der_read(c, tag));
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	struct sp_span in = sp_span(data, size);
	struct sp_cursor c = sp_cursor(in);

	numbers(in);
	times(in);
	signatures(in);
	tree(&c, 0, &again);
	if (sp_cursor_end(&c) == SP_OK) {
		fuzz_ok(sp_buf_status(&again));
		fuzz_same(sp_buf_span(&again), in);
	}
	return 0;
}
