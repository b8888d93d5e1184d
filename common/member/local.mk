# What common/member adds to the build: layer 5, who a program is in its domain.
libsealpost_a_SOURCES += \
	common/member/ask.c common/member/enrol.c common/member/files.c common/member/files.h \
	common/member/roster.c common/member/services.c common/member/member.c common/member/member.h common/member/member_in.h
check_PROGRAMS += tests/unit/member_member_test
noinst_HEADERS += tests/unit/member_in_test.h
