# What common/statements adds to the build: layer 3, what is signed, over base, crypto, wire and packet.
libsealpost_a_SOURCES += \
	common/statements/statement.c common/statements/statement.h \
	common/statements/host.c common/statements/host.h \
	common/statements/offer.c common/statements/offer.h \
	common/statements/accept.c common/statements/accept.h \
	common/statements/ending.c common/statements/ending.h \
	common/statements/open.c common/statements/open.h \
	common/statements/serials.c common/statements/serials.h \
	common/statements/tariff.c common/statements/tariff.h \
	common/statements/token.c common/statements/token.h \
	common/statements/enrol.c common/statements/enrol.h \
	common/statements/lines.c common/statements/lines.h \
	common/statements/receipt.c common/statements/receipt.h \
	common/statements/postmark.c common/statements/postmark.h \
	common/statements/receipt_file.c common/statements/receipt_file.h common/statements/receipt_in.h \
	common/statements/receipt_verify.c
check_PROGRAMS += tests/unit/statements_statement_test tests/unit/statements_offer_test \
	tests/unit/statements_accept_test tests/unit/statements_ending_test tests/unit/statements_open_test \
	tests/unit/statements_lists_test tests/unit/statements_token_test tests/unit/statements_enrol_test \
	tests/unit/statements_receipt_test tests/unit/statements_receipt_file_test
noinst_HEADERS += tests/unit/statements_people.h
libsealpost_a_SOURCES += common/statements/sheet.c common/statements/sheet.h common/statements/frank.c \
	common/statements/frank.h
check_PROGRAMS += tests/unit/statements_frank_test tests/unit/statements_postmark_test
