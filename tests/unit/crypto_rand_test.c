/*
 * crypto_rand_test.c - randomness: bounds kept, every value reached, a forked child draws other numbers.
 */
#include "common/crypto/rand.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

START_TEST(bytes_differ_and_none_is_left_out)
{
	uint8_t a[64], b[64], seen[64] = { 0 };

	sp_random(a, sizeof(a));
	sp_random(b, sizeof(b));
	ck_assert_mem_ne(a, b, sizeof(a));
	for (int round = 0; round < 20; round++) {
		memset(b, 0, sizeof(b));
		sp_random(b, 63);
		for (int i = 0; i < 64; i++)
			seen[i] |= b[i];
	}
	for (int i = 0; i < 63; i++)
		ck_assert_uint_ne(seen[i], 0);
	ck_assert_uint_eq(seen[63], 0);
}
END_TEST

START_TEST(numbers_below_a_bound)
{
	int count[6] = { 0 };

	for (int i = 0; i < 6000; i++) {
		uint64_t v = sp_random_below(6);

		ck_assert_uint_lt(v, 6);
		count[v]++;
	}
	for (int i = 0; i < 6; i++)
		ck_assert_int_gt(count[i], 700);
	ck_assert_uint_eq(sp_random_below(1), 0);
	for (int i = 0; i < 100; i++)
		ck_assert_uint_lt(sp_random_below((1ull << 63) + 1), (1ull << 63) + 1);
}
END_TEST

START_TEST(a_forked_child_draws_other_numbers)
{
	uint8_t mine[16], theirs[16];
	int fds[2];
	pid_t pid;

	sp_random(mine, sizeof(mine));
	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		sp_random(theirs, sizeof(theirs));
		_exit(write(fds[1], theirs, sizeof(theirs)) == (ssize_t)sizeof(theirs) ? 0 : 1);
	}
	sp_random(mine, sizeof(mine));
	ck_assert_int_eq(read(fds[0], theirs, sizeof(theirs)), sizeof(theirs));
	waitpid(pid, NULL, 0);
	close(fds[0]);
	close(fds[1]);
	ck_assert_mem_ne(mine, theirs, sizeof(mine));
}
END_TEST

UNIT_MAIN("crypto/rand", bytes_differ_and_none_is_left_out, numbers_below_a_bound, a_forked_child_draws_other_numbers)
