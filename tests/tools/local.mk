# What tests/tools adds to the build: programs that print documentation out of the tables, and what other programs read.
noinst_PROGRAMS += tests/tools/protocol_reference tests/tools/wire_record tests/tools/receipt_record
tests_tools_protocol_reference_LDADD = libsealpost.a $(SYS_LIBS)
tests_tools_wire_record_LDADD = libsealpost.a $(SYS_LIBS)
tests_tools_receipt_record_LDADD = libsealpost.a $(SYS_LIBS)
EXTRA_DIST += tests/readers/letter_reader.py tests/system/test_wire_format.py \
	tests/readers/receipt_reader.py tests/system/test_receipt_format.py
noinst_PROGRAMS += tests/tools/frank_client
tests_tools_frank_client_LDADD = libsealpost.a $(SYS_LIBS)
noinst_PROGRAMS += tests/tools/flood_client
tests_tools_flood_client_LDADD = libsealpost.a $(SYS_LIBS)
noinst_PROGRAMS += tests/tools/letter_again
tests_tools_letter_again_LDADD = libsealpost.a $(SYS_LIBS)
