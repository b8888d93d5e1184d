/*
 * frame_fuzz.c - a connection to a service: frames one after the other, each also looked at while only a part of it is there.
 */
#include <stdlib.h>

#include "common/base/limits.h"
#include "common/wire/frame.h"
#include "tests/fuzz/fuzz.h"

/* A part of a frame says that more must come, and never that it is wrong, where the whole is right. */
static void
in_parts(struct sp_span bytes, size_t whole)
{
	const size_t cuts[] = { 0, 1, 3, 4, 5, SP_FRAME_HEAD - 1, SP_FRAME_HEAD, whole / 2, whole - 1 };

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct sp_frame frame;
		size_t want = 0;

		if (cuts[i] >= whole)
			continue;
		fuzz_must(sp_frame_parse(sp_span(bytes.p, cuts[i]), &frame, &want, NULL) == SP_E_SHORT);
		fuzz_must(want > cuts[i] && want <= whole);
	}
}

/* One frame; its length, 0 if there is none. */
static size_t
one(struct sp_span in)
{
	SP_AUTO_DONE(sp_buf) again = { 0 };
	SP_AUTO_MEM uint8_t *msg = NULL;
	struct sp_why why = { "" };
	struct sp_frame frame;
	size_t n = 0;
	enum sp_status st = sp_frame_parse(in, &frame, &n, &why);

	fuzz_reason(&why);
	if (st == SP_E_SHORT)
		fuzz_must(n > in.n && n <= SP_FRAME_MAX);
	if (st != SP_OK)
		return 0;
	fuzz_must(n >= SP_FRAME_HEAD && n <= in.n && n <= sp_frame_max(frame.desc));
	fuzz_must(frame.body.n == n - SP_FRAME_HEAD && frame.desc->transport == SP_TRANSPORT_SERVICE);
	in_parts(in, n);
	if ((msg = malloc(frame.desc->size)) == NULL || !fuzz_decode(frame.desc, frame.body, msg))
		return n;
	fuzz_accept();
	fuzz_ok(sp_frame_pack(frame.desc, &frame.id, msg, &again, NULL));
	fuzz_must(again.len <= n && memcmp(again.data + 4, in.p + 4, SP_FRAME_HEAD - 4) == 0);
	if (again.len == n)
		fuzz_same(sp_buf_span(&again), sp_span(in.p, n));
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t at = 0, n = 1; n > 0 && at < size; at += n)
		n = one(sp_span(data + at, size - at));
	return 0;
}
