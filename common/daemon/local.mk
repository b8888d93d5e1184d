# What common/daemon adds to the build: layer 6, the skeleton of services over member, net and pg.
libsealpost_a_SOURCES += common/daemon/daemon.c common/daemon/daemon.h common/daemon/caller.c common/daemon/caller.h
check_PROGRAMS += tests/unit/daemon_caller_test
tests_unit_daemon_caller_test_LDADD = $(PEERD_TEST_LIBS)
