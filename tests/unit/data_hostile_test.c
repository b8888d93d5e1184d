/*
 * data_hostile_test.c - senders that lie: each is refused with the right word, and nothing stands outside the
 * incoming folder.
 */
#include <errno.h>

#include "common/base/clock.h"
#include "peerd/data/press.h"
#include "peerd/data/reader.h"
#include "tests/unit/liar_in_test.h"

static void
put_tar(struct liar *l, struct data_reader *reader, const struct lie *lie)
{
	uint8_t bytes[4096];
	uint64_t at;
	size_t n;

	while (data_reader_left(reader) > 0) {
		at = data_reader_at(reader);
		n = data_reader_left(reader) < sizeof(bytes) ? (size_t)data_reader_left(reader) : sizeof(bytes);
		ck_status(data_reader_fill(reader, bytes, n, &why), SP_OK);
		if (lie->flip_at > at && lie->flip_at <= at + n)
			bytes[lie->flip_at - 1 - at] ^= 0x20;
		if (lie->short_tar && data_reader_left(reader) == 0)
			n -= 1;
		put_raw(l, SP_RECORD_TAR, at + (lie->skip_at > at && lie->skip_at <= at + n), bytes, n);
		if (lie->tar_again && at == 0)
			put_raw(l, SP_RECORD_TAR, 0, bytes, n);
	}
	if (lie->extra_tar)
		put_raw(l, SP_RECORD_TAR, data_reader_at(reader), "x", 1);
}

/* The whole tar as a frame or two, and what may be wrong with them. */
static void
put_frames(struct liar *l, struct data_reader *reader, const struct lie *lie)
{
	static const uint8_t bomb[] = { 0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0x10, 0, 2, 0, 0x10, 'x', 3, 0, 0x10, 'x' };
	size_t n = (size_t)data_reader_left(reader), first = lie->frames == MIXED ? 1000 : 0;
	SP_AUTO(press) *press = NULL;
	struct sp_span frame;
	uint8_t *plain;

	ck_status(press_new(&press), SP_OK);
	plain = press_plain(press);
	ck_assert_uint_lt(n, SP_PRESS_TAR);
	ck_status(data_reader_fill(reader, plain, n, &why), SP_OK);
	plain[n] = 0;
	if (first > 0)
		put_raw(l, SP_RECORD_TAR, 0, plain, first);
	memmove(plain, plain + first, n - first);
	n += lie->frames == BEYOND;
	frame = lie->frames == BOMB ? sp_span(bomb, sizeof(bomb)) : press_pack(press, n - first);
	ck_assert_uint_gt(frame.n, 10);
	if (lie->frames == TAR_WITHIN) {
		put_raw(l, SP_RECORD_FRAME, 0, frame.p, 9);
		put_raw(l, SP_RECORD_TAR, 0, plain, n);
	}
	for (size_t i = 0; i < frame.n - (lie->frames == CUT); i++)
		put_raw(l, SP_RECORD_FRAME, first + (lie->frames == ELSEWHERE), frame.p + i, 1);
}

static void
put_trailer(struct liar *l, const struct lie *lie, struct sp_buf *prints)
{
	struct sp_stmt_trailer t = { .offer = l->p->receive.offer, .manifest = l->p->receive.manifest };
	SP_AUTO_DONE(sp_buf) statement = { 0 };
	uint8_t signature[SP_SIGNATURE];
	struct sp_msg_data_trailer m;

	sp_sha256(sp_buf_span(prints), &t.prints);
	t.offer.b[0] ^= lie->trailer_of_other_offer;
	t.prints.b[0] ^= lie->wrong_prints_hash;
	t.changed = lie->trailer_changed;
	ck_status(sp_statement_sign(SP_STMT_TRAILER, &t, lie->trailer_by_other ? l->other_key : alice_key, &statement,
	    signature, NULL, NULL), SP_OK);
	m = (struct sp_msg_data_trailer){ .statement = sp_buf_span(&statement),
		.signature = sp_span(signature, sizeof(signature)) };
	put_msg(l, SP_MSG_DATA_TRAILER, &m);
}

static void
put_everything(struct liar *l, struct data_reader *reader, const struct lie *lie)
{
	SP_AUTO_DONE(sp_buf) prints = { 0 };
	struct sp_msg_data_end end = { 0 };
	struct sp_msg_data_abort abort_msg = { .reason = (uint16_t)lie->abort_with };
	uint8_t garbage[100] = { 0, 0, 0, 96 };

	if (lie->abort_with != SP_OK)
		put_msg(l, SP_MSG_DATA_ABORT, &abort_msg);
	if (lie->garbage)
		put(l, garbage, sizeof(garbage));
	if (lie->end_first)
		put_msg(l, SP_MSG_DATA_END, &end);
	if (lie->prints_first)
		put_raw(l, SP_RECORD_PRINTS, 0, "x", 1);
	if (lie->frames != NO_FRAMES)
		put_frames(l, reader, lie);
	else
		put_tar(l, reader, lie);
	ck_status(sp_prints_encode(data_reader_prints(reader), &prints), SP_OK);
	if (lie->wrong_print)
		prints.data[prints.len - 2] = prints.data[prints.len - 2] == '0' ? '1' : '0';
	if (!lie->no_prints)
		put_raw(l, SP_RECORD_PRINTS, lie->prints_gap, prints.data, prints.len);
	if (lie->extra_prints) {
		char more[8192] = "";

		put_raw(l, SP_RECORD_PRINTS, prints.len, more, sizeof(more));
	}
	put_trailer(l, lie, &prints);
	put_msg(l, SP_MSG_DATA_END, &end);
}

static struct liar
lie_to(struct pair *p, const struct lie *lie)
{
	SP_AUTO(data_reader) *reader = NULL;
	struct liar l = { .p = p };
	const struct timeval patience = { .tv_sec = 10 };
	bool admitted;

	ck_status(sp_key_new(&l.other_key), SP_OK);
	ck_status(data_reader_new(p->send.source, NULL, 0, &reader, &why), SP_OK);
	admitted = say_hello(&l, lie);
	setsockopt(l.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (admitted)
		put_everything(&l, reader, lie);
	shutdown(l.fd, SHUT_WR);
	listen_to(&l);
	close(l.fd);
	sp_channel_free(l.ch);
	sp_key_free(l.other_key);
	return l;
}

/* alice's packet of some files, and the offset of the byte after a header's beginning. */
static struct pair *
agree_on_something(void)
{
	tree_folder("t");
	tree_text("t/a", "content of a");
	tree_text("t/b", "content of b");
	tree_folder("t/c");
	return agree(walk("t"));
}

static void
check_lie(const char *name, const struct lie *lie, enum sp_status expected, bool is_told)
{
	struct pair *p;
	struct liar l;

	stage_new(0);
	p = agree_on_something();
	expect(p);
	l = lie_to(p, lie);
	wait_for(1);
	ck_assert_msg(p->received_status == expected, "%s: %s (%s)", name, sp_status_name(p->received_status),
	    p->received_why.text);
	ck_assert_msg(l.heard_abort == is_told, "%s: ABORT", name);
	if (is_told)
		ck_status(l.abort_reason, expected);
	ck_assert_ptr_null(p->received_result);
	check_outside();
	source_free(p->send.source);
	p->send.source = NULL;
	stage_done();
	npairs = 0;
}

/* The liar who does everything right: the frame of these tests is sound. */
START_TEST(an_honest_liar_is_believed)
{
	const struct lie ways[] = { { .frames = NO_FRAMES }, { .frames = HONEST }, { .frames = MIXED } };

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct pair *p;
		struct liar l;

		stage_new(0);
		p = agree_on_something();
		expect(p);
		l = lie_to(p, &ways[i]);
		ck_assert(!l.heard_abort);
		wait_for(1);
		ck_assert_msg(p->received_status == SP_OK, "%s", p->received_why.text);
		check_same(p, "t");
		check_outside();
		source_free(p->send.source);
		stage_done();
		npairs = 0;
	}
}
END_TEST

/* Whoever does not prove itself is closed and counted; the transfer goes on waiting for the right one. */
START_TEST(acc07_the_unproved_do_not_disturb)
{
	static const struct lie lies[] = { { .wrong_token = true }, { .wrong_mac = true }, { .wrong_number = true },
		{ .wrong_accept = true }, { .open_of_other_accept = true } };
	struct pair *p;
	const size_t count = sizeof(lies) / sizeof(lies[0]);

	stage_new(0);
	p = agree_on_something();
	expect(p);
	for (size_t i = 0; i < count; i++)
		(void)lie_to(p, &lies[i]);
	for (int i = 0; i < 200 && data_pool_refused(bob) < count; i++)
		usleep(10000);
	ck_assert_uint_eq(data_pool_refused(bob), count);
	ck_status(data_send(alice, &p->send), SP_OK);
	wait_for(2);
	check_delivered(p);
	stage_done();
}
END_TEST

/* Who guesses the confirmation waits for each guess, in one of the few places that its network has. */
START_TEST(acc07_each_guess_costs_a_second)
{
	const struct lie guess = { .wrong_mac = true };
	uint64_t start;

	stage_new(0);
	expect(agree_on_something());
	start = sp_clock_boot_ms();
	(void)lie_to(&pairs[0], &guess);
	ck_assert_uint_ge(sp_clock_boot_ms() - start, SP_DATA_PARK_MS);
	ck_assert_uint_lt(sp_clock_boot_ms() - start, SP_DATA_HANDSHAKE_MS);
	stage_done();
}
END_TEST

START_TEST(a_flood_of_connections_leaves_room)
{
	struct pair *p;
	int fds[150];

	stage_new(0);
	p = agree_on_something();
	expect(p);
	for (size_t i = 0; i < 150; i++) {
		struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(p->send.addr.port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		ck_assert_int_eq(connect(fds[i], (struct sockaddr *)&sin, sizeof(sin)), 0);
		ck_assert_int_eq(send(fds[i], "SPD1", 4, MSG_NOSIGNAL), 4);
	}
	ck_status(data_send(alice, &p->send), SP_OK);
	wait_for(2);
	check_delivered(p);
	for (size_t i = 0; i < 150; i++)
		close(fds[i]);
	stage_done();
}
END_TEST

static int
connect_from(uint8_t host, uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + host) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(port);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

/* One address, however often it connects, pushes out none of another: slow-loris costs only itself. */
START_TEST(one_address_takes_its_share_of_openings_only)
{
	struct pair *p;
	int fds[200], slow;
	char byte;

	stage_new(0);
	p = agree_on_something();
	expect(p);
	slow = connect_from(9, p->send.addr.port);
	ck_assert_int_eq(send(slow, "SP", 2, MSG_NOSIGNAL), 2);
	usleep(50 * 1000);
	for (size_t i = 0; i < 200; i++) {
		fds[i] = connect_from(1, p->send.addr.port);
		ck_assert_int_eq(send(fds[i], "SPD1garbage", 11, MSG_NOSIGNAL), 11);
	}
	usleep(300 * 1000);
	ck_assert_int_eq(recv(slow, &byte, 1, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert(recv(fds[0], &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET);
	ck_status(data_send(alice, &p->send), SP_OK);
	wait_for(2);
	check_delivered(p);
	for (size_t i = 0; i < 200; i++)
		close(fds[i]);
	close(slow);
	stage_done();
}
END_TEST

/* Recorded bytes of one delivery sent again, when the same accept waits once more. */
START_TEST(a_recorded_opening_is_worth_nothing)
{
	struct pair *p;
	uint8_t opening[SP_CHANNEL_OPENING], reply[SP_CHANNEL_REPLY], mac[SP_CHANNEL_CONFIRM],
	    again[SP_CHANNEL_REPLY];
	struct sp_channel_terms terms;
	SP_AUTO(sp_channel) *ch = NULL;

	stage_new(0);
	p = agree_on_something();
	expect(p);
	terms = (struct sp_channel_terms){ .offer = p->receive.offer, .accept = p->accept, .number = 1 };
	memcpy(terms.token, p->receive.token, 32);
	memcpy(terms.recipient_key, p->receive.one_time.public_key, SP_X25519);
	ck_status(sp_channel_sender_begin(&terms, opening, &ch), SP_OK);
	for (int i = 0; i < 2; i++) {
		struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(p->send.addr.port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		struct liar l = { .p = p, .fd = socket(AF_INET, SOCK_STREAM, 0) };
		char byte;

		ck_assert_int_eq(connect(l.fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
		put(&l, opening, sizeof(opening));
		ck_assert(get(&l, i == 0 ? reply : again, sizeof(reply)));
		if (i == 0) {
			ck_status(sp_channel_sender_confirm(ch, reply, mac), SP_OK);
		} else {
			put(&l, mac, sizeof(mac));
			ck_assert_int_le(recv(l.fd, &byte, 1, 0), 0);
		}
		close(l.fd);
	}
	ck_assert_mem_ne(reply, again, sizeof(reply));
	ck_status(data_send(alice, &p->send), SP_OK);
	wait_for(2);
	check_delivered(p);
	stage_done();
}
END_TEST

#define LIE(name, expected, told, ...)                                                              \
	START_TEST(name)                                                                            \
	{                                                                                           \
		struct lie lie = { __VA_ARGS__ };                                                   \
		check_lie(#name, &lie, expected, told);                                             \
	}                                                                                           \
	END_TEST

LIE(opened_by_another_station, SP_E_SIGNATURE, false, .open_by_other = true)
LIE(garbage_instead_of_records, SP_E_CLOSED, false, .garbage = true)
LIE(manifest_header_changed, SP_E_MANIFEST, true, .flip_at = 5)
LIE(manifest_text_changed, SP_E_MISMATCH, true, .flip_at = 540)
LIE(byte_left_out, SP_E_FORMAT, true, .skip_at = 1)
LIE(bytes_twice, SP_E_FORMAT, true, .tar_again = true)
LIE(more_than_offered, SP_E_LONG, true, .extra_tar = true)
LIE(less_than_offered, SP_E_FORMAT, true, .short_tar = true)
LIE(content_other_than_printed, SP_E_PRINT, true, .wrong_print = true)
LIE(no_fingerprints, SP_E_MISMATCH, true, .no_prints = true)
LIE(fingerprints_with_a_gap, SP_E_FORMAT, true, .prints_gap = true)
LIE(more_fingerprints_than_files, SP_E_LONG, true, .extra_prints = true)
LIE(fingerprints_not_those_signed, SP_E_MISMATCH, true, .wrong_prints_hash = true)
LIE(trailer_by_another_station, SP_E_SIGNATURE, true, .trailer_by_other = true)
LIE(trailer_of_another_offer, SP_E_MISMATCH, true, .trailer_of_other_offer = true)
LIE(trailer_with_other_changes, SP_E_MISMATCH, true, .trailer_changed = true)
LIE(fingerprints_before_the_packet, SP_E_FORMAT, true, .prints_first = true)
LIE(end_before_the_packet, SP_E_FORMAT, true, .end_first = true)
LIE(given_up_by_the_sender, SP_E_IO, false, .abort_with = SP_E_IO)

LIE(a_frame_beyond_the_packet, SP_E_LONG, true, .frames = BEYOND)
LIE(a_frame_that_is_not_ended, SP_E_FORMAT, true, .frames = CUT)
LIE(plain_bytes_within_a_frame, SP_E_FORMAT, true, .frames = TAR_WITHIN)
LIE(a_frame_that_is_a_bomb, SP_E_FORMAT, true, .frames = BOMB)
LIE(a_frame_at_another_offset, SP_E_FORMAT, true, .frames = ELSEWHERE)

/* A header or a zero in the middle that is not what the manifest implies; content that is not what was hashed. */
START_TEST(no_byte_may_differ)
{
	SP_AUTO(source) *s = NULL;
	const struct sp_layout *l;
	uint64_t offsets[4];
	static const enum sp_status expected[4] = { SP_E_MISMATCH, SP_E_PRINT, SP_E_MISMATCH, SP_E_MISMATCH };

	for (int i = 0; i < 4; i++) {
		struct lie lie = { 0 };

		stage_new(0);
		agree_on_something();
		s = pairs[0].send.source;
		npairs = 0;
		l = source_layout(s);
		offsets[0] = sp_layout_entry(l, 1).start + 3;
		offsets[1] = sp_layout_entry(l, 1).data_at + 3;
		offsets[2] = sp_layout_entry(l, 1).end - 1;
		offsets[3] = sp_layout_length(l) - 1;
		source_free(sp_take(&s));
		stage_done();
		lie.flip_at = offsets[i] + 1;
		check_lie("no_byte_may_differ", &lie, expected[i], true);
	}
}
END_TEST

/* The sender keeps all its promises, but they are not those of the offer. */
static void
check_offer(void (*change)(struct data_receive_order *o), enum sp_status expected)
{
	struct pair *p;

	stage_new(0);
	p = agree_on_something();
	change(&p->receive);
	deliver(p);
	ck_assert_msg(p->received_status == expected, "%s", p->received_why.text);
	ck_status(p->sent_status, expected);
	ck_assert(access(incoming_of(p), F_OK) != 0);
	check_outside();
	stage_done();
	npairs = 0;
}

static void other_manifest(struct data_receive_order *o) { o->manifest.b[3] ^= 1; }
static void other_length(struct data_receive_order *o) { o->manifest_length += 1; }
static void other_files(struct data_receive_order *o) { o->files -= 1; }
static void other_bytes(struct data_receive_order *o) { o->bytes -= 1; }
static void shorter(struct data_receive_order *o) { o->packet -= 512; }
static void longer(struct data_receive_order *o) { o->packet += 512; }
static void other_station(struct data_receive_order *o) { strcpy(o->sender.name.station, "desktop"); }

START_TEST(rx07_the_packet_must_be_the_one_offered)
{
	check_offer(other_manifest, SP_E_MISMATCH);
	check_offer(other_length, SP_E_MISMATCH);
	check_offer(other_files, SP_E_MISMATCH);
	check_offer(other_bytes, SP_E_SIZE);
	check_offer(shorter, SP_E_LONG);
	check_offer(longer, SP_E_SIZE);
	check_offer(other_station, SP_E_MISMATCH);
}
END_TEST

UNIT_MAIN("data/hostile", an_honest_liar_is_believed, acc07_the_unproved_do_not_disturb, acc07_each_guess_costs_a_second,
    a_flood_of_connections_leaves_room,
    one_address_takes_its_share_of_openings_only,
    a_recorded_opening_is_worth_nothing, opened_by_another_station, garbage_instead_of_records,
    manifest_header_changed, manifest_text_changed, byte_left_out, bytes_twice, more_than_offered, less_than_offered,
    content_other_than_printed, no_fingerprints, fingerprints_with_a_gap, more_fingerprints_than_files,
    fingerprints_not_those_signed,
    trailer_by_another_station, trailer_of_another_offer, trailer_with_other_changes, fingerprints_before_the_packet,
    end_before_the_packet, given_up_by_the_sender, no_byte_may_differ,
    a_frame_beyond_the_packet, a_frame_that_is_not_ended, plain_bytes_within_a_frame, a_frame_that_is_a_bomb,
    a_frame_at_another_offset, rx07_the_packet_must_be_the_one_offered)
