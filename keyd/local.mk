# What keyd adds to the build.
sbin_PROGRAMS += keyd/keyd
keyd_keyd_SOURCES = keyd/main.c keyd/run.c keyd/keyd.h keyd/settings.c keyd/settings.h keyd/conf.def \
	keyd/office.c keyd/office.h keyd/challenge.c keyd/challenge.h keyd/enrol.c keyd/guesses.c keyd/guesses.h \
	keyd/directory.c keyd/db.c keyd/db.h
keyd_keyd_LDADD = libsealpost.a $(SYS_LIBS)

keyd_schemadir = $(datadir)/sealpost/keyd
dist_keyd_schema_DATA = keyd/schema/roles.sql keyd/schema/001-register.sql \
	keyd/schema/002-tariff.sql keyd/schema/fn_tariff.sql \
	keyd/schema/fn_admin.sql keyd/schema/fn_daemon.sql keyd/schema/fn_view.sql

check_PROGRAMS += tests/unit/keyd_challenge_test tests/unit/keyd_settings_test tests/unit/keyd_office_test
tests_unit_keyd_office_test_SOURCES = tests/unit/keyd_office_test.c keyd/office.c
tests_unit_keyd_challenge_test_SOURCES = tests/unit/keyd_challenge_test.c keyd/challenge.c
tests_unit_keyd_settings_test_SOURCES = tests/unit/keyd_settings_test.c keyd/settings.c

dist_man_MANS += docs/man/keyd.8
SERVICE_CONFS += etc/keyd.conf
noinst_HEADERS += tests/tools/conf_docs.h
noinst_PROGRAMS += tests/tools/keyd_docs
tests_tools_keyd_docs_SOURCES = tests/tools/keyd_docs.c keyd/settings.c
tests_tools_keyd_docs_LDADD = libsealpost.a $(SYS_LIBS)
keyd-fresh: tests/tools/keyd_docs
	tests/tools/keyd_docs $(srcdir)/etc/keyd.conf $(srcdir)/docs/man/keyd.8
docs-fresh: keyd-fresh
.PHONY: keyd-fresh
noinst_PROGRAMS += tests/tools/enrol_client
tests_tools_enrol_client_LDADD = libsealpost.a $(SYS_LIBS)
dist_doc_DATA += docs/operations.md
