# What tests adds to the build. Each folder's local.mk names its own unit tests in check_PROGRAMS (the source of
# tests/unit/base_buf_test is tests/unit/base_buf_test.c); all of them link the same things.
AM_DEFAULT_SOURCE_EXT = .c
LDADD = $(TEST_LIBS) $(TEST_SYS)
TESTS += $(check_PROGRAMS)
noinst_HEADERS += tests/unit/unit.h
include tests/tools/local.mk
