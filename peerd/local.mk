# What peerd adds to the build: its rooms as one library, so that their unit tests can link them.
noinst_LIBRARIES += libpeerd.a
libpeerd_a_SOURCES =
PEERD_TEST_LIBS = libpeerd.a $(TEST_LIBS) $(TEST_SYS)

include peerd/store/local.mk
include peerd/letters/local.mk
include peerd/wallet/local.mk
include peerd/events/local.mk
include peerd/control/local.mk
include peerd/source/local.mk
include peerd/place/local.mk
include peerd/data/local.mk

sbin_PROGRAMS += peerd/peerd
peerd_peerd_SOURCES = peerd/main.c peerd/peer.h peerd/settings.c peerd/settings.h peerd/conf.def
peerd_peerd_LDADD = libpeerd.a libsealpost.a $(SYS_LIBS)

dist_man_MANS += docs/man/peerd.8
noinst_PROGRAMS += tests/tools/peerd_docs
tests_tools_peerd_docs_SOURCES = tests/tools/peerd_docs.c peerd/settings.c
tests_tools_peerd_docs_LDADD = libsealpost.a $(SYS_LIBS)
peerd-fresh: tests/tools/peerd_docs
	tests/tools/peerd_docs $(srcdir)/etc/peerd.conf $(srcdir)/docs/man/peerd.8
docs-fresh: peerd-fresh
.PHONY: peerd-fresh
