/*
 * data_pool_test.c - packets from one pool to another over loopback: what arrives, several at once, ends by either
 * side.
 */
#include "tests/unit/data_in_test.h"

static void
make_tree(void)
{
	tree_folder("t");
	tree_folder("t/folder");
	tree_folder("t/folder/empty");
	tree_folder("t/folder/deep er");
	tree_text("t/folder/deep er/hello", "hello, world\n");
	tree_file("t/empty file", "", 0, 0600);
	tree_file("t/\xff\n%", "any bytes", 9, 0755);
	tree_file("t/hidden", "x", 1, 0400);
	ck_assert_int_eq(link(tree_path("t/folder/deep er/hello"), tree_path("t/second name")), 0);
	ck_assert_int_eq(symlink("folder/deep er/hello", tree_path("t/link")), 0);
	for (int i = 0; i < 300; i++) {
		char name[32], text[700];
		int n = snprintf(name, sizeof(name), "t/folder/small %d", i);

		memset(text, 'a' + i % 26, sizeof(text));
		tree_file(name, text, (size_t)(i * 7 % 700), 0644);
		tree_time(name, 1600000000 + i, 1000000L * i + n);
	}
	tree_time("t/link", 99, 9);
	tree_time("t/folder", -1, 500);
}

START_TEST(tx02_a_tree_arrives_identical)
{
	struct pair *p;
	char id[SP_ID_TEXT];

	stage_new(0);
	make_tree();
	p = agree(walk("t"));
	deliver(p);
	check_delivered(p);
	check_same(p, "t");
	ck_assert_uint_eq(p->received_result->changed, 0);
	ck_assert_uint_eq(p->received_result->links_out, 0);
	ck_assert_uint_gt(p->received_result->files_txt.len, 300 * 64);
	ck_status(place_sync(p->received_result->place, &why), SP_OK);
	ck_assert_uint_eq(data_pool_refused(bob), 0);
	place_discard(received_dir, sp_id_text(&p->id, id));
	stage_done();
}
END_TEST

START_TEST(the_smallest_chunk_will_do)
{
	struct pair *p;

	stage_new(2048);
	make_tree();
	p = agree(walk("t"));
	deliver(p);
	check_delivered(p);
	check_same(p, "t");
	stage_done();
}
END_TEST

START_TEST(nothing_but_folders_and_an_empty_file)
{
	struct pair *p, *q;

	stage_new(0);
	tree_folder("only");
	tree_folder("only/folders");
	tree_text("nothing", "");
	p = agree(walk("only"));
	deliver(p);
	check_delivered(p);
	check_same(p, "only");
	q = agree(walk("nothing"));
	deliver(q);
	check_delivered(q);
	check_same(q, "nothing");
	stage_done();
}
END_TEST

#define LARGE (70u * 1024 * 1024 + 12345)

START_TEST(a_large_file_with_holes)
{
	struct pair *p;
	char block[4096];
	struct stat sb;
	char path[512];
	int fd;

	stage_new(0);
	fd = open(tree_path("large"), O_WRONLY | O_CREAT, 0644);
	ck_assert_int_eq(ftruncate(fd, LARGE), 0);
	for (off_t at = 0; at < LARGE / 2; at += 1 << 18) {
		sp_random(block, sizeof(block));
		ck_assert_int_eq(pwrite(fd, block, sizeof(block), at), sizeof(block));
	}
	close(fd);
	p = agree(walk("large"));
	deliver(p);
	check_delivered(p);
	check_same(p, "large");
	snprintf(path, sizeof(path), "%s/large", incoming_of(p));
	ck_assert_int_eq(stat(path, &sb), 0);
	ck_assert_int_lt(sb.st_blocks * 512, LARGE / 4);
	ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&p->received_result->files_txt), "sha256-1m:"));
	stage_done();
}
END_TEST

START_TEST(sys07_many_at_once)
{
	stage_new(4096);
	make_tree();
	for (int i = 0; i < 20; i++)
		expect(agree(walk("t")));
	for (size_t i = 0; i < npairs; i++)
		ck_status(data_send(alice, &pairs[i].send), SP_OK);
	wait_for(40);
	for (size_t i = 0; i < npairs; i++) {
		check_delivered(&pairs[i]);
		check_same(&pairs[i], "t");
	}
	stage_done();
}
END_TEST

/* Text goes as fewer bytes than it has, what is random as hardly more; both sides count the same. */
START_TEST(pk01_fewer_bytes_go_for_text)
{
	static char text[1 << 20], noise[1 << 20];
	struct pair *p, *q;

	stage_new(0);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i * i % 7 + i / 4096 % 10);
	sp_random(noise, sizeof(noise));
	tree_file("text", text, sizeof(text), 0644);
	tree_file("noise", noise, sizeof(noise), 0644);
	p = agree(walk("text"));
	q = agree(walk("noise"));
	deliver(p);
	deliver(q);
	check_delivered(p);
	check_same(p, "text");
	check_same(q, "noise");
	ck_assert_uint_lt(p->sent_wire, sizeof(text) / 4);
	ck_assert_uint_gt(q->sent_wire, sizeof(noise));
	ck_assert_uint_lt(q->sent_wire, sizeof(noise) + sizeof(noise) / 100);
	ck_assert_uint_eq(p->sent_wire, p->received_wire);
	ck_assert_uint_eq(q->sent_wire, q->received_wire);
	stage_done();
}
END_TEST

/* One thread at each side, and on it a packet of 400 MiB: meanwhile others begin and end, one after the other, each with several
 * turns of its own. Zeroes are hardly anything on the wire: a turn ends after so many bytes of the packet all the same. */
START_TEST(tx09_no_transfer_waits_for_anothers_end)
{
	enum { SMALL = 12 };
	struct pair *large;
	int fd;

	stage_threads = 1;
	stage_new(0);
	fd = open(tree_path("large"), O_WRONLY | O_CREAT, 0644);
	ck_assert_int_eq(ftruncate(fd, 400 << 20), 0);
	close(fd);
	tree_text("small", "no more than this");
	large = agree(walk("large"));
	expect(large);
	for (int i = 0; i < SMALL; i++)
		(void)agree(walk("small"));
	ck_status(data_send(alice, &large->send), SP_OK);
	for (size_t i = 1; i <= SMALL; i++) {
		deliver(&pairs[i]);
		ck_assert(!large->sent && !large->received);
		check_delivered(&pairs[i]);
	}
	wait_for(2);
	check_delivered(large);
	stage_done();
}
END_TEST

START_TEST(links_that_point_outside_are_listed)
{
	struct pair *p;

	stage_new(0);
	tree_folder("t");
	ck_assert_int_eq(symlink("/etc/passwd", tree_path("t/out")), 0);
	ck_assert_int_eq(symlink("../..", tree_path("t/up")), 0);
	p = agree(walk("t"));
	deliver(p);
	check_delivered(p);
	ck_assert_uint_eq(p->received_result->links_out, 2);
	ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&p->received_result->notes), "t/out: left out"));
	stage_done();
}
END_TEST

START_TEST(a_changed_file_is_left_out_and_said)
{
	struct pair *p;
	char path[512];

	stage_new(0);
	tree_folder("t");
	tree_text("t/gone", "was here");
	tree_text("t/grown", "was here");
	tree_text("t/same", "is here");
	p = agree(walk("t"));
	ck_assert_int_eq(unlink(tree_path("t/gone")), 0);
	ck_assert_int_eq(truncate(tree_path("t/grown"), 4), 0);
	deliver(p);
	check_delivered(p);
	ck_assert_uint_eq(p->received_result->changed, 2);
	snprintf(path, sizeof(path), "%s/t/same", incoming_of(p));
	ck_assert_int_eq(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/t/grown", incoming_of(p));
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_ptr_nonnull(strstr(sp_buf_cstr(&p->sent_result->notes), "2 changed"));
	stage_done();
}
END_TEST

START_TEST(nothing_but_changed_files_fails)
{
	struct pair *p;

	stage_new(0);
	tree_text("f", "was here");
	p = agree(walk("f"));
	ck_assert_int_eq(chmod(tree_path("f"), 0600), 0);
	deliver(p);
	ck_status(p->sent_status, SP_E_CHANGED);
	ck_status(p->received_status, SP_E_CHANGED);
	ck_assert_ptr_nonnull(strstr(p->sent_why.text, "f was changed"));
	ck_assert_ptr_nonnull(strstr(p->received_why.text, "the sender ended the transfer"));
	stage_done();
}
END_TEST

/* bob's disk fails: alice hears the reason although she is in the middle of sending. */
START_TEST(the_recipients_failure_reaches_the_sender)
{
	struct pair *p;
	int fd;

	stage_new(0);
	fd = open(tree_path("large"), O_WRONLY | O_CREAT, 0644);
	ck_assert_int_eq(ftruncate(fd, LARGE), 0);
	close(fd);
	tree_text("in the way", "");
	p = agree(walk("large"));
	p->receive.received = "/proc/no/such/folder";
	deliver(p);
	ck_status(p->received_status, SP_E_IO);
	ck_status(p->sent_status, SP_E_IO);
	ck_assert_ptr_nonnull(strstr(p->sent_why.text, "the recipient ended the transfer"));
	stage_done();
}
END_TEST

static void
start_large(struct pair **ret)
{
	int fd;

	stage_new(2048);
	fd = open(tree_path("large"), O_WRONLY | O_CREAT, 0644);
	ck_assert_int_eq(ftruncate(fd, (off_t)LARGE * 20), 0);
	close(fd);
	*ret = agree(walk("large"));
	expect(*ret);
	ck_status(data_send(alice, &(*ret)->send), SP_OK);
}

START_TEST(either_side_can_end_it)
{
	struct pair *p;

	start_large(&p);
	data_abort(bob, &p->id, false, SP_E_CANCELLED);
	data_abort(bob, &p->id, false, SP_E_SPACE);
	data_abort(bob, &p->id, true, SP_E_SPACE);
	wait_for(2);
	ck_status(p->received_status, SP_E_CANCELLED);
	/* Whether the connection was there already is a matter of luck. */
	ck_assert(p->sent_status == SP_E_CANCELLED || sp_status_class(p->sent_status) == SP_CLASS_RETRY);
	stage_done();
}
END_TEST

static struct sp_timer *after;

static void
cancel_at_alice(void *arg)
{
	struct pair *p = arg;

	data_abort(alice, &p->id, true, SP_E_CANCELLED);
}

START_TEST(tx15_cancelled_in_the_middle)
{
	struct pair *p;

	start_large(&p);
	after = sp_timer_new(loop, cancel_at_alice, p);
	sp_timer_set(after, 150);
	wait_for(2);
	ck_status(p->sent_status, SP_E_CANCELLED);
	ck_status(p->received_status, SP_E_CANCELLED);
	ck_assert_uint_eq(p->connected, 2);
	sp_timer_free(after);
	stage_done();
}
END_TEST

START_TEST(a_pool_that_ends_breaks_its_transfers)
{
	struct pair *p;

	start_large(&p);
	sp_loop_stop(loop);
	ck_status(sp_loop_run(loop), SP_OK);
	data_pool_free(sp_take(&bob));
	wait_for(1);
	ck_assert(p->sent && !p->received);
	ck_assert_int_eq(sp_status_class(p->sent_status), SP_CLASS_RETRY);
	stage_done();
}
END_TEST

static void
start_late(void *arg)
{
	struct pair *p = arg;

	ck_status(data_start(bob, &p->id, 7, &p->accept), SP_OK);
}

/* The sender may be there before the order that its transfer waits for. */
START_TEST(a_connection_that_comes_early_waits)
{
	struct pair *p;
	uint16_t port = 0;

	stage_new(0);
	tree_text("f", "x");
	p = agree(walk("f"));
	ck_status(data_reserve(bob, &p->receive, &port, &why), SP_OK);
	p->send.addr = (struct sp_addr){ .family = 4, .ip = { 127, 0, 0, 1 }, .port = port };
	ck_status(data_send(alice, &p->send), SP_OK);
	after = sp_timer_new(loop, start_late, p);
	sp_timer_set(after, 300);
	wait_for(2);
	check_delivered(p);
	ck_assert_uint_eq(data_pool_refused(bob), 0);
	sp_timer_free(after);
	stage_done();
}
END_TEST

static void
pay(void *arg)
{
	const struct pair *p = arg;

	ck_assert(!p->received && p->connected > 0);
	ck_status(data_release(bob, &p->id, 7), SP_OK);
}

START_TEST(wal02_a_held_delivery_waits_until_it_is_paid)
{
	struct pair *p;

	stage_new(0);
	tree_text("f", "x");
	p = agree(walk("f"));
	p->receive.hold = true;
	expect(p);
	ck_status(data_send(alice, &p->send), SP_OK);
	after = sp_timer_new(loop, pay, p);
	sp_timer_set(after, 400);
	wait_for(2);
	check_delivered(p);
	ck_status(data_release(bob, &p->id, 7), SP_E_NOTFOUND);
	sp_timer_free(after);
	stage_done();
}
END_TEST

START_TEST(wal02_a_held_delivery_that_is_never_paid_ends)
{
	struct pair *p;

	stage_new(0);
	tree_text("f", "x");
	p = agree(walk("f"));
	p->receive.hold = true;
	deliver(p);
	ck_status(p->received_status, SP_E_UNPAID);
	ck_status(p->sent_status, SP_E_UNPAID);
	ck_assert_int_ne(access(incoming_of(p), F_OK), 0);
	stage_done();
}
END_TEST

START_TEST(nobody_there)
{
	struct pair *p;

	stage_new(0);
	tree_text("f", "x");
	p = agree(walk("f"));
	p->send.addr = (struct sp_addr){ .family = 4, .ip = { 127, 0, 0, 1 }, .port = 22999 };
	ck_status(data_send(alice, &p->send), SP_OK);
	wait_for(1);
	ck_status(p->sent_status, SP_E_CONNECT);
	stage_done();
}
END_TEST

/* The port is shared, closed when nobody waits for a connection, and the range can be full. */
START_TEST(rx04_ports_are_open_only_while_needed)
{
	struct data_settings settings = { .bind = "127.0.0.1", .port_first = 22990, .port_last = 22990,
	    .threads = 2 };
	struct data_pool *own = NULL, *other = NULL;
	struct pair *p, *q;
	uint16_t port = 0;

	stage_new(0);
	tree_text("f", "x");
	p = agree(walk("f"));
	q = agree(walk("f"));
	ck_status(data_pool_new(loop, &settings, on_happening, NULL, &own, &why), SP_OK);
	ck_status(data_pool_new(loop, &settings, on_happening, NULL, &other, &why), SP_OK);
	ck_status(data_reserve(own, &p->receive, &port, &why), SP_OK);
	ck_assert_uint_eq(port, 22990);
	ck_status(data_reserve(other, &q->receive, &port, &why), SP_E_BUSY);
	ck_status(data_start(own, &q->id, 7, &q->accept), SP_E_NOTFOUND);
	ck_status(data_start(own, &p->id, 8, &p->accept), SP_E_NOTFOUND);
	ck_status(data_start(own, &p->id, 7, &p->accept), SP_OK);
	p->send.addr = (struct sp_addr){ .family = 4, .ip = { 127, 0, 0, 1 }, .port = port };
	ck_status(data_send(alice, &p->send), SP_OK);
	wait_for(2);
	check_delivered(p);
	/* The order to close it is in the queue before the last news is out. */
	for (int i = 0; i < 100 && data_reserve(other, &q->receive, &port, &why) != SP_OK; i++)
		usleep(20000);
	data_abort(other, &q->id, false, SP_E_CANCELLED);
	wait_for(1);
	ck_status(q->received_status, SP_E_CANCELLED);
	data_pool_free(own);
	data_pool_free(other);
	source_free(q->send.source);
	stage_done();
}
END_TEST

/* Without an address of its own a pool listens everywhere, on one port. */
START_TEST(both_families)
{
	struct data_settings settings = { .port_first = 22980, .port_last = 22989 };
	struct pair *p;

	stage_new(0);
	data_pool_free(sp_take(&alice));
	data_pool_free(sp_take(&bob));
	ck_status(data_pool_new(loop, &settings, on_happening, NULL, &alice, &why), SP_OK);
	ck_status(data_pool_new(loop, &settings, on_happening, NULL, &bob, &why), SP_OK);
	tree_text("f", "x");
	for (int i = 0; i < 2; i++) {
		p = agree(walk("f"));
		expect(p);
		if (i == 1)
			p->send.addr = (struct sp_addr){ .family = 6, .ip = { [15] = 1 }, .port = p->send.addr.port };
		ck_status(data_send(alice, &p->send), SP_OK);
		if (i == 1 && access("/proc/net/if_inet6", F_OK) != 0) {
			wait_for(1);
			ck_status(p->sent_status, SP_E_CONNECT);
			break;
		}
		wait_for(2);
		check_delivered(p);
	}
	stage_done();
}
END_TEST

START_TEST(settings_out_of_range)
{
	struct data_settings s = { .chunk = 2047 };
	struct data_pool *p = NULL;

	ck_status(sp_loop_new(&loop, &why), SP_OK);
	ck_status(data_pool_new(loop, &s, on_happening, NULL, &p, &why), SP_E_CONFIG);
	s = (struct data_settings){ .chunk = 65537 };
	ck_status(data_pool_new(loop, &s, on_happening, NULL, &p, &why), SP_E_CONFIG);
	s = (struct data_settings){ .port_first = 10, .port_last = 9 };
	ck_status(data_pool_new(loop, &s, on_happening, NULL, &p, &why), SP_E_CONFIG);
	s = (struct data_settings){ .bind = "example.org" };
	ck_status(data_pool_new(loop, &s, on_happening, NULL, &p, &why), SP_E_CONFIG);
	sp_loop_free(loop);
}
END_TEST

UNIT_MAIN("data/pool", tx02_a_tree_arrives_identical, the_smallest_chunk_will_do,
    nothing_but_folders_and_an_empty_file, a_large_file_with_holes, sys07_many_at_once, pk01_fewer_bytes_go_for_text, tx09_no_transfer_waits_for_anothers_end,
    links_that_point_outside_are_listed, a_changed_file_is_left_out_and_said, nothing_but_changed_files_fails,
    the_recipients_failure_reaches_the_sender, either_side_can_end_it, tx15_cancelled_in_the_middle,
    a_pool_that_ends_breaks_its_transfers, nobody_there, a_connection_that_comes_early_waits,
    wal02_a_held_delivery_waits_until_it_is_paid, wal02_a_held_delivery_that_is_never_paid_ends,
    rx04_ports_are_open_only_while_needed, both_families,
    settings_out_of_range)
