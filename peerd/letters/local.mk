# What peerd/letters adds to the build.
libpeerd_a_SOURCES += \
	peerd/letters/book.c peerd/letters/book.h peerd/letters/book_change.c peerd/letters/book_in.h \
	peerd/letters/known.c peerd/letters/known.h \
	peerd/letters/memory.c peerd/letters/memory.h \
	peerd/letters/out.c peerd/letters/post.c peerd/letters/post.h peerd/letters/post_in.h \
	peerd/letters/receive.c peerd/letters/stranger.c peerd/letters/door.c peerd/letters/counts.c
check_PROGRAMS += tests/unit/letters_memory_test tests/unit/letters_book_test tests/unit/letters_post_test \
	tests/unit/letters_hostile_test tests/unit/letters_flood_test
tests_unit_letters_memory_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_letters_book_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_letters_post_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_letters_hostile_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_letters_flood_test_LDADD = $(PEERD_TEST_LIBS)
noinst_HEADERS += tests/unit/authority_in_test.h tests/unit/letters_in_test.h tests/unit/letters_raw_test.h
