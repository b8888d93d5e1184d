# What tests/link adds to the build: the network of the tests, and the unit tests of its calculations.
noinst_LIBRARIES += tests/link/libwire.a
tests_link_libwire_a_SOURCES = tests/link/wire.h tests/link/wire.c tests/link/split.h tests/link/split.c \
	tests/link/orders.h tests/link/orders.c
noinst_PROGRAMS += tests/link/link
tests_link_link_LDADD = tests/link/libwire.a libsealpost.a $(SYS_LIBS)
check_PROGRAMS += tests/unit/link_wire_test tests/unit/link_split_test tests/unit/link_orders_test
tests_unit_link_wire_test_LDADD = tests/link/libwire.a $(LDADD)
tests_unit_link_split_test_LDADD = tests/link/libwire.a $(LDADD)
tests_unit_link_orders_test_LDADD = tests/link/libwire.a $(LDADD)
