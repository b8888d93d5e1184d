# What peerd/store adds to the build: the only user of SQLite.
libpeerd_a_SOURCES += \
	peerd/store/book.c peerd/store/book.h \
	peerd/store/columns.c peerd/store/columns.h peerd/store/tables.h \
	peerd/store/event.c peerd/store/event.h \
	peerd/store/schema.c peerd/store/schema.h \
	peerd/store/sql.c peerd/store/sql.def peerd/store/sql.h \
	peerd/store/store.c peerd/store/store.h peerd/store/store_in.h
check_PROGRAMS += tests/unit/store_store_test tests/unit/store_event_test tests/unit/store_book_test
tests_unit_store_store_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_store_event_test_LDADD = $(PEERD_TEST_LIBS)
tests_unit_store_book_test_LDADD = $(PEERD_TEST_LIBS)
noinst_HEADERS += tests/unit/store_in_test.h
libpeerd_a_SOURCES += peerd/store/wallet.c peerd/store/wallet.h peerd/store/wallet_in.h peerd/store/serials.c
check_PROGRAMS += tests/unit/store_wallet_test
tests_unit_store_wallet_test_LDADD = $(PEERD_TEST_LIBS)
