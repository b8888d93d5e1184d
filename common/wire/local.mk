# What common/wire adds to the build: layer 2, bytes <-> structs, all from messages.def; letters, frames, records.
libsealpost_a_SOURCES += \
	common/wire/messages.def common/wire/msg.h \
	common/wire/table.c common/wire/codec.c common/wire/describe.c common/wire/reference.c \
	common/wire/frame.c common/wire/frame.h common/wire/letter.c common/wire/letter.h common/wire/cookie.c common/wire/cookie.h \
	common/wire/channel.c common/wire/channel.h
check_PROGRAMS += tests/unit/wire_table_test tests/unit/wire_codec_test tests/unit/wire_refuse_test \
	tests/unit/wire_frame_test tests/unit/wire_letter_test tests/unit/wire_cookie_test tests/unit/wire_channel_test
noinst_HEADERS += tests/unit/wire_sample.h
