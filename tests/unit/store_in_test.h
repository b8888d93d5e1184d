/*
 * store_in_test.h - for tests of what uses the store: a fresh folder, a loop, a store, and waiting for answers.
 */
#ifndef SP_TESTS_STORE_IN_TEST_H
#define SP_TESTS_STORE_IN_TEST_H

#include <stdio.h>
#include <unistd.h>

#include "common/base/file.h"
#include "peerd/store/book.h"
#include "peerd/store/event.h"
#include "tests/unit/loop_in_test.h"
#include "tests/unit/unit.h"

/* One of each, for a test that runs in a process of its own. */
static struct store *store;
static char folder[64], path[80];
static struct sp_why why;

/* The last answer, and how many came. */
static enum sp_status answer_status;
static int answers;

static inline void
open_store(void)
{
	ck_status(sp_loop_new(&loop, &why), SP_OK);
	ck_status(store_new(loop, path, &store, &why), SP_OK);
}

static inline void
close_store(void)
{
	store_free(store);
	sp_loop_free(loop);
	store = NULL;
	loop = NULL;
}

static inline void
fresh_store(void)
{
	strcpy(folder, "/tmp/sealpost-store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/db", folder);
	open_store();
}

static inline void
remove_store(void)
{
	if (store != NULL)
		close_store();
	ck_status(sp_rmtree(folder, NULL), SP_OK);
}

static inline void
answered(void *arg, enum sp_status st, const struct sp_why *reason)
{
	(void)arg;
	(void)reason;
	answer_status = st;
	answers++;
	sp_loop_stop(loop);
}

/* An event of a kind made at a time; peer and id differ by number. */
static inline struct event_row *
make_event(uint8_t number, enum event_kind kind, uint64_t created_ms)
{
	struct event_row *row = event_row_new();

	ck_assert_ptr_nonnull(row);
	memset(&row->id, number, sizeof(row->id));
	row->kind = kind;
	row->created_ms = created_ms;
	row->peer = strdup("bob/desktop@post.example");
	return row;
}

static inline void
save(const struct event_row *row, const char *what)
{
	ck_status(store_event_save(store, row, what, answered, NULL), SP_OK);
	run_loop();
	ck_status(answer_status, SP_OK);
}

#endif
