# What peerd/source adds to the build.
libpeerd_a_SOURCES += \
	peerd/source/source.c peerd/source/source.h peerd/source/source_in.h \
	peerd/source/walk.c peerd/source/keep.c \
	peerd/source/names.c peerd/source/names.h
check_PROGRAMS += tests/unit/source_walk_test tests/unit/source_keep_test
tests_unit_source_keep_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_source_walk_test_LDADD = $(PEERD_TEST_LIBS)
noinst_HEADERS += tests/unit/tree_in_test.h
