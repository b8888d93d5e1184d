/*
 * press_fuzz.c - a compressed frame as it comes in (length of a part u16, then the frame): whole or in parts it is the same to the
 * recipient, it never holds more than it says nor more than it may, and nothing of it is unpacked before its end is known.
 */
#include "peerd/data/press.h"
#include "tests/fuzz/fuzz.h"

/* Adds the frame in parts; how many bytes of it were taken, and whether it was whole at their end. */
static enum sp_status
add(struct press_in *in, struct sp_span frame, size_t part, size_t *ret_taken, bool *ret_whole)
{
	struct sp_why why = { "" };
	enum sp_status st = SP_OK;

	*ret_whole = false;
	for (*ret_taken = 0; *ret_taken < frame.n && st == SP_OK && !*ret_whole;) {
		size_t n = frame.n - *ret_taken < part ? frame.n - *ret_taken : part;

		st = press_in_add(in, 512, sp_span(frame.p + *ret_taken, n), ret_whole, &why);
		*ret_taken += n;
	}
	fuzz_must(st == SP_OK || why.text[0] != 0);
	fuzz_reason(&why);
	return st;
}

/* What was unpacked, packed by us, unpacks to the same. */
static void
again(struct press *p, struct sp_span plain)
{
	SP_AUTO_DONE(sp_buf) copy = { 0 };
	struct press_in in = { 0 };
	struct sp_span frame, back;
	size_t taken, n = plain.n < SP_PRESS_TAR ? plain.n : SP_PRESS_TAR;
	bool whole;

	sp_buf_add(&copy, plain.p, n);
	memcpy(press_plain(p), copy.data, n);
	frame = press_pack(p, n);
	if (frame.n == 0)
		return;
	fuzz_must(frame.n < n);
	fuzz_ok(add(&in, frame, SIZE_MAX, &taken, &whole));
	fuzz_must(whole && taken == frame.n && in.holds == n);
	fuzz_ok(press_unpack(p, &in, &back, NULL));
	fuzz_same(back, sp_buf_span(&copy));
	press_in_done(&in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct press *p;
	struct press_in in = { 0 }, at_once = { 0 };
	struct sp_span frame, plain;
	struct sp_why why = { "" };
	size_t part, taken, all, holds;
	bool whole, once;
	enum sp_status st;

	if (size < 2)
		return 0;
	if (p == NULL)
		fuzz_ok(press_new(&p));
	part = ((size_t)data[0] << 8 | data[1]) + 1;
	frame = sp_span(data + 2, size - 2);
	st = add(&in, frame, part, &taken, &whole);
	if (st == SP_OK && whole) {
		holds = in.holds;
		fuzz_must(holds > taken && holds <= SP_PRESS_MAX);
		/* in one piece it is the same frame */
		fuzz_ok(add(&at_once, sp_span(frame.p, taken), SIZE_MAX, &all, &once));
		fuzz_must(once && all == taken && at_once.holds == holds);
		if (press_unpack(p, &in, &plain, &why) == SP_OK) {
			fuzz_accept();
			fuzz_must(plain.n == holds && !press_in_begun(&in));
			again(p, plain);
		} else {
			fuzz_must(why.text[0] != 0);
		}
	}
	press_in_done(&in);
	press_in_done(&at_once);
	return 0;
}
