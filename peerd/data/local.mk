# What peerd/data adds to the build.
libpeerd_a_SOURCES += \
	peerd/data/data.h peerd/data/data_in.h \
	peerd/data/pool.c \
	peerd/data/thread.c \
	peerd/data/half.c peerd/data/half.h \
	peerd/data/sender.c \
	peerd/data/receiver.c \
	peerd/data/reader.c peerd/data/reader.h \
	peerd/data/writer.c peerd/data/writer.h peerd/data/writer_in.h peerd/data/writer_back.c \
	peerd/data/journal.c peerd/data/journal.h peerd/data/kept.c peerd/data/kept.h \
	peerd/data/syncer.c peerd/data/syncer.h \
	peerd/data/link.c peerd/data/link.h \
	peerd/data/linger.c \
	peerd/data/press.c peerd/data/press.h peerd/data/press_choice.c peerd/data/press_choice.h \
	peerd/data/pace.c peerd/data/pace.h \
	peerd/data/restore.c peerd/data/restore.h \
	peerd/data/room.c peerd/data/room.h \
	peerd/data/port.c peerd/data/port.h \
	peerd/data/result.c peerd/data/result.h \
	peerd/data/walker.c peerd/data/walker.h
check_PROGRAMS += tests/unit/data_pool_test tests/unit/data_answer_test tests/unit/data_hostile_test tests/unit/data_trees_test \
	tests/unit/data_journal_test tests/unit/data_bounds_test tests/unit/data_pace_test tests/unit/data_press_test tests/unit/data_press_choice_test \
	tests/unit/data_resume_test tests/unit/data_again_test
tests_unit_data_again_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_data_journal_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_data_bounds_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_data_pace_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_data_press_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_data_press_choice_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_data_resume_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_data_pool_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_data_answer_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_data_trees_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_data_hostile_test_LDADD = $(PEERD_TEST_LIBS)
noinst_HEADERS += tests/unit/data_in_test.h tests/unit/liar_in_test.h
