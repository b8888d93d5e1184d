/*
 * base_id_test.c - ids: the form of UUIDv7, rising, unique across threads; text both ways.
 */
#include <pthread.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "tests/unit/unit.h"

START_TEST(ids_are_uuid_version_7_of_now)
{
	uint64_t before = sp_clock_wall_ms();
	struct sp_id id = sp_id_new();

	ck_assert_uint_eq(id.b[6] >> 4, 7);
	ck_assert_uint_eq(id.b[8] >> 6, 2);
	ck_assert_uint_ge(sp_id_ms(&id), before);
	ck_assert_uint_le(sp_id_ms(&id), sp_clock_wall_ms());
	ck_assert(!sp_id_is_zero(&id));
	ck_assert(sp_id_is_zero(&(struct sp_id){ 0 }));
}
END_TEST

/* More than fit one millisecond's counter, so that its overflow is seen too. */
START_TEST(ids_rise_strictly)
{
	struct sp_id last = sp_id_new();

	for (int i = 0; i < 20000; i++) {
		struct sp_id next = sp_id_new();

		ck_assert_int_gt(memcmp(&next, &last, sizeof(next)), 0);
		ck_assert(!sp_id_eq(&next, &last));
		last = next;
	}
}
END_TEST

#ifdef SP_FAULTS
/* A wall clock that jumps back must not make ids fall. */
START_TEST(ids_rise_when_the_clock_falls)
{
	struct sp_id a, b;

	setenv("SEALPOST_CLOCK", "0", 1);
	a = sp_id_new();
	setenv("SEALPOST_CLOCK", "-3600000", 1);
	b = sp_id_new();
	ck_assert_int_gt(memcmp(&b, &a, sizeof(b)), 0);
	setenv("SEALPOST_CLOCK", "3600000", 1);
	a = sp_id_new();
	ck_assert_uint_ge(sp_id_ms(&a), sp_id_ms(&b) + 3500000);
	setenv("SEALPOST_CLOCK", "315360000000", 1);	/* ten years */
	b = sp_id_new();
	setenv("SEALPOST_CLOCK", "0", 1);
	a = sp_id_new();
	ck_assert_uint_lt(sp_id_ms(&a) + 1000, sp_id_ms(&b));
}
END_TEST
#endif

#define EACH 2000

static void *
make(void *ids)
{
	for (int i = 0; i < EACH; i++)
		((struct sp_id *)ids)[i] = sp_id_new();
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct sp_id));
}

START_TEST(ids_of_threads_differ)
{
	static struct sp_id ids[4 * EACH];
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, make, ids + i * EACH), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	qsort(ids, 4 * EACH, sizeof(ids[0]), compare);
	for (int i = 1; i < 4 * EACH; i++)
		ck_assert_int_ne(memcmp(&ids[i - 1], &ids[i], sizeof(ids[0])), 0);
}
END_TEST

START_TEST(text_both_ways)
{
	static const char text[] = "01932f1e-8a3b-7c4d-9e5f-0123456789ab";
	static const char *const bad[] = { "", "01932f1e", "01932f1e-8a3b-7c4d-9e5f-0123456789a",
		"01932f1e-8a3b-7c4d-9e5f-0123456789abc", "01932F1E-8a3b-7c4d-9e5f-0123456789ab",
		"01932f1e08a3b-7c4d-9e5f-0123456789ab", "01932f1e-8a3b-7c4d-9e5f-0123456789-b",
		"01932f1e-8a3b-7c4d-9e5f-0123456789xb", "{1932f1e-8a3b-7c4d-9e5f-0123456789a}" };
	struct sp_id id;
	char out[SP_ID_TEXT];

	ck_status(sp_id_parse(text, &id), SP_OK);
	ck_assert_uint_eq(id.b[0], 1);
	ck_assert_uint_eq(id.b[15], 0xab);
	ck_assert_uint_eq(sp_id_ms(&id), 0x01932f1e8a3b);
	ck_assert_str_eq(sp_id_text(&id, out), text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_status(sp_id_parse(bad[i], &id), SP_E_FORMAT);
	ck_assert_str_eq(sp_id_text(&id, out), text);
}
END_TEST

UNIT_MAIN("base/id", ids_are_uuid_version_7_of_now, ids_rise_strictly,
#ifdef SP_FAULTS
    ids_rise_when_the_clock_falls,
#endif
    ids_of_threads_differ, text_both_ways)
