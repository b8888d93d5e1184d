# What peerd/station adds to the build.
libpeerd_a_SOURCES += \
	peerd/station/ask.c peerd/station/enrol.c peerd/station/files.c peerd/station/files.h \
	peerd/station/roster.c peerd/station/station.c peerd/station/station.h peerd/station/station_in.h
check_PROGRAMS += tests/unit/station_station_test
tests_unit_station_station_test_LDADD = $(PEERD_TEST_LIBS)
noinst_HEADERS += tests/unit/station_in_test.h
