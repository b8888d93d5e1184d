# What peerd/events adds: the state machines of sending and receiving.
libpeerd_a_SOURCES += \
	peerd/events/machine.c peerd/events/machine.h peerd/events/table.inc peerd/events/send.def peerd/events/receive.def \
	peerd/events/live.c peerd/events/live.h peerd/events/events.c peerd/events/events.h peerd/events/order.c \
	peerd/events/outgoing.c peerd/events/send.c peerd/events/send.h peerd/events/send_offer.c peerd/events/send_frank.c \
	peerd/events/fetch.c peerd/events/postmarking.c peerd/events/receipts.c peerd/events/receipts.h \
	peerd/events/receive_frank.c peerd/events/hand_in.c peerd/events/hand_in.h peerd/events/hand_in.def \
	peerd/events/receive.c peerd/events/receive.h peerd/events/receive_offer.c peerd/events/placing.c \
	peerd/events/credit.def peerd/events/credit.h peerd/events/credit.c peerd/events/credit_answer.c \
	peerd/events/presence.c peerd/events/presence.h peerd/events/fields.c peerd/events/fields.h peerd/events/decide.c \
	peerd/events/again.c peerd/events/late.c peerd/events/receive_letters.c peerd/events/cancel.c peerd/events/cancel.h \
	peerd/events/paths.c peerd/events/paths.h
check_PROGRAMS += tests/unit/events_machine_test
tests_unit_events_machine_test_LDADD = $(PEERD_TEST_LIBS)
