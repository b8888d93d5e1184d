# What peerd/cli adds: the sealpost command. It uses common/ only. All but main.c is a library, for the unit tests.
noinst_LIBRARIES += libcli.a
libcli_a_SOURCES = \
	peerd/cli/cli.c peerd/cli/cli.h peerd/cli/options.c \
	peerd/cli/api.c peerd/cli/api.h \
	peerd/cli/print.c peerd/cli/print.h peerd/cli/table.c peerd/cli/table.h \
	peerd/cli/progress.c peerd/cli/progress.h \
	peerd/cli/follow.c peerd/cli/follow.h peerd/cli/send.c \
	peerd/cli/credits.c peerd/cli/log.c peerd/cli/show.c peerd/cli/book.c peerd/cli/station.c \
	peerd/cli/proof.c peerd/cli/proof.h peerd/cli/receipt.c \
	peerd/cli/verify.c peerd/cli/tree.c peerd/cli/tree.h peerd/cli/inodes.c peerd/cli/inodes.h
bin_PROGRAMS += peerd/cli/sealpost
peerd_cli_sealpost_SOURCES = peerd/cli/main.c
peerd_cli_sealpost_LDADD = libcli.a libsealpost.a $(SYS_LIBS)

check_PROGRAMS += tests/unit/cli_print_test tests/unit/cli_table_test tests/unit/cli_progress_test \
	tests/unit/cli_options_test tests/unit/cli_tree_test
CLI_TEST_LIBS = libcli.a $(TEST_LIBS) $(TEST_SYS)
tests_unit_cli_print_test_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_table_test_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_progress_test_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_options_test_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_tree_test_LDADD = $(CLI_TEST_LIBS)

dist_man_MANS += docs/man/sealpost.1
bashcompletiondir = $(datadir)/bash-completion/completions
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(bashcompletiondir)'
	$(INSTALL_DATA) '$(srcdir)/peerd/cli/sealpost.bash' '$(DESTDIR)$(bashcompletiondir)/sealpost'
uninstall-local:
	rm -f '$(DESTDIR)$(bashcompletiondir)/sealpost'
EXTRA_DIST += peerd/cli/sealpost.bash
