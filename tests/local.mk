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
