# What creditd adds to the build.
sbin_PROGRAMS += creditd/creditd
creditd_creditd_SOURCES = creditd/main.c creditd/creditd.h creditd/settings.c creditd/settings.h creditd/conf.def \
	creditd/db.c creditd/db.h creditd/topup.c creditd/spend.c creditd/tariff.c
creditd_creditd_LDADD = libsealpost.a $(SYS_LIBS)

creditd_schemadir = $(datadir)/sealpost/creditd
dist_creditd_schema_DATA = creditd/schema/roles.sql creditd/schema/001-ledger.sql creditd/schema/002-report.sql \
	creditd/schema/003-balance.sql \
	creditd/schema/fn_admin.sql creditd/schema/fn_daemon.sql creditd/schema/fn_spend.sql creditd/schema/fn_view.sql

noinst_PROGRAMS += tests/tools/credit_client
tests_tools_credit_client_LDADD = libsealpost.a $(SYS_LIBS)

dist_man_MANS += docs/man/creditd.8
SERVICE_CONFS += etc/creditd.conf
noinst_PROGRAMS += tests/tools/creditd_docs
tests_tools_creditd_docs_SOURCES = tests/tools/creditd_docs.c creditd/settings.c
tests_tools_creditd_docs_LDADD = libsealpost.a $(SYS_LIBS)
creditd-fresh: tests/tools/creditd_docs
	tests/tools/creditd_docs $(srcdir)/etc/creditd.conf $(srcdir)/docs/man/creditd.8
docs-fresh: creditd-fresh
.PHONY: creditd-fresh
noinst_PROGRAMS += tests/tools/answer_client
tests_tools_answer_client_LDADD = libsealpost.a $(SYS_LIBS)
