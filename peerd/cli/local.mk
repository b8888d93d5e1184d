# What peerd/cli adds: the sealpost command. It uses common/ only.
bin_PROGRAMS += peerd/cli/sealpost
peerd_cli_sealpost_SOURCES = peerd/cli/main.c peerd/cli/cli.h peerd/cli/api.c peerd/cli/api.h \
	peerd/cli/print.c peerd/cli/print.h peerd/cli/follow.c peerd/cli/follow.h peerd/cli/send.c peerd/cli/log.c \
	peerd/cli/book.c peerd/cli/station.c peerd/cli/proof.c peerd/cli/proof.h peerd/cli/receipt.c peerd/cli/verify.c
peerd_cli_sealpost_LDADD = libsealpost.a $(SYS_LIBS)

dist_man_MANS += docs/man/sealpost.1
bashcompletiondir = $(datadir)/bash-completion/completions
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(bashcompletiondir)'
	$(INSTALL_DATA) '$(srcdir)/peerd/cli/sealpost.bash' '$(DESTDIR)$(bashcompletiondir)/sealpost'
uninstall-local:
	rm -f '$(DESTDIR)$(bashcompletiondir)/sealpost'
EXTRA_DIST += peerd/cli/sealpost.bash
