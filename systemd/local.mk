# What systemd adds to the build: units, users and folders, with the paths that configure was told. With --prefix=/usr they are
# where Debian looks for them; systemd finds those below /usr/local, too.
systemunitdir = $(prefix)/lib/systemd/system
userunitdir = $(prefix)/lib/systemd/user
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d

nodist_systemunit_DATA = systemd/system/sealpost-keyd.service systemd/system/sealpost-creditd.service \
	systemd/system/sealpost-certd.service systemd/system/sealpost-peerd@.service
nodist_userunit_DATA = systemd/user/sealpost-peerd.service
nodist_sysusers_DATA = systemd/sysusers.d/sealpost.conf
nodist_tmpfiles_DATA = systemd/tmpfiles.d/sealpost.conf
SYSTEMD_FILES = $(nodist_systemunit_DATA) $(nodist_userunit_DATA) $(nodist_sysusers_DATA) $(nodist_tmpfiles_DATA)
CLEANFILES += $(SYSTEMD_FILES)
EXTRA_DIST += systemd/service.in systemd/peerd-of-user.service.in systemd/peerd.service.in systemd/sysusers.conf \
	systemd/tmpfiles.conf.in

systemd/system/sealpost-keyd.service: WHAT = key server
systemd/system/sealpost-creditd.service: WHAT = credit processor
systemd/system/sealpost-certd.service: WHAT = receipt certification

SYSTEMD_PATHS = $(AM_V_GEN)$(MKDIR_P) $(@D) && sed -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@sysconfdir[@]|$(sysconfdir)|g' \
	-e "s|@NAME[@]|$$(expr $(@F) : 'sealpost-\(.*\)\.service')|g" -e 's|@DESCRIPTION[@]|$(WHAT)|g'

systemd/system/sealpost-keyd.service systemd/system/sealpost-creditd.service \
systemd/system/sealpost-certd.service: systemd/service.in Makefile
	$(SYSTEMD_PATHS) '$(srcdir)/systemd/service.in' >$@
systemd/system/sealpost-peerd@.service: systemd/peerd-of-user.service.in Makefile
	$(SYSTEMD_PATHS) '$(srcdir)/systemd/peerd-of-user.service.in' >$@
systemd/user/sealpost-peerd.service: systemd/peerd.service.in Makefile
	$(SYSTEMD_PATHS) '$(srcdir)/systemd/peerd.service.in' >$@
systemd/tmpfiles.d/sealpost.conf: systemd/tmpfiles.conf.in Makefile
	$(SYSTEMD_PATHS) '$(srcdir)/systemd/tmpfiles.conf.in' >$@
systemd/sysusers.d/sealpost.conf: systemd/sysusers.conf Makefile
	$(SYSTEMD_PATHS) '$(srcdir)/systemd/sysusers.conf' >$@
