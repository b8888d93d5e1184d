# What etc adds to the build: settings of the services (each service's local.mk names its own), put where they read them as long
# as the operator has none; uninstalling leaves what was changed. Those of peerd belong into each station's home: its sample is
# an example.
confdir = $(sysconfdir)/sealpost
examplesdir = $(docdir)/examples
dist_examples_DATA = etc/peerd.conf
EXTRA_DIST += $(SERVICE_CONFS)

install-data-hook:
	$(MKDIR_P) '$(DESTDIR)$(confdir)'
	for f in $(SERVICE_CONFS); do \
		to='$(DESTDIR)$(confdir)'/$${f#etc/}; \
		test -e "$$to" || $(INSTALL_DATA) '$(srcdir)'/$$f "$$to" || exit 1; \
	done
uninstall-hook:
	for f in $(SERVICE_CONFS); do \
		to='$(DESTDIR)$(confdir)'/$${f#etc/}; \
		if cmp -s '$(srcdir)'/$$f "$$to"; then rm -f "$$to"; fi; \
	done
