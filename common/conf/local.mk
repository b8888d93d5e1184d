# What common/conf adds to the build: settings by schema (libconfig is included here only) and command lines.
libsealpost_a_SOURCES += \
	common/conf/conf.c common/conf/conf.h common/conf/value.c common/conf/value.h common/conf/print.c \
	common/conf/scan.c common/conf/scan.h \
	common/conf/options.c common/conf/options.h
check_PROGRAMS += tests/unit/conf_conf_test tests/unit/conf_options_test
noinst_HEADERS += tests/unit/conf_sample.def
