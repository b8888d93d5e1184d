/*
 * loop_in_test.h - the one loop of a test, which fails when nothing stops it within LOOP_SECONDS.
 */
#ifndef SP_TESTS_LOOP_IN_TEST_H
#define SP_TESTS_LOOP_IN_TEST_H

#include "common/net/loop.h"
#include "tests/unit/unit.h"

#ifndef LOOP_SECONDS
#define LOOP_SECONDS 20
#endif

static struct sp_loop *loop;

static inline void
give_up(void *arg)
{
	(void)arg;
	ck_abort_msg("nothing came within %d seconds", LOOP_SECONDS);
}

static inline void
run_loop(void)
{
	SP_AUTO(sp_timer) *t = sp_timer_new(loop, give_up, NULL);

	sp_timer_set(t, LOOP_SECONDS * 1000);
	ck_status(sp_loop_run(loop), SP_OK);
}

#endif
