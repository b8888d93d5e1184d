/*
 * data_bounds_test.c - each queue of peerd/data filled to its bound: what has no room is told so, and all else comes back.
 */
#include "common/crypto/rand.h"
#include "peerd/data/data.h"
#include "tests/unit/tree_in_test.h"
#include "tests/unit/unit.h"

static struct sp_loop *loop;
static struct data_pool *pool;
static unsigned reserved, broken, walked, awaited;
static struct sp_why why;

static void
on_happening(void *arg, struct data_happening *h)
{
	(void)arg;
	reserved += h->what == DATA_RESERVED;
	broken += h->what == DATA_BROKEN;
	walked += h->what == DATA_WALKED && h->status == SP_OK;
	if (h->what != DATA_RESERVED && --awaited == 0)
		sp_loop_stop(loop);
}

static void
set_up(unsigned transfers)
{
	struct data_settings settings = { .bind = "127.0.0.1", .port_first = 23000, .port_last = 23999, .threads = 2,
		.transfers = transfers };

	tree_new();
	reserved = broken = walked = awaited = 0;
	ck_status(sp_loop_new(&loop, &why), SP_OK);
	ck_assert_msg(data_pool_new(loop, &settings, on_happening, NULL, &pool, &why) == SP_OK, "%s", why.text);
}

static void
tear_down(void)
{
	data_pool_free(pool);
	sp_loop_free(loop);
	tree_done();
}

static enum sp_status
reserve(const struct sp_id *id)
{
	char received[128];
	struct data_receive_order o = { .transfer = *id, .generation = 1, .manifest_length = 100, .packet = 10240,
		.received = received };
	uint16_t port;

	snprintf(received, sizeof(received), "%s/received", tree_dir);
	ck_status(sp_name_parse(sp_span_str("alice/laptop@post.example"), &o.sender.name), SP_OK);
	ck_status(sp_x25519_new(&o.one_time), SP_OK);
	return data_reserve(pool, &o, &port, &why);
}

/* Every transfer that can be, with all its orders, while nobody takes the news: the queues are as long as the table needs. */
START_TEST(sys04_as_many_transfers_as_can_be_and_no_more)
{
	static struct sp_id ids[SP_DATA_TRANSFERS];
	struct sp_hash accept = { { 1 } };
	struct sp_id more;
	unsigned most;

	set_up(0);
	most = data_pool_most(pool);
	ck_assert_uint_ge(most, 1);
	ck_assert_uint_le(most, SP_DATA_TRANSFERS);
	for (unsigned i = 0; i < most; i++) {
		ck_assert(!data_pool_is_full(pool));
		ids[i] = sp_id_new();
		ck_assert_msg(reserve(&ids[i]) == SP_OK, "%u: %s", i, why.text);
		ck_status(data_start(pool, &ids[i], 1, &accept), SP_OK);
		ck_status(data_release(pool, &ids[i], 1), SP_OK);
	}
	ck_assert(data_pool_is_full(pool));
	more = sp_id_new();
	ck_status(reserve(&more), SP_E_FULL);
	for (unsigned i = 0; i < most; i++)
		data_abort(pool, &ids[i], false, SP_E_CANCELLED);
	awaited = most;
	ck_status(sp_loop_run(loop), SP_OK);
	ck_assert_uint_le(reserved, most);	/* some were not looked at yet */
	ck_assert_uint_eq(broken, most);
	ck_assert(!data_pool_is_full(pool));
	/* and there is room again */
	ck_status(reserve(&more), SP_OK);
	data_abort(pool, &more, false, SP_E_CANCELLED);
	awaited = 1;
	ck_status(sp_loop_run(loop), SP_OK);
	tear_down();
}
END_TEST

START_TEST(a_setting_bounds_them_both_ways_together)
{
	struct data_send_order send = { .generation = 1 };
	struct sp_id ids[3] = { sp_id_new(), sp_id_new(), sp_id_new() };

	set_up(2);
	ck_assert_uint_eq(data_pool_most(pool), 2);
	ck_status(reserve(&ids[0]), SP_OK);
	ck_status(reserve(&ids[1]), SP_OK);
	ck_status(reserve(&ids[2]), SP_E_FULL);
	send.transfer = ids[2];
	ck_status(data_send(pool, &send), SP_E_FULL);
	data_abort(pool, &ids[0], false, SP_E_CANCELLED);
	awaited = 1;
	ck_status(sp_loop_run(loop), SP_OK);
	ck_status(reserve(&ids[2]), SP_OK);
	tear_down();
}
END_TEST

START_TEST(walks_that_wait)
{
	struct sp_manifest_head head = { .kind = SP_PACKET_FILES, .person = "alice@post.example",
		.station = "alice/laptop@post.example", .title = "a packet" };
	struct sp_id id = sp_id_new();
	const char *path;

	set_up(0);
	sp_random(head.salt, sizeof(head.salt));
	tree_text("f", "x");
	path = tree_path("f");
	/* nobody takes what is walked, so each counts until then */
	for (int i = 0; i < SP_DATA_WALKS; i++)
		ck_status(data_walk(pool, &id, 1, &path, 1, &head, NULL), SP_OK);
	ck_status(data_walk(pool, &id, 1, &path, 1, &head, NULL), SP_E_FULL);
	awaited = SP_DATA_WALKS;
	ck_status(sp_loop_run(loop), SP_OK);
	ck_assert_uint_eq(walked, SP_DATA_WALKS);
	ck_status(data_walk(pool, &id, 1, &path, 1, &head, NULL), SP_OK);
	awaited = 1;
	ck_status(sp_loop_run(loop), SP_OK);
	tear_down();
}
END_TEST

/* A packet that would take of what is to stay free waits; one that an empty disk has no room for is refused. */
START_TEST(rx13_the_reserve_of_the_disk)
{
	struct sp_id id = sp_id_new();
	struct data_settings settings = { .bind = "127.0.0.1", .port_first = 23000, .port_last = 23999, .threads = 1,
		.reserve = 1ull << 62 };

	set_up(0);
	data_pool_free(pool);
	ck_status(data_pool_new(loop, &settings, on_happening, NULL, &pool, &why), SP_OK);
	ck_status(reserve(&id), SP_OK);
	awaited = 1;
	ck_status(sp_loop_run(loop), SP_OK);
	ck_assert_uint_eq(reserved, 0);
	ck_assert_uint_eq(broken, 1);
	tear_down();
}
END_TEST

UNIT_MAIN("data/bounds", sys04_as_many_transfers_as_can_be_and_no_more, a_setting_bounds_them_both_ways_together,
    walks_that_wait, rx13_the_reserve_of_the_disk)
