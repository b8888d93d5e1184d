/*
 * net_unit.h - what the tests of common/net share: a loop that ends by itself, and times.
 */
#ifndef SP_TESTS_NET_UNIT_H
#define SP_TESTS_NET_UNIT_H

#include "common/base/clock.h"
#include "common/net/addr.h"
#include "common/net/loop.h"
#include "tests/unit/unit.h"

/* Longer than anything takes on a busy machine. */
#define UNIT_PATIENCE_MS 20000

struct unit_loop {
	struct sp_loop *loop;
	struct sp_timer *patience;
	bool timed_out;
};

static inline void
unit_on_patience(void *arg)
{
	struct unit_loop *u = arg;

	u->timed_out = true;
	sp_loop_stop(u->loop);
}

static inline void
unit_loop_open(struct unit_loop *u)
{
	struct sp_why why = { 0 };

	*u = (struct unit_loop){ 0 };
	ck_status(sp_loop_new(&u->loop, &why), SP_OK);
	u->patience = sp_timer_new(u->loop, unit_on_patience, u);
	ck_assert_ptr_nonnull(u->patience);
}

static inline void
unit_loop_close(struct unit_loop *u)
{
	sp_timer_free(u->patience);
	sp_loop_free(u->loop);
}

/* Runs the loop until something stops it; it is an error when nothing does. */
static inline void
unit_loop_run(struct unit_loop *u)
{
	sp_timer_set(u->patience, UNIT_PATIENCE_MS);
	ck_status(sp_loop_run(u->loop), SP_OK);
	sp_timer_stop(u->patience);
	ck_assert_msg(!u->timed_out, "nothing happened");
}

/* Runs the loop for a time. */
static inline void
unit_loop_run_ms(struct unit_loop *u, uint64_t ms)
{
	sp_timer_set(u->patience, ms);
	ck_status(sp_loop_run(u->loop), SP_OK);
	sp_timer_stop(u->patience);
	u->timed_out = false;
}

static inline struct sp_addr
unit_addr(const char *text)
{
	struct sp_addr a = { 0 };

	ck_status(sp_addr_parse(sp_span_str(text), 0, &a), SP_OK);
	return a;
}

#endif
