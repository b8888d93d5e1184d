/*
 * net_resolve_test.c - names and numeric addresses looked up off the loop; cancelled, refused, and left behind.
 */
#include "common/net/resolve.h"
#include "tests/unit/net_unit.h"

static struct unit_loop u;
static struct sp_resolver *resolver;

struct found {
	int calls;
	enum sp_status status;
	size_t n;
	struct sp_addr first;
	bool free_resolver;
};

static void
on_found(void *arg, enum sp_status st, const struct sp_addr *addrs, size_t n, const struct sp_why *why)
{
	struct found *f = arg;

	f->calls++;
	f->status = st;
	f->n = n;
	if (n > 0)
		f->first = addrs[0];
	if (st != SP_OK)
		ck_assert_uint_gt(strlen(why->text), 0);
	if (f->free_resolver) {
		sp_resolver_free(resolver);
		resolver = NULL;
	}
	sp_loop_stop(u.loop);
}

static void
open_all(void)
{
	struct sp_why why;

	unit_loop_open(&u);
	ck_status(sp_resolver_new(u.loop, &resolver, &why), SP_OK);
}

static void
close_all(void)
{
	sp_resolver_free(resolver);
	unit_loop_close(&u);
}

START_TEST(numeric_addresses_come_at_the_next_turn)
{
	struct found f = { 0 };
	uint64_t handle = 0;

	open_all();
	ck_status(sp_resolve(resolver, sp_span_str("[::1]:9"), 0, on_found, &f, &handle), SP_OK);
	ck_assert_int_eq(f.calls, 0);
	ck_assert_uint_ne(handle, 0);
	unit_loop_run(&u);
	ck_assert_int_eq(f.calls, 1);
	ck_status(f.status, SP_OK);
	ck_assert_uint_eq(f.n, 1);
	ck_assert_uint_eq(f.first.family, 6);
	ck_assert_uint_eq(f.first.port, 9);
	close_all();
}
END_TEST

START_TEST(names_are_found_or_not)
{
	struct found f = { 0 }, g = { 0 };
	uint64_t handle;

	open_all();
	ck_status(sp_resolve(resolver, sp_span_str("localhost"), 7325, on_found, &f, &handle), SP_OK);
	unit_loop_run(&u);
	ck_status(f.status, SP_OK);
	ck_assert_uint_ge(f.n, 1);
	ck_assert_uint_eq(f.first.port, 7325);
	ck_status(sp_resolve(resolver, sp_span_str("no-such-host.invalid:1"), 0, on_found, &g, &handle), SP_OK);
	unit_loop_run(&u);
	ck_assert(g.status == SP_E_NOTFOUND || g.status == SP_E_CONNECT);
	ck_assert_uint_eq(g.n, 0);
	close_all();
}
END_TEST

START_TEST(bad_texts_and_too_many_are_refused)
{
	struct found f = { 0 };
	uint64_t handle = 0;

	open_all();
	ck_status(sp_resolve(resolver, sp_span_str("a b:1"), 0, on_found, &f, &handle), SP_E_FORMAT);
	ck_status(sp_resolve(resolver, sp_span_str("host"), 0, on_found, &f, &handle), SP_E_FORMAT);
	for (size_t i = 0; i < SP_RESOLVE_QUEUE; i++)
		ck_status(sp_resolve(resolver, sp_span_str("127.0.0.1:1"), 0, on_found, &f, &handle), SP_OK);
	ck_status(sp_resolve(resolver, sp_span_str("127.0.0.1:1"), 0, on_found, &f, &handle), SP_E_FULL);
	unit_loop_run_ms(&u, 50);
	while (f.calls < SP_RESOLVE_QUEUE)
		unit_loop_run(&u);
	ck_status(sp_resolve(resolver, sp_span_str("127.0.0.1:1"), 0, on_found, &f, &handle), SP_OK);
	close_all();
}
END_TEST

START_TEST(cancelled_and_freed_look_ups_are_silent)
{
	struct found f = { 0 }, g = { .free_resolver = true };
	uint64_t handle;

	open_all();
	ck_status(sp_resolve(resolver, sp_span_str("localhost:1"), 0, on_found, &f, &handle), SP_OK);
	sp_resolve_cancel(resolver, handle);
	sp_resolve_cancel(resolver, 0);
	sp_resolve_cancel(resolver, 999);
	unit_loop_run_ms(&u, 50);
	ck_assert_int_eq(f.calls, 0);
	ck_status(sp_resolve(resolver, sp_span_str("127.0.0.1:1"), 0, on_found, &g, &handle), SP_OK);
	ck_status(sp_resolve(resolver, sp_span_str("127.0.0.1:1"), 0, on_found, &f, &handle), SP_OK);
	unit_loop_run(&u);
	ck_assert_int_eq(g.calls, 1);
	ck_assert_int_eq(f.calls, 0);
	close_all();
}
END_TEST

UNIT_MAIN("net/resolve", numeric_addresses_come_at_the_next_turn, names_are_found_or_not,
    bad_texts_and_too_many_are_refused, cancelled_and_freed_look_ups_are_silent)
