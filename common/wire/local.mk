# What common/wire adds to the build.
libsealpost_a_SOURCES += common/wire/frame.h common/wire/letter.h common/wire/channel.h
