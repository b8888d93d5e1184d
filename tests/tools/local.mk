# What tests/tools adds to the build: programs that print documentation out of the tables.
noinst_PROGRAMS += tests/tools/protocol_reference
tests_tools_protocol_reference_LDADD = libsealpost.a $(SYS_LIBS)
