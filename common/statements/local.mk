# What common/statements adds to the build: layer 3, what is signed, over base, crypto, wire and packet.
libsealpost_a_SOURCES += \
	common/statements/statement.h common/statements/offer.h common/statements/accept.h \
	common/statements/ending.h common/statements/open.h common/statements/serials.h common/statements/tariff.h \
	common/statements/token.h common/statements/enrol.h common/statements/receipt.h \
	common/statements/receipt_file.h
