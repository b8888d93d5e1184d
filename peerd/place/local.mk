# What peerd/place adds to the build.
libpeerd_a_SOURCES += \
	peerd/place/place.c peerd/place/place.h peerd/place/place_in.h \
	peerd/place/again.c \
	peerd/place/finish.c \
	peerd/place/goal.c
check_PROGRAMS += tests/unit/place_files_test tests/unit/place_goal_test
tests_unit_place_files_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_place_goal_test_LDADD = $(PEERD_TEST_LIBS)
noinst_HEADERS += tests/unit/place_in_test.h
