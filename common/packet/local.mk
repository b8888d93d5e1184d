# What common/packet adds to the build: layer 2, pure functions over base and crypto.
libsealpost_a_SOURCES += \
	common/packet/manifest.h common/packet/path.h common/packet/layout.h common/packet/prints.h \
	common/packet/files_txt.h
