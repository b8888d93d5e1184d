# What common/packet adds to the build: layer 2, pure functions over base and crypto.
libsealpost_a_SOURCES += \
	common/packet/lines.c common/packet/lines.h \
	common/packet/path.c common/packet/path.h \
	common/packet/manifest.c common/packet/manifest_text.c common/packet/manifest.h common/packet/manifest_store.h \
	common/packet/tar.c common/packet/tar.h \
	common/packet/layout.c common/packet/layout.h \
	common/packet/print.c common/packet/prints.c common/packet/prints.h \
	common/packet/files_txt.c common/packet/files_compare.c common/packet/files_bytes.c common/packet/files_txt.h
noinst_HEADERS += tests/unit/packet_help.h
check_PROGRAMS += tests/unit/packet_path_test tests/unit/packet_manifest_test tests/unit/packet_hostile_test \
	tests/unit/packet_tar_test tests/unit/packet_layout_test \
	tests/unit/packet_print_test tests/unit/packet_prints_test tests/unit/packet_files_test
# the test tool that other programs' readings are compared with: run by tests/system
noinst_PROGRAMS += tests/packet/layout_tool
tests_packet_layout_tool_LDADD = $(TEST_LIBS) $(SYS_LIBS)
EXTRA_DIST += tests/readers/packet_reader.py tests/system/test_packet_format.py
