# What certd adds to the build.
sbin_PROGRAMS += certd/certd
certd_certd_SOURCES = certd/main.c certd/certd.h certd/settings.c certd/settings.h certd/conf.def \
	certd/evidence.c certd/evidence.h certd/stamp.c certd/stamp.h certd/sign.c certd/postmark.c \
	certd/notice.c certd/lodge.c certd/db.c certd/db.h
certd_certd_LDADD = libsealpost.a $(SYS_LIBS)

certd_schemadir = $(datadir)/sealpost/certd
dist_certd_schema_DATA = certd/schema/roles.sql certd/schema/001-postmark.sql certd/schema/fn_daemon.sql \
	certd/schema/fn_view.sql

dist_man_MANS += docs/man/certd.8
SERVICE_CONFS += etc/certd.conf
noinst_PROGRAMS += tests/tools/certd_docs
tests_tools_certd_docs_SOURCES = tests/tools/certd_docs.c certd/settings.c
tests_tools_certd_docs_LDADD = libsealpost.a $(SYS_LIBS)
certd-fresh: tests/tools/certd_docs
	tests/tools/certd_docs $(srcdir)/etc/certd.conf $(srcdir)/docs/man/certd.8
docs-fresh: certd-fresh
.PHONY: certd-fresh
noinst_PROGRAMS += tests/tools/postmark_client
tests_tools_postmark_client_LDADD = libsealpost.a $(SYS_LIBS)
check_PROGRAMS += tests/unit/certd_settings_test tests/unit/certd_stamp_test
tests_unit_certd_settings_test_SOURCES = tests/unit/certd_settings_test.c certd/settings.c
tests_unit_certd_stamp_test_SOURCES = tests/unit/certd_stamp_test.c certd/stamp.c
