# What tests adds to the build. Each folder's local.mk names its own unit tests in check_PROGRAMS (the source of
# tests/unit/base_buf_test is tests/unit/base_buf_test.c); all of them link the same things.
AM_DEFAULT_SOURCE_EXT = .c
LDADD = $(TEST_LIBS) $(TEST_SYS)
TESTS += $(check_PROGRAMS)
noinst_HEADERS += tests/unit/unit.h
include tests/tools/local.mk
include tests/fuzz/local.mk
include tests/link/local.mk

# The lint of the tree is a test like the others.
TESTS += tests/lint/lint
EXTRA_DIST += tests/lint/lint tests/lint/LAYERS tests/lint/EXCEPTIONS
AM_TESTS_ENVIRONMENT = LINT_SOURCE='$(top_srcdir)'; LINT_BUILD='$(top_builddir)'; export LINT_SOURCE LINT_BUILD; \
	FUZZ_CORPUS='$(top_srcdir)/tests/fuzz/corpus'; export FUZZ_CORPUS; \
	LINT_CC='$(CC) $(AM_CFLAGS)'; export LINT_CC;
EXTRA_DIST += demo check .ci/run tests/newcomer tests/provider tests/pytest.ini tests/office tests/system tests/readers tests/fuzz/corpus tests/fuzz/targets
EXTRA_DIST += tests/crash

# What has threads, under ThreadSanitizer: in a build with --enable-tsan, make threads.
THREAD_TESTS = tests/unit/base_queue_test tests/unit/net_loop_test tests/unit/net_resolve_test tests/unit/certd_stamp_test \
	tests/unit/store_store_test tests/unit/store_event_test tests/unit/store_wallet_test \
	tests/unit/data_pool_test tests/unit/data_answer_test tests/unit/data_hostile_test tests/unit/data_resume_test \
	tests/unit/data_again_test
THREADED = peerd/peerd peerd/cli/sealpost keyd/keyd creditd/creditd certd/certd
threads-programs: $(THREADED)
threads:
	$(MAKE) check-TESTS TESTS='$(THREAD_TESTS)'

# The unit tests under valgrind: in a build without sanitizers, make valgrind (TESTS='…' for some). Left out: what needs
# openat2, which valgrind does not know, what is measured by the clock, and what flips each bit of something signed.
VALGRIND = valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
	--suppressions=$(abs_top_srcdir)/tests/valgrind.supp
VALGRIND_NOT = tests/lint/lint $(FUZZERS) tests/unit/base_beneath_test tests/unit/data_% tests/unit/place_% tests/unit/source_% \
	tests/unit/cli_tree_test tests/unit/member_member_test tests/unit/net_client_test tests/unit/letters_post_test \
	tests/unit/letters_flood_test tests/unit/daemon_caller_test tests/unit/statements_postmark_test tests/unit/statements_receipt_file_test
valgrind: $(check_PROGRAMS)
	CK_TIMEOUT_MULTIPLIER=10 SEALPOST_FLOOD=50000 $(MAKE) check-TESTS LOG_COMPILER='$(VALGRIND)' \
	    TESTS='$(filter-out $(VALGRIND_NOT),$(TESTS))'
# A few that read what comes from outside, for ./check.
VALGRIND_FEW = tests/unit/wire_codec_test tests/unit/wire_frame_test tests/unit/packet_tar_test tests/unit/packet_prints_test \
	tests/unit/statements_offer_test tests/unit/statements_accept_test tests/unit/store_event_test tests/unit/conf_conf_test
valgrind-few:
	CK_TIMEOUT_MULTIPLIER=10 $(MAKE) check-TESTS LOG_COMPILER='$(VALGRIND)' TESTS='$(VALGRIND_FEW)'
# The fuzz targets for hours, in folders of their own.
soak-fuzz:
	$(top_srcdir)/tests/fuzz/soak $(abs_top_builddir)/soak-fuzz
# The flood of the unit tests, fifty times as long: make soak-flood, or with FLOOD=NUMBER of letters.
FLOOD = 50000000
soak-flood: tests/unit/letters_flood_test
	CK_TIMEOUT_MULTIPLIER=100 SEALPOST_FLOOD=$(FLOOD) tests/unit/letters_flood_test
.PHONY: soak-flood soak-fuzz threads threads-programs valgrind valgrind-few
EXTRA_DIST += tests/valgrind.supp tests/fuzz/soak

# Random kills of everything: make soak SOAK="--kills 1000 --seed 7". Not as root.
soak:
	$(PYTHON3) -B $(top_srcdir)/tests/crash/soak --build $(abs_top_builddir) $(SOAK)
PYTHON3 = /usr/bin/python3
.PHONY: soak
