/*
 * unit.h - the frame of a unit test program: UNIT_MAIN("base/buf", tests…) runs the named Check tests as one suite.
 */
#ifndef SP_TESTS_UNIT_H
#define SP_TESTS_UNIT_H

#include <check.h>
#include <stdlib.h>

#include "common/base/status.h"

/* Runs the tests (each made with START_TEST) and ends with 0 only when all passed. */
#define UNIT_MAIN(name, ...)                                                                        \
	int main(void)                                                                              \
	{                                                                                           \
		const TTest *const tests[] = { __VA_ARGS__ };                                       \
		Suite *suite = suite_create(name);                                                  \
		TCase *tcase = tcase_create(name);                                                  \
		SRunner *runner;                                                                    \
		int failed;                                                                         \
                                                                                                    \
		tcase_set_timeout(tcase, 600);                                                      \
		for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)                       \
			tcase_add_test(tcase, tests[i]);                                            \
		suite_add_tcase(suite, tcase);                                                      \
		runner = srunner_create(suite);                                                     \
		srunner_run_all(runner, CK_NORMAL);                                                 \
		failed = srunner_ntests_failed(runner);                                             \
		srunner_free(runner);                                                               \
		return failed == 0 ? 0 : 1;                                                         \
	}

/* A status that must be this one; says both by name when it is not. */
#define ck_status(call, want)                                                                       \
	do {                                                                                        \
		enum sp_status got_ = (call), want_ = (want);                                       \
		ck_assert_msg(got_ == want_, "%s: %s, not %s", #call, sp_status_name(got_),         \
		    sp_status_name(want_));                                                         \
	} while (0)

#endif
