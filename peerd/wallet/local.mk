# What peerd/wallet adds: the wallet's reports to creditd.
libpeerd_a_SOURCES += peerd/wallet/report.c peerd/wallet/report.h
